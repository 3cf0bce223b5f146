"""Captions: over each photo what its map is of, and how the signs of each kind of map are to be read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from pellucid.draw import Picture, draw
from pellucid.draw.sheet import Words
from pellucid.notes import Note
from pellucid.result import Heatmap, Result, Row, Study, Table
from pellucid.result.maps import Sign
from tests.draw import make, plots
from tests.draw.test_pictures import assert_tidy


def said(picture: Picture) -> list[str]:
    assert_tidy(picture)
    return [mark.text for mark in picture.sheet.marks if isinstance(mark, Words)]


def study() -> Study:
    return Study(("found",), {"path": plots.curve()})


def table() -> Table:
    return Table({"measure": ("sharpness",), "value": (1.5,)}, plot_columns=("value",))


def many(*targets: str, asked: str = "best guess") -> Heatmap:
    values = make.coarse().values.repeat(len(targets), 0)
    names = tuple(f"photo {i}.jpg" for i in range(len(targets)))
    scores = tuple(float(i) for i in range(len(targets)))
    return make.coarse(values, meta=make.meta("grad_cam", target=asked, targets=targets, images=names, score=scores))


@pytest.mark.parametrize("kind", [plots.curve, plots.surface, plots.spectrum, study, table])
def test_the_policy_of_batch_norms_is_written_only_where_meta_says_one(kind: Callable[[], Result]) -> None:
    for norms in ("reestimated", ""):
        meta = make.meta("between", "Between", net="toy", **({"norms": norms} if norms else {}))
        told = " ".join(said(draw(replace(kind(), meta=meta))))
        assert ("batch norm: reestimated" in told) == bool(norms)
        assert "batch norm: None" not in told


@pytest.mark.parametrize("targets", [("tabby", "lynx"), ("tabby", "tabby"), ("tabby", make.LONG, "lynx")])
def test_over_each_photo_stand_its_name_and_its_class(targets: tuple[str, ...]) -> None:
    picture = draw(many(*targets))
    text = said(picture)
    assert "best guess" in text
    for i, target in enumerate(targets):
        assert f"photo {i}.jpg" in text
        assert any(line.startswith(target[:9]) for line in text)
    assert ", ".join(dict.fromkeys(targets)) in picture.alt
    assert ", ".join(targets) in picture.about["Description"]


def test_one_named_target_stands_above_all() -> None:
    text = said(draw(replace(many("a", "b"), meta=many("a", "b").meta.finding(target="tabby", targets=()))))
    assert text.count("tabby") == 1


@pytest.mark.parametrize(
    ("sign", "told"),
    [
        ("evidence", "Orange-red speaks for the target, blue against it"),
        ("slope", "Orange-red where a brighter pixel raises the score, blue where it lowers it"),
        ("ruled", "Orange-red where the changed gradient is positive, blue where it is negative"),
        ("number", "Orange-red is above zero, blue is below zero"),
    ],
)
def test_signs_are_read_as_what_they_are(sign: Sign, told: str) -> None:
    assert told in " ".join(said(draw(replace(make.coarse(), sign=sign))))


def test_a_sheet_of_explanations_says_how_each_row_is_read() -> None:
    one = make.explanation(1, 1)
    rows = (Row("a", "First", one.rows[0].maps), Row("b", "Second", (make.fine(),)))
    text = " ".join(said(draw([replace(one, rows=rows)] * 3)))
    assert "First: orange-red speaks for the class" in text
    assert "Second: orange-red where the changed gradient is positive" in text


def test_what_biases_absorb_is_no_error() -> None:
    heat = replace(
        make.coarse(), meta=make.META.finding(completeness=(0.999,)).noting(Note("completeness", "biases take it"))
    )
    assert any("completeness error 100%" in line for line in said(draw(heat)))
    text = said(draw(replace(heat, meta=heat.meta.finding(absorbed=True))))
    assert "biases take it" in text
    assert not any("completeness" in line for line in text)
