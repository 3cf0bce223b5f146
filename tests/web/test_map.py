"""Maps in the page: who lies where, what is selected, and what is drawn on top; each worked out again, slowly."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from pellucid.result.arrays import arrays
from tests.web.bundled import needs_node, ran
from tests.web.served import Served

if TYPE_CHECKING:
    from playwright.sync_api import Page

SCRIPT = """
return given.map((one) => {
  const numbers = (kind, values) => ({ values: kind.from(values.flat()), shape: [] })
  const whole = Object.fromEntries(['images', 'labels', 'cells'].map((name) => [name, numbers(Int32Array, one[name])]))
  const data = new page.MapData({ ...one, ...whole, places: numbers(Float32Array, one.places) })
  const all = Array.from({ length: data.count }, (_, i) => i)
  return { beside: all.map((i) => data.beside(i)), told: data.told(one.chosen), ordered: data.ordered(all),
    top: data.onTop(all, data.places, one.side), apart: data.apart(all, data.places, one.side),
    near: one.asked.map(([x, y]) => data.near(x, y, one.side)),
    inside: data.enclosed(one.line, false), held: all.map((i) => data.cell(data.grid[2 * i], data.grid[2 * i + 1])),
    worth: page.worth(data.sent), again: [...data.with([...one.chosen.map((i) => data.images[i]), -7])] }
})
"""


def made(seed: int, count: int, high: float) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    places = rng.random((count, 2)) ** 2 * [1, high]
    columns = -(-count // 3)
    return {
        "places": places.astype(np.float32).astype(float).tolist(),
        "images": rng.permutation(5 * count)[:count].tolist(), "labels": rng.integers(-1, 3, count).tolist(),
        "cells": rng.permutation(3 * columns)[:count].tolist(),
        "sides": [3, columns], "high": high, "count": count, "classes": ["a", "b", "c"], "names": [],
        "chosen": rng.permutation(count)[: count // 2].tolist(), "side": 0.05, "asked": rng.random((30, 2)).tolist(),
        "line": [[0.1, 0.1], [0.9, 0.2], [0.5, 0.4], [0.4, 0.9]], "quality": {"recall": 0.3, "trust": 0.9, "rank": 0.5},
    }  # fmt: skip


def inside(line: np.ndarray, at: np.ndarray) -> bool:
    """How often the line goes around a point: by the angles that its corners are seen under."""
    corners = line - at
    angles = np.arctan2(corners[:, 1], corners[:, 0])
    turned = (np.diff(angles, append=angles[0]) + np.pi) % (2 * np.pi) - np.pi
    return bool(abs(turned.sum()) > np.pi)


@needs_node
def test_maps_in_the_page(tmp_path: Path) -> None:
    given = [made(k, *how) for k, how in enumerate([(3, 0.5), (2, 1.0), (60, 0.5), (700, 1.1)])]
    for one, found in zip(given, ran("map/data.ts", SCRIPT, given, tmp_path), strict=True):
        places, images, side = np.array(one["places"]), np.array(one["images"]), one["side"]
        apart = np.linalg.norm(places[:, None] - places[None], axis=2)
        np.fill_diagonal(apart, np.inf)
        wanted = np.argsort(apart, axis=1, kind="stable")[:, : min(3, len(places) - 1)]
        assert found["beside"] == wanted.tolist()
        assert found["ordered"] == np.argsort(images).tolist()
        chosen = np.array(one["chosen"], int)
        assert found["told"]["first"] == chosen[np.argsort(images[chosen])][:12].tolist()
        assert found["again"] == sorted(chosen.tolist()), "by their numbers, those that are there"
        labels = np.array(one["labels"])[chosen]
        counts = {one["classes"][k]: int((labels == k).sum()) for k in range(3) if (labels == k).any()}
        assert {row["name"]: row["count"] for row in found["told"]["classes"]} == counts
        assert [row["count"] for row in found["told"]["classes"]] == sorted(counts.values(), reverse=True)
        assert found["inside"] == [i for i, at in enumerate(places) if inside(np.array(one["line"]), at)]
        assert found["held"] == list(range(len(places)))
        far = np.abs(np.array(one["asked"])[:, None] - places[None]).max(2)
        nearest = [int(row.argmin()) if row.min() <= side else -1 for row in far]
        assert found["near"] == nearest
        on_top: list[int] = []
        for i in range(len(places)):  # whoever comes first and covers none of those before
            if all(np.abs(places[i] - places[j]).max() >= side for j in on_top):
                on_top.append(i)
        assert sorted(found["top"]) == list(range(len(places)))
        assert found["top"][-len(on_top) :] == found["apart"] == on_top
        near = max(min(10, (len(places) - 1) // 2), 1)
        assert f"of the {near} nearest pictures of each, 30 %" in found["worth"]


@needs_node
def test_a_cell_of_a_table_is_text(tmp_path: Path) -> None:
    """No formula of a spreadsheet, and no second cell."""
    written = {"=1+1": "'=1+1", "+1": "'+1", "@a": "'@a", 'a"b': '"a""b"', "a,b": '"a,b"', "a\nb": '"a\nb"', "a": "a"}
    assert ran("map/data.ts", "return given.map(page.cellOf)", [*written, None], tmp_path) == [*written.values(), ""]


@needs_node
def test_whether_there_are_pictures_of_a_map(tmp_path: Path) -> None:
    """Of moved images the small ones that an index keeps; of a map that was drawn those that it was given."""
    script = "return given.map((more) => new page.MapData({ ...blank(), ...more }).pictured)"
    blank = """const blank = () => {
      const values = { values: new Int32Array() }
      return { count: 0, sides: [0, 0], high: 1, places: values, images: values, labels: values }
    }
    """
    given = [
        {"missing": "", "small": 0}, {"missing": "moved", "small": 0}, {"missing": "moved", "small": 64},
        {"missing": "", "small": 64, "pictured": 3}, {"missing": "", "small": 0, "pictured": 0},
    ]  # fmt: skip
    assert ran("map/data.ts", blank + script, given, tmp_path) == [True, False, True, True, False]


def crowd(points: int, images: int, grid: bool) -> bytes:
    """A map of so many points, each one of a few images, in the server's own format."""
    rng, high = np.random.default_rng(0), 0.7
    held = {"places": rng.random((points, 2)) * [1, high], "images": np.arange(points) % images,
            "labels": rng.integers(0, 9, points), "cells": rng.permutation(points)}  # fmt: skip
    columns = round(points**0.5 / high**0.5)
    held["seams"] = np.zeros((-(-points // columns), columns, 2))
    if not grid:
        del held["cells"], held["seams"]
    said = {
        "layer": "made up", "layout": "pca", "count": points, "of": points, "high": high, "names": [], "quality": {},
        "classes": [f"class {k}" for k in range(9)], "notes": [], "missing": "", "small": 0,
        "sides": [-(-points // columns), columns] if grid else [0, 0],
    }  # fmt: skip
    sent = {
        k: v.astype(np.float32 if k == "places" else np.uint8 if k == "seams" else np.int32) for k, v in held.items()
    }
    return arrays({**said, **{name: {"$": name} for name in sent}}, sent)


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 390])
def test_of_many_pictures_those_are_shown_that_have_room(width: int, full: Served, paged: Any) -> None:
    """How many is said, more come as one looks closer, and those that were there before stay."""
    from playwright.sync_api import expect

    page: Page = paged(width, 900)
    content = crowd(20_000, full.ready()["indexes"][0]["pictures"], grid=True)
    page.route("**/api/indexes/i0/map", lambda route: route.fulfill(body=content, content_type="application/binary"))
    page.goto(f"{full.link}#/map/i0")
    told = page.locator(".sight")
    expect(told).to_contain_text("20,000 pictures have room here", timeout=60_000)

    def numbers() -> list[int]:
        return [int(one.replace(",", "")) for one in re.findall(r"[\d,]+", told.inner_text())[:2]]

    shown, seen = numbers()
    assert (100 if width == 1280 else 50) < shown < 2500  # a phone has room for fewer
    assert seen == 20_000
    stage = page.get_by_role("application")
    for _ in range(12):
        stage.press("+")
    # It glides there: what it says at last, not on the way.
    page.wait_for_function(
        """told => { const now = told.innerText, same = now === told.before; told.before = now; return same }""",
        arg=told.element_handle(), polling=500,
    )  # fmt: skip
    closer, within = numbers()
    assert within < seen / 4
    assert closer / within > 3 * shown / seen, "a larger share of those in sight"
    page.get_by_role("button", name="Colors only").click()
    expect(told).to_have_count(0)
    page.get_by_role("button", name="Colors only").click()
    page.get_by_role("button", name="Grid").click()
    page.get_by_role("button", name="Whole map").click()
    expect(told).to_contain_text("too many to be shown")
