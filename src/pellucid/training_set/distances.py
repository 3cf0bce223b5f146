"""How far a picture lies from the images of a class, and how far these usually lie from one another."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from pellucid.errors import PellucidError
from pellucid.geometry import Floats
from pellucid.index import Index
from pellucid.index.search import mean_of, nearest
from pellucid.training_set.examples import Examples, examples_of

FEWEST = 5
"""Images of a class whose distances from one another say what is usual; with fewer, those of all classes count."""


@dataclass(frozen=True, eq=False)
class ClassDistances:
    """Distances among what the last layer reads of the images of an index: 1 − cosine about the mean of all, 0 to 2.

    The images of a class are those with its label and those that the network takes for it.
    """

    examples: Examples

    @classmethod
    def of(cls, index: Index) -> ClassDistances:
        """Of all images of an index. Raises PellucidError where their classes are none of the network's."""
        examples = examples_of(index)
        if examples.fitted:
            raise PellucidError(
                f"the classes of {index.title} ({', '.join(examples.classes)[:80]}) are none of {index.net.name}'s: a "
                "distance to a class needs an index of images of the network's classes, or without any"
            )
        return cls(examples)

    def distance(self, read: Float[np.ndarray, "1 f"], number: int, but: Float[np.ndarray, "1 f"]) -> float:
        """From what the last layer reads of a picture to the nearest image of a class, NaN where it has none; not to
        the image of which it reads `but`, for a picture that was made of it lies near it."""
        rows = self.examples.features[self._of_class(number)]
        rows = rows[(rows != but).any(1)]
        if not len(rows):
            return float("nan")
        return 1 - float(nearest(read, rows, 1, "cosine", None, self._center)[0][0, 0])

    def usual(self, number: int) -> Floats:
        """(M,) from each image of a class to the nearest other one of it; of a class of fewer than 5 images, from each
        image of every class that has two at the least."""
        rows = self._of_class(number)
        return self._apart(rows) if len(rows) >= FEWEST else self._of_all

    @cached_property
    def _center(self) -> Float[np.ndarray, " f"]:
        return mean_of(self.examples.features)

    @cached_property
    def _answers(self) -> Int[np.ndarray, " n"]:
        return self.examples.answers

    def _of_class(self, number: int) -> Int[np.ndarray, " m"]:
        return np.flatnonzero((self.examples.labels == number) | (self._answers == number))

    @cached_property
    def _of_all(self) -> Floats:
        there = np.unique(np.concatenate([self.examples.labels, self._answers]))
        return np.concatenate([np.zeros(0), *(self._apart(self._of_class(int(k))) for k in there[there >= 0])])

    def _apart(self, rows: Int[np.ndarray, " m"]) -> Floats:
        if len(rows) < 2:
            return np.zeros(0)
        values = self.examples.features[rows]
        # the nearest is an image itself, or one equal to it, so that the second is the nearest other one
        return np.asarray(1 - nearest(values, values, 2, "cosine", None, self._center)[0][:, 1], np.float64)
