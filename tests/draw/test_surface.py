"""Surfaces as pictures and as pages: one scale, what was checked and how batch norm was treated are always there."""

from __future__ import annotations

import base64
import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid as pl
from pellucid.draw.colors import DARK, LIGHT
from pellucid.draw.contours import smooth
from pellucid.draw.look import Look
from pellucid.draw.sheet import Mesh, Region, Words
from pellucid.draw.surface import ramp_of
from pellucid.errors import PellucidError
from tests.draw import plots
from tests.draw.test_pictures import assert_tidy


@pytest.mark.parametrize("networks", [1, 2, 3])
@pytest.mark.parametrize("options", [{}, {"form": "contour", "dark": True}, {"form": "surface", "measure": "accuracy"}])
def test_surfaces_are_tidy_and_complete(networks: int, options: dict[str, Any]) -> None:
    picture = pl.draw(plots.surface(networks), **options)
    assert_tidy(picture)
    said = plots.said(picture)
    told = " ".join(said)
    assert {"smooth", "rough", "third"} & set(said) == {"smooth", "rough", "third"} & set(plots.surface(networks).names)
    for text in ("batch norm: frozen", "α = 1 moves every filter by its own norm", "checks: value agrees", "1 of"):
        assert text in told
    assert ("Check failed: slope" in told) == (networks > 1)
    meshes, areas = ([mark for mark in picture.sheet.marks if isinstance(mark, kind)] for kind in (Mesh, Region))
    assert bool(areas) == (options.get("form") != "surface")
    assert any(len(mesh.polygons) > 1000 for mesh in meshes) == (options.get("form") != "contour")


def test_a_failed_check_is_in_the_color_of_warnings() -> None:
    for dark, theme in ((False, LIGHT), (True, DARK)):
        picture = pl.draw(plots.surface(), dark=dark)
        warned = [m for m in picture.sheet.marks if isinstance(m, Words) and m.color == theme.warning]
        assert "2 ≠ 1 (± 0.1)" in " ".join(mark.text for mark in warned)
        assert "rough: check failed" in picture.alt


def test_all_networks_have_one_scale() -> None:
    result = plots.surface(2)
    ramp = ramp_of(result.losses, "loss", None, Look())
    assert ramp.span.log
    assert ramp.span.low == pytest.approx(result.losses.min())
    assert ramp.span.high <= result.losses.max() * (1 + 1e-9)
    assert not ramp_of(result.accuracies, "accuracy", None, Look()).span.log
    assert not ramp_of(result.losses, "loss", False, Look()).span.log
    assert "one scale for all" in " ".join(plots.said(pl.draw(result)))


def test_the_cap_is_said() -> None:
    result = plots.surface(1, 15)
    result.values[0, 0, 0, 0] = 1e9
    told = " ".join(plots.said(pl.draw(result)))
    assert "They end at the 98th percentile" in told
    assert "up to 10⁹" in told or "up to 1·10⁹" in told


def test_higher_losses_lie_higher_in_space_and_have_lighter_colors() -> None:
    flat = plots.surface(1, placed=(), checks=())
    deep = dataclasses.replace(flat, values=flat.values.copy())
    deep.values[:, :, 4, 4] *= 0.1  # the center of the grid
    tops = []
    for result in (flat, deep):
        mesh = max((m for m in pl.draw(result, form="surface").sheet.marks if isinstance(m, Mesh)),
                   key=lambda m: len(m.polygons))  # fmt: skip
        tops.append(mesh)
    light = [float(mesh.fills[mesh.fills[:, 3] == 1, :3].mean()) for mesh in tops]
    assert light[0] != light[1]
    table = ramp_of(flat.losses, "loss", None, Look()).table
    bright = np.where(table <= 0.04045, table / 12.92, ((table + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(bright[::8]) > 0).all(), "brightness rises with the value"


def test_what_lies_between_points_never_goes_beyond_them() -> None:
    values, at = np.random.default_rng(0).random((7, 9)), (np.arange(9.0), np.arange(7.0) ** 1.5)
    fine = np.linspace(0, 8, 81), np.linspace(0, at[1][-1], 61)
    found = smooth(values, at, fine)
    assert found.shape == (61, 81)
    assert smooth(values, at, at) == pytest.approx(values)
    assert found.min() >= values.min() - 0.15
    plane = np.add.outer(2 * at[1], 3 * at[0])
    assert smooth(plane, at, fine) == pytest.approx(np.add.outer(2 * fine[1], 3 * fine[0]))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_said_and_breaks_nothing(bad: float, tmp_path: Path) -> None:
    result = plots.surface(1)
    result.values[0, 0, 2:4, 5] = bad
    picture = pl.draw(result)
    assert_tidy(picture)
    assert "2 values are not finite" in " ".join(plots.said(picture))
    assert picture.array.size
    picture.save(tmp_path / "x.html")
    flat = dataclasses.replace(result, values=np.ones_like(result.values))
    assert_tidy(pl.draw(flat))


def page(result: Any, folder: Path, **options: Any) -> tuple[str, dict[str, Any]]:
    text = pl.draw(result, **options).save(folder / "surface.html").read_text(encoding="utf-8")
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    return text, json.loads(data)


def test_the_page_holds_everything_and_asks_for_nothing(tmp_path: Path) -> None:
    result = plots.surface(2)
    text, data = page(result, tmp_path)
    assert not re.findall(r"(?:src|href|url)\s*[=(]|https?://|import\(|fetch\(|XMLHttp", text)
    assert "default-src 'none'" in text
    assert not re.findall(r"@[A-Z]+@", text)
    for said in ("batch norm: frozen", "α = 1 moves every filter by its own norm", "Check failed: slope"):
        assert said in text
    assert data["names"] == ["smooth", "rough"]
    assert [one["name"] for one in data["measures"]] == ["loss", "accuracy"]
    across, down = data["across"], data["down"]
    for q, measure in enumerate(data["measures"]):
        for i in range(2):
            share = np.frombuffer(base64.b64decode(data["fields"][i][q]), "<u2").reshape(len(data["y"]), -1) / 65534
            share = share[::down, ::across]
            low, high = measure["low"], measure["high"]
            back = low * (high / low) ** share if measure["log"] else low + share * (high - low)
            inside = result.values[i, q] <= high
            assert back[inside] == pytest.approx(result.values[i, q][inside], rel=1e-3, abs=1e-4)
    assert [len(one) for one in data["unknown"]] == [1, 0]
    assert [one["hollow"] for one in data["placed"][0][1]] == [True, False]


def test_names_are_no_code(tmp_path: Path) -> None:
    evil = "</script><script>alert(1)</script>"
    text, data = page(dataclasses.replace(plots.surface(1), names=(evil,)), tmp_path, title="<b>x")
    assert text.count("<script") == 2
    assert "script" in data["names"][0]
    assert "<b>x" not in text


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(PellucidError, match=r"contuor.*contour"):
        pl.draw(plots.surface(), form="contuor")
    with pytest.raises(PellucidError, match="no two points"):
        pl.draw(plots.surface(1, 1))
    with pytest.raises(PellucidError, match=r"los.*loss"):
        pl.draw(plots.surface(), measure="los")
