"""Images that come as numbers, with their labels: arrays in memory, and the items of a data set that is a program."""

from __future__ import annotations

import hashlib
import random
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Protocol, get_args, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from pellucid.errors import BadImage, PellucidError, unknown
from pellucid.images import Images, fingerprint, read
from pellucid.images.decode import printable
from pellucid.images.sources import Source, named, stamped
from pellucid.images.sources._rows import numbered

Scale = Literal["0..1", "0..255", "normalized"]
"""What the numbers of an image are: `normalized` ones are (x − mean) / std, as the network itself receives them."""
_SLACK = 1e-3
"""How far outside 0..1 a number may lie after the mean and std have been undone: rounding of float16 and bfloat16."""
_IMAGE, _LABEL = ("image", "pixel_values", "img", "x"), ("label", "labels", "y", "target")


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
        layout: Literal["chw"] | None = "chw" if isinstance(value, Tensor) and value.dim() == 3 else None
        real = value.is_floating_point() if isinstance(value, Tensor) else value.dtype.kind == "f"
        if not real:
            if self.scale in ("0..1", "normalized"):
                raise PellucidError(
                    f"{what} holds whole numbers ({value.dtype}), which are not {self.scale}: leave pixels= out, and "
                    "they are read as 0..255"
                )
            eight = value.dtype in (torch.uint8, np.uint8)
            whole = (0, 255) if self.scale == "0..255" and not eight else self.value_range
            return _named(read(value, value_range=whole, layout=layout, channels=self.channels), name)
        values = torch.as_tensor(value).detach().cpu()
        if not torch.isfinite(values).all():
            raise BadImage(f"{what} holds NaN or infinity")
        if self.scale == "normalized":
            values = self._undone(values, what)
        elif self.scale == "0..255":
            values = values / 255
        low, high = float(values.min()), float(values.max())
        if low < -_SLACK or high > 1 + _SLACK:
            raise PellucidError(f"{what} has numbers from {low:.3g} to {high:.3g}, outside 0 to 1: {self._ways()}")
        values = values.clamp(0, 1)
        if isinstance(value, np.ndarray):
            return _named(read(values.numpy(), channels=self.channels), name)
        return _named(read(values, layout=layout, channels=self.channels), name)

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
        given = labels.tolist() if isinstance(labels, (Tensor, np.ndarray)) else [_label(one) for one in labels]
        if len(given) != len(images):
            raise PellucidError(f"{len(images)} images and {len(given)} labels: one label for each image")
        if any(isinstance(one, list) for one in given):
            raise PellucidError("a label is one number or name for each image: of one-hot rows pass labels.argmax(1)")
        self._labels = numbered([_whole(one) for one in given], (), str(self))

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


@runtime_checkable
class MapStyle(Protocol):
    """What torch calls a map-style data set: so many items, each by its number."""

    def __len__(self) -> int:
        """How many."""
        ...

    def __getitem__(self, i: int) -> Any:
        """Item i."""
        ...


class Items(Numbers):
    """The (image, label) items of a map-style data set, in its own order. A label is known once its image is read.

    Whatever is random in an item (augmentation) is so by its number: the same each time, and the global generators
    are left as they were.
    """

    lazy = True

    def __init__(self, items: MapStyle, collate: Callable[[list[Any]], Any] | None = None, said: Sequence[str] = ()):
        super().__init__(type(items).__name__)
        self.items, self.collate, self._said, self._token = items, collate, tuple(said), uuid.uuid4().hex

    def __str__(self) -> str:
        return self.place

    @cached_property
    def classes(self) -> tuple[str, ...]:
        inner: Any = self.items
        while type(inner).__name__ == "Subset" and not isinstance(inner, Sequence):
            inner = inner.dataset
        found = getattr(inner, "classes", None)
        named = isinstance(found, (list, tuple)) and all(isinstance(one, str) for one in found)
        return tuple(found) if named and found else ()

    @property
    def notes(self) -> tuple[str, ...]:
        return self._said

    @property
    def identity(self) -> str:
        return self._token  # what a program will hand out cannot be known without reading all of it

    def __len__(self) -> int:
        return len(self.items)

    def name(self, i: int) -> str:
        return str(i)

    def label(self, i: int) -> int | None:
        return self.item(i)[1]

    def read(self, i: int) -> Images:
        return self.item(i)[0]

    def item(self, i: int) -> tuple[Images, int | None]:
        with _seeded(i):
            one = self.items[i]
            one = one if self.collate is None else self.collate([one])
        image, label = _pair(one, f"item {i} of {self}")
        image = image[0] if self.collate is not None and isinstance(image, (list, tuple)) else image
        label = _label(label)
        if isinstance(label, (list, tuple)) and len(label) == 1 and self.collate is not None:
            label = label[0]
        if isinstance(label, str):
            label = self._number(label, i)
        label = _whole(label)
        if label is not None and not isinstance(label, int):
            raise PellucidError(f"the label of item {i} of {self} is a {type(label).__name__}, no number of a class")
        return self.image(image, self.name(i)), label

    def _number(self, label: str, i: int) -> int:
        if label in self.classes:
            return self.classes.index(label)
        raise unknown(f"class in {self} for its item {i}", label, self.classes)


