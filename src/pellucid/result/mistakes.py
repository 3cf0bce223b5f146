"""Mistakes: why images are answered with another class than their own, in words and with what speaks for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, UInt8

from pellucid.result.base import Meta, Result
from pellucid.result.cases import Cases
from pellucid.result.maps import Heatmap


@dataclass(frozen=True, eq=False)
class Mistakes(Result):
    """N images answered with another class than their own, each with its possible causes and a verdict.

    `given` is the class of each and `answers` what the network says, with `probabilities` (N, 2) of the answer and of
    the class. `values` (N, C) are the figures of the `causes`, `holds` (N, C) whether each
    explains the mistake. `verdicts` are the cause that does so first, "none of these", or "no mistake"; `sentences` say
    it with the figures, `said` what was found of each cause. `cases` are the training images that are nearest and those
    that push the most, one result for each image, and `doubts` (N, R, k) how probable it is that their labels are
    wrong. `maps` show where the image speaks for the answer rather than for its class (of a right answer, for the
    second guess). `similar_classes` are those most similar to its own, and `similarity` (N, S) how much, NaN where
    nothing is known.
    """

    given: tuple[str, ...]
    answers: tuple[str, ...]
    rivals: tuple[str, ...]
    """What a map holds against the given class: the answer, or the second guess where that is right."""
    probabilities: Float[np.ndarray, "n 2"]
    verdicts: tuple[str, ...]
    sentences: tuple[str, ...]
    values: Float[np.ndarray, "n c"]
    holds: Bool[np.ndarray, "n c"]
    causes: tuple[str, ...]
    said: tuple[tuple[str, ...], ...]
    cases: tuple[Cases, ...]
    doubts: Float[np.ndarray, "n r k"]
    maps: tuple[Heatmap, ...]
    similar_classes: tuple[tuple[str, ...], ...]
    similarity: Float[np.ndarray, "n s"]
    pictures: UInt8[np.ndarray, "n side side 3"]
    """As the network saw them."""
    findings: tuple[str, ...] = ()
    meta: Meta = field(default_factory=Meta)
    each = (
        "given", "answers", "rivals", "probabilities", "verdicts", "sentences", "values", "holds", "said", "cases",
        "doubts", "maps", "similar_classes", "similarity", "pictures",
    )  # fmt: skip

    def __repr__(self) -> str:
        return f"Mistakes({len(self)} images: {', '.join(self.verdicts)})"

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, i: int) -> Mistakes:
        """That of image i alone."""
        return self.alone(i)

    def derived(self) -> dict[str, Any]:
        """The figures by their causes."""
        return {"by_cause": {name: self.values[:, k].tolist() for k, name in enumerate(self.causes)}}
