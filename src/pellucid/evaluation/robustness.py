"""Measures of robustness and sanity: whether a map moves with what matters, and with that alone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from pellucid.errors import PellucidError
from pellucid.evaluation.faithfulness import first
from pellucid.evaluation.judged import Again, Case
from pellucid.evaluation.measures import Measure, Ranking
from pellucid.evaluation.randomized import cascade, one_by_one
from pellucid.evaluation.shifted import shifted
from pellucid.evaluation.similarity import SIMILARITIES, similarity
from pellucid.evaluation.summary import Protocol
from pellucid.geometry import Floats
from pellucid.net import Net
from pellucid.render.changed import compressed, placed
from pellucid.rng import generator
from pellucid.statistics import rank_correlation

CHANGES = ("JPEG file", "image moved", "image cropped", "other seed", "input shift")


def sensitivity(radius: float | int = 0.02, samples: int = 10, seed: int = 0) -> Measure:
    """(2,) the largest and the mean change of the map with noise, over its norm (Yeh et al. 2019)."""

    def judge(case: Case, heat: Floats, again: Again) -> Floats:
        size = float(np.linalg.norm(heat))
        moved = [float(np.linalg.norm(again(pixels=noisy(case, radius, seed, k)) - heat)) for k in range(samples)]
        return np.array([max(moved), sum(moved) / samples]) / (size or 1.0)

    parts = (("noise", "uniform"), ("radius", f"{radius:g}"), ("samples", str(samples)))
    each = (
        Ranking("change", f"{name} change of the map over its norm, mean over the images", "low",
                partial(first, which=k), contest=False)
        for k, name in enumerate(("largest", "mean"))
    )  # fmt: skip
    return Measure(Protocol("sensitivity", parts, "Yeh et al. 2019, definition 3.1"), (2,), judge, tuple(each))


def noisy(case: Case, radius: float | int, seed: int, number: int) -> Tensor:
    """A copy (C, H, W) with uniform noise, which stays within 0..1."""
    chance = generator(seed, case.name, "sensitivity", number)
    return (
        case.pixels + torch.from_numpy(chance.uniform(-radius, radius, tuple(case.pixels.shape))).to(case.pixels)
    ).clamp(0, 1)


def stability(quality: int = 75, shift: int = 4, crop: float | int = 0.875, seed: int = 0) -> Measure:
    """(5,) the rank correlations with the map after each of `CHANGES`."""

    def judge(case: Case, heat: Floats, again: Again) -> Floats:
        other, pixels = shifted(case.net, case.pixels)
        height, width = heat.shape
        if shift >= min(height, width) / 2:
            raise PellucidError(f"shift={shift}: an image of {height} × {width} pixels moves by less than half of that")
        moved = placed(case.pixels[None], shift, shift, (height, width), "mirror")[0]
        rows, columns = (_inside(length, crop) for length in (height, width))
        seen, around = again(pixels=_stretched(case.pixels[:, rows, columns], (height, width))), heat[rows, columns]
        pairs = (
            (heat, again(pixels=compressed(case.pixels[None], quality)[0])),
            (heat[:-shift, :-shift], again(pixels=moved)[shift:, shift:]),
            (around, _stretched(torch.from_numpy(seen)[None], around.shape)[0].numpy()),
            (heat, again(seed=seed + 1)),
            (heat, again(net=other, pixels=pixels)),
        )
        return np.array([rank_correlation(one.ravel(), two.ravel()) for one, two in pairs])

    parts = (("quality", str(quality)), ("shift", str(shift)), ("crop", f"{crop:g}"))
    protocol = Protocol("stability", parts, "Alvarez-Melis & Jaakkola 2018; Kindermans et al. 2019")
    means = "rank correlation with the map of the unchanged image, mean of five changes and over the images"
    ranking = Ranking("correlation", means, "high", lambda found: found.mean(-1), contest=False)
    return Measure(protocol, (len(CHANGES),), judge, (ranking,))


def _inside(length: int, crop: float | int) -> slice:
    """The middle of a side, of which a crop keeps that share."""
    margin = max(round(length * (1 - crop) / 2), 1)
    if length - 2 * margin < 2:
        raise PellucidError(f"crop={crop:g}: of {length} pixels it keeps fewer than two")
    return slice(margin, length - margin)


def _stretched(planes: Tensor, size: tuple[int, ...]) -> Tensor:
    """Planes (C, H, W) at another size."""
    return F.interpolate(planes[None], size, mode="bilinear", antialias=True, align_corners=False)[0]


def randomization(
    net: Net, order: str = "cascading", steps: int = 6, magnitude: bool = False, seed: int = 0
) -> tuple[Measure, tuple[tuple[str, float], ...]]:
    """((steps, 3) similarities to the maps of networks drawn anew, (layer, share of the layers) of each of them)."""
    networks = list((cascade if order == "cascading" else one_by_one)(net, steps, seed))
    parts = (("order", order), ("steps", str(steps)))
    means = "size of the rank correlation with the map of the trained network, mean over the steps and the images"
    measure = _unlike([other for _, _, other in networks], magnitude, "randomization", parts, means)
    return measure, tuple((layer, share) for layer, share, _ in networks)


def label_randomization(other: Net, magnitude: bool, parts: tuple[tuple[str, str], ...]) -> Measure:
    """(1, 3) similarities to the map of a network that has learned labels without a meaning."""
    means = "size of the rank correlation with the map of the network trained on random labels, mean over the images"
    return _unlike([other], magnitude, "label_randomization", parts, means)


def _unlike(
    others: Sequence[Net], magnitude: bool, name: str, parts: tuple[tuple[str, str], ...], means: str
) -> Measure:
    """(K, 3) similarities to the maps of other networks, which should be other maps."""

    def judge(case: Case, heat: Floats, again: Again) -> Floats:
        maps = [again(net=other) for other in others]
        pairs = [(np.abs(heat), np.abs(one)) if magnitude else (heat, one) for one in maps]
        return np.stack([similarity(*pair) for pair in pairs])

    protocol = Protocol(name, (*parts, ("maps", "magnitudes" if magnitude else "signed")), "Adebayo et al. 2018")
    ranking = Ranking("correlation", means, "low", lambda found: np.abs(found[..., 0]).mean(-1))
    return Measure(protocol, (len(others), len(SIMILARITIES)), judge, (ranking,), ("edges", "random"))
