"""The items of a map-style data set: a program that hands out (image, label) by number, as torch has them."""

from __future__ import annotations

import random
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch

from pellucid.errors import PellucidError, unknown
from pellucid.images import Images
from pellucid.images.sources.numbers import Numbers, scalar, whole
from pellucid.notes import Note

_IMAGE, _LABEL = ("image", "pixel_values", "img", "x"), ("label", "labels", "y", "target")


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
    def notes(self) -> tuple[Note, ...]:
        return Note.many("input", self._said)

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
        label = scalar(label)
        if isinstance(label, (list, tuple)) and len(label) == 1 and self.collate is not None:
            label = label[0]
        if isinstance(label, str):
            label = self._number(label, i)
        label = whole(label)
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
