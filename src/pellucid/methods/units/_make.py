"""Making an index from Python."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pellucid.images.sources import Source
from pellucid.net import Net
from pellucid.sweep import Here, Runner, planned, swept
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
    where it was. `runner` says where the work is done: in this process unless told otherwise.
    """
    net, source = Net.of(net), Source.of(images)
    plan = planned(net, source, layers=layers, embedded=embed, pooled=pool, count=count, seed=seed)
    done = swept(plan, store, runner or Here(net, source))
    return Index.of(done).using(net)
