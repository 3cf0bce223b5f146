"""Caricature: its objective in plain numpy, rows of layers, sizes, and networks of every kind."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import pellucid as pl
from pellucid.errors import PellucidError, Refused, UnknownName
from pellucid.images import Images
from pellucid.net import Net, Preprocess
from pellucid.render.places import by_place, exaggeration


class Small(nn.Module):
    """Two stages with maps, a row of numbers, and a stage that is always silent."""

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(1)
            self.one = nn.Sequential(nn.Conv2d(channels, 8, 3, 2, 1), nn.ReLU())
            self.two = nn.Sequential(nn.Conv2d(8, 12, 3, 2, 1), nn.ReLU())
            self.silent, self.head = nn.ReLU(), nn.Linear(12, 3)
        self.double()

    def forward(self, x: Tensor) -> Tensor:
        h = self.two(self.one(x))
        return self.head((h + self.silent(-h.square())).mean((2, 3)))


def net(channels: int = 3) -> Net:
    return Net(Small(channels), "small", Preprocess(32, (28, 28), mean=(0.5,), std=(0.25,), channels=channels))


def photo(name: str = "photo", size: tuple[int, int] = (64, 96), channels: int = 3) -> Images:
    rows, columns = torch.meshgrid(*(torch.arange(side) / side for side in size), indexing="ij")
    planes = [torch.sin(9 * rows + k * columns) for k in range(channels)]
    return Images.from_pictures([0.5 + 0.4 * torch.stack(planes).double()], [name])


@pytest.mark.parametrize("power", [0, 1, 2.5])
def test_the_objective_in_plain_numpy(power: float | int) -> None:
    chance = np.random.default_rng(0)
    a, b = chance.standard_normal((2, 2, 5, 3, 4))
    b[:, :, 1, 1] = 0  # a place where the photo says nothing
    expected = []
    for n in range(2):
        total = 0.0
        for y in range(3):
            for x in range(4):
                dot = float(a[n, :, y, x] @ b[n, :, y, x])
                sizes = float(np.linalg.norm(a[n, :, y, x]) * np.linalg.norm(b[n, :, y, x]))
                total += dot * max(0.1, dot / sizes if sizes else 0.0) ** power
        expected.append(total / 12)
    places = torch.from_numpy(a).flatten(2), torch.from_numpy(b).flatten(2)
    assert exaggeration(*places, power).numpy() == pytest.approx(np.array(expected), rel=1e-12)


def test_places_of_maps_and_of_rows() -> None:
    assert by_place(torch.zeros(2, 5, 3, 4)).shape == (2, 5, 12)
    assert by_place(torch.zeros(2, 5)).shape == (2, 5, 1)


def test_it_exaggerates() -> None:
    """The layer sees the photo in it, more strongly; the more the smaller the power."""
    start, wild, tame = (
        pl.synthesis.caricature(net(), photo(), layers="one", steps=steps, size=32, power=power).facts
        for steps, power in ((1, 0), (40, 0), (40, 4))
    )
    assert wild["cosine"][0] > start["cosine"][0] + 0.1
    assert wild["× as strong"][0] > tame["× as strong"][0]
    assert wild["× as strong"][0] > 2 * start["× as strong"][0]


def test_facts_are_of_the_saved_picture() -> None:
    network, image = net(), photo(size=(32, 48))
    found = pl.synthesis.caricature(network, image, layers="two", steps=3)
    a, b = (
        network.run(pl.read(one), layers=["two"])["two"][0].numpy().reshape(12, -1)
        for one in (found.pixels[0], found.beside["the photo"][0])
    )
    sizes = np.linalg.norm(a, axis=0) * np.linalg.norm(b, axis=0)
    assert found.facts["cosine"][0] == pytest.approx(float(((a * b).sum(0) / sizes).mean()), abs=1e-5)
    assert found.facts["× as strong"][0] == pytest.approx(float(np.linalg.norm(a) / np.linalg.norm(b)), rel=1e-5)


def test_a_row_of_layers_for_each_photo() -> None:
    images = photo("a") + photo("b", (50, 40))
    found = pl.synthesis.caricature(net(), images, layers=["one", "two", "head"], steps=2)
    assert found.names == ("a: one", "a: two", "a: head", "b: one", "b: two", "b: head")
    assert found.columns == 3
    assert [one.shape for one in found.pixels] == [(32, 48, 3)] * 3 + [(40, 32, 3)] * 3
    assert [one.shape for one in found.beside["the photo"]] == [one.shape for one in found.pixels]
    alone = pl.synthesis.caricature(net(), images[1], layers="two", steps=2)
    assert alone.names == ("two",)
    assert np.array_equal(alone.pixels[0], found.pixels[4])


def test_its_own_layer_and_size() -> None:
    found = pl.synthesis.caricature(net(), photo(), steps=1)
    assert found.meta.layer == "one"
    assert "layer one, chosen automatically" in found.meta.said[0]
    assert found.pixels.shape == (1, 32, 48, 3)
    assert pl.synthesis.caricature(net(), photo(), steps=1, size=20).pixels.shape == (1, 20, 30, 3)


def test_a_network_of_one_size() -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 256, 2))
    fixed = Net(module, "fixed", Preprocess(resize=(16, 16)))
    found = pl.synthesis.caricature(fixed, photo(), layers="1", steps=2)
    assert found.pixels.shape == (1, 16, 24, 3)
    assert any("takes no input of" in note for note in found.meta.said)


@pytest.mark.parametrize(("takes", "given"), [(1, 3), (3, 1), (4, 4)])
def test_channels(takes: int, given: int) -> None:
    found = pl.synthesis.caricature(net(takes), photo(channels=given), layers="one", steps=2)
    assert found.pixels.shape == (1, 32, 48, takes)


def test_seeds() -> None:
    one, other = (pl.synthesis.caricature(net(), photo(), layers="one", steps=2, seed=seed).pixels for seed in (0, 1))
    assert not np.array_equal(one, other)


def test_what_cannot_be_drawn() -> None:
    with pytest.raises(UnknownName, match="no layer 'three'"):
        pl.synthesis.caricature(net(), photo(), layers="three")
    with pytest.raises(Refused, match="'silent' answers 0 to the photo"):
        pl.synthesis.caricature(net(), photo(), layers="silent", steps=1)
    with pytest.raises(PellucidError, match="power"):
        pl.synthesis.caricature(net(), photo(), power=-1)
