"""Linear attribution at a layer of one image, and between two: what of a later layer's share an earlier one makes.

At a layer A the attribution is R = A ∘ g, of every place and channel, with g the gradient of the score, or its mean on
the way from no activation at all to A (integrated gradients at the layer). Sums of R over channels, places or groups
are shares of the score. A part of a later layer is a projection of its activations, m · A, whose gradient goes back to
the earlier layer in the same manner: its product with the activations there says where that part comes from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import Refused
from pellucid.net import Net, Run
from pellucid.saliency.backward import chunks, derivative
from pellucid.saliency.quadrature import rule
from pellucid.target import Target, scored


@dataclass(frozen=True, eq=False)
class AtLayer:
    """One image at one layer; a row for each cell, in float64."""

    activation: Float[np.ndarray, "cells channels"]
    gradient: Float[np.ndarray, "cells channels"]
    """Of the score, or its mean on the way from zero."""
    parts: tuple[Float[np.ndarray, "cells channels"], ...]
    """The same of each projection of a later layer."""
    places: tuple[int, int]
    """(rows, columns)"""
    score: float
    empty: float
    """The score when the layer hands on zeros."""

    @property
    def total(self) -> float:
        """Σ activation · gradient."""
        return float((self.activation * self.gradient).sum())


def at_layer(
    net: Net,
    pixels: Float[Tensor, "1 c h w"],
    target: Target,
    layer: str,
    points: int,
    later: str | None = None,
    projections: Sequence[Float[np.ndarray, "cells channels"]] = (),
) -> AtLayer:
    """A layer of one image, and what of the projections of a `later` one comes through it.

    With `points` = 1 gradients are those at the image; else their mean at the middles of so many steps from zero to the
    layer's activation, with which attribution sums to the score less that of a layer of zeros. `target` must not depend
    on the run (see `fixed`). Refused where the score does not depend on the layer.
    """
    nodes = torch.tensor(rule(points, "midpoint")[0] if points > 1 else [1.0], dtype=torch.float64)
    wanted = [layer, *([later] if later else []), *target.layers]
    gradient, parts = np.zeros(()), [np.zeros(())] * len(projections)
    for portion in chunks(nodes, net, f"passes from {layer}", (pixels.shape[-2], pixels.shape[-1])):
        scale = portion.to(pixels).view(-1, 1, 1, 1)
        edit = {} if points == 1 else {layer: lambda output, scale=scale: output * scale.to(output)}
        with torch.enable_grad():
            run = net.run(pixels.expand(len(portion), *pixels.shape[1:]), layers=wanted, edit=edit, grad=True)
            parts = [one + _sent_back(run, later, layer, m) / points for one, m in zip(parts, projections, strict=True)]
            _, (slope,) = derivative(run, [run[layer]], target, f"layer {layer!r}")
        gradient = gradient + _rows(slope.sum(0)) / points
    plain = net.run(pixels, layers=wanted)
    empty = net.run(pixels, layers=target.layers, edit={layer: torch.zeros_like})
    return AtLayer(
        _rows(plain[layer][0]), gradient, tuple(parts), (plain[layer].shape[-2], plain[layer].shape[-1]),
        float(scored(target, plain)[0]), float(scored(target, empty)[0]),
    )  # fmt: skip


def _sent_back(
    run: Run, later: str | None, layer: str, projection: Float[np.ndarray, "cells channels"]
) -> Float[np.ndarray, "earlier_cells earlier_channels"]:
    """The gradient of the projection at the layer, the sum over all images of the run."""
    begin, end = run[layer], run[str(later)]
    seed = torch.from_numpy(np.ascontiguousarray(projection.T)).to(end).reshape(1, *end.shape[1:]).expand_as(end)
    (found,) = run.gradients(end, begin, seed, allow_unused=True, retain_graph=True)
    return _rows(torch.zeros_like(begin[0]) if found is None else found.sum(0))


def _rows(maps: Float[Tensor, "c h w"]) -> Float[np.ndarray, "cells channels"]:
    found: np.ndarray = maps.detach().flatten(1).T.double().cpu().numpy()
    return found


def ordered(net: Net, size: tuple[int, int], layers: Sequence[str]) -> tuple[str, ...]:
    """Layers with places in the order in which they run, each once. Raises what names the one that cannot serve."""
    table = net.layers(size)
    for name in layers:
        if not (row := net.layer(name, size)).mapped:
            raise Refused(table.no_maps(row))
    return tuple(sorted(dict.fromkeys(layers), key=lambda name: table.names.index(table[name].name)))


def rectified(
    net: Net, pixels: Float[Tensor, "1 c h w"], before: Sequence[str] = (), *, every: bool = False
) -> tuple[str, ...]:
    """The last layer of each size of maps whose activations are nowhere negative, the earliest first; where there is
    none, the last layer of each size of maps; with `every` all of these layers, not the last ones alone. Only those
    that run before the layers in `before`.
    """
    table = net.layers((pixels.shape[-2], pixels.shape[-1]))
    rows = list(table.rows)
    ends = [i for i, row in enumerate(rows) if row.name in before]
    rows = [row for row in rows[: min(ends, default=len(rows))] if row.spatial and row.placement is not None]
    least = dict.fromkeys((row.name for row in rows), 0.0)

    def seen(name: str, output: Tensor) -> None:
        least[name] = float(output.min())

    net.observe(pixels, {name: lambda _, output, name=name: seen(name, output) for name in least})  # type: ignore[misc]
    kept = [row for row in rows if least[row.name] >= 0] or rows
    last = {row.shape[1:]: row.name for row in kept}
    found = [row.name for row in kept if every or last[row.shape[1:]] == row.name]
    if not found:
        raise Refused(f"no layer of {net.name} has a map with more than one cell")
    return tuple(found)
