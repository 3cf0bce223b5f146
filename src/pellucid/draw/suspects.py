"""Suspects: a row for each image whose label is doubted, with its neighbors in two spaces and its margin over time."""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.draw import words
from pellucid.draw.drawings import drawing
from pellucid.draw.heatmaps import BODY, MARGIN, SMALL, findings, footnotes, heading
from pellucid.draw.letters import percent, shortened
from pellucid.draw.look import Look
from pellucid.draw.picture import Picture
from pellucid.draw.pictures import fitted_pixels
from pellucid.draw.sheet import Sheet
from pellucid.draw.suspects_page import suspects_page
from pellucid.errors import PellucidError
from pellucid.files import unplaced
from pellucid.result import Suspects

_SIDE, _NEAR, _GAP, _ROWS = 84.0, 56.0, 9.0, 12
_SAID, _CURVE = 190.0, 150.0


@drawing(Suspects)
def draw_suspects(result: Suspects, over: Any = None, *, title: str | None = None, dark: bool = False) -> Picture:
    """The most suspect images: label and suggestion, the nearest in each space (framed blue where they have the given
    label, orange where they have the suggestion), and the margin of the given label.
    """
    look = Look(dark=dark)
    if over is not None:
        raise PellucidError("suspects are not drawn over images: draw them without over=")
    if not len(result):
        raise PellucidError("there are no suspects: nothing to draw")
    title = title or words.title_of(result.meta)
    many, rooms = result.near.shape[2], len(result.spaces)
    space = many * (_NEAR + _GAP) + 12
    curve = 0.0 if result.margins is None else _CURVE
    sheet = Sheet.sized(2 * MARGIN + _SIDE + 12 + _SAID + rooms * space + curve, look.theme.paper)
    below = " · ".join(filter(None, [unplaced(result.meta.net), f"{len(result)} of {result.total} images"]))
    y = heading(sheet, title, below, look)
    y = findings(sheet, y, result.findings, look) + 10
    left = MARGIN + _SIDE + 12 + _SAID
    for r, name in enumerate(result.spaces):
        sheet.lines(left + r * space, y, [shortened(f"nearest: {name}", SMALL, space - 12)], SMALL, look.theme.quiet,
                    bold=True)  # fmt: skip
    if result.margins is not None:
        said = str(result.meta.found.get("margins over", "checkpoints"))
        sheet.lines(left + rooms * space, y, [shortened(f"margin: {said}", SMALL, _CURVE)], SMALL,
                    look.theme.quiet, bold=True)  # fmt: skip
    y += 18
    for m in range(min(len(result), _ROWS)):
        y = _row(sheet, y, result, m, look)
    notes = ["A blue frame: the neighbor has the given label; orange: it has the suggested one. Suspicion is −Σ log of "
             "the share of images that are at least as suspect, by one score of each kind."]  # fmt: skip
    if len(result) > _ROWS:
        notes.append(f"{_ROWS} of {len(result)} suspects; saved as .html it is a page on which all are decided about.")
    origin = [*words.noted(result.meta), *filter(None, [words.origin(result.meta)])]
    sheet.height = footnotes(sheet, y, [*notes, *origin], look) + MARGIN
    three = zip(result.names[:3], result.given, result.suggestions, strict=False)
    first = ", ".join(f"{name} ({given}, suggested {other})" for name, given, other in three)
    alt = f"{title}: {len(result)} suspects of {result.total} images, the first {first}."

    def page() -> bytes:
        return suspects_page(result, {"TITLE": title, "ABOUT": below, "ALT": alt}, origin, dark=dark)

    return Picture(sheet, alt, words.about(result.meta, title, alt), page=page)


def _row(sheet: Sheet, y: float, result: Suspects, m: int, look: Look) -> float:
    """One suspect; returns where its row ends."""
    theme, side, small = look.theme, sheet.pixels(_SIDE), sheet.pixels(_NEAR)
    sheet.line((MARGIN, y - 5), (sheet.width - MARGIN, y - 5), theme.faint, 0.5)
    sheet.photo(MARGIN, y, fitted_pixels(result.thumbs[result.shown[m]], side))
    x = MARGIN + _SIDE + 12
    p = result.probabilities[m]
    surely = "rather" if p[1] > p[0] else "perhaps"
    heads = {f"{m + 1}. {result.given[m]}": theme.accent, f"{surely} {result.suggestions[m]}?": theme.warning}
    at = y
    for text, color in heads.items():
        at = sheet.lines(x, at, [shortened(text, BODY, _SAID - 14, True)], BODY, color, bold=True)
    told = [f"{percent(float(p[0]))} given, {percent(float(p[1]))} suggested",
            f"suspicion {result.values[m]:.1f}", unplaced(result.names[m])]  # fmt: skip
    sheet.lines(x, at + 2, [shortened(line, SMALL, _SAID - 14) for line in told], SMALL, theme.quiet)
    x += _SAID
    colors = {result.given[m]: theme.accent, result.suggestions[m]: theme.warning}
    for row in result.near[m]:
        for i in row.tolist():
            label = result.thumb_labels[i]
            color = colors.get(label, theme.faint)
            sheet.photo(x, y, fitted_pixels(result.thumbs[i], small))
            sheet.box((x - 1.5, y - 1.5, x + _NEAR + 1.5, y + _NEAR + 1.5), edge=color, line=3.0)
            sheet.lines(x, y + _NEAR + 4, [shortened(label, SMALL - 0.5, _NEAR + 2)], SMALL - 0.5,
                        color if label in colors else theme.quiet)  # fmt: skip
            x += _NEAR + _GAP
        x += 12
    if result.margins is not None:
        _curve(sheet, x, y, result.margins[m], float(np.abs(result.margins).max()), look)
    return y + _SIDE + 14


def _curve(sheet: Sheet, x: float, y: float, values: np.ndarray, most: float, look: Look) -> None:
    """A small plot of margins, on one scale for all rows; 0 in the middle."""
    theme, high, wide = look.theme, _NEAR + 8, _CURVE - 10
    sheet.line((x, y + high / 2), (x + wide, y + high / 2), theme.quiet, 0.6)
    across = x + wide * np.arange(len(values)) / max(len(values) - 1, 1)
    down = y + high / 2 * (1 - values / max(most, 1e-12))
    for k in range(len(values) - 1):
        color = theme.warning if values[k + 1] < 0 else theme.accent
        sheet.line((across[k], down[k]), (across[k + 1], down[k + 1]), color, 1.8)
