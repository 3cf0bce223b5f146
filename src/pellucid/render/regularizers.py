"""Regularizers: what a picture should be like, whatever the network wants. Penalties, or touches after a step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.images.perturb import blurred


class Penalty(ABC):
    """Taken from the objective of each picture."""

    @abstractmethod
    def __call__(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
        """(N,) of pictures x in 0..1, less the network's mean color."""


class PostStep(ABC):
    """Changes the picture after a step; only where the picture is optimized pixel by pixel."""

    @abstractmethod
    def __call__(
        self, x: Float[Tensor, "n c h w"], gradient: Float[Tensor, "n c h w"], step: int
    ) -> Float[Tensor, "n c h w"]:
        """The touched pictures, less the network's mean color as x is; `gradient` is that of the objective."""


Prior = Penalty | PostStep


@final
@dataclass(frozen=True)
class L2(Penalty):
    """weight · ‖x‖² (Simonyan et al. 2013, section 2)."""

    weight: float | int

    def __call__(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
        return self.weight * x.flatten(1).square().sum(1)


@final
@dataclass(frozen=True)
class TotalVariation(Penalty):
    """weight · Σ (right difference² + lower difference²)^(β/2) (Mahendran & Vedaldi 2015, section 3)."""

    weight: float | int
    beta: float | int = 2

    def __call__(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
        return self.weight * variation(x, self.beta)


@final
@dataclass(frozen=True)
class Decay(PostStep):
    """x · (1 − share) after each step (Yosinski et al. 2015, section 3)."""

    share: float | int

    def __call__(
        self, x: Float[Tensor, "n c h w"], gradient: Float[Tensor, "n c h w"], step: int
    ) -> Float[Tensor, "n c h w"]:
        return x * (1 - self.share)


@final
@dataclass(frozen=True)
class Blur(PostStep):
    """A Gaussian blur of that many pixels after every `every` steps (Yosinski et al. 2015, section 3)."""

    sigma: float | int
    every: int = 4

    def __call__(
        self, x: Float[Tensor, "n c h w"], gradient: Float[Tensor, "n c h w"], step: int
    ) -> Float[Tensor, "n c h w"]:
        return blurred(x, self.sigma) if (step + 1) % self.every == 0 else x


@final
@dataclass(frozen=True)
class SmallNorm(PostStep):
    """Pixels whose norm over colors is below that percentile of the picture's become the mean color."""

    percentile: float | int

    def __call__(
        self, x: Float[Tensor, "n c h w"], gradient: Float[Tensor, "n c h w"], step: int
    ) -> Float[Tensor, "n c h w"]:
        return _kept(x, x.norm(dim=1), self.percentile)


@final
@dataclass(frozen=True)
class SmallContribution(PostStep):
    """Pixels with the least |Σ x · gradient| over colors, up to that percentile, become the mean color."""

    percentile: float | int

    def __call__(
        self, x: Float[Tensor, "n c h w"], gradient: Float[Tensor, "n c h w"], step: int
    ) -> Float[Tensor, "n c h w"]:
        return _kept(x, (x * gradient).sum(1).abs(), self.percentile)


def _kept(x: Tensor, worth: Tensor, percentile: float | int) -> Tensor:
    """x where its worth (N, H, W) reaches the picture's own percentile, 0 elsewhere."""
    ends = torch.quantile(worth.flatten(1), percentile / 100, dim=1)
    return x * (worth >= ends[:, None, None])[:, None]


def variation(x: Float[Tensor, "n c h w"], beta: float | int = 2) -> Float[Tensor, " n"]:
    """Σ (right difference² + lower difference²)^(β/2) over the pixels that have both neighbors, (N,)."""
    right, lower = x[..., :-1, 1:] - x[..., :-1, :-1], x[..., 1:, :-1] - x[..., :-1, :-1]
    squares = right.square() + lower.square()
    if beta != 2:
        squares = (squares + 1e-12) ** (beta / 2)  # the root has no slope at zero
    return squares.flatten(1).sum(1)
