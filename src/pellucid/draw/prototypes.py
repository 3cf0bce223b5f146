"""Prototypes: each large, above the nearest of the images that it stands for; criticisms in a row below."""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.draw import words
from pellucid.draw.drawings import drawing
from pellucid.draw.heatmaps import BODY, MARGIN, SMALL, findings, footnotes, heading
from pellucid.draw.letters import number, percent, shortened
from pellucid.draw.look import Look
from pellucid.draw.picture import Picture
from pellucid.draw.pictures import fitted_pixels
from pellucid.draw.sheet import Sheet
from pellucid.errors import PellucidError
from pellucid.files import unplaced
from pellucid.result import Group, Prototypes

_SIDE, _NEAR, _CRITIC, _GAP = 132.0, 41.0, 100.0, 15.0
_WIDE = 2 * MARGIN + 6 * (_SIDE + _GAP) - _GAP
_GROUPS, _MOST = 12, 24  # groups, and prototypes and criticisms of each, that are drawn


@drawing(Prototypes)
def draw_prototypes(result: Prototypes, over: Any = None, *, title: str | None = None, dark: bool = False) -> Picture:
    """For each group its prototypes with what they stand for, and its criticisms."""
    look = Look(dark=dark)
    if over is not None:
        raise PellucidError("prototypes are not drawn over images: draw them without over=")
    if not len(result):
        raise PellucidError("there are no groups: nothing to draw")
    title = title or words.title_of(result.meta)
    sheet = Sheet.sized(_WIDE, look.theme.paper)
    y = heading(sheet, title, " · ".join(filter(None, [f"space {result.space}", unplaced(result.meta.net)])), look)
    y = findings(sheet, y, result.findings, look) + 10
    for i, group in enumerate(result.groups[:_GROUPS]):
        y = _group(sheet, y, group, dict(result.table.rows[i]), look, alone=len(result) == 1)
    notes = [
        "Below each prototype: the share of the images that it is nearest to, its weight where weights differ, how "
        "many of these images have its class, and the nearest of them. Criticisms: + where the prototypes stand for "
        "too little around it, − for too much."
    ]
    if len(result) > _GROUPS:
        notes.append(f"Shown are {_GROUPS} of {len(result)} groups; result[i] is one.")
    largest = max(max(len(one), len(one.criticisms)) for one in result.groups)
    if largest > _MOST:
        notes.append(f"Shown are {_MOST} of up to {largest} in each group.")
    notes += [*words.noted(result.meta), *filter(None, [words.origin(result.meta)])]
    sheet.height = footnotes(sheet, y, notes, look) + MARGIN
    alt = f"{title}: {'; '.join(_spoken(one) for one in result.groups[:3])}."
    return Picture(sheet, alt, words.about(result.meta, title, alt))


def _group(sheet: Sheet, y: float, group: Group, row: dict[str, Any], look: Look, *, alone: bool) -> float:
    theme = look.theme
    if not alone:
        sheet.line((MARGIN, y - 4), (sheet.width - MARGIN, y - 4), theme.faint)
    told = [f"{len(group)} prototypes of {group.total} images"]
    if not alone:
        told.append(f"MMD² {number(row['MMD²'])}, at random {number(row['random MMD²'])}")
        told += [f"{name} {percent(row[name])}, at random {percent(row[f'random {name}'])}"
                 for name in ("1-NN", "precision") if row[name] is not None]  # fmt: skip
    y = sheet.lines(MARGIN, y, [shortened(group.name, BODY + 1, 700.0, True)], BODY + 1, theme.ink, bold=True)
    y = sheet.lines(MARGIN, y, [shortened(" · ".join(told), SMALL, sheet.width - 2 * MARGIN)], SMALL, theme.quiet) + 5
    across = int((sheet.width - 2 * MARGIN + _GAP) // (_SIDE + _GAP))
    shown = min(len(group), _MOST)
    for start in range(0, shown, across):
        row_of = range(start, min(start + across, shown))
        y = max(_prototype(sheet, MARGIN + k * (_SIDE + _GAP), y, group, p, look) for k, p in enumerate(row_of)) + 12
    if len(group.criticisms):
        y = sheet.lines(MARGIN, y, ["Criticisms: what the prototypes stand for worst"], SMALL, theme.quiet, bold=True)
        y += 4
    across = int((sheet.width - 2 * MARGIN + _GAP) // (_CRITIC + _GAP))
    shown = min(len(group.criticisms), _MOST)
    for start in range(0, shown, across):
        row_of = range(start, min(start + across, shown))
        y = max(_criticism(sheet, MARGIN + k * (_CRITIC + _GAP), y, group, c, look) for k, c in enumerate(row_of)) + 10
    return y + 8


def _prototype(sheet: Sheet, x: float, y: float, group: Group, p: int, look: Look) -> float:
    theme = look.theme
    rect = sheet.photo(x, y, fitted_pixels(group.pictures[p], sheet.pixels(_SIDE)))
    about = _called(group, group.labels[p], group.names[p])
    low = sheet.lines(x, rect[3] + 4, [shortened(f"{p + 1}. {about}", BODY, _SIDE, True)], BODY, theme.ink, bold=True)
    even = np.allclose(group.weights, group.weights[0])
    lines = [f"stands for {percent(float(group.coverage[p]))}"]
    lines += [] if even else [f"weight {number(float(group.weights[p]))}"]
    low = sheet.lines(x, low, lines, SMALL, theme.quiet)
    mixed = group.purity[p]
    if mixed is not None and len({*group.labels}) > 1:
        low = sheet.lines(x, low, [f"{mixed:.0%} share its class"], SMALL, theme.quiet)
    low += 4
    for k in np.flatnonzero(group.stood_for[p] >= 0).tolist():
        sheet.photo(x + k * (_NEAR + 4.5), low, fitted_pixels(group.small[p, k], sheet.pixels(_NEAR)))
    return low + _NEAR


def _criticism(sheet: Sheet, x: float, y: float, group: Group, c: int, look: Look) -> float:
    theme = look.theme
    rect = sheet.photo(x, y, fitted_pixels(group.criticism_pictures[c], sheet.pixels(_CRITIC)))
    about = _called(group, group.criticism_labels[c], group.criticism_names[c])
    low = sheet.lines(x, rect[3] + 3, [shortened(about, SMALL, _CRITIC, True)], SMALL, theme.ink, bold=True)
    value = f"{group.witness[c]:+.3f}".replace("-", "−")
    return sheet.lines(x, low, [f"{value} · near {group.beside[c] + 1}"], SMALL, theme.quiet)


def _called(group: Group, label: str, name: str) -> str:
    """The class of an image; where it is that of the whole group, or unknown, its name."""
    return label if label not in ("", group.name) else unplaced(name).rsplit("/", 1)[-1]


def _spoken(group: Group) -> str:
    """A group, for those who do not see it."""
    first = ", ".join(f"{_called(group, label, name)} for {percent(float(share))}" for label, name, share in
                      zip(group.labels[:3], group.names, group.coverage, strict=False))  # fmt: skip
    rest = ", ".join(_called(group, label, name) for label, name in
                     zip(group.criticism_labels[:3], group.criticism_names, strict=False))  # fmt: skip
    worst = f"; criticisms {rest}" if rest else ""
    return f"{len(group)} prototypes of {group.total} images, {group.name}: {first}{worst}"
