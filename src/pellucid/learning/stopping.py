"""When a training should have ended, and what its curves say: rules as data, with the numbers that fired."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.history import History, Series

Floats = NDArray[np.float64]
OVERFIT = 1.1
"""Times the lowest test loss at the end, with a training loss that has gone on falling."""
STRIP = 5
"""Evaluations of a strip, over which Prechelt's PQ and UP look."""
QUOTIENT, RISES = 0.5, 3
"""Of PQ the smallest that Prechelt tries, of UP one in the middle."""
PLATEAU, _TAIL = 0.02, 1 / 3
"""Relative change of the training loss over the last third that counts as none."""
SPIKE, _WINDOW = 3.0, 9
"""Times the median of the training losses around it."""
_SPLITS = {"train": "train", "training": "train", "test": "test", "val": "test", "valid": "test", "validation": "test",
           "eval": "test", "dev": "test"}  # fmt: skip
_KINDS = {"loss": "loss", "acc": "accuracy", "accuracy": "accuracy", "acc1": "accuracy", "top1": "accuracy"}


def read(run: History) -> dict[str, Series]:
    """The series of a run that have a meaning here: "train loss", "test loss", "train accuracy", "test accuracy".

    By the words of their names: val, valid, validation, eval and dev are test; a loss that says of nothing is the
    training's.
    """
    found: dict[str, Series] = {}
    for name, series in run.scalars.items():
        words = re.split(r"[\W_]+", name.lower())
        kind = next((_KINDS[word] for word in words if word in _KINDS), "")
        split = next((_SPLITS[word] for word in words if word in _SPLITS), "train")
        if kind and set(words) <= {*_SPLITS, *_KINDS, "epoch", "step", "mean", "avg"}:
            found.setdefault(f"{split} {kind}", series)
    return found


@dataclass(frozen=True)
class Stop:
    """Where a rule ends a training, and which of its weights it keeps: places in the series of the test loss."""

    at: int | None
    """None where the rule never fires."""
    best: int
    """The lowest loss until then."""


def by_patience(losses: Floats, patience: int) -> Stop:
    """The first place with no lower loss for so many evaluations."""
    best = 0
    for i, loss in enumerate(losses):
        if loss < losses[best] or not np.isfinite(losses[best]):
            best = i
        if i - best >= patience:
            return Stop(i, best)
    return Stop(None, best)


def by_generalization_loss(losses: Floats, percent: float) -> Stop:
    """The first place with GL = 100 (E / the lowest E until then − 1) above `percent` (Prechelt 1998)."""
    best = 0
    for i, loss in enumerate(losses):
        if loss < losses[best] or not np.isfinite(losses[best]):
            best = i
        if 100 * (loss / losses[best] - 1) > percent:
            return Stop(i, best)
    return Stop(None, best)


def by_quotient(losses: Floats, train: Floats, quotient: float) -> Stop:
    """The first end of a strip of 5 with GL / P above `quotient` (PQ): P = 1000 (mean / lowest − 1) of the training
    losses of the strip says how fast training still goes (Prechelt 1998)."""
    for i in range(STRIP - 1, len(losses), STRIP):
        strip = train[i - STRIP + 1 : i + 1]
        with np.errstate(divide="ignore", invalid="ignore"):
            progress = 1000 * (strip.mean() / strip.min() - 1)
            found = 100 * (losses[i] / losses[: i + 1].min() - 1) / progress
        if found > quotient:
            return Stop(i, int(losses[: i + 1].argmin()))
    return Stop(None, int(losses.argmin()))


def by_rises(losses: Floats, rises: int) -> Stop:
    """The end of the last of so many strips of 5 in a row that each end with a higher loss than the one before (UP)."""
    row = 0
    for i in range(2 * STRIP - 1, len(losses), STRIP):
        row = row + 1 if losses[i] > losses[i - STRIP] else 0
        if row == rises:
            return Stop(i, int(losses[: i + 1].argmin()))
    return Stop(None, int(losses.argmin()))


def stops(losses: Floats, train: Floats | None, patience: int, percent: float) -> dict[str, Stop]:
    """What each rule says of test losses (T,), with training losses (T,) also PQ; the first keeps the last weights."""
    best = int(losses.argmin())
    found = {
        "none": Stop(len(losses) - 1, len(losses) - 1),
        "the best": Stop(None, best),
        f"patience {patience}": by_patience(losses, patience),
        f"GL {percent:g} %": by_generalization_loss(losses, percent),
        f"UP {RISES}": by_rises(losses, RISES),
    }
    if train is not None and np.isfinite(train).all():
        found[f"PQ {QUOTIENT:g}"] = by_quotient(losses, train, QUOTIENT)
    return found


