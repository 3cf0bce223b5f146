"""Heatmaps: one panel for each image (or each map of a list), over the original images or on their own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.draw import words
from pellucid.draw.bar import ROOM, color_bar
from pellucid.draw.blur import grainy, said, smoothed
from pellucid.draw.colors import Floats, Scale
from pellucid.draw.drawings import drawing
from pellucid.draw.letters import LEADING, number, sentence, wrapped
from pellucid.draw.look import Look, fitted, frame, panel
from pellucid.draw.overlay import Window, faint, originals, photograph
from pellucid.draw.picture import Picture
from pellucid.draw.sheet import Sheet, per_row
from pellucid.errors import PellucidError
from pellucid.files import unplaced
from pellucid.result import Check, Heatmap

MARGIN, GAP = 24.0, 14.0
_SIDES = {1: 460.0, 2: 330.0, 3: 270.0, 4: 230.0}  # of a panel, for so many in a row
_MOST = 5  # panels in a row
TITLE, BODY, SMALL = 16.0, 11.5, 9.5
Photo = NDArray[np.uint8] | None


@drawing(Heatmap)
@drawing(Heatmap, several=True)
def draw_heatmaps(
    result: Heatmap | Sequence[Heatmap], over: Any = None, *, title: str | None = None, **options: Any
) -> Picture:
    """The maps of all images of one heatmap, or of several, in rows of up to five."""
    look = Look(**options)
    heats = [result] if isinstance(result, Heatmap) else result
    maps = [heat[i] for heat in heats for i in range(len(heat))]
    if not maps or not all(one.values.size for one in maps):
        raise PellucidError("the heatmap is empty: there is nothing to draw")
    views = tuple(one.views[0] for one in maps)
    photos: list[Photo] = [None] * len(maps)
    if over is not None:
        photos = [*originals(over, len(maps), views)]
    shown = _alone(maps[0], photos[0], look) if len(maps) == 1 else together(maps, photos, look)
    if len(shown) > len(maps):
        look = replace(look, crop=True)
    title = title or words.title_of(maps[0].meta)
    sheet = _laid_out(heats, shown, title, look)
    alt = words.alt_of(heats, title)
    return Picture(sheet, alt, words.about(heats[0].meta, title, alt))


@dataclass(frozen=True, eq=False)
class Shown:
    """A map (N = 1) as a panel: over what, in which colors, and what it is where one map has several panels."""

    heat: Heatmap
    photo: Photo
    scale: Scale
    name: str = ""
    mean: bool = False
    """Whether it is smoothed, over a faint photo."""

    def under(self, look: Look) -> Callable[[Window], Floats] | None:
        """What makes the photo under it."""
        if self.photo is None:
            return None
        return partial(faint, self.photo, look.theme) if self.mean else partial(photograph, self.photo)


def _alone(heat: Heatmap, photo: Photo, look: Look) -> list[Shown]:
    """One map of one image. Single pixels drown in a photo: grainy maps are shown by themselves, then smoothed over
    the photo, which is faint; beside maps of sampled methods are their standard errors, on the same scale.
    """
    scale = look.scales([heat])[0]
    if photo is not None and grainy(heat):
        mean = smoothed(heat, look)
        named = said(heat, look) if mean is not heat else "over the photo"
        return [Shown(heat, None, scale, "pixel by pixel"), Shown(mean, photo, look.scales([mean])[0], named, True)]
    if heat.error is None or not np.isfinite(heat.error).any():
        return [Shown(heat, photo, scale)]
    error = replace(heat, values=heat.error, error=None, signed=False)
    same = replace(look, view=None, scale=scale.limit or "own").scales([error])[0]
    return [Shown(heat, photo, scale, "the map"), Shown(error, photo, same, "its standard error, on the same scale")]


def together(maps: list[Heatmap], photos: Sequence[Photo], look: Look) -> list[Shown]:
    """Several maps; grainy ones are smoothed where they lie over a photo."""
    over = [photo is not None and grainy(one) for one, photo in zip(maps, photos, strict=True)]
    maps = [smoothed(one, look) if mean else one for one, mean in zip(maps, over, strict=True)]
    every = zip(maps, photos, look.scales(maps), over, strict=True)
    return [Shown(one, photo, scale, "", mean) for one, photo, scale, mean in every]


def _laid_out(heats: Sequence[Heatmap], shown: Sequence[Shown], title: str, look: Look) -> Sheet:
    theme, scales, maps = look.theme, [one.scale for one in shown], [one.heat for one in shown]
    columns = per_row(len(maps), _MOST)
    side = _SIDES.get(columns, 200.0)
    sizes = [_size(one.heat, one.photo is not None, side, look) for one in shown]
    single = look.scale == "own" or len({s.view for s in scales}) > 1 or any(one.name for one in shown)
    single |= len({heat.unit for heat in maps}) > 1
    bars = len(maps) if single else 1
    beside = ROOM + 10 if bars > 1 else 0.0
    cells = [max(max(wide for _, wide in sizes[k::columns]), 90.0) + beside for k in range(columns)]
    lefts = [MARGIN + sum(cells[:k]) + k * GAP for k in range(columns)]
    end = lefts[-1] + cells[-1]
    sheet = Sheet.sized(max(end + (0 if bars > 1 else ROOM + 10), 380 + MARGIN) + MARGIN, theme.paper)
    one = sum(map(len, heats)) == 1
    y = heading(sheet, title, words.subtitle(maps[0]) if one else _shared(heats), look)
    for start in range(0, len(maps), columns):
        row = range(start, min(start + columns, len(maps)))
        y = _named(sheet, shown, lefts, cells, y, look) if one else _captions(sheet, maps, row, lefts, cells, y, look)
        high = max(sizes[i][0] for i in row)
        for k, i in enumerate(row):
            under = shown[i].under(look)
            rect = panel(sheet, lefts[k], y, sizes[i], maps[i], under, scales[i], look, placed=under is not None)
            if bars > 1 or (i == row[-1] and start == 0):
                where = rect[2] + 10 if bars > 1 else end + 10
                opacity = None if under is None else look.opacity
                length = min(rect[3] - rect[1], 300.0) if bars > 1 else min(max(high, 110.0), 300.0)
                color_bar(sheet, where, rect[1], length, scales[i], maps[i].unit, theme, opacity)
        y += max(high, 122 if start == 0 and bars == 1 else 0) + GAP
    sheet.height = footnotes(sheet, y, _footnotes(heats, shown, look), look) + MARGIN
    return sheet


def _size(one: Heatmap, pictured: bool, side: float, look: Look) -> tuple[float, float]:
    high, wide = fitted(frame(one.views[0], pictured, look.crop)[1], (side, side * 1.3))
    return max(high, 24.0), max(wide, 24.0)


def heading(sheet: Sheet, title: str, below: str, look: Look) -> float:
    """Title and subtitle at the top of a sheet; returns where they end."""
    room = sheet.width - 2 * MARGIN
    y = sheet.paragraph(MARGIN, MARGIN - 4, title, TITLE, look.theme.ink, room, bold=True, most=3)
    if below:
        y = sheet.paragraph(MARGIN, y + 1, below, BODY, look.theme.quiet, room, most=4)
    return y + 10


def findings(
    sheet: Sheet, y: float, said: Sequence[str], look: Look, color: str = "", names: Collection[str] = ()
) -> float:
    """One-line conclusions below the heading, each with a bar of that color before it; returns where they end. Names
    stay as they are written."""
    for one in said:
        sheet.box((MARGIN, y + 2, MARGIN + 3, y + 13), fill=color or look.theme.accent)
        y = (
            sheet.paragraph(MARGIN + 10, y, sentence(one, names), BODY, look.theme.ink, sheet.width - 2 * MARGIN - 10)
            + 3
        )
    return y


def checked(sheet: Sheet, y: float, checks: Sequence[Check], look: Look) -> float:
    """The checks of a result that failed, in the color of warnings; returns where they end."""
    for one in checks:
        if not one.passed:
            sheet.box((MARGIN, y + 2, MARGIN + 3, y + 13), fill=look.theme.warning)
            text = f"Check failed: {one}{f': {one.text}' if one.text else ''}"
            y = sheet.paragraph(MARGIN + 10, y, text, BODY, look.theme.warning, sheet.width - 2 * MARGIN - 10) + 3
    return y


def footnotes(sheet: Sheet, y: float, notes: Sequence[str], look: Look) -> float:
    """Small gray lines at the bottom of a sheet; returns where they end."""
    for note in notes:
        y = sheet.paragraph(MARGIN, y, note, SMALL, look.theme.quiet, sheet.width - 2 * MARGIN, most=4) + 1
    return y


def _shared(heats: Sequence[Heatmap]) -> str:
    """The subtitle of several maps: what they have in common, such as that each is of its image's best guess."""
    parts = []
    for what in ("target", "layer", "net"):
        found = {getattr(heat.meta, what) for heat in heats}
        if len(found) == 1 and (value := found.pop()):
            parts.append(f"layer {value}" if what == "layer" else unplaced(value))
    return " · ".join(parts)


