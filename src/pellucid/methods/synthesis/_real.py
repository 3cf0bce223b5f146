"""Real images to hold a synthetic picture against: one pass over them answers for all targets at once."""

from __future__ import annotations

import bisect
import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, final

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from pydantic import BeforeValidator, InstanceOf
from torch import Tensor

from pellucid.errors import BadImage, Refused
from pellucid.images import Images, fingerprint, pictures_in, read
from pellucid.net import Net, Run
from pellucid.notes import Note
from pellucid.nouns import Noun
from pellucid.progress import steps
from pellucid.target import Channel, Logit, Neuron, Output, Probability, Sum, Target, Targets, scored
from pellucid.target.units import over_places

BEST = 9
"""So many of the strongest images are remembered."""
_TOLD = 3  # pictures that could not be read, by name


@final
@dataclass(frozen=True)
class Peers:
    """The same number of every channel of a layer, or of every class: what a unit is ranked among.

    `what` is mean or max over places, or one cell (y, x). Without a layer the network's scores.
    """

    layer: str | None
    what: str | tuple[int, int] = "mean"

    def __call__(self, run: Run) -> Float[Tensor, "n channels"]:
        """(N, channels)."""
        if self.layer is None:
            return run.scores
        values = run[self.layer]
        if isinstance(self.what, tuple):
            return values[(slice(None), slice(None), *self.what)]
        return values.flatten(2).amax(2) if self.what == "max" and values.dim() > 2 else over_places(values)


@final
@dataclass(frozen=True)
class Place:
    """Where a unit stands among its peers; `sign` is −1 where the target wants it low."""

    peers: Peers
    index: int
    sign: int = 1

    @classmethod
    def of(cls, target: Target, net: Net) -> Place | None:
        """None for what is no single unit: sums, directions, energies, boxes, words."""
        if isinstance(target, Sum) and len(target.parts) == 1:
            weight, part = target.parts[0]
            found = cls.of(part, net)
            return found and cls(found.peers, found.index, found.sign * (1 if weight > 0 else -1))
        if isinstance(target, Channel):
            return cls(Peers(target.layer, "max" if target.reduce == "max" else "mean"), target.index)
        if isinstance(target, Neuron):
            return cls(Peers(target.layer, (target.y, target.x)), target.index)
        if isinstance(target, (Logit, Probability)) and not net.binary:
            return cls(Peers(None), net.class_index(target.of_class))
        if isinstance(target, Output) and len(target.index) == 1:
            return cls(Peers(None), target.index[0])
        return None

    def lowest(self, run: Run) -> float:
        """The least that the unit says anywhere: whether it can be negative."""
        values = run.scores if self.peers.layer is None else run[self.peers.layer]
        return float(values[:, self.index].min())


@final
@dataclass(frozen=True)
class Moments:
    """Mean and standard deviation over the images, of every channel: (channels,) each, in float64."""

    mean: NDArray[np.float64]
    sd: NDArray[np.float64]


@final
@dataclass(frozen=True)
class Record:
    """What real images say to one target.

    `best` are up to nine (activation, name), the strongest first, equal ones by name; `values` all activations in
    rising order, where they are known; `signed` says that the unit can be negative.
    """

    count: int
    mean: float
    signed: bool
    best: tuple[tuple[float, str], ...]
    values: NDArray[np.float64] | None = None

    def share_below(self, value: float) -> float | None:
        """The share of the images that excite less than that."""
        return None if self.values is None else bisect.bisect_left(self.values, value) / max(self.count, 1)


@final
@dataclass(frozen=True)
class Known:
    """What is known of real images; an index of a data set may fill it as well as a pass over a folder.

    `picture(name)` reads one again. Whatever is not in the mappings is unknown.
    """

    count: int
    records: Mapping[Target, Record]
    moments: Mapping[Peers, Moments]
    picture: Callable[[str], Images]
    notes: tuple[Note, ...] = ()


