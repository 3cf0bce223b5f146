"""Trainings whose course is taken down: what the network says of every training image after each epoch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from pellucid.learning.objective import Objective, Tensors, cross_entropy
from pellucid.learning.train import Recipe, Step, Trained, train
from pellucid.training_set.dynamics import Course

HEAD = Recipe(epochs=12, batch=64, optimizer="sgd", lr=0.5, momentum=0.0)
"""How a last layer alone is trained on features whose mean squared length is 1 times `_LENGTH`."""
_LENGTH = 10.0
_BATCH = 512
Reading = Callable[[nn.Module, Tensor], tuple[Tensor, Tensor]]
"""reading(module, inputs) -> (what the last layer reads (n, F), logits (n, C))."""


def recorded(
    module: nn.Module, data: Tensors, recipe: Recipe, reading: Reading, objective: Objective = cross_entropy
) -> tuple[Trained, Course]:
    """Train a module in place (`train`), and the course of all training images: logits in float64 after each epoch, in
    evaluation mode, with the lengths of what the last layer reads and the learning rate of the epoch's last step."""
    logits, lengths, rates = list[np.ndarray](), list[np.ndarray](), list[float]()

    def observe(step: Step) -> None:
        if Recipe.epochs_of(step.step + 1, len(data), recipe.batch) == step.epoch:
            return  # the next step is of the same epoch
        step.module.eval()
        with torch.no_grad():
            parts = [reading(step.module, data.inputs[i : i + _BATCH]) for i in range(0, len(data), _BATCH)]
        step.module.train()
        logits.append(torch.cat([said.double() for _, said in parts]).cpu().numpy())
        lengths.append(torch.cat([read.double().square().sum(1) for read, _ in parts]).cpu().numpy())
        rates.append(step.lr)

    found = train(module, data, recipe, objective=objective, observe=observe)
    return found, Course(np.stack(logits), data.labels.cpu().numpy(), np.stack(lengths), np.array(rates))


def head_course(
    features: Float[np.ndarray, "n f"], labels: Int[np.ndarray, " n"], classes: int, seed: int, recipe: Recipe = HEAD
) -> Course:
    """The course of a last layer that begins at 0 and is trained on these features alone, brought to mean 0 and mean
    squared length 10: where a network has no checkpoints, or none that were trained on these labels."""
    wide = np.asarray(features, np.float64)
    wide = wide - wide.mean(0)
    wide *= np.sqrt(_LENGTH / max(float((wide**2).sum(1).mean()), 1e-300))
    layer = nn.Linear(wide.shape[1], classes, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.zero_()
        layer.bias.zero_()
    how = Recipe(**{**vars(recipe), "seed": seed})
    data = Tensors(torch.from_numpy(wide), torch.from_numpy(np.asarray(labels, np.int64)))
    return recorded(layer, data, how, lambda module, inputs: (inputs, module(inputs)))[1]
