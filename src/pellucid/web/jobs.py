"""Questions under way: what has happened in each, for whoever follows it, also after a reload or a restart."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import time
import traceback
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pellucid.errors import PellucidError
from pellucid.files import write_atomically
from pellucid.web.kept import Kept
from pellucid.web.pace import Pace
from pellucid.web.worker import Failed, Worker

BEAT = 10.0
"""Seconds of silence after which a stream says that it is alive."""
WAITING, LONG = 32, 8
"""Questions, and long ones, that may be under way; more are told to come again."""
_ALONE = 30.0
"""Seconds after which a short question that nobody follows is stopped."""
_REMEMBERED, _LISTED = 200, 100
"""Ended questions, and long ones, that are not forgotten."""
_SAVED = 5.0
"""Seconds between two records of how far long work has come."""
_QUICK = 0.05
"""Seconds below which an answer may have been known already, and says nothing of how long its method takes."""
_INTERRUPTED = {"error": "the server was ended while it was at this", "kind": "Interrupted"}
State = Literal["running", "done", "failed", "stopped", "interrupted"]


class Busy(PellucidError):
    """So much is under way already that this would wait for long."""


class Gone(PellucidError):
    """There is no such question here, or not any more."""


@dataclass(eq=False)
class Job:
    """A question with all that has been said of it: lines with running numbers, of which the last says how it ended."""

    id: str
    do: str
    about: dict[str, Any]
    long: bool
    state: State = "running"
    lines: list[dict[str, Any]] = field(default_factory=list)
    begun: float = field(default_factory=time.time)
    ended: float | None = None
    preview: bytes = b""
    """What it looks like so far, a JPEG."""
    followers: int = 0
    left: float = field(default_factory=time.monotonic)
    """When the last follower left."""
    working: float | None = None
    """Since when a worker is at it; until then it waits for others."""
    pace: Pace = field(default_factory=Pace)
    dropped: bool = False
    """Nobody wants to see it again."""
    _count: int = 0
    _saved: float = 0.0
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = None

    def say(self, line: Mapping[str, Any]) -> None:
        """One more line. Of progress, and of previews, only the last is kept."""
        self._count += 1
        for passing in {"progress", "preview"} & line.keys():
            self.lines = [one for one in self.lines if passing not in one]
        self.lines.append({"n": self._count, **line})
        self._news.set()
        self._news = asyncio.Event()

    def record(self) -> dict[str, Any]:
        """What is shown in a list, and kept on disk."""
        last = next((one["progress"] for one in self.lines if "progress" in one), None)
        running = self.state == "running"
        return {
            "id": self.id, "do": self.do, "about": self.about, "state": self.state, "begun": self.begun,
            "waiting": running and self.working is None, "working": self.working, "ended": self.ended,
            "progress": last, "rate": self.pace.rate(last) if running else None,
            "left": self.pace.left(last) if running else None,
            "keys": [one["key"] for one in self.lines if "key" in one], "preview": bool(self.preview),
            "error": self.lines[-1].get("error") if self.lines and not running else None,
        }  # fmt: skip


class Jobs:
    """All questions of a server. `of` gives the worker that answers short or long ones."""

    def __init__(
        self, of: Callable[[bool], Worker], kept: Kept, folder: Path, given: Mapping[str, str] | None = None
    ) -> None:
        """`given` says which network and which indexes the workers have opened: the ids of others mean nothing here, so
        work with them is neither shown nor touched.
        """
        self.of, self.kept, self.folder, self.given = of, kept, folder, dict(given or {})
        self.known: dict[str, Job] = {}
        self.took: dict[str, float] = {}
        """Seconds that each method took here last."""
        self._read()

    def begin(self, do: str, about: dict[str, Any], long: bool) -> Job:
        """Ask. Busy where too much is under way already."""
        self._tidy()
        self._make_room(long)
        job = Job(secrets.token_hex(8), do, about, long)
        self.known[job.id] = job
        job.say({"job": job.id, "long": long})
        self._start(job)
        self._tidy_later()
        return job

    def _make_room(self, long: bool) -> None:
        running = [one for one in self.known.values() if one.state == "running"]
        if len(running) >= WAITING or (long and sum(one.long for one in running) >= LONG):
            raise Busy("so many questions wait already that this one would wait for long: try again in a minute")

    def find(self, number: str) -> Job:
        """A question by its id. Gone where there is none."""
        if number not in self.known:
            raise Gone("this is not under way here, or not any more: ask again")
        return self.known[number]

    def listed(self) -> list[dict[str, Any]]:
        """The long ones, the latest first."""
        return [one.record() for one in sorted(self.known.values(), key=lambda one: -one.begun) if one.long]

    async def follow(self, job: Job, after: int = 0) -> AsyncIterator[dict[str, Any]]:
        """Its lines after number `after`, those to come as well, and a sign of life where there is silence."""
        job.followers += 1
        try:
            while True:
                news = job._news
                for line in [one for one in job.lines if one["n"] > after]:
                    after = line["n"]
                    yield line
                if job.state != "running" and (not job.lines or job.lines[-1]["n"] <= after):
                    return
                with suppress(TimeoutError):
                    await asyncio.wait_for(news.wait(), BEAT)
                    continue
                yield {"beat": True}
        finally:
            job.followers -= 1
            job.left = time.monotonic()
            self._tidy_later()

    def stop(self, job: Job) -> None:
        """End its work."""
        if job._task is not None and job.state == "running":
            self._end(job, "stopped", {"error": "stopped", "kind": "Stopped"})
            job._task.cancel()

    def resume(self, job: Job) -> Job:
        """Ask again what was stopped, interrupted or has failed; a method that keeps what it finds goes on there.
        Busy where too much is under way already.
        """
        if job.state in ("running", "done"):
            return job
        self._make_room(job.long)
        job.state, job.ended, job.begun, job.working = "running", None, time.time(), None
        job.lines, job.pace, job.preview = [], Pace(), b""  # whoever follows from the first line on sees this run alone
        job.say({"job": job.id, "long": job.long, "resumed": True})
        self._start(job)
        return job

    def drop(self, job: Job) -> None:
        """Forget it."""
        self.stop(job)
        job.dropped = True
        self.known.pop(job.id, None)
        self._file(job).unlink(missing_ok=True)

    async def close(self) -> None:
        """End all work; what was running is interrupted."""
        running = [one for one in self.known.values() if one.state == "running"]
        for job in running:
            self._end(job, "interrupted", _INTERRUPTED)
        tasks = [one._task for one in running if one._task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, job: Job) -> None:
        self._write(job)
        job._task = asyncio.create_task(self._work(job))

    async def _work(self, job: Job) -> None:
        """Cancelled by whoever has said already how the question ended."""
        begun = time.monotonic()
        about = {**job.about, "job": job.id} if job.long else job.about
        try:
            async with aclosing(self.of(job.long).ask(job.do, about)) as parts:
                async for said, content in parts:
                    self._hear(job, said, content)
            self._end(job, "done", {"done": True, "seconds": round(time.monotonic() - begun, 2)})
        except PellucidError as error:
            state: State = "stopped" if kind_of(error) == "Stopped" else "failed"
            self._end(job, state, {"error": str(error), "kind": kind_of(error)})
        except Exception as error:  # a fault of ours, which must not leave the page waiting
            traceback.print_exception(error)
            self._end(job, "failed", {"error": "this failed inside the server", "kind": "Fault"})

    def _hear(self, job: Job, said: dict[str, Any], content: bytes) -> None:
        if "begun" in said:
            job.working = time.time()
            self._write(job)
            return
        if "key" in said:
            self.kept.keep(said["key"], content)
            if "method" in job.about and said.get("took", 0.0) > _QUICK:
                self.took[job.about["method"]] = said["took"]
        elif "preview" in said:
            job.preview = content
        job.say(said)
        if "progress" in said:
            job.pace.heard(said["progress"])
            if time.monotonic() - job._saved > _SAVED:
                self._write(job)

    def _end(self, job: Job, state: State, line: Mapping[str, Any]) -> None:
        job.state, job.ended = state, time.time()
        job.say(line)
        self._write(job)

    def _tidy(self) -> None:
        """Stop short questions that nobody follows any more, forget those that ended long ago."""
        now = time.monotonic()
        for job in list(self.known.values()):
            if job.state == "running" and not job.long and not job.followers and now - job.left > _ALONE:
                self.stop(job)
        for long, most in ((False, _REMEMBERED), (True, _LISTED)):
            ended = [one for one in self.known.values() if one.state != "running" and one.long is long]
            for job in sorted(ended, key=lambda one: one.begun)[:-most]:
                self.drop(job)

    def _tidy_later(self) -> None:
        """Also where nobody asks anything any more."""
        with suppress(RuntimeError):  # the loop has ended
            asyncio.get_running_loop().call_later(_ALONE + 0.1, self._tidy)

    def _file(self, job: Job) -> Path:
        return self.folder / f"{job.id}.json"

    def _write(self, job: Job) -> None:
        if job.long and not job.dropped:
            job._saved = time.monotonic()
            content = json.dumps({**job.record(), "given": self.given}).encode()
            try:
                write_atomically(self._file(job), lambda out: out.write(content))
            except OSError as error:  # a disk that is full ends no work
                traceback.print_exception(error)

    def _read(self) -> None:
        """What an earlier server has left: what it was doing then is interrupted."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for file in sorted(self.folder.glob("*.json")):
            try:
                job = _recorded(json.loads(file.read_text()), self.given)
            except (OSError, ValueError, KeyError, TypeError, AttributeError):  # not ours, or of another version
                continue
            if job is not None and job.id == file.stem:
                self.known[job.id] = job


_OF_INDEX = re.compile(r'"i\d+[-"]')
"""The id of an index, or of a picture of one, in a question."""


def _recorded(said: Mapping[str, Any], given: Mapping[str, str]) -> Job | None:
    """A record as it stands on disk; None where it is about a network or an index that is not open here."""
    before = said["given"]
    if before.get("net") != given.get("net"):
        return None
    if before.get("indexes") != given.get("indexes") and _OF_INDEX.search(json.dumps(said["about"])):
        return None
    job = Job(said["id"], said["do"], dict(said["about"]), True, begun=float(said["begun"]), ended=said["ended"])
    job.state, job.working = "interrupted" if said["state"] == "running" else said["state"], said["working"]
    job.say({"job": job.id, "long": True})
    if said["progress"]:
        job.say({"progress": said["progress"]})
    for key in said["keys"]:
        job.say({"key": key})
    if said["error"] or job.state == "interrupted":
        job.say({"error": said["error"] or _INTERRUPTED["error"]})
    elif job.state == "done":
        job.say({"done": True})
    return job


def kind_of(error: PellucidError) -> str:
    """What kind of thing went wrong, as a page reads it."""
    return error.kind if isinstance(error, Failed) else type(error).__name__
