"""A surface as a page: one file that works from disk, to be turned, zoomed and read point by point."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pellucid.draw import words
from pellucid.draw.axes import Span
from pellucid.draw.colors import Floats
from pellucid.draw.contours import finer, smooth
from pellucid.draw.letters import sentence
from pellucid.draw.pages import filled
from pellucid.draw.ramp import Ramp, surface_colors
from pellucid.files import unplaced
from pellucid.result import Placed, Surface
from pellucid.result.surface import ACCURACY, LOSS

_CELLS = 96  # along a side of the fine grid
_NONE = 65535  # no number: the page relies on it


def surface_page(
    result: Surface, ramps: Mapping[str, Ramp], units: Mapping[str, str], groups: Sequence[tuple[str, list[Placed]]],
    said: Mapping[str, str], notes: Mapping[str, Sequence[str]], measure: str, *, dark: bool,
) -> bytes:  # fmt: skip
    """The page. `ramps` and `units` are those of the measures, `notes` what is said below each of
    them; `groups` are paths of placed networks, `said` its TITLE, ABOUT and ALT.
    """
    return filled("surface.html", said, _data(result, ramps, units, groups, notes, measure), dark=dark)


def _data(
    result: Surface, ramps: Mapping[str, Ramp], units: Mapping[str, str], groups: Sequence[tuple[str, list[Placed]]],
    notes: Mapping[str, Sequence[str]], measure: str,
) -> dict[str, Any]:  # fmt: skip
    """What the page knows."""
    points = (result.axes[0].points, result.axes[1].points)
    (wide, across), (high, down) = (finer(one, _CELLS) for one in points)
    names = [f"{axis.name}, {axis.unit}" if axis.unit else axis.name for axis in result.axes]

    def field(i: int, name: str) -> str:
        values = result.of(name)[i]
        shares = np.where(np.isnan(values), np.nan, ramps[name].share(values))
        return _packed(smooth(shares, points, (wide, high)))

    return {
        "names": [unplaced(name) for name in result.names],
        "x": np.round(wide, 9).tolist(), "y": np.round(high, 9).tolist(), "across": across, "down": down,
        "axes": names, "short": [axis.name for axis in result.axes],
        "ticks": [Span(float(one[0]), float(one[-1])).ticks(5) for one in (wide, high)],
        "measures": [_measure(name, ramps[name], units[name]) for name in result.measures],
        "start": result.measures.index(measure),
        "fields": [[field(i, name) for name in result.measures] for i in range(len(result))],
        "near": [[_near(result, name, i, ramps[name]) for name in result.measures] for i in range(len(result))],
        "unknown": [[[float(points[0][k]), float(points[1][m])] for m, k in np.argwhere(~known).tolist()]
                    for known in result.known],
        "placed": [[name, [_placed(one) for one in some]] for name, some in groups],
        "checks": [_checks(result, i) for i in range(len(result))],
        "findings": [sentence(one, words.names_in(result)) for one in result.findings],
        "notes": [list(notes[name]) for name in result.measures],
        "tables": [np.rint(255 * surface_colors(dark)).astype(int).ravel().tolist() for dark in (False, True)],
    }  # fmt: skip


def near_center(result: Surface, measure: str, i: int) -> float | None:
    """What is one standard error worse than the center; None where that is not known, or errors are of another kind."""
    if not measure.endswith((LOSS, ACCURACY)):
        return None
    x, y = (int(np.abs(axis.points).argmin()) for axis in result.axes)
    if any(axis.points.min() > 0 or axis.points.max() < 0 for axis in result.axes):
        return None
    q = result.measures.index(measure)
    value, error = float(result.values[i, q, y, x]), float(result.errors[i, q, y, x])
    return value + (error if LOSS in measure else -error) if np.isfinite(value + error) and error > 0 else None


def _measure(name: str, ramp: Ramp, unit: str) -> dict[str, Any]:
    """A measure with its range: numbers across it and the levels of its contours, as shares of it."""
    span = ramp.span
    levels = [[text, float(span.at(value))] for value, text in span.levels()]
    return {"name": name, "unit": unit, "low": span.low, "high": span.high, "log": span.log, "above": ramp.above,
            "ticks": span.ticks(7), "levels": levels}  # fmt: skip


def _near(result: Surface, name: str, i: int, ramp: Ramp) -> float | None:
    """One standard error from the center, as a share of the measure's range."""
    found = near_center(result, name, i)
    return None if found is None else float(ramp.share(np.array(found)))


def _placed(one: Placed) -> dict[str, Any]:
    """A network in the plane, and what is said of it."""
    told = f", {one.loss:.3g} nats where it is" if np.isfinite(one.loss) else ""
    told += f", {one.beneath:.3g} on the plane" if np.isfinite(one.beneath) else ""
    told += f", {one.mark}" if one.mark else ""
    told += f", {100 * one.share:.0f} % of its distance off the plane" if one.share > 0 else ""
    return {"name": unplaced(one.name), "x": float(one.x), "y": float(one.y), "hollow": one.share > 0.5, "told": told}


def _checks(result: Surface, i: int) -> list[list[Any]]:
    """Failed checks one by one, then the names of those that passed."""
    checks = result.checks[i] if i < len(result.checks) else ()
    failed = [[f"Check failed: {check}", False] for check in checks if not check.passed]
    passed = [check.name for check in checks if check.passed]
    return failed + ([[f"checks: {', '.join(passed)} agree{'s' if len(passed) == 1 else ''}", True]] if passed else [])


def _packed(shares: Floats) -> str:
    """Shares as whole numbers of 16 bits, row by row."""
    steps = np.where(np.isfinite(shares), np.rint(np.nan_to_num(shares).clip(0, 1) * (_NONE - 1)), _NONE)
    return base64.b64encode(steps.astype("<u2").tobytes()).decode()
