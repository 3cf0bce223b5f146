"""Measures of where maps lie, on pictures whose things are known: closed forms for maps that know no network, and maps
that are planted as right or as wrong.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.evaluation.baselines import BASELINES
from pellucid.evaluation.explainers import Explainer
from pellucid.evaluation.mosaics import CELLS, Mosaics, cell
from pellucid.image_set import ImageSet
from pellucid.images import Images
from pellucid.net import Labels, Net, Preprocess
from tests.test_every_method import UNDECIDED, entries, labeled, nouns, photos, tiny

Floats = NDArray[np.float64]
HIGH, WIDE = 80, 120
THINGS = {
    "a": [("dog", (40, 20, 60, 40))],
    "b": [("dog", (30, 10, 50, 20)), ("dog", (60, 40, 90, 70)), ("cat", (30, 50, 40, 60))],
    "c": [("cat", (62, 30, 88, 66))],
}
"""Where the red things are in three pictures; edges are even, so that half the size is exact."""


def cropped() -> Net:
    """The tiny network, which sees rows 8 to 72 and columns 28 to 92 of 80 × 120 pixels, at half their size."""
    seen = Preprocess(resize=40, crop=(32, 32), mean=(0.5, 0.4, 0.3), std=(0.2, 0.2, 0.2), interpolation="nearest")
    return Net(tiny().module, "tiny", seen, Labels.plain(["cat", "dog", "cow"]))


def painted(label: str = "dog") -> Images:
    """The pictures, with the things of one class in red, on gray noise."""
    chance, found = np.random.default_rng(0), []
    for some in THINGS.values():
        pixels = chance.uniform(0.2, 0.4, (1, HIGH, WIDE)).repeat(3, axis=0)
        for name, (left, top, right, bottom) in some:
            if name == label:
                pixels[:, top:bottom, left:right] = np.array([1.0, 0, 0])[:, None, None]
        found.append(torch.from_numpy(pixels))
    return Images.from_pictures(found, list(THINGS))


def only(label: str) -> dict[str, Any]:
    return {name: [one for one in some if one[0] == label] for name, some in THINGS.items()}


def red(pixels: Tensor, seed: int, name: str) -> Floats:
    return (pixels[0] - pixels[1] > 0.5).double().numpy()


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Maps that are right, nearly right, the same everywhere, nowhere positive, and right where nothing is."""
    chance = np.random.default_rng(4).random((32, 32))
    made = {
        "right": red,
        "nearly": lambda pixels, seed, name: red(pixels, 0, "") + 0.2 * chance,
        "flat": lambda pixels, seed, name: np.full((32, 32), 3.0),
        "negative": lambda pixels, seed, name: -np.ones((32, 32)),
        "wrong": lambda pixels, seed, name: 1 - red(pixels, 0, ""),
    }
    for name, one in made.items():
        monkeypatch.setitem(BASELINES, name, one)


def row(table: Any, name: str) -> dict[str, Any]:
    return next(one for one in table.rows if one["method"] == name)


def test_the_right_map_is_first_and_the_wrong_one_last(planted: None) -> None:
    """Of every measure; at its best a map has all of it, and what is nowhere right has none."""
    net, images, truth = cropped(), painted(), only("dog")
    of = ["wrong", "nearly", "right"]
    found = pl.localization.localize(net, images, boxes=truth, of=of, tolerance=0, thresholds=20)
    pixels = pl.localization.pixels(net, images, truth=truth, of=of)
    for table, score in ((found["pointing"], "hits"), (found["energy"], "energy"), (found["boxes"], "box_accuracy"),
                         (pixels["pixels"], "precision"), (pixels["pixels"], "pxap")):  # fmt: skip
        assert row(table, "right")[score] == pytest.approx(1)
        best = [one["method"] for one in table.rows if one[score] > 1 - 1e-9]
        assert table.rows[0]["method"] in best
        assert set(best) <= {"right", "nearly", "edges"}
        assert row(table, "wrong")[score] <= min(row(table, one)[score] for one in ("right", "nearly", "random")) + 1e-9
    assert row(found["energy"], "wrong")["energy"] == row(found["pointing"], "wrong")["hits"] == 0
    assert row(found["boxes"], "right")["iou_0.7"] == 1


