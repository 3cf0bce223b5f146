"""What people come for, from beginning to end: pictures chosen on a map, long work stopped and gone on with, a method
of another package, and all about a unit.
"""

from __future__ import annotations

import csv
import json
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.web.conftest import BEFORE, LAYER
from tests.web.served import Served
from tests.web.test_indexed import opened
from tests.web.test_pages import ROOT, settled

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.slow

Place = tuple[float, float]
PICTURES = [f"s-{name}" for name in ("panda", "koala", "dragon", "lemur", "rocket", "espresso")]
"""So many that long work about them takes seconds, and can be stopped in its middle."""
POLL = 30_000
"""Milliseconds that a page may take to show what has happened."""


class Map:
    """The map of `full`, as the server tells it and as it lies on the page."""

    def __init__(self, page: Page, server: Served, folder: Path) -> None:
        answer = server.post("api/indexes/i0/map", {"layout": "pca"})
        self.said, held = opened(answer.body, folder)
        self.images = held["images"].tolist()
        box = page.locator(".stage").bounding_box()
        assert box is not None
        high = float(self.said["high"])
        scale = 0.96 * min(box["width"], box["height"] / high)
        left, top = (box["width"] - scale) / 2, (box["height"] - scale * high) / 2
        self.at = [(box["x"] + left + scale * float(x), box["y"] + top + scale * float(y)) for x, y in held["places"]]
        """Where each picture lies, in pixels of the page."""
        self.places = held["places"].tolist()

    def share(self, x: float, y: float) -> Place:
        """A place on the page at these shares of all that is drawn, in whole pixels."""
        xs, ys = zip(*self.at, strict=True)
        return (round(min(xs) + x * (max(xs) - min(xs))), round(min(ys) + y * (max(ys) - min(ys))))

    def around(self, line: list[Place]) -> set[int]:
        """The pictures that a closed line goes around: seen from there, it turns by a whole angle."""
        found = set()
        for image, (x, y) in zip(self.images, self.at, strict=True):
            angles = [math.atan2(b - y, a - x) for a, b in line]
            turns = (math.remainder(b - a, math.tau) for a, b in zip(angles, angles[1:] + angles[:1], strict=True))
            if abs(sum(turns)) > math.pi:
                found.add(image)
        return found


