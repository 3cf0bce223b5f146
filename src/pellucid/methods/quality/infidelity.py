"""Infidelity: how far the sums of a map miss what happens when parts of the image are taken away."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pellucid.catalogue import method
from pellucid.evaluation import faithfulness as measures
from pellucid.evaluation.explainers import DEFAULT, ExplainersOption
from pellucid.evaluation.paths import Score, Substrate
from pellucid.image_set import ImageSet
from pellucid.net import Net
from pellucid.result import Study
from pellucid.rng import Seed


@method(
    "Infidelity",
    purpose="rank methods by how well their sums foretell removals",
    shows=(
        "0 says that sums of the map foretell, up to a factor, what the logit loses when squares are taken away; 1, "
        "that they say nothing, or the reverse. The sides of the squares are a sixteenth to a third of the image's, so "
        "fine detail is not tested, and smooth maps are favored, also those that know no network; the fill is itself "
        "something to see. For each image and map 65 forward passes, and the map itself."
    ),
    source="Yeh et al. 2019, section 2 (definition 2.1) and section 4.1 (square removal, optimal scaling)",
    over="all",
    resumable=True,
    quick={"samples": 16},
)
def infidelity(
    net: Net,
    images: ImageSet,
    *,
    of: ExplainersOption = DEFAULT,
    samples: Annotated[int, Field(ge=4, le=100000, description="number of random squares that are taken away")] = 64,
    fill: Annotated[Substrate, Field(description="substrate of squares that are taken away")] = "training_mean",
    score: Score = "logit",
    seed: Seed = 0,
) -> Study:
    """Squares are taken away; the sum of the map inside should be what the class's logit loses: lower is better.

    `ranking` has one row for each method, by min over a factor β ≥ 0 of E (β Σ map − Δ)² / E Δ², mean over the images:
    0 where sums of the map are the changes Δ up to that factor, 1 where they say nothing, or the reverse. Squares have
    random sides of 1/16 to 1/3 of the image and random places, the same for every method. Maps in other units than the
    score's are judged by their shape alone.
    """
    measure = measures.infidelity(samples, fill, score, seed)
    _, (table,), meta = measure.answered(net, images, of, seed)
    return Study(table.findings, tables={"ranking": table}, meta=meta)
