"""Context over object: a class that is known by its photos' border comes first, and all numbers are re-derived."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import pellucid as pl
from pellucid.data import Data
from pellucid.errors import PellucidError
from pellucid.evaluation.context import WAYS
from pellucid.net import Labels, Net, Preprocess
from pellucid.result import Study
from tests.draw.test_pictures import assert_tidy

BOX = (8, 8, 24, 24)
NAMES = ("cat", "cow", "dog")


class Places(nn.Module):
    """Knows a cow by how green the border is, a cat by how red the middle is, and a dog by nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(6.0, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        middle = x[:, :, 8:24, 8:24].mean((2, 3))
        border = (x.sum((2, 3)) - x[:, :, 8:24, 8:24].sum((2, 3))) / (32 * 32 - 16 * 16)
        red, green = middle[:, 0] - middle[:, 2], border[:, 1] - border[:, 2]
        return self.scale * torch.stack([red, green, 0.3 * torch.ones_like(red)], 1)


def places() -> Net:
    preprocess = Preprocess(resize=32, crop=(32, 32), mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    return Net(Places().double(), "places", preprocess, Labels.plain(list(NAMES)))


def photos(count: int = 12) -> tuple[Data, dict[str, Any]]:
    """Cats, cows in green and dogs, all in the middle."""
    chance = np.random.default_rng(0)
    pixels = chance.random((count, 3, 32, 32)) * 0.2 + 0.2
    labels = np.arange(count) % 3
    pixels[labels == 0, 0, 8:24, 8:24] += 0.5
    green = pixels[labels == 1]
    green[:, 1] += 0.5
    green[:, :, 8:24, 8:24] = chance.random((len(green), 3, 16, 16)) * 0.2 + 0.2
    pixels[labels == 1] = green
    return Data.of((pixels, labels)), {str(i): [(NAMES[k], BOX)] for i, k in enumerate(labels)}


@pytest.fixture(scope="module")
def found() -> Study:
    data, truth = photos()
    return pl.examples.context(places(), data, truth=truth)


def test_the_planted_class_comes_first(found: Study) -> None:
    rows = found["classes"].rows
    assert [rows[0]["class"], rows[0]["verdict"]] == ["cow", "context"]
    assert rows[0]["low"] > 0
    assert {row["class"]: row["verdict"] for row in rows}["cat"] == "object"
    assert found.findings[0].endswith("not by the object: cow")
    assert [row["photos"] for row in rows] == [4, 4, 4]


def test_every_probability_is_re_derived(found: Study) -> None:
    data, truth = photos()
    for row in found["photos"].rows:
        number = int(row["photo"].split(":")[0])
        pixels = data.source.read(number).pictures[0].double().numpy()
        inside = np.zeros((32, 32), bool)
        inside[8:24, 8:24] = True
        mean = pixels.mean((1, 2), keepdims=True)
        shown = {"whole": pixels, "box": np.where(inside, mean, pixels), "background": np.where(inside, pixels, mean)}
        shown["outline"] = shown["boxes"] = shown["box"]  # one box has no other outline
        for way, picture in shown.items():
            red = picture[0, 8:24, 8:24].mean() - picture[2, 8:24, 8:24].mean()
            green = picture[1][~inside].mean() - picture[2][~inside].mean()
            logits = 6 * np.array([red, green, 0.3])
            p = np.exp(logits) / np.exp(logits).sum()
            assert row[way] == pytest.approx(p[NAMES.index(truth[str(number)][0][0])], abs=1e-6)
        assert row["area"] == pytest.approx(0.25)


def test_one_box_around_all_hides_what_lies_between_things_and_a_box_around_each_does_not() -> None:
    data, truth = photos(3)
    truth = {"0": [("cat", (8, 8, 12, 12)), ("cat", (20, 12, 24, 24))]}
    pixels = data.source.read(0).pictures[0].double().numpy()
    apart, one = np.zeros((32, 32), bool), np.zeros((32, 32), bool)
    apart[8:12, 8:12] = apart[12:24, 20:24] = one[8:24, 8:24] = True
    (row,) = pl.examples.context(places(), data, truth=truth)["photos"].rows
    for way, inside in (("box", one), ("boxes", apart), ("outline", apart)):
        picture = np.where(inside, pixels.mean((1, 2), keepdims=True), pixels)
        red = picture[0, 8:24, 8:24].mean() - picture[2, 8:24, 8:24].mean()
        green = picture[1][~one].mean() - picture[2][~one].mean()
        p = np.exp(6 * np.array([red, green, 0.3]))
        assert row[way] == pytest.approx(p[0] / p.sum(), abs=1e-6)
    assert row["box"] < row["boxes"]


def test_the_difference_and_its_means(found: Study) -> None:
    for one in found["classes"].rows:
        own = [row for row in found["photos"].rows if row["photo"].endswith(f": {one['class']}")]
        assert one["whole"] == pytest.approx(np.mean([row["whole"] for row in own]))
        apart = [row["box"] - row["background"] for row in own]
        assert one["difference"] == pytest.approx(np.mean(apart))
        assert min(apart) - 1e-9 <= one["low"] <= one["high"] <= max(apart) + 1e-9
    assert set(WAYS) < set(found["photos"].columns)


def test_few_photos_have_no_verdict_and_another_part_can_be_covered() -> None:
    data, truth = photos(6)
    again = pl.examples.context(places(), data, truth=truth, cover="outline", fill="gray")
    assert {row["verdict"] for row in again["classes"].rows} == {"too few"}
    assert all(row["low"] is None for row in again["classes"].rows)
    assert "context:cover=outline,fill=gray" in again.meta.found["protocol"]
    assert_tidy(pl.draw(again))


def test_what_covers_everything_is_left_out_and_strangers_are_refused() -> None:
    data, truth = photos(6)
    truth["0"] = [("cat", (0, 0, 32, 32))]
    again = pl.examples.context(places(), data, truth=truth)
    assert sum(row["photos"] for row in again["classes"].rows) == 5
    assert any("1 of 6 cases are left out" in str(note) for note in again.meta.notes)
    with pytest.raises(PellucidError, match="owl"):
        pl.examples.context(places(), data, truth={"0": [("owl", BOX)]})
