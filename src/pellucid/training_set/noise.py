"""Labels made wrong on purpose: what a score of suspicion is worth is measured on them, for they are known."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Bool, Int

from pellucid.errors import PellucidError, unknown
from pellucid.rng import generator

Kind = Literal["symmetric", "pair"]
KINDS: tuple[Kind, ...] = ("symmetric", "pair")


def noisy(
    labels: Int[np.ndarray, " n"], classes: int, share: float, kind: Kind, seed: int
) -> tuple[Int[np.ndarray, " n"], Bool[np.ndarray, " n"]]:
    """(labels (N,) with a share of them made wrong, (N,) which those are), the same for the same seed.

    Which images it meets is drawn at random, as many as the share says, one at the least. With "symmetric" an image
    gets any of the other classes that the labels have; with "pair" the next of them (the last one the first), as where
    two classes are taken for one another. Raises PellucidError for a share that is none or all, and for one class.
    """
    if kind not in KINDS:
        raise unknown("kind of label noise", str(kind), KINDS)
    if not 0 < share < 1:
        raise PellucidError(f"label noise of {share:g}: a share of the labels above 0 and below 1, such as 0.1")
    present = np.unique(labels)
    if len(present) < 2 or present[0] < 0 or present[-1] >= classes:
        raise PellucidError(f"label noise among the classes {present.tolist()}: two of {classes} classes at the least")
    met = np.zeros(len(labels), bool)
    many = max(round(share * len(labels)), 1)
    met[generator(seed, "label noise", kind).permutation(len(labels))[:many]] = True
    place = np.searchsorted(present, labels)
    steps = np.ones(len(labels), np.int64)
    if kind == "symmetric":
        steps = generator(seed, "other labels").integers(1, len(present), len(labels))
    changed = present[(place + steps) % len(present)]
    return np.where(met, changed, labels).astype(np.int64), met
