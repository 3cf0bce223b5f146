"""From rows of numbers to places in a plane, and where new rows go without making the plane anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from pellucid.errors import PellucidError
from pellucid.geometry import Floats
from pellucid.layout.components import independent, principal, reduced
from pellucid.layout.engines import tsne, umap
from pellucid.layout.placing import affinities, descended
from pellucid.notes import Note
from pellucid.progress import steps
from pellucid.rng import generator

How = Literal["tsne", "umap", "pca", "ica"]
LARGEST = 200_000
"""Rows that t-SNE and UMAP lay out themselves: of more a random sample, and the rest is placed among it."""
PRINCIPAL = 50
"""Principal components that t-SNE and UMAP see."""
_AT_ONCE = 2**22  # numbers in a table of distances


@dataclass(frozen=True, eq=False)
class Layout:
    """Where rows lie, and what is needed to place others."""

    how: How
    perplexity: float
    values: Float[np.ndarray, "n 2"]
    seen: Float[np.ndarray, "n channels"]
    """The rows as the layout saw them: principal components, or as they were."""
    linear: tuple[Floats, Floats]
    """(mean, components) that made them so."""
    axes: Floats | None = None
    """Of a linear map: from what was seen to the plane."""
    notes: tuple[Note, ...] = ()

    def place(self, rows: Float[np.ndarray, "m channels"]) -> Float[np.ndarray, "m 2"]:
        """Where other rows go; no point of the map moves, and none of the new ones depends on another."""
        new = np.concatenate([reduced(row[None], self.linear) for row in rows])  # products of many have other last bits
        if self.axes is not None:
            return np.asarray(new @ self.axes)
        near, weights = affinities(new, self.seen, self.perplexity)
        begin = np.einsum("mk,mkd->md", weights, self.values[near])
        return descended(begin, near, weights, self.values) if self.how == "tsne" else begin


def laid_out(rows: Float[np.ndarray, "n channels"], how: How, perplexity: float | int, seed: int) -> Layout:
    """The rows in a plane. Principal components first, and of more than LARGEST rows a sample of them."""
    linear = principal(rows, PRINCIPAL if how in ("tsne", "umap") else 2)
    seen = reduced(rows, linear)
    if how in ("pca", "ica"):
        axes = np.eye(seen.shape[1], 2) if how == "pca" else independent(seen, seed)
        return Layout(how, 0.0, seen @ axes, seen, linear, axes)
    notes: tuple[Note, ...] = ()
    chosen = np.arange(len(rows))
    if len(rows) > LARGEST:
        chosen = np.sort(generator(seed, "layout").choice(len(rows), LARGEST, replace=False))
        drawn = f"{_NAMES[how]} of {LARGEST} images drawn at random; the others lie at the mean of their nearest"
        notes = (Note("sampling", drawn),)
    most = max((len(chosen) - 1) / 3, 1.0)
    told = float(min(perplexity, most))
    if told < perplexity:
        notes += (Note("choice", f"perplexity {told:.3g}: a third of the {len(chosen)} images at most"),)
    made = tsne if how == "tsne" else umap
    values = made(seen[chosen], told, seed)
    if not np.isfinite(values).all():
        raise PellucidError(f"{_NAMES[how]} finds no place for these images: are they all the same to the layer?")
    if len(chosen) < len(rows):
        whole = np.empty((len(rows), 2))
        whole[chosen] = values
        rest = np.setdiff1d(np.arange(len(rows)), chosen)
        for part in steps(_cut(len(rest), len(chosen)), "placing the others"):
            near, weights = affinities(seen[rest[part]], seen[chosen], told)
            whole[rest[part]] = np.einsum("mk,mkd->md", weights, values[near])
        values = whole
    return Layout(how, told, values, seen, linear, None, notes)


_NAMES = {"tsne": "t-SNE", "umap": "UMAP"}


def _cut(count: int, beside: int) -> list[slice]:
    at_once = max(_AT_ONCE // max(beside, 1), 64)
    return [slice(i, i + at_once) for i in range(0, count, at_once)]


def enough(count: int) -> None:
    """Raise where a map would say nothing."""
    if count < 4:
        raise PellucidError(f"{count} images in the index: a map needs at least 4")
