"""Nothing is lost: whoever dies at any moment costs one shard at most, and the index is the same to the bit."""

from __future__ import annotations

import errno
import json
import os
import pickle
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pellucid.errors import MissingDevice, PellucidError, Unreachable
from pellucid.images.sources import Source
from pellucid.index import Index
from pellucid.index.plan import planned
from pellucid.progress import listen
from pellucid.sweep import Plan, Processes, Runner, Serial, Store, _disk, share, swept
from pellucid.sweep.plan import Piece
from pellucid.sweep.schedule import Lost, schedule
from pellucid.sweep.shard import Done
from pellucid.sweep.store import BadStore
from tests.sweep.made import photos, whiten

ROOT = Path(__file__).parents[2]
DRIVE = sys.modules["pellucid.sweep.schedule"]
SPEC = {"spec": f"{ROOT / 'tests/sweep/made.py'}:build", "size": 24}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return photos(tmp_path_factory.mktemp("photos"), 40)


def plan_of(folder: Path, **how: Any) -> Plan:
    from pellucid.net.load import load

    net = load(**SPEC)
    return planned(net, Source.of(folder), spec=SPEC, layers=("first", "second"), count=5, **{"shard": 4, **how})


@pytest.fixture(scope="module")
def digest(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    store = swept(plan_of(folder), tmp_path_factory.mktemp("plain") / "x", Serial())
    return str(store.current["digest"])


@pytest.mark.slow
def test_200_of_200_changed_bits_are_found(folder: Path, tmp_path: Path) -> None:
    store = swept(plan_of(folder), tmp_path / "x", Serial())
    assert store.check() == ()
    files = [p for p in (tmp_path / "x").rglob("*") if p.is_file()]
    assert {p.suffix for p in files} == {".json", ".npz", ".npy"}
    small = [p for p in files if p.suffix == ".json"]
    chance = random.Random(1)
    for k in range(200):
        file = chance.choice(files if k % 2 else small)
        data = bytearray(file.read_bytes())
        at, bit = chance.randrange(len(data)), 1 << chance.randrange(8)
        data[at] ^= bit
        file.write_bytes(data)
        assert any(file.name in line for line in store.check()), (file.name, at, bit)
        data[at] ^= bit
        file.write_bytes(data)
    assert store.check() == ()


@pytest.mark.slow
def test_what_is_damaged_is_refused_and_done_again(folder: Path, tmp_path: Path, digest: str) -> None:
    store = swept(plan_of(folder), tmp_path / "x", Serial())
    shard = tmp_path / "x" / "shards" / "000003.npz"
    shard.write_bytes(shard.read_bytes()[:-70])
    with pytest.raises(BadStore, match=r"000003\.npz: not what was written"):
        store.part(3)
    with pytest.raises(BadStore, match=r"000003\.npz: not what was written"):
        store.finalize()
    assert store.retry() == 1
    assert swept(plan_of(folder), tmp_path / "x", Serial()).current["digest"] == digest
    shutil.copy(tmp_path / "x" / "shards" / "000002.npz", shard)
    assert store.check() == ("000003.npz: it was written as shard 2, or of another index",)
    shard.unlink()
    assert store.check() == ("000003.npz: it is missing",)
    for name in ("current.json", "plan.json"):
        (tmp_path / "x" / name).write_text("{}")
        with pytest.raises(BadStore, match=rf"{name}: not what was written"):
            Store.open(tmp_path / "x").current  # noqa: B018


def test_a_shard_is_an_npz_and_the_same_parts_give_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    one, two = (swept(plan_of(folder), tmp_path / name, Serial()) for name in "ab")
    for file in sorted((tmp_path / "a" / "shards").iterdir()):
        assert file.read_bytes() == (tmp_path / "b" / "shards" / file.name).read_bytes()
    with np.load(tmp_path / "a" / "shards" / "000001.npz") as held:
        assert np.array_equal(held["top.key"], one.part(1)["top"]["key"])
    assert one.current == two.current


def test_another_plan_is_refused(folder: Path, tmp_path: Path) -> None:
    swept(plan_of(folder), tmp_path / "x", Serial())
    with pytest.raises(BadStore, match=r"is the index of something else: other .*seed"):
        swept(plan_of(folder, seed=2), tmp_path / "x", Serial())


def test_an_unfinished_index_is_no_index(folder: Path, tmp_path: Path) -> None:
    store = swept(plan_of(folder), tmp_path / "x", Serial(), part=(0, 2))
    assert len(store.committed()) == 5
    with pytest.raises(BadStore, match="is not finished"):
        store.current  # noqa: B018
    with pytest.raises(BadStore, match="is no index"):
        Store.open(tmp_path / "nowhere")


@pytest.mark.slow
def test_shares_together_are_the_whole(folder: Path, tmp_path: Path, digest: str) -> None:
    for i in (2, 0, 1):
        store = swept(plan_of(folder), tmp_path / "x", Serial(), part=(i, 3))
    assert store.current["digest"] == digest


@pytest.mark.slow
def test_processes_give_the_same_bits(folder: Path, tmp_path: Path, digest: str) -> None:
    for workers in (1, 2, 4):
        store = swept(plan_of(folder), tmp_path / str(workers), Processes(workers))
        assert store.current["digest"] == digest


class Told(Runner):
    """Runs here, and fails as told: pieces that hold a poisoned picture always, every other one at its first try."""

    slots = 2

    def __init__(self, poisoned: Iterable[int]) -> None:
        self.poisoned, self.here = set(poisoned), Serial()
        self.tries: dict[Piece, int] = {}

    def submit(self, plan: Plan, piece: Piece) -> Any:
        return self.here.submit(plan, piece)

    def wait(self, handles: Iterable[Any], seconds: float | int) -> list[Any]:
        return list(handles)[-1:]  # out of order, as a cluster would

    def result(self, handle: Any) -> Done:
        piece = handle.piece
        self.tries[piece] = self.tries.get(piece, 0) + 1
        members = handle.plan.members(piece.shard)[piece.start : piece.stop]
        if self.poisoned & set(members.tolist()):
            raise Lost("a worker died")
        if self.tries[piece] == 1:
            raise OSError("the network cable")
        return self.here.result(handle)


def test_failures_are_tried_again_and_poison_is_set_aside(folder: Path, tmp_path: Path, digest: str) -> None:
    assert swept(plan_of(folder), tmp_path / "x", Told([])).current["digest"] == digest
    runner = Told([7, 23])
    store = swept(plan_of(folder), tmp_path / "y", runner)
    assert store.bad() == ((7, "Lost: a worker died"), (23, "Lost: a worker died"))
    assert store.current["digest"] != digest
    assert max(runner.tries.values()) == 3


def test_what_every_piece_would_meet_is_raised_at_once(folder: Path, tmp_path: Path) -> None:
    class Broken(Told):
        def result(self, handle: Any) -> Done:
            raise PellucidError("no layer 'fc'")

    with pytest.raises(PellucidError, match="no layer 'fc'"):
        swept(plan_of(folder), tmp_path / "x", Broken([]))


@pytest.mark.slow
def test_what_takes_too_long_is_abandoned(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DRIVE, "LEAST", 0.1)

    class Slow(Told):
        abandoned = 0

        def wait(self, handles: Iterable[Any], seconds: float | int) -> list[Any]:
            slow = [one for one in handles if 3 in one.plan.members(one.piece.shard)[one.piece.start : one.piece.stop]]
            ready = [one for one in handles if one not in slow]
            if not ready:
                time.sleep(seconds)
            return ready[:1]

        def result(self, handle: Any) -> Done:
            return self.here.result(handle)

        def abandon(self, handle: Any) -> None:
            self.abandoned += 1

    plan, runner = plan_of(folder, shard=20), Slow([])
    store = Store.begun(tmp_path / "x", plan)
    schedule(plan, store, runner, range(plan.shards), deadline=0.4)
    assert store.bad() == ((3, "it took longer than the deadline"),)
    assert runner.abandoned >= 3


def test_more_failures_than_pictures_can_be_the_cause_of_end_the_run(folder: Path, tmp_path: Path, digest: str) -> None:
    with pytest.raises(PellucidError, match=r"17 images failed, the last with Lost: a worker died; what is done is"):
        swept(plan_of(folder), tmp_path / "x", Told(range(20, 40)))
    store = Store.open(tmp_path / "x")
    assert len(store.committed()) < 10
    store.retry()
    assert swept(plan_of(folder), tmp_path / "x", Serial()).current["digest"] == digest


def test_who_does_not_answer_is_asked_again_later(
    folder: Path, tmp_path: Path, digest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Away(Told):
        def result(self, handle: Any) -> Done:
            self.tries[handle.piece] = self.tries.get(handle.piece, 0) + 1
            if self.tries[handle.piece] < 3:
                raise Unreachable("cannot reach 's3://x'")
            return self.here.result(handle)

    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    store = swept(plan_of(folder), tmp_path / "x", Away([]))
    assert (store.current["digest"], store.bad()) == (digest, ())
    assert set(waited) == {5.0, 10.0}


def test_pictures_that_could_be_read_by_now_are_done_again(folder: Path, tmp_path: Path, digest: str) -> None:
    store = swept(plan_of(folder), tmp_path / "x", Told([7, 23]))
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "x" / "shards").iterdir()}
    assert store.retry() == len({store.plan.scope.order.tolist().index(i) // 4 for i in (7, 23)})
    store = swept(plan_of(folder), tmp_path / "x", Serial())
    assert (store.current["digest"], store.bad()) == (digest, ())
    assert sum(p.stat().st_mtime_ns == at for p, at in before.items()) >= 8


def test_nothing_that_can_be_read_is_no_index(tmp_path: Path) -> None:
    for i in range(3):
        (tmp_path / f"{i}.png").write_bytes(b"no picture")
    with pytest.raises(BadStore, match=r"none of the 3 images could be read: .*is no image"):
        swept(plan_of(tmp_path), tmp_path / "x", Serial())


@pytest.mark.slow
@pytest.mark.parametrize("failure", [errno.ENOSPC, errno.EROFS, errno.EIO])
@pytest.mark.parametrize("after", [0, 1, 5, 12, 20])
def test_disk_full_and_read_only(
    folder: Path, tmp_path: Path, digest: str, monkeypatch: pytest.MonkeyPatch, failure: int, after: int
) -> None:
    """At any write: one line, nothing half there, and what was done is not done again."""
    real, writes = os.fsync, iter(range(10**6))

    def full(handle: int) -> None:
        if next(writes) >= after:
            raise OSError(failure, os.strerror(failure))
        real(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(PellucidError) as caught:
            swept(plan_of(folder), tmp_path / "x", Serial())
    assert os.strerror(failure) in str(caught.value)
    assert "\n" not in str(caught.value)
    done = {p: p.stat().st_mtime_ns for p in (tmp_path / "x").rglob("*.npz")}
    if (tmp_path / "x" / "plan.json").exists():
        assert Store.open(tmp_path / "x").check() == ()
    store = swept(plan_of(folder), tmp_path / "x", Serial())
    assert store.current["digest"] == digest
    assert all(p.stat().st_mtime_ns == at for p, at in done.items())
    assert not list((tmp_path / "x").rglob(".*.part"))


def test_a_store_that_nobody_may_write_is_read(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    swept(plan_of(folder), tmp_path / "x", Serial())

    def refused(*_: Any, **__: Any) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    for name in ("mkdir", "unlink", "rename", "replace", "link"):
        monkeypatch.setattr(os, name, refused)
    monkeypatch.setattr(tempfile, "mkstemp", refused)
    index = Index.of(tmp_path / "x")
    assert len(index["first"].top(1, 3).values) == 3
    assert index.store.check() == ()
    assert swept(plan_of(folder), tmp_path / "x", Serial()).finished  # nothing to do, so nothing to write
    with pytest.raises(PellucidError, match="Read-only file system"):
        swept(plan_of(folder), tmp_path / "y", Serial())


def test_who_writes_keeps_its_files_and_who_died_does_not(folder: Path, tmp_path: Path) -> None:
    store = swept(plan_of(folder), tmp_path / "x", Serial(), part=(0, 2))
    shards, host = tmp_path / "x" / "shards", _disk._HOST
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    mine, dead, far, old = (shards / f".000001.npz.x.{who}.part" for who in
                            (f"{host}-{os.getppid()}", f"{host}-{gone.pid}", "elsewhere-7", "elsewhere-8"))  # fmt: skip
    for file in (mine, dead, far, old):
        file.touch()
    os.utime(old, (0, 0))
    Store.begun(tmp_path / "x", store.plan)
    assert [file.exists() for file in (mine, dead, far, old)] == [True, False, True, False]


@pytest.mark.slow
def test_two_writers_and_a_reader_at_once(folder: Path, tmp_path: Path, digest: str) -> None:
    plan, failed = plan_of(folder), []
    ends = threading.Event()

    def write(part: tuple[int, int]) -> None:
        try:
            for _ in range(2):
                swept(plan, tmp_path / "x", Serial(), part=part)
        except Exception as error:
            failed.append(error)

    def read() -> None:
        while not ends.is_set():
            try:
                index = Index.of(tmp_path / "x")
                assert index.store.current["digest"] == digest
                assert len(index["first"].top(1, 3).values) == 3
            except BadStore as error:
                if "not finished" not in str(error) and "is no index" not in str(error):
                    failed.append(error)
            except Exception as error:
                failed.append(error)

    writers = [threading.Thread(target=write, args=[part]) for part in ((0, 1), (0, 1), (1, 2))]
    reader = threading.Thread(target=read)
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    ends.set()
    reader.join()
    assert not failed
    store = Store.open(tmp_path / "x")
    assert (store.current["digest"], store.check()) == (digest, ())


def test_only_one_plan_wins_a_folder(folder: Path, tmp_path: Path) -> None:
    plans = [plan_of(folder, seed=seed) for seed in range(4)]
    ended: list[str] = []

    def begin(plan: Plan) -> None:
        try:
            Store.begun(tmp_path / "x", plan)
            ended.append("in")
        except BadStore:
            ended.append("out")

    threads = [threading.Thread(target=begin, args=[plan]) for plan in plans]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ended) == ["in", "out", "out", "out"]


@pytest.mark.parametrize(
    ("there", "said"),
    [
        ({"SLURM_ARRAY_TASK_ID": "5", "SLURM_ARRAY_TASK_COUNT": "4", "SLURM_ARRAY_TASK_MIN": "3"}, (2, 4)),
        ({"SLURM_ARRAY_TASK_ID": "4", "SLURM_ARRAY_TASK_COUNT": "3", "SLURM_ARRAY_TASK_MIN": "0",
          "SLURM_ARRAY_TASK_STEP": "2", "SLURM_PROCID": "0", "SLURM_NTASKS": "1"}, (2, 3)),
        ({"RANK": "1", "WORLD_SIZE": "2"}, (1, 2)), ({"JOB_COMPLETION_INDEX": "0", "JOB_COMPLETIONS": "9"}, (0, 9)),
        ({"SGE_TASK_ID": "undefined", "RANK": "0", "WORLD_SIZE": "1"}, (0, 1)),
        ({"JOB_COMPLETION_INDEX": "3"}, "no JOB_COMPLETIONS: say --share 3/N"),
        ({"RANK": "2", "WORLD_SIZE": "2"}, "are no i-th of n"), ({}, "which share is this machine's"),
    ],
)  # fmt: skip
def test_shares_of_a_job_array(there: dict[str, str], said: tuple[int, int] | str) -> None:
    if isinstance(said, tuple):
        assert share(there) == said
    else:
        with pytest.raises(PellucidError, match=said):
            share(there)


@pytest.mark.slow
def test_a_picture_that_kills_costs_no_other(tmp_path: Path) -> None:
    """Processes die together: whoever was beside the culprit is tried alone before it is blamed."""
    folder = whiten(photos(tmp_path / "photos", 12), ["0003.png"])
    spec = {**SPEC, "spec": f"{SPEC['spec'].rpartition(':')[0]}:deadly"}
    plan = replace(plan_of(folder, shard=4), net=spec)
    store = swept(plan, tmp_path / "x", Processes(2))
    assert store.bad() == ((3, "Lost: a worker died"),)
    assert Index.of(store).embedding[0].tolist() == [i for i in range(12) if i != 3]


@pytest.mark.slow
def test_a_picture_that_never_ends_costs_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = sys.modules["pellucid.sweep.schedule"]  # in the package, a function has this name
    monkeypatch.setattr(module, "_SLOW", 1.5)  # in place of 20 times as long as any other, and half a minute
    monkeypatch.setattr(module, "LEAST", 8.0)
    folder = whiten(photos(tmp_path / "photos", 4), ["0003.png"])
    spec = {**SPEC, "spec": f"{SPEC['spec'].rpartition(':')[0]}:stuck"}
    plan = replace(plan_of(folder, shard=1), net=spec)  # larger ones are taken apart as in the test above
    store = swept(plan, tmp_path / "x", Processes(2), deadline=6)
    assert store.bad() == ((3, "it took longer than the deadline"),)
    assert Index.of(store).embedding[0].tolist() == [0, 1, 2]


@pytest.mark.slow
def test_workers_end_with_who_began_them(folder: Path, tmp_path: Path, digest: str) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps(plan_of(folder, shard=2).as_dict()), encoding="utf-8")
    code = _RUN.replace("Serial()", "Processes(2)").replace("Serial,", "Processes,")
    code = f"if __name__ == '__main__':\n{textwrap.indent(code, '    ')}"
    (tmp_path / "run.py").write_text(code)
    child = subprocess.Popen([sys.executable, str(tmp_path / "run.py"), str(plan), str(tmp_path / "x")])
    born = time.monotonic()
    while not list((tmp_path / "x" / "shards").glob("0*.npz")) and time.monotonic() < born + 60:
        time.sleep(0.05)
    workers = _children(child.pid)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert workers
    until = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in workers) and time.monotonic() < until:
        time.sleep(0.1)
    assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()]
    assert swept(plan_of(folder, shard=2), tmp_path / "x", Serial()).current["digest"] == digest


