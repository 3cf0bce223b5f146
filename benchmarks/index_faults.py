"""What an index run survives: kill -9, lost workers and machines, changed bits; JSON lines.

    python benchmarks/index_faults.py kills [--kills 50]   # the driver, at random moments
    python benchmarks/index_faults.py ray                  # one machine, two, a worker killed, a machine lost
    python benchmarks/index_faults.py flips [--flips 200]  # one bit in any file

Every run is the command line over the sample photos (420 windows) and the bundled network; the digest of a disturbed
run is compared with that of an undisturbed one. Times are wall seconds of the whole command.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SHARD = "20"


def report(what: str, **facts: object) -> None:
    print(json.dumps({"what": what, **facts}), flush=True)


def begun(store: str, *more: str) -> subprocess.Popen[str]:
    line = [sys.executable, "-m", "pellucid", "index", "samples", "--store", store, "--shard", SHARD, "--json"]
    return subprocess.Popen([*line, *more], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def finished(store: str, *more: str, meanwhile: Callable[[], object] | None = None) -> tuple[dict[str, Any], float]:
    """(what the command said, seconds)"""
    start = time.perf_counter()
    child = begun(store, *more)
    if meanwhile:
        threading.Thread(target=meanwhile, daemon=True).start()
    said = child.communicate()[0]
    if child.returncode:
        raise SystemExit(f"the command ended with {child.returncode}")
    return json.loads(said), time.perf_counter() - start


def shards(store: str) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in Path(store, "shards").glob("0*.npz")}


def when(store: str, done: int, act: Callable[[], object]) -> Callable[[], None]:
    """`act` once, when so many shards are there."""

    def wait() -> None:
        while len(shards(store)) < done:
            time.sleep(0.05)
        act()

    return wait


def kills(count: int, seed: int) -> None:
    """kill -9 at random moments, the same line again, until the index is there; over again until so many kills."""
    plain, seconds = finished("plain")
    chance, killed, indexes, lost, left, same = random.Random(seed), 0, 0, 0, 0, True
    while killed < count:
        store, runs = f"killed{indexes}", 0
        while True:
            before = shards(store)
            child = begun(store)
            try:
                child.wait(chance.uniform(1, 9) if killed < count else None)
                lost += sum(shards(store).get(path) != at for path, at in before.items())
                break
            except subprocess.TimeoutExpired:
                child.send_signal(signal.SIGKILL)
                child.wait()
                killed, runs = killed + 1, runs + 1
                left += len(list(Path(store).rglob("*.part")))
            lost += sum(shards(store).get(path) != at for path, at in before.items())
        said, _ = finished(store)
        same = same and said["digest"] == plain["digest"]
        indexes += 1
    report("kill -9 at random moments", kills=killed, indexes=indexes, shards_lost_or_changed=lost,
           same_digest=same, temporary_files_seen=left, seconds_undisturbed=round(seconds, 1))  # fmt: skip


def flips(count: int) -> None:
    """One bit of any file; each kind of file as often as the others."""
    from pellucid.sweep import Store

    finished("x", "--layers", "blocks.1,blocks.6")  # few layers, since every check reads all
    store, chance = Store.open("x"), random.Random(0)
    kinds: dict[str, list[Path]] = {}
    for path in Path("x").rglob("*"):
        if path.is_file():
            kinds.setdefault(path.suffix if path.suffix != ".json" else path.name, []).append(path)
    found = dict.fromkeys(kinds, 0)
    for k in range(count):
        kind = list(kinds)[k % len(kinds)]
        path = chance.choice(kinds[kind])
        at, bit = chance.randrange(path.stat().st_size), 1 << chance.randrange(8)
        _flip(path, at, bit)
        found[kind] += any(path.name in line for line in store.check())
        _flip(path, at, bit)
    report("one-bit flips", flips=count, found=sum(found.values()), by_kind=found, sound_after=store.check() == ())


def _flip(path: Path, at: int, bit: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ bit]))


def ray() -> None:
    """The same index on Ray clusters of this machine; what is disturbed is compared with what is not."""
    os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32), "RAY_USAGE_STATS_ENABLED": "0"}
    from ray.cluster_utils import Cluster

    plain, seconds = finished("local")
    report("local, one process", seconds=round(seconds, 1), digest=plain["digest"][:16])
    more = ("--runner", "ray", "--workers", "2")
    for what, store, meanwhile in (
        ("ray, one machine", "one", None),
        ("ray, one machine, a worker killed twice", "worker", when("worker", 5, _kill_workers)),
    ):
        said, took = finished(store, *more, meanwhile=meanwhile)
        report(what, seconds=round(took, 1), same_digest=said["digest"] == plain["digest"], unreadable=said["bad"])
    cluster = Cluster(initialize_head=True, head_node_args={"include_dashboard": False, "num_cpus": 1})
    other = cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    more = ("--runner", "ray", "--address", cluster.address)
    for what, store, meanwhile in (
        ("ray, two machines", "two", None),
        ("ray, two machines, one lost", "lost",
         when("lost", 5, lambda: cluster.remove_node(other, allow_graceful=False))),
    ):  # fmt: skip
        said, took = finished(store, *more, meanwhile=meanwhile)
        report(what, seconds=round(took, 1), same_digest=said["digest"] == plain["digest"], unreadable=said["bad"])
    cluster.shutdown()


def _kill_workers() -> None:
    """kill -9 a worker of our cluster that is at work, twice."""
    mine, killed = os.environ["RAY_AUTH_TOKEN"].encode(), 0
    while killed < 2:
        for place in Path("/proc").glob("[0-9]*"):
            try:
                ours = (place / "cmdline").read_bytes().startswith(b"ray::_worked")
                if ours and mine in (place / "environ").read_bytes():
                    os.kill(int(place.name), signal.SIGKILL)
                    killed += 1
                    break
            except OSError:
                continue
        time.sleep(2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["kills", "ray", "flips"])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--flips", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        {"kills": lambda: kills(asked.kills, asked.seed), "ray": ray, "flips": lambda: flips(asked.flips)}[asked.what]()


if __name__ == "__main__":
    main()
