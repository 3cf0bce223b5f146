"""The loop under every runner: hand out work, wait, commit; try again, split, and set aside what nobody can do."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import PellucidError, Unreachable
from pellucid.progress import steps
from pellucid.sweep.fold import Part
from pellucid.sweep.folds.top import Top
from pellucid.sweep.plan import Piece, Plan
from pellucid.sweep.shard import Done, empty, joined
from pellucid.sweep.store import Store

TRIES = 3
"""How often a piece is tried before it is cut in two; a single picture is then set aside with the reason."""
PATIENCE = 5.0
"""Seconds to wait before a place that did not answer is asked again, and twice that the next time."""
_KEPT = "what is done is kept: run the same line again to go on"
_FEW, _SHARE = 16, 0.001
"""More pictures than that are not set aside: then something else is wrong."""


class Lost(Exception):
    """A piece that nobody answered: its worker died, or took longer than the deadline."""


class Runner(ABC):
    """Where pieces of work are done."""

    slots = 1
    """How many at a time."""
    ahead = 2
    """Pieces handed out for each of the slots: those beyond the first wait for their turn."""
    together = False
    """Whether what ends one piece ends the others that are under way."""

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
    alone: bool
    """It failed before, together with others: nothing else may be under way until it is known whether it was it."""


def drive(plan: Plan, store: Store, runner: Runner, shards: Iterable[int], *, deadline: float | int = 1800.0) -> None:
    """Do all shards that are not committed yet. Raises what every piece would meet; all else is tried again."""
    done = store.committed()
    todo = [shard for shard in shards if shard not in done]
    waiting = deque((plan.piece(shard), 1) for shard in todo)
    parts: dict[int, list[Done]] = {}
    missing = {piece.shard: piece.stop - piece.start for piece, _ in waiting}
    flying: dict[Any, _Flight] = {}
    aside, floors = 0, _Floors(plan, store, done)
    finished = iter(steps(todo, "shards"))
    try:
        while waiting or flying:
            while waiting and _room(runner, plan, flying, waiting[0]):
                piece, tries = waiting.popleft()
                alone = runner.together and _suspect(plan, piece, tries)
                flying[runner.submit(plan, replace(piece, floors=floors.now()))] = _Flight(
                    piece,
                    tries,
                    time.monotonic() + deadline * runner.ahead,
                    alone,  # with its wait for its turn
                )
            ended, late = _ended(runner, flying)
            for handle in [*ended, *late]:
                flight = flying.pop(handle)
                answer = "it took longer than the deadline" if handle in late else _answer(runner, handle, flight)
                if isinstance(answer, str):
                    more = _again(flight, answer)
                    if more is not None:
                        waiting.extendleft(more)
                        continue
                    picture = int(plan.members(flight.piece.shard)[flight.piece.start])
                    aside += 1
                    if aside > max(_FEW, _SHARE * plan.images):
                        raise PellucidError(f"{aside} pictures failed, the last with {answer}; {_KEPT}")
                    answer = replace(empty(plan), bad=((picture, answer),))
                shard = flight.piece.shard
                parts.setdefault(shard, []).append(answer)
                missing[shard] -= flight.piece.stop - flight.piece.start
                if not missing[shard]:
                    whole = joined(plan, parts.pop(shard))
                    store.commit(shard, whole)
                    floors.know(whole.parts)
                    next(finished, None)
        for _ in finished:
            pass
    finally:
        runner.close()


class _Floors:
    """What shards need not report any more, because enough is committed that comes before it. Any lower bound will do:
    it saves work, and changes nothing in the index.
    """

    def __init__(self, plan: Plan, store: Store, done: Iterable[int]) -> None:
        self.units = plan.units
        self.folds = [fold for fold in plan.folds if isinstance(fold, Top)]
        self.working = {fold.name: fold.start(plan.units) for fold in self.folds}
        for shard in sorted(done)[:_ENOUGH]:  # each once: a picture that is counted twice would make it too strict
            self.know(store.part(shard))

    def know(self, parts: Mapping[str, Part]) -> None:
        """A shard is committed."""
        for fold in self.folds:
            fold.absorb(self.working[fold.name], self.units, parts[fold.name])

    def now(self) -> dict[str, NDArray[np.uint64]]:
        """Fold -> (units,)."""
        return {fold.name: fold.worst(self.working[fold.name]).copy() for fold in self.folds}


_ENOUGH = 32
"""Shards that are read for it when a run goes on."""


def _suspect(plan: Plan, piece: Piece, tries: int) -> bool:
    """Whether a piece, or what it was cut from, has failed before."""
    return tries > 1 or piece != plan.piece(piece.shard)


def _room(runner: Runner, plan: Plan, flying: Mapping[Any, _Flight], following: tuple[Piece, int]) -> bool:
    """Whether the next piece may be handed out now."""
    if runner.together and flying and _suspect(plan, *following):
        return False
    return len(flying) < runner.ahead * runner.slots and not any(flight.alone for flight in flying.values())


def _ended(runner: Runner, flying: dict[Any, _Flight]) -> tuple[list[Any], list[Any]]:
    """(what is finished, what takes too long)."""
    first = min(flight.until for flight in flying.values())
    ended = runner.wait(list(flying), max(first - time.monotonic(), 0.0))
    if ended:
        return ended, []
    late = [handle for handle, flight in flying.items() if time.monotonic() >= flight.until]
    for handle in late:
        runner.abandon(handle)
    return [], late


def _answer(runner: Runner, handle: Any, flight: _Flight) -> Done | str:
    """What came of a piece, or why nothing did. Raises what would meet every other piece as well."""
    try:
        return runner.result(handle)
    except Unreachable as error:
        time.sleep(PATIENCE * flight.tries)
        return str(error)
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