def _children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(one) for one in listed]


_RUN = """
import json, sys
from pellucid.sweep import Plan, Serial, swept
swept(Plan.from_dict(json.load(open(sys.argv[1]))), sys.argv[2], Serial())
"""


@pytest.mark.slow
def test_kill_at_random_moments(folder: Path, tmp_path: Path, digest: str) -> None:
    """Ten kills: what was committed stays as it is, and the finished index has the same bits."""
    plan, chance = tmp_path / "plan.json", random.Random(0)
    plan.write_text(json.dumps(plan_of(folder).as_dict()), encoding="utf-8")
    committed: dict[Path, bytes] = {}
    for _ in range(10):
        child = subprocess.Popen([sys.executable, "-c", _RUN, str(plan), str(tmp_path / "x")], env=dict(os.environ))
        try:
            child.wait(chance.uniform(1.0, 6.0))
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
            child.wait()
        assert child.returncode in (0, -signal.SIGKILL)
        for file, data in committed.items():
            assert file.read_bytes() == data
        if (tmp_path / "x" / "plan.json").exists():
            store = Store.open(tmp_path / "x")
            # a kill between the arrays and the file that says which are read leaves the index unfinished
            assert all(line.startswith("current.json: it is missing") for line in store.check())
            committed |= {f: f.read_bytes() for f in (tmp_path / "x" / "shards").glob("0*.npz")}
    store = swept(plan_of(folder), tmp_path / "x", Serial())
    assert store.current["digest"] == digest
    assert store.check() == ()
    assert not list((tmp_path / "x").rglob(".*.part"))


