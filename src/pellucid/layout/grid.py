"""Places to cells: every point gets a cell of a full grid, near those that it was near."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

from pellucid.errors import PellucidError


def sides_for(count: int, shape: float = 1.0) -> tuple[int, int]:
    """(rows, columns) of a grid for so many points, about `shape` times as wide as high.

    A little wider where then fewer cells are left over.
    """
    usual = (count * shape) ** 0.5
    tried = range(max(round(usual), 1), max(round(1.25 * usual), 1) + 1)
    columns = min(tried, key=lambda one: (-count % one, abs(one - usual)))
    return -(-count // columns), columns


def assigned(points: Float[np.ndarray, "n 2"], sides: tuple[int, int] | None = None) -> Int[np.ndarray, "n 2"]:
    """(row, column) of every point (x to the right, y downwards), no two the same.

    The grid is halved, again and again, across its longer side, and with it the points at their median. Where there
    are more cells than points the last ones stay empty. All parts are halved together: 16 sorts for 50,000 points.
    """
    rows, columns = sides or sides_for(len(points))
    if rows * columns < len(points):
        raise PellucidError(f"{len(points)} points do not fit into {rows} × {columns} cells")
    part = np.zeros(len(points), np.int64)  # of every point
    boxes = np.array([[0, 0, rows, columns]])  # of every part: top, left, rows, columns
    while (boxes[:, 2:] > 1).any():
        lying = boxes[:, 3] > boxes[:, 2]
        along = np.where(lying[part], points[:, 0], points[:, 1])
        order = np.lexsort((along, part))
        counts = np.bincount(part, minlength=len(boxes))
        rank = np.empty(len(points), np.int64)
        rank[order] = np.arange(len(points)) - np.repeat(np.cumsum(counts) - counts, counts)
        halves, room = _halved(boxes, lying)
        second = rank >= np.minimum(room, counts)[part]
        part, boxes = 2 * part + second, halves
    return boxes[part, :2]


def _halved(boxes: NDArray[np.int64], lying: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(both halves of each box in turn, cells of each first half); a box of one cell is its own first half."""
    axis = np.where(lying, 3, 2)
    every = np.arange(len(boxes))
    length = boxes[every, axis]
    first = (length + 1) // 2
    halves = np.repeat(boxes, 2, axis=0)
    halves[2 * every, axis] = first
    halves[2 * every + 1, axis] = length - first
    halves[2 * every + 1, axis - 2] += first
    return halves, halves[::2, 2] * halves[::2, 3]


def polished(
    points: Float[np.ndarray, "n 2"], cells: Int[np.ndarray, "n 2"], sides: tuple[int, int], sweeps: int = 8
) -> Int[np.ndarray, "n 2"]:
    """The same grid after neighbors have changed places wherever both together come nearer to their points.

    Cells are compared with points as ranks are: both along each axis in 0..1 of what they span.
    """
    rows, columns = sides
    low, high = points.min(0), points.max(0)
    wanted = (points - low) / np.maximum(high - low, np.finfo(float).tiny) * [columns - 1, rows - 1]
    held = np.full((rows + 1, columns + 1), -1)
    held[cells[:, 0], cells[:, 1]] = np.arange(len(points))
    for sweep in range(2 * sweeps):
        for down, across in ((0, 1), (1, 0), (1, 1)):
            for first in range(2):
                held = _swapped(held, wanted, (down, across), (first + sweep) % 2, sides)
    found = np.empty_like(cells)
    at = np.argwhere(held[:rows, :columns] >= 0)
    found[held[at[:, 0], at[:, 1]]] = at
    return found


def _swapped(
    held: NDArray[np.int64], wanted: NDArray[np.float64], step: tuple[int, int], first: int, sides: tuple[int, int]
) -> NDArray[np.int64]:
    """Pairs of cells, one `step` apart and no cell in two of them, whose points change places where that is better."""
    rows, columns = np.meshgrid(np.arange(sides[0]), np.arange(sides[1]), indexing="ij")
    phase = columns if step[1] else rows
    mine = (phase % 2 == first) & (rows + step[0] < sides[0]) & (columns + step[1] < sides[1])
    y, x = rows[mine], columns[mine]
    a, b = held[y, x], held[y + step[0], x + step[1]]
    both = (a >= 0) & (b >= 0)
    y, x, a, b = y[both], x[both], a[both], b[both]
    here, there = np.stack([x, y], 1), np.stack([x + step[1], y + step[0]], 1)
    now = ((wanted[a] - here) ** 2).sum(1) + ((wanted[b] - there) ** 2).sum(1)
    then = ((wanted[b] - here) ** 2).sum(1) + ((wanted[a] - there) ** 2).sum(1)
    better = then < now - 1e-12
    y, x, a, b = y[better], x[better], a[better], b[better]
    held[y, x], held[y + step[0], x + step[1]] = b, a
    return held


def seams_of(values: Float[np.ndarray, "n channels"], cells: Int[np.ndarray, "n 2"], sides: tuple[int, int]) -> (
    Float[np.ndarray, "rows columns 2"]
):  # fmt: skip
    """How far apart neighbors in the grid are in the space of the features, in medians of that over all neighbors.

    [row, column, 0] is to the neighbor on the right, [row, column, 1] to the one below; NaN where there is none.
    """
    held = np.full(sides, -1)
    held[cells[:, 0], cells[:, 1]] = np.arange(len(cells))
    seams = np.full((*sides, 2), np.nan)
    for k, (a, b) in enumerate(((held[:, :-1], held[:, 1:]), (held[:-1], held[1:]))):
        both = np.argwhere((a >= 0) & (b >= 0))
        i, j = a[both[:, 0], both[:, 1]], b[both[:, 0], both[:, 1]]
        for start in range(0, len(i), 4096):
            part = slice(start, start + 4096)
            apart = np.linalg.norm(values[i[part]].astype(np.float64) - values[j[part]], axis=1)
            seams[both[part, 0], both[part, 1], k] = apart
    usual = np.nanmedian(seams) if np.isfinite(seams).any() else 1.0
    return seams / (usual or 1.0)


def kept(points: Float[np.ndarray, "n 2"], cells: Int[np.ndarray, "n 2"], count: int = 8) -> float:
    """The mean share of a point's `count` nearest that are among its `count` nearest cells; exact, so for few."""
    shares = []
    for i in range(len(points)):
        near = np.argsort(((points - points[i]) ** 2).sum(1), kind="stable")
        close = np.argsort(((cells - cells[i]) ** 2).sum(1), kind="stable")
        shares.append(len({*near[1 : count + 1].tolist()} & {*close[1 : count + 1].tolist()}) / count)
    return float(np.mean(shares))