class Photos(Noun, ABC):
    """Real images of any origin."""

    written, format = "PHOTOS", "images"

    @abstractmethod
    def known(self, net: Net, targets: Sequence[Target]) -> Known:
        """What they say to each target, and to every unit that it is ranked among."""

    @abstractmethod
    def facts(self) -> dict[str, Any]:
        """What a result's Meta records."""

    @classmethod
    def of(cls, value: Any) -> Photos:
        """From a folder, the path of one picture or whatever `read` takes, a list of them, or `Images`."""
        if isinstance(value, Photos):
            return value
        if isinstance(value, (str, Path)) and not str(value).startswith(("sample:", "http:", "https:", "file:")):
            path = Path(value).expanduser()
            if path.is_file():
                return PhotoList((path.name,), (path,), str(value), str(value))
            files = pictures_in(path)  # says what is wrong with it
            return PhotoList(tuple(file.relative_to(path).as_posix() for file in files), files, str(value), str(value))
        many = value if isinstance(value, (list, tuple)) else (value,)
        if not many:
            raise BadImage("no real images: the list is empty")
        found: list[tuple[str, Any]] = []
        for one in many:
            if isinstance(one, (str, Path)):
                found.append((str(one), one))
            else:
                found += [(each.ids[0], each) for each in Images.of(one)]
        names, sources = zip(*found, strict=True)
        written = [str(one) for one in many] if all(isinstance(one, (str, Path)) for one in many) else None
        return PhotoList(_distinct(names), sources, names[0] if len(names) == 1 else f"{len(names)} images", written)


@final
@dataclass(frozen=True, eq=False)
class PhotoList(Photos):
    """Pictures that are read when they are needed, a few at a time."""

    names: tuple[str, ...]
    sources: tuple[Any, ...] = field(repr=False)
    place: str
    """Where they are from, for people."""
    written_as: str | list[str] | None = None
    """What a person wrote for them; None where pixels were given."""

    def plain(self) -> Any:
        """The folder, the path of one, or a list of them."""
        return super().plain() if self.written_as is None else self.written_as

    @property
    def title(self) -> str:
        """Where they are from, and how many."""
        return f"{self.place}: {len(self.names)} images"

    def facts(self) -> dict[str, Any]:
        return {"real": self.place, "count": len(self.names)}

    def __str__(self) -> str:
        """Equal for equal pictures: files count as equal by name, size and time."""
        digest = hashlib.sha256()
        for name, source in zip(self.names, self.sources, strict=True):
            if isinstance(source, Images):
                stamp: Any = [fingerprint(picture) for picture in source.pictures]
            else:
                found = Path(source).stat() if isinstance(source, (str, Path)) and Path(source).is_file() else None
                stamp = (found.st_size, found.st_mtime_ns) if found else repr(source)
            digest.update(repr((name, stamp)).encode())
        return f"{self.place}: {len(self.names)} images {digest.hexdigest()}"

    def known(self, net: Net, targets: Sequence[Target]) -> Known:
        asked = tuple(dict.fromkeys(targets))
        tallies = {target: _Tally(Place.of(target, net)) for target in asked}
        peers = dict.fromkeys(tally.place.peers for tally in tallies.values() if tally.place)
        sums = {one: _Moments() for one in peers}
        bad: list[str] = []
        every, count = Targets(asked), 0
        for names, pixels in _batches(net, self._seen(net, bad)):
            run = net.run(pixels, at=every.layers, stop=not every.reads_output)
            for target, tally in tallies.items():
                tally.add(names, _told(net, target, run, pixels), run)
            for one, moments in sums.items():
                for row in one(run).double().cpu().numpy():
                    moments.add(row)
            count += len(names)
        if not count:
            raise BadImage(f"none of the {len(self.names)} real images of {self.place!r} can be read: {bad[0]}")
        records = {target: tally.record() for target, tally in tallies.items()}
        found = {one: moments.finish() for one, moments in sums.items()}
        return Known(count, records, found, self.picture, Note.many("unreadable", _skipped(bad, len(self.names))))

    def picture(self, name: str) -> Images:
        """The picture of that name, as it is stored."""
        return Images.of(self.sources[self.names.index(name)])

    def _seen(self, net: Net, bad: list[str]) -> Iterator[tuple[str, Tensor]]:
        """Each as the network sees it, (C, H, W); the reasons of those that cannot be read go to `bad`."""
        pairs = zip(self.names, self.sources, strict=True)
        for name, source in steps(pairs, "real images", total=len(self.names)):
            try:
                picture = net.see(read(source)).pictures[0]
            except BadImage as error:
                bad.append(str(error) if Path(name).name in str(error) else f"{name}: {error}")
                continue
            yield name, picture


