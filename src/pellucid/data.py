"""Images with the class of each, as a network knows it, in a stated order."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, TypeAlias, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BeforeValidator, InstanceOf
from torch.utils.data import DataLoader, Dataset

from pellucid.errors import BadImage, PellucidError
from pellucid.images import Images
from pellucid.images.labeled import Labeled
from pellucid.images.sources import Source
from pellucid.images.sources.items import Items, MapStyle, is_torch, loaded
from pellucid.images.sources.numbers import Held, Numbers, Scale, check_scale
from pellucid.net import Net
from pellucid.net.classes import Stated, class_of, count, stated_for
from pellucid.notes import Note
from pellucid.nouns import Noun
from pellucid.rng import generator

D = TypeVar("D", bound="Data")
Numbered = NDArray[np.int64]
Pick = tuple[str, int, int]
"""("part", start, stop), ("sample", count, seed) or ("shuffle", seed, 0)."""
_OPTIONS = {"place", "classes", "pixels", "picks"}
_FORMS = (
    "a folder of class folders or with labels.csv, .tar, .parquet, .npz, a torch DataLoader or map-style data set, or "
    "(images, labels)"
)


@dataclass(frozen=True, eq=False)
class Data(Noun, Labeled):
    """Images and their classes. Images are read one by one when it is their turn; none is kept.

    What has been asked without a network knows its own classes alone; `on` makes them those of a network, as
    `Net.over` does. Images without a class are left out, and a note says so.
    """

    written, format, samples = "DATA", "data", ("photos/",)
    help = "images with classes: a folder of class folders or with labels.csv, .tar, .parquet, .npz, or a URL of these"
    by_network, index_will_do = True, True
    source: Source
    classes: Stated | None = None
    """What the classes of the source are among the network's, where their names do not say it."""
    pixels: Scale | None = None
    """What the numbers of arrays and tensors are; of files it is known."""
    picks: tuple[Pick, ...] = ()
    """Which of the images, in which order: one choice after another."""
    net: Net | None = None
    _found: dict[int, int] = field(default_factory=dict)
    """Class of the source -> class of the network, of those met."""

    @classmethod
    def of(
        cls,
        value: DataLike,
        *,
        classes: Stated | None = None,
        pixels: Scale | None = None,
        seed: int | None = None,
    ) -> Data:
        """Data from what a person has: a folder of class folders (or with labels.csv), .tar, .parquet, .npz, URLs of
        these; a torch DataLoader or map-style data set; (images, labels), where images are an array (N, …), a list of
        whatever `read` takes, or Images.

        `classes` is {class of the data: class of the network}, or the network's classes in the order of the data's,
        and None for a class that is left out; without it they are found by name, WordNet id or number. `pixels` says
        what the numbers of arrays and tensors are: '0..1' (the default for floats), '0..255' (for whole numbers of 8
        bits), or 'normalized' where mean and std of the network were applied already. With `seed` the images come in
        an order of their own, else in that of their names or numbers. Raises PellucidError in one line.
        """
        if isinstance(value, Data):
            found = replace(
                value,
                classes=value.classes if classes is None else classes,
                pixels=check_scale(pixels) or value.pixels,
                _found={},
            )
            found = found if value.net is None else replace(found, net=None).on(value.net)
        elif isinstance(value, Mapping):
            return cls._of_json(value, classes, pixels, seed)
        else:
            found = cls(_source(value), classes, check_scale(pixels))
        return found if seed is None else found.shuffled(seed)

    @classmethod
    def _of_json(cls, said: Mapping[str, Any], classes: Stated | None, pixels: Scale | None, seed: int | None) -> Data:
        """What `plain` gave."""
        if "place" not in said or not said.keys() <= _OPTIONS:
            raise PellucidError(
                f"data is written as {', '.join(sorted(_OPTIONS))}, this has {', '.join(map(str, said))}"
            )
        picks = tuple((str(how), int(one), int(other)) for how, one, other in said.get("picks", ()))
        found = cls(_source(said["place"]), said.get("classes"), check_scale(said.get("pixels")), picks)
        return cls.of(found, classes=classes, pixels=pixels, seed=seed)

    @classmethod
    def made(cls, value: Any, net: Any) -> Data:
        """With the classes of the network that is asked about."""
        found = cls.of(value)
        return found if net is None else found.on(net)

    def on(self, net: Net) -> Data:
        """The same with the classes of a network. Raises PellucidError, naming the first image whose class is none."""
        if self.net is not None and _alike(self.net, net):
            return self
        found = self._scaled(net)
        if found.source.lazy:
            for i in sorted({0, len(found) // 2, len(found) - 1} if len(found) else ()):
                found._first_look(i)
        else:
            found.labels  # noqa: B018  # refuses here what fits no class
        return found

    def _scaled(self: D, net: Net) -> D:
        """The same, with the scale and the channels that the network takes."""
        source = copy.copy(self.source)
        source.value_range = net.preprocess.reading
        if isinstance(source, Numbers):
            source.scale, source.channels = self.pixels, net.preprocess.channels
            source.normal = net.preprocess.mean, net.preprocess.std
        return replace(self, source=source, net=net, _found={})

    def _first_look(self, i: int) -> None:
        """Refuse what is wrong with all of a data set's items before hours go into them."""
        try:
            self.item(i)
        except BadImage:  # one image alone: it is met again, and then left out by name
            return

    @property
    def _usable(self) -> Numbered:
        """Numbers in the source of the images that have a class, where that is known before they are read."""
        chosen = np.arange(len(self.source))
        if not self.source.lazy:
            if not self.source.classes:
                raise PellucidError(f"{self.source} has no classes, so its images have no labels: data is {_FORMS}")
            numbers = [self.source.label(i) for i in range(len(self.source))]
            names, count = self.source.classes, len(self.source.classes)
            dropped = {
                k
                for k in range(count)
                if stated_for(self.classes, names[k], k, count, str(self.source)) == (True, None)
            }
            chosen = chosen[[number is not None and number not in dropped for number in numbers]]
        return chosen

    @cached_property
    def _chosen(self) -> Numbered:
        """Numbers in the source, in the order of this data."""
        chosen = self._usable
        for how, one, other in self.picks:
            if how == "part":
                chosen = chosen[one:other]
            elif how == "sample":
                chosen = chosen[np.sort(generator(other, "sample").permutation(len(chosen))[:one])]
            else:
                chosen = chosen[generator(one, "order").permutation(len(chosen))]
        return chosen.astype(np.int64)

    @cached_property
    def labels(self) -> Numbered:
        """(N,) the class of each image: the network's, or where there is no network yet the source's.

        Of a data set that is a program it takes reading every image.
        """
        numbers = [self.source.label(int(i)) for i in self._chosen]
        if self.net is None:
            return np.array([-1 if number is None else number for number in numbers], np.int64)
        pairs = zip(numbers, self._chosen.tolist(), strict=True)
        return np.array([self._class(number, i) for number, i in pairs], np.int64)

    def _class(self, number: int | None, i: int) -> int:
        """The network's class for class `number` of the source, which its image i has."""
        where = f"{self.source.name(i)!r} of {self.source}"
        if number is None:
            raise PellucidError(f"{where} has no class")
        if self.net is None:
            return number
        if number not in self._found:
            names = self.source.classes
            if number < 0 or (names and number >= len(names)):
                raise PellucidError(f"{where} has label {number}, no class: leave it out, torch.utils.data.Subset")
            name = names[number] if names else str(number)
            found = class_of(self.net, name, number, len(names), self.classes, where)
            if found is None:
                raise PellucidError(
                    f"{where} is of class {name!r}, which shows when it is read, too late to leave it out: "
                    "give a torch.utils.data.Subset without such images"
                )
            self._found[number] = found
        return self._found[number]

    def __len__(self) -> int:
        return len(self._chosen)

    def __str__(self) -> str:
        return str(self.source)

    def __repr__(self) -> str:
        return f"Data({str(self)!r}, {len(self)} images, {self.order})"

    def name(self, i: int) -> str:
        """What image i is called."""
        return self.source.name(int(self._chosen[i]))

    def item(self, i: int) -> tuple[Images, int]:
        """Image i, and its class among the network's."""
        which = int(self._chosen[i])
        image, number = self.source.item(which)
        return self._cut(image), self._class(number, which)

    def image(self, i: int) -> Images:
        """Image i, whatever its class."""
        return self._cut(self.source.item(int(self._chosen[i]))[0])

    def _cut(self, image: Images) -> Images:
        """Numbers that are what the network takes already are not resized and cropped once more."""
        if self.net is None or not isinstance(self.source, Numbers) or image.cut_by is not None:
            return image
        numeric = isinstance(self.source, Items) or torch.is_tensor(self._held) or isinstance(self._held, np.ndarray)
        seen = tuple(image.pictures[0].shape[-2:])
        if self.pixels == "normalized" or (numeric and seen == self.net.preprocess.size):
            return replace(image, cut_by=self.net.preprocess)
        return image

    @property
    def _held(self) -> Any:
        return self.source.images if isinstance(self.source, Held) else None

    @property
    def order(self) -> str:
        """In words: in which order the images come."""
        said = {"part": "{0} to {1}", "sample": "{0} at random (seed {1})", "shuffle": "shuffled (seed {0})"}
        return ", ".join(["in the order of the source", *(said[how].format(a, b) for how, a, b in self.picks)])

    def part(self, start: int, stop: int) -> Data:
        """The images from number `start` on and before number `stop`."""
        if not 0 <= start < stop:
            raise PellucidError(f"part({start}, {stop}): a first number and one beyond the last, 0 at least")
        return self._picked("part", start, stop)

    def subset(self, most: int, seed: int | None = None) -> Data:
        """So many images, or all where there are fewer: the first ones, or with a seed some at random, in order."""
        if most < 1:
            raise PellucidError(f"subset({most}): at least one image")
        return self._picked("part", 0, most) if seed is None else self._picked("sample", most, seed)

    def shuffled(self, seed: int) -> Data:
        """The same images in another order, which depends on the seed and on how many there are."""
        return self._picked("shuffle", seed, 0)

    def _picked(self, how: str, one: int, other: int) -> Data:
        return replace(self, picks=(*self.picks, (how, int(one), int(other))))

    def facts(self) -> dict[str, Any]:
        """What a result's Meta records."""
        said = {"data": str(self), "count": len(self), "order": self.order, "pixels": self.pixels or ""}
        return said | {"classes": _plain(self.classes)}

    @property
    def identity(self) -> str:
        """The images by name (and size and time of their files), contents of arrays; classes, order, scale."""
        stamps = [self.source.stamp(int(i)) for i in self._chosen]
        return json.dumps(
            [self.source.identity, self.source.labeled if not self.source.lazy else "", stamps,
             self.picks, self.pixels, _plain(self.classes)]
        )  # fmt: skip

    def plain(self) -> Any:
        """The text of its source, and what else was said, as JSON."""
        if isinstance(self.source, (Held, Items)):
            raise PellucidError(f"data {self} is in memory only: name it by text, a folder or a file ({self.written})")
        said = {"classes": _plain(self.classes), "pixels": self.pixels, "picks": [list(one) for one in self.picks]}
        said = {key: value for key, value in said.items() if value}
        return {"place": str(self.source), **said} if said else str(self.source)

    @property
    def notes(self) -> tuple[Note, ...]:
        """What the source passed over, and that images without a class are left out."""
        return self.source.notes


DataLike: TypeAlias = (
    Data | Source | str | Path | tuple[Any, Any] | Sequence[Any] | Mapping[str, Any] | DataLoader[Any] | Dataset[Any]
)
"""Images with classes: a folder of class folders or with labels.csv, .tar, .parquet, .npz, a URL of these, a torch
DataLoader or map-style data set, or (images, labels)."""


@dataclass(frozen=True, eq=False)
class NewTask(Data):
    """Images with classes of their own, whatever those of the network are: a new task for it."""

    @classmethod
    def of(
        cls,
        value: DataLike,
        *,
        classes: Stated | None = None,
        pixels: Scale | None = None,
        seed: int | None = None,
    ) -> NewTask:
        """As `Data.of`; of `classes` only those that are None count, whose images are left out."""
        found = Data.of(value, classes=classes, pixels=pixels, seed=seed)
        return cls(found.source, found.classes, found.pixels, found.picks)

    def _class(self, number: int | None, i: int) -> int:
        """The class of the source."""
        if number is None or number < 0:
            raise PellucidError(f"{self.source.name(i)!r} of {self.source} has no class")
        return number

    def class_name(self, number: int) -> str:
        """What the source calls it; its number where it has no names."""
        return str(self.source.classes[number]) if self.source.classes else str(number)


def _given(value: DataLike | None) -> Any:
    """For pydantic: what a person writes becomes Data; None stays, and so does what can be no data."""
    kinds = (str, Path, Source, tuple, list, Mapping)
    made = isinstance(value, kinds) or is_torch(value, "DataLoader")
    return Data.of(value) if value is not None and made else value


DataOption = Annotated[InstanceOf[Data], BeforeValidator(_given)]
"""An option that takes labeled images, besides those that a method asks about."""


def _alike(one: Net, other: Net) -> bool:
    """Whether two networks have the same classes and take the same images, as the checkpoints of one training do."""
    same = one.labels == other.labels and one.preprocess == other.preprocess
    return same and (one.labels is not None or count(one) == count(other))


def _source(value: Any) -> Source:
    """Where the images come from, of what a person has."""
    if isinstance(value, (Source, str, Path)):
        return Source.of(value)
    if isinstance(found := getattr(value, "source", None), Source):  # the images of an index
        return found
    if is_torch(value, "DataLoader"):
        return loaded(value)
    if is_torch(value, "IterableDataset"):
        raise PellucidError(
            f"{type(value).__name__} is an IterableDataset, whose items have no order: data is {_FORMS}"
        )
    if isinstance(value, tuple) and len(value) == 2 and _several(value[0]) and _several(value[1]):
        return Held(*value)
    if isinstance(value, (Images, torch.Tensor, np.ndarray)):
        raise PellucidError(f"{type(value).__name__} alone has no labels: data is {_FORMS}")
    pairs = isinstance(value, Sequence) and all(isinstance(one, tuple) and len(one) == 2 for one in value[:1])
    if (pairs and len(value)) or (isinstance(value, MapStyle) and not isinstance(value, (Sequence, Mapping))):
        return Items(value)
    raise PellucidError(f"no data in a {type(value).__name__}: data is {_FORMS}")


def _several(value: Any) -> bool:
    return isinstance(value, (Sequence, Images, torch.Tensor, np.ndarray)) and not isinstance(value, (str, bytes))


def _plain(classes: Stated | None) -> Any:
    """As JSON: keys are text there, which names of classes are as well."""
    if isinstance(classes, Mapping):
        return {str(key): value if value is None else _name(value) for key, value in classes.items()}
    return None if classes is None else [value if value is None else _name(value) for value in classes]


def _name(value: Any) -> str | int:
    return value if isinstance(value, str) else int(value)
