"""The explorer's times and its bearing of many clients, asked over HTTP as a page asks; all on loopback.

python -m benchmarks.explorer start                      # from the start of the command to the page, guesses and a grid
python -m benchmarks.explorer warm [--index FOLDER]      # again, when everything is loaded; parts of a unit's page
python -m benchmarks.explorer load --clients 32 --minutes 10 [--kill]   # with the worker killed at half time
python -m benchmarks.explorer stops [--index FOLDER] [--photos FOLDER]  # how soon stopped work frees its worker
python -m benchmarks.explorer map --points 100000        # in Chromium: frames a second while a map is dragged
python -m benchmarks.explorer camera --layer blocks.4    # in Chromium, of a fake camera: frames a second with a mosaic
"""

from __future__ import annotations

import argparse
import http.client
import io
import json
import os
import random
import re
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

METHODS = ["grad_cam", "occlusion", "guided_backprop"]
SAMPLES = ["s-panda", "s-koala", "s-dragon", "s-espresso", "s-lemur", "s-rocket"]


class Client:
    """One page: JSON, bytes, and streams of lines."""

    def __init__(self, base: str, patience: float = 600) -> None:
        self.base, self.patience = base, patience

    def open(self, path: str, body: Any = None) -> Any:
        """A request; a body makes it one that changes something."""
        headers = {"X-Pellucid": "1"} if body is not None else {}
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        if isinstance(body, (dict, list)):
            headers |= {"Content-Type": "application/json", "Accept": "text/event-stream"}
        return urllib.request.urlopen(urllib.request.Request(self.base + path, content, headers), timeout=self.patience)

    def get(self, path: str, body: Any = None) -> bytes:
        with self.open(path, body) as answer:
            return bytes(answer.read())

    def lines(self, path: str, body: Any) -> Iterator[dict[str, Any]]:
        with self.open(path, body) as answer:
            for line in answer:
                yield json.loads(line)

    def grid(self, image: str, methods: Sequence[str], k: int) -> int:
        """A grid with all its numbers; how many maps there are."""
        found = 0
        for line in self.lines("api/compare", {"methods": list(methods), "image": image, "k": k}):
            if "key" in line:
                self.get(f"api/results/{line['key']}")
                found += 1
        return found

    def ready(self) -> None:
        """Wait until the network is there."""
        while json.loads(self.get("api/state"))["state"] != "ready":
            time.sleep(0.05)


@contextmanager
def served(*words: str) -> Iterator[tuple[Client, subprocess.Popen[str], float]]:
    """The command, with caches of its own; when it was started."""
    with tempfile.TemporaryDirectory() as home:
        env = {**os.environ, "XDG_CACHE_HOME": home, "XDG_STATE_HOME": home}
        begun = time.perf_counter()
        command = [sys.executable, "-m", "pellucid", "serve", "--port", "0", "--no-open", *words]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env)
        try:
            assert process.stdout is not None
            link = re.search(r"http\S+", process.stdout.readline())
            assert link is not None
            yield Client(link[0]), process, begun
        finally:
            process.terminate()
            process.wait(30)


def cpu() -> float:
    """Seconds of the processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def start() -> None:
    """From the command to the page, the first guesses, a grid of 3 × 5."""
    before = cpu()
    with served() as (page, _, begun):
        page.get("")
        print(f"page {time.perf_counter() - begun:.2f} s")
        page.ready()
        page.get("api/nets/n0/predict/s-panda?k=5")
        print(f"guesses {time.perf_counter() - begun:.2f} s")
        maps = page.grid("s-panda", METHODS, 5)
        print(f"{maps} maps {time.perf_counter() - begun:.2f} s")
    print(f"CPU of all of it {cpu() - before:.1f} s")


def timed(what: str, work: Any, times: int = 7) -> None:
    """The median time of something, in milliseconds."""
    took = []
    for i in range(times):
        begun = time.perf_counter()
        work(i)
        took.append(1000 * (time.perf_counter() - begun))
    print(f"{what}: median {statistics.median(took):.0f} ms, {min(took):.0f} to {max(took):.0f}")


def noise(i: int, side: int = 224) -> bytes:
    """A JPEG that nobody has sent before."""
    rng = np.random.default_rng([i, time.time_ns()])
    out = io.BytesIO()
    Image.fromarray(
        np.kron(rng.integers(0, 255, (7, 7, 3), np.uint8), np.ones((side // 7, side // 7, 1), np.uint8))
    ).save(out, "JPEG")
    return out.getvalue()


def warm(index: str | None) -> None:
    """When everything is loaded: guesses, Grad-CAM of five classes, a frame of the camera, parts of a unit's page."""
    with served(*(["--index", index] if index else [])) as (page, _, _):
        page.ready()
        page.grid("s-koala", METHODS, 2)
        page.get("api/nets/n0/predict/s-panda?k=5")
        timed("guesses", lambda i: page.get(f"api/nets/n0/predict/{SAMPLES[1 + i % 5]}?k=5"))
        known = [json.loads(page.get("api/images", noise(i)))["id"] for i in range(7)]
        for one in known:
            page.get(f"api/nets/n0/predict/{one}?k=5")
        timed("Grad-CAM of 5 classes", lambda i: page.grid(known[i], ["grad_cam"], 5))
        if index:
            units(page)


