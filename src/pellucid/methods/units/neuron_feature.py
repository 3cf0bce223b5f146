"""Neuron feature: the mean of what excites a unit most."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from pellucid.catalogue import method
from pellucid.index import Index
from pellucid.index.crops import Spot, Strongest, spots, strongest
from pellucid.index.feature import Mean, contrasted, eight_bits, trimmed
from pellucid.index.unit import Unit
from pellucid.notes import Note
from pellucid.result import Meta, Pictures


@method(
    "Neuron feature",
    purpose="average the patches that excite a unit most",
    shows=(
        "What stands out has the same place and color in most of the strongest patches. Gray does not mean that the "
        "unit looks for nothing: in deep layers the patches differ pixel by pixel, and the mean of any of them is "
        "nearly gray. The contrast is stretched, so that a faint mean may look clear; the contrast before that is "
        "among the numbers. No network is run; up to 100 images are read."
    ),
    source="Rafegas, Vanrell, Alexandre & Arias 2020, section 3",
    over="all",
)
def neuron_feature(
    index: Index,
    unit: Unit,
    *,
    count: Strongest = None,
    contrast: Annotated[
        Literal["stretched", "mean"],
        Field(
            description="contrast of the result: stretched from the darkest to the lightest color, or the mean itself"
        ),
    ] = "stretched",
) -> Pictures:
    """The mean of the patches that excite a unit most, each weighted by its activation: (N, h, w, C), N = 1.

    Pixels are 8 bits, h × w is the receptive field. The patches lie on one another cell on cell: what they share
    stays, and what they do not share turns gray. Where a field reaches past the edge of its image, a pixel is the
    mean of the patches that have it; where less than a tenth of the weight has it, it is gray. Of fields larger than
    the image the part is shown that is not. A mean without contrast is stretched no more than fourfold. Beside it
    the strongest patch.

    Raises PellucidError for a unit that no image excites.
    """
    top = strongest(index, unit, count)
    mean, best = Mean(), None
    for spot in spots(index, unit, top):
        best = best or spot
        crop, mask = spot.cut()
        mean.add(crop.numpy(), mask.numpy(), spot.value / float(top.values[0]))
    values, covered = mean.finish()
    enough = covered >= Mean.LEAST
    spread = float(np.ptp(values[enough]))
    shown = contrasted(values, enough) if contrast == "stretched" else values
    pixels = eight_bits(np.where(enough[..., None], shown, 0.5))
    if best is not None and max(values.shape[0] / best.pixels.shape[1], values.shape[1] / best.pixels.shape[2]) > 1:
        pixels = trimmed(pixels, enough)
    note = f"{len(top.values)} patches of {values.shape[0]} × {values.shape[1]} pixels, weighted by activation"
    return Pictures(
        pixels[None],
        (str(unit),),
        {"patches": (float(len(top.values)),), "contrast of the mean": (spread,)},
        beside={"strongest patch": _shown(best)[None]} if best is not None else {},
        meta=Meta(found={"images": index.names(top.images)}, notes=(Note("reading", note),)),
    )


def _shown(spot: Spot) -> np.ndarray:
    top, left, bottom, right = spot.inside
    return eight_bits(spot.pixels[:, top:bottom, left:right].permute(1, 2, 0).numpy())
