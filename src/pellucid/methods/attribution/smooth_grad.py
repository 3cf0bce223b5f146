"""SmoothGrad: a map averaged over noisy copies of the image; its squares, its variance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from pellucid.catalogue import method
from pellucid.catalogue.ask import Ask, AskOption
from pellucid.described import Default
from pellucid.errors import PellucidError
from pellucid.geometry import Placement
from pellucid.images import Images
from pellucid.net import Net
from pellucid.progress import steps
from pellucid.result import Heatmap
from pellucid.rng import Seed, generator
from pellucid.saliency.backward import Reduce, backward, chunks, reduced
from pellucid.saliency.heatmaps import as_exact_as, heatmap
from pellucid.saliency.samples import SampledMaps
from pellucid.target import BEST, Target, fixed, scored

GRADIENT = Ask("gradient")
Of = Annotated[
    AskOption,
    Field(description="attribution method to average, with its options: lrp:composite=epsilon", examples=["grad_cam"]),
]
Kind = Annotated[
    Literal["mean", "square", "variance"],
    Field(description="statistic over the noisy copies; square is SmoothGrad-Squared, variance VarGrad"),
]


@method(
    "SmoothGrad",
    purpose="average a method's maps over noisy images",
    shows=(
        "A large value marks a pixel whose gradient does not average out over noisy copies of the image; by default it "
        "has no sign. A smoother map is easier to look at and not truer: that of gradients hardly tells classes apart "
        "and marks things of other classes too. Read the standard errors before single pixels, and for a probability "
        "near 1 ask for the class, which is its logit. About 50 forward and backward passes at the defaults."
    ),
    source="Smilkov et al. 2017, section 3; Hooker et al. 2019 (squares) and Adebayo et al. 2018 (variance)",
    quick={"samples": 20},
)
def smooth_grad(
    net: Net,
    images: Images,
    target: Target = BEST,
    *,
    of: Of = GRADIENT,
    statistic: Kind = "mean",
    samples: Annotated[int, Field(ge=2, description="number of noisy copies of each image")] = 50,
    sigma: Annotated[
        float | int,
        Field(ge=0, description="standard deviation of the noise, as a share of the image's range of pixel values"),
    ] = 0.15,
    reduce: Annotated[
        Reduce | None, Field(description="way to combine the color channels of gradients"), Default("max")
    ] = None,
    seed: Seed = 0,
) -> Heatmap:
    """What remains of a map when the image is a little noisy: the mean over noisy copies, with its standard error.

    Of `gradient` the signed gradients of every channel are averaged (or squared, or their variance is taken),
    and only then the channels made one number, by `reduce`: (N, H, W) in units of the score per pixel range.
    Of every other method its maps are, with its own options or those of `Ask("lrp", composite="epsilon_plus")`, as
    text `lrp:composite=epsilon_plus`: (N, rows, columns) in its own unit and frame. Noise is Gaussian and added to
    pixel values, before normalization; its width is `sigma` times the largest less the smallest value of the image.
    The best guess stays that of the image without noise. The variance is unbiased and has no error map. Raises
    PellucidError for methods that give no map.
    """
    entry, plain = of.entry, of.entry.name == "gradient" and not of.options
    if entry.chapter != "attribution" or entry.name == "smooth_grad":
        raise PellucidError(f"smooth_grad: of='{of}': it smooths any other attribution method, for example 'gradient'")
    if reduce is not None and not plain:
        raise PellucidError(f"smooth_grad: reduce={reduce!r}: maps of {of} have no channels left; leave reduce out")
    prepared = net.prepare(images)
    maps, errors, scores, every, found = [], [], [], [], []
    for one in prepared:
        run = net.run(one.pixels, layers=target.layers)
        every.append(fixed(target, run))
        copies, sampled = _Copies(net, one, every[-1], sigma, seed), SampledMaps()
        for values in copies.gradients(samples) if plain else copies.maps(samples, of):
            sampled.add(values**2 if statistic == "square" else values)
        how: Reduce = (reduce or "max") if plain else "signed"
        value, error = sampled.reduced(how)
        maps.append(reduced(sampled.variance[None], how)[0] if statistic == "variance" else value)
        errors.append(error)
        scores.append(scored(target, run).detach())
        found += copies.found
    unit = found[0].unit if found else f"{target.unit_of(net)} per pixel range"
    return heatmap(
        net,
        prepared,
        target,
        as_exact_as(torch.stack(maps), prepared),
        found[0].placement if found else Placement.pixels(),
        torch.cat(scores),
        asked=every,
        unit=unit if statistic == "mean" else f"({unit})²",
        signed=statistic == "mean" and (found[0].signed if found else reduce == "signed"),
        sign=found[0].sign if found else "slope",
        error=as_exact_as(torch.stack(errors), prepared) if statistic != "variance" else None,
        notes=tuple(dict.fromkeys(note for heat in found for note in heat.meta.notes)),
        found={"layer": found[0].meta.layer} if found and found[0].meta.layer else {},
        coverage=found[0].meta.coverage if found else {},
    )


@dataclass(frozen=True, eq=False)
class _Copies:
    """Noisy copies of one image, and what is said about them."""

    net: Net
    one: Images
    target: Target
    sigma: float | int
    seed: int

    @cached_property
    def found(self) -> list[Heatmap]:
        """The map of the first copy: its frame, unit and notes are those of all. Empty where none was asked for."""
        return []

    @cached_property
    def width(self) -> float:
        """Of the noise, in pixel values."""
        return float(self.sigma * (self.one.pixels.max() - self.one.pixels.min()))

    def noisy(self, sample: int) -> Float[Tensor, "1 c h w"]:
        """One copy."""
        pixels = self.one.pixels
        noise = generator(self.seed, self.one.ids[0], sample).standard_normal(tuple(pixels.shape))
        return pixels + self.width * torch.from_numpy(noise).to(pixels)

    def gradients(self, samples: int) -> Iterator[Float[Tensor, "c h w"]]:
        """The gradient of every copy in turn, its channels apart."""
        size = (self.one.pixels.shape[-2], self.one.pixels.shape[-1])
        for portion in chunks(torch.arange(samples), self.net, "SmoothGrad", size):
            copies = torch.cat([self.noisy(sample) for sample in portion.tolist()])
            yield from backward(self.net, copies, self.target).gradient

    def maps(self, samples: int, of: Ask) -> Iterator[Float[Tensor, "1 rows columns"]]:
        """The map of every copy in turn. PellucidError where the method gives no map."""
        for sample in steps(range(samples), "SmoothGrad"):
            copy = replace(self.one, pictures=(self.noisy(sample)[0],))
            heat = of.bare(self.net, copy, self.target)  # its origin is not wanted for every copy
            if not isinstance(heat, Heatmap):
                kind = type(heat).__name__
                raise PellucidError(f"smooth_grad: of='{of}': it gives a {kind}, there is no mean of those")
            if not self.found:
                self.found.append(heat)
            yield torch.from_numpy(heat.values)
