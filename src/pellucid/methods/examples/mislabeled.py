"""Mislabeled: images whose labels are doubted, with what speaks for it, for a person to decide about."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from pellucid.catalogue import method
from pellucid.described import Default
from pellucid.errors import PellucidError
from pellucid.history import RunsOption
from pellucid.index import Index
from pellucid.methods.examples.scores import Networks, Second, findings, ranking
from pellucid.notes import Note
from pellucid.progress import steps
from pellucid.result import Meta, Suspects, Table
from pellucid.rng import Seed
from pellucid.training_set.neighborhood import nearest_to
from pellucid.training_set.noise import KINDS
from pellucid.training_set.suspected import Suspected, margins_of
from pellucid.training_set.tried import TOGETHER, tried

_SIDE, _NEIGHBORS = 64, 5
"""Pixels of a small picture, and neighbors that are shown in each space."""


@method(
    "Mislabeled images",
    purpose="sort images by how much their labels are doubted",
    shows=(
        "Go through the images from the top: accept the suggested class, reject it, name another one, or remove the "
        "image. Neighbors in the last layer repeat the network, so believe a suspicion more where the second space "
        "agrees. Most suspects of a good data set are hard and not wrong: the list sorts, and you judge. Saved as "
        ".html it is a page whose button writes decisions.csv. Fits of the last layer, no training of the network."
    ),
    source="Northcutt et al. 2021, section 3; Pleiss et al. 2020, section 3; Fisher 1932 (combination); "
    "Guo et al. 2017, section 4.2 (temperatures)",
    over="all",
    quick={"noise": 0.0},
)
def mislabeled(
    index: Index,
    *,
    count: Annotated[int, Field(ge=1, le=1000, description="number of suspects that are shown")] = 40,
    second: Second = "hog",
    networks: Networks = None,
    noise: Annotated[
        float, Field(ge=0, le=0.5, description="share of labels made wrong to try the scores, 0: they are not tried")
    ] = 0.1,
    run: Annotated[
        RunsOption,
        Field(description="training run whose checkpoints give the margins over time"),
        Default("the epochs of a last layer trained on the features"),
    ] = (),
    seed: Seed = 0,
) -> Suspects:
    """The K images of an index whose labels are doubted most: (K,) by several scores together, the most suspect first.

    One score of each kind of evidence counts: AUM while a last layer learns the labels from the features, the margin
    of 5-fold fits, the share of the 20 nearest with another label in the last layer and in a `second` space, and the
    margin of the network itself; together they are −Σ log of the share of images that are at least as suspect. With
    other `networks`, which find more, it is the mean log probability of the best other class less that of the label, of
    each network by itself (where it knows the classes) and by fits out of fold of its last layer. What counts is
    fixed and asks no label. The suggestion is the most probable other class out of fold. With `noise` the same
    is tried on labels made wrong, and the table says what each score is worth here. `decide` of the answer reads and
    writes what a person decided. Raises PellucidError where the index has no labels.
    """
    found = Suspected.of(index, second, seed, networks)
    if len(run) > 1:
        raise PellucidError(f"run= names {len(run)} runs: margins are those of one")
    rows = found.order[:count]
    examples, given = found.examples, found.examples.labels[rows]
    suggested, p = found.suggested(rows)
    near, spaces = _neighbors(found, rows, second)
    wanted = np.unique(np.concatenate([rows, near.ravel()]))
    thumbs = np.stack([examples.picture(int(i), _SIDE) for i in steps(wanted.tolist(), "pictures")])
    steps_at, margins = _course(index, found, rows, run)
    tables: dict[str, Table] = {}
    said = [_estimate(found)]
    if noise and found.evidence.features is not None:
        done = tried(found.evidence, noise, KINDS, 1, seed)
        tables["scores"] = ranking(done, found)
        said += findings(done, noise)
    classes = tuple(str(examples.class_name(k)) for k in range(len(examples.classes)))
    told = {"examples": len(examples), "margins over": "checkpoints" if run else "epochs of a last layer"}
    return Suspects(
        found.said[TOGETHER][rows], found.tails(rows), tuple(found.said), examples.numbers[rows],
        tuple(examples.names[i] for i in rows), tuple(classes[i] for i in given), tuple(classes[i] for i in suggested),
        p, np.searchsorted(wanted, rows), np.searchsorted(wanted, near), spaces, thumbs,
        tuple(examples.names[i] for i in wanted), tuple(classes[examples.labels[i]] for i in wanted), classes,
        len(examples), margins, steps_at, tuple(filter(None, said)), tables, Meta(found=told, notes=_notes(found)),
    )  # fmt: skip


def _neighbors(found: Suspected, rows: np.ndarray, second: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """((M, R, K) rows of the nearest images in each space, the names of the spaces)."""
    spaces = {found.examples.layer or "last layer": found.examples.features, second: found.space}
    many = min(_NEIGHBORS, len(found.examples) - 1)
    near = [nearest_to(one, rows, many) for one in spaces.values()]
    return np.stack(near, 1), tuple(spaces)


def _course(
    index: Index, found: Suspected, rows: np.ndarray, run: RunsOption
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """The margins of the given labels, over checkpoints or epochs."""
    if run:
        return margins_of(index, run[0], found.examples.numbers[rows].tolist(), found.examples.labels[rows])
    if found.evidence.course is None:
        return None, None
    values = found.evidence.course.margins[:, rows].T
    return np.arange(1, values.shape[1] + 1), values


def _estimate(found: Suspected) -> str:
    if found.evidence.features is None:
        return ""
    confident = found.evidence.confident
    return (f"confident learning estimates that {confident.noise:.1%} of the labels are wrong and flags "
            f"{int(confident.flagged.sum())} of {len(found.examples)} images; it counts as wrong whatever the features "
            "cannot tell")  # fmt: skip


def _notes(found: Suspected) -> tuple[Note, ...]:
    return found.examples.notes
