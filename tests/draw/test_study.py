"""Studies as pictures: every part under its name."""

from __future__ import annotations

import numpy as np
import pytest

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.result import Study, Table
from tests.draw import make, plots
from tests.draw.test_pictures import assert_tidy


@pytest.mark.parametrize("dark", [False, True])
def test_every_part_stands_under_its_name(dark: bool) -> None:
    table = Table({"layer": ("a", "b"), "dead": (0.5, 0.25)}, {"dead": "share of silent units"}, plot_columns=("dead",))
    study = Study(
        ("gradients vanish",), {"losses": plots.training(), "other_losses": plots.curve()}, {"norms": plots.grid()},
        {"layers": table}, make.meta("flow", "Gradient flow", net="toy"),
    )  # fmt: skip
    picture = pl.draw(study, dark=dark)
    assert_tidy(picture)
    said = plots.said(picture)
    names = ["Gradients vanish.", "Losses", "Other losses", "Norms", "Layers"]
    assert [text for text in said if text in names] == names
    assert any("Check failed" in text for text in said)
    assert "share of silent units" in " ".join(said)
    assert "gradients vanish" in picture.alt


def test_one_part_needs_no_name_and_an_empty_study_is_refused() -> None:
    one = Study((), {"losses": plots.curve()}, meta=make.meta("x", "Losses of it"))
    assert "Losses" not in plots.said(pl.draw(one))
    assert_tidy(pl.draw(one))
    assert_tidy(pl.draw(Study(("nothing was found",))))
    with pytest.raises(PellucidError, match="empty"):
        pl.draw(Study())
    wide = Table({f"column {i}": (float(i), np.pi) for i in range(12)})
    assert_tidy(pl.draw(Study((), {"losses": plots.curve()}, {}, {"numbers": wide})))


def test_errors_that_nobody_knows_are_not_drawn() -> None:
    """Of one image there is no spread: the column of errors is empty, and left out."""
    table = Table(
        {"method": ("a", "b"), "hits": (1.0, 0.5), "error": (None, None)},
        plot_columns=("hits",),
        errors={"hits": "error"},
    )
    assert_tidy(pl.draw(Study(("two methods",), tables={"ranking": table})))
