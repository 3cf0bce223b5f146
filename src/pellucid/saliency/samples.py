"""Mean and spread of sampled maps, one sample after the other."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.saliency.backward import Reduce, reduced
from pellucid.statistics import Moments, standard_error


class SampledMaps:
    """Of maps (C, H, W) the mean and variance, and the sums of the products of deviations of every two channels.

    What is kept does not grow with the number of samples.
    """

    def __init__(self) -> None:
        self.moments: Moments[Tensor] = Moments(torch.zeros(()))
        self.products: Tensor = torch.zeros(())

    def add(self, values: Float[Tensor, "c h w"]) -> None:
        """One sample more."""
        values = values.double()
        if not self.moments.count:
            self.moments = Moments(torch.zeros_like(values))
            self.products = values.new_zeros(len(values), *values.shape)
        before, after = self.moments.add(values)
        for channel, deviation in enumerate(before):
            self.products[channel] += deviation * after

    @property
    def mean(self) -> Float[Tensor, "c h w"]:
        """Over the samples."""
        return self.moments.mean

    @property
    def variance(self) -> Float[Tensor, "c h w"]:
        """Of single samples, unbiased."""
        return self.moments.variance(1)

    def reduced(self, reduce: Reduce) -> tuple[Float[Tensor, "h w"], Float[Tensor, "h w"]]:
        """(the mean with its channels made one number, the standard error of that, to first order)."""
        mean = self.mean
        sign = torch.where(mean < 0, -1.0, 1.0).to(mean)
        if reduce == "max":
            lead = torch.nn.functional.one_hot(mean.abs().argmax(0), len(mean)).movedim(-1, 0)
            slope = sign * lead
        elif reduce == "l2":
            norm = mean.square().sum(0).sqrt()
            slope = torch.where(norm > 0, mean / norm.clamp(min=1e-300), 1 / len(mean) ** 0.5)
        else:
            slope = torch.ones_like(mean) if reduce == "signed" else sign
        spread = torch.zeros_like(mean[0])
        for channel, row in enumerate(self.products):
            spread += slope[channel] * (slope * row).sum(0)
        return reduced(mean[None], reduce)[0], standard_error(spread, self.moments.count)
