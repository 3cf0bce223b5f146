"""Ablation: the network run by hand without the unit, a unit that carries one class, pictures drawn by seed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.images.sources import Source
from pellucid.index import Index
from pellucid.net import Labels, Net, Preprocess
from tests.sweep.made import photos


def carrying() -> nn.Sequential:
    """Behind a first layer a second, whose unit 1 reads unit 2 of the first alone, and class 'b' unit 1 alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        module = nn.Sequential(
            nn.Conv2d(3, 4, 3, stride=2), nn.ReLU(), nn.Conv2d(4, 3, 3), nn.ReLU(),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 3),
        ).double()  # fmt: skip
    with torch.no_grad():
        module[0].bias += 0.5
        module[2].weight[1].zero_()
        module[2].weight[1, 2] = 1.0
        module[2].weight[[0, 2], 2] = 0.0
        module[6].weight[1] = torch.tensor([0.0, 9.0, 0.0])
    return module


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    labels = Labels.plain(["class0", "class1", "class2"])
    net = Net(carrying(), "carrying", Preprocess(resize=20, crop=(20, 20)), labels)
    source = Source.of(photos(tmp_path_factory.mktemp("photos"), 18, classes=3))
    return pl.units.index(net, source, store=tmp_path_factory.mktemp("store") / "x.index", layers=["1", "3", "6"])


def by_hand(index: Index, images: list[int], channel: int | None, value: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """(probabilities, largest activations of layers 3 and 6), picture by picture."""
    net, told, maxima = index.net, [], []
    for i in images:
        with torch.no_grad():
            maps = net.module[:2](net.preprocess.normalize(net.prepare(index.source.read(i)).pixels.double()))
            if channel is not None:
                maps[:, channel] = value
            above = net.module[2:4](maps)
            scores = net.module[4:](above)
        told.append(scores.softmax(1)[0].numpy())
        maxima.append(np.concatenate([above.amax((2, 3))[0].numpy(), scores[0].numpy()]))
    return np.stack(told), np.stack(maxima)


@pytest.mark.parametrize("value", ["zero", "mean"])
def test_tables_are_what_the_network_says_by_hand(index: Index, value: Any) -> None:
    lost = pl.units.ablation(index, "1:2", value=value, count=18, controls=0)
    labels = np.array([index.source.label(i) for i in range(18)])
    held = index["1"].moments.mean[2] if value == "mean" else 0.0
    (before, high), (after, low) = by_hand(index, [*range(18)], None), by_hand(index, [*range(18)], 2, held)
    change = (after - before)[np.arange(18), labels]
    rows = {row["class"]: row for row in lost["classes"].rows}
    assert next(iter(rows)) == "all images"
    for name, these in {"all images": labels >= 0, "class1": labels == 1}.items():
        count = int(these.sum())
        assert rows[name]["images"] == count
        assert rows[name]["probability"] == pytest.approx(before[np.arange(18), labels][these].mean(), abs=1e-6)
        assert rows[name]["change"] == pytest.approx(change[these].mean(), abs=1e-6)
        assert rows[name]["error"] == pytest.approx(change[these].std(ddof=1) / count**0.5, abs=1e-6)
        assert rows[name]["accuracy"] == (before.argmax(1) == labels)[these].mean()
        assert rows[name]["without"] == (after.argmax(1) == labels)[these].mean()
    spreads = [index[layer].moments.max_sd[i] for layer in ("3", "6") for i in range(3)]
    falls = (high - low) / np.where(np.array(spreads) > 0, spreads, np.inf)
    for row in lost["above"].rows:
        layer, _, channel = str(row["unit"]).partition(":")
        i = (0 if layer == "3" else 3) + int(channel)
        assert row["fall"] == pytest.approx(falls[:, i].mean(), abs=1e-5)
        assert row["error"] == pytest.approx(falls[:, i].std(ddof=1) / 18**0.5, abs=1e-5)
        assert (row["before"], row["after"]) == pytest.approx((high[:, i].mean(), low[:, i].mean()), abs=1e-5)
        assert row["class"] == (f"class{channel}" if layer == "6" else "")
    sizes = [abs(float(row["fall"] or 0)) for row in lost["above"].rows]
    assert sizes == sorted(sizes, reverse=True)


def test_the_planted_unit_carries_what_it_feeds(index: Index) -> None:
    """Without 1:2 the unit 3:1 is silent and the score of class 1 falls; 3:0 and 3:2 do not notice."""
    lost = pl.units.ablation(index, "1:2", count=18, controls=3)
    rows = {row["unit"]: row for row in lost["above"].rows}
    assert rows["3:1"]["after"] == pytest.approx(max(float(index.net.module[2].bias[1].detach()), 0))
    assert float(rows["3:1"]["before"] or 0) > float(rows["3:1"]["after"] or 0)
    assert min(float(rows[unit]["fall"] or 0) for unit in ("3:1", "6:1")) > 0.5
    assert (rows["3:0"]["fall"], rows["3:2"]["fall"]) == (0, 0)
    assert rows["6:1"]["class"] == "class1"
    assert "most" in lost.findings[-1]
    assert lost.findings[1].startswith("without other units of the layer, one at a time (3 were tried), it changes by")
    assert pl.draw(lost).array.shape[0] > 200


def test_without_names_of_classes_it_is_what_the_network_answered(index: Index) -> None:
    net = Net(index.net.module, "carrying", index.net.preprocess)
    lost = pl.units.ablation(index.with_net(net), "1:2", count=18, controls=0)
    assert lost["classes"].rows[0]["accuracy"] == 1
    assert lost.findings[0].startswith("the probability of what it answered")
    answers, _ = by_hand(index, [*range(18)], None)
    found = {row["class"] for row in lost["classes"].rows[1:]}
    assert found == {f"class {i}" for i in answers.argmax(1)}


def test_pictures_are_drawn_by_seed(index: Index) -> None:
    one, same, other = (pl.units.ablation(index, "1:2", count=6, controls=1, seed=seed) for seed in (1, 1, 2))
    assert one["classes"].columns == same["classes"].columns != other["classes"].columns
    with pytest.raises(PellucidError, match="no unit 7 in layer '1'"):
        pl.units.ablation(index, "1:7")


def test_the_last_layer_has_nothing_above(index: Index) -> None:
    lost = pl.units.ablation(index, "6:1", count=6, controls=0)
    assert set(lost.tables) == {"classes"}
