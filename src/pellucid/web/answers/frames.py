"""Frames of a camera: the units of a layer, the guesses, and what one unit saw, as fast as one forward pass.

Colors, brightness and order are the page's business, so numbers are as coarse as an eye: 8 bits, with a scale each.
"""

from __future__ import annotations

import io
import time
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from pellucid.catalogue import find
from pellucid.errors import BadImage, PellucidError, Refused
from pellucid.geometry import Placement
from pellucid.index.stages import usual
from pellucid.net import Layer, Net, Run
from pellucid.net.outputs import sound
from pellucid.net.predict import chances
from pellucid.net.rules import Rule
from pellucid.net.rules.rectifiers import Deconvnet, Guided
from pellucid.result.arrays import arrays
from pellucid.result.coverage import PLAIN
from pellucid.web.answers.answer import Answer, Parts
from pellucid.web.session import Session

_MOST_PIXELS = 1024**2
_MOST_UNITS = 256 * 2**10
"""Bytes of the units of a layer; of more, each cell is the strongest of several."""
_GUESSES = 5
_RULES: dict[str, Rule | None] = {"gradient": None, "guided": Guided(), "deconvnet": Deconvnet()}
_METHODS = {"gradient": "gradient", "guided": "guided_backprop", "deconvnet": "deconvnet"}
"""Whose titles these have."""
_ZERO = 128
"""The byte that is zero, where numbers may be negative."""


def stage(here: Session, about: dict[str, Any], body: bytes) -> Parts:
    """The layers worth looking at, in order: the stages of a network, and what is in none of them."""
    net = here.net(about["net"])
    table, (names, _) = net.layers(), usual(net)
    outer = [one for one in names if not any(one.startswith(f"{other}.") for other in names)]
    rows = [table[one] for one in outer]
    half = len(table.rows) / 2
    layers = [
        {
            "name": row.name,
            "kind": row.kind,
            "units": row.units,
            "places": list(row.shape[1:3]) if row.mapped else None,
            "early": table.names.index(row.name) < half,
            "names": _class_names(net, row),
        }
        for row in rows
        if row.units
    ]
    if not layers:
        raise Refused(f"{net.name} has no layer whose units can be shown one by one")
    backs = [{"name": name, "title": find(method).title} for name, method in _METHODS.items()]
    yield {"size": list(net.size), "layers": layers, "backs": backs}, b""


def _class_names(net: Net, row: Layer) -> list[str] | None:
    """Of a layer whose units are the classes."""
    if row.mapped or net.labels is None or row.shape != (len(net.labels),):
        return None
    return [net.class_name(i) for i in range(row.shape[0])]


def frame(here: Session, about: dict[str, Any], body: bytes) -> Parts:
    """What a layer makes of one frame, a JPEG of the size of the network's input."""
    begun = time.perf_counter()
    net, back = here.net(about["net"]), about.get("back", "off")
    row, unit = net.layer(about["layer"]), int(about["unit"])
    source, number = net.layer(about.get("source") or row.name), int(about.get("number", unit))
    _checked(row, unit)
    _checked(source, number)
    pixels = _pixels(net, body)
    wanted = dict.fromkeys((row.name, source.name) if back != "off" else (row.name,))
    how: dict[str, Any] = {} if back == "off" else {"grad": "pixels", "rule": _RULES[back]}
    run = net.run(pixels, layers=wanted, stop=not about.get("guesses"), **how)
    said: dict[str, Any] = {"layer": row.name, "unit": unit, "guesses": _guesses(net, run)}
    held: dict[str, Any] = {}
    shown = run[row.name]
    if back != "off":
        seen, at_layer, refused = _back(net, run, source.name, number, shown, back)
        said["back"] = None if seen is None else _rooted(seen, held)
        said["refused"] = refused
        shown = at_layer if about.get("mosaic") == "backward" else shown
    values, pooled = _pooled(_maps(shown))
    said["units"] = _scaled(values, held)
    said |= {"pooled": pooled, "placement": _placed(row, pooled)}
    said["ms"] = round(1000 * (time.perf_counter() - begun), 1)
    yield {}, arrays(said, held)


def _checked(row: Layer, unit: int) -> None:
    if not row.units:
        raise Refused(f"layer {row.name!r} has no units that could be shown one by one")
    if not 0 <= unit < row.units:
        raise PellucidError(f"unit {unit} of {row.name}: it has {row.units}, from 0 to {row.units - 1}")


