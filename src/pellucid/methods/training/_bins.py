"""Measures of calibration: confidence and accuracy in bins, and what resamples and chance make of them."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from pellucid.geometry import Floats
from pellucid.net.answers import Answers
from pellucid.rng import generator
from pellucid.statistics import wilson

_MOST_CLASSES = 100  # classes beyond which resampling the class-wise ECE takes longer than it is worth


def _bin_of(confidence: Floats, bins: int) -> NDArray[np.int64]:
    """Bins closed on the right: (0, 1/bins], …"""
    edges = np.linspace(0, 1, bins + 1)
    return np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)


def _ece(gap: Floats, which: NDArray[np.int64], bins: int, weights: Floats) -> Floats:
    """(R,) of resamples with weights (R, N) of the images, whose sum is 1."""
    held = np.zeros((len(gap), bins))
    held[np.arange(len(gap)), which] = gap
    found: Floats = np.abs(weights @ held).sum(1)
    return found


def _by_mass(confidence: Floats, bins: int) -> NDArray[np.int64]:
    rank = np.empty(len(confidence), np.int64)
    rank[np.argsort(confidence, kind="stable")] = np.arange(len(confidence))
    return rank * bins // len(confidence)


def measures(told: Answers, bins: int, weights: Float[np.ndarray, "r n"]) -> dict[str, Floats]:
    """Of each (R,): the measure itself first, then those of the resamples."""
    p = np.exp(told.log_p)
    confidence, classes = p.max(1), p.shape[1]
    truth = np.eye(classes)[told.labels]
    gap = told.right - confidence
    few = weights if classes <= _MOST_CLASSES else weights[:1]
    each = [_ece(truth[:, k] - p[:, k], _bin_of(p[:, k], bins), bins, few) for k in range(classes)]
    return {
        "ECE": _ece(gap, _bin_of(confidence, bins), bins, weights),
        "ECE, equal mass": _ece(gap, _by_mass(confidence, bins), bins, weights),
        "ECE, class-wise": np.mean(each, 0),
        "NLL": weights @ told.nll,
        "Brier": weights @ ((p - truth) ** 2).sum(1),
        "confidence": weights @ confidence,
        "accuracy": weights @ told.right,
    }


def resampled(count: int, resamples: int, seed: int) -> Float[np.ndarray, "r n"]:
    """Weights of the images: as they are, then drawn with replacement."""
    drawn = generator(seed, "resamples").multinomial(count, np.full(count, 1 / count), resamples)
    return np.concatenate([np.full((1, count), 1 / count), drawn / count])


def by_chance(told: Answers, bins: int, seed: int, draws: int = 400) -> Float[np.ndarray, " draws"]:
    """(draws,) ECEs where each answer is right with the probability that it has (Bröcker & Smith 2007)."""
    confidence = np.exp(told.log_p.max(1))
    right = generator(seed, "chance").random((draws, len(told))) < confidence
    held = np.eye(bins)[_bin_of(confidence, bins)]
    found: Floats = np.abs((right - confidence) @ held).sum(1) / len(told)
    return found


def binned(told: Answers, bins: int) -> Float[np.ndarray, "bins 7"]:
    """A row for each bin: its edges, images, mean confidence, accuracy, and the ends of its interval."""
    confidence = np.exp(told.log_p.max(1))
    which, edges = _bin_of(confidence, bins), np.linspace(0, 1, bins + 1)
    count: Floats = np.bincount(which, minlength=bins).astype(float)
    hits: Floats = np.bincount(which, told.right, bins).astype(float)
    with np.errstate(invalid="ignore"):
        mean = np.bincount(which, confidence, bins) / count
        share = hits / count
    low, high = (np.where(count > 0, one, np.nan) for one in wilson(hits, count))
    return np.stack([edges[:-1], edges[1:], count, mean, share, low, high], 1)
