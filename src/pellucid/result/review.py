"""Reviews: photos that a network knows for the same reason, with their maps, to be accepted or suspected."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int, UInt8

from pellucid.result.base import Meta, Result


@dataclass(frozen=True)
class ReviewedCluster:
    """One cluster of a class, and what speaks for and against it."""

    label: str
    """The class."""
    number: int
    """In its class; the largest is 1."""
    members: tuple[str, ...]
    """Names of all its photos, the most typical first."""
    share: float
    """Of the photos of the class, 0..1."""
    accuracy: float
    oddness: float
    """From 0 to 1."""
    suspicious: bool
    said: str = ""
    """What was measured, in words."""

    @property
    def name(self) -> str:
        """Class and number."""
        return f"{self.label}, cluster {self.number}"


@dataclass(frozen=True, eq=False)
class Review(Result):
    """K clusters, the odd ones first, and M of their photos.

    `pictures` (M, H, W, 3) are the photos as the network saw them, made small; `maps` (M, S, S) what speaks for their
    class (and against it, below 0), each over its largest absolute value; `places` (M,) the cluster of each, in the
    order of `clusters`; `means` (K, S, S) the mean maps. `probabilities` (M,) are those of the class.
    """

    clusters: tuple[ReviewedCluster, ...]
    pictures: UInt8[np.ndarray, "m height width 3"]
    maps: Float[np.ndarray, "m s s"]
    means: Float[np.ndarray, "k s s"]
    places: Int[np.ndarray, " m"]
    names: tuple[str, ...]
    answers: tuple[str, ...]
    """What the network says of each photo."""
    probabilities: Float[np.ndarray, " m"]
    findings: tuple[str, ...] = ()
    meta: Meta = field(default_factory=Meta)

    def __repr__(self) -> str:
        odd = sum(one.suspicious for one in self.clusters)
        return f"Review({len(self.clusters)} clusters, {odd} suspicious, {len(self.names)} photos shown)"

    def photos_of(self, k: int) -> list[int]:
        """Places of the photos of cluster k."""
        return np.flatnonzero(self.places == k).tolist()
