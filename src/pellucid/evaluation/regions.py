"""From maps to points, boxes and shares, in pixels of the original picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pellucid.evaluation.things import Mask
from pellucid.geometry import Floats, View
from pellucid.rng import generator

_NEXT = np.ones((3, 3))
"""Cells that touch by a corner are of one component, as the authors' contours have it."""


def components(mask: Mask, *, largest: bool) -> Floats:
    """(K, 4) left, top, right, bottom of the connected parts of a mask (H, W), at the edges of its cells.

    The largest part by area comes first, or alone; the first from above among equals.
    """
    from scipy import ndimage  # slow to import

    labels, count = ndimage.label(mask, _NEXT)
    if not count:
        return np.zeros((0, 4))
    areas = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    parts = ndimage.find_objects(labels)
    order = [int(areas.argmax())] if largest else np.argsort(-areas, kind="stable").tolist()
    found = [(parts[k][1].start, parts[k][0].start, parts[k][1].stop, parts[k][0].stop) for k in order]
    return np.array(found, np.float64)


def above_share(heat: Floats, share: float | int, *, largest: bool = True) -> Floats:
    """(K, 4) boxes of what is at least a share of the map's maximum (Zhou et al. 2016), in cells of the map (H, W).

    None of a map that is nowhere above zero.
    """
    top = float(np.nanmax(heat, initial=-np.inf))
    return components(heat >= share * top, largest=largest) if top > 0 else np.zeros((0, 4))


def in_original(boxes: Floats, view: View) -> Floats:
    """Boxes (K, 4) of the network's input in the original picture, both at the edges of pixels; cut where it ends."""
    top, left = view.to_original(boxes[:, 1] - 0.5, boxes[:, 0] - 0.5)
    bottom, right = view.to_original(boxes[:, 3] - 0.5, boxes[:, 2] - 0.5)
    found = np.stack([left, top, right, bottom], axis=1) + 0.5
    height, width = view.original
    return found.clip(0, [width, height, width, height])


def seen(view: View) -> Floats:
    """(1, 4) the part of the original picture that the network sees, as a box."""
    height, width = view.size
    return in_original(np.array([[0.0, 0.0, width, height]]), view)


def cut(boxes: Floats, frame: Floats) -> Floats:
    """What of boxes (K, 4) lies inside a frame (1, 4); those of which nothing does are left out."""
    low, high = frame[:, :2], frame[:, 2:]
    found = np.concatenate([boxes[:, :2].clip(low, high), boxes[:, 2:].clip(low, high)], axis=1)
    return found[(found[:, 2] > found[:, 0]) & (found[:, 3] > found[:, 1])]


def iou(boxes: Floats, others: Floats) -> Floats:
    """(K, M) intersection over union of boxes (K, 4) and (M, 4)."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    common = (high - low).clip(0).prod(-1)
    areas, beside = ((some[:, 2:] - some[:, :2]).prod(-1) for some in (boxes, others))
    found: Floats = common / (areas[:, None] + beside[None] - common)
    return found


def peak(heat: Floats, seed: int, *which: str) -> tuple[int, int]:
    """(row, column) of the largest value; among equals chance decides, by seed and name."""
    values = np.where(np.isfinite(heat), heat, -np.inf).ravel()
    at = np.flatnonzero(values == values.max())
    chosen = int(at[generator(seed, *which, "peak").integers(len(at))])
    return chosen // heat.shape[1], chosen % heat.shape[1]


def pixels_of(view: View) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The row and the column of the original picture in which each row and column of the network's input has its
    center; below 0 or beyond the last where the input reaches outside.
    """
    height, width = view.size
    y, _ = view.to_original(np.arange(height, dtype=np.float64), np.zeros(1))
    _, x = view.to_original(np.zeros(1), np.arange(width, dtype=np.float64))
    return np.floor(np.asarray(y) + 0.5).astype(np.int64), np.floor(np.asarray(x) + 0.5).astype(np.int64)


def mask_on_input(mask: Mask, view: View) -> Mask:
    """A mask (H, W) of the original picture at every pixel of the network's input: where its center lies; nothing lies
    outside the picture.
    """
    rows, columns = pixels_of(view)
    inside = np.outer((rows >= 0) & (rows < mask.shape[0]), (columns >= 0) & (columns < mask.shape[1]))
    found: Mask = mask[rows.clip(0, mask.shape[0] - 1)[:, None], columns.clip(0, mask.shape[1] - 1)[None]] & inside
    return found


def share_inside(heat: Floats, mask: Mask) -> float:
    """How much of the positive part of a map (H, W) lies in a mask (H, W); the mask's share of the pixels where the map
    is nowhere above zero, for it then says nothing.
    """
    positive = np.nan_to_num(heat).clip(0)
    total = float(positive.sum())
    return float(positive[mask].sum() / total) if total > 0 else float(mask.mean())
