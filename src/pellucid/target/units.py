"""Units inside the network: a channel of a layer, one cell of it, a direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import PellucidError, Refused, UnknownName
from pellucid.net import Run
from pellucid.net.known import unclear
from pellucid.target.base import Target


@final
@dataclass(frozen=True)
class Channel(Target):
    """The mean (or max, or sum) over places of one channel of a layer; a unit of a layer without places."""

    layer: str
    index: int
    reduce: Literal["mean", "max", "sum"] = "mean"
    unit = "activation"

    @property
    def layers(self) -> tuple[str, ...]:
        return (self.layer,)

    def __call__(self, run: Run) -> Float[Tensor, " n"]:
        places = _unit(run, self.layer, self.index)
        places = places.reshape(len(places), -1)
        return places.amax(1) if self.reduce == "max" else places.sum(1) if self.reduce == "sum" else places.mean(1)

    def __str__(self) -> str:
        unit = f"{self.layer}:{self.index}"
        return unit if self.reduce == "mean" else f"{self.reduce}({unit})"


@final
@dataclass(frozen=True)
class Neuron(Target):
    """One cell (y, x) of one channel of a layer."""

    layer: str
    index: int
    y: int
    x: int
    unit = "activation"

    @property
    def layers(self) -> tuple[str, ...]:
        return (self.layer,)

    def __call__(self, run: Run) -> Float[Tensor, " n"]:
        places = _unit(run, self.layer, self.index)
        rows, columns = places.shape[1:] if places.dim() == 3 else (0, 0)
        if not (0 <= self.y < rows and 0 <= self.x < columns):
            raise UnknownName(f"no cell {self.y},{self.x} in layer {self.layer!r}: its maps are {rows} × {columns}")
        return places[:, self.y, self.x]

    def __str__(self) -> str:
        return f"{self.layer}:{self.index}@{self.y},{self.x}"


@final
@dataclass(frozen=True)
class Energy(Target):
    """The mean of the squared activations of a layer: what DeepDream raises, whatever it is that the layer sees."""

    layer: str
    unit = "activation²"

    @property
    def layers(self) -> tuple[str, ...]:
        return (self.layer,)

    def __call__(self, run: Run) -> Float[Tensor, " n"]:
        return run[self.layer].flatten(1).square().mean(1)

    def __str__(self) -> str:
        return f"energy({self.layer})"


@final
@dataclass(frozen=True)
class Direction(Target):
    """⟨activation, vector⟩, the mean over places: one number per channel of the layer.

    With `cosine` p each place counts max(0.1, cos)^p times, its angle to the vector: what points elsewhere adds less.
    """

    layer: str
    vector: tuple[float | int, ...]
    cosine: float | int = 0
    unit = "activation"

    @property
    def layers(self) -> tuple[str, ...]:
        return (self.layer,)

    def __call__(self, run: Run) -> Float[Tensor, " n"]:
        activation = _known(run, self.layer)
        if activation.shape[1] != len(self.vector):
            raise PellucidError(
                f"a direction of {len(self.vector)} numbers in layer {self.layer!r}, "
                f"which has {activation.shape[1]} channels"
            )
        vector = activation.new_tensor(self.vector)
        if not self.cosine:
            projected: Tensor = over_places(activation) @ vector
            return projected
        places = activation.flatten(2) if activation.dim() > 2 else activation[..., None]  # (N, channels, places)
        along: Tensor = torch.einsum("ncp,c->np", places, vector)
        angle = along / (places.norm(dim=1) * vector.norm()).clamp(min=1e-6)
        weighted: Tensor = along * angle.clamp(min=0.1) ** self.cosine
        return weighted.mean(1)

    def __str__(self) -> str:
        return f"direction in {self.layer}"


def over_places(activation: Tensor) -> Tensor:
    """(N, channels, …) -> (N, channels): the mean over places, where there are any."""
    return activation.flatten(2).mean(2) if activation.dim() > 2 else activation


def _known(run: Run, layer: str) -> Tensor:
    """The layer's activation; Refused where it is not known which of its numbers are one channel's."""
    activation = run[layer]
    if activation.dim() > 2 and unclear(run.net, layer):
        shape = "×".join(map(str, activation.shape[1:]))
        raise Refused(
            f"layer {layer!r} gives {shape} numbers an image, and which of them belong to one unit is not known: "
            f"ask for energy({layer}), or for a unit of a layer with maps"
        )
    return activation


def _unit(run: Run, layer: str, index: int) -> Tensor:
    activation = _known(run, layer)
    channels = activation.shape[1] if activation.dim() > 1 else 0
    if not 0 <= index < channels:
        raise UnknownName(f"no unit {index} in layer {layer!r}: it has {channels}, 0 to {channels - 1}")
    return activation[:, index]
