"""Pictures of prototypes: the cells of an image beside the training patches that they look like, and all patches."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import UInt8

from pellucid.data import NewTask
from pellucid.interpretable.cells import Cells, framed, seen
from pellucid.interpretable.prototypes import Prototypes, Pushed, similarity
from pellucid.net import Net
from pellucid.result import Meta, Pictures

_QUERIES, _TOP, _PATCHES = 3, 3, 24
_FRAME = (255, 196, 0)


def compared(net: Net, data: NewTask, some: Cells, head: Prototypes, pushed: Pushed) -> Pictures:
    """Held-out images, a row for each: the cell most alike to each of the prototypes that speak most for the answer,
    the patch that the prototype is beside it."""
    pixels, those, names = list[UInt8[np.ndarray, "h w 3"]](), list[UInt8[np.ndarray, "h w 3"]](), list[str]()
    facts: dict[str, list[float]] = {"similarity": [], "weight": [], "points": []}
    top, weights = min(_TOP, len(head.owners)), head.points.weight.detach()
    for row in some.test[:_QUERIES].tolist():
        with torch.no_grad():
            squares = head.distances(some.maps[row : row + 1])[0]
            near = similarity(squares.flatten(1).amin(1))
            answer = int((weights @ near).argmax())
            points = weights[answer] * near
        query = seen(net, data, int(some.numbers[row]))
        for p in points.argsort(descending=True, stable=True)[:top].tolist():
            y, x = divmod(int(squares[p].flatten().argmin()), squares.shape[-1])
            pixels.append(framed(query, some.box(y, x), _FRAME))
            those.append(framed(_source(net, data, some, pushed, p), _box(some, pushed, p), _FRAME))
            names.append(f"{some.classes[answer]} by prototype {p}")
            for name, value in (("similarity", near[p]), ("weight", weights[answer, p]),
                                ("points", points[p])):  # fmt: skip
                facts[name].append(float(value))
    given = {name: tuple(values) for name, values in facts.items()}
    return Pictures(
        tuple(pixels), tuple(names), given, None, {"looks like": tuple(those)}, top, Meta(title="This looks like that")
    )  # fmt: skip


def patches(net: Net, data: NewTask, some: Cells, head: Prototypes, pushed: Pushed) -> Pictures:
    """The patches that the first prototypes are, each under its class."""
    many = range(min(_PATCHES, len(head.owners)))
    pixels = []
    for p in many:
        top, left, bottom, right = _box(some, pushed, p)
        pixels.append(np.ascontiguousarray(_source(net, data, some, pushed, p)[top:bottom, left:right]))
    names = tuple(f"{p}: {some.classes[int(head.owners[p])]}" for p in many)
    return Pictures(tuple(pixels), names, columns=min(6, len(many)), meta=Meta(title="Prototypes"))


def _source(net: Net, data: NewTask, some: Cells, pushed: Pushed, p: int) -> UInt8[np.ndarray, "h w 3"]:
    return seen(net, data, int(some.numbers[some.train[pushed.images[p]]]))


def _box(some: Cells, pushed: Pushed, p: int) -> tuple[int, int, int, int]:
    return some.box(int(pushed.rows[p]), int(pushed.columns[p]))
