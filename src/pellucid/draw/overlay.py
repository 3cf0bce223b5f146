"""Where a map lies on the original image, and how both are shown together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pellucid.draw.colors import Floats, Scale, Theme
from pellucid.errors import PellucidError
from pellucid.geometry import Placement, View, between

SMOOTHINGS = ("linear", "cubic", "gaussian", "cells")
_WIDTH = 0.5  # σ of the Gaussian between cells, in cells: narrower, and cells show as boxes
_FADE = 0.62  # how far the part that the network never saw fades into the paper


@dataclass(frozen=True)
class Window:
    """A rectangle of an image (top, left, bottom, right: edges, in its pixels) on rows × columns device pixels."""

    box: tuple[float, float, float, float]
    shape: tuple[int, int]

    def points(self) -> tuple[Floats, Floats]:
        """The centers of all device pixels, in pixel-center coordinates of the image."""
        top, left, bottom, right = self.box
        rows, columns = self.shape
        y = top + (np.arange(rows) + 0.5) * (bottom - top) / rows - 0.5
        x = left + (np.arange(columns) + 0.5) * (right - left) / columns - 0.5
        return y, x


def whole_box(height: int, width: int) -> tuple[float, float, float, float]:
    """All of an image."""
    return 0.0, 0.0, float(height), float(width)


def seen_box(view: View) -> tuple[float, float, float, float]:
    """The part of the original that the network saw: its box, as far as there is image."""
    (top, left, bottom, right), (height, width) = view.box, view.original
    return max(top, 0.0), max(left, 0.0), min(bottom, float(height)), min(right, float(width))


@dataclass(frozen=True, eq=False)
class Sampled:
    """A map at device pixels: numbers, where the network saw anything, and where the map is not finite."""

    values: Floats
    seen: NDArray[np.bool_]
    broken: NDArray[np.bool_]


def sampled(values: NDArray[Any], placement: Placement, view: View, window: Window, smooth: str) -> Sampled:
    """A map (rows, columns) at the device pixels of a window on the original image.

    Between the centers of its cells the map is interpolated, in its own frame; outside the outermost centers it
    keeps the value at the edge. `gaussian` is no interpolation: a mean of the cells around, so that a lone cell
    is drawn weaker than it is, but without the bars and boxes that come from following rows and columns.
    """
    values = np.asarray(values, dtype=np.float64)
    finite = np.isfinite(values)
    centers = placement.centers(*values.shape)
    (top, left, bottom, right), (height, width) = view.box, view.size
    original = window.points()
    y = (original[0] + 0.5 - top) * height / (bottom - top) - 0.5
    x = (original[1] + 0.5 - left) * width / (right - left) - 0.5
    inside = np.outer((y >= -0.5) & (y <= height - 0.5), (x >= -0.5) & (x <= width - 0.5))

    def spread(cells: Floats, how: str) -> Floats:
        return _along(_along(cells, centers[0], y, how).T, centers[1], x, how).T

    found = spread(np.where(finite, values, 0.0), smooth)
    broken = np.zeros(window.shape, dtype=bool)
    if not finite.all():
        weight = spread(finite.astype(np.float64), smooth)
        found = np.divide(found, weight, out=np.zeros_like(found), where=weight > 1e-9)
        broken = spread(finite.astype(np.float64), "cells") < 0.5
    return Sampled(found, inside, broken & inside)


def _along(cells: Floats, centers: Floats, points: Floats, how: str) -> Floats:
    """Cells (n, …) at `centers` read at `points` of the first axis."""
    if len(centers) == 1:
        return np.repeat(cells, len(points), axis=0)
    if how == "cubic":
        return _monotone(cells, centers, points)
    return _weights(centers, points, how) @ cells


def _weights(centers: Floats, points: Floats, how: str) -> Floats:
    """(points, cells): how much of each cell each point shows; every row sums to 1."""
    step, gaps = float(np.abs(np.diff(points)).mean()) if len(points) > 1 else 0.0, np.diff(centers)
    if how == "gaussian" and step <= float(gaps.min()):
        return _around(centers, points)
    weights = between(centers, points, nearest=how == "cells")
    if step > float(gaps.min()) and how != "cells":
        # More cells than device pixels: each pixel shows the mean of its cells, or fine maps would flicker. A grid may
        # be fine at one place and coarse at another.
        at = points.clip(centers[0], centers[-1])
        fine = gaps[(np.searchsorted(centers, at) - 1).clip(0, len(gaps) - 1)] < step
        tent = (1 - np.abs(at[fine, None] - centers) / step).clip(0, None)
        weights[fine] = tent / tent.sum(1, keepdims=True)
    return weights


def _around(centers: Floats, points: Floats) -> Floats:
    """(points, cells): weights of the mean of the cells around, a Gaussian of half a cell; rows sum to 1."""
    cells = np.arange(len(centers))
    before, beyond = points - centers[0], points - centers[-1]
    at = np.interp(points, centers, cells)
    at += np.where(before < 0, before / (centers[1] - centers[0]), 0)
    at += np.where(beyond > 0, beyond / (centers[-1] - centers[-2]), 0)
    weights = np.exp(-0.5 * ((at.clip(-0.5, len(centers) - 0.5)[:, None] - cells) / _WIDTH) ** 2)
    return np.asarray(weights / weights.sum(1, keepdims=True))


def _monotone(cells: Floats, centers: Floats, points: Floats) -> Floats:
    """Cubic between cells without overshoot: slopes are harmonic means (Fritsch & Butland 1984), flat at the ends."""
    step = np.diff(centers)[:, None]
    rise = np.diff(cells, axis=0) / step
    before, after = rise[:-1], rise[1:]
    same = before * after > 0
    slope = np.zeros_like(cells)
    slope[1:-1] = np.divide(2 * before * after, before + after, out=np.zeros_like(before), where=same)
    at = points.clip(centers[0], centers[-1])
    i = (np.searchsorted(centers, at) - 1).clip(0, len(centers) - 2)
    t = ((at - centers[i]) / step[i, 0])[:, None]
    straight = cells[i] + (cells[i + 1] - cells[i]) * t**2 * (3 - 2 * t)
    return np.asarray(straight + step[i] * t * (1 - t) * (slope[i] * (1 - t) - slope[i + 1] * t))


def photograph(picture: NDArray[np.uint8], window: Window) -> Floats:
    """A window on the original (H, W, 3) as device pixels, 0..1."""
    top, left, bottom, right = window.box
    rows, columns = window.shape
    resized = Image.fromarray(picture).resize((columns, rows), Image.Resampling.LANCZOS, box=(left, top, right, bottom))
    return np.asarray(resized, dtype=np.float64) / 255


def faint(picture: NDArray[np.uint8], theme: Theme, window: Window) -> Floats:
    """A window on the original, half of it paper: only so much as to know where one is."""
    return 0.5 * photograph(picture, window) + 0.5 * theme.ground


def gray(photo: Floats, theme: Theme) -> Floats:
    """The photo as a quiet ground for colors: gray, and with less contrast."""
    light = (photo @ np.array([0.2126, 0.7152, 0.0722]))[..., None]
    low, high = (0.05, 0.75) if theme.dark else (0.16, 0.97)
    return np.repeat(low + (high - low) * light, 3, axis=-1)


def dimmed(photo: Floats, seen: NDArray[np.bool_], theme: Theme) -> Floats:
    """The photo with what the network never saw fading into the paper."""
    faded = gray(photo, theme) * (1 - _FADE) + theme.ground * _FADE
    return np.where(seen[..., None], photo, faded)


def grounded(photo: Floats, vivid: bool, theme: Theme) -> Floats:
    """What lies under a map: the photo in gray, darkened for colors that shine."""
    return (0.6 if vivid else 1.0) * gray(photo, theme)


def strength(position: Floats, opacity: float, vivid: bool = False) -> Floats:
    """How much a color covers the photo: nothing at zero, `opacity` at the end of the scale."""
    return np.asarray(opacity * np.abs(position) ** (0.8 if vivid else 0.75))


def overlaid(photo: Floats, heat: Sampled, scale: Scale, theme: Theme, opacity: float) -> NDArray[np.uint8]:
    """The map over the quieted photo; the more there is, the more it covers."""
    position = np.where(heat.seen, scale.position(heat.values), 0.0)
    cover = strength(position, opacity, scale.vivid)[..., None]
    shown = grounded(photo, scale.vivid, theme) * (1 - cover) + scale.color(position) * cover
    return eight_bit(dimmed(_hatched(shown, heat.broken), heat.seen, theme))


def alone(heat: Sampled, scale: Scale, theme: Theme) -> NDArray[np.uint8]:
    """The map without a photo."""
    shown = _hatched(scale.color(scale.position(heat.values)), heat.broken)
    return eight_bit(np.where(heat.seen[..., None], shown, theme.ground))


def _hatched(shown: Floats, broken: NDArray[np.bool_]) -> Floats:
    """Stripes where the map holds no number: a color would be read as one."""
    if not broken.any():
        return shown
    y, x = np.indices(broken.shape)
    stripe = np.where((x + y) % 12 < 5, 0.25, 0.8)[..., None]
    return np.where(broken[..., None], stripe, shown)


def eight_bit(shown: Floats) -> NDArray[np.uint8]:
    """0..1 -> 0..255."""
    return np.asarray(np.rint(shown.clip(0, 1) * 255), dtype=np.uint8)


def pictures(over: Any, count: int) -> tuple[list[NDArray[np.uint8]], list[str]]:
    """`count` original images, (H, W, 3), and their names; one image serves for all."""
    from pellucid.images import Images  # needs torch, which a map on its own does not

    images = Images.of(over)
    if len(images) not in (1, count):
        raise PellucidError(f"over holds {len(images)} images, the result {count}: give one for each, or one for all")
    which = [i if len(images) > 1 else 0 for i in range(count)]
    return [images.shown(i) for i in which], [images.ids[i] for i in which]


def originals(over: Any, count: int, views: tuple[View, ...]) -> list[NDArray[np.uint8]]:
    """The original images under `count` maps; PellucidError where they are others than the maps were made of."""
    found, names = pictures(over, count)
    for picture, view, name in zip(found, views, names, strict=True):
        if picture.shape[:2] != tuple(view.original):
            given, made = "×".join(map(str, picture.shape[:2])), "×".join(map(str, view.original))
            raise PellucidError(f"over={name!r} is {given} pixels, but the map was made of an image of {made}")
    return found
