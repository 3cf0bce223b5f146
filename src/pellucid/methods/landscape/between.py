"""Between: the loss on the straight way from one network to another, and whether a barrier lies there."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from pellucid.catalogue import method
from pellucid.data import Data
from pellucid.errors import PellucidError
from pellucid.geometry import Floats
from pellucid.loss.ground import Ground
from pellucid.loss.labeled import labeled, settled
from pellucid.loss.matching import matched, permuted
from pellucid.loss.options import NormsOption, Points, Test
from pellucid.loss.points import undefined
from pellucid.loss.said import failed
from pellucid.loss.weights import difference, like, norm, numbers_of, plain
from pellucid.net import Net
from pellucid.net.channels import groups_of
from pellucid.net.nets import Nets
from pellucid.net.norms import Norms
from pellucid.notes import Note, say
from pellucid.result import Check, Curve, Line, Mark, Meta
from pellucid.resume import measured_at
from pellucid.rng import Seed

_BEYOND = 0.5
"""How far the line goes on beyond both networks, as a share of the way between them."""


@method(
    "Between two networks",
    purpose="find out whether a barrier lies between two networks",
    shows=(
        "The barrier is how far the loss on the way lies above the line between the losses of both networks; where it "
        "is gone with matched channels, only their order was different. A barrier that stays proves less, because a "
        "better order may not have been found, and with batch norms it may come from their mixed statistics: compare "
        "with norms=reestimated. A forward pass over the images, two with norms=reestimated, at 61 places on each of "
        "two ways."
    ),
    source="Goodfellow et al. 2015, section 3; Ainsworth et al. 2023, section 2.2 (barrier) and section 3 (matching)",
    over="all",
    resumable=True,
    quick={"points": 5},
)
def between(
    nets: Nets,
    data: Data,
    *,
    points: Points = 61,
    matching: Annotated[
        bool, Field(description="draw the way to the second network with its channels matched to the first's as well")
    ] = True,
    norms: NormsOption = "interpolated",
    test: Test = None,
    seed: Seed = 0,
) -> Curve:
    """Loss (nats) and accuracy at (1 − t) A + t B for values (K,) of t from −0.5 to 1.5, both networks included.

    The barrier is the most by which the loss between them lies above the line from one network's loss to the other's.
    Channels of a network can change places without changing what it computes, and two trainings order them at random:
    with matching, those of B are put into the order in which they are most like those of A, layer by layer, and a
    barrier that is then gone was one of order alone. Norms: interpolated mixes the two networks' statistics,
    reestimated collects those of every place.
    """
    if len(nets) != 2:
        way = "name two of them" if len(nets) > 2 else "name a second one after it, before the data"
        raise PellucidError(f"between takes two networks, these are {len(nets)}: {nets}; {way}")
    first, second = (settled(plain(net), data) for net in nets)
    a, b = numbers_of(first), numbers_of(second)
    like(a, b, *nets.names)
    if norms == "frozen":
        say(Note("reading", "norms='frozen': at every place the statistics are those of the first network"))
    ends = {nets.names[1]: b}
    moved = 0
    if matching:
        groups = groups_of(first, labeled(first, data.part(0, 1)).pixels[0])
        orders = matched(a, b, groups, seed)
        ends[f"{nets.names[1]}, matched"] = permuted(b, groups, orders)
        moved = sum(int((order != np.arange(len(order))).sum()) for order in orders)
        fixed = sum(group.size for group in groups if group.fixed)
        say(Note("reading", f"{moved} of {sum(len(order) for order in orders)} channels change places; {fixed} cannot"))
    ts = _ts(points)
    ground = Ground.of(first, data, test, norms)
    lines: list[Line] = []
    barriers: dict[str, float] = {}
    for name, end in ends.items():
        found = _way(ground, a, end, ts, norms, name)
        lines += ground.lines(name, ts, found)
        barriers[name] = barrier(ts, found[:, 0, 0])
    center = float(lines[0].values[np.abs(ts).argmin()])
    checks = ground.checks([_step(ground, a, b, norms)], [f"the way to {nets.names[1]}"], center)
    checks += (_end(nets.names[1], second, data, lines[0], ts),) if norms == "interpolated" else ()
    failed(checks)
    marks = (Mark(0.0, nets.names[0]), Mark(1.0, nets.names[1]))
    findings = _said(nets.names, barriers)
    meta = Meta(found={"norms": ground.said(norms), "barrier": tuple(barriers.values()),
                       "distance": norm(difference(a, b)), "channels_moved": moved,
                       "undefined": undefined(lines)})  # fmt: skip
    return Curve(tuple(lines), "t (0: the first network, 1: the second)", marks, findings, checks, meta)


def barrier(ts: Floats, losses: Floats) -> float:
    """max over 0 ≤ t ≤ 1 of L(t) − (1 − t) L(0) − t L(1), nats; infinite where the loss is beyond every number."""
    inside = (ts >= -1e-12) & (ts <= 1 + 1e-12)
    t, values = ts[inside], losses[inside]
    if not np.isfinite(values).all():
        return float("inf")
    return float((values - (1 - t) * values[0] - t * values[-1]).max())


def _ts(points: int) -> Floats:
    """Evenly from −0.5 to 1.5, and 0 and 1 exactly among them."""
    found = np.linspace(-_BEYOND, 1 + _BEYOND, points)
    return np.unique(np.concatenate([found[(np.abs(found) > 1e-9) & (np.abs(found - 1) > 1e-9)], [0.0, 1.0]]))


def _statistics(net: Net) -> set[str]:
    return {key for key, _ in net.module.named_buffers()}


def _step(ground: Ground, a: dict[str, Tensor], b: dict[str, Tensor], norms: Norms) -> dict[str, Tensor]:
    """B − A: of the statistics as well where they are mixed."""
    statistics = _statistics(ground.net)
    return {key: one for key, one in difference(b, a).items() if norms == "interpolated" or key not in statistics}


def _way(ground: Ground, a: dict[str, Tensor], b: dict[str, Tensor], ts: Floats, norms: Norms, name: str) -> Floats:
    """(points, sets, 4)."""
    step = _step(ground, a, b, norms)
    for key in _statistics(ground.net) & set(step):  # beyond the two networks a variance would fall below 0
        if key.endswith("var") and bool(
            (torch.minimum(a[key] - _BEYOND * step[key], a[key] + 1.5 * step[key]) < 0).any()
        ):
            say(
                Note(
                    "values", "beyond t = 0 and 1 mixed variances fall below 0, where loss and accuracy are no numbers"
                )
            )
    at = ground.at([step], a)
    return np.stack(measured_at(at, [(float(t),) for t in ts], f"places on the way to {name}"))


def _end(name: str, net: Net, data: Data, line: Line, ts: Floats) -> Check:
    """The line at the second network against that network as it is, where statistics are mixed: there they are its."""
    loss, found = float(labeled(net, data).losses.mean()), float(line.values[np.abs(ts - 1).argmin()])
    said = "the line at a network, and the loss of the network as it is"
    return Check(f"value at {name}", loss, found, 1e-4 * max(loss, 1e-2), said)


def _said(names: tuple[str, ...], barriers: dict[str, float]) -> tuple[str, ...]:
    values = list(barriers.values())
    told = [f"between {names[0]} and {names[1]} lies a barrier of {values[0]:.3g} nats"]
    if values[0] < 0.05:
        told = [f"no barrier lies between {names[0]} and {names[1]}: {values[0]:.3g} nats at most"]
    if len(values) > 1:
        less = f", {values[0] / values[1]:.3g} times less" if 0 < values[1] < values[0] < np.inf else ""
        told.append(f"with matched channels it is {max(values[1], 0):.3g} nats{less}")
    return tuple(told)
