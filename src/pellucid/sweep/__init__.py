"""One exact pass of a network over many pictures: every unit of every layer, in bounded memory, resumable."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.modules import activation

from pellucid.chance import generator
from pellucid.errors import BadImage, PellucidError
from pellucid.images.sources import Source
from pellucid.net import Layer, Net
from pellucid.result import versions
from pellucid.sweep.drive import Runner, drive
from pellucid.sweep.fold import Units
from pellucid.sweep.plan import Plan
from pellucid.sweep.runners.array import share
from pellucid.sweep.runners.local import Here, Processes
from pellucid.sweep.runners.ray import Ray
from pellucid.sweep.store import BadStore, Store

__all__ = ["BadStore", "Here", "Plan", "Processes", "Ray", "Runner", "Store", "Units", "planned", "share", "swept"]


_SHARD, _MANY = 512, 1 << 16
_CLASSED = 8_000_000  # numbers: 64 MB of sums for each of the two or three places of their digits


def planned(
    net: Net, source: Source, *, spec: dict[str, Any] | None = None, layers: Sequence[str] | None = None,
    embedded: Sequence[str] | None = None, pooled: Sequence[str] = (), **sizes: Any,
) -> Plan:  # fmt: skip
    """The plan of a sweep. `layers` are by default the `usual` ones, `embedded` what the head reads.

    `sizes` are fields of `Plan`: count, bottom, probe, shard, batch, seed.
    """
    source.value_range = net.preprocess.value_range
    size = net.preprocess.size or _seen(net, source)
    table = net.layers(size)
    names, known = (tuple(dict.fromkeys(layers)), {}) if layers is not None else usual(net, size)
    if not names:
        raise PellucidError(f"{net.name} has no layer with units: name some with layers=")
    rows = [table[name] for name in names]
    for row in rows:
        if not row.mapped and math.prod(row.shape[1:]) != 1:
            shape = "×".join(map(str, row.shape))
            raise PellucidError(f"layer {row.name!r} gives {shape}: an index is of channels with maps, or of numbers")
    clips = net.clips(_noise(net, size), names)
    units = Units(
        names,
        tuple(row.shape[0] for row in rows),
        tuple((row.shape[1], row.shape[2]) if row.mapped else (1, 1) for row in rows),
        tuple(row.placement for row in rows),
        known,
        tuple(bool((value < 0).any()) for value in _on_noise(net, names, size).values()),
        tuple(clips.get(name) for name in names),
    )
    last = -2 if len(rows[-1].shape) == 1 and len(names) > 1 else -1  # what the classifier reads
    kept = tuple(embedded) if embedded is not None else (names[last],)
    kept, most = (tuple(names[units.layer(one)] for one in asked) for asked in (kept, pooled))
    if "shard" not in sizes:
        sizes["shard"] = _SHARD if len(source) <= _MANY else 8 * _SHARD
    return Plan(
        spec or {"spec": net.name, "scores": net.scores}, net.weights, asdict(net.preprocess), str(source),
        len(source), source.identity, source.labelled, units, kept, most, source.classes,
        classed=_classed(units, len(source.classes), kept), **sizes,
        versions=versions(), device=_device(net), size=size,
    )  # fmt: skip


def usual(net: Net, size: tuple[int, int] | None = None) -> tuple[tuple[str, ...], dict[str, str]]:
    """The layers that an index has unless told otherwise, and other names for some of them.

    `handed_on`, and the outputs of the network's stages (layer4, blocks.6), which sums of branches may end. Where a
    stage's output is that of a layer in it, they are one layer, under the name of the stage.
    """
    size = size or net.size
    table = net.layers(size)
    names = list(handed_on(table.rows))
    rows = {row.name: row for row in table.rows}
    stages = [one for one in _stages(rows, names) if one not in names and len(rows[one].shape) == 3]
    found = _on_noise(net, [*names, *stages], size)
    aliases: dict[str, str] = {}
    for stage in stages:
        inside = [i for i, name in enumerate(names) if name.startswith(f"{stage}.")]
        same = [i for i in inside if torch.equal(found[names[i]], found[stage])]
        if same:
            aliases[names[same[-1]]] = stage
            names[same[-1]] = stage
        else:
            names.insert(inside[-1] + 1, stage)
    return tuple(names), aliases


def _seen(net: Net, source: Source) -> tuple[int, int]:
    """The size of the first picture that can be read, for networks that take any."""
    for i in range(len(source)):
        try:
            high, wide = net.see(source.read(i)).pictures[0].shape[1:]
        except BadImage:
            continue
        return int(high), int(wide)
    raise BadImage(f"none of the {len(source)} pictures of {source} can be read")


def _device(net: Net) -> str:
    return next((parameter.device.type for parameter in net.module.parameters()), "cpu")


def _on_noise(net: Net, names: Sequence[str], size: tuple[int, int]) -> dict[str, Tensor]:
    """What layers make of one picture of noise."""
    with torch.no_grad():
        run = net.run(_noise(net, size), at=names)
    return {name: run.at[name] for name in names}


def _noise(net: Net, size: tuple[int, int]) -> Tensor:
    shape = (1, net.preprocess.channels or 3, *size)
    return torch.from_numpy(generator(0, "noise").random(shape, np.float32))


def _classed(units: Units, classes: int, kept: Sequence[str]) -> tuple[str, ...]:
    """Layers whose class means are kept: all, unless that were too much for a shard; then stages and what is embedded,
    then what is embedded alone.
    """
    stages = {*units.aliases.values(), *kept, *(name for name in units.layers if name.count(".") <= 1)}
    if not classes:
        return ()
    for some in (
        units.layers,
        tuple(name for name in units.layers if name in stages),
        tuple(name for name in units.layers if name in kept),
    ):
        if classes * len(units.of(some)) <= _CLASSED:
            return tuple(some)
    return ()


def _stages(rows: Mapping[str, Layer], names: Sequence[str]) -> list[str]:
    """The parts of the network that hold several of the layers, but no more than half: layer1 to layer4, blocks.0 …"""
    parts = [name for name in rows if sum(one.startswith(f"{name}.") for one in names) > 1]
    large = {name for name in parts if sum(one.startswith(f"{name}.") for one in names) > len(names) / 2}
    return [name for name in parts if name not in large and name.rpartition(".")[0] in {"", *large}]


def handed_on(rows: Sequence[Layer]) -> tuple[str, ...]:
    """Every layer with weights, as what comes after it receives it: behind the norm and the activation that follow,
    or the part of the network that holds it, norm and activation alone.
    """
    weighted = [
        row.name for row in rows if _weighted(row) and not any(one.name.startswith(f"{row.name}.") for one in rows)
    ]
    found = []
    for i, row in enumerate(rows):
        if row.name not in weighted:
            continue
        end = i
        while end + 1 < len(rows) and rows[end + 1].shape == row.shape and _follows(rows[end + 1], row, weighted):
            end += 1
        found.append(rows[end].name)
    return tuple(dict.fromkeys(found))


def _weighted(row: Layer) -> bool:
    return ("Conv" in row.kind or "Linear" in row.kind) and len(row.shape) in (1, 3)


def _follows(after: Layer, row: Layer, weighted: Sequence[str]) -> bool:
    inside = [name for name in weighted if name.startswith(f"{after.name}.")]
    if inside:
        return inside == [row.name]
    return "Norm" in after.kind or after.kind in activation.__all__


def swept(
    plan: Plan,
    folder: str | Path,
    runner: Runner | None = None,
    *,
    part: tuple[int, int] = (0, 1),
    deadline: float | int = 1800,
) -> Store:
    """Run what is not done yet, and finish the index when all of it is.

    `part` = (i, n) does every n-th shard from the i-th: n such calls, anywhere that sees the folder, do all, and
    whichever finds all done finishes it. Raises BadStore, by name, for pictures that are others by now than in the
    shards that are done.
    """
    store, runner = Store.begun(folder, plan), runner or Here()
    if store.committed():
        _unchanged(store, getattr(runner, "source", None) or Source.of(plan.source))
    drive(plan, store, runner, range(part[0], plan.shards, part[1]), deadline=deadline)
    if len(store.committed()) == plan.shards and not store.whole:
        store.finalise()
    return store


def _unchanged(store: Store, source: Source) -> None:
    others = sorted(image for images in store.changed(source).values() for image in images)
    if others:
        names = ", ".join(repr(source.name(image)) for image in others[:3]) + ", …" * (len(others) > 3)
        raise BadStore(
            f"{len(others)} pictures have changed since the index {str(store.folder)!r} was begun: {names}; put them "
            "back, name another --store, or do their shards again with --retry"
        )
