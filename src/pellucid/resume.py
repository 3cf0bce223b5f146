"""Work that goes on where it was stopped: what is found is kept in a folder, number by number, bit for bit.

    with pl.resumable("run/"):
        surface = pl.landscape.plane(net, data)  # killed and asked again, it measures only what is missing

No answer depends on it: the key of what is kept takes in all that the numbers depend on. What is not known yet may be
measured by others at the same time (`workers.py`): they ask the same question, and stop where this part of it begins.
What was found in the parts before it travels to them, so that nobody measures it twice.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from pellucid.errors import PellucidError
from pellucid.geometry import Floats
from pellucid.progress import steps

Coordinates = tuple[float, ...]
Measure = Callable[[Coordinates], Floats]
Known = Mapping[str, Mapping[Coordinates, Floats]]
"""By the key of a part what was found at its places."""
_folder: ContextVar[Path | None] = ContextVar("pellucid_resume", default=None)


@runtime_checkable
class Helpers(Protocol):
    """Whoever measures at many places at once."""

    def measured(
        self, key: str, places: list[Coordinates], known: Known, what: str, alone: bool = False
    ) -> Iterator[tuple[Coordinates, Floats]]:
        """Each place with what was found there, in whatever order they are done; progress is told. `known` is what was
        found in other parts of the question. With `alone` each place is a piece of work by itself.
        """


_helpers: ContextVar[Helpers | None] = ContextVar("pellucid_helpers", default=None)
_wanted: ContextVar[str] = ContextVar("pellucid_wanted", default="")
_given: ContextVar[Known] = ContextVar("pellucid_given", default={})  # noqa: B039  # never written
_parts: ContextVar[dict[str, _Kept] | None] = ContextVar("pellucid_parts", default=None)
"""The parts of what is asked with helpers, in their order."""


@contextmanager
def resumable(folder: str | Path) -> Iterator[None]:
    """Inside the `with` block, in this thread or task, long methods keep what they find in a folder, and go on there.

    PellucidError where the folder cannot be made.
    """
    path = Path(folder).expanduser()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PellucidError(f"cannot keep work in {str(folder)!r}: {error.strerror}: name a folder") from error
    token = _folder.set(path)
    try:
        yield
    finally:
        _folder.reset(token)


def place(identity: str) -> Path | None:
    """A folder for work that keeps files of its own, which all depends on `identity`; None outside `resumable`."""
    folder = _folder.get()
    return None if folder is None else folder / hashlib.sha256(identity.encode()).hexdigest()[:24]


@contextmanager
def helped(helpers: Helpers) -> Iterator[None]:
    """Inside the `with` block, in this thread or task, whatever is `measured_at` many places is measured by these."""
    token = _helpers.set(helpers)
    try:
        yield
    finally:
        _helpers.reset(token)


@contextmanager
def one_question() -> Iterator[None]:
    """Inside the `with` block, a question is answered: its parts know of one another, and of no other question's."""
    token = _parts.set(None if _helpers.get() is None else {})
    try:
        yield
    finally:
        _parts.reset(token)


def part_of(ask: Callable[[], object], key: str, known: Known | None = None) -> Measure:
    """What measures the places of the part with this key in the answer to a question, which is asked up to there; what
    is `known` of the parts before it is not measured again.
    """

    def asked() -> Measure | None:
        _wanted.set(key)
        _given.set(known or {})
        _helpers.set(None)
        _folder.set(None)
        try:
            ask()
        except _Here as here:
            return here.measure
        return None

    found = copy_context().run(asked)
    if found is not None:
        return found
    raise PellucidError("the question has no such part here: network, data or versions differ from those of who asked")


class _Here(BaseException):
    """The part of a question that was wanted. No Exception, which a method may catch."""

    def __init__(self, measure: Measure) -> None:
        self.measure = measure


