"""Layers with weights as what comes after receives them: behind the norm and the activation that follow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch.nn.modules import activation

from pellucid.net.layers import Layer

if TYPE_CHECKING:
    from pellucid.net import Net


def along(net: Net, most: int) -> tuple[str, ...]:
    """So many of them at the most, evenly along the network, the first and the last before the outputs among them; in
    place of the layers of a block, such as a residual one, what the block gives."""
    rows = net.layers(net.size).rows
    names = handed_on(rows)
    names = names[:-1] or names  # the last one makes the outputs
    blocks = [row.name for row in rows if row.kind != "Sequential"
              and 2 <= sum(one.startswith(f"{row.name}.") for one in names) <= len(names) / 2]  # fmt: skip
    found = [next((one for one in blocks if name.startswith(f"{one}.")), name) for name in names]
    parts = [*dict.fromkeys(found)]
    steps = max(most - 1, 1)
    return tuple(dict.fromkeys(parts[(i * (len(parts) - 1)) // steps] for i in range(steps + 1)))


def handed_on(rows: Sequence[Layer]) -> tuple[str, ...]:
    """Every layer with weights, as what comes after it receives it: behind the norm and the activation that follow,
    or the part of the network that holds it, norm and activation alone.
    """
    weighted = [
        row.name for row in rows if _weighted(row) and not any(one.name.startswith(f"{row.name}.") for one in rows)
    ]
    found = []
    for i, row in enumerate(rows):
        if row.name not in weighted:
            continue
        end = i
        while end + 1 < len(rows) and rows[end + 1].shape == row.shape and _follows(rows[end + 1], row, weighted):
            end += 1
        found.append(rows[end].name)
    return tuple(dict.fromkeys(found))


def _weighted(row: Layer) -> bool:
    return ("Conv" in row.kind or "Linear" in row.kind) and len(row.shape) in (1, 3)


def _follows(after: Layer, row: Layer, weighted: Sequence[str]) -> bool:
    inside = [name for name in weighted if name.startswith(f"{after.name}.")]
    if inside:
        return inside == [row.name]
    return "Norm" in after.kind or after.kind in activation.__all__
