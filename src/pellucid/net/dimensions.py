"""Networks of volumes and of signals, told apart from networks of images by what their convolutions are given."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from pellucid.errors import PellucidError, Refused
from pellucid.net import tap
from pellucid.net.layers import blank

if TYPE_CHECKING:
    from pellucid.net import Net

_FLAT = (nn.Conv2d, nn.ConvTranspose2d)
_VOLUMES = "3-d", "volumes (images, channels, depth, height, width)", "pixels[:, None]"
_SIGNALS = "1-d", "signals (images, channels, length)", "pixels.flatten(2)"
_OTHER: dict[type[nn.Module], tuple[str, str, str]] = {
    nn.Conv3d: _VOLUMES,
    nn.ConvTranspose3d: _VOLUMES,
    nn.Conv1d: _SIGNALS,
    nn.ConvTranspose1d: _SIGNALS,
}


def refuse_others(module: nn.Module, inputs: Tensor, name: str) -> None:
    """Refused where the first convolution is one of volumes or signals and is given the image (1, C, H, W) as it is.

    A Conv3d takes (channels, depth, height, width) without a word, so that an image would pass for a volume. It costs
    a forward pass for a network without a 2-d convolution, and nothing for others.
    """
    parts = dict(module.named_modules())
    others = {path: part for path, part in parts.items() if type(part) in _OTHER}
    if not others or any(isinstance(part, _FLAT) for part in parts.values()):
        return
    given: list[tuple[str, int]] = []

    def begun(path: str, values: tuple[Any, ...]) -> None:
        if path in others and not given and values and isinstance(values[0], Tensor):
            given.append((path, values[0].dim()))

    def nothing(*_: Any) -> None:
        """Operations and outputs do not matter here."""

    try:
        if isinstance(module, tuple(_OTHER)):
            given.append(("", 4))
        else:
            tap.trace(module, inputs, nothing, nothing, begun)
    except PellucidError:
        if not given:  # it did not come so far: the pass itself will say why
            return
    if given and given[0][1] == 4:
        kind, takes, how = _OTHER[type(others[given[0][0]])]
        which = f"its layer {given[0][0]!r}" if given[0][0] else "it"
        raise Refused(
            f"{name} is a network of {kind} convolutions ({which} is a {type(others[given[0][0]]).__name__}) and takes "
            f"{takes}, no images: wrap it in a module that makes them of an image's pixels (images, channels, "
            f"height, width), for example self.inner({how}), and ask for maps of pixels"
        )


def refused_once(cache: dict[Any, Any], module: nn.Module, made: Callable[[], Tensor], name: str) -> None:
    """The same, found out once for each network; `made` makes an input."""
    if "pictures" not in cache:
        if not isinstance(module, torch.jit.ScriptModule):
            refuse_others(module, made(), name)
        cache["pictures"] = True


def taken(net: Net, pixels: Tensor) -> None:
    """Refused, or PellucidError, where pixels in 0..1 are nothing that the network takes."""
    channels = net.preprocess.channels
    if pixels.dim() != 4 or 0 in pixels.shape:
        raise PellucidError(f"pixels of shape {tuple(pixels.shape)}: a network takes (images, channels, height, width)")
    if channels is not None and pixels.shape[1] != channels:
        raise PellucidError(f"pixels have {pixels.shape[1]} channels, {net.name} takes {channels}")
    if not torch.isfinite(pixels.detach().sum()) and not torch.isfinite(pixels.detach()).all():
        raise PellucidError("pixels hold NaN or infinity: no result would mean anything")
    size = pixels.shape[-2], pixels.shape[-1]
    refused_once(net._cache, net.module, lambda: blank(net.module, pixels.shape[1], size), net.name)
