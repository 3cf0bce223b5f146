"""A finished sweep, opened: its images, its network, and what its statistics found."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import BadImage, PellucidError, UnknownName
from pellucid.images import Images
from pellucid.images.sources import Source
from pellucid.index.chosen import Chosen
from pellucid.index.folds.labels import ClassLabels
from pellucid.net import Net, Preprocess
from pellucid.net.load import load
from pellucid.net.over import Over
from pellucid.notes import Note, say
from pellucid.nouns import Noun
from pellucid.sweep._checked import asks_elsewhere, refused, runs_code
from pellucid.sweep.fold import Fold, Read
from pellucid.sweep.hashes import Hashes
from pellucid.sweep.plan import Plan
from pellucid.sweep.shard import same
from pellucid.sweep.store import Store

Made = TypeVar("Made")
Own = TypeVar("Own", bound="Opened")
_HELD = 12
"""Results that are kept at hand for whoever asks again, such as the rows of a layer."""
_WAYS = {"images": "index.with_images(FOLDER)", "net": "index.with_net(pl.load(…))"}


@dataclass(frozen=True, eq=False)
class Opened(Noun):
    """A finished sweep over images. Its arrays are memory-mapped: opening it reads almost nothing."""

    has_network = True
    store: Store
    moved: str | None = None
    """Where the images lie now, if not where they were."""
    given: Net | None = None
    """The network, where it is at hand."""
    ways: Mapping[str, str] = field(default_factory=lambda: dict(_WAYS))
    """How whoever asks names the network and the images: Python and the command line have words of their own."""
    said: tuple[Note, ...] = ()
    """What was found and passed over when it was made."""

    @classmethod
    def of(cls: type[Own], value: Any) -> Own:
        """That in a folder."""
        if isinstance(value, cls):
            return value
        index = cls(value if isinstance(value, Store) else Store.open(value))
        index.store.current  # noqa: B018  # an unfinished one is refused at once
        return index

    @property
    def plan(self) -> Plan:
        """What was done."""
        return self.store.plan

    @property
    def notes(self) -> tuple[Note, ...]:
        """What every result of this index carries: what making it passed over, where it was made just now."""
        return self.said

    @property
    def title(self) -> str:
        """Its folder."""
        return str(self.store.folder)

    def facts(self) -> dict[str, Any]:
        """What a result's Meta records."""
        return {"net": str(self.plan.net.get("spec", "")), "weights": self.plan.weights}

    @property
    def identity(self) -> str:
        """The bits of all its arrays."""
        return str(self.store.current["digest"])

    def plain(self) -> str:
        """Its folder, where nobody has named another network or another place of its images."""
        return str(self.store.folder) if self.given is None and self.moved is None else str(super().plain())

    @property
    def name(self) -> str:
        """What it is called: its folder, without `.index`."""
        return self.store.folder.name.removesuffix(".index")

    @property
    def weights(self) -> str:
        """SHA-256 of the network's weights."""
        return self.plan.weights

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the images' classes; empty where they have none."""
        return self.plan.classes

    @property
    def n_images(self) -> int:
        """Images of the data set, those that could not be read among them."""
        return self.plan.images

    @property
    def image_size(self) -> tuple[int, int]:
        """(height, width) of the images as the network saw them."""
        return self.plan.size

    @property
    def at_once(self) -> int:
        """Images that went through the network together."""
        return self.plan.at_once

    @cached_property
    def source(self) -> Source:
        """The images. Refused where they are no longer those of the index, or are not on this machine and nobody but
        the index names them.
        """
        if self.moved is None and asks_elsewhere(self.plan.source):
            raise refused(f"images at {self.plan.source[:100]!r}", self.ways["images"])
        source = Source.of(self.moved or self.plan.source)
        source.value_range = self.preprocess.reading
        way = f"name where they are with {self.ways['images']}"
        if len(source) != self.plan.images or source.identity != self.plan.names:
            raise PellucidError(f"{source} no longer holds the images of the index: {way}")
        if source.classes != self.plan.classes or source.labeled != self.plan.labels:
            raise PellucidError(f"the images of {source} have other classes than in the index: {way}, or make it anew")
        return source

    @cached_property
    def net(self) -> Net:
        """The network that was run; refused where its weights are others by now, or where loading it on the word of the
        index alone would run code or open files.
        """
        if self.given is not None:
            return same(self.given, self.plan)
        unsafe = runs_code(self.plan.net)
        if unsafe:
            raise refused(unsafe, self.ways["net"])
        return same(load(**self.plan.net), self.plan)

    @cached_property
    def preprocess(self) -> Preprocess:
        """How the images were cut and normalized."""
        lists = self.plan.preprocess.items()  # as JSON gives them back
        plain: dict[str, Any] = {name: tuple(one) if isinstance(one, list) else one for name, one in lists}
        return Preprocess(**plain)

    def with_images(self: Own, place: str | Path) -> Own:
        """The same index, with its images elsewhere."""
        return replace(self, moved=str(place))

    def with_net(self: Own, net: Net) -> Own:
        """The same index with its network at hand: for networks that have no name to be loaded by."""
        return replace(self, given=net)

    def hashes(self, images: NDArray[np.int64]) -> NDArray[np.uint64]:
        """64 bits of a hash of the bytes of images; 0 where it is not known."""
        if not self.has(Hashes):
            return np.zeros(len(images), np.uint64)
        return np.asarray(self.read_fold(Hashes)[images], np.uint64)

    def halve(self) -> bool:
        """`Net.halve` of its network, after memory ran out."""
        return self.net.halve()

    def image(self, number: int) -> int:
        """The number of an image. Raises UnknownName for one that there is not."""
        if not 0 <= number < self.n_images:
            raise UnknownName(f"no image {number}: the index has {self.n_images}, 0 to {self.n_images - 1}")
        return number

    def read(self, image: int) -> Images:
        """An image. Raises BadImage where it cannot be read any more, PellucidError where it is another by now."""
        try:
            found, digest = self.source.fetch(image)
        except OSError as error:
            raise BadImage(f"{self.source.name(image)!r}: {error.strerror or error}") from error
        if digest != int(self.read_fold(Hashes)[image]):
            raise PellucidError(
                f"{self.source.name(image)!r} is no longer the image that the index was made of: put it back, name "
                f"where the images are with {self.ways['images']}, or make the index anew"
            )
        return found

    def readable(self, image: int) -> Images | None:
        """An image as `read` gives it; None where it cannot be read any more, which the result's notes then say."""
        self.source  # noqa: B018  # where all of them are elsewhere by now, that is refused once
        try:
            return self.read(image)
        except BadImage as error:
            say(Note("unreadable", f"an image of the index is left out: {error}"))
            return None

    def over(self, images: NDArray[np.int64] | Sequence[int], **how: Any) -> Over:
        """`Net.over` of the network and these images: the `numbers` of a batch are places in `images`.

        Raises PellucidError where there is none, or none can be read any more.
        """
        self.source  # noqa: B018  # where all of them are gone that is refused, and none is left out
        if not len(images):
            raise PellucidError("none of the images of the index can be read")
        return self.net.over(Chosen(self, [int(i) for i in images]), **how)

    @cached_property
    def unreadable(self) -> frozenset[int]:
        """Numbers of the images that could not be read when the index was made."""
        return frozenset(image for image, _ in self.store.bad())

    def names(self, images: NDArray[np.int64]) -> tuple[str, ...]:
        """Names of images."""
        return tuple(self.source.name(i) for i in images.tolist())

    def labels(self, images: NDArray[np.int64]) -> NDArray[np.int64]:
        """Numbers of the classes of images; −1 where it is unknown. Where the images are elsewhere by now, as kept."""
        try:
            found = [self.source.label(i) for i in images.tolist()]
        except (PellucidError, OSError):
            if not self.has(ClassLabels):
                raise
            return np.asarray(self.read_fold(ClassLabels)[images])
        return np.array([-1 if label is None else label for label in found], np.int64)

    def class_names(self, images: NDArray[np.int64]) -> tuple[str | None, ...]:
        """Names of the classes of images; None where it is unknown."""
        return tuple(None if label < 0 else self.classes[label] for label in self.labels(images).tolist())

    def has(self, kind: type[Fold[Any]]) -> bool:
        """Whether it was made with that statistic."""
        return self.store.fold(kind) is not None

    def read_fold(self, kind: type[Fold[Read]]) -> Read:
        """What it holds of a statistic, also of another package's. Raises PellucidError where it was made without."""
        return self.store.read(kind)

    def kept(self, name: str) -> NDArray[np.float64] | None:
        """Numbers that were measured on the index and kept with it; None where there are none."""
        return self.store.kept(name)

    def keep(self, name: str, values: NDArray[np.float64]) -> None:
        """Keep them with the index, for whoever asks next; where nobody may write, they are measured again."""
        self.store.keep(name, values)

    def remembered(self, key: tuple[Any, ...], make: Callable[[], Made]) -> Made:
        """What `make` gives, made once for each key: the last few stay with this object, and go with it."""
        held: OrderedDict[tuple[Any, ...], Any] = self.__dict__.setdefault("_held", OrderedDict())
        if key not in held:
            held[key] = make()
        held.move_to_end(key)
        while len(held) > _HELD:
            held.popitem(last=False)
        found: Made = held[key]
        return found
