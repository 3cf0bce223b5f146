"""The errors Pellucid raises on purpose, and how an unknown name is answered.

Every message is one line that repeats the question and names what would work. `exit_code` is what the
command line ends with.
"""

from __future__ import annotations

import difflib
import re
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path

_PACKAGE = Path(__file__).parent
_CELL = re.compile(r"ipykernel_\d+|<ipython-input-")
"""In the names that notebooks give to the code of their cells."""


class PellucidError(Exception):
    """Any failure that the user can mend. The message is one line."""

    exit_code = 2

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))

    def __reduce__(self) -> tuple[Callable[..., PellucidError], tuple[type[PellucidError], str]]:
        """Errors come back from worker processes, whatever their constructors take."""
        return _again, (type(self), str(self))

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows: the lines of whoever asked, the message, and how to see every step between.

        IPython asks for it by this name; at a prompt and in scripts Python shows its whole traceback as ever.
        """
        steps = traceback.extract_tb(self.__traceback__)
        own = [one for one in steps if _PACKAGE not in Path(one.filename).parents and one.line]
        lines = [
            f"{'cell' if _CELL.search(one.filename) else one.filename}, line {one.lineno}: {one.line}" for one in own
        ]
        first = f"{type(self).__name__}: {self}"
        return [*lines[-3:], first, "every step: import traceback, sys; traceback.print_exception(sys.last_value)"]


class UnknownName(PellucidError):
    """A layer, class, method, option or file that does not exist."""


class NotRun(UnknownName):
    """A layer that exists but took no part in this forward pass."""


class BadImage(PellucidError):
    """An image that cannot be read, or not be read safely."""

    exit_code = 3


class BadResult(PellucidError):
    """A file that holds no result, or a damaged one."""

    exit_code = 3


class Unreachable(PellucidError):
    """A place that does not answer now, and may do so later: a server, a mount."""

    exit_code = 3


class BadNetwork(PellucidError):
    """A network or checkpoint that cannot be loaded, or cannot be run as asked."""

    exit_code = 3


class FailedOnInput(BadNetwork):
    """A network that raised an error of its own on an input: one of another size or value may pass."""


class OutOfMemory(PellucidError):
    """The device has no room for what was asked, not even for one image at a time."""

    exit_code = 3


class Refused(PellucidError):
    """A question that has no right answer for this network; the message says why."""


class MissingDevice(PellucidError):
    """A device that this machine, or this build of torch, does not have."""

    exit_code = 5


class MissingExtra(PellucidError):
    """An optional package is needed; the message holds the exact pip line."""

    exit_code = 5

    def __init__(self, what: str, extra: str, *, package: str | None = None) -> None:
        """`package` is what to install where no extra of ours brings it."""
        missing, line = ("a package", package) if package else ("an extra", extra_line(extra))
        super().__init__(f"{what} needs {missing} that is not installed: pip install {line}")


class BadPlugin(PellucidError):
    """What another package adds, and cannot be imported; the message names the package and the reason."""

    exit_code = 5


def is_out_of_memory(error: BaseException) -> bool:
    """Whether it says that memory is spent, on whichever device; torch's own errors by name, not to import it."""
    names = {kind.__name__ for kind in type(error).__mro__}
    return bool(names & {"OutOfMemory", "OutOfMemoryError", "MemoryError"}) or "DefaultCPUAllocator" in str(error)


def extra_line(extra: str) -> str:
    """What pip is to install for an extra of ours: of the checkout, where Pellucid runs from one."""
    root = Path(__file__).parents[2]
    return f"-e '{root}[{extra}]'" if (root / "pyproject.toml").is_file() else f"'pellucid[{extra}]'"


def unknown(kind: str, asked: str, known: Iterable[str], *, show: int = 4) -> UnknownName:
    """The answer to a name that is not there: `no layer 'conv9'; nearest of 37: conv5, conv4`."""
    names = list(dict.fromkeys(known))
    if not names:
        return UnknownName(f"no {kind} {asked!r}: there is none here")
    by_lower = {name.casefold(): name for name in reversed(names)}
    close = difflib.get_close_matches(str(asked).casefold(), list(by_lower), n=show, cutoff=0.4)
    shown = [by_lower[name] for name in close] or names[:show]
    how = "nearest" if close else "the first"
    return UnknownName(f"no {kind} {asked!r}; {how} of {len(names)}: {', '.join(shown)}")


def _again(kind: type[PellucidError], message: str) -> PellucidError:
    error = kind.__new__(kind, message)
    Exception.__init__(error, message)
    return error
