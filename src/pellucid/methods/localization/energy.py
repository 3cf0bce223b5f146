"""Energy: how much of a map lies on the thing?"""

from __future__ import annotations

from pellucid.catalogue import method
from pellucid.evaluation.explainers import DEFAULT, ExplainersOption
from pellucid.evaluation.localized import localized
from pellucid.evaluation.rules import Energy
from pellucid.evaluation.truth import PairsOption, TruthOption
from pellucid.image_set import ImageSet
from pellucid.net import Net
from pellucid.result import Study
from pellucid.rng import Seed


@method(
    "Energy in the box or mask",
    purpose="rank methods by how much of the map lies on the thing",
    shows=(
        "The figure is the share of the positive part of the map that lies on the thing. A map gets the share of the "
        "area for nothing, which is much for large things, so compare with that and with the maps that know no "
        "network. What speaks against the class does not count, and evidence beside the thing can be what the network "
        "really uses. One map of each method for each class of each image."
    ),
    source="Wang et al. 2020, section 4.3 (Score-CAM), the energy-based pointing game",
    over="all",
    resumable=True,
)
def energy(
    net: Net,
    images: ImageSet,
    *,
    truth: TruthOption,
    of: ExplainersOption = DEFAULT,
    classes: PairsOption = None,
    seed: Seed = 0,
) -> Study:
    """The sum of the positive part of a map inside the box or mask of a class, over its sum everywhere: 0 to 1.

    `energy` has a row for each method and each map that knows no network: the mean over all cases (a class in a
    picture), with a 95 % interval that draws pictures, over classes, and over difficult cases, as in `pointing`;
    `classes` has one row for each class. Maps are read at every pixel of the network's input, (H, W). A map that is
    the same everywhere, and one that is nowhere positive, has the share of the area: `meta.found["chance"]` is its
    mean. What the network does not see of a thing is left out.
    """
    return localized(net, images, of, truth, classes, [Energy()], seed)
