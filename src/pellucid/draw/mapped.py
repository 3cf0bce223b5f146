"""A map as the page reads it: where images lie, in an order drawn once, what they are called, and small pictures.

Whoever makes a map for the page makes it here: the explorer's server of an index, and `page.py` of a result.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pellucid.result.arrays import arrays
from pellucid.rng import generator

SIDE = 64
"""Pixels of the side of a small picture."""
_SEED = 0
_ACROSS = 20
"""Small pictures in a row of a sheet; the page relies on it."""
_LEVELS = (88.0, 95.0, 99.0)
"""Percentiles of the distances between neighbors in the grid above which seams are thin, thicker, thick."""


def sent(
    said: Mapping[str, Any], images: NDArray[Any], values: NDArray[Any], labels: NDArray[Any], names: Sequence[str],
    quality: Mapping[str, float], grid: tuple[NDArray[Any], NDArray[Any]] | None = None,
) -> bytes:  # fmt: skip
    """The bytes of a map of N images, in an order drawn once, so that the first of them are a fair sample of all.

    `said` is what else the page is told: layer, layout, notes, classes, why images are `missing`, and how `small` the
    pictures are that are kept, 0 for none. `values` are (N, 2), x to the right and y downwards; `labels` number the
    classes, −1 for none; `names` are those of all, or none; `grid` is (cells (N, 2), seams (rows, columns, 2)).
    """
    order = generator(_SEED, "order").permutation(len(images))
    places, high = _placed(values[order])
    held: dict[str, NDArray[Any]] = {
        "places": places, "images": images[order].astype(np.int32), "labels": labels[order].astype(np.int32),
    }  # fmt: skip
    sides = [0, 0]
    if grid is not None:
        cells, seams = grid
        sides = list(seams.shape[:2])
        held["cells"] = (cells[order, 0] * sides[1] + cells[order, 1]).astype(np.int32)
        held["seams"] = _levels(seams)
    kept = {name: round(float(one), 4) for name, one in quality.items() if np.isfinite(one)}
    ordered = [names[i] for i in order.tolist()] if len(names) else []
    about = {**said, "count": len(images), "high": high, "sides": sides, "names": ordered, "quality": kept}
    return arrays({**about, **{name: {"$": name} for name in held}}, held)


def sheet_of(small: Sequence[NDArray[np.uint8]]) -> bytes:
    """Small pictures (side, side, 3) side by side, twenty in a row, as one JPEG."""
    side, across = len(small[0]), min(len(small), _ACROSS)
    sheet = np.full((-(-len(small) // across) * side, across * side, 3), 127, np.uint8)
    for k, one in enumerate(small):
        top, left = k // across * side, k % across * side
        sheet[top : top + side, left : left + side] = one
    out = io.BytesIO()
    Image.fromarray(sheet).save(out, "JPEG", quality=84)
    return out.getvalue()


def _placed(values: NDArray[Any]) -> tuple[NDArray[np.float32], float]:
    """(N, 2) in a box that is 1 wide, x to the right and y downwards, and how high the box is."""
    low, high = values.min(0), values.max(0)
    span = np.maximum(high - low, 1e-12)
    tall = float(np.clip(span[1] / span[0], 0.5, 1.1))
    scale = min(0.96 / span[0], 0.96 * tall / span[1])
    return ((values - low) * scale + (np.array([1.0, tall]) - scale * span) / 2).astype(np.float32), tall


def _levels(seams: NDArray[Any]) -> NDArray[np.uint8]:
    """0 for no seam, else how thick: 1 to 3."""
    known = seams[np.isfinite(seams)]
    if not known.size or known.max() <= known.min():
        return np.zeros(seams.shape, np.uint8)
    found = np.searchsorted(np.percentile(known, _LEVELS), np.nan_to_num(seams, nan=-1.0))
    return np.asarray(found, np.uint8)
