"""Simulation to real: what a network that was trained on generated images is worth on real ones."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pellucid.catalogue import method
from pellucid.data import Data, DataOption
from pellucid.described import Default
from pellucid.errors import Refused
from pellucid.learning.adapted import reestimated
from pellucid.learning.features import Features, features
from pellucid.learning.objective import Tensors, images_of, tensors_of
from pellucid.learning.readout import readout
from pellucid.learning.recycled import fitted, head_of, objective_for
from pellucid.learning.shots import Chosen, Shots
from pellucid.learning.train import evaluated
from pellucid.methods.training._domains import (
    SCRATCH,
    TUNED,
    Compared,
    Judged,
    accuracies,
    by_class,
    by_layer,
    of_labels,
    of_layers,
    said,
)
from pellucid.net import LayerName, Net
from pellucid.net.handed_on import along
from pellucid.notes import Note
from pellucid.progress import steps as each
from pellucid.result import Meta, Study
from pellucid.rng import Seed

_SIMULATED = 1000
"""Simulated images, at the most, that are compared with real ones."""


@method(
    "Simulation to real",
    purpose="judge on real images what was trained on simulated ones",
    shows=(
        "The gap is what accuracy loses from simulated to real images; the crossing is the number of real labels from "
        "which on training from scratch does better. That number depends on the 100 steps that each training has. A "
        "layer that tells simulated from real does not show that the answers suffer, nor does 0.5 show that they do "
        "not. Up to three forward passes over the real images, one over up to 1,000 simulated ones, and 30 trainings."
    ),
    source="Tobin et al. 2017, section 4; Li et al. 2017 (AdaBN), section 3; Ben-David et al. 2007, section 4",
    over="all",
    quick={"steps": 4, "repeats": 2},
)
def sim_to_real(
    net: Net,
    data: Data,
    *,
    simulated: Annotated[
        DataOption | None,
        Field(description="images like those that the network was trained on, to compare with the real ones"),
        Default("none: only real images are judged"),
    ] = None,
    layers: Annotated[
        tuple[LayerName, ...] | None,
        Field(min_length=1, description="layers at which both kinds of images are compared"),
        Default("five along the network"),
    ] = None,
    shots: Annotated[
        tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1, description="numbers of real labels per class")
    ] = (1, 2, 5, 10, 20),
    repeats: Annotated[int, Field(ge=1, le=100, description="number of draws of the labeled real images")] = 3,
    steps: Annotated[
        int, Field(ge=0, le=10**6, description="number of steps of each training; 0: nothing is trained")
    ] = 100,
    seed: Seed = 0,
) -> Study:
    """Accuracy on real images (`data`) of a network trained on simulated ones: `accuracy` has one row for each kind of
    images, `domains` one row for each layer, `classes` one row for each class.

    Half of the real images, at the most, are there to learn from, the others judge. Norms re-estimated means that the
    batch norms take their statistics from the former, without labels. `domains` tells how well a linear read-out
    says whether an image is simulated or real, on images it was not fitted to, before and after that (0.5: the layer
    does not know), and the cosine between the covariances of its features. The curve "real labels" has what labels of
    real images bring: from scratch, a new head on frozen layers (the read-out of the last layer), and fine-tuned with
    its own head. Both of these start from the re-estimated norms, which then keep their statistics; those of a network
    from scratch are the batch's. Beyond the crossing, the simulation costs more than it brings. Errors join
    the spread over draws and that of the images that judge. Raises PellucidError where no class has two images.
    """
    places = tuple(layers or along(net, 5))
    real = features(net, data, places, answers=True)
    classes = max(net.outputs, int(real.labels.max()) + 1, 2)
    draws = Shots.of(real.labels, classes, max(shots), seed)
    counts = [one for one in sorted(set(shots)) if one <= draws.most]
    adapted, why = net, ""
    pool = np.sort(np.concatenate(draws.pool))
    try:
        adapted = reestimated(net, images_of(net, Chosen(data, real.numbers[pool]))[0].pixels)
    except Refused as error:
        why = f"no statistics are re-estimated: {error}"
    after = real if adapted is net else features(adapted, data, places, answers=True)
    judged = [Judged.of("real", real, draws.test)]
    judged += [] if adapted is net else [Judged.of("real, norms re-estimated", after, draws.test)]
    domains = None
    if simulated is not None:
        made = features(net, simulated.subset(_SIMULATED, seed), places, answers=True)
        judged = [Judged.of("simulated", made, np.arange(len(made))), *judged]
        domains = Compared.of(made, real, None if adapted is net else after, draws.test, seed)
    trained: dict[tuple[str, int], list[float]] = {}
    if steps and counts:
        trained, refused = _trainings(adapted, data, after, draws, counts, (repeats, steps, seed))
        why = "; ".join(one for one in (why, refused) if one)
    curves = {"real labels": of_labels(trained, judged, counts)} if trained else {}
    tables = {"accuracy": accuracies(judged), "classes": by_class(net, judged)}
    if domains is not None:
        curves |= {"domains by layer": by_layer(domains), "map": domains.map}
        tables["domains"] = of_layers(domains)
    said_of = f"{len(pool)} real images to learn from, {len(draws.test)} others judge"
    notes = (Note("choice", said_of), *([Note("refused", why)] if why else []))
    meta = Meta(found={"layers": places, "judged": len(draws.test)}, notes=notes)
    return Study(said(judged, domains, trained, counts), curves, {}, tables, meta)


def _trainings(
    net: Net, data: Data, found: Features, draws: Shots, counts: list[int], how: tuple[int, int, int]
) -> tuple[dict[tuple[str, int], list[float]], str]:
    """Accuracies of every draw by (way, labels), and why there are none."""
    try:
        head_of(net)
    except Refused as error:
        return {}, f"nothing is trained: {error}"
    repeats, steps, seed = how
    last, classes = [*found.at][-1], len(draws.pool)
    needed = np.unique(np.concatenate([draws.test, *(draws.drawn(counts[-1], r) for r in range(repeats))]))
    held = tensors_of(net, Chosen(data, found.numbers[needed]))
    test = _some(held, needed, draws.test)
    scores: dict[tuple[str, int], list[float]] = {}
    for many, r in each([(many, r) for many in counts for r in range(repeats)], "draws"):
        drawn = draws.drawn(many, r)
        learned = readout(found.at[last][drawn], found.labels[drawn], classes).answers(found.at[last][draws.test])
        scores.setdefault(("new head", many), []).append(float((learned == found.labels[draws.test]).mean()))
        for way, kept in ((SCRATCH, None), (TUNED, "")):
            made = fitted(net, None, _some(held, needed, drawn), last=kept, how="tuned", steps=steps, seed=seed + r)
            scores.setdefault((way, many), []).append(evaluated(made, test.like(made), objective_for(net))[1])
    return scores, ""


def _some(held: Tensors, needed: NDArray[np.int64], which: NDArray[np.int64]) -> Tensors:
    return held[np.searchsorted(needed, which)]
