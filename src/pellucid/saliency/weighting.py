"""Maps of a layer weighted by gradients."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.images import Images
from pellucid.net import Net
from pellucid.net.rules.elementwise import upcast
from pellucid.notes import Note
from pellucid.saliency.backward import chunks, derivative
from pellucid.saliency.class_maps import Mapped, MapsOf
from pellucid.saliency.layers import Chosen
from pellucid.target import Target, resolved

Weigh = Callable[[Tensor, Tensor], Tensor]
"""(activation, gradient), both (n, k, rows, columns) -> the maps (n, rows, columns)."""


def weighted(net: Net, target: Target, what: str, weigh: Weigh, notes: list[Note] | None = None) -> MapsOf:
    """The maps of methods that need a layer's activation and the score's gradient there, chunk by chunk.

    `notes`, of methods that take activations for amounts, hear of layers that are none.
    """

    def maps_of(prepared: Images, chosen: Chosen) -> Mapped:
        maps, scores, asked = [], [], list[Target]()
        for pixels in chunks(prepared.pixels, net, what):
            activation, gradient, score, named = activation_gradients(net, pixels, target, chosen.name)
            maps.append(weigh(upcast(activation), upcast(gradient)))
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


def activation_gradients(
    net: Net, pixels: Float[Tensor, "n c h w"], target: Target, layer: str
) -> tuple[
    Float[Tensor, "n k rows columns"], Float[Tensor, "n k rows columns"], Float[Tensor, " n"], tuple[Target, ...]
]:
    """(activation, d score / d activation, scores, what was asked of each image: see `guessed`) of one layer."""
    with torch.enable_grad():
        run = net.run(pixels, layers=[layer, *target.layers], grad=True)
        scores, (gradient,) = derivative(run, [run[layer]], target, f"layer {layer!r}")
    return run[layer].detach(), gradient, scores, resolved(target, run)
