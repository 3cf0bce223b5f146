"""The page of an audit in a browser: decided about with keys and buttons, kept, written to files, read by everybody."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import pellucid as pl
from pellucid.decisions import Decisions
from pellucid.result import Audit
from tests.methods.examples.test_audit import folder, found, index
from tests.web.test_pages import readable

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow
__all__ = ["folder", "found", "index"]


@pytest.fixture(scope="module")
def place(found: Audit, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(pl.draw(found).save(tmp_path_factory.mktemp("page") / "audit.html"))


@pytest.mark.parametrize("wide", [1280, 390])
def test_everybody_can_read_it(place: Path, paged: Callable[..., Page], wide: int) -> None:
    page = paged(wide, 844, reduced_motion="reduce")
    page.goto(place.as_uri())
    for kind in ("mislabeled", "leaks", "duplicates", "similar"):
        page.locator(f"#kinds button[data-kind={kind}]").click()
        readable(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= wide
    page.locator("#theme").click()
    readable(page)


def test_what_is_decided_is_kept_and_written(
    place: Path, found: Audit, paged: Callable[..., Page], tmp_path: Path
) -> None:
    page = paged(1280, 900)
    page.goto(place.as_uri())
    page.keyboard.press("a")
    page.locator("#kinds button[data-kind=duplicates]").click()
    page.get_by_role("button", name="Keep the first, remove the others: 2 copies", exact=True).first.click()
    page.reload()
    assert "1 relabeled" in page.locator("#state").inner_text()
    page.locator(".menu summary").click()
    files = {}
    for name in ("decisions", "csv", "json"):
        with page.expect_download() as download:
            page.locator(f"#{name}").click()
        files[name] = tmp_path / name
        download.value.save_as(files[name])
    rows = Decisions.read(files["decisions"]).rows
    first = found.of("mislabeled")[0]
    assert next(one for one in rows if one.decision == "accept").image == found.names[first.images[0]]
    assert {one.decision for one in rows} == {"accept", "reject", "remove"}
    assert found.decide(files["decisions"]).rows == rows
    assert len(list(csv.DictReader(files["csv"].read_text(encoding="utf-8").splitlines()))) == len(found)
    assert len(json.loads(files["json"].read_text(encoding="utf-8"))["decisions"]) == 3
