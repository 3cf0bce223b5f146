"""Dissection: the formula written out slowly, a unit that detects exactly one concept, masks that are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.images.concepts import Concepts
from pellucid.images.sources import Source
from pellucid.index import Index
from pellucid.index.exceeded import counted, exceeded
from pellucid.net import Net, Preprocess
from tests.methods.units.marked import painted


def detecting(stride: int = 2) -> nn.Sequential:
    """Unit 0 is how red a place is, unit 1 how blue, unit 2 brightness, unit 3 a random mixture."""
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1, stride=stride), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)
    )
    with torch.no_grad():
        module[0].weight.zero_()
        for unit, colors in enumerate(((1.0, -1, -1), (-1.0, -1, 1), (0.3, 0.3, 0.3), (0.2, -0.4, 0.1))):
            module[0].weight[unit, :, 1, 1] = torch.tensor(colors)
        module[0].bias[:] = torch.tensor([-0.2, -0.2, 0.0, 0.1])
    return module


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return painted(tmp_path_factory.mktemp("marked"), 14)


@pytest.fixture(scope="module")
def index(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Index:
    net = Net(detecting(), "detecting", Preprocess(resize=32, crop=(32, 32), interpolation="nearest"))
    place = tmp_path_factory.mktemp("store") / "x.index"
    return pl.units.index(net, Source.of(folder / "images"), store=place, layers=["1", "4"])


def every_place(index: Index) -> np.ndarray:
    """(units, places of all pictures) of the index."""
    with torch.no_grad():
        maps = [index.net.run(index.net.prepare(index.read(i)), layers=["1"]).at["1"][0].flatten(1) for i in range(14)]
    return torch.cat(maps, 1).double().numpy()


def slow(index: Index, concepts: Concepts, share: float) -> np.ndarray:
    """(units, concepts) IoU: one pixel at a time where it can be."""
    net, placement = index.net, index.plan.units.placements[0]
    both, units, things = np.zeros((4, 3)), np.zeros(4), np.zeros(3)
    ends = np.quantile(every_place(index), 1 - share, axis=1)
    for i in range(len(concepts)):
        seen = net.prepare(concepts.read(i))
        with torch.no_grad():
            maps = net.module[:2](net.preprocess.normalize(seen.pixels))[0].double().numpy()
        mask = concepts.mask(i, seen.views[0])
        there = [n for n in (1, 2, 3) if (mask == n).any()]
        for unit in range(4):
            end = ends[unit]
            active = np.zeros((32, 32), bool)
            for y in range(32):
                for x in range(32):
                    value = _linear(maps[unit], (y - placement.start[0]) / placement.jump[0],
                                    (x - placement.start[1]) / placement.jump[1])  # fmt: skip
                    active[y, x] = value >= end * (1 - 1e-6) if end > 0 else value > 0
            units[unit] += active.sum() if there else 0
            for n in there:
                both[unit, n - 1] += (active & (mask == n)).sum()
        things += [(mask == n).sum() for n in (1, 2, 3)]
    return both / (units[:, None] + things - both)


def _linear(cells: np.ndarray, y: float, x: float) -> float:
    y, x = (min(max(at, 0.0), n - 1.0) for at, n in zip((y, x), cells.shape, strict=True))
    i, j = min(int(y), cells.shape[0] - 2), min(int(x), cells.shape[1] - 2)
    s, t = y - i, x - j
    upper = cells[i, j] * (1 - t) + cells[i, j + 1] * t
    lower = cells[i + 1, j] * (1 - t) + cells[i + 1, j + 1] * t
    return float(upper * (1 - s) + lower * s)


@pytest.mark.parametrize("share", [0.005, 0.2])
def test_overlap_is_the_formula(index: Index, folder: Path, share: float) -> None:
    concepts = Concepts.of(folder)
    found = pl.units.dissection(index, concepts=concepts, layers=["1"], share=share)
    expected = slow(index, concepts, share)
    for row in found["units"].rows:
        unit = int(str(row["unit"]).partition(":")[2])
        assert row["overlap"] == pytest.approx(expected[unit].max(), abs=2e-3)
        assert row["detector"] == (expected[unit].max() > 0.04)
    best = {row["concept"]: row["overlap"] for row in found["concepts"].rows}
    assert [best[name] for name in ("red", "green", "blue")] == pytest.approx(expected.max(0), abs=2e-3)


def test_planted_detectors_are_found(folder: Path, tmp_path: Path) -> None:
    """The unit for red overlaps red by more than 0.9, that for blue blue; the others nothing like it."""
    net = Net(detecting(1), "detecting", Preprocess(resize=32, crop=(32, 32)))
    index = pl.units.index(net, Source.of(folder / "images"), store=tmp_path / "x.index", layers=["1"])
    found = pl.units.dissection(index, concepts=str(folder), layers=["1"], share=0.3)
    rows = {row["unit"]: row for row in found["units"].rows}
    assert (rows["1:0"]["concept"], rows["1:1"]["concept"]) == ("red", "blue")
    assert min(float(rows[unit]["overlap"]) for unit in ("1:0", "1:1")) > 0.9
    assert max(float(rows[unit]["overlap"]) for unit in ("1:2", "1:3")) < 0.6
    assert rows["1:0"]["chance"] == pytest.approx(1 / 5)
    assert {strip.name for strip in found.strips} >= {"red", "blue"}
    held = next(strip for strip in found.strips if strip.name == "red").overlaps[0]
    overlap = (held.unit & held.concept).sum() / (held.unit | held.concept).sum()
    assert overlap > 0.9
    assert "of 4 units are detectors" in found.findings[0]
    assert pl.draw(found).array.shape[0] > 200


def test_a_pass_is_the_same_whatever_is_at_once(index: Index, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = pl.units.dissection(index, concepts=str(folder), layers=["1"])
    monkeypatch.setattr("pellucid.index.overlap._AT_ONCE", 1)
    assert pl.units.dissection(index, concepts=str(folder), layers=["1"])["units"].columns == one["units"].columns


def test_masks_go_the_way_of_their_pictures(folder: Path) -> None:
    """Resized and cut alike: where the picture is red, the mask says red."""
    net = Net(nn.Identity(), "x", Preprocess(resize=20, crop=(16, 18)))
    concepts = Concepts.of(folder)
    for i in range(len(concepts)):
        seen = net.prepare(concepts.read(i))
        mask = concepts.mask(i, seen.views[0])
        red = (seen.pixels[0, 0] - seen.pixels[0, 1:].amax(0) > 0.4).numpy()
        assert mask.shape == (16, 18)
        assert ((mask == 1) != red).mean() < 0.05  # edges may fall either way
    larger = Preprocess(crop=(60, 60))
    seen = larger.prepare(concepts.read(0))
    assert concepts.mask(0, seen.views[0])[:10].sum() == 0  # black border: no concept


@pytest.mark.parametrize(
    ("name", "text"),
    [("classes.json", '{"1": "red", "2": "green", "3": "blue"}'),
     ("classes.yaml", "train: x\nclasses:\n  0: unlabeled\n  1: red\n  2: 'green'\n  3: \"blue\"  # sky\n"),
     ("classes.csv", "1,red\n2,green\n3,blue\n")],
)  # fmt: skip
def test_names_in_three_formats(name: str, text: str, tmp_path: Path) -> None:
    folder = painted(tmp_path / "x", 2)
    (folder / "classes.csv").unlink()
    (folder / name).write_text(text)
    found = Concepts.of(folder)
    assert dict(found.names) == {1: "red", 2: "green", 3: "blue"}
    assert set(found.categories.values()) == {"concept"}


def test_what_is_no_concept_is_refused(index: Index, tmp_path: Path) -> None:
    folder = painted(tmp_path / "x", 3)
    ask = lambda: pl.units.dissection(index, concepts=str(folder), layers=["1"])  # noqa: E731
    with pytest.raises(PellucidError, match="holds no concepts: a folder with images/, masks/"):
        pl.units.dissection(index, concepts=str(tmp_path))
    with pytest.raises(PellucidError, match="layer '4' has no places"):
        pl.units.dissection(index, concepts=str(folder), layers=["4"])
    with pytest.raises(PellucidError, match="no layer in the index 'one'"):
        pl.units.dissection(index, concepts=str(folder), layers=["one"])
    mask = folder / "masks" / "001.png"
    good = mask.read_bytes()
    Image.new("L", (5, 6)).save(mask)
    with pytest.raises(PellucidError, match=r"the mask '001.png' is 6×5, its image 36×48"):
        ask()
    Image.new("RGB", (48, 36)).save(mask)
    with pytest.raises(PellucidError, match="mode RGB, 48 × 36: a PNG with one number"):
        ask()
    Image.new("L", (48, 36), 7).save(mask)
    with pytest.raises(PellucidError, match="has class 7, which has no name: 3 have"):
        ask()
    mask.write_bytes(good[:60])
    with pytest.raises(PellucidError, match=r"the mask '001.png' cannot be read"):
        ask()
    (folder / "classes.csv").write_text("number,name\n")
    with pytest.raises(PellucidError, match="names no class"):
        ask()
    (folder / "classes.csv").unlink()
    with pytest.raises(PellucidError, match="does not say what its classes are called"):
        ask()
    for one in (folder / "masks").iterdir():
        one.unlink()
    (folder / "classes.csv").write_text("1,red")
    with pytest.raises(PellucidError, match="has a mask of its name"):
        ask()


@pytest.mark.parametrize("share", [0.003, 0.05, 0.7])
def test_thresholds_are_what_the_share_exceeds_at_every_place(index: Index, share: float) -> None:
    exact = np.quantile(every_place(index), 1 - share, axis=1)
    assert np.allclose(exceeded(index, ["1"], share)[0], exact, rtol=1e-6, atol=1e-9)
    kept = index.store.kept(f"exceeded-{share:g}-1")
    assert kept is not None
    assert np.array_equal(kept, exceeded(index, ["1"], share)[0])


def test_thresholds_of_some_of_the_pictures(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pellucid.index.exceeded.MOST", 5)
    assert counted(index, ["1"], 0.1) == 5
    few = exceeded(index, ["1"], 0.1)[0]
    assert few.max() > 0
    assert not np.allclose(few, np.quantile(every_place(index), 0.9, axis=1), rtol=1e-4)
