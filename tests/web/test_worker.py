"""A worker that ends, hangs or refuses, as the server sees it: a process without torch that does what it is asked."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from pellucid.web import worker as module
from pellucid.web.worker import Failed, Lost, Worker
from tests.web.loop import run as finished

SCRIPT = """
import os, sys, threading, time
from pellucid.web.frames import packed, read
out = os.fdopen(os.dup(1), "wb")
def send(**said):
    out.write(packed(said)); out.flush()
given, _ = read(sys.stdin.buffer)
if given.get("dies"):
    os._exit(9)
if given.get("refuses"):
    send(state="refused", error="no such network"); sys.exit()
send(state="ready", pid=os.getpid())
stopped = set()
def listen():
    while (message := read(sys.stdin.buffer)) is not None:
        said = message[0]
        if "stop" in said:
            stopped.add(said["stop"])
        else:
            asked.append(said)
    os._exit(0)
asked = []
threading.Thread(target=listen, daemon=True).start()
while True:
    time.sleep(0.005)
    if not asked:
        continue
    said = asked.pop(0)
    number, do = said["id"], said["do"]
    if number in stopped:
        send(id=number, end=True, error="stopped", kind="Stopped"); continue
    send(id=number, begun=True)
    if do == "fail":
        send(id=number, end=True, error="no", kind="UnknownName"); continue
    if do == "die":
        os._exit(9)
    while do == "hang" or (do == "work" and number not in stopped):
        time.sleep(0.005)
    if do == "work":
        send(id=number, end=True, error="stopped", kind="Stopped"); continue
    send(id=number, progress=[["steps", 1, 2]])
    send(id=number, pid=os.getpid())
    send(id=number, end=True)
"""


@pytest.fixture(autouse=True)
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes run the script, and lose patience soon."""
    (tmp_path / "work.py").write_text(SCRIPT)
    real = asyncio.create_subprocess_exec

    async def begun(*_: Any, **how: Any) -> Any:
        return await real(sys.executable, str(tmp_path / "work.py"), **how)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", begun)
    monkeypatch.setattr(module, "_PATIENCE", 0.5)


def run(of: Callable[[Worker], Awaitable[None]], **given: Any) -> None:
    async def it() -> None:
        worker = Worker(given)
        await worker.begin()
        try:
            await asyncio.wait_for(of(worker), 20)
        finally:
            await worker.close()

    finished(it())


async def state(worker: Worker, wanted: str) -> None:
    while worker.state != wanted:
        await asyncio.sleep(0.01)


async def pid(worker: Worker) -> int:
    return int((await worker.one("tell", {}))[0]["pid"])


def test_an_answer_is_the_first_part_that_is_no_news() -> None:
    async def it(worker: Worker) -> None:
        said, _ = await worker.one("tell", {})
        assert set(said) == {"pid"}
        assert worker._waiting == {}

    run(it)


def test_a_question_that_fails_costs_nothing_else() -> None:
    async def it(worker: Worker) -> None:
        before = await pid(worker)
        with pytest.raises(Failed, match="no"):
            await worker.one("fail", {})
        await asyncio.sleep(1)  # longer than the patience with what should stop
        assert (await pid(worker), worker.lost) == (before, 0)
        assert worker._waiting == worker._stopping == {}

    run(it)


@pytest.mark.slow
def test_whoever_waits_for_a_process_that_ends_is_told_and_the_next_one_answers() -> None:
    async def it(worker: Worker) -> None:
        before = await pid(worker)
        dying, waiting = asyncio.create_task(worker.one("die", {})), asyncio.create_task(worker.one("tell", {}))
        for one in (dying, waiting):
            with pytest.raises(Lost, match="ask once more"):
                await one
        after = await pid(worker)
        assert after != before
        await asyncio.sleep(1)
        assert (await pid(worker), worker.lost) == (after, 1), "the new one is not killed for what the old one left"

    run(it)


def test_left_work_ends_at_its_next_step() -> None:
    async def it(worker: Worker) -> None:
        before = await pid(worker)
        async with aclosing(worker.ask("work", {})) as parts:
            assert (await anext(parts))[0] == {"begun": True}
        assert await pid(worker) == before

    run(it)


def test_what_does_not_stop_is_killed_and_those_behind_it_are_asked_again() -> None:
    async def it(worker: Worker) -> None:
        before = await pid(worker)
        async with aclosing(worker.ask("hang", {})) as parts:
            await anext(parts)
            behind = asyncio.create_task(pid(worker))
            await asyncio.sleep(0.05)
        assert await behind != before
        assert worker.lost == 1

    run(it)


def test_what_cannot_be_opened_is_not_opened_again_and_again() -> None:
    async def it(worker: Worker) -> None:
        await state(worker, "refused")
        await asyncio.sleep(0.2)
        assert (worker.state, worker.lost) == ("refused", 0)
        with pytest.raises(Lost, match="no such network"):
            await worker.one("tell", {})

    run(it, refuses=True)


def test_one_that_ends_while_it_is_loading_is_begun_a_few_times() -> None:
    async def it(worker: Worker) -> None:
        waiting = asyncio.create_task(worker.one("tell", {}))
        await state(worker, "refused")
        assert worker.lost == module._TRIES - 1
        with pytest.raises(Lost):
            await waiting

    run(it, dies=True)
