"""What it is to lie on a thing: the pointing game, energy inside, the best box, pixels told from the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pellucid.evaluation.located import Measured, Reading, Scene
from pellucid.evaluation.orders import between_0_and_1
from pellucid.evaluation.regions import components, cut, in_original, iou, peak, seen, share_inside
from pellucid.evaluation.summary import Protocol
from pellucid.geometry import Floats
from pellucid.result import Curve, Line, Table

OVERLAPS = (0.3, 0.5, 0.7)
"""Intersections over union above which a box counts, of MaxBoxAccV2 (Choe et al. 2020)."""
_FAR = 100
"""Pixels to which hits are drawn over their distance."""
Answer = tuple[dict[str, Curve], dict[str, Table]]
"""Curves and tables by name; the first table is the ranking."""


@dataclass(frozen=True)
class Pointing:
    """Whether the largest value of a map lies on the thing, or within so many pixels of it."""

    tolerance: float | int

    @property
    def protocol(self) -> Protocol:
        """What its figures depend on."""
        return Protocol("pointing", (("tolerance", f"{self.tolerance:g}"),), "Zhang et al. 2016, section 4.1")

    @property
    def reading(self) -> Reading:
        """How far it is from the thing; the share of all places that would be hits."""
        return Reading("pointing", 2, self._of)

    def _of(self, scene: Scene, heat: Floats, seed: int) -> Sequence[float]:
        away = scene.distance
        return float(away[peak(heat, seed, scene.case.name, scene.label)]), float(self._hits(away).mean())

    def _hits(self, away: Floats) -> Floats:
        return np.where(np.isnan(away), np.nan, away <= self.tolerance + 1e-9)

    def answer(self, found: Measured) -> Answer:
        """The ranking, the classes, and the share of hits over the tolerance."""
        away = found.parts["pointing"][:, :, 0]
        hits = self._hits(away)
        means = (
            f"share of cases whose largest value lies within {self.tolerance:g} pixels of the thing, mean over cases"
        )
        table = found.table(hits, self.protocol, "hits", means)
        steps = np.arange(_FAR + 1, dtype=np.float64)
        known = np.isfinite(hits[_known(found)]).all(0)
        values = (away[:, known, None] <= steps + 1e-9).mean(1)
        curve = _curve(found, table, steps, values, "share of hits", "tolerance, pixels of the original picture")
        return {"tolerance": curve}, {"pointing": table, "classes": found.by_class(hits, "share of hits")}

    chance_of = "hits"

    def chance(self, found: Measured) -> float:
        """The share of hits of a map that is the same everywhere."""
        return _chance(found, found.parts["pointing"][:, :, 1])


class Energy:
    """How much of the positive part of a map lies on the thing."""

    protocol = Protocol("energy", (), "Wang et al. 2020, section 4.3")
    reading = Reading(
        "energy", 2, lambda scene, heat, seed: (share_inside(heat, scene.inside), float(scene.inside.mean()))
    )

    @classmethod
    def answer(cls, found: Measured) -> Answer:
        """The ranking, and the classes."""
        shares = found.parts["energy"][:, :, 0]
        means = "share of the positive part of the map that lies on the thing, mean over cases"
        table = found.table(shares, cls.protocol, "energy", means)
        return {}, {"energy": table, "classes": found.by_class(shares, "share of energy")}

    chance_of = "energy"

    @staticmethod
    def chance(found: Measured) -> float:
        """The share of a map that is the same everywhere: that of the area."""
        return _chance(found, found.parts["energy"][:, :, 1])


@dataclass(frozen=True)
class Boxes:
    """How well a box around what exceeds a threshold fits, at the threshold that is best for each method."""

    thresholds: int
    largest: bool

    @property
    def protocol(self) -> Protocol:
        """What its figures depend on."""
        parts = (("thresholds", str(self.thresholds)), ("parts", "largest" if self.largest else "all"))
        return Protocol("box_accuracy", parts, "Choe et al. 2020, section 3.2")

    @property
    def reading(self) -> Reading:
        """The best overlap of its boxes with the thing's, at each threshold."""
        return Reading("boxes", self.thresholds, self._of)

    @property
    def points(self) -> Floats:
        """(T,) thresholds from 0 on, of maps whose values are put between 0 and 1."""
        return np.arange(self.thresholds) / self.thresholds

    def _of(self, scene: Scene, heat: Floats, seed: int) -> Floats:
        view, values = scene.case.image.views[0], between_0_and_1(heat)
        found = np.zeros(self.thresholds)
        for k, threshold in enumerate(self.points):
            boxes = in_original(components(values >= threshold, largest=self.largest), view)
            found[k] = iou(cut(boxes, seen(view)), scene.boxes).max(initial=0)
        return found

    def answer(self, found: Measured) -> Answer:
        """The ranking by the mean over three overlaps, and accuracy over the threshold."""
        overlaps = found.parts["boxes"]
        fits = np.stack([np.where(np.isnan(overlaps), np.nan, overlaps >= one - 1e-12) for one in OVERLAPS])
        both = np.isfinite(overlaps[_known(found)]).all((0, 2))
        accuracy = fits[:, :, both].mean(2)  # (3, K, T)
        best = accuracy.argmax(2)
        at_best = np.take_along_axis(fits, best[:, :, None, None], axis=3)[..., 0]  # (3, K, N)
        means = "share of cases with a box that fits, at the best threshold, mean over the overlaps .3, .5 and .7"
        more = {
            f"iou_{one:g}": (accuracy[k].max(1), f"share of cases whose box overlaps by at least {one:g}")
            for k, one in enumerate(OVERLAPS)
        }
        more["threshold"] = (self.points[best[1]], "threshold that is best for the overlap .5, as a share of the range")
        table = found.table(at_best.mean(0), self.protocol, "box_accuracy", means, more=more)
        half = accuracy[1]
        curve = _curve(
            found, table, self.points, half, "share of boxes that overlap by .5", "threshold, share of range"
        )
        return {"threshold": curve}, {"boxes": table}


