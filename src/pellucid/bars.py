"""How far long work is, shown by itself: bars on a terminal, one in a notebook's cell, nothing anywhere else."""

from __future__ import annotations

import contextvars
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pellucid.progress import Stack, Work, heard, listen

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_DELAY = 0.5  # seconds; what is quicker shows no bar
_OFTEN = 0.2  # seconds between two pictures of a bar in a notebook
_KNOWN = 3.0  # seconds until it is said how long the rest may take
_on = True


def show_progress(on: bool = True) -> None:
    """Whether calls that take longer than half a second show how far they are: in notebooks and, on stderr, in
    terminals. They do until told otherwise; anywhere else, as in a file that a log goes to, they are silent.
    """
    global _on
    _on = on


@contextmanager
def shown() -> Iterator[None]:
    """Show the progress of what is done inside the `with` block, unless somebody listens to it already."""
    bars = None if heard() or not _on else suitable()
    if bars is None:
        yield
        return
    stack = Stack()

    def step(what: str, done: int, total: int | None) -> None:
        stack.heard(what, done, total)
        bars.show(stack.shown())

    try:
        with listen(step):
            yield
    finally:
        bars.close()


def suitable() -> Bars | None:
    """Bars for the place where this runs: a notebook, a terminal; None anywhere else."""
    interactive = sys.modules.get("IPython")
    shell = interactive.get_ipython() if interactive is not None else None
    if getattr(shell, "kernel", None) is not None:
        return NotebookBars()
    return TerminalBars() if sys.stderr is not None and sys.stderr.isatty() else None


class Pace:
    """How fast loops are, by when each of them began."""

    def __init__(self) -> None:
        self._begun: dict[str, float] = {}

    def far(self, work: Work, *, outermost: bool) -> str:
        """How far a loop is, and of the outermost, once that can be told, how long the rest takes at this rate."""
        now, key = time.monotonic(), f"{work.what} {work.total}"
        if not work.done:
            self._begun[key] = now
        begun = self._begun.setdefault(key, now)
        said = f"{work.done}/{work.total}" if work.total else str(work.done or "")
        if not outermost or not work.total or not 0 < work.done < work.total or now - begun < _KNOWN:
            return said
        return f"{said}, {lasting((now - begun) / work.done * (work.total - work.done))} left"


class Bars(Pace, ABC):
    """What shows a few loops, the outermost first, from half a second after it was made."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._open = self._closed = False
        # A timer, because the first step may be the longest and nothing is heard until it ends. It knows the caller's
        # context, by which a notebook finds the cell.
        self._timer = threading.Timer(_DELAY, contextvars.copy_context().run, (self._start,))
        self._timer.daemon = True
        self._timer.start()

    @abstractmethod
    def show(self, works: list[Work]) -> None:
        """How far they are now."""

    @abstractmethod
    def opened(self) -> None:
        """Appear."""

    @abstractmethod
    def gone(self) -> None:
        """Leave the place as it was before."""

    def close(self) -> None:
        """Disappear for good."""
        self._timer.cancel()
        with self._lock:
            self._closed = True
            if self._open:
                self.gone()

    def _start(self) -> None:
        with self._lock:
            if not self._closed:
                self._open = True
                self.opened()


def lasting(seconds: float) -> str:
    """A time in words, as coarse as a guess should be."""
    if seconds < 10:
        return "a few s"
    if seconds < 90:
        return f"{round(seconds, -1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


class TerminalBars(Bars):
    """One to three lines at the foot of the terminal that are gone afterwards."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

        self._progress: Progress = Progress(
            SpinnerColumn(style="dim"),
            TextColumn("{task.description}", markup=False),
            BarColumn(28, style="grey37", complete_style="cyan", finished_style="cyan", pulse_style="grey50"),
            TextColumn("{task.fields[far]}", style="dim", markup=False),
            console=Console(stderr=True, highlight=False),
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            refresh_per_second=8,
        )
        self._lines: list[TaskID] = []
        super().__init__()

    def show(self, works: list[Work]) -> None:
        for i, (work, line) in enumerate(zip(works, self._lines_for(len(works)), strict=True)):
            self._progress.update(
                line, description=work.what, completed=work.done, total=work.total,
                far=self.far(work, outermost=i == 0), visible=True,
            )  # fmt: skip
        for line in self._lines[len(works) :]:
            self._progress.update(line, visible=False)

    def opened(self) -> None:
        self._progress.start()

    def gone(self) -> None:
        self._progress.stop()

    def _lines_for(self, count: int) -> list[TaskID]:
        while len(self._lines) < count:
            self._lines.append(self._progress.add_task("", total=None, far=""))
        return self._lines[:count]


class NotebookBars(Bars):
    """Bars under a cell, of plain HTML, which needs no extension; nothing of them is kept in the notebook."""

    def __init__(self) -> None:
        self._works: list[Work] = []
        self._handle: Any = None
        self._drawn = 0.0
        super().__init__()

    def show(self, works: list[Work]) -> None:
        self._works = [Work(one.what, one.done, one.total) for one in works]
        if self._handle is not None and time.monotonic() - self._drawn > _OFTEN:
            self._draw()

    def opened(self) -> None:
        self._handle = _display().display(self._html(), display_id=True)

    def gone(self) -> None:
        self._handle.update(_display().HTML(""))

    def _draw(self) -> None:
        self._drawn = time.monotonic()
        self._handle.update(self._html())

    def _html(self) -> Any:
        rows = []
        for i, work in enumerate(self._works):
            value = f' value="{work.done}" max="{work.total}"' if work.total else ""
            far = escape(self.far(work, outermost=i == 0))
            rows.append(f"<div><progress{value}></progress> {escape(work.what)} {far}</div>")
        return _display().HTML(f'<div style="font-size:90%;opacity:.8">{"".join(rows)}</div>')


def _display() -> Any:
    return import_module("IPython.display")  # by name: it is there where a notebook is, and only there
