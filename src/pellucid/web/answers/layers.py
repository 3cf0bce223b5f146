"""Layers: what the network is made of, what a layer's units do with a picture, and how one number is made."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from pellucid.errors import PellucidError, Refused
from pellucid.images import Images
from pellucid.net import Layer, Layers, Net
from pellucid.net.apart import inputs_of
from pellucid.result.wire import wire
from pellucid.web.answers.answer import Answer, Parts
from pellucid.web.answers.steps import Cell, followed
from pellucid.web.session import Session

_MOST = 2_000_000
"""Numbers of a page of maps: a layer with large maps has fewer units on a page."""
ORDERS = ("number", "max", "mean", "silent")
"""What the units of a layer are sorted by."""


@dataclass(frozen=True)
class Said:
    """What is sent to a page with arrays in it."""

    it: dict[str, Any]


def sent(it: dict[str, Any]) -> bytes:
    """For `parsed` of the page, which finds all of it under `it`."""
    return wire(cast(Any, Said(it)))


def layers(here: Session, about: dict[str, Any], body: bytes) -> Parts:
    """All layers in order of execution; with a picture also the share of each one's units that are silent on it."""
    net, image = here.net(about["net"]), about.get("image")
    seen = net.prepare(here.image(image)) if image else None
    found = net.layers(_size(seen.pixels) if seen is not None else None)
    silent = _silent(net, seen.pixels, found) if seen is not None else {}
    rows = [{**_row(row), "silent": silent.get(row.name)} for row in found.rows]
    yield {"rows": rows, "size": list(found.size), "unplaced": list(found.unplaced)}, b""


def _row(row: Layer) -> dict[str, Any]:
    place = row.placement
    return {
        "name": row.name, "kind": row.kind, "shape": list(row.shape), "parameters": row.parameters,
        "kernel": list(row.kernel), "step": list(row.stride), "units": row.units if _can(row) else None,
        "mapped": row.mapped,
        "field": None if place is None else list(place.field), "jump": None if place is None else list(place.jump),
    }  # fmt: skip


def _can(row: Layer) -> bool:
    """Whether its units can be shown, each as a map or as one number."""
    return row.mapped or len(row.shape) == 1 or (len(row.shape) == 3 and row.shape[1:] == (1, 1))


def _silent(net: Net, pixels: Tensor, found: Layers) -> dict[str, float]:
    """The share of a layer's units that are zero everywhere, of one pass."""
    shares: dict[str, float] = {}

    def watch(name: str) -> Any:
        def reduced(_first: int, output: Tensor) -> None:
            blank = (output[0] == 0).flatten(1).all(1) if output.dim() > 2 else output[0] == 0
            shares[name] = float(blank.double().mean())

        return reduced

    try:
        net.observe(pixels[:1], {row.name: watch(row.name) for row in found.rows if _can(row)})
    except PellucidError:  # the table of a blank picture is still true
        return {}
    return shares


