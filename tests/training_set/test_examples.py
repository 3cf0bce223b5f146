"""Images with labels as the last layer of a network sees them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import pellucid as pl
from pellucid.data import Data, NewTask
from pellucid.errors import Refused
from pellucid.net import Labels, Net, Preprocess
from pellucid.training_set.examples import examples_in, examples_of
from tests.sweep.made import photos, small


def named(*names: str) -> Net:
    net = small()
    return Net(net.module, "small", net.preprocess, Labels.plain(list(names)))


class Flat(nn.Module):
    """Its last layer reads a map place by place, which no mean over places can tell."""

    def __init__(self, end: nn.Module) -> None:
        super().__init__()
        self.first, self.head, self.end = nn.Conv2d(3, 2, 5, stride=5), nn.Linear(2 * 4 * 4, 3), end

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.end(self.head(self.first(x).relu().flatten(1)))


def flat(end: nn.Module) -> Net:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return Net(
            Flat(end), "flat", Preprocess(resize=24, crop=(24, 24)), Labels.plain(["class0", "class1", "class2"])
        )


def received(net: Net, images: object) -> np.ndarray:
    """What the last layer of a small network reads, by hand."""
    rows = [net.run(net.prepare(one).pixels, layers=["second"])["second"].relu().mean((2, 3)) for one in images]  # type: ignore[attr-defined]
    return np.concatenate([one.detach().numpy() for one in rows])


def test_where_an_index_lacks_it_one_pass_takes_it_down(tmp_path: Path) -> None:
    folder, net = photos(tmp_path / "photos", 9, classes=3), named("class2", "class0", "class1")
    index = pl.units.index(net, folder, store=tmp_path / "x.index", embed=("second",))
    found = examples_of(index)  # a relu comes between `second` and the head
    assert found.layer == "head"
    assert "one pass over its images" in str(found.notes[0])
    images = [index.read(i) for i in range(9)]
    assert np.allclose(found.features, received(net, images), atol=1e-6)
    logits = np.concatenate([net.run(net.prepare(one).pixels).output.detach().double().numpy() for one in images])
    assert np.allclose(found.logits, logits, atol=1e-5)
    assert found.logits.dtype == np.float64
    own = index.labels(np.arange(9))
    assert found.classes == ("class2", "class0", "class1")
    assert np.array_equal(found.labels, (own + 1) % 3)
    assert found.names == index.names(np.arange(9))
    assert not found.fitted
    assert np.allclose(found.probabilities.sum(1), 1)
    assert found.picture(4, 12).shape == (12, 12, 3)
    assert examples_of(index) is found


def test_an_embedding_that_the_head_reads_is_taken(tmp_path: Path) -> None:
    class Pooled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.act, self.head = nn.Conv2d(3, 6, 5), nn.ReLU(), nn.Linear(6, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head(self.act(self.first(x)).mean((2, 3)))

    torch.manual_seed(0)
    net = Net(Pooled(), "pooled", Preprocess(resize=24, crop=(24, 24)), Labels.plain(["class0", "class1", "other"]))
    folder = photos(tmp_path / "photos", 9, classes=3)
    index = pl.units.index(net, folder, store=tmp_path / "x.index")
    found = examples_of(index)
    assert found.layer == "act"
    assert np.array_equal(found.features, index["act"].embedding[1].astype(np.float32))
    assert "3 images count as without a label" in str(found.notes[0])
    assert (found.labels == -1).sum() == 3
    labeled = found.labeled()
    assert len(labeled) == 6
    assert set(labeled.labels.tolist()) == {0, 1}
    assert np.array_equal(labeled.numbers, np.flatnonzero(found.labels >= 0))


def test_classes_of_its_own_get_a_layer_of_their_own(tmp_path: Path) -> None:
    folder, net = photos(tmp_path / "photos", 12, classes=3), named("dog", "cat", "wolf")
    index = pl.units.index(net, folder, store=tmp_path / "x.index", embed=("act",))
    found = examples_of(index)
    assert found.fitted
    assert found.classes == ("class0", "class1", "class2")
    assert np.array_equal(found.labels, index.labels(np.arange(12)))
    assert "none of small's" in str(found.notes[-1])
    data = examples_in(net, Data.of(folder))
    assert data.fitted
    assert np.allclose(data.weight, found.weight, atol=1e-6)
    again = examples_in(net, NewTask.of(folder))
    assert np.array_equal(again.logits, data.logits)


def test_labeled_data_gives_the_same(tmp_path: Path) -> None:
    folder, net = photos(tmp_path / "photos", 9, classes=3), named("class2", "class0", "class1")
    data = Data.of(folder)
    found = examples_in(net, data)
    assert not found.fitted
    assert np.array_equal(found.labels, data.on(net).labels)
    assert np.allclose(found.features, received(net, [data.image(i) for i in range(9)]), atol=1e-6)
    assert np.array_equal(found.numbers, np.arange(9))
    assert found.names[0] == data.name(0)
    assert found.picture(0, 16).shape == (16, 16, 3)


def test_a_flattened_map_is_read_whole(tmp_path: Path) -> None:
    net = flat(nn.Identity())
    found = examples_in(net, Data.of(photos(tmp_path / "photos", 6, classes=3)))
    assert found.features.shape == (6, 32)
    assert len(net.module.head.weight) == 3  # it is as it was


def test_what_is_no_softmax_of_a_linear_layer_is_refused(tmp_path: Path) -> None:
    data = Data.of(photos(tmp_path / "photos", 6, classes=3))
    with pytest.raises(Refused, match="something else of its 'head' than a softmax"):
        examples_in(flat(nn.Tanh()), data)
    assert len(examples_in(flat(nn.Softmax(1)), data)) == 6


def test_class_names_that_are_numbers_of_which_one_is_no_class_are_classes_of_their_own(tmp_path: Path) -> None:
    """Counted from 1, or names: not to be told, and no option of an index says it."""
    chance = np.random.default_rng(0)
    for name in ("1", "2", "3"):  # a network of three classes has 0 to 2
        for i in range(3):
            (tmp_path / "photos" / name).mkdir(parents=True, exist_ok=True)
            pixels = chance.integers(0, 255, (16, 16, 3), np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{name}{i}.png")
    net = pl.load(small().module, size=16)
    some = examples_of(pl.units.index(net, tmp_path / "photos", store=tmp_path / "x.index", count=2))
    assert some.fitted
    assert some.classes == ("1", "2", "3")
    assert any("count as their own" in note.text for note in some.notes)
