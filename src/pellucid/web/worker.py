"""A worker as the server sees it: a process that is asked, answers in parts, and is begun again when it is lost."""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from pellucid.errors import PellucidError
from pellucid.web.frames import Message, packed, received

_PATIENCE = 10.0
"""Seconds that a worker may take to stop what it does, or to end, before it is killed."""
_TRIES = 3
"""Times that it may end while it is loading, before it is not begun again."""


class Lost(PellucidError):
    """The worker ended before it had answered."""


class Failed(PellucidError):
    """What was asked has failed; `kind` is the name of the error, as the worker said it."""

    def __init__(self, text: str, kind: str) -> None:
        super().__init__(text)
        self.kind = kind


@dataclass(eq=False)
class _Asked:
    """A question that is not answered yet, as it was sent."""

    message: bytes
    parts: asyncio.Queue[Message | None] = field(default_factory=asyncio.Queue)
    begun: bool = False
    """Whether the worker has taken it up."""


class Worker:
    """One process. `given` is what it opens before it answers: networks, images, folders."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.given = dict(given)
        self.state = "not begun"
        """What it is doing, in words; `ready` once it answers, `refused` where it cannot open what it was given."""
        self.about: dict[str, Any] = {}
        """What it has opened, once it is ready; `error` where it refused."""
        self.lost = 0
        """How many times it was begun again."""
        self._numbers = itertools.count(1)
        self._waiting: dict[int, _Asked] = {}
        self._stopping: dict[int, asyncio.TimerHandle] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._killed = self._closing = False
        self._failed = 0

    async def begin(self) -> None:
        """Start the process; it is asked when it is `ready`."""
        self.state = "loading"
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "pellucid.web.work",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, start_new_session=True,
            env={**os.environ, "OMP_NUM_THREADS": str(self.given.get("threads") or 1)},
        )  # fmt: skip
        self._write(packed(self.given))
        for asked in self._waiting.values():  # asked while there was no process
            self._write(asked.message)
        self._reader = asyncio.create_task(self._read(self._process))

    async def ask(self, do: str, about: Mapping[str, Any], body: bytes = b"") -> AsyncGenerator[Message, None]:
        """All parts of an answer, the first of which says that it was `begun`. Failed or Lost where it has no end;
        whoever leaves stops the work.
        """
        if self.state == "refused":
            raise Lost(str(self.about.get("error") or "the network cannot be opened"))
        number = next(self._numbers)
        asked = self._waiting[number] = _Asked(packed({"id": number, "do": do, **about}, body))
        try:
            self._write(asked.message)
            while True:
                part = await asked.parts.get()
                if part is None:
                    raise Lost("the process that answers has ended, perhaps for want of memory: ask once more")
                said, content = part
                if not said.pop("end", False):
                    yield said, content
                elif "error" in said:
                    raise Failed(said["error"], said.get("kind", ""))
                else:
                    return
        finally:
            if self._waiting.pop(number, None) is not None:  # whoever waited has left before the end
                self.stop(number)

    async def one(self, do: str, about: Mapping[str, Any], body: bytes = b"") -> Message:
        """An answer of one part."""
        found: Message | None = None
        async with aclosing(self.ask(do, about, body)) as parts:
            async for part in parts:
                found = found or (None if {"begun", "progress", "preview"} & part[0].keys() else part)
        if found is None:
            raise Failed("there is no answer to that", "Fault")
        return found

    def stop(self, number: int) -> None:
        """Nobody waits for this any more. Work that does not stop is ended with its process, which is begun again."""
        if self._write(packed({"stop": number})):
            self._stopping[number] = asyncio.get_running_loop().call_later(_PATIENCE, self._kill, number)

    def _kill(self, number: int) -> None:
        if self.state != "ready":  # it has not even read that it should stop
            self._stopping[number] = asyncio.get_running_loop().call_later(_PATIENCE, self._kill, number)
        elif self._process is not None and self._process.returncode is None:
            self._killed = True
            self._process.kill()

    async def close(self) -> None:
        """End the process, gently at first."""
        self._closing = True
        process = self._process
        if process is None or process.returncode is not None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), _PATIENCE if self.state == "ready" else 0.1)
        except TimeoutError:
            process.kill()
            await process.wait()

    def _write(self, message: bytes) -> bool:
        """Whether there is a process that may read it."""
        process = self._process
        if process is None or process.stdin is None or process.stdin.is_closing():
            return False
        process.stdin.write(message)
        return True

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        """Hand on what the process says until it has ended, and begin another."""
        stream = process.stdout
        while stream is not None and (message := await received(stream)) is not None:
            self._heard(*message)
        await process.wait()
        self._process, opened = None, self.state == "ready"
        for timer in self._stopping.values():
            timer.cancel()
        self._stopping.clear()
        killed, self._killed = self._killed, False
        for number, asked in list(self._waiting.items()):
            if asked.begun or not killed:  # others waited behind what would not stop, and are asked again
                del self._waiting[number]
                asked.parts.put_nowait(None)
        self._failed = 0 if opened else self._failed + 1
        if self._closing:
            self.state = "lost"
        elif opened or (self.state != "refused" and self._failed < _TRIES):
            self.lost += 1
            await self.begin()
        elif self.state != "refused":
            self.state = "refused"
            self.about["error"] = "the process that answers ended while it was loading, perhaps for want of memory"

    def _heard(self, about: dict[str, Any], body: bytes) -> None:
        number = about.pop("id", None)
        if number is None:
            self.state = about.pop("state", self.state)
            self.about.update(about)
            return
        if about.get("end") and number in self._stopping:
            self._stopping.pop(number).cancel()
        asked = self._waiting.get(number)
        if asked is None:
            return
        asked.begun = True
        if about.get("end"):
            del self._waiting[number]
        asked.parts.put_nowait((about, body))
