"""Insertion: how fast a class appears when the pixels that a map names first are put in."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from pellucid.catalogue import method
from pellucid.evaluation import faithfulness as measures
from pellucid.evaluation.explainers import DEFAULT, ExplainersOption
from pellucid.evaluation.paths import Score, Steps, Substrate
from pellucid.evaluation.summary import mean_curves
from pellucid.image_set import ImageSet
from pellucid.net import Net
from pellucid.result import Study
from pellucid.rng import Seed


@method(
    "Insertion",
    purpose="rank methods by how fast their pixels make the class",
    shows=(
        "A large area says that the class appears early when the pixels that the map names first are put in. The "
        "blurred image that they are put into may show the class already, and maps of whole areas gain over those of "
        "scattered pixels. That pixels are enough does not mean that the network needs them: read deletion beside it, "
        "and the maps that know no network. For each image and map 29 forward passes, and the map itself."
    ),
    source="Petsiuk et al. 2018, section 4.1 (RISE), with the settings of the authors' program",
    over="all",
    resumable=True,
    quick={"steps": 8},
)
def insertion(
    net: Net,
    images: ImageSet,
    *,
    of: ExplainersOption = DEFAULT,
    fill: Annotated[
        Substrate, Field(description="picture that pixels are put into; authors_blur is the authors' choice")
    ] = "authors_blur",
    steps: Steps = 28,
    score: Score = "probability",
    seed: Seed = 0,
) -> Study:
    """Pixels are put into a blurred picture in the order of the map, and the class is followed: higher is better.

    `ranking` has one row for each method and each map that knows no network: the mean over the images of the area under
    the curve (share of the pixels that are there, 0..1), with its 95 % interval, and a paired test against the best.
    `curves` holds the mean curve of each, (steps + 1,). With neighbors as `fill` the picture is no longer one alone: at
    each step what is missing is filled from the pixels that are there. All else is as in `deletion`.
    """
    measure = measures.insertion(fill, steps, score, seed)
    judged, (table,), meta = measure.answered(net, images, of, seed)
    shares, what = np.linspace(0, 1, steps + 1), "inserted"
    curves = mean_curves(judged, table["method"], shares, f"share of the pixels {what}", score)
    return Study(table.findings, {"curves": curves}, tables={"ranking": table}, meta=meta)
