"""Image loading: any image-like value to (C, H, W) floats in 0..1, with an id and the geometry of the crop."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from jaxtyping import Shaped, UInt8
from torch import Tensor

from pellucid.errors import BadImage
from pellucid.faces import strip
from pellucid.files import IMAGES as SUFFIXES
from pellucid.geometry import View
from pellucid.images.arrays import Layout, Range
from pellucid.images.decode import Decodable, decode
from pellucid.images.files import found_in
from pellucid.images.samples import samples
from pellucid.notes import Note
from pellucid.nouns import Noun

__all__ = ["SUFFIXES", "Images", "ImagesLike", "pictures_in", "read", "samples"]

_NAMED = 4  # images that are named in a line
_WINDOW = (0.01, 0.99)
"""Quantiles of a deep image that are shown as black and white."""
_DARK = 0.1
"""An image of floats whose upper quantile is below this is shown through the window, too."""


@dataclass(frozen=True, eq=False)
class Images(Noun):
    """N images: channel-first pixels, a stable id each, and how each was cut from its original.

    `pictures` are (C, H, W) tensors, uint8 in 0..255 or float in 0..1, RGB where C = 3; they may differ in
    size until a network has cut them to its own. `originals` are the images as they were read.
    """

    written, samples, format = "IMAGE", ("sample:panda", "sample:koala"), "image"
    help = "image file, URL, or sample such as sample:panda"
    many = by_network = True
    pictures: tuple[Tensor, ...]
    ids: tuple[str, ...]
    originals: tuple[Tensor, ...]
    views: tuple[View, ...]
    notes: tuple[Note, ...] = ()
    """What reading had to decide, for example of 'panda.gif': first of 12 frames."""
    cut_by: object = None
    """The preprocessing that cut them; None for originals. Who has it sees them as they are."""
    value_ranges: tuple[Range | None, ...] = ()
    """For each image the values that became 0 and 1, where it was deeper than 8 bits or the user said them."""

    @classmethod
    def of(cls, value: ImagesLike) -> Images:
        """`value` itself, or whatever `read` makes of it."""
        return value if isinstance(value, Images) else read(value)

    @classmethod
    def made(cls, value: Any, net: Any) -> Images:
        """With the channels and values that the network takes, which what an array means depends on."""
        return cls.of(value) if net is None or value is None else cls.of(net.images(value))

    @classmethod
    def from_pictures(
        cls,
        pictures: Sequence[Tensor],
        ids: Sequence[str],
        notes: Sequence[Note] = (),
        value_ranges: Sequence[Range | None] = (),
    ) -> Images:
        """Images that are their own originals."""
        views = tuple(View.whole(*picture.shape[-2:]) for picture in pictures)
        return cls(tuple(pictures), tuple(ids), tuple(pictures), views, tuple(notes), value_ranges=tuple(value_ranges))

    def __repr__(self) -> str:
        names = ", ".join((*self.ids[:_NAMED], *([f"and {len(self) - _NAMED} more"] if len(self) > _NAMED else [])))
        shapes = {"×".join(map(str, one.shape)) for one in self.pictures}
        return f"Images({len(self)}: {names}; {shapes.pop() if len(shapes) == 1 else f'{len(shapes)} sizes'})"

    def _repr_html_(self) -> str:
        most = 3 * _NAMED
        return strip((self.shown(i) for i in range(min(len(self), most))), self.ids[:most], max(len(self) - most, 0))

    @property
    def pixels(self) -> Tensor:
        """All images as one float tensor (N, C, H, W) in 0..1; they must be of one size."""
        shapes = {tuple(picture.shape) for picture in self.pictures}
        if len(shapes) != 1:
            sizes = ", ".join(sorted("×".join(map(str, shape)) for shape in shapes))
            raise BadImage(f"images of {len(shapes)} sizes are no one tensor: {sizes}; {_one_size(shapes)}")
        with torch.inference_mode(False):  # whoever asks may want gradients, even where the caller wants none
            return torch.stack([as_float(picture) for picture in self.pictures])

    def on(self, device: torch.device) -> Images:
        """The same, with their pixels on that device; the originals stay where they are."""
        if all(picture.device == device for picture in self.pictures):
            return self
        return replace(self, pictures=tuple(picture.to(device) for picture in self.pictures))

    @property
    def title(self) -> str:
        """Their names."""
        return ", ".join(self.ids)

    def facts(self) -> dict[str, Any]:
        """What a result's Meta records."""
        return {"images": self.ids}

    @property
    def identity(self) -> str:
        """Every pixel, also of the originals, which answers are drawn over; the names, which noise is drawn by; and
        where in its original each image is.
        """
        digest = hashlib.sha256()
        originals = [whole for whole, cut in zip(self.originals, self.pictures, strict=True) if whole is not cut]
        for picture in (*self.pictures, *originals):
            digest.update(f"{picture.dtype} {tuple(picture.shape)}".encode())
            digest.update(picture.contiguous().cpu().numpy().tobytes())
        return json.dumps([digest.hexdigest(), self.ids, repr(self.views), repr(self.cut_by), self.value_ranges])

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, i: int) -> Images:
        """Image i alone."""
        one = (self.pictures[i],), (self.ids[i],), (self.originals[i],), (self.views[i],)
        notes = tuple(note for note in self.notes if note.about(one[1]))
        return Images(*one, notes, self.cut_by, (self.value_range(i),))

    def __iter__(self) -> Iterator[Images]:
        return (self[i] for i in range(len(self)))

    def __add__(self, other: Images) -> Images:
        """Both, one after the other."""
        return Images(
            self.pictures + other.pictures,
            self.ids + other.ids,
            self.originals + other.originals,
            self.views + other.views,
            self.notes + other.notes,
            self.cut_by if self.cut_by == other.cut_by else None,
            tuple(map(self.value_range, range(len(self)))) + tuple(map(other.value_range, range(len(other)))),
        )

    def value_range(self, i: int) -> Range | None:
        """The values that became 0 and 1 in image i, where they are known."""
        return self.value_ranges[i] if self.value_ranges else None

    def shown(self, i: int, *, seen: bool = False) -> UInt8[np.ndarray, "h w 3"]:
        """Image i in 8-bit colors for the eye, as it was read or as the network has `seen` it.

        An image deeper than 8 bits is shown through the window between its 1 % and 99 % quantiles: a slice with
        values up to 3,000 of 65,535 would be black. What the network is given is not touched.
        """
        picture = self.pictures[i] if seen else self.originals[i]
        deep = self.originals[i].dtype != torch.uint8
        window = _window(picture, self.value_range(i) is not None) if deep else (0.0, 1.0)
        return viewable(picture, window)


