"""Style transfer: what one picture shows, in the manner of another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from pellucid.catalogue import method
from pellucid.described import Default
from pellucid.errors import PellucidError, Refused
from pellucid.images import Images
from pellucid.images.perturb import PictureOption
from pellucid.net import Net
from pellucid.notes import Note
from pellucid.progress import steps as told
from pellucid.render.gram import apart, gram, textures
from pellucid.render.matching import Loss, OptimizerName, coarse_to_fine, features, noise, relative
from pellucid.render.pixels import Size, as_file, eight_bits, resized, scaled
from pellucid.render.regularizers import variation
from pellucid.render.sizes import pyramid, whole
from pellucid.render.stages import stages, widest
from pellucid.result import Meta, Pictures

PAINTING = "sample:starry_night"
"""Whose style is taken where none is named."""
SPREAD = 0.225
"""Typical standard deviation of a photo's pixels, by which the total variation is measured."""


@method(
    "Style transfer",
    purpose="paint a photo in the style of another image",
    shows=(
        "The two facts say how much of the content is lost and how much of the style is missed, both 0 at best. Style "
        "is which features occur together, wherever they are, so the layout of the painting is not carried over; and a "
        "pleasing image says little about the network, as weights, size and steps decide as much. At the defaults 120 "
        "forward and backward passes for each photo, half of them at half the size."
    ),
    source="Gatys, Ecker & Bethge 2015 (Artistic style), section on methods, equations 1 to 7",
)
def style_transfer(
    net: Net,
    images: Images,
    *,
    style: Annotated[
        PictureOption | None,
        Field(description="image whose style is used", examples=["sample:dahlia"]),
        Default("sample:starry_night"),
    ] = None,
    loss_weights: Annotated[
        tuple[float | int, float | int, float | int],
        Field(description="weights of the content, style and total-variation losses"),
    ] = (0.05, 1, 0.01),
    size: Annotated[int, Field(ge=8, description="longer side of the images made, in pixels")] = 384,
    steps: Annotated[
        int,
        Field(ge=1, description="number of loss evaluations; half of them are made at half the size", examples=[60]),
    ] = 120,
    optimizer: Annotated[OptimizerName, Field(description="optimizer of the image's Fourier coefficients")] = "l-bfgs",
    seed: Annotated[
        int | None,
        Field(ge=0, le=2**63 - 1, description="seed of the noise to start from"),
        Default("none: start from the content image"),
    ] = None,
) -> Pictures:
    """Each picture in the style of another: (N, H, W, C) in 8 bits, at the proportions of each.

    Made small is content · ‖F − P‖² / ‖P‖² for the features P that a late stage has of the content, plus style · the
    mean over layers of ‖G − A‖² / ‖A‖² for the Gram matrices A = F Fᵀ / (C · H · W) that the widest layer of each
    octave has of the style, plus tv · the mean squared difference of neighbors over that of a photo's pixels. Each
    term counts relative to what it is compared with, so that the balance means the same for every network. Facts: the
    first two of the finished picture in 8 bits; of the content alone the first is 0.
    """
    if min(loss_weights) < 0:
        raise PellucidError(f"loss_weights={loss_weights}: of content, style and total variation, none below 0")
    styles = style if style is not None else Images.of(PAINTING)
    if len(styles) != 1:
        raise PellucidError(f"style: these are {len(styles)} images, give one")
    (manner,), said = whole(net, styles, size)
    shown, notes = whole(net, images, size)
    made, contents, manners, names = [], [], [], ""
    for picture, name in told(list(zip(shown, images.ids, strict=True)), "style transfer: pictures"):
        work = _Transfer(net, picture, manner, loss_weights)
        begun = picture if seed is None else noise((seed, name), picture, work.size)
        levels = pyramid(net, work.size)
        bits, again = as_file(coarse_to_fine(net, begun, levels, work.lossy, steps, optimizer, f"style of {name}"))
        with torch.no_grad():
            content, styled = work.terms(work.size)(again)
        made.append(bits)
        contents.append(float(content))
        manners.append(float(styled))
        names = f"content: {work.content}; style: {', '.join(work.layers)}"
    painting = eight_bits(manner)[0]
    return Pictures(
        tuple(made),
        images.ids,
        {"content lost": tuple(contents), "style missed": tuple(manners)},
        beside={"content": tuple(eight_bits(one)[0] for one in shown), "style": (painting,) * len(shown)},
        meta=Meta(notes=(*images.notes, *styles.notes, *notes, *said, Note("choice", f"layers of {names}"))),
    )


class _Transfer:
    """A content and a style, and how far a picture is from both."""

    def __init__(
        self, net: Net, content: Float[Tensor, "1 c h w"], style: Float[Tensor, "1 c a b"],
        weights: tuple[float | int, float | int, float | int],
    ) -> None:  # fmt: skip
        self.net, self.picture, self.style, self.weights = net, content, style, weights
        self.size = (content.shape[-2], content.shape[-1])
        late = list(stages(net, self.size).values())
        self.content, self.layers = late[max(len(late) - 2, 0)], widest(net, self.size)

    def lossy(self, size: Size) -> Loss:
        """What is made small at that size."""
        terms, (content, style, tv) = self.terms(size), self.weights

        def loss(x: Tensor) -> Tensor:
            lost, missed = terms(x)
            return content * lost + style * missed + tv * variation(x).sum() / (SPREAD**2 * x.numel())

        return loss

    def terms(self, size: Size) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
        """terms(picture) -> content lost and style missed, at that size."""
        layers, share = [self.content, *self.layers], size[0] / self.size[0]
        manner = resized(self.style, scaled(self.style, share))
        (wanted,) = features(self.net, resized(self.picture, size), [self.content])
        if not wanted.any():
            raise Refused(f"layer {self.content!r} answers 0 to the content: it cannot be kept")
        matrices = textures(self.net, manner, self.layers)

        def terms(x: Tensor) -> tuple[Tensor, Tensor]:
            found, *styled = features(self.net, x, layers, grad=True)
            return relative(found, wanted), apart(map(gram, styled), matrices)

        return terms
