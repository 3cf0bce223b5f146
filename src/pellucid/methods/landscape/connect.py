"""Connect: a curve from one network to another along which the loss stays low."""

from __future__ import annotations

import json
from typing import Annotated

import numpy as np
from pydantic import Field

from pellucid.catalogue import method
from pellucid.data import Data
from pellucid.errors import PellucidError
from pellucid.geometry import Floats
from pellucid.learning.initial import own
from pellucid.learning.objective import objective_of, tensors_of
from pellucid.learning.train import Recipe, train
from pellucid.loss.bends import Bend, Bent, Form, share
from pellucid.loss.ground import Ground
from pellucid.loss.labeled import settled
from pellucid.loss.options import Points, Test
from pellucid.loss.points import undefined
from pellucid.loss.said import failed
from pellucid.loss.weights import Vector, difference, like, norm, plain, weights_of
from pellucid.net import Net
from pellucid.net.identity import machine
from pellucid.net.nets import Nets
from pellucid.notes import Note, say
from pellucid.progress import steps
from pellucid.result import Check, Curve, Line, Mark, Meta
from pellucid.resume import place
from pellucid.rng import Seed

_BATCH = 32


@method(
    "Curve between two networks",
    purpose="find a curve of low loss from one network to another",
    shows=(
        "Compare the highest loss on the curve with that on the straight way. A low curve says that both networks lie "
        "in one connected region of low loss, not that they compute the same; a high one may only need more epochs. "
        "Without test images all losses are over the images that the curve was trained on. One training of 15 epochs, "
        "and at each of 122 places two forward passes over the images, or one without batch norms."
    ),
    source="Garipov et al. 2018, section 3, equations 1 and 2 (mode connectivity)",
    over="all",
    resumable=True,
    quick={"points": 5, "epochs": 1},
)
def connect(
    nets: Nets,
    data: Data,
    *,
    curve: Annotated[Form, Field(description="kind of curve: quadratic Bézier, or a chain of two straight parts")] = (
        "bezier"
    ),
    epochs: Annotated[int, Field(ge=1, le=10000, description="number of epochs of the curve's training")] = 15,
    rate: Annotated[
        float,
        Field(gt=0, description="learning rate of that training by Adam, steps per unit of gradient; it falls to 0"),
    ] = 0.01,
    points: Points = 61,
    test: Test = None,
    seed: Seed = 0,
) -> Curve:
    """Loss (nats) and accuracy for values (K,) of t from 0 to 1 along a curve φ, and along the straight way beside it.

    φ(t) = (1 − t)² A + 2 t (1 − t) C + t² B, or two straight parts that meet in C. C begins halfway and is trained on
    the data to make the loss at a random t least: at each step of 32 images one t is drawn. A and B stay as they are.
    Batch norms use the statistics of the images at every place, collected anew. `meta.found` has the highest loss on
    the curve and on the straight way, of each set of images, and the lengths of both, in weights.
    """
    if len(nets) != 2:
        way = "name two of them" if len(nets) > 2 else "name a second one after it, before the data"
        raise PellucidError(f"connect takes two networks, these are {len(nets)}: {nets}; {way}")
    identity, nets = nets.identity, nets.opened()
    first, second = (settled(plain(net), data) for net in nets)
    a, b = weights_of(first), weights_of(second)
    like(a, b, *nets.names)
    recipe = Recipe(epochs, _BATCH, "adam", rate, schedule="cosine", seed=seed)
    bend = Bend(a, b, _trained(first, a, b, curve, data, recipe, identity), curve)
    ts = np.linspace(0, 1, points)
    ground = Ground.of(first, data, test, "reestimated")
    curved = _along(ground, bend.directions, np.stack(share(curve, ts), -1), a, "places on the curve")
    straight = _along(ground, bend.directions[1:], ts[:, None], a, "places on the straight way")
    lines = ground.lines(curve, ts, curved) + ground.lines("straight", ts, straight)
    toward = ["the way to the bend", f"the way to {nets.names[1]}"]
    checks = _ends(nets, ground, lines[0]) + ground.checks(bend.directions, toward, float(straight[0, 0, 0]))
    failed(checks)
    finite = [np.where(np.isfinite(one[..., 0]), one[..., 0], np.inf).max(0) for one in (curved, straight)]
    highest = {f"{some.name}_highest".lstrip("_"): tuple(float(one[k]) for one in finite)
               for k, some in enumerate(ground.sets)}  # fmt: skip
    lengths = bend.length(), norm(difference(b, a))
    marks = (Mark(0.0, nets.names[0]), Mark(1.0, nets.names[1]))
    meta = Meta(
        found={"norms": ground.said("reestimated"), **highest, "length": lengths, "undefined": undefined(lines)}
    )
    findings = _said(nets.names, ground, curved[..., 0], straight[..., 0], lengths)
    return Curve(tuple(lines), "t (0: the first network, 1: the second)", marks, findings, checks, meta)


def _trained(net: Net, a: Vector, b: Vector, form: Form, data: Data, recipe: Recipe, identity: str) -> Vector:
    """C, after its training on a copy of the network."""
    images = tensors_of(net, data)
    bent = Bent(own(net.module, net.name), a, b, form)
    folder = place(json.dumps(["connect", identity, data.identity, form, vars(recipe), *machine(net)]))
    objective = objective_of(net, net.prepare(data.on(net).item(0)[0]).pixels[:1])
    found = train(bent, images.like(bent), recipe, objective=objective, folder=folder, keep=False)
    if found.ended:
        say(Note("values", f"the training of the curve ended early: {found.ended}"))
    return bent.found(a)


def _along(ground: Ground, directions: tuple[Vector, ...], where: Floats, start: Vector, what: str) -> Floats:
    """(points, sets, 4) at A + Σ cᵢ dᵢ for rows c."""
    at = ground.at(directions, start)
    return np.stack([at(tuple(row)) for row in steps(where.tolist(), what)])


def _ends(nets: Nets, ground: Ground, line: Line) -> tuple[Check, ...]:
    """Both ends of the curve against the networks by themselves."""
    said = "the curve at a network, and the loss of the network by itself"
    losses = [ground.loss_of(net) for net in nets]
    return tuple(
        Check(f"value at {name}", loss, float(line.values[end]), 1e-4 * max(loss, 1e-2), said)
        for name, loss, end in zip(nets.names, losses, (0, -1), strict=True)
    )


def _said(
    names: tuple[str, ...], ground: Ground, curved: Floats, straight: Floats, lengths: tuple[float, float]
) -> tuple[str, ...]:
    told = []
    for some, along, beside in zip(ground.sets, curved.T, straight.T, strict=True):
        worse = max(along[0], along[-1])
        of = f"{some.name} loss" if some.name else "loss"
        told.append(
            f"on the curve the {of} is {along.max():.3g} at most, {along.max() - worse:.2g} above the worse of "
            f"{names[0]} and {names[1]}; on the straight way it is {beside.max():.3g}"
        )
    if curved[:, 0].max() > straight[:, 0].max():
        told.append("the curve is no better than the straight way: it needs more epochs, or another rate")
    if lengths[1]:
        told.append(f"the curve is {lengths[0]:.3g} long, {lengths[0] / lengths[1]:.3g} times the straight way")
    return tuple(told)
