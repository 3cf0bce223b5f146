"""Trajectory: the path of a training over the loss, in the plane of its largest principal components."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import numpy as np
from pydantic import Field

from pellucid.catalogue import method
from pellucid.data import Data
from pellucid.described import Default
from pellucid.errors import PellucidError
from pellucid.geometry import Floats
from pellucid.history import RunsOption
from pellucid.loss.directions import random
from pellucid.loss.grids import mapped
from pellucid.loss.ground import Ground, around_one, of_measures
from pellucid.loss.labeled import settled
from pellucid.loss.options import NormsOption, Points, Test
from pellucid.loss.planes import Rows, components, coordinates, covering, of_walk, placed, unlike
from pellucid.loss.said import failed
from pellucid.loss.weights import norm, plain, weights_of
from pellucid.methods.landscape._rates import drops
from pellucid.net.nets import Checkpoint, Nets, by_number
from pellucid.notes import Note, say
from pellucid.result import Axis, Meta, Placed, Surface
from pellucid.rng import Seed

_UNIT = "distance in weights"


@method(
    "Path of a training",
    purpose="draw the path of a training over the loss, and say what it hides",
    shows=(
        "Read where the checkpoints lie in the plane of the two largest components, how far off it they are, and the "
        "loss of each by itself, which the plane beneath it may not have. A smooth arc says little, for a random walk "
        "with the same steps draws one, too: compare the shares that two components hold of both. Two forward passes "
        "over the images, one without batch norms, at each of 625 places, at each checkpoint and beneath it."
    ),
    source="Li et al. 2018, section 7 (visualizing the loss landscape); Antognini & Sohl-Dickstein 2018, section 3 "
    "(random walks)",
    over="all",
    resumable=True,
    quick={"points": 5},
    samples={"nets": "run/*.pth"},  # three at least
)
def trajectory(
    nets: Nets,
    data: Data,
    *,
    points: Points = 25,
    centered: Annotated[
        bool, Field(description="take components about the mean of the networks instead of the last one")
    ] = False,
    log: Annotated[
        RunsOption,
        Field(description="folder of the training run, whose learning rate is read by step"),
        Default("none"),
    ] = (),
    norms: NormsOption = "reestimated",
    test: Test = None,
    seed: Seed = 0,
) -> Surface:
    """Checkpoints of one training, in order, on the plane of their two largest components.

    Values (N, Q, points, points) of one plane, N = 1, and Q measures. The rows θᵢ − θₙ, biases included and without any
    scaling, are taken apart about the last network; one unit of an axis is a distance of 1 in weights. `placed` has
    the coordinates of every network, its distance from the plane, and its loss beside the loss on the plane beneath:
    they differ. `meta.found` has the `shares` of the path's variance that the components hold, and two controls: what a
    random plane holds, and what the first two hold of a random walk with steps of the same lengths, which draws smooth
    arcs as well. Raises PellucidError for fewer than three networks.
    """
    around_one(norms)
    nets = _in_order(nets)
    marks = drops(nets.names, log[0]) if log else [""] * len(nets)
    nets = nets.opened()
    last = settled(plain(nets[len(nets) - 1]), data)
    rows = Rows(nets, weights_of(last), nets.names[-1])
    gram = rows.gram()
    found = components(gram, centered, str(nets))
    if centered:
        middle = {key: one + rows.center[key] for key, one in rows.mixed(np.full(len(rows), 1 / len(rows))).items()}
        last = replace(last.with_weights(middle), name=f"mean of {len(nets)} networks")
        rows = Rows(nets, weights_of(last), last.name)
    axes = rows.mixed(found.weights[0]), rows.mixed(found.weights[1])
    ground = Ground.of(last, data, test, norms)
    at = ground.at(axes)
    path = placed(rows, axes, ground, at, "path")
    path = tuple(replace(one, mark=mark) for one, mark in zip(path, marks, strict=True))
    x, y = (covering([getattr(one, name) for one in path], points) for name in "xy")
    grid = mapped(at, x, y, 0, "places of the plane")
    checks = ground.checks(axes, [f"component {k}" for k in (1, 2)], float(at((0.0, 0.0))[0, 0]))
    failed(checks)
    controls = (_of_random_plane(rows, ground, seed), float(of_walk(gram, centered)[:2].sum()))
    values, errors = (np.moveaxis(one, -1, 0)[None] for one in of_measures(grid.found))
    units = [f"{share:.1%} of the variance, {_UNIT}" for share in found.shares[:2]]
    return Surface(
        values,
        errors,
        grid.known[None],
        (last.name,),
        ground.measures,
        (Axis("component 1", x, units[0], norm(axes[0])), Axis("component 2", y, units[1], norm(axes[1]))),
        path,
        (checks,),
        _said(path, found.shares, controls),
        Meta(found={"norms": ground.said(norms), "shares": tuple(found.shares.tolist()), "random_plane": controls[0],
                    "random_walk": controls[1]}),
    )  # fmt: skip


def _in_order(nets: Nets) -> Nets:
    """Files in the order of the numbers in their names where a shell has put them in that of letters, and says so.
    Refused where they are too few for a path.
    """
    if len(nets) < 3:
        raise PellucidError(
            f"trajectory takes three networks of one training at least, these are {len(nets)}: {nets}; name more "
            "checkpoints of it, their folder, or a pattern such as 'run/*.pth'"
        )
    paths = [one.path for one in nets.each if isinstance(one, Checkpoint)]
    order = sorted(range(len(paths)), key=lambda i: by_number(paths[i]))
    if len(paths) < len(nets) or order == [*range(len(paths))]:
        return nets
    if paths != sorted(paths):
        say(Note("reading", "the networks come as they are given, not in the order of the numbers in their names"))
        return nets
    found = Nets(tuple(nets.each[i] for i in order), nets.net, tuple(nets.texts[i] for i in order))
    say(Note("reading", f"in the order of the numbers in their names: {found.names[0]} to {found.names[-1]}"))
    return found


def _of_random_plane(rows: Rows, ground: Ground, seed: int) -> float:
    """Share of the rows' squared lengths that a plane of random directions holds."""
    axes = [random(ground.net, rows.center, seed, k) for k in (0, 1)]
    whole = [norm(row) ** 2 for row in rows]
    off = [coordinates(axes, row)[1] ** 2 for row in rows]
    return max(1 - sum(off) / sum(whole), 0.0)


def _said(path: tuple[Placed, ...], shares: Floats, controls: tuple[float, float]) -> tuple[str, ...]:
    best = min(path, key=lambda one: one.loss if np.isfinite(one.loss) else np.inf)
    fall = f"the loss goes from {path[0].loss:.3g} ({path[0].name}) to {path[-1].loss:.3g} ({path[-1].name})"
    if best.loss < path[-1].loss * (1 - 1e-9):
        fall += f"; the least of the path is {best.loss:.3g} ({best.name})"
    held = f"two components hold {shares[:2].sum():.1%} of the path, a random plane {100 * controls[0]:.1g}% of it"
    if len(path) > 3:  # three places always lie in a plane
        held += f"; of a random walk with the same steps two hold {controls[1]:.1%}, so a smooth arc says little"
    fallen = [f"{one.mark} at {one.name}" for one in path if one.mark]
    return (fall, held, unlike(path), *([f"the learning rate falls: {', '.join(fallen)}"] if fallen else []))
