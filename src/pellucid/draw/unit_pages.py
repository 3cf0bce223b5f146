"""A unit on one page: its strongest patches and what in them did it, the rest of its range, and what was counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.draw import words
from pellucid.draw.drawings import drawing
from pellucid.draw.heatmaps import BODY, GAP, MARGIN, SMALL, footnotes, heading
from pellucid.draw.letters import number, percent, shortened
from pellucid.draw.look import Look
from pellucid.draw.patches import moved, outline, shown
from pellucid.draw.picture import Picture
from pellucid.draw.pictures import fitted_pixels
from pellucid.draw.projections import cut, seen
from pellucid.draw.sheet import Rect, Sheet
from pellucid.files import unplaced
from pellucid.result import Patches, Table, UnitPage

_WIDTH = 1040.0  # a notebook is about as wide: text that is shrunk to fit there cannot be read
_SIDE = 132.0  # of a strongest patch
_SMALL_SIDE = 118.0
_ALIKE = 3  # units alike in a row
_COLUMN = 226.0  # the one on the right


@drawing(UnitPage)
def draw_unit_page(result: UnitPage, over: Any = None, *, title: str | None = None, dark: bool = False) -> Picture:
    """The strongest patches with their projections on the left, the neuron feature and the numbers on the right; below
    one image of every tenth, the weakest, the histogram, the classes and the units alike.
    """
    look = Look(dark=dark)
    title = title or f"Unit {result.meta.target or ''}"
    sheet = Sheet.sized(_WIDTH, look.theme.paper)
    among = f"{result.facts['images']:,.0f} images"
    y = heading(sheet, title, " · ".join(filter(None, [unplaced(result.meta.net), among])), look)
    right = _WIDTH - MARGIN - _COLUMN
    left_end = _strongest(sheet, y, right - GAP, result, look)
    y = max(left_end, _numbers(sheet, right, y, result, look)) + GAP
    y = _row(sheet, y, "From every tenth of the images, the weakest first", result.spread, look) + GAP
    if result.weakest is not None and len(result.weakest):
        y = _row(sheet, y, "The weakest", result.weakest, look) + GAP
    y = _below(sheet, y, result, look) + GAP
    notes = [*moved(result.top), *words.noted(result.meta), *filter(None, [words.origin(result.meta)])]
    sheet.height = footnotes(sheet, y, notes, look) + MARGIN
    best = ", ".join(_called(result.top, i) for i in range(min(len(result.top), 5)))
    alt = f"{title}: its {len(result.top)} strongest patches, from {best}; how it behaves over {among}."
    return Picture(sheet, alt, words.about(result.meta, title, alt))


def _head(sheet: Sheet, x: float, y: float, text: str, look: Look) -> float:
    return sheet.lines(x, y, [text], BODY, look.theme.ink, bold=True) + 4


def _called(found: Patches, i: int) -> str:
    return found.labels[i] or unplaced(found.names[i])


def _strongest(sheet: Sheet, y: float, end: float, result: UnitPage, look: Look) -> float:
    """Patch and projection, side by side, three pairs a row."""
    said = "The strongest patches" + (", and what in them excites it" if result.projections else "")
    y = _head(sheet, MARGIN, y, said, look)
    if not len(result.top):
        return sheet.lines(MARGIN, y, ["nothing excites it"], BODY, look.theme.quiet)
    room = (end - MARGIN - 2 * GAP) / 3
    side = (room - 4) / 2 if result.projections else min(room, 2 * _SIDE)
    for start in range(0, len(result.top), 3):
        low = y
        for k, i in enumerate(range(start, min(start + 3, len(result.top)))):
            x = MARGIN + k * (room + GAP)
            low = max(low, _pair(sheet, x, y, side, result, i, look))
        y = low + GAP / 2
    return y


def _pair(sheet: Sheet, x: float, y: float, side: float, result: UnitPage, i: int, look: Look) -> float:
    pixels = sheet.pixels(side)
    if result.projections is None:
        rect = sheet.photo(x, y, fitted_pixels(shown(result.top, i), pixels))
    else:
        rect = sheet.photo(x, y, fitted_pixels(cut(result.projections, i, result.top.pictures[i]), pixels))
        beside = cut(result.projections, i, seen(result.projections.values[i]))
        sheet.photo(rect[2] + 4, y, fitted_pixels(beside, pixels))
    said = f"{number(float(result.top.values[i]))} · {_called(result.top, i)}"
    return sheet.lines(x, rect[3] + 3, [shortened(said, SMALL, 2 * side)], SMALL, look.theme.quiet)


def _numbers(sheet: Sheet, x: float, y: float, result: UnitPage, look: Look) -> float:
    """The neuron feature, and the numbers below it."""
    if result.feature is not None:
        y = _head(sheet, x, y, "Their mean", look)
        rect = sheet.photo(x, y, fitted_pixels(result.feature.pixels[0], sheet.pixels(_COLUMN * 0.62)))
        y = rect[3] + GAP
    y = _head(sheet, x, y, "In numbers", look)
    told = {name: number(value) for name, value in result.facts.items() if name != "images"}
    for name, said in (told | {name: percent(value) for name, value in result.shares.items()}).items():
        sheet.lines(x + _COLUMN, y, [said], SMALL, look.theme.ink, align="right")
        y = sheet.lines(x, y, [name], SMALL, look.theme.quiet) + 2
    return y


def _row(sheet: Sheet, y: float, said: str, found: Patches, look: Look) -> float:
    """Whole images with the patch outlined, in one row."""
    y = _head(sheet, MARGIN, y, said, look)
    side = min((_WIDTH - 2 * MARGIN - (len(found) - 1) * 8) / max(len(found), 1), _SMALL_SIDE)
    low = y
    for i in range(len(found)):
        picture = found.pictures[i]
        x = MARGIN + i * (side + 8)
        rect = sheet.photo(x, y, fitted_pixels(picture, sheet.pixels(side)))
        outline(sheet, rect, found.boxes[i], (picture.shape[0], picture.shape[1]))
        told = [number(float(found.values[i])), shortened(_called(found, i), SMALL, side)]
        low = max(low, sheet.lines(x, rect[3] + 3, told, SMALL, look.theme.quiet))
    return low


def _below(sheet: Sheet, y: float, result: UnitPage, look: Look) -> float:
    """Three columns: histogram, classes, units alike."""
    columns = 3 if result.classes is not None else 2
    room = (_WIDTH - 2 * MARGIN - (columns - 1) * 2 * GAP) / columns
    x, low = MARGIN, _histogram(sheet, MARGIN, y, room, result, look)
    if result.classes is not None:
        x += room + 2 * GAP
        low = max(low, _classes(sheet, x, y, room, result.classes, look))
    if result.similar_units is not None:
        low = max(low, _alike(sheet, x + room + 2 * GAP, y, room, result, look))
    return low


def _histogram(sheet: Sheet, x: float, y: float, room: float, result: UnitPage, look: Look) -> float:
    """How often each activation: bars over equal steps, heights by the logarithm, so that rare ones are seen."""
    y = _head(sheet, x, y, "How often each activation (logarithmic)", look)
    shares, ends = rebinned(result.counts, result.edges)
    if not len(shares):
        return sheet.lines(x, y, ["no activations were sampled"], SMALL, look.theme.quiet)
    high = 96.0
    least = shares[shares > 0].min()
    step = room / len(shares)
    for k, share in enumerate(shares):
        if share > 0:
            tall = high * (0.06 + 0.94 * np.log(share / least * 1.0001) / max(np.log(1 / least), 1e-9))
            rect: Rect = (x + k * step + 0.5, y + high - min(tall, high), x + (k + 1) * step - 0.5, y + high)
            sheet.box(rect, fill=look.theme.accent)
    sheet.line((x, y + high), (x + room, y + high), look.theme.quiet)
    y += high + 3
    sheet.lines(x, y, [number(ends[0])], SMALL, look.theme.quiet)
    return sheet.lines(x + room, y, [number(ends[1])], SMALL, look.theme.quiet, align="right")


def rebinned(
    counts: NDArray[Any], edges: NDArray[np.float64], bars: int = 48
) -> tuple[NDArray[np.float64], list[float]]:
    """(share of each bar, [lowest, highest]) over equal steps; a bin's counts lie evenly in it."""
    there = np.nonzero(counts)[0]
    if not len(there):
        return np.zeros(0), [0.0, 0.0]
    zero = len(counts) // 2  # the middle bin stands for zero itself
    low = float(edges[there[0]]) if there[0] < zero else 0.0
    high = float(edges[there[-1] + 1]) if there[-1] > zero else 0.0
    steps = np.linspace(low, high, bars + 1)
    below = np.concatenate([[0.0], np.cumsum(np.where(np.arange(len(counts)) == zero, 0, counts))])
    shares = np.diff(np.interp(steps, edges, below))
    shares[min(int(np.searchsorted(steps, 0.0, side="right")) - 1, bars - 1)] += counts[zero]
    return shares / counts.sum(), [low, high]


