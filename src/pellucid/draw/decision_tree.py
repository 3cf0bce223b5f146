"""Decision trees: questions with what their units see, leaves with images that end there, and where proxies part."""

from __future__ import annotations

from typing import Any

from pellucid.draw import words
from pellucid.draw.axes import line_colors
from pellucid.draw.branches import Branches, branches_of
from pellucid.draw.dendrogram import dendrogram
from pellucid.draw.drawings import drawing
from pellucid.draw.heatmaps import BODY, GAP, MARGIN, SMALL, findings, footnotes, heading
from pellucid.draw.letters import LEADING, percent, shortened, wrapped
from pellucid.draw.look import Look
from pellucid.draw.picture import Picture
from pellucid.draw.pictures import fitted_pixels
from pellucid.draw.sheet import Sheet
from pellucid.draw.tables import tabled, wide
from pellucid.errors import PellucidError
from pellucid.files import unplaced
from pellucid.result import DecisionTree

_PHOTO, _GAP = 46.0, 4.0
_COLUMN, _BETWEEN, _ROW = 3 * (_PHOTO + _GAP), 40.0, 64.0
_LEAF = 190.0
_PARTED, _MOST = 104.0, 24
"""Width of an image that parts, and leaves that are drawn."""


@drawing(DecisionTree)
def draw_decision_tree(
    result: DecisionTree, over: Any = None, *, title: str | None = None, dark: bool = False
) -> Picture:
    """The tree from the root on the left to the leaves on the right; lines are as thick as many images take them.

    Of a hierarchy of classes it is a dendrogram, and lines are as thick as probable for the one image that was asked.
    """
    look = Look(dark=dark)
    if over is not None:
        raise PellucidError("a decision tree is not drawn over images: draw it without over=")
    title = title or words.title_of(result.meta)
    tree = branches_of(result, _MOST)
    table = result.tables.get("scores")
    ways = max(tree.depth.values())
    width = ways * (_COLUMN + _BETWEEN) + _LEAF + _COLUMN if result.heights is None else 820.0
    least = 720.0 if table is None else max(wide(table), 720.0)
    sheet = Sheet.sized(max(width, least) + 2 * MARGIN, look.theme.paper)
    y = heading(sheet, title, words.below(result.meta, result.meta.target), look)
    y = findings(sheet, y, result.findings, look, names=words.names_in(result)) + 12
    y = _drawn(sheet, y, result, tree, look) if result.heights is None else dendrogram(sheet, y, result, tree, look)
    y = _parted(sheet, y + GAP, result, look)
    if table is not None and len(table):
        y = sheet.lines(MARGIN, y, ["How faithful it is"], BODY + 1.5, look.theme.accent, bold=True) + 5
        y = tabled(sheet, y, table, look) + GAP
    notes = [_key(result), *words.noted(result.meta), *filter(None, [words.origin(result.meta)])]
    if tree.folded:
        notes.insert(1, f"{len(tree.leaves)} of {len(result.leaves)} leaves are drawn: the others are folded together.")
    sheet.height = footnotes(sheet, y, notes, look) + MARGIN
    told = [one.rstrip(".") for one in result.findings]
    alt = f"{title}: {'. '.join(told) or f'{len(result.leaves)} leaves'}."
    return Picture(sheet, alt, words.about(result.meta, title, alt))


def _drawn(sheet: Sheet, y: float, result: DecisionTree, tree: Branches, look: Look) -> float:
    """Questions in columns by depth, leaves one below the other; returns where they end."""
    colors = _colors(result, tree, look)
    tall = {m: _height(result, m) for m in tree.leaves}
    place, down = dict[int, float](), y
    for m in tree.leaves:
        place[m] = down + tall[m] / 2
        down += tall[m]
    for m in reversed(tree.inner):
        place[m] = sum(place[k] for k in tree.children[m]) / len(tree.children[m])
    left = {m: MARGIN + depth * (_COLUMN + _BETWEEN) for m, depth in tree.depth.items()}
    for m in tree.inner:
        for child in tree.children[m]:
            thick = max(9 * float(result.shares[child]), 0.8)
            color = colors[result.answers[child]]
            start, turn = left[m] + _COLUMN, left[m] + _COLUMN + 11
            sheet.line((start - 2, place[m]), (turn, place[m]), look.theme.faint, 1.0)
            sheet.line((turn, place[m]), (turn, place[child]), color, thick)
            sheet.line((turn - thick / 2, place[child]), (left[child] - 5, place[child]), color, thick)
            said = result.sides[child]
            sheet.lines(turn + 6, place[child] - thick / 2 - 13, [said], SMALL - 0.5, look.theme.quiet)
    for m in tree.inner:
        _question(sheet, left[m], place[m], result, m, look)
    for m in tree.leaves:
        _leaf(sheet, left[m], place[m], result, m, colors[result.answers[m]], look)
    return down


