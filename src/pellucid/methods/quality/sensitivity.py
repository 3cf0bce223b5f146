"""Sensitivity: how far a map moves when the image hardly does."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pellucid.catalogue import method
from pellucid.evaluation import robustness as measures
from pellucid.evaluation.explainers import DEFAULT, ExplainersOption
from pellucid.image_set import ImageSet
from pellucid.net import Net
from pellucid.result import Study
from pellucid.rng import Seed


@method(
    "Sensitivity",
    purpose="rank methods by how far noise moves their map",
    shows=(
        "A small change says that the map hardly moves with noise of up to 2 % of the pixel range. A steady map need "
        "not be right: center, which knows no network, has 0; and where the score itself jumps, a map is right to move "
        "with it. Ten noisy copies seldom hold the largest change that is possible, so max is a lower bound. For each "
        "image and method eleven maps."
    ),
    source="Yeh et al. 2019, section 3 (definition 3.1, max-sensitivity); Bhatt et al. 2020, section 3 (mean)",
    over="all",
    resumable=True,
    quick={"samples": 3},
)
def sensitivity(
    net: Net,
    images: ImageSet,
    *,
    of: ExplainersOption = DEFAULT,
    radius: Annotated[
        float | int, Field(gt=0, le=1, description="largest change of a pixel, in pixel values from 0 to 1")
    ] = 0.02,
    samples: Annotated[int, Field(ge=1, le=10000, description="number of noisy copies of each image")] = 10,
    seed: Seed = 0,
) -> Study:
    """Uniform noise within the radius is added, and the map of the same class drawn again: lower is better.

    `max` has one row for each method, by the largest ‖Φ(x + δ) − Φ(x)‖ / ‖Φ(x)‖ of the noisy copies, `mean` by their
    mean; both are means over the images, with 95 % intervals and paired tests. A map that knows no network can be
    steady for no reason: `center` has 0. Sampled methods keep their random numbers.
    """
    measure = measures.sensitivity(radius, samples, seed)
    _, (largest, mean), meta = measure.answered(net, images, of, seed)
    return Study(largest.findings, tables={"max": largest, "mean": mean}, meta=meta)
