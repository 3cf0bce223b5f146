"""How alike two representations are: of the same images by two layers, or of two sets of images by one layer."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from pellucid.learning.readout import readout
from pellucid.rng import generator
from pellucid.statistics import share_of


def cka(x: Float[np.ndarray, "n f"], y: Float[np.ndarray, "n g"]) -> float:
    """Linear CKA of the same images, in the same order, in two representations (Kornblith et al. 2019, section 3):
    ‖YᵀX‖² / (‖XᵀX‖ ‖YᵀY‖), columns centered, Frobenius norms. 0..1; 1 where one is the other turned, mirrored, moved
    and scaled. NaN where a representation does not vary. With fewer images than features it is too high.
    """
    x, y = x - x.mean(0), y - y.mean(0)
    if len(x) < x.shape[1] + y.shape[1]:  # ‖YᵀX‖² = ⟨XXᵀ, YYᵀ⟩, of matrices of the images
        one, other = x @ x.T, y @ y.T
        return _ratio(float((one * other).sum()), float(np.linalg.norm(one)), float(np.linalg.norm(other)))
    both = float(np.linalg.norm(y.T @ x) ** 2)
    return _ratio(both, float(np.linalg.norm(x.T @ x)), float(np.linalg.norm(y.T @ y)))


def shared_directions(x: Float[np.ndarray, "n f"], y: Float[np.ndarray, "m f"]) -> float:
    """The same ratio of two sets of images, none of them in both, in one representation: ‖XYᵀ‖² / (‖XXᵀ‖ ‖YYᵀ‖),
    the cosine between their covariances. 0..1; 1 where the features vary along the same directions in the same
    proportions, 0 where nothing that varies in one varies in the other.

    CKA itself compares images one by one, which two sets do not allow: here the features are what both have in
    common, so that it is linear CKA with images and features changing places, columns still centered.
    """
    x, y = x - x.mean(0), y - y.mean(0)
    both = float(np.linalg.norm(x @ y.T) ** 2)
    return _ratio(both, float(np.linalg.norm(x.T @ x)), float(np.linalg.norm(y.T @ y)))


def told_apart(x: Float[np.ndarray, "n f"], y: Float[np.ndarray, "m f"], seed: int) -> tuple[float, float]:
    """(accuracy, standard error) of a linear read-out that tells two sets of images from one another, as many of each,
    on the half of them that it was not fitted to: 0.5 where the representation does not know which is which. NaN for
    fewer than two of each."""
    many = min(len(x), len(y))
    if many < 2:
        return float("nan"), float("nan")
    chance = generator(seed, "told apart")
    both = [one[chance.permutation(len(one))[:many]] for one in (x, y)]
    half = many // 2
    given, judged = (np.concatenate([one[part] for one in both]) for part in (slice(half), slice(half, None)))
    found = readout(given, np.repeat([0, 1], half), 2)
    right = found.answers(judged) == np.repeat([0, 1], many - half)
    return share_of(right)


def _ratio(both: float, one: float, other: float) -> float:
    return both / (one * other) if one > 0 and other > 0 else float("nan")
