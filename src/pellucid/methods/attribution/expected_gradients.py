"""Expected gradients: integrated gradients averaged over many baselines, by sampling."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from pellucid.catalogue import method
from pellucid.described import Default
from pellucid.errors import PellucidError
from pellucid.images import Images, read
from pellucid.images import samples as photographs
from pellucid.images.perturb import BaselineLike, filled
from pellucid.net import Net
from pellucid.result import Heatmap
from pellucid.rng import Seed, generator
from pellucid.saliency.backward import backward, chunks
from pellucid.saliency.baselines import baseline_of
from pellucid.saliency.heatmaps import as_exact_as
from pellucid.saliency.integrals import Integral, path_map
from pellucid.saliency.samples import SampledMaps
from pellucid.target import BEST, Target, fixed, scored


@method(
    "Expected gradients",
    purpose="average gradients towards real reference images",
    shows=(
        "A positive pixel raises the score because it differs from the references, a negative one lowers it; up to "
        "sampling error, all pixels sum to the score less the mean score of the references. Read the map beside its "
        "standard errors. The default references are a handful of photos and a poor substitute for training data. At "
        "the defaults 200 forward and backward passes, and one forward pass for the image and for each reference."
    ),
    source="Erion et al. 2021, equation 3",
    quick={"samples": 60},
)
def expected_gradients(
    net: Net,
    images: Images,
    target: Target = BEST,
    *,
    references: Annotated[
        BaselineLike | None,
        Field(
            description="images that the image is compared with: a named fill, or images of your own, best from the "
            "training data",
            examples=["black"],
        ),
        Default("the sample photos"),
    ] = None,
    samples: Annotated[
        int, Field(ge=2, description="number of gradients, each on the path from a reference drawn at random")
    ] = 200,
    seed: Seed = 0,
) -> Heatmap:
    """Mean of (pixel − reference) × gradient at a random place between them: (N, H, W), signed, in units of the score.

    References are drawn with equal chances, places uniformly on the straight way; 'noise' is another image for
    each sample. The map sums to the score less the mean score of the references (of noise: of those drawn), up to
    the error of sampling: `Meta.completeness` holds it, `Heatmap.error` the standard error of every pixel. By
    default the eight bundled photographs are the references, without the image itself if it is one of them, and
    stretched to its size where the network takes any size; they stand in poorly for what a network was trained on.
    """
    prepared = net.prepare(images)
    found, errors = [], []
    for one in prepared:
        run = net.run(one.pixels, layers=target.layers)
        if references is None:
            pictures: Tensor | None = _photographs(net, one)
        else:
            pictures = baseline_of(net, one, references, seed) if references != "noise" else None
        asked = fixed(target, run)
        draws = _Draws(net, one, asked, pictures, seed)
        sampled, score = SampledMaps(), float(scored(target, run).detach().double())
        for share in draws.shares(samples):
            sampled.add(share[None])
        share, error = sampled.reduced("signed")
        found.append(Integral(share, score, score - draws.mean_score(samples), samples, asked=asked))
        errors.append(error)
    return path_map(net, prepared, target, found, 0.01, error=as_exact_as(torch.stack(errors), prepared))


def _photographs(net: Net, one: Images) -> Float[Tensor, "r c h w"]:
    """The bundled photographs without the image itself, in its size."""
    pixels, fitting = one.pixels, []
    if net.preprocess.channels not in (1, 3) and pixels.shape[1] != 3:
        raise PellucidError(
            f"references=None: the bundled photographs are in color, {one.ids[0]!r} has {pixels.shape[1]} channels: "
            "give images of your own, or a fill such as 'blur'"
        )
    for photo in net.prepare(read([f"sample:{name}" for name in photographs()])).pictures:
        if photo.shape[-2:] != pixels.shape[-2:]:
            photo = F.interpolate(photo[None], pixels.shape[-2:], mode="bilinear", antialias=True)[0]
        fitting.append(photo.to(pixels))
    return torch.stack([photo for photo in fitting if not torch.equal(photo, pixels[0])])


@dataclass(frozen=True, eq=False)
class _Draws:
    """References and places drawn for one image. `pictures` is None where every sample has its own noise."""

    net: Net
    one: Images
    target: Target
    pictures: Float[Tensor, "r c h w"] | None
    seed: int

    def draw(self, sample: int) -> tuple[Float[Tensor, "1 c h w"], float]:
        """(a reference, a place on the way from it)."""
        chance = generator(self.seed, self.one.ids[0], sample)
        place = float(chance.random())
        if self.pictures is None:
            return filled(self.one.pixels, "noise", which=(self.seed, self.one.ids[0], sample)), place
        which = int(chance.integers(len(self.pictures)))
        return self.pictures[which : which + 1], place

    def shares(self, samples: int) -> Iterator[Float[Tensor, "h w"]]:
        """What each sample says of every pixel, in order."""
        pixels = self.one.pixels
        for portion in self._portions(samples, grad=True):
            starts, places = zip(*(self.draw(sample) for sample in portion.tolist()), strict=True)
            start, place = torch.cat(starts), pixels.new_tensor(places).view(-1, 1, 1, 1)
            gradient = backward(self.net, start + place * (pixels - start), self.target).gradient.double()
            yield from (gradient * (pixels.double() - start.double()).to(gradient)).sum(1)

    def mean_score(self, samples: int) -> float:
        """Of all images that may be drawn; of noise, of the images that were."""
        scores = []
        for portion in self._portions(samples if self.pictures is None else len(self.pictures), grad=False):
            shown = [self.draw(i)[0] if self.pictures is None else self.pictures[i : i + 1] for i in portion.tolist()]
            run = self.net.run(torch.cat(shown), layers=self.target.layers)
            scores += scored(self.target, run).detach().double().tolist()
        return float(sum(scores)) / len(scores)

    def _portions(self, count: int, *, grad: bool) -> Iterator[Tensor]:
        size = (self.one.pixels.shape[-2], self.one.pixels.shape[-1])
        return chunks(torch.arange(count), self.net, "expected gradients", size, grad=grad)
