"""The same network with and without batch norm: copies of a module with norms put in, or taken out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from pellucid.errors import unknown
from pellucid.learning.initial import SCHEMES, Scheme, copied, put, weighted

Normalization = Literal["own", "with", "without"]
SAID = {"own": "as it is", "with": "with batch norm", "without": "without batch norm"}
_SIGNS: dict[str, Normalization] = {"+norm": "with", "-norm": "without"}


def parted(start: str) -> tuple[Scheme, Normalization]:
    """`he`, `he+norm`, `he-norm` as a scheme and a network. Raises UnknownName with the nearest scheme."""
    sign = start[-5:] if start[-5:] in _SIGNS else ""
    scheme = next((one for one in SCHEMES if one == start.removesuffix(sign)), None)
    if scheme is None:
        raise unknown("initialization scheme", start, SCHEMES)
    return scheme, _SIGNS.get(sign, "own")


def _checked(start: str) -> str:
    parted(start)
    return start


Start = Annotated[str, AfterValidator(_checked)]
"""An initialization scheme, of the network as it is, with batch norm (+norm) or without (-norm)."""


class AnyBatchNorm(_BatchNorm):
    """Batch norm of channels on axis 1, whatever follows."""

    def _check_input_dim(self, input: Tensor) -> None:
        """Any number of axes."""


class Normed(nn.Module):
    """A layer with weights, and batch norm of what it gives."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        weight: Tensor = layer.weight  # type: ignore[assignment]
        self.last = isinstance(layer, nn.Linear)
        channels = getattr(layer, "out_channels", getattr(layer, "out_features", weight.shape[0]))
        self.layer, self.norm = layer, AnyBatchNorm(int(channels), device=weight.device, dtype=weight.dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Channels are the last axis behind a linear layer, and the first after the images behind a convolution."""
        h: Tensor = self.layer(x)
        found: Tensor = self.norm(h.movedim(-1, 1)).movedim(1, -1) if self.last else self.norm(h)
        return found


def normalized(module: nn.Module, how: Normalization, hidden: Sequence[str]) -> nn.Module:
    """A copy: as it is; `with` batch norm behind these layers, where it has none anywhere; `without` any batch norm."""
    found = copied(module)
    there = {name for name, part in found.named_modules() if isinstance(part, _BatchNorm) and name}
    if how == "without":
        for name in there:
            put(found, name, nn.Identity().train(found.get_submodule(name).training))
    elif how == "with" and not there:
        layers = weighted(found)
        for name in hidden:
            if name in layers and name:
                put(found, name, Normed(layers[name]).train(layers[name].training))
    return found
