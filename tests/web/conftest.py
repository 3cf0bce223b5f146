"""One server and one browser for the tests of a process; pages that fail the test for whatever goes wrong in them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.web.served import Served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

LAYER, BEFORE = "blocks.4", "blocks.3"
"""Those that the index of `full` holds."""
PLUGIN = Path(__file__).parents[1] / "plugin" / "mirrors"
"""A package that lies there as if it were installed."""
FLAGS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",  # a camera that everybody has
]  # fmt: skip


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of small pictures in two classes."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("web") / "photos"
    for k, name in enumerate(("lion", "lion", "tiger", "tiger")):
        (folder / name).mkdir(parents=True, exist_ok=True)
        Image.radial_gradient("L").rotate(40 * k).convert("RGB").save(folder / name / f"{k}.png")
    return folder


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> Iterator[Served]:
    """A server with a token, the samples, and a folder of photos; its worker answers."""
    with Served(tmp_path_factory.mktemp("served"), str(photos)) as found:
        found.ready()
        yield found
        failures = found.failures()
    assert not failures, failures


@pytest.fixture(scope="session")
def full(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> Iterator[Served]:
    """A server with an index of the samples, a folder of photos, and a method of another package."""
    folder = tmp_path_factory.mktemp("full")
    index, layers = folder / "samples.index", f"{BEFORE},{LAYER}"
    words = [sys.executable, "-m", "pellucid", "index", "samples", "--store", str(index), "--layers", layers, "--quiet"]
    env = {**os.environ, "XDG_CACHE_HOME": str(folder / "XDG_CACHE_HOME")}
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stderr
    path = os.pathsep.join([str(PLUGIN), *filter(None, [os.environ.get("PYTHONPATH")])])
    with Served(folder, str(photos), "--index", str(index), env={"PYTHONPATH": path}) as found:
        found.ready()
        yield found
        failures = found.failures()
    assert not failures, failures


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A Chromium of this machine; skipped where there is none."""
    api = pytest.importorskip("playwright.sync_api")
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium on this machine")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def faults() -> list[str]:
    """What went wrong in the pages of a test; it fails if anything is left in it."""
    return []


@pytest.fixture
def paged(browser: Browser, faults: list[str]) -> Iterator[Callable[..., Page]]:
    """paged(width=390, height=844, color_scheme="dark"): a page in a browser that knows nothing, `paged.goto(…)` it.

    Whatever goes wrong in it fails the test: an error in its console, an address elsewhere, an answer of 500 and more.
    """
    contexts: list[Any] = []

    def begun(width: int = 1280, height: int = 900, **how: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, **how)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(1000 * int(os.environ.get("PELLUCID_TEST_PATIENCE", "120")))
        page.on("console", lambda said: faults.append(f"console: {said.text}") if said.type == "error" else None)
        page.on("dialog", lambda one: (faults.append(f"dialog: {one.message}"), one.dismiss()))
        page.on("pageerror", lambda error: faults.append(f"page: {error}"))
        page.on("request", lambda one: _checked_address(one.url, faults))
        page.on("response", lambda one: faults.append(f"{one.status}: {one.url}") if one.status >= 500 else None)
        return page

    yield begun
    for context in contexts:
        context.close()
    assert not faults, "\n".join(faults)


@pytest.fixture
def page(paged: Callable[..., Page]) -> Page:
    """A page of a common size, in light colors."""
    return paged()


def _checked_address(url: str, faults: list[str]) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("blob", "data", "file") and parts.hostname not in ("localhost", "127.0.0.1"):
        faults.append(f"asked elsewhere: {url}")
