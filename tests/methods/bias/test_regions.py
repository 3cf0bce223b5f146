"""Shares of attribution by region, added up by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.evaluation.parts import Regions
from pellucid.net import Preprocess
from tests.test_every_method import labeled, tiny


def test_shares_are_sums_of_absolute_values() -> None:
    net, data = tiny(), labeled()
    found = pl.bias.regions(net, data, of="gradient", masks="0.5,0.25,1,0.75", class_name="dog")["classes"].rows
    wanted = {"border": [], "corners": [], "0.5,0.25,1,0.75": []}
    for i in range(1, 12, 3):
        heat = np.abs(pl.attribution.gradient(net, data.image(i), 1).values[0])
        assert heat.shape == (32, 32)
        inside = {name: np.zeros((32, 32), bool) for name in wanted}
        inside["border"][:4] = inside["border"][-4:] = True
        inside["border"][:, :4] = inside["border"][:, -4:] = True
        inside["0.5,0.25,1,0.75"][16:, 8:24] = True
        for y in (slice(8), slice(24, 32)):
            for x in (slice(8), slice(24, 32)):
                inside["corners"][y, x] = True
        for name, mask in inside.items():
            wanted[name].append(heat[mask].sum() / heat.sum())
    for row in found:
        if row["region"] in wanted:
            assert row["share"] == pytest.approx(np.mean(wanted[row["region"]]), rel=1e-6)
            assert row["low"] <= row["share"] <= row["high"]
            assert row["photos"] == 4
    areas = {row["region"]: row["area"] for row in found}
    assert 0 < areas.pop("background") < 1
    assert areas == pytest.approx({"border": 1 - 0.75**2, "corners": 0.25, "center": 0.25, "0.5,0.25,1,0.75": 0.25})


def test_masks_of_a_folder_go_through_the_network_s_crop(tmp_path: Path) -> None:
    """A photo of 64 × 40, whose shorter side becomes 32 and whose middle is cut out; one photo has no mask."""
    for name in ("a", "b"):
        (tmp_path / "photos" / "dog").mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((40, 80, 3), np.uint8)).save(tmp_path / "photos" / "dog" / f"{name}.png")
    mask = np.zeros((40, 80), np.uint8)
    mask[:, :40] = 255
    (tmp_path / "masks").mkdir()
    Image.fromarray(mask).save(tmp_path / "masks" / "a.png")
    data, net = pl.Data.of(tmp_path / "photos").on(tiny()), tiny()
    masks = Regions.of(tmp_path / "masks").over(net, data, range(2))
    found = [masks.mask(net, data.image(i), i) for i in range(2)]
    assert found[1] is None
    assert found[0] is not None
    assert found[0].shape == (32, 32)
    assert found[0][:, :15].all()
    assert not found[0][:, 17:].any()
    (tmp_path / "photos" / "cat").mkdir()
    Image.fromarray(np.zeros((40, 80, 3), np.uint8)).save(tmp_path / "photos" / "cat" / "a.png")
    with pytest.raises(PellucidError, match=r"'a.png' could be 'cat/a.png' and 'dog/a.png': name images with"):
        Regions.of(tmp_path / "masks").over(net, pl.Data.of(tmp_path / "photos").on(net), range(3))


@pytest.mark.slow
def test_an_outlier_is_named() -> None:
    net, chance = tiny(), np.random.default_rng(0)
    pixels = 0.5 + 0.02 * chance.standard_normal((30, 3, 32, 32))
    pixels[7] = 0.5
    pixels[7, :, :8, :8] = chance.random((3, 8, 8))
    found = pl.bias.regions(net, (pixels, np.zeros(30, int)), of="guided_backprop", masks="top left")
    rows = found["outliers"].rows
    assert ("7", "top left") in {(row["photo"], row["region"]) for row in rows}


@pytest.mark.parametrize(("said", "why"), [
    ("botom left", "no region .botom left.; nearest of 13: bottom left"), ("0.5,0,0.2,1", "shares from 0 to 1"),
    (np.zeros(3), r"masks of shape \(3,\)"),
])  # fmt: skip
def test_what_is_no_region_is_refused(said: object, why: str) -> None:
    with pytest.raises(PellucidError, match=why):
        pl.bias.regions(tiny(), labeled(), masks=said)


@pytest.mark.slow
def test_text_a_watermark_and_the_background_are_looked_for(tmp_path: Path) -> None:
    """Three of four dogs have a bright frame; of 24 photos that is found, and only in that class."""
    chance = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for k in range(24):
            pixels = (chance.random((32, 32, 3)) * 20).astype(np.uint8)
            if name == "dog" and k % 4:
                pixels[20, 20:28] = pixels[27, 20:28] = pixels[20:28, 20] = pixels[20:28, 27] = 255
            Image.fromarray(pixels).save(tmp_path / name / f"{k:02}.png")
    net = tiny()
    data = pl.Data.of(tmp_path).on(net)
    found = pl.bias.regions(net, data, of="gradient")["classes"].rows
    marked = [row for row in found if row["region"] == "watermark"]
    assert [row["class"] for row in marked if row["class"] != "all"] == ["dog"]
    assert marked[0]["photos"] == 24
    heat = np.abs(pl.attribution.gradient(net, data.image(29), 1).values[0])
    whole = Regions.of("watermark").over(net, data, range(len(data)), data.labels)
    rest = Regions.of("outside watermark").over(net, data, range(len(data)), data.labels)
    mask = whole.mask(net, data.image(29), 29)
    assert mask is not None
    assert np.array_equal(~mask, rest.mask(net, data.image(29), 29))
    assert mask[20:28, 20:28].mean() > 0.4
    assert mask[:16].sum() == 0
    assert whole.identity != rest.identity != Regions.of("watermark").identity
    assert 0 < (heat * mask).sum() / heat.sum() < 1
    assert not [row for row in found if row["region"] == "text"]


def test_a_mark_counts_for_images_of_the_size_that_it_was_found_in_alone() -> None:
    """A network that takes every size sees one photo larger than the others."""
    chance, images = np.random.default_rng(0), []
    for k in range(25):
        side = 40 if k == 24 else 32
        pixels = (chance.random((side, side, 3)) * 20).astype(np.uint8)
        pixels[20, 20:28] = pixels[27, 20:28] = pixels[20:28, 20] = pixels[20:28, 27] = 255
        images.append(pixels)
    net = replace(tiny(), preprocess=Preprocess())
    data = pl.Data.of((images, [0] * 25)).on(net)
    found = Regions.of("watermark").over(net, data, range(25), data.labels)
    assert found.mask(net, data.image(0), 0) is not None
    assert found.mask(net, data.image(24), 24) is None


def test_what_lies_outside_is_the_rest() -> None:
    net, data = tiny(), labeled()
    masks = [
        Regions.of(one).mask(net, data.image(0), 0) for one in ("border", "outside border", "outside outside border")
    ]
    assert np.array_equal(masks[0], ~masks[1])
    assert np.array_equal(masks[0], masks[2])
    assert str(Regions.of("outside outside watermark")) == "watermark"
    with pytest.raises(PellucidError, match="no region 'nowhere'"):
        Regions.of("outside nowhere")
