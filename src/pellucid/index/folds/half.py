"""Rows of numbers as float16 and a power of two: half the space, and no scale that does not fit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def halved(values: NDArray[np.float32], *, always: bool = False) -> tuple[NDArray[np.float16], NDArray[np.int16]]:
    """Rows (N, C) as float16, and the power of two that each (N, 1) was divided by so that it fits.

    Zero where it fits as it is, unless `always`. What is beyond float16 all the same becomes infinite.
    """
    largest = np.where(np.isfinite(values), np.abs(values), 0).max(1, initial=0, keepdims=True)
    power = np.where(largest > 0, np.frexp(largest)[1] - _POWER, 0)
    if not always:
        power = np.where((largest < _LEAST) | (largest > _MOST), power, 0)
    with np.errstate(over="ignore"):
        return np.ldexp(values, -power).astype(np.float16), power.astype(np.int16)


def restored(rows: NDArray[np.float16], power: NDArray[np.int16]) -> NDArray[np.float32]:
    """The numbers that rows of float16 stand for."""
    return np.ldexp(rows.astype(np.float32), power.astype(np.int32))


_POWER = 15  # of the largest number of a row: float16 reaches to 2^16, and is at its finest down to 2^-14
_LEAST, _MOST = 2.0**-6, 2.0**15  # of rows whose largest number lies between them, float16 keeps enough
