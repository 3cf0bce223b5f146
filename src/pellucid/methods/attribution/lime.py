"""LIME: a linear model of the score around the image, in terms of which superpixels are shown."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pellucid.catalogue import method
from pellucid.errors import PellucidError
from pellucid.images import Images
from pellucid.net import Net
from pellucid.result import Heatmap
from pellucid.rng import Seed, generator
from pellucid.saliency.coalitions import Game, Hiding, Pieces, Segments, Shares, shares
from pellucid.saliency.fits import near_one, surrogate
from pellucid.target import BEST, Target


@method(
    "LIME",
    purpose="fit a linear model to hidden superpixels",
    shows=(
        "In a linear model of the network near the image, a positive superpixel raises the score and a negative one "
        "lowers it. The map is worth no more than that model: read its R² in the notes, and the standard errors. "
        "Borders come from colors and not from the network, every pixel holds the whole value of its superpixel, and "
        "images with hidden pieces are unlike those that the network was trained on. About 1,000 forward passes at the "
        "defaults."
    ),
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
        values, errors, fit = surrogate(drawn.astype(float), game.worth(drawn), near_one(drawn, kernel_width))
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
