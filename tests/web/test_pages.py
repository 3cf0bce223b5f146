"""The pages in a browser: what they show, how they are used without a mouse, and by whom they can be read."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.web.conftest import LAYER
from tests.web.hostile import png
from tests.web.proxy import proxied
from tests.web.served import Served

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
AXE = ROOT / "web" / "ui" / "node_modules" / "axe-core" / "axe.min.js"
pages = [
    "start", "start/s-koala", "compare/s-panda?m=grad_cam,gradient", "methods", "methods?find=cam",
    "method/grad_cam?image=s-panda", "method/occlusion?image=s-panda&size=64", "camera", "layers/s-panda",
    f"unit/i0/{LAYER}/17", "map/i0", "jobs", "nothing",
]  # fmt: skip
SIZES = {"wide": (1280, 900), "phone": (390, 844)}


def shown(page: Page, server: Served, where: str) -> None:
    """Go there, and wait until all of it is there; a page that is not built is skipped by its name."""
    page.goto(f"{server.link}#/{where}")
    settled(page)
    built = page.locator("h1", has_text="There is no such page").count() == 0
    if not built and where != "nothing":
        pytest.skip(f"no page {where.partition('/')[0]} is built yet")


def settled(page: Page) -> None:
    """Wait until nothing is on its way any more."""
    from playwright.sync_api import expect

    expect(page.locator("h1")).to_have_count(1, timeout=120_000)
    expect(page.locator("h1", has_text="A moment")).to_have_count(0, timeout=120_000)
    expect(page.locator("main .ghost, main [aria-busy=true]")).to_have_count(0, timeout=120_000)
    if "#/camera" in page.url:  # its frames never end
        page.wait_for_timeout(3000)
    else:
        page.wait_for_load_state("networkidle")


def readable(page: Page, colors: bool = False) -> None:
    """Nothing keeps anybody out, as far as a program can tell; `colors`: their contrast alone is looked at."""
    if not AXE.is_file():
        pytest.skip("no axe-core: npm ci in web/ui")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    asked = "{runOnly: ['color-contrast']}" if colors else "{rules: {'target-size': {enabled: true}}}"
    found = page.evaluate(f"axe.run(document, {asked})")
    wrong = [
        f"{one['id']} ({one['impact']}): {one['help']}: {[node['html'][:160] for node in one['nodes'][:4]]}"
        for one in found["violations"]
    ]
    assert not wrong, "\n".join(wrong)
    assert len(found["passes"]) > (0 if colors else 15)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("where", pages)
def test_everybody_can_use_it(where: str, size: str, full: Served, paged: Callable[..., Page]) -> None:
    """In both schemes of color, by a program that reads it aloud, on a narrower screen, and by keys alone."""
    page = paged(*SIZES[size], reduced_motion="reduce")
    shown(page, full, where)
    seen(page, f"{where}-{size}")
    page.set_viewport_size({"width": NARROW, "height": SIZES[size][1]})
    page.wait_for_timeout(300)
    too_wide = page.evaluate(_TOO_WIDE)
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW, too_wide
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    settled(page)
    tabbed(page)


def seen(page: Page, name: str) -> None:
    """It can be read in light and in dark, and nothing of it lies beyond its sides; its pictures are kept if asked."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        settled(page)
        if folder := os.environ.get("PELLUCID_SCREENS"):
            plain = re.sub(r"\W+", "-", name)
            page.screenshot(path=Path(folder) / f"{plain}-{scheme}.png", full_page=True)
        readable(page, colors=scheme == "dark")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.evaluate(_TOO_WIDE)


NARROW = 320
"""Pixels: the least that readers of web pages are promised (WCAG 2.2, 1.4.10)."""
_TOO_WIDE = """[...document.querySelectorAll('main *')]
  .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
  .slice(0, 8).map((one) => one.outerHTML.slice(0, 120))"""
