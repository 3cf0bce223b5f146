"""The pointing game: does the largest value of a map lie on the thing?"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pellucid.catalogue import method
from pellucid.evaluation.explainers import DEFAULT, ExplainersOption
from pellucid.evaluation.localized import localized
from pellucid.evaluation.rules import Pointing
from pellucid.evaluation.truth import PairsOption, TruthOption
from pellucid.image_set import ImageSet
from pellucid.net import Net
from pellucid.result import Study
from pellucid.rng import Seed


@method(
    "Pointing game",
    purpose="rank methods by whether their maximum lies on the thing",
    shows=(
        "A hit is a map whose largest value lies on the thing or within 15 pixels of it. Nothing but that one value "
        "counts, so a stray pixel can lose, and a map spread over the whole image can win. Things often lie in the "
        "middle of photos: compare with center, and see the difficult cases. A hit does not show that the network "
        "needs the thing. One map of each method for each class of each image."
    ),
    source="Zhang et al. 2016, section 4.1 (excitation backprop), as TorchRay plays it",
    over="all",
    resumable=True,
)
def pointing(
    net: Net,
    images: ImageSet,
    *,
    truth: TruthOption,
    of: ExplainersOption = DEFAULT,
    classes: PairsOption = None,
    tolerance: Annotated[
        float,
        Field(ge=0, le=1000, description="distance from the thing that still is a hit, in pixels of the original"),
    ] = 15.0,
    seed: Seed = 0,
) -> Study:
    """A hit is a map whose largest value lies on a thing of the class, or within `tolerance` pixels of one.

    Every class that a picture has things of is asked about by itself. The table `pointing` has a row for each
    method and each map that knows no network: the share of hits over all cases (a case is a class in a picture), with a
    95 % interval that draws pictures, the mean of the classes' shares, which papers state, and the share of the
    difficult cases, whose things fill less than a quarter of the picture beside another class. `classes` has
    one row for each class, and the curve `tolerance` (101,) follows the hits from 0 to 100 pixels. Among equal values
    chance decides: `meta.found["chance"]` is what a map scores that is the same everywhere. Distances are in pixels of
    the original picture, from the middle of a pixel to that of the nearest one of the thing. What the network does not
    see, because the picture was cropped, is left out.
    """
    return localized(net, images, of, truth, classes, [Pointing(tolerance)], seed)
