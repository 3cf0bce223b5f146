"""What class-map methods share: the layers whose maps are weighted, their places, their gradients, and the result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from pellucid.errors import NotRun, PellucidError, Refused
from pellucid.geometry import Placement, between
from pellucid.images import Images
from pellucid.methods.attribution._skeleton import called, chunks, derivative, heatmap
from pellucid.net import Net
from pellucid.net.effective import bundled_placement, effective
from pellucid.net.rules.elementwise import wide
from pellucid.notes import Note
from pellucid.result import Heatmap
from pellucid.target import Target, guessed

LayerNames = Annotated[
    str | tuple[str, ...] | None,
    Field(description="whose maps to weight, several as 'a,b'; by default the last one with places"),
]
Placing = Literal["auto", "field", "effective", "stretch"]
PlacingOption = Annotated[
    Placing,
    Field(
        description="cells in the middle of their receptive fields; where they look, measured once for each layer (16 "
        "to 64 backward passes); stretched over the picture, as most tools do; auto: as measured for the bundled "
        "network, else by receptive fields"
    ),
]


@dataclass(frozen=True)
class Chosen:
    """A layer whose maps are weighted, where its cells lie, and why this one."""

    name: str
    placement: Placement
    note: tuple[Note, ...]


Weigh = Callable[[Tensor, Tensor], Tensor]
"""(activation, gradient), both (n, k, rows, columns) -> the maps (n, rows, columns)."""


class Mapped(NamedTuple):
    """The maps (N, rows, columns) of one layer, the scores (N,), and what was asked of each image (see `guessed`)."""

    values: Tensor
    scores: Tensor
    asked: tuple[Target, ...] = ()


MapsOf = Callable[[Images, Chosen], Mapped]
"""(pictures as the network sees them, layer) -> their maps."""
Fuse = Callable[[list[Tensor]], Tensor]
"""The maps of several layers, each (N, height, width) -> one."""


@dataclass(frozen=True, eq=False)
class ClassMaps:
    """What one or several layers gave: maps in the one layer's frame, or at the pixels where they are several."""

    values: Tensor
    scores: Tensor
    placement: Placement
    layer: str
    notes: tuple[Note, ...]
    asked: tuple[Target, ...] = ()


def class_map(
    net: Net,
    images: Images,
    target: Target,
    layers: str | tuple[str, ...] | None,
    placement: Placing,
    maps_of: MapsOf,
    *,
    unit: str = "{}",
    shared: bool = False,
    fuse: Fuse | None = None,
    notes: Sequence[Note] = (),
) -> Heatmap:
    """The heatmap of `maps_of` at one layer, or of several layers fused (see `class_maps`).

    `notes` may be a list that `maps_of` adds to; {} in `unit` stands for that of the score.
    """
    seen = net.see(images)
    found = class_maps(net, seen, target.layers, layers, placement, maps_of, shared=shared, fuse=fuse)
    whole = unit.format(target.unit_of(net))  # known only now: what a score is shows when the network has run
    return heatmap(
        net,
        seen,
        target,
        found.values,
        found.placement,
        found.scores,
        unit=f"{whole} per pixel" if shared and ", " in found.layer else whole,
        found={"layer": found.layer},
        asked=found.asked,
        notes=(*found.notes, *notes, *telling(seen, found.values, called(net, target, found.asked) or target)),
    )


def class_maps(
    net: Net,
    seen: Images,
    before: tuple[str, ...],
    layers: str | tuple[str, ...] | None,
    placement: Placing,
    maps_of: MapsOf,
    *,
    shared: bool = False,
    fuse: Fuse | None = None,
) -> ClassMaps:
    """`maps_of` at the named layers, or at the last with places ahead of the layers in `before`.

    Several maps are read at the pixels, each by its own placement, and averaged as they are: none is rescaled by
    its own extremes, which would make the weakest layer as loud as the strongest. `shared` says that the cells
    share the score out; each is then divided by the pixels that a cell stands for, so that all maps are in the
    score per pixel and a layer with many cells does not fade. `fuse` replaces the average.
    """
    chosen = [chosen_layer(net, seen, before, name, placement) for name in _listed(layers)]
    height, width = seen.pixels.shape[-2:]
    if len(chosen) == 1:
        try:
            values, scores, asked = maps_of(seen, chosen[0])
        except NotRun:  # for a blank picture it does
            if layers is not None:
                raise
            chosen = [chosen_layer(net, seen, before, None, placement, of_this=True)]
            values, scores, asked = maps_of(seen, chosen[0])
        return ClassMaps(values, scores, chosen[0].placement, chosen[0].name, chosen[0].note, asked)
    parts = []
    for one in chosen:
        values, scores, asked = maps_of(seen, one)
        area = one.placement.jump[0] * one.placement.jump[1] if shared else 1.0
        parts.append(at_pixels(values / area, one.placement, (height, width)))
    fused = fuse(parts) if fuse is not None else torch.stack(parts).mean(0)
    notes = tuple(note for one in chosen for note in one.note)
    return ClassMaps(fused, scores, Placement.pixels(), ", ".join(one.name for one in chosen), notes, asked)


