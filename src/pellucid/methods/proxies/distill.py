"""Distill: a small network that learns from what the large one says of every class, and what these answers hold."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from jaxtyping import Float
from pydantic import Field

from pellucid.catalogue import method
from pellucid.index import Index
from pellucid.learning.recipes import RecipeOption, RecipeText
from pellucid.learning.train import Trained
from pellucid.notes import Note
from pellucid.progress import steps
from pellucid.result import Curve, Line, Meta, Study
from pellucid.result.table import Cell
from pellucid.rng import Seed
from pellucid.surrogates.alike import errors, pairs, second_right
from pellucid.surrogates.distilled import softened
from pellucid.surrogates.mirrored import Groups, Judged, Mirrored, own_rows, scores
from pellucid.surrogates.students import DEFAULT, Soft, lesson_of, taught, teacher_of, weights_of

_RECIPE = RecipeText("epochs=30")


@method(
    "Distillation",
    purpose="train a small network on the network's softened answers",
    shows=(
        "Compare the student of soft labels with that of hard ones: what it gains, the probabilities of wrong classes "
        "taught it. The pairs of classes say which the network holds alike even where it is right. A network gives "
        "nearly hard answers on the images that it was trained on; ask for those of folds there. The student "
        "sees images of 32 pixels, so a low fidelity may be the student's fault. Four trainings of a small network."
    ),
    source="Hinton, Vinyals & Dean 2015, section 2; Furlanello et al. 2018, section 3 (what wrong classes teach)",
    over="all",
    quick={"recipe": "epochs=2"},
)
def distill(
    index: Index,
    *,
    temperature: Annotated[
        float, Field(gt=0, le=1000, description="number by which logits are divided before the softmax")
    ] = 4.0,
    share: Annotated[
        float, Field(ge=0, le=1, description="share of the loss that is about soft labels, the rest about hard ones")
    ] = 0.9,
    soft: Annotated[
        Soft,
        Field(
            description="soft labels: the network's own, or those of last layers fitted to the labels of other images "
            "(folds)"
        ),
    ] = "own",
    groups: Groups = None,
    recipe: Annotated[
        RecipeOption, Field(description="training, such as epochs=30,lr=0.002,batch=32,optimizer=adam")
    ] = _RECIPE,
    seed: Seed = 0,
) -> Study:
    """Students with two convolutions, one row for each training, that learn from half of the images and are judged on
    the other half.

    The loss is (1 − share) · cross entropy of the hard labels + share · T² · KL of the softened answers. Hard labels
    are the true classes where they are known, else the network's answers. A second student begins elsewhere and is
    trained on images drawn anew: how often both agree. The pairs of classes are ranked by the softened answers of
    images that are answered rightly. Raises PellucidError for those of folds without labels.
    """
    mirrored = Mirrored.of(index, None, groups, seed)
    teacher = teacher_of(mirrored, soft, seed)
    lesson = lesson_of(index, mirrored, teacher)
    rules = recipe.recipe(**DEFAULT, seed=seed)
    judged, courses = dict[str, Judged](), dict[str, Trained]()
    for name, part in steps([("soft", share), ("hard", 0.0)], "students"):
        judged[name], courses[name] = taught(mirrored, lesson, rules, temperature, part)
    weights = weights_of(courses["soft"])
    rows = [one.row(f"student, {name} labels", weights, "weights") for name, one in judged.items()]
    parts, _ = judged["soft"].parted()
    softer = softened(teacher, temperature)
    table, correlation = pairs(softer, mirrored.answers, mirrored.labels, mirrored.names)
    tables = {"scores": scores([*rows, *own_rows(mirrored)]), "parted": parts}
    tables |= {"similar classes": table} if len(table) else {}
    wrong = errors(softer, mirrored.labels, mirrored.names, mirrored.examples.names)
    tables |= {"second class right": wrong} if len(wrong) else {}
    told: dict[str, float | int | str] = {"fidelity": judged["soft"].fidelity, "soft labels": soft}
    note = Note("choice", f"the student sees images of {lesson.pixels.shape[1]} pixels")
    return Study(
        _said(mirrored, judged, rows, table.rows, correlation, softer), {"training": _curve(courses)}, {}, tables,
        Meta(found=told, notes=(*mirrored.notes, note)),
    )  # fmt: skip


def _curve(courses: dict[str, Trained]) -> Curve:
    lines = []
    for name, course in courses.items():
        values = course.series("train_accuracy")
        lines.append(Line(f"{name} labels", np.arange(len(values), dtype=float), values, quantity="training accuracy"))
    return Curve(tuple(lines), "epoch")


def _said(
    mirrored: Mirrored, judged: dict[str, Judged], rows: list[tuple[Cell, ...]], alike: tuple[dict[str, Cell], ...],
    correlation: float, softer: Float[np.ndarray, "n c"],
) -> tuple[str, ...]:  # fmt: skip
    said = [
        f"a student of {rows[0][5]} weights says what the network says of {judged['soft'].fidelity:.1%} of "
        f"{len(mirrored.outside)} images that it was not trained on, one of hard labels of "
        f"{judged['hard'].fidelity:.1%}"
    ]
    if judged["soft"].accuracy is not None:
        said.append(
            f"it is right about {judged['soft'].accuracy:.1%}, the one of hard labels about "
            f"{float(judged['hard'].accuracy or 0):.1%}, the network about {float(own_rows(mirrored)[0][3] or 0):.1%}"
        )
    if alike:
        named = ", ".join(f"{row['one']} and {row['other']}" for row in alike[:3])
        ranks = f"; Spearman correlation with what is confused: {correlation:.2f}" if np.isfinite(correlation) else ""
        said.append(f"most alike in the softened answers to images that are answered rightly: {named}{ranks}")
    wrong, second = second_right(softer, mirrored.labels)
    if wrong.any():
        said.append(f"of {wrong.sum()} wrong answers the second class is right in {second.sum() / wrong.sum():.1%}")
    said.append(f"a second student answers the same of {judged['soft'].stability:.1%}")
    return tuple(said)