@pytest.mark.slow
def test_a_shard_that_takes_long_does_not_make_the_next_one_late(folder: Path, tmp_path: Path, digest: str) -> None:
    class Slow(Serial):
        def result(self, handle: Any) -> Done:
            time.sleep(0.3)
            return super().result(handle)

    store = Store.begun(tmp_path / "x", plan_of(folder))
    schedule(store.plan, store, Slow(), range(store.plan.shards), deadline=0.2)
    assert store.bad() == ()
    store.finalize()
    assert store.current["digest"] == digest


def test_a_network_with_another_preprocessing_is_refused(folder: Path, tmp_path: Path) -> None:
    plan = plan_of(folder)
    other = replace(plan, preprocess={**plan.preprocess, "mean": [0.1, 0.1, 0.1]})
    with pytest.raises(PellucidError, match="another preprocessing than the index was begun with"):
        swept(other, tmp_path / "x", Serial())


def test_what_travels_is_small(folder: Path) -> None:
    plan = plan_of(folder)
    plan.members(0)
    assert len(pickle.dumps(plan)) < 5000
    assert "_order" not in pickle.loads(pickle.dumps(plan)).__dict__


class Takes(Told):
    """Every picture takes its time, and whoever asks too early is told nothing."""

    each = 0.01

    def __init__(self) -> None:
        super().__init__([])
        self.ready: dict[Any, float] = {}

    def submit(self, plan: Plan, piece: Piece) -> Any:
        handle = super().submit(plan, piece)
        self.ready[handle] = time.monotonic() + self.each * (piece.stop - piece.start)
        return handle

    def wait(self, handles: Iterable[Any], seconds: float | int) -> list[Any]:
        until = time.monotonic() + seconds
        first = min(handles, key=lambda one: self.ready[one])
        time.sleep(max(min(self.ready[first], until) - time.monotonic(), 0))
        return [first] if self.ready[first] <= time.monotonic() else []

    def result(self, handle: Any) -> Done:
        return self.here.result(handle)


