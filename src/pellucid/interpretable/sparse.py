"""Few active units: k winners, a loss on activations, and how sparse and how different units are."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pellucid.errors import PellucidError, unknown
from pellucid.interpretable.monotone import Mirrored, MonotoneLinear, NonNegativeLinear

WINNERS = "winners:"


class KWinners(nn.Module):
    """Keeps the `k` largest units of each image and sets all others to 0: (N, units) -> the same shape.

    Of equal ones those that come first are kept, so that the answer does not depend on the batch (Makhzani & Frey
    2014, section 2.1).
    """

    def __init__(self, k: int) -> None:
        super().__init__()
        if k < 1:
            raise PellucidError(f"KWinners({k}): at least one unit wins")
        self.k = k

    def forward(self, x: Tensor) -> Tensor:
        if self.k >= x.shape[-1]:
            return x
        order = x.argsort(dim=-1, descending=True, stable=True)[..., : self.k]
        return torch.zeros_like(x).scatter(-1, order, x.gather(-1, order))


class Head(nn.Module):
    """Hidden units and a linear layer that reads them: maps or vectors (N, …) -> logits (N, classes)."""

    def __init__(self, hidden: nn.Module, last: nn.Module) -> None:
        super().__init__()
        self.hidden, self.last = hidden, last

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.last(self.hidden(x.flatten(1)))
        return found

    @classmethod
    def made(cls, kind: str, inputs: int, classes: int, hidden: int) -> Head:
        """One hidden layer: "plain", "non-negative", "rising" (every output rises with every input), or "winners:4",
        of whose units four are kept. Raises UnknownName."""
        if kind == "non-negative":
            first, last = NonNegativeLinear(inputs, hidden), NonNegativeLinear(hidden, classes)
            return cls(nn.Sequential(first, nn.ReLU()), last)
        if kind == "rising":
            return cls(nn.Sequential(MonotoneLinear(inputs, hidden), Mirrored()), MonotoneLinear(hidden, classes))
        kept = kind.startswith(WINNERS)
        if kind != "plain" and not kept:
            raise unknown("kind of head", kind, ("plain", "non-negative", "rising", f"{WINNERS}4"))
        more = [KWinners(int(kind.removeprefix(WINNERS)))] if kept else []
        return cls(nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), *more), nn.Linear(hidden, classes))

    def centered(self, x: Tensor) -> Head:
        """Itself, its first biases moved so that hidden units are 0 on the average of these inputs: positive weights
        of positive inputs would begin on one side of every kink."""
        first = next(iter(self.hidden.children()))
        bias = first.bias
        if isinstance(bias, Tensor):
            with torch.no_grad():
                bias -= first(x.flatten(1)).mean(0)
        return self

    @property
    def chain(self) -> nn.Sequential:
        """As one sequence of layers, for bounds."""
        return nn.Sequential(*self.hidden.children(), self.last)


def l1(activations: Tensor) -> Tensor:
    """The mean over images of the sum of |activation|, a loss: its strength times it is added to another."""
    return activations.abs().flatten(1).sum(1).mean()


def hoyer(activations: Tensor) -> Tensor:
    """(N,) sparseness of each row, (√n − ‖a‖₁/‖a‖₂) / (√n − 1): 0 where all are equal, 1 where one is alone; NaN of
    zeros (Hoyer 2004, equation 4)."""
    a = activations.detach().double().flatten(1)
    root = a.shape[1] ** 0.5
    found: Tensor = (root - a.abs().sum(1) / a.square().sum(1).sqrt()) / (root - 1)
    return found


def overlap(responses: Tensor) -> float:
    """Mean |cos| between the responses (N images, units) of any two units, 0..1: how much of a representation is said
    twice. Units that are never active are left out; NaN where fewer than two are left."""
    a = responses.detach().double().flatten(1)
    norms = a.norm(dim=0)
    a = a[:, norms > 0] / norms[norms > 0]
    many = a.shape[1]
    if many < 2:
        return float("nan")
    cosines = (a.T @ a).abs()
    return float((cosines.sum() - cosines.diagonal().sum()) / (many * (many - 1)))
