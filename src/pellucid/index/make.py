"""Making an index from Python."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from pellucid.bars import shown
from pellucid.described import Default, Shell
from pellucid.images.sources import Source
from pellucid.index.index import Index
from pellucid.index.plan import planned
from pellucid.net import Net, NetLike
from pellucid.notes import Note, say
from pellucid.sweep import Fold, Plan, Runner, Serial, Store, swept


def index(
    net: NetLike,
    images: Source | str | Path,
    *,
    store: str | Path,
    layers: Annotated[
        Sequence[str] | None,
        Field(description="layers whose units are recorded"),
        Default("all with weights"),
        Shell(value="NAME,…"),
    ] = None,
    folds: Sequence[Fold[Any]] = (),
    shard: Annotated[
        int | None,
        Field(ge=2, description="images per shard; at most one shard is done again after a crash"),
        Default("512, or 4096 above 65,536 images"),
    ] = None,
    seed: Annotated[int, Field(ge=0, description="seed of the order of the images and of the sampled places")] = 0,
    runner: Runner | None = None,
    **options: Any,
) -> Index:
    """One exact pass of a network over many images; or the index that the same call has made before.

    `net` is what `load` takes, `images` a folder, tar or parquet files, arrays, `samples`, or a `Source`. What is kept
    lies in the folder `store`: of every unit of the `layers` (by default all with weights) the `count` (100) strongest
    and `bottom` (10) weakest images and where in them, quantiles and moments, and its maxima on `sample` (10,000)
    random images; of every image the means over places of the layers to `embed` (by default what the classifier
    reads), the maxima of the layers to `pool`, and a thumbnail of `thumbnail_side` (64) pixels, about 3.5 kB on disk;
    the means over the images of each class. These are `options`, and so are `class_means`, `samples` and `batch`.
    Statistics of your own or of another package are `folds`. A run that was stopped goes on where it was. `runner` says
    where the work is done: in this process unless told otherwise. What looking for the images passed over, and those
    that could not be read, stand in `Index.notes` and in the notes of its results.
    """
    net, source = Net.of(net), Source.of(images)
    work: dict[str, Any] = {"seed": seed} if shard is None else {"seed": seed, "shard": shard}
    plan = planned(net, source, layers=layers, folds=folds, **work, **options)
    with shown():
        done = swept(plan, store, runner or Serial(net, source))
    said = (*source.notes, *without(plan, done), *Note.many("unreadable", _unread(done, source)))
    for note in said:
        say(note)
    return replace(Index.of(done).with_net(net), said=said)


def without(plan: Plan, store: Store) -> tuple[Note, ...]:
    """That an index goes on without what it was begun without, where that is so."""
    lacking = " and ".join(plan.spared(store.plan))
    text = f"the index was begun without {lacking} and goes on without: to have them name another store"
    return Note.many("choice", [text] if lacking else [])


def _unread(store: Store, source: Source) -> tuple[str, ...]:
    """How many images are not in the index, and why the first are not."""
    bad = store.bad()
    some = [reason if Path(source.name(i)).name in reason else f"{source.name(i)}: {reason}" for i, reason in bad[:5]]
    return (f"{len(bad)} of {len(source)} images could not be read", *some) if bad else ()
