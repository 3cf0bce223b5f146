"""Small pictures of what the network saw of the images of an index: as the sweep kept them, or read again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, UInt8
from numpy.typing import NDArray

from pellucid.errors import PellucidError
from pellucid.index.folds.thumbnails import SIDE, framed
from pellucid.progress import steps
from pellucid.rng import generator

if TYPE_CHECKING:
    from pellucid.images import Images
    from pellucid.index.index import Index
    from pellucid.net import Net

_KEPT, _READ = 5000, 200
"""Images that a mean is taken over: a thumbnail is decoded in 0.1 ms, a photo in 10 ms and more."""


def small(index: Index, image: int, side: int = SIDE) -> UInt8[np.ndarray, "h w 3"] | None:
    """What the network saw of an image, at least so large if that is to be had: as it is kept, if it is kept so large,
    else from the image. Where that is not to be read any more it is what is kept, or None.

    Raises PellucidError where all images are elsewhere by now, and nothing is kept.
    """
    kept = None if index.kept_thumbnails is None else index.kept_thumbnails.of(image)
    if kept is not None and max(kept.shape[:2]) >= min(side, max(index.image_size)):
        return kept
    try:
        found = index.readable(image)
    except (PellucidError, OSError):
        if kept is None:
            raise
        return kept
    return kept if found is None else index.preprocess.prepare(found).shown(0, seen=True)


def shrunk(net: Net, picture: Images | None, side: int = SIDE) -> UInt8[np.ndarray, "side side 3"]:
    """What a network sees of an image, small: whole, on gray where it is not square; gray where there is none."""
    return framed(None if picture is None else net.prepare(picture).shown(0, seen=True), side)


def thumbnails(
    index: Index, images: NDArray[np.int64], most: int, seed: int, side: int = SIDE
) -> tuple[UInt8[np.ndarray, "t side side 3"], NDArray[np.int64]]:
    """(small images, of which rows they are): of all images that can be shown, or of so many, drawn at random."""
    which = np.arange(len(images))
    if len(images) > most:
        which = np.sort(generator(seed, "thumbnails").choice(len(images), most, replace=False))
    found, good = [], []
    for i in steps(which.tolist(), "thumbnails"):
        picture = small(index, int(images[i]), side)
        if picture is not None:
            found.append(framed(picture, side))
            good.append(i)
    return (np.stack(found) if found else np.zeros((0, side, side, 3), np.uint8)), np.array(good, np.int64)


def mean_of(
    index: Index, images: Sequence[int], side: int = SIDE, seed: int = 0
) -> tuple[Float[np.ndarray, "side side 3"], int]:
    """(mean of the small pictures of these images in 0..255, of how many it is): of all, or of a part drawn at random,
    5000 where they are kept with the index and 200 where they have to be read.

    Raises PellucidError where none of them can be shown.
    """
    kept = index.kept_thumbnails
    most = _KEPT if kept is not None and kept.side >= side else _READ
    found, _ = thumbnails(index, np.asarray(images, np.int64), most, seed, side)
    if not len(found):
        raise PellucidError(f"none of these {len(images)} images can be read any more: there is no mean picture")
    return found.mean(0, dtype=np.float64), len(found)
