"""Training images gathered for a result: what they are called, their classes, their pictures, which are duplicates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8
from numpy.typing import NDArray
from pydantic import Field

from pellucid.described import Default
from pellucid.errors import PellucidError, unknown
from pellucid.images import Images
from pellucid.index import Index
from pellucid.index.thumbnails import shrunk
from pellucid.training_set.curvature import softmax
from pellucid.training_set.examples import Examples

SIDE = 128
"""Of the pictures in a result, in pixels."""
_ALIKE, _CLOSE = 0.99, 0.05  # cosine in what the last layer reads, root mean square of pixels: both say a duplicate
TrueClass = Annotated[
    str | None,
    Field(description="class that the images really are of, by its name", examples=["dog"]),
    Default("that of a training image that is the same, else unknown"),
]


@dataclass(frozen=True, eq=False)
class Asked:
    """The M images asked about: what the last layer reads of each, and makes of it."""

    images: Images
    features: Float[np.ndarray, "m f"]
    logits: Float[np.ndarray, "m c"]

    @classmethod
    def of(cls, examples: Examples, images: Images) -> Asked:
        """One forward pass for each."""
        features = examples.read(images)
        return cls(images, features, examples.head.scores(features))

    @property
    def probabilities(self) -> Float[np.ndarray, "m c"]:
        """(M, C)."""
        return softmax(self.logits)

    @property
    def answers(self) -> NDArray[np.int64]:
        """(M,) the class of the largest logit."""
        return np.asarray(self.logits.argmax(1), np.int64)


def class_called(examples: Examples, name: str) -> int:
    """The number of a class. Raises UnknownName with the nearest."""
    folded = [one.casefold() for one in examples.classes]
    if name.casefold() not in folded:
        raise unknown("class", name, examples.classes)
    return folded.index(name.casefold())


def gathered(
    index: Index,
    examples: Examples,
    asked: Asked,
    values: Float[np.ndarray, "n r k"],
    numbers: Int[np.ndarray, "n r k"],
    true: str | None,
) -> dict[str, Any]:
    """The fields of `Cases` that do not depend on what the scores are; `given` are names of classes."""
    if not len(asked.images):
        raise PellucidError("no image was asked about")
    unique, places = np.unique(numbers, return_inverse=True)
    queries = np.stack([shrunk(index.net, one, SIDE) for one in asked.images])
    matches = np.stack([_shown(index, int(i)) for i in unique])[places.reshape(numbers.shape)]
    label_of = dict(zip(examples.numbers.tolist(), examples.labels.tolist(), strict=True))
    labels = np.array([label_of.get(int(i), -1) for i in numbers.ravel()]).reshape(numbers.shape)
    off = np.sqrt(((matches / 255.0 - queries[:, None, None] / 255.0) ** 2).mean((3, 4, 5)))
    duplicates = (off < _CLOSE) & (_cosines(examples, asked, numbers) > _ALIKE)
    if true is not None:
        given: Sequence[str | None] = [examples.classes[class_called(examples, true)]] * len(queries)
    else:
        given = [_known(examples, labels[i][duplicates[i]]) for i in range(len(queries))]
    named = np.array(["", *examples.classes], object)[labels + 1]
    return {
        "values": values,
        "images": numbers,
        "names": tuple(tuple(index.called(row)[0] for row in rows) for rows in numbers),
        "labels": tuple(tuple(map(tuple, rows)) for rows in named.tolist()),
        "duplicates": duplicates,
        "given": tuple(given),
        "queries": queries,
        "matches": matches,
    }


def _shown(index: Index, image: int) -> UInt8[np.ndarray, "side side 3"]:
    """A training image, small. It is read again, for what the index keeps is too coarse to tell a duplicate by; that is
    shown where the images are elsewhere.
    """
    try:
        found = index.readable(image)
    except (PellucidError, OSError):
        found = None
    return index.thumbnails([image], SIDE)[0] if found is None else shrunk(index.net, found, SIDE)


def _known(examples: Examples, labels: NDArray[np.int64]) -> str | None:
    """The class of the images that are the one asked about; None where there is none, or they do not agree."""
    found = {int(one) for one in labels if one >= 0}
    return examples.classes[found.pop()] if len(found) == 1 else None


def _cosines(examples: Examples, asked: Asked, numbers: Int[np.ndarray, "n r k"]) -> Float[np.ndarray, "n r k"]:
    """Of the angle between what the last layer reads of the images and of these training images, about the mean."""
    place = dict(zip(examples.numbers.tolist(), range(len(examples)), strict=True))
    center, found = examples.center, np.zeros(numbers.shape)
    for at in np.ndindex(numbers.shape):
        row = place.get(int(numbers[at]))
        if row is not None:
            one, other = asked.features[at[0]] - center, examples.features[row] - center
            found[at] = one @ other / max(float(np.linalg.norm(one) * np.linalg.norm(other)), 1e-300)
    return found


def share(hits: Bool[np.ndarray, "n r k"], counted: Bool[np.ndarray, "n r k"]) -> Float[np.ndarray, "n r"]:
    """(N, R) of those that count; NaN where none does."""
    many = counted.sum(2)
    return np.asarray(np.where(many > 0, (hits & counted).sum(2) / np.maximum(many, 1), np.nan))
