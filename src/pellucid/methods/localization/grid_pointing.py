"""The grid pointing game: in a mosaic of four photos, does a map lie on the one that it is asked about?"""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from pellucid.catalogue import method
from pellucid.evaluation.explainers import DEFAULT, ExplainersOption
from pellucid.evaluation.judged import Again, Case, Judging
from pellucid.evaluation.mosaics import CELLS, Mosaics, cell
from pellucid.evaluation.regions import share_inside
from pellucid.evaluation.summary import Protocol, ranked, said
from pellucid.geometry import Floats
from pellucid.image_set import ImageSet
from pellucid.net import Net
from pellucid.result import Meta, Study
from pellucid.rng import Seed


@method(
    "Grid pointing game",
    purpose="rank methods by finding one photo of four in a mosaic",
    shows=(
        "1 says that all positive evidence lies in the photo whose class is asked about; a quarter is chance. It "
        "measures whether a map tells classes apart, not where in its photo a thing is. Mosaics are unlike the images "
        "of the training, and the network may judge a photo otherwise among three others. One forward pass over each "
        "photo, and one map of each method for each of 100 mosaics of four times the network's pixels."
    ),
    source="Böhle et al. 2021, section 4.2 (CoDA networks); Rao et al. 2022, section 3.1 (GridPG)",
    over="all",
    resumable=True,
    quick={"count": 8},
)
def grid_pointing(
    net: Net,
    images: ImageSet,
    *,
    of: ExplainersOption = DEFAULT,
    count: Annotated[
        int, Field(ge=1, le=10_000, description="number of mosaics, of which one photo each is asked about")
    ] = 100,
    confidence: Annotated[
        float, Field(ge=0, le=1, description="probability that a photo's best guess must have for it to be taken")
    ] = 0.5,
    size: Annotated[
        Literal["double", "input"],
        Field(description="pixels of a mosaic: photos as the network takes them, or of half their side, so that the "
              "mosaic is what it takes"),
    ] = "double",
    seed: Seed = 0,
) -> Study:  # fmt: skip
    """The share of the positive part of a map that lies in the photo whose class is asked about: by chance a quarter.

    Four photos that the network classifies with some `confidence`, each as another class, make a mosaic; in turn the
    first, second, third or fourth is asked about, by the class that the network gave it alone. `ranking` has
    one row for each method and each map that knows no network: `localization` is the mean share over the mosaics, with
    its 95 % interval, and a paired test against the best. A map that is nowhere positive has a quarter. No boxes are
    needed. With `size` "double", as the papers have it, the mosaic has twice the sides of the network's input, which
    networks that take one size refuse: ask for "input" there.
    """
    parts = (("mosaics", "2x2"), ("size", size), ("confidence", f"{confidence:g}"))
    protocol = Protocol("grid_pointing", parts, "Böhle et al. 2021, section 4.2; Rao et al. 2022, section 3.1")
    cases = Mosaics(net, images, count, confidence, size == "input", seed)

    def judge(case: Case, heat: Floats, again: Again) -> Floats:
        return np.array([share_inside(heat, cell((heat.shape[0], heat.shape[1]), case.number % CELLS))])

    found = Judging(net, cases, judge, protocol.id, (1,), seed)(of.with_baselines())
    shares = found.reduced(found.values[:, :, 0])
    means = "share of the positive part of the map in the photo that is asked about, mean over the mosaics"
    table = ranked(shares, protocol, "localization", means, "high", seed)
    meta = Meta(found={**said(found, protocol), "chance": 1 / CELLS, "photos": len(cases.classes)})
    return Study((*table.findings, f"by chance: {1 / CELLS}"), tables={"ranking": table}, meta=meta)