def chosen(page: Page, server: Served, count: int) -> set[int]:
    """The pictures of the selection that the address names, as soon as so many are selected."""
    from playwright.sync_api import expect

    expect(page.get_by_role("heading", name=f"{count} selected", exact=True)).to_be_visible(timeout=POLL)
    for _ in range(POLL // 100):
        for name in re.findall(r"[?&]set=(\w+)", page.url):
            said = server.get(f"api/indexes/i0/sets/{name}").json()
            if said["count"] == count == len(said["ids"]):
                return set(said["ids"])
        page.wait_for_timeout(100)  # the server names it a moment later
    raise AssertionError(page.url)


def test_pictures_are_chosen_on_a_map_and_taken_away(full: Served, page: Page, tmp_path: Path) -> None:
    """A line around some that is not convex, then two corners with Ctrl; both against angles and edges in Python."""
    page.goto(f"{full.link}#/map/i0")
    settled(page)
    page.get_by_role("button", name="Select").click()
    where = Map(page, full, tmp_path)
    line = [where.share(*one) for one in ((0.3, 0.1), (0.95, 0.15), (0.9, 0.8), (0.6, 0.3), (0.35, 0.75))]
    page.mouse.move(*line[0])
    page.mouse.down()
    for one in line[1:]:
        page.mouse.move(*one, steps=4)
    page.mouse.up()
    inside = where.around(line)
    assert 50 < len(inside) < len(where.around([line[k] for k in (0, 1, 2, 4)])) < len(where.images), "a bay of it"
    assert chosen(page, full, len(inside)) == inside
    a, b = where.share(0, 0.2), where.share(0.25, 0.55)
    box = where.around([a, (b[0], a[1]), b, (a[0], b[1])])
    assert box - inside
    page.mouse.click(*a)
    page.keyboard.down("Control")
    page.mouse.click(*b)
    page.keyboard.up("Control")
    both = inside | box
    assert chosen(page, full, len(both)) == both
    with page.expect_download() as download:
        page.get_by_role("button", name="Export CSV").click()
    rows = list(csv.DictReader(Path(download.value.path()).read_text(encoding="utf-8").splitlines()))
    assert list(rows[0]) == ["image", "name", "class", "prediction", "x", "y"]
    assert len(rows) == len(both)
    assert {int(row["image"]) for row in rows} == both
    for row in rows:
        k = where.images.index(int(row["image"]))
        assert row["name"] == where.said["names"][k]
        assert row["class"] == row["name"].split("/")[0]
        assert (float(row["x"]), float(row["y"])) == pytest.approx(where.places[k], abs=1e-5)
    page.reload()
    settled(page)
    assert chosen(page, full, len(both)) == both, "a link names a selection"
    page.keyboard.press("Escape")
    page.wait_for_url(lambda url: "set=" not in url)


def test_work_is_stopped_and_gone_on_with(full: Served, page: Page) -> None:
    """It goes on with what it had found. Its numbers are those that another process finds, which nobody stops."""
    from playwright.sync_api import expect

    options, far = {"of": "gradient", "steps": 3}, re.compile(rf"[1-9] of {len(PICTURES)}\b")
    page.goto(f"{full.link}#/method/deletion?images={','.join(PICTURES)}&of=gradient&steps=3")
    settled(page)
    page.get_by_role("button", name="Ask", exact=True).click()
    page.get_by_role("link", name="Jobs", exact=True).first.click()
    card = page.get_by_role("article", name=re.compile("^Deletion, "))
    expect(card).to_contain_text(far, timeout=120_000)
    expect(card.get_by_role("progressbar").last).to_be_visible()
    card.get_by_role("button", name="Stop").click()
    expect(card).to_contain_text("Stopped after", timeout=POLL)
    page.reload()
    expect(card).to_contain_text(re.compile(r"Stopped after .* It had come to "), timeout=POLL)
    (job,) = [one["id"] for one in full.get("api/jobs").json() if one["about"]["method"] == "deletion"]
    kept = {one.name: one.read_text() for one in full.folder.rglob(f"work/{job}/*.jsonl")}
    assert kept, "what was measured is kept"
    card.get_by_role("button", name="Resume").click()
    page.reload()
    expect(card).to_contain_text("It took", timeout=120_000)
    card.get_by_role("link", name="Open").click()
    settled(page)
    expect(page.locator("section.answer table").first).to_contain_text("gradient")
    (key,) = next(one["keys"] for one in full.get("api/jobs").json() if one["id"] == job)
    found = full.get(f"api/results/{key}").body
    for one in full.folder.rglob(f"answers/**/{key}*"):
        one.unlink()
    again = {"method": "deletion", "nouns": {"images": PICTURES}, "options": options, "long": False}
    lines = list(full.lines("api/ask", again))
    assert any("progress" in one for one in lines), "it was measured once more"
    assert [one["key"] for one in lines if "key" in one] == [key]
    assert full.get(f"api/results/{key}").body == found


def test_a_method_of_another_package_has_a_form_and_an_answer(full: Served, page: Page) -> None:
    """The page was built without it, and knows neither the method nor its kind of result."""
    from playwright.sync_api import expect

    sources = [ROOT / "web" / "ui" / "src", ROOT / "src" / "pellucid"]
    files = [one for place in sources for kind in ("ts", "svelte", "js", "html") for one in place.rglob(f"*.{kind}")]
    assert len(files) > 50
    assert not [one for one in files if re.search("mirrored|flips", one.read_text(encoding="utf-8"), re.IGNORECASE)]
    page.goto(f"{full.link}#/methods?q=mirrored")
    settled(page)
    expect(page.locator("section h2")).to_contain_text("added by another package")
    page.get_by_role("link", name="Mirrored").click()
    settled(page)
    expect(page.locator("main")).to_contain_text("Nobody 2026, section 1")
    for name, text in (("noun-target", "koala"), ("option-times", "3")):
        page.locator(f"#{name}").fill(text)
        page.locator(f"#{name}").press("Tab")
    page.wait_for_url(re.compile("times=3"))
    page.get_by_role("button", name="Ask", exact=True).click()
    drawing = page.locator("section.answer img[alt*='as a drawing']")
    expect(drawing).to_be_visible(timeout=120_000)
    assert drawing.evaluate("(one) => one.naturalWidth") > 100
    with page.expect_download() as download:
        page.get_by_role("link", name="JSON").click()
    said = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    assert (said["kind"], said["unit"], said["meta"]["asked"]["options"]) == ("Flips", "logit", {"times": 3})


def drawn(page: Page) -> list[str]:
    """Every canvas and every picture of the page, as it looks."""
    found: list[str] = page.evaluate("[...document.querySelectorAll('main canvas')].map((one) => one.toDataURL())")
    broken = page.evaluate("[...document.querySelectorAll('main img')].filter((one) => !one.naturalWidth).length")
    assert broken == 0
    return found


def test_all_about_a_unit(full: Served, page: Page) -> None:
    """Every part comes, and says what the index says; keys lead to other units; a link leads to the same page."""
    from playwright.sync_api import expect

    page.goto(f"{full.link}#/unit/i0/{LAYER}/17")
    settled(page)
    unit = f"api/indexes/i0/units/{LAYER}/17"
    parts = {one: full.get(f"{unit}/{one}").json() for one in ("numbers", "top", "like", "classes", "spread")}

    def part(title: str) -> Locator:
        return page.locator("section", has=page.locator("h2", has_text=title)).last

    facts = part("In numbers")
    for name, value in parts["numbers"]["facts"].items():
        if name != "images":
            row = facts.locator("dl div", has=page.locator(f"dt:text-is({json.dumps(name)})"))
            told = row.locator("dd").inner_text()
            assert told == "not known" if value is None else float(told) == pytest.approx(value, rel=6e-3), name
    strongest = part("What excites it most")
    assert strongest.locator("li").count() == len(parts["top"]["rows"]) == strongest.locator("canvas").count() > 0
    assert len(set(drawn(page))) > len(parts["top"]["rows"]) / 2, "what excites it is drawn, not gray"
    assert part("From weak to strong").locator("li").count() == len(parts["spread"]["rows"]) > 0
    expect(part("The mean of what excites it").locator("img")).to_be_visible()
    like = part("Units that the same pictures excite").locator("li > a:last-of-type").all_inner_texts()
    assert like == [f"{one['layer']}:{one['channel']}" for one in parts["like"]["rows"]] != []
    classes = part("Classes that excite it").locator("li > span:first-child").all_inner_texts()
    assert classes == [one["name"] for one in parts["classes"]["rows"]] != []
    before = page.locator("main").inner_text(), drawn(page)
    page.reload()
    settled(page)
    assert (page.locator("main").inner_text(), drawn(page)) == before, "a link leads to the same page again"
    for key, layer, channel in (
        ("ArrowRight", LAYER, 18),
        ("ArrowLeft", LAYER, 17),
        ("u", BEFORE, 17),
        ("o", LAYER, 17),
    ):
        page.keyboard.press(key)
        expect(page.locator("h1")).to_contain_text(re.compile(rf"^{re.escape(layer)}:{channel} "))
        assert page.url.endswith(f"#/unit/i0/{layer}/{channel}")
