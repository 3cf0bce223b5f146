"""Studies as pictures: every part under its name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.result import Pictures, Study, Table
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


def on_page(result: Study | Table, folder: Path) -> dict[str, Any]:
    """What the page of a result knows."""
    text = pl.draw(result).save(folder / "it.html").read_text(encoding="utf-8")
    head, rest = text.split('<script type="application/json" id="data">')
    assert "@" not in head.split("<style>")[0], "a place of the template was not filled"
    found: dict[str, Any] = json.loads(rest.split("</script>")[0])
    return found


def test_a_page_has_every_part_and_every_row(tmp_path: Path) -> None:
    rows = 60  # a picture shows the first 16
    table = Table(
        {"method": tuple(f"m{i}" for i in range(rows)), "hits": (*map(float, range(rows - 2)), None, float("nan")),
         "error": (0.5,) * rows, "seen": tuple(range(rows)), "good": (True, False) * (rows // 2)},
        {"hits": "share of hits"}, findings=("m1 is best",), plot_columns=("hits",), errors={"hits": "error"},
        highlighted=(3,),
    )  # fmt: skip
    study = Study(
        ("m0 leads </script><b>",), {"losses": plots.training()}, {"norms": plots.grid()}, {"ranking": table},
        make.meta("flow", "Gradient flow", net="toy"),
    )  # fmt: skip
    page = on_page(study, tmp_path)
    assert page["findings"] == ["m0 leads </script><b>."], "what ends a script is text here"
    assert [one["name"] for one in page["parts"]] == ["Losses", "Norms", "Ranking"]
    for plot in page["parts"][:2]:
        assert [theme for theme, _ in plot["pictures"]] == ["light", "dark"]
        assert plot["alt"].startswith(f"{plot['name']}: ")
        assert any(sign.isdigit() for sign in plot["alt"]), "what the plot shows, for who cannot see it"
    ranking = page["parts"][2]
    assert ranking["findings"] == ["m1 is best."]
    assert ranking["marked"] == [3]
    columns = {one["key"]: one for one in ranking["columns"]}
    assert [*columns] == ["method", "hits", "seen", "good"], "errors stand beside what they are errors of"
    assert len(columns["method"]["cells"]) == rows
    assert columns["hits"]["cells"][-3:] == [57.0, None, None], "what is no number is not known"
    assert columns["hits"]["spread"] == [0.5] * rows
    assert columns["hits"]["error"] == "error"
    starts = [None if ends is None else ends[0] for ends in columns["hits"]["bars"]]
    assert columns["hits"]["bars"][57][1] == pytest.approx(57 / 57.5, abs=0.02)
    assert starts[-2:] == [None, None]
    assert [columns[name]["words"] for name in columns] == [True, False, False, False]


def test_a_table_alone_is_a_page_too(tmp_path: Path) -> None:
    table = Table({"layer": ("a", "b"), "dead": (0.5, 0.25)}, findings=("a is dead",))
    page = on_page(table, tmp_path)
    assert page["findings"] == ["a is dead."]
    assert [one["findings"] for one in page["parts"]] == [[]], "said once"


def test_pictures_stand_before_the_plots_and_on_the_page(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (6, 12, 12, 3), dtype=np.uint8)
    shown = Pictures(pixels, tuple(f"knob {k}" for k in range(6)), {"dB": (1.0,) * 6}, columns=6)
    study = Study((), {"losses": plots.curve()}, pictures={"restored": shown}, meta=make.meta("x", "It"))
    picture = pl.draw(study)
    assert_tidy(picture)
    said = plots.said(picture)
    assert said.index("Restored") < said.index("knob 0") < said.index("Losses")
    assert study["restored"] is shown
    parts = on_page(study, tmp_path)["parts"]
    assert [part["name"] for part in parts] == ["Restored", "Losses"]
    assert "knob 5" in parts[0]["alt"]
