"""Training in a random subspace: θ = θ₀ + M v, of which v alone is trained (Li et al. 2018)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call

from pellucid.progress import stop_point
from pellucid.rng import generator

_ROWS = 4096  # of the matrix that one stream of random numbers makes
DENSE = 2**30
"""Bytes of a matrix that is kept; a larger one is drawn anew, rows by rows, in every pass."""


class Directions:
    """M (P, d): columns of length 1 in random directions, Gaussian numbers by counter."""

    def __init__(self, size: int, dimension: int, seed: int, like: Tensor, dense: int = DENSE) -> None:
        self.shape, self.seed = (size, dimension), seed
        self.device, self.dtype = like.device, like.dtype
        squares = np.zeros(dimension)
        for _, rows in self._drawn():
            squares += np.square(rows, dtype=np.float64).sum(0)
        self.lengths = np.sqrt(squares)
        self.bytes = size * dimension * like.element_size()
        self.kept: Tensor | None = None
        if self.bytes <= dense:
            matrix = torch.empty(self.shape, device=self.device, dtype=self.dtype)
            for start, block in self._blocks():
                matrix[start : start + len(block)] = block
            self.kept = matrix

    def _drawn(self) -> Iterator[tuple[int, Float[np.ndarray, "rows d"]]]:
        size, dimension = self.shape
        for start in range(0, size, _ROWS):
            stop_point()
            many = min(_ROWS, size - start)
            chance = generator(self.seed, "subspace", dimension, start)
            yield start, chance.standard_normal((many, dimension), np.float32)

    def _blocks(self) -> Iterator[tuple[int, Tensor]]:
        for start, rows in self._drawn():
            yield start, torch.from_numpy(rows / self.lengths).to(self.dtype).to(self.device)

    def times(self, v: Float[Tensor, " d"]) -> Float[Tensor, " p"]:
        """M v."""
        return self.kept @ v if self.kept is not None else torch.cat([rows @ v for _, rows in self._blocks()])

    def transposed(self, g: Float[Tensor, " p"]) -> Float[Tensor, " d"]:
        """Mᵀ g."""
        if self.kept is not None:
            return self.kept.T @ g
        parts = [rows.T @ g[start : start + len(rows)] for start, rows in self._blocks()]
        return torch.stack(parts).sum(0)


class _Times(torch.autograd.Function):
    """M v, whose backward pass draws M again instead of keeping it."""

    @staticmethod
    def forward(ctx: Any, v: Tensor, directions: Directions) -> Tensor:
        ctx.directions = directions
        return directions.times(v)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return ctx.directions.transposed(gradients[0]), None


class Projected(nn.Module):
    """A module whose parameters are θ₀ + M v. θ₀ are those that it has; `v` (d,), zeros at first, is the one parameter
    that is trained. Buffers, such as statistics of batch norm, are the module's own."""

    def __init__(self, module: nn.Module, dimension: int, seed: int, dense: int = DENSE) -> None:
        super().__init__()
        self.module = module.requires_grad_(False)
        self.shapes = {name: p.shape for name, p in module.named_parameters() if p.is_floating_point()}
        start = torch.cat([p.detach().flatten() for p in module.parameters() if p.is_floating_point()])
        self.register_buffer("start", start, persistent=False)
        self.directions = Directions(len(start), dimension, seed, start, dense)
        self.v = nn.Parameter(start.new_zeros(dimension))

    def moved(self) -> dict[str, Tensor]:
        """θ by name, with a graph to v."""
        flat = self.start + _Times.apply(self.v, self.directions)
        parts = flat.split([shape.numel() for shape in self.shapes.values()])
        return {name: part.view(shape) for (name, shape), part in zip(self.shapes.items(), parts, strict=True)}

    def forward(self, x: Tensor) -> Any:
        """What the module gives at θ."""
        return functional_call(self.module, self.moved(), (x,))
