"""Where a layer's cells look, measured: the centroid of their effective receptive fields.

Theory places a cell in the middle of its receptive field. What it looks at inside the field is learned, and training
can undo a padding that is lopsided (the "SAME" of TensorFlow at stride 2), so that the map lies beside the image.
Effective receptive fields: Luo, Li, Urtasun & Zemel 2016.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pellucid.errors import Refused
from pellucid.geometry import Pair, Placement
from pellucid.rng import generator

if TYPE_CHECKING:
    from pellucid.net import Layer, Net

MEASURED: dict[str, Pair] = {
    "conv_stem": (-0.1, 0.1),
    "act1": (-0.2, -0.0),
    "blocks.0.0": (-0.6, 0.1),
    "blocks.0": (-0.6, 0.1),
    "blocks.1.0": (-0.6, -0.4),
    "blocks.1.1": (-0.8, -0.3),
    "blocks.1": (-0.8, -0.3),
    "blocks.2.0": (-3.3, -3.1),
    "blocks.2.1": (-3.4, -3.2),
    "blocks.2": (-3.4, -3.2),
    "blocks.3.0": (-5.0, -4.6),
    "blocks.3.1": (-5.0, -4.5),
    "blocks.3.2": (-5.0, -4.6),
    "blocks.3": (-5.0, -4.6),
    "blocks.4.0": (-6.0, -5.3),
    "blocks.4.1": (-5.8, -5.6),
    "blocks.4.2": (-5.9, -5.1),
    "blocks.4": (-5.9, -5.1),
    "blocks.5.0": (-13.2, -13.3),
    "blocks.5.1": (-12.6, -14.4),
    "blocks.5.2": (-12.8, -13.8),
    "blocks.5.3": (-12.0, -14.6),
    "blocks.5": (-12.0, -14.6),
    "blocks.6.0": (-12.0, -16.3),
    "blocks.6": (-12.0, -16.3),
    "conv_head": (-13.2, -12.6),
    "bn2": (-13.3, -12.7),
    "act2": (-13.4, -11.9),
}
"""Of layers of the bundled network, with WEIGHTS at 224 pixels: by how much they look beside the middle of their
fields, down and across. Standard errors: 1 pixel from block 5 on, half a pixel or less before."""
WEIGHTS = "e7907e3dd414801462ac86698e664f6009f9a406ce8ccf5f988a87016b4414d4"

_EACH, _MOST = 16, 64
"""Cells that are measured, each in noise of its own: so many at a time, and at most. Each costs a forward pass and a
backward pass up to the layer."""
_FINE = 1 / 24  # of a cell: no better is asked of the standard error
_SURE = 2.0  # standard errors: what is less may be chance, and theory stands


Profiles = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True)
class Effective:
    """The placement of a layer's cells by what they look at."""

    placement: Placement
    offset: Pair
    """Pixels from the center of the theoretical field to the centroid of the effective one, vertical and horizontal."""
    error: Pair
    """Standard error of the offset, in pixels."""
    samples: int

    @property
    def told(self) -> str:
        """The same in words."""
        sizes = " and ".join(f"{off:+.1f} ± {err:.1f}" for off, err in zip(self.offset, self.error, strict=True))
        return f"where its cells look: {sizes} px from the middle of their fields, down and across"


def effective(net: Net, layer: str, size: tuple[int, int]) -> Effective:
    """Where the cells of a layer look in an input of that size; theory where the difference may be chance.

    Squared gradients of cells near the middle of the map, each with random signs for its channels and in noise of its
    own, with respect to the pixels: 16 cells, and up to 64 until the standard error is a 24th of a cell. Only the
    offset is measured: the step from cell to cell is that of the strides. Kept with the network for as long as its
    weights are the same. Raises Refused for a layer without maps, or one that no pixel moves.
    """
    key = "effective", net.weights, layer, size
    if key not in net._cache:
        net._cache[key] = _measured(net, layer, size)
    found: Effective = net._cache[key]
    return found


def bundled_placement(net: Net, row: Layer, size: tuple[int, int]) -> Placement | None:
    """Where a layer of the bundled network looks at its own size, as measured before; None for anything else."""
    offset = MEASURED.get(row.path)
    if (
        offset is None
        or row.placement is None
        or size != (224, 224)
        or type(net.module).__name__ != "EfficientNetLite0"
    ):
        return None
    return _moved(row.placement, offset) if net.weights == WEIGHTS else None


