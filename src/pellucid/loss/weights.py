"""The weights of a network as one place: a tensor for each name, moved along directions of the same shape."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize, remove_spectral_norm, remove_weight_norm

from pellucid.errors import PellucidError
from pellucid.net import Net

Vector = Mapping[str, Tensor]
"""Name of a parameter -> tensor of its shape."""


def weights_of(net: Net) -> dict[str, Tensor]:
    """Every parameter of floating point, each once, by its first name; shared with the network, never to be written."""
    return {name: p.detach() for name, p in net.module.named_parameters() if p.is_floating_point()}


def numbers_of(net: Net) -> dict[str, Tensor]:
    """Parameters, and buffers that are numbers, such as the statistics of norms; shared with the network."""
    every = [*net.module.named_parameters(), *net.module.named_buffers()]
    return {name: one.detach() for name, one in every if one.is_floating_point()}


def plain(net: Net) -> Net:
    """The network with weights in place of what they are computed from (weight norm, spectral norm): a copy, or the
    network itself where none are computed. Its answers are the same.
    """
    computed = [part for part in net.module.modules() if parametrize.is_parametrized(part) or _hooked(part)]
    if not computed:
        return net
    module = copy.deepcopy(net.module).eval()
    for part in module.modules():
        if parametrize.is_parametrized(part):
            _settle(part)
        for kind in _hooked(part):
            (remove_weight_norm if kind == "WeightNorm" else remove_spectral_norm)(part)
    return net.with_module(module)


def _settle(part: nn.Module) -> None:
    """Parameters in place of parametrizations. `remove_parametrizations` would do so to the class of the part, which a
    copy shares with the original.
    """
    names = list(part.parametrizations)  # type: ignore[arg-type]
    values = {name: getattr(part, name).detach().clone() for name in names}
    part.__class__ = parametrize.type_before_parametrizations(part)
    del part._modules["parametrizations"]
    for name, value in values.items():
        part.register_parameter(name, nn.Parameter(value))


def _hooked(part: nn.Module) -> list[str]:
    """The older forms, which compute a weight before each pass."""
    kinds = (type(hook).__name__ for hook in part._forward_pre_hooks.values())
    return [kind for kind in kinds if kind in ("WeightNorm", "SpectralNorm")]


def like(vector: Vector, other: Vector, name: str, other_name: str) -> None:
    """Refuse two networks whose weights cannot be compared, by the first tensor that differs."""
    for key in dict.fromkeys([*vector, *other]):
        shapes = [tuple(one[key].shape) if key in one else None for one in (vector, other)]
        if shapes[0] != shapes[1]:
            first, second = ("no such tensor" if shape is None else f"{shape}" for shape in shapes)
            raise PellucidError(
                f"{name} and {other_name} have no weights in common places: {key!r} is {first} in one and {second} in "
                "the other; compare two networks of one architecture"
            )


def dot(a: Vector, b: Vector) -> float:
    """The inner product, summed in float64 over the names of the first."""
    return math.fsum(float((one.double() * b[key].double()).sum()) for key, one in a.items())


def norm(a: Vector) -> float:
    """The Euclidean length."""
    return math.sqrt(dot(a, a))


def cosine(a: Vector, b: Vector) -> float:
    """Of the angle between two; 0 where one of them has no length."""
    lengths = norm(a) * norm(b)
    return dot(a, b) / lengths if lengths else 0.0


def difference(a: Vector, b: Vector) -> dict[str, Tensor]:
    """a − b."""
    return {key: one - b[key].to(one.device) for key, one in a.items()}


class Moved:
    """A network at a place near its weights: θ + Σ cᵢ dᵢ, written into tensors of its own for each place."""

    def __init__(self, net: Net, directions: list[Vector], start: Vector | None = None) -> None:
        self.start = weights_of(net) if start is None else start
        self.directions = directions
        self._names = [key for key in self.start if any(key in one for one in directions)]
        self.values = {key: self.start[key].clone() for key in self._names}
        self.net = net.with_weights(self.values)

    @torch.no_grad()
    def to(self, coordinates: tuple[float, ...]) -> Net:
        """The network there. The one that was returned before is there, too."""
        for key in self._names:
            value = self.values[key].copy_(self.start[key])
            for c, direction in zip(coordinates, self.directions, strict=True):
                if c and key in direction:
                    value.add_(direction[key], alpha=c)
        return self.net
