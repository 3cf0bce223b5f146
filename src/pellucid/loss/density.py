"""Trace and spectral density of a symmetric matrix that is known by its products alone, each with its error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pellucid.geometry import Floats
from pellucid.loss.lanczos import Product, lanczos
from pellucid.progress import steps
from pellucid.statistics import error_of_mean


@dataclass(frozen=True, eq=False)
class Traced:
    """A trace with its standard error."""

    value: float
    error: float


def trace(product: Product, probes: Tensor) -> Traced:
    """XTrace (Epperly, Tropp & Webber 2024, algorithm 1): exchangeable estimates from `probes` (K, P), random signs.

    Each probe is left out once: the rest give a low-rank part that is known exactly, and the one that was left out
    estimates the remainder. The error is that of the mean of these estimates. 2 K products.
    """
    omega = probes.T.double()
    y = torch.stack([product(one) for one in steps(probes, "products for the trace")], 1)
    q, r = torch.linalg.qr(y)
    z = torch.stack([product(one) for one in steps(q.T, "products for the trace, second half")], 1)
    h = q.T @ z
    w = q.T @ omega
    t = z.T @ omega
    inverse = torch.linalg.inv(r).T
    s = inverse / torch.linalg.vector_norm(inverse, dim=0)
    # Q (I − s sᵀ) Qᵀ projects on the range without probe i; x are the coordinates of what it makes of that probe
    part = h.trace() - _inner(s, h @ s)
    x = w - s * _inner(s, w)
    found = (part + _inner(omega, y) - 2 * _inner(x, t) + _inner(x, h @ x)).cpu().numpy()
    return Traced(float(found.mean()), float(error_of_mean(found)))


def _inner(a: Tensor, b: Tensor) -> Tensor:
    """(K,) of the columns of two matrices."""
    return (a * b).sum(0)


def density(product: Product, starts: Tensor, most: int) -> tuple[Floats, Floats, Floats]:
    """(nodes, weights, traces): stochastic Lanczos quadrature (Ubaru, Chen & Saad 2017), a mean over the `starts`
    (K, P); the weights sum to 1. `traces` (K,) are the means of the nodes, for the trace over the dimension.
    """
    found = [lanczos(product, start, most, what=f"probe {i} of {len(starts)}") for i, start in enumerate(starts, 1)]
    nodes = np.concatenate([one.values for one in found])
    weights = np.concatenate([one.weights for one in found]) / len(found)
    return nodes, weights, np.array([float((one.values * one.weights).sum()) for one in found])


def signs(count: int, size: int, generators: list[np.random.Generator], device: torch.device) -> Tensor:
    """(count, size) random signs, each row by a generator of its own."""
    rows = [2.0 * one.integers(0, 2, size) - 1.0 for one in generators[:count]]
    return torch.from_numpy(np.stack(rows)).to(device)
