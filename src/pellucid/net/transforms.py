"""Preprocessing as people have it in their own code: torchvision's transforms, read as values; per-image z-scores; any
function of pixels, as the network's first step.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Literal, TypeAlias, cast, get_args

import torch
from torch import Tensor, nn

from pellucid.errors import BadNetwork, PellucidError
from pellucid.loading import Interpolation
from pellucid.net.preprocess import Preprocess

Preprocessing: TypeAlias = Preprocess | Callable[..., Any] | Literal["zscore"]
"""Values, torchvision transforms, 'zscore', or a function of pixels (N, C, H, W) in 0..1 that gives what goes in."""
_KINDS = "Resize, CenterCrop, Grayscale, ToTensor and Normalize"
_UNIT = ("ToTensor", "MaybeToTensor", "ConvertImageDtype")
"""Steps after which pixels are in 0..1."""
_BYTES = ("PILToTensor", "MaybePILToTensor", "ToImage", "ToDtype")
"""Steps after which they are in 0..255, unless another follows."""
_FLAT = 1e-8
"""Least deviation of an image that is divided by."""


def adopted(module: nn.Module, name: str, known: Preprocess, said: Any) -> tuple[nn.Module, str, Preprocess]:
    """A network, its name and its preprocessing, as somebody says that images are prepared for it.

    Values stay values, so that a crop, a mean and a deviation are as they would be of a network that brings them. A
    function becomes the first step of a shallow copy of the module, whose layers keep their names. Raises PellucidError
    for what is neither, and for transforms that cannot be read.
    """
    if isinstance(said, Preprocess):
        return module, name, said
    if hasattr(said, "crop_size") and hasattr(said, "mean"):
        return module, name, replace(preset(said), channels=known.channels)
    steps = list(_steps(said))
    if any(_is_torchvision(one) for one in steps):
        read = _read(steps)
        return module, name, replace(read, channels=1 if _grays(steps) else known.channels)
    if said != "zscore" and not callable(said):
        raise PellucidError(
            f"preprocess={said!r}: torchvision transforms, a Preprocess, 'zscore', or a function of pixels "
            "(N, C, H, W) in 0..1"
        )
    step, called = (zscore, "zscore") if said == "zscore" else (said, getattr(said, "__name__", type(said).__name__))
    known = replace(known, mean=(0.0,), std=(1.0,), unstated=(), step=called)
    return preceded(module, step), f"{name} after {called}", known


def zscore(pixels: Tensor) -> Tensor:
    """(N, C, H, W) with mean 0 and deviation 1 in each image, over all of its pixels; one color becomes zeros."""
    parts = (1, 2, 3)
    centered = pixels - pixels.mean(parts, keepdim=True)
    least = max(_FLAT**2, torch.finfo(pixels.dtype).tiny)  # before the root: at 0 that has no finite slope
    return centered / centered.square().mean(parts, keepdim=True).clamp_min(least).sqrt()


class _Preceded(nn.Module):
    """Before a class of modules: what it is shown goes through a function first."""

    _step: Callable[[Tensor], Tensor]

    def forward(self, x: Tensor, *more: Any, **named: Any) -> Any:
        """What the network says of step(x). Raises BadNetwork where the step gives no such tensor."""
        made = self._step(x)
        if not isinstance(made, Tensor) or made.ndim != x.ndim or len(made) != len(x):
            shape = tuple(made.shape) if isinstance(made, Tensor) else type(made).__name__
            raise BadNetwork(f"the preprocessing made {shape} of pixels {tuple(x.shape)}: it must give (N, C, H, W)")
        return super().forward(made, *more, **named)


def preceded(module: nn.Module, step: Callable[[Tensor], Tensor]) -> nn.Module:
    """The same network, its layers and its weights, behind `step`; the module that was given is left alone."""
    other = copy.copy(module)
    other.__class__ = type(type(module).__name__, (_Preceded, type(module)), {})
    vars(other)["_step"] = step  # not by setattr, with which a step that is a module would be a layer
    return other


def preset(transforms: Any) -> Preprocess:
    """The numbers of one of torchvision's presets; what it does not say is left as it is."""
    resize = getattr(transforms, "resize_size", None)
    crop = getattr(transforms, "crop_size", None)
    return Preprocess(
        None if resize is None else resize[0] if len(resize) == 1 else (resize[0], resize[1]),
        None if crop is None else (crop[0], crop[-1]),
        getattr(transforms.interpolation, "value", "bilinear") if resize else "bilinear",
        tuple(getattr(transforms, "mean", (0.0,))),
        tuple(getattr(transforms, "std", (1.0,))),
    )


def _steps(said: Any) -> Iterator[Any]:
    """One after the other, out of whatever holds them."""
    inner = said if isinstance(said, nn.Sequential) else getattr(said, "transforms", None)
    if inner is None:
        yield said
        return
    for one in inner:
        yield from _steps(one)


def _is_torchvision(step: Any) -> bool:
    return any(kind.__module__.startswith("torchvision.transforms") for kind in type(step).__mro__)


def _grays(steps: list[Any]) -> bool:
    return any(type(one).__name__ == "Grayscale" and one.num_output_channels == 1 for one in steps)


def _read(steps: list[Any]) -> Preprocess:
    """Resize, crop, mean and deviation, as these steps have them one after the other."""
    found, top = Preprocess(), 1.0
    for step in steps:
        name = type(step).__name__
        if name in _UNIT or (name == "ToDtype" and step.scale):
            top = 1.0
        elif name in _BYTES:
            top = 255.0
        elif name == "Normalize":
            mean, std = ([float(one) / top for one in numbers] for numbers in (step.mean, step.std))
            found, top = replace(found, mean=tuple(mean), std=tuple(std)), 1.0
        elif name == "Resize" and found.crop is None and step.max_size is None:
            found = _resized(found, step)
        elif name == "CenterCrop":
            height, width = (step.size,) * 2 if isinstance(step.size, int) else (step.size[0], step.size[-1])
            found = replace(found, crop=(int(height), int(width)))
        elif name not in ("Grayscale", "ToPureTensor", "Identity"):
            raise PellucidError(f"preprocess: {_unread(name)}")
    return found if top == 1 else replace(found, std=(1 / top,))


def _resized(found: Preprocess, step: Any) -> Preprocess:
    sides = [step.size] if isinstance(step.size, int) else list(step.size)
    way = getattr(step.interpolation, "value", "bilinear")
    if way not in get_args(Interpolation):
        raise PellucidError(f"preprocess: Resize by {way} is not known: {', '.join(get_args(Interpolation))} are")
    size = int(sides[0]) if len(sides) == 1 else (int(sides[0]), int(sides[1]))
    return replace(found, resize=size, interpolation=cast(Interpolation, way))


def _unread(name: str) -> str:
    """What to say of a step that is not read."""
    if name.startswith("Random") or name in ("ColorJitter", "AutoAugment", "TrivialAugmentWide", "AugMix"):
        return f"{name} is of training: give the transforms of validation"
    where = " behind a crop, or with max_size," if name == "Resize" else ""
    return (
        f"{name}{where} cannot be read as values, {_KINDS} can; of all else give a function of pixels (N, C, H, W) in "
        "0..1"
    )
