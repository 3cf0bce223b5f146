"""Rare subgroups: a few images of a class that lie together, apart from the rest of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray

from pellucid.geometry import Floats
from pellucid.index.search import mean_of
from pellucid.notes import Note, say
from pellucid.progress import steps
from pellucid.rng import generator
from pellucid.statistics import wilson

SHARE, FEWEST, APART, ENOUGH = 0.05, 4, 0.25, 40
"""Of a class, at the most; images of a subgroup, at the least; how far it stands apart; images of a class that is
looked at."""
_MOST = 4000
"""Images of a class of which all pairs are compared; of more so many are drawn at random."""


@dataclass(frozen=True)
class Subgroup:
    """A few images of one class."""

    of_class: int
    members: tuple[int, ...]
    """Rows, the most typical first."""
    share: float
    """Of the images of the class, 0..1."""
    apart: float
    """(b − a) / max(a, b), with the mean distance a among its members and b to the nearest of the rest of the class."""
    right: int
    """Images for which the network is right."""
    rest_right: int
    """Among the other images of the class."""
    rest: int

    @property
    def accuracy(self) -> float:
        """Of the network on its images, 0..1."""
        return self.right / len(self.members)

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of that (Wilson)."""
        low, high = wilson(np.array([float(self.right)]), np.array([float(len(self.members))]))
        return float(low[0]), float(high[0])

    @property
    def gap(self) -> float:
        """Accuracy on the rest of the class less that on the subgroup."""
        return self.rest_right / max(self.rest, 1) - self.accuracy


def subgroups(
    features: Float[np.ndarray, "n f"], labels: Int[np.ndarray, " n"], right: Bool[np.ndarray, " n"], seed: int = 0
) -> tuple[Subgroup, ...]:
    """The rare subgroups of every class of 40 images or more, those first on which the network does worst.

    The images of a class are joined by mean linkage of 1 − cosine about the mean of all; a subgroup is a branch
    of 4 images to 5 % of the class, no part of a larger such branch, that stands apart by 0.25 at the least. Which
    images it holds does not depend on `right` (N,), whether the network is right. Drawn at random is only which images
    of a class of more than 4,000 are looked at.
    """
    found, center = [], mean_of(features)
    for one in steps(np.unique(labels[labels >= 0]).tolist(), "classes searched for subgroups"):
        own = np.flatnonzero(labels == one)
        if len(own) < ENOUGH:
            continue
        if len(own) > _MOST:
            say(Note("choice", f"subgroups were looked for among {_MOST} of the {len(own)} images of a class, drawn at "
                     "random, and counts are of these"))  # fmt: skip
            own = np.sort(generator(seed, "subgroups", int(one)).choice(own, _MOST, replace=False))
        found += _of_class(int(one), own, features[own], right[own], center)
    return tuple(sorted(found, key=lambda one: (-one.gap, -one.apart, one.of_class, one.members)))


def _of_class(
    of_class: int, own: NDArray[np.int64], rows: Float[np.ndarray, "n f"], right: NDArray[np.bool_], center: Floats
) -> list[Subgroup]:
    from scipy.cluster.hierarchy import linkage  # slow to import

    wide = rows.astype(np.float64) - center
    wide /= np.maximum(np.sqrt((wide**2).sum(1, keepdims=True)), 1e-300)
    far = np.maximum(1 - wide @ wide.T, 0)
    made = []
    for members, apart, order in _branches(linkage(far[np.triu_indices(len(own), 1)], "average"), far):
        inside = np.zeros(len(own), bool)
        inside[members] = True
        made.append(Subgroup(
            of_class, tuple(own[members[order]].tolist()), len(members) / len(own), apart, int(right[inside].sum()),
            int(right[~inside].sum()), int((~inside).sum()),
        ))  # fmt: skip
    return made


def _branches(tree: Floats, far: Floats) -> list[tuple[NDArray[np.int64], float, NDArray[np.int64]]]:
    """(members, how far apart, their order) of the largest small branches of a linkage that stand apart."""
    count, found = len(far), []
    open_ = [2 * count - 2]
    while open_:
        node = open_.pop()
        if node < count:
            continue
        left, right, _, size = tree[node - count]
        if size < FEWEST:
            continue
        if size <= SHARE * count:
            members = _leaves(tree, node, count)
            inside = np.zeros(count, bool)
            inside[members] = True
            apart, order = apartness(far, inside)
            if apart >= APART:
                found.append((members, apart, order))
                continue
        open_ += [int(left), int(right)]
    return found


def _leaves(tree: Floats, node: int, count: int) -> NDArray[np.int64]:
    """Those below a node of a linkage, in order."""
    open_, found = [node], list[int]()
    while open_:
        one = open_.pop()
        if one < count:
            found.append(one)
        else:
            open_ += [int(k) for k in tree[one - count, :2]]
    return np.array(sorted(found), np.int64)


def apartness(far: Float[np.ndarray, "n n"], inside: NDArray[np.bool_]) -> tuple[float, NDArray[np.int64]]:
    """(how far some of N things stand apart from the rest, their order from the most typical on), from all distances.

    It is (b − a) / max(a, b), the mean over members of the distance a to the other members and b to as many of the rest
    as there are members, the nearest: as a silhouette, but held against the nearest of the rest, for a few images that
    happen to be alike are nearer to each other than to the mean of all others, too.
    """
    many = int(inside.sum())
    own = far[np.ix_(inside, inside)].sum(1) / max(many - 1, 1)
    others = far[np.ix_(inside, ~inside)]
    near = min(many, others.shape[1])
    other = np.partition(others, near - 1, axis=1)[:, :near].mean(1)
    each = (other - own) / np.maximum(np.maximum(own, other), 1e-300)
    return float(each.mean()), np.argsort(own, kind="stable").astype(np.int64)
