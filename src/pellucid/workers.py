"""Work of one method over several processes or a cluster: its places are shared out, and the numbers come back.

    with pl.spread(4):
        surface = pl.landscape.plane("model.py:net", "photos/")

What travels is the question as text and the coordinates; each worker opens network and data itself, asks the same
question, and stops where the part begins whose places it is to measure. Every worker has one thread, and so has this
process meanwhile: the numbers do not depend on who has measured what.
"""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch

from pellucid.ambient import neutral
from pellucid.catalogue.ask import Ask
from pellucid.catalogue.method import asking
from pellucid.errors import PellucidError
from pellucid.geometry import Floats
from pellucid.net import Net
from pellucid.notes import collected
from pellucid.nouns import Noun
from pellucid.progress import steps
from pellucid.resume import Coordinates, Known, Measure, helped, part_of
from pellucid.sweep.plan import Piece
from pellucid.sweep.runners.local import Processes
from pellucid.sweep.runners.ray import Ray
from pellucid.sweep.schedule import TRIES, Lost, Runner
from pellucid.sweep.shard import Done

_SHARE = 8
"""Into how many pieces the places of each worker are cut: fewer are lost with it, and none waits long for the last."""


@contextmanager
def spread(workers: int | Runner | None = None, *, ray: str | None = None) -> Iterator[None]:
    """Inside the `with` block, in this thread or task, `resumable` methods share their places out to `workers`.

    They are processes of this machine or, with `ray` the address of a Ray cluster (HOST:PORT), its tasks; "here" is a
    cluster of this machine, made for the block. By default there is one for each processor. A runner may be given
    instead. Networks and data must be named by text, for the workers open them. Other methods are answered here, as
    always. Raises PellucidError in one line.
    """
    if isinstance(workers, Runner):
        runner = workers
    elif workers is not None and (isinstance(workers, bool) or not isinstance(workers, int) or workers < 1):
        raise PellucidError(f"spread({workers!r}): a number of workers, 1 or more, or a runner")
    else:
        here = Processes(workers or os.cpu_count() or 1)
        runner = Ray(workers, address=None if ray == "here" else ray) if ray else here
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with helped(_Helpers(runner)):
            yield
    finally:
        torch.set_num_threads(threads)
        runner.close()
        _parts.clear()  # of a runner whose work is done in this process
        _nouns.clear()


@dataclass(frozen=True)
class Places:
    """Some places of one part of a question: what travels to a worker."""

    question: str
    """As JSON."""
    part: str
    places: tuple[Coordinates, ...]
    folder: str = field(default_factory=os.getcwd)
    """Where the names of files in the question start."""
    known: Known = field(default_factory=dict)
    """What was found in the parts before this one."""

    @property
    def key(self) -> str:
        """All of it."""
        return json.dumps(self.as_dict())

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        places = [[x.hex() for x in at] for at in self.places]
        known = {key: [_line(at, found) for at, found in part.items()] for key, part in self.known.items()}
        return {"question": self.question, "part": self.part, "places": places, "folder": self.folder, "known": known}

    @classmethod
    def from_dict(cls, said: Mapping[str, Any]) -> Places:
        """The inverse of `as_dict`."""
        places = tuple(tuple(map(float.fromhex, at)) for at in said["places"])
        known = {key: dict(map(_read, lines)) for key, lines in said["known"].items()}
        return cls(said["question"], said["part"], places, said["folder"], known)

    def run(self, piece: Piece) -> Done:
        """What is found at the places of a piece, by their numbers; by a worker."""
        if os.path.isdir(self.folder) and os.getcwd() != self.folder:
            os.chdir(self.folder)
        measure = _opened(self.question, self.part, self.known)
        with neutral():
            found = {str(i): np.asarray(measure(self.places[i]), np.float64) for i in range(piece.start, piece.stop)}
        return Done({"places": found}, (), len(found))


_parts: dict[tuple[str, str], Measure] = {}
"""In a worker: the part that it was asked for last, which the next piece most often is of, too."""


_nouns: dict[str, dict[str, Noun]] = {}
"""In a worker: what the last question is asked about, opened once for all of its parts."""


def _line(at: Coordinates, found: Floats) -> list[Any]:
    """A place as JSON."""
    return [[x.hex() for x in at], found.shape, [x.hex() for x in found.ravel().tolist()]]


def _read(line: Any) -> tuple[Coordinates, Floats]:
    at, shape, found = line
    return tuple(map(float.fromhex, at)), np.array(list(map(float.fromhex, found))).reshape(shape)


def _opened(question: str, part: str, known: Known) -> Measure:
    key = question, part
    if key not in _parts:
        ask = Ask.from_json(json.loads(question))
        with collected():
            before = _nouns.get(question)
            try:
                measure = _part(ask, before, question, part, known)
            except PellucidError:
                if before is None:
                    raise
                measure = _part(ask, None, question, part, known)  # a file may have changed since it was opened
        _parts.clear()
        _parts[key] = measure
    return _parts[key]


def _part(ask: Ask, opened: dict[str, Noun] | None, question: str, part: str, known: Known) -> Measure:
    if opened is None:
        _nouns.clear()
        opened = _nouns[question] = ask.opened()[0]
    return part_of(partial(ask.answer, **opened), part, known)


class _Helpers:
    """Workers of a runner."""

    def __init__(self, runner: Runner) -> None:
        self.runner = runner

    def measured(
        self, key: str, places: list[Coordinates], known: Known, what: str, alone: bool = False
    ) -> Iterator[tuple[Coordinates, Floats]]:
        """As `resume.Helpers`. A piece whose worker died is tried again."""
        work = Places(_question(), key, tuple(places), known=known)
        size = 1 if alone else max(-(-len(places) // (_SHARE * self.runner.slots)), 1)
        starts = range(0, len(places), size)
        waiting = deque((Piece(n, at, min(at + size, len(places))), 1) for n, at in enumerate(starts))
        told = iter(steps(places, what))
        flying: dict[Any, tuple[Piece, int]] = {}
        while waiting or flying:
            while waiting and len(flying) < self.runner.ahead * self.runner.slots:
                piece, tries = waiting.popleft()
                flying[self.runner.submit(work, piece)] = piece, tries
            for handle in self.runner.wait(list(flying), 60.0):
                piece, tries = flying.pop(handle)
                try:
                    found = self.runner.result(handle).parts["places"]
                except Lost as error:
                    if tries == TRIES:
                        raise PellucidError(
                            f"{what}: {tries} workers were lost over the same places ({error})"
                        ) from error
                    waiting.append((piece, tries + 1))
                    continue
                for i in range(piece.start, piece.stop):
                    next(told, None)
                    yield places[i], np.asarray(found[str(i)])
        next(told, None)


def _question() -> str:
    """What is asked now, as JSON. PellucidError where a part of it is in the memory of this process only."""
    method, nouns, options = asking()
    said = {name: _plainly(value) for name, value in nouns.items()}
    try:
        return json.dumps(Ask(method, said, options).to_json())
    except PellucidError as error:
        raise PellucidError(f"to spread {method}, its workers must open what it is about: {error}") from error


def _plainly(value: Noun) -> Any:
    """The arguments of `load` for a network that came of text."""
    return dict(value.origin) if isinstance(value, Net) and value.origin else value
