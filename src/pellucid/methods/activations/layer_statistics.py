"""Statistics of a layer's activations over many images, one image after another, in float64."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from pellucid.statistics import Moments

Bounds = tuple[float, float]
BOUNDS: dict[type[nn.Module], Bounds] = {
    nn.Tanh: (-0.99, 0.99),
    nn.Sigmoid: (0.01, 0.99),
    nn.ReLU6: (-math.inf, 6.0),
    nn.Hardsigmoid: (0.0, 1.0),
}
"""From where on an activation is saturated: beyond, its slope is (nearly) zero. The zeros of rectifiers are counted
by themselves."""


def bounds_of(part: nn.Module) -> Bounds | None:
    """The bounds of an activation that has some."""
    if isinstance(part, nn.Hardtanh) and not isinstance(part, nn.ReLU6):
        return float(part.min_val), float(part.max_val)
    return BOUNDS.get(type(part))


@dataclass
class Statistics:
    """What is known so far of one layer. `units` is the axis of its units within one image's activation."""

    units: int | None
    bounds: Bounds | None = None
    moments: Moments[float] = field(default_factory=lambda: Moments(0.0), repr=False)
    """Of the finite values."""
    broken: int = 0
    zeros: int = 0
    saturated: int = 0
    low: Tensor | None = field(default=None, repr=False)
    """The least value of each unit."""
    high: Tensor | None = field(default=None, repr=False)
    cells: int = 0
    """Values of each unit."""
    padded: Tensor | None = field(default=None, repr=False)
    """Units that are zero for every image because the network pads with them: neither alive nor dead."""

    def add(self, one: Tensor) -> None:
        """One image's activation, without its batch axis."""
        one = one.detach() if one.is_floating_point() else one.detach().float()
        value = one.reshape(-1)
        finite = torch.isfinite(value)
        broken = value.numel() - int(finite.sum())
        self.broken += broken
        self._moments(value[finite] if broken else value)
        self.zeros += int((value == 0).sum())
        if self.bounds is not None:
            least, most = self.bounds
            self.saturated += int(((value <= least) | (value >= most)).sum())
        if self.units is not None and one.dim() > 0:
            each = one.movedim(self.units, 0).flatten(1) if one.dim() > 1 else one[:, None]
            self.cells += each.shape[1]
            # NaN is no constant: it counts as the widest range there is.
            low = each.nan_to_num(-math.inf, math.inf, -math.inf).amin(1)
            high = each.nan_to_num(math.inf, math.inf, -math.inf).amax(1)
            self.low = low if self.low is None else torch.minimum(self.low, low)
            self.high = high if self.high is None else torch.maximum(self.high, high)

    def _moments(self, value: Tensor) -> None:
        """Mean and variance of all values so far and these."""
        more = value.numel()
        if not more:
            return
        variance, mean = (float(x) for x in torch.var_mean(value.double(), correction=0))
        self.moments.absorb(more, mean, variance * more)

    @property
    def count(self) -> int:
        """Finite values."""
        return self.moments.count

    @property
    def mean(self) -> float:
        """Of the finite values; 0 where there are none."""
        return self.moments.mean

    @property
    def values(self) -> int:
        """How many numbers were seen."""
        return self.count + self.broken

    @property
    def spread(self) -> float | None:
        """Standard deviation of the finite values."""
        return self.moments.sd if self.count else None

    @property
    def rms(self) -> float | None:
        """Root of the mean square of the finite values."""
        return math.sqrt(self.moments.variance() + self.mean**2) if self.count else None

    @property
    def largest(self) -> float | None:
        """The largest magnitude; infinite where a value is not finite."""
        if self.low is None or self.high is None:
            return None
        return float(torch.maximum(self.low.abs(), self.high.abs()).max())

    @property
    def dead(self) -> int | None:
        """Units that gave one and the same value everywhere; None where each gave only one."""
        if self.low is None or self.high is None or self.cells < 2:
            return None
        constant = self.low == self.high
        return int((constant if self.padded is None else constant & ~self.padded.to(constant.device)).sum())

    @property
    def able(self) -> int:
        """Units that could depend on the image."""
        units = len(self.low) if self.low is not None else 0
        return units - (int(self.padded.sum()) if self.padded is not None else 0)
