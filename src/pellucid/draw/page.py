"""A map as a page: one file that works from disk, with everything in it and no request to anywhere."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pellucid.draw.letters import unplaced
from pellucid.draw.pages import filled
from pellucid.errors import PellucidError
from pellucid.result import Embedding2D

_SIDE, _ACROSS = 64, 32  # of a small picture, and how many make a row of a sheet: the page relies on both
_EACH = _ACROSS**2
_LEVELS = (88.0, 95.0, 99.0)  # percentiles of the distances between neighbors where seams get thicker


def page_of(result: Embedding2D, title: str, about: str, kept: str, order: NDArray[Any], colors: Mapping[str, str],
            *, dark: bool) -> bytes:  # fmt: skip
    """The page. `order` is how pictures cover each other, the topmost last; `colors` are those of the classes."""
    if len(order) != len(result):
        raise PellucidError(f"an order of {len(order)} for {len(result)} pictures")
    alt = f"{title}: {len(result)} pictures. {kept}".strip()
    said = {"TITLE": title, "ABOUT": about, "ALT": alt, "KEPT": kept}
    return filled("map.html", said, _data(result, order, colors), dark=dark)


def _data(result: Embedding2D, order: NDArray[Any], colors: Mapping[str, str]) -> dict[str, Any]:
    """What the page knows, in the order of drawing."""
    low, high = result.values.min(0), result.values.max(0)
    span = np.maximum(high - low, 1e-12)
    tall = float(np.clip(span[1] / span[0], 0.5, 1.1))
    scale = min(0.95 / span[0], 0.95 * tall / span[1])
    places = (result.values - low) * scale + (np.array([1.0, tall]) - scale * span) / 2
    classes = sorted({label for label in result.labels if label is not None})
    numbers = {name: i for i, name in enumerate(classes)}
    labels = np.array([-1 if label is None else numbers[label] for label in result.labels])
    sprites = np.full(len(result), -1)
    sprites[result.thumbnail_rows] = np.arange(len(result.thumbnail_rows))
    grid = result.grid
    cells = grid.cells[:, 0] * grid.sides[1] + grid.cells[:, 1] if grid is not None else np.zeros(len(result))
    back = np.empty(len(order), int)
    back[order] = np.arange(len(order))
    return {
        "names": [unplaced(result.names[i]) for i in order.tolist()],
        "place": _packed(places[order], "<f4"),
        "cell": _packed(cells[order], "<u4"),
        "label": _packed(labels[order], "<i4"),
        "sprite": _packed(sprites[order], "<i4"),
        "order": back.tolist(),
        "sides": list(grid.sides) if grid is not None else [0, 0],
        "seams": _packed(_levels(grid.seams), "u1") if grid is not None else "",
        "classes": classes,
        "colors": [colors.get(name) for name in classes],
        "high": tall,
        "size": float(np.clip(0.9 * (tall / max(len(result.thumbnail_rows), 1)) ** 0.5, 0.004, 0.08)),
        "sheets": [_sheet(result.thumbnails[i : i + _EACH]) for i in range(0, len(result.thumbnails), _EACH)],
    }


def _levels(seams: NDArray[np.float64]) -> NDArray[np.int64]:
    """0 for no seam, else how thick: 1 to 3."""
    known = seams[np.isfinite(seams)]
    if not known.size or known.max() <= known.min():
        return np.zeros(seams.shape, np.int64)
    return np.asarray(np.searchsorted(np.percentile(known, _LEVELS), np.nan_to_num(seams, nan=-1.0), side="right"))


def _sheet(pictures: NDArray[np.uint8]) -> str:
    """Up to 1024 small pictures side by side, as JPEG."""
    rows = -(-len(pictures) // _ACROSS)
    sheet = np.zeros((rows * _SIDE, _ACROSS * _SIDE, 3), np.uint8)
    for k, picture in enumerate(pictures):
        top, left = k // _ACROSS * _SIDE, k % _ACROSS * _SIDE
        sheet[top : top + _SIDE, left : left + _SIDE] = picture
    buffer = io.BytesIO()
    Image.fromarray(sheet).save(buffer, "JPEG", quality=82)
    return base64.b64encode(buffer.getvalue()).decode()


def _packed(values: NDArray[Any], kind: str) -> str:
    return base64.b64encode(np.ascontiguousarray(values.astype(kind)).tobytes()).decode()
