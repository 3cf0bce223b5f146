"""Transfer: what a trained network's features are worth for another task, layer by layer and label by label."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import numpy as np
from pydantic import Field

from pellucid.catalogue import method
from pellucid.data import DataOption, NewTask
from pellucid.described import Default
from pellucid.errors import PellucidError, Refused
from pellucid.image_set import ImageSet
from pellucid.learning.features import PIXELS, Features, features
from pellucid.learning.objective import Tensors, tensors_of
from pellucid.learning.readout import readout
from pellucid.learning.recycled import How, fitted, head_of, objective_for
from pellucid.learning.shots import Chosen, Shots
from pellucid.learning.similarity import cka, shared_directions, told_apart
from pellucid.learning.train import evaluated
from pellucid.methods.training._transferred import SCRATCH, TUNED, Scores, said, shown
from pellucid.net import LayerName, Net
from pellucid.net.handed_on import along
from pellucid.notes import Note
from pellucid.progress import steps as each
from pellucid.result import Grid, Meta, Study
from pellucid.rng import Seed

_TRAINED = 3
"""Draws of labeled images, at the most, for each of which networks are trained."""
_COMPARED = 512
"""Images, at the most, on which layers are compared before and after."""


@method(
    "Transfer",
    purpose="find what a network's features are worth for a new task",
    shows=(
        "Read which layer serves the new task best for each number of labels, and from which number on training from "
        "scratch catches up. A poor read-out does not mean that the layer lacks the information: it is linear, and "
        "learned from few labels. 100 steps are few for training from scratch, which favors the others, and CKA is too "
        "high with fewer images than features. A forward pass over the images, 54 read-outs in closed form, and 48 "
        "trainings of 100 steps."
    ),
    source="Yosinski et al. 2014, section 2 and figure 2; Kornblith et al. 2019, section 3; Alain & Bengio 2016",
    over="all",
    quick={"steps": 4, "repeats": 2},
)
def transfer(
    net: Net,
    data: NewTask,
    *,
    layers: Annotated[
        tuple[LayerName, ...] | None,
        Field(min_length=1, description="layers to read out and to keep, in the order of execution"),
        Default("five along the network"),
    ] = None,
    shots: Annotated[
        tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1, description="numbers of labeled images per class")
    ] = (1, 5, 20),
    repeats: Annotated[int, Field(ge=1, le=100, description="number of draws of the labeled images")] = 3,
    steps: Annotated[
        int, Field(ge=0, le=10**6, description="number of steps of each training; 0: nothing is trained")
    ] = 100,
    source: Annotated[
        DataOption | None,
        Field(description="images that the network was trained on, to compare with; classes do not count"),
        Default("none: the data sets are not compared"),
    ] = None,
    seed: Seed = 0,
) -> Study:
    """Accuracies on a new task, whose classes need be none of the network's: `layers` has one row for each layer and
    number of labels, `trained` one row for each way to use the network, kept layers and number of labels.

    A linear read-out of a layer is ridge regression on its features, of a large map the means over a coarse grid;
    that of the pixels stands beside. Recycled is the read-out of the last layer. Fine-tuned keeps all layers and
    trains them under a new head; from scratch begins with random weights. In the curve "kept layers" those up to a
    layer are kept, frozen or trained as well, and all others begin anew. Norms of kept layers use their stored
    statistics, those of new layers the batch's. Errors join the spread over draws and that of the images that
    judge, which are never trained on. The grid `cka` compares layers (rows) with those of the fine-tuned network
    (columns), on the same images. CKA needs these, and two data sets have none in common: with `source`, a table has
    for each layer the cosine of the covariances of its features over both, which is CKA with features and images
    changing places, and how well a linear read-out tells the sets apart. Raises PellucidError for too few images.
    """
    places = tuple(layers or along(net, 5))
    found = features(net, data, (PIXELS, *places))
    classes = int(found.labels.max()) + 1
    draws = Shots.of(found.labels, classes, max(shots), seed)
    counts = [one for one in sorted(set(shots)) if one <= draws.most]
    if not counts or len(np.unique(found.labels)) < 2:
        raise PellucidError(f"shots={shots}: {data} has {draws.most} images of its smallest class to learn from, "
                            "and needs two classes")  # fmt: skip
    scores = Scores(places, {name: values.shape[1] for name, values in found.at.items()}, len(draws.test))
    for name in each((PIXELS, *places), "layers"):
        for many in counts:
            for r in range(repeats):
                scores.read.setdefault((name, many), []).append(_read(found, name, draws, many, r, classes))
    after, why = None, ""
    if steps:
        try:
            head_of(net)
            after = _trainings(net, data, found, draws, scores, counts, min(repeats, _TRAINED), steps, seed)
        except Refused as error:
            why = f"nothing is trained: {error}"
    grids = {} if after is None else {"cka": _compared(net, after, data, found, draws)}
    apart = {} if source is None else _sources(net, source, found, seed)
    curves, tables = shown(scores, counts, apart)
    return Study(
        said(scores, counts, apart), curves, grids, tables,
        Meta(found={"layers": places, "classes": classes, "judged": scores.images}, notes=_notes(shots, counts, why)),
    )  # fmt: skip


def _read(found: Features, name: str, draws: Shots, many: int, repeat: int, classes: int) -> float:
    given, judged = draws.drawn(many, repeat), draws.test
    learned = readout(found.at[name][given], found.labels[given], classes)
    return float((learned.answers(found.at[name][judged]) == found.labels[judged]).mean())


def _trainings(
    net: Net, data: NewTask, found: Features, draws: Shots, scores: Scores, counts: list[int], repeats: int,
    steps: int, seed: int,
) -> Net:  # fmt: skip
    """Every way to use the network, into the scores; the network fine-tuned with the most labels, of the first draw."""
    most, classes = counts[-1], int(found.labels.max()) + 1
    ways: list[tuple[str, str | None, How, int]] = []
    ways += [(way, last, "tuned", many) for many in counts for way, last in ((SCRATCH, None), (TUNED, ""))]
    kept: tuple[tuple[str, How], ...] = (("frozen", "frozen"), ("trained", "tuned"))
    ways += [(way, name, how, most) for name in scores.layers for way, how in kept]
    needed = np.unique(np.concatenate([draws.test, *(draws.drawn(most, r) for r in range(repeats))]))
    held = tensors_of(net, Chosen(data, found.numbers[needed]))
    test = _some(held, needed, draws.test)
    tuned = net
    for way, last, how, many in each(ways, "trainings"):
        for r in range(repeats):
            given = _some(held, needed, draws.drawn(many, r))
            made = fitted(net, classes, given, last=last, how=how, steps=steps, seed=seed + r)
            share = evaluated(made, test.like(made), objective_for(net))[1]
            scores.trained.setdefault((way, last or "", many), []).append(share)
            if (way, many, r) == (TUNED, most, 0):
                tuned = replace(net.with_module(made.module), labels=None)
    return tuned


def _some(held: Tensors, needed: np.ndarray, which: np.ndarray) -> Tensors:
    return held[np.searchsorted(needed, which)]


def _compared(net: Net, after: Net, data: NewTask, found: Features, draws: Shots) -> Grid:
    some, names = draws.test[:_COMPARED], [name for name in found.at if name != PIXELS]
    other = features(after, Chosen(data, found.numbers[some]), names)
    values = np.array([[cka(found.at[one][some], other.at[name]) for name in names] for one in names])
    return Grid(values, tuple(names), tuple(names), "linear CKA", "layer before", "layer after fine-tuning")


def _sources(net: Net, source: DataOption, found: Features, seed: int) -> dict[str, tuple[float, float, float]]:
    """Layer -> (shared directions, accuracy of telling the sets apart, its error)."""
    there = features(net, ImageSet.of(source), tuple(found.at))
    return {
        name: (shared_directions(own, there.at[name]), *told_apart(own, there.at[name], seed))
        for name, own in found.at.items()
    }


def _notes(shots: tuple[int, ...], counts: list[int], why: str) -> tuple[Note, ...]:
    said = [Note("choice", "norms of kept layers use their stored statistics in training, new ones the batch's")]
    if len(counts) < len(set(shots)):
        said.append(Note("choice", f"labels per class: {', '.join(map(str, counts))}; the data has no more"))
    return (*said, Note("refused", why)) if why else tuple(said)
