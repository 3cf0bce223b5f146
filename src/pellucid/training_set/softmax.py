"""Softmax regression on features: the one optimum, in float64, the same every time."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
from jaxtyping import Float, Int

from pellucid.ambient import one_blas_thread
from pellucid.errors import PellucidError
from pellucid.training_set.curvature import Curvature, softmax, with_one

_SHORT = 1e-9
"""Of the gradient at zero: what is left of it at the optimum."""
_MOST = 100
_TRIES = 40  # halvings of a step
_SMALL = 10**8
"""Multiplications of a product with all features up to which one thread makes it: a few hundredths of a second."""


def fitted(
    features: Float[np.ndarray, "n f"], labels: Int[np.ndarray, " n"], classes: int, penalty: float = 0.01
) -> tuple[Float[np.ndarray, "c f"], Float[np.ndarray, " c"]]:
    """(weight (C, F), bias (C,)) at the minimum of 1/N Σ −log p_i[y_i] + penalty/2 (‖weight‖² + ‖bias‖²).

    Newton's method from zero with steps that are halved until the loss falls enough, until 1e-9 of the first gradient
    is left: nothing is drawn at random. The bias is penalized as the weights are, so that there is one optimum.
    Raises PellucidError for labels that are none of the classes, and for a penalty of 0, with which classes that can
    be told apart have no optimum.
    """
    if not len(features) or len(labels) != len(features):
        raise PellucidError(f"a softmax regression of {len(features)} rows and {len(labels)} labels")
    if labels.min() < 0 or labels.max() >= classes:
        raise PellucidError(
            f"labels {labels.min()} to {labels.max()} of {classes} classes, which are 0 to {classes - 1}"
        )
    if not penalty > 0:
        raise PellucidError(f"penalty={penalty}: above 0, for without one the weights of separable classes have no end")
    small = len(features) * features.shape[1] * classes <= _SMALL
    with one_blas_thread() if small else nullcontext():
        return _newton(features, labels, np.zeros((classes, features.shape[1] + 1)), penalty)


def _newton(
    features: Float[np.ndarray, "n f"], labels: Int[np.ndarray, " n"], at: Float[np.ndarray, "c g"], penalty: float
) -> tuple[Float[np.ndarray, "c f"], Float[np.ndarray, " c"]]:
    """The optimum, from a place on."""
    value, slope, p = _loss(features, labels, at, penalty)
    first = left = float(np.linalg.norm(slope))
    for _ in range(_MOST):
        if left <= _SHORT * max(first, 1e-30):
            break
        tolerance = min(0.1, left / first) if first else 0.1  # as exact as the place is near
        step = Curvature(features, p, penalty).solve(slope[None], max(tolerance, 1e-10)).values[0]
        fall, rate = float((slope * step).sum()), 1.0
        for _ in range(_TRIES):
            trial = _loss(features, labels, at - rate * step, penalty)
            # near the optimum the loss no longer tells two places apart, but its gradient does
            if trial[0] <= value - 1e-4 * rate * fall or np.linalg.norm(trial[1]) <= 0.5 * left:
                break
            rate /= 2
        else:
            break
        at = at - rate * step
        value, slope, p = trial
        left = float(np.linalg.norm(slope))
    return at[:, :-1].copy(), at[:, -1].copy()


def _loss(
    features: Float[np.ndarray, "n f"], labels: Int[np.ndarray, " n"], at: Float[np.ndarray, "c g"], penalty: float
) -> tuple[float, Float[np.ndarray, "c g"], Float[np.ndarray, "n c"]]:
    """(the loss, its gradient, the probabilities)."""
    logits = np.asarray(features, np.float64) @ at[:, :-1].T + at[:, -1]
    p = softmax(logits)
    rows = np.arange(len(p))
    top = logits.max(1)
    each = np.log(np.exp(logits - top[:, None]).sum(1)) + top - logits[rows, labels]
    wrong = p.copy()
    wrong[rows, labels] -= 1
    slope = wrong.T @ with_one(features) / len(p) + penalty * at
    return float(each.mean() + penalty / 2 * (at**2).sum()), slope, p
