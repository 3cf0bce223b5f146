"""Right for the right reasons: a loss on what a network's explanations say inside masks, for the one training loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _NormBase

from pellucid.errors import Refused
from pellucid.learning.initial import own, put
from pellucid.learning.objective import Tensors
from pellucid.learning.recycled import Recycled
from pellucid.learning.train import Passed
from pellucid.net import Net, outputs, returned
from pellucid.net.tap import called

_STEPS = 4
"""Places along the path of integrated gradients, in the middle of as many equal parts."""
_TINY = 1e-12


class Kept(nn.Module):
    """A layer whose last output is kept, to be differentiated."""

    def __init__(self, part: nn.Module) -> None:
        super().__init__()
        self.part, self.last = part, torch.empty(0)

    def __getattr__(self, name: str) -> Any:
        """Parts of the layer go by the names that they have without it."""
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(super().__getattr__("part"), name)

    def forward(self, *inputs: Any, **named: Any) -> Any:
        found = self.part(*inputs, **named)
        if not isinstance(found, Tensor) or found.dim() != 4:
            raise Refused("the layer of grad_cam gives no maps (N, C, H, W): name another")
        self.last = found
        return found.clone()  # what in-place operations behind it rewrite


@contextmanager
def kept(module: nn.Module, layer: str) -> Iterator[Kept]:
    """The layer's output, for the length of a `with` block; the module is as before, but for its parts' new place."""
    part = module.get_submodule(layer)
    held = Kept(part)
    put(module, layer, held)
    try:
        yield held
    finally:
        put(module, layer, part)


def to_train(net: Net) -> Recycled:
    """A copy whose norms keep their statistics, so that each image's gradient is its own."""
    module = own(net.module, net.name)
    still = [
        name for name, part in module.named_modules() if isinstance(part, _NormBase) and part.running_mean is not None
    ]
    return Recycled(module, tuple(still))


@dataclass(frozen=True, eq=False)
class Masked:
    """Images as the module takes them, with masks (n, 1, H, W) of 0 and 1."""

    tensors: Tensors
    masks: Tensor

    def __len__(self) -> int:
        return len(self.tensors)

    def part(self, chosen: Tensor) -> Masked:
        """Some of them."""
        return Masked(self.tensors[chosen], self.masks[chosen])


@dataclass(frozen=True, eq=False)
class Reader:
    """What a network's output says of classes, as nodes of a graph."""

    net: Net

    def log_probabilities(self, output: Any) -> Tensor:
        """(N, classes) in float32 at least."""
        found = returned.rows(returned.selected(output, self.net.output, self.net.name))
        if found is None:
            raise Refused(f"{self.net.name} gives no row of classes for each image")
        wide = found if found.dtype == torch.float64 else found.float()
        two = self.net.labels is not None and len(self.net.labels) == 2 and self.net.outputs == 1
        return outputs.log_probabilities(wide, self.net.meaning, two)

    def own(self, output: Any, labels: Tensor) -> Tensor:
        """The sum of the log probabilities of the labels' classes."""
        return self.log_probabilities(output).gather(1, labels[:, None]).sum()


Wrong = Callable[[Passed, Tensor], Tensor]
"""wrong(batch, masks (n, 1, H, W) in 0..1) -> (n,) how much of each explanation lies inside, squared."""


def gradients(reader: Reader) -> Wrong:
    """Σ (A ∂/∂x Σ_k log p_k)² over pixels and channels (Ross et al. 2017, equation 1)."""

    def wrong(batch: Passed, masks: Tensor) -> Tensor:
        summed = reader.log_probabilities(batch.output).sum()
        (slope,) = torch.autograd.grad(summed, batch.inputs, create_graph=torch.is_grad_enabled())
        return (masks * slope).square().flatten(1).sum(1)

    return wrong


