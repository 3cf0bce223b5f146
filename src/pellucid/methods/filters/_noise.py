"""How far filters are from noise: two numbers for each, and what random filters of the same shape give."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pellucid.rng import generator

TWINS = 2000
"""Random filters of the same shape: the least chance that can be told is one in so many."""
ENOUGH = 27
"""Numbers in a filter from which on it can be judged by itself: 3 × 3 weights of three channels."""
_BLOCK = 2**22  # numbers at once

Filters = Float[np.ndarray, "filters channels height width"]
Numbers = Float[np.ndarray, " filters"]


@dataclass(frozen=True, eq=False)
class Measured:
    """Smoothness and coherence of each filter, each None where it has no meaning for filters of that shape."""

    smoothness: Numbers | None
    coherence: Numbers | None


def measured(filters: Filters) -> Measured:
    """Of every filter; NaN for those that are zero or hold what is no number."""
    _, channels, height, width = filters.shape
    return Measured(
        smoothness(filters) if height * width > 1 else None,
        coherence(filters) if channels > 1 and height * width > 1 else None,
    )


def smoothness(filters: Filters) -> Numbers:
    """1 − (mean squared step between neighbors) / (2 × mean square): 1 for constant filters, 0 for white noise.

    The ratio of von Neumann (1941) without its mean, over both directions: for independent numbers of mean zero
    its expectation is 1, whatever their distribution.
    """
    steps = [
        ((filters[..., 1:] - filters[..., :-1]) ** 2).reshape(len(filters), -1),
        ((filters[..., 1:, :] - filters[..., :-1, :]) ** 2).reshape(len(filters), -1),
    ]
    square = (filters**2).mean((1, 2, 3))
    step = np.concatenate(steps, axis=1).mean(1)
    return np.asarray(1 - np.divide(step, 2 * square, out=np.full(len(filters), np.nan), where=square > 0))


def coherence(filters: Filters) -> Numbers:
    """The share of the energy in one spatial pattern that all channels have in common, up to a factor each."""
    flat = filters.reshape(len(filters), filters.shape[1], -1)
    # Of the smaller of the two Gram matrices: a filter may have two thousand channels.
    gram = flat @ flat.transpose(0, 2, 1) if flat.shape[1] <= flat.shape[2] else flat.transpose(0, 2, 1) @ flat
    finite = np.isfinite(gram).all((1, 2))
    largest = np.linalg.eigvalsh(np.where(finite[:, None, None], gram, 0))[:, -1]
    energy = np.where(finite, np.trace(gram, axis1=1, axis2=2), np.nan)
    return np.asarray(np.divide(largest, energy, out=np.full(len(filters), np.nan), where=energy > 0))


def twins(shape: tuple[int, ...], seed: int) -> Measured:
    """What filters of that shape (channels, height, width) have whose weights are independent and normal."""
    each = max(int(_BLOCK // np.prod(shape)), 1)
    parts = []
    for start in range(0, TWINS, each):
        count = min(each, TWINS - start)
        drawn = [generator(seed, "twin", start + i).standard_normal(shape) for i in range(count)]
        parts.append(measured(np.stack(drawn)))

    def joined(name: str) -> Numbers | None:
        found = [getattr(part, name) for part in parts]
        return None if found[0] is None else np.concatenate(found)

    return Measured(joined("smoothness"), joined("coherence"))


def chances(found: Measured, random: Measured) -> Numbers | None:
    """How likely a random filter is at least as far from the middle, in either number (Bonferroni); None where
    there is no number to go by.
    """
    parts = []
    if found.smoothness is not None and random.smoothness is not None:
        below, above = _shares(found.smoothness, random.smoothness)
        parts.append(2 * np.minimum(below, above))
    if found.coherence is not None and random.coherence is not None:
        parts.append(_shares(found.coherence, random.coherence)[1])
    return None if not parts else np.minimum(np.min(parts, axis=0) * len(parts), 1.0)


def _shares(found: Numbers, random: Float[np.ndarray, " twins"]) -> tuple[Numbers, Numbers]:
    """The share of random numbers that are at most, and at least, as large as each; never quite none."""
    ordered = np.sort(random)
    below = np.searchsorted(ordered, found, side="right")
    above = len(ordered) - np.searchsorted(ordered, found, side="left")
    unknown = np.isnan(found)
    return tuple(np.where(unknown, np.nan, (count + 1) / (len(ordered) + 1)) for count in (below, above))  # type: ignore[return-value]


def distance(found: Measured, random: Measured) -> float | None:
    """How far the mean over all filters is from that of random ones, in its standard errors: the larger of both.

    Smoothness counts in both directions, coherence only where there is more of it: weights drawn from a uniform
    distribution have a little less than normal ones.
    """
    rough = _apart(found.smoothness, random.smoothness)
    alike = _apart(found.coherence, random.coherence)
    return max([abs(one) for one in (rough,) if one is not None] + [one for one in (alike,) if one is not None],
               default=None)  # fmt: skip


def _apart(mine: Numbers | None, theirs: Float[np.ndarray, " twins"] | None) -> float | None:
    known = mine[np.isfinite(mine)] if mine is not None else np.empty(0)
    if theirs is None or not known.size:
        return None
    return float(known.mean() - theirs.mean()) / float(theirs.std() / len(known) ** 0.5)
