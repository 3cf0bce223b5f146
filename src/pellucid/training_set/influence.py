"""Influence of training images on the loss of other images: by the curvature of the last layer, or over checkpoints."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from pellucid.errors import PellucidError
from pellucid.history import History
from pellucid.index import Index
from pellucid.progress import steps
from pellucid.training_set.cases import Asked
from pellucid.training_set.curvature import PIECE, Curvature, with_one
from pellucid.training_set.examples import Examples, received
from pellucid.training_set.head import Head
from pellucid.training_set.removal import gradients

_RATES = ("lr", "learning rate", "learning_rate")
"""Series of a training run that hold its learning rate."""


@dataclass(frozen=True, eq=False)
class Influence:
    """`scores` (M, N) of N training images on the loss of each of M images, positive where removing one raises it;
    `residual` is how far the equations are from solved, ‖b − H x‖ / ‖b‖, 0 where none was."""

    scores: Float[np.ndarray, "m n"]
    residual: float = 0.0
    steps: int = 0


def by_last_layer(examples: Examples, asked: Asked, classes: NDArray[np.int64], damping: float) -> Influence:
    """g_testᵀ H⁻¹ g_i / N with g = (p − e_y) ⊗ [h; 1], bias included, and H the Gauss-Newton matrix of the softmax plus
    λ: what the loss of class `classes` of each image gains when example i is removed, to first order (Koh & Liang
    2017).

    One equation is solved after another. All examples must have a label.
    """
    wanted = asked.probabilities
    wanted[np.arange(len(classes)), classes] -= 1
    curvature = examples.curved(damping)
    scores, residual, taken = np.empty((len(classes), len(examples))), 0.0, 0
    for rows in steps(_few(len(classes), curvature), "equations"):
        solved = curvature.solve(wanted[rows, :, None] * with_one(asked.features[rows])[:, None], curvature.tolerance)
        scores[rows] = _against(examples, solved.values, np.float64 if curvature.narrow else np.float32)
        residual, taken = max(residual, solved.residual), max(taken, solved.steps)
    return Influence(scores, residual, taken)


def _few(count: int, curvature: Curvature) -> list[NDArray[np.int64]]:
    """Numbers of equations that are solved together, so many that their right sides take a bounded memory."""
    most = max(2**22 // (curvature.shape[0] * curvature.shape[1]), 1)
    return [np.arange(i, min(i + most, count)) for i in range(0, count, most)]


def _against(
    examples: Examples, solved: Float[np.ndarray, "k c g"], kind: type[np.floating[Any]]
) -> Float[np.ndarray, "k n"]:
    """(K, N) g_i · x / N of all examples."""
    found, few = np.empty((len(solved), len(examples))), solved.astype(kind)
    for i in range(0, len(examples), PIECE):
        rows = np.arange(i, min(i + PIECE, len(examples)))
        slopes, x = gradients(examples, rows).astype(kind), with_one(examples.features[rows], kind)
        for k, one in enumerate(few):
            found[k, rows] = np.einsum("mc,mc->m", x @ one.T, slopes) / len(examples)
    return found


def self_influence(examples: Examples, damping: float = 0.01) -> Float[np.ndarray, " n"]:
    """(N,) g_iᵀ H⁻¹ g_i / N: what the loss of each example gains when it is removed itself."""
    curvature = examples.curved(damping)
    found = np.empty(len(examples))
    for rows in steps(_few(len(examples), curvature), "equations"):
        each = gradients(examples, rows)[:, :, None] * with_one(examples.features[rows])[:, None]
        found[rows] = (each * curvature.solve(each, curvature.tolerance).values).sum((1, 2)) / len(examples)
    return found


def over_checkpoints(
    index: Index, examples: Examples, asked: Asked, classes: NDArray[np.int64], history: History
) -> tuple[Influence, tuple[int, ...]]:
    """(TracIn of the last layer, the steps of its checkpoints): Σ_t η_t (p − e_y)·(p′ − e_y′) (h·h′ + 1), all of it
    as it was at checkpoint t, and η_t the learning rate at that step (Pruthi et al. 2020). One pass over the images for
    each checkpoint. Raises PellucidError for a run without checkpoints or without a learning rate, and where the last
    layer is not the network's.
    """
    if examples.fitted:
        raise PellucidError(
            "variant='tracin' follows the network's last layer, and the images have classes of their own"
        )
    rates = rates_of(history)
    scores = np.zeros((len(classes), len(examples)))
    for step, rate in rates.items():
        net = history.at(step, index.net)
        head = Head.of(net)
        h = received(index, net, head, examples.numbers)
        then = replace(examples, features=h, logits=head.scores(h))
        features = received(None, net, head, asked.images)
        wrong = Asked(asked.images, features, head.scores(features)).probabilities
        wrong[np.arange(len(classes)), classes] -= 1
        scores += rate * dots(with_one(features), wrong, then)
    return Influence(scores), tuple(rates)


def dots(x: Float[np.ndarray, "m g"], wrong: Float[np.ndarray, "m c"], examples: Examples) -> Float[np.ndarray, "m n"]:
    """(M, N) products of the gradients of the last layer, bias included: (p − e)·(p′ − e′) times [h; 1]·[h′; 1]."""
    return np.asarray((wrong @ gradients(examples).T) * (x @ with_one(examples.features).T))


def rates_of(history: History) -> dict[int, float]:
    """Step of every checkpoint -> the learning rate that the schedule had there. Raises PellucidError where the run has
    no checkpoints or wrote no learning rate down."""
    if not history.checkpoints:
        raise PellucidError(
            f"no checkpoints in {history}: variant='tracin' needs some of the training, besides the last"
        )
    name = next((one for one in _RATES if one in history.scalars), None)
    if name is None:
        raise PellucidError(
            f"no learning rate in {history}: TracIn weights every checkpoint by it; write lines of "
            '{"step": 100, "lr": 0.1} into a *.jsonl file of the run'
        )
    series = history[name]
    found = {}
    for step in history.checkpoints:
        at = int(np.searchsorted(series.steps, step, side="right")) - 1
        if at < 0:
            raise PellucidError(
                f"the learning rate of {history} begins at step {series.steps[0]}, after checkpoint {step}"
            )
        found[step] = float(series.values[at])
    return found