_CONTROLS = """() => {
  const all = [...document.querySelectorAll(
    'a[href], :is(button, input, select, textarea):not([disabled]), summary, [tabindex="0"]')]
  const seen = new Set()
  const found = all.filter((one) => {
    if (!one.checkVisibility({ visibilityProperty: true }) || one.tabIndex < 0) return false
    if (one.type !== 'radio') return true
    const group = `${one.form?.id}/${one.name}`
    return !seen.has(group) && seen.add(group)
  })
  found.forEach((one, k) => { if (one.type !== 'radio') one.dataset.number = k })
  document.querySelectorAll('input[type=radio]').forEach((one) => {
    one.dataset.number = found.findIndex((other) => other.type === 'radio' && other.name === one.name) })
  return found.map((one) => one.outerHTML.slice(0, 160))
}"""
_FOCUSED = """() => {
  const one = document.activeElement
  if (!one || one === document.body) return null
  const around = [one, one.nextElementSibling, one.closest('label'), ...(one.labels ?? []), one.parentElement]
  const marked = around.filter(Boolean).some((each) => {
    const style = getComputedStyle(each)
    return (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1) || style.boxShadow !== 'none'
  })
  const own = one.getBoundingClientRect(), host = own.width > 4 && own.height > 4 ? one : (one.labels?.[0] ?? one)
  const box = host.getBoundingClientRect()
  const x = Math.min(Math.max(box.left + box.width / 2, 1), innerWidth - 1)
  const y = Math.min(Math.max(box.top + Math.min(box.height / 2, 100), 1), innerHeight - 1)
  const top = document.elementFromPoint(x, y)
  return { number: one.dataset.number ?? '', marked, covered: !(host.contains(top) || top?.contains(host)),
           html: one.outerHTML.slice(0, 160) }
}"""


def tabbed(page: Page) -> None:
    """Tab leads to every control, and shows where it is."""
    controls = page.evaluate(_CONTROLS)
    assert controls
    page.evaluate("document.activeElement.blur()")
    reached: dict[str, Any] = {}
    for _ in range(3 * len(controls) + 20):
        page.keyboard.press("Tab")
        at = page.evaluate(_FOCUSED)
        if at and at["covered"]:  # pictures that come in above it may have moved it out of sight
            page.wait_for_timeout(300)
            page.evaluate("document.activeElement.scrollIntoView({ block: 'center', behavior: 'instant' })")
            at = page.evaluate(_FOCUSED)
        if at is None or (at["number"] and at["number"] in reached):
            if len(reached) >= len(controls):
                break
            continue
        reached[at["number"] or at["html"]] = at
    missing = [html for k, html in enumerate(controls) if str(k) not in reached]
    assert not missing, f"Tab reaches {len(reached)} of {len(controls)}; not: {missing[:6]}"
    unmarked = [one["html"] for one in reached.values() if not one["marked"]]
    assert not unmarked, f"the focus is not to be seen at {unmarked[:6]}"
    covered = [one["html"] for one in reached.values() if one["covered"]]
    assert not covered, f"something lies over the focus at {covered[:6]}"


def test_from_a_picture_to_its_explanations(server: Served, page: Page) -> None:
    from playwright.sync_api import expect

    page.goto(server.link)
    settled(page)
    expect(page).to_have_title(re.compile("Start"))
    page.get_by_role("link", name="koala").click()
    settled(page)
    expect(page.locator("#guesses ~ ol li").first).to_contain_text("koala")
    page.get_by_role("link", name="Why? Compare explanations").click()
    settled(page)
    expect(page.locator("h1")).to_be_focused()
    assert "/compare/s-koala" in page.url


