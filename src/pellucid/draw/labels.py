"""Label maps: which class wins where, one color for each of the most frequent."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.draw import words
from pellucid.draw.colors import COLORS, Floats, Theme
from pellucid.draw.drawings import drawing
from pellucid.draw.heatmaps import BODY, GAP, MARGIN, footnotes, heading
from pellucid.draw.letters import percent, wrapped
from pellucid.draw.look import Look, fitted, frame, outline
from pellucid.draw.overlay import Window, dimmed, eight_bit, gray, originals, photograph, sampled, seen_box
from pellucid.draw.picture import Picture
from pellucid.draw.sheet import Sheet
from pellucid.errors import PellucidError
from pellucid.files import unplaced
from pellucid.result import LabelMap

_OTHER = "#a7adb8"
_LEGEND = 190.0


@drawing(LabelMap)
def draw_labels(
    labels: LabelMap, over: Any = None, *, title: str | None = None, opacity: float = 0.6, crop: bool = False,
    dark: bool = False,
) -> Picture:  # fmt: skip
    """All images of a label map, and a legend with the share of each class."""
    look = Look(opacity=opacity, crop=crop, dark=dark)
    if not labels.values.size:
        raise PellucidError("the label map is empty: there is nothing to draw")
    title = title or words.title_of(labels.meta)
    photos = [None] * len(labels.values) if over is None else originals(over, len(labels.values), labels.views)
    counts = Counter(labels.values.ravel().tolist()).most_common()
    columns = min(len(labels.values), 4)
    side = {1: 440.0, 2: 320.0}.get(columns, 240.0)
    sheet = Sheet.sized(columns * (side + GAP) + _LEGEND + 2 * MARGIN, look.theme.paper)
    y = start = heading(sheet, title, unplaced(labels.meta.net), look)
    for row in range(0, len(labels.values), columns):
        high = 0.0
        for k, i in enumerate(range(row, min(row + columns, len(labels.values)))):
            high = max(high, label_panel(sheet, MARGIN + k * (side + GAP), y, side, labels, i, photos[i], counts, look))
        y += high + GAP
    right = MARGIN + columns * (side + GAP)
    y = max(y, legend(sheet, right, start, counts, labels, look.theme))
    notes = [*words.noted(labels.meta), *filter(None, [words.origin(labels.meta)])]
    sheet.height = footnotes(sheet, y, notes, look) + MARGIN
    said = ", ".join(f"{_name(labels, index)} {percent(n / labels.values.size)}" for index, n in counts[:5])
    alt = f"{title}: which class wins where. Shares of all places: {said}."
    return Picture(sheet, alt, words.about(labels.meta, title, alt))


def label_panel(
    sheet: Sheet, left: float, top: float, side: float, labels: LabelMap, i: int,
    photo: NDArray[np.uint8] | None, counts: list[tuple[int, int]], look: Look,
) -> float:  # fmt: skip
    """One image; returns how high it is."""
    view, box = frame(labels.views[i], photo is not None, look.crop)
    size = fitted(box, (side, side))
    window = Window(box, (sheet.pixels(size[0]), sheet.pixels(size[1])))
    ranks = {index: rank for rank, (index, _) in enumerate(counts)}
    ranked = np.vectorize(ranks.__getitem__, otypes=[float])(labels.values[i])
    cells = sampled(ranked, labels.placement, view, window, "cells")
    rank = np.rint(cells.values).astype(int)
    colors = np.array([_rgb(c) for c in (*COLORS, _OTHER)])
    shown: Floats = colors[np.minimum(rank, len(COLORS))]
    if photo is not None:
        shown = gray(photograph(photo, window), look.theme) * (1 - look.opacity) + shown * look.opacity
        shown = np.where(cells.seen[..., None], shown, photograph(photo, window))
    shown[_borders(rank) & cells.seen] = look.theme.ground
    rect = sheet.photo(left, top, eight_bit(dimmed(shown, cells.seen, look.theme)))
    if photo is not None and not look.crop:
        outline(sheet, rect, window, seen_box(view), look.theme)
    return rect[3] - rect[1]


def _borders(rank: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Device pixels where one class ends: the colors alone are hard to tell apart over a photo."""
    found = np.zeros(rank.shape, dtype=bool)
    found[:, 1:] |= rank[:, 1:] != rank[:, :-1]
    found[1:] |= rank[1:] != rank[:-1]
    return found


def legend(
    sheet: Sheet, left: float, y: float, counts: list[tuple[int, int]], labels: LabelMap, theme: Theme,
    room: float = _LEGEND,
) -> float:  # fmt: skip
    """Color, name and share of every class that has a color of its own; returns where it ends."""
    total, named = labels.values.size, counts[: len(COLORS)]
    rest = sum(n for _, n in counts[len(COLORS) :])
    rows = [(_name(labels, index), n, color) for (index, n), color in zip(named, COLORS, strict=False)]
    if rest:
        rows.append((f"{len(counts) - len(COLORS)} more classes", rest, _OTHER))
    for name, n, color in rows:
        sheet.box((left, y + 2, left + 11, y + 13), fill=color, edge=theme.faint, line=0.5)
        end = sheet.lines(left + 18, y, wrapped(name, BODY, room - 74, lines=3), BODY, theme.ink)
        sheet.lines(left + room, y, [percent(n / total)], BODY, theme.quiet, align="right")
        y = end + 5
    return y + 5


def _name(labels: LabelMap, index: int) -> str:
    return labels.names.get(index, f"class {index}")


def _rgb(color: str) -> list[float]:
    return [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
