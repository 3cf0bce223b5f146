"""An explorer beside a program: of a network in its memory, in threads of it; and how a notebook shows it."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import pellucid as pl
from pellucid.web.serve import Handle
from tests.networks import ModuleRelu


@pytest.fixture
def handle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Handle]:
    for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    found = pl.serve(pl.load(ModuleRelu().eval(), size=32), port=0, block=False, open=False)
    assert found is not None
    yield found
    found.stop()


def got(handle: Handle, path: str, body: Any = None) -> bytes:
    headers = {"X-Pellucid": "1", "Content-Type": "application/json"}
    sent = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(handle.url + path, sent, headers), timeout=60) as answer:
        return bytes(answer.read())


def test_a_network_in_memory_is_explored_and_the_program_goes_on(handle: Handle) -> None:
    until = time.monotonic() + 60
    while json.loads(got(handle, "api/state"))["state"] != "ready":
        assert time.monotonic() < until
        time.sleep(0.05)
    lines = [json.loads(one) for one in got(handle, "api/ask", {
        "method": "gradient", "nouns": {"images": "s-panda"}, "long": False}).splitlines()]  # fmt: skip
    key = next(line["key"] for line in lines if "key" in line)
    assert lines[-1]["done"]
    assert len(got(handle, f"api/results/{key}")) > 100
    handle.stop()
    until = time.monotonic() + 10
    while any(one.name in ("explorer", "ask", "now") for one in threading.enumerate()):
        assert time.monotonic() < until, "no thread of it is left"
        time.sleep(0.05)


def test_a_notebook_shows_a_link_and_a_frame(handle: Handle) -> None:
    shown = handle._repr_html_()
    assert f'<a href="{handle.url}"' in shown
    assert f'<iframe src="{handle.url}"' in shown
    assert 'allow="camera"' in shown


def test_behind_a_hub_the_link_goes_through_its_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/ann/")
    found = pl.serve(pl.load(ModuleRelu().eval(), size=32), port=0, block=False, open=False)
    assert found is not None
    try:
        assert found.url.startswith("/user/ann/proxy/")
        assert "/k/" in found.url
    finally:
        found.stop()
