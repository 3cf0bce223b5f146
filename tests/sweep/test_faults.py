"""Nothing is lost: whoever dies at any moment costs one shard at most, and the index is the same to the bit."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from pellucid.errors import PellucidError
from pellucid.images.sources import Source
from pellucid.sweep import Here, Plan, Processes, Runner, Store, planned, swept
from pellucid.sweep.drive import Lost, drive
from pellucid.sweep.plan import Piece
from pellucid.sweep.shard import Done
from pellucid.sweep.store import BadStore
from tests.sweep.made import photos

ROOT = Path(__file__).parents[2]
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
    store = swept(plan_of(folder), tmp_path_factory.mktemp("plain") / "x", Here())
    return str(store.current["digest"])


def test_a_damaged_file_is_found(folder: Path, tmp_path: Path) -> None:
    store = swept(plan_of(folder), tmp_path / "x", Here())
    assert store.check() == ()
    files = [p for p in (tmp_path / "x").rglob("*") if p.suffix in (".npz", ".npy")]
    chance = random.Random(1)
    for _ in range(60):
        file = chance.choice(files)
        data = bytearray(file.read_bytes())
        at, bit = chance.randrange(len(data)), 1 << chance.randrange(8)
        data[at] ^= bit
        file.write_bytes(data)
        assert any(file.name in line for line in store.check()), (file.name, at, bit)
        data[at] ^= bit
        file.write_bytes(data)
    assert store.check() == ()


def test_another_plan_is_refused(folder: Path, tmp_path: Path) -> None:
    swept(plan_of(folder), tmp_path / "x", Here())
    with pytest.raises(BadStore, match=r"is the index of something else: other .*seed"):
        swept(plan_of(folder, seed=2), tmp_path / "x", Here())


def test_an_unfinished_index_is_no_index(folder: Path, tmp_path: Path) -> None:
    store = swept(plan_of(folder), tmp_path / "x", Here(), part=(0, 2))
    assert len(store.committed()) == 5
    with pytest.raises(BadStore, match="is not finished"):
        store.current  # noqa: B018
    with pytest.raises(BadStore, match="is no index"):
        Store.open(tmp_path / "nowhere")


def test_shares_together_are_the_whole(folder: Path, tmp_path: Path, digest: str) -> None:
    for i in (2, 0, 1):
        store = swept(plan_of(folder), tmp_path / "x", Here(), part=(i, 3))
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
        self.poisoned, self.here = set(poisoned), Here()
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


def test_what_takes_too_long_is_abandoned(folder: Path, tmp_path: Path) -> None:
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
    drive(plan, store, runner, range(plan.shards), deadline=0.4)
    assert store.bad() == ((3, "it took longer than the deadline"),)
    assert runner.abandoned >= 3


_RUN = """
import json, sys
from pellucid.sweep import Here, Plan, swept
swept(Plan.from_dict(json.load(open(sys.argv[1]))), sys.argv[2], Here())
"""


@pytest.mark.slow
@pytest.mark.parametrize("run", range(5))
def test_kill_at_random_moments(folder: Path, tmp_path: Path, digest: str, run: int) -> None:
    """Ten kills each: what was committed stays as it is, and the finished index has the same bits."""
    plan, chance = tmp_path / "plan.json", random.Random(run)
    plan.write_text(json.dumps(plan_of(folder).as_dict()), encoding="utf-8")
    committed: dict[Path, bytes] = {}
    for _ in range(10):
        child = subprocess.Popen([sys.executable, "-c", _RUN, str(plan), str(tmp_path / "x")], env=dict(os.environ))
        try:
            child.wait(chance.uniform(1.0, 6.0))
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
            child.wait()
        for file, data in committed.items():
            assert file.read_bytes() == data
        if (tmp_path / "x" / "manifest.sqlite").exists():
            store = Store(tmp_path / "x", plan_of(folder))
            assert not [line for line in store.check() if "npz" in line]
            committed |= {f: f.read_bytes() for f in (tmp_path / "x" / "shards").glob("0*.npz")}
    store = swept(plan_of(folder), tmp_path / "x", Here())
    assert store.current["digest"] == digest
    assert store.check() == ()
    assert not list((tmp_path / "x").rglob(".*.part"))
