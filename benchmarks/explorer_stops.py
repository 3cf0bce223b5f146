"""How soon a worker is free again when what it does is stopped: every method that a page can ask, one by one."""

from __future__ import annotations

import json
import statistics
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.explorer import Client, folder_of_photos, indexed, served

SAYABLE = {"net", "image", "images", "data", "index", "unit", "target"}
"""What a page can name."""
AFTER = 3.0
"""Seconds of work after which it is stopped."""
MOST = 60.0
"""Seconds that a worker may take to be free: it is ended after ten, and begun again."""


def question(method: Mapping[str, Any], about: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the form of a method holds as it is opened; None where a page cannot ask it."""
    found: dict[str, Any] = {}
    index, folder = about["indexes"][0], about["folders"][0]["id"]
    layer = index["layers"][len(index["layers"]) // 2]["name"]
    first = {"image": "s-panda", "images": folder, "data": folder, "index": index["id"], "unit": f"{layer}:0"}
    if method.get("broken") or method["options"].get("required"):
        return None
    for name, noun in method["nouns"].items():
        if noun["format"] not in SAYABLE:
            return None
        if noun["format"] == "target" and noun["needed"]:
            found[name] = "koala"
        elif noun["format"] in first:
            found[name] = first[noun["format"]]
    return {"method": method["name"], "nouns": found, "options": {}, "long": True}


def begun(page: Client, asked: Mapping[str, Any]) -> str:
    """The id of the work. What is said of it is read, and dropped, for as long as it is done."""
    answer = page.open("api/ask", dict(asked))
    job = str(json.loads(answer.readline())["job"])

    def read() -> None:
        with suppress(OSError, ValueError), answer:
            for _ in answer:
                pass

    threading.Thread(target=read, daemon=True).start()
    return job


def record(page: Client, job: str) -> dict[str, Any]:
    """What the list of work says of one."""
    return next(one for one in json.loads(page.get("api/jobs")) if one["id"] == job)


def worked(page: Client, job: str) -> dict[str, Any]:
    """The same, as soon as a worker is at it, or it has ended."""
    until = time.monotonic() + MOST
    while time.monotonic() < until:
        found = record(page, job)
        if found["working"] or found["state"] != "running":
            return found
        time.sleep(0.01)
    return record(page, job)


def one(page: Client, asked: Mapping[str, Any]) -> tuple[str, float | None]:
    """(what came of a method, seconds from the word to stop until the worker takes up another question)."""
    job = begun(page, asked)
    found = worked(page, job)
    while found["state"] == "running" and time.time() - found["working"] < AFTER:
        time.sleep(0.02)
        found = record(page, job)
    if found["state"] != "running":
        return (found["error"] or "done") if found["state"] != "done" else "done", None
    said = found["progress"]
    far = ", ".join(f"{what} {done} of {total}" if total else what for what, done, total in said or ()) or "no progress"
    stopped = time.time()
    page.get(f"api/jobs/{job}/stop", {})
    other = begun(page, {"method": "first_layer", "nouns": {}, "options": {}, "long": True})
    free = worked(page, other)["working"]
    page.get(f"api/jobs/{other}/stop", {})
    return far, (free or stopped + MOST) - stopped


def stops(index: str | None, photos: str | None, only: str | None) -> None:
    """Each method that takes longer than three seconds is stopped then. Slowest last, with where it was."""
    with indexed(index) as where, folder_of_photos(photos) as folder, served(str(folder), "--index", str(where)) as (
        page, _, _,
    ):  # fmt: skip
        page.ready()
        about = json.loads(page.get("api/state"))
        methods = json.loads(page.get("api/methods"))
        names = only.split(",") if only else [method["name"] for method in methods]
        rows: list[tuple[float, str, str]] = []
        ended: list[str] = []
        refused: list[str] = []
        for method in (method for method in methods if method["name"] in names):
            asked = question(method, about)
            if asked is None:
                continue
            far, free = one(page, asked)
            if free is not None:
                rows.append((free, method["name"], far))
                print(f"{method['name']}: free after {free:.2f} s ({far}), load {load()}", flush=True)
            elif far == "done":
                ended.append(method["name"])
            else:
                refused.append(f"{method['name']}: {far}")
    rows.sort()
    print(f"{len(ended)} ended within {AFTER:g} s: {', '.join(ended)}")
    print(f"{len(refused)} were refused:", *refused, sep="\n  ")
    times = [free for free, _, _ in rows]
    if rows:
        late = [f"{name} {free:.2f} s ({far})" for free, name, far in rows if free > 1]
        print(
            f"{len(rows)} were stopped: free after {statistics.median(times):.2f} s (median), at most {times[-1]:.2f} s"
        )
        print(f"later than 1 s: {'; '.join(late) or 'none'}")


def load() -> str:
    """Of the machine, in the last minute."""
    return Path("/proc/loadavg").read_text().split()[0]
