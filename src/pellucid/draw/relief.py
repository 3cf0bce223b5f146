"""Reliefs: values on a grid as a lit surface in space, seen from the front and above, in a box with round numbers."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, radians, sin

import numpy as np

from pellucid.draw.axes import TICK, Span
from pellucid.draw.colors import Floats, Theme
from pellucid.draw.letters import width
from pellucid.draw.ramp import Ramp
from pellucid.draw.sheet import Align, Mesh, Rect, Shape, Sheet, Words

_TURN, _TILT = radians(38.0), radians(27.0)
_TALL = 0.62  # of the box, in lengths of its side
_WIRES = 26  # measured rows and columns that are drawn as lines
_LIGHT = np.array([-0.42, -0.5, 0.76])  # where it comes from: left, front, above
CORNERS = ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5))


@dataclass(frozen=True)
class View:
    """Places in the box, x and y in −0.5..0.5 and z in 0..1, on the sheet."""

    scale: float
    right: float
    down: float

    @classmethod
    def fitted(cls, corner: tuple[float, float], room: float) -> View:
        """The whole box below a corner in a room of that width, with numbers around it."""
        whole = np.array([turned(x, y, z)[:2] for x, y in CORNERS for z in (0.0, 1.0)])
        low, high = whole.min(0), whole.max(0)
        scale = (room - 62) / (high[0] - low[0])
        right = corner[0] + room / 2 + 16 - scale * (low[0] + high[0]) / 2
        return cls(scale, right, corner[1] + 6 + scale * high[1])

    def at(self, x: Floats | float, y: Floats | float, z: Floats | float) -> Floats:
        """(..., 2) on the sheet."""
        across, up, _ = turned(x, y, z)
        return np.stack([self.right + self.scale * np.asarray(across), self.down - self.scale * np.asarray(up)], -1)


def turned(x: Floats | float, y: Floats | float, z: Floats | float) -> tuple[Floats, Floats, Floats]:
    """To the right, upwards, and away from whoever looks."""
    x, y, z = np.asarray(x), np.asarray(y), np.asarray(z)
    across, away = x * cos(_TURN) - y * sin(_TURN), x * sin(_TURN) + y * cos(_TURN)
    up = _TALL * z * cos(_TILT) + away * sin(_TILT)
    return np.asarray(across), np.asarray(up), np.asarray(away + 0.0 * z)


def relief(
    sheet: Sheet, corner: tuple[float, float], room: float, axes: tuple[Span, Span],
    fine: tuple[Floats, Floats], parts: tuple[int, int], shares: Floats, ramp: Ramp,
    names: tuple[str, str], theme: Theme,
) -> tuple[View, float]:  # fmt: skip
    """The surface over its floor. `shares` (M, K) are values as shares of the ramp, and heights as well.

    Returns how it is seen, and where it ends.
    """
    view = View.fitted(corner, room)
    _box(sheet, view, axes, ramp, names, theme)
    x, y = axes[0].at(fine[0]) - 0.5, axes[1].at(fine[1]) - 0.5
    corners = np.stack(np.broadcast_arrays(x[None], y[:, None], shares), -1)
    quads = _quads(corners)
    fills = np.ones((len(quads), 4))
    fills[:, :3] = _lit(ramp.table[np.rint(np.nan_to_num(quads[..., 2].mean(1)) * (len(ramp.table) - 1)).astype(int)],
                        quads)  # fmt: skip
    depth = turned(quads[..., 0].mean(1), quads[..., 1].mean(1), 0.0)[2]
    wires, behind, dark = _wires(corners, parts)
    drawn = np.concatenate([quads, wires])
    dark_edges = np.tile((*((1.0, 1.0, 1.0) if theme.dark else (0.05, 0.08, 0.15)), 0.0), (len(wires), 1))
    dark_edges[:, 3] = dark
    every = np.concatenate([fills, np.zeros((len(wires), 4))])
    edges = np.concatenate([fills, dark_edges])
    lines = np.concatenate([np.full(len(quads), 0.35), np.full(len(wires), 0.4)])
    order = np.argsort(-np.concatenate([depth, behind]), kind="stable")
    order = order[np.isfinite(drawn[order]).all((1, 2))]
    sheet.marks.append(Mesh(view.at(*np.moveaxis(drawn[order], -1, 0)), every[order], edges[order], lines[order]))
    return view, float(view.at(-0.5, -0.5, 0.0)[1]) + 30


def _quads(corners: Floats) -> Floats:
    """(P, 4, 3) of a grid of corners (M, K, 3)."""
    found = np.stack([corners[:-1, :-1], corners[:-1, 1:], corners[1:, 1:], corners[1:, :-1]], 2)
    return np.asarray(found.reshape(-1, 4, 3))


def _lit(colors: Floats, quads: Floats) -> Floats:
    """Colors under a light from the upper left, with some of it from everywhere and a soft shine."""
    one, other = quads[:, 2] - quads[:, 0], quads[:, 3] - quads[:, 1]
    tall = np.array([1.0, 1.0, _TALL])
    normal = np.cross(one * tall, other * tall)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    x, y = normal[:, 0], normal[:, 1]
    seen = np.stack([x * cos(_TURN) - y * sin(_TURN), x * sin(_TURN) + y * cos(_TURN), normal[:, 2]], -1)
    light = _LIGHT / np.linalg.norm(_LIGHT)
    half = light + np.array([0.0, -cos(_TILT), sin(_TILT)])
    bright = np.maximum(seen @ light, 0.0)[:, None]
    shine = np.maximum(seen @ (half / np.linalg.norm(half)), 0.0)[:, None] ** 40
    return np.asarray((colors * (0.56 + 0.56 * bright) + 0.1 * shine).clip(0, 1))


def _wires(corners: Floats, parts: tuple[int, int]) -> tuple[Floats, Floats, Floats]:
    """Lines along measured rows and columns as thin quads, how far away each is drawn, and how strong."""
    found, depth = [], []
    for grid, step in ((corners, parts[1]), (corners.swapaxes(0, 1), parts[0])):
        count = (grid.shape[0] - 1) // step + 1
        rows = grid[:: step * max(-(-count // _WIRES), 1)]
        start, end = rows[:, :-1], rows[:, 1:]
        found.append(np.stack([start, end, end, start], 2).reshape(-1, 4, 3))
        depth.append(turned(found[-1][..., 0].mean(1), found[-1][..., 1].mean(1), 0.0)[2])
    side = np.abs(np.diff(corners[0, :2, 0])).max() + np.abs(np.diff(corners[:2, 0, 1])).max()
    wires = np.concatenate(found)
    return wires, np.concatenate(depth) - 0.55 * side, np.full(len(wires), 0.2)


def _box(sheet: Sheet, view: View, axes: tuple[Span, Span], ramp: Ramp, names: tuple[str, str], theme: Theme) -> None:
    """Floor, the two walls behind, and numbers along the edges in front."""

    def line(*ends: tuple[float, float, float], color: str = theme.faint, thick: float = 0.6) -> None:
        where = tuple((float(x), float(y)) for x, y in (view.at(*end) for end in ends))
        sheet.marks.append(Shape(where, None, color, thick, closed=False))

    taken: list[Rect] = []

    def written(x: float, y: float, text: str, align: Align = "center") -> None:
        one = Words(x, y, text, TICK, theme.quiet, align=align)
        left, top, right, bottom = one.box
        if all(left > c + 2 or right < a - 2 or top > d or bottom < b for a, b, c, d in taken):
            taken.append(one.box)
            sheet.marks.append(one)

    for side, span in enumerate(axes):
        for value, text in span.ticks(5):
            at = float(span.at(value)) - 0.5
            floor = ((at, -0.5, 0.0), (at, 0.5, 0.0)) if side == 0 else ((-0.5, at, 0.0), (0.5, at, 0.0))
            line(*floor)
            line(floor[1], (*floor[1][:2], 1.0))
            x, y = view.at(*floor[0])
            # away from the box, along the line on the floor
            back = view.at(*floor[1])
            way = (np.array([x, y]) - back) / max(float(np.hypot(x - back[0], y - back[1])), 1e-9)
            sheet.line((float(x), float(y)), (float(x + 3 * way[0]), float(y + 3 * way[1])), theme.quiet, 0.7)
            aside = (1 if way[0] > 0 else -1) * width(text, TICK) * 0.25
            written(float(x + 9 * way[0] + aside), float(y + 9 * way[1] + 6), text)
    for value, text in ramp.span.ticks(5):
        z = float(ramp.span.at(value))
        line((-0.5, 0.5, z), (0.5, 0.5, z), (0.5, -0.5, z))
        x, y = view.at(-0.5, 0.5, z)
        written(float(x) - 6, float(y) + 0.36 * TICK, text, "right")
        sheet.line((float(x) - 3, float(y)), (float(x), float(y)), theme.quiet, 0.7)
    line((-0.5, 0.5, 0.0), (0.5, 0.5, 0.0), (0.5, -0.5, 0.0))
    line((-0.5, 0.5, 1.0), (0.5, 0.5, 1.0), (0.5, -0.5, 1.0), (0.5, -0.5, 0.0))
    line((0.5, 0.5, 0.0), (0.5, 0.5, 1.0))
    line((-0.5, 0.5, 1.0), (-0.5, 0.5, 0.0), (-0.5, -0.5, 0.0), (0.5, -0.5, 0.0), color=theme.quiet, thick=0.8)
    for name, middle, right in ((names[0], (0.0, -0.5, 0.0), True), (names[1], (-0.5, 0.0, 0.0), False)):
        x, y = view.at(*middle)
        align: Align = "left" if right else "right"
        place = float(x) + (18 if right else -18), float(y) + 36
        sheet.marks.append(Words(*place, name, TICK + 1.5, theme.quiet, align=align))
