"""Gradient flow: where signal and gradient vanish, explode or die, layer by layer."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from pellucid.catalogue import method
from pellucid.data import Data
from pellucid.described import Default
from pellucid.learning.flow import Flow, LayerFlow, Norms, flow
from pellucid.learning.objective import images_of
from pellucid.learning.verdicts import changes, judged
from pellucid.net import Net
from pellucid.net.nets import Nets, NetsOption
from pellucid.notes import Note, say
from pellucid.progress import steps
from pellucid.result import Curve, Grid, Line, Meta, Study, Table
from pellucid.result.table import Cell
from pellucid.rng import Seed

SIGNAL, GRADIENT = "standard deviation of h", "RMS of ∂L/∂h"
_LAYERS = {
    "network": "the network, or the checkpoint of it",
    "layer": "convolution or linear layer, in the order of execution; h is what it gives, ahead of norm and activation",
    "std": "standard deviation of h over units, places and images; infinite where a value is not finite",
    "change": "std over that of the layer before",
    "gradient": "root mean square of the derivative of each image's loss, in nats, by h",
    "gradient change": "gradient over that of the layer behind: the factor on its way back through one layer",
    "dead": "share of the units that give zero everywhere in all images behind the rectifier that follows",
    "saturated": "share of the values at a bound of the tanh (|value| from 0.99) or sigmoid (0.01, 0.99) that follows",
    "broken": "share of the values of h that are NaN or infinite",
}
_VERDICTS = {
    "network": "the network, or the checkpoint of it",
    "verdict": "what is wrong first of all; healthy where nothing is",
    "signal change": "std in the last hidden layer over that in the first",
    "gradient change": "gradient in the first layer over that in the last hidden one",
    "loss": "mean cross entropy of the images, in nats",
    "dead": "largest share of dead units of a layer",
    "saturated": "largest share of saturated values of a layer",
}


@method(
    "Gradient flow",
    purpose="vanishing, exploding, dead: which layer, in words",
    shows="Read how the scale of signal and gradient changes from layer to layer. Healthy says that no rule has fired, "
    "not that training will succeed. One forward and one backward pass over 64 images for each network.",
    source="Glorot & Bengio 2010, section 4 and figures 6, 7; He et al. 2015, section 2.2",
    over="all",
    quick={"samples": 16},
)
def gradient_flow(
    net: Net,
    data: Data,
    *,
    checkpoints: Annotated[
        NetsOption | None,
        Field(description="checkpoints of the network, or others of its kind, that are looked at beside it"),
        Default("the network alone"),
    ] = None,
    norms: Annotated[
        Norms, Field(description="statistics of batch norm: frozen, as stored; batch, of the images, as in training")
    ] = "frozen",
    samples: Annotated[int, Field(ge=2, le=4096, description="number of images, drawn at random from the data")] = 64,
    seed: Seed = 0,
) -> Study:
    """Signal and gradient in every layer with weights, and what they say: one row for each layer in `layers`.

    From one pass forward and back over some images: the standard deviation of what each convolution and linear layer
    gives (h), and the root mean square of ∂L/∂h, L being the loss of one image. Gradients by weights would not show it:
    a signal that shrinks through 50 layers to a billionth of itself leaves them at one size. `findings` name the
    verdicts: a signal that explodes, vanishes or fades, a gradient that vanishes or explodes, dead and saturated units;
    where values are not finite, the first layer that has such. `verdicts` has one row for each network, so that
    checkpoints before, during and after training stand side by side, in grids of layers × networks too.

    The network is left as it is, and dropout is off. What batch norm does to gradients in training is seen with `norms`
    "batch".
    """
    asked = data.on(net).subset(samples, seed)
    pictures, labels = images_of(net, asked)
    several = Nets.made(checkpoints, net) if checkpoints is not None else None
    nets = [net, *several] if several is not None else [net]
    names = [net.name, *several.names] if several is not None else [net.name]
    names = [f"{name} ({i})" if names.count(name) > 1 else name for i, name in enumerate(names)]
    found = [flow(one, pictures, labels.to(one.device), norms) for one in steps(nets, "networks")]
    verdicts = [judged(one) for one in found]
    sentences = tuple(
        f"{name}: {one.text}" if len(nets) > 1 else one.text
        for name, several_ in zip(names, verdicts, strict=True)
        for one in several_
    )
    if norms == "frozen" and any(one.fresh for one in found):
        say(Note("reading", "batch norm has met no data yet: norms='batch' shows what training would meet"))
    return Study(
        sentences,
        {"by depth": _curve(names, found)},
        {name: _grid(names, found, name, by) for name, by in {"signal": _std, "gradient": _slope}.items()}
        if len(nets) > 1
        else {},
        {"verdicts": _judgments(names, found, [one[0].name for one in verdicts]), "layers": _layers(names, found)},
        Meta(found={"shown": len(labels), "norms": norms, "verdicts": ", ".join(one[0].name for one in verdicts)}),
    )


def _std(layer: LayerFlow) -> float:
    return layer.std


def _slope(layer: LayerFlow) -> float:
    return layer.gradient


def _curve(names: Sequence[str], found: Sequence[Flow]) -> Curve:
    lines = [
        Line(
            name,
            np.arange(1.0, len(one.layers) + 1),
            _finite([by(layer) for layer in one.layers]),
            None,
            quantity,
            group=name,
        )
        for quantity, by in ((SIGNAL, _std), (GRADIENT, _slope))
        for name, one in zip(names, found, strict=True)
    ]
    return Curve(tuple(lines), "layer with weights, in the order of execution")


def _grid(names: Sequence[str], found: Sequence[Flow], name: str, by: Callable[[LayerFlow], float]) -> Grid:
    rows = tuple(dict.fromkeys(layer.name for one in found for layer in one.layers))
    values = np.full((len(rows), len(names)), np.nan)
    for column, one in enumerate(found):
        for layer in one.layers:
            values[rows.index(layer.name), column] = _finite([by(layer)])[0]
    return Grid(values, rows, tuple(names), SIGNAL if name == "signal" else GRADIENT, "layer", "network", log=True)


def _finite(values: Sequence[float]) -> np.ndarray:
    """NaN for what has no place on a logarithmic axis: zero, and what is not finite. The tables have all."""
    found = np.array(values, np.float64)
    return np.where(np.isfinite(found) & (found > 0), found, np.nan)


def _cell(value: float) -> Cell:
    return None if math.isnan(value) else value


def _layers(names: Sequence[str], found: Sequence[Flow]) -> Table:
    columns: dict[str, list[Cell]] = {name: [] for name in _LAYERS}
    for name, one in zip(names, found, strict=True):
        for layer, forward, back in zip(one.layers, *changes(one), strict=True):
            row = (name, layer.name, layer.std, _cell(forward), _cell(layer.gradient), _cell(back), _cell(layer.dead),
                   _cell(layer.saturation), layer.broken / layer.count)  # fmt: skip
            for column, cell in zip(columns, row, strict=True):
                columns[column].append(cell)
    return Table({name: tuple(cells) for name, cells in columns.items()}, _LAYERS)


def _judgments(names: Sequence[str], found: Sequence[Flow], verdicts: Sequence[str]) -> Table:
    rows = []
    for name, verdict, one in zip(names, verdicts, found, strict=True):
        numbers = (one.signal_change, one.gradient_change, one.loss, _largest([layer.dead for layer in one.layers]),
                   _largest([layer.saturation for layer in one.layers]))  # fmt: skip
        rows.append((name, verdict, *map(_cell, numbers)))
    return Table(dict(zip(_VERDICTS, map(tuple, zip(*rows, strict=True)), strict=True)), _VERDICTS)


def _largest(values: Sequence[float]) -> float:
    return max((one for one in values if not math.isnan(one)), default=math.nan)
