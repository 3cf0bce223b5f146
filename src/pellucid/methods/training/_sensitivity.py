"""How sensitive a network is to the pruning of each layer by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from torch import Tensor

from pellucid.errors import Refused
from pellucid.learning.removal import removable, weights_of, without
from pellucid.net.answers import Answers, Shown
from pellucid.progress import steps
from pellucid.result import Table
from pellucid.result.table import Cell
from pellucid.statistics import wilson

_LAYERS = {
    "weight": "of a convolution or a linear layer; all others stay as they are",
    "weights": "how many it has",
    "accuracy": "with only the asked share of its largest weights",
    "low": "lower end of its 95 % interval (Wilson)",
    "high": "upper end",
    "loss": "accuracy lost, from that of the whole network",
    "error": "standard error of that loss, over the images",
}

_REMOVED = {
    "removed": "how many layers or blocks hand on what they receive",
    "layer": "the last of them",
    "kept": "share of all parameters that are left",
    "accuracy": "share of the images with the right answer",
    "low": "lower end of its 95 % interval (Wilson)",
    "high": "upper end",
    "alone": "accuracy with this one alone taken out",
}


def by_layer(
    shown: Shown, weights: Mapping[str, Tensor], prune: Callable[[str], Mapping[str, Tensor]], whole: Answers
) -> Table:
    """One layer at a time, by what `prune` makes of its weight; those whose pruning costs most first."""
    rows: list[tuple[Cell, ...]] = []
    for name, weight in steps(weights.items(), "layers", len(weights)):
        right = shown.answers(shown.net.with_weights(prune(name))).right
        low, high = wilson(np.array([float(right.sum())]), np.array([float(len(right))]))
        lost = whole.right.astype(float) - right  # of each image: the same images, so that most of the noise is gone
        error = float(lost.std(ddof=1) / np.sqrt(len(lost))) if len(lost) > 1 else None
        rows.append(
            (name, weight.numel(), float(right.mean()), float(low[0]), float(high[0]), float(lost.mean()), error)
        )
    ordered = sorted(rows, key=lambda row: -float(row[5] or 0))
    return Table(dict(zip(_LAYERS, zip(*ordered, strict=True), strict=True)), _LAYERS, (), ("accuracy", "loss"),
                 errors={"loss": "error"})  # fmt: skip


def by_removal(shown: Shown, whole: Answers) -> Table | None:
    """Layers taken out whole, one after another; None where none can be, or the network cannot be copied."""
    net = shown.net
    try:
        names = removable(net, next(iter(shown.batches()))[0][:1])
        alone = {name: shown.answers(without(net, [name])) for name in steps(names, "layers taken out", len(names))}
    except Refused:
        return None
    order = sorted(names, key=lambda name: float(alone[name].nll.mean()))
    total = sum(p.numel() for p in net.module.parameters())
    rows: list[tuple[Cell, ...]] = []
    for i in range(len(order) + 1):
        found = whole if i == 0 else alone[order[0]] if i == 1 else shown.answers(without(net, order[:i]))
        low, high = wilson(np.array([float(found.right.sum())]), np.array([float(len(found))]))
        own = None if i == 0 else float(alone[order[i - 1]].right.mean())
        rows.append((i, order[i - 1] if i else "", 1 - weights_of(net, order[:i]) / total, float(found.right.mean()),
                     float(low[0]), float(high[0]), own))  # fmt: skip
    return Table(dict(zip(_REMOVED, zip(*rows, strict=True), strict=True)), _REMOVED) if order else None
