"""One exact pass of a network over many images, in bounded memory, resumable; what is kept of it are folds."""

from __future__ import annotations

from pathlib import Path

from pellucid.images.sources import Source
from pellucid.sweep.fold import Fold
from pellucid.sweep.layers import Units
from pellucid.sweep.plan import Plan
from pellucid.sweep.runners.array import share
from pellucid.sweep.runners.local import Processes, Serial
from pellucid.sweep.runners.ray import Ray
from pellucid.sweep.schedule import Runner, schedule
from pellucid.sweep.store import BadStore, Store

__all__ = ["BadStore", "Fold", "Plan", "Processes", "Ray", "Runner", "Serial", "Store", "Units", "share", "swept"]


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
    whichever finds all done finishes it. Raises BadStore, by name, for images that are others by now than in the
    shards that are done. An index that was begun without a statistic that can be spared goes on without it.
    """
    store, runner = Store.begun(folder, plan), runner or Serial()
    plan = plan.begun_as(store.plan)
    if store.committed():
        _unchanged(store, getattr(runner, "source", None) or Source.of(plan.source))
    schedule(plan, store, runner, range(part[0], plan.shards, part[1]), deadline=deadline)
    if len(store.committed()) == plan.shards and not store.whole:
        store.finalize()
    return store


def _unchanged(store: Store, source: Source) -> None:
    others = sorted(image for images in store.changed(source).values() for image in images)
    if others:
        names = ", ".join(repr(source.name(image)) for image in others[:3]) + ", …" * (len(others) > 3)
        raise BadStore(
            f"{len(others)} images have changed since the index {str(store.folder)!r} was begun: {names}; put them "
            "back, name another --store, or do their shards again with --retry"
        )
