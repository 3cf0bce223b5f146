"""Gradient and Hessian of the mean loss, and products with the Hessian, exact: no finite differences.

Pearlmutter 1994: H v = ∇(∇L · v). The graph of one batch is there at a time; sums over batches are in float64.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pellucid.loss.labeled import LabeledBatches, measured
from pellucid.loss.weights import Vector, weights_of
from pellucid.net import Net, Run
from pellucid.net.norms import Norms, Written


@dataclass(frozen=True, eq=False)
class Curved:
    """The mean loss of a network over images as a function of some of its weights."""

    net: Net
    images: LabeledBatches
    at: Vector
    """The weights where it is differentiated, by name; others are the network's own."""
    norms: Norms = "frozen"
    """Whose statistics batch norms use; `reestimated` are those of each batch of these images."""
    shares: Tensor | None = None
    """(N,) how much each image counts; all alike by default."""

    @classmethod
    def of(cls, net: Net, images: LabeledBatches, names: Sequence[str] | None = None) -> Curved:
        """At the network's own weights: all of them, or those of these names."""
        weights = weights_of(net)
        return cls(net, images, weights if names is None else {name: weights[name] for name in names})

    def value(self) -> float:
        """L, nats."""
        return sum(float(loss.detach()) for loss, _ in self._losses()) / self._count

    def gradient(self) -> dict[str, Tensor]:
        """∇L, float64."""
        return self._summed(lambda loss, leaves: self._derived(loss, leaves))

    def product(self, direction: Vector) -> dict[str, Tensor]:
        """H v, float64."""
        return self._summed(lambda loss, leaves: self._second(loss, leaves, direction))

    def _summed(self, of_batch: Callable[[Tensor, dict[str, Tensor]], list[Tensor]]) -> dict[str, Tensor]:
        total = {name: torch.zeros_like(one, dtype=torch.float64) for name, one in self.at.items()}
        for loss, leaves in self._losses():
            for name, one in zip(self.at, of_batch(loss, leaves), strict=True):
                total[name] += one.detach().double()
        return {name: one / self._count for name, one in total.items()}

    @property
    def _count(self) -> float:
        return len(self.images) if self.shares is None else float(self.shares.sum())

    def _losses(self) -> Iterator[tuple[Tensor, dict[str, Tensor]]]:
        """(sum of a batch's losses, the weights that it depends on)."""
        shares = torch.ones(len(self.images)) if self.shares is None else self.shares
        parts = shares.split([len(one) for one in self.images.labels])
        for pixels, labels, part in zip(self.images.pixels, self.images.labels, parts, strict=True):
            leaves = {name: one.detach().clone().requires_grad_() for name, one in self.at.items()}
            run = self._run(self.net.with_weights(leaves), pixels)
            with torch.enable_grad():
                losses = measured(run, labels)[0]
                loss = (losses * part.to(losses)).sum()
            yield loss, leaves

    def _run(self, net: Net, pixels: Tensor) -> Run:
        if self.norms == "frozen":
            return net.run(pixels, grad=True)
        written = Written(stored=self.norms == "interpolated")
        with written:
            run = net.run(pixels, grad=True)
        if self.norms != "reestimated":
            return run
        with Written(known=written.collected):  # collected in one pass, used in the next
            return net.run(pixels, grad=True)

    def _derived(self, value: Tensor, leaves: dict[str, Tensor], **how: bool) -> list[Tensor]:
        found = self.net.gradients(value, list(leaves.values()), allow_unused=True, **how)
        return [torch.zeros_like(x) if one is None else one for x, one in zip(leaves.values(), found, strict=True)]

    def _second(self, loss: Tensor, leaves: dict[str, Tensor], direction: Vector) -> list[Tensor]:
        with torch.enable_grad():
            first = self._derived(loss, leaves, create_graph=True)
            along = [
                (g * direction[name].to(g.dtype)).sum()
                for (name, g) in zip(leaves, first, strict=True)
                if name in direction and g.requires_grad
            ]
            if not along:
                return [torch.zeros_like(x) for x in leaves.values()]
            value = torch.stack(along).sum()
        return self._derived(value, leaves)


def in_double(net: Net) -> Net:
    """A copy of the network in float64, for what rounding would hide."""
    return net.with_module(copy.deepcopy(net.module).double())
