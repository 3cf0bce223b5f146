"""Panels: several results about the same images, one beside the other, each with its own scale or legend."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.draw import words
from pellucid.draw.bar import ROOM, color_bar
from pellucid.draw.colors import Scale
from pellucid.draw.drawings import drawing
from pellucid.draw.heatmaps import BODY, GAP, MARGIN, SMALL, footnotes, heading
from pellucid.draw.labels import label_panel, legend
from pellucid.draw.letters import number, readable, wrapped
from pellucid.draw.look import Look, fitted, frame, panel
from pellucid.draw.overlay import originals, photograph
from pellucid.draw.picture import Picture
from pellucid.draw.sheet import Sheet
from pellucid.errors import PellucidError
from pellucid.files import unplaced
from pellucid.result import Heatmap, LabelMap, Panel

_MOST = 4  # parts in a row
_SIDES = {1: 400.0, 2: 300.0, 3: 240.0}
_LABELS = 0.6  # of a label map's opacity at most: what lies under it should be recognized

Photo = NDArray[np.uint8] | None


@drawing(Panel)
def draw_panel(result: Panel, over: Any = None, *, title: str | None = None, **options: Any) -> Picture:
    """All parts of every image side by side; the maps of one part have one scale for all images."""
    look = Look(**options)
    if not all(part.values.size for part in result.parts.values()):
        raise PellucidError("the panel is empty: there is nothing to draw")
    views = next(iter(result.parts.values())).views
    photos: list[Photo] = [None] * len(result)
    if over is not None:
        photos = [*originals(over, len(result), views)]
    heats = {name: part for name, part in result.parts.items() if isinstance(part, Heatmap)}
    scales = {name: look.scales([part[i] for i in range(len(part))]) for name, part in heats.items()}
    title = title or words.title_of(result.meta)
    columns = min(len(result.parts), _MOST)
    cell = _SIDES.get(columns, 205.0)
    sheet = Sheet.sized(columns * (cell + ROOM + GAP) - GAP + 2 * MARGIN, look.theme.paper)
    y = heading(sheet, title, _below(result), look)
    for i in range(len(result)):
        if len(result) > 1:
            y = sheet.paragraph(MARGIN, y, _image(result, i), BODY, look.theme.quiet, sheet.width - 2 * MARGIN) + 2
        names = [*result.parts]
        for start in range(0, len(names), columns):
            row = names[start : start + columns]
            y = _row(sheet, y, cell, [(name, result.parts[name]) for name in row], i, photos[i], scales, look) + GAP
    sheet.height = footnotes(sheet, y, _notes(result, [*heats.values()], scales, photos[0] is not None, look), look)
    sheet.height += MARGIN
    alt = f"{title}: {'; '.join(_said(name, part) for name, part in result.parts.items())}."
    return Picture(sheet, alt, words.about(result.meta, title, alt))


def _row(
    sheet: Sheet, y: float, cell: float, parts: Sequence[tuple[str, Heatmap | LabelMap]], i: int, photo: Photo,
    scales: dict[str, list[Scale]], look: Look,
) -> float:  # fmt: skip
    """The parts of image i beside one another; returns where the row ends."""
    lefts = [MARGIN + k * (cell + ROOM + GAP) for k in range(len(parts))]
    captions = [_caption(name, part[i], cell + ROOM - 8) for name, part in parts]
    top = y
    for left, (bold, quiet) in zip(lefts, captions, strict=True):
        end = sheet.lines(left, y, bold, BODY, look.theme.ink, bold=True)
        top = max(top, sheet.lines(left, end, quiet, SMALL, look.theme.quiet) + 5)
    bottom = top
    for left, (name, part) in zip(lefts, parts, strict=True):
        one = part[i]
        size = fitted(frame(one.views[0], photo is not None, look.crop)[1], (cell, cell))
        if isinstance(one, LabelMap):
            seen = replace(look, opacity=min(look.opacity, _LABELS))
            counts = Counter(one.values.ravel().tolist()).most_common()
            high = label_panel(sheet, left, top, cell, one, 0, photo, counts, seen)
            bottom = max(bottom, legend(sheet, left, top + high + 6, counts, one, look.theme, cell))
            continue
        scale = scales[name][i]
        under = None if photo is None else partial(photograph, photo)
        rect = panel(sheet, left, top, size, one, under, scale, look, placed=under is not None)
        long = max(rect[3] - rect[1], 110.0)
        color_bar(sheet, rect[2] + 8, top, long, scale, one.unit, look.theme, None if under is None else look.opacity)
        bottom = max(bottom, top + long)
    return bottom


def _caption(name: str, one: Heatmap | LabelMap, room: float) -> tuple[list[str], list[str]]:
    """(name, what it is about) of one part."""
    about = [one.meta.target] if one.meta.target else []
    about += [f"score {number(one.meta.score[0])}"] if one.meta.score else []
    return wrapped(readable(name), BODY, room, bold=True, lines=2), wrapped(" · ".join(about), SMALL, room, lines=2)


def _image(result: Panel, i: int) -> str:
    return unplaced(result.meta.images[i]) if len(result.meta.images) == len(result) else f"image {i}"


def _below(result: Panel) -> str:
    image = [_image(result, 0)] if len(result) == 1 and result.meta.images else []
    return " · ".join(filter(None, [result.meta.target, *image, unplaced(result.meta.net)]))


def _said(name: str, part: Heatmap | LabelMap) -> str:
    """One part in words."""
    if isinstance(part, LabelMap):
        best = Counter(part.values.ravel().tolist()).most_common(3)
        return f"{name}: {', '.join(part.names.get(index, f'class {index}') for index, _ in best)}"
    finite = part.values[np.isfinite(part.values)]
    if not finite.size:
        return f"{name}: no finite value"
    return f"{name}: from {number(float(finite.min()))} to {number(float(finite.max()))} {part.unit}".rstrip()


def _notes(
    result: Panel, heats: Sequence[Heatmap], scales: dict[str, list[Scale]], pictured: bool, look: Look
) -> list[str]:
    """How to read the colors of signed maps, then what the parts have to say."""
    signed = [
        (heat, scales[name][0]) for name, heat in zip(scales, heats, strict=True) if scales[name][0].view == "signed"
    ]
    how = [words.reading("signed", look.palette, words.meaning([heat for heat, _ in signed]))] if signed else []
    if pictured and not look.crop:
        how.append(next((said for heat in heats if (said := words.unseen_note(heat))), ""))
    told = "; ".join(filter(None, how))
    lines = [told[:1].upper() + told[1:] + "."] if told else []
    notes = list(dict.fromkeys([*result.meta.said, *words.notes_of(heats)]))
    return [*lines, *words.few(notes), *filter(None, [words.origin(result.meta)])]
