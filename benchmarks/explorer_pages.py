"""Figures of the explorer's pages in Chromium, whose WebGL is software here: a map that is moved, a camera's stage."""

from __future__ import annotations

import io
import itertools
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from benchmarks.explorer import Client, indexed, served
from PIL import Image

from pellucid.result.arrays import arrays

if TYPE_CHECKING:
    from playwright.sync_api import Page

FLAGS = [
    "--headless=new", "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--enable-unsafe-swiftshader", "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
]  # fmt: skip
NOTED = """
const draw = WebGL2RenderingContext.prototype.drawArrays
window.noted = { draws: [], frames: [] }
WebGL2RenderingContext.prototype.drawArrays = function (mode, first, count) {
  noted.draws.push([performance.now(), count])
  return draw.call(this, mode, first, count)
}
requestAnimationFrame(function each(now) { noted.frames.push(now); requestAnimationFrame(each) })
"""
"""Runs before the page: when it draws how many points, and when the browser asks for a frame."""
DRIVER = """() => { const gl = document.createElement('canvas').getContext('webgl2')
  const found = gl?.getExtension('WEBGL_debug_renderer_info')
  return found ? gl.getParameter(found.UNMASKED_RENDERER_WEBGL) : gl ? 'WebGL2' : 'no WebGL2: a plain canvas' }"""


@contextmanager
def opened(*flags: str) -> Iterator[Page]:
    """A page of 1280 × 900 in a browser of its own; whatever goes wrong in it ends the measurement."""
    from playwright.sync_api import sync_playwright

    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        raise SystemExit("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=[*FLAGS, *flags])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(240_000)
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        yield page
        browser.close()
    if wrong:
        raise SystemExit("\n".join(wrong))


def made_up(points: int, high: float = 0.9) -> bytes:
    """A map in the server's own format: a thousand clouds of points, in an order drawn at random."""
    rng = np.random.default_rng(0)
    label = rng.integers(0, 1000, points)
    centers = rng.uniform([0.1, 0.1], [0.9, high - 0.1], (1000, 2))
    places = np.clip(centers[label] + rng.normal(0, 0.02, (points, 2)), [0, 0], [1, high])
    held = {"places": places.astype(np.float32), "images": np.arange(points, dtype=np.int32),
            "labels": label.astype(np.int32)}  # fmt: skip
    said = {
        "layer": "made up", "layout": "pca", "count": points, "of": points, "high": high, "sides": [0, 0], "names": [],
        "classes": [f"cloud {k}" for k in range(1000)], "quality": {}, "notes": [], "missing": "they are made up",
    }  # fmt: skip
    return arrays({**said, **{name: {"$": name} for name in held}}, held)


def moved_map(index: str | None, points: int, seconds: float) -> None:
    """Frames a second while the map is dragged about, how many of the points are in them, and all points at rest.

    The page is that of an index; its map alone is made up, for an index of so many pictures takes a day.
    """
    with indexed(index) as where, served("--index", str(where)) as (server, _, _), opened() as page:
        server.ready()
        page.add_init_script(NOTED)
        held = made_up(points)
        page.route("**/api/indexes/i0/map", lambda route: route.fulfill(body=held, content_type="application/binary"))
        page.goto(f"{server.base}#/map/i0")
        page.locator(".stage canvas").first.wait_for()
        page.locator(".foot", has_text=f"{points:,}").wait_for()
        page.wait_for_timeout(3000)
        print(page.evaluate(DRIVER))
        before = page.evaluate("performance.now()")
        dragged(page, seconds)
        end = page.evaluate("performance.now()")
        page.wait_for_timeout(1500)
        noted = page.evaluate("noted")
    draws = [(at, count) for at, count in noted["draws"] if before < at < end]
    between = [b - a for (a, _), (b, _) in itertools.pairwise(draws)]
    counts = [count for _, count in draws]
    took, late = (end - before) / 1000, sorted(between)[int(0.95 * len(between))]
    print(
        f"map of {points:,} points, dragged for {took:.1f} s: {len(draws) / took:.1f} frames/s (from one to the next "
        f"{statistics.median(between):.0f} ms, 95 % {late:.0f} ms), {statistics.median(counts):,.0f} points in each"
    )
    whole = [at for at, count in noted["draws"] if count == points and at > end]
    after = [next((one - at for one in noted["frames"] if one > at), None) for at in whole]
    told = [f"{one:.0f} ms" for one in after if one is not None]
    print(f"all {points:,} points, at rest: the next frame {', '.join(told) or 'was not seen'} later")


def dragged(page: Page, seconds: float) -> None:
    """The pointer goes about in a circle, pressed."""
    box = page.locator(".stage").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x + 100, y)
    page.mouse.down()
    begun = time.monotonic()
    while (passed := time.monotonic() - begun) < seconds:
        page.mouse.move(x + 100 * np.cos(2 * passed), y + 100 * np.sin(2 * passed))
    page.mouse.up()


def film(file: Path, frames: int = 48, size: tuple[int, int] = (640, 480)) -> None:
    """A photo that moves to and fro, as Y4M in 4:2:0, which Chromium takes for a camera."""
    from pellucid.images.samples import sample

    photo = Image.open(io.BytesIO(sample("panda"))).convert("YCbCr")
    with file.open("wb") as out:
        out.write(f"YUV4MPEG2 W{size[0]} H{size[1]} F30:1 Ip A1:1 C420jpeg\n".encode())
        for k in range(frames):
            part = 0.8 + 0.1 * np.cos(2 * np.pi * k / frames)
            wide, high = part * photo.width, part * photo.height
            left, top = (photo.width - wide) * (k / frames), (photo.height - high) / 2
            shown = photo.resize(size, Image.Resampling.BILINEAR, (left, top, left + wide, top + high))
            out.write(b"FRAME\n")
            for plane, shrunk in zip(shown.split(), (1, 2, 2), strict=True):
                out.write(plane.resize((size[0] // shrunk, size[1] // shrunk)).tobytes())


def camera(layer: str, seconds: float) -> None:
    """Frames a second that the stage shows of a camera: the mosaic of a layer with all its units, and guesses."""
    with tempfile.TemporaryDirectory() as folder:
        film(Path(folder) / "camera.y4m")
        flags = f"--use-file-for-fake-video-capture={folder}/camera.y4m"
        with served() as (server, process, _), opened(flags) as page:
            server.ready()
            stage(page, server, layer)
            frames: list[float] = []
            page.on("response", lambda one: frames.append(time.monotonic()) if one.url.endswith("/api/frame") or
                    "/api/frame?" in one.url else None)  # fmt: skip
            page.wait_for_timeout(5000)
            frames.clear()
            before, begun = used(process.pid), time.monotonic()
            page.wait_for_timeout(1000 * seconds)
            took, spent = time.monotonic() - begun, used(process.pid) - before
            told = page.locator(".rate").inner_text()
    each = 1000 * spent / len(frames)
    print(f"camera, mosaic of {layer}: {len(frames) / took:.1f} frames/s over {took:.0f} s")
    print(f"{each:.0f} ms of the server's CPU for each; the page itself says {told}")


def stage(page: Page, server: Client, layer: str) -> None:
    """Open it, and wait for the first frame."""
    page.goto(f"{server.base}#/camera?from=camera&layer={layer}&unit=0&back=off")
    page.locator(".input", has_text="the camera").wait_for()
    page.locator(".rate", has_text="frames/s").wait_for()


def used(pid: int) -> float:
    """Seconds of CPU of a process and of those that it has begun."""
    found, total = [pid], 0
    for one in found:
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            found += map(int, task.read_text().split())
        fields: list[Any] = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")
