"""Filters: each as a small picture in colors, or each channel that it reads as a small gray one."""

from __future__ import annotations

import dataclasses
import math
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pellucid.described import Default
from pellucid.draw import words
from pellucid.draw.bar import ROOM, color_bar
from pellucid.draw.colors import STEPS, Floats, Scale
from pellucid.draw.drawings import drawing
from pellucid.draw.heatmaps import MARGIN, footnotes, heading
from pellucid.draw.letters import number, shortened
from pellucid.draw.look import Look
from pellucid.draw.overlay import eight_bit
from pellucid.draw.picture import Picture
from pellucid.draw.sheet import Pixels, Sheet
from pellucid.errors import PellucidError
from pellucid.files import unplaced
from pellucid.result import Filters

_ROOM = 860.0  # for the filters beside one another
_GAP = 9.0
_LABEL = 8.5
_SIDES = (44.0, 92.0)  # of a filter in colors, least and most
_BLOCK = 250.0  # of a filter channel by channel, at most
_TILE = 46.0  # of a filter that reads one channel
_WEIGHT = 1.5  # of a single weight, at least
_BROKEN = np.array([0.85, 0.1, 0.75])  # weights that are no numbers
_COLORS = ("red", "green", "blue")
_WEIGHTS = 20_000  # on a page
_FILTERS = 64  # on a page
_PIXEL = 4  # channels of an image, at most: gray, RGB, RGBA


@drawing(Filters)
def draw_filters(
    result: Filters, over: Any = None, *, title: str | None = None, dark: bool = False,
    scale: Annotated[
        Literal["common", "own"] | None,
        Field(description="weight at which the grays end: the same for all filters, or each filter's own"),
        Default("common for filters that act on pixels, else own"),
    ] = None,
    panels: Annotated[
        Literal["rgb", "channels"], Field(description="draw filters in color, or each input channel in gray by itself")
    ] = "rgb",
    page: Annotated[int, Field(ge=1, description="page of a layer with more filters than fit on one")] = 1,
) -> Picture:  # fmt: skip
    """The filters of a page in a grid, each above its number. Raises PellucidError for `over`, and for a page that is
    not there.
    """
    look = Look(dark=dark)
    if over is not None:
        raise PellucidError("filters are not made of images: draw them without over=")
    if not result.values.size:
        raise PellucidError("there are no filters to draw")
    title = title or words.title_of(result.meta)
    colored = result.colors and panels == "rgb"
    common = (scale or ("common" if _on_pixels(result) else "own")) == "common"
    shown, part = _page(result, page)
    return _drawn(shown, title, part, colored, common, look)


def _on_pixels(result: Filters) -> bool:
    """Whether the filters are those of a first layer, by what they read: all the same, and few channels."""
    return len(set(result.inputs)) == 1 and result.values.shape[1] <= _PIXEL


