"""Influence: which training images made an answer, and which stood against it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pellucid.catalogue import method
from pellucid.described import Default
from pellucid.errors import PellucidError
from pellucid.history import RunsOption
from pellucid.images import Images
from pellucid.index import Index
from pellucid.notes import Note
from pellucid.result import Cases, Meta
from pellucid.training_set.cases import Asked, class_called, gathered, share
from pellucid.training_set.curvature import softmax, with_one
from pellucid.training_set.ek_fac import by_ek_fac
from pellucid.training_set.examples import Examples, examples_of
from pellucid.training_set.influence import Influence, by_last_layer, over_checkpoints
from pellucid.training_set.projected import by_trak
from pellucid.training_set.removal import removed

Checkpoints = Annotated[
    RunsOption,
    Field(
        description="folder of the training run, with checkpoints for trak, which can do without, and for tracin, "
        "which reads the learning rate lr by step, too"
    ),
    Default("none"),
]
MEASURES = ("share of the total", "share with the class", "probability without them")
ROWS = ("most helpful", "most harmful")
_FAR = 1e-3
"""A residual of the equations that a note tells."""
_LARGE = 1.0
"""Nats that no estimate to first order can mean."""
_UNIT = {
    "last_layer": "change of the loss in nats if it is removed",
    "ek_fac": "change of the loss in nats if it is removed",
    "tracin": "change of the loss in nats that its training steps undid",
    "trak": "fall of the log odds if it is removed, to scale",
}


@method(
    "Influence",
    purpose="find the training images that made an answer",
    shows=(
        "Without helpful images the class would be less probable, without harmful ones more so. Read how much of all "
        "influence the shown ones hold: where it is little, the answer stands on many images. A harmful image of the "
        "same class, or one that harms many answers, may be mislabeled. The last layer alone is asked unless another "
        "variant is chosen. When a whole network is trained again much is chance: what trainings on halves of digits "
        "said no variant foretold clearly better than likeness within the class."
    ),
    source="Koh & Liang 2017, sections 2 and 4.2; Pruthi et al. 2020 (TracIn); George et al. 2018, Grosse et al. 2023 "
    "(EK-FAC); Park et al. 2023 (TRAK)",
)
def influence(
    index: Index,
    images: Images,
    *,
    variant: Annotated[
        Literal["last_layer", "tracin", "ek_fac", "trak"],
        Field(
            description="definition: exact for the last layer, TracIn over checkpoints, EK-FAC or TRAK over all layers",
            examples=["ek_fac"],
        ),
    ] = "last_layer",
    label: Annotated[
        str | None,
        Field(description="class whose loss is explained, by its name", examples=["dog"]),
        Default("the answer for each image"),
    ] = None,
    damping: Annotated[
        float, Field(gt=0, description="penalty λ on the squared weights, which is added to the curvature")
    ] = 0.01,
    checkpoints: Checkpoints = (),
    count: Annotated[int, Field(ge=1, le=100, description="number of training images in each row")] = 9,
    full: Annotated[bool, Field(description="keep the scores of all training images, too")] = False,
) -> Cases:
    """The training images with the largest and the smallest influence on each image: (N, 2, count), and signed.

    A score is how much the loss of the class rises when the training image is removed, for `last_layer` to first order
    gᵀH⁻¹gᵢ/N, with H the Gauss-Newton matrix of the softmax layer, its bias included, plus λ (`damping`). The network's
    last layer is taken to be at its optimum over these images, so ask an index of the images that it learned from.
    `measures` are the share of the sum of all |scores| that the row holds, the share of its images that have the class,
    and the probability of the class once the row is removed and the last layer refitted (one Newton step). `tracin`
    needs `checkpoints`; it is the form for the last layer. `trak` projects gradients of all weights at random and keeps
    them with the index, 8 kB an image; its scores are means over `checkpoints`, where there are any. With `full` all
    scores are in `scores`, for the images `numbers`. Raises PellucidError where fewer than two classes are among the
    images.
    """
    examples = examples_of(index).labeled()
    asked = Asked.of(examples, images)
    classes = asked.answers if label is None else np.full(len(images), class_called(examples, label))
    found, notes = _scores(index, examples, asked, classes, variant, damping, checkpoints)
    scores = found.scores
    width = min(count, scores.shape[1])
    order = np.stack([np.argsort(sign * scores, 1, kind="stable")[:, :width] for sign in (-1, 1)], 1)
    values = np.take_along_axis(scores[:, None], order, 2)
    fields = gathered(index, examples, asked, values, examples.numbers[order], None)
    names = tuple(examples.classes[int(i)] for i in classes)
    p, after = _without(examples, asked, order, damping)
    rows = np.arange(len(classes))
    held = np.abs(values).sum(2) / np.maximum(np.abs(scores).sum(1), 1e-300)[:, None]
    same = np.array(
        [[[one == name for one in row] for row in sides] for sides, name in zip(fields["labels"], names, strict=True)]
    )
    measured = np.stack([held, share(same, np.ones_like(same)), after[rows, :, classes]], 2)
    without = tuple(tuple(examples.classes[int(k)] for k in sides) for sides in after.argmax(2))
    answers = [examples.classes[int(k)] for k in asked.answers]
    said = tuple(
        tuple(_told(measured[i, r], width, names[i], without[i][r], answers[i]) for r in range(2)) for i in rows
    )
    about: dict[str, Any] = {"layer": examples.layer, "fitted": examples.fitted, "residual": found.residual,
             "probability": tuple(p[rows, classes].tolist())}  # fmt: skip
    return Cases(
        **fields, answers=names, without=without, said=said, measured=measured, rows=ROWS, units=(_UNIT[variant],) * 2,
        measures=MEASURES, scores=scores if full else None, numbers=examples.numbers if full else None,
        meta=Meta(found=about, notes=(*images.notes, *examples.notes, *notes)),
    )  # fmt: skip


def _scores(
    index: Index, examples: Examples, asked: Asked, classes: NDArray[np.int64], variant: str, damping: float,
    checkpoints: RunsOption,
) -> tuple[Influence, tuple[Note, ...]]:  # fmt: skip
    if variant != "trak" and (variant == "tracin") != bool(checkpoints):
        raise PellucidError(
            f"variant={variant!r} and {'no ' * (not checkpoints)}checkpoints=: 'tracin' follows those of a training, "
            "checkpoints=FOLDER, 'trak' may, and no other variant does"
        )
    if variant == "trak":
        return by_trak(index, examples, asked, classes, damping, checkpoints[0] if checkpoints else None)
    if variant == "tracin":
        found, steps = over_checkpoints(index, examples, asked, classes, checkpoints[0])
        said = f"TracIn of the last layer alone, over {len(steps)} checkpoints: of all weights it is a small part"
        return found, (Note("reading", said),)
    if variant == "ek_fac":
        found, notes = by_ek_fac(index, examples, asked, classes, damping)
        return found, (*notes, *_beyond(found))
    found = by_last_layer(examples, asked, classes, damping)
    far = f"the equations are solved to {found.residual:.1e} of their right side, after {found.steps} steps"
    return found, (*Note.many("values", [far] if found.residual > _FAR else []), *_beyond(found))


def _beyond(found: Influence) -> tuple[Note, ...]:
    largest = float(np.abs(found.scores).max(initial=0))
    said = f"scores up to {largest:.1f} nats: to first order that is an order of images and no amount; try more damping"
    return Note.many("reading", [said] if largest > _LARGE else [])


def _without(
    examples: Examples, asked: Asked, order: NDArray[np.int64], damping: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """((N, C) probabilities, (N, 2, C) once the images of a row are removed and the last layer is refitted)."""
    steps = removed(examples, [row for sides in order for row in sides], damping).values
    steps = steps.reshape(*order.shape[:2], *steps.shape[1:])
    logits = asked.logits[:, None] + np.einsum("mrcg,mg->mrc", steps, with_one(asked.features))
    return asked.probabilities, np.stack([softmax(one) for one in logits])


def _told(measured: NDArray[np.float64], width: int, name: str, after: str, answer: str) -> str:
    """A row in words."""
    change = f"still {after}" if after == answer else after
    whose = "" if after == name else f"and {name} "
    return (
        f"{measured[0]:.0%} of all influence, {round(float(measured[1]) * width)} of {width} are {name}; without these "
        f"the answer is {change}, {whose}at {measured[2]:.0%}"
    )
