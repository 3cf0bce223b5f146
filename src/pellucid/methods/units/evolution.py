"""A unit over the training of its network: what excited it at every checkpoint."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from pellucid.catalogue import method
from pellucid.errors import PellucidError
from pellucid.index import Index
from pellucid.index.matching import correlations, side_by_side
from pellucid.index.patches import exciting, patches
from pellucid.index.several import Indexes
from pellucid.index.unit import Unit
from pellucid.result import PatchRow, Report, Table
from pellucid.result.table import Cell

_ABOUT = {
    "checkpoint": "the index, in the order given",
    "correlation": "of the unit's largest activations, over the probe, with those at the last checkpoint",
    "overlap": "of its strongest images with those at the last checkpoint: in both over in either",
    "selectivity": "for classes: (best − mean of others) / (best + mean of others) of its class means",
    "class": "the one with the largest mean",
    "largest": "its largest activation",
    "mean": "mean over images of its largest activation in each",
    "silent": "share of the images in which it is zero everywhere",
    "dead": "share of the layer's units that are silent in all images",
}
_SETTLED = 0.9
"""Correlation with the last checkpoint from which on a unit counts as the one that it became."""


@method(
    "Evolution of a unit",
    purpose="follow a unit through several checkpoints",
    shows=(
        "The unit has settled at the checkpoint from which on its correlation with the last one stays high. Low values "
        "before it say that the unit was different, and not what excited it: see the patches. All checkpoints are "
        "compared with the last, which need not be a good one, and a channel of the same number in another training is "
        "another unit. No network is run; the index of each checkpoint costs one pass over the data set."
    ),
    source="Zeiler & Fergus 2013, section 4.1 and figure 4 (feature evolution in training)",
    over="all",
)
def evolution(
    indexes: Indexes,
    unit: Unit,
    *,
    count: Annotated[int, Field(ge=1, description="number of patches of each checkpoint")] = 6,
    top: Annotated[int, Field(ge=1, description="number of strongest images whose overlap is counted")] = 20,
) -> Report:
    """A unit at every checkpoint, all over the same images: one row for each, and its strongest patches.

    Each checkpoint is an index; the last is what the others are compared with, by the overlap (Jaccard) of the `top`
    strongest images and by the correlation of the unit's largest activations over the probe. A correlation is
    unknown where the unit gives the same on all images. Refused where the indexes are of other images, or the
    layer is not in all of them with as many channels.
    """
    rows: list[dict[str, Cell]] = []
    strips = []
    last = indexes.each[-1]
    _alike(indexes, unit)
    for index in indexes.each:
        index.enough(count)
        index.enough(top, "top")
    for name, index in zip(indexes.names, indexes.each, strict=True):
        row: dict[str, Cell] = {"checkpoint": name, **_measured(index, unit), **_compared(index, last, unit, top)}
        rows.append(row)
        said = [f"correlation {row['correlation']:.2f}"] if row["correlation"] is not None else ["no correlation"]
        said.append(f"overlap {row['overlap']:.2f}" if row["overlap"] is not None else "no overlap")
        said += [f"selectivity {row['selectivity']:.2f}, {row['class']}"] if row["selectivity"] is not None else []
        said += [f"silent in {row['silent']:.0%}"] if row["silent"] else []
        strips.append(PatchRow(name, tuple(said), (patches(index, unit, index[unit.layer].top(unit.channel, count)),)))
    columns = {name: tuple(row[name] for row in rows) for name in _ABOUT}
    known = {name for name, cells in columns.items() if any(cell is not None for cell in cells)}
    pictured = tuple(name for name in ("correlation", "overlap", "selectivity", "largest") if name in known)
    news = (_settled(rows), f"over {last.n_images} images; overlaps are of the {top} strongest")
    return Report({"checkpoints": Table(columns, _ABOUT, (), pictured)}, tuple(strips), news)


def _alike(indexes: Indexes, unit: Unit) -> None:
    counts = []
    for index in indexes.each:
        index[unit.layer].unit(unit.channel)
        counts.append(index[unit.layer].channels)
    if len(set(counts)) > 1:
        raise PellucidError(f"layer {unit.layer!r} has {' and '.join(map(str, sorted(set(counts))))} channels in them")


def _measured(index: Index, unit: Unit) -> dict[str, Cell]:
    """What the index holds of the unit by itself."""
    layer, channel = index[unit.layer], unit.channel
    moments, selectivity = layer.moments, float(layer.class_selectivity[channel])
    found: dict[str, Cell] = {"selectivity": None, "class": None}
    if np.isfinite(selectivity):
        means = layer.class_means[:, channel]
        found = {"selectivity": selectivity, "class": index.classes[int(np.nanargmax(means))]}
    return {
        **found,
        "largest": float(moments.greatest[channel]),
        "mean": float(moments.max_mean[channel]),
        "silent": float(moments.silent_share[channel]),
        "dead": float((moments.silent >= moments.count).mean()),
    }


def _compared(index: Index, last: Index, unit: Unit, top: int) -> dict[str, Cell]:
    """The unit against itself at the last checkpoint."""
    values, others = side_by_side(index, unit.layer, last, unit.layer)
    values, others = values[:, [unit.channel]], others[:, [unit.channel]]
    varies = np.ptp(values) > 0 and np.ptp(others) > 0
    mine, theirs = (set(exciting(one, unit, top).images.tolist()) for one in (index, last))
    return {
        "correlation": float(correlations(values, others)[0, 0]) if varies else None,
        "overlap": len(mine & theirs) / len(mine | theirs) if mine | theirs else None,
    }


def _settled(rows: list[dict[str, Cell]]) -> str:
    """From which checkpoint on the unit is what it became."""
    found = len(rows) - 1
    while found and (rows[found - 1]["correlation"] or 0) >= _SETTLED:  # type: ignore[operator]
        found -= 1
    if found == len(rows) - 1:
        before = rows[-2]["correlation"]
        said = f"{before:.2f}" if before is not None else "not at all"
        return f"the unit has not settled: the checkpoint before the last correlates with it by {said}"
    return (
        f"from {rows[found]['checkpoint']} on the unit is what it became: correlation {_SETTLED} or more with the last"
    )
