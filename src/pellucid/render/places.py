"""Activations place by place: how alike two are, and how much more of one is in the other."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F


def exaggeration(
    places: Float[Tensor, "n c places"], wanted: Float[Tensor, "n c places"], power: float | int
) -> Float[Tensor, " n"]:
    """The mean over places of ⟨a, a₀⟩ · max(0.1, cos)^power."""
    along = (places * wanted).sum(1)
    return (along * cosine(places, wanted).clamp(min=0.1) ** power).mean(1)


def cosine(places: Float[Tensor, "n c places"], wanted: Float[Tensor, "n c places"]) -> Float[Tensor, "n places"]:
    """Of the angle between two activations, at each place; 0 where one of them is silent."""
    return F.cosine_similarity(places, wanted, dim=1, eps=1e-6)


def by_place(activation: Tensor) -> Float[Tensor, "n c places"]:
    """A layer without places has one."""
    return activation.float().flatten(2) if activation.dim() > 2 else activation.float()[..., None]
