"""Axes: round ticks that lie where their numbers say, and ranges that hold everything."""

from __future__ import annotations

import numpy as np
import pytest

from pellucid.draw.axes import Plot, Span, line_colors, spread_log
from pellucid.draw.colors import DARK, LIGHT
from pellucid.draw.sheet import Shape, Sheet


def read(text: str) -> float:
    """A tick as a person reads it."""
    digits, _, power = text.replace("−", "-").partition("·10")
    if not power and digits.startswith("10") and len(digits) > 2 and digits[2] in "⁻⁰¹²³⁴⁵⁶⁷⁸⁹":
        digits, power = "1", digits[2:]
    return float(digits) * 10.0 ** int(power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")) or 0)


@pytest.mark.parametrize("ends", [(0, 1), (-3.2, 7.9), (1.0021, 1.0047), (0, 4e-7), (-2e6, 9e6), (0.1, 1e4), (1e-9, 3)])
@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("most", [2, 4, 6, 10])
def test_ticks_are_where_their_texts_say(ends: tuple[float, float], log: bool, most: int) -> None:
    span = Span.of(np.array(ends), log)
    ticks = span.ticks(most)
    assert 1 <= len(ticks) <= max(most, 2) + 1
    assert len({text for _, text in ticks}) == len(ticks)
    for value, text in ticks:
        assert span.low <= value <= span.high
        assert read(text) == pytest.approx(value, rel=0.006, abs=1e-12 * max(map(abs, ends)))


def test_an_axis_is_logarithmic_from_a_factor_of_100() -> None:
    assert not Span.of(np.array([1.0, 99.0])).log
    assert Span.of(np.array([1.0, 101.0])).log
    assert not Span.of(np.array([-1.0, 1000.0])).log
    assert not Span.of(np.array([0.0, 1000.0])).log
    assert not Span.of(np.array([1.0, 1000.0]), log=False).log


@pytest.mark.parametrize("values", [[3.0], [0.0, 0.0], [np.nan], [], [np.inf, 1.0, 2.0], [-5.0, -4.0]])
@pytest.mark.parametrize("log", [False, True, None])
def test_ranges_hold_every_finite_value(values: list[float], log: bool | None) -> None:
    span = Span.of(np.array(values), log, zero=True)
    known = np.array([value for value in values if np.isfinite(value)])
    assert span.high > span.low
    assert ((span.at(known) >= 0) & (span.at(known) <= 1)).all()
    assert span.ticks(5)


def test_without_air_a_range_ends_at_its_values() -> None:
    for log in (False, True):
        span = Span.of(np.array([0.25, 0.5, 4.0]), log, air=0.0)
        assert (span.low, span.high) == pytest.approx((0.25, 4.0))


def test_gaps_are_gaps_and_single_points_are_dots() -> None:
    sheet = Sheet.sized(200, "#ffffff")
    plot = Plot((0, 0, 100, 100), Span(0, 6), Span(0, 1))
    plot.path(sheet, np.arange(7.0), np.array([0, 0.5, np.nan, 0.7, np.nan, 1.0, 0.0]), "#000000")
    lines = [mark for mark in sheet.marks if isinstance(mark, Shape) and not mark.closed]
    assert [len(line.points) for line in lines] == [2, 2]
    assert len(sheet.marks) == 3
    assert lines[1].points[0][1] == pytest.approx(0)
    assert lines[1].points[1][1] == pytest.approx(100), "higher values lie higher"


def test_places_spaced_by_factors_have_a_logarithmic_axis() -> None:
    assert spread_log(np.array([1.0, 3, 10, 30, 100]))
    assert not spread_log(np.arange(1.0, 1000))
    assert not spread_log(np.array([0.0, 1, 10, 100]))


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_lines_stand_out_from_the_paper(theme: object) -> None:
    def light(color: str) -> float:
        parts = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    paper = light(theme.paper)  # type: ignore[attr-defined]
    for color in line_colors(12, theme):  # type: ignore[arg-type]
        one, other = sorted((light(color), paper))
        assert (other + 0.05) / (one + 0.05) > 2.1, color
