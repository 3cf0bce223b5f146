"""Maps of a layer read at the pixels."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional as F

from pellucid.geometry import Placement
from pellucid.saliency.layers import at_pixels


def test_at_pixels_by_loops() -> None:
    """Linear between centers, the edge's value outside; a lone cell peaks exactly at its center (traps T14, T15)."""
    maps = torch.rand(2, 3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    placement = Placement((3.0, 1.0), (4.0, 2.5), (9.0, 9.0))
    found = at_pixels(maps, placement, (14, 12)).numpy()
    for y in range(14):
        for x in range(12):
            i, j = np.clip((y - 3) / 4, 0, 2), np.clip((x - 1) / 2.5, 0, 3)
            top, left = min(int(i), 1), min(int(j), 2)
            u, v, m = i - top, j - left, maps.numpy()
            row = [(1 - v) * m[:, r, left] + v * m[:, r, left + 1] for r in (top, top + 1)]
            assert np.allclose(found[:, y, x], (1 - u) * row[0] + u * row[1], atol=1e-14)
    lone = torch.zeros(1, 7, 7, dtype=torch.float64)
    lone[0, 1, 1] = 1
    read = at_pixels(lone, Placement((31.0, 31.0), (32.0, 32.0), (9.0, 9.0)), (224, 224))
    assert np.unravel_index(int(read.argmax()), (224, 224)) == (63, 63)


def test_stretch_is_the_usual_resize() -> None:
    maps = torch.rand(2, 5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    found = at_pixels(maps, Placement.stretched(5, 3, 20, 31), (20, 31))
    usual = F.interpolate(maps[None], (20, 31), mode="bilinear", align_corners=False)[0]
    assert torch.allclose(found, usual, atol=1e-14)