@pytest.mark.parametrize("deadline", [0.0005, 0.02])
def test_a_deadline_that_is_too_short_costs_no_picture(
    folder: Path, tmp_path: Path, digest: str, deadline: float
) -> None:
    store = swept(plan_of(folder), tmp_path / "x", Takes(), deadline=deadline)
    assert (store.bad(), store.current["digest"]) == ((), digest)


def test_where_nothing_is_ever_done_the_run_ends(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Never(Takes):
        each = 1e9

    monkeypatch.setattr(DRIVE, "HOURS", 0.1)
    with pytest.raises(PellucidError, match=r"no image was done within \d+ seconds: .*what is done is kept"):
        swept(plan_of(folder), tmp_path / "x", Never(), deadline=0.01)


@pytest.mark.parametrize("device", ["cuda", "xpu"])
def test_a_device_that_a_worker_lacks_is_one_line_at_once(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: str
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    asked: list[Piece] = []

    class Counting(Serial):
        def submit(self, plan: Plan, piece: Piece) -> Any:
            asked.append(piece)
            return super().submit(plan, piece)

    with pytest.raises(MissingDevice, match=rf"is made on a {device} device and the worker on .* has none"):
        swept(replace(plan_of(folder), device=device), tmp_path / "x", Counting())
    assert len(asked) == 1


def test_progress_is_told_within_a_shard(folder: Path, tmp_path: Path) -> None:
    heard: list[tuple[str, int, int | None]] = []
    with listen(lambda *what: heard.append(what)):
        swept(plan_of(folder, shard=40, batch=8), tmp_path / "x", Serial())
    assert {(what, total) for what, _, total in heard} == {("images", 40)}
    assert [done for _, done, _ in heard] == list(range(41))
