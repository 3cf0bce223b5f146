"""The first look at a sick network: what every layer does with a batch of images."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from pellucid.catalogue import method
from pellucid.images import Images
from pellucid.methods.activations._verdicts import Seen, verdicts
from pellucid.methods.activations._watch import watched
from pellucid.methods.activations.layer_statistics import Bounds, Statistics, bounds_of
from pellucid.net import Layer, Layers, Net, tap
from pellucid.notes import Note
from pellucid.progress import steps
from pellucid.result import Meta, Table
from pellucid.result.table import Cell

Between = dict[str, tuple[str, str, Statistics]]
"""Functions with bounds: the layer that comes before them in the order of execution, their name, what they gave."""
_ABOUT = {
    "layer": "its name, in the order of execution",
    "kind": "what it is",
    "units": "how many channels, or entries of a vector",
    "mean": "of all its values: units, places and images",
    "spread": "their standard deviation",
    "largest": "the largest magnitude; infinite where a value is not finite",
    "zeros": "share of the values that are exactly zero",
    "dead": "share of the units that give one and the same value at all places of all images",
    "saturated": "share of the values at a bound of the activation: |tanh| 0.99, sigmoid 0.01 and 0.99, the 6 of ReLU6",
    "broken": "share of the values that are NaN or infinite; mean and spread are over the others",
}


@method(
    "Activation profile",
    purpose="activation statistics of every layer over all images",
    shows=(
        "Read the findings first, then look down the columns for the layer at which zeros, dead units, saturation or "
        "broken values suddenly grow. Many zeros are normal behind a rectifier, and a unit that is dead on a few "
        "images may merely find nothing in them, so show many. The table says whether signals get through the network, "
        "not whether its answers are right. One forward pass for each image."
    ),
    source="Glorot & Bengio 2010, section 3, figures 2 to 4",
    over="all",
)
def profile(net: Net, images: Images) -> Table:
    """What every layer does with all the images together: one row for each layer, in the order of execution.

    Mean and spread (standard deviation) of its values, the share of zeros, of dead units, of saturated and of
    broken values; `findings` names the layers that are sick and where it begins. A unit is dead that gives the same
    value at all places of all the images: a rectifier's that is never above zero, or one behind a layer that is
    silent. Show many images: a unit of a deep layer may merely find nothing in one. Where each unit gave but one
    number in all, whether it is dead is unknown (None), as is the saturation of layers that have no bounds.

    Sigmoids, tanhs and clips that are called as functions come as rows of their own, "layer: sigmoid". A channel that
    the network pads with zeros for every image, as shortcuts of some ResNets do, is no dead unit.

    Layers that only hand on what the last layer inside them has said are left out. Statistics are in float64 and
    add up image by image, so that neither the batch size nor the memory matters: one activation at a time is
    held.
    """
    seen = net.prepare(images)
    pixels = seen.pixels
    size = (pixels.shape[-2], pixels.shape[-1])
    table = net.layers(size)
    parts = {row.name: net.module.get_submodule(row.path) for row in table.rows}
    found = {row.name: Statistics(_units(row), bounds_of(parts[row.name])) for row in table.rows}
    between: Between = {}
    for part in steps(pixels.split(net.chunk(size, grad=False)), "layers"):
        _profiled(net, part, table, found, between)
    layers = []
    for row in (None, *table.rows):
        if row is not None and not _hands_on(row, table.rows, found):
            layers.append(Seen(row.name, row.kind, found[row.name], _broken_weights(parts[row.name])))
        behind = "" if row is None else row.name
        layers += [Seen(key, name, statistics) for key, (at, name, statistics) in between.items() if at == behind]
    said, marked = verdicts(layers, len(pixels))
    columns: dict[str, list[Cell]] = {name: [] for name in _ABOUT}
    for one in layers:
        for name, cell in _row(one).items():
            columns[name].append(cell)
    return Table(
        {name: tuple(cells) for name, cells in columns.items()},
        _ABOUT,
        said,
        ("spread", "zeros", "dead", "saturated"),
        marked,
        Meta(notes=(Note("values", f"over {len(pixels)} image{'s' * (len(pixels) > 1)}"),)),
    )


def _profiled(
    net: Net,
    pixels: Tensor,
    table: Layers,
    found: dict[str, Statistics],
    between: dict[str, tuple[str, str, Statistics]],
) -> None:
    """Add what one pass over these images shows: every layer, and every bounded function that is no layer."""
    rows = {(row.path, int(row.name.rpartition("#")[2]) if row.calls > 1 else 1): row for row in table.rows}
    last = ""

    def add(statistics: Statistics, value: Tensor) -> None:
        for one in value if value.dim() and len(value) == len(pixels) else value[None]:
            statistics.add(one)

    def function(inside: str, name: str, bounds: Bounds, value: Tensor) -> None:
        key = f"{inside or type(net.module).__name__}: {name}"
        add(between.setdefault(key, (last, name, Statistics(None, bounds)))[2], value)

    def layered(name: str, call: int, output: Any, padded: Tensor | None) -> None:
        nonlocal last
        row = rows.get((name, call))
        if row is not None:
            value = tap.only_tensor(output, name)[0]
            add(found[row.name], value if row.axes is None else row.axes.maps(value))
            found[row.name].padded, last = padded, row.name

    watched(net, pixels, function, layered)


def _row(one: Seen) -> dict[str, Cell]:
    known, total = one.statistics, max(one.statistics.values, 1)
    units = len(known.low) if known.low is not None else None
    return {
        "layer": one.name,
        "kind": one.kind,
        "units": units,
        "mean": known.mean if known.count else None,
        "spread": known.spread,
        "largest": known.largest,
        "zeros": known.zeros / total,
        "dead": known.dead / max(known.able, 1) if known.dead is not None and units else None,
        "saturated": known.saturated / total if known.bounds is not None else None,
        "broken": known.broken / total,
    }


def _units(row: Layer) -> int | None:
    """The axis of the units within one image's activation, where it is known."""
    return 0 if row.units is not None else None


def _hands_on(row: Layer, rows: tuple[Layer, ...], found: dict[str, Statistics]) -> bool:
    """Whether the layer is a container whose output is that of the last layer inside it, number for number."""
    before = rows[rows.index(row) - 1] if rows.index(row) else None
    if before is None or not before.path.startswith(f"{row.path}.") or before.shape != row.shape:
        return False
    mine, other = found[row.name], found[before.name]
    if mine.low is None or other.low is None or mine.high is None or other.high is None:
        return False
    parts = [(one.mean, one.moments.squares, one.zeros, one.broken) for one in (mine, other)]
    same = parts[0] == parts[1]
    return same and torch.equal(mine.low, other.low) and torch.equal(mine.high, other.high)


def _broken_weights(part: nn.Module) -> int:
    """How many of the layer's own weights are no numbers."""
    return sum(int((~torch.isfinite(weight)).sum()) for weight in part.parameters(recurse=False))