def played(net: Net, images: Images, of: list[str], seed: int) -> dict[str, Any]:
    """The row of the flat map in a pointing game."""
    found = pl.localization.pointing(net, images, truth=only("dog"), of=of, tolerance=6, seed=seed)
    return row(found["pointing"], "flat")


@pytest.mark.slow
def test_a_map_that_is_the_same_everywhere_is_worth_what_chance_is(planted: None) -> None:
    """By counting every pixel; in the pointing game over many draws."""
    net, images, of = cropped(), painted(), ["flat", "negative"]
    near, inside = [], []
    for some in only("dog").values():
        if not some:
            continue
        on = np.zeros((HIGH, WIDE), bool)
        for _, (left, top, right, bottom) in some:
            on[top:bottom, left:right] = True
        ys, xs = np.nonzero(on)
        places = [(8 + 2 * i + 1, 28 + 2 * j + 1) for i, j in itertools.product(range(32), range(32))]
        inside.append(np.mean([on[y, x] for y, x in places]))
        near.append(np.mean([np.hypot(ys - y, xs - x).min() <= 6 for y, x in places]))
    found = pl.localization.localize(net, images, boxes=only("dog"), of=of, tolerance=6, thresholds=4)
    assert found.meta.found["chance"] == pytest.approx((np.mean(near), np.mean(inside)))
    for name in of:
        assert row(found["energy"], name)["energy"] == pytest.approx(np.mean(inside))
    pixels = pl.localization.pixels(net, images, truth=only("dog"), of=of)["pixels"]
    assert row(pixels, "flat")["precision"] == pytest.approx(np.mean(inside))
    hits = [one["hits"] for one in (played(net, images, of, seed) for seed in range(20))]
    assert abs(np.mean(hits) - np.mean(near)) < 4 * np.std(hits) / np.sqrt(len(hits))


@pytest.mark.parametrize(("left", "hits"), [(74, {1.0}), (75, {0.0, 1.0}), (76, {0.0, 1.0}), (77, {0.0})])
def test_the_center_hits_what_lies_within_the_tolerance_of_it(left: int, hits: set[float]) -> None:
    """The middle of the input is columns 15 and 16, which lie in pixels 59 and 61 of the picture: 15 pixels further
    is the last hit, and between both chance decides.
    """
    net, images, truth = cropped(), painted()[0], {"a": [("dog", (left, 30, left + 9, 50))]}
    found = {
        row(pl.localization.pointing(net, images, truth=truth, of="gradient", seed=s)["pointing"], "center")["hits"]
        for s in range(8)
    }
    assert found == hits


def test_every_class_of_a_picture_is_asked_about_by_itself() -> None:
    net, images = cropped(), painted()
    truth = {**THINGS, "elsewhere": [("dog", (0, 0, 2, 2))]}
    found = pl.localization.pointing(net, images, truth=truth, of="gradient")
    assert found.meta.found["cases"] == 4
    assert {one["class"]: one["cases"] for one in found["classes"].rows} == {"dog": 2, "cat": 2}
    for one in found["pointing"].rows:
        of = [each[one["method"]] for each in found["classes"].rows]
        assert one["class_mean"] == pytest.approx(np.mean(of))
        assert one["hits"] == pytest.approx(np.mean(of))  # as many cases of both
        assert one["images"] == 4
    alone = [pl.localization.pointing(net, images, truth=only(one), of="gradient") for one in ("dog", "cat")]
    for name in ("gradient", "edges"):
        whole = [row(one["pointing"], name)["hits"] for one in alone]
        assert row(found["pointing"], name)["hits"] == pytest.approx(np.mean(whole))
    assert any("have nothing" in note for note in alone[0].meta.notes)


def test_a_class_is_the_class_of_the_network_that_is_found_most() -> None:
    net, images, asked = cropped(), painted(), []
    heat = Explainer.heat
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            Explainer, "heat", lambda self, n, i, target, s: (asked.append(str(target)), heat(self, n, i, target, s))[1]
        )
        pl.localization.energy(net, images, truth=THINGS, classes={"dog": ["cat", "cow"]}, of="gradient")
    runs = net.run(net.prepare(images).pixels).output
    assert set(asked) == {("0", "2")[int(runs[0, 2] > runs[0, 0])]}


