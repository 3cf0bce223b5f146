"""Caricature: a photo drawn again from noise, with what a layer sees in it exaggerated."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, final

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from pellucid.catalogue import method
from pellucid.described import Default
from pellucid.errors import BadNetwork, Refused
from pellucid.images import Images
from pellucid.net import LayerName, Net
from pellucid.net.rules import Redirected
from pellucid.notes import Note
from pellucid.progress import preview
from pellucid.progress import steps as told
from pellucid.render.affine import Matrix, looked_at
from pellucid.render.frame import Frame, framed
from pellucid.render.optimizers import Adam
from pellucid.render.parametrizations import Fourier
from pellucid.render.pixels import File, as_images, eight_bits, precision
from pellucid.render.places import by_place, cosine, exaggeration
from pellucid.render.sizes import native_size
from pellucid.render.stages import middle
from pellucid.render.transforms import Jitter, Pad, Rotate, Scale, drawn
from pellucid.result import Meta, Pictures
from pellucid.rng import Seed, generator

_TRANSFORMS = (Pad(8), Jitter(8), Scale(0.95, 1.05), Rotate(5), Jitter(4))
_IMAGE, _CLIMB = Fourier(), Adam(0.05)
_REDIRECT = 16


@method(
    "Caricature",
    purpose="exaggerate what a layer sees in a photo",
    shows=(
        "What has grown beyond the photo is what the layer responds to in it; the facts say how alike the two are to "
        "the layer, and how many times as strongly the image excites it. What the layer does not see is drawn at "
        "random and means nothing, and what has grown need not decide the answer. For each photo and layer 128 forward "
        "and backward passes and as many forward passes of the photo, all ending at the layer."
    ),
    source="Carter et al. 2019, Activation atlas, section Looking at a single image; lucid 2018, recipe caricature",
)
def caricature(
    net: Net,
    images: Images,
    *,
    layers: Annotated[
        LayerName | tuple[LayerName, ...] | None,
        Field(description="layers whose features are exaggerated, each in a picture of its own", examples=["blocks.3"]),
        Default("one layer in the middle"),
    ] = None,
    power: Annotated[
        float | int,
        Field(ge=0, description="exponent of the cosine; 0 exaggerates most, larger values stay nearer to the photo"),
    ] = 0,
    steps: Annotated[int, Field(ge=1, description="number of optimization steps", examples=[64])] = 128,
    size: Annotated[
        int | None,
        Field(ge=8, description="shorter side of the images, in pixels"),
        Default("as the network resizes photos"),
    ] = None,
    seed: Seed = 0,
) -> Pictures:
    """What a layer makes of each photo, overdrawn: (N, H, W, C) of the photo's proportions, one for each layer named.

    From noise, the picture climbs the mean over the layer's places of ⟨a, a₀⟩ · max(0.1, cos(a, a₀))^power: a is its
    activation and a₀ the photo's, both seen through the same small shifts, turns and zooms. The product has no
    bound, so what the layer sees grows beyond what is in the photo; what it does not see is drawn anyhow.

    Facts, of the saved 8 bits through the network's own preprocessing: the mean cosine between picture and photo
    over the layer's places, and how many times as strong the picture excites the layer.
    """
    names = (layers,) if isinstance(layers, str) else layers or (middle(net),)
    stage = f"layer {names[0]}, chosen automatically: the last stage with maps twice as fine as the coarsest"
    notes = [] if layers else [Note("choice", stage)]
    side = size or min(native_size(net))
    made, photos, titles, likeness, strength = [], [], [], [], []
    for one in told(images, "caricature: photos") if len(images) > 1 else images:
        shown = replace(net.preprocess, resize=side, crop=None).prepare(Images.from_pictures(one.originals, one.ids))
        photo = shown.pixels
        frame = framed(net, (photo.shape[-2], photo.shape[-1]), sum(t.room for t in _TRANSFORMS))
        notes += frame.notes
        for name in names:
            sitting = _Sitting(net, name, photo.to(precision(net)), frame, (seed, one.ids[0]))
            found = sitting.drawn(power, steps)
            made.append(found)
            photos.append(eight_bits(photo)[0])
            titles.append(f"{one.ids[0]}: {name}" if len(images) > 1 else name)
            alike, times = _compared(net, name, found, photos[-1])
            likeness.append(alike)
            strength.append(times)
    facts = {"cosine": tuple(likeness), "× as strong": tuple(strength)}
    meta = Meta(found={"layer": ", ".join(names)}, notes=(*images.notes, *dict.fromkeys(notes)))
    columns = len(names) if len(names) > 1 else None
    return Pictures(tuple(made), tuple(titles), facts, beside={"the photo": tuple(photos)}, columns=columns, meta=meta)


@final
@dataclass(frozen=True, eq=False)
class _Sitting:
    """One layer, and the photo that it is shown beside the picture, through the same small changes."""

    net: Net
    layer: str
    photo: Float[Tensor, "1 c h w"]
    frame: Frame
    stream: tuple[int | str, ...]

    def drawn(self, power: float | int, count: int) -> File:
        """The finished picture."""
        seed, size = int(self.stream[0]), self.frame.size
        begin = _IMAGE.begin([generator(seed, *self.stream[1:], "start")], self.photo.shape[1], size)
        numbers, optimizer = begin.to(self.photo), _CLIMB.begin()
        for step in told(range(count), f"caricature: {self.stream[1]} at {self.layer}"):
            matrix = self._matrix(generator(seed, *self.stream[1:], "step", step))
            wanted = self._places(self.photo, matrix)
            with torch.enable_grad():
                leaf = numbers.detach().requires_grad_()
                pixels = _IMAGE.pixels(leaf, size)
                places = self._places(pixels, matrix, grad=True, redirect=step < _REDIRECT)
                (gradient,) = self.net.gradients(exaggeration(places, wanted, power).sum(), leaf)
            if not torch.isfinite(gradient).all():
                raise BadNetwork(
                    f"the gradient of {self.net.name} is not finite at step {step + 1}: its weights overflow"
                )
            numbers = optimizer(numbers, gradient)
            preview(lambda shown=pixels: eight_bits(shown)[0])  # type: ignore[misc]
        finished: File = eight_bits(_IMAGE.pixels(numbers, size))[0]
        return finished

    def _matrix(self, chance: np.random.Generator) -> Matrix:
        (matrix,) = drawn(_TRANSFORMS, [chance], min(self.frame.size))
        return matrix @ self.frame.matrix(chance)

    def _places(self, pixels: Tensor, matrix: Matrix, *, grad: bool = False, redirect: bool = False) -> Tensor:
        seen = looked_at(pixels, [matrix], self.frame.canvas)
        rule = Redirected() if redirect else None
        return by_place(self.net.run(seen, layers=[self.layer], rule=rule, grad=grad, stop=True)[self.layer])


def _compared(net: Net, layer: str, picture: File, photo: File) -> tuple[float, float]:
    """(mean cosine to the photo, how many times as strong), of the saved picture through the real preprocessing."""
    made, real = (
        by_place(net.run(as_images(one), layers=[layer], stop=True)[layer]).double() for one in (picture, photo)
    )
    if not real.any():
        raise Refused(f"layer {layer!r} answers 0 to the photo: there is nothing to exaggerate")
    return float(cosine(made, real).mean()), float(made.norm() / real.norm())
