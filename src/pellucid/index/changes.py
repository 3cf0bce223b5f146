"""What a unit says to changed versions of what excites it, and what follows from that, with error bars."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from pellucid.geometry import Floats
from pellucid.index.crops import Asked, Spot, spots
from pellucid.index.folds.extremes import TopImages
from pellucid.index.index import Index
from pellucid.index.perturb import inside, luminance_gray, mirror, moved, principal_gray, shuffled, turn
from pellucid.index.unit import Unit
from pellucid.rng import generator

AXES = (0, 45, 90, 135)


@dataclass(frozen=True, eq=False)
class Answers:
    """(N,) activations on the strongest images, and (N,) those on each changed version of them."""

    own: Floats
    changed: Mapping[str, Floats]

    def lost(self, name: str, which: NDArray[np.int64] | None = None) -> Floats:
        """1 − Σ changed / Σ own, over the images `which` (..., n)."""
        picked = which if which is not None else np.arange(len(self.own))
        return np.asarray(1 - self.changed[name][picked].sum(-1) / self.own[picked].sum(-1))

    def clipped(self, name: str, which: NDArray[np.int64] | None = None) -> Floats:
        """Mean of 1 − changed / own, each between 0 and 1."""
        picked = which if which is not None else np.arange(len(self.own))
        return np.asarray((1 - (self.changed[name] / self.own).clip(0, 1))[picked].mean(-1))


def answers(index: Index, unit: Unit, top: TopImages, names: Sequence[str], seed: int) -> Answers:
    """Ask a unit about every change of `names`: principal, luminance, shape, turned N, mirrored N."""
    asked, own, found = Asked(index, unit), [], []
    for spot in spots(index, unit, top):
        first, others = asked(spot, spot.with_crop(_changes(spot, names, index.source.name(spot.image), seed)))
        own.append(first)
        found.append(others)
    table = np.stack(found)
    return Answers(np.array(own), {name: table[:, k] for k, name in enumerate(names)})


def _changes(spot: Spot, names: Sequence[str], picture: str, seed: int) -> torch.Tensor:
    """(K, C, h, w): what the unit sees, changed in each way."""
    crop = inside(spot)
    matrices = [name for name in names if name.partition(" ")[0] in ("turned", "mirrored")]
    kinds: dict[str, Callable[[float], Floats]] = {"turned": turn, "mirrored": mirror}
    made = {}
    if matrices:
        split = [name.split(" ") for name in matrices]
        made = dict(zip(matrices, moved(spot, [kinds[kind](float(by)) for kind, by in split]), strict=True))
    simple: dict[str, Callable[[], torch.Tensor]] = {
        "principal": lambda: principal_gray(crop),
        "luminance": lambda: luminance_gray(crop),
        "shape": lambda: shuffled(crop, seed, picture),
    }
    return torch.stack([made[name] if name in made else simple[name]() for name in names])


def resampled(count: int, times: int, seed: int, name: str) -> NDArray[np.int64]:
    """(times, count) numbers drawn with replacement."""
    return generator(seed, name, "bootstrap").integers(0, count, (times, count))


def bar(values: Floats) -> float | None:
    """The standard deviation over resamples (R,); None where they are all of one image, or unknown."""
    found = values[np.isfinite(values)]
    return float(found.std(ddof=1)) if len(found) > 1 else None
