"""Pictures that show little: dark, bright, of one color, blurred, or of an odd size; by thresholds that are stated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray

from pellucid.geometry import Floats
from pellucid.training_set.outliers import beyond

DARK, BRIGHT, UNIFORM, BLURRED, LONG, SMALL = 0.2, 0.8, 0.02, 3.5, 3.0, 4.0
"""Brightness from 0 to 1 that 19 of 20 pixels stay below, or above; spread of brightness; how many robust standard
deviations the logarithm of the sharpness lies below the median; longer side over shorter one; and how many times
shorter the shorter side is than the median of all."""
WORDS = ("dark", "bright", "uniform", "blurred", "odd shape", "small")
_LUMA = np.array([0.299, 0.587, 0.114])
_MEASURES = ("dark", "bright", "uniform", "sharpness")


@dataclass(frozen=True)
class Looks:
    """What is measured of one picture."""

    dark: float
    """Brightness that 95 % of the pixels stay below, 0..1."""
    bright: float
    """Brightness that 95 % of the pixels stay above, 0..1."""
    uniform: float
    """Standard deviation of the brightness."""
    sharpness: float
    """Variance of the Laplacian of the brightness over the variance of the brightness: how much is fine detail."""


def looks(picture: UInt8[np.ndarray, "h w 3"]) -> Looks:
    """Of one picture, which is as large as it was read."""
    gray = picture.astype(np.float64) @ _LUMA / 255
    low, high = np.percentile(gray, (5, 95))
    spread = float(gray.std())
    if min(gray.shape) < 3:
        return Looks(float(high), float(low), spread, 0.0)
    middle = gray[1:-1, 1:-1]
    laplacian = gray[:-2, 1:-1] + gray[2:, 1:-1] + gray[1:-1, :-2] + gray[1:-1, 2:] - 4 * middle
    return Looks(float(high), float(low), spread, float(laplacian.var() / max(spread**2, 1e-12)))


@dataclass(frozen=True)
class Spoiled:
    """One picture, what is odd about it, the number that says so, and its threshold."""

    row: int
    word: str
    value: float
    threshold: float
    excess: float
    """How far beyond the threshold, so that pictures can be sorted; above 1."""


def spoiled(seen: list[Looks], sizes: list[tuple[int, int] | None]) -> tuple[Spoiled, ...]:
    """Those beyond a threshold, the farthest first; one picture may be so in several ways. `sizes` (height, width) are
    of the files, None where they are not known: then nothing is said of them."""
    columns = {name: np.array([getattr(one, name) for one in seen]) for name in _MEASURES}
    found: list[Spoiled] = []
    for word, limit, values in (("dark", DARK, columns["dark"]), ("uniform", UNIFORM, columns["uniform"])):
        found += [
            Spoiled(int(i), word, float(values[i]), limit, limit / max(float(values[i]), 1e-3))
            for i in np.flatnonzero(values < limit)
        ]
    found += [
        Spoiled(
            int(i),
            "bright",
            float(columns["bright"][i]),
            BRIGHT,
            (1 - BRIGHT) / max(1 - float(columns["bright"][i]), 1e-3),
        )
        for i in np.flatnonzero(columns["bright"] > BRIGHT)
    ]
    found += _blurred(columns["sharpness"], columns["uniform"])
    found += _sizes(sizes)
    return tuple(sorted(found, key=lambda one: (-one.excess, one.row)))


def _blurred(sharpness: Floats, spread: Floats) -> list[Spoiled]:
    """Sharpness far below that of the others, on the scale of factors; what is of one color has none to judge."""
    judged = np.flatnonzero(spread >= UNIFORM)
    if len(judged) < 8:
        return []
    logs = np.log(np.maximum(sharpness[judged], 1e-9))
    below = beyond(-logs)
    limit = float(np.exp(np.median(logs) - BLURRED * 1.4826 * np.median(np.abs(logs - np.median(logs)))))
    return [
        Spoiled(int(judged[k]), "blurred", float(sharpness[judged[k]]), limit, float(below[k]) / BLURRED)
        for k in np.flatnonzero(below > BLURRED)
    ]


def _sizes(sizes: list[tuple[int, int] | None]) -> list[Spoiled]:
    """Of the files whose size is known."""
    known = [i for i, one in enumerate(sizes) if one is not None]
    if not known:
        return []
    sides: NDArray[np.float64] = np.array([sizes[i] for i in known], np.float64)
    shape, short = sides.max(1) / np.maximum(sides.min(1), 1), sides.min(1)
    usual = float(np.median(short))
    odd = [
        Spoiled(known[k], "odd shape", float(shape[k]), LONG, float(shape[k] / LONG))
        for k in np.flatnonzero(shape > LONG)
    ]
    less = usual / SMALL
    return odd + [
        Spoiled(known[k], "small", float(short[k]), less, float(less / max(short[k], 1)))
        for k in np.flatnonzero(short < less)
    ]
