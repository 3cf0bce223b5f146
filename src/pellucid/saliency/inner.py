"""A layer of a network as a game: the players are its channels, its cells, or groups of channels that go together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pellucid.errors import Refused
from pellucid.net import Net
from pellucid.net.onward import Onward
from pellucid.progress import steps
from pellucid.rng import generator
from pellucid.target import Target, scored

Players = Literal["groups", "channels", "cells"]
_ROUNDS = 300  # multiplicative updates


@dataclass(frozen=True, eq=False)
class LayerGame:
    """What a layer hands on for one image, (C, H, W), as players that are shown or hidden; `hidden` is what stands
    there instead, and `groups` (G, C) are directions with their maps (G, H, W) where the players are groups."""

    net: Net
    image: str
    pixels: Float[Tensor, "1 c h w"]
    layer: str
    activation: Float[Tensor, "k rows columns"]
    hidden: Float[Tensor, "k rows columns"]
    target: Target
    kind: Players
    groups: tuple[Float[Tensor, "g k"], Float[Tensor, "g rows columns"]] | None = None

    @cached_property
    def players(self) -> int:
        """How many there are."""
        channels, rows, columns = self.activation.shape
        if self.groups is not None:
            return len(self.groups[0])
        return int(channels) if self.kind == "channels" else int(rows * columns)

    @cached_property
    def residual(self) -> Float[Tensor, "k rows columns"]:
        """What of the activation no group holds: it is always shown."""
        if self.groups is None:
            return torch.zeros_like(self.activation)
        return self.activation - torch.einsum("gk,grc->krc", *self.groups)

    def mixed(self, shown: Bool[Tensor, "m n"]) -> Float[Tensor, "m k rows columns"]:
        """What the layer hands on with some players hidden."""
        one = shown.to(self.activation)
        if self.groups is not None:
            kept = torch.einsum("mg,gk,grc->mkrc", one, *self.groups)
            gone = torch.einsum("mg,gk,grc->mkrc", 1 - one, self.groups[0], self._under)
            return self.residual + kept + gone
        if self.kind == "channels":
            mask = one[:, :, None, None]
        else:
            mask = one.reshape(len(one), 1, *self.activation.shape[1:])
        return torch.where(mask > 0, self.activation, self.hidden)

    @cached_property
    def _under(self) -> Float[Tensor, "g rows columns"]:
        """What stands in for the map of a hidden group: nothing, or its mean over places."""
        maps = self.groups[1] if self.groups is not None else self.activation[:0]
        return torch.zeros_like(maps) if not self.hidden.any() else maps.mean((1, 2), keepdim=True).expand_as(maps)

    def worth(self, coalitions: Bool[np.ndarray, "m n"]) -> Float[np.ndarray, " m"]:
        """The scores with only the true players of each row shown; what comes before the layer runs once."""
        passes, found = Onward(self.net, self.pixels, self.layer, self.target.layers), list[Tensor]()
        for part in steps(torch.from_numpy(coalitions).split(passes.at_once), "coalitions"):

            def put(output: Tensor, part: Tensor = part) -> Tensor:
                return self.mixed(part.to(self.activation.device)).to(output)

            found.append(scored(self.target, passes.run(len(part), put)).detach().double().cpu())
        return torch.cat(found).numpy()

    def spread(self, values: Float[np.ndarray, " n"]) -> Float[Tensor, "rows columns"]:
        """A map whose sum is that of the values: each player's lies where it is active, of a cell in that cell."""
        rows, columns = self.activation.shape[1:]
        weight = torch.from_numpy(values).to(self.activation.device).double()
        if self.groups is None and self.kind == "cells":
            return weight.reshape(rows, columns)
        maps = (self.activation - self.hidden if self.groups is None else self.groups[1]).double().abs()
        total = maps.sum((1, 2), keepdim=True)
        shares = torch.where(total > 0, maps / torch.where(total > 0, total, 1), 1 / (rows * columns))
        return torch.einsum("n,nrc->rc", weight, shares)


def factored(
    activation: Float[Tensor, "k rows columns"], count: int, seed: int, layer: str
) -> tuple[Float[Tensor, "g k"], Float[Tensor, "g rows columns"]]:
    """(directions (G, C) of length 1, their maps (G, H, W)): the activation as a sum of groups of channels with one map
    each, none of them negative (Lee & Seung 2001, multiplicative updates).

    Refused where the layer has negative activations.
    """
    if bool((activation < 0).any()):
        raise Refused(
            f"layer {layer!r} has negative activations, which no groups add up to: ask with players='channels' or "
            "players='cells'"
        )
    channels, rows, columns = activation.shape
    wanted = activation.reshape(channels, -1).double()
    chance = generator(seed, "groups", count)
    scale = float((wanted.mean() / count).sqrt())
    directions = wanted.new_tensor(chance.random((channels, count)) + 0.1) * scale
    maps = wanted.new_tensor(chance.random((count, rows * columns)) + 0.1) * scale
    tiny = torch.finfo(torch.float64).tiny
    for _ in range(_ROUNDS):
        maps = maps * (directions.T @ wanted) / (directions.T @ directions @ maps + tiny)
        directions = directions * (wanted @ maps.T) / (directions @ (maps @ maps.T) + tiny)
    lengths = directions.norm(dim=0)
    order = (lengths * maps.sum(1)).argsort(descending=True)
    found = (directions / torch.where(lengths > 0, lengths, 1)).T[order], (maps * lengths[:, None])[order]
    return found[0].to(activation), found[1].reshape(count, rows, columns).to(activation)
