"""The page and the picture of a tour: all that was found stands there, and the page asks nobody for anything."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

import pellucid as pl
from pellucid.cli.files import PAGES, places, save
from pellucid.draw.tour_page import shaded
from pellucid.errors import PellucidError
from tests.draw.test_pictures import assert_tidy
from tests.methods.blocks.test_tour import walked
from tests.test_every_method import photos


def test_the_page_holds_every_layer_unit_and_photo_and_loads_nothing() -> None:
    found = walked()
    page = pl.draw(found, dark=True).page().decode()
    data = json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])
    assert [walk["asked"] for walk in data["walks"]] == ["dog", "dog"]
    assert data["names"] == list(found.names)
    for walk, shown in zip(found.walks, data["walks"], strict=True):
        assert [one["layer"] for one in shown["layers"]] == [one.layer for one in walk.layers]
        for layer, one in zip(walk.layers, shown["layers"], strict=True):
            assert [unit["name"] for unit in one["units"]] == [f"unit {unit}" for unit in layer.units]
            assert len(one["places"]) == len(found.names) + 1
            assert all(0 <= at <= 1 for place in one["places"] for at in place)
    assert len(data["filters"]["each"]) == len(found.filters.values)
    assert 'data-theme="dark"' in page
    assert not re.search(r'(?:src|href)="?https?:', page)
    assert "default-src 'none'" in page


def test_the_picture_is_tidy_and_says_who_adds_most() -> None:
    picture = pl.draw(walked()[0])
    assert_tidy(picture)
    said = [getattr(mark, "text", "") for mark in picture.sheet.marks]
    first = walked().walks[0].layers[0]
    assert any(one.startswith(f"unit {first.units[0]} · ") for one in said)
    assert "through 2 layers" in picture.alt
    with pytest.raises(PellucidError, match="no image was asked about"):
        pl.draw(replace(walked(), walks=()))


def test_a_weight_of_zero_is_mid_gray() -> None:
    weights = walked().filters.values[0] * 0
    weights[0, 0, 0] = 2.0
    assert shaded(weights, 2.0)[0, 0].tolist() == [255, 128, 128]
    assert shaded(weights[:1], 2.0)[1, 1].tolist() == [128, 128, 128]


def test_the_command_line_saves_a_page_under_the_name_of_the_photo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert places([], ["photos/a.jpg"], "tour", more=PAGES, usual=PAGES[0]) == [[Path("a.tour.html")]]
    photo = photos(1)
    saved = save(walked()[0], photo, [tmp_path / "a.tour.html"], {})
    assert saved[0].read_bytes().startswith(b"<!doctype html>")
