"""A hierarchy of classes from the root on the left, with the decisions about one image."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pellucid.draw.branches import Branches
from pellucid.draw.colors import Theme
from pellucid.draw.heatmaps import BODY, MARGIN, SMALL
from pellucid.draw.letters import percent, shortened, width, wrapped
from pellucid.draw.look import Look
from pellucid.draw.pictures import fitted_pixels
from pellucid.draw.sheet import Sheet
from pellucid.files import unplaced
from pellucid.result import DecisionTree

_ROW, _NAME, _BAR, _PHOTO = 21.0, 210.0, 90.0, 130.0
_SEEN = 0.02
"""The least probability of a node whose decision is written down."""


def dendrogram(sheet: Sheet, y: float, result: DecisionTree, tree: Branches, look: Look) -> float:
    """Lines as long as what they join is unlike, as thick as probable for the one image; returns where it ends."""
    walk = result.walk
    heights = np.zeros(len(result)) if result.heights is None else result.heights
    left, first = MARGIN, y
    if walk is not None:
        left = MARGIN + _PHOTO + 22
        first = y
        y = max(_asked(sheet, y, result, look), y)
    right = sheet.width - MARGIN - _NAME - (_BAR if walk is not None else 0.0)
    reach = max(float(heights[0]), 1e-12)
    place = {m: first + (k + 0.5) * _ROW for k, m in enumerate(tree.leaves)}
    for m in reversed(tree.inner):
        place[m] = sum(place[k] for k in tree.children[m]) / len(tree.children[m])

    def across(m: int) -> float:
        return right if m in tree.leaves else left + 8 + (right - left - 30) * (1 - float(heights[m]) / reach)

    for m in sorted(tree.inner, key=lambda one: 0.0 if walk is None else float(walk[one])):
        x = across(m)
        for child in sorted(tree.children[m], key=lambda one: 0.0 if walk is None else float(walk[one])):
            p = 0.0 if walk is None else float(walk[child])
            color, thick = _mixed(look.theme, p) if walk is not None else look.theme.quiet, 1.2 + 6 * p
            sheet.line((x, place[m]), (x, place[child]), color, thick)
            sheet.line((x - thick / 2, place[child]), (across(child), place[child]), color, thick)
    if walk is not None:
        _decisions(sheet, result, tree, place, across, look)
    for m in tree.leaves:
        _named(sheet, right, place[m], result, m, look)
    return max(first + len(tree.leaves) * _ROW, y) + 8


def _asked(sheet: Sheet, y: float, result: DecisionTree, look: Look) -> float:
    """The image that was asked, on the left."""
    rect = sheet.photo(MARGIN, y, fitted_pixels(result.pictures[-1], sheet.pixels(_PHOTO)))
    return sheet.lines(MARGIN, rect[3] + 4, wrapped(unplaced(result.walked), SMALL, _PHOTO, lines=2), SMALL,
                       look.theme.quiet)  # fmt: skip


def _decisions(
    sheet: Sheet, result: DecisionTree, tree: Branches, place: dict[int, float], across: Callable[[int], float],
    look: Look,
) -> None:  # fmt: skip
    """What is decided at each node that the image comes to: the probability of a child, given that node."""
    walk = result.walk
    for m in tree.inner:
        if walk is None or walk[m] < _SEEN:
            continue
        for child in tree.children[m]:
            said = percent(float(walk[child] / walk[m]))
            room = across(child) - across(m) - 8
            if width(said, SMALL - 0.5) < room and abs(place[child] - place[m]) > 5:
                up = 13 if place[child] < place[m] else -2
                sheet.lines(across(m) + 7, place[child] - up - 1, [said], SMALL - 0.5, look.theme.quiet)


def _named(sheet: Sheet, x: float, y: float, result: DecisionTree, m: int, look: Look) -> None:
    """A leaf: its classes, and how probable they are together."""
    p = None if result.walk is None else float(result.walk[m])
    strong = p is not None and p >= 0.5
    text = shortened(result.answers[m], BODY - 1, _NAME - 16, strong)
    color = look.theme.ink if p is None or p >= _SEEN else look.theme.quiet
    sheet.lines(x + 7, y - 8, [text], BODY - 1, color, bold=strong)
    if p is not None:
        start = x + _NAME
        sheet.box((start, y - 5, start + max((_BAR - 44) * p, 0.5), y + 5), fill=_mixed(look.theme, max(p, 0.2)))
        sheet.lines(start + _BAR, y - 7, [percent(p)], SMALL, look.theme.quiet, align="right")


def _mixed(theme: Theme, share: float) -> str:
    """From the faint color to that of the accent."""
    ends = [[int(one[i : i + 2], 16) for i in (1, 3, 5)] for one in (theme.faint, theme.accent)]
    share = min(max(share, 0.0), 1.0) ** 0.5
    return "#" + "".join(f"{round((1 - share) * a + share * b):02x}" for a, b in zip(*ends, strict=True))
