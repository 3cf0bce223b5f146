"""Extremal perturbation: the part of the image of a given area that keeps the score highest."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from pellucid.catalogue import method
from pellucid.errors import Refused
from pellucid.geometry import Placement
from pellucid.images import Images
from pellucid.images.perturb import BaselineLike
from pellucid.methods.attribution._smooth_masks import Lattice, Veil
from pellucid.net import Net
from pellucid.notes import Note
from pellucid.progress import steps as walk
from pellucid.result import Heatmap
from pellucid.rng import Seed
from pellucid.saliency.backward import chunks
from pellucid.saliency.baselines import baseline_of
from pellucid.saliency.heatmaps import as_exact_as, heatmap
from pellucid.target import BEST, Target, fixed, scored

_RATE, _MOMENTUM = 1.0, 0.9
_WEIGHT, _GROWTH = 100.0, 10.0  # of the area term: at first, and how far it grows
_SCALE = 10.0  # what the score is made to run over, so that the weights mean the same for every target

Area = Annotated[float | int, Field(gt=0, lt=1)]


@method(
    "Extremal perturbation",
    purpose="find the small region that keeps the score",
    shows=(
        "A value near 1 marks a pixel that is kept, one near 0 a pixel that is hidden; with one area, values between "
        "are the soft edge of the mask and not weaker evidence. The mask shows a region that is enough for the score: "
        "another might do as well, and its area was asked for, not found. At the defaults about 200 forward passes to "
        "find a start, then 100 forward and backward passes, for each area."
    ),
    source="Fong, Patrick & Vedaldi 2019, section 3 (started from a search for the best window)",
    quick={"steps": 40},
)
def extremal_perturbation(
    net: Net,
    images: Images,
    target: Target = BEST,
    *,
    areas: Annotated[
        tuple[Area, ...],
        Field(min_length=1, max_length=8, description="shares of the image that a mask may keep, each from 0 to 1"),
    ] = (0.1,),
    steps: Annotated[
        int, Field(ge=1, le=10_000, description="number of optimization steps for each area; the paper takes 800")
    ] = 100,
    fill: Annotated[
        BaselineLike,
        Field(
            description="fill of the hidden parts: blur (as in the paper), another named one, or an image of your own"
        ),
    ] = "blur",
    width: Annotated[
        float | int,
        Field(gt=0, le=5, description="width of the mask's bumps, relative to the paper's 21 pixels of 224"),
    ] = 1,
    seed: Seed = 0,
) -> Heatmap:
    """The smooth mask that keeps a share of the image and as much of the score as it can: (N, H, W), 0..1.

    Of several areas the mean of their masks: what even the smallest keeps is 1. The mask is a soft maximum of
    bumps on a lattice of parameters; they climb the score, while a growing term compares the sorted mask with
    one that keeps exactly the area. Unlike the authors, who start from the whole image and mirror it on the
    way, this starts from the window that keeps most: fewer steps then find better masks. Nothing is random
    (`seed` is for the fill `noise`). Meta's notes say what each mask keeps. The numbers have no unit and no
    sign. Refused where the score has no gradient.
    """
    prepared = net.prepare(images)
    size = (prepared.pixels.shape[-2], prepared.pixels.shape[-1])
    maps, scores, notes, every = [], [], [], []
    for one in prepared:
        plain = net.run(one.pixels, layers=target.layers)
        asked = fixed(target, plain)
        every.append(asked)
        whole = scored(asked, plain).detach()
        veil = Veil(one.pixels, baseline_of(net, one, fill, seed), pyramid=fill == "blur")
        low = scored(asked, net.run(veil(torch.zeros(size, dtype=torch.float64)), layers=asked.layers)).detach()
        span = float((whole - low).abs()) or _SCALE
        masks = []
        for area in areas:
            mask = _climbed(net, asked, veil, Lattice(size, width), area, steps, _SCALE / span)
            kept = float(scored(asked, net.run(veil(mask), layers=asked.layers)).detach())
            said = f"score {kept:.4g} with {float(mask.mean()):.1%} of the image"
            notes.append(Note("values", said, one.ids[0]))
            masks.append(mask)
        maps.append(torch.stack(masks).mean(0))
        scores.append(whole)
    return heatmap(
        net, prepared, target, as_exact_as(torch.stack(maps), prepared), Placement.pixels(), torch.cat(scores),
        asked=every, unit="share kept", signed=False, notes=tuple(notes),
    )  # fmt: skip


def _climbed(
    net: Net, asked: Target, veil: Veil, lattice: Lattice, area: float | int, steps: int, scale: float
) -> Float[Tensor, "height width"]:
    """The best mask met in `steps` of ascent with momentum, by score and area together."""
    wanted = (torch.arange(1, lattice.count + 1, dtype=torch.float64) - (1 - area) * lattice.count).clamp(0, 1)
    parameters = _best_window(net, asked, veil, lattice, area)
    best, found, speed = -np.inf, parameters, torch.zeros_like(parameters)
    for step in walk(range(steps), "extremal perturbation"):
        with torch.enable_grad():
            leaf = parameters.clone().requires_grad_()
            coarse = lattice.smooth(leaf)
            score = scored(asked, net.run(veil(lattice.pixels(coarse)), layers=asked.layers, grad=True))
            if not score.requires_grad:
                raise Refused(f"the score of {asked} does not depend on the pixels: there is no gradient to follow")
            off = (coarse.flatten().sort().values - wanted).square().mean()
            rise = scale * score.double().sum()
            (slope,) = net.gradients(rise - _WEIGHT * _GROWTH ** (step / steps) * off, leaf)
        worth = float((rise - _WEIGHT * _GROWTH * off).detach())
        if worth > best:
            best, found = worth, parameters
        speed = _MOMENTUM * speed + (1 - _MOMENTUM) * slope
        parameters = (parameters + _RATE * speed).clamp(0, 1)
    return lattice.pixels(lattice.smooth(found))


def _best_window(
    net: Net, asked: Target, veil: Veil, lattice: Lattice, area: float | int
) -> Float[Tensor, "rows columns"]:
    """Parameters of the window that keeps most of the score, of those whose mask keeps about the area."""
    rows, columns = lattice.shape

    def window(top: int, left: int, side: int) -> Tensor:
        parameters = torch.zeros(lattice.shape, dtype=torch.float64)
        parameters[top : top + side, left : left + side] = 1
        return parameters

    def kept(side: int) -> float:
        return float(lattice.smooth(window((rows - side) // 2, (columns - side) // 2, side)).mean())

    side = max((k for k in range(1, min(rows, columns)) if kept(k) <= area), default=1)
    apart = max(min(rows, columns) // 16, 1)
    corners = [(top, left) for top in range(0, rows - side + 1, apart) for left in range(0, columns - side + 1, apart)]
    scores: list[float] = []
    for portion in chunks(torch.tensor(corners), net, "extremal perturbation, start", veil.size, grad=False):
        shown = [veil(lattice.pixels(lattice.smooth(window(top, left, side)))) for top, left in portion.tolist()]
        scores += scored(asked, net.run(torch.cat(shown), layers=asked.layers)).detach().double().tolist()
    return window(*corners[int(np.argmax(scores))], side)
