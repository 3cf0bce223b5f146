"""Inversion against its formula in plain float64, and the descents that all matching shares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

import pellucid as pl
from pellucid import progress
from pellucid.errors import BadNetwork, PellucidError, Refused, UnknownName
from pellucid.geometry import Placement
from pellucid.images import Images
from pellucid.methods.synthesis.inversion import inversion, third, usual
from pellucid.net import Layer, Net, Preprocess
from pellucid.render.matching import Match
from pellucid.render.optimizers import Momentum
from pellucid.render.parametrizations import Pixels
from pellucid.render.stages import stages
from pellucid.result import Pictures
from pellucid.rng import generator

Array = NDArray[np.float64]
MEAN, STD, SIDE = 0.4, 0.5, 10
MIX = np.array([[1.0, 0.3, -0.2], [0.1, -0.9, 0.4], [0.5, 0.2, 0.8]])


class Mixed(nn.Module):
    """A layer that mixes the channels of each pixel, a dead one, and a head."""

    def __init__(self) -> None:
        super().__init__()
        self.mix, self.dead = nn.Conv2d(3, 3, 1, bias=False), nn.Conv2d(3, 2, 3)
        with torch.no_grad():
            self.mix.weight.copy_(torch.from_numpy(MIX)[:, :, None, None])
            self.dead.weight.zero_()
            self.dead.bias.zero_()  # type: ignore[union-attr]

    def forward(self, x: Tensor) -> Tensor:
        x = self.mix(x)
        return self.dead(x).mean((2, 3)) + x.mean((1, 2, 3))[:, None]


def net(module: nn.Module | None = None) -> Net:
    return Net((module or Mixed()).double(), "mixed", Preprocess(None, (SIDE, SIDE), mean=(MEAN,) * 3, std=(STD,) * 3))


def photo() -> Images:
    return Images.from_pictures([torch.from_numpy(generator(0, "photo").uniform(0.2, 0.8, (3, SIDE, SIDE)))], ["one"])


def value(x: Array, photo: Array, tv: float, beta: float) -> tuple[float, float]:
    """(error, the whole loss) of a picture (3, H, W), written out with loops; on Fourier coefficients λ_α = 0."""
    wanted = np.einsum("oc,chw->ohw", MIX, (photo - MEAN) / STD)
    found = np.einsum("oc,chw->ohw", MIX, (x - MEAN) / STD)
    error = float(((found - wanted) ** 2).sum() / (wanted**2).sum())
    rough = 0.0
    for c in range(3):
        for i in range(SIDE - 1):
            for j in range(SIDE - 1):
                right, lower = x[c, i, j + 1] - x[c, i, j], x[c, i + 1, j] - x[c, i, j]
                rough += (right**2 + lower**2) ** (beta / 2)
    return error, error + tv / 2 * rough / (0.225**2 * x.size)


def slope(x: Array, photo: Array, tv: float, alpha: float) -> Array:
    """The gradient of the loss for β = 2, written out; `alpha` is λ_α for pixels of 0..255, as theirs are."""
    wanted = np.einsum("oc,chw->ohw", MIX, (photo - MEAN) / STD)
    found = np.einsum("oc,chw->ohw", MIX, (x - MEAN) / STD)
    pull = np.einsum("oc,ohw->chw", MIX, 2 * (found - wanted)) / STD / (wanted**2).sum()
    rough = np.zeros_like(x)
    for i in range(SIDE - 1):
        for j in range(SIDE - 1):
            for step in ((0, 1), (1, 0)):
                change = x[:, i + step[0], j + step[1]] - x[:, i, j]
                rough[:, i + step[0], j + step[1]] += 2 * change
                rough[:, i, j] -= 2 * change
    bound = 6 * ((x - MEAN) * 255) ** 5 * 255 * alpha / 255**2
    return pull + (tv / 2 * rough + bound / 2) / (0.225**2 * x.size)


def unit(result: Pictures, i: int = 0) -> Array:
    return result.pixels[i].transpose(2, 0, 1) / 255.0


@pytest.mark.parametrize(("tv", "beta"), [(0, 2), (3, 2), (0.3, 1)])
def test_the_smallest_loss_is_found_and_its_error_told(tv: float, beta: float) -> None:
    made = inversion(net(), photo(), layers=("mix",), tv=tv, beta=beta, steps=150)
    target, x = photo().pixels[0].numpy(), unit(made)
    error, loss = value(x, target, tv, beta)
    assert made.facts["error"][0] == pytest.approx(error, rel=1e-6)  # the preprocessing's numbers are rounded once
    assert (error < 1e-3) == (tv == 0)
    chance = np.random.default_rng(0)
    for step in (0.02, 0.1):  # no picture nearby is better
        for _ in range(20):
            assert value(np.clip(x + step * chance.normal(size=x.shape), 0, 1), target, tv, beta)[1] > loss
    smoothed = (x + np.roll(x, 1, 2)) / 2
    assert value(smoothed, target, tv, beta)[1] > loss


@pytest.mark.slow
def test_plain_descent_arrives_at_the_same_picture() -> None:
    target = photo().pixels[0].numpy()
    x = np.full_like(target, 0.5)
    for _ in range(3000):
        x -= 0.5 * slope(x, target, 3, 0)
    assert np.abs(slope(x, target, 3, 0)).max() < 1e-5
    assert np.abs(unit(inversion(net(), photo(), layers=("mix",), tv=3, steps=200)) - x).max() < 1.5 / 255


def test_their_own_descent_step_by_step() -> None:
    """Momentum 0.9, rates .004 · σ² × 1, .1, .01, forgotten when the rate changes; λ_TV = 1 for an early layer."""
    target, count = photo().pixels[0].numpy(), 12
    x = np.clip(MEAN + 0.04 * generator(7, "one", "mix", "start").standard_normal(target.shape), 0, 1)
    speed = np.zeros_like(x)
    for step in range(count):
        if step in (3, 9):
            speed[:] = 0
        rate = 0.004 * 0.225**2 * x.size * (1 if step < 3 else 0.1 if step < 9 else 0.01)
        speed = 0.9 * speed - rate * slope(x, target, 1, 8e-10)
        x = np.clip(x + speed, 0, 1)
    made = inversion(net(), photo(), layers=("mix",), steps=count, optimizer="momentum", seed=7)
    assert np.abs(unit(made) - x).max() <= 0.5 / 255 + 1e-9


@pytest.mark.slow
def test_adam_gets_there_too() -> None:
    made = inversion(net(), photo(), layers=("mix",), tv=0, steps=300, optimizer="adam")
    assert made.facts["error"][0] < 0.01


def test_lambda_is_that_of_the_papers_layers() -> None:
    """1 for layers 1–6 of AlexNet (conv1 to relu2), 10 for 7–12 (pool2 to relu4), 100 for 13–20 (conv5 to the end)."""

    def layer(field: float | None) -> Layer:
        place = None if field is None else Placement((0.0, 0.0), (8.0, 8.0), (float(field), float(field)))
        return Layer("x", "Conv2d", (8, 9, 9), 1, place)

    fields = (11, 19, 51, 67, 99, 131, 163, 195, 355, None)
    assert [third(layer(field), (227, 227)) for field in fields] == [0, 0, 0, 1, 1, 1, 2, 2, 2, 2]


def test_default_layers_of_the_bundled_network() -> None:
    bundled = pl.load("bundled")
    assert usual(bundled, (224, 224)) == ("blocks.1", "blocks.3", "conv_head")
    assert list(stages(bundled)) == [1, 2, 3, 4, 5]
    assert stages(bundled)[4] == "blocks.4"


def test_a_row_for_each_photo() -> None:
    images = photo() + replace(photo(), ids=("two",))
    net = Net(nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 3, stride=2)).double(), "two")
    made = inversion(net, images, layers=("0", "1", "0#1"), steps=2)
    assert made.names == ("0, one", "1, one", "0, two", "1, two")
    assert made.columns == 2
    made = inversion(net, images, steps=2)
    assert made.columns == 2
    assert any("layers 0, 1: chosen" in note for note in made.meta.said)
    assert len(made.beside["the photo"]) == 4
    assert not np.array_equal(made.pixels[0], made.pixels[2]), "each photo has its own noise"
    assert not np.array_equal(made.pixels[0], inversion(net, photo(), steps=2, seed=1).pixels[0])


def test_what_has_no_answer_is_refused() -> None:
    with pytest.raises(Refused, match="layer 'dead' answers 0 to 'one'"):
        inversion(net(), photo(), layers=("dead",))
    with pytest.raises(UnknownName, match="no layer 'mxi'; nearest of"):
        inversion(net(), photo(), layers=("mxi",))
    broken = Mixed()
    broken.mix.weight.data[0, 0] = torch.nan
    with pytest.raises(BadNetwork, match="layer 'mix' of mixed gives NaN"):
        inversion(net(broken), photo(), layers=("mix",))
    with pytest.raises(PellucidError, match="name the layers"):
        inversion(net(nn.Sequential(nn.Flatten(), nn.Linear(300, 2))), photo())
    assert len(inversion(net(nn.Sequential(nn.Flatten(), nn.Linear(300, 2))), photo(), layers=("1",), steps=2)) == 1


def test_one_channel_and_any_size() -> None:
    gray = Net(nn.Sequential(nn.Conv2d(1, 4, 3)).double(), "gray", Preprocess(channels=1, mean=(0.5,)))
    made = inversion(gray, photo(), layers=("0",), steps=3)
    assert made.pixels.shape == (1, SIDE, SIDE, 1)
    several = photo() + Images.from_pictures([torch.rand(3, 12, 9).double()], ["two"])
    assert [one.shape for one in inversion(gray, several, steps=2).pixels] == [(SIDE, SIDE, 1), (12, 9, 1)]


def matched(loss: Callable[[Tensor], Tensor], **how: object) -> Tensor:
    match = Match(net(), loss, Pixels(), (4, 4), "match")
    return match.found(torch.full((1, 3, 4, 4), 0.5), 30, **how)  # type: ignore[arg-type]


def test_descents_refuse_what_they_cannot_descend() -> None:
    for how in ("l-bfgs", "adam", Momentum(0.1, 30)):
        assert (matched(lambda x: (x - 0.7).square().sum(), optimizer=how) - 0.7).abs().max() < 0.11
        with pytest.raises(Refused, match="does not depend on the picture"):
            matched(lambda x: torch.ones(()), optimizer=how)
        with pytest.raises(BadNetwork, match="gradient of mixed is not finite at step 1"):
            matched(lambda x: (x - 0.5).sqrt().sum(), optimizer=how)


def test_progress_and_previews_are_told() -> None:
    said: list[tuple[str, int, int | None]] = []
    shown: list[tuple[int, ...]] = []
    with progress.listen(lambda *one: said.append(one)), progress.view(lambda picture: shown.append(picture.shape)):
        inversion(net(), photo(), layers=("mix",), steps=6)
    told = [done for what, done, total in said if (what, total) == ("inversion of mix", 6)]
    assert told == list(range(len(told)))
    assert len(told) >= 6
    assert set(shown) == {(SIDE, SIDE, 3)}


def test_nothing_behind_the_layer_runs() -> None:
    module = Mixed()
    calls: list[int] = []
    module.dead.register_forward_hook(lambda *_: calls.append(1))
    inversion(net(module), photo(), layers=("mix",), steps=5)
    assert len(calls) <= 2, "once or twice, for the table of layers"


@pytest.mark.slow
def test_errors_on_the_bundled_network() -> None:
    """An early layer at most 0.05, and later ones lose more; over several photos: benchmarks/inversion.py."""
    made = inversion(pl.load("bundled"), pl.read("sample:cat_chelsea"), layers=("blocks.0", "conv_head"))
    early, late = made.facts["error"]
    assert early < late < 0.1
    assert early <= 0.05
