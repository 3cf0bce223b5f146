"""One shard: its pictures through the network, into all folds. Runs wherever a worker is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pellucid.errors import BadImage, PellucidError
from pellucid.images.sources import Source
from pellucid.net import Net
from pellucid.net.load import load
from pellucid.sweep.fold import Batch, Part, seen
from pellucid.sweep.plan import MICRO, Piece, Plan

_AHEAD = 2  # batches that are read while one is computed


@dataclass(frozen=True, eq=False)
class Done:
    """What came of a shard: a part for each fold, and the pictures that could not be read, with their reasons."""

    parts: dict[str, Part]
    bad: tuple[tuple[int, str], ...]
    images: int


def empty(plan: Plan) -> Done:
    """Nothing seen."""
    return Done({fold.name: fold.start(plan.units) for fold in plan.folds}, (), 0)


def joined(plan: Plan, pieces: Sequence[Done]) -> Done:
    """Several pieces as one; their order does not matter."""
    whole = pieces[0]
    for one in pieces[1:]:
        parts = {fold.name: fold.merge(plan.units, whole.parts[fold.name], one.parts[fold.name]) for fold in plan.folds}
        whole = Done(parts, whole.bad + one.bad, whole.images + one.images)
    return whole


def run_piece(plan: Plan, piece: Piece, net: Net | None = None, source: Source | None = None) -> Done:
    """The work of a worker. `net` and `source` may be given where they are at hand, else they are opened."""
    net, source = net or _network(plan), source or _source(plan.source)
    members = plan.members(piece.shard)[piece.start : piece.stop]
    parts = empty(plan).parts
    bad: list[tuple[int, str]] = []
    for batches, broken in _batches(plan, net, source, members):
        bad += broken
        for batch in batches:
            for fold in plan.folds:
                fold.step(parts[fold.name], plan.units, batch)
    settled = {fold.name: fold.settle(plan.units, parts[fold.name]) for fold in plan.folds}
    return Done(settled, tuple(bad), len(members) - len(bad))


def _batches(
    plan: Plan, net: Net, source: Source, members: NDArray[np.int64]
) -> Iterator[tuple[Iterator[Batch], list[tuple[int, str]]]]:
    """The shard batch by batch, each with the pictures that could not be read. The next ones are read meanwhile."""
    cuts = [members[start : start + plan.batch] for start in range(0, len(members), plan.batch)]
    with ThreadPoolExecutor(1) as reader:
        waiting = [reader.submit(_read, net, source, cut) for cut in cuts[:_AHEAD]]
        for i in range(len(cuts)):
            pictures, good, broken = waiting.pop(0).result()
            if i + _AHEAD < len(cuts):
                waiting.append(reader.submit(_read, net, source, cuts[i + _AHEAD]))
            yield _look(plan, net, source, pictures, good), broken


def _read(
    net: Net, source: Source, numbers: NDArray[np.int64]
) -> tuple[list[Tensor], list[int], list[tuple[int, str]]]:
    """(pictures as the network sees them, their numbers, those that cannot be read with the reason)."""
    pictures: list[Tensor] = []
    good: list[int] = []
    broken: list[tuple[int, str]] = []
    for i in map(int, numbers):
        try:
            (picture,) = net.see(source.read(i)).pictures
        except BadImage as error:
            broken.append((i, str(error)))
            continue
        if pictures and picture.shape != pictures[0].shape:
            broken.append((i, f"{source.name(i)!r} is {'×'.join(map(str, picture.shape))}, others are of another size"))
            continue
        pictures.append(picture)
        good.append(i)
    return pictures, good, broken


def _look(plan: Plan, net: Net, source: Source, pictures: Sequence[Tensor], good: Sequence[int]) -> Iterator[Batch]:
    """The pictures through the network, always MICRO at once: for other numbers the libraries under torch choose
    other kernels, with other last bits. What is missing is filled up with black.
    """
    for start in range(0, len(good), MICRO):
        numbers = good[start : start + MICRO]
        pixels = torch.stack(list(pictures[start : start + MICRO]))
        filled = torch.cat([pixels, pixels.new_zeros(MICRO - len(pixels), *pixels.shape[1:])])
        with torch.no_grad():
            run = net.run(filled, at=plan.units.layers)
        found = [run.at[layer][: len(numbers)] for layer in plan.units.layers]
        labels = [source.label(i) for i in numbers]
        known = np.array([-1 if label is None else label for label in labels], np.int64)
        yield seen(found, np.array(numbers, np.int64), known)


_networks: dict[str, Net] = {}


def _network(plan: Plan) -> Net:
    """The plan's network, once for each process; refused where its weights are others by now."""
    if plan.key not in _networks:
        net = load(**plan.net)
        if net.weights != plan.weights:
            raise PellucidError(f"{net.name} has other weights than the index was begun with: {plan.weights[:12]}")
        _networks.clear()
        _networks[plan.key] = net
    return _networks[plan.key]


@lru_cache(maxsize=2)
def _source(text: str) -> Source:
    return Source.of(text)
