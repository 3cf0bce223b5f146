"""Questions under way: what whoever follows one is told, who stops it, what is left of it after a restart."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from pellucid.web import jobs as module
from pellucid.web.jobs import Busy, Gone, Job, Jobs
from pellucid.web.kept import Kept
from pellucid.web.worker import Failed, Lost
from tests.web.loop import run as finished

Line = dict[str, Any]
KEY = "k" * 64


class Fake:
    """A worker that answers when it is told to: `parts` are put into the queue of a question by its number."""

    def __init__(self) -> None:
        self.asked: list[Line] = []
        self.queues: list[asyncio.Queue[Any]] = []
        self.left = 0

    async def ask(self, do: str, about: Line, body: bytes = b"") -> AsyncGenerator[Any, None]:
        self.asked.append({"do": do, **about})
        queue: asyncio.Queue[Any] = asyncio.Queue()
        self.queues.append(queue)
        ended = False
        try:
            while (part := await queue.get()) is not None:
                if isinstance(part, Exception):
                    ended = True
                    raise part
                yield dict(part[0]), part[1]
            ended = True
        finally:
            self.left += not ended

    async def say(self, *parts: Any, number: int = -1) -> None:
        """Parts of an answer: JSON, None for its end, an error."""
        for part in parts:
            self.queues[number].put_nowait((part, b"x") if isinstance(part, dict) else part)
        await rest()


async def rest() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def jobs(folder: Path, net: str = "bundled", indexes: str = "") -> tuple[Jobs, Fake]:
    fake: Any = Fake()
    return Jobs(lambda long: fake, Kept(), folder, {"net": net, "indexes": indexes}), fake


async def begun(all_of_them: Jobs, long: bool = True, **about: Any) -> Job:
    job = all_of_them.begin("ask", {"method": "m", **about}, long)
    await rest()
    return job


async def told(all_of_them: Jobs, job: Job, after: int = 0) -> list[Line]:
    return [line async for line in all_of_them.follow(job, after)]


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BEAT", 0.02)
    monkeypatch.setattr(module, "_ALONE", 0.05)
    monkeypatch.setattr(module, "_SAVED", 0.0)


def run(of: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        await asyncio.wait_for(of(), 5)

    finished(bounded())


def test_lines_have_running_numbers_and_can_be_taken_up_after_any(tmp_path: Path) -> None:
    async def it() -> None:
        known, fake = jobs(tmp_path)
        job = await begun(known)
        await fake.say({"begun": True}, {"columns": []}, {"key": KEY, "took": 3.0}, None)
        lines = await told(known, job)
        assert [line["n"] for line in lines] == [1, 2, 3, 4]
        assert lines[0]["job"] == job.id
        assert lines[-1]["done"]
        assert await told(known, job, 2) == lines[2:]
        assert await told(known, job, 99) == []
        assert known.kept.get(KEY) == b"x"
        assert known.took == {"m": 3.0}, "what the worker took, without the waiting"
        assert job.record()["keys"] == [KEY]

    run(it)


def test_of_progress_and_of_previews_only_the_last_is_kept(tmp_path: Path) -> None:
    async def it() -> None:
        known, fake = jobs(tmp_path)
        job = await begun(known)
        for i in range(50):
            await fake.say({"progress": [["steps", i, 50]]}, {"preview": True})
        assert len(job.lines) == 3
        assert job.record()["progress"] == [["steps", 49, 50]]
        assert job.lines[-1]["n"] == 101

    run(it)


def test_a_follower_hears_what_comes_and_a_beat_where_there_is_silence(tmp_path: Path) -> None:
    async def it() -> None:
        known, fake = jobs(tmp_path)
        job = await begun(known)
        following = known.follow(job, 1)
        assert await anext(following) == {"beat": True}
        await fake.say({"columns": []})
        assert (await anext(following))["n"] == 2
        assert job.followers == 1
        await following.aclose()  # type: ignore[attr-defined]
        assert job.followers == 0

    run(it)


def test_who_waits_and_who_is_worked_at_are_told_apart(tmp_path: Path) -> None:
    async def it() -> None:
        known, fake = jobs(tmp_path)
        job = await begun(known)
        assert job.record()["waiting"]
        await fake.say({"begun": True})
        assert not job.record()["waiting"]
        assert job.record()["working"] >= job.begun

    run(it)


def test_a_stopped_question_leaves_its_worker_at_once(tmp_path: Path) -> None:
    async def it() -> None:
        known, fake = jobs(tmp_path)
        job = await begun(known)
        known.stop(job)
        assert job.state == "stopped"
        await rest()
        assert fake.left == 1
        assert (await told(known, job))[-1] == {"n": 2, "error": "stopped", "kind": "Stopped"}
        unborn = known.begin("ask", {}, True)  # stopped before its task has run a line
        known.stop(unborn)
        await rest()
        assert (unborn.state, len(fake.asked)) == ("stopped", 1)

    run(it)


@pytest.mark.parametrize(("error", "state"), [
    (Failed("no layer 'x'", "UnknownName"), "failed"), (Failed("stopped", "Stopped"), "stopped"),
    (Lost("the process has ended"), "failed"), (ValueError("a fault"), "failed"),
])  # fmt: skip
def test_whatever_goes_wrong_is_the_last_line(error: Exception, state: str, tmp_path: Path, capfd: Any) -> None:
    async def it() -> None:
        known, fake = jobs(tmp_path)
        job = await begun(known)
        await fake.say(error)
        last = (await told(known, job))[-1]
        assert (job.state, job.record()["error"]) == (state, last["error"])
        assert "a fault" not in last["error"]

    run(it)


def test_gone_on_with_a_question_is_asked_again_under_its_id_and_forgets_its_error(tmp_path: Path) -> None:
    async def it() -> None:
        known, fake = jobs(tmp_path)
        job = await begun(known)
        await fake.say({"progress": [["steps", 1, 2]]})
        known.stop(job)
        last = job.lines[-1]["n"]
        assert known.resume(job).state == "running"
        assert known.resume(job) is job, "which is no second question"
        await rest()
        assert [one["job"] for one in fake.asked] == [job.id] * 2
        assert [line["n"] for line in job.lines] == [last + 1], (
            "a page that follows from the first line sees no old end"
        )
        assert job.record()["error"] is None
        await fake.say({"begun": True}, {"key": KEY}, None)
        assert job.state == "done"
        known.resume(job)
        assert (job.state, len(fake.asked)) == ("done", 2)

    run(it)


def test_more_than_some_are_told_to_come_again(tmp_path: Path) -> None:
    async def it() -> None:
        known, _ = jobs(tmp_path)
        first = await begun(known)
        known.stop(first)
        for _ in range(module.LONG):
            await begun(known)
        with pytest.raises(Busy):
            await begun(known)
        with pytest.raises(Busy):
            known.resume(first)
        for _ in range(module.WAITING - module.LONG):
            await begun(known, long=False)
        with pytest.raises(Busy):
            await begun(known, long=False)
        await known.close()

    run(it)


def test_a_short_question_that_nobody_follows_is_stopped(tmp_path: Path) -> None:
    async def it() -> None:
        known, fake = jobs(tmp_path)
        alone, long, followed = await begun(known, long=False), await begun(known), await begun(known, long=False)
        following = asyncio.create_task(told(known, followed))
        await asyncio.sleep(0.25)
        assert (alone.state, long.state, followed.state) == ("stopped", "running", "running")
        following.cancel()
        await asyncio.sleep(0.25)
        assert followed.state == "stopped"
        assert fake.left == 2

    run(it)


def test_after_a_restart_what_ran_is_interrupted_and_can_be_gone_on_with(tmp_path: Path) -> None:
    async def it() -> None:
        known, fake = jobs(tmp_path)
        job, done = await begun(known), await begun(known)
        await fake.say({"begun": True}, {"progress": [["steps", 3, 9]]}, number=0)
        await fake.say({"key": KEY}, None)
        assert json.loads((tmp_path / f"{job.id}.json").read_text())["state"] == "running"

        again, other = jobs(tmp_path)  # as after a crash: nothing was closed
        found = again.find(job.id)
        assert (found.state, found.record()["progress"]) == ("interrupted", [["steps", 3, 9]])
        assert again.find(done.id).record()["keys"] == [KEY]
        assert (await told(again, again.find(done.id)))[-1]["done"]
        assert "ended" in (await told(again, found))[-1]["error"]
        again.resume(found)
        await rest()
        assert other.asked == [{"do": "ask", "method": "m", "job": job.id}]
        await again.close()
        assert found.state == "interrupted"
        await known.close()

    run(it)


def test_work_with_another_network_or_index_is_left_alone(tmp_path: Path) -> None:
    async def it() -> None:
        known, _ = jobs(tmp_path, indexes="a")
        picture, index = await begun(known, nouns={"images": "s-panda"}), await begun(known, nouns={"index": "i0"})
        within = await begun(known, nouns={"images": ["i0-17"]})
        await known.close()
        assert set(jobs(tmp_path, "resnet50", "a")[0].known) == set()
        assert set(jobs(tmp_path, indexes="b")[0].known) == {picture.id}
        assert set(jobs(tmp_path, indexes="a")[0].known) == {picture.id, index.id, within.id}

    run(it)


def test_what_is_forgotten_stays_forgotten(tmp_path: Path) -> None:
    async def it() -> None:
        known, fake = jobs(tmp_path)
        job = await begun(known)
        known.drop(job)
        await rest()
        assert fake.left == 1
        assert list(tmp_path.iterdir()) == []
        with pytest.raises(Gone):
            known.find(job.id)

    run(it)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"id": "a"}', "\x00"])
def test_files_that_are_no_records_are_passed_over(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(text)
    assert jobs(tmp_path)[0].known == {}


def test_a_full_disk_ends_no_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "write_atomically", full)

    async def it() -> None:
        known, fake = jobs(tmp_path)
        job = await begun(known)
        await fake.say({"begun": True}, {"key": KEY}, None)
        assert job.state == "done"

    run(it)


def test_old_work_is_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_REMEMBERED", 3)
    monkeypatch.setattr(module, "_LISTED", 2)

    async def it() -> None:
        known, fake = jobs(tmp_path)
        for long in (True, False):
            for _ in range(6):
                await begun(known, long=long)
                await fake.say(None)
        await begun(known)
        assert [sum(one.long is long for one in known.known.values()) for long in (True, False)] == [3, 3]
        assert len(list(tmp_path.iterdir())) == 3
        await known.close()

    run(it)
