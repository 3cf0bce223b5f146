"""Initialization schemes, applied to a copy of any module."""

from __future__ import annotations

import copy
import math
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvTransposeNd
from torch.nn.utils import parametrize

from pellucid.errors import PellucidError, Refused, unknown
from pellucid.net import tap
from pellucid.net.weights import original_of
from pellucid.progress import stop_point
from pellucid.rng import generator

Scheme = Literal["zeros", "constant", "small", "unit", "xavier", "he", "lecun", "orthogonal", "lsuv"]
SCHEMES: tuple[Scheme, ...] = get_args(Scheme)
CONSTANT = 0.01
_LSUV_ROUNDS, _LSUV_SLACK = 10, 0.01


def copied(module: nn.Module, name: str = "the network") -> nn.Module:
    """A copy with weights of its own. Refused where no copy can be made."""
    original = original_of(module)
    # what a hook has computed from weights in the last pass hangs on a graph, which cannot be copied
    computed = (
        v for part in original.modules() for v in vars(part).values() if isinstance(v, Tensor) and not v.is_leaf
    )
    try:
        found = copy.deepcopy(original, {id(value): value.detach().clone() for value in computed})
        found.load_state_dict(module.state_dict())
    except Exception as error:
        raise Refused(f"{name} cannot be copied, and is not to be changed: {type(error).__name__}: {error}") from error
    return found


def own(module: nn.Module, name: str = "the network") -> nn.Module:
    """A copy to train, in float32 at least: the original is left alone. Refused where no copy can be made."""
    found = copied(module, name)
    narrow = any(p.dtype in (torch.float16, torch.bfloat16) for p in found.parameters())
    for p in found.parameters():
        p.requires_grad_(p.is_floating_point())
        p.grad = None
    return found.float() if narrow else found


def put(module: nn.Module, name: str, part: nn.Module) -> None:
    """Another part in the place of that name."""
    parent, _, last = name.rpartition(".")
    setattr(module.get_submodule(parent), last, part)


def weighted(module: nn.Module) -> dict[str, nn.Module]:
    """The parts with a weight of two dimensions or more, by name: convolutions and linear layers."""
    found = {}
    for name, part in module.named_modules():
        weight = getattr(part, "weight", None)
        if isinstance(weight, Tensor) and weight.dim() >= 2 and not isinstance(part, nn.Embedding):
            found[name] = part
    return found


def fans(part: nn.Module) -> tuple[int, int]:
    """(inputs of one unit, outputs that one input reaches): n_in and n_out of the schemes, per group."""
    weight: Tensor = part.weight  # type: ignore[assignment]
    area = math.prod(weight.shape[2:])
    groups = int(getattr(part, "groups", 1))
    if isinstance(part, _ConvTransposeNd):
        return weight.shape[0] // groups * area, weight.shape[1] * area
    return weight.shape[1] * area, weight.shape[0] // groups * area


def initialized(module: nn.Module, scheme: Scheme, seed: int = 0, inputs: Tensor | None = None) -> nn.Module:
    """A copy of the module with new weights; each draws from a stream of its own, named by the seed and its name.

    zeros · constant (0.01) · small, N(0, 0.01²) · unit, N(0, 1) · xavier, variance 2/(n_in + n_out) (Glorot & Bengio
    2010) · he, 2/n_in (He et al. 2015) · lecun, 1/n_in (LeCun et al. 1998) · orthogonal (Saxe et al. 2014) · lsuv,
    orthogonal and then scaled layer by layer to variance 1 of the outputs for `inputs` (Mishkin & Matas 2016). Biases
    are zero, norms as they are made; whatever else has weights keeps them.
    """
    if scheme not in SCHEMES:
        raise unknown("initialization scheme", scheme, SCHEMES)
    found = own(module)
    for part in found.modules():
        bias = getattr(part, "bias", None)
        if isinstance(bias, nn.Parameter):
            nn.init.zeros_(bias)
        if isinstance(part, (nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm)):
            part.reset_parameters()
    for name, part in weighted(found).items():
        stop_point()
        _put(part, _drawn(part, scheme, seed, name), name)
    if scheme == "lsuv":
        if inputs is None:
            raise PellucidError("lsuv measures the outputs of each layer: give it inputs=")
        weight = next(iter(weighted(found).values()), None)
        _unit_variance(found, inputs if weight is None else inputs.to(weight.weight))  # type: ignore[arg-type]
    return found


def _drawn(part: nn.Module, scheme: Scheme, seed: int, name: str) -> Tensor:
    weight: Tensor = part.weight  # type: ignore[assignment]
    shape, (n_in, n_out) = tuple(weight.shape), fans(part)
    if scheme in ("zeros", "constant"):
        return torch.full_like(weight.detach(), 0.0 if scheme == "zeros" else CONSTANT)
    values = generator(seed, "initial", name).standard_normal(shape)
    if scheme in ("orthogonal", "lsuv"):
        values = _orthogonal(values.reshape(shape[0], -1)).reshape(shape)
    else:
        values *= {
            "small": 0.01, "unit": 1.0, "xavier": math.sqrt(2 / (n_in + n_out)),
            "he": math.sqrt(2 / n_in), "lecun": math.sqrt(1 / n_in),
        }[scheme]  # fmt: skip
    return torch.from_numpy(values).to(weight)


def _orthogonal(values: np.ndarray) -> np.ndarray:
    """With orthonormal rows or columns, uniformly distributed (Mezzadri 2007)."""
    wide = values.shape[1] > values.shape[0]
    q, r = np.linalg.qr(values.T if wide else values)
    q = q * np.where(np.diag(r) < 0, -1.0, 1.0)
    return q.T if wide else q


def _put(part: nn.Module, value: Tensor, name: str) -> None:
    """The value as the weight, also where that is computed from other numbers."""
    with torch.no_grad():
        if parametrize.is_parametrized(part, "weight"):
            part.weight = value
        elif isinstance(part._parameters.get("weight"), nn.Parameter):
            part._parameters["weight"].copy_(value)  # type: ignore[union-attr]
        else:
            raise Refused(
                f"the weight of {name!r} is computed by a hook of the old style (weight_norm, pruning), and cannot be "
                "set: use torch.nn.utils.parametrizations"
            )


def _unit_variance(module: nn.Module, inputs: Tensor) -> None:
    """Scale each layer, in the order of execution, until its outputs have variance 1 (algorithm 1 of the paper)."""
    known, order = weighted(module), list[str]()
    tap.trace(module, inputs[:1], lambda *_: None, lambda name, call, *_: order.append(name) if call == 1 else None)
    for name in [name for name in order if name in known]:
        for _ in range(_LSUV_ROUNDS):
            key = name if order.count(name) == 1 else f"{name}#1"
            spread = float(tap.forward(module, inputs, at=[key], stop=True)[1][key].double().std())
            if not math.isfinite(spread) or spread == 0 or abs(spread**2 - 1) <= _LSUV_SLACK:
                break
            _put(known[name], known[name].weight.detach() / spread, name)  # type: ignore[operator]