def loaded(loader: Any) -> Items:
    """The data set of a torch DataLoader, item by item. Refused where it has no order."""
    data: Any = sys.modules["torch.utils.data"]  # which somebody who holds a loader has imported
    if isinstance(loader.dataset, data.IterableDataset):
        raise PellucidError(
            f"{type(loader.dataset).__name__} is an IterableDataset, whose items have no numbers and no order: give a "
            "map-style data set, or (images, labels)"
        )
    usual = loader.collate_fn is data.default_collate
    items, said = loader.dataset, []
    if isinstance(loader.sampler, data.SubsetRandomSampler):
        items = data.Subset(items, sorted(loader.sampler.indices))
    if not isinstance(loader.sampler, data.SequentialSampler):
        said = [
            f"the order of the {type(loader.sampler).__name__} is not followed: images come in that of the data set"
        ]
    return Items(items, None if usual else loader.collate_fn, said)


def is_torch(value: Any, kind: str) -> bool:
    """Whether it is a `DataLoader`, `Dataset`, `IterableDataset` of torch; torch.utils.data is not imported for it."""
    data = sys.modules.get("torch.utils.data")
    return data is not None and isinstance(value, getattr(data, kind))


def check_scale(scale: Any) -> Scale | None:
    """The scale of pixels that somebody named. Raises UnknownName."""
    if scale is not None and scale not in get_args(Scale):
        raise unknown("scale of pixels", str(scale), get_args(Scale))
    found: Scale | None = scale
    return found


@contextmanager
def _seeded(i: int) -> Iterator[None]:
    """The global generators begin with a number, and are afterwards as before."""
    before = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        with torch.random.fork_rng(devices=[]):
            random.seed(i)
            np.random.seed(i % 2**32)  # noqa: NPY002  # the one that transforms draw from
            torch.default_generator.manual_seed(i)
            yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])  # noqa: NPY002


def _pair(item: Any, what: str) -> tuple[Any, Any]:
    """(image, label) of one item of a data set."""
    if isinstance(item, Mapping):
        image, label = (next((item[key] for key in keys if key in item), None) for keys in (_IMAGE, _LABEL))
        if image is not None and label is not None:
            return image, label
        raise PellucidError(
            f"{what} has {', '.join(map(str, item))}: an item is (image, label), or has these two by name"
        )
    if isinstance(item, (tuple, list)) and len(item) == 2:
        return item[0], item[1]
    raise PellucidError(f"{what} is no (image, label): data needs the class of each image")


def _label(label: Any) -> Any:
    """A tensor or array of one number as that number, of several as a list."""
    if isinstance(label, (Tensor, np.ndarray, np.generic)):
        label = label.tolist()
        return label[0] if isinstance(label, list) and len(label) == 1 else label
    return label


def _whole(label: Any) -> Any:
    """3.0 as 3, which is how some libraries hand out numbers of classes."""
    return int(label) if isinstance(label, float) and label.is_integer() else label


def _named(images: Images, name: str) -> Images:
    return replace(images, ids=(name,), notes=())


def _contents(value: Any) -> bytes:
    """A hash of an image, or of what tells it from others at no cost."""
    if isinstance(value, (Tensor, np.ndarray)):
        array = value.detach().cpu().float().numpy() if isinstance(value, Tensor) else value
        return hashlib.sha256(f"{array.dtype} {array.shape}".encode() + array.tobytes()).digest()
    if isinstance(value, (str, Path)):
        return repr((str(value), stamped(value))).encode()
    images = value if isinstance(value, Images) else read(value)
    return "".join(fingerprint(one) for one in images.pictures).encode()
