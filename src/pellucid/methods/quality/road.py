"""ROAD: what is left of a class when the pixels that a map names are filled from those around them."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from pellucid.catalogue import method
from pellucid.evaluation import faithfulness as measures
from pellucid.evaluation.explainers import DEFAULT, ExplainersOption
from pellucid.evaluation.paths import Score
from pellucid.evaluation.summary import mean_curves
from pellucid.image_set import ImageSet
from pellucid.net import Net
from pellucid.result import Study
from pellucid.rng import Seed


@method(
    "ROAD",
    purpose="rank methods by what filling in their pixels loses",
    shows=(
        "A large margin says that the class loses more where the map's first pixels are filled from their neighbors "
        "than where its last ones are. Filling leaves no shape of a hole, but it blurs: smooth maps gain, even blurred "
        "random numbers, so a method has to be ahead of these. For each image and map 18 forward passes, each with a "
        "large linear system that fills the pixels, and the map itself."
    ),
    source="Rong et al. 2022, sections 4 and 5 (remove and debias)",
    over="all",
    resumable=True,
    quick={"shares": 2},
)
def road(
    net: Net,
    images: ImageSet,
    *,
    of: ExplainersOption = DEFAULT,
    shares: Annotated[
        int, Field(ge=1, le=49, description="number of equally spaced shares of the pixels that are taken away")
    ] = 9,
    score: Score = "probability",
    seed: Seed = 0,
) -> Study:
    """Pixels are taken away and filled from their neighbors, so that holes have no shape: higher is better.

    Once those that the map names first go first, once those that it names last; the figure is half of the difference
    of the class's probability between the two, mean over the shares (10 % to 90 % for 9 of them) and over the images.
    `ranking` has one row for each method and each map that knows no network, with 95 % intervals and paired tests;
    `first` and `last` hold the mean curves (shares,). Smooth maps are favored: compare with `blurred_random`, which
    knows no network.
    """
    measure = measures.road(shares, score, seed)
    judged, (table,), meta = measure.answered(net, images, of, seed)
    at, axis = np.arange(1, shares + 1) / (shares + 1), "share of the pixels gone"
    curves = {
        name: mean_curves(judged.reduced(judged.values[:, :, k]), table["method"], at, f"{axis}, {name} ones", score)
        for k, name in enumerate(("first", "last"))
    }
    return Study(table.findings, curves, tables={"ranking": table}, meta=meta)
