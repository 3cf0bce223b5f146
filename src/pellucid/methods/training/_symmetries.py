"""Which transforms change nothing at all, and what a shift by one pixel changes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor

from pellucid.net import Net
from pellucid.net.answers import Answers, Shown
from pellucid.result import Table
from pellucid.result.table import Cell
from pellucid.statistics import wilson_error

_SHIFTS = {
    "shift": "of every image by one pixel, as the border says", "consistency": "share of the same answers",
    "error": "half the width of its Wilson interval over 1.96",
    "change": "mean absolute change of the probability of the answer",
}  # fmt: skip
_SYMMETRIES = {
    "symmetry": "a transform that loses no pixel", "exact": "whether nothing but rounding changes",
    "change": "largest change of a log probability, in nats, over the first images", "rounding": "what rounding may do",
}  # fmt: skip
_WAYS = {"down": (1, 0), "up": (-1, 0), "right": (0, 1), "left": (0, -1)}
_PROBES = 8
Move = Callable[[Tensor, int, int], Tensor]
"""move(pixels, rows down, columns to the right) -> pixels."""


def shifts(shown: Shown, whole: Answers, move: Move) -> Table:
    rows: list[tuple[Cell, ...]] = []
    each, count = np.arange(len(whole)), np.array([float(len(whole))])
    before = np.exp(whole.log_p[each, whole.given])
    for name, way in _WAYS.items():
        found = shown.answers(change=partial(_moved, move, way))
        same = found.given == whole.given
        error = float(wilson_error(np.array([float(same.sum())]), count)[0])
        moved = float(np.abs(np.exp(found.log_p[each, whole.given]) - before).mean())
        rows.append((name, float(same.mean()), error, moved))
    return Table(dict(zip(_SHIFTS, zip(*rows, strict=True), strict=True)), _SHIFTS)


def _moved(move: Move, way: tuple[int, int], pixels: Tensor, _: tuple[str, ...]) -> Tensor:
    return move(pixels, *way)


def symmetries(net: Net, shown: Shown) -> Table:
    """Of the first images; what changes by no more than rounding is exact."""
    pixels = torch.cat([one[0] for one in shown.batches()][:1])[:_PROBES]
    tried: dict[str, Callable[[Tensor], Tensor]] = {
        "shift by one pixel down, wrapped": lambda x: x.roll(1, -2),
        "shift by one pixel to the right, wrapped": lambda x: x.roll(1, -1),
        "shift by a third of the side, wrapped": lambda x: x.roll((x.shape[-2] // 3, x.shape[-1] // 3), (-2, -1)),
        "left and right mirrored": lambda x: x.flip(-1),
        "top and bottom mirrored": lambda x: x.flip(-2),
        "half a turn": lambda x: x.rot90(2, (-2, -1)),
    }
    if pixels.shape[-1] == pixels.shape[-2]:
        tried["quarter turn"] = lambda x: x.rot90(1, (-2, -1))
    if pixels.shape[1] > 1:
        tried["colors in another order"] = lambda x: x.roll(1, 1)
    still = net.run(pixels).scores.double()
    eps = torch.finfo(net.run(pixels).scores.dtype).eps
    rounding = float(256 * eps * still.abs().max().clamp(min=1))
    rows: list[tuple[Cell, ...]] = []
    for name, how in tried.items():
        change = float((net.run(how(pixels)).scores.double() - still).abs().max())
        rows.append((name, change <= rounding, change, rounding))
    return Table(dict(zip(_SYMMETRIES, zip(*rows, strict=True), strict=True)), _SYMMETRIES)
