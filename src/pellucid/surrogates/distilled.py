"""Distillation: a small network that learns from what another says of every class, softened."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor
from torch.nn import functional as F

from pellucid.learning.networks import CNN, seeded
from pellucid.learning.objective import Objective, Tensors, cross_entropy
from pellucid.learning.train import Passed, Recipe, Trained, train
from pellucid.training_set.curvature import softmax


def soft_loss(logits: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """(N,) T² · KL of the softened teacher from the softened student (Hinton et al. 2015, section 2), in nats.

    The factor keeps its gradient at one scale; as T grows it becomes (student − teacher) / classes, each less its mean.
    """
    log_q, log_p = F.log_softmax(logits / temperature, 1), F.log_softmax(teacher / temperature, 1)
    return temperature**2 * (log_p.exp() * (log_p - log_q)).sum(1)


def softened(logits: Float[np.ndarray, "n c"], temperature: float) -> Float[np.ndarray, "n c"]:
    """(N, C) the softmax at a temperature."""
    return softmax(np.asarray(logits, np.float64) / temperature)


@dataclass(frozen=True, eq=False)
class Lesson:
    """N small images with the teacher's logits and the classes that count as right."""

    pixels: UInt8[np.ndarray, "n side side 3"]
    teacher: Float[np.ndarray, "n c"]
    labels: Int[np.ndarray, " n"]

    @property
    def inputs(self) -> Tensor:
        """(N, 3, side, side) in −1..1."""
        return torch.from_numpy(self.pixels).permute(0, 3, 1, 2).float() / 127.5 - 1

    def of(self, rows: Int[np.ndarray, " m"]) -> Lesson:
        """Some of them."""
        return Lesson(self.pixels[rows], self.teacher[rows], self.labels[rows])


def student(side: int, classes: int, seed: int) -> CNN:
    """Two convolutions of 16 and 32 channels and a hidden layer of 64."""
    return seeded(lambda: CNN(3, classes, size=side, widths=(16, 32), dense=64, dropout=0.2), seed)


def distilled(module: torch.nn.Module, lesson: Lesson, recipe: Recipe, temperature: float, share: float) -> Trained:
    """Train a student, in place, by (1 − share) · cross entropy + share · `soft_loss`."""
    teacher = torch.from_numpy(lesson.teacher).float()

    def objective(output: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        losses, right = cross_entropy(output, labels)
        return (1 - share) * losses, right

    def penalty(passed: Passed) -> Tensor:
        return share * soft_loss(passed.output, teacher[passed.numbers], temperature).mean()

    asked: Objective = objective if share else cross_entropy
    data = Tensors(lesson.inputs, torch.from_numpy(np.ascontiguousarray(lesson.labels, np.int64)))
    return train(module, data, recipe, objective=asked, penalty=penalty if share else None)


def said_by(module: torch.nn.Module, lesson: Lesson, at_once: int = 512) -> Float[np.ndarray, "n c"]:
    """(N, C) logits of a student in evaluation mode."""
    module.eval()
    inputs = lesson.inputs
    with torch.no_grad():
        found = [module(inputs[i : i + at_once]).double().numpy() for i in range(0, len(inputs), at_once)]
    return np.concatenate(found)
