"""Handcrafted descriptors of images: what nothing that was learned can have put into them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float, UInt8
from numpy.typing import NDArray
from PIL import Image

from pellucid.images import Images
from pellucid.index import Index
from pellucid.index.embedding import Embedding
from pellucid.index.measured import Block, measured
from pellucid.index.thumbnails import shrunk
from pellucid.net import Net
from pellucid.progress import steps

Descriptor = Literal["hog", "lbp", "colors", "pixels"]
DESCRIPTORS: tuple[Descriptor, ...] = get_args(Descriptor)
TITLES: dict[Descriptor, str] = {
    "hog": "HOG: gradients", "lbp": "LBP: texture", "colors": "colors", "pixels": "pixels",
}  # fmt: skip
_SIDE, _FEWEST, _PIXELS, _BINS = 64, 16, 32, 8
_VERSION = 1


def described(net: Net, images: Images, kind: Descriptor) -> Float[np.ndarray, "m f"]:
    """(M, F) of some images, as the network sees them and no larger than 64 × 64."""
    return np.stack([descriptor(shrunk(net, one, _side(net)), kind) for one in images])


def descriptors_of(index: Index, kinds: Sequence[Descriptor]) -> dict[Descriptor, Embedding]:
    """The images of an index by each of these descriptors, every image read once; those that cannot be read any more
    are left out. They are kept with the index, and asked again of the same index object they are at hand.
    """
    held: dict[Descriptor, Embedding] = index.remembered(("descriptors",), dict)
    missing = [one for one in dict.fromkeys(kinds) if one not in held]
    if missing:
        names = {_name(index, kind): kind for kind in missing}
        numbers, found = [np.zeros(0, np.int64)], {name: list[np.ndarray]() for name in names}
        widths = {name: _width(index, kind) for name, kind in names.items()}
        for images, rows in measured(index, widths, partial(_measured, index, names), "blocks of images described"):
            numbers.append(images)
            for name, values in rows.items():
                found[name].append(values)
        every = np.concatenate(numbers)
        for name, kind in names.items():
            held[kind] = Embedding(TITLES[kind], every, np.concatenate(found[name]))
    return {kind: held[kind] for kind in kinds}


def _name(index: Index, kind: Descriptor) -> str:
    """Under which the rows of a descriptor are kept; `_VERSION` is raised when their bits change."""
    return f"{kind}-{_VERSION}-{_side(index.net)}"


def _measured(index: Index, names: Mapping[str, Descriptor], images: list[int], missing: Sequence[str]) -> Block:
    numbers, found = list[int](), {name: list[np.ndarray]() for name in missing}
    for i in steps(images, "images described"):
        image = index.readable(i)
        if image is None:
            continue
        numbers.append(i)
        small = shrunk(index.net, image, _side(index.net))
        for name in missing:
            found[name].append(descriptor(small, names[name]))
    rows = {
        name: np.stack(some) if some else np.zeros((0, _width(index, names[name])), np.float32)
        for name, some in found.items()
    }
    return np.array(numbers, np.int64), rows


def _width(index: Index, kind: Descriptor) -> int:
    side = _side(index.net)
    return len(descriptor(np.zeros((side, side, 3), np.uint8), kind))


def _side(net: Net) -> int:
    """Of the pictures that are described: those of small images are no larger than they are."""
    return int(np.clip(max(net.size), _FEWEST, _SIDE))


def descriptor(small: UInt8[np.ndarray, "side side 3"], kind: Descriptor) -> NDArray[np.float32]:
    """(F,) of one small picture."""
    found: np.ndarray
    if kind == "pixels":
        found = np.asarray(Image.fromarray(small).resize((_PIXELS, _PIXELS), Image.Resampling.BOX)).ravel() / 255
    elif kind == "colors":
        found = np.concatenate(
            [np.bincount(small[..., c].ravel() // (256 // _BINS), minlength=_BINS) for c in range(3)]
        )
        found = found / small[..., 0].size
    elif kind == "hog":
        from skimage.feature import hog

        found = hog(small, orientations=9, pixels_per_cell=(8, 8), cells_per_block=(2, 2), channel_axis=-1)
    else:
        from skimage.feature import local_binary_pattern

        gray = np.asarray(Image.fromarray(small).convert("L"))
        codes = local_binary_pattern(gray, 8, 1, "nri_uniform").astype(np.int64)
        half = len(codes) // 2
        parts = [codes[:half, :half], codes[:half, half:], codes[half:, :half], codes[half:, half:]]
        found = np.concatenate([np.bincount(one.ravel(), minlength=59) / one.size for one in parts])
    return np.asarray(found, np.float32)
