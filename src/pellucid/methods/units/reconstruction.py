"""Reconstructions: what in its strongest patches excites a unit, projected back to the pixels."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from pellucid.catalogue import method
from pellucid.index import Index
from pellucid.index.patches import exciting, patches
from pellucid.index.unit import Unit
from pellucid.net import Net, Run
from pellucid.net.rules import Deconvnet, Guided, Rule
from pellucid.net.rules.operations import MAX_POOLING
from pellucid.notes import Note
from pellucid.progress import steps
from pellucid.result import Meta, Projections
from pellucid.result.coverage import Coverage

_RULES: dict[str, Rule | None] = {"deconvnet": Deconvnet(), "guided": Guided(), "gradient": None}
_BOUNDS = {"ReLU": (0.0, float("inf")), "ReLU6": (0.0, 6.0)}
_NO_SWITCHES = "no max-pooling, whose switches tie a deconvnet to the image, lies before {}: prefer rule='guided'"


@method(
    "Reconstructions",
    purpose="project a unit's strongest patches back to pixels",
    shows=(
        "Large values mark the pixels through which, by the chosen rule, an image excites the strongest cell; outside "
        "its receptive field all are zero. With guided backpropagation and deconvnet much of what appears is the edges "
        "of the patch, which can look the same for another unit, so compare with another unit and with rule=gradient. "
        "One forward and one backward pass for each of nine images."
    ),
    source="Zeiler & Fergus 2013, section 2.1 and figure 2; Springenberg et al. 2015, figure 3",
    over="all",
)
def reconstruction(
    index: Index,
    unit: Unit,
    *,
    count: Annotated[int, Field(ge=1, description="number of strongest images", examples=[4])] = 9,
    rule: Annotated[
        Literal["deconvnet", "guided", "gradient"],
        Field(description="backward rule of rectifiers: positive gradients (deconvnet), positive gradients of active "
            "inputs (guided), or the plain gradient"),
    ] = "guided",
) -> Projections:  # fmt: skip
    """The strongest patches and the one cell's activation projected back: (N, channels, H, W) in input pixels.

    The activation of the strongest cell alone is followed back to the pixels by the rule; it starts from 1, and the
    paper's projection, which starts from the activation, is that many times as large. Signed and raw; outside the
    cell's receptive field it is exactly zero. Behind a ReLU or ReLU6 it is followed from what that received, which
    is the same but for a cell at the bound of 6, where the derivative is zero and there would be nothing to see.
    """
    top = exciting(index, unit, index.enough(count))
    found = patches(index, unit, top)
    net, layer, columns = index.net, index[unit.layer].name, index[unit.layer].places[1]
    before, values = _before(net, layer), []
    coverage: Coverage = {}
    for image, place in steps([*zip(top.images.tolist(), top.places.tolist(), strict=True)], "patches"):
        picture = index.readable(image)
        if picture is None:
            continue  # `found` is without it, too
        run = net.run(net.prepare(picture), layers=[*before, layer], rule=_RULES[rule], grad="pixels", stop=True)
        with torch.enable_grad():
            cell = _cell(_received(run, layer, before), unit.channel, divmod(place, columns))
        (gradient,) = run.gradients(cell, [node for node in (run.pixels,) if node is not None])
        values.append(gradient[0].detach().cpu().double().numpy())
        coverage = run.coverage
    silent = sum(not one.any() for one in values)
    notes = [
        *found.meta.notes,
    ]
    if silent:
        zero = f"{silent} of {len(values)} projections are zero everywhere: nothing there moves the cell"
        notes.append(Note("values", zero))
    if rule == "deconvnet" and values and not any(operation in MAX_POOLING for operation, _ in coverage):
        notes.append(Note("reading", _NO_SWITCHES.format(unit)))
    shape = (net.preprocess.channels or 3, *(net.preprocess.size or (1, 1)))
    kept = np.stack(values).astype(np.float32) if values else np.zeros((0, *shape), np.float32)
    said = {"deconvnet": "rectified activation", "guided": "guided activation", "gradient": "activation"}[rule]
    meta = Meta(found={"images": found.names}, coverage=coverage, notes=tuple(notes))
    return Projections(kept, found, f"{said} per pixel range", meta)


def _before(net: Net, layer: str) -> dict[str, tuple[float, float]]:
    """The layer in front of a rectifier, and the bounds of that; nothing for other layers."""
    rows = net.layers().rows
    at = next((i for i, row in enumerate(rows) if row.name == layer), 0)
    if rows[at].kind not in _BOUNDS or not at or rows[at - 1].shape != rows[at].shape:
        return {}
    return {rows[at - 1].name: _BOUNDS[rows[at].kind]}


def _received(run: Run, layer: str, before: dict[str, tuple[float, float]]) -> Tensor:
    """What the layer's rectifier received, if it is that which lies before it in the order of execution."""
    for name, (low, high) in before.items():
        if torch.equal(run[name].clamp(low, high), run[layer]):
            return run[name]
    return run[layer]


def _cell(activation: Tensor, channel: int, place: tuple[int, int]) -> Tensor:
    """One cell of a layer with places, or one unit of a layer without."""
    return activation[0, channel, place[0], place[1]] if activation.dim() == 4 else activation[0, channel].sum()
