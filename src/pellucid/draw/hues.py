"""How layers code color: for each a wheel of its units' hues, and the neuron features of the choosiest."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.draw import words
from pellucid.draw.drawings import drawing
from pellucid.draw.heatmaps import BODY, GAP, MARGIN, SMALL, footnotes, heading
from pellucid.draw.letters import wrapped
from pellucid.draw.look import Look
from pellucid.draw.picture import Picture
from pellucid.draw.pictures import fitted_pixels
from pellucid.draw.sheet import Align, Shape, Sheet, Words
from pellucid.errors import PellucidError
from pellucid.files import unplaced
from pellucid.result import ColorSelectivity, LayerColors

_WHEEL, _RING = 156.0, 9.0  # across; width of its colored rim
_TEXT = 196.0
_TILE, _AIR, _ACROSS, _DOWN = 72.0, 5.0, 8, 2
_MIDDLE, _CHROMA = 0.62, 0.55  # brightness and strength of the colors that stand for hues


@drawing(ColorSelectivity)
def draw_hues(result: ColorSelectivity, over: Any = None, *, title: str | None = None, dark: bool = False) -> Picture:
    """A row for each layer: its wheel, its numbers, and its most color-selective neuron features by hue."""
    look = Look(dark=dark)
    if over is not None:
        raise PellucidError("the colors of layers are not drawn over images: draw them without over=")
    title = title or words.title_of(result.meta)
    wide = _WHEEL + 34 + _TEXT - 28 + _ACROSS * (_TILE + _AIR)
    sheet = Sheet.sized(wide + 2 * MARGIN + 18, look.theme.paper)
    y = heading(sheet, title, unplaced(result.meta.net), look)
    for one in result.layers:
        y = _row(sheet, y, one, result, look) + GAP
    axes = ", ".join(f"{name} {np.degrees(angle):.0f}°" for name, angle in result.known.items())
    how = (
        "Wheels: each dot is a unit, at the hue of its neuron feature and as far out as it is color-selective (rim: "
        "1); red − green to the right, yellow − blue upwards. Small dots are below the threshold. Bar through the "
        "middle: the axis of the layer's hues, as long as they agree on it (1: all lie on it). Thin lines: "
        f"the cardinal axes of cone-opponent cells (L−M, S) and of the photos' own colors: {axes}."
    )
    tiles = "Squares: the neuron features of the most color-selective units, in the order of their hues."
    notes = [how, tiles, *words.noted(result.meta), *filter(None, [words.origin(result.meta)])]
    sheet.height = footnotes(sheet, y, notes, look) + MARGIN
    shares = "; ".join(f"{one.layer} {100 * one.share(result.threshold):.0f} %" for one in result.layers)
    alt = f"{title}: color-selective units in each layer: {shares}."
    return Picture(sheet, alt, words.about(result.meta, title, alt))


def _row(sheet: Sheet, top: float, one: LayerColors, result: ColorSelectivity, look: Look) -> float:
    """One layer; returns where it ends."""
    wheel = _wheel(sheet, MARGIN + 10, top + 10, one, result, look)
    left = MARGIN + 10 + _WHEEL + 44
    y = sheet.lines(left, top + 14, wrapped(one.layer, BODY, _TEXT - 48, bold=True, lines=2), BODY, look.theme.ink,
                    bold=True)  # fmt: skip
    share = one.share(result.threshold)
    room = _TEXT - 62
    sheet.box((left, y + 6, left + room, y + 14), fill=look.theme.faint, opacity=0.6)
    sheet.box((left, y + 6, left + room * share, y + 14), fill=look.theme.accent)
    count = len(one.units)
    error = np.sqrt(share * (1 - share) / count) if 0 < count < one.channels - one.silent else 0.0
    spread = f" ± {100 * error:.0f}" if error else ""
    angle = f"hues along {np.degrees(one.axis):.0f}°, agreement {one.strength:.2f}" if count else "no unit is excited"
    said = [
        f"{100 * share:.0f}{spread} % are color-selective",
        f"median selectivity {np.median(one.selectivity):.2f}".replace("-", "−") if count else "",
        angle,
        f"{count} of {one.channels} units",
    ]
    lines = [line for part in said if part for line in wrapped(part, SMALL, _TEXT - 48)]
    y = sheet.lines(left, y + 19, lines, SMALL, look.theme.quiet)
    return max(wheel, y, _tiles(sheet, left + _TEXT - 28, top + 8, one, result.threshold, look))


def _wheel(sheet: Sheet, left: float, top: float, one: LayerColors, result: ColorSelectivity, look: Look) -> float:
    """The units of a layer by hue and selectivity; returns where it ends."""
    theme, middle, reach = look.theme, (left + _WHEEL / 2, top + _WHEEL / 2), _WHEEL / 2 - _RING - 2
    sheet.photo(left, top, _rim(sheet.pixels(_WHEEL), theme.ground))

    def at(angle: float, radius: float) -> tuple[float, float]:
        return middle[0] + radius * np.cos(angle), middle[1] - radius * np.sin(angle)

    for radius in (0.5, 1.0):
        points = tuple(at(a, radius * reach) for a in np.linspace(0, 2 * np.pi, 72, endpoint=False))
        sheet.marks.append(Shape(points, None, theme.faint, 0.6))
    for name, angle in result.known.items():
        sheet.line(at(angle, reach), at(angle + np.pi, reach), theme.quiet, 0.7)
        x, y = at(angle, _WHEEL / 2 + 4)
        side: Align = "left" if np.cos(angle) > 0.15 else "right" if np.cos(angle) < -0.15 else "center"
        sheet.marks.append(Words(x, y + 3 * (1 - np.sin(angle)), name, SMALL - 1, theme.quiet, align=side))
    long = one.strength * reach
    sheet.line(at(one.axis, long), at(one.axis + np.pi, long), theme.ink, 2.4)
    for unit in np.argsort(one.selectivity, kind="stable"):
        radius = float(one.selectivity[unit].clip(0, 1)) * reach
        chosen = one.selectivity[unit] > result.threshold
        x, y = at(float(one.hue[unit]), radius)
        _dot(sheet, x, y, 4.2 if chosen else 2.0, color_of(float(one.hue[unit])), theme.paper)
    return top + _WHEEL


def _dot(sheet: Sheet, x: float, y: float, radius: float, fill: str, edge: str) -> None:
    """A round mark."""
    turns = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    points = tuple((float(x + radius * np.cos(a)), float(y + radius * np.sin(a))) for a in turns)
    sheet.marks.append(Shape(points, fill, edge, 0.6))


def _tiles(sheet: Sheet, left: float, top: float, one: LayerColors, threshold: float, look: Look) -> float:
    """The neuron features of the most color-selective units, by hue; returns where they end."""
    best = np.argsort(-one.selectivity, kind="stable")[: _ACROSS * _DOWN]
    best = best[one.selectivity[best] > threshold]
    if not len(best):
        return sheet.lines(left, top + 8, ["no unit is color-selective"], SMALL, look.theme.quiet)
    best = best[np.argsort(one.hue[best], kind="stable")]
    end = top
    for k, unit in enumerate(best.tolist()):
        x, y = left + (k % _ACROSS) * (_TILE + _AIR), top + (k // _ACROSS) * (_TILE + _AIR + 9)
        tile = fitted_pixels(one.features[unit], sheet.pixels(_TILE))
        rect = sheet.photo(x, y, tile)
        end = max(end, sheet.lines(x, rect[3], [str(one.units[unit])], SMALL - 1, look.theme.quiet))
    return end


def _rim(side: int, ground: NDArray[np.float64]) -> NDArray[np.uint8]:
    """A ring of all hues on paper."""
    fine = 3 * side
    y, x = np.mgrid[0:fine, 0:fine] - (fine - 1) / 2
    radius = np.hypot(x, y) / (fine / 2)
    ring = ((radius <= 1) & (radius >= 1 - 2 * _RING / _WHEEL))[..., None]
    colors = np.where(ring, _rgb(np.arctan2(-y, x)), ground)
    found: NDArray[np.uint8] = (
        (255 * colors.reshape(side, 3, side, 3, 3).mean((1, 3))).round().clip(0, 255).astype(np.uint8)
    )
    return found


def _rgb(hue: NDArray[np.float64]) -> NDArray[np.float64]:
    """(..., 3) in 0..1: the color of a hue in the plane of red − green and yellow − blue, at even brightness."""
    a, b = _CHROMA * np.cos(hue), _CHROMA * np.sin(hue)
    blue = _MIDDLE - 2 * b / 3
    return np.stack([_MIDDLE + b / 3 + a / 2, _MIDDLE + b / 3 - a / 2, blue], axis=-1).clip(0, 1)


def color_of(hue: float) -> str:
    """The color of a hue, #rrggbb."""
    red, green, blue = (255 * _rgb(np.array(hue))).round().astype(int)
    return f"#{red:02x}{green:02x}{blue:02x}"
