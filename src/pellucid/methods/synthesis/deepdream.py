"""DeepDream: whatever the network sees in a photo, more of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, final

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from pellucid.catalogue import method
from pellucid.described import Default
from pellucid.errors import PellucidError
from pellucid.images import Images
from pellucid.images.perturb import PictureOption
from pellucid.net import Net, Run
from pellucid.notes import Note
from pellucid.progress import steps as told
from pellucid.render.dream import Dream, Guided
from pellucid.render.pixels import eight_bits, precision
from pellucid.render.stages import middle
from pellucid.result import Meta, Pictures
from pellucid.rng import Seed
from pellucid.target import Energy, Target, scored


@final
@dataclass(frozen=True)
class Middle(Target):
    """The energy of a layer half-way up, whichever that is in the network that is asked."""

    def __call__(self, run: Run) -> Float[Tensor, " n"]:
        raise PellucidError("which layer is half-way up depends on the network: name it, energy(LAYER)")

    def __str__(self) -> str:
        return "energy of a layer half-way up"


@method(
    "DeepDream",
    purpose="amplify what the network sees in a photo",
    shows=(
        "What appears is what the layer, or another target, responds to and found traces of in the photo; the facts "
        "say how far the target rose. Do not read it as what the photo shows, or as why it got its class: enough steps "
        "bring such patterns out of any photo. At the defaults 80 forward and backward passes that end at the target's "
        "layer, most of them on smaller copies; large photos are seen in parts and take more."
    ),
    source="Mordvintsev, Olah & Tyka 2015, notebook, sections on octaves and Controlling dreams",
)
def deepdream(
    net: Net,
    images: Images,
    target: Target = Middle(),
    *,
    octaves: Annotated[int, Field(ge=1, description="number of sizes of the photo, each 1.4 times the last")] = 4,
    steps: Annotated[int, Field(ge=1, description="number of steps at each size; the original took 10")] = 20,
    rate: Annotated[
        float | int, Field(gt=0, description="mean change of a pixel value in one step, in units of 1/255")
    ] = 1.5,
    bands: Annotated[
        int,
        Field(
            ge=1,
            le=8,
            description="number of bands of spatial frequency that are amplified equally; 1 uses the gradient as it is",
        ),
    ] = 5,
    guide: Annotated[
        PictureOption | None, Field(description="second image, whose features the layer is drawn to"), Default("none")
    ] = None,
    seed: Seed = 0,
) -> Pictures:
    """What the network sees in each photo, until everyone sees it: (N, H, W, C), each as large as its photo.

    From the smallest octave to the photo's own size, x += rate · g / mean |g| raises the target (by default the mean
    square of a layer half-way up), and what shrinking had lost of the photo is put back each time. The photo is
    rolled by up to 32 pixels at each step. `bands` gives coarse and fine structure the same say, as the authors'
    later version does; 1 is the formula of the first. Large photos, and all photos where a network takes one size
    alone, are seen part by part.

    With a guide, each place of the layer is drawn to the guide's feature with which its product is largest; the
    target must then be the energy of a layer. Facts: the target on the photo and on the picture as its file holds
    it, both through the network's own preprocessing.
    """
    notes: list[Note] = []
    found: dict[str, str] = {}
    if isinstance(target, Middle):
        target = Energy(middle(net))
        found = {"target": str(target)}
        stage = f"layer {target.layer}, chosen automatically: the last stage with maps twice as fine as the coarsest"
        notes.append(Note("choice", stage))
    if guide is not None:
        target = _guided(net, target, guide)
        notes.append(Note("reading", f"drawn to what {guide.ids[0]} shows {target.layer}"))
    dream = Dream(net, target, octaves, steps, rate / 255, bands, seed)
    as_they_are = replace(net.preprocess, resize=None, crop=None)
    made, photos, before, after = [], [], [], []
    for one in told(images, "deepdream: photos") if len(images) > 1 else images:
        photo = as_they_are.prepare(Images.from_pictures(one.originals, one.ids)).pictures[0]
        windows = dream.windows((photo.shape[-2], photo.shape[-1]))
        if windows.several:
            parts = f"seen in parts of {windows.window[0]}×{windows.window[1]} pixels"
            notes.append(Note("input", parts, one.ids[0]))
        made.append(eight_bits(dream(photo.to(precision(net)), one.ids[0])[None])[0])
        photos.append(eight_bits(photo[None])[0])
        before.append(_score(net, target, photo))
        after.append(_score(net, target, torch.from_numpy(made[-1]).permute(2, 0, 1)))
    facts = {f"{target.unit_of(net)} of the photo": tuple(before), "of the dream": tuple(after)}
    meta = Meta(found=found, notes=(*images.notes, *notes))
    return Pictures(tuple(made), images.ids, facts, beside={"the photo": tuple(photos)}, meta=meta)


def _guided(net: Net, target: Target, guide: Images) -> Guided:
    """Towards what the guide shows the layer."""
    if not isinstance(target, Energy):
        raise PellucidError(f"a guide draws a layer, {target} is not one: give the target as energy(LAYER)")
    if len(guide) != 1:
        raise PellucidError(f"these are {len(guide)} guides: give one")
    features = net.run(guide, layers=[target.layer], stop=True)[target.layer]
    if features.dim() < 3:
        raise PellucidError(f"the layer {target.layer} has no places that a guide could draw: choose one with maps")
    return Guided(target.layer, features[0].flatten(1).detach())


def _score(net: Net, target: Target, picture: Tensor) -> float:
    run = net.run(Images.from_pictures([picture], ["picture"]), layers=target.layers, stop=not target.reads_output)
    return float(scored(target, run)[0])
