"""Activation maps: a grid of units, or for several images a row for each unit; over the photos or on their own."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.draw import words
from pellucid.draw.bar import ROOM, color_bar
from pellucid.draw.colors import Scale
from pellucid.draw.drawings import drawing
from pellucid.draw.heatmaps import BODY, GAP, MARGIN, SMALL, footnotes, heading
from pellucid.draw.letters import number, percent, shortened
from pellucid.draw.look import Look, fitted, frame, panel
from pellucid.draw.overlay import Window, eight_bit, gray, originals, photograph
from pellucid.draw.picture import Picture
from pellucid.draw.sheet import Pixels, Rect, Sheet, per_row
from pellucid.errors import PellucidError
from pellucid.files import unplaced
from pellucid.result import ActivationMaps, Heatmap

_ACROSS = 8  # units in a row
_IMAGES = 6  # images in a row
_SIDES = {1: 340.0, 2: 280.0, 3: 230.0, 4: 190.0, 5: 160.0, 6: 140.0}
_SMALLEST = 108.0
_STRIPE = 6  # device pixels from stripe to stripe of what is zero

Photo = NDArray[np.uint8] | None


@drawing(ActivationMaps)
def draw_maps(
    result: ActivationMaps,
    over: Any = None,
    *,
    title: str | None = None,
    scale: Any = "own",
    crop: bool = True,
    **options: Any,
) -> Picture:
    """All maps; with `over` they lie on the photos, on the part that the network saw unless crop=False.

    The other options are those of `Look`.
    """
    look = Look(scale=scale, crop=crop, **options)
    if not result.values.size:
        raise PellucidError("there are no maps to draw")
    photos: Sequence[Photo] = [None] * len(result)
    if over is not None:
        photos = originals(over, len(result), result.views)
    title = title or words.title_of(result.meta)
    heats = [[_heat(result, i, k) for k in range(len(result.units))] for i in range(len(result))]
    flat = look.scales([one for row in heats for one in row])
    count = len(result.units)
    scales = [flat[i * count : (i + 1) * count] for i in range(len(result))]
    if len(result) > 1:
        sheet, y = _by_unit(result, heats, scales, photos, title, look)
    else:
        sheet, y = _grid(result, heats[0], scales[0], photos[0], title, look)
    sheet.height = footnotes(sheet, y, _notes(result, heats, flat[0], photos[0] is not None, look), look) + MARGIN
    alt = _alt(result, title)
    return Picture(sheet, alt, words.about(result.meta, title, alt))


def _heat(result: ActivationMaps, i: int, k: int) -> Heatmap:
    """One map as what panels take."""
    values = result.values[i, k][None].astype(np.float64)
    finite = result.values[np.isfinite(result.values)]
    signed = bool(finite.size and finite.min() < 0)
    return Heatmap(values, result.placement, (result.views[i],), "activation", signed, dataclasses.replace(result.meta))


def _grid(
    result: ActivationMaps, heats: list[Heatmap], scales: list[Scale], photo: Photo, title: str, look: Look
) -> tuple[Sheet, float]:
    """The units of one image; returns the sheet and where the grid ends."""
    across = per_row(len(heats), _ACROSS)
    side = _SIDES.get(across, _SMALLEST)
    high, wide = _size(heats[0], photo, side, look)
    common = look.scale != "own"
    room = across * (wide + GAP) - GAP
    sheet = Sheet.sized(max(room, 330.0) + (ROOM + 8 if common else 0) + 2 * MARGIN, look.theme.paper)
    y = top = heading(sheet, title, _below(result), look)
    for k, (heat, scale) in enumerate(zip(heats, scales, strict=True)):
        left, row = MARGIN + (k % across) * (wide + GAP), k // across
        at = top + row * (high + 34)
        rect = _tile(sheet, left, at, (high, wide), heat, scale, photo, look)
        y = _caption(sheet, rect, f"unit {result.units[k]}", heat, look) + 4
    if common:
        color_bar(sheet, MARGIN + room + 10, top, min(max(high, 110.0), 220.0), scales[0], "activation", look.theme,
                   None if photo is None else look.opacity)  # fmt: skip
        y = max(y, top + 125)
    return sheet, y + 6


def _by_unit(
    result: ActivationMaps,
    heats: list[list[Heatmap]],
    scales: list[list[Scale]],
    photos: Sequence[Photo],
    title: str,
    look: Look,
) -> tuple[Sheet, float]:
    """A row for each unit, the images beside one another; returns the sheet and where it ends."""
    images, common = len(result), look.scale != "own"
    across = min(images, _IMAGES)
    side = _SIDES.get(across, _SMALLEST)
    sizes = [_size(row[0], photo, side, look) for row, photo in zip(heats, photos, strict=True)]
    columns = [max(sizes[i][1] for i in range(k, images, across)) for k in range(across)]
    lefts = [MARGIN + sum(columns[:k]) + k * GAP for k in range(across)]
    end = lefts[-1] + columns[-1]
    sheet = Sheet.sized(max(end + (ROOM + 8 if common else 0), 330.0 + MARGIN) + MARGIN, look.theme.paper)
    y = top = heading(sheet, title, _below(result), look)
    for k, unit in enumerate(result.units):
        y = sheet.lines(MARGIN, y, [f"unit {unit}"], BODY, look.theme.ink, bold=True) + 2
        for start in range(0, images, across):
            row = range(start, min(start + across, images))
            high = max(sizes[i][0] for i in row)
            for i in row:
                at = lefts[i - start]
                rect = _tile(sheet, at, y, sizes[i], heats[i][k], scales[i][k], photos[i], look)
                name = unplaced(result.meta.images[i]) if result.meta.images else f"image {i}"
                _caption(sheet, (rect[0], rect[1], rect[2], y + high), name, heats[i][k], look)
            y += high + 36
    if common:
        color_bar(sheet, end + 10, top + 18, 160.0, scales[0][0], "activation", look.theme,
                   None if photos[0] is None else look.opacity)  # fmt: skip
        y = max(y, top + 190)
    return sheet, y + 2


def _size(heat: Heatmap, photo: Photo, side: float, look: Look) -> tuple[float, float]:
    if photo is None:
        rows, columns = heat.values.shape[1:]
        return fitted((0.0, 0.0, float(rows), float(columns)), (side, side * 1.3))
    return fitted(frame(heat.views[0], True, look.crop)[1], (side, side * 1.3))


def _tile(
    sheet: Sheet, left: float, top: float, size: tuple[float, float], heat: Heatmap, scale: Scale, photo: Photo,
    look: Look,
) -> Rect:  # fmt: skip
    """One map: over its photo where the cells lie, or cell for cell on its own."""
    if photo is not None and heat.values.any():
        return panel(sheet, left, top, size, heat, partial(photograph, photo), scale, look)
    shape = (sheet.pixels(size[0]), sheet.pixels(size[1]))
    if photo is not None:
        _, box = frame(heat.views[0], True, look.crop)
        ground = gray(photograph(photo, Window(box, shape)), look.theme)
        rect = sheet.photo(left, top, eight_bit(ground))
    else:
        rect = sheet.photo(left, top, _cells(heat.values[0], scale, shape, look))
        sheet.box(rect, edge=look.theme.faint, line=0.6)
    if not heat.values.any():
        middle, center = (rect[0] + rect[2]) / 2, (rect[1] + rect[3]) / 2
        sheet.box((middle - 21, center - 9, middle + 21, center + 9), fill=look.theme.paper, opacity=0.9)
        sheet.lines(middle, center - 7, ["blank"], 10.5, look.theme.quiet, align="center")
    return rect


def _cells(values: NDArray[Any], scale: Scale, shape: tuple[int, int], look: Look) -> Pixels:
    """A map (rows, columns) in device pixels: every cell its color, exact zeros striped, no numbers black."""
    y, x = (np.arange(n) * cells // n for n, cells in zip(shape, values.shape, strict=True))
    shown = scale.color(scale.position(values))[y[:, None], x[None]]
    down, across = np.indices(shape)
    stripe = ((down + across) % _STRIPE < 1)[..., None]
    paper, faint = look.theme.ground, _rgb(look.theme.faint)
    shown = np.where((values == 0)[y[:, None], x[None]][..., None], np.where(stripe, faint, paper), shown)
    broken = (~np.isfinite(values))[y[:, None], x[None]][..., None]
    return eight_bit(np.where(broken, np.where(stripe, 0.85, 0.1), shown))


def _rgb(color: str) -> NDArray[np.float64]:
    return np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])


def _caption(sheet: Sheet, rect: Rect, name: str, heat: Heatmap, look: Look) -> float:
    """The name and the largest value under a map; returns where it ends."""
    finite = heat.values[np.isfinite(heat.values)]
    room = max(rect[2] - rect[0], 60.0)
    y = sheet.lines(rect[0], rect[3] + 2, [shortened(name, SMALL, room, True)], SMALL, look.theme.ink, bold=True)
    zero = float((heat.values == 0).mean())
    zeros = f" · zero {zero:.0%}" if zero >= 0.005 else ""
    said = "blank" if zero == 1 else "no numbers" if not finite.size else f"max {number(float(finite.max()))}{zeros}"
    if finite.size and finite.min() < 0:
        said = f"{number(float(finite.min()))} to {number(float(finite.max()))}"
    return sheet.lines(rect[0], y - 1, [shortened(said, SMALL - 1, room)], SMALL - 1, look.theme.quiet)


def _below(result: ActivationMaps) -> str:
    image = unplaced(result.meta.images[0]) if len(result) == 1 and result.meta.images else ""
    rows, columns = result.values.shape[2:]
    layer = f"layer {result.meta.layer}, {rows} × {columns} cells" if result.meta.layer else ""
    shown = f"{len(result.units)} of {result.channels} units"
    return " · ".join(filter(None, [layer, shown, image, unplaced(result.meta.net)]))


def _notes(result: ActivationMaps, heats: list[list[Heatmap]], scale: Scale, pictured: bool, look: Look) -> list[str]:
    signed = words.reading(scale.view, look.palette, ("is above zero", "is below zero"))
    plain = "the brighter the stronger" if look.dark else "the darker the stronger"
    how = [signed if scale.view == "signed" else plain]
    how.append("striped is exactly zero" if not pictured else "what is exactly zero leaves the photo gray")
    how.append("one scale for all" if look.scale != "own" else "each map on a scale of its own")
    if pictured and not look.crop:
        how.append(words.unseen_note(heats[0][0]))
    told = "; ".join(filter(None, how))
    low, high = percent(min(result.blank)), percent(max(result.blank))
    share = "None" if not max(result.blank) else low if low == high else f"{low} to {high}"
    blank = f"{share} of the layer's {result.channels} maps are blank, zero everywhere."
    origin = [words.origin(result.meta)] if words.origin(result.meta) else []
    return [f"{told[:1].upper()}{told[1:]}.", blank, *words.noted(result.meta), *origin]


def _alt(result: ActivationMaps, title: str) -> str:
    finite = result.values[np.isfinite(result.values)]
    span = f", from {number(float(finite.min()))} to {number(float(finite.max()))}" if finite.size else ""
    units = ", ".join(map(str, result.units[:8])) + (" …" if len(result.units) > 8 else "")
    return f"{title} of layer {result.meta.layer or 'unknown'}: units {units} on {len(result)} images{span}."