def kept(identity: Callable[[], str], measure: Measure) -> Measure:
    """`measure`, which is asked only for coordinates that are not kept yet; `identity()` says all that it depends on.

    Nothing is kept outside `resumable`, unless others help.
    """
    folder, helpers, wanted = _folder.get(), _helpers.get(), _wanted.get()
    if folder is None and helpers is None and not wanted:
        return measure
    key = hashlib.sha256(identity().encode()).hexdigest()[:24]
    if key == wanted:
        raise _Here(measure)
    found = _Kept(None if folder is None else folder / f"{key}.jsonl", key, measure)
    found.known |= _given.get().get(key, {})
    parts = _parts.get()
    return found if parts is None else parts.setdefault(key, found)


def measured_at(measure: Measure, places: Iterable[Coordinates], what: str) -> list[Floats]:
    """What is found at each of these places, with progress; where others help, they measure all that is not known."""
    places, helpers = list(places), _helpers.get()
    if helpers is None or not isinstance(measure, _Kept):
        return [measure(at) for at in steps(places, what)]
    missing = [at for at in dict.fromkeys(places) if at not in measure.known]
    if missing:
        others = {key: part.known for key, part in (_parts.get() or {}).items() if key != measure.key and part.known}
        for at, found in helpers.measured(measure.key, missing, others, what):
            measure.keep(at, found)
    return [measure(at) for at in places]


def measured_together(parts: Sequence[tuple[Measure, Sequence[Coordinates], str]], what: str) -> list[list[Floats]]:
    """What is found at the places of several parts; where others help, of all parts at once and place by place, so that
    nobody waits for the last place of each.
    """
    own = [measure for measure, _, _ in parts if isinstance(measure, _Kept)]
    helpers = _helpers.get()
    if len(own) == len(parts):
        key = hashlib.sha256(json.dumps([one.key for one in own]).encode()).hexdigest()[:24]
        if key == _wanted.get():
            raise _Here(lambda at: own[int(at[0])](at[1:]))
        missing = [
            (float(k), *at) for k, (_, places, _) in enumerate(parts) for at in dict.fromkeys(places)
            if at not in own[k].known
        ]  # fmt: skip
        if helpers is not None and missing:
            keys = {one.key for one in own}
            others = {part: one.known for part, one in (_parts.get() or {}).items() if part not in keys and one.known}
            for at, found in helpers.measured(key, missing, others, what, alone=True):
                own[int(at[0])].keep(at[1:], found)
    return [measured_at(*one) for one in parts]


class _Kept:
    """A file with a line for each place, written and flushed when it is known. A line that is cut short is no line."""

    def __init__(self, path: Path | None, key: str, measure: Measure) -> None:
        self.path, self.key, self.measure = path, key, measure
        self.known = {} if path is None else dict(_lines(path))

    def __call__(self, at: Coordinates) -> Floats:
        if at not in self.known:
            self.keep(at, np.asarray(self.measure(at), np.float64))
        return self.known[at]

    def keep(self, at: Coordinates, found: Floats) -> None:
        """What was found there, here or elsewhere."""
        self.known[at] = found
        if self.path is None:
            return
        line = {
            "at": [x.hex() for x in at],
            "shape": found.shape,
            "found": [x.hex() for x in found.ravel().tolist()],
        }
        with self.path.open("ab") as file:  # one write: another process may keep its own lines in this file
            file.write(("\n" + json.dumps(line) + "\n").encode())
            file.flush()
            os.fsync(file.fileno())


def _lines(path: Path) -> Iterator[tuple[Coordinates, Floats]]:
    if not path.exists():
        return
    for text in path.read_bytes().splitlines():
        try:
            said = json.loads(text)
            at = tuple(float.fromhex(x) for x in said["at"])
            yield at, np.array([float.fromhex(x) for x in said["found"]]).reshape(said["shape"])
        except (ValueError, KeyError, TypeError):  # cut short when the power failed
            continue