def edge(run: History) -> str:
    """Where λmax · lr > 2, of which plain gradient descent jumps over the valley (Cohen et al. 2021); "" where not.

    λmax is what was written down as lambda_max, sharpness or λmax, and lr the last learning rate until then.
    """
    names = {re.sub(r"[\W_]+", " ", name.lower()).strip(): name for name in run.scalars}
    curvature = next((names[name] for name in ("lambda max", "λmax", "sharpness") if name in names), None)
    rate = next((names[name] for name in ("lr", "learning rate") if name in names), None)
    if curvature is None or rate is None:
        return ""
    sharp, rates = run[curvature], run[rate]
    last = np.maximum(np.searchsorted(rates.steps, sharp.steps, side="right") - 1, 0)
    products = sharp.values * rates.values[last]
    beyond = np.flatnonzero(products > 2)
    if not len(beyond):
        return ""
    first, most = beyond[0], int(np.nanargmax(products))
    return (
        f"steps overshoot: λmax · lr is {products[first]:.3g} at step {sharp.steps[first]}, at most "
        f"{products[most]:.3g} at step {sharp.steps[most]}; plain gradient descent is stable up to 2, with momentum β "
        "up to 2 + 2β"
    )


def compared(found: Mapping[str, Mapping[str, Series]]) -> tuple[str, ...]:
    """What other runs have gained over the first, at the end and at their best, in test accuracy or test loss."""
    (first, own), *others = found.items()
    said = []
    for name, series in others:
        quantity = next((one for one in ("test accuracy", "test loss") if one in own and one in series), "")
        if quantity and all(np.isfinite(one[quantity].values).any() for one in (own, series)):
            best = np.nanmax if quantity == "test accuracy" else np.nanmin
            ends = [float(one[quantity].values[-1]) for one in (series, own)]
            tops = [float(best(np.where(np.isfinite(v := one[quantity].values), v, np.nan))) for one in (series, own)]
            said.append(
                f"{name} ends at a {quantity} of {ends[0]:.3f}, {first} at {ends[1]:.3f} ({ends[0] - ends[1]:+.3f}); "
                f"their best are {tops[0]:.3f} and {tops[1]:.3f} ({tops[0] - tops[1]:+.3f})"
            )
    return tuple(said)


def verdicts(series: Mapping[str, Series], besides: Sequence[str] = ()) -> tuple[str, ...]:
    """What the curves of one run say, the most important first, and what else is said of it."""
    found: list[str] = []
    for name, one in series.items():
        bad = np.flatnonzero(~np.isfinite(one.values))
        if len(bad):
            found.append(f"not finite: the {name} is {one.values[bad[0]]} from step {one.steps[bad[0]]} on record")
    train, test = series.get("train loss"), series.get("test loss")
    if test is not None and np.isfinite(test.values).any():
        best = int(np.nanargmin(np.where(np.isfinite(test.values), test.values, np.nan)))
        ratio = float(test.values[-1] / test.values[best])
        falls = train is None or train.values[-1] < np.interp(test.steps[best], train.steps, train.values)
        if ratio > OVERFIT and falls:
            found.append(
                f"over-fitting: the test loss is lowest at step {test.steps[best]} ({test.values[best]:.3g}) and ends "
                f"at {test.values[-1]:.3g}, {ratio:.2f} times as high, while the training loss goes on falling"
            )
        right = series.get("test accuracy")
        if right is not None and np.isfinite(right.values).any():
            top = int(np.nanargmax(right.values))
            if right.steps[top] > 1.5 * max(test.steps[best], 1) and ratio > OVERFIT:
                found.append(
                    f"loss and accuracy disagree: the accuracy is highest at step {right.steps[top]} "
                    f"({right.values[top]:.3f}), the loss lowest at step {test.steps[best]}"
                )
    if train is not None and len(train.values) >= _WINDOW and np.isfinite(train.values).all():
        found += _shape(train)
    found += besides
    return tuple(found) or ("no rule fires: neither over-fitting, nor a plateau, nor spikes, and all is finite",)


def _shape(train: Series) -> list[str]:
    """A plateau, and spikes, of the training loss."""
    found, values = [], train.values
    tail = values[-max(int(len(values) * _TAIL), 3) :]
    change = abs(float(tail[-1] - tail[0])) / max(abs(float(tail[0])), 1e-12)
    if change < PLATEAU and tail[0] > 0.1 * values[0]:
        found.append(
            f"plateau: over the last third the training loss changes by {change:.1%}, "
            f"at {tail[-1]:.3g} of {values[0]:.3g}"
        )
    around = np.array([np.median(values[max(i - _WINDOW // 2, 0) : i + _WINDOW // 2 + 1]) for i in range(len(values))])
    spikes = np.flatnonzero(values[1:] > SPIKE * around[1:]) + 1
    if len(spikes):
        found.append(
            f"{len(spikes)} spikes: at step {train.steps[spikes[0]]} the training loss is "
            f"{values[spikes[0]] / around[spikes[0]]:.2g} times what is around it: a learning rate too large"
        )
    return found
