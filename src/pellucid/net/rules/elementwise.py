"""Small pieces that the rules of relevance, rescaling and biases share."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def derivative(function: Callable[..., Tensor], x: Tensor) -> Tensor:
    """f'(x) of a function of single numbers."""
    with torch.enable_grad():
        leaf = x.detach().clone().requires_grad_()
        (found,) = torch.autograd.grad(function(leaf).sum(), leaf)
    return found


def vjp(function: Callable[[Tensor], Tensor], x: Tensor, signal: Tensor) -> Tensor:
    """The signal through the transpose of a function at x (its vector-Jacobian product)."""
    with torch.enable_grad():
        leaf = x.detach().clone().requires_grad_()
        (found,) = torch.autograd.grad(function(leaf), leaf, signal)
    return found


def bilinear(function: Callable[..., Tensor], a: Tensor, b: Tensor) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    """What comes back from f(a, b), linear in each: (through f(·, b), through f(a, ·))."""
    a, b = a.detach().clone(), b.detach().clone()

    def back(signal: Tensor) -> tuple[Tensor, Tensor]:
        return vjp(lambda x: function(x, b), a, signal), vjp(lambda x: function(a, x), b, signal)

    return back


def stabilized(value: Tensor, by: float) -> Tensor:
    """Further from zero by `by`: value + by · sign(value), with sign(0) = +1."""
    away = torch.full_like(value, max(by, 1e-30))  # by 0, a zero over zero is zero
    return value + torch.where(value < 0, -away, away)


def downcast_clamped(value: Tensor, like: Tensor) -> Tensor:
    """In the type of `like`: what half precision cannot hold as the largest that it can, so that 0 times it is 0."""
    most = torch.finfo(like.dtype).max
    return value.clamp(-most, most).to(like.dtype)


def min_divisor(dtype: torch.dtype) -> float:
    """Smallest |x| that is used where the relevance R of an input is divided by it, as R / x, at the first operation.

    1e-12, or what half precision can divide by.
    """
    return 1e-3 if dtype == torch.float16 else 1e-12


def upcast(value: Tensor) -> Tensor:
    """Half precisions as float32: sums of relevance need the digits, and 1e-9 is 0 in float16."""
    return value if value.dtype == torch.float64 else value.float()