def _named(
    sheet: Sheet, shown: Sequence[Shown], lefts: list[float], cells: list[float], y: float, look: Look
) -> float:  # fmt: skip
    """What each of several panels of one map is."""
    if not any(one.name for one in shown):
        return y
    lines = [wrapped(one.name, SMALL, room - 8, lines=2) for one, room in zip(shown, cells, strict=True)]
    most = max(map(len, lines))
    for left, text in zip(lefts, lines, strict=True):
        sheet.lines(left, y + (most - len(text)) * SMALL * LEADING, text, SMALL, look.theme.quiet)
    return y + most * SMALL * LEADING + 3


def _captions(
    sheet: Sheet, maps: Sequence[Heatmap], row: range, lefts: list[float], cells: list[float], y: float, look: Look
) -> float:
    """What each panel of a row is: its image where images differ, its target where that differs or the image decides
    it; and its score.
    """
    by_target = len({one.meta.target for one in maps}) > 1 or any(one.meta.targets for one in maps)
    by_image = not by_target or len({one.meta.images for one in maps}) > 1
    captions = []
    for i, room in zip(row, cells, strict=False):
        meta, below = maps[i].meta, []
        image = unplaced(meta.images[0]) if meta.images else f"image {i}"
        first, *others = [image] * by_image + [meta.target or ""] * by_target
        for other in others:
            below += wrapped(other, SMALL, room, lines=3)
        below += [f"score {number(meta.score[0])}"] if meta.score else []
        captions.append((wrapped(first, BODY, room, bold=True, lines=3), below))
    tallest = max(len(lines) for lines, _ in captions)
    end = y
    for left, (lines, score) in zip(lefts, captions, strict=False):
        lower = y + (tallest - len(lines)) * BODY * LEADING
        lower = sheet.lines(left, lower, lines, BODY, look.theme.ink, bold=True)
        end = max(end, sheet.lines(left, lower, score, SMALL, look.theme.quiet))
    return end + 4


def _footnotes(heats: Sequence[Heatmap], shown: Sequence[Shown], look: Look) -> list[str]:
    maps, scale = [one.heat for one in shown], shown[0].scale
    how = [words.reading(scale.view, look.palette, words.meaning(maps))]
    if scale.clipped and isinstance(look.scale, str):
        how.append(f"colors end at {look.percentile_of(maps[0]):g} % of the magnitudes")
    if any(one.mean for one in shown) and not shown[-1].name:
        how.append(f"over the photos is the {said(heats[0], look)}")
    if shown[-1].photo is not None and not look.crop:
        how.append(next((told for one in maps if (told := words.unseen_note(one))), ""))
    if look.field:
        high, wide = maps[0].placement.patch
        what = "what the strongest cell looks at, other pixels reaching it through a gate" * maps[0].placement.gated
        what = what or "the receptive field of the strongest cell"
        how.append(f"outlined: {what}, {high:g} × {wide:g} pixels of the network's input")
    told = "; ".join(part for part in how if part)
    lines = [told[:1].upper() + told[1:] + "."] if told else []
    lines += filter(None, [words.doubtful(heats), words.shows(heats)])
    return [*lines, *words.few(words.notes_of(heats)), *filter(None, [words.origin(maps[0].meta)])]
