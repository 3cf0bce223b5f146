"""The axes along which rows differ most, or are least normal: maps that are linear."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from pellucid.geometry import Floats
from pellucid.rng import generator


def principal(rows: Float[np.ndarray, "n channels"], count: int) -> tuple[Floats, Floats]:
    """(mean, (channels, components)) of the rows, the strongest component first, each with its largest part positive.

    From the covariance, summed in pieces: memory does not grow with the rows.
    """
    pieces = [rows[i : i + 4096] for i in range(0, len(rows), 4096)]
    mean = np.sum([piece.sum(0, dtype=np.float64) for piece in pieces], axis=0) / len(rows)
    spread = np.zeros((rows.shape[1], rows.shape[1]))
    for piece in pieces:
        centered = piece.astype(np.float64) - mean
        spread += centered.T @ centered
    _, vectors = np.linalg.eigh(spread)
    axes = vectors[:, ::-1][:, : min(count, rows.shape[1])]
    largest = np.abs(axes).argmax(0)
    return mean, axes * np.where(axes[largest, np.arange(axes.shape[1])] < 0, -1, 1)


def reduced(rows: Float[np.ndarray, "n channels"], linear: tuple[Floats, Floats]) -> Float[np.ndarray, "n parts"]:
    """Rows by their components."""
    mean, axes = linear
    pieces = [(rows[i : i + 4096].astype(np.float64) - mean) @ axes for i in range(0, len(rows), 4096)]
    found = np.concatenate(pieces)
    return np.pad(found, ((0, 0), (0, max(2 - found.shape[1], 0))))  # a layer of one unit has one component


def independent(seen: Float[np.ndarray, "n two"], seed: int, most: int = 500) -> Floats:
    """The axes along which two principal components are least normal: symmetric FastICA with tanh (Hyvärinen 1999)."""
    scale = np.where(seen.std(0) > 0, seen.std(0), 1)
    white = seen / scale
    turn = _unmixed(generator(seed, "ica").standard_normal((2, 2)))
    for _ in range(most):
        bent = np.tanh(white @ turn.T)
        new = _unmixed(bent.T @ white / len(white) - (1 - bent**2).mean(0)[:, None] * turn)
        done = np.abs(np.abs((new * turn).sum(1)) - 1).max() < 1e-10
        turn = new
        if done:
            break
    return np.asarray((turn / scale).T)


def _unmixed(turn: Floats) -> Floats:
    """The nearest rotation: (W Wᵀ)^−½ W."""
    left, _, right = np.linalg.svd(turn)
    return np.asarray(left @ right)