def weighted(net: Net, target: Target, what: str, weigh: Weigh, notes: list[Note] | None = None) -> MapsOf:
    """The maps of methods that need a layer's activation and the score's gradient there, chunk by chunk.

    `notes`, of methods that take activations for amounts, hear of layers that are none.
    """

    def maps_of(seen: Images, chosen: Chosen) -> Mapped:
        maps, scores, asked = [], [], list[Target]()
        for pixels in chunks(seen.pixels, net, what):
            activation, gradient, score, named = activation_gradients(net, pixels, target, chosen.name)
            maps.append(weigh(wide(activation), wide(gradient)))
            if notes is not None:
                no_amounts(notes, chosen.name, activation)
            scores.append(score)
            asked += named
        return Mapped(torch.cat(maps), torch.cat(scores), tuple(asked))

    return maps_of


def no_amounts(notes: list[Note], layer: str, activation: Tensor) -> None:
    """Note, once, a layer with cells far below zero: a weight means the opposite there. SiLU and GELU reach −0.3."""
    note = Note("values", f"layer {layer} is not rectified: where its cells are negative the sign of the map is turned")
    if -float(activation.min()) > 0.25 * float(activation.max()) and note not in notes:
        notes.append(note)


def by_mean_gradient(activation: Tensor, gradient: Tensor) -> Tensor:
    """Grad-CAM's map: every channel weighted by its mean gradient."""
    return torch.einsum("nk,nkhw->nhw", gradient.mean(dim=(2, 3)), activation)


def chosen_layer(
    net: Net, seen: Images, before: tuple[str, ...], layer: str | None, placement: Placing, *, of_this: bool = False
) -> Chosen:
    """The named layer, or the last with places ahead of those in `before`; Refused where it cannot serve.

    With `of_this` it is chosen from the layers that run for these images, not for a blank one.
    """
    height, width = seen.pixels.shape[-2:]
    table = net.layers((height, width)) if not of_this else net.layers(of=seen.pixels)
    row = net.layer(layer, of=seen.pixels) if layer is not None else table.last_map(before=before)
    if row is None:
        net.run(seen.pixels[:1]).output.shape  # noqa: B018  # what is wrong with the output is said first
        if before:
            raise Refused(
                f"no layer with places comes before {', '.join(before)}, which the target reads: name layer= or ask a "
                "method of the pixels, such as gradient"
            )
        raise Refused(f"no layer of {net.name} has a map with more than one cell for an input of {height} × {width}")
    if not row.mapped:
        raise Refused(table.no_maps(row))
    last = f"layer {row.name}: the last one that still has places"
    note = () if layer is not None else (Note("choice", last),)
    if placement == "effective":
        found = effective(net, row.name, (height, width))
        return Chosen(row.name, found.placement, (*note, Note("reading", f"layer {row.name} is placed {found.told}")))
    if placement == "auto" and row.placement is not None:
        shipped = bundled_placement(net, row, (height, width))
        measured = Note("reading", f"layer {row.name} is placed where its cells were measured to look")
        note = (*note, measured) if shipped else note
        return Chosen(row.name, shipped or row.placement, note)
    if placement == "field" and row.placement is not None:
        return Chosen(row.name, row.placement, note)
    if placement != "stretch":
        why = f"its place could not be followed through {', '.join(table.unplaced) or 'the network'}"
        note = (*note, Note("reading", f"layer {row.name} is stretched over the picture: {why}"))
    field = row.placement.field if row.placement else None
    return Chosen(row.name, Placement.stretched(row.shape[1], row.shape[2], height, width, field), note)


def at_pixels(maps: Tensor, placement: Placement, size: tuple[int, int]) -> Tensor:
    """Maps (…, rows, columns) read at every pixel of an input of `size`: (…, height, width), linear between cells."""
    centres = placement.centres(maps.shape[-2], maps.shape[-1])
    rows, columns = (
        maps.new_tensor(between(at, np.arange(n, dtype=np.float64))) for at, n in zip(centres, size, strict=True)
    )
    return rows @ maps @ columns.T


def activation_gradients(
    net: Net, pixels: Float[Tensor, "n c h w"], target: Target, layer: str
) -> tuple[
    Float[Tensor, "n k rows columns"], Float[Tensor, "n k rows columns"], Float[Tensor, " n"], tuple[Target, ...]
]:
    """(activation, d score / d activation, scores, what was asked of each image: see `guessed`) of one layer."""
    with torch.enable_grad():
        run = net.run(pixels, at=[layer, *target.layers], grad=True)
        scores, (gradient,) = derivative(run, [run[layer]], target, f"layer {layer!r}")
    return run[layer].detach(), gradient, scores, guessed(target, run)


def _listed(layers: str | tuple[str, ...] | None) -> list[str | None]:
    """'a,b' or a sequence -> one by one; [None] where none is named."""
    if layers is None:
        return [None]
    names = [name.strip() for name in (layers.split(",") if isinstance(layers, str) else layers)]
    if not names or not all(names):
        raise PellucidError(f"layer={layers!r} names no layer: one name, or several as 'a,b'")
    return list(dict.fromkeys(names))


def telling(seen: Images, values: Tensor, asked: Target | Sequence[str]) -> tuple[Note, ...]:
    """What a picture of the map would hide: that nothing speaks for the target, or that all places say the same.

    `asked` is what each image was asked, or the target of all.
    """
    notes = []
    targets = [asked] * len(seen) if isinstance(asked, Target) else asked
    for name, target, one in zip(seen.ids, targets, values.detach(), strict=True):
        high, low = float(one.max()), float(one.min())
        if high <= 0 and low < 0:
            notes.append(Note("values", f"no positive evidence for {target}: the largest value is {high:.3g}", name))
        elif high == low != 0:
            notes.append(Note("values", f"the map is {high:.3g} everywhere: no place stands out", name))
    return tuple(notes)
