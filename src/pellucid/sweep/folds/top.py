"""The strongest pictures of every unit, and where in them: exact, with a total order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from pellucid.sweep.fold import Batch, Fold, Part, Units

_NONE = np.iinfo(np.int64).max
"""The picture of an empty place: after all others in the order."""
_WAITING = 200_000
"""Events that wait until they are merged: one sort for many is cheaper than many."""


@final
@dataclass(frozen=True)
class Top(Fold):
    """The `count` largest (or smallest) activations of every unit: value, picture, place in the map.

    Larger values first, of equal ones the lower picture, in it the lower place (row by row). What is not finite is
    left out and counted. A map is only searched for its place when its largest value belongs among the best.
    """

    count: int = 100
    smallest: bool = False

    @property
    def name(self) -> str:  # type: ignore[override]
        return "bottom" if self.smallest else "top"

    def facts(self) -> dict[str, object]:
        return {"count": self.count}

    def start(self, units: Units) -> Part:
        shape = (len(units), self.count)
        return {
            "value": np.full(shape, -np.inf, np.float32),
            "image": np.full(shape, _NONE, np.int64),
            "place": np.zeros(shape, np.int32),
            "left_out": np.zeros(len(units), np.int64),
            "waiting": np.zeros((0, 4), np.float64),
        }

    def step(self, part: Part, units: Units, batch: Batch) -> None:
        extreme = self._extreme(batch)
        part["left_out"] += np.isneginf(extreme).sum(0)
        worst, last = part["value"][:, -1], part["image"][:, -1]
        images = batch.images[:, None]
        gate = (extreme > worst) | ((extreme == worst) & (images < last) & ~np.isneginf(extreme))
        rows, unit = np.nonzero(gate)
        if len(rows):
            events = np.stack(
                [unit, extreme[rows, unit], batch.images[rows], self._places(units, batch, rows, unit)], 1
            )
            part["waiting"] = np.concatenate([part["waiting"], events])
        if len(part["waiting"]) > _WAITING:
            part.update(self.settle(units, part))

    def settle(self, units: Units, part: Part) -> Part:
        events = part["waiting"]
        if not len(events):
            return part
        settled = dict(part)
        touched = np.unique(events[:, 0].astype(np.int64))
        held = np.repeat(touched, self.count)
        unit = np.concatenate([held, events[:, 0].astype(np.int64)])
        value = np.concatenate([part["value"][touched].ravel(), events[:, 1].astype(np.float32)])
        image = np.concatenate([part["image"][touched].ravel(), events[:, 2].astype(np.int64)])
        place = np.concatenate([part["place"][touched].ravel(), events[:, 3].astype(np.int32)])
        for name, kept in zip(("value", "image", "place"), _best(unit, value, image, place, self.count), strict=True):
            settled[name] = part[name].copy()
            settled[name][touched] = kept
        settled["waiting"] = np.zeros((0, 4), np.float64)
        return settled

    def merge(self, units: Units, a: Part, b: Part) -> Part:
        a, b = self.settle(units, a), self.settle(units, b)
        unit = np.repeat(np.arange(len(units)), 2 * self.count)
        value, image, place = (
            np.concatenate([a[name], b[name]], axis=1).ravel() for name in ("value", "image", "place")
        )
        merged: Part = dict(zip(("value", "image", "place"), _best(unit, value, image, place, self.count), strict=True))
        return {**merged, "left_out": a["left_out"] + b["left_out"], "waiting": a["waiting"]}

    def finish(self, units: Units, part: Part) -> Part:
        part = self.settle(units, part)
        empty = part["image"] == _NONE
        value = np.where(empty, np.nan, -part["value"] if self.smallest else part["value"]).astype(np.float32)
        return {
            "value": value,
            "image": np.where(empty, -1, part["image"]),
            "place": np.where(empty, -1, part["place"]).astype(np.int32),
            "left_out": part["left_out"],
        }

    def _extreme(self, batch: Batch) -> NDArray[np.float32]:
        if not self.smallest:
            return batch.maxima
        import torch

        low = torch.cat([-one.amin((2, 3)) for one in batch.maps], 1).cpu().numpy()
        return np.where(np.isneginf(batch.maxima), -np.inf, low).astype(np.float32)

    def _places(
        self, units: Units, batch: Batch, rows: NDArray[np.int64], unit: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Where the extreme lies in each of these maps: the first place, row by row, that has it."""
        found = np.zeros(len(rows), np.int64)
        for layer, one in enumerate(batch.maps):
            first = units.first(layer)
            mine = np.nonzero((unit >= first) & (unit < first + units.channels[layer]))[0]
            if len(mine):
                picked = one[rows[mine], unit[mine] - first].flatten(1).cpu().numpy()
                found[mine] = picked.argmin(1) if self.smallest else picked.argmax(1)
        return found


def _best(
    unit: NDArray[np.int64], value: NDArray[np.float32], image: NDArray[np.int64], place: NDArray[np.int32], count: int
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int32]]:
    """(units, count) each: the first of every unit in the order of value (falling), picture, place."""
    order = np.lexsort((place, image, -value, unit))
    sorted_units = unit[order]
    _, starts, sizes = np.unique(sorted_units, return_index=True, return_counts=True)
    rank = np.arange(len(order)) - np.repeat(starts, sizes)
    kept = order[rank < count]
    shape = (len(starts), count)
    return value[kept].reshape(shape), image[kept].reshape(shape), place[kept].reshape(shape)
