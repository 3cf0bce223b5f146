"""Properties that a map should have, measured on small networks of which the truth is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pellucid.catalogue.ask import Ask
from pellucid.errors import PellucidError
from pellucid.evaluation.explainers import Explainer, on_input
from pellucid.evaluation.small import KINDS, SIDE, LeftHalf, Mirrored, Rewritten, Summed, Trunk, image, small
from pellucid.geometry import Floats
from pellucid.images import Images
from pellucid.net import Net
from pellucid.result import Heatmap
from pellucid.target import Logit

_NETWORKS = 5
AXIOMS = ("completeness", "dummy", "symmetry", "linearity", "implementation invariance")


@dataclass(frozen=True, eq=False)
class Kept:
    """How far a method is from each of `AXIOMS`, and which kinds of networks it serves."""

    errors: Floats
    """(5,) relative errors, 0 where the axiom is kept; NaN where the method makes no such claim or refuses."""
    served: tuple[str, ...]
    refused: dict[str, str] = field(default_factory=dict)
    """Kind of network -> why not."""
    complete: float = float("nan")
    """1 − the error of the sum, at least 0, mean over five random networks: of one the score may be close to zero."""


def kept(explainer: Explainer, images: int, seed: int) -> Kept:
    """Mean errors over so many random networks and images; windows in pixels are as small as these images are."""
    explainer = _small(explainer)
    found = [_axioms(explainer, seed + k) for k in range(images)]
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


def _axioms(explainer: Explainer, seed: int) -> list[float]:
    probes: tuple[Callable[[Explainer, int], float], ...] = (_completeness, _dummy, _symmetry, _linearity, _invariance)
    found = []
    for probe in probes:
        try:
            found.append(probe(explainer, seed))
        except PellucidError:
            found.append(float("nan"))
    return found


def _completeness(explainer: Explainer, seed: int) -> float:
    """What the method's own sum misses of the change of the score that it should be, relative to that."""
    said = _map(explainer, small(Trunk, seed), image(seed), 0).meta.found.get("completeness")
    return float(np.abs(np.asarray(said, np.float64)).mean()) if said is not None else float("nan")


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
    """How far two maps of the same function are apart that is written in two ways."""
    nets = [small(kind, seed) for kind in (Trunk, Rewritten)]
    one, two = (_heat(explainer, net, image(seed), 0) for net in nets)
    return _apart(one, two)


def _apart(a: Floats, b: Floats) -> float:
    size = max(float(np.linalg.norm(a)), float(np.linalg.norm(b)))
    return float(np.linalg.norm(a - b)) / size if size > 0 else 0.0


def _map(explainer: Explainer, net: Net, images: Images, which: int) -> Heatmap:
    return explainer.heatmap(net, net.prepare(images), Logit(which))


def _heat(explainer: Explainer, net: Net, images: Images, which: int) -> Floats:
    return on_input(_map(explainer, net, images, which), (SIDE, SIDE))
