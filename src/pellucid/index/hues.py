"""Hues of units: the colors of their neuron features, in the plane of red − green and yellow − blue."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from pellucid.index.crops import Edges, Spot, box_of
from pellucid.index.feature import Floats, Mean, contrasted, eight_bits
from pellucid.index.index import Index
from pellucid.index.perturb import opponent
from pellucid.index.selectivity import Picked, grayed
from pellucid.result.colors import LayerColors

_SIDE = 40  # of a small neuron feature, at most
_RGB_TO_XYZ = np.array([
    [0.4124564, 0.3575761, 0.1804375],
    [0.2126729, 0.7151522, 0.0721750],
    [0.0193339, 0.1191920, 0.9503041],
])  # fmt: skip
_XYZ_TO_LMS = np.array([[0.40024, 0.70760, -0.08081], [-0.22630, 1.16532, 0.04570], [0.0, 0.0, 0.91822]])


def hues(
    index: Index, layers: Sequence[str], chosen: Sequence[NDArray[np.int64]], count: int
) -> tuple[list[LayerColors], float]:
    """The colors of these units of each layer, and the axis along which the colors of the images lie."""
    picked = [Picked.of(index, layer, count, units) for layer, units in zip(layers, chosen, strict=True)]
    gray = [np.zeros(len(one.channels)) for one in picked]
    means = [[Mean() for _ in one.channels] for one in picked]
    world = 0j
    for pixels, hits in grayed(index, picked):
        world += _doubled(opponent(_small(pixels, 16)[0])[..., 1:].reshape(-1, 2))
        for which, units, ranks, answers in hits:
            one = picked[which]
            np.add.at(gray[which], units, answers)
            size = (pixels.shape[-2], pixels.shape[-1])
            for unit, rank in zip(units.tolist(), ranks.tolist(), strict=True):
                place = int(one.places[unit, rank])
                spot = Spot(pixels, _within(box_of(index, one.layer, place, size), size), place, 0.0, 0)
                crop, mask = spot.cut()
                side = min(_SIDE, *mask.shape)
                both = F.adaptive_avg_pool2d(torch.cat([crop, mask[None]]), side).numpy()
                means[which][unit].add(both[:3], both[3], float(one.values[unit, rank]))
    found = [_of_layer(index, *parts) for parts in zip(picked, gray, means, strict=True)]
    return found, float(np.angle(world) / 2 % np.pi)


def _within(box: Edges, size: tuple[int, int]) -> Edges:
    """A box no larger than the image, about the same middle: of larger ones most is outside."""
    high, wide = (min(whole, box[2 + axis] - box[axis]) for axis, whole in enumerate(size))
    top, left = (box[0] + box[2] - high) // 2, (box[1] + box[3] - wide) // 2
    return top, left, top + high, left + wide


def _small(pixels: Tensor, side: int) -> NDArray[np.float64]:
    """(1, side, side, 3)"""
    return F.adaptive_avg_pool2d(pixels, side).permute(1, 2, 0)[None].double().numpy()


def _of_layer(index: Index, picked: Picked, gray: Floats, means: Sequence[Mean]) -> LayerColors:
    """All units of a layer that something excites."""
    sums = picked.values.sum(1)
    alive = np.flatnonzero(sums > 0)
    selectivity = 1 - gray[alive] / sums[alive]
    told, features = [], []
    for unit in alive.tolist():
        mean, covered = means[unit].finish()
        enough = covered >= Mean.LEAST
        told.append(hue_of(mean[enough]))
        features.append(eight_bits(np.where(enough[..., None], contrasted(mean, enough), 0.5)))
    table = np.array(told).reshape(-1, 3)
    weight = selectivity.clip(0, 1) * table[:, 1]
    total = (weight * np.exp(2j * table[:, 0])).sum()
    side = features[0].shape[0] if features else 1
    return LayerColors(
        picked.layer,
        index[picked.layer].channels,
        tuple(int(picked.channels[unit]) for unit in alive),
        selectivity, table[:, 0], table[:, 1], table[:, 2],
        np.stack(features) if features else np.zeros((0, side, side, 3), np.uint8),
        float(np.angle(total) / 2 % np.pi), float(abs(total) / weight.sum()) if weight.sum() > 0 else 0.0,
        silent=len(sums) - len(alive),
    )  # fmt: skip


def hue_of(colors: Floats) -> tuple[float, float, float]:
    """(hue, chroma, opposition) of colors (n, 3): the axis on which most of their chroma lies, its stronger end.

    Chroma is its mean; opposition 1 − |Σ v| / Σ |v| for what lies along the axis: two opposite hues cancel.
    """
    plane = opponent(colors)[:, 1:]
    chroma = np.hypot(*plane.T)
    if not chroma.sum() > 0:
        return 0.0, 0.0, 0.0
    axis = np.angle(_doubled(plane)) / 2
    along = plane @ np.array([np.cos(axis), np.sin(axis)])
    hue = axis if along.sum() >= 0 else axis + np.pi
    length = np.abs(along).sum()
    return float(hue % (2 * np.pi)), float(chroma.mean()), float(1 - abs(along.sum()) / length) if length else 0.0


def _doubled(plane: Floats) -> complex:
    """Σ |v| e^{2iθ} of vectors (n, 2): opposite ones add up."""
    return complex((np.hypot(*plane.T) * np.exp(2j * np.arctan2(plane[:, 1], plane[:, 0]))).sum())


def cone_axes() -> dict[str, float]:
    """The cardinal axes of cone-opponent cells in our plane, radians in 0..π, for small changes around gray.

    Along L−M brightness and S stay, along S both L and M do (Derrington, Krauskopf & Lennie 1984); primaries of
    sRGB, cones by Hunt, Pointer & Estévez.
    """
    long, middle, short = _XYZ_TO_LMS @ _RGB_TO_XYZ
    bright = _RGB_TO_XYZ[1]
    changes = {"L−M": np.cross(bright, short), "S": np.cross(long, middle)}
    found = {}
    for name, change in changes.items():
        away = opponent(0.5 + 0.01 * change) - opponent(np.full(3, 0.5))
        found[name] = float(np.arctan2(away[2], away[1]) % np.pi)
    return found
