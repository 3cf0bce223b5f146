"""The same function of the image, computed from other numbers: an input shift that the first layer takes back."""

from __future__ import annotations

import copy
from typing import Any

from torch import Tensor, nn

from pellucid.net import Net


class _TakenBack(nn.Module):
    """Before a class of modules: what it is shown was moved, and is moved back before anything else."""

    _offset: tuple[float, ...]

    def forward(self, x: Tensor, *more: Any) -> Any:
        """What the network says of 2 x + offset."""
        return super().forward(2 * x + x.new_tensor(self._offset).view(1, -1, 1, 1), *more)


def shifted(net: Net, pixels: Tensor) -> tuple[Net, Tensor]:
    """(a network, pixels) for which it says exactly what `net` says of `pixels` (C, H, W): those are (p + 1) / 2.

    Kindermans et al. 2019 add a constant that a bias takes back; so that pixels stay within 0..1 they are halved, too.
    The network has the same layers under the same names.
    """
    other = copy.copy(net.module)
    other.__class__ = type(type(net.module).__name__, (_TakenBack, type(net.module)), {})
    means, stds = net.preprocess.mean, net.preprocess.std
    other._offset = tuple((mean - 1) / std for mean, std in zip(means, stds, strict=True))  # type: ignore[assignment]
    return net.with_module(other), (pixels + 1) / 2
