"""DeepDream: its step in plain numpy, octaves, windows, guides, and networks of every kind."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.images import Images
from pellucid.net import Net, Preprocess, Run
from pellucid.render import dream
from pellucid.render.dream import Guided, evened, octaves
from pellucid.render.stages import middle
from pellucid.render.windows import Windows
from pellucid.target import Energy

SMALL = {"octaves": 1, "steps": 1, "bands": 1}


class ColorSelectivity(nn.Module):
    """Each pixel by itself: where it is rolled to changes nothing."""

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        self.mix = nn.Conv2d(channels, 4, 1, bias=False).double()
        self.mix.weight.data = torch.linspace(-1, 1.5, 4 * channels, dtype=torch.float64).view(4, channels, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.mix(x).mean((2, 3))


class Fixed(nn.Module):
    """Takes 16 × 16 pixels and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.conv, self.head = nn.Conv2d(3, 5, 3, padding=1).double(), nn.Linear(5 * 16 * 16, 2).double()

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.conv(x).relu().flatten(1))


def photo(height: int, width: int, channels: int = 3, name: str = "photo") -> Images:
    values = torch.rand(channels, height, width, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    return Images.from_pictures([(0.2 + 0.6 * values)], [name])


def test_one_step_in_plain_numpy() -> None:
    module, image = ColorSelectivity(), photo(12, 20)
    found = pl.synthesis.deepdream(Net(module), image, "energy(mix)", rate=9, **SMALL).pixels[0]
    x, w = image.pictures[0].numpy(), module.mix.weight.detach().numpy()[:, :, 0, 0]
    g = np.zeros_like(x)
    for y in range(12):
        for z in range(20):
            for c in range(3):
                for k in range(4):
                    g[c, y, z] += 2 * (w[k] @ x[:, y, z]) * w[k, c]
    expected = (x + 9 / 255 * g / np.abs(g).mean()).clip(0, 1).transpose(1, 2, 0) * 255
    assert np.abs(found - expected).max() <= 0.5 + 1e-9
    assert np.abs(found - 255 * x.transpose(1, 2, 0)).max() > 9


def test_what_shrinking_loses_is_put_back() -> None:
    """Through four octaves, a dream that moves nothing is the photo, its finest grain included."""
    image = photo(40, 56)
    found = pl.synthesis.deepdream(Net(ColorSelectivity()), image, "energy(mix)", octaves=4, steps=1, rate=1e-9)
    assert np.array_equal(found.pixels[0], found.beside["the photo"][0])


def test_detail_of_a_small_octave_reaches_the_large_one(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int]] = []
    real = Windows.gradient

    def watched(self: Windows, picture: Tensor, chance: np.random.Generator) -> Tensor:
        seen.append((picture.shape[-2], picture.shape[-1]))
        found = real(self, picture, chance)
        return found if len(seen) == 1 else torch.zeros_like(found)

    monkeypatch.setattr(Windows, "gradient", watched)
    image = photo(28, 42)
    found = pl.synthesis.deepdream(Net(ColorSelectivity()), image, "energy(mix)", octaves=2, steps=1, rate=20, bands=1)
    assert seen == [(20, 30), (28, 42)] == octaves((28, 42), 2)
    assert np.abs(found.pixels[0].astype(int) - found.beside["the photo"][0]).mean() > 5


def test_windows_give_the_gradient_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    net, image = Net(ColorSelectivity()), photo(30, 47)
    whole = pl.synthesis.deepdream(net, image, "energy(mix)", **SMALL)
    monkeypatch.setattr(dream, "_WINDOW", 16)
    parts = pl.synthesis.deepdream(net, image, "energy(mix)", **SMALL)
    assert np.abs(whole.pixels[0].astype(int) - parts.pixels[0]).max() <= 1
    assert any("in parts of 15×16" in note for note in parts.meta.said)
    assert not whole.meta.said


@pytest.mark.parametrize("size", [(16, 16), (40, 29), (9, 33)])
def test_a_network_of_one_size(size: tuple[int, int]) -> None:
    net = Net(Fixed(), "fixed", Preprocess(resize=(16, 16)))
    found = pl.synthesis.deepdream(net, photo(*size), "conv:2", octaves=2, steps=3, rate=5)
    assert found.pixels[0].shape == (*size, 3)
    (before,), (after,) = found.facts.values()
    assert after > before


def test_the_target_rises_and_facts_are_of_the_file() -> None:
    net = pl.load("bundled", size=64)
    image = Images.from_pictures([pl.read("sample:rocket").pictures[0][:, ::4, ::4]], ["rocket"])
    found = pl.synthesis.deepdream(net, image, octaves=1, steps=4, rate=4)
    assert found.meta.target == "energy(blocks.4)"
    assert found.pixels[0].shape == (64, 96, 3)
    (before,), (after,) = found.facts.values()
    assert after > 1.05 * before
    for value, picture in ((before, found.beside["the photo"][0]), (after, found.pixels[0])):
        run = net.run(pl.read(picture), layers=["blocks.4"])
        assert value == pytest.approx(float(Energy("blocks.4")(run)), rel=1e-6)


