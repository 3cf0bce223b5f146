"""What class-map methods share: maps of one layer or of several, and the heatmap of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from pellucid.errors import NotRun, PellucidError
from pellucid.geometry import Placement
from pellucid.images import Images
from pellucid.net import Net
from pellucid.notes import Note
from pellucid.result import Heatmap
from pellucid.saliency.heatmaps import called, heatmap
from pellucid.saliency.layers import Chosen, Placing, at_pixels, chosen_layer
from pellucid.target import Target


class Mapped(NamedTuple):
    """The maps (N, rows, columns) of one layer, the scores (N,), and what was asked of each image (see `guessed`)."""

    values: Tensor
    scores: Tensor
    asked: tuple[Target, ...] = ()


MapsOf = Callable[[Images, Chosen], Mapped]
"""(images as the network sees them, layer) -> their maps."""
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
    prepared = net.prepare(images)
    found = class_maps(net, prepared, target.layers, layers, placement, maps_of, shared=shared, fuse=fuse)
    whole = unit.format(target.unit_of(net))  # known only now: what a score is shows when the network has run
    return heatmap(
        net,
        prepared,
        target,
        found.values,
        found.placement,
        found.scores,
        unit=f"{whole} per pixel" if shared and ", " in found.layer else whole,
        found={"layer": found.layer},
        asked=found.asked,
        notes=(*found.notes, *notes, *warnings_for(prepared, found.values, called(net, target, found.asked) or target)),
    )


def class_maps(
    net: Net,
    prepared: Images,
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
    chosen = [chosen_layer(net, prepared, before, name, placement) for name in _listed(layers)]
    height, width = prepared.pixels.shape[-2:]
    if len(chosen) == 1:
        try:
            values, scores, asked = maps_of(prepared, chosen[0])
        except NotRun:  # for a blank image it does
            if layers is not None:
                raise
            chosen = [chosen_layer(net, prepared, before, None, placement, of_this=True)]
            values, scores, asked = maps_of(prepared, chosen[0])
        return ClassMaps(values, scores, chosen[0].placement, chosen[0].name, chosen[0].note, asked)
    parts = []
    for one in chosen:
        values, scores, asked = maps_of(prepared, one)
        area = one.placement.jump[0] * one.placement.jump[1] if shared else 1.0
        parts.append(at_pixels(values / area, one.placement, (height, width)))
    fused = fuse(parts) if fuse is not None else torch.stack(parts).mean(0)
    notes = tuple(note for one in chosen for note in one.note)
    return ClassMaps(fused, scores, Placement.pixels(), ", ".join(one.name for one in chosen), notes, asked)


def _listed(layers: str | tuple[str, ...] | None) -> list[str | None]:
    """'a,b' or a sequence -> one by one; [None] where none is named."""
    if layers is None:
        return [None]
    names = [name.strip() for name in (layers.split(",") if isinstance(layers, str) else layers)]
    if not names or not all(names):
        raise PellucidError(f"layer={layers!r} names no layer: one name, or several as 'a,b'")
    return list(dict.fromkeys(names))


def warnings_for(prepared: Images, values: Tensor, asked: Target | Sequence[str]) -> tuple[Note, ...]:
    """What a picture of the map would hide: that nothing speaks for the target, or that all places say the same.

    `asked` is what each image was asked, or the target of all.
    """
    notes = []
    targets = [asked] * len(prepared) if isinstance(asked, Target) else asked
    for name, target, one in zip(prepared.ids, targets, values.detach(), strict=True):
        high, low = float(one.max()), float(one.min())
        if high <= 0 and low < 0:
            notes.append(Note("values", f"no positive evidence for {target}: the largest value is {high:.3g}", name))
        elif high == low != 0:
            notes.append(Note("values", f"the map is {high:.3g} everywhere: no place stands out", name))
    return tuple(notes)
