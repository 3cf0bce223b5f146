"""What the page paints is what Python draws: the same colors, the same numbers between the cells."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.draw.overlay import Window, sampled
from pellucid.geometry import Placement, View
from tests.web.bundled import needs_node, ran

ROOT = Path(__file__).parents[2]
RUN = """
return given.map(({ heat, box, rows, columns, smooth }) => {
  heat.values.values = Float64Array.from(heat.values.values, (one) => (one === null ? NaN : one))
  const found = page.sampled(heat, box, rows, columns, smooth)
  return Object.fromEntries(Object.entries(found).map(([key, values]) => [key, Array.from(values)]))
})
"""


def test_the_tables_of_colors_are_those_of_the_drawings() -> None:
    spec = importlib.util.spec_from_file_location("luts", ROOT / "docs" / "luts.py")
    assert spec is not None
    assert spec.loader is not None
    luts = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(luts)
    assert luts.FILE.read_text(encoding="utf-8") == luts.text(), "run docs/luts.py"


def cases() -> list[tuple[np.ndarray, Placement, View, Window, str]]:
    rng, found = np.random.default_rng(0), []
    whole = View((224, 224), (0.0, 0.0, 224.0, 224.0), (224, 224))
    inner = View((224, 224), (37.0, 12.5, 261.0, 320.0), (300, 400))
    outside = View((64, 64), (-10.0, 4.0, 90.0, 104.0), (80, 100))
    even = Placement((15.5, 15.5), (32.0, 32.0), (32.0, 32.0))
    uneven = Placement(
        (0.0, 0.0), (1.0, 1.0), (1.0, 1.0), grid=(np.array([3.0, 40, 50, 200]), np.array([1.0, 2.5, 9, 100, 180]))
    )
    fine = Placement((0.0, 0.0), (1.0, 1.0), (1.0, 1.0))
    gaps = rng.normal(size=(7, 7))
    gaps[2, 3:5], gaps[6, 0] = np.nan, np.inf
    for smooth in ("linear", "cubic", "cells"):
        found += [
            (rng.normal(size=(7, 7)), even, whole, Window((0, 0, 224, 224), (50, 61)), smooth),
            (rng.normal(size=(7, 7)), even, inner, Window((37, 12.5, 261, 320), (33, 40)), smooth),
            (rng.normal(size=(4, 5)), uneven, whole, Window((0, 0, 224, 224), (40, 40)), smooth),
            (gaps, even, inner, Window((0, 0, 300, 400), (45, 60)), smooth),
            (rng.normal(size=(64, 64)), fine, outside, Window((0, 0, 80, 100), (20, 25)), smooth),
            (rng.normal(size=(1, 1)), even, whole, Window((0, 0, 224, 224), (5, 5)), smooth),
        ]
    return found


def said(case: tuple[np.ndarray, Placement, View, Window, str]) -> dict[str, Any]:
    values, at, view, window, smooth = case
    flat = [None if not np.isfinite(one) else float(one) for one in values.ravel()]
    heat = {
        "values": {"values": flat, "shape": [1, *values.shape]},
        "placement": {"start": at.start, "jump": at.jump,
                      "grid": None if at.grid is None else [list(map(float, one)) for one in at.grid]},
        "views": [{"size": view.size, "box": view.box, "original": view.original}],
    }  # fmt: skip
    rows, columns = window.shape
    return {"heat": heat, "box": window.box, "rows": rows, "columns": columns, "smooth": smooth}


@needs_node
def test_maps_are_read_between_their_cells_as_drawings_read_them(tmp_path: Path) -> None:
    every = cases()
    asked = [said(one) for one in every]
    for case, found in zip(every, ran("sampling.ts", RUN, asked, tmp_path), strict=True):
        ours = sampled(*case[:4], case[4])
        here = f"{case[0].shape} {case[4]}"
        np.testing.assert_allclose(np.reshape(found["values"], ours.values.shape), ours.values, atol=1e-9, err_msg=here)
        assert np.array_equal(np.reshape(found["seen"], ours.seen.shape), ours.seen), here
        assert np.array_equal(np.reshape(found["broken"], ours.broken.shape), ours.broken), here
