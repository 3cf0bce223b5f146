"""Images and labels whose meaning is taken away, in whole or in part (Zhang et al. 2017, section 2)."""

from __future__ import annotations

import math
from typing import Literal, get_args

import torch
from torch import Tensor

from pellucid.learning.objective import Tensors
from pellucid.rng import generator

Kind = Literal["true labels", "half random", "random labels", "shuffled pixels", "noise images"]
KINDS: tuple[Kind, ...] = get_args(Kind)


def changed(given: Tensors, test: Tensors, kind: Kind, seed: int) -> tuple[Tensors, Tensors]:
    """Training and held-out images of that kind; the labels of those that are held out stay."""
    chance = generator(seed, "memorization", kind)
    if kind in ("half random", "random labels"):
        classes = given.labels.unique()
        count = len(given) if kind == "random labels" else round(len(given) / 2)
        which = torch.from_numpy(chance.permutation(len(given))[:count]).to(given.labels.device)
        drawn = torch.from_numpy(chance.integers(len(classes), size=count)).to(which.device)
        labels = given.labels.clone()
        labels[which] = classes[drawn]
        return Tensors(given.inputs, labels), test
    if kind == "shuffled pixels":
        order = torch.from_numpy(chance.permutation(math.prod(given.inputs.shape[-2:]))).to(given.inputs.device)
        return _moved(given, order), _moved(test, order)
    if kind == "noise images":
        axes = [axis for axis in range(given.inputs.dim()) if axis != 1]
        std, mean = torch.std_mean(given.inputs.double(), axes, keepdim=True)
        one, other = (_noise(some.inputs, mean, std, seed, name) for name, some in (("train", given), ("test", test)))
        return Tensors(one, given.labels), Tensors(other, test.labels)
    return given, test


def _moved(some: Tensors, order: Tensor) -> Tensors:
    """With the pixels in another order, the same in all channels."""
    return Tensors(some.inputs.flatten(-2)[..., order].view_as(some.inputs), some.labels)


def _noise(like: Tensor, mean: Tensor, std: Tensor, seed: int, name: str) -> Tensor:
    """Gaussian, with the mean and standard deviation of each channel."""
    values = torch.from_numpy(generator(seed, "noise", name).standard_normal(tuple(like.shape)))
    return (mean + std * values.to(like.device)).to(like.dtype)
