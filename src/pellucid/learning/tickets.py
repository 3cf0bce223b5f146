"""Iterative magnitude pruning with rewinding, and what it is compared with (Frankle & Carbin 2019)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Literal, get_args

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from pellucid.learning.experiment import Experiment
from pellucid.learning.masks import largest, output_layer, prunable
from pellucid.learning.train import Recipe, Step, train
from pellucid.progress import steps
from pellucid.rng import generator

Kind = Literal["ticket", "new weights", "random mask"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Masks = dict[str, Tensor]


def chased(
    experiment: Experiment, recipe: Recipe, rounds: int, share: float, seed: int
) -> Float[np.ndarray, "rounds 3 3"]:
    """Of one seed: (rounds + 1, kinds, 3), the share kept, the held-out and the training accuracy."""
    first = {name: value.clone() for name, value in experiment.fresh(seed).state_dict().items()}
    weights, axes, _ = prunable(experiment.net.with_module(experiment.fresh(seed)))
    classes = output_layer(experiment.net, weights, axes)
    masks = {name: torch.ones_like(one, dtype=torch.bool) for name, one in weights.items()}
    total, found = sum(one.numel() for one in masks.values()), []
    for number in steps(range(rounds + 1), "rounds"):
        kept = sum(int(one.sum()) for one in masks.values()) / total
        module = experiment.fresh(seed)
        ticket = masked(module, first, masks, experiment, recipe, seed)
        row = [[kept, *ticket]] * 3
        if number:
            fresh = experiment.fresh(int(generator(seed, "tickets", number).integers(2**62)))
            row[1] = [kept, *masked(fresh, fresh.state_dict(), masks, experiment, recipe, seed)]
            others = elsewhere(masks, seed, number)
            row[2] = [kept, *masked(experiment.fresh(seed), first, others, experiment, recipe, seed)]
        found.append(row)
        trained = dict(module.named_parameters())
        masks = {name: fewer(trained[name].detach(), mask, share / 2 if name == classes else share)
                 for name, mask in masks.items()}  # fmt: skip
    return np.array(found)


def masked(
    module: nn.Module, first: Mapping[str, Tensor], masks: Masks, experiment: Experiment, recipe: Recipe, seed: int
) -> tuple[float, float]:
    """Train the module, in place, with weights that stay zero: (held-out, training) accuracy at the end."""
    module.load_state_dict(dict(first))
    zeroed = _zeroing(module, masks)
    zeroed(None)
    how = replace(recipe, seed=seed)
    last = train(module, experiment.given, how, test=experiment.test, objective=experiment.objective,
                 observe=zeroed).epochs[-1]  # fmt: skip
    return last.test_accuracy, last.train_accuracy


def _zeroing(module: nn.Module, masks: Masks) -> Callable[[Step | None], None]:
    """After every step, so that every pass meets zeros."""
    parameters = dict(module.named_parameters())

    def zeroed(_: Step | None) -> None:
        with torch.no_grad():
            for name, mask in masks.items():
                parameters[name].mul_(mask)

    return zeroed


def fewer(weight: Tensor, mask: Tensor, share: float) -> Tensor:
    """The mask without that share, rounded, of the weights that it keeps: the smallest go."""
    left = int(mask.sum())
    sizes = torch.where(mask, weight.abs(), -1.0).flatten().double()
    return largest(sizes, left - round(share * left)).view_as(mask)


def elsewhere(masks: Masks, seed: int, number: int) -> Masks:
    """As many of each layer, any of them."""
    found = {}
    for name, mask in masks.items():
        chance = torch.from_numpy(generator(seed, "random mask", name, number).random(mask.numel()))
        found[name] = largest(chance.to(mask.device), int(mask.sum())).view_as(mask)
    return found
