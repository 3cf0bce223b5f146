"""How signal and gradient pass through a network: scales of pre-activations and of ∂L/∂h, layer by layer."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

import torch
from torch import Tensor, nn

from pellucid.errors import PellucidError, Refused
from pellucid.images import Images
from pellucid.learning.initial import weighted
from pellucid.learning.objective import objective_of
from pellucid.net import Layers, Net, apart, tap
from pellucid.net.norms import BatchStatistics
from pellucid.net.weights import original_of
from pellucid.progress import steps, stop_point

Norms = Literal["frozen", "batch"]
"""Batch norm with the statistics that it has stored, or with those of the images at hand, as in training."""
_RECTIFIERS = {
    "relu", "relu_", "relu6", "threshold", "threshold_", "hardtanh", "hardtanh_",
    "clamp", "clamp_", "clamp_min", "clamp_min_",
}  # fmt: skip
_BOUNDED = {"tanh": (-0.99, 0.99), "tanh_": (-0.99, 0.99), "sigmoid": (0.01, 0.99), "sigmoid_": (0.01, 0.99)}
"""From where on a bounded activation is saturated, as in `activations.profile`."""


@dataclass(eq=False)
class LayerFlow:
    """One layer's output h, over all its values for all images."""

    name: str
    kind: str
    parameters: int = 0
    count: int = 0
    broken: int = 0
    """Values that are NaN or infinite."""
    total: float = 0.0
    squares: float = 0.0
    gradients: float = 0.0
    """Sum of the squares of ∂L/∂h, of the loss of each image."""
    activation: str = ""
    """The function of torch that follows, where it is a rectifier or bounded."""
    units: int = 0
    alive: Tensor | None = field(default=None, repr=False)
    """(units,) whether the rectifier that follows gave more than zero for any image."""
    saturated: int = 0
    values: int = 0
    """Of the activation that follows."""

    @property
    def std(self) -> float:
        """Standard deviation of h; infinite where a value is not finite."""
        if self.broken:
            return math.inf
        return math.sqrt(max(self.squares / self.count - (self.total / self.count) ** 2, 0.0))

    @property
    def rms(self) -> float:
        """Root of the mean square of h; infinite where a value is not finite."""
        return math.inf if self.broken else math.sqrt(self.squares / self.count)

    @property
    def gradient(self) -> float:
        """RMS of ∂L/∂h, L being the loss of one image; NaN where it is not finite."""
        return math.sqrt(self.gradients / self.count) if math.isfinite(self.gradients) else math.nan

    @property
    def dead(self) -> float:
        """Share of the units whose rectifier gives zero everywhere in all images; NaN where no rectifier follows."""
        return math.nan if self.alive is None else 1 - float(self.alive.double().mean())

    @property
    def saturation(self) -> float:
        """Share of the values of the bounded activation that follows that are at a bound; NaN where none follows."""
        return self.saturated / self.values if self.activation in _BOUNDED and self.values else math.nan


@dataclass(frozen=True, eq=False)
class Flow:
    """Signal and gradient of one network: its layers in the order of execution."""

    net: str
    layers: tuple[LayerFlow, ...]
    images: int
    loss: float
    """Mean over the images, in nats; not finite where the network's output is not."""
    origin: str = ""
    """The first layer, of any kind, whose output is not finite; "" where all are."""
    normalized: bool = False
    """Whether there is batch norm."""
    fresh: bool = False
    """Whether batch norm has met no image yet: its stored statistics are those of no data."""

    @property
    def hidden(self) -> tuple[LayerFlow, ...]:
        """Without the last, which gives the classes."""
        return self.layers[:-1] if len(self.layers) > 2 else self.layers

    @property
    def signal_change(self) -> float:
        """Standard deviation of the last hidden layer's output over that of the first."""
        return _ratio(self.hidden[-1].std, self.hidden[0].std)

    @property
    def gradient_change(self) -> float:
        """RMS of ∂L/∂h in the first layer over that in the last hidden one: how it grows on its way back."""
        return _ratio(self.hidden[0].gradient, self.hidden[-1].gradient)


def _ratio(one: float, other: float) -> float:
    return one / other if other else (math.nan if not one else math.inf)


