"""Properties that a map should have, measured on small networks of which the truth is known."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pellucid.catalogue.ask import Ask
from pellucid.errors import PellucidError
from pellucid.evaluation.explainers import Explainer, on_input
from pellucid.evaluation.small import (
    KINDS,
    SIDE,
    LeftHalf,
    Mirrored,
    Reflected,
    Rewritten,
    Summed,
    Trunk,
    Unbiased,
    image,
    small,
)
from pellucid.geometry import Floats
from pellucid.images import Images
from pellucid.net import Net
from pellucid.result import Heatmap
from pellucid.target import Logit

_NETWORKS = 5


@dataclass(frozen=True, eq=False)
class Kept:
    """How far a method is from each of `AXIOMS`, and which kinds of networks it serves."""

    errors: Floats
    """(6,) relative errors, 0 where the axiom is kept; NaN where the method makes no such claim or refuses."""
    served: tuple[str, ...]
    refused: dict[str, str] = field(default_factory=dict)
    """Kind of network -> why not."""
    complete: float = float("nan")
    """1 − the error of the sum, at least 0, mean over five random networks: of one the score may be close to zero."""


def kept(explainer: Explainer, images: int, seed: int) -> Kept:
    """Mean errors over so many random networks and images; windows in pixels are as small as these images are."""
    found = [[broken(axiom, explainer, seed + k) for axiom in AXIOMS] for k in range(images)]
    explainer = _small(explainer)
    served, refused = [], {}
    for kind, made in KINDS.items():
        try:
            values = _heat(explainer, small(made, seed), image(seed), 0)
        except PellucidError as error:
            refused[kind] = str(error)
            continue
        if np.isfinite(values).all():
            served.append(kind)
        else:
            refused[kind] = "its map holds NaN or infinity"
    rows = np.array(found)
    known = np.isfinite(rows).any(0)
    means = np.full(len(AXIOMS), np.nan)
    means[known] = np.nanmean(rows[:, known], 0)
    return Kept(means, tuple(served), refused, _complete(explainer, seed) if known[0] else float("nan"))


def _complete(explainer: Explainer, seed: int) -> float:
    errors = [_completeness(explainer, seed + k) for k in range(_NETWORKS)]
    return float(np.mean([1 - min(one, 1.0) for one in errors if np.isfinite(one)] or [np.nan]))


def _small(explainer: Explainer) -> Explainer:
    """With sizes and strides of windows, which are in pixels of a photo, on the scale of a small image."""
    ask = explainer.asked
    if ask is None:
        return explainer
    fields = ask.entry.options.model_fields
    said = {name: ask.options.get(name, fields[name].default) for name in ("size", "stride") if name in fields}
    scaled: dict[str, Any] = {
        name: max(round(value * SIDE / 224), 1) for name, value in said.items() if isinstance(value, int)
    }
    return Explainer(Ask(ask.method, {}, {**ask.options, **scaled}))


def broken(axiom: str, explainer: Explainer, seed: int) -> float:
    """How far the method is from one of `AXIOMS` on a random network and image; NaN where it claims no such thing."""
    try:
        return _PROBES[axiom](_small(explainer), seed)
    except PellucidError:
        return float("nan")


def _completeness(explainer: Explainer, seed: int) -> float:
    """What the method's own sum misses of the change of the score that it should be, relative to that."""
    said = _map(explainer, small(Trunk, seed), image(seed), 0).meta.found.get("completeness")
    return float(np.abs(np.asarray(said, np.float64)).mean()) if said is not None else float("nan")


def _conservation(explainer: Explainer, seed: int) -> float:
    """How far the sum of the map is from what is handed back, relative to the larger of both: from the score of a
    network without biases, or for a map of where a walk down from the class arrives from 1. NaN for other units.
    """
    net = small(Unbiased, seed)
    found = _map(explainer, net, image(seed), 0)
    (score,) = found.meta.score or (float("nan"),)
    whole = {Logit(0).unit_of(net): score, "probability": 1.0}.get(found.unit, float("nan"))
    total = float(np.asarray(found.values, np.float64).sum())
    return abs(total - whole) / (max(abs(total), abs(whole)) or 1.0)


def _dummy(explainer: Explainer, seed: int) -> float:
    """The share of the map on pixels that the network does not look at."""
    values = np.abs(_heat(explainer, small(LeftHalf, seed), image(seed), 0))
    return float(values[:, SIDE // 2 :].sum()) / (float(values.sum()) or 1.0)


def _symmetry(explainer: Explainer, seed: int) -> float:
    """How far the map of an image that is its own mirror image is from being its own."""
    values = _heat(explainer, small(Mirrored, seed), image(seed, mirrored=True), 0)
    return _apart(values, values[:, ::-1])


def _linearity(explainer: Explainer, seed: int) -> float:
    """How far the map of a sum of two outputs is from the sum of their maps."""
    net = small(Summed, seed)
    one, two, both = (_heat(explainer, net, image(seed), k) for k in range(3))
    return _apart(both, one + two)


def _invariance(explainer: Explainer, seed: int) -> float:
    """How far two maps of the same function are apart that is written in another way; of the two other ways that which
    makes more of a difference. Of one that it refuses nothing is said.
    """
    one, errors = _heat(explainer, small(Trunk, seed), image(seed), 0), []
    for kind in (Rewritten, Reflected):
        with suppress(PellucidError):
            errors.append(_apart(one, _heat(explainer, small(kind, seed), image(seed), 0)))
    return max(errors, default=float("nan"))


def _apart(a: Floats, b: Floats) -> float:
    size = max(float(np.linalg.norm(a)), float(np.linalg.norm(b)))
    return float(np.linalg.norm(a - b)) / size if size > 0 else 0.0


def _map(explainer: Explainer, net: Net, images: Images, which: int) -> Heatmap:
    return explainer.heatmap(net, net.prepare(images), Logit(which))


def _heat(explainer: Explainer, net: Net, images: Images, which: int) -> Floats:
    return on_input(_map(explainer, net, images, which), (SIDE, SIDE))


_PROBES: dict[str, Callable[[Explainer, int], float]] = {
    "completeness": _completeness,
    "conservation": _conservation,
    "dummy": _dummy,
    "symmetry": _symmetry,
    "linearity": _linearity,
    "implementation invariance": _invariance,
}
AXIOMS = tuple(_PROBES)
