"""What folds may observe of a forward pass, and the batch of numbers that they are given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import PellucidError

LARGEST, SMALLEST = "largest", "smallest"
"""The extremes of a map whose places may be searched for."""


@dataclass(frozen=True)
class Observes:
    """Statistics of each layer's output beside its largest value: the union of what the folds declare."""

    extremes: frozenset[str] = frozenset()
    """LARGEST, SMALLEST: where in a map that lies, if it passes the gate of a fold."""
    samples: int = 0
    """Activations at so many random places of every map."""
    means: frozenset[str] = frozenset()
    """Layers whose mean over all places is taken."""
    pictures: bool = False
    """What the network saw of each image, in colors for the eye."""

    def __or__(self, other: Observes) -> Observes:
        if self.samples and other.samples and self.samples != other.samples:
            raise PellucidError(
                f"{self.samples} and {other.samples} sampled places: all statistics of a sweep sample the same places"
            )
        return Observes(
            self.extremes | other.extremes,
            self.samples or other.samples,
            self.means | other.means,
            self.pictures or other.pictures,
        )


@dataclass(frozen=True, eq=False)
class Events:
    """Maps that were searched because they may be among a unit's best: image of the batch, unit, place in the map."""

    row: NDArray[np.int64]
    unit: NDArray[np.int64]
    place: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Batch:
    """The statistics of a few images.

    `maxima` (N, units) are the largest activations over places, and `ranked` those of what they are ranked by: where
    an activation has a ceiling, what it received; `negated` those of that with its sign turned. All are −inf where an
    activation is not finite (and `negated` where nobody asked). `means` (N, units) are the means over places; `sampled`
    (N, samples, units) the activations at random places.
    """

    images: NDArray[np.int64]
    """Numbers of the images in their source."""
    labels: NDArray[np.int64]
    """Their classes, -1 where unknown."""
    maxima: NDArray[np.float32]
    ranked: NDArray[np.float32]
    negated: NDArray[np.float32]
    means: NDArray[np.float32]
    sampled: NDArray[np.float32]
    found: Mapping[str, Events]
    """By the extreme that was searched for: LARGEST, SMALLEST."""
    hashes: NDArray[np.uint64] | None = None
    """(N,) of the images' bytes, as they were read."""
    pictures: Sequence[NDArray[np.uint8]] = ()
    """(H, W, 3) what the network saw of each, in 8-bit colors; none where nobody asked."""
