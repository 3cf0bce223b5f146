"""A plane of weights, measured on a grid; where the loss bends most, on a finer one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.geometry import Floats
from pellucid.resume import measured_at

At = Callable[[tuple[float, ...]], Floats]
"""What is measured at a place (x, y)."""
_BENT = 0.25
"""Share of the cells that are measured more finely: those where the loss bends most."""


@dataclass(frozen=True, eq=False)
class Mapped:
    """`found` (M, K, …) at M rows of y and K columns of x; where not `known`, filled in between."""

    x: Floats
    y: Floats
    found: Floats
    known: NDArray[np.bool_]


def mapped(at: At, x: Floats, y: Floats, refine: int, what: str) -> Mapped:
    """The places (x, y) of even axes (K,) and (M,); with each level of `refine` twice as fine where it is bent."""
    cells = [(row, column) for row in range(len(y)) for column in range(len(x))]
    values = np.stack(measured_at(at, [(float(x[column]), float(y[row])) for row, column in cells], what))
    grid = Mapped(x, y, values.reshape(len(y), len(x), *values.shape[1:]), np.ones((len(y), len(x)), bool))
    for level in range(refine):
        grid = _finer(at, grid, f"{what}, refined ({level + 1} of {refine})")
    return grid


def _finer(at: At, grid: Mapped, what: str) -> Mapped:
    """Twice as many places along each axis: measured around the cells that are bent, else filled in."""
    x, y = (np.linspace(axis[0], axis[-1], 2 * len(axis) - 1) for axis in (grid.x, grid.y))
    shape = (len(y), len(x))
    found = np.full((*shape, *grid.found.shape[2:]), np.nan)
    known = np.zeros(shape, bool)
    found[::2, ::2], known[::2, ::2] = grid.found, grid.known
    todo = sorted(set(_around(_bent(grid), shape)) - set(map(tuple, np.argwhere(known).tolist())))
    values = measured_at(at, [(float(x[column]), float(y[row])) for row, column in todo], what)
    for (row, column), value in zip(todo, values, strict=True):
        found[row, column], known[row, column] = value, True
    return Mapped(x, y, _filled(found, known), known)


def _bent(grid: Mapped) -> NDArray[np.bool_]:
    """(M, K): the places whose neighbors say most that they lie on no plane, by the logarithm of the loss."""
    loss = np.log(np.maximum(np.nan_to_num(grid.found[..., 0, 0], posinf=1e30, nan=1e30), 1e-12))
    bend = np.zeros_like(loss)
    bend[:, 1:-1] += np.abs(loss[:, 2:] - 2 * loss[:, 1:-1] + loss[:, :-2])
    bend[1:-1] += np.abs(loss[2:] - 2 * loss[1:-1] + loss[:-2])
    return np.asarray(bend >= np.quantile(bend, 1 - _BENT))


def _around(bent: NDArray[np.bool_], shape: tuple[int, int]) -> Iterator[tuple[int, int]]:
    for row, column in np.argwhere(bent).tolist():
        for down in (-1, 0, 1):
            for across in (-1, 0, 1):
                if 0 <= 2 * row + down < shape[0] and 0 <= 2 * column + across < shape[1]:
                    yield 2 * row + down, 2 * column + across


def _filled(found: Floats, known: NDArray[np.bool_]) -> Floats:
    """What was not measured, as the mean of its measured neighbors along the rows, else the columns, else corners."""
    whole = found.copy()
    offsets = (((0, -1), (0, 1)), ((-1, 0), (1, 0)), ((-1, -1), (-1, 1), (1, -1), (1, 1)))
    for row, column in np.argwhere(~known).tolist():
        for several in offsets:
            near = [(row + r, column + c) for r, c in several]
            inside = [(r, c) for r, c in near if 0 <= r < len(known) and 0 <= c < known.shape[1] and known[r, c]]
            if len(inside) == len(several):
                whole[row, column] = np.mean([found[r, c] for r, c in inside], axis=0)
                break
    return whole
