"""Units inside the network: a channel of a layer, one cell of it, a direction."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal, final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import PellucidError, Refused, UnknownName
from pellucid.net import Net, Run
from pellucid.net.known import unclear
from pellucid.net.tap import split_call
from pellucid.target.base import Named, Peer, Target
from pellucid.target.forms import target

_LAYER = r"[^\s:@()\[\],](?:[^:@()\[\],]*[^\s:@()\[\],])?"
_CELL = r":(?P<unit>\d+)(?:@(?P<y>\d+),(?P<x>\d+))?"
_UNIT = re.compile(rf"(?P<layer>{_LAYER}){_CELL}")
_ANY_UNIT = re.compile(rf"(?P<layer>.+){_CELL}", re.DOTALL)


def layer_and_unit(text: str, net: Net) -> tuple[str, int | None]:
    """`LAYER:UNIT`, or `LAYER` where any of its units may be meant: (layer, unit or None)."""
    match = None if _is_layer(text, net) else _ANY_UNIT.fullmatch(text)
    if match is None:
        return text, None
    if match["y"] is not None:
        raise PellucidError(f"{text!r} is one cell: name the unit, {match['layer']}:{match['unit']}")
    return match["layer"], int(match["unit"])


@target("LAYER:UNIT", examples=("blocks.6:12",), help="the mean over places of channel 12 of a layer")
@target("max(LAYER:UNIT)", examples=("max(blocks.6:12)",), help="the maximum of a channel over places")
@target("sum(LAYER:UNIT)", examples=("sum(blocks.6:12)",), help="the sum of a channel over places")
@final
@dataclass(frozen=True)
class Channel(Target):
    """The mean (or max, or sum) over places of one channel of a layer; a unit of a layer without places."""

    layer: str
    index: int
    reduce: Literal["mean", "max", "sum"] = "mean"
    unit = "activation"

    @classmethod
    def read(cls, name: str, inside: str, of: Named) -> Channel | None:
        """`layer4:151`, `max(layer4:151)`, `sum(layer4:151)`."""
        match = _UNIT.fullmatch(inside)
        if match is None or match["y"] is not None:
            return None
        return cls(match["layer"], int(match["unit"]), "max" if name == "max" else "sum" if name else "mean")

    @classmethod
    def exact(cls, text: str, net: Net) -> Target | None:
        """The unit, or one cell of it, of a layer of exactly this name, whatever letters are in it."""
        match = _ANY_UNIT.fullmatch(text)
        if match is None or not _is_layer(match["layer"], net):
            return None
        return cls(match["layer"], int(match["unit"])) if match["y"] is None else _cell(match)

    def peer(self, net: Net) -> Peer | None:
        """Among the channels of its layer, as they are most over places, or on average."""
        return Peer(self.layer, self.index, "max" if self.reduce == "max" else "mean")

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


@target("LAYER:UNIT@Y,X", examples=("blocks.6:12@3,4",), help="one cell of a channel, at row 3 and column 4")
@final
@dataclass(frozen=True)
class Neuron(Target):
    """One cell (y, x) of one channel of a layer."""

    layer: str
    index: int
    y: int
    x: int
    unit = "activation"

    @classmethod
    def read(cls, name: str, inside: str, of: Named) -> Neuron | None:
        """`layer4:151@3,4`."""
        match = None if name else _UNIT.fullmatch(inside)
        return _cell(match) if match and match["y"] is not None else None

    def peer(self, net: Net) -> Peer | None:
        """Among the channels at its place."""
        return Peer(self.layer, self.index, (self.y, self.x))

    def followed(self, net: Net, matrix: Float[np.ndarray, "3 3"]) -> Target:
        """The cell that lies nearest to where its place has moved to."""
        size = net.preprocess.size
        layer = net.layer(self.layer, size)
        if layer.placement is None:
            return self
        high, wide = size or net.layers(size).size
        rows, columns = layer.placement.centers(*layer.shape[1:])
        middle = ((high - 1) / 2, (wide - 1) / 2)
        here = np.array([columns[self.x] - middle[1], rows[self.y] - middle[0], 1.0])
        there = np.linalg.inv(matrix) @ here
        y = int(np.abs(rows - middle[0] - there[1]).argmin())
        x = int(np.abs(columns - middle[1] - there[0]).argmin())
        return replace(self, y=y, x=x)

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


@target(
    "energy(LAYER)",
    examples=("energy(blocks.4)",),
    help="the mean square of a whole layer, which DeepDream raises",
)
@final
@dataclass(frozen=True)
class Energy(Target):
    """The mean of the squared activations of a layer: what DeepDream raises, whatever it is that the layer sees."""

    layer: str
    unit = "activation²"

    @classmethod
    def read(cls, name: str, inside: str, of: Named) -> Energy | None:
        """`energy(layer4)`."""
        return cls(inside) if name and re.fullmatch(_LAYER, inside) else None

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


def _cell(match: re.Match[str]) -> Neuron:
    return Neuron(match["layer"], int(match["unit"]), int(match["y"]), int(match["x"]))


def _is_layer(name: str, net: Net) -> bool:
    bare = split_call(name)[0]
    return any(bare == known for known, _ in net.module.named_modules(remove_duplicate=False) if known)


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
