"""KernelSHAP: Shapley values of superpixels, from a weighted linear regression over coalitions."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from pellucid.catalogue import method
from pellucid.images import Images
from pellucid.net import Net
from pellucid.result import Heatmap
from pellucid.rng import Seed, generator
from pellucid.saliency.coalitions import Game, Hiding, Pieces, Segments, Shares, shares
from pellucid.saliency.fits import constrained, every_coalition, kernel, paired
from pellucid.target import BEST, Target


@method(
    "KernelSHAP",
    purpose="Shapley values of superpixels, by regression",
    shows=(
        "A positive superpixel raises the score, averaged over what else may be shown with it; a negative one lowers "
        "it. Every pixel holds the whole value of its superpixel, so a large area looks like more than it is. Borders "
        "come from the colors of the image and not from the network, the gray of hidden parts is itself seen, and "
        "values have standard errors beside which to read them. About 1,000 forward passes at the defaults."
    ),
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
        shown = every_coalition(n) if exact else paired(n, samples // 2, generator(seed, game.image, "kernel shap"))
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
