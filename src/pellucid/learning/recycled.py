"""A trained network put to a new task: a new head, its first layers kept, frozen or not, the rest new or not."""

from __future__ import annotations

import math
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd

from pellucid.errors import Refused
from pellucid.learning.initial import initialized, own, put, weighted
from pellucid.learning.objective import Objective, Tensors
from pellucid.learning.readout import readout
from pellucid.learning.train import Recipe, train
from pellucid.net import Net, outputs, returned
from pellucid.net.meaning import Meaning
from pellucid.net.tap import called
from pellucid.rng import generator

How = Literal["frozen", "tuned"]
_SHARP = 10.0
"""Logits for one of a read-out, whose right class has 1 and all others 0."""


class Recycled(nn.Module):
    """A network in training whose norms with a past keep their statistics: of a few images they would be worse."""

    def __init__(self, module: nn.Module, still: tuple[str, ...]) -> None:
        super().__init__()
        self.module, self.still = module, still

    def train(self, mode: bool = True) -> Recycled:
        """As always, but for the norms that keep their statistics."""
        super().train(mode)
        for name in self.still:
            self.module.get_submodule(name).eval()
        return self

    def forward(self, x: Tensor) -> Any:
        return self.module(x)


def head_of(net: Net) -> str:
    """The part that makes the classes: the last linear layer, or convolution of 1 × 1, with as many outputs. Refused
    where there is none."""
    named = [name for name, part in weighted(net.module).items() if _width(part) == net.outputs]
    if not named:
        raise Refused(f"{net.name} has no linear layer that makes its {net.outputs} outputs: no head could be replaced")
    return named[-1]


def _width(part: nn.Module) -> int:
    if isinstance(part, nn.Linear):
        return part.out_features
    return part.out_channels if isinstance(part, _ConvNd) and set(part.kernel_size) == {1} and part.groups == 1 else 0


def recycled(net: Net, classes: int | None, last: str | None, how: How, seed: int) -> Recycled:
    """A copy with a new head for so many classes (None: with its own). Layers up to `last`, in the order of execution
    (None: none, "" all but the head), are kept, and frozen or tuned; all others begin anew, by He's initialization.

    Norms of kept layers use their stored statistics, also in training; new ones those of each batch.
    """
    head, module = head_of(net), own(net.module, net.name)
    kept = _before(net, last) - {head}
    fresh = initialized(module, "he", seed)
    for name, part in fresh.named_modules():
        if name.partition(".parametrizations")[0] not in kept | {head}:
            mine = module.get_submodule(name)
            for key, value in (*part._parameters.items(), *part._buffers.items()):
                if value is not None:
                    getattr(mine, key).data.copy_(value.data)
    for name in kept if how == "frozen" else ():
        for p in module.get_submodule(name).parameters(recurse=False):
            p.requires_grad_(False)
    if classes is not None:
        put(module, head, _new_head(module.get_submodule(head), classes, seed))
    still = tuple(name for name in sorted(kept) if isinstance(module.get_submodule(name), _NormBase))
    return Recycled(module, still)


def _before(net: Net, last: str | None) -> set[str]:
    """Names of the parts that have run once a layer has its output; all for ""."""
    every = {name for name, _ in net.module.named_modules()}
    if last is None:
        return set()
    if not last:
        return every
    done: set[str] = set()
    for row in net.layers(net.size).rows:
        done.add(row.name.split("#")[0])
        if row.name == last:
            break
    inside = {name for name in every if name == last or name.startswith(f"{last}.")}
    return (done | inside) & every


def _new_head(head: nn.Module, classes: int, seed: int) -> nn.Module:
    """Its weights have variance 1/n_in."""
    weight: Tensor = head.weight  # type: ignore[assignment]
    made: nn.Module
    with torch.random.fork_rng(devices=[]):
        if isinstance(head, nn.Linear):
            made = nn.Linear(head.in_features, classes)
        else:
            made = type(head)(head.in_channels, classes, 1)
    made = made.to(weight)
    own_weight: Tensor = made.weight  # type: ignore[assignment]
    drawn = generator(seed, "head").standard_normal(tuple(own_weight.shape)) / math.sqrt(own_weight[0].numel())
    with torch.no_grad():
        own_weight.copy_(torch.from_numpy(drawn))
        made.bias.zero_()  # type: ignore[operator]
    return made


def _begin(made: Recycled, name: str, given: Tensors, classes: int) -> None:
    """The head as the read-out of its inputs."""
    head = made.module.get_submodule(name)
    if not isinstance(head, nn.Linear) or len(given) < 2:
        return
    put(made.module, name, nn.Identity())
    made.eval()
    with torch.no_grad():
        at = torch.cat([called(made, given.inputs[i : i + 64]) for i in range(0, len(given), 64)])
    put(made.module, name, head)
    if not isinstance(at, Tensor) or at.shape != (len(given), head.in_features):
        return
    found = readout(at.double().cpu().numpy(), given.labels.cpu().numpy(), classes)
    weight = _SHARP * (found.weight / found.scale[:, None])
    bias = _SHARP * found.bias - found.mean @ weight
    with torch.no_grad():
        head.weight.copy_(torch.from_numpy(weight.T.copy()))
        head.bias.copy_(torch.from_numpy(bias))


def objective_for(net: Net) -> Objective:
    """Cross entropy of a new head's classes, which exclude one another, behind whatever the network ends in."""
    given = net.meaning.scores in ("probabilities", "log_probabilities")
    meaning = net.meaning if given else Meaning("logits", True)

    def objective(output: Any, labels: Tensor) -> tuple[Tensor, Tensor]:
        found = returned.rows(returned.selected(output, net.output, net.name))
        if found is None:
            raise Refused(f"{net.name} gives no row of classes for each image")
        return outputs.cross_entropy(found, labels, meaning)

    return objective


def fitted(
    net: Net, classes: int | None, given: Tensors, *, last: str | None, how: How, steps: int, seed: int
) -> Recycled:
    """The network recycled (`recycled`) and trained: so many steps of Adam with batches of 16, a learning rate that
    falls from 0.003 to 0 along half a cosine; from 0.0003 where all layers are kept and trained: a new head, if it is
    linear, then begins as the read-out of what it receives, so that features are not spoiled by a head that knows
    nothing (Kumar et al. 2022)."""
    batch = min(16, len(given))
    epochs, rate = Recipe.epochs_of(steps, len(given), batch), 3e-4 if last == "" else 3e-3
    recipe = Recipe(epochs, batch, "adam", rate, schedule="cosine", seed=seed)
    found = recycled(net, classes, last, how, seed)
    if last == "" and classes is not None:
        _begin(found, head_of(net), given.like(found), classes)
    train(found, given.like(found), recipe, objective=objective_for(net))
    return found