def _measured(net: Net, layer: str, size: tuple[int, int]) -> Effective:
    table = net.layers(size)
    row = table[layer]
    if not row.mapped:
        raise Refused(table.no_maps(row))
    rows, columns = row.shape[1:]
    theory = row.placement or Placement.stretched(rows, columns, *size)
    chance = generator(0, "effective field")
    pairs = [(y, x) for y in _middle(rows) for x in _middle(columns)]
    at_once = min(net.chunk(size, grad=True), _EACH)
    cells: list[tuple[int, int]] = []
    profiles: list[Profiles] = []
    while True:
        some = [pairs[(len(cells) + i) * 7 % len(pairs)] for i in range(at_once)]
        noise = torch.from_numpy(chance.random((at_once, net.preprocess.channels or 3, *size), np.float32))
        signs = torch.from_numpy(chance.integers(0, 2, (at_once, row.shape[0])).astype(np.float32) * 2 - 1)
        profiles.append(_profiles(net, layer, noise, signs, some))
        cells += some
        if len(cells) < _EACH:
            continue
        found = _fitted(theory, profiles, cells, (rows, columns), layer)
        if len(cells) >= _MOST or all(e <= _FINE * j for e, j in zip(found.error, theory.jump, strict=True)):
            return found


def _profiles(net: Net, layer: str, noise: Tensor, signs: Tensor, cells: list[tuple[int, int]]) -> Profiles:
    """(n, H) and (n, W): the squared gradient of one cell of each image, summed over colors and the other axis."""
    with torch.enable_grad():
        run = net.run(noise, layers=[layer], grad="pixels", stop=True)
        maps, leaf = run[layer], run.pixels
        if leaf is None or not maps.requires_grad:
            raise Refused(f"no gradient reaches layer {layer!r}: where its cells look cannot be measured")
        y, x = (torch.tensor(one, device=maps.device) for one in zip(*cells, strict=True))
        told = maps[torch.arange(len(cells), device=maps.device), :, y, x] * signs.to(maps)
        (slope,) = run.gradients(told.sum(), [leaf], allow_unused=True)
    if slope is None:
        raise Refused(f"layer {layer!r} does not depend on the pixels: its cells look nowhere")
    squares = slope.double().square().sum(1).cpu().numpy()
    return squares.sum(2), squares.sum(1)


def _fitted(
    theory: Placement, parts: list[Profiles], cells: list[tuple[int, int]], grid: tuple[int, int], layer: str
) -> Effective:
    mass = np.concatenate([part[0].sum(1) for part in parts])
    good = np.isfinite(mass) & (mass > 0)
    if good.sum() < 4:
        raise Refused(f"no pixel moves layer {layer!r} with a finite gradient: where its cells look cannot be measured")
    centers, offset, error = theory.centers(*grid), [], []
    for axis in (0, 1):
        profile = np.concatenate([part[axis] for part in parts])
        centroid = profile[good] @ np.arange(profile.shape[1]) / mass[good]
        off = centroid - centers[axis][[cell[axis] for cell in cells]][good]
        offset.append(float(off.mean()))
        error.append(float(off.std(ddof=1) / np.sqrt(len(off))))
    moved = [one if abs(one) > _SURE * sure else 0.0 for one, sure in zip(offset, error, strict=True)]
    return Effective(
        _moved(theory, (moved[0], moved[1])), (offset[0], offset[1]), (error[0], error[1]), int(good.sum())
    )


def _moved(placement: Placement, by: Pair) -> Placement:
    """Cells elsewhere; the fields around them are as large as it takes to hold the same pixels."""
    field, local = (
        None if one is None else (one[0] + 2 * abs(by[0]), one[1] + 2 * abs(by[1]))
        for one in (placement.field, placement.local)
    )
    start = placement.start[0] + by[0], placement.start[1] + by[1]
    grid = placement.grid
    if grid is not None:
        grid = tuple(y + by[0] for y in grid[0]), tuple(x + by[1] for x in grid[1])
    return replace(placement, start=start, grid=grid, field=field or placement.field, local=local)


def _middle(n: int) -> tuple[int, ...]:
    """Cells around the middle, as many on one side as on the other: borders pull the centroids inwards."""
    return tuple(sorted({(n - 1) // 2, n // 2, n // 3, n - 1 - n // 3}))
