"""Counterfactuals: what is told is true of the saved file; the class asked for; other networks; wrong input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

import pellucid as pl
from pellucid.errors import PellucidError, UnknownName
from pellucid.images import Images
from pellucid.index import Index
from pellucid.net import Labels, Net, Preprocess
from pellucid.training_set.examples import examples_of

NAMES = ["cat", "dog", "wolf", "fox"]


class Small(nn.Module):
    """A convolution, a rectifier, means, and four classes."""

    def __init__(self, seed: int = 5) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.conv = nn.Conv2d(3, 16, 5, stride=2)
            self.head = nn.Linear(16, len(NAMES))
        self.head.weight.data *= 25
        self.double()

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.conv(x).relu().mean((2, 3)))


def net(seed: int = 5) -> Net:
    return Net(Small(seed), "small", Preprocess(24, (20, 20), "bicubic", (0.5,), (0.25,)), Labels.plain(NAMES))


def photo(name: str = "photo", seed: int = 4) -> Images:
    values = torch.rand(3, 37, 53, generator=torch.Generator().manual_seed(seed))
    return Images.from_pictures([(255 * values).byte()], [name])


def test_facts_are_true_of_the_saved_file(tmp_path: Path) -> None:
    network, image = net(), photo()
    guesses = network.predict(image, 4).ranked[0]
    found = pl.examples.counterfactual(network, image)
    (file,) = found.write(tmp_path / "found.png")
    after = {one.label: one.probability for one in network.predict(pl.read(str(file)), 4).ranked[0]}
    assert after[guesses[1].label] == pytest.approx(found.facts["probability"][0], abs=1e-9)
    assert found.facts["probability"][0] >= 0.85
    assert after[guesses[0].label] == pytest.approx(found.facts["first guess now"][0], abs=1e-9)
    assert found.facts["first guess before"][0] == pytest.approx(guesses[0].probability, abs=1e-9)
    change = np.abs(np.asarray(Image.open(file)).astype(int) - found.beside["the image"][0].astype(int))
    assert found.facts["mean change of 255"][0] == pytest.approx(change.mean())
    assert found.facts["largest change of 255"][0] == change.max() > 0
    assert found.facts["changed pixels"][0] == pytest.approx((change > 0).any(2).mean())
    assert found.trust is not None


@pytest.mark.slow
def test_the_class_that_is_asked_for() -> None:
    network, image = net(), photo()
    last = network.predict(image, 4).ranked[0][-1]
    by_name = pl.examples.counterfactual(network, image, new_class=last.label, probability=0.6)
    by_number = pl.examples.counterfactual(network, image, new_class=last.index, probability=0.6)
    assert by_name.names[0].endswith(f"→ {last.label}")
    assert np.array_equal(by_name.pixels[0], by_number.pixels[0])


@pytest.mark.slow
def test_images_do_not_depend_on_one_another() -> None:
    network, both = net(), Images.from_pictures([photo(seed=k).pictures[0] for k in (1, 2)], ["one", "two"])
    together = pl.examples.counterfactual(network, both, steps=60)
    for i in range(2):
        alone = pl.examples.counterfactual(network, both[i], steps=60)
        assert np.array_equal(together.pixels[i], alone.pixels[0])


def test_other_networks_are_asked() -> None:
    network, other = net(), net(6)
    found = pl.examples.counterfactual(network, photo(), networks=[other])
    asked = network.predict(photo(), 2).ranked[0][1].index
    shown = Images.from_pictures([torch.from_numpy(found.pixels[0]).permute(2, 0, 1)], ["x"])
    said = {one.index: one.probability for one in other.predict(shown, 4).ranked[0]}
    assert found.facts["small says"][0] == pytest.approx(said[asked], abs=1e-9)


def test_what_is_not_reached_is_said() -> None:
    found = pl.examples.counterfactual(net(), photo(), steps=1, probability=0.999)
    assert any("not reached" in note.text for note in found.meta.notes)
    reached = pl.examples.counterfactual(net(), photo(), new_class="wolf", probability=0.6)
    again = Images.from_pictures([torch.from_numpy(reached.pixels[0]).permute(2, 0, 1)], ["again"])
    already = pl.examples.counterfactual(net(), again, new_class="wolf", probability=0.6)
    assert any("nothing was changed" in note.text for note in already.meta.notes)
    assert already.facts["largest change of 255"] == (0.0,)


def test_wrong_input_names_a_way() -> None:
    with pytest.raises(UnknownName, match=r"wolff.*wolf"):
        pl.examples.counterfactual(net(), photo(), new_class="wolff")
    with pytest.raises(PellucidError, match="probability"):
        pl.examples.counterfactual(net(), photo(), probability=1.2)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """Of forty images like the photo, whose labels are what the network says."""
    folder = tmp_path_factory.mktemp("real")
    pixels = [photo(seed=k).pictures[0].permute(1, 2, 0).numpy() for k in range(40)]
    answers = [net().predict(photo(seed=k), 1).ranked[0][0].index for k in range(40)]
    np.savez(folder / "real.npz", images=np.stack(pixels), labels=np.array(answers))
    return pl.units.index(net(), folder / "real.npz", store=folder / "real.index", count=2, embed=("conv",))


@pytest.mark.slow
def test_the_distance_to_real_images_is_told(index: Index) -> None:
    image = photo(seed=3)
    found = pl.examples.counterfactual(net(), image, index=index)
    asked = net().predict(image, 2).ranked[0][1].index
    shown = Images.from_pictures([torch.from_numpy(found.pixels[0]).permute(2, 0, 1)], ["x"])
    some = examples_of(index)
    rows, center = some.features.astype(np.float64), some.features.astype(np.float64).mean(0)

    def apart(read: np.ndarray) -> np.ndarray:
        a, b = read.astype(np.float64) - center, rows - center
        return 1 - b @ a / np.sqrt((b**2).sum(1) * (a @ a))

    mates = (some.labels == asked) | (some.logits.argmax(1) == asked)
    mates[3] = False  # the image itself
    assert mates.any()
    assert found.facts["distance to the class"][0] == pytest.approx(apart(some.read(shown)[0])[mates].min(), abs=1e-6)
    assert found.facts["distance before"][0] == pytest.approx(apart(some.read(image)[0])[mates].min(), abs=1e-6)
    assert 0 <= found.facts["share of real images as far"][0] <= 1
    assert found.describe()["facts"]


def test_what_the_index_cannot_say_is_said(index: Index, tmp_path: Path) -> None:
    one = np.asarray(photo().pictures[0].permute(1, 2, 0))[None]
    np.savez(tmp_path / "one.npz", images=one, labels=np.array([0]))
    bare = pl.units.index(net(), tmp_path / "one.npz", store=tmp_path / "one.index", count=1, embed=("conv",))
    found = pl.examples.counterfactual(net(), photo(), new_class="fox", index=bare, steps=60)
    assert any("no other image of fox" in note for note in found.meta.notes)
    assert np.isnan(found.facts["distance to the class"][0])
    with pytest.raises(PellucidError, match="weights"):
        pl.examples.counterfactual(net(6), photo(), index=index.store.folder)
    with pytest.raises(PellucidError, match=r"none\.index"):
        pl.examples.counterfactual(net(), photo(), index=str(tmp_path / "none.index"))
