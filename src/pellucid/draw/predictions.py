"""Predictions: the guesses as horizontal bars, with names and probabilities."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pellucid.draw import words
from pellucid.draw.colors import DARK, LIGHT, Theme
from pellucid.draw.drawings import drawing
from pellucid.draw.heatmaps import BODY, MARGIN, footnotes, heading
from pellucid.draw.letters import chance, percent, width, wrapped
from pellucid.draw.look import Look, fitted
from pellucid.draw.overlay import pictures, whole_box
from pellucid.draw.picture import Picture
from pellucid.draw.sheet import Sheet
from pellucid.errors import PellucidError
from pellucid.files import unplaced
from pellucid.result import Meta, Prediction, Predictions
from pellucid.result.scores import UNIT

_WIDE, _PHOTO = 380.0, 190.0
_BAR = 4.0


@drawing(Predictions)
def draw_predictions(
    predictions: Predictions, over: Any = None, *, title: str | None = None, dark: bool = False
) -> Picture:
    """The guesses of every image, one block below the other; with `over`, each beside its image."""
    if not any(predictions.ranked):
        raise PellucidError("the predictions are empty: there is nothing to draw")
    theme, title = DARK if dark else LIGHT, title or "Predictions"
    names = [unplaced(name) for name in predictions.meta.images]
    names += [f"image {i}" for i in range(len(names), len(predictions.ranked))]
    photos = _photos(over, len(predictions.ranked))
    aside = _PHOTO + 20 if photos else 0
    sheet = Sheet.sized(_WIDE + aside + 2 * MARGIN, theme.paper)
    y = heading(sheet, title, unplaced(predictions.meta.net), Look(dark=dark))
    for i, ranked in enumerate(predictions.ranked):
        top = y
        y = sheet.paragraph(MARGIN + aside, y, names[i], BODY, theme.ink, _WIDE, bold=True, most=2) + 4
        y = bars(sheet, MARGIN + aside, y, _WIDE, ranked, theme)
        if photos:
            high, wide = fitted(whole_box(*photos[i].shape[:2]), (_PHOTO, _PHOTO))
            size = (sheet.pixels(max(wide, 1)), sheet.pixels(max(high, 1)))
            shown = Image.fromarray(photos[i]).resize(size, Image.Resampling.LANCZOS)
            y = max(y, sheet.photo(MARGIN, top, np.asarray(shown))[3])
        y += 14
    sheet.height = footnotes(sheet, y, _below(predictions.meta), Look(dark=dark)) + MARGIN
    alt = " ".join(f"{name}: {said(ranked)}." for name, ranked in zip(names, predictions.ranked, strict=False))
    table = _table(names, predictions.ranked, alt, UNIT.get(predictions.meta.scores, "score"))
    return Picture(sheet, alt, words.about(predictions.meta, title, alt), table=table)


def _below(meta: Meta) -> list[str]:
    return [*words.noted(meta), *filter(None, [words.origin(meta)])]


def said(ranked: Sequence[Prediction]) -> str:
    """The guesses in words."""
    return ", ".join(f"{prediction.label} {chance(prediction.probability, prediction.logit)}" for prediction in ranked)


def bars(sheet: Sheet, left: float, y: float, room: float, ranked: Sequence[Prediction], theme: Theme) -> float:
    """A line for each guess, with a bar below it from 0 to 100 %; returns where they end."""
    for rank, prediction in enumerate(ranked):
        share = chance(prediction.probability, prediction.logit)
        name = wrapped(prediction.label, BODY, room - width(share, BODY) - 12, bold=rank == 0, lines=3)
        sheet.lines(left + room, y, [share], BODY, theme.ink if rank == 0 else theme.quiet, align="right")
        y = sheet.lines(left, y, name, BODY, theme.ink, bold=rank == 0) + 2
        if prediction.probability is None:  # a value has no share of a whole that a bar could show
            y += 6
            continue
        sheet.box((left, y, left + room, y + _BAR), fill=theme.faint, opacity=0.6)
        long = room * min(max(prediction.probability, 0.0), 1.0)
        if long > 0.2:
            sheet.box((left, y, left + long, y + _BAR), fill=theme.accent)
        y += _BAR + 8
    return y


def _photos(over: Any, count: int) -> list[NDArray[np.uint8]]:
    return [] if over is None else pictures(over, count)[0]


def _table(names: Sequence[str], ranked: Sequence[Sequence[Prediction]], alt: str, unit: str) -> str:
    """The guesses as an HTML table: text that can be read aloud, selected and searched."""
    rows = []
    for name, some in zip(names, ranked, strict=False):
        for rank, prediction in enumerate(some):
            first = f'<th scope="rowgroup" rowspan="{len(some)}">{html.escape(name)}</th>' if rank == 0 else ""
            share = prediction.probability
            bar = "" if share is None else f'<meter min="0" max="1" value="{share:.4f}"></meter>'
            cells = (
                html.escape(prediction.label),
                "" if share is None else percent(share),
                bar,
                f"{prediction.logit:.2f}",
            )
            rows.append(f"<tr>{first}{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
    head = "".join(f'<th scope="col">{name}</th>' for name in ("image", "class", "probability", "", unit))
    label = html.escape(alt[:300], quote=True)
    return f'<table aria-label="{label}"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
