"""Surfaces: what is measured of a network over a plane of weights."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float

from pellucid.errors import unknown
from pellucid.result.base import Meta, Result
from pellucid.result.checks import Check

LOSS, ACCURACY = "loss", "accuracy"


@dataclass(frozen=True, eq=False)
class Axis:
    """One axis of a plane: the coordinates (K,) that were measured, and what one unit of them is."""

    name: str
    points: Float[np.ndarray, " k"]
    unit: str = ""
    length: float = float("nan")
    """The norm of one unit, in weights."""


@dataclass(frozen=True, eq=False)
class Placed:
    """A network that lies in the plane, or near it."""

    name: str
    x: float
    y: float
    distance: float = 0.0
    """Its distance from the plane, in weights."""
    share: float = 0.0
    """That distance as a share of its distance from the center: 0 lies in the plane."""
    loss: float = float("nan")
    """Measured where the network is, not on the plane beneath it."""
    group: str = ""
    """Networks of one group, such as the steps of one training, are joined by a path in their order."""
    beneath: float = float("nan")
    """The loss on the plane at (x, y): where the network would be without its distance."""
    mark: str = ""
    """What happened there, such as a fall of the learning rate."""


@dataclass(frozen=True, eq=False)
class Surface(Result):
    """`values` (N, Q, M, K): of N networks, Q measures at M points of the second axis and K of the first.

    `measures` names the Q: "loss" (nats) and "accuracy" (0..1), of more data with its name before: "test loss". Points
    that were not measured, where a grid was refined in some places only, are filled in between, and False in `known`.
    `errors` are standard errors over the images. `checks` has a row for each network.
    """

    values: Float[np.ndarray, "n q m k"]
    errors: Float[np.ndarray, "n q m k"]
    known: Bool[np.ndarray, "n m k"]
    names: tuple[str, ...]
    measures: tuple[str, ...]
    axes: tuple[Axis, Axis]
    placed: tuple[Placed, ...] = ()
    checks: tuple[tuple[Check, ...], ...] = ()
    findings: tuple[str, ...] = ()
    meta: Meta = field(default_factory=Meta)

    def __repr__(self) -> str:
        high, wide = self.values.shape[2:]
        return f"Surface({', '.join(self.names)}: {', '.join(self.measures)} at {high} × {wide} points)"

    def __len__(self) -> int:
        """How many networks."""
        return len(self.names)

    def of(self, measure: str) -> Float[np.ndarray, "n m k"]:
        """The values of one measure. Raises UnknownName with the nearest."""
        if measure not in self.measures:
            raise unknown("measure", measure, self.measures)
        found: Float[np.ndarray, "n m k"] = self.values[:, self.measures.index(measure)]
        return found

    @property
    def losses(self) -> Float[np.ndarray, "n m k"]:
        """Mean over the images, nats."""
        return self.of(LOSS)

    @property
    def accuracies(self) -> Float[np.ndarray, "n m k"]:
        """Share of the images that are answered right."""
        return self.of(ACCURACY)
