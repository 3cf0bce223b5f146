"""activation_maximization, diversity and interpolation as a person calls them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import pellucid as pl
from pellucid.errors import PellucidError, Refused
from pellucid.images import read
from pellucid.methods.synthesis.diversity import likeness
from pellucid.net import Labels, Net, Preprocess
from pellucid.render.aligned import Aligned
from pellucid.render.magnitude import Magnitude
from pellucid.render.parametrizations import Fourier
from pellucid.render.pixels import through
from pellucid.render.recipes import PRESETS
from pellucid.rng import generator


class ColorSelectivity(nn.Module):
    """Unit i of `what` answers color i: the mean of that channel, less the others'."""

    def __init__(self) -> None:
        super().__init__()
        self.what, self.act = nn.Conv2d(3, 3, 3, padding=1), nn.ReLU()
        with torch.no_grad():
            self.what.weight.zero_()
            self.what.bias.fill_(0.2)  # type: ignore[union-attr]
            for i in range(3):
                self.what.weight[i, :, 1, 1] = -0.5
                self.what.weight[i, i, 1, 1] = 1.0

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.what(x)).mean((2, 3))


def colors() -> Net:
    preprocess = Preprocess(24, (24, 24), mean=(0.5,) * 3, std=(0.5,) * 3)
    return Net(ColorSelectivity().double(), "colors", preprocess, Labels.plain(["red", "green", "blue"]))


@pytest.mark.slow
@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_finds_the_color_that_a_unit_wants(preset: str) -> None:
    steps = {"maco": 8}.get(preset, 30)
    made = pl.synthesis.activation_maximization(colors(), ["red", "what:2"], recipe=preset, steps=steps)
    assert made.pixels.shape == (2, 24, 24, 3)
    assert made.pixels.dtype == np.uint8
    assert made.names == ("red", "what:2")
    rise = made.pixels.astype(float).mean((1, 2))
    if preset not in ("yosinski-1", "yosinski-2", "yosinski-3"):  # rates for the gradients of CaffeNet
        assert rise[0].argmax() == 0
        assert rise[1].argmax() == 2
    assert (made.meta.options["recipe"], made.meta.nouns["recipe"]["name"]) == (preset, preset)
    assert bool(made.beside) == (preset == "maco")


def test_a_saved_file_says_what_the_picture_said(tmp_path: Path) -> None:
    """Of the native size, a file goes through the real preprocessing without being resampled."""
    net = colors()
    made = pl.synthesis.activation_maximization(net, "what:1", steps=20)
    (file,) = made.write(tmp_path / "x.png")
    seen = net.prepare(read(str(file))).pixels
    direct = torch.from_numpy(made.pixels[0].copy()).permute(2, 0, 1)[None] / 255
    assert torch.equal(seen, direct.to(seen))
    assert made.trust is not None
    assert made.trust[0].activation == pytest.approx(
        float(net.run(seen, layers=["what"])["what"][0, 1].mean()), rel=1e-5
    )


def test_what_is_asked_for_wrongly() -> None:
    net = colors()
    ask: Callable[..., object] = pl.synthesis.activation_maximization
    for given, says in (
        ({"recipe": "lucit"}, "no recipe 'lucit'"),
        ({"recipe": "lucid + decay(0.1)"}, "add pixels"),
        ({"steps": 0}, "greater than or equal"),
        ({"size": 2}, "greater than or equal"),
        ({"target": "purple"}, "no class 'purple'"),
        ({"target": "wha:1"}, "no layer 'wha'.*what"),
        ({"target": "what:7"}, "no unit 7"),
    ):
        with pytest.raises(PellucidError, match=says) as error:
            ask(net, **({"target": "red"} | given))
        assert "\n" not in str(error.value)


def test_a_picture_fades_where_it_did_not_matter() -> None:
    pixels = np.full((1, 4, 4, 3), 10, dtype=np.uint8)
    credit = torch.zeros(1, 4, 4)
    credit[0, 0] = 4
    credit[0, 1] = 2
    seen = through(pixels, credit, 75)
    assert seen[0, 0, 0, 0] == 10
    assert seen[0, 3, 0, 0] == 255
    assert 10 < seen[0, 1, 0, 0] < 255
    assert (through(pixels, torch.zeros(1, 4, 4)) == 255).all()


@pytest.mark.parametrize(("channels", "places"), [(3, 20), (20, 3), (5, 0)])
def test_likeness_is_that_of_normalized_grams(channels: int, places: int) -> None:
    maps = torch.from_numpy(np.random.default_rng(0).standard_normal((4, channels, *([places] if places else []))))
    found = likeness(maps.unflatten(2, (places, 1)) if places else maps)
    flat = maps.numpy().reshape(4, channels, -1)
    for i in range(4):
        for j in range(4):
            a, b = (m @ m.T for m in (flat[i], flat[j]))
            expected = 0 if i == j else (a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum())
            assert float(found[i, j]) == pytest.approx(expected, abs=1e-10)


