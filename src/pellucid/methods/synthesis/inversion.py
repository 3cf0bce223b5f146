"""Inversion: what a layer still knows of a photo, as a picture that it cannot tell from it."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from pellucid.catalogue import method
from pellucid.described import Default
from pellucid.errors import Refused
from pellucid.images import Images
from pellucid.net import Layer, LayerName, Net
from pellucid.notes import Note
from pellucid.progress import steps as told
from pellucid.render.matching import Match, OptimizerName, features, relative
from pellucid.render.optimizers import Momentum
from pellucid.render.parametrizations import Fourier, Image, Pixels
from pellucid.render.pixels import Size, as_file, eight_bits, precision
from pellucid.render.regularizers import variation
from pellucid.render.stages import known, stages
from pellucid.result import Meta, Pictures
from pellucid.rng import Seed, generator

SPREAD = 0.225
"""Typical standard deviation of a photo's pixels: σ_x² is its square times the number of pixels."""
BOUND, POWER = 8e-10 * 255**4, 6
"""λ_α and α; theirs are for pixels in 0..255, in which the term has the power 6 and σ_x² the power 2."""
RATE = 0.004
THIRDS = (1 / 4, 2 / 3)
"""Shares of the picture's side, seen by one cell, between which λ_TV changes: in AlexNet, after layers 6 and 12."""
THEIRS = tuple((Pixels(), smooth, BOUND) for smooth in (1, 10, 100))
"""What is moved, λ_TV and λ_α in each third."""
OURS = ((Fourier(noise=0.01), 0.03, 0.0), (Fourier(noise=0.03), 0.3, 0.0), (Fourier(decay=1.25, noise=0.1), 10, BOUND))
"""The same for Fourier coefficients of equal energy, which are smooth by themselves, and give pixels in 0..1. A late
layer leaves fine structure, brightness and contrast to chance, which is to be smooth, in the middle, and not gray."""
Optimizers = OptimizerName | Literal["momentum"]


@method(
    "Inversion",
    purpose="reconstruct a photo from the features of each layer",
    shows=(
        "Where the error is small, the layer keeps what image and photo have in common and has forgotten what differs. "
        "Where it is large, the search has failed, and a difference says nothing of what was forgotten. Smoothness, "
        "colors and contrast come partly from the penalties rather than from the layer. At the defaults 200 forward "
        "and backward passes for each of three layers, each ending at its layer."
    ),
    source="Mahendran & Vedaldi 2015, section 3, equations 1 to 4",
)
def inversion(
    net: Net,
    images: Images,
    *,
    layers: Annotated[
        tuple[LayerName, ...],
        Field(description="layers to invert, each in an image of its own", examples=["blocks.1,blocks.4"]),
        Default("one early, one in the middle, one late"),
    ] = (),
    steps: Annotated[int, Field(ge=1, description="number of loss evaluations")] = 200,
    tv: Annotated[
        float | int | None,
        Field(ge=0, description="weight λ_TV of the total-variation penalty"),
        Default("grows with the layer's depth"),
    ] = None,
    beta: Annotated[float | int, Field(gt=0, description="exponent β of the total variation; 1 gives spikes")] = 2,
    optimizer: Annotated[
        Optimizers,
        Field(
            description="optimizer: momentum works on pixels at the authors' rates, the others on Fourier coefficients"
        ),
    ] = "l-bfgs",
    seed: Seed = 0,
) -> Pictures:
    """What each layer keeps of each photo: (N, H, W, C) in 8 bits, all layers of the first photo, then of the next.

    From noise, ‖Φ(x) − Φ(x₀)‖² / ‖Φ(x₀)‖² + (λ_TV/2 · Σ (right² + lower²)^(β/2) + λ_α/2 · Σ (x − mean)^6) / σ_x² is
    made small, x in 0..1 and as large as what the network sees of the photo. With the authors' optimizer λ_TV is 1, 10
    or 100, as a cell of the layer sees up to a quarter, up to two thirds, or more of the picture's side: the weights
    of their layers 1–6, 7–12 and 13–20 of AlexNet. With the others it is 0.03, 0.3 and 10, and λ_α is 0 in the first
    two cases: what comes out of a sigmoid need not be kept in bounds.

    The error in the facts is the first term for the finished picture in 8 bits: 0 if the layer cannot tell it from
    the photo, 1 for what looks like nothing to it. What differs although the error is small, the layer has forgotten.
    """
    seen = net.prepare(images)
    notes = list(images.notes)
    made, names, errors, beside = [], [], [], []
    for one in told(seen, "inversion: photos") if len(seen) > 1 else seen:
        pixels = one.pixels.to(precision(net))
        size = (pixels.shape[-2], pixels.shape[-1])
        rows = known(net, layers or usual(net, size), size)
        work = _Inversion(net, pixels, tv, beta, optimizer, steps)
        for row in told(rows, "inversion: layers") if len(rows) > 1 else rows:
            bits, error = work.of(row, (seed, one.ids[0], row.name))
            made.append(bits)
            names.append(row.name if len(seen) == 1 else f"{row.name}, {one.ids[0]}")
            errors.append(error)
            beside.append(eight_bits(pixels)[0])
    columns = len(made) // len(seen)
    if not layers:
        named = ", ".join(row.name for row in rows)
        notes.append(Note("choice", f"layers {named}: chosen, one early, one in the middle, one late"))
    seen_as = f"pictures are what the network sees of a photo, {size[0]}×{size[1]}, and measured as that"
    notes.append(Note("input", seen_as))
    pictures = {"the photo": tuple(beside)}
    return Pictures(
        tuple(made),
        tuple(names),
        {"error": tuple(errors)},
        beside=pictures,
        columns=columns,
        meta=Meta(notes=tuple(notes)),
    )


