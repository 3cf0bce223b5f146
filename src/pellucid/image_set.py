"""Many images in a stated order, whether they have classes or not, each read when it is its turn."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from pellucid.data import Data, DataLike
from pellucid.errors import PellucidError
from pellucid.files import WITHOUT_FILE
from pellucid.images import Images, ImagesLike
from pellucid.images.files import is_picture
from pellucid.images.sources import Source
from pellucid.images.sources.numbers import Held
from pellucid.net import Net


@dataclass(frozen=True, eq=False)
class ImageSet(Data):
    """Images in the order of their source. Classes that a folder or a file may know are left aside."""

    written, format, samples = "PHOTOS", "images", ("photos/",)
    help = "images: a folder, an image, .tar, .parquet, .npz, or a URL of these"
    said: str = ""
    """What was written for images that were read at once."""

    @classmethod
    def of(cls, value: ImageSetLike, **how: Any) -> ImageSet:
        """From a folder, .tar, .parquet, .npz or a URL of these; from an image or a list of whatever `read` takes, from
        `Images`; from `Data`. PellucidError in one line where that is none.
        """
        if isinstance(value, ImageSet):
            return value
        text = str(value) if isinstance(value, (str, Path)) else ""
        if text and not text.startswith(WITHOUT_FILE) and not is_picture(text):
            return cls(Source.of(text))
        if text or isinstance(value, (Images, Tensor, np.ndarray)) or _pictures(value):
            images = Images.of(cast(ImagesLike, value))
            return cls(Held(images, [0] * len(images), text or f"{len(images)} images"), said=text)
        found = Data.of(cast(DataLike, value), **how)
        return cls(found.source, found.classes, found.pixels, found.picks)

    def on(self, net: Net) -> ImageSet:
        """The same, with the scale and the channels that the network takes."""
        return self._scaled(net)

    @property
    def _usable(self) -> NDArray[np.int64]:
        """All of them."""
        return np.arange(len(self.source))

    @property
    def labels(self) -> NDArray[np.int64]:
        """There are none."""
        raise PellucidError(f"{self}: these images are asked about without their classes")

    def item(self, i: int) -> tuple[Images, None]:  # type: ignore[override]
        """Image i, without a class."""
        return self.image(i), None

    def plain(self) -> Any:
        """What was written for it."""
        return self.said or super().plain()


def _pictures(value: Any) -> bool:
    """Whether it is a list of images, and none of (image, label) pairs."""
    return isinstance(value, list) and not (value and isinstance(value[0], tuple))


ImageSetLike: TypeAlias = ImageSet | DataLike | ImagesLike
"""Many images: a folder, .tar, .parquet, .npz, a URL of these, or whatever `read` takes, and lists of it."""
