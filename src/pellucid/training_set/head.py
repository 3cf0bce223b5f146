"""The last linear layer of a network: its weights, and what it reads."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from pellucid.errors import Refused
from pellucid.learning.initial import copied, put
from pellucid.learning.recycled import head_of
from pellucid.net import Labels, Net, Run
from pellucid.net.answers import log_probabilities
from pellucid.net.weights import original_of

_OFF = 0.02
"""By how much of their range the scores may be off: embeddings of an index are float16."""


@dataclass(frozen=True, eq=False)
class Head:
    """`weight` (C, F) and `bias` (C,) in float64 of the layer called `name`; of one output that decides between two
    classes, those of the first are 0."""

    name: str
    weight: Float[np.ndarray, "c f"]
    bias: Float[np.ndarray, " c"]

    @classmethod
    def of(cls, net: Net) -> Head:
        """Refused where a network has no linear layer that makes its classes."""
        try:
            name = head_of(net)
        except Refused as error:
            raise Refused(
                f"{net.name} has no linear layer that makes its {net.outputs} outputs, and what that reads is asked "
                "for here: ask a quantized network in floating point; prototypes needs no such layer"
            ) from error
        other = original_of(net.module) is not net.module  # the same layers with other weights, which a copy holds
        part = (copied(net.module, net.name) if other else net.module).get_submodule(name)
        own: Tensor = part.weight  # type: ignore[assignment]
        offset: Tensor | None = part.bias  # type: ignore[assignment]
        weight = _doubles(own).reshape(len(own), -1)
        bias = np.zeros(len(weight)) if offset is None else _doubles(offset)
        if len(weight) == 1:
            weight, bias = np.concatenate([0 * weight, weight]), np.concatenate([0 * bias, bias])
        return cls(name, weight, bias)

    def scores(self, features: Float[np.ndarray, "n f"]) -> Float[np.ndarray, "n c"]:
        """(N, C) logits, in float64."""
        return np.asarray(np.asarray(features, np.float64) @ self.weight.T + self.bias)

    def makes(self, features: Float[np.ndarray, "n f"], run: Run) -> Bool[np.ndarray, " n"]:
        """(N,) whether the network's probabilities are the softmax of what this layer makes of the features.

        Raises Refused where its classes do not exclude one another.
        """
        wanted, found = log_probabilities(run), self.scores(features)
        wanted, found = (one - one.max(1, keepdims=True) for one in (wanted, found))
        counted = wanted > -60  # beyond, probabilities in float32 are 0
        off = np.where(counted, np.abs(wanted - found), 0).max(1)
        return np.asarray(off <= _OFF * np.maximum(np.ptp(found, 1), 1e-3))


def reader(net: Net, head: Head) -> tuple[Net, str]:
    """(the network with one more layer that hands on what its last linear layer reads, the name of that layer)."""
    module = copied(net.module, net.name)
    old = module.get_submodule(head.name)
    put(module, head.name, nn.Sequential(OrderedDict(read=nn.Identity(), head=old)))
    return net.with_module(module), f"{head.name}.read"


def read_by(head: Head, received: Tensor) -> Float[np.ndarray, "n f"]:
    """(N, F) of what a linear layer or a 1 × 1 convolution received, the mean over places of the latter."""
    rows = received.detach().float().cpu().numpy()
    found = rows.mean((2, 3)) if rows.ndim == 4 else rows
    if found.ndim != 2 or found.shape[1] != head.weight.shape[1]:
        raise Refused(f"{head.name} reads {'×'.join(map(str, rows.shape[1:]))} of each image, and one row is needed")
    return np.asarray(found)


def _doubles(values: Tensor) -> np.ndarray:
    return np.asarray(values.detach().double().cpu().numpy())


def with_head(net: Net, head: Head, classes: tuple[str, ...]) -> Net:
    """A copy of the network whose last layer is this one, for classes of these names: what answers for a data set of
    its own. Refused where no copy can be made."""
    name, module = head_of(net), copied(net.module, net.name)
    old = module.get_submodule(name)
    like: Tensor = old.weight  # type: ignore[assignment]
    wide = nn.Linear if isinstance(old, nn.Linear) else partial(nn.Conv2d, kernel_size=1)
    new = wide(head.weight.shape[1], len(head.bias), dtype=like.dtype, device=like.device)
    weight, bias = (torch.from_numpy(one) for one in (head.weight, head.bias))
    new.load_state_dict({"weight": weight.reshape(new.weight.shape), "bias": bias})
    put(module, name, new.requires_grad_(False))
    return replace(net.with_module(module), labels=Labels.plain(list(classes)))
