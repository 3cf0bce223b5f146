"""Where an image has something like text: three or more shapes of the size of letters side by side on one line."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse.csgraph import connected_components

from pellucid.evaluation.things import Mask
from pellucid.geometry import Floats

_LEVELS = np.linspace(0, 1, 14)[1:-1]
_LEAST, _MOST = 6, 1 / 4
"""A letter is at least 6 pixels tall, and at most a quarter of the image."""
_WIDEST, _FILLED, _NARROW = 2, (0.15, 0.9), 0.4
"""Its width over its height at most; the share of its box that it fills, which of a narrow one may be more."""
_GROWTH = 0.25
"""By how much of its area a shape with sharp edges may grow from one level to the next."""
_GAP, _TALLER, _OFF, _LETTERS = 0.8, 1.6, 0.25, 3
"""Neighbors on a line: the gap in heights, the ratio of heights, how far off the line in heights; and how many."""


def lettering(gray: Floats) -> Mask:
    """(H, W) whether a pixel lies in the box of something like a line of text; `gray` is 0..1.

    Shapes lighter or darker than what is around them, which hardly grow from one gray level to the next as strokes with
    sharp edges do (maximally stable regions, Matas et al. 2002), are letters if they are of their size; those that
    stand side by side make a line. Steep or tiny text is missed, and rows of windows or teeth are found.
    """
    shapes = np.unique(np.array([*_shapes(gray, False), *_shapes(1 - gray, True)], int).reshape(-1, 5), axis=0)
    found = np.zeros(gray.shape, bool)
    if len(shapes) >= _LETTERS:
        count, line = connected_components(_neighbors(shapes))
        for members in (shapes[line == k] for k in range(count)):
            top, left = members[:, (0, 2)].min(0)
            bottom, right = members[:, (1, 3)].max(0)
            height = float(np.median(members[:, 1] - members[:, 0]))
            middles = np.sort(members[:, 2:4].mean(1))  # of one letter several shapes are found, one inside another
            if 1 + (np.diff(middles) > height / 4).sum() >= _LETTERS and bottom - top <= 2 * height:
                found[top:bottom, left:right] = True
    return found


def _shapes(gray: Floats, dark: bool) -> Iterator[tuple[int, int, int, int, bool]]:
    """(top, bottom, left, right, dark) of the stable shapes of the size of letters."""
    before: dict[tuple[int, int], int] = {}
    for level in _LEVELS:
        labels, count = ndimage.label(gray > level, np.ones((3, 3)))
        areas, now = np.bincount(labels.ravel(), minlength=count + 1), dict[tuple[int, int], int]()
        for k, (rows, columns) in enumerate(ndimage.find_objects(labels), 1):
            height, width, area = rows.stop - rows.start, columns.stop - columns.start, int(areas[k])
            filled = area / (height * width)
            if not _LEAST <= height <= _MOST * len(gray) or width > _WIDEST * height:
                continue
            if not _FILLED[0] <= filled <= (1 if width <= _NARROW * height else _FILLED[1]):
                continue
            place = (rows.start + rows.stop) // 4, (columns.start + columns.stop) // 4
            if place in before and abs(area - before[place]) <= _GROWTH * before[place]:
                yield rows.start, rows.stop, columns.start, columns.stop, dark
            now[place] = area
        before = now


def _neighbors(shapes: NDArray[np.int_]) -> NDArray[np.bool_]:
    """(n, n) whether two shapes stand side by side on one line, as letters of a word do."""
    top, bottom, left, right, dark = shapes.T
    height, width = bottom - top, right - left
    low, high = np.minimum.outer(height, height), np.maximum.outer(height, height)
    gap = np.maximum(left[:, None] - right, left - right[:, None])
    off = np.minimum(abs(bottom[:, None] - bottom), abs((top + bottom)[:, None] - top - bottom) / 2)
    beside = (gap < _GAP * low) & (gap > -0.3 * np.minimum.outer(width, width))
    alike: NDArray[np.bool_] = beside & (high <= _TALLER * low) & (off <= _OFF * low) & (dark[:, None] == dark)
    return alike
