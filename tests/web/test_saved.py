"""Pages that were saved, in a browser: a map that was drawn, and pages of the explorer, from disk and alone."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import pellucid as pl
from tests.draw.test_embeddings import made
from tests.saved import saved
from tests.web.served import Served
from tests.web.test_pages import SIZES, readable, settled, shown

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow

_SELECTED = "!location.hash.includes('set=') || document.querySelector('aside').innerText.includes('3 selected')"
EVIL = "<img src=x onerror=alert(1)>"


def asked_nobody(requests: list[str], file: Path) -> None:
    """All that was loaded is the file."""
    assert {one.partition("#")[0] for one in requests if not one.startswith(("data:", "blob:"))} == {file.as_uri()}


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    """A map of forty images in three classes, thirty of them with a small picture."""
    result = made(40, pictured=30)
    result = dataclasses.replace(result, names=(f"{EVIL}.png", *(f"photo {i}.png" for i in range(1, 40))))
    return pl.draw(result, title=f"Map {EVIL}").save(tmp_path / "map.html")


def opened(page: Page, file: Path, hashed: str = "") -> list[str]:
    requests: list[str] = []
    page.on("request", lambda one: requests.append(one.url))
    page.goto(f"{file.as_uri()}{hashed}")
    page.locator(".stage").wait_for()
    return requests


def test_a_drawn_map_is_used_from_disk(drawn: Path, page: Page) -> None:
    from playwright.sync_api import expect

    requests = opened(page, drawn)
    expect(page).to_have_title(f"Map {EVIL}")
    expect(page.locator("header")).to_contain_text(f"Map {EVIL}")
    main = page.locator("main")
    expect(main).to_contain_text("40 pictures · layer x")
    assert page.get_by_role("combobox").count() == 2, "colors and what is looked for: there is one layer, in one layout"
    assert page.locator("select option").all_text_contents() == ["class", "none"]
    assert page.locator("main a").count() == 0, "nothing leads to what is not here"
    page.keyboard.press("/")
    page.keyboard.type("photo 7")
    expect(main).to_contain_text("1 of 40")
    page.get_by_label("Find").fill("")
    page.get_by_role("button", name="kind 1 13").click()
    expect(main).to_contain_text("13 of 40")
    page.get_by_role("button", name="kind 1 13").click()
    page.get_by_role("button", name="Grid").click()
    expect(page).to_have_url(re.compile("grid=1"))
    expect(main).to_contain_text("Seams are borders")
    asked_nobody(requests, drawn)


def test_selecting_in_a_drawn_map(drawn: Path, page: Page, tmp_path: Path) -> None:
    """By two clicks and by rows of the list; what is selected is told, copied and written to a file, by nobody else."""
    from playwright.sync_api import expect

    requests = opened(page, drawn)
    details = page.get_by_label("Details")
    page.get_by_role("button", name=re.compile("^Select")).click()
    expect(page.locator("main")).to_contain_text("click two corners")
    stage = page.locator(".stage")
    box = stage.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 8, box["y"] + 8)
    page.mouse.click(box["x"] + box["width"] - 8, box["y"] + box["height"] - 8)
    expect(details).to_contain_text("40 selected")
    expect(details).to_contain_text("kind 0 14, kind 1 13, kind 2 13")
    expect(details.locator(".some img")).to_have_count(12)
    page.wait_for_function("[...document.querySelectorAll('.some img')].every((one) => one.naturalWidth === 64)")
    details.get_by_role("button", name="Clear").click()
    page.get_by_role("button", name=re.compile("^List")).click()
    expect(page.locator(".list tbody tr")).to_have_count(40)
    expect(page.locator(".list tbody tr").first).to_contain_text(f"{EVIL}.png")
    expect(page.locator(".list thead")).to_contain_text("Nearest on the map")
    for name in ("photo 3.png", "photo 5.png"):
        page.get_by_label(f"Select {name}").check()
    expect(details).to_contain_text("2 selected")
    expect(details).to_contain_text("photo 3.png, photo 5.png")
    expect(page).to_have_url(re.compile(r"set=(3\.5|5\.3)"))
    with page.expect_download() as download:
        details.get_by_role("button", name="Export CSV").click()
    table = Path(download.value.path()).read_text().splitlines()
    assert table[0] == "image,name,class,prediction,x,y"
    assert sorted(line.split(",")[1] for line in table[1:]) == ["photo 3.png", "photo 5.png"]
    page.evaluate("navigator.clipboard.writeText = (text) => { window.copied = text; return Promise.resolve() }")
    details.get_by_role("button", name="Copy names").click()
    expect(details.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("window.copied") == "photo 3.png\nphoto 5.png"
    page.get_by_label("Show photo 3.png on the map").click()
    expect(details.locator(".large img")).to_have_attribute("alt", "kind 0 · photo 3.png")
    expect(details).to_contain_text("Nearest on the map")
    page.reload()
    expect(details).to_contain_text("2 selected")  # the address holds it
    asked_nobody(requests, drawn)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dark", [False, True])
def test_everybody_can_read_a_drawn_map(size: str, dark: bool, tmp_path: Path, paged: Callable[..., Page]) -> None:
    """In the colors in which it was drawn, whatever those of whoever opens it are."""
    file = pl.draw(made(40, pictured=30), dark=dark).save(tmp_path / "map.html")
    width, height = SIZES[size]
    page = paged(width, height, color_scheme="light" if dark else "dark", reduced_motion="reduce")
    for hashed in ("", "#/map/i0?list=1", "#/map/i0?grid=1&q=kind%201&set=1.2.3"):
        opened(page, file, hashed)
        page.reload()
        page.locator(".stage").wait_for()
        assert page.evaluate("document.documentElement.dataset.theme") == ("dark" if dark else "light")
        page.wait_for_function(
            "!/set=/.test(location.hash) || document.querySelector('aside').innerText.includes('3 selected')"
        )
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        readable(page)


def test_a_map_of_the_explorer_is_taken_away(
    full: Served, page: Page, tmp_path: Path, paged: Callable[..., Page]
) -> None:
    """With the layer and the colors that were looked at, the small pictures that were seen, and what was selected."""
    from playwright.sync_api import expect

    shown(page, full, "map/i0")
    page.get_by_role("combobox", name="Colors").select_option("unit")
    expect(page.get_by_label("Details")).to_contain_text("Its largest activation in each picture")
    page.get_by_role("button", name=re.compile("^List")).click()
    page.locator(".list tbody input").first.check()
    expect(page).to_have_url(re.compile("set=[0-9a-f]{16}"))
    expect(page.get_by_alt_text("Mean of the selected pictures")).to_be_visible()
    expect(page.get_by_role("link", name="Explain them")).to_have_attribute(
        "href", re.compile("^#/report/i0/[0-9a-f]{16}$")
    )
    page.get_by_label("Name").fill("koalas")
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_role("heading", name="Named selections")).to_be_visible()
    page.get_by_role("button", name=re.compile("^List")).click()
    page.wait_for_timeout(1500)  # small pictures come
    settled(page)
    page.get_by_text("Share").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save this page as one file").click()
    file = tmp_path / "saved.html"
    download.value.save_as(file)
    other = paged()
    requests = opened(other, file)
    details = other.get_by_label("Details")
    expect(details).to_contain_text("1 selected")
    expect(details).to_contain_text("Its largest activation in each picture")
    other.wait_for_function("[...document.querySelectorAll('.some img')].every((one) => one.naturalWidth > 0)")
    expect(details.locator(".some img")).to_have_count(1)
    expect(details.get_by_alt_text("Mean of the selected pictures")).to_be_visible()
    for what in ("Named selections", "Explain them"):
        expect(details).not_to_contain_text(what)
    assert not details.get_by_label("Name").count(), "nobody is there to keep it"
    assert not any(re.search(r"/sets$|/name ", key) for key in saved(file.read_text(encoding="utf-8"))["records"])
    assert other.get_by_role("spinbutton").count() == 0, "no other unit was kept"
    options = other.get_by_role("combobox", name="Colors").locator("option").all_text_contents()
    assert len([one for one in options if one.startswith("unit ")]) == 1, "that which was looked at"
    asked_nobody(requests, file)
