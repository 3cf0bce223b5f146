"""Pixels: how well does a map tell the pixels of the thing from all others?"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pellucid.catalogue import method
from pellucid.evaluation.explainers import DEFAULT, ExplainersOption
from pellucid.evaluation.localized import localized
from pellucid.evaluation.rules import Pixels
from pellucid.evaluation.truth import PairsOption, TruthOption
from pellucid.image_set import ImageSet
from pellucid.net import Net
from pellucid.result import Study
from pellucid.rng import Seed


@method(
    "Precision and recall of pixels",
    purpose="rank methods by how well they tell the thing's pixels",
    shows=(
        "1 says that every pixel of the thing has a higher value than all others; a map that is the same everywhere "
        "has the share of the area. It asks for the whole outline, which a network need not use, and coarse maps lose "
        "along it. Where boxes stand for masks, their corners count as the thing. Only the order of values within a "
        "map counts; PxAP compares them between images, too. One map of each method for each class of each image."
    ),
    source="Choe et al. 2020, section 3.2 (PxAP)",
    over="all",
    resumable=True,
    quick={"levels": 100},
)
def pixels(
    net: Net,
    images: ImageSet,
    *,
    truth: TruthOption,
    of: ExplainersOption = DEFAULT,
    classes: PairsOption = None,
    levels: Annotated[int, Field(ge=2, le=1000, description="number of thresholds over the range of a map")] = 1000,
    seed: Seed = 0,
) -> Study:
    """Every pixel above a threshold is taken for one of the thing: precision and recall over all thresholds.

    `pixels` has one row for each method and each map that knows no network: the average precision of a picture's
    pixels, the mean over all cases (a class in a picture), with a 95 % interval that draws pictures; and PxAP, that of
    the pixels of all pictures together, as the paper has it, where each map is put between 0 and 1 before.
    The curve `recall` (100,) is the precision of all pixels together. A map that is the same everywhere has the share
    of the area. Of masks this says more than of boxes, whose corners are no part of the thing.
    """
    return localized(net, images, of, truth, classes, [Pixels(levels)], seed)
