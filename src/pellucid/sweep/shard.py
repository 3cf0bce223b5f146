"""One shard: its images through the network, into all folds. Runs wherever a worker is."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from importlib import import_module
from typing import Any, Protocol, cast, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pellucid.ambient import freed_memory_kept
from pellucid.errors import BadImage, MissingDevice, PellucidError
from pellucid.images.arrays import Range, Window
from pellucid.images.sources import Source
from pellucid.net import Net
from pellucid.net.load import load
from pellucid.sweep.extract import Extractor
from pellucid.sweep.fold import Part, Working
from pellucid.sweep.plan import Piece, Plan

_AHEAD = 2  # batches that are read while one is computed


@dataclass(frozen=True, eq=False)
class Done:
    """What came of a shard: a part for each fold, and the images that could not be read, with their reasons."""

    parts: dict[str, Part]
    bad: tuple[tuple[int, str], ...]
    images: int
    stamps: tuple[tuple[int, int, int], ...] = ()
    """(image, size, time) of files: while they are the same, so are the images."""


def empty(plan: Plan) -> Done:
    """Nothing seen."""
    return Done({fold.name: fold.pack(plan.scope, fold.start(plan.scope)) for fold in plan.folds}, (), 0)


def joined(plan: Plan, pieces: Sequence[Done]) -> Done:
    """Several pieces as one; their order does not matter."""
    whole = pieces[0]
    for one in pieces[1:]:
        parts = {fold.name: fold.merge(plan.scope, whole.parts[fold.name], one.parts[fold.name]) for fold in plan.folds}
        whole = Done(parts, whole.bad + one.bad, whole.images + one.images, whole.stamps + one.stamps)
    return whole


@runtime_checkable
class Work(Protocol):
    """What travels to a worker, a plan or a `Task`: plain values."""

    @property
    def key(self) -> str:
        """The same for the same work."""

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""


@runtime_checkable
class Task(Work, Protocol):
    """Work that is no sweep."""

    def run(self, piece: Piece) -> Done:
        """What comes of a piece of it."""


@freed_memory_kept()
def work_done(
    work: Work,
    piece: Piece,
    net: Net | None = None,
    source: Source | None = None,
    told: Callable[[int], object] | None = None,
) -> Done:
    """A piece of whatever work it is; the rest is for a sweep (`run_piece`)."""
    if isinstance(work, Plan):
        return run_piece(work, piece, net, source, told)
    return cast(Task, work).run(piece)


def work_of(said: Mapping[str, Any]) -> Work:
    """The inverse of `as_dict`: a plan, or the places of a method, whose module is imported at that moment."""
    if "question" not in said:
        return Plan.from_dict(said)
    made: Work = import_module("pellucid.workers").Places.from_dict(said)
    return made


def run_piece(
    plan: Plan,
    piece: Piece,
    net: Net | None = None,
    source: Source | None = None,
    told: Callable[[int], object] | None = None,
) -> Done:
    """The work of a worker. `net` and `source` may be given where they are at hand, else they are opened.

    `told` is called with the number of images that are done, again and again.
    """
    net, source = net or _network(plan), source or _source(plan.source, plan.names, _scale(plan))
    if source.identity != plan.names:
        raise PellucidError(f"{source} does not hold the images any more that the index was begun with")
    members = plan.members(piece.shard)[piece.start : piece.stop]
    working = {fold.name: fold.start(plan.scope) for fold in plan.folds}
    for fold in plan.folds:
        if piece.floors and fold.name in piece.floors:
            fold.bounded_by(working[fold.name], piece.floors[fold.name])
    extractor = Extractor(net, plan.units, plan.observes, plan.seed, plan.at_once)
    bad: list[tuple[int, str]] = []
    stamps: list[tuple[int, int, int]] = []
    for read in _batches(plan, net, source, members):
        bad += read.broken
        stamps.extend(read.stamps)
        if told is not None:
            told(len(read.images) + len(read.broken))
        if not read.pictures:
            continue
        numbers = np.array(read.images, np.int64)
        gates = _gates(plan, working, numbers)
        seen = extractor.extract(torch.stack(read.pictures), numbers, _labels(source, read.images), gates)
        batch = replace(seen, hashes=np.array(read.hashes, np.uint64), pictures=read.shown)
        for fold in plan.folds:
            fold.step(working[fold.name], plan.scope, batch)
    packed = {fold.name: fold.pack(plan.scope, working[fold.name]) for fold in plan.folds}
    return Done(packed, tuple(bad), len(members) - len(bad), tuple(sorted(stamps)))


def _gates(plan: Plan, working: Mapping[str, Working], images: NDArray[np.int64]) -> dict[str, NDArray[np.float32]]:
    """For each extreme (N, units): below it no fold needs to know where it is."""
    found: dict[str, NDArray[np.float32]] = {}
    for fold in plan.folds:
        for extreme, gate in fold.gates(working[fold.name], images).items():
            found[extreme] = gate if extreme not in found else np.minimum(found[extreme], gate)
    return found


def _labels(source: Source, images: Sequence[int]) -> NDArray[np.int64]:
    labels = [source.label(i) for i in images]
    return np.array([-1 if label is None else label for label in labels], np.int64)


@dataclass(frozen=True, eq=False)
class _Read:
    """Some images as the network sees them, their numbers and hashes, their files' sizes and times; those that
    cannot be read, with the reason.
    """

    pictures: list[Tensor] = field(default_factory=list)
    shown: list[NDArray[np.uint8]] = field(default_factory=list)
    """The same for the eye, where a fold asks for it."""
    images: list[int] = field(default_factory=list)
    hashes: list[int] = field(default_factory=list)
    stamps: list[tuple[int, int, int]] = field(default_factory=list)
    broken: list[tuple[int, str]] = field(default_factory=list)


def _batches(plan: Plan, net: Net, source: Source, members: NDArray[np.int64]) -> Iterator[_Read]:
    """The images batch by batch. The next ones are read meanwhile."""
    cuts = [members[start : start + plan.batch] for start in range(0, len(members), plan.batch)]
    with ThreadPoolExecutor(1) as reader:
        waiting = [reader.submit(_read, plan, net, source, cut) for cut in cuts[:_AHEAD]]
        for i in range(len(cuts)):
            read = waiting.pop(0).result()
            if i + _AHEAD < len(cuts):
                waiting.append(reader.submit(_read, plan, net, source, cuts[i + _AHEAD]))
            yield read


def _read(plan: Plan, net: Net, source: Source, numbers: NDArray[np.int64]) -> _Read:
    found, size = _Read(), plan.size
    for i in map(int, numbers):
        stamp = source.stamp(i)  # before it is read: who changes it meanwhile changes the time
        try:
            images, digest = source.fetch(i)
            prepared = net.preprocess.prepare(images)
            (picture,) = prepared.on(net.device).pictures
        except BadImage as error:
            found.broken.append((i, str(error)))
            continue
        except OSError as error:  # gone between two looks
            found.broken.append((i, f"{source.name(i)!r}: {error.strerror or error}"))
            continue
        if tuple(picture.shape[1:]) != size:
            high, wide = picture.shape[1:]
            why = f"{source.name(i)!r} is {high} × {wide}, the index is of {size[0]} × {size[1]}"
            found.broken.append((i, why))
            continue
        found.pictures.append(picture)
        if plan.observes.pictures:
            found.shown.append(prepared.shown(0, seen=True))
        found.images.append(i)
        found.hashes.append(digest)
        if stamp is not None:
            found.stamps.append((i, *stamp))
    return found


_opening = threading.Lock()
_networks: dict[str, Net] = {}
"""In a process that works for another: the network of the last plan, by its key. It ends with the process."""


def _network(plan: Plan) -> Net:
    """The plan's network, opened once in a worker; refused where its weights are others by now."""
    with _opening:
        found = _networks.get(plan.key)
        if found is None:
            net = load(**plan.net)
            found = same(_placed(net, plan.device) if plan.device != "cpu" else net, plan)
            _networks.clear()
            _networks[plan.key] = found
        return found


