"""From one picture to another, pixel by pixel in the order of a map, and what the network says on the way."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from pellucid.errors import PellucidError
from pellucid.evaluation.imputation import imputed
from pellucid.evaluation.judged import Case
from pellucid.geometry import Floats
from pellucid.images.perturb import Fill, filled
from pellucid.net import Net
from pellucid.target import Target, scored

CHUNK = 16
"""Images at once: the same whatever memory there is, so that the last bits are too."""
Substrate = Literal["training_mean", "authors_blur", "neighbors", Fill]
Score = Annotated[
    Literal["probability", "logit"],
    Field(description="number that is followed: probability of the class, or its logit"),
]
Steps = Annotated[int, Field(ge=2, le=1000, description="number of equal steps from no pixel to all of them")]


def asked_of(case: Case, score: str) -> Target:
    """The probability or the logit of the class that the case is about."""
    if score == "logit":
        return case.target
    if case.probability is None:
        raise PellucidError(
            f"the outputs of {case.net.name} are no classes, which have probabilities: deletion, insertion and road "
            "follow the output itself with score='logit'"
        )
    return case.probability


def answers(net: Net, pictures: Tensor, target: Target) -> Floats:
    """(n,) what the target says of pixels (n, C, H, W)."""
    with torch.no_grad():
        parts = [scored(target, net.run(some)).double() for some in pictures.split(CHUNK)]
    return torch.cat(parts).cpu().numpy()


def substrate(case: Case, kind: str, seed: int) -> Tensor:
    """(C, H, W) what stands in for pixels that are not there.

    `training_mean` is what the network sees as zero, the substrate of the RISE authors' deletion; `authors_blur` the
    picture from which their insertion starts; all others are fills of `images/perturb.py`.
    """
    pixels = case.pixels
    if kind == "training_mean":
        return _training_mean(case).expand_as(pixels)
    if kind == "authors_blur":
        return authors_blur(pixels, _training_mean(case))
    return filled(pixels, kind, which=(seed, case.name))


def _training_mean(case: Case) -> Tensor:
    return case.pixels.new_tensor(case.net.preprocess.mean).view(-1, 1, 1).clamp(0, 1)


def authors_blur(pixels: Tensor, outside: Tensor) -> Tensor:
    """(C, H, W) blurred by an 11 × 11 kernel, of which the RISE authors say σ = 5; beyond the edges lies `outside`.

    Theirs is a Gaussian of σ = 5 that is mirrored at the edges of these 11 places, and so is nearly flat.
    """
    kernel = torch.from_numpy(_folded()).to(pixels)
    planes = (pixels - outside)[:, None]
    for weight in (kernel[:, None], kernel[None]):
        planes = F.conv2d(planes, weight[None, None], padding=(weight.shape[0] // 2, weight.shape[1] // 2))
    return planes[:, 0] + outside


@lru_cache(1)
def _folded(length: int = 11, sigma: float = 5.0) -> Floats:
    """A Gaussian around the middle of so many places, what falls outside reflected back in; cut at 4 σ."""
    reach = int(4 * sigma + 0.5)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    found = np.zeros(length)
    for offset, weight in zip(range(-reach, reach + 1), weights / weights.sum(), strict=True):
        place = (length // 2 + offset) % (2 * length)
        found[place if place < length else 2 * length - 1 - place] += weight
    return found


def answers_without(case: Case, kind: str, gone: NDArray[np.bool_], target: Target, seed: int) -> Floats:
    """(n,) what the target says of the image without the pixels that are `gone` (n, H, W).

    Those of a substrate are in their place; with `neighbors` each is the weighted mean of the pixels around it, and
    those of them that are gone too are found together with it (`imputed`, without its noise).
    """
    fill = None if kind == "neighbors" else substrate(case, kind, seed)
    found = []
    for first in range(0, len(gone), CHUNK):
        some = gone[first : first + CHUNK]
        if fill is None:
            pictures = torch.stack([imputed(case.pixels, one, seed, case.name, noise=0) for one in some])
        else:
            pictures = torch.where(torch.from_numpy(some).to(fill.device)[:, None], fill, case.pixels)
        found.append(answers(case.net, pictures, target))
    return np.concatenate(found)


def along(
    case: Case, kind: str, rank: NDArray[np.int64], steps: int, target: Target, seed: int, *, removed: bool
) -> Floats:
    """(steps + 1,) the target where the first 0, 1/steps, … 1 of the pixels are gone, or where all others are."""
    taken = np.array([round(k * rank.size / steps) for k in range(steps + 1)])
    counted = rank < taken[:, None, None]
    return answers_without(case, kind, counted if removed else ~counted, target, seed)


def area(curve: Floats) -> float:
    """Under (steps + 1,) equally spaced values over 0 to 1, by trapezoids."""
    return float((curve.sum() - (curve[0] + curve[-1]) / 2) / (len(curve) - 1))
