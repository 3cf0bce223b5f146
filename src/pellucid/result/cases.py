"""Training images beside an answer: those that are like an image, those that made its answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8
from numpy.typing import NDArray

from pellucid.errors import unknown
from pellucid.result.base import Meta, Result, one_of_many

Nested = tuple[tuple[tuple[str, ...], ...], ...]


@dataclass(frozen=True, eq=False)
class Cases(Result):
    """For each of N images R rows of k training images, the most telling first: by layers, or helpful and harmful.

    `values` (N, R, k) are signed scores in the `units` of the rows, `images` their numbers in the index, `names` and
    `labels` what they are called and their classes, "" where there is none. `answers` are the classes that the rows
    are about, `given` the image's own class where it is known, and `without` the answers once the images of a row are
    removed from the training ("" where that is unknown). `measured` (N, R, M) are the numbers called `measures`
    of each row, NaN where there is none, and `said` puts a row into words. An image of the index that is the very
    image asked about, or nearly, is in `duplicates` and counts in no measure.
    """

    values: Float[np.ndarray, "n r k"]
    images: Int[np.ndarray, "n r k"]
    names: Nested
    labels: Nested
    duplicates: Bool[np.ndarray, "n r k"]
    answers: tuple[str, ...]
    given: tuple[str | None, ...]
    without: tuple[tuple[str, ...], ...]
    said: tuple[tuple[str, ...], ...]
    measured: Float[np.ndarray, "n r m"]
    queries: UInt8[np.ndarray, "n side side 3"]
    matches: UInt8[np.ndarray, "n r k side side 3"]
    rows: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()
    scores: Float[np.ndarray, "n t"] | None = None
    """Of every labeled image of the index, in the order of `numbers`; where they were asked for."""
    numbers: Int[np.ndarray, " t"] | None = None
    findings: tuple[str, ...] = ()
    meta: Meta = field(default_factory=Meta)
    each = (
        "values", "images", "names", "labels", "duplicates", "answers", "given", "without", "said", "measured",
        "queries", "matches",
    )  # fmt: skip

    def __repr__(self) -> str:
        return f"Cases({len(self)} images, {', '.join(self.rows)}, {self.values.shape[-1]} of each)"

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, i: int) -> Cases:
        """Those of image i alone."""
        one = one_of_many(i, len(self), "result")
        return self.alone(i, scores=None if self.scores is None else self.scores[one])

    @property
    def agrees(self) -> NDArray[np.bool_]:
        """(N, R, k) whether the class of a training image is the answer that the row is about."""
        return np.array(
            [
                [[one == answer for one in row] for row in rows]
                for rows, answer in zip(self.labels, self.answers, strict=True)
            ],
            bool,
        ).reshape(self.values.shape)

    def measure(self, name: str) -> Float[np.ndarray, "n r"]:
        """(N, R) a number of each row. Raises UnknownName with the nearest."""
        if name not in self.measures:
            raise unknown("measure", name, self.measures)
        return np.asarray(self.measured[..., self.measures.index(name)])

    def row(self, name: str) -> int:
        """The number of a row. Raises UnknownName with the nearest."""
        if name not in self.rows:
            raise unknown("row", name, self.rows)
        return self.rows.index(name)

    def derived(self) -> dict[str, Any]:
        """The measures by their names."""
        return {"by_measure": {name: self.measure(name).tolist() for name in self.measures}}
