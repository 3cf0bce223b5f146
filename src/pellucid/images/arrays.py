"""Arrays and tensors as images: which axis holds the channels, and what value is black and what is white."""

from __future__ import annotations

import math
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pellucid.errors import BadImage
from pellucid.loading import Range as Range

Array = NDArray[Any]
Layout = Literal["chw", "hwc"]
"""Which axis of an image's array holds the channels: the first, or the last."""

_USUAL = (1, 3, 4)
"""Numbers of channels that need no second look: gray, RGB, RGBA."""
_SLACK = 1e-3
"""How far outside its range a float may lie, as a part of the range: rounding, a quarter of an 8-bit level."""

_TOLD = 0.005
"""Share of clipped values from which on it is said."""


class Pixels(NamedTuple):
    """One image as it was read."""

    picture: Tensor
    """(C, H, W), uint8 or, where it was deeper, float32 in 0..1."""
    notes: tuple[str, ...]
    value_range: Range | None
    """The values that became 0 and 1; None where they were those already, and of 8 bits."""


def from_array(
    array: Array, value_range: Range | None, layout: Layout | None = None, channels: int | None = None
) -> Pixels:
    """(H, W), (H, W, C) or (C, H, W) of numbers -> (C, H, W) tensor of its own memory, and notes.

    Where the shape may be both, `layout` says it, or `channels`, the number that a network takes.
    """
    if array.ndim > 3:
        raise BadImage(
            f"an array of shape {array.shape} is no single image: pass a list of images, or a torch tensor (N, C, H, W)"
        )
    what = f"an array of shape {array.shape}"
    picture = _channel_first(array, what, layout, channels)
    values, notes, used = scaled(picture, value_range, what)
    return Pixels(torch.from_numpy(np.array(values, order="C")), notes, used)


def from_tensor(
    tensor: Tensor, value_range: Range | None, layout: Layout | None = None, channels: int | None = None
) -> list[Pixels]:
    """As `from_array`; (N, C, H, W) gives N images."""
    what = f"a tensor of shape {tuple(tensor.shape)}"
    if tensor.layout != torch.strided or tensor.is_meta or tensor.is_quantized:
        raise BadImage(f"{what} holds no plain pixels: pass a dense tensor")
    tensor = tensor.detach().cpu()
    if tensor.dtype == torch.bfloat16:  # NumPy has none
        tensor = tensor.float()
    array = tensor.resolve_conj().resolve_neg().numpy()
    if array.ndim != 4:
        return [from_array(array, value_range, layout, channels)]
    if layout == "hwc":
        array = np.moveaxis(array, -1, 1)
    _, first, _, last = array.shape
    if layout is None and last in _USUAL and first not in (*_USUAL, channels):
        raise BadImage(f"{what} looks like (N, H, W, C): pass tensor.permute(0, 3, 1, 2), which is (N, C, H, W)")
    if not array.size:
        raise BadImage(f"{what} holds no pixels")
    read = (scaled(one, value_range, what) for one in array)
    return [Pixels(torch.from_numpy(np.array(values, order="C")), notes, used) for values, notes, used in read]


def _channel_first(array: Array, what: str, layout: Layout | None, channels: int | None) -> Array:
    """The same numbers as (C, H, W); refuses where either end of the shape may be the channels."""
    if not array.size and array.ndim:
        raise BadImage(f"{what} holds no pixels")
    if array.ndim == 2:
        return array[None]
    if array.ndim != 3:
        raise BadImage(f"{what} is no image: (H, W), (H, W, C) or (C, H, W) is")
    if layout is None:
        layout = _layout(array.shape, channels)
    if layout is None:
        raise BadImage(
            f"{what} may be (C, H, W) or (H, W, C), which cannot be told: "
            "say read(array, layout='hwc') or 'chw', or pass a torch tensor of shape (1, C, H, W)"
        )
    return array if layout == "chw" else np.moveaxis(array, -1, 0)


