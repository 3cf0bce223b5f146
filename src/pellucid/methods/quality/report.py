"""Report: which method is to be trusted on this network, and for what."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pellucid import catalogue
from pellucid.catalogue import method
from pellucid.described import Default, Shell
from pellucid.evaluation.explainers import Explainers, ExplainersOption
from pellucid.evaluation.properties import REWARD, axioms, findings, measured, rankings, rewards, table
from pellucid.evaluation.summary import said
from pellucid.evaluation.truth import PairsOption, TruthOption
from pellucid.image_set import ImageSet
from pellucid.net import Net
from pellucid.result import Meta, Study
from pellucid.rng import Seed

ALL = Explainers.of("all")
"""Every method of the catalogue that gives a map of a target."""


@method(
    "Report of properties",
    purpose="say which methods to trust on a network, and for what",
    shows=(
        "Read first whether a method is ahead of the maps that know no network and whether its map changes with random "
        "weights, then the figure for what you need. No method is best in everything: exactness and consistency favor "
        "smooth maps, and of few images most differences are chance, as intervals and tests say. Slow methods run with "
        "coarser options. For each image and method about nine maps and 55 forward passes, besides work on small "
        "networks."
    ),
    source="Yeh et al. 2019, section 2; Adebayo et al. 2018, section 3; Petsiuk et al. 2018, section 4.1",
    over="all",
    resumable=True,
    quick={"steps": 4, "of": "grad_cam", "planted": False},
)
def report(
    net: Net,
    images: ImageSet,
    *,
    of: ExplainersOption = ALL,
    steps: Annotated[int, Field(ge=4, le=1000, description="number of steps of each curve from no pixel to all")] = 8,
    boxes: Annotated[
        TruthOption | None,
        Field(description="boxes or masks of things: CSV, COCO JSON, or a folder of YOLO, Pascal VOC or mask files"),
        Default("no reward is measured"),
        Shell(flag="--boxes", value="TRUTH"),
    ] = None,
    classes: PairsOption = None,
    planted: Annotated[
        bool, Field(description="measure whether maps find a bias that was planted in a small network, and repair it")
    ] = True,
    seed: Seed = 0,
) -> Study:
    """Exactness, consistency, completeness, universality and reward of each method, and what it names, on one page.

    `properties` has one row for each method and each map that knows no network; its help says how each figure was made.
    Exactness is what sums of the map foretell of removals (1 − infidelity), consistency how far the map stays the same
    under changes that should not matter, completeness the error of the sum that the method claims, universality which
    kinds of networks it serves; deletion, insertion and ROAD say whether what it names is what the network uses, and
    the map under random weights whether it shows what was learned. The reward is what is gained: whether the map finds
    a planted bias, the accuracy after a repair by it (`planted_bias` says how), and with `boxes`, or masks, of things
    how well it finds things that nobody had drawn for the network. The other tables rank the methods by one measure
    each, with 95 % intervals and paired tests. Each map is made once and judged in all these ways; slow methods are
    asked with the options that answer within seconds, and `meta.found["asked"]` says which.
    """
    found = measured(net, images, of, steps, seed)
    explainers = [one for one in found.judged.explainers.each if not one.is_baseline]
    small = axioms(net, explainers, seed)
    reward = None if boxes is None else rewards(net, images, of, boxes, classes, seed)
    bias = catalogue.find("planted_bias").function(net, of=of, seed=seed) if planted else Study(())
    properties, ranked = table(found, small, reward, bias.tables.get("planted"), seed), rankings(found, seed)
    asked = said(found.judged, found.measures[0].protocol)
    ids = [one.protocol.id for one in found.measures]
    located = {} if reward is None else {name: reward.tables[name] for name in REWARD}
    ids += [str(one.meta.found["protocol"]) for one in (reward, bias) if one is not None and one.tables]
    meta = Meta(found={**asked, "protocol": "; ".join(ids)}, notes=bias.meta.notes)
    told = (*findings(properties, ranked, reward), *bias.findings)
    return Study(told, tables={"properties": properties, **ranked, **located, **bias.tables}, meta=meta)
