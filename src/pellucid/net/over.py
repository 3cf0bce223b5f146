"""One network over many images: batch after batch, as many at once as memory holds."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from pellucid.errors import BadImage, OutOfMemory, PellucidError, is_out_of_memory
from pellucid.files import WITHOUT_FILE
from pellucid.geometry import View
from pellucid.images import Images
from pellucid.images.files import is_picture
from pellucid.images.labeled import FromSource, Labeled, Unlabeled
from pellucid.images.sources import Source, listed
from pellucid.notes import Note, say
from pellucid.progress import steps

if TYPE_CHECKING:
    from pellucid.net import Net, Run

_ORIGINALS = 2**28
"""Bytes of the images as they were read that one batch may hold: photos are much larger than what a network sees."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Some of the images, and what the network gave for them."""

    run: Run
    images: Images
    """As the network has seen them, N of them."""
    numbers: tuple[int, ...]
    """Their places in the data."""
    labels: Tensor | None
    """(N,) their classes, int64, where the network runs; None where the data has no classes of this network."""

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def ids(self) -> tuple[str, ...]:
        """What the images are called."""
        return self.images.ids

    @property
    def views(self) -> tuple[View, ...]:
        """Where in its original each image was cut from."""
        return self.images.views


@dataclass(eq=False)
class Over:
    """The batches of `Net.over`, which may be gone through again. It holds one batch of images at a time."""

    net: Net
    data: Labeled
    how: Mapping[str, Any]
    """What `Net.run` is called with."""
    batch: int | None = None
    unreadable: dict[str, str] = field(default_factory=dict)
    """Image -> why it could not be read, of those met so far."""
    _most: dict[tuple[int, ...], int] = field(default_factory=dict)

    def __len__(self) -> int:
        """How many images there are."""
        return len(self.data)

    def __iter__(self) -> Iterator[Batch]:
        """Batch after batch, in the order of the data. Raises BadImage where no image at all can be read."""
        self.unreadable.clear()
        held: list[_Seen] = []
        taken = 0
        for i in steps(range(len(self.data)), self.data.called):
            try:
                seen = self._read(i)
            except BadImage as error:
                self.unreadable[self.data.name(i)] = str(error)
                continue
            except OSError as error:  # gone between two looks
                self.unreadable[self.data.name(i)] = f"{self.data.name(i)!r}: {error.strerror or error}"
                continue
            if held and not self._fits(held, seen, taken):
                yield from self._batches(held)
                held, taken = [], 0
            held.append(seen)
            taken += seen.bytes
        yield from self._batches(held)
        self._told()

    def _read(self, i: int) -> _Seen:
        image, label = self.data.item(i)
        return _Seen(i, self.net.prepare(image), label)

    def _fits(self, held: list[_Seen], seen: _Seen, taken: int) -> bool:
        """Whether one more image may go into the batch, whose originals have `taken` so many bytes."""
        size = held[0].size
        if seen.size != size or taken + seen.bytes > _ORIGINALS:
            return False
        if size not in self._most:
            self._most[size] = self.batch or self._chunk((size[-2], size[-1]))
        return len(held) < self._most[size]

    def _chunk(self, size: tuple[int, int]) -> int:
        """Half of what fits where much is handed out: the last batch is there until the next one is."""
        grad = bool(self.how["grad"])
        most = self.net.chunk(size, grad=grad or bool(self.how["layers"]))
        return max(most // 2, 1) if grad or self.how["layers"] else most

    def _batches(self, held: list[_Seen]) -> Iterator[Batch]:
        """One batch, or several smaller ones where memory runs out."""
        most = len(held)
        while held:
            run = self._run(held[:most])
            if run is not None:
                yield _batch(run, held[:most])
                held = held[most:]
            elif most > 1:
                if self.batch is None:
                    self.net.halve()
                most //= 2
                self._most = {size: min(known, most) for size, known in self._most.items()}
            else:
                raise OutOfMemory(
                    f"{self.net.device} has no room for {held[0].image.ids[0]!r}, not even for one image at a time: "
                    "give the network a smaller input, or ask on a device with more memory"
                )
            del run

    def _run(self, some: list[_Seen]) -> Run | None:
        """None where memory runs out: whoever tries again must have left the handler, whose traceback fills it."""
        try:
            return self.net.run(torch.cat([one.image.pixels for one in some]), **self.how)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            return None

    def _told(self) -> None:
        """Say which images are missing."""
        if not self.unreadable:
            return
        first, why = next(iter(self.unreadable.items()))
        if len(self.unreadable) == len(self.data):
            raise BadImage(f"none of the {len(self.data)} {self.data.called} can be read; the first, {first!r}: {why}")
        names = listed(list(self.unreadable), len(self.unreadable))
        many = f"{len(self.unreadable)} of {len(self.data)} {self.data.called} could not be read and are left out"
        say(Note("unreadable", f"{many}: {names} ({why})"))


@dataclass(frozen=True, eq=False)
class _Seen:
    """One image as the network sees it, its place in the data and its class."""

    number: int
    image: Images
    label: int | None

    @property
    def size(self) -> tuple[int, ...]:
        return tuple(self.image.pictures[0].shape)

    @property
    def bytes(self) -> int:
        return sum(one.numel() * one.element_size() for one in self.image.originals)


def _batch(run: Run, some: list[_Seen]) -> Batch:
    images = reduce(add, (one.image for one in some))
    labels = [one.label for one in some if one.label is not None]
    known = torch.tensor(labels, dtype=torch.int64, device=run.net.device) if len(labels) == len(some) else None
    return Batch(run, images, tuple(one.number for one in some), known)


def batches(net: Net, data: Any, batch: int | None, **how: Any) -> Over:
    """The batches of `Net.over`."""
    if batch is not None and (isinstance(batch, bool) or not isinstance(batch, int) or batch < 1):
        raise PellucidError(f"batch={batch!r}: images at once, at least 1, or None for as many as memory holds")
    many = _labeled(net, data).on(net)
    # what is remembered is for the same images again, and these are too many
    return Over(replace(net, _run_cache=None), many, {**how, "layers": tuple(how["layers"])}, batch)


def _labeled(net: Net, data: Any) -> Labeled:
    """Images in an order, of what a person may mean by many images."""
    if isinstance(data, Labeled):
        return data
    text = str(data) if isinstance(data, (str, Path)) else None
    if text is not None and not is_picture(text) and not text.startswith(WITHOUT_FILE):
        data = Source.of(text)
    if isinstance(data, Source):
        source = copy.copy(data)
        source.value_range = net.preprocess.reading
        return FromSource(source)
    return Unlabeled(net.images(data))
