"""Curves, grids, surfaces and spectra made by hand, for drawing."""

from __future__ import annotations

import numpy as np

from pellucid.draw.picture import Picture
from pellucid.draw.sheet import Shape, Words
from pellucid.notes import Note
from pellucid.result import Axis, Check, Curve, Estimate, Grid, Line, Mark, Placed, Spectrum, Surface
from tests.draw import make

FAILED = Check("slope", 1.0, 2.0, 0.1, "the slope along the first axis")
PASSED = Check("value", 1.0, 1.0, 0.1)


def said(picture: Picture) -> list[str]:
    """All words on a picture."""
    return [mark.text for mark in picture.sheet.marks if isinstance(mark, Words)]


def open_lines(picture: Picture, least: int = 8) -> list[Shape]:
    """The lines with at least so many corners."""
    return [m for m in picture.sheet.marks if isinstance(m, Shape) and not m.closed and len(m.points) >= least]


def curve(*lines: Line, **fields: object) -> Curve:
    given = lines or (Line("a", np.arange(40.0), np.linspace(1, 2, 40), np.full(40, 0.1), "loss, nats"),)
    return Curve(given, "step", meta=make.meta("curves", "Curves", net="toy"), **fields)  # type: ignore[arg-type]


def training() -> Curve:
    """Several quantities, styles, gaps, marks and a check that failed."""
    x = np.linspace(0, 1000, 41)
    falls = 0.01 + 3 * np.exp(-x / 90)
    gaps = np.where((x > 300) & (x < 400), np.nan, falls)
    return curve(
        Line("training", x, falls, 0.1 * falls, "loss, nats"), Line("validation", x, falls + 0.5, None, "loss, nats"),
        Line("validation", x, falls + 0.6, None, "loss, nats", "faint"),
        Line("chance", x, 0 * x + 0.1, None, "accuracy", "dashed"),
        Line("runs", x, 1 - falls / 4, 0.1 + 0 * x, "accuracy", "points"), Line("norm", x, gaps, None, "norm"),
        marks=(Mark(300, "the point where training should have stopped"), Mark(320, "learning rate lowered"),
               Mark(1000, "last checkpoint"), Mark(990, "last but one of them")),
        findings=("over-fitting begins at step 300",), checks=(FAILED, PASSED),
    )  # fmt: skip


def grid(rows: int = 5, columns: int = 8, **fields: object) -> Grid:
    values = 10.0 ** np.linspace(-6, 2, rows * columns).reshape(rows, columns)
    values[0, 0] = np.nan
    names = tuple(f"layer{i}.conv.with.a.long.name" for i in range(rows))
    given = {"quantity": "gradient norm", "row_axis": "layer", "column_axis": "step", "log": True} | fields
    return Grid(values, names, tuple(str(10 * i) for i in range(columns)), meta=make.meta("flow"), **given)  # type: ignore[arg-type]


def surface(networks: int = 2, points: int = 9, **fields: object) -> Surface:
    at = np.linspace(-1, 1, points)
    x, y = np.meshgrid(at, at)
    losses = np.stack([0.1 * np.exp((3 + 2 * i) * np.hypot(x, 0.7 * y)) for i in range(networks)])
    values = np.stack([losses, np.exp(-losses)], 1)
    known = np.ones((networks, points, points), bool)
    known[0, points // 4, points // 4] = False
    placed = (Placed("start", 0.8, 0.7, 1, 0.8, 2.0, "run"), Placed("end", 0.1, 0.0, 0, 0.1, 0.2, "run"),
              Placed("other", -0.5, 0.5))  # fmt: skip
    given = {
        "placed": placed, "checks": ((PASSED,), (PASSED, FAILED), (PASSED,))[:networks], "findings": ("one is rough",),
        "meta":
        make.meta("plane", "Surface", (Note("unit", "α = 1 moves every filter by its own norm"),), norms="frozen"),
    } | fields  # fmt: skip
    names = ("smooth", "rough", "third")[:networks]
    axes = (Axis("α", at, "norms of the filters"), Axis("β", at, "norms of the filters"))
    return Surface(values, 0.1 * values, known, names, ("loss", "accuracy"), axes, **given)  # type: ignore[arg-type]


def spectrum() -> Spectrum:
    nodes, weights = np.array([0.0, 0.1, 5.0, 9.0]), np.array([0.6, 0.38, 0.01, 0.01])
    return Spectrum(
        np.array([9.0, 5.0, -1.0]), np.array([0.01, 0.9, 0.1]), (True, False, True), nodes, weights, 1000,
        (Estimate("trace", 138.2, 4.1),), ("one eigenvalue is negative",), meta=make.meta("curvature", norms="frozen"),
    )  # fmt: skip