def test_what_the_network_does_not_see_is_left_out() -> None:
    net, images = cropped(), painted()
    found = pl.localization.pointing(
        net, images, truth={"a": THINGS["a"], "c": [("cat", (0, 0, 20, 70))]}, of="gradient"
    )
    assert all(one["images"] == 1 for one in found["pointing"].rows)
    assert any("1 of 2 cases are left out: nothing of them is within" in note for note in found.meta.notes)


def test_neither_order_nor_neighbors_change_a_number() -> None:
    net, images = cropped(), painted()
    one = pl.localization.localize(net, images, boxes=THINGS, of="grad_cam,gradient", thresholds=5)
    other = pl.localization.localize(
        net, images[2] + images[0] + images[1], boxes=THINGS, of="gradient,grad_cam", thresholds=5
    )
    for table in ("pointing", "energy", "boxes"):
        score = list(one[table].columns)[1]
        for name, key in itertools.product(one[table]["method"], (score, "low", "high", "error")):
            assert row(one[table], str(name))[key] == pytest.approx(row(other[table], str(name))[key], abs=1e-12)


def test_cases_of_one_picture_are_one_where_it_is_said_that_there_are_too_few() -> None:
    found = pl.localization.energy(cropped(), painted(), truth=THINGS, of="gradient")
    assert found.meta.found["cases"] == 4
    assert any("3 images are too few for any difference to be significant" in note for note in found.meta.notes)


def test_it_goes_on_where_it_was_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net, images = cropped(), painted()

    def ask() -> Any:
        with pl.resumable(tmp_path):
            return pl.localization.localize(net, images, boxes=THINGS, of="gradient", thresholds=5)

    first = ask()
    monkeypatch.setattr(Explainer, "heat", None)  # no map is asked for again
    assert ask()["boxes"].rows == first["boxes"].rows


def test_box_accuracy_by_loops() -> None:
    """Thresholds, the largest part, overlaps in the picture, the best threshold of each overlap: once more, slowly."""
    net, images, count = cropped(), painted(), 6
    found = pl.localization.box_accuracy(
        net, images, truth=only("dog"), of="grad_cam", thresholds=count, parts="largest"
    )
    overlaps = np.zeros((2, count))
    for i, name in enumerate("ab"):
        heat = pl.attribution.grad_cam(net, images[i], "dog")
        values = heat.values[0].astype(float)
        at = [heat.placement.centers(*values.shape)[k] for k in (0, 1)]
        rows = np.stack([np.interp(np.arange(32), at[0], column) for column in values.T], axis=1)
        whole = np.stack([np.interp(np.arange(32), at[1], line) for line in rows])
        whole = (whole - whole.min()) / (whole.max() - whole.min())
        for k in range(count):
            parts = parted(whole >= k / count)
            part = max(parts, key=len)
            ys, xs = zip(*part, strict=True)
            box = (28 + 2 * min(xs), 8 + 2 * min(ys), 28 + 2 * (max(xs) + 1), 8 + 2 * (max(ys) + 1))
            overlaps[i, k] = max(overlap(box, one) for _, one in only("dog")[name])
    for least in (0.3, 0.5, 0.7):
        assert row(found["boxes"], "grad_cam")[f"iou_{least}"] == (overlaps >= least).mean(0).max()


def parted(mask: NDArray[np.bool_]) -> list[list[tuple[int, int]]]:
    left, found = {(int(y), int(x)) for y, x in np.argwhere(mask)}, []
    while left:
        front, part = [left.pop()], []
        while front:
            y, x = front.pop()
            part.append((y, x))
            near = {(y + i, x + j) for i in (-1, 0, 1) for j in (-1, 0, 1)} & left
            left -= near
            front += near
        found.append(part)
    return found


def overlap(one: Any, other: Any) -> float:
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    area = sum((b[2] - b[0]) * (b[3] - b[1]) for b in (one, other))
    common = max(wide, 0) * max(high, 0)
    return common / (area - common)


