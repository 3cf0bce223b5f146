"""A Ray cluster gives the same bits, whoever dies on it; and none is used that lets everybody in.

Every test runs in a process of its own, on a cluster of its own: Ray reads its environment once.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from pellucid import sweep
from pellucid.errors import MissingExtra, PellucidError, Refused
from pellucid.sweep import Ray, Serial, Store, swept
from tests.sweep.made import photos, whiten
from tests.sweep.test_faults import ROOT, SPEC, plan_of

pytestmark = pytest.mark.slow

HEAD = """
import glob, json, os, signal, sys, threading, time
from pathlib import Path
sys.path.insert(0, {root!r})
from pellucid.sweep import Plan, Ray, Store, swept
plan = Plan.from_dict(json.load(open("plan.json")))

def when(done, act):
    "`act` when so many shards are there."
    def wait():
        while len(glob.glob("x.index/shards/0*.npz")) < done:
            time.sleep(0.02)
        act()
    threading.Thread(target=wait, daemon=True).start()

def workers():
    "Process ids of this cluster's workers that are at work."
    import ray
    from pellucid.sweep.runners.ray import _worked
    mine = os.environ["RAY_AUTH_TOKEN"].encode()
    found = []
    for place in glob.glob("/proc/[0-9]*"):
        try:
            line = Path(place, "cmdline").read_bytes()
            if line.startswith(b"ray::_worked") and mine in Path(place, "environ").read_bytes():
                found.append(int(place[6:]))
        except OSError:
            continue
    return found

