"""Sobol attribution: the share of the score's variance, under random masks, that each cell has a part in."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Annotated, Literal

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from pellucid.catalogue import method
from pellucid.images import Images
from pellucid.images.perturb import BaselineLike
from pellucid.net import Net
from pellucid.result import Heatmap
from pellucid.rng import Seed, generator
from pellucid.saliency.backward import chunks
from pellucid.saliency.baselines import baseline_of
from pellucid.saliency.heatmaps import as_exact_as, heatmap
from pellucid.saliency.occluders import Span, blocks_placement
from pellucid.target import BEST, Target, fixed, scored

Order = Literal["total", "first"]
Points = Literal["quasi", "random"]
Array = Float[np.ndarray, "..."]


@method(
    "Sobol indices",
    purpose="share of the score's variance due to each cell",
    shows=(
        "A large value marks a cell that has a part in much of the score's variance while all cells are mixed with "
        "gray at random. There is no direction: a cell that lowers the score counts like one that raises it. The "
        "values may sum to more than 1, because shared effects count for each cell that has a part in them. Read the "
        "values beside their standard errors. About 1,060 forward passes at the defaults."
    ),
    source="Fel et al. 2021, section 3 (the estimators of Jansen 1999)",
    quick={"grid": 6, "samples": 8},
)
def sobol(
    net: Net,
    images: Images,
    target: Target = BEST,
    *,
    grid: Annotated[int, Field(ge=1, le=64, description="number of cells along a side")] = 8,
    samples: Annotated[
        int, Field(ge=2, le=2**20, description="number of pairs of masks; the network runs samples × (cells + 2) times")
    ] = 16,
    fill: Annotated[
        BaselineLike, Field(description="fill of the hidden parts: a named one, or an image of your own")
    ] = "gray",
    order: Annotated[
        Order,
        Field(
            description="kind of index: total counts all variance that a cell has a part in, first only what it "
            "explains alone"
        ),
    ] = "total",
    points: Annotated[
        Points, Field(description="source of the masks: a scrambled Sobol sequence, or independent random numbers")
    ] = "quasi",
    seed: Seed = 0,
) -> Heatmap:
    """The share of the score's variance that each cell of the image has a part in: (N, grid, grid), with error.

    Every cell is mixed with the fill by a share of its own, uniform in 0..1. `total` counts a cell's variance
    alone and together with others (so that all cells may sum to more than 1), `first` alone. The numbers have
    no sign and no unit; estimates of cells without influence may be slightly below zero for `first`.
    `Heatmap.error` is the jackknife's standard error, cautious for `quasi`. The paper takes 32 samples.
    """
    prepared = net.prepare(images)
    height, width = prepared.pixels.shape[-2:]
    rows, columns = _blocks(height, grid), _blocks(width, grid)
    maps, errors, scores, every = [], [], [], []
    for one in prepared:
        plain = net.run(one.pixels, layers=target.layers)
        asked = fixed(target, plain)
        every.append(asked)
        scores.append(scored(asked, plain))
        a, b = _pairs(samples, len(rows) * len(columns), points, seed, one.ids[0])
        found = _answers(net, one, asked, a, b, (rows, columns), baseline_of(net, one, fill, seed))
        value, error = indices(found[0], found[1], found[2:], order)
        maps.append(torch.from_numpy(value).view(len(rows), len(columns)))
        errors.append(torch.from_numpy(error).view(len(rows), len(columns)))
    return heatmap(
        net, prepared, target, as_exact_as(torch.stack(maps), prepared), blocks_placement(rows, columns),
        torch.cat(scores), asked=every, unit="share of the variance", signed=order == "first", sign="number",
        error=as_exact_as(torch.stack(errors), prepared),
    )  # fmt: skip


def indices(a: Array, b: Array, mixed: Array, order: Order) -> tuple[Array, Array]:
    """(indices, standard errors), both (cells,), from scores (n,) of A and of B, and (cells, n) of A with B's cell.

    Zero where the score does not vary.
    """
    n = len(a)
    both = np.concatenate([a, b])
    squares = ((a if order == "total" else b) - mixed) ** 2 / 2
    parts = squares.sum(1)
    value = _index(parts / n, both.var(ddof=1), order)
    left = np.stack([
        _index((parts - squares[:, k]) / (n - 1), np.delete(both, [k, n + k]).var(ddof=1) if n > 2 else 0.0, order)
        for k in range(n)
    ])  # fmt: skip
    return value, np.sqrt((n - 1) / n * ((left - left.mean(0)) ** 2).sum(0))


def _index(part: Array, variance: float, order: Order) -> Array:
    if not variance > 0:
        return np.zeros_like(part)
    return part / variance if order == "total" else 1 - part / variance


def _pairs(samples: int, cells: int, points: Points, seed: int, image: str) -> tuple[Array, Array]:
    """The masks A and B, (samples, cells) each, in 0..1."""
    if points == "random":
        drawn = np.stack([generator(seed, image, k).random(2 * cells) for k in range(samples)])
    else:
        from scipy.stats import qmc

        power = int(np.ceil(np.log2(samples)))
        key = int(generator(seed, image).integers(2**63))  # scipy spawns its own generator, of a number alone
        drawn = qmc.Sobol(2 * cells, scramble=True, seed=key).random_base2(power)[:samples]
    return drawn[:, :cells], drawn[:, cells:]


def _blocks(length: int, grid: int) -> tuple[Span, ...]:
    """`length` pixels in nearly equal parts; never more parts than pixels."""
    edges = [round(k * length / min(grid, length)) for k in range(min(grid, length) + 1)]
    return tuple(itertools.pairwise(edges))


def _answers(
    net: Net, one: Images, asked: Target, a: Array, b: Array, cells: tuple[tuple[Span, ...], ...], hidden: Tensor
) -> Array:
    """Scores (2 + cells, samples): of A, of B, and of A with one cell after the other from B."""
    samples, count = a.shape
    device = one.pixels.device
    high, wide = (torch.tensor([stop - start for start, stop in along], device=device) for along in cells)

    def masks(numbers: list[int]) -> Iterator[Tensor]:
        for which, k in (divmod(number, samples) for number in numbers):
            values = (b if which == 1 else a)[k].copy()
            if which > 1:
                values[which - 2] = b[k, which - 2]
            grid = torch.from_numpy(values).view(len(high), len(wide)).to(one.pixels)
            yield grid.repeat_interleave(high, 0).repeat_interleave(wide, 1)

    found = []
    size = (one.pixels.shape[-2], one.pixels.shape[-1])
    for portion in chunks(torch.arange((2 + count) * samples), net, "Sobol", size, grad=False):
        shown = torch.cat([hidden + (one.pixels - hidden) * mask for mask in masks(portion.tolist())])
        found.append(scored(asked, net.run(shown, layers=asked.layers)).detach().double())
    return torch.cat(found).cpu().numpy().reshape(2 + count, samples)