def _height(result: DecisionTree, m: int) -> float:
    """Of a leaf's row."""
    return _ROW if result.shown.shape[1] else 40.0


def _colors(result: DecisionTree, tree: Branches, look: Look) -> dict[str, str]:
    """A color for each answer."""
    names = list(dict.fromkeys(result.answers[m] for m in (*tree.leaves, *tree.inner)))
    return dict(zip(names, line_colors(len(names), look.theme), strict=True))


def _question(sheet: Sheet, x: float, y: float, result: DecisionTree, m: int, look: Look) -> None:
    """What a node asks, and what its units see."""
    rows = [int(p) for p in result.shown[m] if p >= 0][:3]
    lines = wrapped(result.questions[m], SMALL, _COLUMN - 6, bold=True, lines=3)
    high = len(lines) * SMALL * LEADING + (_PHOTO + 3 if rows else 0)
    top = sheet.lines(x, y - high / 2, lines, SMALL, look.theme.ink, bold=True) + 2
    for k, p in enumerate(rows):
        sheet.photo(x + k * (_PHOTO + _GAP), top, fitted_pixels(result.pictures[p], sheet.pixels(_PHOTO)))


def _leaf(sheet: Sheet, x: float, y: float, result: DecisionTree, m: int, color: str, look: Look) -> None:
    """What is answered, for how many images, how often rightly for the network, and images that end there."""
    sheet.box((x - 5, y - 19, x - 1, y + 19), fill=color)
    agreed = result.agreement[m]
    says = "no image" if not result.shares[m] else f"{percent(float(result.shares[m]))} of images"
    told = f"{says}, network agrees on {percent(float(agreed))}" if agreed == agreed else says
    lines = wrapped(told, SMALL, _LEAF - 16, lines=2)
    top = sheet.lines(x + 5, y - 19, [shortened(result.answers[m], BODY, _LEAF - 16, True)], BODY, look.theme.ink,
                      bold=True)  # fmt: skip
    sheet.lines(x + 5, top, lines, SMALL, look.theme.quiet)
    for k, p in enumerate([int(p) for p in result.shown[m] if p >= 0][:3]):
        at = x + _LEAF + k * (_PHOTO + _GAP)
        sheet.photo(at, y - _PHOTO / 2, fitted_pixels(result.pictures[p], sheet.pixels(_PHOTO)))


def _parted(sheet: Sheet, y: float, result: DecisionTree, look: Look) -> float:
    """Images of which the proxy says something else; returns where they end."""
    if not result.parted:
        return y
    theme = look.theme
    y = sheet.lines(MARGIN, y, ["Where it and the network part"], BODY + 1.5, theme.accent, bold=True) + 5
    side, end = _PARTED - 8, y
    fits = max(int((sheet.width - 2 * MARGIN) / _PARTED), 1)
    for k, one in enumerate(result.parted[:fits]):
        x = MARGIN + k * _PARTED
        rect = sheet.photo(x, y, fitted_pixels(result.pictures[one.shown], sheet.pixels(side)))
        low = rect[3] + 4
        told = {f"network: {one.network}": theme.ink, f"proxy: {one.proxy}": theme.warning}
        if one.label is not None:
            told[f"label: {one.label}"] = theme.quiet
        for text, color in told.items():
            low = sheet.lines(x, low, wrapped(text, SMALL - 0.5, side, lines=2), SMALL - 0.5, color)
        name = shortened(unplaced(one.image), SMALL - 0.5, side)
        end = max(end, sheet.lines(x, low, [name], SMALL - 0.5, theme.quiet))
    return end + GAP


def _key(result: DecisionTree) -> str:
    if result.heights is not None:
        said = "Classes are joined by the weights of the last layer, the longer a line the less alike they are."
        return f"{said} Percentages are the decisions about the one image." if result.walk is not None else said
    return (
        "Lines are as thick as many held-out images take them, in the color of the most frequent answer below. The "
        "pictures of a question are what its units are most excited by, those of a leaf images that end there."
    )