def _layout(shape: tuple[int, ...], channels: int | None) -> Layout | None:
    """Where the channels are, by what the network takes, else by how many images have; None where both may be."""
    first, middle, last = shape
    if channels is not None and (first == channels) != (last == channels):
        other = last if first == channels else first
        if other != 1 or channels in _USUAL:
            return "chw" if first == channels else "hwc"
        return None  # (1, 28, 28) for 28 channels: one row of pixels, or rather a gray image?
    if (first in _USUAL) != (last in _USUAL):
        return "chw" if first in _USUAL else "hwc"
    if first not in _USUAL:  # multi-spectral: few channels beside many pixels
        if 4 * first <= min(middle, last):
            return "chw"
        if 4 * last <= min(first, middle):
            return "hwc"
    return None


class Window(tuple[float, float]):
    """A range whose reader clips what lies outside, where it would otherwise refuse the image."""

    __slots__ = ()

    @classmethod
    def where(cls, clips: object, value_range: Range | None) -> Range | None:
        """The range, as a window where it clips; None stays None."""
        return cls(value_range) if clips and value_range else value_range

    def __eq__(self, other: object) -> bool:
        """Another window of these ends: images read through it differ from those read on the range."""
        return isinstance(other, Window) and tuple(self) == tuple(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash((Window, *self))


def check_range(value_range: Any) -> Range | None:
    """The range as two finite floats, low < high; None stays None, and a window one."""
    if value_range is None:
        return None
    if isinstance(value_range, Window):
        return Window(check_range(tuple(value_range)) or ())
    try:
        low, high = (float(value) for value in value_range)
    except (TypeError, ValueError) as error:
        raise BadImage(f"value_range={value_range!r} is not (low, high): two numbers, black and white") from error
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise BadImage(f"value_range={value_range!r} is not (low, high) with low < high, both finite")
    return low, high


def scaled(
    array: Array, value_range: Range | None, what: str, *, white: float | None = None
) -> tuple[Array, tuple[str, ...], Range | None]:
    """Numbers -> uint8 as they are, or float32 in 0..1; notes; the values that became 0 and 1.

    `white` is the full scale of an integer format deeper than 8 bits, where the file says it. An explicit
    `value_range` goes before every guess. Refuses NaN, infinity and values outside the range.
    """
    kind = array.dtype.kind
    if kind not in "buif":
        raise BadImage(f"{what} holds {array.dtype} values, no numbers of pixels: pass uint8, or float in 0..1")
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    if kind == "b":
        return array.astype(np.uint8) * np.uint8(255), (), None
    if array.dtype == np.uint8 and value_range is None:
        return array, (), None
    wrong = 0 if kind != "f" else int(array.size - np.count_nonzero(np.isfinite(array)))
    if wrong:
        raise BadImage(f"{what}: {wrong} of {array.size} values are NaN or infinite")
    least, most = float(array.min()), float(array.max())
    if array.dtype == np.uint16 and white is None:
        white = 65535.0
    low, high = value_range or (0.0, white or 1.0)
    seen = f"{least:g} to {most:g}"
    if value_range is None and white is None and kind != "f":
        raise BadImage(
            f"{what} has {array.dtype} values from {seen}, and nothing says which is white: "
            "pass value_range=(black, white)"
        )
    slack = _SLACK * (high - low)
    clips = isinstance(value_range, Window)
    if clips:
        value_range, slack = (low, high), math.inf
    if least < low - slack or most > high + slack:
        hint = (
            "pass another value_range, or clip them, load(..., clip=True)"
            if value_range
            else "pass value_range=(black, white), or clip them"
        )
        raise BadImage(f"{what} has values from {seen}, outside {low:g} to {high:g}: {hint}")
    notes: tuple[str, ...] = ()
    if clips and (outside := float(((array < low) | (array > high)).mean())) >= _TOLD:
        notes = (f"{low:g} to {high:g} from black to white; {outside:.0%} of the values lie outside and are clipped",)
    if value_range is None and white and most < white / 15:
        notes = (
            f"very dark: values from {seen} of {white:g}; if white is less, say it to the network as well, "
            "whose mean and std are then in these units: value_range=(0, WHITE)",
        )
    exact = np.float32 if array.dtype.itemsize < 4 or array.dtype == np.float32 else np.float64
    unit: Array = array.astype(exact)
    unit = (unit - low) / (high - low)
    return np.clip(unit, 0.0, 1.0).astype(np.float32), notes, value_range or ((low, high) if white else None)
