"""Line: the loss along directions from the weights of a network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import numpy as np
from pydantic import Field

from pellucid.catalogue import method
from pellucid.data import Data
from pellucid.errors import PellucidError
from pellucid.geometry import Floats
from pellucid.loss.directions import Direction
from pellucid.loss.ground import Ground, around_one
from pellucid.loss.options import DirectionChoice, Extent, ExtentOption, NormsOption, Test
from pellucid.loss.points import undefined
from pellucid.loss.said import failed, halves, lowest
from pellucid.net.nets import Nets
from pellucid.result import Check, Curve, Line, Mark, Meta
from pellucid.resume import Coordinates, measured_at
from pellucid.rng import Seed

Count = Annotated[int, Field(ge=1, le=100, description="number of directions, each with random numbers of its own")]


@method(
    "Loss along a line",
    purpose="draw loss and accuracy along directions in weight space",
    shows=(
        "Read how fast the loss rises, and whether it is lowest at 0: if not, the network is at no minimum of these "
        "images. Networks can be compared because α = 1 moves every filter by its own norm; else larger weights look "
        "flatter. A random direction averages over many curvatures, so a wide valley does not rule out sharp "
        "directions. For each network a forward pass over the images at 51 places of each of three lines, and checks."
    ),
    source="Li et al. 2018, section 4 and equation 1; Goodfellow et al. 2015, section 3",
    over="all",
    resumable=True,
    quick={"points": 5, "count": 1},
)
def line(
    nets: Nets,
    data: Data,
    *,
    direction: DirectionChoice = Direction(),  # noqa: B008  # frozen
    count: Count = 3,
    points: ExtentOption = Extent(51),  # noqa: B008  # frozen
    norms: NormsOption = "frozen",
    test: Test = None,
    seed: Seed = 0,
) -> Curve:
    """Loss (nats) and accuracy at L(θ + α d): values (K,) at K points for each network, direction and set of images.

    At α = 1 every filter has moved by its own norm, with the default scale. Dropout is off, and the same images are
    shown at every place, so lines are smooth where the loss is. Errors are standard errors over the images. One
    direction is an anecdote: three are drawn by default. `checks` hold the value, the slope and the curvature at the
    center against gradient and Hessian.
    """
    alphas = np.linspace(-points.reach, points.reach, points.points)
    lines: list[Line] = []
    findings: list[str] = []
    checks: list[Check] = []
    spreads: list[float] = []
    least: list[float] = []
    around_one(norms)
    if points.refine:
        raise PellucidError(f"points={points}: refine is for a plane; a line has more places instead")
    for net in nets:
        ground = Ground.of(net, data, test, norms)
        directions = ground.directions(direction, seed, 1 if direction.kind == "gradient" else count)
        every, centers = [], []
        for k, along in enumerate(directions, start=1):
            at = ground.at([along])
            every.append(_measured(at, alphas, f"places of direction {k} of {len(directions)}"))
            centers.append(float(at((0.0,))[0, 0]))
        for k, (along, found, center) in enumerate(zip(directions, every, centers, strict=True), start=1):
            name = f"{net.name}, direction {k}" if len(directions) > 1 else net.name
            lines += ground.lines(name, alphas, found, net.name if len(nets) > 1 else name)  # one color for each
            checks += ground.checks([along], [name], center)  # last: whoever helps with the places need not make them
        spreads.append(halves(np.stack(every)))
        least += [float(alphas[np.where(np.isfinite(one[:, 0, 0]), one[:, 0, 0], np.inf).argmin()]) for one in every]
        findings.append(lowest(net.name, alphas, np.stack([one[:, 0, 0] for one in every])))
    failed(checks)
    axis = f"α ({direction.unit})"
    meta = Meta(found={"norms": ground.said(norms), "half_of_images": tuple(spreads), "least_at": tuple(least),
                       "undefined": undefined(lines)})  # fmt: skip
    return Curve(tuple(lines), axis, (Mark(0.0, "the network"),), tuple(findings), tuple(checks), meta)


def _measured(at: Callable[[Coordinates], Floats], alphas: Floats, what: str) -> Floats:
    """(points, sets, 4)."""
    return np.stack(measured_at(at, [(float(alpha),) for alpha in alphas], what))