def layer_maps(here: Session, about: dict[str, Any], body: bytes) -> Parts:
    """The maps of a page of a layer's units on a picture, and three numbers of every unit."""
    net, seen = _prepared(here, about)
    row = net.layer(about["layer"], of=seen.pixels)
    values = _activations(net, seen.pixels, row)
    flat = values.reshape(len(values), -1)
    with np.errstate(invalid="ignore", over="ignore"):
        numbers = {"max": flat.max(1), "mean": flat.mean(1), "silent": (flat == 0).mean(1).astype(np.float32)}
    order = _order(numbers, about.get("sort", "number"), len(values))
    unit = about.get("unit")
    start = max(int(about.get("start", 0)), 0)
    if unit is not None and 0 <= unit < len(order):  # the page on which it stands
        start = int(np.flatnonzero(order == unit)[0])
    count = min(int(about.get("count", 256)), max(_MOST // flat.shape[1], 1))
    start -= start % count  # pages of equal length, also where they hold less than was asked for
    chosen = order[start : start + count]
    view, place = seen.views[0], row.placement
    yield {}, sent({
        "layer": row.name, "kind": row.kind, "path": row.path, "units": chosen.tolist(), "start": start,
        "names": [net.class_name(one) for one in chosen.tolist()] if _is_classes(net, row) else None,
        "count": count, "of": len(values), "order": order.astype(np.int32), "maps": values[chosen], **numbers,
        "low": float(np.nanmin(flat)), "high": float(np.nanmax(flat)), "mapped": row.mapped,
        "blank": float((flat == 0).all(1).mean()),
        "view": {"size": list(view.size), "box": list(view.box), "original": list(view.original)},
        "place": None if place is None else {
            "start": list(place.start), "jump": list(place.jump), "field": list(place.field),
            "grid": None if place.grid is None else [list(one) for one in place.grid],
        },
    })  # fmt: skip


def _is_classes(net: Net, row: Layer) -> bool:
    """Whether its units are the classes: the last layer, with a number for each."""
    last = net.layers().rows[-1]
    return net.labels is not None and row.name == last.name and row.shape == (net.outputs,)


def _order(numbers: dict[str, np.ndarray], by: str, count: int) -> np.ndarray:
    """Units, the greatest number first; of those with the same one, which an activation may bound, by their mean."""
    if by not in ORDERS:
        raise PellucidError(f"units are sorted by {', '.join(ORDERS)}, not by {by!r}")
    if by == "number":
        return np.arange(count)
    first, second = (-np.nan_to_num(numbers[name], nan=-np.inf) for name in (by, "mean"))
    return np.lexsort((second, first))


def cell(here: Session, about: dict[str, Any], body: bytes) -> Parts:
    """How one number of a layer is made: the operations that lead to it, each checked against the network's number."""
    net, seen = _prepared(here, about)
    row = net.layer(about["layer"], of=seen.pixels)
    values = _activations(net, seen.pixels, row)
    unit, place = int(about["unit"]), (int(about.get("row", 0)), int(about.get("column", 0)))
    for what, asked, most in zip(("unit", "row", "column"), (unit, *place), values.shape, strict=True):
        if not 0 <= asked < most:
            raise PellucidError(f"layer {row.name!r} has no {what} {asked}: it has 0 to {most - 1}")
    value = float(values[unit, place[0], place[1]])
    steps: list[dict[str, Any]] = []
    why = ""
    if row.axes is not None and not row.axes.usual:
        why = "this layer keeps its channels where no convolution has them: that is not taken apart here"
    else:
        asked_cell = Cell(row.name, unit, place if len(row.shape) == 3 else (), (1, *row.shape))
        eps = torch.finfo(inputs_of(net, seen.pixels[:1]).dtype).eps
        found = followed(net, seen.pixels[:1], asked_cell)
        steps = [one.told(eps) for one in found]
        if not found or not _close(found[-1].value, value, eps):
            why, steps = "what leads to this number could not be followed: that is not taken apart here", []
    net_input = {"mean": list(net.preprocess.mean), "std": list(net.preprocess.std)}
    yield {}, sent({
        "layer": row.name, "unit": unit, "row": place[0], "column": place[1], "value": value, "steps": steps,
        "why": why, "input": net_input, "size": list(_size(seen.pixels)),
    })  # fmt: skip


def _close(one: float, other: float, eps: float) -> bool:
    return (math.isnan(one) and math.isnan(other)) or abs(one - other) <= 64 * eps * max(abs(one), abs(other))


def _prepared(here: Session, about: dict[str, Any]) -> tuple[Net, Images]:
    """(the network, the picture as it sees it)."""
    net = here.net(about["net"])
    return net, net.prepare(here.image(about["image"]))


def _activations(net: Net, pixels: Tensor, row: Layer) -> np.ndarray:
    """(units, rows, columns) of a layer on a picture. Refused where it is not known which numbers are one unit's."""
    if not _can(row):
        shape = "×".join(map(str, row.shape)) or "1"
        raise Refused(f"layer {row.name!r} gives {shape} numbers, of which it is not known which are one unit's")
    output = net.run(pixels[:1], layers=[row.name], stop=True)[row.name][0].detach()
    values = output.float().cpu().numpy().reshape(len(output), *(row.shape[1:] or (1, 1)))
    return np.ascontiguousarray(values)


def _size(pixels: Tensor) -> tuple[int, int]:
    return int(pixels.shape[-2]), int(pixels.shape[-1])


ANSWERS: dict[str, Answer] = {"layers": layers, "layer_maps": layer_maps, "cell": cell}
