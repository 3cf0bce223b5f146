"""Images that come as numbers, and what these numbers are; arrays in memory, with a label for each."""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import Tensor

from pellucid.errors import BadImage, PellucidError, unknown
from pellucid.files import printable
from pellucid.images import Images, fingerprint, read
from pellucid.images.arrays import Layout, Range, from_array, from_tensor
from pellucid.images.sources import Source, named, stamped
from pellucid.images.sources._rows import numbered
from pellucid.notes import Note

Scale = Literal["0..1", "0..255", "normalized"]
"""What the numbers of an image are: `normalized` ones are (x − mean) / std, as the network itself receives them."""
_SLACK = 1e-3
"""How far outside 0..1 a number may lie: rounding; more where the type of the numbers is coarser."""


class Numbers(Source):
    """A source of arrays and tensors. `scale` is what somebody has said of their numbers, `normal` the (mean, std)."""

    kind = "memory"
    scale: Scale | None = None
    normal: tuple[tuple[float, ...], tuple[float, ...]] | None = None
    channels: int | None = None

    def image(self, value: Any, name: str) -> Images:
        """One image from its numbers, or from anything else that `read` takes."""
        if not isinstance(value, (Tensor, np.ndarray)):
            return named(value, name, self.value_range)
        what = f"{printable(name)!r} of {self}"
        if isinstance(value, Tensor) and value.dim() == 4 and len(value) == 1:
            value = value[0]
        layout: Layout | None = "chw" if isinstance(value, Tensor) and value.dim() == 3 else None
        real = value.is_floating_point() if isinstance(value, Tensor) else value.dtype.kind == "f"
        if not real:
            if self.scale in ("0..1", "normalized"):
                raise PellucidError(
                    f"{what} holds whole numbers ({value.dtype}), which are not {self.scale}: leave pixels= out, and "
                    "they are read as 0..255"
                )
            eight = value.dtype in (torch.uint8, np.uint8)
            full = (0, 255) if self.scale == "0..255" and not eight else self.value_range
            return _image(value, name, full, layout, self.channels)
        values, slack = _floats(value)
        if not values.numel() or not torch.isfinite(values).all():
            raise BadImage(f"{what} holds {'NaN or infinity' if values.numel() else 'no pixels'}")
        if self.scale == "normalized":
            values = self._undone(values, what)
        elif self.scale == "0..255":
            values = values / 255
        low, high = float(values.min()), float(values.max())
        if low < -slack or high > 1 + slack:
            raise PellucidError(f"{what} has numbers from {low:.3g} to {high:.3g}, outside 0 to 1: {self._ways()}")
        values = values.clamp(0, 1)
        return _image(values if isinstance(value, Tensor) else values.numpy(), name, None, layout, self.channels)

    def _undone(self, values: Tensor, what: str) -> Tensor:
        """As they were before the network's mean and std."""
        if self.normal is None:
            raise PellucidError(f"{what} is said to be normalized: only a network knows by which mean and std")
        mean, std = (torch.tensor(one, dtype=values.dtype).view(-1, 1, 1) for one in self.normal)
        if values.dim() == 3 and len(mean) in (1, len(values)):
            return values * std + mean
        raise PellucidError(f"{what} is {tuple(values.shape)}: normalized images are (channels, height, width)")

    def _ways(self) -> str:
        if self.scale == "normalized":
            return "they were normalized by another mean and std: say which, load(..., mean=, std=)"
        said = f"not {self.scale} then; " if self.scale else ""
        return f"{said}say pixels='normalized' where mean and std were applied already, or pixels='0..255'"


class Held(Numbers):
    """Images in memory, `(N, …)` arrays or a list of whatever `read` takes, and a label for each."""

    def __init__(self, images: Any, labels: Any, place: str = "arrays") -> None:
        super().__init__(place)
        self.images = images
        given = labels.tolist() if isinstance(labels, (Tensor, np.ndarray)) else [scalar(one) for one in labels]
        if len(given) != len(images):
            raise PellucidError(f"{len(images)} images and {len(given)} labels: one label for each image")
        if any(isinstance(one, list) for one in given):
            raise PellucidError("a label is one number or name for each image: of one-hot rows pass labels.argmax(1)")
        self._labels = numbered([whole(one) for one in given], (), str(self))

    def __str__(self) -> str:
        return self.place

    @property
    def classes(self) -> tuple[str, ...]:
        return self._labels[1]

    @cached_property
    def identity(self) -> str:
        digest = hashlib.sha256(repr(self._labels).encode())
        for one in self.images:
            digest.update(_contents(one))
        return digest.hexdigest()

    def __len__(self) -> int:
        return len(self.images)

    def name(self, i: int) -> str:
        return self.images.ids[i] if isinstance(self.images, Images) else str(i)

    def label(self, i: int) -> int | None:
        return self._labels[0][i]

    def read(self, i: int) -> Images:
        one = self.images[i]
        return one if isinstance(one, Images) else self.image(one, self.name(i))


def _floats(value: Tensor | np.ndarray) -> tuple[Tensor, float]:
    """The numbers in memory of their own, float32 at least, and how far they may lie outside of their range."""
    if isinstance(value, Tensor):
        values = value.detach().cpu()
        slack = max(_SLACK, torch.finfo(value.dtype).eps)
    else:
        values = torch.from_numpy(np.array(value, dtype=value.dtype.newbyteorder("=")))  # a file's may be read-only
        slack = max(_SLACK, float(np.finfo(value.dtype).eps))
    return (values if values.dtype == torch.float64 else values.float()), slack


def check_scale(scale: Any) -> Scale | None:
    """The scale of pixels that somebody named. Raises UnknownName."""
    if scale is not None and scale not in get_args(Scale):
        raise unknown("scale of pixels", str(scale), get_args(Scale))
    found: Scale | None = scale
    return found


def scalar(label: Any) -> Any:
    """A tensor or array of one number as that number, of several as a list."""
    if isinstance(label, (Tensor, np.ndarray, np.generic)):
        label = label.tolist()
        return label[0] if isinstance(label, list) and len(label) == 1 else label
    return label


def whole(label: Any) -> Any:
    """3.0 as 3, which is how some libraries hand out numbers of classes."""
    return int(label) if isinstance(label, float) and label.is_integer() else label


def _image(
    value: Tensor | np.ndarray, name: str, full: Range | None, layout: Layout | None, channels: int | None
) -> Images:
    """As `read` does, without an id made from the pixels: it has a name."""
    if isinstance(value, Tensor):
        (found,) = from_tensor(value, full, layout, channels)
    else:
        found = from_array(value, full, layout, channels)
    notes = Note.many("input", found.notes, name)
    return Images.from_pictures([found.picture], [name], notes, [found.value_range])


def _contents(value: Any) -> bytes:
    """A hash of an image, or of what tells it from others at no cost."""
    if isinstance(value, (Tensor, np.ndarray)):
        array = value.detach().cpu().float().numpy() if isinstance(value, Tensor) else value
        return hashlib.sha256(f"{array.dtype} {array.shape}".encode() + array.tobytes()).digest()
    if isinstance(value, (str, Path)):
        return repr((str(value), stamped(value))).encode()
    images = value if isinstance(value, Images) else read(value)
    return "".join(fingerprint(one) for one in images.pictures).encode()
