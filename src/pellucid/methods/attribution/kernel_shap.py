"""KernelSHAP: Shapley values of superpixels, from a weighted linear regression over coalitions."""

from __future__ import annotations

from math import comb
from typing import Annotated

import numpy as np
from pydantic import Field

from pellucid.catalogue import method
from pellucid.errors import PellucidError
from pellucid.images import Images
from pellucid.net import Net
from pellucid.result import Heatmap
from pellucid.rng import Seed, generator
from pellucid.saliency.coalitions import Game, Hiding, Pieces, Segments, Shares, shares
from pellucid.target import BEST, Target


@method(
    "KernelSHAP",
    purpose="Shapley values of superpixels, by regression",
    source="Lundberg & Lee 2017, theorem 2 (section 4.1); paired sampling: Covert & Lee 2021, section 3.3",
    quick={"samples": 300},
)
def kernel_shap(
    net: Net,
    images: Images,
    target: Target = BEST,
    *,
    samples: Annotated[
        int,
        Field(ge=2, le=10**6, description="maximum number of coalitions of superpixels; fewer where there are no more"),
    ] = 1000,
    segmentation: Segments = "quickshift",
    n_segments: Pieces = 50,
    fill: Hiding = "gray",
    seed: Seed = 0,
) -> Heatmap:
    """Each superpixel's fair share of the score, by KernelSHAP: (N, H, W), signed, in units of the score.

    Every pixel holds the Shapley value of its superpixel, not divided by the superpixel's area. Over the
    superpixels they sum to the score less that of the image with all of them hidden; the sum is a constraint of the
    regression, `Meta.completeness` its rounding. Where there are no more than `samples` coalitions all are asked
    and the values are exact; otherwise coalitions are drawn by the Shapley kernel, each with its complement, and
    `Heatmap.error` holds standard errors over that draw. Raises PellucidError where the samples are too few to tell
    the superpixels apart.
    """

    def divide(game: Game) -> Shares:
        n, (nothing, everything) = game.players, game.ends
        exact = n < 63 and 2**n - 2 <= samples
        shown = every_coalition(n) if exact else _drawn(n, samples // 2, generator(seed, game.image, "kernel shap"))
        # drawn coalitions come as often as the kernel says: each counts once
        weights = kernel(n)[shown.sum(1) - 1] if exact else np.ones(len(shown))
        values, errors = constrained(shown, game.worth(shown) - nothing, weights, everything - nothing, game.image)
        if exact:
            return Shares(values, np.zeros(n), f", all {2**n} coalitions: the values are exact")
        return Shares(values, errors, f", {len(shown)} coalitions")

    return shares(
        net,
        images,
        target,
        divide,
        segments=segmentation,
        pieces=n_segments,
        fill=fill,
        seed=seed,
        what="KernelSHAP",
        complete=True,
    )


def kernel(n: int) -> np.ndarray:
    """The Shapley kernel of coalitions of 1, …, n − 1 of n players."""
    return np.array([(n - 1) / (comb(n, size) * size * (n - size)) for size in range(1, n)])


def every_coalition(n: int) -> np.ndarray:
    """(2ⁿ − 2, n): every row is a coalition, none of them empty or whole."""
    found: np.ndarray = (np.arange(1, 2**n - 1)[:, None] >> np.arange(n)) & 1 > 0
    return found


def _drawn(n: int, pairs: int, chance: np.random.Generator) -> np.ndarray:
    """(2 · pairs, n): coalitions with a probability proportional to the Shapley kernel, each before its complement."""
    sizes = np.arange(1, n)
    often = 1 / (sizes * (n - sizes))  # the kernel times the number of coalitions of that size
    wanted = chance.choice(sizes, size=pairs, p=often / often.sum())
    order = chance.random((pairs, n)).argsort(1).argsort(1)
    shown = order < wanted[:, None]
    both: np.ndarray = np.stack([shown, ~shown], 1).reshape(2 * pairs, n)
    return both


def constrained(
    shown: np.ndarray, gains: np.ndarray, weights: np.ndarray, change: float, image: str
) -> tuple[np.ndarray, np.ndarray]:
    """(values, standard errors) that fit the gains of coalitions best and sum to `change` exactly.

    Standard errors as of least squares whose linear model is not true, with every two rows, a coalition and its
    complement, as one independent draw.
    """
    n = shown.shape[1]
    if n == 1:
        return np.array([change]), np.zeros(1)
    # values = change / n + basis · free, with a basis of all vectors that sum to zero: the constraint is then built in
    basis = np.linalg.qr(np.eye(n)[:, :-1] - 1 / n)[0]
    root = np.sqrt(weights)
    x, y = root[:, None] * (shown @ basis), root * (gains - shown.mean(1) * change)
    # With no more different pairs than unknowns the fit is perfect, whatever the scores: no error could be told.
    pairs = len(x) // 2
    if np.linalg.matrix_rank(x) < n - 1 or (n > 2 and len(np.unique(shown, axis=0)) // 2 <= n - 1):
        raise PellucidError(
            f"samples={len(shown)} do not tell the {n} superpixels of {image!r} apart: ask for {4 * n} or more"
        )
    free = np.linalg.lstsq(x, y, rcond=None)[0]
    left = (x * (y - x @ free)[:, None]).reshape(len(x) // 2, 2, n - 1).sum(1)
    influence = basis @ np.linalg.inv(x.T @ x) @ left.T
    errors = np.sqrt((influence**2).sum(1) * pairs / max(pairs - n + 1, 1))
    return change / n + basis @ free, errors
