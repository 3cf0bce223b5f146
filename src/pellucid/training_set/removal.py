"""The last layer without some of its training images: one Newton step from where it is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from pellucid.training_set.curvature import Solved, softmax, with_one
from pellucid.training_set.examples import Examples

_ROUGH = 1e-2
"""Of the right side: probabilities that follow are shown in percent."""


def gradients(examples: Examples, rows: NDArray[np.int64] | None = None) -> Float[np.ndarray, "n c"]:
    """(N, C) p − e_y: the gradient of the loss of each example (of some rows) by its logits. That by weights and biases
    is its outer product with [h; 1]."""
    which = np.arange(len(examples)) if rows is None else rows
    found = softmax(examples.logits[which])
    found[np.arange(len(which)), examples.labels[which]] -= 1
    return found


def removed(examples: Examples, sets: Sequence[NDArray[np.int64]], damping: float) -> Solved:
    """By how much weights and biases (K, C, F + 1) change when each of K sets of examples is removed and the last layer
    is trained again: H₋ₛ⁻¹ Σ_{i ∈ S} g_i / N, one Newton step from the optimum, which the layer is taken to be at.

    H₋ₛ is the curvature of what is left, so that also many alike that are removed together count as such. All
    examples must have a label. Where H is too large to be factored each equation is solved to 1e-2.
    """
    wanted = [gradients(examples, rows).T @ with_one(examples.features[rows]) / len(examples) for rows in sets]
    shape = (0, len(examples.bias), examples.features.shape[1] + 1)
    curvature = examples.curved(damping)
    tolerance = curvature.tolerance if curvature.narrow else _ROUGH
    return curvature.solve(np.stack(wanted) if sets else np.zeros(shape), tolerance, without=sets)
