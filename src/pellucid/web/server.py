"""What the routes share: the workers, the questions under way, the answers that may be fetched."""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from pellucid.web.jobs import Job, Jobs
from pellucid.web.kept import Kept
from pellucid.web.worker import Lost, Worker

Text = Annotated[str, Field(max_length=200)]
ID = Annotated[str, Field(max_length=80, pattern=r"^[\w.-]+$")]
KEY = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


def _bounded(value: Any, depth: int = 4) -> Any:
    """Plain JSON of a size that a form has. ValueError for anything else."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("a number that is none")
    if isinstance(value, str) and len(value) > _LETTERS:
        raise ValueError(f"a text of more than {_LETTERS} letters")
    if isinstance(value, (list, dict)):
        if depth == 0 or len(value) > _PARTS:
            raise ValueError("too many parts")
        for one in value.values() if isinstance(value, dict) else value:
            _bounded(one, depth - 1)
    return value


_LETTERS, _PARTS = 4000, 1000
Given = Annotated[Any, AfterValidator(_bounded)]
"""What a form gives for an option."""
_PATIENCE = 120.0
"""Seconds that a page waits for the list of methods."""
_LONG = 5.0
"""Seconds that a method took here last, beyond which it is long work."""


class Body(BaseModel):
    """What a page sends: nothing that is not declared."""

    model_config = ConfigDict(extra="forbid")


class Server:
    """One server: a worker for what answers within seconds, another, begun when it is needed, for long work."""

    def __init__(
        self, given: Mapping[str, Any], folder: Path, make: Callable[[Mapping[str, Any]], Worker] = Worker
    ) -> None:
        """`given` is what a worker opens; `folder` is where this server keeps what is under way."""
        self.worker, self.laborer = make(given), make(given)
        self.kept = Kept()
        self.refused: Callable[[], None] | None = None
        """What to do where the worker cannot open what it was given."""
        self.work = Path(given["folder"]) / "work"
        """Where long methods keep what they have found."""
        opened = {"net": _short(given.get("net"), given.get("load")), "indexes": _short(given.get("indexes"))}
        self.jobs = Jobs(lambda long: self.laborer if long else self.worker, self.kept, folder / "jobs", opened)

    async def one(self, do: str, about: Mapping[str, Any], body: bytes = b"") -> tuple[dict[str, Any], bytes]:
        """An answer of one part from the quick worker."""
        return await self.worker.one(do, about, body)

    async def begin(self, do: str, about: dict[str, Any], long: bool | None = None) -> Job:
        """Ask, in the worker that the question is for."""
        wanted = await self.is_long(about.get("method")) if long is None else long
        if wanted:
            await self.awake()
        return self.jobs.begin(do, about, wanted)

    async def awake(self) -> None:
        """Begin the worker for long work where there is none."""
        if self.laborer.state in ("not begun", "refused"):
            await self.laborer.begin()

    async def methods(self) -> list[dict[str, Any]]:
        """The forms of all methods, once the worker has made them."""
        until = time.monotonic() + _PATIENCE
        while "methods" not in self.worker.about:
            if self.worker.state == "refused" or time.monotonic() > until:
                raise Lost(str(self.worker.about.get("error") or "the methods are still being read: ask once more"))
            await asyncio.sleep(0.05)
        found: list[dict[str, Any]] = self.worker.about["methods"]
        return found

    async def is_long(self, method: str | None) -> bool:
        """Whether a method takes long: what it took here last says it, before that its chapter."""
        forms = {one["name"]: one for one in await self.methods()} if method else {}
        said = bool(forms[method].get("long")) if method in forms else False
        return said or self.jobs.took.get(method or "", 0) > _LONG

    async def begin_worker(self) -> None:
        """Start the quick worker; the page says what it is doing meanwhile. One that cannot open what it was given ends
        the server, whose command says why.
        """
        await self.worker.begin()
        self._watch = asyncio.create_task(self._watched())

    async def _watched(self) -> None:
        while self.worker.state not in ("ready", "refused"):
            await asyncio.sleep(0.1)
        if self.worker.state == "refused" and self.refused is not None:
            self.refused()

    def forget(self, job: Job) -> None:
        """A question, and what its method has kept to go on with."""
        self.jobs.drop(job)
        shutil.rmtree(self.work / job.id, ignore_errors=True)

    async def close(self) -> None:
        """End everything."""
        self._watch.cancel()
        await self.jobs.close()
        await asyncio.gather(self.worker.close(), self.laborer.close())


def _short(*given: Any) -> str:
    """Equal for what is equal, and no path of this machine."""
    return hashlib.sha256(json.dumps(given, default=str, sort_keys=True).encode()).hexdigest()[:16]
