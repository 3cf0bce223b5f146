"""How well a number tells two kinds of images apart."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from pellucid.geometry import Floats
from pellucid.statistics import wilson_error


def auroc(above: Floats, below: Floats) -> tuple[float, float]:
    """(P(a > b) + P(a = b) / 2 for a out of `above` (M,) and b out of `below` (N,), its standard error).

    The error is that of DeLong 1988. NaN where one of them is empty.
    """
    if not len(above) or not len(below):
        return float("nan"), float("nan")
    placed, other = _placed(above, below), 1 - _placed(below, above)
    area = float(placed.mean())
    parts = [one.var(ddof=1) / len(one) if len(one) > 1 else 0.0 for one in (placed, other)]
    return area, float(np.sqrt(sum(parts)))


def _placed(these: Floats, among: Floats) -> Floats:
    """Of each the share of the others below it; ties count half."""
    ordered = np.sort(among)
    lower = np.searchsorted(ordered, these, side="left") + np.searchsorted(ordered, these, side="right")
    found: Floats = lower / (2 * len(among))
    return found


def kept(doubt: Floats, right: NDArray[np.bool_], shares: Floats) -> tuple[Float[np.ndarray, " k"], Floats]:
    """Accuracy of the shares of images of least doubt, with its error; of equal doubt the first come first."""
    order = np.argsort(doubt, kind="stable")
    count = np.maximum(np.round(shares * len(right)), 1)
    hits = np.cumsum(right[order])[count.astype(int) - 1].astype(float)
    return hits / count, wilson_error(hits, count)