def test_a_grid_of_four_methods_and_five_classes(server: Served, page: Page) -> None:
    from playwright.sync_api import expect

    classes = "giant panda,koala,281,lesser panda,indri"
    page.goto(f"{server.link}#/compare/s-panda?m=grad_cam,gradient,guided_backprop,occlusion&t={classes}")
    maps = page.locator("canvas")
    expect(maps).to_have_count(20, timeout=240_000)
    settled(page)
    expect(page.locator("p.column", has_text="koala")).to_have_count(1)
    told = page.locator(".read").all_text_contents()
    assert len(told) == 20
    page.reload()
    expect(maps).to_have_count(20, timeout=240_000)
    settled(page)
    assert page.locator(".read").all_text_contents() == told, "a link leads to the same page again"
    place = maps.first.bounding_box()
    assert place is not None
    page.mouse.move(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
    expect(page.locator("main")).to_contain_text(re.compile("at (49|50|51) %, (49|50|51) %"))
    assert page.locator(".read").all_text_contents() != told, "the numbers under the pointer"


def test_a_map_is_read_with_keys(server: Served, page: Page) -> None:
    from playwright.sync_api import expect

    page.goto(f"{server.link}#/compare/s-panda?m=grad_cam&t=koala,indri")
    settled(page)
    page.get_by_role("button", name="enlarge").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("button", name="enlarge").nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    slider = dialog.get_by_role("slider")
    slider.focus()
    before = slider.get_attribute("aria-valuetext")
    for _ in range(6):
        page.keyboard.press("ArrowLeft")
    assert slider.get_attribute("aria-valuetext") != before
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_a_cell_of_a_mosaic_is_chosen_with_keys_and_with_a_pointer(server: Served, page: Page) -> None:
    from playwright.sync_api import expect

    page.goto(f"{server.link}#/method/channels")
    settled(page)
    mosaic, shown = page.get_by_role("listbox"), page.locator(".mosaic h3")
    mosaic.focus()
    for key, number in (("ArrowRight", 1), ("End", 31), ("ArrowLeft", 30), ("Home", 0)):
        page.keyboard.press(key)
        expect(shown).to_have_text(f"filter {number}")
        expect(mosaic.get_by_role("option", selected=True)).to_have_attribute("aria-label", f"filter {number}")
    cells = mosaic.locator("canvas")
    cells.scroll_into_view_if_needed()
    cells.click(position={"x": 100, "y": 100})
    expect(shown).not_to_have_text("filter 0")


def test_a_slider_asks_nothing_again(server: Served, page: Page) -> None:
    from playwright.sync_api import expect

    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url) if one.url.endswith("api/compare") else None)
    page.goto(f"{server.link}#/compare/s-panda?m=grad_cam&t=koala")
    expect(page.locator("canvas")).to_have_count(1, timeout=240_000)
    settled(page)
    page.get_by_label("Opacity").press("ArrowLeft")
    expect(page).to_have_url(re.compile("op=0.8"))
    settled(page)
    assert len(asked) == 1


def test_a_selection_is_explained_picture_by_picture(full: Served, page: Page) -> None:
    from playwright.sync_api import expect

    chosen = full.post("api/indexes/i0/sets", {"ids": [0, 1, 2]}).json()["set"]
    page.goto(f"{full.link}#/report/i0/{chosen}?m=grad_cam,gradient&n=2")
    maps = page.locator(".cards canvas")
    expect(maps).to_have_count(4, timeout=240_000)
    settled(page)
    expect(page.locator("main")).to_contain_text("The first 2 of 3 pictures of samples.index")
    page.get_by_role("button", name="The next 1").click()
    expect(maps).to_have_count(6, timeout=240_000)
    settled(page)
    first = page.get_by_role("button", name="enlarge").first
    first.focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("button", name="enlarge").nth(2)).to_be_focused()
    field = page.get_by_label("A class for all pictures")
    field.fill("koala")
    field.press("Enter")
    expect(page.get_by_role("button", name="for koala: enlarge")).to_have_count(6, timeout=240_000)
    expect(page.locator(".rail [aria-current]")).to_contain_text("Map")
    page.set_viewport_size({"width": 320, "height": 844})
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320, page.evaluate(_TOO_WIDE)
    if AXE.is_file():
        readable(page)


def test_a_selection_that_is_gone_is_said(full: Served, page: Page, faults: list[str]) -> None:
    from playwright.sync_api import expect

    page.goto(f"{full.link}#/report/i0/0123456789abcdef")
    expect(page.locator(".error")).to_contain_text("select again")
    expect(page.get_by_role("link", name="Select pictures on the map")).to_be_visible()
    faults[:] = [one for one in faults if not re.search("404|422", one)]


def test_a_form_says_what_happens_without_an_option_and_what_a_method_lacks(full: Served, page: Page) -> None:
    from playwright.sync_api import expect

    page.goto(f"{full.link}#/method/maps?image=s-panda")
    expect(page.locator("#option-layer-what")).to_contain_text("automatic: the last layer with spatial maps")
    page.goto(f"{full.link}#/method/evolution")
    expect(page.locator("main")).to_contain_text("begin the server with an index of each")


