"""Where on the path of a training its learning rate fell."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from pellucid.errors import PellucidError
from pellucid.history import History, Series

_NAMES = ("lr", "learning rate", "learning_rate", "learningrate")
_FALL = 0.55
"""Share of itself to which the rate falls at once, at least."""


def drops(names: Sequence[str], log: History) -> tuple[str, ...]:
    """For each network, named by its step, "lr 0.1 → 0.01" where the rate falls there, else "".

    The rate of a step is that of the way to it. A rate that falls all the time has no drops. Raises PellucidError where
    the run has no learning rate, or a name no step.
    """
    rates = _of(log)
    ends = [re.search(r"\d+$", name) for name in names]
    without = [name for name, end in zip(names, ends, strict=True) if end is None]
    if without:
        raise PellucidError(f"log: {without[0]!r} does not end in a step, by which {log} is read; step_100 does")
    places = [int(np.searchsorted(rates.steps, int(end[0]))) for end in ends if end is not None]
    along = [float(rates.values[min(place, len(rates.values) - 1)]) for place in places]
    found = [""] * len(names)
    for i in range(1, len(names) - 1):  # the first has no way to it
        if along[i + 1] < _FALL * along[i]:
            found[i] = f"lr {along[i]:.3g} → {along[i + 1]:.3g}"
    return tuple(found) if 3 * sum(map(bool, found)) <= len(names) else ("",) * len(names)


def _of(log: History) -> Series:
    for name, series in log.scalars.items():
        if name.rpartition("/")[2].lower() in _NAMES:
            return series
    raise PellucidError(f"log: {log} has no learning rate (lr); it has {', '.join(log.scalars) or 'no scalars'}")
