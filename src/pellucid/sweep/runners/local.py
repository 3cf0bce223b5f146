"""This machine: in this process, or in several of it, one thread each."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pellucid.images.sources import Source
from pellucid.net import Net
from pellucid.sweep.plan import Piece
from pellucid.sweep.schedule import Lost, Runner
from pellucid.sweep.shard import Done, Work, forget, work_done


class Serial(Runner):
    """In this process, piece after piece."""

    ahead = 1

    def __init__(self, net: Net | None = None, source: Source | None = None) -> None:
        self.net, self.source = net, source

    def submit(self, plan: Work, piece: Piece) -> Any:
        return _Call(plan, piece)

    def wait(self, handles: Iterable[Any], seconds: float | int) -> list[Any]:
        return [next(iter(handles))]

    def result(self, handle: Any) -> Done:
        return work_done(handle.plan, handle.piece, self.net, self.source, self.told)

    def close(self) -> None:
        forget()


@dataclass(frozen=True, eq=False)
class _Call:
    """Work that is done when its result is asked for."""

    plan: Work
    piece: Piece


class Processes(Runner):
    """In `slots` processes: each opens network and source from the plan. One that dies is replaced, with the others."""

    together = True

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self._pool: ProcessPoolExecutor | None = None
        self._counted: Any = None
        self._heard = 0

    def submit(self, plan: Work, piece: Piece) -> Future[Done]:
        if self._pool is None:
            context = multiprocessing.get_context("spawn")  # torch's threads do not survive a fork
            self._counted, self._heard = context.Value("q", 0), 0
            self._pool = ProcessPoolExecutor(self.slots, context, initializer=_alone, initargs=(self._counted,))
        try:
            with _ignore_sigint():
                return self._pool.submit(_counting, plan, piece)
        except BrokenProcessPool:
            self._end()
            return self.submit(plan, piece)

    def wait(self, handles: Iterable[Any], seconds: float | int) -> list[Any]:
        handles, until = list(handles), time.monotonic() + seconds
        while True:
            done = wait(handles, min(_OFTEN, max(until - time.monotonic(), 0)), FIRST_COMPLETED).done
            self._tell()
            if done or time.monotonic() >= until:
                return list(done)

    def _tell(self) -> None:
        """What the processes have counted since."""
        if self._counted is not None and self.told is not None:
            now = int(self._counted.value)
            self.told(now - self._heard)
            self._heard = now

    def result(self, handle: Any) -> Done:
        try:
            done: Done = handle.result()
        except (BrokenProcessPool, CancelledError) as error:
            raise Lost("a worker died") from error
        return done

    def abandon(self, handle: Any) -> None:
        self._end()

    def close(self) -> None:
        self._end()

    def _end(self) -> None:
        if self._pool is None:
            return
        for process in list((self._pool._processes or {}).values()):
            process.kill()
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool = None


@contextmanager
def _ignore_sigint() -> Iterator[None]:
    """Start workers with SIGINT blocked: Ctrl-C is for the process that commits, and that ends them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_OFTEN = 0.5
"""Seconds between two looks at how far the processes are."""
_counter: Any = None
"""In a worker: where it counts its images."""


def _counting(plan: Work, piece: Piece) -> Done:
    """The work of a process."""

    def count(pictures: int) -> None:
        with _counter.get_lock():
            _counter.value += pictures

    return work_done(plan, piece, told=count)


def _alone(counted: Any) -> None:
    """One thread for each process: with more they wait for one another. It ends with the process that began it."""
    global _counter
    _counter = counted
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ["OMP_NUM_THREADS"] = "1"
    import torch

    torch.set_num_threads(1)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
