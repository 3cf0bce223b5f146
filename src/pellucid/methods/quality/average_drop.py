"""Average drop: what is lost where the image is shown only as far as a map is bright."""

from __future__ import annotations

from pellucid.catalogue import method
from pellucid.evaluation import faithfulness as measures
from pellucid.evaluation.explainers import DEFAULT, ExplainersOption
from pellucid.image_set import ImageSet
from pellucid.net import Net
from pellucid.result import Study
from pellucid.rng import Seed


@method(
    "Average drop",
    purpose="rank methods by what the image loses behind their map",
    shows=(
        "A small drop says that the class survives when the image is dimmed wherever the map is low. Maps that are "
        "bright nearly everywhere hide nothing and are rewarded for it, so read the drop beside deletion; and a dimmed "
        "image is unlike those that the network has learned from. For each image and map two forward passes, and the "
        "map itself."
    ),
    source="Chattopadhay et al. 2018, section 5.1 (Grad-CAM++)",
    over="all",
    resumable=True,
)
def average_drop(net: Net, images: ImageSet, *, of: ExplainersOption = DEFAULT, seed: Seed = 0) -> Study:
    """The image is multiplied by the map from 0 to 1, and the class is asked again: a lower drop is better.

    `drop` has one row for each method and each map that knows no network, by max(0, p − p′) / p, mean over the images,
    where p is the probability of the best guess and p′ that of the image seen through the map; `increase` by the share
    of the images with p′ > p, higher is better. The map is shifted and scaled to 0..1 for each image; where it is 0 the
    network sees the mean color of its training. A map that is bright nearly everywhere loses hardly anything:
    the figure says no more than how much the map shows. One that is the same everywhere is 0 everywhere and loses all.
    """
    measure = measures.average_drop(seed)
    _, (drop, more), meta = measure.answered(net, images, of, seed)
    return Study(drop.findings, tables={"drop": drop, "increase": more}, meta=meta)
