"""The loop under every runner: hand out work, wait, commit; try again, split, and set aside what nobody can do."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import PellucidError, Unreachable
from pellucid.progress import steps
from pellucid.sweep.fold import Part
from pellucid.sweep.plan import Piece, Plan
from pellucid.sweep.shard import Done, Work, empty, joined
from pellucid.sweep.store import Store

TRIES = 3
"""How often a piece is tried before it is cut in two; a single image is then set aside with the reason."""
PATIENCE = 5.0
"""Seconds to wait before a place that did not answer is asked again, and twice that the next time."""
_KEPT = "what is done is kept: run the same line again to go on"
_FEW, _SHARE = 16, 0.001
"""More images than that are not set aside: then something else is wrong."""


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
    told: Callable[[int], object] | None = None
    """Is called with numbers of images that are done, by a runner that knows of them before their piece is."""

    @abstractmethod
    def submit(self, plan: Work, piece: Piece) -> Any:
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
class _Pending:
    piece: Piece
    tries: int
    since: float
    until: float
    alone: bool
    """It failed before, together with others: nothing else may be under way until it is known whether it was it."""


def schedule(
    plan: Plan, store: Store, runner: Runner, shards: Iterable[int], *, deadline: float | int = 1800.0
) -> None:
    """Do all shards that are not committed yet. Raises what every piece would meet; all else is tried again.

    A piece that takes longer than the deadline (in seconds) is cut in two, down to single images, which are tried
    again alone with more time: slow is not bad.
    """
    done = store.committed()
    todo = [shard for shard in shards if shard not in done]
    waiting = deque((plan.piece(shard), 1) for shard in todo)
    parts: dict[int, list[Done]] = {}
    missing = {piece.shard: piece.stop - piece.start for piece, _ in waiting}
    flying: dict[Any, _Pending] = {}
    quarantined, floors, patience = 0, _Floors(plan, store, done), _Patience(float(deadline), runner.ahead)
    progress = _Progress(sum(missing.values()), len(todo), plan)
    runner.told = progress.within
    try:
        while waiting or flying:
            while waiting and _room(runner, plan, flying, waiting[0]):
                piece, tries = waiting.popleft()
                now = time.monotonic()
                alone = runner.together and _suspect(plan, piece, tries)
                handle = runner.submit(plan, replace(piece, floors=floors.now()))
                flying[handle] = _Pending(piece, tries, now, now + patience.seconds(piece, tries), alone)
            ended, late = _ended(runner, flying)
            for handle in [*ended, *late]:
                flight = flying.pop(handle)
                answer = _LATE if handle in late else _answer(runner, handle, flight)
                if isinstance(answer, str):
                    more = patience.again(flight) if answer is _LATE else _again(flight)
                    if more is not None:
                        waiting.extendleft(more)
                        continue
                    picture = int(plan.members(flight.piece.shard)[flight.piece.start])
                    quarantined += 1
                    if quarantined > max(_FEW, _SHARE * plan.images):
                        raise PellucidError(f"{quarantined} images failed, the last with {answer}; {_KEPT}")
                    answer = replace(empty(plan), bad=((picture, answer),))
                else:
                    patience.learn(flight)
                shard = flight.piece.shard
                parts.setdefault(shard, []).append(answer)
                missing[shard] -= flight.piece.stop - flight.piece.start
                progress.done(flight.piece)
                if not missing[shard]:
                    whole = joined(plan, parts.pop(shard))
                    store.commit(shard, whole)
                    floors.know(whole.parts)
        progress.end()
    finally:
        runner.close()


_LATE = "it took longer than the deadline"


class _Patience:
    """How long is waited for a piece. What the others took says what is slow, and what will never end."""

    def __init__(self, deadline: float, ahead: int) -> None:
        self.deadline, self.ahead = deadline, ahead
        self.each: float | None = None
        """Seconds that an image took at most, in pieces that were done: with the start of their workers."""

    def seconds(self, piece: Piece, tries: int) -> float:
        """For a piece, with its wait for its turn."""
        pictures, each = piece.stop - piece.start, self.each or 0.0
        if pictures > 1:
            return max(self.deadline, 2 * each * pictures) * self.ahead
        least = LEAST if self.each is not None else 0.0  # before anything is done, too short a deadline is doubled
        return max(self.deadline * 2.0 ** (tries - 1), _SLOW * each, least) * self.ahead

    def learn(self, flight: _Pending) -> None:
        """A piece is done."""
        took = (time.monotonic() - flight.since) / max(flight.piece.stop - flight.piece.start, 1)
        self.each = max(self.each or 0.0, took)

    def again(self, flight: _Pending) -> list[tuple[Piece, int]] | None:
        """What to try after a piece that was late: its halves, or the image with more time. None where an image had
        far longer than any other took, twice. Raises PellucidError where nothing was ever done in time.
        """
        if flight.piece.stop - flight.piece.start > 1:
            return _halves(flight.piece)
        waited = flight.until - flight.since
        if self.each is None and waited > HOURS:
            raise PellucidError(f"no image was done within {waited:.0f} seconds: does the network ever end? {_KEPT}")
        known = self.each is not None and waited >= max(_SLOW * self.each, LEAST)
        return None if known and flight.tries > 1 else [(flight.piece, flight.tries + 1)]


_SLOW = 20.0
"""Times as long as any other: then it is not slow but stuck."""
LEAST = 30.0
"""Seconds that an image is given alone, whatever the deadline."""
HOURS = 3600.0
"""Seconds after which a run ends in which nothing was ever done."""


class _Progress:
    """Images that are done, of all: also within a piece, where the runner tells."""

    def __init__(self, pictures: int, shards: int, plan: Plan) -> None:
        self.whole, self.part, self.heard, self.total = 0, 0, 0, pictures
        self.steps = iter(steps(range(pictures), f"images of {shards} shards" if shards != 1 else "images"))

    def within(self, pictures: int) -> None:
        """So many more images are done, in pieces that are not."""
        self.part += pictures
        self._hear()

    def done(self, piece: Piece) -> None:
        """A piece is done, or set aside."""
        self.whole += piece.stop - piece.start
        self.part = max(self.part, self.whole)
        self._hear()

    def end(self) -> None:
        """All is done."""
        self.part = self.total
        self._hear()
        next(self.steps, None)

    def _hear(self) -> None:
        # what is tried again was counted before; the last image is done when its shard is
        while self.heard < min(self.part, self.total - (self.whole < self.total)):
            self.heard += 1
            next(self.steps, None)


class _Floors:
    """What shards need not report any more, because enough is committed that comes before it. Any lower bound will do:
    it saves work, and changes nothing in the index.
    """

    def __init__(self, plan: Plan, store: Store, done: Iterable[int]) -> None:
        self.scope = plan.scope
        self.folds = [fold for fold in plan.folds if fold.bounded]
        self.working = {fold.name: fold.start(plan.scope) for fold in self.folds}
        for shard in sorted(done)[:_ENOUGH]:  # each once: an image that is counted twice would make it too strict
            self.know(store.part(shard))

    def know(self, parts: Mapping[str, Part]) -> None:
        """A shard is committed."""
        for fold in self.folds:
            fold.absorb(self.working[fold.name], self.scope, parts[fold.name])

    def now(self) -> dict[str, NDArray[np.uint64]]:
        """Fold -> (units,)."""
        return {fold.name: fold.bound(self.working[fold.name]) for fold in self.folds}


_ENOUGH = 32
"""Shards that are read for it when a run goes on."""


def _suspect(plan: Plan, piece: Piece, tries: int) -> bool:
    """Whether a piece, or what it was cut from, has failed before."""
    return tries > 1 or piece != plan.piece(piece.shard)


def _room(runner: Runner, plan: Plan, flying: Mapping[Any, _Pending], following: tuple[Piece, int]) -> bool:
    """Whether the next piece may be handed out now."""
    if runner.together and flying and _suspect(plan, *following):
        return False
    return len(flying) < runner.ahead * runner.slots and not any(flight.alone for flight in flying.values())


def _ended(runner: Runner, flying: dict[Any, _Pending]) -> tuple[list[Any], list[Any]]:
    """(what is finished, what takes too long)."""
    first = min(flight.until for flight in flying.values())
    ended = runner.wait(list(flying), max(first - time.monotonic(), 0.0))
    if ended:
        return ended, []
    late = [handle for handle, flight in flying.items() if time.monotonic() >= flight.until]
    for handle in late:
        runner.abandon(handle)
    return [], late


def _answer(runner: Runner, handle: Any, flight: _Pending) -> Done | str:
    """What came of a piece, or why nothing did. Raises what would meet every other piece as well."""
    try:
        return runner.result(handle)
    except Unreachable as error:
        time.sleep(PATIENCE * flight.tries)
        return str(error)
    except PellucidError:
        raise  # the network, a layer, the source: no fault of these images
    except (Lost, OSError, RuntimeError, MemoryError) as error:
        return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _again(flight: _Pending) -> list[tuple[Piece, int]] | None:
    """What to try after a failure: the same, or its halves; None for an image that was tried often enough."""
    if flight.tries < TRIES:
        return [(flight.piece, flight.tries + 1)]
    return None if flight.piece.stop - flight.piece.start == 1 else _halves(flight.piece)


def _halves(piece: Piece) -> list[tuple[Piece, int]]:
    middle = (piece.start + piece.stop) // 2
    return [(replace(piece, start=middle), 1), (replace(piece, stop=middle), 1)]
