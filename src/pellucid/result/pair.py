"""Pairs of images between which regions were exchanged until the answer changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float, Int, UInt8

from pellucid.result.base import Meta, Result, one_of_many


@dataclass(frozen=True, eq=False)
class Pair(Result):
    """For each of N images the exchanges with another image, one after another, that turn its answer into a new class.

    `queries` and `distractors` are both images as the network sees them, `pasted` the query with the same regions
    pasted in as pixels. `boxes` and `distractor_boxes` (K, 4) say where the K exchanged cells lie in each, (top, left,
    bottom, right) in pixels, and `values` (K + 1, 2) are the probabilities of the query's answer and of the wanted
    class, before and after each exchange. `cells` (N,) is how many cells an image has, `random` (N, D) how many
    exchanges cells drawn at random take, one more than `cells` where all do not do it. `answers` are the classes of the
    queries, `wanted` those of the other images, `reached` whether the answer becomes it; `pasted_answers` and
    `pasted_values` (N, 2) are what the network says of the pasted pixels.
    """

    values: tuple[Float[np.ndarray, "_ 2"], ...]
    boxes: tuple[Float[np.ndarray, "_ 4"], ...]
    distractor_boxes: tuple[Float[np.ndarray, "_ 4"], ...]
    queries: tuple[UInt8[np.ndarray, "_ _ 3"], ...]
    distractors: tuple[UInt8[np.ndarray, "_ _ 3"], ...]
    pasted: tuple[UInt8[np.ndarray, "_ _ 3"], ...]
    names: tuple[str, ...]
    distractor_names: tuple[str, ...]
    answers: tuple[str, ...]
    wanted: tuple[str, ...]
    reached: tuple[bool, ...]
    cells: tuple[int, ...]
    random: Int[np.ndarray, "n d"]
    pasted_answers: tuple[str, ...]
    pasted_values: Float[np.ndarray, "n 2"]
    findings: tuple[str, ...] = ()
    meta: Meta = field(default_factory=Meta)
    each = (
        "values", "boxes", "distractor_boxes", "queries", "distractors", "pasted", "names", "distractor_names",
        "answers", "wanted", "reached", "cells", "random", "pasted_answers", "pasted_values",
    )  # fmt: skip

    def __repr__(self) -> str:
        some = ", ".join(
            f"{a} to {b} by {len(k)}" for a, b, k in zip(self.answers, self.wanted, self.boxes, strict=True)
        )
        return f"Pair({some})"

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, i: int) -> Pair:
        """That of image i alone."""
        one = one_of_many(i, len(self), "result")
        findings = self.findings[one] if len(self.findings) == len(self) else ()
        return self.alone(i, findings=findings, meta=self.meta)

    @property
    def counts(self) -> tuple[int, ...]:
        """Exchanges of each."""
        return tuple(len(one) for one in self.boxes)

    def derived(self) -> dict[str, Any]:
        """How many exchanges each took, and how many at random."""
        return {"counts": self.counts, "random_median": [float(np.median(row)) for row in self.random]}
