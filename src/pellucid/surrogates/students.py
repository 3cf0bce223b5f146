"""Students of a network's answers over an index: what they are taught, and how they are judged."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

from pellucid.errors import PellucidError
from pellucid.index import Index
from pellucid.learning.train import Recipe, Trained
from pellucid.progress import steps
from pellucid.surrogates.distilled import Lesson, distilled, said_by, student
from pellucid.surrogates.mirrored import Judged, Mirrored
from pellucid.training_set.folds import out_of_fold

Soft = Literal["own", "folds"]
SIDE = 32
"""Of the images that a student sees, in pixels, at most."""
DEFAULT = {"epochs": 30, "batch": 32, "optimizer": "adam", "lr": 2e-3, "schedule": "cosine"}
_LEAST, _FLOOR = 8, 1e-12


def teacher_of(mirrored: Mirrored, soft: Soft, seed: int) -> Float[np.ndarray, "n c"]:
    """(N, C) logits that are learned from; of groups, and of folds, the logarithm of probabilities.

    Raises PellucidError for those of folds where an image has no class.
    """
    examples = mirrored.examples
    if soft == "own" and mirrored.groups is None:
        return np.asarray(examples.logits)
    if soft == "own":
        p = examples.probabilities
        joined = np.stack([p[:, mirrored.groups == g].sum(1) for g in range(mirrored.classes)], 1)
        return np.asarray(np.log(np.maximum(joined, _FLOOR)))
    labels = mirrored.labels
    if (labels < 0).any() or len(np.unique(labels)) < 2:
        raise PellucidError(
            f"soft='folds': {int((labels < 0).sum())} of {len(labels)} images have no class, and last layers are "
            "fitted to classes; soft='own' needs none"
        )
    p = out_of_fold(examples.features, labels, mirrored.classes, seed=seed)
    return np.asarray(np.log(np.maximum(p, _FLOOR)))


def lesson_of(index: Index, mirrored: Mirrored, teacher: Float[np.ndarray, "n c"]) -> Lesson:
    """The images, small, with their soft labels; hard ones are true classes where they are known, else answers."""
    side = min(SIDE, max(4 * (min(index.image_size) // 4), _LEAST))
    pixels = np.stack([mirrored.examples.picture(i, side) for i in steps(range(len(teacher)), "small images")])
    labels = mirrored.labels
    return Lesson(pixels, teacher, np.where(labels >= 0, labels, mirrored.answers))


def taught(
    mirrored: Mirrored, lesson: Lesson, recipe: Recipe, temperature: float, share: float
) -> tuple[Judged, Trained]:
    """(a student and a second one, which begins elsewhere on images drawn anew, judged; the first one's training)."""
    courses: list[Trained] = []

    def proxy(rows: NDArray[np.int64]) -> Int[np.ndarray, " h"]:
        module = student(lesson.pixels.shape[1], mirrored.classes, recipe.seed + len(courses))
        courses.append(distilled(module, lesson.of(rows), recipe, temperature, share))
        return np.asarray(said_by(module, lesson.of(mirrored.outside)).argmax(1))

    return mirrored.both(proxy), courses[0]


def weights_of(course: Trained) -> int:
    """How many numbers a student holds."""
    return sum(p.numel() for p in course.module.parameters())
