"""How far long work is shows by itself: on terminals and in notebooks, and nowhere else."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time
from types import SimpleNamespace
from typing import Any

import pytest

import pellucid as pl
from pellucid import bars
from pellucid.progress import Work, listen, steps

SCRIPT = """
import time, pellucid as pl
from pellucid.bars import shown
from pellucid.progress import steps
pl.show_progress({on})
with shown():
    for _ in steps(range(6), "pictures"):
        time.sleep(0.2)
print("done")
"""


@pytest.mark.slow
@pytest.mark.parametrize("on", [True, False])
def test_a_bar_on_a_terminal_that_is_gone_afterwards(on: bool) -> None:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(on=on)], stdout=subprocess.PIPE, stderr=theirs, env=environment
    )
    os.close(theirs)
    seen = b""
    try:
        while part := os.read(ours, 4096):
            seen += part
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    assert process.communicate()[0] == b"done\n", "and nothing else on stdout"
    assert process.returncode == 0
    assert (b"pictures" in seen) == on
    assert not on or seen.rstrip().endswith((b"\x1b[2K", b"\x1b[?25h")), "the line is cleared"


def test_without_a_terminal_nothing_is_said(capfd: pytest.CaptureFixture[str]) -> None:
    assert bars.suitable() is None
    with bars.shown():
        for _ in steps(range(2), "pictures"):
            time.sleep(0.3)
    assert capfd.readouterr() == ("", "")


class Cell:
    """A notebook's cell, as IPython's `display` makes them."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def display(self, what: Any, *, display_id: bool) -> Cell:
        assert display_id
        self.update(what)
        return self

    def update(self, what: Any) -> None:
        self.seen.append(what.data)


@pytest.fixture
def cell(monkeypatch: pytest.MonkeyPatch) -> Cell:
    """IPython, as far as bars ask it."""
    made = Cell()
    display = SimpleNamespace(display=made.display, HTML=lambda data: SimpleNamespace(data=data))
    shell = SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell, display=display))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    monkeypatch.setattr(bars, "_DELAY", 0.05)
    monkeypatch.setattr(bars, "_OFTEN", 0.02)
    return made


def test_a_bar_in_a_notebook_that_is_gone_afterwards(cell: Cell) -> None:
    with bars.shown():
        for _ in steps(range(4), "a<b"):
            time.sleep(0.1)
    assert any("a&lt;b 2/4" in one for one in cell.seen)
    assert cell.seen[-1] == "", "nothing is left"


def test_what_is_quick_or_fails_leaves_nothing(cell: Cell) -> None:
    with bars.shown():
        list(steps(range(1000), "quick"))
    assert cell.seen == []

    def fails() -> None:
        with bars.shown():
            for i in steps(range(2), "pictures"):
                time.sleep(0.2)
                1 / i

    with pytest.raises(ZeroDivisionError):
        fails()
    assert cell.seen[-1] == ""


def test_nothing_shows_where_somebody_listens_or_nobody_would(cell: Cell) -> None:
    heard: list[int] = []
    with listen(lambda what, done, total: heard.append(done)), bars.shown():
        for _ in steps(range(1), "pictures"):
            time.sleep(0.2)
    assert heard == [0, 1]
    assert cell.seen == []
    pl.show_progress(False)
    try:
        with bars.shown():
            for _ in steps(range(1), "pictures"):
                time.sleep(0.2)
    finally:
        pl.show_progress()
    assert cell.seen == []


def test_how_long_the_rest_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(bars.Bars, "__abstractmethods__", frozenset())
    one = bars.Bars()  # type: ignore[abstract]
    one.close()
    assert one.far(Work("images", 0, 100), outermost=True) == "0/100"
    now[0] = 2.0
    assert one.far(Work("images", 10, 100), outermost=True) == "10/100", "two seconds tell little"
    now[0] = 20.0
    assert one.far(Work("images", 40, 100), outermost=True) == "40/100, 30 s left"
    assert one.far(Work("images", 40, 100), outermost=False) == "40/100"
    assert one.far(Work("images", 100, 100), outermost=True) == "100/100"
    assert one.far(Work("starting", 0, None), outermost=True) == ""
    assert [bars.lasting(x) for x in (4, 44, 130, 9000)] == ["a few s", "40 s", "2 min", "2.5 h"]