def _classes(sheet: Sheet, x: float, y: float, room: float, classes: Table, look: Look) -> float:
    y = _head(sheet, x, y, "Classes that excite it, in the mean", look)
    means = [float(value) for value in classes["mean"]]  # type: ignore[arg-type]
    top = max([*means, 1e-12])
    for name, mean in zip(classes["class"], means, strict=True):
        sheet.box((x, y + 15, x + room * max(mean, 0) / top, y + 20), fill=look.theme.accent)
        sheet.lines(x + room, y, [number(mean)], SMALL, look.theme.ink, align="right")
        sheet.lines(x, y, [shortened(str(name), SMALL, room * 0.75)], SMALL, look.theme.quiet)
        y += 26
    return y


def _alike(sheet: Sheet, x: float, y: float, room: float, result: UnitPage, look: Look) -> float:
    """Units that the same images excite, each by its strongest patch."""
    y = _head(sheet, x, y, "Units that the same images excite", look)
    names: Sequence[Any] = result.similar_units["unit"] if result.similar_units is not None else ()
    alike: Sequence[Any] = result.similar_units["correlation"] if result.similar_units is not None else ()
    side = (room - (_ALIKE - 1) * 8) / _ALIKE
    low = y
    for k, (name, value, best) in enumerate(zip(names, alike, result.similar_patches, strict=True)):
        if k and k % _ALIKE == 0:
            y = low + 6
        left = x + k % _ALIKE * (side + 8)
        if len(best):
            picture = best.pictures[0]
            rect = sheet.photo(left, y, fitted_pixels(picture, sheet.pixels(side)))
            outline(sheet, rect, best.boxes[0], (picture.shape[0], picture.shape[1]))
            told = [number(float(value)), *_broken(str(name), side)]
            low = max(low, sheet.lines(left, rect[3] + 3, told, SMALL, look.theme.quiet))
    return low


def _broken(name: str, room: float) -> list[str]:
    """A unit's name in two lines: its layer, and its number."""
    layer, _, channel = name.rpartition(":")
    return [shortened(layer, SMALL, room), f":{channel}"]
