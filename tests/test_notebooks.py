"""The notebooks of a course: every cell runs, all of them together stay small, and files in them are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from benchmarks.notebooks import NOTEBOOKS, cells, run, size

REDUCED = {"steps=48": "steps=3", "samples=10": "samples=2", "stride=28": "stride=56"}


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_is_as_it_is_handed_out(notebook: Path) -> None:
    """Without answers, with links that lead somewhere."""
    for cell in cells(notebook):
        assert not cell.get("outputs")
        for target in re.findall(r"\]\(([^)#\s]+)", "".join(cell["source"])):
            assert (notebook.parent / target).exists(), target
    assert len(cells(notebook)) == 25


@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_cell_runs(notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ran = [*run(notebook, REDUCED)]
    assert all(short in "".join(one.source for one in ran) for short in REDUCED.values())
    assert sum("text/html" in one.shown for one in ran) >= 10, "answers show themselves"
    assert size(notebook, ran) < 6_000_000
