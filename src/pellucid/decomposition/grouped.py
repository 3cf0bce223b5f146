"""Groups of the units of a layer, for one image: where each is, which units it is of, and its share of the score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pellucid.decomposition.encoding import encoded, projections
from pellucid.decomposition.factors import How, alike, directions_of
from pellucid.saliency.between import AtLayer


@dataclass(frozen=True, eq=False)
class Grouped:
    """A layer's activations A (cells, channels) as maps (cells, k) times directions (k, channels), plus what is left.

    With g the gradient of the score (or its mean on a way), `shares` are Σ w_k(x) G_k · g(x), and their sum with
    `residual` is Σ A ∘ g.
    """

    maps: Float[np.ndarray, "n k"]
    directions: Float[np.ndarray, "k c"]
    shares: Float[np.ndarray, " k"]
    residual: float
    error: float
    """‖A − W G‖ / ‖A‖."""
    agreement: Float[np.ndarray, " k"]
    """Of each group the cosine with its like from another start (see `factors.alike`)."""
    signed: bool
    """Whether the layer has activations below zero."""

    @property
    def total(self) -> float:
        """All that the layer holds of the score."""
        return float(self.shares.sum()) + self.residual


def grouped(
    activation: Float[np.ndarray, "n c"],
    gradient: Float[np.ndarray, "n c"],
    count: int,
    how: How = "nmf",
    seed: int = 0,
    beside: Float[np.ndarray, "m c"] | None = None,
) -> Grouped:
    """The groups of a layer of one image, those with the largest shares first.

    `beside` are cells of other images in which groups are looked for as well; maps and shares are those of this one.
    """
    cells = activation if beside is None else np.concatenate([activation, beside])
    directions = directions_of(cells, count, how)
    maps = encoded(activation, directions, signed=how == "pca")
    shares = (maps * (gradient @ directions.T)).sum(0)
    order = np.argsort(-shares, kind="stable")
    maps, directions, shares = maps[:, order], directions[order], shares[order]
    other = directions_of(cells, count, how, seed=seed)
    agreement = alike((maps, directions), (encoded(activation, other, signed=how == "pca"), other))
    left = activation - maps @ directions
    size = float(np.linalg.norm(activation))
    return Grouped(
        maps, directions, shares, float((left * gradient).sum()), float(np.linalg.norm(left)) / size if size else 0.0,
        agreement, bool((activation < 0).any()),
    )  # fmt: skip


def flows(begin: Grouped, at: AtLayer) -> Float[np.ndarray, "j i"]:
    """(j, k + 1): of each projection of a later layer (`at.parts`) what comes through each group of this one.

    The last column is what these groups leave over. Shares are Σ w_i(x) G_i · d (projection) / d A(x).
    """
    found = np.zeros((len(at.parts), len(begin.shares) + 1))
    for row, one in enumerate(at.parts):
        found[row, :-1] = (begin.maps * (one @ begin.directions.T)).sum(0)
        found[row, -1] = float((at.activation * one).sum()) - found[row, :-1].sum()
    return found


def projected(groups: Grouped, gradient: Float[np.ndarray, "n c"]) -> list[Float[np.ndarray, "n c"]]:
    """The projections whose products with A are the shares of the groups, and last that of the residual; they sum to
    the gradient.
    """
    parts = [*projections(groups.maps, groups.directions, gradient)]
    return [*parts, gradient - np.sum(parts, axis=0)]