def usual(net: Net, size: Size) -> tuple[str, ...]:
    """The last stage of the second octave, the last whose cells see up to two thirds, and the last convolution."""
    octaves, rows = list(stages(net, size).values()), net.layers(size).rows
    thirds = [row for row in rows if row.spatial and third(row, size) == 1]
    least = min((row.name.count(".") for row in thirds), default=0)
    middle = [row.name for row in thirds if row.name.count(".") == least] or octaves[: max(len(octaves) - 1, 1)]
    ends = [row.name for row in rows if row.spatial and row.kernel and row.parameters]
    return tuple(dict.fromkeys([octaves[min(1, max(len(octaves) - 2, 0))], middle[-1], *ends[-1:]]))


def third(row: Layer, size: Size) -> int:
    """0, 1 or 2: how much of the picture's side a cell of the layer sees; all of it where that is not known."""
    field = row.placement.patch if row.placement is not None else size
    share = max(field[0] / size[0], field[1] / size[1])
    return sum(share > edge for edge in THIRDS)


class _Inversion:
    """A photo, and how its layers are inverted."""

    def __init__(
        self, net: Net, photo: Float[Tensor, "1 c h w"], tv: float | int | None, beta: float | int, how: Optimizers,
        evaluations: int,
    ) -> None:  # fmt: skip
        self.net, self.photo, self.tv, self.beta, self.how, self.evaluations = net, photo, tv, beta, how, evaluations
        self.size = (photo.shape[-2], photo.shape[-1])
        self.spread = SPREAD**2 * photo.numel()
        self.mean = photo.new_tensor(net.preprocess.mean).view(1, -1, 1, 1)

    def of(self, row: Layer, which: tuple[int | str, ...]) -> tuple[np.ndarray, float]:
        """The picture in 8 bits that looks to the layer as the photo does, and its error."""
        (wanted,) = features(self.net, self.photo, [row.name])
        if not wanted.any():
            raise Refused(f"layer {row.name!r} answers 0 to {which[1]!r}: there is nothing to invert")
        image, smooth, bound = self.prior(row)

        def loss(x: Tensor) -> Tensor:
            (values,) = features(self.net, x, [row.name], grad=True)
            rough = smooth / 2 * variation(x, self.beta).sum() + bound / 2 * (x - self.mean).pow(POWER).sum()
            return relative(values, wanted) + rough / self.spread

        chance, mean = generator(int(which[0]), *which[1:], "start"), self.net.preprocess.mean
        start = image.begin([chance], self.photo.shape[1], self.size, mean)
        match = Match(self.net, loss, image, self.size, f"inversion of {row.name}")
        how = Momentum(RATE * self.spread, self.evaluations) if self.how == "momentum" else self.how
        bits, again = as_file(match.found(start.to(self.photo), self.evaluations, how))
        return bits, float(relative(features(self.net, again.to(self.photo.device), [row.name])[0], wanted))

    def prior(self, row: Layer) -> tuple[Image, float | int, float]:
        """What is moved, λ_TV and λ_α."""
        image, smooth, bound = (THEIRS if self.how == "momentum" else OURS)[third(row, self.size)]
        return image, smooth if self.tv is None else self.tv, bound
