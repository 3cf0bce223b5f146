"""Integrals of the gradient over ways, and the heatmap of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.images import Images
from pellucid.net import Net
from pellucid.notes import Note
from pellucid.result import Heatmap
from pellucid.saliency.backward import Signal
from pellucid.saliency.heatmaps import as_exact_as, pixel_map
from pellucid.target import Target


@dataclass(frozen=True, eq=False)
class Integral:
    """What each pixel of the image adds to the score on one way: (H, W) in float64."""

    share: Float[Tensor, "h w"]
    score: float
    change: float
    """The score of the image less that of the baseline: what the shares should sum to."""
    gradients: int
    moved: float | None = None
    """Of refined integrals: how far the last round moved the map, Σ |new − old| / Σ |new| over pixels."""
    asked: Target | None = None
    """The target as it was fixed for the image."""


def mean_of(integrals: Sequence[Integral]) -> Integral:
    """Of one image over several ways: the mean of the shares, and of the changes that they share out."""
    count = len(integrals)
    moves = [integral.moved for integral in integrals if integral.moved is not None]
    return Integral(
        sum((integral.share for integral in integrals), torch.zeros_like(integrals[0].share)) / count,
        integrals[0].score,
        sum(integral.change for integral in integrals) / count,
        sum(integral.gradients for integral in integrals),
        max(moves) if moves else None,
        integrals[0].asked,
    )


def path_map(
    net: Net,
    prepared: Images,
    target: Target,
    found: Sequence[Integral],
    allowed: float | int,
    values: Tensor | None = None,
    notes: tuple[Note, ...] = (),
    **meta: Any,
) -> Heatmap:
    """A heatmap of integrals, one for each image, that tells where their sums are off by more than is `allowed`.

    `values` (N, H, W) are shown instead of the shares where a method has made something of them.
    """
    sums = [(name, one, float(one.share.sum())) for name, one in zip(prepared.ids, found, strict=True)]
    errors = [abs(total - one.change) / max(abs(one.change), 1e-12) for _, one, total in sums]
    off = [
        Note("completeness", f"completeness error {error:.2%} after {one.gradients} gradients", name)
        for error, (name, one, _) in zip(errors, sums, strict=True)
        if error > allowed
    ]
    unsure = [
        Note(
            "sampling", f"single pixels are less sure than their sum: the last round moved the map by {moved:.0%}", name
        )
        for name, one, _ in sums
        if (moved := one.moved or 0) > 0.1
    ]
    scores = torch.tensor([one.score for one in found], dtype=torch.float64)
    return pixel_map(
        net,
        prepared,
        target,
        as_exact_as(torch.stack([one.share for one in found]) if values is None else values, prepared),
        Signal(prepared.pixels, scores, {}, tuple(one.asked for one in found if one.asked is not None)),
        found={"completeness": tuple(errors)},
        notes=(*off, *unsure, *notes),
        **{"unit": target.unit_of(net), "signed": True, **meta},
    )
