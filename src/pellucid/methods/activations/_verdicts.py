"""What a profile says to a person: which layer is sick, of what, and what to look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pellucid.methods.activations.layer_statistics import Statistics

SILENT = 0.95
"""Of its units dead: a layer says nothing about the image."""
LOUD = 65504.0
"""The largest number of half precision."""
FAINT = 1e-5
"""A signal of this size has died away."""
STUCK, GATES = 0.5, 0.9
"""Of its values at their bounds: a layer hardly learns; gates are meant to be open or shut."""
GROWS = 1e4
"""Times the first layer's size."""
DYING, _MANY = 0.5, 10  # of the units dead on at least so many images: no longer a matter of what these show


@dataclass(frozen=True, eq=False)
class Seen:
    """A layer, in the order of execution, and what it did."""

    name: str
    kind: str
    statistics: Statistics
    broken_weights: int = 0

    @property
    def silent(self) -> bool:
        """Whether (nearly) no unit depends on the image."""
        dead, low = self.statistics.dead, self.statistics.low
        return dead is not None and low is not None and dead >= SILENT * max(self.statistics.able, 1)

    @property
    def stuck(self) -> bool:
        """Whether most values are at a bound."""
        most = GATES if "sigmoid" in self.kind.lower() else STUCK
        return self.statistics.bounds is not None and self.statistics.saturated > most * self.statistics.values

    def loud(self, first: float) -> bool:
        """Whether the values are huge, or have grown out of all proportion."""
        rms = self.statistics.rms
        return rms is not None and rms > min(LOUD, GROWS * max(first, 1.0))

    @property
    def faint(self) -> bool:
        """Whether the signal has died away without being zero."""
        rms = self.statistics.rms
        return rms is not None and 0 < rms < FAINT

    @property
    def dying(self) -> bool:
        """Whether half of the units are dead, and not (nearly) all."""
        dead, low = self.statistics.dead, self.statistics.low
        return dead is not None and low is not None and DYING * self.statistics.able <= dead > 0 and not self.silent


def verdicts(layers: Sequence[Seen], pictures: int) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """(sentences, the rows they are about)."""
    first = next((one.statistics.rms for one in layers if one.statistics.rms), 0.0) or 0.0
    said: list[str] = []
    rows: set[int] = set()
    faults: list[tuple[Callable[[Seen], bool], Callable[[Sequence[Seen], list[int]], str]]] = [
        (lambda one: one.statistics.broken > 0, _broken),
        (lambda one: one.loud(first), _loud),
        (lambda one: one.silent, _silent),
        (lambda one: one.stuck and one is not layers[-1], _stuck),  # an answer may be sure of itself
        (lambda one: one.faint, _faint),
        (lambda one: one.dying and pictures >= _MANY, _dying),
    ]
    for fault, told in faults:
        sick = [i for i, one in enumerate(layers) if fault(one)]
        if sick:
            said.append(told(layers, sick))
            rows |= set(sick)
    if not said:
        on = "this image" if pictures == 1 else f"these {pictures} images"
        said.append(f"no layer is sick: all are finite, and none is silent, saturated or exploding on {on}")
    return tuple(said), tuple(sorted(rows))


def _broken(layers: Sequence[Seen], sick: list[int]) -> str:
    one = layers[sick[0]]
    share = one.statistics.broken / one.statistics.values
    why = (
        f"{one.broken_weights} of its weights are NaN or infinite"
        if one.broken_weights
        else "its weights are finite, so that its input was too large or it divides by zero"
    )
    return f"{_which(layers, sick)} not finite: it begins at {one.name} ({max(share, 0.001):.1%} of its values): {why}"


def _loud(layers: Sequence[Seen], sick: list[int]) -> str:
    one, last = layers[sick[0]], layers[sick[-1]]
    largest = max(layers[i].statistics.rms or 0.0 for i in sick)
    start = next((o for o in layers if o.statistics.rms), one)
    return (
        f"{_which(layers, sick)} exploding: values of {start.statistics.rms:.2g} in {start.name} have grown to "
        f"{largest:.2g} by {last.name}: weights too large at the start, or a step too large"
    )


def _silent(layers: Sequence[Seen], sick: list[int]) -> str:
    one, before = layers[sick[0]], layers[sick[0] - 1] if sick[0] else None
    dead, units = one.statistics.dead, len(one.statistics.low) if one.statistics.low is not None else 0
    why = ""
    if before is not None and before.statistics.high is not None and float(before.statistics.high.max()) <= 0:
        why = f": its input, {before.name}, is never above {float(before.statistics.high.max()):g}"
    return f"{_which(layers, sick)} silent: it begins at {one.name}, {dead} of {units} units never change{why}"


def _stuck(layers: Sequence[Seen], sick: list[int]) -> str:
    shares = [layers[i].statistics.saturated / layers[i].statistics.values for i in sick]
    one = layers[sick[0]]
    low, high = one.statistics.bounds or (0.0, 0.0)
    ends = f"{high:g} or more" if low == -float("inf") else f"{low:g} or less, or {high:g} or more"
    return (
        f"{_which(layers, sick)} saturated: up to {max(shares):.0%} of the values, in {one.name} {shares[0]:.0%} at "
        f"{ends}: hardly a gradient gets through; its input is too large"
    )


def _faint(layers: Sequence[Seen], sick: list[int]) -> str:
    one = layers[sick[0]]
    return (
        f"{_which(layers, sick)} vanishing: in {one.name} values have shrunk to {one.statistics.rms:.2g}: "
        "weights too small at the start, or no normalization"
    )


def _dying(layers: Sequence[Seen], sick: list[int]) -> str:
    shares = [(layers[i].statistics.dead or 0) / max(layers[i].statistics.able, 1) for i in sick]
    return f"{_which(layers, sick)} dying: up to {max(shares):.0%} of the units never change"


def _which(layers: Sequence[Seen], sick: list[int]) -> str:
    """'layer 7 (act3) is', 'layers 7 to 12 are': counted from 1 in the order of execution."""
    if len(sick) == 1:
        return f"layer {sick[0] + 1} ({layers[sick[0]].name}) is"
    runs: list[list[int]] = []
    for i in sick:
        if runs and runs[-1][-1] == i - 1:
            runs[-1].append(i)
        else:
            runs.append([i])
    parts = [f"{run[0] + 1} to {run[-1] + 1}" if len(run) > 1 else str(run[0] + 1) for run in runs]
    shown = ", ".join(parts[:6]) + (f" and {len(parts) - 6} more stretches" if len(parts) > 6 else "")
    return f"layers {shown} are"
