"""Randomization: whether a map changes when the network forgets what it has learned."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from pellucid.catalogue import method
from pellucid.evaluation import robustness as measures
from pellucid.evaluation.explainers import DEFAULT, ExplainersOption
from pellucid.evaluation.judged import Judged
from pellucid.evaluation.randomized import SAME, alike
from pellucid.evaluation.similarity import SIMILARITIES
from pellucid.evaluation.summary import mean_curves
from pellucid.geometry import Floats
from pellucid.image_set import ImageSet
from pellucid.net import Net
from pellucid.result import Study
from pellucid.rng import Seed


@method(
    "Randomization",
    purpose="check whether maps change when weights are drawn anew",
    shows=(
        "Read the correlation with half of the layers drawn anew, beside that of edges, which is 1 for any weights: a "
        "map that stays much the same does not show what was learned. A low one is necessary and not enough, for "
        "random maps have it, too, and one draw can give a similar map by chance. At the last step nearly every map is "
        "another. For each image and method seven maps: of the network and of six others."
    ),
    source="Adebayo et al. 2018, section 3 (cascading and independent randomization)",
    over="all",
    resumable=True,
    quick={"steps": 2},
)
def randomization(
    net: Net,
    images: ImageSet,
    *,
    of: ExplainersOption = DEFAULT,
    order: Annotated[
        Literal["cascading", "independent"],
        Field(description="way of drawing anew: from the last layer down to ever more, or one layer at a time"),
    ] = "cascading",
    steps: Annotated[
        int, Field(ge=1, le=1000, description="number of networks, equally spaced over the layers from the last")
    ] = 6,
    magnitude: Annotated[bool, Field(description="compare the magnitudes of maps, without their signs")] = False,
    seed: Seed = 0,
) -> Study:
    """Layers are drawn anew, and each map is compared with that of the trained network: lower is better.

    A map that stays as it was does not show what the network has learned. `ranking` has one row for each method, by the
    size of the rank correlation, mean over the steps; at the last of them, with `cascading`, no trained layer is left,
    and nearly every map is another one. The curves are means over the images at every step, one for each way of
    comparing: rank correlation, structural similarity, and the share that the highest tenths of both have in common. A
    method whose map is much the same with half of the layers drawn anew is named. The trained network is none of the
    steps, and the class stays its best guess. Weights are normal with the mean and the standard deviation of each
    tensor; statistics of norms stay. `edges` is the same for every network: 1 is what a map has that only shows the
    image.
    """
    measure, networks = measures.randomization(net, order, steps, magnitude, seed)
    judged, (table,), meta = measure.answered(net, images, of, seed)
    at = np.array([share for _, share in networks])
    axis = "share of the layers drawn anew, from the last" if order == "cascading" else "place of the layer, 0 = last"
    curves = {
        kind: mean_curves(judged.reduced(judged.values[:, :, :, k]), table["method"], at, axis, kind)
        for k, kind in enumerate(SIMILARITIES)
    }
    layers = tuple(layer for layer, _ in networks)
    unmoved = _unmoved(judged.reduced(judged.values[:, :, :, 0]), at) if order == "cascading" else ()
    return Study((*unmoved, *table.findings), curves, tables={"ranking": table}, meta=meta.finding(layers=layers))


def _unmoved(judged: Judged, at: Floats) -> tuple[str, ...]:
    """A sentence for each method whose maps are much the same where the upper half of the layers is drawn anew."""
    known, k = judged.known(), int(np.flatnonzero(at <= 0.5).max(initial=0))
    means = np.nanmean(known.values[:, :, k], axis=1)
    return tuple(
        f"{one.name}: {alike(float(mean))} (rank correlation {mean:.2f}) with {at[k]:.0%} of the layers drawn anew"
        for one, mean in zip(known.explainers.each, means, strict=True)
        if abs(mean) > SAME and not one.is_baseline
    )
