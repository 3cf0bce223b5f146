"""A contact sheet: several explanations, a column for each image, a row for each method."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

from pellucid.draw import words
from pellucid.draw.drawings import drawing
from pellucid.draw.explanation import readings
from pellucid.draw.heatmaps import BODY, MARGIN, SMALL, TITLE, footnotes
from pellucid.draw.letters import LEADING, percent, wrapped
from pellucid.draw.look import Look, fine, frame, panel
from pellucid.draw.overlay import Window, eight_bit, photograph
from pellucid.draw.picture import Picture
from pellucid.draw.sheet import Sheet
from pellucid.errors import PellucidError
from pellucid.files import unplaced
from pellucid.result import Explanation

_GAP, _NAMES = 6.0, 138.0


@drawing(Explanation, several=True)
def draw_contact(
    explanations: Sequence[Explanation],
    over: Any = None,
    *,
    title: str | None = None,
    scale: Literal["common", "own"] | float | int = "own",
    **options: Any,
) -> Picture:
    """The first question of each explanation: photos on top, then a row of maps for each method that all share.

    Images differ in their scores, so each map has its own scale unless `scale` says otherwise.
    """
    if over is not None:
        raise PellucidError("explanations hold their own images: draw them without over")
    look = Look(crop=True, scale=scale, **options)
    methods = [row.method for row in explanations[0].rows]
    shared = [name for name in methods if all(name in {row.method for row in one.rows} for one in explanations)]
    title = title or "What speaks for the best guess"
    side = {1: 230.0, 2: 190.0, 3: 165.0, 4: 150.0}.get(len(explanations), 124.0) * (0.75 if len(shared) > 9 else 1)
    sheet = Sheet.sized(2 * MARGIN + _NAMES + len(explanations) * (side + _GAP), look.theme.paper)
    y = sheet.paragraph(MARGIN, MARGIN - 4, title, TITLE, look.theme.ink, sheet.width - 2 * MARGIN, bold=True)
    below = unplaced(explanations[0].meta.net)
    y = sheet.paragraph(MARGIN, y, below, BODY, look.theme.quiet, sheet.width - 2 * MARGIN) + 10
    lefts = [MARGIN + _NAMES + k * (side + _GAP) for k in range(len(explanations))]
    y = _photos(sheet, y, lefts, explanations, side, look)
    for name in shared:
        y = _row(sheet, y, lefts, explanations, name, side, look)
    sheet.height = footnotes(sheet, y + 4, _notes(explanations, shared, look), look) + MARGIN
    alt = f"{len(shared)} methods on {', '.join(unplaced(one.meta.images[0]) for one in explanations)}"
    return Picture(sheet, alt, words.about(explanations[0].meta, title, alt))


def _window(sheet: Sheet, one: Explanation, side: float) -> tuple[Window, tuple[float, float]]:
    """What a panel shows, and its (height, width): all are of one width, what the network saw fills it."""
    box = frame(one.view, True, True)[1]
    shape = min(max((box[2] - box[0]) / (box[3] - box[1]), 0.5), 2.0)
    size = (side * shape, side)
    return Window(box, (sheet.pixels(size[0]), sheet.pixels(size[1]))), size


def _photos(
    sheet: Sheet, y: float, lefts: Sequence[float], explanations: Sequence[Explanation], side: float, look: Look
) -> float:
    """What the network saw of each image, under what was asked about it; returns where the row ends."""
    names = [wrapped(one.columns[0].name, BODY, side - 2, bold=True, lines=2) for one in explanations]
    tallest, end = max(map(len, names)), y
    for left, name, one in zip(lefts, names, explanations, strict=True):
        chance = one.columns[0].probability
        top = sheet.lines(left, y + (tallest - len(name)) * BODY * LEADING, name, BODY, look.theme.ink, bold=True)
        top = sheet.lines(left, top, ["" if chance is None else percent(chance)], SMALL, look.theme.quiet) + 3
        window, _ = _window(sheet, one, side)
        rect = sheet.photo(left, top, eight_bit(photograph(one.picture, window)))
        end = max(end, rect[3])
    return end + _GAP


def _row(
    sheet: Sheet,
    y: float,
    lefts: Sequence[float],
    explanations: Sequence[Explanation],
    name: str,
    side: float,
    look: Look,
) -> float:
    """One method on every image; returns where the row ends."""
    rows = [next(row for row in one.rows if row.method == name) for one in explanations]
    maps = [row.maps[0] for row in rows]
    end = y
    for left, one, heat, scale in zip(lefts, explanations, maps, look.scales(maps), strict=True):
        _, size = _window(sheet, one, side)
        under = None if fine(heat.placement) else partial(photograph, one.picture)
        end = max(end, panel(sheet, left, y, size, heat, under, scale, look)[3])
    title = wrapped(rows[0].title, BODY, _NAMES - 12, bold=True, lines=4)
    sheet.lines(MARGIN, y + 2, title, BODY, look.theme.ink, bold=True)
    return end + _GAP


def _notes(explanations: Sequence[Explanation], shared: Sequence[str], look: Look) -> list[str]:
    rows = [row for row in explanations[0].rows if row.method in shared]
    scales = "Each map has its own scale." if look.scale == "own" else "One scale in each row."
    said = [f"Coarse maps lie over the photo, fine ones stand alone. {scales}", *readings(rows, look)]
    refused = dict.fromkeys(line for one in explanations for line in one.meta.said)
    return [*said, *words.few(refused), *filter(None, [words.origin(explanations[0].meta)])]
