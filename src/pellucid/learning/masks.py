"""Which weights of a network stay: the largest, those of the strongest channels, or any; of all, or of each layer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd
from torch.nn.utils import parametrize

from pellucid.errors import Refused
from pellucid.learning import initial
from pellucid.learning.objective import Tensors, objective_of
from pellucid.learning.train import Recipe, Step, train
from pellucid.net import Net
from pellucid.rng import generator

Scheme = Literal["magnitude", "layer magnitude", "channels", "random"]
SCHEMES: tuple[Scheme, ...] = ("magnitude", "layer magnitude", "channels", "random")
Weights = Mapping[str, Tensor]


def prunable(net: Net) -> tuple[dict[str, Tensor], dict[str, int], list[str]]:
    """Weights of convolutions and linear layers by name, the axis of their outputs, and the names of those left out.

    A weight that several layers share counts once. Those that are computed from others are left out.
    """
    weights: dict[str, Tensor] = {}
    axes: dict[str, int] = {}
    left: list[str] = []
    seen: set[int] = set()
    for name, part in net.module.named_modules():
        for own in ("weight", "in_proj_weight"):
            if not _has_weights(part, own):
                continue
            where = f"{name}.{own}".lstrip(".")
            value = part._parameters.get(own)
            if value is None or parametrize.is_parametrized(part, own):
                left.append(where)
            elif id(value) not in seen and not value.is_meta:
                seen.add(id(value))
                weights[where], axes[where] = value.detach(), 1 if isinstance(part, _ConvTransposeNd) else 0
    if not weights:
        raise Refused(f"{net.name} has no weights of convolutions or linear layers that could be pruned")
    return weights, axes, left


def output_layer(net: Net, weights: Weights, axes: Mapping[str, int]) -> str:
    """The weight that makes the classes: the last with as many outputs; "" where there is none."""
    named = [name for name, weight in weights.items() if weight.shape[axes[name]] == net.outputs]
    return named[-1] if named else ""


def _has_weights(part: nn.Module, own: str) -> bool:
    if own == "in_proj_weight":
        return isinstance(part, nn.MultiheadAttention) and part.in_proj_weight is not None
    return isinstance(part, (_ConvNd, nn.Linear))


def pruned(
    weights: Weights,
    axes: Mapping[str, int],
    kept: float,
    scheme: Scheme,
    seed: int = 0,
    draw: int = 0,
    classes: str = "",
) -> dict[str, Tensor]:
    """The weights with all but a share `kept` of them set to 0.

    "magnitude" ranks all together, "layer magnitude" those of each layer, "channels" the output channels of each
    layer by their Euclidean norm, but for the output layer `classes`, whose channels are the classes; "random" takes
    any of each layer. As many go as `torch.nn.utils.prune` takes away: the share times their number, rounded. Of equal
    weights the last go first.
    """
    if scheme == "magnitude":
        sizes = torch.cat([weight.abs().flatten().double() for weight in weights.values()])
        stays = _largest(sizes, kept).split([weight.numel() for weight in weights.values()])
        pairs: Iterable[tuple[str, Tensor]] = zip(weights, stays, strict=True)
        return {name: weights[name] * stay.view_as(weights[name]) for name, stay in pairs}
    found = {}
    for name, weight in weights.items():
        if scheme == "channels":
            if name == classes:
                continue
            rest = [axis for axis in range(weight.dim()) if axis != axes[name]]
            stay = _largest(weight.double().square().sum(rest), kept)
            stay = stay.view([-1 if axis == axes[name] else 1 for axis in range(weight.dim())])
        elif scheme == "random":
            chance = generator(seed, "pruning", name, draw).random(weight.numel())
            stay = _largest(torch.from_numpy(chance).to(weight.device), kept).view_as(weight)
        else:
            stay = _largest(weight.abs().flatten().double(), kept).view_as(weight)
        found[name] = weight * stay
    return found


def _largest(sizes: Tensor, kept: float) -> Tensor:
    """(n,) whether each is among that share of the largest."""
    return largest(sizes, len(sizes) - round((1 - kept) * len(sizes)))


def largest(sizes: Tensor, count: int) -> Tensor:
    """(n,) whether each is among so many of the largest; of equal ones the last go first."""
    order = torch.argsort(sizes, descending=True, stable=True)
    stay = torch.zeros(len(sizes), dtype=torch.bool, device=sizes.device)
    stay[order[:count]] = True
    return stay


def share(weights: Weights) -> float:
    """Of the weights that are not 0."""
    return float(sum(int(one.count_nonzero()) for one in weights.values()) / sum(map(Tensor.numel, weights.values())))


def spread(values: list[float]) -> float:
    """Standard deviation over the repetitions; 0 for one."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else 0.0


def retrained(net: Net, values: Weights, given: Tensors, steps: int, seed: int) -> Net:
    """A copy with the pruned weights, trained for so many steps of Adam with batches of 32 and a learning rate that
    falls from 0.001 to 0 along half a cosine; what is 0 stays 0. Batch norms collect statistics as in any training."""
    module = initial.own(net.module, net.name)
    parameters = dict(module.named_parameters())
    stays = {name: value != 0 for name, value in values.items()}
    with torch.no_grad():
        for name, value in values.items():
            parameters[name].copy_(value)

    def masked(_: Step) -> None:
        with torch.no_grad():
            for name, stay in stays.items():
                parameters[name].mul_(stay)

    batch = min(32, len(given))
    recipe = Recipe(Recipe.epochs_of(steps, len(given), batch), batch, "adam", 1e-3, schedule="cosine", seed=seed)
    example = torch.zeros(1, *given.inputs.shape[1:]) + 0.5
    train(module, given.like(module), recipe, objective=objective_of(net, example), observe=masked)
    return net.with_module(module)