def photos(value: Any) -> Any:
    """For pydantic: what people write becomes `Photos`; None stays, and so does what is no picture's place."""
    kinds = (str, Path, Images, list, tuple)
    return Photos.of(value) if isinstance(value, kinds) else value


Real = Annotated[InstanceOf[Photos], BeforeValidator(photos)]
"""An option that takes real images: a folder of pictures, a list of paths, `Images`."""


class _Tally:
    """What one target has heard so far."""

    def __init__(self, place: Place | None) -> None:
        self.place, self.signed = place, False
        self.best: list[tuple[float, str]] = []
        self.values: list[float] = []  # 8 bytes for each image

    def add(self, names: Sequence[str], values: Sequence[float], run: Run) -> None:
        heard = [(value, name) for value, name in zip(values, names, strict=True) if not np.isnan(value)]
        self.values += [value for value, _ in heard]
        self.best = sorted([*self.best, *heard], key=lambda pair: (-pair[0], pair[1]))[:BEST]
        if not self.signed:
            self.signed = any(value < 0 for value, _ in heard) or (
                self.place is not None and self.place.lowest(run) < 0
            )

    def record(self) -> Record:
        values = np.sort(np.asarray(self.values, dtype=np.float64))
        mean = float(values.mean()) if len(values) else 0.0
        return Record(len(values), mean, self.signed, tuple(self.best), values)


class _Moments:
    """Mean and variance image by image (Welford 1962): the order of the images decides, not how they were batched."""

    def __init__(self) -> None:
        self.count = 0
        self.mean: Any = 0.0
        self.squares: Any = 0.0

    def add(self, row: NDArray[np.float64]) -> None:
        self.count += 1
        off = row - self.mean
        self.mean = self.mean + off / self.count
        self.squares = self.squares + off * (row - self.mean)

    def finish(self) -> Moments:
        return Moments(np.asarray(self.mean), np.sqrt(np.asarray(self.squares) / max(self.count, 1)))


def _batches(net: Net, pictures: Iterator[tuple[str, Tensor]]) -> Iterator[tuple[list[str], Tensor]]:
    """As many pictures of one size at once as memory holds."""
    names: list[str] = []
    held: list[Tensor] = []
    for name, picture in pictures:
        full = held and len(held) >= net.chunk((picture.shape[-2], picture.shape[-1]), grad=False)
        if full or (held and held[0].shape != picture.shape):
            yield names, torch.stack(held)
            names, held = [], []
        names.append(name)
        held.append(picture)
    if held:
        yield names, torch.stack(held)


def _told(net: Net, target: Target, run: Run, pixels: Tensor) -> list[float]:
    """The target's number for each image; NaN for an image that it cannot be asked of (a region that is not there)."""
    try:
        return [float(value) for value in scored(target, run).double().cpu()]
    except Refused:
        if len(pixels) == 1:
            return [float("nan")]
    alone = (pixels[i : i + 1] for i in range(len(pixels)))
    return [_told(net, target, net.run(one, at=target.layers), one)[0] for one in alone]


def _skipped(bad: Sequence[str], count: int) -> tuple[str, ...]:
    if not bad:
        return ()
    more = f"; and {len(bad) - _TOLD} more" if len(bad) > _TOLD else ""
    return (f"{len(bad)} of {count} real images could not be read and are left out: {'; '.join(bad[:_TOLD])}{more}",)


def _distinct(names: Sequence[str]) -> tuple[str, ...]:
    """The names, with a number where one occurs again."""
    taken: dict[str, int] = {}
    found = []
    for name in names:
        taken[name] = taken.get(name, 0) + 1
        found.append(name if taken[name] == 1 else f"{name} ({taken[name]})")
    return tuple(found)
