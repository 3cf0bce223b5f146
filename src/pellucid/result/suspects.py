"""Suspects: images whose labels are doubted, with what speaks for it, to be decided about by a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float, Int, UInt8

from pellucid.result.base import Meta, Result, one_of_many
from pellucid.result.decidable import Decidable
from pellucid.result.table import Table


@dataclass(frozen=True, eq=False)
class Suspects(Decidable, Result):
    """M suspected images of `total`, the most suspect first.

    `values` (M,) are how suspect they are by all `scores` (S of them) together, `tails` (M, S) the share of all images
    that are at least as suspect by each. `images` are their numbers in the index, `given` their labels, `suggestions`
    the class that the features say, `probabilities` (M, 2) those of both, predicted without the image's own label.
    `near` (M, R, K) are the nearest images in R `spaces`. Pictures are numbers of `thumbs` (P, side, side, 3), whose
    names and classes are `thumb_names` and `thumb_labels`: `shown` (M,) of the suspects. `margins` (M, T) are those of
    the given label at the `steps` (T,) of checkpoints, where there were any.
    """

    values: Float[np.ndarray, " m"]
    tails: Float[np.ndarray, "m s"]
    scores: tuple[str, ...]
    images: Int[np.ndarray, " m"]
    names: tuple[str, ...]
    given: tuple[str, ...]
    suggestions: tuple[str, ...]
    probabilities: Float[np.ndarray, "m 2"]
    shown: Int[np.ndarray, " m"]
    near: Int[np.ndarray, "m r k"]
    spaces: tuple[str, ...]
    thumbs: UInt8[np.ndarray, "p side side 3"]
    thumb_names: tuple[str, ...]
    thumb_labels: tuple[str, ...]
    classes: tuple[str, ...]
    """Among which an image can be given another label."""
    total: int
    margins: Float[np.ndarray, "m t"] | None = None
    steps: Int[np.ndarray, " t"] | None = None
    findings: tuple[str, ...] = ()
    tables: Mapping[str, Table] = field(default_factory=dict)
    """How well each score found labels that were made wrong on purpose, where that was tried."""
    meta: Meta = field(default_factory=Meta)
    each = ("values", "tails", "images", "names", "given", "suggestions", "probabilities", "shown", "near")

    def __repr__(self) -> str:
        return f"Suspects({len(self)} of {self.total} images)"

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, i: int) -> Suspects:
        """Suspect i alone."""
        one = one_of_many(i, len(self), "result")
        return self.alone(i, meta=self.meta, margins=None if self.margins is None else self.margins[one])

    @property
    def table(self) -> Table:
        """A row for each suspect."""
        columns = {
            "image": self.names, "given": self.given, "suggestion": self.suggestions,
            "suspicion": tuple(self.values.tolist()),
            "p given": tuple(self.probabilities[:, 0].tolist()),
            "p suggestion": tuple(self.probabilities[:, 1].tolist()),
            **{name: tuple(self.tails[:, s].tolist()) for s, name in enumerate(self.scores)},
        }  # fmt: skip
        return Table(columns, dict.fromkeys(self.scores, "share of all images that are at least as suspect"))

    def derived(self) -> dict[str, Any]:
        """The rows of the table."""
        return {"suspects": list(self.table.rows)}
