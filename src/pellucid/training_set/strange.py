"""How far out an image is: by several distances together, each as training images have it that were left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

from pellucid.geometry import Floats
from pellucid.training_set.curvature import PIECE
from pellucid.training_set.folds import fold_of

_FOLDS = 5
_SMALL = 1e-5
"""Of the largest spread of the class means: an axis along which they spread less is none."""


@dataclass(frozen=True, eq=False)
class Usual:
    """K distances of T training images, `values` (T, K), each as if the image were new; `names` say what they are."""

    names: tuple[str, ...]
    values: Float[np.ndarray, "t k"]

    def shares(self, values: Float[np.ndarray, "m k"]) -> Float[np.ndarray, "m k"]:
        """(M, K) the share of the training images that have a smaller distance, 0..1; the image counts as one more."""
        ordered = np.sort(self.values, 0)
        below = [np.searchsorted(ordered[:, k], values[:, k], side="left") for k in range(len(self.names))]
        return np.stack(below, 1) / (len(ordered) + 1)

    def together(self, values: Float[np.ndarray, "m k"]) -> tuple[Floats, Int[np.ndarray, " m"]]:
        """((M,) the share of the training images whose largest share is smaller, (M,) which distance is the largest):
        that one of several is large is no rarer among new images than this says, however many distances there are.
        """
        each, own = self.shares(values), np.sort(self.shares(self.values).max(1))
        below = np.searchsorted(own, each.max(1), side="left")
        return below / (len(own) + 1), each.argmax(1)


@dataclass(frozen=True, eq=False)
class Plane:
    """The plane through means of classes: all that mixtures of the classes reach. `axes` (K, F) are orthonormal."""

    center: Float[np.ndarray, " f"]
    axes: Float[np.ndarray, "k f"]

    @classmethod
    def through(cls, means: Float[np.ndarray, "c f"]) -> Plane:
        """The means of C classes; their own mean is the center."""
        center = means.mean(0)
        _, sizes, axes = np.linalg.svd(means - center, full_matrices=False)
        return cls(center, axes[sizes > _SMALL * max(float(sizes[0]), 1e-300)])

    def distance(self, row: Float[np.ndarray, " f"]) -> float:
        """From the plane, of one row."""
        apart = row.astype(np.float64) - self.center
        return float(np.linalg.norm(apart - (self.axes @ apart) @ self.axes))


@dataclass(frozen=True, eq=False)
class Outside:
    """How far from the plane of the classes images lie: a network that has learned its classes spreads their images
    little beyond it (Papyan et al. 2020), and others more (Wang et al. 2022, section 3).

    `fold` (N,) is that of each training image, which is held against the plane of the images of all other folds.
    """

    whole: Plane
    parts: tuple[Plane, ...]
    fold: Int[np.ndarray, " n"]

    @classmethod
    def of(cls, features: Float[np.ndarray, "n f"], labels: Int[np.ndarray, " n"]) -> Outside | None:
        """None where the plane is all there is: as many classes as features, or more."""
        many, folds = int(labels.max()) + 1, min(_FOLDS, len(labels))
        fold = fold_of(labels, folds, 0)
        place, sums = fold * many + labels, np.zeros((folds * many, features.shape[1]))
        for i in range(0, len(features), PIECE):
            np.add.at(sums, place[i : i + PIECE], features[i : i + PIECE].astype(np.float64))
        counts = np.bincount(place, minlength=folds * many)
        each, sizes = sums.reshape(folds, many, -1), counts.reshape(folds, many)
        whole = _plane(each.sum(0), sizes.sum(0))
        if len(whole.axes) >= features.shape[1]:
            return None
        parts = (_plane(each.sum(0) - each[k], sizes.sum(0) - sizes[k]) for k in range(folds))
        return cls(whole, tuple(parts), fold)

    def distances(self, rows: Float[np.ndarray, "m f"], own: NDArray[np.int64]) -> Floats:
        """(M,); `own` is the training image that a row is, −1 where it is none."""
        planes = [self.whole if k < 0 else self.parts[self.fold[k]] for k in own]
        return np.array([plane.distance(row) for plane, row in zip(planes, rows, strict=True)])


def _plane(sums: Float[np.ndarray, "c f"], counts: Int[np.ndarray, " c"]) -> Plane:
    there = counts > 0
    return Plane.through(sums[there] / counts[there, None])
