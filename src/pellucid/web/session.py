"""What a worker holds: networks, pictures, folders and indexes by their ids, and where answers are kept."""

from __future__ import annotations

import hashlib
import json
import operator
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, reduce
from pathlib import Path
from typing import Any, TypeVar

from pellucid.data import Data
from pellucid.errors import BadImage, PellucidError, UnknownName, unknown
from pellucid.files import printable, unplaced, write_atomically
from pellucid.image_set import ImageSet
from pellucid.images import Images, formats, read, samples
from pellucid.images.files import is_picture
from pellucid.index import Index
from pellucid.net import Net
from pellucid.net.load import load as loaded
from pellucid.net.load import placed
from pellucid.net.nets import Checkpoint, Nets
from pellucid.store import Store
from pellucid.web.walls import enclose

T = TypeVar("T")
_HELD = 512 * 2**20
"""Bytes of decoded pictures that are held in memory."""
_SENT = 256
"""Pictures that were sent, and are kept for the next time."""
_PIXELS = 50_000_000
"""Of a picture, for whoever has the link may send one."""
_ANSWERS = 2 * 2**30
"""Bytes of answers that are kept on disk."""


class Session:
    """The networks, pictures and indexes of one server. Whatever is asked names them by id, never by a path."""

    def __init__(self, given: Mapping[str, Any], nets: Net | Nets) -> None:
        self.opened = Nets.of(nets)
        """The networks: the first is the one that pages show, any other can be chosen instead, or compared with it."""
        self.folder = Path(given["folder"])
        (self.folder / "pictures").mkdir(parents=True, exist_ok=True)
        self.nets = {f"n{k}": one for k, one in enumerate(self.opened.each) if isinstance(one, Net)}
        named = [str(one) for one in given.get("images", ())]
        self.paths = {f"p-{_short(one)}": one for one in named if is_picture(one)}
        """Pictures that whoever began the server named."""
        self.folders = {f"f-{_short(one)}": one for one in named if not is_picture(one)}
        """Folders, and files that hold many pictures."""
        known = list(self.nets.values())
        self.indexes = {f"i{k}": _with(Index.of(one), known) for k, one in enumerate(given.get("indexes", ()))}
        self.store = Store(self.folder / "answers", limit=_ANSWERS)
        self._held: OrderedDict[str, Images] = OrderedDict()
        self._lock = threading.Lock()
        self.remembering = lru_cache(2)(self._remembering)

    def net(self, number: str) -> Net:
        """A network by its id."""
        return _one("network", number, self.nets)

    def several(self, said: str | list[str]) -> Nets:
        """Networks by their ids, in that order."""
        return Nets.of([self.net(one) for one in ([said] if isinstance(said, str) else said)])

    def text(self, number: str) -> str:
        """What a person writes for a network, without the place where it lies: its name, or that of a checkpoint."""
        net = self.net(number)
        texts = dict(zip(self.nets, self.opened.texts, strict=False))
        return unplaced(texts.get(number) or net.name)

    def index(self, number: str) -> Index:
        """An index by its id."""
        return _one("index", number, self.indexes)

    def image_set(self, said: Any) -> ImageSet:
        """Pictures by their ids, or a folder by its id."""
        if isinstance(said, str) and said in self.folders:
            return ImageSet.of(self.folders[said])
        return ImageSet.of(reduce(operator.add, map(self.image, [said] if isinstance(said, str) else said)))

    def data(self, number: str) -> Data:
        """A folder whose pictures have classes, by its id."""
        if number not in self.folders:
            raise PellucidError(
                "this needs pictures with classes: begin the server with a folder of them, pellucid serve photos/"
            )
        return Data.of(self.folders[number])

    def image(self, number: str) -> Images:
        """A picture by its id. UnknownName where it is not here, or not any more."""
        with self._lock:
            if number in self._held:
                self._held.move_to_end(number)
                return self._held[number]
        found = self._image(number)
        with self._lock:
            self._held[number] = found
            while len(self._held) > 1 and sum(map(_size, self._held.values())) > _HELD:
                self._held.popitem(last=False)
        return found

    def _image(self, number: str) -> Images:
        kind, _, name = number.partition("-")
        if kind == "s" and name in samples():
            return read(f"sample:{name}")
        if number in self.paths:
            return read(self.paths[number])
        if kind == "i" and (found := name.rpartition("-"))[0] in self.indexes and found[2].isdecimal():
            return self.index(found[0]).read(int(found[2]))
        file = self.folder / "pictures" / number
        if kind == "x" and name.isalnum() and file.is_file():
            called = json.loads(file.with_suffix(".json").read_text())["name"]
            return named(file.read_bytes(), called)
        raise UnknownName("this picture is not here any more: drop it again")

    def _remembering(self, net: str, image: str) -> Net:
        return self.net(net).cached()

    def kept(self, body: bytes, called: str) -> tuple[str, Images]:
        """A picture that was sent, which is known by what it is: sent again it has the same id."""
        called = printable(called)
        found = named(body, called)
        number = f"x-{hashlib.sha256(body).hexdigest()[:16]}"
        file = self.folder / "pictures" / number
        if not file.exists():
            write_atomically(file.with_suffix(".json"), lambda out: out.write(json.dumps({"name": called}).encode()))
            write_atomically(file, lambda out: out.write(body))
            self._forget_old()
        return number, found

    def _forget_old(self) -> None:
        """Of the pictures that were sent, those that were sent first."""
        files = sorted(self.folder.glob("pictures/*.json"), key=lambda one: one.stat().st_mtime)
        for file in files[:-_SENT]:
            file.with_suffix("").unlink(missing_ok=True)
            file.unlink(missing_ok=True)

    def described(self) -> dict[str, Any]:
        """All of it in words, for the page."""
        pictures = [{"id": key, "name": Path(path).name} for key, path in self.paths.items()]
        return {
            "nets": [{"id": key, **_described(net)} for key, net in self.nets.items()],
            "images": pictures + [{"id": f"s-{name}", "name": name} for name in samples()],
            "folders": [{"id": key, "name": Path(path).name} for key, path in self.folders.items()],
            "indexes": [
                {
                    "id": key, "name": unplaced(str(one.store.folder)), "pictures": one.plan.images,
                    "layers": [{"name": layer, "units": one[layer].channels} for layer in one.layers],
                }
                for key, one in self.indexes.items()
            ],
        }  # fmt: skip


