"""Heads of one hidden layer by kind, and what is measured of each."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor, nn

from pellucid.errors import Refused
from pellucid.interpretable.bounds import bounded, sampled_violations
from pellucid.interpretable.cells import Cells
from pellucid.interpretable.monotone import negative_share
from pellucid.interpretable.sparse import WINNERS, Head, hoyer, l1, overlap
from pellucid.learning.features import PIXELS
from pellucid.learning.train import Passed
from pellucid.result.table import Cell

KINDS = ("plain", "non-negative", "rising")
ABOUT = {
    "negative": "share of the weights below 0",
    "sparseness": "mean Hoyer sparseness of the hidden units: 0 where all are equally active, 1 where one is alone",
    "overlap": "mean |cosine| between the responses of two hidden units to the held-out images",
    "active": "mean number of hidden units that are not 0",
    "violations": "derivatives by an input that interval bounds cannot show to be 0 or more, over all classes in 16 "
    "boxes; none where the head has no bounds",
    "falls": "sampled pairs of points in which a score falls although inputs only rise",
}
_BOXES, _WIDE = 16, 0.1
__all__ = ["ABOUT", "KINDS", "WINNERS", "drawn_units", "measured", "penalty_of"]


def penalty_of(strength: float) -> Callable[[Passed], Tensor] | None:
    """The loss on hidden activations, of that strength; None for 0."""
    if not strength:
        return None

    def penalty(batch: Passed) -> Tensor:
        hidden: nn.Module = batch.module.hidden  # type: ignore[assignment]
        return strength * l1(hidden(batch.inputs.flatten(1)))

    return penalty


def measured(module: nn.Module, some: Cells, samples: int, seed: int) -> dict[str, Cell]:
    """A row of `ABOUT`: on the held-out images, in boxes around them, and in pairs of points of all images' range."""
    head = module
    if not isinstance(head, Head):
        raise Refused(f"{type(module).__name__} is no head with hidden units")
    rows = some.maps.flatten(1).double()
    low, high = rows.amin(0), rows.amax(0)
    rising = torch.ones(rows.shape[1], dtype=torch.bool)
    with torch.no_grad():
        hidden = head.hidden(some.maps[some.test].flatten(1))
    middles, far = rows[some.test[:_BOXES]], _WIDE * (high - low)
    try:
        violations: int | None = bounded(head.chain, middles - far, middles + far).violations(rising)
    except Refused:
        violations = None
    found = hoyer(hidden)
    found = found[torch.isfinite(found)]
    exact = head.double()
    falls = sampled_violations(exact, low, high, rising, samples, seed)
    head.float()
    mean = overlap(hidden)
    return {
        "negative": negative_share(head),
        "sparseness": float(found.mean()) if len(found) else None,
        "overlap": mean if np.isfinite(mean) else None,
        "active": float((hidden != 0).double().sum(1).mean()),
        "violations": violations,
        "falls": falls,
    }


def drawn_units(head: Head, some: Cells, unit: int) -> UInt8[np.ndarray, "h w 3"] | None:
    """The first weights of a hidden unit as a picture, 0 in gray, where the layer is the pixels; None elsewhere."""
    first = next(iter(head.hidden.children()))
    weight = getattr(first, "weight", None)
    if some.layer != PIXELS or not isinstance(weight, Tensor) or weight.shape[1] != some.maps[0].numel():
        return None
    own: Tensor = weight[unit].detach().reshape(some.maps.shape[1:]).mean(0)
    shade = 0.5 + 0.5 * own / own.abs().max().clamp(min=1e-12)
    return (shade * 255).round().byte()[..., None].expand(-1, -1, 3).contiguous().numpy()