def _page(result: Filters, page: int) -> tuple[Filters, str]:
    """The filters of a page, and which they are; all that there are, where they fit on one."""
    size = max(len(result), 1) if result.colors else max(min(_WEIGHTS // max(result.values[0].size, 1), _FILTERS), 1)
    pages = -(-len(result) // size)
    if page > pages:
        raise PellucidError(f"page={page}: there are {pages} of them, for {len(result)} filters")
    rows = slice((page - 1) * size, page * size)
    if pages == 1:
        return result, ""
    shown = dataclasses.replace(
        result, values=result.values[rows], units=result.units[rows], inputs=result.inputs[rows],
        names=result.names[rows],
    )  # fmt: skip
    return shown, f"page {page} of {pages}: filters {shown.units[0]} to {shown.units[-1]} of {len(result)}"


def _drawn(result: Filters, title: str, part: str, colored: bool, common: bool, look: Look) -> Picture:
    ends = _ends(result, common)
    tiles = [_colors(one, end) if colored else _grays(one, end) for one, end in zip(result.values, ends, strict=True)]
    across, size = _layout(result, colored)
    sheet = Sheet.sized(max(across * (size + _GAP) - _GAP, 320.0) + 2 * MARGIN + ROOM, look.theme.paper)
    y = top = heading(sheet, title, _below(result), look) + 2
    for start in range(0, len(tiles), across):
        y = max(
            _one(sheet, MARGIN + k * (size + _GAP), y, size, result, start + k, tile, look)
            for k, tile in enumerate(tiles[start : start + across])
        )
    if common or len(result) == 1:
        scale = Scale(ends[0], "signed", np.repeat(np.linspace(0, 1, STEPS)[:, None], 3, axis=1))
        color_bar(sheet, sheet.width - MARGIN - ROOM + 12, top, 150.0, scale, "weight", look.theme)
        y = max(y, top + 160)
    notes = [_reading(result, colored, common), *filter(None, [part]), *words.noted(result.meta),
             *filter(None, [words.origin(result.meta)])]  # fmt: skip
    sheet.height = footnotes(sheet, y + 6, notes, look) + MARGIN
    alt = _alt(result, title)
    return Picture(sheet, alt, words.about(result.meta, title, alt))


def _ends(result: Filters, common: bool) -> list[float]:
    """Where black and white lie for each filter: the largest weight of all, or its own."""
    sizes = np.where(np.isfinite(result.values), np.abs(result.values.astype(np.float64)), 0).max((1, 2, 3))
    return [float(sizes.max())] * len(sizes) if common else sizes.tolist()


def _layout(result: Filters, colored: bool) -> tuple[int, float]:
    """(filters in a row, width of each in units)."""
    count, channels, _, width = result.values.shape
    if colored:
        across = _even(count, math.ceil(math.sqrt(count * 1.5)))
        return across, min(max(_ROOM / across - _GAP, _SIDES[0]), _SIDES[1])
    columns = _columns(channels)
    size = min(max(_TILE * math.sqrt(columns), columns * width * _WEIGHT), _BLOCK)
    return min(count, max(int((_ROOM + _GAP) / (size + _GAP)), 1)), size


def _columns(channels: int) -> int:
    """Channels beside one another in a filter's block."""
    return channels if channels <= 4 else _even(channels, math.ceil(math.sqrt(channels)), 2.0)


def _even(count: int, least: int, most: float = 1.4) -> int:
    """A row length of at least `least` that leaves no hole in the last row, if there is one below `most` times that."""
    fitting = (across for across in range(least, int(least * most) + 1) if count % across == 0)
    return min(next(fitting, least), count)


def _one(
    sheet: Sheet, left: float, top: float, size: float, result: Filters, i: int, tiles: Floats, look: Look
) -> float:
    """One filter and its caption; returns where it ends. `tiles` are its channels (n, height, width, 3)."""
    shown = _block(tiles, sheet.pixels(size), look)
    rect = sheet.photo(left, top, shown)
    y = sheet.lines(left, rect[3] + 2, [str(result.units[i])], _LABEL, look.theme.ink, bold=True)
    said = [_reads(result, i), result.names[i] if result.names else ""]
    for line in filter(None, said):
        y = sheet.lines(left, y - 1, [shortened(line, _LABEL - 1, size + _GAP - 2)], _LABEL - 1, look.theme.quiet)
    return y + 5


def _block(tiles: Floats, width: int, look: Look) -> Pixels:
    """The channels of a filter in rows, each weight a whole number of device pixels."""
    count, rows, columns, _ = tiles.shape
    across = _columns(count) if count > 1 else 1
    gap = 0 if count == 1 else 1 if rows * columns == 1 else 2
    factor = max(int(((width + gap) / across - gap) / max(columns, 1)), 1)
    high, wide = rows * factor + gap, columns * factor + gap
    down = math.ceil(count / across)
    paper = np.broadcast_to(look.theme.ground, (down * high - gap, across * wide - gap, 3)).copy()
    for k, tile in enumerate(tiles):
        y, x = (k // across) * high, (k % across) * wide
        paper[y : y + rows * factor, x : x + columns * factor] = tile.repeat(factor, 0).repeat(factor, 1)
    return eight_bit(paper)


def _colors(filter_: NDArray[Any], end: float) -> Floats:
    """(channels, height, width) -> (1, height, width, 3) in 0..1: mid-gray is zero."""
    return _shaded(filter_.transpose(1, 2, 0), end)[None]


def _grays(filter_: NDArray[Any], end: float) -> Floats:
    """(channels, height, width) -> (channels, height, width, 3)."""
    return _shaded(filter_[..., None].repeat(3, axis=-1), end)


def _shaded(weights: NDArray[Any], end: float) -> Floats:
    wide = weights.astype(np.float64)
    shown = 0.5 + 0.5 * (np.nan_to_num(wide, nan=0.0, posinf=0.0, neginf=0.0) / (end or 1.0)).clip(-1, 1)
    return np.where(np.isfinite(wide).all(-1, keepdims=True), shown, _BROKEN)


def _reads(result: Filters, i: int) -> str:
    """Which channels a filter reads, where that is not the same for all."""
    reads = result.inputs[i]
    if len(set(result.inputs)) == 1:
        return ""
    if len(reads) == 1:
        return f"reads {reads[0]}"
    return f"reads {reads[0]}–{reads[-1]}"


def _below(result: Filters) -> str:
    count, channels, height, width = result.values.shape
    size = f"{count} filter{'s' * (count > 1)} of {height} × {width} × {channels} channel{'s' * (channels > 1)}"
    layer = f"layer {result.meta.layer}" if result.meta.layer else ""
    return " · ".join(filter(None, [layer, size, unplaced(result.meta.net)]))


def _reading(result: Filters, colored: bool, common: bool) -> str:
    """How the pictures are to be read, and on what scale."""
    ends = _ends(result, common)
    largest = number(ends[0]) if common or len(result) == 1 else ""
    span = f"one scale for all, to ±{largest}" if common else "each filter on a scale of its own"
    if colored:
        how = "Mid-gray is a weight of zero, more of a color a positive weight for it"
    else:
        order = f" (from the left: {', '.join(_COLORS)})" if result.colors else ""
        how = f"One gray picture for each channel{order}; mid-gray is a weight of zero, white positive, black negative"
    broken = int((~np.isfinite(result.values)).sum())
    return f"{how}; {span}{f'; {broken} weights are no numbers: violet' if broken else ''}."


def _alt(result: Filters, title: str) -> str:
    count, channels, height, width = result.values.shape
    finite = result.values[np.isfinite(result.values)]
    span = f", weights from {number(float(finite.min()))} to {number(float(finite.max()))}" if finite.size else ""
    where = f" of layer {result.meta.layer}" if result.meta.layer else ""
    return f"{title}: {count} filters{where}, {height} × {width} × {channels}{span}."
