"""A place of a photo covered, or pasted over, there and elsewhere: what a target says before and after."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from pellucid.errors import BadImage
from pellucid.evaluation.parts import Regions
from pellucid.evaluation.things import Mask
from pellucid.geometry import Floats
from pellucid.image_set import ImageSet
from pellucid.images import Images
from pellucid.images.perturb import Fill, filled
from pellucid.net import Net
from pellucid.rng import generator
from pellucid.target import Probability, Target, scored


def covered(
    net: Net, images: ImageSet, target: Target, masks: Regions, patch: Images | None, fill: Fill,
    controls: int, seed: int, i: int,
) -> Floats:  # fmt: skip
    """(6,) score as it is, at the place, at other places; then the probability of its class. NaN: not known."""
    lost = np.full(6, np.nan)
    try:
        raw = images.image(i)
        mask = masks.mask(net, raw, i)
    except BadImage:
        return lost
    if mask is None or not mask.any() or mask.all():
        return lost
    one = net.prepare(raw)
    pixels, layers = one.pictures[0], target.layers
    first = net.run(pixels[None], layers=layers)
    asked = target.fixed(first)
    named = None if net.meaning.scores == "regression" else asked.class_asked
    chance = None if named is None else Probability(named).fixed(first)
    chance_of = generator(seed, one.ids[0], "places")
    places = [mask, *(_moved(mask, chance_of) for _ in range(controls))]
    changed = [_changed(pixels, place, patch, fill, seed, one.ids[0]) for place in places]
    found = lost.copy()
    for k, question in enumerate((asked, chance)):
        if question is None:
            continue
        with torch.no_grad():
            runs = [net.run(picture[None], layers=question.layers) for picture in (pixels, *changed)]
            values = np.array([float(scored(question, run)) for run in runs])
        found[3 * k : 3 * k + 3] = values[0], values[1], values[2:].mean() if controls else np.nan
    return found


def _moved(mask: Mask, chance: np.random.Generator) -> Mask:
    """The same form elsewhere, beside it where that is possible; what reaches from edge to edge goes around."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    room = [n - (one[-1] - one[0] + 1) for n, one in zip(mask.shape, (rows, columns), strict=True)]
    whole = not any(room)
    best: Mask | None = None
    for _ in range(20):
        steps = [int(chance.integers(n if whole else free + 1)) - (0 if whole else int(one[0]))
                 for n, free, one in zip(mask.shape, room, (rows, columns), strict=True)]  # fmt: skip
        moved = np.roll(mask, steps, (0, 1))
        if best is None or (moved & mask).sum() < (best & mask).sum():
            best = moved
        if not (best & mask).any():
            break
    return mask if best is None else best


def _changed(pixels: Tensor, mask: Mask, patch: Images | None, fill: Fill, seed: int, name: str) -> Tensor:
    inside = torch.from_numpy(mask).to(pixels.device)
    if patch is None:
        return torch.where(inside, filled(pixels, fill, which=(seed, name)), pixels)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    size = box[0].stop - box[0].start, box[1].stop - box[1].start
    picture = patch.pixels[:1].to(pixels.device, torch.float64)
    fitted = F.interpolate(picture, size, mode="bilinear", antialias=True, align_corners=False)[0].clamp(0, 1)
    laid = pixels.clone()
    laid[:, box[0], box[1]] = fitted.to(pixels).expand(pixels.shape[0], -1, -1)
    return torch.where(inside, laid, pixels)
