"""Maps as pictures and as pages: every picture is there, nothing is asked of the network, names cannot be code."""

from __future__ import annotations

import base64
import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pytest

import pellucid as pl
from pellucid.draw.embeddings import on_canvas
from pellucid.errors import PellucidError
from pellucid.result import Embedding2D, Heatmap, Meta
from pellucid.result.embedding import Grid


def made(count: int = 12, classes: int = 3, pictured: int | None = None) -> Embedding2D:
    chance = np.random.default_rng(0)
    which = np.arange(count if pictured is None else pictured)
    cells = np.array([divmod(i, 4) for i in range(count)])
    seams = np.full((-(-count // 4), 4, 2), 1.0)
    seams[0, 1, 0] = 9
    return Embedding2D(
        chance.random((count, 2)), np.arange(count), tuple(f"a<b>&{i}.jpg" for i in range(count)),
        tuple(f"kind {i % classes}" for i in range(count)), chance.integers(0, 255, (len(which), 64, 64, 3), np.uint8),
        which, {"recall": 0.5, "trust": 0.9, "continuity": 0.8, "rank": 0.7}, Grid(cells, seams), None,
        Meta(title="Map of images", found={"layer": "x"}),
    )  # fmt: skip


def page(result: Embedding2D, folder: Path) -> tuple[str, dict[str, object]]:
    text = pl.draw(result).save(folder / "map.html").read_text(encoding="utf-8")
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    return text, json.loads(data)


def test_the_page_holds_everything_and_asks_for_nothing(tmp_path: Path) -> None:
    result = made(pictured=7)
    text, data = page(result, tmp_path)
    assert not re.findall(r"(?:src|href|url)\s*[=(]|https?://|import\(|fetch\(|XMLHttp", text)
    assert "default-src 'none'" in text
    assert not re.findall(r"@[A-Z]+@", text)
    assert sorted(data["names"]) == sorted(result.names)  # type: ignore[call-overload]
    order = data["order"]
    unpacked = {
        name: np.frombuffer(base64.b64decode(str(data[name])), kind)
        for name, kind in (("place", "<f4"), ("cell", "<u4"), ("label", "<i4"), ("sprite", "<i4"))
    }
    back = np.array(order)
    assert np.array_equal(unpacked["cell"][back], result.grid.cells[:, 0] * 4 + result.grid.cells[:, 1])  # type: ignore[union-attr]
    assert np.array_equal(unpacked["sprite"][back], [*range(7), *[-1] * 5])
    assert [data["classes"][k] for k in unpacked["label"][back]] == list(result.labels)  # type: ignore[index]
    assert [data["names"][k] for k in back] == list(result.names)  # type: ignore[index]
    places = unpacked["place"].reshape(-1, 2)[back]
    assert np.corrcoef(places[:, 0], result.values[:, 0])[0, 1] > 0.999999
    assert (unpacked["sprite"][:5] == -1).all(), "dots lie below pictures"


def test_names_are_no_code(tmp_path: Path) -> None:
    evil = "</script><script>alert(1)</script>"
    result = dataclasses.replace(made(), names=(evil, *made().names[1:]))
    text, data = page(result, tmp_path)
    assert text.count("<script") == 2
    assert evil in data["names"]  # type: ignore[operator]
    titled = pl.draw(made(), title="<b>x").save(tmp_path / "t.html").read_text(encoding="utf-8")
    assert "<b>x" not in titled


def test_pictures_of_it() -> None:
    result = made()
    for picture in (pl.draw(result), pl.draw(result, grid=True), pl.draw(result, dark=True, colors=False)):
        assert picture.array.shape[1] > 900
        assert "Of the 5 nearest images 50.0 % are among the 5 nearest" in picture.alt
    seamed, plain = (pl.draw(result, grid=True, seams=seams).array for seams in (True, False))
    assert (seamed[:900] != plain[:900]).any()
    new = dataclasses.replace(result[2], reference=result)
    assert (pl.draw(new).array.shape) == pl.draw(result).array.shape or pl.draw(new).alt
    with pytest.raises(PellucidError, match="not drawn as a grid"):
        pl.draw(new, grid=True)
    with pytest.raises(PellucidError, match="no option of draw for a Embedding2D 'gird'"):
        pl.draw(result, gird=True)


def test_only_maps_are_pages(tmp_path: Path) -> None:
    from pellucid.geometry import Placement, View

    heat = Heatmap(np.ones((1, 4, 4)), Placement.pixels(), (View.whole(4, 4),))
    with pytest.raises(PellucidError, match=r"only maps, surfaces, reviews, studies and tables are pages; try \.png"):
        pl.draw(heat).save(tmp_path / "x.html")


def test_places_keep_their_shape() -> None:
    values = np.array([[0.0, 0.0], [4.0, 0.0], [4.0, 1.0]])
    at = on_canvas(values, (100, 100), 10)
    assert at.tolist() == [[10, 40], [90, 40], [90, 60]]
