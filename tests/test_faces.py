"""What notebooks and prompts show of values that are no results: short, in words, and nothing that could be markup."""

from __future__ import annotations

import numpy as np
from torch import nn

import pellucid as pl
from pellucid import faces


def test_images_are_named_and_seen() -> None:
    images = pl.images.Images.of([np.full((40, 60, 3), i, np.uint8) for i in range(14)])
    assert repr(images).startswith(f"Images(14: {', '.join(images.ids[:4])}, and 10 more; 3×40×60")
    page = images._repr_html_()
    assert page.count("<img ") == 12
    assert page.endswith("and 2 more</div></div>")
    assert len(page) < 12 * 2000
    two = pl.images.Images.of([np.zeros((9, 16, 3), np.uint8), np.zeros((8, 16, 3), np.uint8)])
    assert repr(two).endswith("2 sizes)")
    assert "more" not in two._repr_html_()


def test_layers_are_a_table() -> None:
    module = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 4, (3, 1)))
    found = pl.net.Net(module, "small").layers((32, 32))
    lines = repr(found).splitlines()
    assert lines[0].split() == list(faces.LAYERS)
    assert lines[1].split() == ["0", "Conv2d", "8×16×16", "3", "2", "3", "2", "0", "224"]
    assert lines[3].split()[:4] == ["2", "Conv2d", "4×14×16", "3×1"]
    assert len(lines) == 4
    page = found._repr_html_()
    assert page.count("<tr>") == len(lines)
    assert '<td style="text-align:left">Conv2d</td>' in page


def test_names_are_no_markup() -> None:
    nasty = "<img src=x onerror=alert(1)>\"'"
    seen = faces.strip([np.zeros((4, 4, 3), np.uint8)], [nasty]) + faces.table([[nasty, 1]], [nasty])
    assert "<img src=x" not in seen
    assert "\"'" not in seen
    assert faces.table([("size", 3)]).count("<th") == 1
