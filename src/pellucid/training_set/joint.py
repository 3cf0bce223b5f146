"""What several networks say of examples together: their probabilities, each at the temperature that fits the labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from pellucid.geometry import Floats
from pellucid.training_set.dynamics import log_softmax, margins

_TEMPERATURES = 2 ** np.linspace(-2, 2, 81)


def cooled(logits: Float[np.ndarray, "n c"], labels: Int[np.ndarray, " n"]) -> Float[np.ndarray, "n c"]:
    """(N, C) log probabilities of logits divided by the temperature, of 81 from 1/4 to 4, that makes the labels
    likeliest (Guo et al. 2017, section 4.2): a network that is too sure counts no more than another."""
    rows = np.arange(len(labels))
    return log_softmax(
        logits / max(_TEMPERATURES, key=lambda one: float(log_softmax(logits / one)[rows, labels].mean()))
    )


def doubt(views: Sequence[Float[np.ndarray, "n c"]], labels: Int[np.ndarray, " n"]) -> Floats:
    """(N,) by how much the mean log probability of the best other class is above that of the label: larger is more
    suspect."""
    return -margins(log_softmax(np.mean(views, 0)), labels)
