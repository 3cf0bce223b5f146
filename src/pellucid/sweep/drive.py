"""The loop under every runner: hand out work, wait, commit; try again, split, and set aside what nobody can do."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from pellucid.errors import PellucidError
from pellucid.progress import steps
from pellucid.sweep.plan import Piece, Plan
from pellucid.sweep.shard import Done, empty, joined
from pellucid.sweep.store import Store

TRIES = 3
"""How often a piece is tried before it is cut in two; a single picture is then set aside with the reason."""


class Lost(Exception):
    """A piece that nobody answered: its worker died, or took longer than the deadline."""


class Runner(ABC):
    """Where pieces of work are done."""

    slots = 1
    """How many at a time."""

    @abstractmethod
    def submit(self, plan: Plan, piece: Piece) -> Any:
        """Hand out a piece; a handle for it."""

    @abstractmethod
    def wait(self, handles: Iterable[Any], seconds: float | int) -> list[Any]:
        """Those that are finished, one way or the other; at the latest after so many seconds."""

    @abstractmethod
    def result(self, handle: Any) -> Done:
        """What came of it. Raises what the work raised, or Lost."""

    def abandon(self, handle: Any) -> None:  # noqa: B027  # most need nothing
        """It took too long: nobody waits for it any more."""

    def close(self) -> None:  # noqa: B027
        """No more work."""


@dataclass(frozen=True)
class _Flight:
    piece: Piece
    tries: int
    until: float


def drive(plan: Plan, store: Store, runner: Runner, shards: Iterable[int], *, deadline: float | int = 1800.0) -> None:
    """Do all shards that are not committed yet. Raises what every piece would meet; all else is tried again."""
    done = store.committed()
    todo = [shard for shard in shards if shard not in done]
    waiting = deque((plan.piece(shard), 1) for shard in todo)
    parts: dict[int, list[Done]] = {}
    missing = {piece.shard: piece.stop - piece.start for piece, _ in waiting}
    flying: dict[Any, _Flight] = {}
    finished = iter(steps(todo, "shards"))
    try:
        while waiting or flying:
            while waiting and len(flying) < 2 * runner.slots:
                piece, tries = waiting.popleft()
                flying[runner.submit(plan, piece)] = _Flight(piece, tries, time.monotonic() + deadline)
            for handle in _ended(runner, flying):
                flight = flying.pop(handle)
                answer = _answer(runner, handle, flight)
                if isinstance(answer, str):
                    more = _again(flight, answer)
                    if more is not None:
                        waiting.extendleft(more)
                        continue
                    picture = int(plan.members(flight.piece.shard)[flight.piece.start])
                    answer = replace(empty(plan), bad=((picture, answer),))
                shard = flight.piece.shard
                parts.setdefault(shard, []).append(answer)
                missing[shard] -= flight.piece.stop - flight.piece.start
                if not missing[shard]:
                    store.commit(shard, joined(plan, parts.pop(shard)))
                    next(finished, None)
        for _ in finished:
            pass
    finally:
        runner.close()


def _ended(runner: Runner, flying: dict[Any, _Flight]) -> list[Any]:
    first = min(flight.until for flight in flying.values())
    ended = runner.wait(list(flying), max(first - time.monotonic(), 0.0))
    if ended:
        return ended
    late = [handle for handle, flight in flying.items() if time.monotonic() >= flight.until]
    for handle in late:
        runner.abandon(handle)
    return late


def _answer(runner: Runner, handle: Any, flight: _Flight) -> Done | str:
    """What came of a piece, or why nothing did. Raises what would meet every other piece as well."""
    if time.monotonic() >= flight.until:
        return "it took longer than the deadline"
    try:
        return runner.result(handle)
    except PellucidError:
        raise  # the network, a layer, the source: no fault of these pictures
    except (Lost, OSError, RuntimeError, MemoryError) as error:
        return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _again(flight: _Flight, why: str) -> list[tuple[Piece, int]] | None:
    """What to try next: the same, or its halves; None for a single picture that was tried often enough."""
    piece = flight.piece
    if flight.tries < TRIES:
        return [(piece, flight.tries + 1)]
    if piece.stop - piece.start == 1:
        return None
    middle = (piece.start + piece.stop) // 2
    return [(replace(piece, start=middle), 1), (replace(piece, stop=middle), 1)]
