"""Parts of a later layer, and where in an earlier one each comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float
from torch import Tensor

from pellucid.decomposition.grouped import grouped, projected
from pellucid.errors import PellucidError
from pellucid.net import Net
from pellucid.saliency.between import AtLayer, at_layer
from pellucid.target import Target

Kind = Literal["groups", "cells", "units"]


@dataclass(frozen=True, eq=False)
class Origins:
    """Of each part its name, its share of the score, and its map over the earlier layer; the last is all the rest."""

    names: tuple[str, ...]
    shares: tuple[float, ...]
    maps: Float[np.ndarray, "k rows columns"]


def origins(
    net: Net,
    pixels: Float[Tensor, "1 c h w"],
    target: Target,
    begin: str,
    end: str,
    kind: Kind,
    count: int,
    points: int,
) -> Origins:
    """The `count` largest parts of layer `end` of one image, traced to layer `begin`; the target is fixed."""
    at = at_layer(net, pixels, target, end, points)
    names, projections = _parts(at, end, kind, count)
    rest = at.gradient - np.sum(projections, axis=0)
    before = at_layer(net, pixels, target, begin, points, end, [*projections, rest])
    maps = [(before.activation * one).sum(1).reshape(before.places) for one in before.parts]
    shares = [float((at.activation * one).sum()) for one in (*projections, rest)]
    return Origins((*names, f"the rest of {end}"), tuple(shares), np.stack(maps))


def _parts(at: AtLayer, layer: str, kind: Kind, count: int) -> tuple[list[str], list[Float[np.ndarray, "n c"]]]:
    if kind == "groups":
        groups = grouped(at.activation, at.gradient, count)
        names = [f"group of {layer}: units {', '.join(map(str, np.argsort(-one)[:3]))} …" for one in groups.directions]
        return names, projected(groups, at.gradient)[:-1]
    axis = 1 if kind == "cells" else 0
    shares = (at.activation * at.gradient).sum(axis)
    if count > len(shares):
        raise PellucidError(f"count={count}: layer {layer!r} has {len(shares)} {kind}")
    largest = np.argsort(-shares, kind="stable")[:count].tolist()
    if kind == "cells":
        names = ["cell {},{} of {}".format(*divmod(one, at.places[1]), layer) for one in largest]
    else:
        names = [f"{layer}:{one}" for one in largest]
    kept = []
    for one in largest:
        projection = np.zeros_like(at.gradient)
        which = (one, slice(None)) if kind == "cells" else (slice(None), one)
        projection[which] = at.gradient[which]
        kept.append(projection)
    return names, kept
