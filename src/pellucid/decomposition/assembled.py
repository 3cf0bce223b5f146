"""Groups of units at one layer or several, for each image, with their pictures: from the network to the result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from pellucid.decomposition.factors import How
from pellucid.decomposition.grouped import Grouped, flows, grouped, projected
from pellucid.geometry import Placement
from pellucid.images import Images
from pellucid.net import Net
from pellucid.notes import Note
from pellucid.progress import steps as told
from pellucid.render.directions import pictures_of
from pellucid.result import Blocks, Meta
from pellucid.result.blocks import BlockLayer
from pellucid.saliency.between import AtLayer, at_layer
from pellucid.saliency.heatmaps import asked_of
from pellucid.saliency.layers import chosen_layer
from pellucid.target import Direction, Target, fixed

Steps = Annotated[
    int,
    Field(ge=0, description="number of optimization steps for each picture; 0: no pictures are made", examples=[128]),
]
Points = Annotated[
    int,
    Field(
        ge=1, le=256,
        description="number of points between no activation and the layer's own at which gradients are taken; 1: at "
        "the image alone",
        examples=[1],
    ),
]  # fmt: skip
_UNITS, _COSINE, _MISSED = 5, 2, 0.05
_SPLIT = "it was split into both signs, and groups have channels of both"


@dataclass(frozen=True, eq=False)
class _One:
    """One image: its groups at each layer, and the links between each two."""

    at: tuple[AtLayer, ...]
    groups: tuple[Grouped, ...]
    links: tuple[Float[np.ndarray, "j i"], ...]
    asked: Target


@dataclass(frozen=True)
class Work:
    """What is done at each layer: how many groups of which kind, points of the path, steps of each picture."""

    groups: int
    method: How
    points: int
    steps: int
    seed: int


def blocks_of(net: Net, prepared: Images, target: Target, layers: Sequence[str], work: Work, *, chosen: bool) -> Blocks:
    """The groups of each image at these layers, earliest first; `chosen`: nobody named the layers, and a note does."""
    each = range(len(prepared))
    found = [
        _one(net, prepared.pixels[i : i + 1], target, layers, work)
        for i in (told(each, "groups: images") if len(each) > 1 else each)
    ]
    notes = [Note("choice", f"layer{'s' * (len(layers) > 1)} {', '.join(layers)}")] if chosen else []
    rows = []
    for place, name in enumerate(layers):
        where = chosen_layer(net, prepared, target.layers, name, "auto")
        notes += where.note
        if work.method == "nmf" and any(one.groups[place].signed for one in found):
            notes.append(Note("values", f"layer {name} has activations below zero: {_SPLIT}"))
        rows.append(_layer(net, name, found, place, where.placement, work))
    notes += [note for one, name in zip(found, prepared.ids, strict=True) for note in _missed(one, layers, work, name)]
    scores, asked = tuple(one.at[-1].score for one in found), [one.asked for one in found]
    meta = Meta(
        found={**asked_of(net, target, asked), "score": scores, "layer": ", ".join(layers)} | _fits(found, work),
        notes=(*prepared.notes, *dict.fromkeys(notes)),
    )
    photos = np.stack([prepared.shown(i, seen=True) for i in each])
    return Blocks(tuple(rows), photos, target.unit_of(net), _findings(rows, scores), meta)


def _missed(one: _One, layers: Sequence[str], work: Work, image: str) -> list[Note]:
    """Notes on layers whose shares miss the change of the score by more than a twentieth: too few points."""
    notes = []
    for at, name in zip(one.at, layers, strict=True):
        change = at.score - at.empty
        if work.points > 1 and abs(at.total - change) > _MISSED * abs(change):
            said = f"shares of {name} sum to {at.total:.3g} of {change:.3g}: more than {work.points} points come nearer"
            notes.append(Note("completeness", said, image))
    return notes


def _fits(found: Sequence[_One], work: Work) -> dict[str, tuple[float, ...]]:
    """Of each image how well the groups fit, and by how much shares miss the change of the score on the way."""
    facts = {"error": tuple(float(np.mean([each.error for each in one.groups])) for one in found)}
    if work.points > 1:
        changes = [[(at.total, at.score - at.empty) for at in one.at] for one in found]
        missed = [max(abs(a - b) / max(abs(b), 1e-12) for a, b in one) for one in changes]
        facts["completeness"] = tuple(map(float, missed))
    return facts


def _one(net: Net, pixels: Tensor, target: Target, layers: Sequence[str], work: Work) -> _One:
    """From the last layer to the first: what comes through a layer is asked of the groups of the next."""
    asked = fixed(target, net.run(pixels, layers=target.layers)) if target.reads_output else target
    found: list[tuple[AtLayer, Grouped, Float[np.ndarray, "j i"] | None]] = []
    for k in reversed(range(len(layers))):
        later, parts = None, list[Float[np.ndarray, "n c"]]()
        if found:
            later, parts = layers[k + 1], projected(found[-1][1], found[-1][0].gradient)
        at = at_layer(net, pixels, asked, layers[k], work.points, later, parts)
        groups = grouped(at.activation, at.gradient, work.groups, work.method, work.seed)
        found.append((at, groups, flows(groups, at) if found else None))
    found.reverse()
    links = tuple(one[2] for one in found if one[2] is not None)
    return _One(tuple(one[0] for one in found), tuple(one[1] for one in found), links, asked)


def _layer(net: Net, name: str, found: Sequence[_One], place: int, placement: Placement, work: Work) -> BlockLayer:
    """One layer of all images."""
    groups, at = [one.groups[place] for one in found], [one.at[place] for one in found]
    count, directions = len(groups[0].shares), np.stack([one.directions for one in groups])
    pictures = None
    if work.steps:
        made = []
        for each in directions:  # image by image: none depends on its neighbors
            targets = [Direction(name, tuple(one.tolist()), _COSINE) for one in each]
            made.append(pictures_of(net, targets, work.steps, work.seed, what=f"pictures of {name}"))
        pictures = np.stack(made)
    return BlockLayer(
        layer=name,
        values=np.stack([one.maps.T.reshape(count, *at[0].places) for one in groups]),
        shares=np.stack([one.shares for one in groups]),
        residual=np.array([one.residual for one in groups]),
        empty=np.array([one.empty for one in at]) if work.points > 1 else None,
        directions=directions,
        units=np.argsort(-directions, axis=-1, kind="stable")[..., :_UNITS],
        error=np.array([one.error for one in groups]),
        agreement=np.stack([one.agreement for one in groups]),
        placement=placement,
        names=tuple(f"group {k + 1}" for k in range(count)),
        pictures=pictures,
        links=np.stack([one.links[place] for one in found]) if place + 1 < len(found[0].groups) else None,
    )


def _findings(rows: Sequence[BlockLayer], score: Sequence[float]) -> tuple[str, ...]:
    """How much groups hold, of one image."""
    if len(score) != 1:
        return ()
    said = []
    for one in rows:
        total, agree = float(one.total[0]), np.nan if one.agreement is None else float(one.agreement[0].mean())
        left = abs(float(one.residual[0]) / total) if total else float("nan")
        said.append(
            f"{one.layer}: {one.shares.shape[1]} groups hold {total - float(one.residual[0]):.3g} of {total:.3g}, "
            f"{left:.0%} left over (activations: {one.error[0]:.0%}); two starts agree to {agree:.2f}"
        )
    return tuple(said)
