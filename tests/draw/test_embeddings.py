"""Maps as pictures and as pages: every picture is there, nothing is asked of the network, names cannot be code."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import pellucid as pl
from pellucid.draw.embeddings import on_canvas
from pellucid.errors import PellucidError
from pellucid.result import Embedding2D, Heatmap, Meta
from pellucid.result.embedding import Grid
from tests.saved import alone, answers, arrays_of, saved


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


def page(result: Embedding2D, folder: Path, **how: Any) -> str:
    return pl.draw(result, **how).save(folder / "map.html").read_text(encoding="utf-8")


def mapped(text: str) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    ((_, content),) = answers(text, "api/indexes/i0/map")
    return arrays_of(content)


def test_the_page_holds_everything_and_asks_for_nothing(tmp_path: Path) -> None:
    result = dataclasses.replace(made(pictured=7), images=np.arange(12) + 100)
    assert result.grid is not None
    text = page(result, tmp_path)
    alone(text)
    records = saved(text)["records"]
    assert records["api/state"]["json"]["state"] == "ready"
    assert records["api/methods"]["json"] == []
    said, held = mapped(text)
    rows = held["images"] - 100
    assert sorted(rows.tolist()) == list(range(12)) != rows.tolist(), "in an order that was drawn"
    assert said["names"] == [result.names[i] for i in rows]
    assert [said["classes"][k] for k in held["labels"]] == [result.labels[i] for i in rows]
    assert np.array_equal(held["cells"], result.grid.cells[rows, 0] * 4 + result.grid.cells[rows, 1])
    for axis in (0, 1):
        assert np.corrcoef(held["places"][:, axis], result.values[rows, axis])[0, 1] > 0.999999
    assert (held["places"] >= 0).all()
    assert (held["places"] <= [1, said["high"]]).all()
    assert held["seams"][0, 1, 0] == 3
    assert held["seams"].sum() == 3
    assert (said["pictured"], said["small"]) == (7, 64)
    assert said["quality"] == dict(result.quality)


def test_small_pictures_lie_in_sheets_of_neighbors(tmp_path: Path) -> None:
    count = 230
    gray = np.broadcast_to(np.arange(count, dtype=np.uint8)[:, None, None, None], (count, 64, 64, 3))
    result = dataclasses.replace(made(count), thumbnails=gray)
    sheets = answers(page(result, tmp_path), "api/indexes/i0/thumbs")
    assert [len(asked["ids"]) for asked, _ in sheets] == [100, 100, 30]
    assert sorted(i for asked, _ in sheets for i in asked["ids"]) == list(range(count))
    for asked, content in sheets:
        pixels = np.asarray(Image.open(io.BytesIO(content)), float)
        assert pixels.shape[0] == -(-len(asked["ids"]) // 20) * 64
        for k, i in enumerate(asked["ids"]):
            part = pixels[k // 20 * 64 :, k % 20 * 64 :][:64, :64]
            assert abs(part.mean() - i) < 4, "the picture of another image"
    spread = np.mean([np.ptp(np.divmod(asked["ids"], 4)[0]) for asked, _ in sheets])
    assert spread < 45, "of 58 rows"


def test_a_page_opens_as_it_was_drawn(tmp_path: Path) -> None:
    how = saved(page(made(), tmp_path))
    assert (how["hash"], how["dark"], how["title"]) == ("#/map/i0", False, "Map of images")
    how = saved(page(made(), tmp_path, dark=True, grid=True, seams=False, colors=False, title="Mine"))
    assert (how["hash"], how["dark"], how["title"]) == ("#/map/i0?grid=1&seams=0&by=none", True, "Mine")


def test_what_is_not_known_is_not_said(tmp_path: Path) -> None:
    """No classes, no thumbnails, no grid, no quality; and numbers of images that several have."""
    bare = dataclasses.replace(
        made(), labels=(None,) * 12, thumbnails=np.zeros((0, 64, 64, 3), np.uint8), thumbnail_rows=np.zeros(0, int),
        quality={**made().quality, "rank": float("nan")}, grid=None, images=np.zeros(12, int), meta=Meta(),
    )  # fmt: skip
    text = page(bare, tmp_path)
    said, held = mapped(text)
    assert answers(text, "api/indexes/i0/thumbs") == []
    assert said["classes"] == []
    assert (held["labels"] == -1).all()
    assert sorted(said["quality"]) == ["continuity", "recall", "trust"]
    assert "cells" not in held
    assert sorted(held["images"].tolist()) == list(range(12))
    assert (said["pictured"], said["small"]) == (0, 0)


def test_the_same_map_is_the_same_page(tmp_path: Path) -> None:
    assert page(made(), tmp_path) == page(made(), tmp_path)


def test_names_are_no_code(tmp_path: Path) -> None:
    evil = "</script><script>alert(1)</script><!--\u2028"
    folder = "/home/somebody/secret/dog.jpg"
    result = dataclasses.replace(made(), names=(evil, folder, *made().names[2:]), labels=(evil, *made().labels[1:]))
    text = page(result, tmp_path, title=f"<b>x</b>{evil}")
    alone(text)
    said, _ = mapped(text)
    assert evil in said["names"]
    assert evil in said["classes"]
    assert "dog.jpg" in said["names"], "and no folder of this machine"
    assert saved(text)["title"] == f"<b>x</b>{evil}"
    assert "<b>x" not in text


@pytest.mark.slow
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
    with pytest.raises(
        PellucidError, match=r"only maps, surfaces, reviews, studies, tables and tours are pages; try \.png"
    ):
        pl.draw(heat).save(tmp_path / "x.html")


def test_places_keep_their_shape() -> None:
    values = np.array([[0.0, 0.0], [4.0, 0.0], [4.0, 1.0]])
    at = on_canvas(values, (100, 100), 10)
    assert at.tolist() == [[10, 40], [90, 40], [90, 60]]
