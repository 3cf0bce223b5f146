"""Scores: all scores of suspicion side by side, each measured on labels that were made wrong on purpose."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from pellucid.catalogue import method
from pellucid.described import Default
from pellucid.index import Index
from pellucid.net.nets import NetsOption
from pellucid.notes import Note
from pellucid.result import Meta, Study, Table
from pellucid.result.table import Cell
from pellucid.rng import Seed
from pellucid.statistics import rank_correlation
from pellucid.training_set.noise import KINDS
from pellucid.training_set.suspected import Suspected
from pellucid.training_set.suspicion import OF_OTHERS, SCORES, of_other, score
from pellucid.training_set.tried import TOGETHER, Tried, parts, tried

Share = Annotated[float, Field(gt=0, le=0.5, description="share of the labels that is made wrong, from 0 to 1")]
Second = Annotated[
    str,
    Field(
        description="second space, which should not repeat the network: hog, lbp, colors, pixels, or an embedded layer",
        examples=["colors"],
    ),
]
Networks = Annotated[
    NetsOption | None,
    Field(description="other networks that see the images, too, of the same classes or of others"),
    Default("none"),
]
_HELP = {
    "score": "what is computed of each image; larger is more suspect, however its paper has it",
    "symmetric": "AUROC on labels replaced by any other class: probability that a wrong one is more suspect",
    "symmetric error": "its standard error: what so few wrong labels leave open",
    "pair": "the same on labels replaced by the next class, as where two are taken for one another",
    "pair error": "its standard error",
    "precision": "share of wrong labels among as many most suspect images as there are wrong ones",
    "agreement": "Spearman correlation with all together, on the labels as they are",
    "measures": "what it is",
    "needs": "what it is made of",
    "cost": "what it takes",
    "source": "where it is defined",
}


@method(
    "Scores of suspicion",
    purpose="measure which score finds wrong labels in this data",
    shows=(
        "A high AUROC says that the score finds labels that were made wrong at random, here, with these features; "
        "scores whose errors overlap are alike. Real mistakes are less random and harder to find, so read the order of "
        "the scores and not how good they are. Own scores are those of the network as it is: where it was trained on "
        "these images its AUROC is too good. Fits of the last layer for each repeat, and no training of the network."
    ),
    source="Pleiss et al. 2020, section 4; Northcutt et al. 2021; Jia et al. 2019; the source column of the answer",
    over="all",
    quick={"repeats": 1},
)
def scores(
    index: Index,
    *,
    noise: Share = 0.1,
    repeats: Annotated[int, Field(ge=1, le=100, description="number of times that labels are made wrong")] = 2,
    second: Second = "hog",
    networks: Networks = None,
    count: Annotated[int, Field(ge=1, le=10000, description="number of the most suspect images in the table")] = 20,
    seed: Seed = 0,
) -> Study:
    """All scores that an index allows: one row for each with its AUROC on labels made wrong, and the `count` most
    suspect images on the labels as they are.

    A share of the labels (`noise`) is replaced, by any other class and by the next one; a last layer is trained on the
    features with these labels, epoch by epoch, and everything is computed anew, `repeats` times, on 5,000 images at
    the most. Combined is one score of each kind of evidence: AUM, CV margin, neighbors in the last layer and in the
    `second` space, and the network's own margin, as −Σ log of the share of images that are at least as suspect; with
    other `networks` the mean of the log probabilities of all, by themselves and out of fold. Raises PellucidError where
    the index has no labels.
    """
    found = Suspected.of(index, second, seed, networks)
    done = tried(found.evidence, noise, KINDS, repeats, seed)
    tables = {"scores": ranking(done, found), "images": _images(found, count)}
    notes = (*found.examples.notes, Note("choice", f"combined is made of {', '.join(parts(found.evidence))}"))
    best = done.best()
    told: dict[str, float | int | str] = {
        "best": best,
        "best AUROC": float(done.mean.max()),
        "examples": len(found.examples),
    }
    return Study(findings(done, noise), {}, {}, tables, Meta(found=told, notes=notes))


def ranking(done: Tried, found: Suspected) -> Table:
    """A row for each score, the best first."""
    about: dict[str, tuple[Cell, ...]] = {one.name: (one.what, one.needs, one.cost, one.source) for one in SCORES}
    for other in found.evidence.others:
        about |= {of_other(one, other): (f"{score(one).what}; of {other}", *about[one][1:]) for one in OF_OTHERS}
    about[TOGETHER] = ("one score of each kind of evidence", "all of these", "all of these", "Fisher 1932")
    rows: dict[str, list[Cell]] = {name: [] for name in _HELP}
    for i in done.order:
        name = done.names[i]
        areas = [cell for k in range(len(done.kinds)) for cell in done.spread(i, k)]
        agreement = rank_correlation(found.said[name], found.said[TOGETHER])
        cells: tuple[Cell, ...] = (name, *areas, float(done.precisions[i].mean()), agreement, *about[name])
        for column, value in zip(rows.values(), cells, strict=True):
            column.append(value)
    columns = {name: tuple(values) for name, values in rows.items()}
    errors: dict[str, str] = {kind: f"{kind} error" for kind in done.kinds}
    return Table(columns, _HELP, (), tuple(done.kinds), (), Meta(), errors)


def findings(done: Tried, noise: float) -> tuple[str, ...]:
    """Which score to believe, at which precision."""
    best = done.names.index(done.best())
    each = ", ".join(
        f"{done.spread(best, k)[0]:.3f} ± {done.spread(best, k)[1]:.3f} ({kind})" for k, kind in enumerate(done.kinds)
    )
    share = f"{np.mean(done.precisions[best]):.0%}"
    said = [f"{done.names[best]} finds {noise:.0%} wrong labels best: AUROC {each}; {share} of the most suspect images "
            "are wrong, of as many as there are wrong labels"]  # fmt: skip
    others = [name for name in done.alike() if name != done.names[best]]
    if others:
        said.append(f"within 0.01 of it: {', '.join(others[:6])}{' and more' if len(others) > 6 else ''}")
    mine = done.names.index(TOGETHER)
    said.append(f"{TOGETHER}: AUROC {done.mean[mine]:.3f}, precision {np.mean(done.precisions[mine]):.0%}; real "
                "mistakes are no random ones, and a second opinion counts more there")  # fmt: skip
    return tuple(said)


def _images(found: Suspected, count: int) -> Table:
    rows = found.order[:count]
    suggested, p = found.suggested(rows)
    tails = found.tails(rows)
    columns: dict[str, tuple[Cell, ...]] = {
        "image": tuple(found.examples.names[i] for i in rows),
        "given": tuple(found.examples.class_name(int(found.examples.labels[i])) for i in rows),
        "suggestion": tuple(found.examples.class_name(int(k)) for k in suggested),
        "p given": tuple(p[:, 0].tolist()), "p suggestion": tuple(p[:, 1].tolist()),
        **{name: tuple(tails[:, s].tolist()) for s, name in enumerate(found.said)},
    }  # fmt: skip
    share = "share of all images that are at least as suspect by it"
    return Table(columns, dict.fromkeys(found.said, share))
