"""Audits: a row for each kind of finding with its count and its most striking pictures, and the classes most alike."""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.draw import words
from pellucid.draw.audit_page import audit_page
from pellucid.draw.drawings import drawing
from pellucid.draw.heatmaps import BODY, MARGIN, SMALL, footnotes, heading
from pellucid.draw.letters import sentence, shortened
from pellucid.draw.look import Look
from pellucid.draw.picture import Picture
from pellucid.draw.pictures import fitted_pixels
from pellucid.draw.sheet import Sheet
from pellucid.errors import PellucidError
from pellucid.files import unplaced
from pellucid.result import Audit, Looked
from pellucid.result.audit import TITLES

_SIDE, _GAP, _ACROSS, _SAID = 78.0, 8.0, 8, 250.0
_BIG = 24.0


@drawing(Audit)
def draw_audit(result: Audit, over: Any = None, *, title: str | None = None, dark: bool = False) -> Picture:
    """How much was found of each kind, with the pictures of the first findings; saved as .html it is a page on which
    every image is decided about.
    """
    look = Look(dark=dark)
    if over is not None:
        raise PellucidError("an audit is not drawn over images: draw it without over=")
    title = title or words.title_of(result.meta)
    sheet = Sheet.sized(2 * MARGIN + _SAID + _ACROSS * (_SIDE + _GAP), look.theme.paper)
    below = " · ".join(filter(None, [unplaced(result.meta.net), f"{result.total:,} images"]))
    y = heading(sheet, title, below, look) + 4
    for one in result.looked:
        if one.done:
            y = _row(sheet, y, result, one, look)
    left = [f"{TITLES[one.of_kind]}: not looked for. {sentence(one.rule)}" for one in result.looked if not one.done]
    origin = [*words.noted(result.meta), *filter(None, [words.origin(result.meta)])]
    how = "Saved as .html it is one page with all findings, on which images are kept, relabeled or removed."
    sheet.height = footnotes(sheet, y + 4, [*left, how, *origin], look) + MARGIN
    alt = f"{title} of {result.total} images: {'; '.join(result.findings)}."

    def page() -> bytes:
        return audit_page(result, {"TITLE": title, "ABOUT": below, "ALT": alt}, [*origin], dark=dark)

    return Picture(sheet, alt, words.about(result.meta, title, alt), page=page)


def _row(sheet: Sheet, y: float, result: Audit, looked: Looked, look: Look) -> float:
    """One kind; returns where its row ends."""
    theme, items = look.theme, result.of(looked.of_kind)
    sheet.line((MARGIN, y), (sheet.width - MARGIN, y), theme.faint, 0.5)
    y += 10
    color = theme.warning if looked.found else theme.quiet
    at = sheet.lines(MARGIN, y, [f"{looked.found:,}"], _BIG, color, bold=True)
    at = sheet.lines(MARGIN, at, [TITLES[looked.of_kind]], BODY, theme.ink, bold=True)
    room = _SAID - 18
    first = [items[0].title, items[0].said] if items else ["nothing was found"]
    for line, size in zip(first, (SMALL, SMALL), strict=False):
        at = sheet.paragraph(MARGIN, at + 1, sentence(line), size, theme.quiet, room, most=3)
    x = MARGIN + _SAID
    side = sheet.pixels(_SIDE)
    shown = [(item, i, item.captions[k]) for item in items for k, i in enumerate(item.images[: _each(items)])][:_ACROSS]
    for item, i, caption in shown:
        sheet.photo(x, y, fitted_pixels(result.thumbs[i], side))
        if item.found:
            sheet.box((x - 1.5, y - 1.5, x + _SIDE + 1.5, y + _SIDE + 1.5), edge=theme.warning, line=2.0)
        label = result.given[i] or caption
        sheet.lines(x, y + _SIDE + 4, [shortened(label, SMALL - 0.5, _SIDE)], SMALL - 0.5, theme.quiet)
        x += _SIDE + _GAP
    return max(at, y + _SIDE + 20 if shown else at) + 8


def _each(items: tuple[Any, ...]) -> int:
    """How many pictures of each finding are shown: the more, the fewer findings there are."""
    return int(np.clip(_ACROSS // max(len(items), 1), 2, 4))
