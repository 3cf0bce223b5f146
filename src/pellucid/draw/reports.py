"""Studies: strips of patches with what is said of each, and the first rows of the tables."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.draw import words
from pellucid.draw.drawings import drawing
from pellucid.draw.heatmaps import BODY, MARGIN, SMALL, findings, footnotes, heading
from pellucid.draw.letters import LEADING, number, shortened, wrapped
from pellucid.draw.look import Look
from pellucid.draw.picture import Picture
from pellucid.draw.pictures import fitted_pixels
from pellucid.draw.sheet import Pixels, Sheet
from pellucid.draw.tables import cut, headline, tabled, wide
from pellucid.files import unplaced
from pellucid.result import Overlap, Patches, PatchRow, Report

_NAMES = 190.0  # room for what is said of a strip
_SIDES = {1: 150.0, 2: 150.0, 3: 140.0, 4: 130.0, 5: 118.0, 6: 108.0}
_SMALLEST = 92.0
_BETWEEN, _APART = 5.0, 22.0  # patches, groups
_UNIT, _THING = (255, 255, 255), (255, 196, 0)
_DIM = 0.45  # what is left of an image's light where the unit is below its threshold


@drawing(Report)
def draw_study(result: Report, over: Any = None, *, title: str | None = None, dark: bool = False) -> Picture:
    """What is said, then a row for each strip, then the first rows of every table; all rows are in the numbers."""
    look = Look(dark=dark)
    title = title or words.title_of(result.meta)
    counts = [max((len(strip.columns[k]) for strip in result.strips if k < len(strip.columns)), default=0)
              for k in range(max((len(strip.columns) for strip in result.strips), default=0))]  # fmt: skip
    side = _SIDES.get(sum(counts), _SMALLEST)
    lefts, x = [], MARGIN + _NAMES
    for count in counts:
        lefts.append(x)
        x += max(count, 1) * (side + _BETWEEN) - _BETWEEN + _APART
    tables = {name: cut(table) for name, table in result.tables.items() if len(table)}
    right = max(x - _APART if counts else 0.0, *(MARGIN + wide(table) for table in tables.values()), 560.0)
    sheet = Sheet.sized(right + MARGIN, look.theme.paper)
    y = heading(sheet, title, " · ".join(filter(None, [result.meta.target, unplaced(result.meta.net)])), look)
    y = findings(sheet, y, result.findings, look) + 6
    if result.strips:
        y = _heads(sheet, y, result, lefts, look)
        for strip in result.strips:
            y = _strip(sheet, y, strip, lefts, side, look) + 8
    for name, table in tables.items():
        y = sheet.lines(MARGIN, y + 8, [headline(name, table, result.tables[name])], BODY, look.theme.ink, bold=True)
        y = tabled(sheet, y + 5, table, look) + 6
    notes = [*_legend(result), *words.noted(result.meta), *filter(None, [words.origin(result.meta)])]
    sheet.height = footnotes(sheet, y + 4, notes, look) + MARGIN
    alt = f"{title}{f' of {result.meta.target}' if result.meta.target else ''}: {'. '.join(result.findings)}.".rstrip(
        ". "
    )
    return Picture(sheet, f"{alt}.", words.about(result.meta, title, alt))


def _heads(sheet: Sheet, y: float, result: Report, lefts: list[float], look: Look) -> float:
    for left, head in zip(lefts, result.heads, strict=False):
        sheet.lines(left, y, [shortened(unplaced(head), BODY, 420.0, True)], BODY, look.theme.ink, bold=True)
    return y + (BODY * LEADING + 3 if result.heads else 0)


def _strip(sheet: Sheet, top: float, strip: PatchRow, lefts: list[float], side: float, look: Look) -> float:
    """One row: its name and what is said of it, then its patches; returns where it ends."""
    room = _NAMES - 14
    y = sheet.paragraph(MARGIN, top, strip.name, BODY, look.theme.ink, room, bold=True, most=2)
    for said in strip.findings:
        y = sheet.paragraph(MARGIN, y + 1, said, SMALL, look.theme.quiet, room, most=3)
    ends = [y]
    for k, (left, group) in enumerate(zip(lefts, strip.columns, strict=False)):
        for i in range(len(group)):
            overlap = strip.overlaps[i] if k == 0 and strip.overlaps else None
            ends.append(_patch(sheet, left + i * (side + _BETWEEN), top, side, group, i, overlap, look))
        if not len(group):
            ends.append(sheet.paragraph(left, top + side / 3, "none", SMALL, look.theme.quiet, side))
    return max(ends)


def _patch(
    sheet: Sheet, left: float, top: float, side: float, group: Patches, i: int, overlap: Overlap | None, look: Look
) -> float:
    """One patch, or one image with both regions, above its activation and what it is."""
    size = sheet.pixels(side)
    if overlap is None:
        pixels = fitted_pixels(_seen(group, i), size)
    else:
        pixels = _outlined(fitted_pixels(group.pictures[i], size), overlap)
    rect = sheet.photo(left, top, pixels)
    said = f"{number(float(group.values[i]))} · {group.labels[i] or unplaced(group.names[i])}"
    return sheet.lines(left, rect[3] + 2, wrapped(said, SMALL - 1, side, lines=1), SMALL - 1, look.theme.quiet)


def _seen(group: Patches, i: int) -> Pixels:
    """The patch, what lies outside the image in gray; where the cell sees as much as the image, the image."""
    (height, width), (top, left, bottom, right) = group.pictures[i].shape[:2], group.boxes[i]
    return group.pictures[i] if bottom - top >= height and right - left >= width else group.crop(i)


def _outlined(pixels: Pixels, overlap: Overlap) -> Pixels:
    """An image that is dark where the unit is below its threshold; both regions outlined."""
    unit, thing = (_resized(mask, (pixels.shape[0], pixels.shape[1])) for mask in (overlap.unit, overlap.concept))
    shown = np.where(unit[..., None], pixels, (pixels * _DIM).astype(np.uint8))
    shown[_edge(thing)] = _THING
    shown[_edge(unit)] = _UNIT
    return shown


def _resized(mask: NDArray[np.bool_], shape: tuple[int, int]) -> NDArray[np.bool_]:
    rows, columns = ((np.arange(n) * m) // n for n, m in zip(shape, mask.shape, strict=True))
    found: NDArray[np.bool_] = mask[rows[:, None], columns[None]]
    return found


def _edge(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The two outermost pixels of a region; the image's edge is none."""
    inner = mask
    for _ in range(2):
        wide = np.pad(inner, 1, mode="edge")
        inner = inner & wide[:-2, 1:-1] & wide[2:, 1:-1] & wide[1:-1, :-2] & wide[1:-1, 2:]
    edge: NDArray[np.bool_] = mask & ~inner
    return edge


def _legend(result: Report) -> list[str]:
    """How the strips are to be read."""
    if any(strip.overlaps for strip in result.strips):
        return [
            "Bright and outlined in white: where the unit is above its threshold; outlined in yellow: where the mask "
            "says that the concept is. Under each image: the unit's largest activation."
        ]
    return ["Under each patch: the unit's activation."] if any(strip.columns for strip in result.strips) else []
