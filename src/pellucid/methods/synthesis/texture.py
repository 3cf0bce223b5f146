"""Texture: new pictures in which a network finds the same features together as in a given one."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from pellucid.catalogue import method
from pellucid.described import Default
from pellucid.images import Images
from pellucid.net import LayerName, Net
from pellucid.notes import Note
from pellucid.progress import steps as told
from pellucid.render.gram import apart, gram, textures
from pellucid.render.matching import Loss, OptimizerName, coarse_to_fine, features, noise
from pellucid.render.pixels import Size, as_file, eight_bits, resized, scaled
from pellucid.render.sizes import pyramid, takes, whole
from pellucid.render.stages import known, widest
from pellucid.result import Meta, Pictures
from pellucid.rng import Seed

SEAM = 16
"""Pixels of the opposite side that the network sees beyond each edge."""


@method(
    "Texture",
    purpose="make a texture like that of an image",
    shows=(
        "A loss far below that of the noise means that the layers can hardly tell the two textures apart; what still "
        "differs to the eye, they do not measure. Places are forgotten, so things come back in pieces and in another "
        "order; that is due to the loss and no fault of the network. At the defaults 150 forward and backward passes "
        "for each photo, half of them at half the size, ending at the last layer that is compared."
    ),
    source="Gatys, Ecker & Bethge 2015 (Texture synthesis), section 2, equations 1 to 5",
)
def texture(
    net: Net,
    images: Images,
    *,
    layers: Annotated[
        tuple[LayerName, ...],
        Field(description="layers whose Gram matrices are matched", examples=["blocks.1,blocks.2"]),
        Default("the widest layer of each resolution"),
    ] = (),
    size: Annotated[int, Field(ge=8, description="side of the images made, in pixels")] = 256,
    scale: Annotated[
        int, Field(ge=8, description="longer side to which the given images are resized, in pixels")
    ] = 256,
    steps: Annotated[
        int,
        Field(ge=1, description="number of loss evaluations; half of them are made at half the size", examples=[60]),
    ] = 150,
    optimizer: Annotated[OptimizerName, Field(description="optimizer of the image's Fourier coefficients")] = "l-bfgs",
    seed: Seed = 0,
) -> Pictures:
    """A picture from noise that has each picture's texture: (N, size, size, C) in 8 bits.

    Made small is the mean over the layers of ‖G − A‖² / ‖A‖², G = F Fᵀ / (C · H · W) of the layer's features F with
    their places forgotten, A that of the given picture. What is made can be tiled without a seam: beyond each edge
    the network sees the opposite side. Facts: this loss of the finished picture in 8 bits, and of the noise it began
    as.
    """
    shown, notes = whole(net, images, scale)
    made, losses, starts = [], [], []
    ends = (size, size)
    if net.preprocess.size is not None and not takes(net, ends):
        ends = net.preprocess.size
        notes += (Note("input", f"pictures of {ends[0]}×{ends[1]}: {net.name} takes none of {size}×{size}"),)
    for picture, name in told(list(zip(shown, images.ids, strict=True)), "texture: pictures"):
        extent = (picture.shape[-2], picture.shape[-1])
        names = tuple(row.name for row in known(net, layers or widest(net, extent), extent, maps=True))
        bits, loss, start = _made(net, picture, names, ends, steps, optimizer, (seed, name))
        made.append(bits)
        losses.append(loss)
        starts.append(start)
    return Pictures(
        tuple(made),
        images.ids,
        {"loss": tuple(losses), "of the noise": tuple(starts)},
        beside={"given": tuple(eight_bits(one)[0] for one in shown)},
        meta=Meta(notes=(*images.notes, *notes, Note("choice", f"layers: {', '.join(names)}"))),
    )


def _made(
    net: Net, given: Float[Tensor, "1 c h w"], layers: tuple[str, ...], size: Size, count: int, how: OptimizerName,
    which: tuple[int | str, ...],
) -> tuple[np.ndarray, float, float]:  # fmt: skip
    """The picture in 8 bits, its loss, and that of the noise it began as."""

    def lossy(level: Size) -> Loss:
        share = level[0] / size[0]
        wanted = textures(net, resized(given, scaled(given, share)), layers)
        return lambda x: apart(map(gram, features(net, around(x, seam), layers, grad=True)), wanted)

    seam = SEAM if takes(net, (size[0] + 2 * SEAM, size[1] + 2 * SEAM)) else 0
    begun = noise(which, given, size)
    what, ends = f"texture of {which[1]}", lossy(size)
    bits, again = as_file(coarse_to_fine(net, begun, pyramid(net, size), lossy, count, how, what))
    with torch.no_grad():
        return bits, float(ends(again)), float(ends(begun))


def around(x: Float[Tensor, "n c h w"], seam: int) -> Float[Tensor, "n c rows columns"]:
    """The picture, and beyond each edge so many pixels of the opposite side."""
    rows, columns = (torch.arange(-seam, side + seam, device=x.device) % side for side in x.shape[-2:])
    return x.index_select(-2, rows).index_select(-1, columns)
