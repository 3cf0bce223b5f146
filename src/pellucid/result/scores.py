"""What the numbers of a network's classes mean, and what one of them is called."""

from __future__ import annotations

from typing import Literal

Scores = Literal["logits", "probabilities", "log_probabilities", "multilabel", "regression"]
"""Logits of classes that exclude one another (softmax); probabilities, of one class out of several or of each by
itself; their logarithms; logits of labels of which each stands by itself (sigmoid); values that are no classes."""

UNIT: dict[str, str] = {
    "logits": "logit",
    "probabilities": "probability",
    "log_probabilities": "log probability",
    "multilabel": "logit",
    "regression": "value",
}
"""What one unit of such a number is."""
