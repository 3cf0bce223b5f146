"""Decisions about labels: a file beside the data, whole or as it was, read with one line for what is wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pellucid.decisions import Decision, Decisions
from pellucid.errors import PellucidError
from pellucid.training_set.decided import mended

ROWS = (
    Decision("a.png", "cat", "accept", "dog"), Decision("b, c.png", "dog", "reject"),
    Decision('"d".png', "cow", "relabel", "cat"), Decision("é.png", "cow", "remove"),
)  # fmt: skip


def test_they_come_back_as_they_were_written(tmp_path: Path) -> None:
    path = Decisions(ROWS).write(tmp_path / "decisions.csv")
    assert path.read_text(encoding="utf-8").splitlines()[:3] == [
        "image,given,decision,label", "a.png,cat,accept,dog", '"b, c.png",dog,reject,dog'
    ]  # fmt: skip
    found = Decisions.read(path)
    assert [(one.image, one.given, one.decision, one.holds) for one in found.rows] == [
        (one.image, one.given, one.decision, one.holds) for one in ROWS
    ]
    assert found.counts == {"accept": 1, "reject": 1, "relabel": 1, "remove": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_other_columns_and_lines_without_a_decision_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text("\ufeffnote,image,given,decision,label\nhm,a.png,cat,remove,\n,b.png,cat,,\n", encoding="utf-8")
    assert Decisions.read(path).rows == (Decision("a.png", "cat", "remove"),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("image,given,label\na,cat,dog\n", "no column 'decision'"),
        ("", "no column 'image'"),
        ("image,given,decision,label\na,cat,acept,dog\n", "line 2 .*'acept'.*accept"),
        ("image,given,decision,label\na,cat,accept,\n", "line 2 .*without a label"),
        ("image,given,decision,label\na,cat,accept,cat\n", "line 2 .*which it has"),
        ("image,given,decision,label\na,cat,remove,dog\n", "line 2 .*what is left out has none"),
        ("image,given,decision,label\na,cat,reject,dog\n", "line 2 .*'cat' holds"),
        ("image,given,decision,label\na,cat,remove\n", "line 2 .*too few cells"),
        ("image,given,decision,label\n,cat,remove,\n", "line 2 .*about no image"),
        ("image,given,decision,label\na,cat,remove,\nb,cat,remove,\na,cat,reject,\n", "line 4 .*other than line 2"),
        ('image,given,decision,label\n"a,cat,remove,\n', "no line of a table"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "d.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PellucidError, match=said) as error:
        Decisions.read(path)
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PellucidError, match="No such file"):
        Decisions.read(tmp_path / "no.csv")
    (tmp_path / "x.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PellucidError, match="UTF-8"):
        Decisions.read(tmp_path / "x.csv")


def test_the_later_decision_about_an_image_holds() -> None:
    found = Decisions(ROWS).with_rows([Decision("a.png", "cat", "remove")])
    assert len(found) == 4
    assert found.rows[-1] == Decision("a.png", "cat", "remove")


def test_cells_make_decisions_and_come_back() -> None:
    found = Decisions.of([["a.png", "cat", "accept", "dog"], ROWS[3]])
    assert found.rows == (ROWS[0], ROWS[3])
    assert Decisions.of(found.plain()) == found
    for wrong in ([["a.png", "cat"]], [3], [["a.png", "cat", "remove", None]]):
        with pytest.raises(PellucidError, match="no decision"):
            Decisions.of(wrong)  # type: ignore[arg-type]


NAMES, CLASSES = ("a.png", "b, c.png", '"d".png', "é.png", "e.png"), ("cat", "dog", "cow")
LABELS = np.array([0, 1, 2, 2, 0])


def test_labels_are_as_decided() -> None:
    found = mended(NAMES, LABELS, CLASSES, Decisions(ROWS))
    assert found.labels.tolist() == [1, 1, 0, -1, 0]
    assert found.decided.tolist() == [True, True, True, True, False]
    assert found.kept.tolist() == [True, True, True, False, True]
    assert LABELS.tolist() == [0, 1, 2, 2, 0]


def test_decisions_about_other_labels_are_refused() -> None:
    with pytest.raises(PellucidError, match=r"'a.png' as 'cow', in the data its class is 'cat'"):
        mended(NAMES, LABELS, CLASSES, Decisions((Decision("a.png", "cow", "remove"),)))
    with pytest.raises(PellucidError, match=r"dgo.*dog"):
        mended(NAMES, LABELS, CLASSES, Decisions((Decision("a.png", "cat", "accept", "dgo"),)))
    with pytest.raises(PellucidError, match="none of its 1 decisions"):
        mended(NAMES, LABELS, CLASSES, Decisions((Decision("z.png", "cat", "remove"),)))
    with pytest.raises(PellucidError, match="2 images of the data are called"):
        mended(("a.png", "a.png"), LABELS[:2], CLASSES, Decisions(ROWS[:1]))
    with pytest.raises(PellucidError, match="2 classes are called 'dog'"):
        mended(NAMES, LABELS, ("cat", "dog", "cow", "dog"), Decisions(ROWS[:1]))
