"""RISE: what the score is, on average, of random masks that show a place."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, Literal

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from pellucid.catalogue import method
from pellucid.geometry import Placement, between
from pellucid.images import Images
from pellucid.images.perturb import BaselineLike
from pellucid.net import Net
from pellucid.notes import Note
from pellucid.result import Heatmap
from pellucid.rng import Seed, generator
from pellucid.saliency.backward import chunks
from pellucid.saliency.baselines import baseline_of
from pellucid.saliency.heatmaps import as_exact_as, heatmap
from pellucid.statistics import standard_error
from pellucid.target import BEST, Target, fixed, scored

Form = Literal["gain", "paper", "pixel"]
_BLOCK = 100  # masks between two looks at the error


@method(
    "RISE",
    purpose="average random masks by the score they leave",
    shows=(
        "When a positive pixel is shown, the score lies above its mean over all masks; when a negative one is shown, "
        "below. The map is a sampled average: with few masks it is blotchy, so read it beside its standard errors. It "
        "is as coarse as the cells of the masks, and half-hidden images are unlike those that the network was trained "
        "on. About 1,000 forward passes at the defaults."
    ),
    source="Petsiuk, Das & Saenko 2018, section 3, equation 6",
    quick={"samples": 300},
)
def rise(
    net: Net,
    images: Images,
    target: Target = BEST,
    *,
    samples: Annotated[
        int, Field(ge=2, description="number of masks; the paper takes 4000 to 8000", examples=[300])
    ] = 1000,
    masks: Annotated[
        tuple[Annotated[int, Field(ge=1)], Annotated[float | int, Field(gt=0, lt=1)]],
        Field(description="number of cells along a side of a mask, and the share of them that is visible"),
    ] = (7, 0.5),
    fill: Annotated[
        BaselineLike, Field(description="fill of the hidden parts: a named one, or an image of your own")
    ] = "gray",
    variant: Annotated[
        Form, Field(description="value of a pixel: gain over the mean score, ΣMf / (N p) as in the paper, or ΣMf / ΣM")
    ] = "gain",
    tolerance: Annotated[
        float | int,
        Field(
            ge=0, description="mean error at which to stop early, as a share of the map's spread; 0 never stops early"
        ),
    ] = 0,
    seed: Seed = 0,
) -> Heatmap:
    """How far the score lies above its mean where random masks show a place: (N, H, W), signed, with its error.

    A mask is a coarse grid of cells, each shown with probability p, enlarged linearly and shifted at random.
    `pixel` is ΣMf / ΣM, the mean score f of the masks that show a pixel; `gain`, the default, is that less the
    mean score of all masks, so that zero says nothing; `paper` is ΣMf / (N p), which has the same expectation
    as `pixel` and more noise. All are in units of the score; the paper asks for `p(class)` and 4000 masks or
    more, 1000 give the same places at four times the speed. `Heatmap.error` is the standard error.
    """
    prepared = net.prepare(images)
    maps, errors, scores, notes, every = [], [], [], [], []
    for one in prepared:
        plain = net.run(one.pixels, layers=target.layers)
        asked = fixed(target, plain)
        every.append(asked)
        scores.append(scored(asked, plain))
        sums = _Sums((one.pixels.shape[-2], one.pixels.shape[-1]), masks[1], variant, one.pixels.device)
        for mask, score in _answers(net, one, asked, samples, masks, baseline_of(net, one, fill, seed), seed):
            sums.add(mask, score)
            if tolerance and sums.count % _BLOCK == 0 and sums.unrest <= tolerance:
                break
        value, error = sums.map
        maps.append(value)
        errors.append(error)
        if sums.count < samples:
            notes.append(Note("sampling", f"stable after {sums.count} of {samples} masks", one.ids[0]))
    values, error = (as_exact_as(torch.stack(parts), prepared) for parts in (maps, errors))
    return heatmap(
        net, prepared, target, values, Placement.pixels(), torch.cat(scores),
        asked=every, unit=target.unit_of(net), signed=True, error=error, notes=tuple(notes),
    )  # fmt: skip


def random_mask(
    size: tuple[int, int], masks: tuple[int, float | int], *which: int | str
) -> Float[np.ndarray, "height width"]:
    """One mask in 0..1: cells × cells enlarged linearly to cells + 1 cells of ⌈size / cells⌉ pixels, cut at random."""
    (cells, share), chance = masks, generator(int(which[0]), *which[1:])
    shown = (chance.random((cells, cells)) < share).astype(np.float64)
    spread = []
    for length in size:
        cell = math.ceil(length / cells)
        scale = (cells + 1) * cell / cells
        centers = (np.arange(cells, dtype=np.float64) + 0.5) * scale - 0.5
        spread.append(between(centers, chance.integers(cell) + np.arange(length, dtype=np.float64)))
    return np.asarray(spread[0] @ shown @ spread[1].T)


def _answers(
    net: Net, one: Images, asked: Target, samples: int, masks: tuple[int, float | int], hidden: Tensor, seed: int
) -> Iterator[tuple[Tensor, float]]:
    """Every mask of one image with the score that it leaves, in order."""
    pixels, size = one.pixels, (one.pixels.shape[-2], one.pixels.shape[-1])
    for portion in chunks(torch.arange(samples), net, "RISE", size, grad=False):
        drawn = (torch.from_numpy(random_mask(size, masks, seed, one.ids[0], k)) for k in portion.tolist())
        made = [mask.to(pixels.device) for mask in drawn]
        shown = [hidden + (pixels - hidden) * mask.to(pixels) for mask in made]
        found = scored(asked, net.run(torch.cat(shown), layers=asked.layers)).detach().double().tolist()
        yield from zip(made, found, strict=True)


class _Sums:
    """Sums over masks M with scores f, in float64 and in the order of the masks, and the map that they make."""

    def __init__(self, size: tuple[int, int], share: float | int, variant: Form, device: torch.device) -> None:
        self.share, self.form, self.count = float(share), variant, 0
        self.f = self.ff = 0.0
        self.m, self.mf, self.mff, self.mm, self.mmf, self.mmff = torch.zeros(
            6, *size, dtype=torch.float64, device=device
        )

    def add(self, mask: Tensor, score: float) -> None:
        """One mask more."""
        square = mask * mask
        self.count += 1
        self.f += score
        self.ff += score**2
        self.m += mask
        self.mf += mask * score
        self.mff += mask * score**2
        self.mm += square
        self.mmf += square * score
        self.mmff += square * score**2

    @property
    def map(self) -> tuple[Tensor, Tensor]:
        """(values, standard errors); a pixel that no mask showed has the mean score, and no gain."""
        n, mean = self.count, self.f / self.count
        if self.form == "paper":
            spread = self.mmff - self.mf**2 / n
            return self.mf / (n * self.share), standard_error(spread, n) / self.share
        shown = torch.where(self.m > 0, self.m, 1.0)
        value = torch.where(self.m > 0, self.mf / shown, mean)
        # The error of a ratio: what one mask moves it by is M (f − value) / mean M, of the gain less f − mean.
        spread = (self.mmff - 2 * value * self.mmf + value**2 * self.mm) * (n / shown) ** 2
        if self.form == "gain":
            both = self.mff - (value + mean) * self.mf + value * mean * self.m
            spread = spread - 2 * both * n / shown + self.ff - n * mean**2
        error = standard_error(spread, n)
        return value - mean if self.form == "gain" else value, error

    @property
    def unrest(self) -> float:
        """The mean standard error in shares of how much the map differs from place to place."""
        values, errors = self.map
        return float(errors.mean() / values.std().clamp(min=1e-300))
