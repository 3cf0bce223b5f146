"""Label randomization: whether a map changes when a network has learned labels without a meaning."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pellucid.catalogue import method
from pellucid.evaluation.explainers import DEFAULT, ExplainersOption
from pellucid.evaluation.randomized import SAME, alike
from pellucid.evaluation.robustness import label_randomization as measured
from pellucid.evaluation.similarity import SIMILARITIES
from pellucid.image_set import ImageSet
from pellucid.learning.twins import as_net, twins
from pellucid.net import Net
from pellucid.result import Grid, Study
from pellucid.rng import Seed


@method(
    "Label randomization",
    purpose="check whether maps change with what labels mean",
    shows=(
        "A map that shows what was learned must differ between the two networks; one that comes close to edges, whose "
        "value is 1, shows the image. A low value is necessary and not enough, for a random map has it, too, and maps "
        "of few cells can be alike by chance. All is about digits and small networks, and not about yours. Two "
        "trainings of small networks on 400 digits, and two maps of each method for 40 digits."
    ),
    source="Adebayo et al. 2018, section 4 (the data randomization test)",
    over="all",
    quick={"digits": 4},
)
def label_randomization(
    net: Net,
    *,
    of: ExplainersOption = DEFAULT,
    digits: Annotated[int, Field(ge=1, le=400, description="number of digits whose maps are compared")] = 40,
    magnitude: Annotated[bool, Field(description="compare the magnitudes of maps, without their signs")] = False,
    seed: Seed = 0,
) -> Study:
    """Two small networks learn 400 digits, one by their labels, one by labels drawn at random: maps should differ.

    Both begin with the same weights and are trained until 98 % of their labels are right, which the second can only
    know by heart. Each map of a digit, for the class that the first network gives it, is compared with that of the
    second: `ranking` has one row for each method, by the size of the rank correlation, lower is better; `similarity`
    is (methods, 3) means of the rank correlation, the structural similarity, and the share that the highest tenths
    have in common. `edges` is the same for both: 1 is what a map has that only shows the image. The network that is
    asked about does not matter.
    """
    drawn, true, random = twins(seed)
    images = ImageSet.of([one.numpy() for one in drawn.inputs[:digits].permute(0, 2, 3, 1)])
    measure = measured(as_net(random, "random labels"), magnitude, (("digits", str(digits)),))
    judged, (table,), meta = measure.answered(as_net(true, "true labels"), images, of, seed)
    known = judged.known()
    means = known.values[:, :, 0].mean(1)
    told = tuple(
        f"{one.name}: {alike(float(mean[0]))} (rank correlation {mean[0]:.2f}) where labels were learned at random"
        for one, mean in zip(known.explainers.each, means, strict=True)
        if abs(mean[0]) > SAME and not one.is_baseline
    )
    each = Grid(means, tuple(known.names), SIMILARITIES, "similarity", "method", "compared by")
    meta = meta.finding(net=net.name, accuracies=tuple(one.epochs[-1].train_accuracy for one in (true, random)))
    return Study((*told, *table.findings), grids={"similarity": each}, tables={"ranking": table}, meta=meta)
