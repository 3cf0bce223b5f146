"""Pages that are taken away: one file that asks nobody, in which whatever comes from outside is text."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import pytest

import pellucid.export
from pellucid.errors import PellucidError
from pellucid.export import as_bytes, as_json, exported
from tests.saved import alone, saved

BAD = '</script><script>alert(1)</script><!-- & \u2028 "'


def test_what_stands_in_a_page_is_text_and_comes_back() -> None:
    records = {f"api/{BAD}": as_json({"name": BAD}), "b": as_bytes(b"\0\xff", "image/png")}
    page = exported(BAD, "#/compare/x?m=a", records, about=BAD)
    said = saved(page)
    assert said["title"] == BAD
    assert said["hash"] == "#/compare/x?m=a"
    assert said["records"][f"api/{BAD}"]["json"]["name"] == BAD
    assert base64.b64decode(said["records"]["b"]["bytes"]) == b"\0\xff"
    assert "<script>alert" not in page
    alone(page)


def test_only_its_own_script_and_styles_may_run() -> None:
    """The policy names them by their hashes, and allows nothing to be fetched."""
    page = exported("t", "#/start", {})
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; script-src 'sha256-")
    for tag, content in (("script", re.findall(r"<script>(.*?)</script>", page, re.DOTALL)),
                         ("style", re.findall(r"<style>(.*?)</style>", page, re.DOTALL))):  # fmt: skip
        assert len(content) == 1
        hashed = base64.b64encode(hashlib.sha256(content[0].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{hashed}'" in policy[1]


def test_a_page_says_when_it_was_made_if_it_is_not_always_the_same() -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", saved(exported("t", "#/map", {}))["made"])
    undated = exported("t", "#/map", {}, dated=False, dark=True)
    assert saved(undated)["made"] is None
    assert saved(undated)["dark"] is True
    assert saved(exported("t", "#/map", {}))["dark"] is None


def test_an_installation_without_the_page_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pellucid.export, "_BUILT", tmp_path)
    with pytest.raises(PellucidError, match="install pellucid again"):
        exported("t", "#/map", {})