@dataclass(frozen=True)
class Pixels:
    """How well the values of a map tell the pixels of the thing from all others."""

    levels: int

    @property
    def protocol(self) -> Protocol:
        """What its figures depend on."""
        return Protocol("pixels", (("levels", str(self.levels)),), "Choe et al. 2020, section 3.2")

    @property
    def reading(self) -> Reading:
        """How many pixels on the thing, and off it, have each level of the map."""
        return Reading("pixels", 2 * self.levels, self._of)

    def _of(self, scene: Scene, heat: Floats, seed: int) -> Floats:
        level = np.minimum((between_0_and_1(heat) * self.levels).astype(np.int64), self.levels - 1)
        counts = [np.bincount(level[mask], minlength=self.levels) for mask in (scene.inside, ~scene.inside)]
        return np.concatenate(counts).astype(np.float64)

    def answer(self, found: Measured) -> Answer:
        """The ranking by the mean of average precision, that of all pixels together, and precision over recall."""
        counts = found.parts["pixels"].reshape(*found.parts["pixels"].shape[:2], 2, self.levels)
        both = np.isfinite(counts[_known(found)]).all((0, 2, 3))
        each = average_precision(counts)
        pooled = counts[:, both].sum(1)
        means = "area under precision over recall of the pixels of a picture, mean over cases"
        said = "the same of the pixels of all cases together (PxAP)"
        table = found.table(each, self.protocol, "precision", means, more={"pxap": (average_precision(pooled), said)})
        precision, recall = precision_recall(pooled)
        recalls = np.linspace(0, 1, 101)[1:]
        values = np.stack([_at(recalls, *pair) for pair in zip(recall, precision, strict=True)])
        return {"recall": _curve(found, table, recalls, values, "precision", "recall of pixels")}, {"pixels": table}


def precision_recall(counts: Floats) -> tuple[Floats, Floats]:
    """(…, L) of pixels that have at least a level, from the highest on; counts (…, 2, L) on the thing, and off it."""
    hits, misses = (np.cumsum(counts[..., side, ::-1], axis=-1) for side in (0, 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(hits + misses > 0, hits / (hits + misses), 1.0), hits / hits[..., -1:]


def average_precision(counts: Floats) -> Floats:
    """(…) Σ precision · increase of recall, over the levels of counts (…, 2, L); NaN where there are none."""
    precision, recall = precision_recall(counts)
    found: Floats = (precision * np.diff(recall, axis=-1, prepend=0)).sum(-1)
    return found


def _at(recalls: Floats, recall: Floats, precision: Floats) -> Floats:
    """The precision at the first level that reaches each recall."""
    found: Floats = precision[np.searchsorted(recall, recalls - 1e-12).clip(0, len(recall) - 1)]
    return found


def _known(found: Measured) -> list[int]:
    """The methods that did not refuse."""
    return [k for k, name in enumerate(found.judged.names) if name not in found.judged.refused]


def _chance(found: Measured, values: Floats) -> float:
    """The mean over the cases that all methods have a map of, of values (K, N) that are the same for each."""
    some = values[_known(found)]
    return float(np.sort(some[:, np.isfinite(some).all(0)], axis=None).mean())  # to the last bit in any order


def _curve(found: Measured, table: Table, points: Floats, values: Floats, quantity: str, axis: str) -> Curve:
    """A line for each method of a table, the best first; dashed for what knows no network."""
    each = {name: k for k, name in enumerate(found.judged.names)}
    lines = [
        Line(str(name), points, values[each[str(name)]], None, quantity, "dashed" if blind else "line")
        for name, blind in zip(table["method"], table["baseline"], strict=True)
    ]
    return Curve(tuple(lines), axis)