def test_the_layer_half_way_up() -> None:
    assert middle(pl.load("bundled")) == "blocks.4"
    assert middle(Net(Fixed(), preprocess=Preprocess(resize=(16, 16)))) == "conv"
    with pytest.raises(PellucidError, match="no layer with maps"):
        pl.synthesis.deepdream(Net(nn.Sequential(nn.Flatten(), nn.Linear(48, 2)), preprocess=Preprocess((4, 4))),
                               photo(4, 4))  # fmt: skip


def test_seeds_and_names_jitter_differently() -> None:
    net = Net(Fixed(), "fixed", Preprocess(resize=(16, 16)))
    a, b, c = (
        pl.synthesis.deepdream(net, photo(16, 16, name=name), "conv:2", octaves=1, steps=2, rate=8, seed=seed).pixels
        for name, seed in (("a", 0), ("a", 1), ("b", 0))
    )
    assert not np.array_equal(a, b)
    assert not np.array_equal(a, c)


def test_guide_in_plain_numpy() -> None:
    chance = np.random.default_rng(0)
    here, there = chance.standard_normal((2, 5, 3, 4)), chance.standard_normal((5, 6))
    run = Run(None, None, {"layer": torch.from_numpy(here)})  # type: ignore[arg-type]
    expected = [
        np.mean([max(float(here[n, :, y, x] @ there[:, g]) for g in range(6)) for y in range(3) for x in range(4)])
        for n in range(2)
    ]
    assert Guided("layer", torch.from_numpy(there))(run).tolist() == pytest.approx(expected, abs=1e-12)


def test_a_guide_draws() -> None:
    net, image = Net(ColorSelectivity()), photo(10, 10)
    red, blue = torch.zeros(3, 8, 8).double(), torch.zeros(3, 8, 8).double()
    red[0], blue[2] = 1, 1
    a, b = (
        pl.synthesis.deepdream(net, image, "energy(mix)", guide=guide, rate=10, **SMALL).pixels[0].astype(int)
        for guide in (red, blue)
    )
    w = net.module.mix.weight.detach().numpy()[:, :, 0, 0]
    for found, color in ((a, 0), (b, 2)):
        pull = w.T @ w[:, color]  # the gradient of ⟨W x, W color⟩, the same at every pixel
        moved = (found - 255 * image.pictures[0].numpy().transpose(1, 2, 0)).mean((0, 1))
        assert moved == pytest.approx(10 * pull / np.abs(pull).mean(), abs=0.3)


def test_what_no_guide_can_do() -> None:
    net, image = Net(ColorSelectivity()), photo(10, 10)
    with pytest.raises(PellucidError, match="give the target as energy"):
        pl.synthesis.deepdream(net, image, 0, guide=photo(8, 8), **SMALL)
    with pytest.raises(PellucidError, match="2 guides"):
        pl.synthesis.deepdream(net, image, "energy(mix)", guide=photo(8, 8) + photo(8, 8), **SMALL)
    with pytest.raises(PellucidError, match=r"nowhere\.png"):
        pl.synthesis.deepdream(net, image, "energy(mix)", guide="nowhere.png", **SMALL)


@pytest.mark.parametrize(("takes", "given"), [(1, 3), (1, 1), (3, 1), (4, 4)])
def test_channels(takes: int, given: int) -> None:
    net = Net(ColorSelectivity(takes), preprocess=Preprocess(channels=takes))
    found = pl.synthesis.deepdream(net, photo(8, 9, given), "energy(mix)", **SMALL)
    assert found.pixels[0].shape == (8, 9, takes)


def test_bands_give_coarse_structure_a_say() -> None:
    rows = torch.arange(64, dtype=torch.float64)
    wave = torch.sin(rows / 5)[None, None, :, None].expand(1, 3, 64, 64)
    grain = (-1.0) ** (rows[:, None] + rows[None, :]).expand(1, 3, 64, 64)
    gradient = 100 * grain + wave

    def share(x: Tensor) -> float:
        return float((x * wave).mean() / x.std() / wave.std())

    assert torch.equal(evened(gradient, 1), gradient)
    assert share(gradient) < 0.02
    assert share(evened(gradient, 5)) > 0.5


def test_all_black_and_dead_networks_stand_still() -> None:
    image = Images.from_pictures([torch.zeros(3, 8, 8)], ["black"])
    found = pl.synthesis.deepdream(Net(ColorSelectivity()), image, "energy(mix)", octaves=2, steps=2)
    assert not found.pixels[0].any()