def cluster(**nodes):
    from pathlib import Path
    from ray.cluster_utils import Cluster
    return Cluster(initialize_head=True, head_node_args={{"include_dashboard": False, **nodes}})
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    pytest.importorskip("ray")
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("RAY_"):
            monkeypatch.delenv(name)
    with (Path(tempfile.gettempdir()) / "pellucid-test-ray.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two clusters begun at once on two processors wait too long for each other
        yield photos(tmp_path / "photos", 40)


def ran(code: str, plan: sweep.Plan, **environment: str) -> str:
    """What a program printed, on a cluster whose token is new."""
    Path("plan.json").write_text(json.dumps(plan.as_dict()))
    Path("run.py").write_text(HEAD.format(root=str(ROOT)) + textwrap.dedent(code))
    token = {"RAY_AUTH_TOKEN": secrets.token_hex(32), "RAY_AUTH_MODE": "token", "HOME": os.getcwd()}
    said = subprocess.run(
        [sys.executable, "run.py"], env={**os.environ, **token, **environment}, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert said.returncode == 0, said.stderr[-2000:]
    return said.stdout


def digest(plan: sweep.Plan) -> str:
    return str(swept(plan, "plain.index", Serial()).current["digest"])


def test_one_machine(folder: Path) -> None:
    plan = plan_of(folder)
    code = """
    print(swept(plan, "x.index", Ray(2)).current["digest"])
    import os, ray
    print(os.environ["RAY_USAGE_STATS_ENABLED"], ray.is_initialized())
    """
    assert ran(code, plan).split() == [digest(plan), "0", "False"]


def test_a_worker_is_killed(folder: Path) -> None:
    plan = plan_of(folder, shard=2)
    code = """
    killed = []
    def kill():
        for _ in range(5):
            for pid in workers()[:1]:
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)
            time.sleep(0.5)
    when(2, kill)
    store = swept(plan, "x.index", Ray(2))
    print(store.current["digest"], len(store.bad()), len(killed) > 0)
    """
    assert ran(code, plan).split() == [digest(plan), "0", "True"]


def test_two_machines_and_one_is_lost(folder: Path) -> None:
    plan = plan_of(folder, shard=2)
    code = """
    held = cluster(num_cpus=1)
    other = held.add_node(num_cpus=1)
    held.wait_for_nodes()
    whole = swept(plan, "whole.index", Ray(address=held.address)).current["digest"]
    lost = []
    def lose():
        held.remove_node(other, allow_graceful=False)
        lost.append(1)
    when(3, lose)
    store = swept(plan, "x.index", Ray(address=held.address))
    print(whole, store.current["digest"], len(store.bad()), len(lost))
    held.shutdown()
    """
    plain = digest(plan)
    assert ran(code, plan).split() == [plain, plain, "0", "1"]


def test_a_picture_that_kills_its_worker_is_set_aside(folder: Path) -> None:
    plan = plan_of(whiten(folder, ["0003.png"]), shard=4)
    spec = {**SPEC, "spec": f"{SPEC['spec'].rpartition(':')[0]}:deadly_anywhere"}
    code = """
    store = swept(plan, "x.index", Ray(2))
    from pellucid.index import Index
    print(store.bad(), len(Index.of(store).embedding[0]))
    """
    said = ran(code, sweep.Plan.from_dict({**plan.as_dict(), "net": spec}))
    assert said.strip() == "((3, 'Lost: its worker was lost (WorkerCrashedError)'),) 39"


def test_the_driver_is_killed(folder: Path) -> None:
    plan = plan_of(folder, shard=2)
    code = """
    if os.fork() == 0:
        when(4, lambda: os.kill(os.getpid(), signal.SIGKILL))
        swept(plan, "x.index", Ray(2))
        os._exit(0)
    _, status = os.wait()
    print(os.WTERMSIG(status) == signal.SIGKILL)
    """
    assert ran(code, plan).split() == ["True"]
    before = {p: p.stat().st_mtime_ns for p in Path("x.index", "shards").glob("0*.npz")}
    assert 4 <= len(before) < plan.shards
    said = ran('print(swept(plan, "x.index", Ray(2)).current["digest"])', plan)
    assert said.split() == [digest(plan)]
    assert all(p.stat().st_mtime_ns == at for p, at in before.items())
    assert Store.open("x.index").check() == ()


def test_no_token_no_cluster(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused: us without a token, or a wrong one; whoever has none, by our cluster; an open cluster, by us."""
    plan = plan_of(folder)
    code = """
    import subprocess
    from pellucid.errors import PellucidError
    from pellucid.sweep.runners.ray import _knocked
    held = cluster(num_cpus=1)
    print(_knocked(held.address, token=True), _knocked(held.address, token=False))
    def tried(**changed):
        for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_MODE"):
            os.environ.pop(name, None)
        os.environ.update(changed)
        try:
            Ray(address=held.address).submit(plan, plan.piece(0))
        except PellucidError as error:
            print(type(error).__name__, str(error).partition(":")[0].split()[0:4])
    tried()
    tried(RAY_AUTH_TOKEN="0" * 64)
    held.shutdown()
    """
    told = ran(code, plan).splitlines()
    assert told[0] == "open AuthenticationError"
    assert told[1].startswith("Refused ['no', 'token', 'for'")
    assert told[2].startswith("Refused ['the', 'Ray', 'cluster'")
    code = """
    from pellucid.errors import PellucidError
    os.environ["RAY_AUTH_MODE"] = "disabled"
    held = cluster(num_cpus=1)
    try:
        swept(plan, "x.index", Ray(address=held.address))
    except PellucidError as error:
        print(type(error).__name__, error)
    held.shutdown()
    """
    said = ran(code, plan, RAY_AUTH_MODE="disabled")
    assert "Refused the Ray cluster at" in said
    assert "runs the code of whoever reaches it: start it with RAY_AUTH_MODE=token" in said
    assert not Store.open("x.index").committed()


def test_nobody_there_is_said_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of(folder)
    monkeypatch.setenv("RAY_AUTH_TOKEN", "0" * 64)
    for address, said in (("127.0.0.1:9", "no Ray cluster answers at '127.0.0.1:9'"), ("auto", "HOST:PORT"),
                          ("ray://x:10001", "HOST:PORT")):  # fmt: skip
        with pytest.raises(PellucidError, match=said):
            Ray(address=address).submit(plan, plan.piece(0))
    monkeypatch.delenv("RAY_AUTH_TOKEN")
    monkeypatch.setenv("HOME", str(folder))
    with pytest.raises(Refused, match="no token for the Ray cluster"):
        Ray(address="127.0.0.1:9").submit(plan, plan.piece(0))
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtra, match=r"pip install .*\[ray\]'"):
        Ray().submit(plan, plan.piece(0))
