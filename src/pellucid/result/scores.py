"""What the numbers of a network's classes mean, and what one of them is called."""

from __future__ import annotations

from pellucid.loading import Scores

__all__ = ["UNIT", "Scores"]

UNIT: dict[str, str] = {
    "logits": "logit",
    "probabilities": "probability",
    "log_probabilities": "log probability",
    "multilabel": "logit",
    "regression": "value",
}
"""What one unit of such a number is."""
