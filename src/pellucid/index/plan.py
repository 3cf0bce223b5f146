"""What an index holds, and of which layers: the plan of its sweep."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from pellucid.errors import BadImage, PellucidError, unknown
from pellucid.images.sources import Source
from pellucid.index.folds import STANDARD
from pellucid.index.stages import noise, on_noise, usual
from pellucid.net import Net
from pellucid.result import versions
from pellucid.sweep import Fold, Plan, Units
from pellucid.sweep.fold import Scope, options_of

_SHARD, _MANY = 512, 1 << 16
_WORK = ("shard", "batch", "seed")
"""Of the plan itself: how the work is cut, and the order."""


def planned(
    net: Net, source: Source, *, spec: Mapping[str, Any] | None = None, layers: Sequence[str] | None = None,
    folds: Sequence[Fold[Any]] = (), **options: Any,
) -> Plan:  # fmt: skip
    """The plan of an index. `layers` are by default the `usual` ones; `folds` are kept beside the standard ones.

    `options` are those of the standard folds (count, bottom, probe, samples, embed, pool, class_means) and of the
    plan (shard, batch, seed). Raises PellucidError for one that there is not, or that it cannot be.
    """
    known = options_of(*STANDARD).model_fields
    for name in options:
        if name not in known and name not in _WORK:
            raise unknown("option of an index", name, [*known, *_WORK])
    source.value_range = net.preprocess.reading
    size = net.preprocess.size or _seen(net, source)
    units = _units(net, size, layers)
    work = {name: options.pop(name) for name in _WORK if name in options}
    work.setdefault("shard", _SHARD if len(source) <= _MANY else 8 * _SHARD)
    scope = Scope(units, len(source), len(source.classes), work.get("seed", 0))
    own = [kind.of({name: options[name] for name in options_of(kind).model_fields if name in options})
           for kind in STANDARD]  # fmt: skip
    settled = (fold.settled(scope) for fold in (*own, *folds))
    return Plan(
        spec or {"spec": net.name, "scores": net.scores}, net.weights, asdict(net.preprocess), str(source),
        len(source), source.identity, source.labeled, units, tuple(fold for fold in settled if fold is not None),
        source.classes, **work, versions=versions(), device=_device(net), size=size,
    )  # fmt: skip


def _units(net: Net, size: tuple[int, int], layers: Sequence[str] | None) -> Units:
    """The layers, what they are like, and all their units."""
    table = net.layers(size)
    names, known = (tuple(dict.fromkeys(layers)), {}) if layers is not None else usual(net, size)
    if not names:
        raise PellucidError(f"{net.name} has no layer with units: name some with layers=")
    rows = [table[name] for name in names]
    for row in rows:
        if not row.mapped and math.prod(row.shape[1:]) != 1:
            shape = "×".join(map(str, row.shape))
            raise PellucidError(f"layer {row.name!r} gives {shape}: an index is of channels with maps, or of numbers")
    clips = net.clips(noise(net, size), names)
    return Units(
        names,
        tuple(row.shape[0] for row in rows),
        tuple((row.shape[1], row.shape[2]) if row.mapped else (1, 1) for row in rows),
        tuple(row.placement for row in rows),
        known,
        tuple(bool((value < 0).any()) for value in on_noise(net, names, size).values()),
        tuple(clips.get(name) for name in names),
    )


def _seen(net: Net, source: Source) -> tuple[int, int]:
    """The size of the first image that can be read, for networks that take any."""
    for i in range(len(source)):
        try:
            high, wide = net.prepare(source.read(i)).pictures[0].shape[1:]
        except BadImage:
            continue
        return int(high), int(wide)
    raise BadImage(f"none of the {len(source)} images of {source} can be read")


def _device(net: Net) -> str:
    return next((parameter.device.type for parameter in net.module.parameters()), "cpu")
