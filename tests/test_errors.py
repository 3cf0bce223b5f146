"""Errors are one line, also where a notebook would show eighty."""

from __future__ import annotations

import linecache

import pytest

import pellucid as pl
from pellucid.errors import PellucidError

CELL = "heat = 1\npl.find('gradcam')\n"


@pytest.mark.parametrize("name", ["/tmp/ipykernel_77/12345.py", "<ipython-input-3-0123456789ab>"])
def test_a_notebook_shows_the_line_of_the_cell_and_the_message(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As IPython keeps cells: under a name, their lines beside it."""
    code = CELL
    monkeypatch.setitem(linecache.cache, name, (len(code), None, code.splitlines(keepends=True), name))
    with pytest.raises(PellucidError) as caught:
        exec(compile(code, name, "exec"), {"pl": pl})  # as a cell is
    *steps, said, more = caught.value._render_traceback_()
    assert steps[-1] == "cell, line 2: pl.find('gradcam')"
    assert said == f"{type(caught.value).__name__}: {caught.value}"
    assert "grad_cam" in said
    assert more.startswith("every step:")
    assert all("\n" not in one for one in (*steps, said, more))
