"""Directions in the space of weights, on the scale of the filters: Li et al. 2018, section 4."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal, get_args

import torch
from pydantic import BeforeValidator, InstanceOf
from torch import Tensor, nn

from pellucid.errors import PellucidError, unknown
from pellucid.loss.weights import Vector
from pellucid.net import Net
from pellucid.nouns import Noun
from pellucid.rng import generator

Kind = Literal["random", "gradient", "eigenvector", "smallest", "networks"]
Normalize = Literal["filter", "layer", "model", "none"]
Biases = Literal["still", "layer"]
_TINY = 1e-10
"""Keeps the division of a filter's norm finite, as the paper's authors do."""
_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


@dataclass(frozen=True)
class Direction(Noun):
    """Which way the weights move, and by how much one unit of the axis moves them.

    `random` draws every weight from N(0, 1), by a counter: the draw depends on the seed and the parameter's name alone.
    `gradient` is that of the loss, `eigenvector` belongs to the largest eigenvalue of the Hessian (the second axis has
    the second one), `smallest` to the smallest. `networks` leads from the first network to others, as they are.
    `normalize` gives each filter of the direction the norm of the
    network's filter (`filter`), each tensor that of its tensor (`layer`), the whole that of all weights (`model`), or
    leaves it (`none`). Biases and the scales of norms stay still, or count as one filter each (`biases="layer"`).

    As text: `random`, `gradient:normalize=none`, `random:biases=layer`.
    """

    written, format = "KIND:normalize=…,biases=…", "direction"
    kind: Kind = "random"
    normalize: Normalize = "filter"
    biases: Biases = "still"

    def __post_init__(self) -> None:
        for name, allowed in {"kind": Kind, "normalize": Normalize, "biases": Biases}.items():
            if getattr(self, name) not in get_args(allowed):
                raise unknown(f"{name} of a direction", str(getattr(self, name)), get_args(allowed))

    @classmethod
    def of(cls, value: Any) -> Direction:
        """From text. Raises PellucidError, naming what may be written."""
        if isinstance(value, Direction):
            return value
        kind, _, rest = str(value).partition(":")
        parts = dict(part.partition("=")[::2] for part in rest.split(",")) if rest else {}
        known = [one.name for one in fields(cls) if one.name != "kind"]
        for name in parts:
            if name not in known:
                raise unknown("part of a direction", name, known)
        return cls(kind, **parts)  # type: ignore[arg-type]  # checked above, with the names that there are

    def __str__(self) -> str:
        parts = [(one.name, getattr(self, one.name), one.default) for one in fields(self)[1:]]
        said = [f"{name}={value}" for name, value, default in parts if value != default]
        return f"{self.kind}:{','.join(said)}" if said else self.kind

    def plain(self) -> str:
        """Its text."""
        return str(self)

    @property
    def unit(self) -> str:
        """What one unit of an axis along it is."""
        if self.kind == "networks":
            return "1 is the distance of the first two networks"
        return {
            "filter": "every filter moves by its own norm",
            "layer": "every tensor moves by its own norm",
            "model": "all weights together move by their norm",
            "none": "weights move by the direction itself",
        }[self.normalize]


def _given(value: Direction | str) -> Any:
    try:
        return Direction.of(value) if isinstance(value, str) else value
    except PellucidError as error:
        raise ValueError(str(error)) from error


DirectionOption = Annotated[InstanceOf[Direction], BeforeValidator(_given)]


def random(net: Net, weights: Vector, seed: int, number: int) -> dict[str, Tensor]:
    """Every weight from N(0, 1): direction `number` of a seed, the same for every order of modules and type."""
    found = {}
    for name, value in weights.items():
        drawn = generator(seed, "direction", number, name).standard_normal(tuple(value.shape))
        found[name] = torch.from_numpy(drawn.reshape(tuple(value.shape))).to(value.dtype).to(value.device)
    return found


def normalized(direction: Vector, weights: Vector, net: Net, how: Direction) -> dict[str, Tensor]:
    """The direction on the scale of the weights. Nothing follows it: to make two of them orthogonal afterwards would
    change the norms of the filters again.
    """
    axes = _output_axes(net.module)
    moved = {key: one for key, one in direction.items() if weights[key].dim() > 1 or how.biases == "layer"}
    if how.normalize == "none":
        scaled = dict(moved)
    elif how.normalize == "model":
        factor = _length(weights[key] for key in moved) / (_length(moved.values()) + _TINY)
        scaled = {key: (one.double() * factor).to(one.dtype) for key, one in moved.items()}
    else:
        scaled = {key: _scaled(one, weights[key], axes.get(key, (0, 1)), how) for key, one in moved.items()}
    return scaled


def _scaled(direction: Tensor, weight: Tensor, axis: tuple[int, int], how: Direction) -> Tensor:
    """One tensor, filter by filter or as a whole; a tensor of one axis is one filter."""
    d, w = direction.double(), weight.double()
    if how.normalize == "layer" or w.dim() < 2:
        factor = torch.linalg.vector_norm(w) / (torch.linalg.vector_norm(d) + _TINY)
        whole: Tensor = (d * factor).to(direction.dtype)
        return whole
    dimension, groups = axis
    split = [groups, w.shape[0] // groups, *w.shape[1:]] if dimension == 1 else list(w.shape)
    d, w = d.reshape(split), w.reshape(split)
    keep = (0, 2) if dimension == 1 else (0,)  # of a transposed convolution, the output channels of each group
    rest = [k for k in range(w.dim()) if k not in keep]
    norms = [torch.linalg.vector_norm(one, dim=rest, keepdim=True) for one in (w, d)]
    scaled: Tensor = (d * (norms[0] / (norms[1] + _TINY))).reshape(direction.shape).to(direction.dtype)
    return scaled


def _output_axes(module: nn.Module) -> dict[str, tuple[int, int]]:
    """Parameter -> (dimension of its output channels, groups), where that is not the first dimension."""
    found = {}
    for name, part in module.named_modules():
        if isinstance(part, _TRANSPOSED):
            found[f"{name}.weight".lstrip(".")] = (1, part.groups)
    return found


def _length(tensors: Any) -> float:
    return float(sum(float(one.double().square().sum()) for one in tensors) ** 0.5)


def drawn(net: Net, weights: Vector, how: Direction, seed: int, count: int) -> list[dict[str, Tensor]]:
    """`count` random directions of a seed, on the scale that is asked for."""
    return [normalized(random(net, weights, seed, k), weights, net, how) for k in range(count)]


def ratios(direction: Vector, weights: Mapping[str, Tensor]) -> dict[str, float]:
    """‖d‖ / ‖θ‖ of every tensor that has a length."""
    lengths = {key: float(one.double().norm()) for key, one in weights.items()}
    return {key: float(one.double().norm()) / lengths[key] for key, one in direction.items() if lengths[key]}
