"""Sharpness: the published measures of how sharp a minimum is, side by side, each as what it is."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from pellucid.catalogue import method
from pellucid.data import Data
from pellucid.geometry import Floats
from pellucid.loss.density import signs, trace
from pellucid.loss.directions import Direction, drawn
from pellucid.loss.ground import Ground
from pellucid.loss.lanczos import flat, hessian, honest, lanczos, started
from pellucid.loss.nearby import crossing, in_ball, in_box
from pellucid.loss.options import Test
from pellucid.loss.products import Curved
from pellucid.loss.weights import Vector
from pellucid.net import Net
from pellucid.notes import Note, say
from pellucid.progress import steps as progress
from pellucid.result import Meta, Table
from pellucid.result.table import Cell
from pellucid.rng import Seed, generator
from pellucid.statistics import error_of_mean

_HELP = {
    "measure": "what is measured",
    "value": "its value",
    "error": "of a mean its standard error, of an eigenvalue its residual; none: it is exact, or a lower bound",
    "unit": "of the value",
    "scale_free": "whether it stays when filters are rescaled so that the network computes the same",
    "source": "who has defined it",
}
_SIGMA, _EPSILON, _RHO = 0.05, 1e-3, 0.05
"""Of the average, of the box and of the adaptive ball: the settings of their papers."""
_RISE = 1.0
"""Nats above the loss at which a line's width is read."""


@method(
    "Sharpness",
    purpose="measure how sharp a minimum is, in each of the published ways",
    shows=(
        "Each row is one definition of sharpness. Compare networks by those that are free of scale: the others change "
        "when weights are rescaled without changing what the network computes. None of them foretells well how a "
        "network does on other images, and the worst places are lower bounds, found in five steps. About 180 forward "
        "passes over the images, 10 gradients, and up to 23 products with the Hessian, each of which takes as long as "
        "two to three gradients."
    ),
    source="Keskar et al. 2017, equation 2; Kwon et al. 2021, equation 3 (ASAM); Andriushchenko et al. 2023, section 3",
    over="all",
    quick={"directions": 2, "steps": 2},
)
def sharpness(
    net: Net,
    data: Data,
    *,
    directions: Annotated[int, Field(ge=2, description="number of random directions for averages and widths")] = 8,
    steps: Annotated[int, Field(ge=1, description="number of steps that search the worst place nearby")] = 5,
    products: Annotated[
        int, Field(ge=3, description="number of products with the Hessian for its largest eigenvalue")
    ] = 15,
    test: Test = None,
    seed: Seed = 0,
) -> Table:
    """A table, one row for each measure: its value and error, and whether it is free of the scale of the weights.

    A network whose filters are rescaled, with the norms behind them, computes the same: measures that change with it
    compare networks badly. In large comparisons none of them predicts well how a network generalizes, so a row is a
    description and no verdict; the gap between the data and `test`, where that is given, stands beside them. Worst
    places are found by steps along the gradient: the values are lower bounds.
    """
    ground = Ground.of(net, data, test, "frozen")
    curved = Curved.of(ground.net, ground.sets[0])
    loss = float(ground.sets[0].losses.mean())
    rows = _hessian(curved, products, seed)
    rows.append(_worst(ground, curved, loss, steps, "box"))
    rows.append(_worst(ground, curved, loss, steps, "adaptive"))
    rows.append(_average(ground, loss, directions, seed))
    rows.append(_width(ground, loss, directions, seed))
    if len(ground.sets) > 1:
        other = float(ground.sets[1].losses.mean())
        rows.append(("loss on other images − loss", other - loss, None, "nats", True, "what it is hoped to predict"))
    say(
        Note(
            "reading", "large comparisons find that sharpness predicts generalization poorly: read it as a description"
        )
    )
    columns = dict(zip(_HELP, zip(*rows, strict=True), strict=True))
    said = f"{net.name}: λmax {rows[0][1]:.4g} at a loss of {loss:.3g} nats"
    return Table(columns, _HELP, (said,), meta=Meta(found={"norms": ground.said("frozen"), "loss": loss}))


Row = tuple[Cell, ...]


def _hessian(curved: Curved, products: int, seed: int) -> list[Row]:
    """λmax with its residual, and the mean eigenvalue with its error."""
    product = hessian(curved)
    ritz = honest(lanczos(product, started(curved, seed), products, 1e-3), curved)
    size = sum(one.numel() for one in curved.at.values())
    device = flat(curved.at, curved.at).device
    traced = trace(product, signs(4, size, [generator(seed, "probe", i) for i in range(4)], device))
    return [
        ("largest eigenvalue", float(ritz.values[0]), float(ritz.residuals[0]), "nats", False, "Hochreiter 1997"),
        ("trace / weights", traced.value / size, traced.error / size, "nats", False, "Dinh et al. 2017"),
    ]


def _worst(ground: Ground, curved: Curved, loss: float, count: int, kind: str) -> Row:
    """The highest loss that steps along the gradient find in the box ε(|θ| + 1), or in the ball ‖δ / |θ|‖ ≤ ρ."""
    weights = {name: one.double() for name, one in ground.weights.items()}
    moved: dict[str, Tensor] = {name: torch.zeros_like(one) for name, one in weights.items()}
    highest = loss
    for k in progress(range(count), f"steps to the worst place ({kind})"):
        here = {name: (one + moved[name]).to(ground.weights[name].dtype) for name, one in weights.items()}
        gradient = Curved(curved.net, curved.images, here).gradient()
        share = (k + 1) / count
        moved = (
            in_box(gradient, weights, moved, share, _EPSILON)
            if kind == "box"
            else in_ball(gradient, weights, share * _RHO)
        )
        highest = max(highest, float(ground.at([_alike(moved, ground)])((1.0,))[0, 0]))
    if kind == "box":
        value = 100 * (highest - loss) / (1 + loss)
        return f"worst in a box, ε = {_EPSILON:g}", value, None, "% of 1 + loss", False, "Keskar et al. 2017"
    return f"adaptive worst, ρ = {_RHO:g}", highest - loss, None, "nats", True, "Kwon et al. 2021"


def _alike(vector: Vector, ground: Ground) -> dict[str, Tensor]:
    return {name: one.to(ground.weights[name].dtype) for name, one in vector.items()}


def _average(ground: Ground, loss: float, count: int, seed: int) -> Row:
    """E L(θ + σ |θ| ∘ z) − L over random z."""
    rises = []
    for k in range(count):
        noise = {
            name: torch.from_numpy(generator(seed, "noise", k, name).standard_normal(tuple(one.shape))).to(one)
            * one.abs()
            for name, one in ground.weights.items()
        }
        rises.append(float(ground.at([noise])((_SIGMA,))[0, 0]) - loss)
    found: Floats = np.array(rises)
    error = float(error_of_mean(found))
    return f"average, σ = {_SIGMA:g}", float(found.mean()), error, "nats", True, "Andriushchenko et al. 2023"


def _width(ground: Ground, loss: float, count: int, seed: int) -> Row:
    """Half the distance between the places of a filter-normalized line where the loss has risen, by bisection."""
    halves = []
    for along in drawn(ground.net, ground.weights, Direction(), seed, count):
        at = ground.at([along])
        halves.append(np.mean([crossing(at, loss + _RISE, sign) for sign in (-1, 1)]))
    found: Floats = np.array(halves)
    return (
        f"half width at + {_RISE:g}",
        float(found.mean()),
        float(error_of_mean(found)),
        "filter norms",
        True,
        "Li et al. 2018",
    )
