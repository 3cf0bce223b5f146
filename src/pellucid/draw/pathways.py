"""Pathways: the photo, a column of groups for each layer, and the class, with ribbons for what comes through what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.draw import words
from pellucid.draw.colors import distinct
from pellucid.draw.heatmaps import BODY, MARGIN, SMALL, findings, heading
from pellucid.draw.letters import number, wrapped
from pellucid.draw.lit import card, colored, plus, rest_of, signs
from pellucid.draw.look import Look
from pellucid.draw.pictures import fitted_pixels
from pellucid.draw.sheet import Rect as Box
from pellucid.draw.sheet import Shape, Sheet
from pellucid.result.blocks import BlockLayer, Blocks

_PHOTO, _SIDE, _GAP, _WAY, _CLASS, _TALL, _REST = 190.0, 96.0, 32.0, 130.0, 156.0, 250.0, 34.0
_SHOWN = 0.01  # of the thickest: thinner ribbons are left out
_BENDS = 24


@dataclass
class _Port:
    """One side of a box, where ribbons end, the next below the last."""

    x: float
    top: float
    bottom: float
    used: float = 0.0

    def taken(self, thick: float, whole: float) -> float:
        """Where the next ribbon's upper edge is; `whole` is how thick all of this side are, in the middle of it."""
        begin = (self.top + self.bottom - whole) / 2 + self.used
        self.used += thick
        return begin


def drawn(result: Blocks, title: str, below: str, look: Look) -> tuple[Sheet, float]:
    """The sheet of one image, and where it ends."""
    theme, layers = look.theme, result.layers
    wide = 2 * _SIDE + 4 if any(one.pictures is not None for one in layers) else _SIDE
    sheet = Sheet.sized(2 * MARGIN + _PHOTO + len(layers) * (_WAY + wide) + _WAY + _CLASS, theme.paper)
    y = heading(sheet, title, below, look)
    y = findings(sheet, y, result.findings, look, names=words.names_in(result)) + 10
    lefts = [MARGIN + _PHOTO + _WAY + k * (wide + _WAY) for k in range(len(layers))]
    rows = max(one.shares.shape[1] for one in layers)
    thick = _thickness(result)
    rest = [max(_REST, float(_ends(result, k)[-1]) / thick) for k in range(len(layers))]
    top, bottom = y + 36, y + 36 + rows * (_SIDE + _GAP) + max(rest)
    for left, layer in zip(lefts, layers, strict=True):
        _head(sheet, left, y, layer, look)
    boxes = [_boxes(left, top, wide, layer, low) for left, layer, low in zip(lefts, layers, rest, strict=True)]
    middle = (top + bottom) / 2
    photo = (MARGIN, middle - _PHOTO / 2, MARGIN + _PHOTO, middle + _PHOTO / 2)
    begin = lefts[-1] + wide + _WAY
    end = (begin, middle - _TALL / 2, begin + _CLASS, middle + _TALL / 2)
    _ribbons(sheet, result, [[photo], *boxes, [end]], thick, look)
    sheet.photo(photo[0], photo[1], fitted_pixels(result.photos[0], sheet.pixels(_PHOTO)))
    for layer, places in zip(layers, boxes, strict=True):
        _column(sheet, result, layer, places, look)
    _class(sheet, result, end, look)
    return sheet, bottom + 14


def _head(sheet: Sheet, left: float, y: float, layer: BlockLayer, look: Look) -> None:
    rows, columns = layer.values.shape[2:]
    sheet.lines(left, y, [layer.layer], BODY, look.theme.ink, bold=True)
    said = f"{rows} × {columns} cells" + (f", {layer.channels} units" if layer.channels else "")
    sheet.lines(left, y + 15, [said], SMALL, look.theme.quiet)


def _boxes(left: float, top: float, wide: float, layer: BlockLayer, rest: float) -> list[Box]:
    """A box for each group, and a flat one for what they leave over."""
    found = []
    for k in range(layer.shares.shape[1]):
        y = top + k * (_SIDE + _GAP)
        found.append((left, y, left + wide, y + _SIDE))
    y = top + layer.shares.shape[1] * (_SIDE + _GAP)
    return [*found, (left, y, left + wide, y + rest)]


def _column(sheet: Sheet, result: Blocks, layer: BlockLayer, places: Sequence[Box], look: Look) -> None:
    theme, count = look.theme, layer.shares.shape[1]
    colors = distinct(count, look.dark)
    for k in range(count):
        left, top, right, _ = places[k]
        shown = card(sheet, left, top, _SIDE, result.photos[0], layer, k, colors[k], look)
        sheet.lines(left, shown[3] + 2, [plus(float(layer.shares[0, k]))], BODY, theme.ink, bold=True)
        if layer.pictures is not None and layer.agreement is not None:
            sheet.lines(right, shown[3] + 4, [f"agrees {layer.agreement[0, k]:.2f}"], SMALL, theme.quiet, align="right")
    left, top, right, _ = places[-1]
    sheet.box(places[-1], fill=theme.faint, edge=theme.quiet, line=0.6, opacity=0.5)
    said = "left over by the groups" if layer.pictures is not None else "left over"
    sheet.lines(left + 8, top + 4, [said], SMALL, theme.quiet)
    sheet.lines(left + 8, top + 16, [plus(float(layer.residual[0]))], SMALL + 1, theme.ink, bold=True)


