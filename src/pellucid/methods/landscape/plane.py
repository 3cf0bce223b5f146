"""Plane: the surface of the loss over two directions from the weights of a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.catalogue import method
from pellucid.data import Data
from pellucid.errors import PellucidError
from pellucid.geometry import Floats
from pellucid.loss.directions import Direction
from pellucid.loss.grids import Mapped, mapped
from pellucid.loss.ground import Ground, around_one, of_measures
from pellucid.loss.options import DirectionChoice, Extent, ExtentOption, MeasureOption, NormsOption, Test
from pellucid.loss.planes import Rows, covering, placed, spanned, unlike
from pellucid.loss.said import failed, halves, shape_of, typical
from pellucid.loss.weights import Vector, cosine, norm
from pellucid.net.nets import Nets
from pellucid.notes import Note, say
from pellucid.result import Axis, Check, Meta, Surface
from pellucid.resume import measured_at
from pellucid.rng import Seed

_OTHERS = 4
"""More random directions, along which only the ends are measured: is this plane a typical one?"""


@method(
    "Loss over a plane",
    purpose="draw the loss surface of one network, or of several on one scale",
    shows="Read height and width of the surface, and whether the ends of other random directions are as high: two "
    "directions say little of the others, and another pair can give figures several times as large. A bowl proves "
    "neither a minimum nor convexity, because a random plane averages over curvatures, and widths compare only where "
    "directions are filter-normalized. For each network a forward pass over the images at 625 places and at 12 ends of "
    "directions, and checks.",
    source="Li et al. 2018, section 4 and equation 1 (visualizing the loss landscape)",
    over="all",
    resumable=True,
    quick={"points": 5},
)
def plane(
    nets: Nets,
    data: Data,
    *,
    points: ExtentOption = Extent(25),  # noqa: B008  # frozen
    direction: DirectionChoice = Direction(),  # noqa: B008  # frozen
    norms: NormsOption = "frozen",
    test: Test = None,
    measure: MeasureOption = None,
    seed: Seed = 0,
) -> Surface:
    """Loss (nats) and accuracy at L(θ + α d₁ + β d₂): values (N, Q, points, points) of N networks and Q measures.
    `measure` is one more, a target such as `p(tench)`, or a unit of a layer: its mean over the images.

    At α = 1 every filter has moved by its own norm, with the default scale: that of two networks is the same, and so
    their surfaces can be compared. Dropout is off, and the same images are shown at every place. The directions are
    not made orthogonal, which would change the norms of their filters: `meta.found["cosine"]` is that of their angle.
    `checks` hold value, slopes and curvatures at the center against gradient and Hessian; `meta.found` how far half of
    the images are from all of them, and the loss at the ends of the axes (4 for each network) and of four other random
    directions (8 for each).

    `direction="networks"` lays one plane through the first three networks instead, N = 1: the first is the center, the
    second lies at (1, 0), the axes are at right angles and of one length, and the grid covers them all, or as many
    times as much as the reach in `points` says. Every other network is `placed` by least squares, with its distance
    from the plane and its own loss.
    """
    around_one(norms)
    if direction.kind == "networks":
        return _through(nets, data, points, direction, norms, test, measure)
    planes = []
    for net in nets:
        ground = Ground.of(net, data, test, norms, measure)  # images of one network at a time
        planes.append(_around(ground, net.name, points, direction, seed))
    failed(check for one in planes for check in one.checks)
    grids = [one.grid for one in planes]
    values, errors = (np.stack([np.moveaxis(of_measures(one.found)[k], -1, 0) for one in grids]) for k in (0, 1))
    axes = tuple(
        Axis(f"{name} ({direction.kind} {k + 1})", points_of, direction.unit, planes[0].lengths[k])
        for k, (name, points_of) in enumerate((("α", grids[0].x), ("β", grids[0].y)))
    )
    known = np.stack([one.known for one in grids])
    found: dict[str, Any] = {"norms": ground.said(norms)}
    found |= {key: tuple(number for one in planes for number in one.found[key]) for key in planes[0].found}
    return Surface(
        values,
        errors,
        known,
        nets.names,
        ground.measures,
        (axes[0], axes[1]),
        (),
        tuple(one.checks for one in planes),
        tuple(said for one in planes for said in one.findings),
        Meta(found=found),
    )


@dataclass(frozen=True, eq=False)
class _Plane:
    """Of one network."""

    grid: Mapped
    checks: tuple[Check, ...]
    lengths: tuple[float, ...]
    """Of the axes, in weights."""
    found: dict[str, tuple[float, ...]]
    """Figures of it."""
    findings: tuple[str, ...]


def _around(ground: Ground, name: str, points: Extent, direction: Direction, seed: int) -> _Plane:
    """The plane around one network, its checks, and how typical it is."""
    axes = ground.directions(direction, seed, 2)
    at = ground.at(axes)
    center = float(at((0.0, 0.0))[0, 0])
    axis = np.linspace(-points.reach, points.reach, points.points)
    grid = mapped(at, axis, axis, points.refine, f"places of {name}")
    losses = grid.found[..., 0, 0]
    row, column = np.unravel_index(np.where(np.isfinite(losses), losses, np.inf).argmin(), losses.shape)
    found: dict[str, tuple[float, ...]] = {"cosine": (cosine(*axes),), "half_of_images": (halves(grid.found),)}
    found["least_at"] = (float(grid.x[column]), float(grid.y[row]))
    findings = [shape_of(name, grid.x, grid.y, losses)]
    if direction.kind == "random":
        others = ground.directions(direction, seed, 2 + _OTHERS)[2:]
        ends, more = (_ends(ground, some, points.reach, f"ends of axes of {name}") for some in (axes, others))
        found |= {"ends": tuple(ends.tolist()), "ends_of_others": tuple(more.tolist())}
        findings.append(typical(name, ends, more, points.reach))
    checks = ground.checks(axes, ["axis 1", "axis 2"], center)  # last: whoever helps with the places need not make them
    return _Plane(grid, checks, tuple(norm(one) for one in axes), found, tuple(findings))


def _through(
    nets: Nets, data: Data, points: Extent, direction: Direction, norms: NormsOption, test: Test, measure: MeasureOption
) -> Surface:
    """One plane through the first three networks, and all of them on it."""
    if len(nets) < 3:
        raise PellucidError(f"direction='networks': a plane goes through three networks, these are {len(nets)}: {nets}")
    if direction != Direction("networks"):
        raise PellucidError(f"direction={str(direction)!r}: the way to other networks is as it is, write 'networks'")
    nets = nets.opened()
    ground = Ground.of(nets[0], data, test, norms, measure)
    if ground.said(norms) == "frozen":
        say(Note("reading", f"norms='frozen': on the plane the statistics are those of {nets.names[0]}"))
    rows = Rows(nets, ground.weights, nets.names[0])
    axes = spanned(rows[1], rows[2], ", ".join(nets.names[:3]))
    at = ground.at(axes)
    found = placed(rows, axes, ground, at)
    x, y = (covering([getattr(one, name) for one in found], points.points, points.reach) for name in "xy")
    grid = mapped(at, x, y, points.refine, "places of the plane")
    checks = ground.checks(axes, ["axis 1", "axis 2"], float(at((0.0, 0.0))[0, 0]))
    failed(checks)
    values, errors = (np.moveaxis(one, -1, 0)[None] for one in of_measures(grid.found))
    sides = (Axis("α", x, f"1 is at {nets.names[1]}", norm(axes[0])),
             Axis("β", y, f"across, towards {nets.names[2]}, on the same scale", norm(axes[1])))  # fmt: skip
    meta = Meta(found={"norms": ground.said(norms), "cosine": (cosine(*axes),), "half_of_images": (halves(grid.found),),
                       "lengths": (norm(rows[1]), norm(rows[2]))})  # fmt: skip
    findings = (shape_of(nets.names[0], x, y, grid.found[..., 0, 0]), unlike(found))
    return Surface(
        values, errors, grid.known[None], nets.names[:1], ground.measures, sides, found, (checks,),
        findings, meta,
    )  # fmt: skip


def _ends(ground: Ground, directions: Sequence[Vector], reach: float, what: str) -> Floats:
    """The loss where each direction ends, on both sides."""
    return np.concatenate(
        [
            [float(one[0, 0]) for one in measured_at(ground.at([along]), [(-reach,), (reach,)], what)]
            for along in directions
        ]
    )