def integrated(reader: Reader) -> Wrong:
    """Σ (A · IG)², IG = x · mean of ∂ log p_label/∂x along the line from the mean of the training images, 0, to x."""

    def wrong(batch: Passed, masks: Tensor) -> Tensor:
        many = len(batch.inputs)
        shares = (torch.arange(_STEPS).to(batch.inputs) + 0.5) / _STEPS
        along = (shares.view(-1, 1, 1, 1, 1) * batch.inputs.detach()).flatten(0, 1).requires_grad_()
        said = reader.own(called(batch.module, along), batch.labels.repeat(_STEPS))
        (slope,) = torch.autograd.grad(said, along, create_graph=torch.is_grad_enabled())
        path = batch.inputs.detach() * slope.view(_STEPS, many, *along.shape[1:]).mean(0)
        return (masks * path).square().flatten(1).sum(1)

    return wrong


def cams(reader: Reader, held: Kept) -> Wrong:
    """(Σ A · CAM / Σ CAM)², the Grad-CAM of the label's log probability, masks averaged over its cells: as its scale is
    taken out, it cannot be lowered by lowering all of it (after Schramowski et al. 2020)."""

    def wrong(batch: Passed, masks: Tensor) -> Tensor:
        said, maps = reader.own(batch.output, batch.labels), held.last
        (slope,) = torch.autograd.grad(said, maps, create_graph=torch.is_grad_enabled())
        cam = F.relu((slope.mean((2, 3), keepdim=True) * maps).sum(1))
        cells = F.interpolate(masks.to(cam), tuple(cam.shape[-2:]), mode="area")[:, 0]
        return ((cells * cam).sum((1, 2)) / (cam.sum((1, 2)) + _TINY)).square()

    return wrong


def exchanging(reader: Reader) -> Wrong:
    """−log p_label of the images with the masked part taken from others of the batch: no explanation is held down, but
    what lies there says nothing of the class (after Xiao et al. 2021, backgrounds)."""

    def wrong(batch: Passed, masks: Tensor) -> Tensor:
        order = torch.arange(len(batch.inputs), device=masks.device).roll(1)
        mixed = exchanged(batch.inputs.detach(), masks, order)
        said = reader.log_probabilities(called(batch.module, mixed))
        return -said.gather(1, batch.labels[:, None])[:, 0]

    return wrong


def inside(net: Net, module: nn.Module, inputs: Tensor, masks: Tensor, batch: int = 64) -> tuple[float, Tensor]:
    """(share of the squared input gradients of Σ_k log p_k inside the masks, their mean over images and channels
    (H, W)) of a module in evaluation mode. Images without a mask, or without a gradient, do not count in the share.
    """
    module.eval()
    reader, shares, total = Reader(net), [], torch.zeros(inputs.shape[-2:], dtype=torch.float64)
    for start in range(0, len(inputs), batch):
        some = inputs[start : start + batch].detach().clone().requires_grad_()
        with torch.enable_grad():
            summed = reader.log_probabilities(called(module, some)).sum()
            (slope,) = torch.autograd.grad(summed, some)
        squares, part = slope.double().square().sum(1), masks[start : start + batch, 0].double()
        whole = squares.sum((1, 2))
        known = (part.sum((1, 2)) > 0) & (whole > 0)
        shares.append(((part * squares).sum((1, 2)) / whole.clamp(min=1e-300))[known])
        total += (squares / whole.clamp(min=1e-300)[:, None, None]).sum(0).cpu()
    every = torch.cat(shares)
    return float(every.mean()) if len(every) else float("nan"), total / len(inputs)


def mean_wrong(
    wrong: Wrong, module: nn.Module, inputs: Tensor, labels: Tensor, masks: Tensor, batch: int = 64
) -> float:
    """The mean of the penalty, before its strength, of a module in evaluation mode."""
    module.eval()
    total = 0.0
    for start in range(0, len(inputs), batch):
        some = inputs[start : start + batch].detach().clone().requires_grad_()
        with torch.enable_grad():
            output = called(module, some)
            numbers = torch.arange(start, start + len(some))
            shown = Passed(module, some, output, labels[start : start + batch], numbers)
            total += float(wrong(shown, masks[start : start + batch]).detach().double().sum())
    return total / len(inputs)


def exchanged(inputs: Tensor, masks: Tensor, order: Tensor) -> Tensor:
    """The images with what lies inside their masks taken from the same place of others, in that order."""
    return torch.where(masks > 0.5, inputs[order], inputs)