def flow(net: Net, images: Images, labels: Tensor, norms: Norms = "frozen") -> Flow:
    """What a pass forward and back over prepared images and their labels (N,) shows. The network is left alone.

    With norms="batch" all images run at once. Refused where no layer has weights, or the network has no loss.
    """
    pixels = images.pixels
    size = (pixels.shape[-2], pixels.shape[-1])
    if norms == "batch" and len(pixels) < 2:
        raise PellucidError("norms='batch': one image has no statistics, two at least")
    table, objective = net.layers(size), objective_of(net, pixels[:1])
    parts = weighted(original_of(net.module))
    found = {row.name: LayerFlow(row.name, row.kind, row.parameters) for row in table.rows if row.path in parts}
    if not found:
        raise Refused(f"{net.name} has no convolution and no linear layer: there is nothing to follow a signal through")
    norm = [part for part in original_of(net.module).modules() if isinstance(part, nn.modules.batchnorm._BatchNorm)]
    chunk = len(pixels) if norms == "batch" else net.chunk(size, grad=True)
    loss = 0.0
    for start in steps(range(0, len(pixels), chunk), "flow"):
        inputs = apart.inputs_of(net, pixels[start : start + chunk])
        with BatchStatistics() if norms == "batch" else nullcontext():
            loss += _passed(net.module, inputs, labels[start : start + chunk], objective, found)
    broken = any(one.broken for one in found.values())
    with BatchStatistics() if norms == "batch" else nullcontext():
        origin = _origin(net.module, apart.inputs_of(net, pixels[:chunk]), table) if broken else ""
    fresh = any(part.num_batches_tracked is not None and not int(part.num_batches_tracked) for part in norm)
    return Flow(net.name, tuple(found.values()), len(pixels), loss / len(pixels), origin, bool(norm), fresh)


def _passed(
    module: nn.Module, inputs: Tensor, labels: Tensor, objective: Callable[..., Any], found: dict[str, LayerFlow]
) -> float:
    """Add what one pass shows; the sum of its losses."""
    last: list[LayerFlow] = []

    def reached(layer: LayerFlow) -> Callable[[Tensor], Tensor]:
        def noted(output: Tensor) -> Tensor:
            last[:] = [layer]
            return output

        return noted

    def heard(function: Any, _args: Any, output: Any) -> None:
        name = getattr(function, "__name__", "")
        if last and isinstance(output, Tensor) and (name in _RECTIFIERS or name in _BOUNDED):
            _activated(last[0], name, output.detach())

    edits = {name: reached(layer) for name, layer in found.items()}
    output, tapped, _ = tap.forward(module, inputs, at=list(found), edit=edits, grad=True, listener=heard)
    losses, _ = objective(output, labels.to(inputs.device))
    total = losses.sum()
    gradients = tap.gradients(module, total, [tapped[name] for name in found], allow_unused=True)
    for layer, gradient in zip(found.values(), gradients, strict=True):
        stop_point()
        values = tapped[layer.name].detach().double()
        finite = torch.isfinite(values)
        layer.count += values.numel()
        layer.broken += values.numel() - int(finite.sum())
        values = torch.where(finite, values, torch.zeros_like(values))
        layer.total += float(values.sum())
        layer.squares += float((values**2).sum())
        layer.gradients += math.nan if gradient is None else float((gradient.double() ** 2).sum())
    return float(total.detach())


def _activated(layer: LayerFlow, name: str, output: Tensor) -> None:
    """What the activation that follows a layer gave; of several the first."""
    if layer.activation not in ("", name):
        return
    layer.activation = name
    if name in _RECTIFIERS:
        axis = 1 if output.dim() in (2, 4) else output.dim() - 1
        alive = (output.movedim(axis, 0).flatten(1) != 0).any(1)
        if layer.alive is None or layer.alive.shape == alive.shape:
            layer.alive = alive if layer.alive is None else layer.alive | alive
            layer.units = len(alive)
        return
    low, high = _BOUNDED[name]
    layer.saturated += int(((output <= low) | (output >= high)).sum())
    layer.values += output.numel()


def _origin(module: nn.Module, inputs: Tensor, table: Layers) -> str:
    """The first layer, of any kind, that gives what is not finite."""
    if not torch.isfinite(inputs).all():
        return "the input"
    bad = next((name for name, p in module.named_parameters() if not torch.isfinite(p).all()), "")
    names = [row.name for row in table.rows]
    found = tap.forward(module, inputs, at=names)[1]
    for name in names:
        if not torch.isfinite(found[name]).all():
            return f"{name} (its own weights are not finite)" if bad.rpartition(".")[0] == name else name
    return ""


def change_per_layer(values: Sequence[float]) -> list[float]:
    """Each over the one before it; NaN for the first, and where either is zero or not finite."""
    pairs = pairwise(values)
    sound = [b / a if a > 0 and math.isfinite(a) and math.isfinite(b) else math.nan for a, b in pairs]
    return [math.nan, *sound]
