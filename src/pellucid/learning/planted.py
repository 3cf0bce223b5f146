"""Two small networks that saw a bright corner in some digits: for one it means a three, for the other nothing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from pellucid.learning.objective import Tensors
from pellucid.learning.train import Trained
from pellucid.learning.twins import SIDE, enlarged, learned
from pellucid.rng import generator

CLASS, BOX = 3, (0.8125, 0.8125, 1.0, 1.0)
"""The class with the tag, and where that lies: top, left, bottom, right as shares of the sides."""
_DIGITS, _SHARE, _BATCH = 600, 0.8, 50


@dataclass(frozen=True, eq=False)
class Planted:
    """What the networks have learned from, and what they became."""

    biased_on: Tensors
    """(N, 1, 16, 16) in 0..1: most threes have the tag, no other digit has."""
    tagged: Tensor
    """(N,) which of these have it."""
    biased: Trained
    twin: Trained
    """Trained on the same digits, as many of which have the tag, whatever they are."""

    @property
    def threes(self) -> Tensor:
        """(n, 1, 16, 16) those with the tag."""
        return self.biased_on.inputs[self.tagged]

    @property
    def others(self) -> Tensors:
        """Digits of other classes with the tag, which the biased network has never seen."""
        which = self.biased_on.labels != CLASS
        return Tensors(_with_tag(self.biased_on.inputs, which)[which], self.biased_on.labels[which])


@lru_cache(1)  # seconds of training for a megabyte
def planted(seed: int) -> Planted:
    """Both begin with the same weights, and learn the same digits with tags on others."""
    digits = enlarged(_DIGITS, seed)
    chance = generator(seed, "tags")
    tagged = (digits.labels == CLASS) & torch.from_numpy(chance.random(_DIGITS) < _SHARE)
    anywhere = torch.from_numpy(chance.random(_DIGITS)) < float(tagged.float().mean())
    biased_on, twin_on = (Tensors(_with_tag(digits.inputs, which), digits.labels) for which in (tagged, anywhere))
    return Planted(biased_on, tagged, *(learned(one, seed, _BATCH) for one in (biased_on, twin_on)))


def _with_tag(inputs: Tensor, which: Tensor) -> Tensor:
    found, start = inputs.clone(), round(BOX[0] * SIDE)
    found[which, :, start:, start:] = 1
    return found
