"""Extreme eigenvalues of a symmetric matrix that is known by its products alone, each with its residual.

Lanczos 1950 with full re-orthogonalization, twice; the residual |β_k s_k| is a rigorous bound on the distance of a Ritz
value from an eigenvalue (Parlett 1998, section 13.2).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from pellucid.errors import PellucidError
from pellucid.geometry import Floats
from pellucid.loss.products import Curved
from pellucid.loss.weights import Vector
from pellucid.progress import steps
from pellucid.rng import generator

Product = Callable[[Tensor], Tensor]
_ROUNDING = 80
"""Roundings of λmax below which a residual says nothing: its formula knows of none."""


class NotFinite(PellucidError):
    """A product with the Hessian is infinite or no number."""


@dataclass(frozen=True, eq=False)
class Ritz:
    """Approximate eigenvalues (K,), descending, with residuals (K,); `vectors` (K, P) on demand, `weights` (K,) are the
    squares of their first components, which a spectral density is made of.
    """

    values: Floats
    residuals: Floats
    weights: Floats
    basis: Tensor
    """(K, P) orthonormal."""
    rotation: Floats
    """(K, K): column j are the coordinates of Ritz vector j in the basis."""

    def converged(self, j: int, tolerance: float) -> bool:
        """Whether the residual of value j is within the tolerance, as a share of that value: a small value with a small
        residual is near some eigenvalue, but seldom near the smallest.
        """
        return bool(self.residuals[j] <= tolerance * abs(self.values[j]))

    def vector(self, j: int) -> Tensor:
        """(P,) Ritz vector j, of length 1."""
        return self.basis.T @ torch.from_numpy(self.rotation[:, j].copy()).to(self.basis)


def lanczos(product: Product, start: Tensor, most: int, tolerance: float = 0.0, wanted: Sequence[int] = (0,),
            what: str = "products with the Hessian") -> Ritz:  # fmt: skip
    """At most so many products; fewer where the residuals of the Ritz values with these numbers (0 the largest, −1 the
    smallest) are within `tolerance` times themselves. `start` is float64.
    """
    q = start / start.norm()
    basis: list[Tensor] = []
    diagonal: list[float] = []
    beside: list[float] = []
    for _ in steps(range(most), what):
        basis.append(q)
        w = product(q)
        diagonal.append(float(w @ q))
        if not np.isfinite(diagonal[-1]):
            raise NotFinite("a product with the Hessian is not finite: the loss overflows at these weights")
        held = torch.stack(basis)
        for _ in range(2):
            w = w - held.T @ (held @ w)
        beside.append(float(w.norm()))
        ritz = _ritz(basis, diagonal, beside)
        largest = float(np.abs(ritz.values).max())
        if beside[-1] <= 1e-14 * max(largest, 1e-300) or len(basis) == len(start):
            break
        enough = len(basis) > max(abs(k) for k in wanted)
        if tolerance and enough and all(ritz.converged(k, tolerance) for k in wanted):
            break
        q = w / beside[-1]
    return ritz


def honest(ritz: Ritz, curved: Curved) -> Ritz:
    """With residuals that are no smaller than what rounding hides in the type of the weights."""
    rounding = torch.finfo(next(iter(curved.at.values())).dtype).eps
    floor = _ROUNDING * rounding * float(np.abs(ritz.values).max())
    return replace(ritz, residuals=np.maximum(ritz.residuals, floor))


def _ritz(basis: list[Tensor], diagonal: list[float], beside: list[float]) -> Ritz:
    tridiagonal = np.diag(diagonal) + np.diag(beside[:-1], 1) + np.diag(beside[:-1], -1)
    values, rotation = np.linalg.eigh(tridiagonal)
    values, rotation = values[::-1].copy(), rotation[:, ::-1].copy()
    return Ritz(values, np.abs(beside[-1] * rotation[-1]), rotation[0] ** 2, torch.stack(basis), rotation)


def flat(vector: Vector, like: Vector) -> Tensor:
    """One row of float64, in the order of names of `like`."""
    return torch.cat([vector[name].double().reshape(-1) for name in like])


def shaped(row: Tensor, like: Vector) -> dict[str, Tensor]:
    """A tensor for each name, of a row."""
    parts = row.split([one.numel() for one in like.values()])
    return {name: part.reshape(one.shape) for (name, one), part in zip(like.items(), parts, strict=True)}


def hessian(curved: Curved) -> Product:
    """Its products with rows."""
    return lambda row: flat(curved.product(shaped(row, curved.at)), curved.at)


def started(curved: Curved, seed: int, number: int = 0) -> Tensor:
    """(P,) a random start, each name's part by its own counter."""
    parts = [generator(seed, "start", number, name).standard_normal(one.numel()) for name, one in curved.at.items()]
    device = next(iter(curved.at.values())).device
    return torch.from_numpy(np.concatenate(parts)).to(device)


def eigenvectors(
    curved: Curved, count: int, seed: int, *, smallest: bool = False, most: int = 40
) -> list[dict[str, Tensor]]:
    """The eigenvectors of the `count` largest eigenvalues of the Hessian, or of the smallest, each of length 1."""
    numbers = [-1 - k if smallest else k for k in range(count)]
    ritz = lanczos(hessian(curved), started(curved, seed), most, 1e-3, numbers)
    return [shaped(ritz.vector(j % len(ritz.values)), curved.at) for j in numbers]