def test_what_cannot_be_asked_is_said() -> None:
    net, images = cropped(), painted()
    strange = {"a": [("bird", (40, 20, 60, 40))]}
    for truth, said in (
        ({"x": THINGS["a"]}, "knows none of these 3 images .a.; it knows x"),
        (strange, r"no class of .* .bird.: say in classes which .* \{\"bird\": \[\"CLASS\""),
    ):
        with pytest.raises(PellucidError, match=said):
            pl.localization.energy(net, images, truth=truth, of="gradient")
    with pytest.raises(PellucidError, match="'birb'"):
        pl.localization.energy(net, images, truth=THINGS, classes={"dog": "birb"}, of="gradient")


def mosaic_net() -> Net:
    (entry,) = (one for one in entries() if one.name in UNDECIDED)
    net = nouns(entry, tiny(), photos())["net"]
    assert isinstance(net, Net)
    return net


@pytest.mark.parametrize("size", ["double", "input"])
def test_grid_pointing_by_its_geometry(size: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    side = 64 if size == "double" else 32

    def right(pixels: Tensor, seed: int, name: str) -> Floats:
        which = int(name.removeprefix("mosaic ").partition(":")[0]) % CELLS
        assert tuple(pixels.shape) == (3, side, side)
        return cell((side, side), which).astype(float)

    monkeypatch.setitem(BASELINES, "right", right)
    how: dict[str, Any] = {"count": 8, "confidence": 0, "size": size}
    found = pl.localization.grid_pointing(mosaic_net(), labeled(), of="right,gradient", **how)["ranking"]
    assert row(found, "right")["localization"] == 1
    assert row(found, "center")["localization"] == pytest.approx(0.25)
    assert found.rows[0]["method"] == "right"


def test_mosaics_hold_the_class_that_is_asked_about_once() -> None:
    net = mosaic_net()
    cases = Mosaics(net, ImageSet.of(labeled()), 12, 0.0, False, 0)
    for k, photos_of in enumerate(cases.mosaics):
        classes = [cases.classes[one] for one in photos_of]
        assert classes.count(classes[k % CELLS]) == 1
        case = cases[k]
        assert str(case.target) == str(classes[k % CELLS])
        quarter = case.pixels[:, :32, :32]
        assert torch.equal(quarter, net.prepare(cases.images.item(photos_of[0])[0]).pictures[0])
    assert [one.tolist() for one in (cell((3, 3), k).sum(0) for k in range(4))] == [
        [1, 0, 0],
        [0, 1, 1],
        [2, 0, 0],
        [0, 2, 2],
    ]
    with pytest.raises(PellucidError, match=r"confidence=0.99: 0 of 12 images are classified with that probability"):
        Mosaics(net, ImageSet.of(labeled()), 12, 0.99, False, 0)


def test_a_truth_without_classes_is_about_the_best_guess() -> None:
    net, images = cropped(), painted()
    found = pl.localization.energy(net, images[0], truth={"a": [("", (40, 20, 60, 40))]}, of="gradient")
    best = net.predict(images[0]).ranked[0][0].label
    named = pl.localization.energy(net, images[0], truth={"a": [(best, (40, 20, 60, 40))]}, of="gradient")
    assert found["classes"]["class"] == ("best guess",)
    assert row(found["energy"], "gradient")["energy"] == row(named["energy"], "gradient")["energy"]


@pytest.mark.slow
def test_the_report_says_what_maps_are_good_for_where_things_are_known(planted: None) -> None:
    asked = {"of": "gradient,right,wrong", "steps": 4, "planted": False}
    found = pl.quality.report(cropped(), painted(), boxes=only("dog"), **asked)
    alone = pl.localization.localize(cropped(), painted(), boxes=only("dog"), of="gradient,right,wrong", thresholds=2)
    for name, score in (("pointing", "hits"), ("energy", "energy")):
        rows = {str(one["method"]): one[name] for one in found["properties"].rows}
        assert rows == pytest.approx({str(one["method"]): one[score] for one in alone[name].rows})
        assert found[name].columns == alone[name].columns
    assert rows["right"] == 1
    assert "pointing:tolerance=15" in found.meta.found["protocol"]
    assert "energy" not in pl.quality.report(cropped(), painted(), **asked)["properties"].columns
