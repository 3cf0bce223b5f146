"""Synthetic pictures: each with what it shows, and with what it is worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field

from pellucid.described import Default
from pellucid.draw import words
from pellucid.draw.drawings import drawing
from pellucid.draw.heatmaps import BODY, GAP, MARGIN, SMALL, footnotes, heading
from pellucid.draw.letters import number, width, wrapped
from pellucid.draw.look import Look
from pellucid.draw.picture import Picture
from pellucid.draw.sheet import Pixels, Rect, Sheet
from pellucid.errors import PellucidError
from pellucid.files import unplaced
from pellucid.result import Pictures, Trust
from pellucid.result.pictures import ENOUGH

_SIDES = {1: 420.0, 2: 320.0, 3: 260.0, 4: 220.0}
_MOST = 5  # in a row
_WARNING = {False: "#c2331f", True: "#ff8a70"}
_FRAME = 3.0
_TOLD = 8  # pictures whose caption the alternative text repeats


@drawing(Pictures)
def draw_pictures(
    result: Pictures, over: Any = None, *, title: str | None = None, dark: bool = False,
    columns: Annotated[
        int | None, Field(ge=1, description="number of pictures in a row"), Default("as many as belong together")
    ] = None,
) -> Picture:  # fmt: skip
    """All pictures in a grid, each above its name, its facts and its trust; what belongs beside it to its left.

    A picture that is adversarial noise is framed and says so.
    """
    look = Look(dark=dark)
    if not len(result):
        raise PellucidError("there are no pictures to draw")
    if columns is not None and columns < 1:
        raise PellucidError(f"columns={columns}: at least 1")
    title = title or (words.title_of(result.meta) if result.meta.method or result.meta.title else "Pictures")
    plan = _plan(result, columns)
    sheet = Sheet.sized(max(plan.width, 380.0) + 2 * MARGIN, look.theme.paper)
    y = heading(sheet, title, _below(result), look)
    y = _rows(sheet, y, result, plan, look)
    notes = [*_legend(result), *words.noted(result.meta), *filter(None, [words.origin(result.meta)])]
    sheet.height = footnotes(sheet, y, notes, look) + MARGIN
    alt = _alt(result, title)
    return Picture(sheet, alt, words.about(result.meta, title, alt))


@dataclass(frozen=True)
class _Plan:
    """How pictures are laid out: `across` in a row, `side` wide, those that belong beside all of a row `once`."""

    across: int
    side: float
    cell: float
    lead: int
    once: bool

    @property
    def width(self) -> float:
        """Of a row."""
        return self.lead * (self.side + GAP) + self.across * (self.cell + GAP) - GAP


def _plan(result: Pictures, columns: int | None = None, room: float | None = None) -> _Plan:
    """With a `room` no row is wider than that."""
    each = 1 + len(result.beside)
    across = columns or result.columns or min(len(result), max(_MOST // each, 1))
    once = across == result.columns and _alike(result, across)
    lead, each = (each - 1, 1) if once else (0, each)
    side = _SIDES.get(lead + across * each, 180.0)
    if room is not None:
        side = min(side, (room + GAP) / (lead + across * each) - GAP)
    return _Plan(across, side, each * (side + GAP) - GAP, lead, once)


def _rows(sheet: Sheet, y: float, result: Pictures, plan: _Plan, look: Look) -> float:
    """All rows; returns where they end."""
    side = plan.side
    for start in range(0, len(result), plan.across):
        ends = [_beside(sheet, MARGIN, y, side, result, start, look)] if plan.once else []
        left = MARGIN + plan.lead * (side + GAP)
        ends += [
            _one(sheet, left + k * (plan.cell + GAP), y, side, result, i, look, alone=plan.once)
            for k, i in enumerate(range(start, min(start + plan.across, len(result))))
        ]
        y = max(ends) + GAP
    return y


def pictured(sheet: Sheet, y: float, result: Pictures, look: Look, room: float) -> float:
    """The pictures as a part of a larger drawing, in rows at most `room` wide; returns where they end."""
    return _rows(sheet, y, result, _plan(result, room=room), look)


def summed(result: Pictures) -> str:
    """What the pictures show, in words."""
    return _alt(result, "")[2:].rstrip(".")


def _below(result: Pictures) -> str:
    asked = result.meta.target
    alone = asked is not None and (asked in result.names or ";" in asked)  # the captions name them
    return " · ".join(filter(None, [None if alone else asked, result.meta.layer, unplaced(result.meta.net)]))


def _alike(result: Pictures, across: int) -> bool:
    """Whether the same pictures belong beside all of a row: they are then shown once, at its start."""
    return all(
        np.array_equal(values[i], values[i - i % across])
        for values in result.beside.values()
        for i in range(len(result))
    )


def _one(
    sheet: Sheet, left: float, top: float, side: float, result: Pictures, i: int, look: Look, *, alone: bool
) -> float:
    """Picture i, unless `alone` with what is shown beside it, and its caption; returns where it ends."""
    bottom = top if alone else _beside(sheet, left, top, side, result, i, look)
    at = left + (0 if alone else len(result.beside)) * (side + GAP)
    rect, y = _named(sheet, at, top, side, result.names[i], result.pixels[i], look)
    return max(bottom, _caption(sheet, at, y, side, rect, result, i, look))


def _beside(sheet: Sheet, left: float, top: float, side: float, result: Pictures, i: int, look: Look) -> float:
    """What belongs beside picture i; returns where it ends."""
    shown = enumerate(result.beside.items())
    ends = [_named(sheet, left + k * (side + GAP), top, side, name, values[i], look)[1] for k, (name, values) in shown]
    return max(ends, default=top)


def _named(
    sheet: Sheet, left: float, top: float, side: float, name: str, pixels: NDArray[np.uint8], look: Look
) -> tuple[Rect, float]:
    """A picture above its name: where it is, and where the name ends."""
    rect = sheet.photo(left, top, fitted_pixels(pixels, sheet.pixels(side)))
    lines = wrapped(name, BODY, side, bold=True, lines=2)
    return rect, sheet.lines(left, rect[3] + 4, lines, BODY, look.theme.ink, bold=True)


def _caption(
    sheet: Sheet, left: float, y: float, side: float, rect: Rect, result: Pictures, i: int, look: Look
) -> float:
    """What was measured of picture i, and a frame around it where it is noise; returns where it ends."""
    trust = result.trust[i] if result.trust else None
    if trust is not None and trust.adversarial:
        color, inner = _WARNING[look.dark], _FRAME / 2
        inside = (rect[0] + inner, rect[1] + inner, rect[2] - inner, rect[3] - inner)
        sheet.box(inside, edge=color, line=_FRAME)
        y = sheet.paragraph(left, y, alarm(trust), SMALL, color, side, bold=True)
    lines = _unbroken([*_facts(result, i), *_worth(trust)], side)
    return sheet.lines(left, y, lines, SMALL, look.theme.quiet)


def _unbroken(parts: list[str], room: float) -> list[str]:
    """The parts in lines, with a dot between; a line ends between two parts if that is possible."""
    lines: list[str] = []
    for part in parts:
        longer = f"{lines[-1]} {part}" if lines else part
        if lines and width(f"{longer} ·", SMALL) <= room:
            lines[-1] = f"{longer} ·"
        else:
            lines += wrapped(f"{part} ·", SMALL, room)
    return [*lines[:-1], lines[-1].removesuffix(" ·")] if lines else []


def said(result: Pictures, i: int) -> str:
    """What was measured of picture i, in words."""
    return " · ".join([*_facts(result, i), *(trusted(result.trust[i]) if result.trust else ())])


def trusted(trust: Trust) -> list[str]:
    """A trust in words, worst first."""
    return [*([alarm(trust)] if trust.adversarial else []), *_worth(trust)]


def alarm(trust: Trust) -> str:
    """What is wrong with a picture that is noise."""
    least, when = _left(trust) or (0.0, "")
    return f"adversarial noise: keeps {'nothing' if least <= 0 else _whole(least)} {when}".rstrip()


def _left(trust: Trust) -> tuple[float, str] | None:
    """The least that is left of the activation, and of what touch."""
    shares = [(trust.shift_retention, "when shifted by 4 pixels"), (trust.perturb_retention, "under small touches")]
    return min(((share, when) for share, when in shares if share is not None), default=None)


def _facts(result: Pictures, i: int) -> list[str]:
    return [f"{name} {number(values[i])}" for name, values in result.facts.items()]


def _worth(trust: Trust | None) -> list[str]:
    """Against real photos where there are any, else by itself; what is unknown is said once, below all pictures."""
    if trust is None:
        return []
    parts = []
    if trust.ratio is not None:
        parts.append(f"{_short(trust.ratio)} × the best of {trust.real_images} photo{'s' * (trust.real_images != 1)}")
    elif trust.activation is not None:
        parts.append(f"activation {number(trust.activation)}")
    if trust.robustness is not None:
        parts.append(f"robust {_short(trust.robustness)} ×")
    elif (left := _left(trust)) is not None and not trust.adversarial:
        parts.append(f"keeps {_whole(left[0])}")
    if trust.rank is not None:
        parts.append(f"rank {trust.rank} of {trust.channels}")
    if trust.agreement is not None:
        parts.append(f"seeds agree {_short(trust.agreement)}")
    return parts


def _legend(result: Pictures) -> list[str]:
    """What the words of the captions mean, as far as they occur."""
    trust = result.trust or ()
    lines = []
    if any(one.ratio is not None for one in trust):
        few = any(t.real_images < ENOUGH for t in trust)
        mean = "plain gray's activation" if few else "the mean over the photos"
        zero = f", counted from {mean} where it can be negative" if any(t.offset for t in trust) else ""
        lines.append(f"× the best: the target's activation on the saved picture over that of the best photo{zero}.")
    robust, left = any(one.robustness is not None for one in trust), any(_left(one) for one in trust)
    if robust:
        lines.append("Robust: the same under small touches, of the picture and of the photo.")
    elif left:
        lines.append(
            "Keeps: how much activation, above plain gray's, remains after a shift of 4 pixels or small touches."
        )
    if robust or left:
        lines.append("Small touches: shifts, turns, zooms, noise and JPEG at once.")
    if any(one.rank is not None for one in trust):
        raw = any(one.raw_rank for one in trust)
        how = "raw activation" if raw else "how far it lies above its mean over the photos, in standard deviations"
        lines.append(f"Rank: of the target among its layer's channels, or the classes, by {how}.")
    if any(one.agreement is not None for one in trust):
        lines.append("Seeds agree: cosine similarity, in the target's layer, to the other pictures of the same target.")
    channels = {one.shape[-1] for one in result.pixels} - {1, 3}
    if channels:
        most = max(channels)
        lines.append(f"Shown: the first {'three ' if most > 3 else ''}of {most} channels.")
    return [" ".join(lines)] if lines else []


def _alt(result: Pictures, title: str) -> str:
    told = [f"{name} ({said(result, i)})" if said(result, i) else name for i, name in enumerate(result.names)]
    more = f"; and {len(told) - _TOLD} more" if len(told) > _TOLD else ""
    count = f"{len(told)} pictures: " if len(told) > 1 else ""
    return f"{title}: {count}{'; '.join(told[:_TOLD])}{more}."


def _short(value: float) -> str:
    """One decimal, or two below one: a caption is read, not calculated with."""
    text = f"{value:.1f}" if 0.95 <= abs(value) < 99.5 else f"{value:.2f}" if abs(value) < 0.95 else number(value)
    return text.replace("-", "−")


def _whole(share: float) -> str:
    return f"{100 * share:.0f} %".replace("-", "−")


def fitted_pixels(pixels: NDArray[np.uint8], side: int) -> Pixels:
    """A picture (H, W, C) as colors whose longer side is `side`; a tiny one is enlarged by whole pixels instead."""
    height, width, channels = pixels.shape
    colors = pixels[..., :3] if channels >= 3 else pixels[..., :1].repeat(3, axis=-1)
    factor = side / max(height, width)
    if factor >= 4:
        return np.asarray(colors.repeat(int(factor), axis=0).repeat(int(factor), axis=1))
    size = (max(round(width * factor), 1), max(round(height * factor), 1))
    return np.asarray(Image.fromarray(np.ascontiguousarray(colors)).resize(size, Image.Resampling.LANCZOS))
