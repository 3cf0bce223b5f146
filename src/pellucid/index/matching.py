"""Units of two networks side by side: correlations over the same images, the best matching, and what chance gives."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import PellucidError
from pellucid.index.index import Index
from pellucid.progress import steps
from pellucid.rng import generator

Floats = NDArray[np.float64]
_FEWEST = 2
"""Images below which there is no correlation; what few images are worth is said by the level of chance."""


_GROUP = 10
"""Images that are shuffled among themselves."""


def side_by_side(index: Index, layer: str, other: Index, to: str) -> tuple[Floats, Floats]:
    """(images, channels) largest activations of both layers' units on the images that both probes have.

    Refused where the indexes are of other images.
    """
    same_pictures(index, other)
    (one, values), (two, others) = index[layer].sample, other[to].sample
    _, mine, theirs = np.intersect1d(one, two, assume_unique=True, return_indices=True)
    if len(mine) < _FEWEST:
        raise PellucidError(f"the probes of both indexes share {len(mine)} images: make them with the same --seed")
    return values[mine].astype(np.float64), others[theirs].astype(np.float64)


def same_pictures(index: Index, other: Index) -> None:
    """Refused where two indexes are not about the same images."""
    if (index.plan.names, index.plan.images) != (other.plan.names, other.plan.images):
        raise PellucidError(
            f"the indexes are of other images: {index.plan.images} of {index.plan.source} and "
            f"{other.plan.images} of {other.plan.source}; make both over the same"
        )


def standard(values: Floats) -> Floats:
    """Columns with mean 0 and squares that sum to 1; those that do not vary, or are not finite, are zero."""
    with np.errstate(invalid="ignore", over="ignore"):
        centered = values - values.mean(0)
        size = np.sqrt((centered**2).sum(0))
        good = np.isfinite(size) & (size > 1e-9 * np.maximum(np.abs(values).max(0), 1e-300))
        return np.where(good, centered / np.where(good, size, 1), 0.0)


def correlations(values: Floats, others: Floats) -> Floats:
    """(channels, other channels): Pearson's r over images; 0 for units that do not vary."""
    return standard(values).T @ standard(others)


def matched(table: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs (units, others) one to one that add up to the most (Kuhn 1955); the lesser number of both have one."""
    from scipy.optimize import linear_sum_assignment  # slow to import

    rows, columns = linear_sum_assignment(table, maximize=True)
    return rows.astype(np.int64), columns.astype(np.int64)


def chance_level(values: Floats, others: Floats, shuffles: int, seed: int) -> float:
    """The largest correlation of any two units when the images of one network are shuffled, over all shuffles.

    Shuffled are only images that excite both layers about as much on the whole: what all units have in common, such
    as to be silent before a black image, makes no two of them alike. In one of (shuffles + 1) comparisons of
    networks that share nothing more any pair at all would exceed the level.
    """
    mine, theirs = standard(values), standard(others)
    order = np.argsort(mine.mean(1) + theirs.mean(1), kind="stable")
    groups = np.array_split(order, max(len(order) // _GROUP, 1))
    highest = 0.0
    for turn in steps(range(shuffles), "shuffles"):
        chance = generator(seed, "shuffle", turn)
        mixed = np.concatenate([chance.permutation(group) for group in groups])
        highest = max(highest, float((mine[mixed].T @ theirs[order]).max()))
    return highest


def common_layer(index: Index, other: Index) -> str:
    """The last layer with places that is in both under one name. Raises PellucidError where there is none."""
    both = [name for name in index if index[name].mapped and name in other.layers and other[name].mapped]
    if not both:
        raise PellucidError(
            f"the indexes have no layer of the same name with places: name one of each with layer= and other_layer=; "
            f"{', '.join(index.layers[-3:])} and {', '.join(other.layers[-3:])} are their last"
        )
    return both[-1]
