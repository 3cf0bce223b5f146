"""Spectra: eigenvalues of a matrix that was never written down, and how sure each is."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from pellucid.result.base import Meta, Result


@dataclass(frozen=True, eq=False)
class Estimate:
    """A number that was estimated, with its standard error."""

    name: str
    value: float
    error: float = 0.0


@dataclass(frozen=True, eq=False)
class Spectrum(Result):
    """Ritz values (K,), descending, each within its residual of an eigenvalue; and the density of all eigenvalues.

    The density is a mean over probes: weight `weights` (J,) at `nodes` (J,), which sum to 1; times `parameters` it
    counts eigenvalues. `estimates` are trace and the like.
    """

    values: Float[np.ndarray, " k"]
    residuals: Float[np.ndarray, " k"]
    converged: tuple[bool, ...]
    """Whether each residual is within the tolerance that was asked for."""
    nodes: Float[np.ndarray, " j"]
    weights: Float[np.ndarray, " j"]
    parameters: int
    estimates: tuple[Estimate, ...] = ()
    findings: tuple[str, ...] = ()
    matrix: str = "Hessian"
    meta: Meta = field(default_factory=Meta)

    def __repr__(self) -> str:
        ends = f"{self.values[0]:.4g} to {self.values[-1]:.4g}" if len(self.values) else "no values"
        return f"Spectrum({self.matrix}, {ends}, {self.parameters} parameters)"
