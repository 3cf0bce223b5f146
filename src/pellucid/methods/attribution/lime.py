"""LIME: a linear model of the score around the image, in terms of which superpixels are shown."""

from __future__ import annotations

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

_RIDGE = 1.0  # the authors' code


@method(
    "LIME",
    purpose="fit a linear model to hidden superpixels",
    source="Ribeiro, Singh & Guestrin 2016, equation 1 and algorithm 1; settings of the authors' code",
    quick={"samples": 300},
)
def lime(
    net: Net,
    images: Images,
    target: Target = BEST,
    *,
    samples: Annotated[
        int, Field(ge=2, le=10**6, description="number of images with superpixels hidden at random")
    ] = 1000,
    segmentation: Segments = "quickshift",
    n_segments: Pieces = 50,
    fill: Hiding = "superpixel",
    kernel_width: Annotated[
        float | int, Field(gt=0, description="width of the kernel that weights images by their cosine distance")
    ] = 0.25,
    seed: Seed = 0,
) -> Heatmap:
    """How much showing a superpixel adds to the score, by a linear model near the image: (N, H, W), signed.

    Every pixel holds the coefficient of its superpixel, not divided by the superpixel's area. The model is a ridge
    regression (penalty 1 on the coefficients) on images in which each superpixel is shown with probability ½,
    weighted by √exp(−d² / width²), d the cosine distance to the image. The authors ask for `p(class)`, whose
    coefficients lie in 0..1.
    `Heatmap.error` holds standard errors over the draw of the images, `Meta.notes` the surrogate's R²: how much
    of the weighted variance of the score it explains. A low R² means that the map is not the network's answer.
    Raises PellucidError where there are no more samples than superpixels.
    """

    def divide(game: Game) -> Shares:
        if samples < game.players + 2:
            raise PellucidError(
                f"samples={samples} for the {game.players} superpixels of {game.image!r}: "
                f"at least {game.players + 2} are needed, and many more are better"
            )
        drawn = generator(seed, game.image, "lime").integers(0, 2, (samples, game.players)).astype(bool)
        drawn[0] = True  # the image itself
        # cosine between z and (1, …, 1): |z| / (√|z| √n); of the empty one it is 0
        distance = 1 - np.sqrt(drawn.mean(1))
        weights = np.sqrt(np.exp(-((distance / kernel_width) ** 2)))
        values, errors, fit = surrogate(drawn.astype(float), game.worth(drawn), weights)
        return Shares(values, errors, f"; the linear surrogate has R² = {fit:.2f}")

    return shares(
        net,
        images,
        target,
        divide,
        segments=segmentation,
        pieces=n_segments,
        fill=fill,
        seed=seed,
        what="LIME",
        complete=False,
    )


def surrogate(shown: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """(coefficients, their standard errors, R²) of a weighted ridge regression with a free intercept.

    The errors are those of an estimator whose images are drawn at random and whose linear model is not true
    (White 1980): A⁻¹ (Σ w² e² z zᵀ) A⁻¹, with the usual factor m / (m − n − 1).
    """
    center, mean = np.average(shown, axis=0, weights=weights), np.average(scores, weights=weights)
    z, y = shown - center, scores - mean
    inverse = np.linalg.inv((z.T * weights) @ z + _RIDGE * np.eye(z.shape[1]))
    values = inverse @ (z.T @ (weights * y))
    left = y - z @ values
    influence = inverse @ (z.T * (weights * left))
    m, n = z.shape
    errors = np.sqrt((influence**2).sum(1) * m / (m - n - 1))
    spread = float(weights @ y**2)
    return values, errors, 1 - float(weights @ left**2) / spread if spread > 0 else 1.0
