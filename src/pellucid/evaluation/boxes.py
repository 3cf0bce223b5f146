"""Boxes around what a map shows, and masks of it."""

from __future__ import annotations

import numpy as np

from pellucid.errors import PellucidError
from pellucid.evaluation.explainers import on_input
from pellucid.evaluation.regions import above_share, in_original, seen, share_inside
from pellucid.evaluation.things import Mask
from pellucid.geometry import Floats, Placement, View, between
from pellucid.result import Heatmap, Meta, Table
from pellucid.result.table import Cell

_HELP = {
    "image": "its name",
    "box": "number of the box in its image, the largest part first",
    "left": "left edge, in pixels of the original picture",
    "top": "upper edge, in pixels of the original picture",
    "right": "right edge, in pixels of the original picture",
    "bottom": "lower edge, in pixels of the original picture",
    "area": "share of what the network sees of the picture that lies in the box",
    "energy": "share of the positive part of the map that lies in the box",
}


def boxes(heat: Heatmap, share: float | int = 0.2, *, several: bool = False) -> Table:
    """Boxes around what is at least a `share` of each map's maximum, in pixels of the original pictures.

    One row for each box: `left`, `top`, `right`, `bottom` at the edges of pixels, its share of the area and of the
    positive part of the map. The map is read at every pixel of the network's input, with its cells placed where they
    see; the largest connected part is boxed, with `several` every part. A map that is nowhere above zero has no box.
    The rule is that of Zhou et al. 2016, section 3.2: 20 % of the maximum, the largest component. Raises
    PellucidError for a share that is not between 0 and 1.
    """
    _check(share)
    columns: dict[str, list[Cell]] = {name: [] for name in _HELP}
    for i in range(len(heat)):
        one, view = heat[i], heat.views[i]
        values = on_input(one, view.size)
        cells = above_share(values, share, largest=not several)
        frame = seen(view)[0]
        whole = float((frame[2] - frame[0]) * (frame[3] - frame[1]))
        name = one.meta.images[0] if one.meta.images else f"image {i}"
        for k, (cell, box) in enumerate(zip(cells.astype(int), in_original(cells, view), strict=True)):
            inside = np.zeros(view.size, bool)
            inside[cell[1] : cell[3], cell[0] : cell[2]] = True
            area = float((box[2] - box[0]) * (box[3] - box[1])) / whole
            row: tuple[Cell, ...] = (name, k, *(float(edge) for edge in box), area, share_inside(values, inside))
            for key, value in zip(columns, row, strict=True):
                columns[key].append(value)
    said = Meta(found={"share": share, "several": several, "method": heat.meta.method or ""})
    return Table({key: tuple(cells) for key, cells in columns.items()}, _HELP, meta=said)


def masks(heat: Heatmap, share: float | int = 0.2, *, several: bool = False) -> list[Mask]:
    """What is at least a `share` of each map's maximum, as a mask (H, W) of each original picture.

    The map is read at every pixel of the original, with its cells placed where they see; the largest connected part
    counts, with `several` every part. Nothing is where the network does not see, nor in a map that is nowhere above
    zero. The rule is that of `boxes`. Raises PellucidError for a share that is not between 0 and 1.
    """
    _check(share)
    found = []
    for values, view in zip(heat.values, heat.views, strict=True):
        whole = _on_original(np.asarray(values, np.float64), heat.placement, view)
        top = float(np.nanmax(whole, initial=-np.inf))
        mask = (whole >= share * top) if top > 0 else np.zeros(view.original, bool)
        found.append(mask if several else _largest(mask))
    return found


def _check(share: float | int) -> None:
    if not 0 < share <= 1:
        raise PellucidError(f"share={share}: a share of the map's maximum, above 0 and at most 1")


def _largest(mask: Mask) -> Mask:
    from scipy import ndimage  # slow to import

    labels, count = ndimage.label(mask, np.ones((3, 3)))
    found: Mask = labels == 1 + np.bincount(labels.ravel())[1:].argmax() if count else mask
    return found


def _on_original(values: Floats, placement: Placement, view: View) -> Floats:
    """(H, W) of the original picture: a map's cells read at its pixels, linear between them; −∞ beyond the view."""
    (top, left, bottom, right), weights, inside = view.box, [], []
    centers = placement.centers(*values.shape)
    for low, high, size, count, at in zip((top, left), (bottom, right), view.size, view.original, centers, strict=True):
        points: Floats = (np.arange(count, dtype=np.float64) + 0.5 - low) * size / (high - low) - 0.5
        weights.append(between(at, points))
        inside.append((points >= -0.5) & (points < size - 0.5))
    return np.where(np.outer(*inside), weights[0] @ values @ weights[1].T, -np.inf)
