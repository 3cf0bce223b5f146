"""A worker within this process, for networks that only this process holds."""

from __future__ import annotations

import asyncio
import io
import queue
import threading
from collections.abc import Callable, Mapping
from typing import Any

from pellucid.errors import PellucidError
from pellucid.net.nets import Nets
from pellucid.web.frames import read
from pellucid.web.session import opened
from pellucid.web.work import Answering
from pellucid.web.worker import Worker


class Beside(Worker):
    """Answers in threads of this process. What does not stop goes on to its end, and nothing is shut to it: whoever has
    the link asks with the rights of this program, within what forms allow.
    """

    def __init__(self, given: Mapping[str, Any], nets: Nets) -> None:
        super().__init__(given)
        self.nets = nets
        self._messages = queue.SimpleQueue[bytes | None]()

    async def begin(self) -> None:
        """Open what was given, and take questions."""
        self.state = "loading"
        loop = asyncio.get_running_loop()

        def hear(about: Mapping[str, Any], body: bytes) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._heard, dict(about), body)

        threading.Thread(target=self._answer, args=(_Answers(hear),), name="explorer", daemon=True).start()

    def _answer(self, answering: _Answers) -> None:
        try:
            answering.session = opened(self.given, answering.send, self.nets)
        except PellucidError as error:
            answering.send({"state": "refused", "error": str(error)})
            return
        threading.Thread(target=answering.describe, name="forms", daemon=True).start()
        while (message := self._messages.get()) is not None:
            found = read(io.BytesIO(message))
            if found is not None:
                answering.take(*found)
        answering.end()

    async def close(self) -> None:
        """Take no more questions, and end those under way at their next step."""
        for number in list(self._waiting):
            self.stop(number)
        self._messages.put(None)

    def _write(self, message: bytes) -> bool:
        self._messages.put(message)
        return True

    def _kill(self, number: int) -> None:
        """There is no process to end: the work ends at its next step."""


class _Answers(Answering):
    """Says what it has to say to a function."""

    def __init__(self, hear: Callable[[Mapping[str, Any], bytes], None]) -> None:
        super().__init__(io.BytesIO())
        self._hear = hear

    def send(self, about: Mapping[str, Any], body: bytes = b"") -> None:
        """A message to the server."""
        self._hear(about, body)
