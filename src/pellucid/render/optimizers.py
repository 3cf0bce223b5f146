"""Optimizers: how numbers are moved uphill. One class for each way, with its state for one optimization alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

_MEAN, _SQUARE, _LEAST, _DECAY = 0.9, 0.999, 1e-8, 0.004
"""Of Adam, as its authors have them: what both means keep, what is added to a root; of Nesterov's momentum."""
Step = Callable[[Tensor, Tensor], Tensor]
"""step(numbers, gradient) -> numbers, (N, …) each; pictures do not influence one another."""


class Optimizer(ABC):
    """A way uphill."""

    @abstractmethod
    def begin(self) -> Step:
        """A new climb, with nothing remembered yet."""


@final
@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam (Kingma & Ba 2014), with Nesterov's momentum (Dozat 2016) if asked for; in every bit as torch's own.

    Those load torch's compiler at their first step: a second or more in which a picture cannot be stopped.
    """

    rate: float | int = 0.05
    nesterov: bool = False

    def begin(self) -> Step:
        held: list[Tensor] = []
        done, product = 0, torch.ones(())

        def step(numbers: Tensor, gradient: Tensor) -> Tensor:
            nonlocal done
            if not held:
                held.extend((torch.zeros_like(numbers), torch.zeros_like(numbers)))
            (mean, square), slope, ended, done = held, -gradient, numbers.clone(), done + 1
            mean.lerp_(slope, 1 - _MEAN)
            square.mul_(_SQUARE).addcmul_(slope, slope, value=1 - _SQUARE)
            if not self.nesterov:
                size = (square.sqrt() / (1 - _SQUARE**done) ** 0.5).add_(_LEAST)
                return ended.addcdiv_(mean, size, value=-(self.rate / (1 - _MEAN**done)))
            now, then = (_MEAN * (1 - 0.5 * 0.96 ** (k * _DECAY)) for k in (done, done + 1))
            passed = product.mul_(now).item()
            size = square.div(1 - _SQUARE**done).sqrt().add_(_LEAST)
            ended.addcdiv_(slope, size, value=-self.rate * (1 - now) / (1 - passed))
            return ended.addcdiv_(mean, size, value=-self.rate * then / (1 - passed * then))

        return step


@final
@dataclass(frozen=True)
class Ascent(Optimizer):
    """numbers + rate · gradient."""

    rate: float | int = 1

    def begin(self) -> Step:
        return lambda numbers, gradient: numbers + self.rate * gradient


@final
@dataclass(frozen=True)
class Normalized(Optimizer):
    """numbers + rate · gradient / mean |gradient|, as DeepDream steps (Mordvintsev et al. 2015)."""

    rate: float | int

    def begin(self) -> Step:
        return lambda numbers, gradient: (
            numbers + self.rate * gradient / _each(gradient.abs().flatten(1).mean(1), numbers)
        )


@final
@dataclass(frozen=True)
class Progress(Optimizer):
    """A rate by which the objective should rise by `gain`, gain / ‖gradient‖², and `most` at most."""

    gain: float | int
    most: float | int

    def begin(self) -> Step:
        def step(numbers: Tensor, gradient: Tensor) -> Tensor:
            squares = _each(gradient.flatten(1).square().sum(1), numbers)
            return numbers + (self.gain / squares).clamp(max=self.most) * gradient

        return step


@final
@dataclass(frozen=True)
class Momentum(Optimizer):
    """Mahendran & Vedaldi 2015, section 3: momentum 0.9, forgotten when the rate falls to a tenth, and to a hundredth.

    The rate falls after a quarter and after three quarters of the `steps`, as in their 100 + 200 + 100.
    """

    rate: float
    steps: int

    def begin(self) -> Step:
        speed: list[Tensor] = []
        done = 0

        def step(numbers: Tensor, gradient: Tensor) -> Tensor:
            nonlocal done
            phase = (4 * done >= self.steps) + (4 * done >= 3 * self.steps)
            before = (4 * (done - 1) >= self.steps) + (4 * (done - 1) >= 3 * self.steps)
            if not speed or phase != before:
                speed[:] = [torch.zeros_like(numbers)]
            speed[0] = 0.9 * speed[0] + self.rate * 0.1**phase * gradient
            done += 1
            return numbers + speed[0]

        return step


def _each(values: Tensor, like: Tensor) -> Tensor:
    """(N,) to be divided by, one for each picture; never zero."""
    return values.clamp(min=1e-12).view(-1, *[1] * (like.dim() - 1))