def named(body: bytes, called: str) -> Images:
    """A picture that was sent, under the name of its file."""
    try:
        found = read(body)
    except BadImage as error:
        raise BadImage(str(error).replace("the image given as bytes", repr(called), 1)) from error
    return Images(found.pictures, (called,), found.originals, found.views, found.notes, value_ranges=found.value_ranges)


def opened(given: Mapping[str, Any], say: Callable[[dict[str, Any]], None], nets: Nets | None = None) -> Session:
    """A session with what a server was given, or with networks that are at hand. `say` hears what is being done, and
    `ready` at last, with all that there is. PellucidError where something cannot be opened.
    """
    say({"state": "loading the network" if len(given.get("nets", ())) < 2 else "loading the networks"})
    if nets is None:
        nets = networks(given["nets"], given.get("load", {}), given.get("device", "auto"))
    if given.get("indexes"):
        say({"state": "opening the index"})
    found = Session(given, nets)
    say({"state": "ready", **found.described()})
    return found


def networks(specs: Sequence[Any], load: Mapping[str, Any], device: str = "auto") -> Nets:
    """Networks, all of them open: as `load` takes them, the others with the first also as checkpoints of it.
    PellucidError for checkpoints that are too large to be kept together.
    """
    first = specs[0] if isinstance(specs[0], Net) else placed(loaded(specs[0], **load), device)
    others = Nets.of(list(specs[1:]), net=first, **load).opened() if len(specs) > 1 else Nets(())
    large = [one.path.name for one in others.each if isinstance(one, Checkpoint)]
    if large:
        raise PellucidError(
            f"{len(large)} checkpoints, from {large[0]!r} on, take more than 2 GB together, and all would be kept "
            "open: name fewer of them by --net"
        )
    each = [placed(one, device) for one in others]
    text = specs[0] if isinstance(specs[0], str) else None
    return Nets((first, *each), texts=(text, *others.texts))


def enclosed(here: Session, given: Mapping[str, Any]) -> None:
    """From now on this process opens only what was given."""
    reads = [*map(Path, given.get("images", ()))]
    for one in here.indexes.values():
        reads += [one.store.folder, *_places(one)]
    os.environ["NUMBA_CACHE_DIR"] = str(here.folder / "numba")  # t-SNE and UMAP compile into it
    formats.MOST_PIXELS = min(formats.MOST_PIXELS, _PIXELS)
    enclose(reads, [here.folder])


def _with(index: Index, nets: Sequence[Net]) -> Index:
    """The index with the network of the server at hand that was run, where it is among them."""
    return next((index.with_net(one) for one in nets if index.weights == one.weights), index)


def _places(index: Index) -> list[Path]:
    """Where the images of an index lie; none where they are not on this machine, or not any more."""
    try:
        place = index.source.place
    except (PellucidError, OSError):
        return []
    return [Path(place).parent if "{" in place or "*" in place else Path(place)] if place else []


def _size(images: Images) -> int:
    return sum(one.nbytes for one in {id(one): one for one in (*images.pictures, *images.originals)}.values())


def _described(net: Net) -> dict[str, Any]:
    how = net.preprocess
    cut = "" if how.crop is None else f", {how.crop[0]} × {how.crop[1]} cut out of the middle"
    resized = "as it is" if how.resize is None else f"resized to {how.resize}"
    return {
        "name": unplaced(net.name), "classes": net.outputs, "device": str(net.device), "shown": f"{resized}{cut}",
    }  # fmt: skip


def _one(what: str, number: str, known: Mapping[str, T]) -> T:
    if number not in known:
        raise unknown(what, number, known)
    return known[number]


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:10]