def units(page: Client) -> None:
    """The parts of a unit's page."""
    about = json.loads(page.get("api/indexes/i0"))
    layer = about["layers"][len(about["layers"]) // 2]["name"]
    parts = ["numbers", "histogram", "top", "feature", "like", "classes", "spread", "projections"]
    page.get(f"api/indexes/i0/units/{layer}/0/numbers")
    timed("numbers of a unit", lambda i: page.get(f"api/indexes/i0/units/{layer}/{i + 1}/numbers"))

    def whole(i: int) -> None:
        for part in parts:
            page.get(f"api/indexes/i0/units/{layer}/{i + 8}/{part}")

    timed("all parts of a unit", whole, 5)


def processes(server: int) -> list[int]:
    """A server and what it has begun, the oldest first."""
    found = [server]
    for pid in found:
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            found += sorted(map(int, task.read_text().split()))
    return found


def resident(pid: int) -> float:
    """Megabytes of a process; 0 where it has ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    except OSError:
        return 0.0


class Again(Exception):
    """The process that answers was lost, and the answer says so."""


class Load:
    """So many pages at once: guesses, pictures, maps; some leave in the middle. What each got is counted."""

    def __init__(self, base: str, minutes: float) -> None:
        self.base, self.end = base, time.monotonic() + 60 * minutes
        self.took: dict[str, list[float]] = {}
        self.errors: list[str] = []
        self.busy, self.again, self.asked, self.longest = 0, 0, 0, 0.0

    def page(self, number: int) -> None:
        """One page, to the end."""
        mine, rng = Client(self.base, patience=90), random.Random(number)
        while time.monotonic() < self.end:
            what = rng.choice(["guesses", "guesses", "picture", "maps", "leave"])
            begun = time.perf_counter()
            self.asked += 1
            try:
                ask(mine, what, rng)
                self.took.setdefault(what, []).append(time.perf_counter() - begun)
            except Again:
                self.again += 1
            except urllib.error.HTTPError as error:
                self._refused(what, error.code, error.read()[:200].decode())
            except (OSError, ValueError, http.client.HTTPException) as error:  # among them whoever waited for too long
                self.errors.append(f"{what}: {type(error).__name__}: {error}")
            self.longest = max(self.longest, time.perf_counter() - begun)
            time.sleep(rng.random())

    def _refused(self, what: str, status: int, said: str) -> None:
        if status == 429:
            self.busy += 1
            time.sleep(1)
        elif status == 503 and "ask once more" in said:
            self.again += 1
        else:
            self.errors.append(f"{what}: {status} {said}")


def load(clients: int, minutes: float, kill: bool) -> None:
    """Memory and times under load; with `kill` the process that answers is killed in the middle of it."""
    with served() as (page, process, _):
        page.ready()
        under = Load(page.base, minutes)
        threads = [threading.Thread(target=under.page, args=(i,)) for i in range(clients)]
        for thread in threads:
            thread.start()
        held, killed = watched(process.pid, under, minutes, kill)
        for thread in threads:
            thread.join()
        lost = json.loads(page.get("api/state"))["lost"]
    for what, seconds in sorted(under.took.items()):
        rows = sorted(seconds)
        print(f"{what}: {len(rows)}, median {statistics.median(rows):.2f} s, 95 % {rows[int(0.95 * len(rows))]:.2f} s")
    answers = sum(map(len, under.took.values()))
    print(
        f"{under.asked} questions: {answers} answers, {under.busy} told to come again, {under.again} told that the "
        f"process was begun again, {len(under.errors)} errors; the longest took {under.longest:.1f} s"
    )
    if kill:
        print(f"killed: process {killed}; begun again {lost} times")
    for k, (pid, rows) in enumerate(held.items()):
        name = "server" if pid == process.pid else f"worker {k}"
        print(f"{name}: {flat(rows)}")
    print(*under.errors[:10], sep="\n")
    missing = under.asked - answers - under.busy - under.again - len(under.errors)
    if missing:
        raise SystemExit(f"{missing} questions got nothing")


def watched(server: int, under: Load, minutes: float, kill: bool) -> tuple[dict[int, list[float]], int]:
    """(megabytes of each process, second by second; the one that was killed at half time)."""
    held: dict[int, list[float]] = {}
    begun, told, killed = time.monotonic(), time.monotonic(), 0
    while time.monotonic() < under.end:
        time.sleep(1)
        for pid in processes(server):
            if size := resident(pid):
                held.setdefault(pid, []).append(size)
        if kill and not killed and time.monotonic() > begun + 30 * minutes:
            killed = processes(server)[1]  # the first that the server has begun is the one that answers
            os.kill(killed, signal.SIGKILL)
        if time.monotonic() > told + 30:
            told = time.monotonic()
            now = ", ".join(f"{rows[-1]:.0f} MB" for rows in held.values())
            print(f"{now}; {sum(map(len, under.took.values()))} answers, {under.again} begun again, {under.busy} busy, "
                  f"{len(under.errors)} errors", flush=True)  # fmt: skip
    return held, killed


def flat(rows: Sequence[float]) -> str:
    """How much a process grows after the first third of its time, in which it opens and fills what it keeps."""
    late = rows[len(rows) // 3 :]
    part = max(len(late) // 4, 1)
    before, after = statistics.median(late[:part]), statistics.median(late[-part:])
    return f"{before:.0f} MB after a third of its time, {after:.0f} MB at its end ({100 * (after / before - 1):+.1f} %)"


def ask(page: Client, what: str, rng: random.Random) -> None:
    """One thing that a page asks. Again where the process that answers was lost meanwhile."""
    image = rng.choice(SAMPLES)
    if what == "guesses":
        page.get(f"api/nets/n0/predict/{image}?k=5")
    elif what == "picture":
        page.get(f"api/images/{image}?side=320")
    elif what == "maps":
        body = {"methods": ["grad_cam"], "image": image, "k": rng.choice([1, 2, 5])}
        keys = [line["key"] for line in checked(page.lines("api/compare", body)) if "key" in line]
        if not keys:
            raise ValueError("a comparison without a map")
        for key in keys:
            page.get(f"api/results/{key}")
    else:
        job = ""
        body = {"method": "occlusion", "nouns": {"images": image}, "options": {"stride": rng.choice([9, 11, 13])}}
        for line in checked(page.lines("api/ask", body)):
            job = job or line["job"]
            if "progress" in line:
                break
        page.get(f"api/jobs/{job}/stop", {})


def checked(lines: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The lines of a stream, which ends with one that says so."""
    line: dict[str, Any] = {}
    for line in lines:
        if line.get("kind") == "Lost":
            raise Again(line["error"])
        if "error" in line:
            raise ValueError(line["error"])
        yield line
    if "done" not in line:
        raise ValueError("a stream without an end")


@contextmanager
def indexed(known: str | None = None) -> Iterator[Path]:
    """An index: the one that was named, or a small one of the samples, made now."""
    with tempfile.TemporaryDirectory() as folder:
        found = Path(known or f"{folder}/samples.index")
        words = ["index", "samples", "--store", str(found), "--layers", "blocks.3,blocks.4", "--quiet"]
        if not known:
            subprocess.run([sys.executable, "-m", "pellucid", *words], check=True, stdout=subprocess.DEVNULL)
        yield found


@contextmanager
def folder_of_photos(known: str | None = None) -> Iterator[Path]:
    """Pictures with classes: the folder that was named, or four samples, each also mirrored and cut to a square."""
    from pellucid.images.samples import sample

    called = {"panda": "giant panda", "koala": "koala", "lemur": "indri", "espresso": "espresso"}
    with tempfile.TemporaryDirectory() as folder:
        for name, label in () if known else called.items():
            photo = Image.open(io.BytesIO(sample(name)))
            side = min(photo.size)
            (Path(folder) / label).mkdir()
            for k, one in enumerate((photo, ImageOps.mirror(photo), photo.crop((0, 0, side, side)))):
                one.save(Path(folder) / label / f"{k}.png")
        yield Path(known or folder)


def main() -> None:
    """What is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["start", "warm", "load", "stops", "map", "camera"])
    parser.add_argument("--index")
    parser.add_argument("--photos")
    parser.add_argument("--methods", help="those that are stopped, with commas; by default all")
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--kill", action="store_true")
    parser.add_argument("--points", type=int, default=100_000)
    parser.add_argument("--layer", default="blocks.4")
    parser.add_argument("--seconds", type=float, default=15)
    asked = parser.parse_args()
    print(f"load of the machine before: {os.getloadavg()[0]:.2f}")
    if asked.what == "start":
        start()
    elif asked.what == "warm":
        warm(asked.index)
    elif asked.what == "load":
        load(asked.clients, asked.minutes, asked.kill)
    elif asked.what == "stops":
        from benchmarks.explorer_stops import stops

        stops(asked.index, asked.photos, asked.methods)
    else:
        from benchmarks.explorer_pages import camera, moved_map

        if asked.what == "map":
            moved_map(asked.index, asked.points, asked.seconds)
        else:
            camera(asked.layer, asked.seconds)


if __name__ == "__main__":
    main()
