"""What a filter looks for, in a word: an edge and its direction, a patch, a color."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pellucid.methods.filters.weights import NEAR_ZERO

_GRAY = 0.5  # of a filter's energy lies in the sum of its colors: it looks for light and dark
_ORIENTED = 0.35
_FINE = 64  # frequencies along a side
_DARK, _COLOR, _WEAK = 0.0, 2.0, 4.0


@dataclass(frozen=True)
class Kind:
    """The name of a kind of filter, and where such filters stand among the others."""

    name: str
    place: tuple[float, ...]


def kinds(values: Float[np.ndarray, "filters channels height width"], *, colors: bool) -> list[Kind]:
    """The kind of each filter; `colors` says that the channels are red, green, blue."""
    wide = np.nan_to_num(values.astype(np.float64))
    norms = np.sqrt((wide**2).sum((1, 2, 3)))
    least = NEAR_ZERO * float(np.median(norms))
    return [_kind(one, colors) if norm > least else Kind("near zero", (_WEAK, -float(norm))) for one, norm in
            zip(wide, norms, strict=True)]  # fmt: skip


def _kind(one: Float[np.ndarray, "channels height width"], colors: bool) -> Kind:
    flat = one.reshape(len(one), -1)
    left, _, right = np.linalg.svd(flat, full_matrices=False)
    direction, pattern = left[:, 0], right[0].reshape(one.shape[1:])
    gray = float((flat.sum(0) ** 2).sum() / len(flat) / (flat**2).sum())
    if not colors or gray >= _GRAY:
        pattern = one.sum(0) if colors else pattern
        group, word, hue = _DARK, "", 0.0
    else:
        group, word, hue = _COLOR, "color ", _hue(direction)
    angle, strength = orientation(pattern)
    if strength >= _ORIENTED:
        place = (group, angle, 0.0) if group == _DARK else (group, hue, angle)
        return Kind(f"{word}{angle:.0f}°", place)
    return Kind(f"{word}patch", (group + 1, hue, strength))


def orientation(pattern: Float[np.ndarray, "height width"]) -> tuple[float, float]:
    """(direction of the edges in degrees, counterclockwise from the horizontal, 0 to 180; how much of it, 0 to 1).

    From the second moments of the power spectrum: all of it on one line through the origin gives 1.
    """
    power = np.abs(np.fft.fft2(pattern - pattern.mean(), (_FINE, _FINE))) ** 2
    f = np.fft.fftfreq(_FINE)
    down, across = f[:, None], f[None]
    whole = float((power * (down**2 + across**2)).sum())
    if not whole:
        return 0.0, 0.0
    straight = float((power * (across**2 - down**2)).sum())
    slanted = float((power * 2 * across * down).sum())
    varies = np.degrees(np.arctan2(slanted, straight)) / 2  # clockwise, as rows run downwards
    return float((90 - varies) % 180), float(np.hypot(straight, slanted)) / whole


def _hue(direction: Float[np.ndarray, " three"]) -> float:
    """The axis of a color contrast, in radians from 0 to π: which end is which depends on the place."""
    red, green, blue = direction
    return float(np.arctan2((green - blue) / 2**0.5, (2 * red - green - blue) / 6**0.5) % np.pi)
