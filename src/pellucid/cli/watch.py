"""What people see on stderr: a bar on a terminal, a line every ten seconds elsewhere, notes, errors."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pellucid.bars import Pace, TerminalBars
from pellucid.progress import Stack, Work

_SILENCE = 10.0  # seconds between lines where there is no terminal
_DIM, _RED, _PLAIN = "\x1b[2m", "\x1b[31m", "\x1b[0m"


class Watch:
    """Listens to progress (`with progress.listen(watch)`), and owns everything that a command says on stderr."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self.words: Callable[[str], str] = str
        """Puts a message into the options of the command that is run."""
        self.signals: list[int] = []
        """Those that told the command to stop: what it raises then may be another error than KeyboardInterrupt."""
        self._stack, self._pace = Stack(), Pace()
        self._bars: TerminalBars | None = None
        self._spoke = time.monotonic()
        self._noted: set[str] = set()

    def __call__(self, what: str, done: int, total: int | None) -> None:
        """One step of a loop. A loop announces itself with done = 0, also within another."""
        self._stack.heard(what, done, total)
        self._show()

    @contextmanager
    def busy(self, what: str) -> Iterator[None]:
        """Something that takes a while and cannot say how far it is."""
        before = list(self._stack.works)
        self._stack.works.append(Work(what, 0, None))
        self._show()
        try:
            yield
        finally:
            self._stack.works = before
            if before:
                self._show()
            else:
                self.clear()

    def clear(self) -> None:
        """Nothing is under way: leave the terminal as it was before."""
        self._stack = Stack()
        if self._bars:
            self._bars.close()
            self._bars = None

    def aside(self) -> None:
        """Something is printed in the middle of the work: bars go, and come back with the next step."""
        if self._bars:
            self._bars.close()
            self._bars = None

    def note(self, text: str) -> None:
        """A line that is not the result; the same is said once."""
        text = self.words(text)
        if not self._quiet and text not in self._noted:
            self._noted.add(text)
            self._say(f"note: {text}", _DIM)

    def remark(self, text: str) -> None:
        """What was done, in a line beside the result."""
        if not self._quiet:
            self._say(text, _DIM)

    def error(self, text: str, *, going_on: bool = False) -> None:
        """The one line for something that failed; `going_on` where other work is under way."""
        self._say(f"error: {self.words(text)}", _RED, going_on=going_on)

    def interrupted(self) -> None:
        """The line for a command that was told to stop."""
        self._say("interrupted", _RED, going_on=False)

    def _say(self, text: str, color: str, *, going_on: bool = True) -> None:
        if not going_on:
            self.clear()
        else:
            self.aside()
        # One line, whatever is in a file's name: no line feed, no escape sequence.
        line = "".join(c if c.isprintable() or "\udc80" <= c <= "\udcff" else repr(c)[1:-1] for c in text)
        if colored():
            head, colon, rest = line.partition(": ")
            line = f"{color}{line}{_PLAIN}" if color == _DIM else f"{color}{head}{colon}{_PLAIN}{rest}"
        print(line, file=sys.stderr, flush=True)

    def _show(self) -> None:
        if self._quiet:
            return
        if sys.stderr.isatty():
            if self._bars is None and self._stack.works:
                self._bars = TerminalBars()
            if self._bars:
                self._bars.show(self._stack.shown())
        elif self._stack.works:
            outer, *inner = self._stack.shown()
            left = self._pace.far(outer, outermost=True).partition(", ")[2]  # asked each time, to know when it began
            if time.monotonic() - self._spoke >= _SILENCE:
                self._spoke = time.monotonic()
                print(", ".join([str(outer), *map(str, inner), *([left] if left else [])]), file=sys.stderr, flush=True)


def colored() -> bool:
    """Whether stderr is a terminal whose owner wants colors."""
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