def forget() -> None:
    """Let go of what was opened for a plan: its work is done in this process."""
    _networks.clear()
    _source.cache_clear()


def _placed(net: Net, device: str) -> Net:
    """The network on the plan's kind of device. Raises MissingDevice where this machine has none."""
    missing = device == "cuda" and not torch.cuda.is_available()
    try:
        if not missing:
            return net.with_module(net.module.to(device))
        why = f"torch {torch.__version__} finds none"
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        why = str(error).split("\n", maxsplit=1)[0]
    raise MissingDevice(
        f"the index is made on a {device} device and the worker on {socket.gethostname()} has none ({why}): "
        "run it where there is one, or make another with --device cpu"
    )


_LATER = {"clip": False, "step": ""}
"""What `Preprocess` has got since the first indexes, as they meant it."""


def same(net: Net, plan: Plan) -> Net:
    """The network, if it is the one of the plan. Raises PellucidError where weights or preprocessing are others."""
    if net.weights != plan.weights:
        raise PellucidError(f"{net.name} has other weights than the index was begun with: {plan.weights[:12]}")
    was = {**_LATER, **plan.preprocess}  # an index of before these were there
    if json.loads(json.dumps(asdict(net.preprocess))) != json.loads(json.dumps(was)):
        raise PellucidError(f"{net.name} has another preprocessing than the index was begun with: give it as then")
    return net


@lru_cache(maxsize=2)
def _source(text: str, names: str, value_range: Range | None) -> Source:
    """The source, once for each process and each state of it: `names` is its identity."""
    source = Source.of(text)
    source.value_range = value_range
    return source


def _scale(plan: Plan) -> Range | None:
    """The full scale of the network, on which deep images are read."""
    low_high = plan.preprocess.get("value_range")
    return Window.where(plan.preprocess.get("clip"), (low_high[0], low_high[1])) if low_high else None
