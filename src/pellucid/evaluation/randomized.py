"""Networks whose weights are drawn anew, from the last layer down or one layer at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from pellucid.errors import Refused
from pellucid.net import Net
from pellucid.rng import generator

SAME = 0.5
"""Size of a rank correlation above which a map counts as much the same with random weights."""


def alike(correlation: float) -> str:
    """In words, of two maps that have something to do with each other."""
    return "much the same map" if correlation > 0 else "much the same map with its sign turned"


def groups(net: Net) -> list[tuple[str, tuple[str, ...]]]:
    """(layer, its parameters), the last first, of the layers with a weight of two dimensions or more; norms and other
    parameters in between go with the layer before them. The order is that in which the layers run, found by a pass; of
    what takes no part in it, and of TorchScript, that of their registration.
    """
    ran = _places(net)
    found: list[tuple[str, list[str]]] = []
    for name, value in net.module.named_parameters():
        layer = name.rpartition(".")[0]
        if (value.dim() > 1 and (not found or found[-1][0] != layer)) or not found:
            found.append((layer, []))
        found[-1][1].append(name)
    order = sorted(range(len(found)), key=lambda k: ran.get(found[k][0].partition(".parametrizations")[0], -1))
    return [(found[k][0], tuple(found[k][1])) for k in reversed(order)]


def _places(net: Net) -> dict[str, int]:
    """Layer -> when it ends in a pass; of those that run again, the last time."""
    try:
        return {row.path: k for k, row in enumerate(net.layers().rows)}
    except Refused:  # TorchScript is never traced
        return {}


def _learned(net: Net) -> list[tuple[str, tuple[str, ...]]]:
    found = groups(net)
    if not found:
        raise Refused(f"{net.name} has no weights: there is nothing that could be drawn anew")
    return found


def redrawn(net: Net, names: tuple[str, ...], seed: int) -> dict[str, Tensor]:
    """Normal numbers with the mean and the standard deviation of each tensor, so that the scale of signals stays; where
    all numbers of a weight are one, with its size as the deviation, or that of a fresh layer where they are zero.
    """
    values = dict(net.module.named_parameters())
    found = {}
    for name in names:
        old = values[name].detach()
        noise = torch.from_numpy(generator(seed, name, "randomized").standard_normal(tuple(old.shape))).to(old)
        spread = old.std(correction=0)
        if old.dim() > 1 and spread == 0:  # else a network of constant weights would be compared with itself
            spread = old.abs().mean() or old.new_tensor(old[0].numel() ** -0.5)
        found[name] = old.mean() + spread * noise
    return found


def cascade(net: Net, steps: int, seed: int) -> Iterator[tuple[str, float, Net]]:
    """(the layer down to which all are drawn anew, share of the layers, that network), in equal steps from the last."""
    order, drawn = _learned(net), dict[str, Tensor]()
    ends = _ends(len(order), steps)
    for start, end in zip((0, *ends[:-1]), ends, strict=True):
        for _, names in order[start:end]:
            drawn |= redrawn(net, names, seed)
        yield order[end - 1][0], end / len(order), net.with_weights(dict(drawn))


def one_by_one(net: Net, steps: int, seed: int) -> Iterator[tuple[str, float, Net]]:
    """(a layer, its place from the last as a share, the network with that layer alone drawn anew)."""
    order = _learned(net)
    for k in _ends(len(order), steps):
        layer, names = order[k - 1]
        yield layer, k / len(order), net.with_weights(redrawn(net, names, seed))


def _ends(count: int, steps: int) -> np.ndarray:
    """Equal steps up to all `count` layers; with more steps than layers each of them."""
    return np.unique(np.linspace(count / steps, count, steps).round().clip(1, count).astype(int))
