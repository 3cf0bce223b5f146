"""Shapley sampling: superpixels enter the image one after the other, in many random orders."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from pellucid.catalogue import method
from pellucid.images import Images
from pellucid.net import Net
from pellucid.progress import steps
from pellucid.result import Heatmap
from pellucid.rng import Seed, generator
from pellucid.saliency.coalitions import Game, Hiding, Pieces, Segments, Shares, shares
from pellucid.statistics import error_of_mean
from pellucid.target import BEST, Target


@method(
    "Shapley sampling",
    purpose="Shapley values of superpixels, by random orders",
    shows=(
        "A positive superpixel raises the score when it is added to those already shown, on average over random "
        "orders; a negative one lowers it. Every pixel holds the whole value of its superpixel, so a large area looks "
        "like more than it is, and borders come from colors and not from the network. Read the values beside their "
        "standard errors. At the defaults about 20 forward passes for each superpixel, several hundred in all."
    ),
    source="Castro, Gómez & Tejada 2009, section 3; Štrumbelj & Kononenko 2014, algorithm 1; "
    "backwards: Mitchell et al. 2022, section 4.1",
    quick={"permutations": 6},
)
def shapley_sampling(
    net: Net,
    images: Images,
    target: Target = BEST,
    *,
    permutations: Annotated[
        int, Field(ge=2, le=10**6, description="number of random orders in which superpixels appear")
    ] = 20,
    segmentation: Segments = "quickshift",
    n_segments: Pieces = 50,
    fill: Hiding = "gray",
    antithetic: Annotated[
        bool, Field(description="use each order backward too, which doubles the work and often reduces the error")
    ] = False,
    seed: Seed = 0,
) -> Heatmap:
    """Each superpixel's fair share of the score, by what it adds in random orders: (N, H, W), signed.

    In units of the score. Every pixel holds the estimated Shapley value of its superpixel, not divided by the
    superpixel's area. Over the superpixels they sum to the score less that of the image with all of them
    hidden, whatever the orders: `Meta.completeness` is the rounding. `Heatmap.error` holds standard errors.
    Costs orders × (superpixels − 1) forward passes.
    """

    def divide(game: Game) -> Shares:
        gains = np.stack([_gains(game, order) for order in steps(range(permutations), "Shapley sampling")])
        errors = error_of_mean(gains)
        return Shares(gains.mean(0), errors, f", {permutations} orders{' and their reverses' if antithetic else ''}")

    def _gains(game: Game, number: int) -> np.ndarray:
        order = generator(seed, game.image, number).permutation(game.players)
        one = entering(game, order)
        return (one + entering(game, order[::-1])) / 2 if antithetic else one

    return shares(
        net,
        images,
        target,
        divide,
        segments=segmentation,
        pieces=n_segments,
        fill=fill,
        seed=seed,
        what="Shapley sampling",
        complete=True,
    )


def entering(game: Game, order: np.ndarray) -> np.ndarray:
    """What each superpixel adds to the score when they enter in this order."""
    place = order.argsort()
    shown = place < np.arange(1, game.players)[:, None]
    nothing, everything = game.ends
    path = np.concatenate([[nothing], game.worth(shown), [everything]])
    gains: np.ndarray = np.diff(path)[place]
    return gains
