"""Measures of faithfulness: whether what a map names is what the network uses."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch

from pellucid.evaluation.imputation import NOISE, imputed
from pellucid.evaluation.judged import Again, Case
from pellucid.evaluation.measures import Measure, Ranking
from pellucid.evaluation.orders import between_0_and_1, ranks
from pellucid.evaluation.paths import along, answers, answers_without, area, asked_of, substrate
from pellucid.evaluation.summary import Protocol
from pellucid.geometry import Floats
from pellucid.rng import generator

_SMALLEST, _LARGEST = 1 / 16, 1 / 3
"""Sides of the squares of `infidelity`, as a share of the image's."""
_ROUNDING = 1e-6
"""Share of a score: smaller changes are what float32 makes of none."""


def areas(values: Floats) -> Floats:
    """Under curves (…, points)."""
    return np.apply_along_axis(area, -1, values)


def first(values: Floats, which: int = 0) -> Floats:
    """One of several numbers (…, n)."""
    found: Floats = values[..., which]
    return found


def deletion(fill: str = "training_mean", steps: int = 28, score: str = "probability", seed: int = 0) -> Measure:
    """(steps + 1,) the class while the pixels that are named first are taken away (Petsiuk et al. 2018)."""
    return _followed("deletion", fill, steps, score, seed)


def insertion(fill: str = "authors_blur", steps: int = 28, score: str = "probability", seed: int = 0) -> Measure:
    """(steps + 1,) the class while the pixels that are named first are put in (Petsiuk et al. 2018)."""
    return _followed("insertion", fill, steps, score, seed)


def _followed(name: str, fill: str, steps: int, score: str, seed: int) -> Measure:
    removed = name == "deletion"

    def judge(case: Case, heat: Floats, again: Again) -> Floats:
        rank = ranks(heat, seed, case.name)
        return along(case, fill, rank, steps, asked_of(case, score), seed, removed=removed)

    parts = (("fill", fill), ("steps", str(steps)), ("score", score))
    what = "removed" if removed else "inserted"
    means = f"area under the curve of the {score} over the share of pixels {what}, mean over the images"
    ranking = Ranking("area", means, "low" if removed else "high", areas)
    return Measure(Protocol(name, parts, "Petsiuk et al. 2018, section 4.1"), (steps + 1,), judge, (ranking,))


def road(shares: int = 9, score: str = "probability", seed: int = 0) -> Measure:
    """(2, shares) the class where the first pixels, or the last, are filled from their neighbors (Rong et al. 2022)."""
    at = np.arange(1, shares + 1) / (shares + 1)

    def judge(case: Case, heat: Floats, again: Again) -> Floats:
        rank = ranks(heat, seed, case.name)
        holes = [order < share * rank.size for order in (rank, rank.size - 1 - rank) for share in at]
        pictures = torch.stack([imputed(case.pixels, gone, seed, case.name) for gone in holes])
        return answers(case.net, pictures, asked_of(case, score)).reshape(2, shares)

    means = f"half of what the {score} loses more where the map's first pixels go than where its last go"
    ranking = Ranking("margin", means, "high", lambda found: (found[:, :, 1] - found[:, :, 0]).mean(-1) / 2)
    parts = (("shares", str(shares)), ("noise", f"{NOISE:g}"), ("score", score))
    protocol = Protocol("road", parts, "Rong et al. 2022, section 4")
    return Measure(protocol, (2, shares), judge, (ranking,))


def average_drop(seed: int = 0) -> Measure:
    """(2,) the share that is lost where the image is seen through the map, and whether it rose instead."""

    def judge(case: Case, heat: Floats, again: Again) -> Floats:
        share = torch.from_numpy(between_0_and_1(heat)).to(case.pixels)
        dark = substrate(case, "training_mean", seed)
        both = torch.stack([case.pixels, dark + share * (case.pixels - dark)])
        before, behind = answers(case.net, both, asked_of(case, "probability"))
        return np.array([max(0.0, before - behind) / before, float(behind > before)])

    protocol = Protocol("average_drop", (("fill", "training_mean"),), "Chattopadhay et al. 2018, section 5.1")
    drop = Ranking("drop", "share of the probability that is lost, mean over the images", "low", first)
    more = Ranking("increase", "share of the images whose probability rises", "high", partial(first, which=1))
    return Measure(protocol, (2,), judge, (drop, more))


def infidelity(samples: int = 64, fill: str = "training_mean", score: str = "logit", seed: int = 0) -> Measure:
    """(1,) the share of the changes that sums of the map miss (Yeh et al. 2019)."""

    def judge(case: Case, heat: Floats, again: Again) -> Floats:
        holes = squares((heat.shape[0], heat.shape[1]), samples, seed, case.name)
        target = asked_of(case, score)
        changed = answers_without(case, fill, holes, target, seed)
        whole = float(answers(case.net, case.pixels[None], target)[0])
        lost = whole - changed
        lost[np.abs(lost) <= _ROUNDING * abs(whole)] = 0.0
        sums = (holes * np.where(np.isfinite(heat), heat, 0.0)).sum((1, 2))
        return np.array([missed(sums, lost)])

    parts = (("fill", fill), ("samples", str(samples)), ("score", score))
    means = f"share of the squared changes of the {score} that sums of the map miss, mean over the images"
    return Measure(Protocol("infidelity", parts, "Yeh et al. 2019, definition 2.1"), (1,), judge,
                   (Ranking("infidelity", means, "low", first),))  # fmt: skip


def missed(sums: Floats, lost: Floats) -> float:
    """min over β ≥ 0 of Σ (β s − Δ)² / Σ Δ²: 0..1; a map of zeros, or one that is upside down, misses all; of no change
    nothing is missed.
    """
    weight, changes = float(sums @ sums), float(lost @ lost)
    if changes == 0:
        return 0.0
    return 1.0 - (max(float(sums @ lost), 0.0) ** 2 / weight / changes if weight > 0 else 0.0)


def squares(size: tuple[int, int], samples: int, seed: int, name: str) -> np.ndarray:
    """(samples, H, W) where each of random sides and places is."""
    chance, (height, width) = generator(seed, name, "squares"), size
    found = np.zeros((samples, height, width), bool)
    for one in found:
        side = chance.uniform(_SMALLEST, _LARGEST)
        high, wide = max(round(side * height), 1), max(round(side * width), 1)
        top, left = chance.integers(height - high + 1), chance.integers(width - wide + 1)
        one[top : top + high, left : left + wide] = True
    return found


def sufficiency(fill: str = "authors_blur", share: float | int = 0.5, steps: int = 28, seed: int = 0) -> Measure:
    """(1,) the share of the pixels that brings the class back (Carter et al. 2019)."""

    def judge(case: Case, heat: Floats, again: Again) -> Floats:
        rank = ranks(heat, seed, case.name)
        found = along(case, fill, rank, steps, asked_of(case, "probability"), seed, removed=False)
        return np.array([float(np.argmax(found >= share * found[-1])) / steps])

    parts = (("fill", fill), ("share", f"{share:g}"), ("steps", str(steps)))
    means = f"share of the pixels that bring back {share:.0%} of the probability, mean over the images"
    return Measure(Protocol("sufficiency", parts, "Carter et al. 2019, section 3"), (1,), judge,
                   (Ranking("pixels", means, "low", first),))  # fmt: skip
