"""Curves as pictures: higher values lie higher, gaps stay gaps, what failed is seen."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
import pytest

import pellucid as pl
from pellucid.draw.colors import DARK, LIGHT
from pellucid.draw.sheet import Shape, Words
from pellucid.errors import PellucidError
from pellucid.result import Curve, Line
from tests.draw import plots
from tests.draw.test_pictures import assert_tidy


@pytest.mark.parametrize("dark", [False, True])
def test_a_training_is_tidy_and_complete(dark: bool) -> None:
    result = plots.training()
    picture = pl.draw(result, dark=dark)
    assert_tidy(picture)
    said = plots.said(picture)
    for text in ("loss, nats", "accuracy", "norm", "step", "training", "validation", "chance", "runs",
                 "last checkpoint", "learning rate lowered", "Over-fitting begins at step 300."):  # fmt: skip
        assert text in said
    told = " ".join(said)
    assert "± 1 standard error" in told
    assert "Gaps: 3 points were not measured." in told
    (warned,) = [mark for mark in picture.sheet.marks if isinstance(mark, Words) and "Check failed" in mark.text]
    assert warned.color == (DARK if dark else LIGHT).warning
    assert "slope" in warned.text
    assert "check failed" in picture.alt


def test_higher_values_lie_higher_and_a_gap_has_no_line() -> None:
    values = np.linspace(1, 2, 40)
    values[10:15] = np.nan
    picture = pl.draw(plots.curve(Line("a", np.arange(40.0), values, None, "loss, nats")))
    lines = plots.open_lines(picture)
    assert [len(line.points) for line in lines] == [10, 25]
    ups = [y for line in lines for _, y in line.points]
    assert all(b < a for a, b in pairwise(ups))


def test_gaps_that_were_measured_are_told_from_those_that_were_not() -> None:
    values = np.linspace(1, 2, 40)
    values[10:15] = np.nan
    result = plots.curve(Line("a", np.arange(40.0), values, None, "loss, nats"))

    def told(undefined: int) -> str:
        meta = dataclasses.replace(result.meta, found={"undefined": undefined})
        return " ".join(plots.said(pl.draw(dataclasses.replace(result, meta=meta))))

    assert "Gaps: 5 points were measured, and no finite number came out." in told(5)
    assert "not measured" not in told(5)
    assert "Gaps: 5 points were not measured." in told(0)
    assert "Gaps: 1 point was measured, and no finite number came out. Gaps: 4 points were not measured." in told(1)


def test_names_leave_out_what_stands_above_the_plot() -> None:
    x = np.arange(20.0)

    def names(*given: str) -> set[str]:
        lines = [Line(name, x, x + k, None, "loss, nats") for k, name in enumerate(given)]
        return {*plots.said(pl.draw(plots.curve(*lines)))}

    assert {"direction 1", "direction 2"} <= names("toy, direction 1, loss", "toy, direction 2, loss")
    assert {"direction 1, train loss"} <= names("toy, direction 1, train loss", "toy, direction 1, test loss")
    assert {"toy, loss", "other"} <= names("toy, loss", "other"), "only where all say it"
    assert {"toy"} <= names("toy, loss")


@pytest.mark.parametrize(("log", "straight"), [(None, True), (True, True), (False, False)])
def test_factors_are_steps_on_a_logarithmic_axis(log: bool | None, straight: bool) -> None:
    line = Line("a", np.arange(40.0), 10.0 ** np.linspace(-3, 2, 40), None, "loss, nats")
    (drawn,) = plots.open_lines(pl.draw(plots.curve(line), log=log))
    steps = np.diff([y for _, y in drawn.points])
    assert (np.ptp(steps) < 1e-6) == straight


def test_what_a_logarithmic_axis_has_no_place_for_is_said() -> None:
    line = Line("a", np.arange(5.0), np.array([0.0, 1, 10, np.inf, 100]), None, "loss, nats")
    told = " ".join(plots.said(pl.draw(plots.curve(line), log=True)))
    assert "1 value is not above zero" in told
    assert "1 value is infinite" in told


@pytest.mark.parametrize("count", [1, 7, 8, 12, 20, 40])
def test_names_never_hide_lines(count: int) -> None:
    x = np.arange(20.0)
    lines = [Line(f"layer {i} with a rather long name", x, np.full(20, 1.0 + 0.001 * i), None, "loss") for i in
             range(count)]  # fmt: skip
    picture = pl.draw(plots.curve(*lines))
    assert_tidy(picture)
    words = [mark for mark in picture.sheet.marks if isinstance(mark, Words) and mark.text.startswith("layer")]
    assert len(words) == count
    for line in plots.open_lines(picture):
        right, bottom = max(x for x, _ in line.points), max(y for _, y in line.points)
        assert all(word.box[0] > right or word.box[1] > bottom for word in words)


def test_groups_have_one_color_and_repetitions_are_faint() -> None:
    x = np.arange(20.0)
    lines = [Line(name, x, x + k, None, "loss", style, group) for k, (name, style, group) in enumerate(
        [("test", "line", "A"), ("test", "line", "B"), ("test", "faint", "A"), ("train", "dashed", "A")])]  # fmt: skip
    picture = pl.draw(plots.curve(*lines))  # type: ignore[arg-type]
    drawn = {line.points[0][1]: line for line in plots.open_lines(picture)}
    faint, a, b, dashed = sorted(drawn.values(), key=lambda line: (line.opacity == 1, -line.points[0][1]))
    assert faint.opacity < 0.5
    assert a.edge == faint.edge == dashed.edge != b.edge
    assert dashed.dashes
    assert not a.dashes
    assert {"A: test", "B: test", "train"} <= set(plots.said(picture))


def test_bands_hold_the_errors() -> None:
    line = Line("a", np.arange(40.0), np.linspace(1, 2, 40), np.full(40, 0.25), "loss")
    picture = pl.draw(plots.curve(line))
    (drawn,) = plots.open_lines(picture)
    (band,) = [m for m in picture.sheet.marks if isinstance(m, Shape) and m.closed and len(m.points) == 80]
    unit = (drawn.points[0][1] - drawn.points[-1][1]) / 1.0
    for k in (0, 20, 39):
        assert band.points[k][1] - drawn.points[k][1] == pytest.approx(0.25 * unit)
        assert drawn.points[k][1] - band.points[79 - k][1] == pytest.approx(0.25 * unit)


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(PellucidError, match="no lines"):
        pl.draw(dataclasses.replace(plots.curve(), lines=()))
    with pytest.raises(PellucidError, match="not drawn over images"):
        pl.draw(plots.curve(), over="bundled")
    nothing = plots.curve(Line("a", np.arange(3.0), np.full(3, np.nan), None, "loss"))
    assert_tidy(pl.draw(nothing))


def test_errors_of_shares_stay_between_0_and_1_and_names_stay_as_they_are() -> None:
    """A band of accuracies near 1 ends at 1; that of a loss does not."""

    def top(quantity: str) -> float:
        line = Line("a", np.arange(4.0), np.array([0.5, 0.9, 0.98, 1.0]), np.full(4, 0.2), quantity)
        sheet = pl.draw(Curve((line,), "x", findings=("resnet20 is flat", "flat it is"))).sheet
        [band] = [one for one in sheet.marks if isinstance(one, Shape) and one.opacity < 0.5]
        [path] = [one for one in sheet.marks if isinstance(one, Shape) and one.line == 1.7]
        said = [one.text for one in sheet.marks if isinstance(one, Words)]
        assert {"resnet20 is flat.", "Flat it is."} <= {*said}
        return min(y for _, y in path.points) - min(y for _, y in band.points)

    assert top("accuracy") == pytest.approx(0, abs=0.01)
    assert top("loss, nats") > 5
