"""What a watched training says of its layers: numbers step by step, and rules as data with the numbers that fired."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.history import History
from pellucid.learning.flow import Flow, LayerFlow
from pellucid.learning.verdicts import judged
from pellucid.learning.watch import LAYERS
from pellucid.result import Grid

Floats = NDArray[np.float64]
DEAD, UPDATES, LAST = 0.5, (1e-4, 1e-2), 3
"""Share of the units of a layer that give zero everywhere in each of the last so many batches; relative updates
‖ΔW‖/‖W‖ of a step that are neither too small nor too large."""
_LASTING = 0.1
"""Share of the watched steps in which a verdict of signal and gradient must hold, unless it does at the end."""
_ABOUT = {"std": ("signal", "standard deviation of the output", True),
          "gradient": ("gradient", "RMS of the gradient by the output", True),
          "update": ("updates", "relative update", True),
          "dead": ("dead units", "share of units that are zero everywhere", False)}  # fmt: skip
_COLUMNS, _BOUNDED = 40, {"Tanh": "tanh", "Sigmoid": "sigmoid"}
_NORMS = ("BatchNorm", "SyncBatchNorm", "LazyBatchNorm")


@dataclass(frozen=True, eq=False)
class Watched:
    """L layers in the order of execution, and what was written down of them in T steps."""

    steps: NDArray[np.int64]
    """(T,)"""
    layers: tuple[str, ...]
    kinds: Mapping[str, str]
    """Of some of the layers, or of none, where nobody wrote it down."""
    weighted: frozenset[str]
    """Layers with a weight of two dimensions or more."""
    values: Mapping[str, Floats]
    """Quantity ("std", "gradient", "update" …) -> (L, T); NaN where it was not written down, or is NaN."""

    def get(self, quantity: str) -> Floats:
        """(L, T), all NaN for what was never written down."""
        return self.values.get(quantity, np.full((len(self.layers), len(self.steps)), np.nan))


def watched(run: History) -> Watched | None:
    """What `watch` has written down in the folder of a run; None where it has not."""
    names = [name.removesuffix("/std") for name in run.scalars if name.endswith("/std")]
    if not names:
        return None
    steps = np.unique(np.concatenate([run[f"{name}/std"].steps for name in names]))
    values: dict[str, Floats] = {}
    row = {name: i for i, name in enumerate(names)}
    for key, series in run.scalars.items():
        layer, _, quantity = key.rpartition("/")
        if layer in row:
            there = np.isin(series.steps, steps)
            grid = values.setdefault(quantity, np.full((len(names), len(steps)), np.nan))
            grid[row[layer], np.searchsorted(steps, series.steps[there])] = series.values[there]
    about = _about(run)
    kinds = {name: str(one.get("kind", "")) for name, one in about.items()}
    moves = np.isfinite(values.get("update", np.full((len(names), 1), np.nan)))
    moving = {names[i] for i, _ in np.argwhere(moves)}
    weighted = {name for name, one in about.items() if one.get("weights")} if about else moving
    return Watched(steps, tuple(names), kinds, frozenset(weighted), values)


def _about(run: History) -> dict[str, dict[str, Any]]:
    """What the watch wrote of its layers; nothing where that cannot be read."""
    try:
        found = json.loads((run.folder / LAYERS).read_text(encoding="utf-8"))["layers"]
        return {str(name): dict(one) for name, one in found.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


@dataclass(frozen=True)
class Rule:
    """A verdict: its name, and the sentence with the numbers that fired, "" where it is not due."""

    name: str
    said: Callable[[Watched], str]


def _broken(one: Watched) -> str:
    """The first step, and in it the first layer, of what is not finite."""
    share = one.get("not finite")
    where = np.argwhere((share > 0).T)
    if not len(where):
        return ""
    step, layer = where[0]
    return (
        f"not finite: {share[layer, step]:.2%} of the output of {one.layers[layer]} in step {one.steps[step]}, "
        f"and in {len({int(t) for t, _ in where})} of {len(one.steps)} watched steps"
    )


def _passing(one: Watched) -> str:
    """What `gradient_flow` would have said in those steps, of the layers with weights."""
    fired: dict[str, list[tuple[int, str]]] = {}
    for t, step in enumerate(one.steps):
        flow = _flow(one, t)
        if flow is not None:
            first = judged(flow)[0]
            fired.setdefault(first.name, []).append((int(step), first.text))
    fired.pop("healthy", None)
    for found in fired.values():
        if len(found) >= _LASTING * len(one.steps) or found[-1][0] == one.steps[-1]:
            often = f"{len(found)} of {len(one.steps)} watched steps, the first is {found[0][0]}"
            return f"{found[-1][1]}; in step {found[-1][0]} ({often})"
    return ""


def _flow(one: Watched, t: int) -> Flow | None:
    """Of one step; None where something is not finite, of which another rule speaks, or nothing was differentiated."""
    chosen = [i for i, name in enumerate(one.layers) if name in one.weighted]
    mean, std, gradient = (one.get(name)[:, t] for name in ("mean", "std", "gradient"))
    if len(chosen) < 3 or not np.isfinite([mean[chosen], std[chosen], gradient[chosen]]).all():
        return None
    bounded = next((said for name in one.layers if (said := _BOUNDED.get(one.kinds.get(name, "")))), "")
    layers = tuple(
        LayerFlow(
            one.layers[i], one.kinds.get(one.layers[i], ""), count=1, total=float(mean[i]),
            squares=float(std[i] ** 2 + mean[i] ** 2), gradients=float(gradient[i] ** 2),
            activation=bounded, values=1 if bounded else 0,
        )
        for i in chosen
    )  # fmt: skip
    normalized = any(kind.startswith(_NORMS) for kind in one.kinds.values())
    return Flow("", layers, 0, math.nan, normalized=normalized)


def _dead(one: Watched) -> str:
    """Of the layer with the most, in each of the last batches."""
    share = one.get("dead")[:, -LAST:]
    lasting = np.where(np.isnan(share).any(1), -1.0, share.min(1))
    worst = int(lasting.argmax())
    if lasting[worst] <= DEAD:
        return ""
    since = np.flatnonzero(~(one.get("dead")[worst] > DEAD))
    first = one.steps[int(since[-1]) + 1 if len(since) else 0]
    return (
        f"dead units: {lasting[worst]:.0%} of those of {one.layers[worst]} give zero everywhere in each of the last "
        f"{share.shape[1]} batches, more than half of them since step {first}"
    )


def _updates(one: Watched) -> str:
    """Of the layer whose typical update is farthest outside."""
    low, high = UPDATES
    rows = [i for i, name in enumerate(one.layers) if name in one.weighted]
    update = one.get("update")[rows]
    typical = np.array([np.median(row[np.isfinite(row)]) if np.isfinite(row).any() else np.nan for row in update])
    with np.errstate(divide="ignore"):
        outside = np.where(np.isnan(typical), 0.0, np.maximum(np.log(typical / high), np.log(low / typical)))
    if not len(rows) or outside.max() <= 0:
        return ""
    worst = int(outside.argmax())
    how, bound = ("large", f"above {high:g}") if typical[worst] > high else ("small", f"below {low:g}")
    many = int((outside > 0).sum())
    return (
        f"updates are {how}: a step changes the weights of {one.layers[rows[worst]]} by {typical[worst]:.2g} of their "
        f"norm (median of {np.isfinite(update[worst]).sum()} steps), {bound}; {many} of {len(rows)} layers are outside"
    )


RULES = (Rule("not finite", _broken), Rule("signal and gradient", _passing), Rule("dead units", _dead),
         Rule("updates", _updates))  # fmt: skip
"""In the order of their weight."""


def said_of(one: Watched) -> tuple[str, ...]:
    """What the rules say, the most important first; nothing of a run that none of them fires for."""
    return tuple(text for rule in RULES if (text := rule.said(one)))


def grids(one: Watched) -> dict[str, Grid]:
    """Layers × steps, evenly chosen where there are many: of layers with weights signal, gradient and updates, and of
    those that have had dead units their share."""
    many = len(one.steps)
    chosen = np.unique(np.linspace(0, many - 1, min(many, _COLUMNS)).round().astype(int))
    found = {}
    for quantity, (name, said, log) in _ABOUT.items():
        values = one.get(quantity)[:, chosen]
        values = np.where(np.isfinite(values) & ((values > 0) | (not log)), values, np.nan)
        known = np.isfinite(values).any(1)
        if quantity == "dead":
            known &= (values > 0).any(1)
        else:
            known &= np.array([name in one.weighted for name in one.layers])
        rows = np.flatnonzero(known)
        if len(rows):
            names = tuple(one.layers[i] for i in rows)
            columns = tuple(str(step) for step in one.steps[chosen])
            found[name] = Grid(values[rows], names, columns, said, "layer", "step", log=log)
    return found
