"""Where to cut each of many features so that the classes on both sides differ most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int

Impurity = Literal["gini", "entropy"]
_AT_ONCE = 4_000_000  # numbers of a table of counts


@dataclass(frozen=True)
class Cut:
    """A test of one feature: is it above a threshold, or not."""

    feature: int
    threshold: float
    above: bool = True

    def holds(self, x: Float[np.ndarray, "n f"]) -> Bool[np.ndarray, " n"]:
        """(N,) whether it is so for each row."""
        found = x[:, self.feature] > self.threshold
        return np.asarray(found if self.above else ~found)

    @property
    def opposite(self) -> Cut:
        """True where this is false."""
        return Cut(self.feature, self.threshold, not self.above)


@dataclass(frozen=True)
class Question:
    """Whether `least` of several tests hold; of one test alone, whether it does (m-of-n)."""

    least: int
    parts: tuple[Cut, ...]

    @classmethod
    def one(cls, feature: int, threshold: float) -> Question:
        """Is a feature above a threshold?"""
        return cls(1, (Cut(feature, threshold),))

    def holds(self, x: Float[np.ndarray, "n f"]) -> Bool[np.ndarray, " n"]:
        """(N,) the answer for each row."""
        return np.asarray(np.sum([one.holds(x) for one in self.parts], 0) >= self.least)


def impurity_of(counts: Float[np.ndarray, "*_ c"], kind: Impurity) -> Float[np.ndarray, "*_"]:
    """Of class counts (…, C): Gini's 1 − Σ p², or the entropy in nats; 0 where nothing was counted."""
    p = counts / np.maximum(counts.sum(-1, keepdims=True), 1)
    if kind == "gini":
        return np.asarray(np.where(counts.sum(-1) > 0, 1 - (p**2).sum(-1), 0.0))
    return np.asarray(-(p * np.log(np.where(p > 0, p, 1))).sum(-1))


def gain_of(y: Int[np.ndarray, " n"], yes: Bool[np.ndarray, " n"], classes: int, kind: Impurity) -> float:
    """What a question takes off the impurity of N rows: 0 where all fall on one side."""
    whole, inside = np.bincount(y, minlength=classes), np.bincount(y[yes], minlength=classes)
    parts = np.stack([inside, whole - inside]).astype(float)
    left = impurity_of(parts, kind) @ parts.sum(1) / max(len(y), 1)
    return float(impurity_of(whole.astype(float), kind) - left)


def cuts(
    x: Float[np.ndarray, "n f"], y: Int[np.ndarray, " n"], classes: int, kind: Impurity = "gini"
) -> tuple[Float[np.ndarray, " f"], Float[np.ndarray, " f"]]:
    """(thresholds (F,), gains (F,)): the cut of each feature that takes most off the impurity, halfway between two
    values (Breiman et al. 1984). Of equal ones the lowest; −inf where all rows have one value.
    """
    count, width = x.shape
    thresholds, gains = np.zeros(width), np.full(width, -np.inf)
    if count < 2:
        return thresholds, gains
    there = np.unique(y)  # classes that are here alone
    hot = (y[:, None] == there).astype(np.float64)
    whole = hot.sum(0)
    before = float(impurity_of(whole, kind))
    piece = max(_AT_ONCE // (count * len(there)), 1)
    for start in range(0, width, piece):
        part = np.asarray(x[:, start : start + piece], np.float64)
        order = part.argsort(0, kind="stable")
        values = np.take_along_axis(part, order, 0)
        left = hot[order].cumsum(0)[:-1]  # (n − 1, f, c)
        many = np.arange(1, count)[:, None]
        after = (many * impurity_of(left, kind) + (count - many) * impurity_of(whole - left, kind)) / count
        found = np.where(values[1:] > values[:-1], before - after, -np.inf)
        best = found.argmax(0)
        at = np.arange(part.shape[1])
        gains[start : start + piece] = found[best, at]
        middle = (values[best, at] + values[best + 1, at]) / 2
        # halfway between two neighbors among floats is the upper one, and nothing would lie above
        thresholds[start : start + piece] = np.where(middle < values[best + 1, at], middle, values[best, at])
    return thresholds, gains


def best_cut(
    x: Float[np.ndarray, "n f"], y: Int[np.ndarray, " n"], classes: int, kind: Impurity = "gini"
) -> tuple[Question, float] | None:
    """The question about one feature that takes most off the impurity, and what; None where none takes any."""
    if len(np.unique(y)) < 2:
        return None
    thresholds, gains = cuts(x, y, classes, kind)
    best = int(gains.argmax())
    if not np.isfinite(gains[best]):
        return None
    return Question.one(best, float(thresholds[best])), float(gains[best])
