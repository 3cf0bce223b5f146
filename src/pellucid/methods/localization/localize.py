"""Localize: the pointing game, energy and boxes of the same maps, in one pass."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pellucid.catalogue import method
from pellucid.described import Shell
from pellucid.evaluation.explainers import DEFAULT, ExplainersOption
from pellucid.evaluation.localized import Rule, localized
from pellucid.evaluation.rules import Boxes, Energy, Pointing
from pellucid.evaluation.truth import PairsOption, TruthOption
from pellucid.image_set import ImageSet
from pellucid.net import Net
from pellucid.result import Study
from pellucid.rng import Seed


@method(
    "Localization",
    purpose="play the pointing game, and measure energy and boxes",
    shows=(
        "Three figures of the same maps: whether the largest value lies on the thing, what share of the positive part "
        "does, and whether a box fits. They rank methods differently, and each is to be read beside center, edges and "
        "the share of the area; thresholds of boxes are chosen on these very images. A map beside the thing may still "
        "be right about the network. One map of each method for each class of each image."
    ),
    source="Zhang et al. 2016, section 4.1; Wang et al. 2020, section 4.3; Choe et al. 2020, section 3.2",
    over="all",
    resumable=True,
    quick={"thresholds": 20},
)
def localize(
    net: Net,
    images: ImageSet,
    *,
    boxes: Annotated[TruthOption, Shell(flag="--boxes", value="TRUTH")],
    of: ExplainersOption = DEFAULT,
    classes: PairsOption = None,
    tolerance: Annotated[
        float,
        Field(ge=0, le=1000, description="distance from the thing that still is a hit, in pixels of the original"),
    ] = 15.0,
    thresholds: Annotated[int, Field(ge=2, le=1000, description="number of thresholds over the range of a map")] = 100,
    seed: Seed = 0,
) -> Study:
    """One map of each class in each picture, measured three times: it is computed once.

    The tables `pointing`, `energy` and `boxes` have a row for each method and each map that knows no network, and are
    those of the methods `pointing`, `energy` and `box_accuracy`; `classes` has one row for each class with the shares
    of hits. `meta.found["chance"]` says what a map scores in the first two that is the same everywhere, (2,).
    """
    rules: list[Rule] = [Pointing(tolerance), Energy(), Boxes(thresholds, largest=False)]
    return localized(net, images, of, boxes, classes, rules, seed)