class Either(nn.Module):
    """Unit 0 is as pleased by red as by blue: a unit with two facets."""

    def __init__(self) -> None:
        super().__init__()
        self.parts, self.mix = nn.Conv2d(3, 2, 1), nn.Conv2d(2, 2, 1)
        with torch.no_grad():
            self.parts.weight[:, :, 0, 0] = torch.tensor([[1.0, -1, -1], [-1.0, -1, 1]])
            self.parts.bias.zero_()  # type: ignore[union-attr]
            self.mix.weight[:, :, 0, 0] = torch.eye(2)
            self.mix.bias.zero_()  # type: ignore[union-attr]

    def forward(self, x: Tensor) -> Tensor:
        return self.mix(self.parts(x).relu()).mean((2, 3)).amax(1, keepdim=True)


def test_diversity_pushes_pictures_apart() -> None:
    net = Net(Either().double(), "either", Preprocess(16, (16, 16), mean=(0.5,) * 3, std=(0.5,) * 3))
    alike = []
    for strength in (0, 2):
        made = pl.synthesis.diversity(net, "out[0]", count=3, strength=strength, steps=40)
        assert made.pixels.shape == (3, 16, 16, 3)
        assert made.names == tuple(f"out[0], {i} of 3" for i in (1, 2, 3))
        assert made.columns == 3
        alike.append(float(np.mean(made.facts["alike"])))
        seen = net.run(torch.from_numpy(np.moveaxis(made.pixels, -1, 1).copy()) / 255.0, layers=["mix"])["mix"].double()
        assert made.facts["alike"] == pytest.approx((likeness(seen).sum(1) / 2).tolist(), abs=1e-6)
    assert alike[1] < alike[0] - 0.1


def test_diversity_without_places_is_refused() -> None:
    net = Net(nn.Sequential(nn.Flatten(), nn.Linear(3 * 64, 2)), "flat", Preprocess(8, (8, 8)))
    with pytest.raises(Refused, match="no layer with places"):
        pl.synthesis.diversity(net, 0, steps=1)
    assert len(pl.synthesis.diversity(net, "1:1", count=2, steps=1)) == 2  # type: ignore[arg-type]


def test_interpolation_goes_from_one_to_the_other() -> None:
    net = colors()
    made = pl.synthesis.interpolation(net, "what:0", end="what:2", count=4, steps=25)
    assert made.names == ("what:0", "33% of the way", "67% of the way", "what:2")
    reds, blues = (made.pixels[..., c].astype(float).mean((1, 2)) for c in (0, 2))
    assert (np.diff(blues - reds) > 0).all()
    assert made.facts["step"][0] == 0
    values = made.pixels.astype(float)
    far = np.sqrt(((values[3] - values[0]) ** 2).mean())
    assert made.facts["step"][2] == pytest.approx(np.sqrt(((values[2] - values[1]) ** 2).mean()) / far)
    same = pl.synthesis.interpolation(net, "what:1", end="what:1", count=3, steps=5)
    assert all(np.array_equal(a, b) for a, b in combinations(same.pixels, 2)), "the same noise, the same touches"


def test_interpolation_needs_another_end() -> None:
    with pytest.raises(PellucidError, match="interpolation needs end=: target at the other end"):
        pl.synthesis.interpolation(colors(), "what:0")
    with pytest.raises(PellucidError, match="interpolation: end="):
        pl.synthesis.interpolation(colors(), "what:0", end=object())


@pytest.mark.parametrize("image", [Fourier(), Magnitude()])
def test_aligned_pictures_share_their_low_frequencies(image: Fourier | Magnitude) -> None:
    """A change of one of three pictures moves the others by a third of it, below the limit and nowhere else."""
    aligned, size = Aligned(image, below=0.2), (10, 12)
    streams = [generator(0, "same") for _ in range(3)]
    start = aligned.begin(streams, 3, size)
    plain = image.begin([generator(0, "same")], 3, size)
    assert torch.allclose(aligned.pixels(start, size), image.pixels(plain, size).expand(3, -1, -1, -1), atol=1e-12)
    moved = start.clone()
    moved[0] += 1
    change = moved - start + aligned._common(moved, size) - aligned._common(start, size)
    low = torch.tensor([[np.hypot(min(v, 10 - v) / 10, u / 12) < 0.2 for u in range(7)] for v in range(10)])
    assert torch.allclose(change[1], low.double().expand_as(change[1]) / 3)
    assert torch.allclose(change[0], 1 + low.double().expand_as(change[0]) / 3)
    if isinstance(image, Fourier):
        photo = torch.rand(1, 3, *size, dtype=torch.float64) * 0.8 + 0.1
        assert torch.allclose(aligned.pixels(aligned.numbers(photo), size), photo, atol=1e-10)
