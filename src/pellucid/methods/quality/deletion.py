"""Deletion: how fast a class disappears when the pixels that a map names first are taken away."""

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
    "Deletion",
    purpose="rank methods by how fast their pixels end the class",
    shows=(
        "A small area says that the class falls early when the pixels that the map names first are taken away. Such "
        "images are unlike those of the training: a map whose first pixels happen to make an adversarial input is "
        "rewarded, and the fill is itself something to see. Compare with the maps that know no network, and only "
        "figures of one protocol. For each image and map 29 forward passes, and the map itself."
    ),
    source="Petsiuk et al. 2018, section 4.1 (RISE), with the settings of the authors' program",
    over="all",
    resumable=True,
    quick={"steps": 8},
)
def deletion(
    net: Net,
    images: ImageSet,
    *,
    of: ExplainersOption = DEFAULT,
    fill: Annotated[
        Substrate, Field(description="substrate of pixels that are taken away; training_mean is the authors' choice")
    ] = "training_mean",
    steps: Steps = 28,
    score: Score = "probability",
    seed: Seed = 0,
) -> Study:
    """Pixels are taken away in the order of the map, and the class's probability is followed: lower is better.

    `ranking` has one row for each method and each map that knows no network: the mean over the images of the area under
    the curve (share of the pixels that are gone, 0..1), with its 95 % interval, and a paired test against the best.
    `curves` holds the mean curve of each, (steps + 1,). The class is the network's best guess. Among equal values
    chance decides. With neighbors as `fill`, pixels that are gone are weighted means of those around them, found
    together as in `road` but without noise; where all are gone they have the mean color. Figures of other substrates,
    steps or scores are not comparable: `meta.found["protocol"]` says which these are. 28 steps are the authors' 1,792
    pixels at 224 × 224.
    """
    measure = measures.deletion(fill, steps, score, seed)
    judged, (table,), meta = measure.answered(net, images, of, seed)
    shares, what = np.linspace(0, 1, steps + 1), "removed"
    curves = mean_curves(judged, table["method"], shares, f"share of the pixels {what}", score)
    return Study(table.findings, {"curves": curves}, tables={"ranking": table}, meta=meta)
