"""What the methods about filters share: finding a convolution, its weights filter by filter, what they act on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import nn

from pellucid.errors import Refused
from pellucid.net import Layer, Net
from pellucid.net.guard import computed_weight
from pellucid.notes import Note

NEAR_ZERO = 0.05
"""Of the layer's median norm: a filter with less contributes next to nothing."""
_OTHERS = (nn.Conv1d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose3d, nn.Linear)


@dataclass(frozen=True, eq=False)
class Convolution:
    """A convolution that took part in a forward pass: its filters (F, channels, height, width), whatever its kind.

    `inputs` are the numbers of the input channels that each filter reads, (F, channels).
    """

    row: Layer
    values: Float[np.ndarray, "filters channels height width"]
    inputs: tuple[tuple[int, ...], ...]
    groups: int
    channels: int
    """How many channels the layer's input has."""

    @property
    def name(self) -> str:
        """Of the layer, whichever of its calls is meant: all of them have these weights."""
        return self.row.path

    @property
    def norms(self) -> Float[np.ndarray, " filters"]:
        """The Euclidean norm of each filter, in float64; NaN where a weight is not finite."""
        wide = self.values.astype(np.float64).reshape(len(self.values), -1)
        return np.where(np.isfinite(wide).all(1), np.sqrt((np.nan_to_num(wide) ** 2).sum(1)), np.nan)

    @property
    def notes(self) -> tuple[Note, ...]:
        """What `reads` says, as a note."""
        return (Note("reading", self.reads),)

    @property
    def reads(self) -> str:
        """What a filter reads, in words."""
        if self.groups == 1:
            return f"each filter reads all {self.channels} channels of the input"
        if self.values.shape[1] == 1:
            return f"depthwise: each filter reads one of the {self.channels} channels of the input"
        return f"{self.groups} groups: each filter reads {self.values.shape[1]} of the {self.channels} input channels"


def first(net: Net) -> Convolution:
    """The convolution that runs first; Refused where none runs as a module."""
    return convolutions(net)[0]


def convolutions(net: Net) -> list[Convolution]:
    """Every convolution over pictures in order of execution, at least one; a layer that runs again comes once."""
    rows: dict[str, Layer] = {}
    for row in net.layers().rows:
        if isinstance(_part(net, row), (nn.Conv2d, nn.ConvTranspose2d)):
            rows.setdefault(row.path, row)
    if rows:
        return [_opened(net, row) for row in rows.values()]
    other = next((row for row in net.layers().rows if isinstance(_part(net, row), _OTHERS)), None)
    instead = f": its first layer with weights, {other.name!r}, is a {other.kind}" if other else ""
    raise Refused(
        f"{net.name} runs no 2-d convolution as a module{instead}; "
        "filters are read from nn.Conv2d, a tensor given to F.conv2d has no name to be asked for by"
    )


def named(net: Net, name: str) -> Convolution:
    """The convolution of that name. Raises UnknownName, or Refused with the nearest convolutions for other kinds."""
    row = next((one for one in net.layers().rows if one.path == name), None) or net.layer(name)
    if isinstance(_part(net, row), (nn.Conv2d, nn.ConvTranspose2d)):
        return _opened(net, row)
    inside = [one.name for one in convolutions(net)]
    nearest = [one for one in inside if one.startswith(f"{row.path}.")] or inside
    raise Refused(f"layer {name!r} is a {row.kind}, no 2-d convolution; convolutions are {', '.join(nearest[:4])}")


def gains(net: Net, convolution: Convolution) -> Float[np.ndarray, " filters"] | None:
    """|γ| / √(σ² + ε) of the batch norm that runs next: by how much it enlarges each filter. None where none does."""
    rows = net.layers().rows
    after = rows[rows.index(convolution.row) + 1 :]
    norm = _part(net, after[0]) if after else None
    if not isinstance(norm, nn.BatchNorm2d) or norm.num_features != len(convolution.values) or norm.running_var is None:
        return None
    with torch.no_grad():
        scale = norm.weight.double() if norm.weight is not None else torch.ones(norm.num_features)
        return np.asarray((scale.abs() / (norm.running_var.double() + norm.eps).sqrt()).cpu().numpy(), np.float64)


def acts_on(net: Net) -> str:
    """What the weights of a first layer are with respect to."""
    shown = ", ".join(f"{one:.3g}" for one in dict.fromkeys(net.preprocess.std))
    if set(net.preprocess.std) == {1.0} and set(net.preprocess.mean) == {0.0}:
        return "weights as they are; they act on pixels in 0 to 1"
    uneven = max(net.preprocess.std) > 1.1 * min(net.preprocess.std)
    hint = ": for pixels in 0 to 1 divide each channel's weights by it" if uneven else ""
    return f"weights as they are; they act on the normalized input, (pixel − mean) / {shown}{hint}"


def _part(net: Net, row: Layer) -> nn.Module:
    return net.module.get_submodule(row.path)


def _opened(net: Net, row: Layer) -> Convolution:
    part = _part(net, row)
    if not isinstance(part, (nn.Conv2d, nn.ConvTranspose2d)):
        raise Refused(f"layer {row.name!r} is a {row.kind}, no 2-d convolution")
    groups, weight = part.groups, computed_weight(net.module, part)
    if isinstance(part, nn.ConvTranspose2d):  # its weights are (inputs, filters of a group, height, width)
        each = part.in_channels // groups
        weight = weight.unflatten(0, (groups, each)).transpose(1, 2).flatten(0, 1)
    if weight.dtype == torch.bfloat16:
        weight = weight.float()
    values = np.array(weight.cpu().numpy())
    count, channels = values.shape[:2]
    of_group = [tuple(range(group * channels, (group + 1) * channels)) for group in range(groups)]
    inputs = tuple(of_group[unit // (count // groups)] for unit in range(count))
    return Convolution(row, values, inputs, groups, part.in_channels)
