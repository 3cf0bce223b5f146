"""Making an index from Python."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pellucid.images.sources import Source
from pellucid.net import Net
from pellucid.notes import Note, say
from pellucid.sweep import Here, Runner, Store, planned, swept
from pellucid.sweep.index import Index


def index(
    net: Any,
    images: Any,
    *,
    store: str | Path,
    layers: Sequence[str] | None = None,
    embed: Sequence[str] | None = None,
    pool: Sequence[str] = (),
    count: int = 100,
    seed: int = 0,
    runner: Runner | None = None,
) -> Index:
    """One exact pass of a network over many images; or the index that the same call has made before.

    `net` is what `load` takes, `images` a folder, tar or parquet files, arrays, `samples`, or a `Source`. What is kept
    lies in the folder `store`: of every unit of the `layers` (by default all with weights) the `count` strongest
    images and where in them, quantiles and moments; of every image the means over places of the layers to `embed`
    (by default what the classifier reads), and the maxima of the layers to `pool`. A run that was stopped goes on
    where it was. `runner` says where the work is done: in this process unless told otherwise. What looking for the
    images passed over, and those that could not be read, stand in `Index.notes` and in the notes of its results.
    """
    net, source = Net.of(net), Source.of(images)
    plan = planned(net, source, layers=layers, embedded=embed, pooled=pool, count=count, seed=seed)
    done = swept(plan, store, runner or Here(net, source))
    said = (*source.notes, *Note.many("unreadable", _unread(done, source)))
    for note in said:
        say(note)
    return replace(Index.of(done).using(net), said=said)


def _unread(store: Store, source: Source) -> tuple[str, ...]:
    """How many images are not in the index, and why the first are not."""
    bad = store.bad()
    some = [reason if Path(source.name(i)).name in reason else f"{source.name(i)}: {reason}" for i, reason in bad[:5]]
    return (f"{len(bad)} of {len(source)} pictures could not be read", *some) if bad else ()
