"""Renderers of results in a page that was saved as one file: who can read them, by keys, by pointer, from disk."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from pellucid import export
from pellucid.catalogue import find
from pellucid.decisions import Decisions
from pellucid.export import as_bytes, as_json, exported
from pellucid.plugins import RESULTS
from pellucid.result import Audit, Blocks, DecisionTree, Finding, Grid, Looked, Meta, Result
from pellucid.result.wire import wire
from pellucid.web.forms import form
from tests.draw.test_blocks import blocks, layer
from tests.draw.test_captions import captions
from tests.draw.test_decision_tree import chain
from tests.draw.test_mistakes import mistakes
from tests.draw.test_pair import pair
from tests.draw.test_prototypes import group, prototypes
from tests.methods.blocks.test_tour import walked
from tests.web.test_pages import _TOO_WIDE, ROOT, SIZES, readable, settled, tabbed

if TYPE_CHECKING:
    from playwright.sync_api import Page

EVIL = "<img src=x onerror=alert(1)>"
KINDS = ROOT / "web" / "ui" / "src" / "kinds" / "of"


def _finding(kind: str, title: str, images: tuple[int, ...], *captions: str, **more: Any) -> Finding:
    return Finding(kind, title, "what was found", "Look at it.", 1.0, True, images, captions, **more)


def audit() -> Audit:
    """Eight images: one with a doubted label, two copies, one in the test set too; and classes that are alike."""
    pixels = np.random.default_rng(0).integers(0, 255, (8, 24, 24, 3), np.uint8)
    items = (
        _finding("mislabeled", "cat, rather dog?", (0,), "network: dog", label="cat", suggestion="dog",
                 beside=(1, 2), beside_captions=("dog", "cat"), beside_title="nearest by act"),
        _finding("duplicates", f"2 copies {EVIL}", (3, 4), "", ""),
        _finding("leaks", "1 in the test set", (5, 6), "", ""),
        _finding("context", "cat without a cat", (7, 7), "covered", "alone", label="cat"),
    )  # fmt: skip
    looked = [Looked(kind, 1, f"what counts as {kind}") for kind in ("mislabeled", "leaks", "duplicates", "similar")]
    looked += [Looked("context", 1, "the rest is enough"), Looked("outliers", 0, "far away")]
    return Audit(
        items, (*looked, Looked("subgroups", 0, "it needs groups", done=False)), pixels,
        ("cat/a.png", "dog/b.png", "cat/c.png", "dog/d.png", "dog/e.png", "cat/f.png", "cat/g.png", ""),
        ("cat", "dog", "cat", "dog", "dog", "cat", "cat", ""), ("dog", *[""] * 7),
        ("set", "set", "set", "set", "set", "set", "test set", ""), ("cat", "dog", "fox"), 60,
        Grid(np.array([[np.nan, 0.4, 0.1], [0.4, np.nan, 0.2], [0.1, 0.2, np.nan]]), ("cat", "dog", "fox"),
             ("cat", "dog", "fox"), "how much they are alike"),
        np.array([[0.0, 1.0, 0.5, 2.0], [2.0, 3.0, 0.9, 3.0]]), ("1 wrong label",), meta=Meta(title="Audit"),
    )  # fmt: skip


def hierarchy() -> DecisionTree:
    """Three classes that are joined two by two, and one image that comes to the second."""
    return DecisionTree(
        np.array([-1, 0, 0, 2, 2]), ("",) * 5, ("cat or dog and 1 more?", "", "dog or fox?", "", ""),
        ("dog and 2 more", "cat", "dog and 1 more", "dog", "fox"), np.array([1, 0.5, 0.5, 0.25, 0.25]), np.ones(5),
        np.full((1, 16, 16, 3), 120, np.uint8), np.full((5, 0), -1), np.array([1, 0.1, 0.9, 0.7, 0.2]), "photos/a.png",
        np.array([2.0, 0, 1.0, 0, 0]), findings=("a hierarchy",), meta=Meta(title="Hierarchy of classes"),
    )  # fmt: skip


def cells() -> Blocks:
    """Two units of a cell."""
    own = replace(layer((0.5, -0.25), 1.0), cells=np.array([[1, 3]]), activations=np.array([[2.0, 1.0]]))
    return blocks(replace(own, directions=None, agreement=None, empty=None))


LINKS = np.array([[[1.0, 0.0, 0.5], [0.25, -0.5, 0.0], [0.0, 0.0, 0.25]]])
ANSWERS: dict[str, tuple[str, Callable[[], Result]]] = {
    "audit": ("audit", audit),
    "prototypes": ("prototypes", lambda: prototypes(group("cats"), group("dogs"))),
    "pair": ("exchange", lambda: pair(2)),
    "tree": ("tree", lambda: chain(6)),
    "hierarchy": ("hierarchy", hierarchy),
    "groups": ("neuron_groups", lambda: blocks(layer((1.5, -0.5), 0.25))),
    "pathway": (
        "pathways",
        lambda: blocks(layer((1.25, -0.5), 0.75, LINKS, "early"), layer((1.5, 0.5), -0.25, name="late")),
    ),
    "cells": ("semantic_dictionary", cells),
    "mistakes": ("mistake", mistakes),
    "captions": ("captioner", captions),
    "answers": ("vqa", lambda: captions(questions=("what is it?", "what color is it?", "who?"))),
    "shares": ("captioner", lambda: captions(4.5, "logit")),  # as `because` gives, which no page can ask
    "tour": ("tour", walked),
}
"""The method that a page is of, and an answer."""


def saved(folder: Path, name: str) -> str:
    """The address of a page with an answer in it."""
    method, made = ANSWERS[name]
    return paged_of(folder, method, made())


def paged_of(folder: Path, method: str, result: Result | None = None) -> str:
    about = {**form(find(method)), "took": 0.1, "long": False, "nouns": {}} if result else form(find(method))
    state = {"version": "0", "state": "ready", "lost": 0, "images": [], "folders": [], "indexes": [],
             "nets": [{"id": "n0", "name": "net", "classes": 3, "device": "cpu", "shown": "net"}]}  # fmt: skip
    records = {"api/state": as_json(state), "api/methods": as_json([about])}
    if result:
        asked = json.dumps({"method": method, "nouns": {}, "options": {}}, separators=(",", ":"))
        records[f"api/ask {asked}"] = {"lines": [{"n": 1, "key": "k", "kind": type(result).__name__, "took": 0.1}]}
        records["api/results/k"] = as_bytes(wire(result))
    file = folder / f"{method}.html"
    file.write_text(exported(method, f"#/method/{method}", records), encoding="utf-8")
    return file.as_uri()


@pytest.fixture(autouse=True)
def _built(monkeypatch: pytest.MonkeyPatch) -> None:
    """A script that is not built into the package yet."""
    if place := os.environ.get("PELLUCID_TEST_EXPORT"):
        monkeypatch.setattr(export, "_BUILT", Path(place))


def opened(page: Page, address: str) -> None:
    from playwright.sync_api import expect

    page.goto(address)
    expect(page.get_by_role("link", name="NPZ")).to_be_visible()
    settled(page)
    expect(page.get_by_text("drawing it")).to_have_count(0)


def test_every_kind_of_answer_has_a_renderer() -> None:
    """An answer that is a picture of the server says nothing by keys, to readers aloud, or from disk."""
    kinds = {row.name for row in RESULTS.rows() if row.module.startswith("pellucid.")}
    drawn = {"Explanation"}  # the page Compare
    assert kinds - {one.stem for one in KINDS.glob("*.svelte")} == drawn


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ANSWERS)
def test_everybody_can_read_it(name: str, size: str, paged: Callable[..., Page], tmp_path: Path) -> None:
    page = paged(*SIZES[size], reduced_motion="reduce")
    opened(page, saved(tmp_path, name))
    for scheme in ("light", "dark"):
        if scheme == "dark":
            page.get_by_role("button", name="Dark colors").click()
            page.get_by_role("button", name="Light colors").wait_for()
        if folder := os.environ.get("PELLUCID_SCREENS"):
            page.screenshot(path=Path(folder) / f"renderer-{name}-{size}-{scheme}.png", full_page=True)
        readable(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0], page.evaluate(_TOO_WIDE)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["audit", "pair", "tree", "pathway", "captions", "tour"])
def test_the_keyboard_reaches_everything(name: str, paged: Callable[..., Page], tmp_path: Path) -> None:
    page = paged(*SIZES["phone"])
    opened(page, saved(tmp_path, name))
    tabbed(page)


@pytest.mark.slow
def test_an_audit_is_decided_about_and_kept(page: Page, tmp_path: Path) -> None:
    from playwright.sync_api import expect

    address, found = saved(tmp_path, "audit"), audit()
    opened(page, address)
    doubted = page.get_by_role("article", name="finding 1: cat, rather dog?")
    doubted.get_by_role("button", name="Accept dog: cat/a.png").press("Enter")
    expect(doubted.get_by_role("status")).to_have_text("becomes dog")
    box = doubted.get_by_role("combobox")
    box.fill("cow")
    box.press("Enter")
    expect(doubted.get_by_role("status")).to_have_text("there is no class cow")
    page.get_by_role("button", name="Duplicates").click()
    expect(page.locator("main")).to_contain_text(EVIL)
    page.get_by_role("button", name="Keep the first, remove the others").press("Space")
    page.get_by_role("button", name="Leaks").click()
    page.get_by_role("button", name="Remove from the set").click()
    with page.expect_download() as taken:
        page.get_by_role("button", name="Download decisions.csv").click()
    file = tmp_path / "decisions.csv"
    taken.value.save_as(file)
    rows = Decisions.read(file).rows
    assert [(one.image, one.decision, one.label) for one in rows] == [
        ("cat/a.png", "accept", "dog"), ("dog/d.png", "reject", "dog"), ("dog/e.png", "remove", ""),
        ("cat/f.png", "remove", ""),
    ]  # fmt: skip
    assert found.decide(file).rows == rows
    with page.expect_download() as taken:
        page.get_by_role("button", name="Download findings.csv").click()
    assert len(list(csv.DictReader(taken.value.path().read_text(encoding="utf-8").splitlines()))) == len(found)
    opened(page, address)
    expect(doubted.get_by_role("button", name="Accept dog")).to_have_attribute("aria-pressed", "true")
    page.get_by_label("Show").select_option("undecided ones")
    expect(page.locator("main")).to_contain_text("None of these is listed with this filter.")
    page.get_by_role("button", name="Rare subgroups").click()
    expect(page.locator("main")).to_contain_text("Not looked for: It needs groups.")


@pytest.mark.slow
def test_nothing_is_decided_where_it_would_be_lost(page: Page, tmp_path: Path) -> None:
    from playwright.sync_api import expect

    page.add_init_script("Object.defineProperty(window, 'localStorage', { get() { throw new Error('no') } })")
    opened(page, saved(tmp_path, "audit"))
    expect(page.get_by_role("article")).to_have_count(1)
    expect(page.get_by_role("button", name="Accept")).to_have_count(0)
    expect(page.locator("main")).to_contain_text("This browser keeps nothing for this page")
    expect(page.get_by_role("button", name="Download findings.csv")).to_be_enabled()


@pytest.mark.slow
def test_a_cell_shows_its_partner(page: Page, tmp_path: Path) -> None:
    from playwright.sync_api import expect

    opened(page, saved(tmp_path, "pair"))
    first = page.get_by_role("region", name="panda.jpg").first
    query, other = first.locator(".whole").nth(0), first.locator(".whole").nth(1)
    edge = query.bounding_box()
    assert edge
    page.mouse.move(edge["x"] + 0.5 * edge["width"], edge["y"] + 0.5 * edge["height"])  # the second cell
    expect(query.locator(".now")).to_have_text("2")
    expect(other.locator(".now")).to_have_text("1, 2")
    expect(first.locator(".told")).to_contain_text(
        "Exchange 2: the cell in row 2, column 2 for that in row 2, column 2"
    )
    first.get_by_role("button", name="Exchange 3").focus()
    expect(query.locator(".now")).to_have_text("3")
    expect(other.locator(".now")).to_have_text("3")
    expect(first.locator(".told")).to_contain_text("panda 50.0 % → 30.0 %, koala 41.7 % → 60.0 %")


@pytest.mark.slow
def test_a_tree_is_walked_by_arrow_keys(page: Page, tmp_path: Path) -> None:
    from playwright.sync_api import expect

    opened(page, saved(tmp_path, "tree"))
    nodes, panel = page.get_by_role("treeitem"), page.locator(".panel")
    expect(nodes).to_have_count(11)
    expect(page.get_by_role("tree").locator("[tabindex='0']")).to_have_count(1)
    nodes.first.press("ArrowRight")
    expect(panel).to_contain_text("after relu:0 > 0.5: yes")
    expect(panel).to_contain_text("50.0 % of the images come here · the network says the same of 75.0 % of them")
    page.keyboard.press("ArrowDown")
    expect(panel).to_contain_text("relu:2 > 0.5")
    page.keyboard.press("Enter")
    expect(nodes).to_have_count(3)
    expect(page.locator("[role=treeitem]:focus")).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("ArrowRight")
    expect(nodes).to_have_count(11)


@pytest.mark.slow
def test_the_way_of_an_image_is_marked(page: Page, tmp_path: Path) -> None:
    from playwright.sync_api import expect

    opened(page, saved(tmp_path, "hierarchy"))
    expect(page.locator("main")).to_contain_text("The way of a.png is marked: it most probably ends at dog (70.0 %)")
    expect(page.locator(".node.taken")).to_have_count(3)
    expect(page.locator("path.taken")).to_have_count(2)
    expect(page.get_by_role("treeitem", name="dog 70.0 %")).to_contain_text("on the way of the image")


@pytest.mark.slow
def test_a_pathway_says_what_comes_through(page: Page, tmp_path: Path) -> None:
    from playwright.sync_api import expect

    opened(page, saved(tmp_path, "pathway"))
    expect(page.locator(".board path")).to_have_count(11)  # none for a link of nothing
    expect(page.locator(".board path.takes")).to_have_count(3)
    page.get_by_role("button", name="group 1 of late: +1.5").focus()
    told = page.locator(".told")
    expect(told).to_contain_text("through early: group 1 +1, left over +0.5")
    expect(page.locator(".board path.strong")).to_have_count(3)
    table = page.get_by_role("region", name="Shares of the score, by layer")
    expect(table.locator("tbody tr")).to_have_count(6)
    expect(page.locator("dl").first).to_contain_text("score")


@pytest.mark.slow
def test_what_a_page_cannot_be_asked_is_said_in_a_sentence(page: Page, tmp_path: Path) -> None:
    """A training run is a folder, which no page may name."""
    from playwright.sync_api import expect

    page.goto(paged_of(tmp_path, "curves"))
    settled(page)
    expect(page.locator("main")).to_contain_text(
        "It asks about a folder of a training run, which this page cannot open: ask in Python, or on the command line "
        "with pellucid curves run/"
    )
    expect(page.get_by_role("button", name="Ask")).to_have_count(0)
