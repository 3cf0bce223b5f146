"""FullGrad: the score as a sum of what the pixels and what every bias contribute."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from pellucid.catalogue import method
from pellucid.geometry import Placement, between
from pellucid.images import Images
from pellucid.net import Net
from pellucid.net.layers import Layers
from pellucid.net.rules import Biases
from pellucid.progress import steps
from pellucid.result import Heatmap
from pellucid.saliency.backward import Signal, as_inputs, backward, joined
from pellucid.saliency.heatmaps import missed, no_rule, pixel_map
from pellucid.saliency.layers import at_pixels
from pellucid.target import BEST, Target


@method(
    "FullGrad",
    purpose="gradient × input, with the share of the biases",
    shows=(
        "A positive pixel adds to the score, a negative one takes from it; with the biases counted in, all pixels sum "
        "to the score. The share of a bias is spread around the place of its cell or, where it has none, evenly over "
        "the image; so neither a single pixel nor the level of the background says much: read sums over regions. One "
        "forward and one backward pass."
    ),
    source="Srinivas & Fleuret 2019, proposition 1 and equations 4 and 5",
)
def full_grad(
    net: Net,
    images: Images,
    target: Target = BEST,
    *,
    variant: Annotated[
        Literal["shares", "paper"],
        Field(
            description="value of a pixel: signed shares that sum to the score, or the paper's sum of rescaled "
            "magnitudes"
        ),
    ] = "shares",
) -> Heatmap:
    """Gradient × input plus the bias of every operation × its gradient: (N, H, W).

    `shares` is signed, in units of the score, and sums to it: the share of each cell's bias is spread over the
    pixels around its place, the share of biases without a place over the whole image. Biases are those of
    convolutions, batch norms and fully connected operations, and the constant of every activation near its
    input, so that the sum is complete on any network, `Meta.completeness` being what it misses. `paper` takes
    magnitudes, scales each channel's map to 0..1 and sums: positive, without a unit.
    """
    prepared = net.prepare(images)
    height, width = prepared.pixels.shape[-2:]
    table = net.layers((height, width))
    parts, sums = [], []
    for pixels in steps(prepared.pixels.split(1), "FullGrad"):
        rule = Biases()
        signal = backward(net, pixels, target, rule)
        share = (signal.gradient * as_inputs(net, pixels)).double()
        whole = share.sum() + sum(term.double().sum() for _, term in rule.terms)
        values = _scaled(share.abs()).sum(1) if variant == "paper" else share.sum(1)
        for _, term in rule.terms:
            values = values + _on_pixels(term.double(), variant, table)
        parts.append(Signal(values[:, None].to(pixels.dtype), signal.scores, signal.coverage, signal.asked))
        sums.append(whole.view(1))
    found = joined(parts)
    return pixel_map(
        net,
        prepared,
        target,
        found.gradient[:, 0],
        found,
        unit=target.unit_of(net) if variant == "shares" else "",
        signed=variant == "shares",
        found={"completeness": missed(torch.cat(sums), found.scores)},
        notes=no_rule(found.coverage),
    )


def _on_pixels(term: Tensor, variant: str, table: Layers) -> Tensor:
    """The shares of one operation's biases (1, …) at every pixel, (1, H, W)."""
    size = height, width = table.size
    term, placement = _placed(term, table)
    if placement is None:  # The paper's maps leave such biases out.
        return term.sum().expand(1, height, width) / (height * width) * (variant == "shares")
    if variant == "paper":
        return at_pixels(_scaled(term.abs()).sum(1), placement, size)
    return _spread(term.sum(1), placement, size)


def _placed(term: Tensor, table: Layers) -> tuple[Tensor, Placement | None]:
    """One operation's shares as (1, channels, rows, columns), and where they lie; None where they have no places.

    Known by the size of the network's maps: channels may come last, and (1, heads, tokens, tokens) is no map.
    """
    places = {row.shape[1:]: row.placement for row in table.rows if row.spatial and row.placement is not None}
    if term.dim() != 4:
        return term, None
    for turned in (term, term.movedim(-1, 1)):
        if turned.shape[2:] in places:
            return turned, places[turned.shape[2:]]
    rows, columns = term.shape[2:]
    lost = table.unplaced and rows * columns > 1
    return term, Placement.stretched(rows, columns, *table.size) if lost else None


def _spread(cells: Tensor, placement: Placement, size: tuple[int, int]) -> Tensor:
    """Cells (N, rows, columns) over the pixels (N, H, W): each gives all it has to the pixels around its place."""
    ways = []
    for centers, length in zip(placement.centers(cells.shape[-2], cells.shape[-1]), size, strict=True):
        way = between(centers, np.arange(length, dtype=np.float64))
        unseen = way.sum(0) == 0  # its center lies outside the image: the nearest pixel takes all
        way[np.rint(centers[unseen]).clip(0, length - 1).astype(int), np.flatnonzero(unseen)] = 1.0
        ways.append(cells.new_tensor(way / way.sum(0)))
    return ways[0] @ cells @ ways[1].T


def _scaled(maps: Tensor) -> Tensor:
    """Each channel's map from 0 to 1; a constant one becomes 0."""
    low, high = maps.amin((2, 3), keepdim=True), maps.amax((2, 3), keepdim=True)
    return (maps - low) / (high - low).clamp(min=1e-30)
