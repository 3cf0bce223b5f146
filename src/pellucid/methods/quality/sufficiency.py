"""Sufficiency: how few of the pixels that a map names first are enough for the same answer."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pellucid.catalogue import method
from pellucid.evaluation import faithfulness as measures
from pellucid.evaluation.explainers import DEFAULT, ExplainersOption
from pellucid.evaluation.paths import Steps, Substrate
from pellucid.image_set import ImageSet
from pellucid.net import Net
from pellucid.result import Study
from pellucid.rng import Seed


@method(
    "Sufficiency",
    purpose="rank methods by how few of their first pixels suffice",
    shows=(
        "A small share says that few of the map's first pixels, put into a blurred image, bring back half of the "
        "probability. 0 is no merit: the blurred image alone was enough. That these pixels suffice does not mean that "
        "the network needs them, or that others would not do; and shares closer than one of 28 steps are not told "
        "apart. For each image and map 29 forward passes, and the map itself."
    ),
    source="Carter et al. 2019, section 3 (sufficient input subsets); Dabkowski & Gal 2017, section 3",
    over="all",
    resumable=True,
    quick={"steps": 8},
)
def sufficiency(
    net: Net,
    images: ImageSet,
    *,
    of: ExplainersOption = DEFAULT,
    fill: Annotated[Substrate, Field(description="picture that pixels are put into")] = "authors_blur",
    share: Annotated[
        float | int, Field(gt=0, le=1, description="share of the image's own probability that has to be reached")
    ] = 0.5,
    steps: Steps = 28,
    seed: Seed = 0,
) -> Study:
    """Pixels are put into a blurred picture in the order of the map until the class is back: fewer are better.

    `ranking` has one row for each method, by the share of the pixels (0..1) at which the probability of the best guess
    first reaches `share` of that of the whole image, mean over the images, with 95 % intervals and paired tests. It is
    0 where the picture that the pixels are put into is enough already.
    """
    measure = measures.sufficiency(fill, share, steps, seed)
    _, (table,), meta = measure.answered(net, images, of, seed)
    return Study(table.findings, tables={"ranking": table}, meta=meta)