def _class(sheet: Sheet, result: Blocks, box: Box, look: Look) -> None:
    """The class, the photo in the colors of the last layer's groups, and how the score is made up."""
    theme, meta, last = look.theme, result.meta, result.layers[-1]
    left, top, right, low = box
    room = right - left - 20
    name = wrapped(meta.target or "score", BODY + 2, room, bold=True, lines=3)
    y = sheet.lines(left + 10, top + 8, name, BODY + 2, theme.ink, bold=True) + 5
    colors = distinct(last.shares.shape[1], look.dark)
    shown = sheet.photo(left + 10, y, colored(result.photos[0], last, colors, sheet.pixels(room), look))
    y = shown[3] + 7
    rows = [("score", number(meta.score[0]))] if meta.score else []
    rows += [(f"through {last.layer}", plus(float(last.total[0])))]
    rows += [(said, plus(value)) for said, value in rest_of(result, last)]
    for said, value in rows:
        sheet.lines(right - 10, y, [value], SMALL + 1, theme.ink, bold=True, align="right")
        y = sheet.lines(left + 10, y, wrapped(said, SMALL, room - 44, lines=2), SMALL, theme.quiet) + 3
    sheet.box((left, top, right, max(low, y + 4)), edge=theme.ink, line=1.2)


def _flows(result: Blocks) -> list[NDArray[np.float64]]:
    """Between each two columns, from the photo to the class: (ends, begins)."""
    shares = [np.append(one.shares[0], one.residual[0]) for one in result.layers]
    links = [one.links[0] for one in result.layers[:-1] if one.links is not None]
    return [shares[0][:, None], *links, shares[-1][None]]


def _ends(result: Blocks, k: int) -> NDArray[np.float64]:
    """How much comes to each box of layer k, or leaves it, whichever is more."""
    flows = _flows(result)
    return np.asarray(np.maximum(np.abs(flows[k]).sum(1), np.abs(flows[k + 1]).sum(0)))


def _thickness(result: Blocks) -> float:
    """How much of the score one unit of a ribbon's thickness is: what ends at a box is no thicker than a card."""
    flows = _flows(result)
    whole = [float(np.abs(flows[0]).sum()) / _PHOTO, float(np.abs(flows[-1]).sum()) / _TALL]
    ends = [float(_ends(result, k).max()) / _SIDE for k in range(len(result.layers))]
    return max(*whole, *ends, 1e-12)


def _ribbons(sheet: Sheet, result: Blocks, sides: Sequence[Sequence[Box]], thick: float, look: Look) -> None:
    """From the photo to the first groups, from groups to groups, from the last to the class: as thick as the share."""
    flows = _flows(result)
    least = _SHOWN * max(float(np.abs(flow).max()) for flow in flows)
    for k, flow in enumerate(flows):
        _between(sheet, flow, sides[k], sides[k + 1], thick, least, look)


def _between(
    sheet: Sheet, flow: NDArray[np.float64], begins: Sequence[Box], ends: Sequence[Box], thick: float, least: float,
    look: Look,
) -> None:  # fmt: skip
    adds, takes = signs(look)
    size = np.where(np.abs(flow) >= least, np.abs(flow), 0) / thick  # (ends, begins)
    out = [_Port(box[2], box[1], box[3]) for box in begins]
    into = [_Port(box[0], box[1], box[3]) for box in ends]
    marks = []
    for i, j in ((i, j) for i in range(len(begins)) for j in range(len(ends))):
        if size[j, i] > 0:
            marks.append((j, i, out[i].taken(size[j, i], size[:, i].sum())))
    for j, i, begin in sorted(marks):
        finish = into[j].taken(size[j, i], size[j].sum())
        color = adds if flow[j, i] > 0 else takes
        shape = _ribbon(out[i].x + 3, begin, into[j].x - 3, finish, size[j, i])
        sheet.marks.append(Shape(shape, color, None, opacity=0.42))


def _ribbon(x0: float, y0: float, x1: float, y1: float, thick: float) -> tuple[tuple[float, float], ...]:
    """A band that leaves and arrives level."""
    way = np.linspace(0, 1, _BENDS)
    x, y = x0 + (x1 - x0) * way, y0 + (y1 - y0) * way**2 * (3 - 2 * way)
    upper = list(zip(x.tolist(), y.tolist(), strict=True))
    return (*upper, *((a, b + thick) for a, b in reversed(upper)))
