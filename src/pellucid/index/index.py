"""An index that is read: every unit of every layer over a data set, without running the network again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import BadImage, PellucidError, Refused
from pellucid.images import Images
from pellucid.images.sources import Source
from pellucid.index.folds.embeddings import Embeddings
from pellucid.index.folds.extremes import Largest, Smallest
from pellucid.index.folds.per_class import ClassMeans
from pellucid.index.folds.sample import RandomSample
from pellucid.index.folds.sums import ExactSums, UnitStatistics
from pellucid.index.layer import LayerOfIndex
from pellucid.net import Net, Preprocess
from pellucid.net.load import load
from pellucid.notes import say
from pellucid.nouns import Noun
from pellucid.sweep._checked import asks_elsewhere, refused, runs_code
from pellucid.sweep.fold import Fold, Read
from pellucid.sweep.hashes import Hashes
from pellucid.sweep.plan import Plan
from pellucid.sweep.shard import same
from pellucid.sweep.store import Store

Made = TypeVar("Made")
_HELD = 4
"""Results that an index object keeps at hand for whoever asks again, such as the rows of a layer."""
_WAYS = {"images": "index.at(FOLDER)", "net": "index.using(pl.load(…))"}


@dataclass(frozen=True, eq=False)
class Index(Noun):
    """A finished index. Its arrays are memory-mapped: opening it reads almost nothing."""

    written, samples, format = "INDEX", ("photos.index", "other.index"), "index"
    has_network = True
    store: Store
    moved: str | None = None
    """Where the pictures lie now, if not where they were."""
    given: Net | None = None
    """The network, where it is at hand."""
    ways: Mapping[str, str] = field(default_factory=lambda: dict(_WAYS))
    """How whoever asks names the network and the pictures: Python and the command line have words of their own."""
    said: tuple[str, ...] = ()
    """What was found and passed over when it was made."""

    @classmethod
    def of(cls, value: IndexLike) -> Index:
        """The index in a folder."""
        if isinstance(value, Index):
            return value
        index = cls(value if isinstance(value, Store) else Store.open(value))
        index.store.current  # noqa: B018  # an unfinished one is refused at once
        return index

    @property
    def plan(self) -> Plan:
        """What was done."""
        return self.store.plan

    @property
    def notes(self) -> tuple[str, ...]:
        """What every result of this index carries: what making it passed over, where it was made just now."""
        return self.said

    def __repr__(self) -> str:
        plan = self.plan
        what = f"{plan.images} pictures, {len(plan.units)} units of {len(plan.units.layers)} layers"
        return "\nnote: ".join((f"Index({str(self.store.folder)!r}: {what})", *self.notes))

    def facts(self) -> dict[str, Any]:
        """What a result's Meta records."""
        return {"net": str(self.plan.net.get("spec", "")), "weights": self.plan.weights}

    @property
    def identity(self) -> str:
        """The bits of all its arrays."""
        return str(self.store.current["digest"])

    def plain(self) -> str:
        """Its folder, where nobody has named another network or another place of its pictures."""
        return str(self.store.folder) if self.given is None and self.moved is None else str(super().plain())

    @cached_property
    def source(self) -> Source:
        """The pictures. Refused where they are no longer those of the index, or are not on this machine and nobody but
        the index names them.
        """
        if self.moved is None and asks_elsewhere(self.plan.source):
            raise refused(f"pictures at {self.plan.source[:100]!r}", self.ways["images"])
        source = Source.of(self.moved or self.plan.source)
        scale = self.plan.preprocess.get("value_range")
        source.value_range = (scale[0], scale[1]) if scale else None
        way = f"name where they are with {self.ways['images']}"
        if len(source) != self.plan.images or source.identity != self.plan.names:
            raise PellucidError(f"{source} no longer holds the pictures of the index: {way}")
        if source.classes != self.plan.classes or source.labelled != self.plan.labels:
            raise PellucidError(
                f"the pictures of {source} have other classes than in the index: {way}, or make it anew"
            )
        return source

    def halve(self) -> bool:
        """`Net.halve` of its network, after memory ran out."""
        return self.net.halve()

    def read(self, image: int) -> Images:
        """A picture. Raises BadImage where it cannot be read any more, PellucidError where it is another by now."""
        try:
            found, digest = self.source.fetch(image)
        except OSError as error:
            raise BadImage(f"{self.source.name(image)!r}: {error.strerror or error}") from error
        if digest != int(self.read_fold(Hashes)[image]):
            raise PellucidError(
                f"{self.source.name(image)!r} is no longer the picture that the index was made of: put it back, name "
                f"where the pictures are with {self.ways['images']}, or make the index anew"
            )
        return found

    def readable(self, image: int) -> Images | None:
        """A picture as `read` gives it; None where it cannot be read any more, which the result's notes then say."""
        try:
            return self.read(image)
        except BadImage as error:
            say(f"a picture of the index is left out: {error}")
            return None

    def at(self, place: str | Path) -> Index:
        """The same index, with its pictures elsewhere."""
        return replace(self, moved=str(place))

    def using(self, net: Net) -> Index:
        """The same index with its network at hand: for networks that have no name to be loaded by."""
        return replace(self, given=net)

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

    @property
    def name(self) -> str:
        """What it is called: its folder, without `.index`."""
        return self.store.folder.name.removesuffix(".index")

    @property
    def weights(self) -> str:
        """SHA-256 of the network's weights."""
        return self.plan.weights

    @property
    def n_images(self) -> int:
        """Images of the data set, those that could not be read among them."""
        return self.plan.images

    @property
    def n_units(self) -> int:
        """Units of all layers."""
        return len(self.plan.units)

    @property
    def n_kept(self) -> int:
        """Strongest images kept of every unit."""
        return self.read_fold(Largest).many if self.has(Largest) else 0

    @property
    def n_weakest(self) -> int:
        """Weakest images kept of every unit; 0: none."""
        return self.read_fold(Smallest).many if self.has(Smallest) else 0

    @property
    def has_sample(self) -> bool:
        """Whether the largest activations on a random sample of the images are kept."""
        return self.has(RandomSample)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the images' classes; empty where they have none."""
        return self.plan.classes

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers, in the order of execution."""
        return self.plan.units.layers

    @property
    def embedded(self) -> tuple[str, ...]:
        """Layers of which a row for every image is kept. Raises PellucidError where there is none."""
        layers = self.read_fold(Embeddings).layers
        if not layers:
            raise PellucidError(Embeddings.absent)
        return layers

    @property
    def embedding(self) -> tuple[NDArray[np.int64], NDArray[Any]]:
        """The `embedding` of the last layer that is embedded."""
        return self[self.embedded[-1]].embedding

    @property
    def image_size(self) -> tuple[int, int]:
        """(height, width) of the images as the network saw them."""
        return self.plan.size

    @property
    def stages(self) -> tuple[str, ...]:
        """The outputs of the network's stages (layer4, blocks.6) and the last layer with places; where it has no
        stages, all with places. Raises Refused where there is none.
        """
        with_places = [name for name in self.layers if self[name].mapped]
        if not with_places:
            raise Refused("no layer of the index has places: make it with --layers that have")
        inside = [*self.layers, *self.plan.units.aliases]
        found = [name for name in with_places if any(other.startswith(f"{name}.") for other in inside)]
        return tuple(dict.fromkeys([*found, with_places[-1]])) if found else tuple(with_places)

    @property
    def at_once(self) -> int:
        """Images that went through the network together."""
        return self.plan.at_once

    def has(self, kind: type[Fold[Any]]) -> bool:
        """Whether it was made with that statistic."""
        return self.store.fold(kind) is not None

    def read_fold(self, kind: type[Fold[Read]]) -> Read:
        """What it holds of a statistic, also of another package's. Raises PellucidError where it was made without."""
        return self.store.read(kind)

    def __getitem__(self, layer: str) -> LayerOfIndex:
        """A layer, by its name or the name of the stage that it ends. Raises UnknownName with the nearest."""
        return LayerOfIndex(self, self.plan.units.layer(layer))

    def __iter__(self) -> Iterator[str]:
        return iter(self.layers)

    def __contains__(self, layer: object) -> bool:
        return layer in self.layers or layer in self.plan.units.aliases

    def enough(self, count: int, option: str = "count") -> int:
        """The count. Raises PellucidError where the index keeps fewer of the strongest images."""
        if count > self.n_kept:
            raise PellucidError(f"{option}={count}: the index keeps the {self.n_kept} strongest pictures of every unit")
        return count

    @cached_property
    def unreadable(self) -> frozenset[int]:
        """Numbers of the images that could not be read when the index was made."""
        return frozenset(image for image, _ in self.store.bad())

    def names(self, images: NDArray[np.int64]) -> tuple[str, ...]:
        """Names of images."""
        return tuple(self.source.name(i) for i in images.tolist())

    def labels(self, images: NDArray[np.int64]) -> NDArray[np.int64]:
        """Numbers of the classes of images; −1 where it is unknown."""
        found = [self.source.label(i) for i in images.tolist()]
        return np.array([-1 if label is None else label for label in found], np.int64)

    def class_names(self, images: NDArray[np.int64]) -> tuple[str | None, ...]:
        """Names of the classes of images; None where it is unknown."""
        return tuple(None if label < 0 else self.source.classes[label] for label in self.labels(images).tolist())

    @cached_property
    def preprocess(self) -> Preprocess:
        """How the images were cut and normalised."""
        lists = self.plan.preprocess.items()  # as JSON gives them back
        plain: dict[str, Any] = {name: tuple(one) if isinstance(one, list) else one for name, one in lists}
        return Preprocess(**plain)

    @cached_property
    def moments(self) -> UnitStatistics:
        """Statistics of all units, layer after layer."""
        return self.read_fold(ExactSums)

    @cached_property
    def best_class(self) -> tuple[str, ...]:
        """For each unit the class with the largest mean activation; empty where nothing excites it."""
        if not self.has(ClassMeans):
            return ("",) * self.n_units
        return tuple(self.classes[best] if best >= 0 else "" for best in self.read_fold(ClassMeans).best.tolist())

    @cached_property
    def class_selectivity(self) -> NDArray[np.float64]:
        """(units,): (μ_max − μ_others) / (μ_max + μ_others) over all classes; NaN without labels."""
        return self.read_fold(ClassMeans).selectivity if self.has(ClassMeans) else np.full(self.n_units, np.nan)

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


IndexLike: TypeAlias = Index | Store | str | Path
"""An index, or the folder that it lies in."""
