"""Building blocks: of one layer as cards around the photo, of several as columns from the photo to the class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pellucid.draw import words
from pellucid.draw.colors import distinct
from pellucid.draw.drawings import drawing
from pellucid.draw.heatmaps import BODY, GAP, MARGIN, SMALL, findings, footnotes, heading
from pellucid.draw.letters import number, shortened
from pellucid.draw.lit import bar, card, colored, largest, largest_share, plus, rest_of, signs
from pellucid.draw.look import Look
from pellucid.draw.pathways import drawn
from pellucid.draw.picture import Picture
from pellucid.draw.pictures import fitted_pixels
from pellucid.draw.sheet import Rect, Sheet
from pellucid.errors import PellucidError
from pellucid.files import unplaced
from pellucid.result.blocks import BlockLayer, Blocks

_PHOTO, _SIDE, _CELL, _UNIT = 300.0, 118.0, 160.0, 112.0


@drawing(Blocks)
def draw_blocks(result: Blocks, over: Any = None, *, title: str | None = None, dark: bool = False) -> Picture:
    """Each image by itself: its groups with picture, map and share, and the ways between them."""
    look = Look(dark=dark)
    if not len(result) or not result.layers:
        raise PellucidError("there are no blocks to draw")
    title = title or words.title_of(result.meta)
    several = len(result.layers) > 1
    sheets = []
    for i in range(len(result)):
        one = result[i] if len(result) > 1 else result
        cells = result.layers[0].cells is not None
        drawn_by = _dictionary if cells else _columns if several else _cards
        sheets.append(drawn_by(one, title, look, last=i == len(result) - 1))
    alt = f"{title}: {'; '.join(_spoken(result, i) for i in range(min(len(result), 3)))}."
    return Picture(Sheet.stacked(sheets), alt, words.about(result.meta, title, alt))


def _below(result: Blocks) -> str:
    meta = result.meta
    score = f"score {number(meta.score[0])}" if meta.score else ""
    image = unplaced(meta.images[0]) if meta.images else ""
    return " · ".join(filter(None, [image, meta.target, score, unplaced(meta.net)]))


def _cards(result: Blocks, title: str, look: Look, last: bool) -> Sheet:
    """One layer: the photo with all groups in their colors, and a card for each."""
    layer, theme = result.layers[0], look.theme
    count = layer.shares.shape[1]
    across = 2 if count <= 4 else 3
    room = _SIDE * (2 if layer.pictures is not None else 1) + 8
    sheet = Sheet.sized(2 * MARGIN + _PHOTO + GAP + across * (room + 2 * GAP), theme.paper)
    y = heading(sheet, title, _below(result), look)
    y = findings(sheet, y, result.findings, look, names=words.names_in(result)) + 8
    colors = distinct(count, look.dark)
    photo = result.photos[0]
    rect = sheet.photo(MARGIN, y, colored(photo, layer, colors, sheet.pixels(_PHOTO), look))
    end = _shares(sheet, MARGIN, rect[3] + 10, _PHOTO, layer, colors, result, look)
    left, most = MARGIN + _PHOTO + 2 * GAP, largest(result)
    for k in range(count):
        x, top = left + (k % across) * (room + 2 * GAP), y + (k // across) * (_SIDE + 52)
        shown = card(sheet, x, top, _SIDE, photo, layer, k, colors[k], look)
        low = bar(sheet, x, shown[3] + 5, room, float(layer.shares[0, k]), most, colors[k], look)
        units = f"units {', '.join(map(str, layer.units[0, k, :4].tolist()))} …"
        said = units if layer.agreement is None else f"agrees {layer.agreement[0, k]:.2f} · {units}"
        low = sheet.lines(x, low + 1, [shortened(said, SMALL, room)], SMALL, theme.quiet)
        end = max(end, low)
    notes = _notes(result) if last else []
    sheet.height = footnotes(sheet, end + 8, notes, look) + MARGIN
    return sheet


def _shares(
    sheet: Sheet, left: float, y: float, room: float, layer: BlockLayer, colors: Sequence[str], result: Blocks,
    look: Look,
) -> float:  # fmt: skip
    """How the score is made up: what all blocks hold, what they leave over, and what biases add behind the layer."""
    theme = look.theme
    total, residual = float(layer.total[0]), float(layer.residual[0])
    rows = [("all groups", total - residual, theme.ink), ("left over by the groups", residual, theme.quiet)]
    rows += [(name, value, theme.faint) for name, value in rest_of(result, layer)]
    most = max(abs(value) for _, value, _ in rows)
    y = sheet.lines(left, y, [f"{result.meta.target or 'score'}, in {result.unit or 'its unit'}"], BODY, theme.ink,
                    bold=True) + 3  # fmt: skip
    for name, value, color in rows:
        y = sheet.lines(left, y, [name], SMALL, theme.quiet)
        y = bar(sheet, left, y, room, value, most, color, look) + 3
    return y


def _columns(result: Blocks, title: str, look: Look, last: bool) -> Sheet:
    """Several layers: the photo, a column for each with its groups below one another, and the class."""
    sheet, y = drawn(result, title, _below(result), look)
    sheet.height = footnotes(sheet, y + 8, _notes(result) if last else [], look) + MARGIN
    return sheet


def _dictionary(result: Blocks, title: str, look: Look, last: bool) -> Sheet:
    """Cells of a layer: for each the photo with the cell, and its units, each with picture and patch."""
    theme, first = look.theme, result.layers[0]
    shown = [one for one in (first.pictures, first.patches) if one is not None]
    room, count = max(len(shown), 1) * (_UNIT + 3), first.shares.shape[1]
    sheet = Sheet.sized(2 * MARGIN + _CELL + GAP + count * (room + GAP), theme.paper)
    y = heading(sheet, title, " · ".join([f"layer {first.layer}", _below(result)]), look)
    for layer in result.layers:
        rect = sheet.photo(MARGIN, y, fitted_pixels(result.photos[0], sheet.pixels(_CELL)))
        _marked(sheet, rect, result, layer)
        low = sheet.lines(MARGIN, rect[3] + 3, [_cell(layer, 0)], BODY, theme.ink, bold=True)
        whole = f"{plus(float(layer.total[0]))} in all, {plus(float(layer.residual[0]))} not shown"
        low = sheet.lines(MARGIN, low, [shortened(whole, SMALL, _CELL)], SMALL, theme.quiet)
        for k in range(count):
            x = MARGIN + _CELL + GAP + k * (room + GAP)
            low = max(low, _unit(sheet, x, y, room, result, layer, k, look))
        y = low + GAP
    notes = _notes(result) if last else []
    sheet.height = footnotes(sheet, y, notes, look) + MARGIN
    return sheet


def _cell(layer: BlockLayer, i: int) -> str:
    return "" if layer.cells is None else f"cell {layer.cells[i, 0]},{layer.cells[i, 1]}"


def _marked(sheet: Sheet, rect: Rect, result: Blocks, layer: BlockLayer) -> None:
    """The place of the cell on the photo, as large as cells are apart."""
    if layer.cells is None:
        return
    high, wide = result.photos.shape[1:3]
    rows, columns = layer.placement.centers(*layer.values.shape[2:])
    y, x = rows[layer.cells[0, 0]] + 0.5, columns[layer.cells[0, 1]] + 0.5
    down, across = (rect[3] - rect[1]) / high, (rect[2] - rect[0]) / wide
    half = layer.placement.jump[0] / 2, layer.placement.jump[1] / 2
    top, low = (min(max(one, 0), high) for one in (y - half[0], y + half[0]))
    left, right = (min(max(one, 0), wide) for one in (x - half[1], x + half[1]))
    box = (rect[0] + left * across, rect[1] + top * down, rect[0] + right * across, rect[1] + low * down)
    sheet.box(box, edge="#000000", line=4.0, opacity=0.6)
    sheet.box(box, edge="#ffffff", line=2.0)


def _unit(
    sheet: Sheet, left: float, top: float, room: float, result: Blocks, layer: BlockLayer, k: int, look: Look
) -> float:
    """A unit of a cell: its picture, its patch, its activation and its share; returns where it ends."""
    x, low = left, top
    for pictures in (layer.pictures, layer.patches):
        if pictures is not None:
            rect = sheet.photo(x, top, fitted_pixels(pictures[0, k], sheet.pixels(_UNIT)))
            x, low = rect[2] + 3, rect[3]
    low = sheet.lines(left, low + 3, [f"unit {layer.units[0, k, 0]}"], SMALL + 1, look.theme.ink, bold=True)
    value = "" if layer.activations is None else f"activation {number(float(layer.activations[0, k]))}"
    low = sheet.lines(left, low, [shortened(value, SMALL, room)], SMALL, look.theme.quiet)
    color = signs(look)[0 if layer.shares[0, k] > 0 else 1]
    return bar(sheet, left, low + 1, room - 3, float(layer.shares[0, k]), largest_share(result), color, look)


def _notes_of_cells(result: Blocks) -> list[str]:
    real = ", and the patch of a real image that excites it most" if result.layers[0].patches is not None else ""
    how = (
        f"Each unit: a picture made for it{real}. The bar is what it adds to the score in this cell (activation × "
        "gradient, the mean on the way from no activation). Framed: the place of the cell; it sees more of the image."
    )
    return [how, *words.noted(result.meta), *filter(None, [words.origin(result.meta)])]


def _notes(result: Blocks) -> list[str]:
    if result.layers[0].cells is not None:
        return _notes_of_cells(result)
    made = any(one.pictures is not None for one in result.layers)
    how = "Each group: " + ("a picture made for it, and " if made else "") + "the photo where it is active."
    path = any(one.empty is not None for one in result.layers)
    shares = "Shares: activation × gradient, " + (
        "the mean on the way from no activation at all to that of the layer." if path else "at the image."
    )
    ways = "Ribbons: what of a group's share comes through a group before it; orange-red adds, blue takes."
    agree = "Agrees: cosine with the like group from a random start."
    return [
        " ".join([how, shares, *([ways] if len(result.layers) > 1 else []), agree]),
        *words.noted(result.meta),
        *filter(None, [words.origin(result.meta)]),
    ]


def _spoken(result: Blocks, i: int) -> str:
    """An image in words, for those who do not see it."""
    image = unplaced(result.meta.images[i]) if i < len(result.meta.images) else f"image {i}"
    parts = []
    for one in result.layers:
        if one.cells is not None:
            parts.append(f"{_cell(one, i)} of {one.layer}: units {', '.join(map(str, one.units[i, :, 0].tolist()))}")
            continue
        shares = ", ".join(plus(float(value)) for value in one.shares[i])
        parts.append(f"{one.layer}: groups {shares}, left over {plus(float(one.residual[i]))}")
    return f"{image}: {'; '.join(parts)}"
