"""Reports: many images explained on one page, made without a server."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.net import Net
from pellucid.web.report import report
from tests.networks import ModuleRelu
from tests.saved import saved


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(2):
        pixels = np.random.default_rng(i).integers(0, 255, (40, 50, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{i}.png")
    return folder


def tiny() -> Net:
    return pl.load(ModuleRelu().eval(), size=32)


def test_a_report_holds_all_that_its_page_asks_for(photos: Path) -> None:
    page, failed = report(tiny(), [str(photos)], ["gradient", "grad_cam"], 2)
    assert failed == ()
    records = saved(page)["records"]
    state = records["api/state"]["json"]
    assert [one["name"] for one in state["images"]] == ["0.png", "1.png"]
    assert [one["name"] for one in records["api/methods"]["json"]] == ["gradient", "grad_cam"]
    assert str(photos.parent) not in page, "no folder of this machine"
    for image in state["images"]:
        assert len(records[f"api/nets/n0/predict/{image['id']}?k=5"]["json"]["guesses"]) > 1
        body = {"methods": ["gradient", "grad_cam"], "image": image["id"], "net": "n0", "targets": [], "k": 2}
        lines = records[f"api/compare {json.dumps(body, separators=(',', ':'))}"]["lines"]
        keys = [line["key"] for line in lines if "key" in line]
        assert len(keys) == 4
        assert all(f"api/results/{key}" in records for key in keys)


def test_a_picture_that_cannot_be_read_costs_itself_alone(photos: Path) -> None:
    (photos / "1.png").write_bytes(b"no picture")
    page, failed = report(tiny(), [str(photos)], ["gradient"])
    assert len(saved(page)["records"]["api/state"]["json"]["images"]) == 1
    assert "1.png" in str(failed[0])
    (photos / "0.png").write_bytes(b"nor this")
    with pytest.raises(PellucidError, match=r"0\.png"):
        report(tiny(), [str(photos)], ["gradient"])


def test_a_method_without_a_map_of_a_class_is_refused(photos: Path) -> None:
    with pytest.raises(PellucidError, match="no method with maps of a class 'maps'"):
        report(tiny(), [str(photos)], ["maps"])
