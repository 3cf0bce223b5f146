"""A concept at a layer: the direction, or the units, by which images that show it differ from others; taken out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.geometry import Floats
from pellucid.images import Images
from pellucid.net import Net
from pellucid.net.onward import Onward
from pellucid.progress import steps
from pellucid.statistics import auroc

Reads = Callable[[int], Images]
"""Image i of many, each read when it is its turn."""


@dataclass(frozen=True, eq=False)
class Removed:
    """Directions (R, C) of length 1, or sets of channels as ones: of a row of zeros nothing is removed."""

    rows: Floats
    level: Floats
    """(C,) what is left in the place of what is removed."""
    whole: bool
    """Whether rows are sets of channels."""

    def __call__(self, output: Tensor) -> Tensor:
        """The output of a layer (1, C, …) without each in turn: (R, C, …)."""
        rows, level = (output.new_tensor(one) for one in (self.rows, self.level))
        moved = output - level.reshape(1, -1, *[1] * (output.dim() - 2))
        if self.whole:
            return output - moved * rows.reshape(*rows.shape, *[1] * (output.dim() - 2))
        along = torch.einsum("rc,c...->r...", rows, moved[0])
        return output - torch.einsum("rc,r...->rc...", rows, along)


def means_of(net: Net, count: int, read: Reads, layer: str, what: str) -> Float[np.ndarray, "m c"]:
    """(M, C) what a layer makes of each image, the mean over its places."""
    found = []
    for i in steps(range(count), what):
        output = net.run(net.prepare(read(i)).pixels, layers=[layer], stop=True)[layer].detach().double()
        found.append((output.flatten(2).mean(2) if output.dim() > 2 else output).cpu().numpy())
    return np.concatenate(found) if found else np.zeros((0, 0))


def difference(own: Float[np.ndarray, "m c"], rest: Float[np.ndarray, "n c"], units: int) -> Float[np.ndarray, " c"]:
    """(C,) the direction from one mean to the other, of length 1; or ones at the units that differ most."""
    apart = own.mean(0) - rest.mean(0)
    if units:
        spread = np.sqrt((own.var(0) + rest.var(0)) / 2)
        order = np.argsort(-np.abs(apart) / np.where(spread > 0, spread, np.inf), kind="stable")
        return np.asarray(np.isin(np.arange(len(apart)), order[:units]), np.float64)
    length = float(np.linalg.norm(apart))
    return np.asarray(apart / length if length > 0 else apart)


def control(
    rest: Float[np.ndarray, "n c"], many: int, removed: Float[np.ndarray, " c"], units: int, chance: np.random.Generator
) -> Float[np.ndarray, " c"]:
    """The direction between images that have nothing in common, so many of them and the others; or as many units as are
    removed, drawn at random from those that are not.
    """
    if units:
        left = np.flatnonzero(removed == 0)
        return np.asarray(np.isin(np.arange(len(removed)), chance.permutation(left)[:units]), np.float64)
    order = chance.permutation(len(rest))
    size = min(many, len(rest) // 2)
    return difference(rest[order[:size]], rest[order[size:]], 0)


def scores_without(
    net: Net, count: int, read: Reads, layer: str, removed: Removed, what: str
) -> Float[np.ndarray, "m r classes"]:
    """(M, R, classes) scores of each image without each."""
    found = []
    for i in steps(range(count), what):
        passes, parts = Onward(net, net.prepare(read(i)).pixels, layer), []
        for start in range(0, len(removed.rows), passes.at_once):
            part = Removed(removed.rows[start : start + passes.at_once], removed.level, removed.whole)
            parts.append(passes.run(len(part.rows), part).by_class.detach().double().cpu().numpy())
        found.append(np.concatenate(parts))
    return np.stack(found)


def told_apart(own: Float[np.ndarray, "m c"], rest: Float[np.ndarray, "n c"]) -> float | None:
    """AUROC of a direction made from every second image on the others; None of fewer than four photos."""
    if len(own) < 4:
        return None
    direction = difference(own[::2], rest[::2], 0)
    return auroc(own[1::2] @ direction, rest[1::2] @ direction)[0]
