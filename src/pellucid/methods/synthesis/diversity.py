"""Diversity: several pictures of one unit that differ from one another."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, final

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from pellucid.catalogue import method
from pellucid.errors import Refused
from pellucid.images import Images
from pellucid.net import Net, Run
from pellucid.render.frame import framed
from pellucid.render.objectives import Each, streams, without_picture
from pellucid.render.options import Preset, Side, Steps
from pellucid.render.pixels import eight_bits
from pellucid.render.recipes import BEST
from pellucid.render.render import optimized
from pellucid.render.trust import trusted
from pellucid.result import Meta, Pictures
from pellucid.rng import Seed
from pellucid.target import Target, Targets


@method(
    "Diversity",
    purpose="make different images that excite one target",
    shows=(
        "What all images of a target have in common is what it insists on; where they differ is what it lets pass. The "
        "images are pushed apart at the price of activation, so a difference need not be a separate cause: check that "
        "each image still excites the target, and that it survives a shift. At the defaults four images for each "
        "target, of 256 forward and backward passes each, and some twenty forward passes to judge each of them."
    ),
    source="Olah, Mordvintsev & Schubert 2017, section Diversity; Wei et al. 2015, section 3",
)
def diversity(
    net: Net,
    target: Targets,
    *,
    count: Annotated[int, Field(ge=2, description="number of images of each target")] = 4,
    strength: Annotated[
        float | int,
        Field(
            ge=0,
            description="weight of the difference between the images; at 1 an image like all others loses its "
            "activation",
        ),
    ] = 1.0,
    recipe: Preset = BEST,
    steps: Steps = None,
    size: Side = None,
    seed: Seed = 0,
) -> Pictures:
    """Pictures of one target that excite it in different ways: (N, H, W, C) in 8 bits, `count` for each target.

    A unit often answers more than one thing, and activation maximization finds the easiest. Here the pictures of a
    target push one another away: each gives up strength · |activation| · Σ ⟨G, G′⟩ / pictures over the others, where
    G are the Gram matrices of the target's layer, of length 1 (for a class, the last layer with places). What they
    still share is what the unit insists on. The fact `alike` is the mean ⟨G, G′⟩ of a finished picture to the others
    of its target: 1 is the same texture.
    """
    without_picture(target)
    how = replace(recipe, steps=steps or recipe.steps)
    frame = framed(net, size, how.room, cuts=how.cuts)
    targets = tuple(one for one in target for _ in range(count))
    layers = tuple(_home(net, one, frame.canvas) for one in targets)
    objective = _Apart(Each(targets), layers, count, strength)
    chance = list(streams(seed, target.parts, count))
    pixels = eight_bits(optimized(net, objective, how, frame, chance, what="diversity", together=count))
    names = [f"{one.named(net)}, {i + 1} of {count}" for one in target for i in range(count)]
    facts = {"alike": tuple(value for i in range(0, len(targets), count)
                            for value in _finished(net, pixels[i : i + count], layers[i]))}  # fmt: skip
    made = Pictures(pixels, tuple(names), facts, columns=count, meta=Meta(notes=frame.notes))
    return trusted(made, net, targets)


@final
@dataclass(frozen=True)
class _Apart:
    """Picture i is asked about target i, less what it has in common with its group of `count` neighbors."""

    each: Each
    homes: tuple[str, ...]
    count: int
    strength: float | int

    @property
    def layers(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.each.layers, *self.homes)))

    @property
    def reads_output(self) -> bool:
        return self.each.reads_output

    def __call__(self, run: Run) -> Float[Tensor, " n"]:
        scores, left = self.each(run), []
        for start in range(0, len(scores), self.count):
            group = slice(start, start + self.count)
            size = scores[group].detach().abs().mean()  # so that the strength means the same in every layer
            left.append(
                scores[group] - self.strength * size * likeness(run[self.homes[start]][group]).sum(1) / self.count
            )
        return torch.cat(left)

    def part(self, which: slice) -> _Apart:
        return _Apart(self.each.part(which), self.homes[which], self.count, self.strength)


def likeness(maps: Float[Tensor, "n c *places"]) -> Float[Tensor, "n n"]:
    """⟨G, G′⟩ of all pairs of pictures, their Gram matrices over channels of length 1; 0 with themselves."""
    maps = maps.flatten(2) if maps.dim() > 2 else maps[..., None]
    if maps.shape[1] <= maps.shape[2]:
        grams = torch.einsum("ncp,ndp->ncd", maps, maps).flatten(1)
        products = grams @ grams.T
    else:  # ⟨F Fᵀ, F′ F′ᵀ⟩ = ‖Fᵀ F′‖²: few places have small products
        products = torch.einsum("ncp,mcq->nmpq", maps, maps).square().sum((2, 3))
    lengths = products.diagonal().clamp(min=1e-12).sqrt()
    return products / (lengths[:, None] * lengths) * (1 - torch.eye(len(maps), dtype=maps.dtype, device=maps.device))


def _home(net: Net, target: Target, size: tuple[int, int]) -> str:
    """The layer in which the pictures of a target should differ."""
    if target.layers:
        return target.layers[-1]
    last = net.layers(size).last_map()
    if last is None:
        raise Refused(f"{net.name} has no layer with places in which pictures could differ: ask for a layer's unit")
    return last.name


def _finished(net: Net, pixels: np.ndarray, home: str) -> list[float]:
    """The mean likeness of each finished picture to the others, as its file is seen."""
    pictures = [torch.from_numpy(np.moveaxis(one, -1, 0).copy()) for one in pixels]
    seen = net.prepare(Images.from_pictures(pictures, [str(i) for i in range(len(pixels))])).pixels
    pairs = likeness(net.run(seen, layers=[home], stop=True)[home].double())
    return [float(value) for value in pairs.sum(1) / (len(pixels) - 1)]