ImagesLike: TypeAlias = Images | Decodable | Sequence[Decodable]
"""Images, or what `read` makes them of: a path, a URL, `sample:NAME`, an array, a PIL image, bytes; or several."""


def as_float(picture: Tensor) -> Tensor:
    """uint8 0..255 -> float32 0..1; floats as they are."""
    return picture.float() / 255 if picture.dtype == torch.uint8 else picture


def viewable(picture: Shaped[Tensor, "c h w"], window: Range = (0.0, 1.0)) -> UInt8[np.ndarray, "h w 3"]:
    """As 8-bit colors for the eye, `window` from black to white: one channel as gray, of more the first three."""
    values = as_float(picture).nan_to_num()
    if window != (0.0, 1.0):
        values = (values - window[0]) / (window[1] - window[0])
    values = values.clamp_(0, 1).mul_(255).round_().byte()  # in place: nan_to_num has made a copy
    shown = values[:3] if values.shape[0] >= 3 else values[:1].expand(3, -1, -1)
    array: UInt8[np.ndarray, "h w 3"] = shown.permute(1, 2, 0).contiguous().cpu().numpy()
    return array


def _window(picture: Tensor, deep: bool) -> Range:
    """What is shown as black and as white of an image of floats in 0..1."""
    values = np.nan_to_num(picture[:3].detach().cpu().numpy())
    low, high = (float(one) for one in np.quantile(values, _WINDOW))
    if high <= low:  # nearly all of one value: its extremes, so that a few bright pixels are seen
        low, high = float(values.min()), float(values.max())
    return (low, high) if high > low and (deep or high < _DARK) else (0.0, 1.0)


def _one_size(shapes: set[tuple[int, ...]]) -> str:
    """What would make images of these shapes (C, H, W) one tensor."""
    if len({shape[1:] for shape in shapes}) == 1:
        return f"say how many channels the network takes, load(..., channels={max(shape[0] for shape in shapes)})"
    side = max(min(shape[1:]) for shape in shapes)
    return f"give the network one size of input, load(..., size={side}), or ask image by image"


def fingerprint(picture: Tensor) -> str:
    """A short id made from the pixels alone, for images that came without a name."""
    return hashlib.sha256(picture.contiguous().cpu().numpy().tobytes()).hexdigest()[:12]


def pictures_in(folder: str | Path) -> tuple[Path, ...]:
    """The image files of a folder and of those within it, by name. Raises BadImage where there are none."""
    return found_in(folder).files


def read(
    source: ImagesLike, *, value_range: Range | None = None, layout: Layout | None = None, channels: int | None = None
) -> Images:
    """Read one image, or several from a list or tuple: N images with the names they came under.

    A source is a path, `sample:NAME`, `scene:NUMBER` (generated), bytes, a file:// or http(s):// URL of an
    image, a PIL image, or an array: (H, W), (H, W, C) or (C, H, W), uint8 in 0..255, uint16 in 0..65535 or float
    in 0..1 (other floats need `value_range=(low, high)`); a torch tensor may also be (N, C, H, W). EXIF
    orientation is applied, transparency is laid on white, animations give their first frame; a TIFF keeps its
    bands, however many.

    Where the shape of an array does not tell where its channels are, `layout` says it ('chw' or 'hwc'), or
    `channels`, the number that the network takes; a network that is asked about an array says it by itself.
    Raises BadImage, in one line, for everything that cannot be read or would not be safe to read.
    """
    if isinstance(source, Images):
        return source
    if layout not in (None, "chw", "hwc"):
        raise BadImage(f"layout={layout!r}: 'chw' where the channels come first, or 'hwc' where they come last")
    many = source if isinstance(source, (list, tuple)) else [source]
    if not many:
        raise BadImage("no images: the list is empty")
    pictures, ids, ranges = [], [], []
    notes: list[Note] = []
    for one in many:
        for decoded in decode(one, value_range=value_range, layout=layout, channels=channels):
            ranges.append(decoded.value_range)
            pictures.append(decoded.picture)
            ids.append(decoded.name or fingerprint(decoded.picture))
            notes += Note.many("input", decoded.notes, ids[-1])
    return Images.from_pictures(pictures, ids, notes, ranges)