def _pixels(net: Net, body: bytes) -> Tensor:
    """A JPEG as (1, channels, rows, columns) in 0..1."""
    try:
        picture = Image.open(io.BytesIO(body), formats=["JPEG"])
        if picture.width * picture.height > _MOST_PIXELS:
            raise BadImage(f"a frame of {picture.height} × {picture.width} pixels: at most 1024 × 1024")
        size, channels = net.size, net.preprocess.channels or 3
        if (picture.height, picture.width) != size or channels not in (1, 3):
            takes = f"{size[0]} × {size[1]} pixels of {channels} channels"
            raise BadImage(
                f"this frame has {picture.height} × {picture.width} pixels of 3 colors: {net.name} takes {takes}"
            )
        values = np.array(picture.convert("L" if channels == 1 else "RGB"))
    except BadImage:
        raise
    except Exception as error:  # a decoder fails in many ways, all of them the fault of what was sent
        raise BadImage("this frame is no JPEG, or not all of it came") from error
    return torch.from_numpy(values).view(*size, channels).permute(2, 0, 1)[None].float() / 255


def _guesses(net: Net, run: Run) -> list[dict[str, Any]] | None:
    """The best guesses; None where the pass ended before, or its output is no row of classes."""
    if run.stopped:
        return None
    try:
        if net.meaning.scores == "regression" or not sound(run.scores):
            return None
        shares, scores = chances(run), run.by_class[0].detach()
    except Refused:
        return None
    best = scores.topk(min(_GUESSES, len(scores))).indices.tolist()
    return [{"class": i, "name": net.class_name(i), "probability": float(shares[i]), "score": float(scores[i])}
            for i in best]  # fmt: skip


def _back(net: Net, run: Run, layer: str, unit: int, shown: Tensor, back: str) -> tuple[Tensor | None, Tensor, str]:
    """(what comes back to the pixels, what passes the layer that is shown, why nothing is to be seen).

    It starts from all places where the unit is active, each as strong as it is, as in the Deep Visualization Toolbox;
    from the unit itself where it has no places.
    """
    start = run[layer][:, unit]
    weights = start.detach().clamp(min=0) if start.dim() > 1 else torch.ones_like(start)
    pixels, at_layer = run.gradients((start * weights).sum(), [run.pixels, shown], allow_unused=True)
    at_layer = torch.zeros_like(shown) if at_layer is None else at_layer
    ruled = _RULES[back] is None or any(rule != PLAIN for _, rule in run.coverage)
    if pixels is None or not ruled:
        why = (
            f"no operation before {layer} has a {back} rule"
            if pixels is not None
            else f"{layer} does not depend on the pixels"
        )
        return None, at_layer, why
    return pixels[0], at_layer, ""


def _maps(output: Tensor) -> Tensor:
    """(units, rows, columns) of one image; units without places have one."""
    values = output.detach()[0].float()
    if values.dim() != 3:
        values = values.flatten(1).mean(1) if values.dim() > 1 else values
        values = values[:, None, None]
    return torch.nan_to_num(values, 0, 0, 0)


def _pooled(values: Tensor) -> tuple[Tensor, int]:
    """(no more numbers than a frame may have, how many cells along a side became one): the strongest of each block."""
    units, height, width = values.shape
    step = 1
    while step < max(height, width) and units * -(-height // step) * -(-width // step) > _MOST_UNITS:
        step += 1
    if step == 1:
        return values, 1
    high = F.max_pool2d(values[None], step, ceil_mode=True)[0]
    low = -F.max_pool2d(-values[None], step, ceil_mode=True)[0]
    return torch.where(high >= -low, high, low), step


def _scaled(values: Tensor, held: dict[str, Any]) -> dict[str, Any]:
    """Units as bytes, each with its largest magnitude."""
    zero = _ZERO if bool((values < 0).any()) else 0
    scales = values.abs().amax((1, 2))
    shares = values / scales.clamp(min=1e-30)[:, None, None]
    held["units"] = (shares * (127 if zero else 255) + zero).round().to(torch.uint8).cpu().numpy()
    held["scales"] = scales.cpu().numpy()
    return {"bytes": {"$": "units"}, "scales": {"$": "scales"}, "zero": zero}


def _rooted(seen: Tensor, held: dict[str, Any]) -> dict[str, Any]:
    """A back-projection (channels, rows, columns) as bytes around 128 whose squares are the numbers: most are small."""
    scale = float(seen.abs().max())
    roots = seen.sign() * (seen.abs() / max(scale, 1e-30)).sqrt()
    held["back"] = (roots * 127 + _ZERO).round().to(torch.uint8).cpu().numpy()
    return {"bytes": {"$": "back"}, "scale": scale}


def _placed(row: Layer, pooled: int) -> dict[str, Any] | None:
    """Where the cells lie, also of those that became one; None where this is not known."""
    at: Placement | None = row.placement
    if at is None or at.grid is not None:
        return None
    start = [one + step * (pooled - 1) / 2 for one, step in zip(at.start, at.jump, strict=True)]
    return {"start": start, "jump": [step * pooled for step in at.jump], "grid": None}


ANSWERS: dict[str, Answer] = {"frame": frame, "stage": stage}
