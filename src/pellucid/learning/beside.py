"""A network that is shown one more channel than it was made for."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, nn

Way = Literal["channel", "product"]


class Beside(nn.Module):
    """Takes (N, C + 1, H, W). The last channel is mixed into the others by weights that begin as zeros ("channel"), or
    multiplies them ("product").
    """

    def __init__(self, module: nn.Module, channels: int, way: Way) -> None:
        super().__init__()
        self.module, self.way = module, way
        like = next((p for p in module.parameters() if p.is_floating_point()), torch.zeros(()))
        self.weight = nn.Parameter(like.new_zeros(channels)) if way == "channel" else None

    def forward(self, x: Tensor) -> Any:
        pixels, more = x[:, :-1], x[:, -1:]
        if self.weight is None:
            return self.module(pixels * more)
        return self.module(pixels + self.weight[:, None, None] * more)
