"""Box accuracy: does a box around the bright part of a map fit the thing?"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pellucid.catalogue import method
from pellucid.evaluation.explainers import DEFAULT, ExplainersOption
from pellucid.evaluation.localized import localized
from pellucid.evaluation.rules import Boxes
from pellucid.evaluation.truth import PairsOption, TruthOption
from pellucid.image_set import ImageSet
from pellucid.net import Net
from pellucid.result import Study
from pellucid.rng import Seed


@method(
    "Box accuracy",
    purpose="rank methods by how well boxes around their maps fit",
    shows=(
        "The figure is the share of cases with a box that fits, at the threshold that is best for each method on these "
        "very images, which flatters all. It asks for the extent of the thing: a map of the part that decides, such as "
        "the head of a dog, may be right and fails. Compare with edges and center, which are hard to exceed. One map "
        "of each method for each class of each image, boxed at 100 thresholds."
    ),
    source="Choe et al. 2020, section 3.2 (MaxBoxAcc), and its version 2 in section 4 of the journal's edition",
    over="all",
    resumable=True,
    quick={"thresholds": 20},
)
def box_accuracy(
    net: Net,
    images: ImageSet,
    *,
    truth: TruthOption,
    of: ExplainersOption = DEFAULT,
    classes: PairsOption = None,
    thresholds: Annotated[int, Field(ge=2, le=1000, description="number of thresholds over the range of a map")] = 100,
    parts: Annotated[
        Literal["all", "largest"], Field(description="connected parts above the threshold that are boxed")
    ] = "all",
    seed: Seed = 0,
) -> Study:
    """Each map is put between 0 and 1, and boxes are drawn around the parts of it above a threshold.

    A case, a class in a picture, is right where a box overlaps with one of the class by at least .3, .5 or .7
    (intersection over union). Of each method the threshold counts at which most cases are right, found on these very
    pictures: that flatters all methods alike. The table has one row for each method and each map that knows no network:
    `box_accuracy`, the mean of the three shares, with a 95 % interval that draws pictures at that threshold, and each
    share by itself. The curve over the thresholds, (T,), is the share at .5. At the threshold 0 the box is all
    that the network sees, which no method can be worse than. Boxes are compared in pixels of the original picture, as
    far as the network sees it; those of masks are drawn around each connected part.
    """
    return localized(net, images, of, truth, classes, [Boxes(thresholds, parts == "largest")], seed)