def test_a_selection_has_a_name_and_is_found_again(full: Served, paged: Callable[..., Page]) -> None:
    """By keys alone; its name is text, whatever stands in it."""
    from playwright.sync_api import expect

    page, name = paged(1280, 900), "hounds <img src=x onerror=alert(1)>"
    made = json.loads(full.post("api/indexes/i0/sets", {"ids": [0, 1, 5]}).body)
    shown(page, full, f"map/i0?set={made['set']}")
    expect(page.get_by_role("heading", name="3 selected")).to_be_visible()
    expect(page.get_by_role("img", name="Mean of the selected pictures")).to_be_visible()
    box = page.get_by_label("Name", exact=True)
    box.fill(name)
    box.press("Enter")
    named = page.get_by_role("button", name=name)
    expect(named).to_be_visible()
    if AXE.is_file():
        readable(page)
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Clear").press("Enter")
    expect(page.get_by_role("heading", name="3 selected")).to_have_count(0)
    named.press("Enter")
    expect(page.get_by_role("heading", name="3 selected")).to_be_visible()
    assert f"set={made['set']}" in page.evaluate("location.hash")
    box.fill("")
    box.press("Enter")
    expect(named).to_have_count(0)


def test_digits_lead_from_a_guess_to_its_explanations(server: Served, page: Page) -> None:
    page.goto(f"{server.link}#/start/s-panda")
    settled(page)
    page.keyboard.press("2")
    page.wait_for_url(re.compile(r"#/compare/s-panda\?t=\d+"))
    settled(page)


def test_names_of_files_and_of_classes_are_text(server: Served, page: Page, faults: list[str]) -> None:
    from playwright.sync_api import expect

    name = "<img src=x onerror=alert(1)>.png"
    page.goto(server.link)
    settled(page)
    choose = page.locator("input[type=file]").first
    choose.set_input_files([{"name": name, "mimeType": "image/png", "buffer": png(50, 40)}])
    page.wait_for_url(re.compile("#/start/x-"))
    settled(page)
    expect(page.locator("main")).to_contain_text(name)
    choose.set_input_files([{"name": "<b>x</b>.svg", "mimeType": "image/svg+xml", "buffer": b"<svg/>"}])
    expect(page.locator(".error")).to_contain_text("<b>x</b>.svg")
    page.goto(f"{server.link}#/compare/s-panda?m=grad_cam&t=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E")
    expect(page.locator(".error, .refused").first).to_contain_text("<img src=x onerror=alert(1)>")
    page.goto(f"{server.link}#/method/%3Cscript%3Ealert(1)%3C%2Fscript%3E")
    expect(page.locator("h1")).to_have_count(1)
    assert page.locator("main script, main img[src=x]").count() == 0
    faults[:] = [one for one in faults if not re.search("404|422", one)]  # the browser says that it was refused


def test_a_picture_that_is_gone_is_said(server: Served, page: Page, faults: list[str]) -> None:
    from playwright.sync_api import expect

    page.goto(f"{server.link}#/start/x-0123456789abcdef")
    expect(page.locator(".error")).to_contain_text("drop it again")
    faults[:] = [one for one in faults if not re.search("404|422", one)]


@pytest.mark.parametrize("buffers", [False, True], ids=["streams", "buffers"])
def test_below_a_proxy(buffers: bool, server: Served, page: Page) -> None:
    from playwright.sync_api import expect

    with proxied(server.port, buffers=buffers) as address:
        page.goto(f"{address}{server.prefix}#/compare/s-panda?m=grad_cam,gradient&t=koala,indri")
        expect(page.locator("canvas")).to_have_count(4, timeout=240_000)
        settled(page)
        page.goto(f"{address}{server.prefix}#/start/s-lemur")
        settled(page)
        expect(page.locator("#guesses ~ ol li")).to_have_count(5)
        page.goto("about:blank")


def test_a_worker_that_is_lost_is_begun_again(tmp_path: Path, page: Page) -> None:
    from playwright.sync_api import expect

    from tests.web.test_serve import children

    with Served(tmp_path, "--no-token") as own:
        own.ready()
        page.goto(f"{own.link}#/start/s-panda")
        settled(page)
        (worker,) = children(own.process.pid)
        os.kill(worker, 9)
        page.wait_for_timeout(500)
        own.ready()
        assert own.get("api/state").json()["lost"] == 1
        page.get_by_role("link", name="koala").click()
        settled(page)
        expect(page.locator("#guesses ~ ol li").first).to_contain_text("koala")
