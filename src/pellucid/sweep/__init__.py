"""One exact pass of a network over many pictures: every unit of every layer, in bounded memory, resumable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch.nn.modules import activation

from pellucid.errors import PellucidError, unknown
from pellucid.images.sources import Source
from pellucid.net import Layer, Net
from pellucid.result import versions
from pellucid.sweep.drive import Runner, drive
from pellucid.sweep.fold import Units
from pellucid.sweep.plan import Plan
from pellucid.sweep.runners.local import Here, Processes
from pellucid.sweep.store import Store

__all__ = ["Here", "Plan", "Processes", "Runner", "Store", "Units", "planned", "swept"]


def planned(
    net: Net, source: Source, *, spec: dict[str, Any] | None = None, layers: Sequence[str] | None = None,
    embedded: Sequence[str] | None = None, count: int = 100, shard: int = 512, batch: int = 16, seed: int = 0,
) -> Plan:  # fmt: skip
    """The plan of a sweep. `layers` are by default all with weights (`handed_on`), `embedded` what the head reads."""
    table = net.layers()
    names = tuple(layers) if layers is not None else handed_on(table.rows)
    if not names:
        raise PellucidError(f"{net.name} has no layer with units: name some with layers=")
    rows = [table[name] for name in names]
    units = Units(
        names,
        tuple(row.shape[0] for row in rows),
        tuple((row.shape[1], row.shape[2]) if len(row.shape) == 3 else (1, 1) for row in rows),
        tuple(row.placement for row in rows),
    )
    last = -2 if len(rows[-1].shape) == 1 and len(names) > 1 else -1  # what the classifier reads
    kept = tuple(embedded) if embedded is not None else (names[last],)
    for name in kept:
        if name not in names:
            raise unknown("layer", name, names)
    return Plan(
        spec or {"spec": net.name}, net.weights, asdict(net.preprocess), str(source), len(source), source.identity,
        units, kept, source.classes, count, shard, batch, seed, versions=versions(),
    )  # fmt: skip


def handed_on(rows: Sequence[Layer]) -> tuple[str, ...]:
    """Every layer with weights, as what comes after it receives it: behind the norm and the activation that follow."""
    found = []
    for i, row in enumerate(rows):
        if not ("Conv" in row.kind or "Linear" in row.kind) or len(row.shape) not in (1, 3):
            continue
        end = i
        while end + 1 < len(rows) and rows[end + 1].shape == row.shape and _follows(rows[end + 1].kind):
            end += 1
        found.append(rows[end].name)
    return tuple(dict.fromkeys(found))


def _follows(kind: str) -> bool:
    return "Norm" in kind or kind in activation.__all__


def swept(
    plan: Plan,
    folder: str | Path,
    runner: Runner | None = None,
    *,
    part: tuple[int, int] = (0, 1),
    deadline: float | int = 1800,
) -> Store:
    """Run what is not done yet, and finish the index when all of it is.

    `part` = (i, n) does every n-th shard from the i-th: n such calls, anywhere that sees the folder, do all.
    """
    store = Store.begun(folder, plan)
    drive(plan, store, runner or Here(), range(part[0], plan.shards, part[1]), deadline=deadline)
    if len(store.committed()) == plan.shards:
        store.finalise()
    return store
