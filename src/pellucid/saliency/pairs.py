"""An image and another beside it: their cells exchanged, where these lie, and the same regions pasted as pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import Refused
from pellucid.geometry import Placement
from pellucid.images import Images, viewable
from pellucid.net import Net
from pellucid.net.answers import log_probabilities
from pellucid.notes import Note
from pellucid.saliency.exchange import Cells, at_random, exchanged
from pellucid.saliency.layers import Chosen, chosen_layer

DRAWS = 20
"""Orders of cells drawn at random that the search is held against."""
TRIES = 2500
"""Exchanges that are tried at each step: all of 7 × 7 cells, and the most promising of finer layers."""


@dataclass(frozen=True, eq=False)
class Paired:
    """An image, the other, and what exchanging their cells does: an entry of each field of a result."""

    fields: dict[str, Any]
    notes: tuple[Note, ...]
    layer: str

    @property
    def told(self) -> str:
        """The exchanges in words."""
        one = self.fields
        count, cells, random = len(one["boxes"]), one["cells"], float(np.median(one["random"]))
        if not one["reached"]:
            said = f"{count} exchanges do not make {one['answers']} a {one['wanted']}: no further one helps"
        elif not count:
            return f"{one['names']} is answered with {one['wanted']} as it is: nothing is exchanged"
        else:
            many = f"{count} of {cells} regions make" if count > 1 else f"1 of {cells} regions makes"
            said = f"{many} {one['answers']} {one['wanted']} ({one['values'][-1, 1]:.0%})"
        chance = "all of them drawn at random do not" if random > cells else f"drawn at random it takes {random:g}"
        pasted = f"; pasted as pixels the answer is {one['pasted_answers']}" if count else ""
        return f"{said}; {chance}{pasted}"


def says(net: Net, pixels: Tensor) -> Float[np.ndarray, " classes"]:
    """Log probabilities of one image (1, C, H, W). Refused where there is no second class."""
    found = log_probabilities(net.run(pixels))[0]
    if len(found) < 2:
        raise Refused(f"{net.name} knows one class only: there is no other answer")
    return np.asarray(found)


def paired(
    net: Net, image: Images, other: Images, wanted: int | None, layer: str | None, repeat: bool, seed: int
) -> Paired:
    """Cells of a layer exchanged until the image is answered with a class, by default with the other image's."""
    one, two = (net.prepare(each) for each in (image, other))
    first = says(net, one.pixels)
    answer, wanted = int(first.argmax()), int(says(net, two.pixels).argmax()) if wanted is None else wanted
    chosen, others = (chosen_layer(net, each, (), layer, "auto", of_this=True) for each in (one, two))
    cells = Cells.of(net, one.pixels, two.pixels, chosen.name)
    name, notes = image.ids[0], [*chosen.note]
    found = exchanged(cells, (answer, wanted), repeat=repeat, tries=TRIES, what=name)
    if found.reached and not len(found.cells):
        random = np.zeros(DRAWS, np.int64)
    else:
        random = at_random(cells, wanted, repeat=repeat, draws=DRAWS, seed=seed, what=f"random exchanges: {name}")
    if cells.many * cells.donors > TRIES:
        notes.append(Note("choice", f"of {cells.many * cells.donors} exchanges {TRIES} are tried, those that promise "
                                    "most to first order"))  # fmt: skip
    where, source = _placed(chosen, cells.own, one), _placed(others, cells.other, two)
    pixels = pasted(one.pixels, two.pixels, where[found.cells[:, 0]], source[found.cells[:, 1]])
    after = says(net, pixels)
    fields = {
        "values": found.probabilities, "boxes": where[found.cells[:, 0]], "distractor_boxes": source[found.cells[:, 1]],
        "queries": one.shown(0, seen=True), "distractors": two.shown(0, seen=True), "pasted": viewable(pixels[0]),
        "names": name, "distractor_names": other.ids[0], "answers": net.class_name(answer),
        "wanted": net.class_name(wanted), "reached": found.reached, "cells": cells.many, "random": random,
        "pasted_answers": net.class_name(int(after.argmax())), "pasted_values": np.exp(after[[answer, wanted]]),
    }  # fmt: skip
    return Paired(fields, tuple(notes), chosen.name)


def boxes(placement: Placement, shape: tuple[int, int], size: tuple[int, int]) -> Float[np.ndarray, "cells 4"]:
    """(top, left, bottom, right) of the part of an input of `size` that is nearest to each cell's center, row by row,
    in pixels from its upper left corner: what the cells share out among them, not all that they see.
    """
    edges = []
    for at, step, end in zip(placement.centers(*shape), placement.jump, size, strict=True):
        middle = (at[1:] + at[:-1]) / 2 + 0.5
        low, high = (middle[0] - (at[1] - at[0]), middle[-1] + (at[-1] - at[-2])) if len(at) > 1 else (
            at[0] + 0.5 - step / 2, at[0] + 0.5 + step / 2)  # fmt: skip
        edges.append(np.concatenate([[low], middle, [high]]).clip(0, end))
    (y, x), (rows, columns) = edges, shape
    top, left = np.repeat(y[:-1], columns), np.tile(x[:-1], rows)
    return np.stack([top, left, np.repeat(y[1:], columns), np.tile(x[1:], rows)], 1)


def _placed(chosen: Chosen, maps: Float[Tensor, "c rows columns"], seen: Images) -> Float[np.ndarray, "cells 4"]:
    height, width = seen.pixels.shape[-2:]
    return boxes(chosen.placement, (maps.shape[1], maps.shape[2]), (height, width))


def pasted(
    pixels: Float[Tensor, "1 c h w"], others: Float[Tensor, "1 c a b"], where: Float[np.ndarray, "k 4"],
    source: Float[np.ndarray, "k 4"],
) -> Float[Tensor, "1 c h w"]:  # fmt: skip
    """The image with boxes of another put into boxes of its own, as pixels; as large as theirs are."""
    found = pixels.clone()
    for own, taken in zip(where.round().astype(int), source.round().astype(int), strict=True):
        top, left, bottom, right = own.tolist()
        part = others[..., taken[0] : taken[2], taken[1] : taken[3]]
        size = (bottom - top, right - left)
        if min(*size, *part.shape[-2:]) > 0:
            part = part if part.shape[-2:] == size else torch.nn.functional.interpolate(part, size, mode="bilinear")
            found[..., top:bottom, left:right] = part
    return found
