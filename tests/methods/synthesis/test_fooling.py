"""Fooling: what is reported is true of the saved file; one logit, one channel, noise, and what cannot be asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

import pellucid as pl
from pellucid.errors import PellucidError, Refused
from pellucid.images import Images
from pellucid.net import Labels, Net, Preprocess, Run
from pellucid.render.adversarial import log_odds
from pellucid.target import Logit


class Small(nn.Module):
    """A convolution, a rectifier, means, and as many outputs as are asked for."""

    def __init__(self, outputs: int, channels: int = 3, dtype: torch.dtype = torch.float64) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(5)
            self.conv = nn.Conv2d(channels, 16, 5, stride=2)
            self.head = nn.Linear(16, outputs)
            self.head.weight.data *= 25
            self.head.bias.data.zero_()
        self.to(dtype)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.conv(x).relu().mean((2, 3)))


def net(outputs: int = 4, channels: int = 3, labels: list[str] | None = None, **how: torch.dtype) -> Net:
    module = Small(outputs, channels, **how)
    preprocess = Preprocess(24, (20, 20), "bicubic", (0.5,), (0.25,), channels)
    return Net(module, "small", preprocess, Labels.plain(labels) if labels else None)


def photo(channels: int = 3, name: str = "photo") -> Images:
    values = torch.rand(channels, 37, 53, generator=torch.Generator().manual_seed(4))
    return Images.from_pictures([(255 * values).byte()], [name])


def least_likely(network: Net, image: Images) -> int:
    return int(network.run(image).scores[0].argmin())


def test_log_odds_in_plain_numpy() -> None:
    scores = np.random.default_rng(0).standard_normal((3, 5)) * 4
    run = Run(net(5), torch.from_numpy(scores), {})
    p = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    assert log_odds(run, Logit(2)).numpy() == pytest.approx(np.log(p[:, 2] / (1 - p[:, 2])), abs=1e-12)


def test_the_first_step_in_plain_numpy() -> None:
    """One step from the photo: rate · gradient / mean |gradient|, kept within the bound, rounded."""
    network, image = net(), photo()
    network.module.conv.stride = (1, 1)
    plain = Net(network.module, "small", Preprocess(mean=(0.5,), std=(0.25,)))
    wanted = least_likely(plain, image)
    found = pl.synthesis.fooling(plain, image, wanted, steps=1, rate=3, epsilon=4, probability=0.999)
    x = image.pictures[0].double() / 255
    slope = np.zeros(x.shape)
    leaf = x.clone().requires_grad_()
    z = network.module(((leaf - 0.5) / 0.25)[None])[0]
    others = torch.cat([z[:wanted], z[wanted + 1 :]])
    slope = torch.autograd.grad(z[wanted] - torch.log(torch.exp(others).sum()), leaf)[0].numpy()
    levels = image.pictures[0].numpy().astype(float)
    expected = (levels + np.rint((3 * slope / np.abs(slope).mean()).clip(-1, 1))).clip(0, 255)
    assert found.facts["steps"] == (1.0,)
    assert np.array_equal(found.pixels[0].transpose(2, 0, 1), expected)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_facts_are_true_of_the_file(dtype: torch.dtype, tmp_path: Path) -> None:
    network, image = net(labels=["a", "b", "c", "d"], dtype=dtype), photo()
    wanted = least_likely(network, image)
    found = pl.synthesis.fooling(network, image, wanted, epsilon=48, probability=0.9)
    again = pl.read(found.write(tmp_path / "fooled.png")[0])
    assert again.pictures[0].shape == (3, 37, 53)
    told = {name: values[0] for name, values in found.facts.items()}
    prediction = {one.index: one.probability for one in network.top(again, 4)}
    was = {one.index: one.probability for one in network.top(image, 4)}
    first = network.top(image, 1)[0].index
    change = again.pictures[0].int() - image.pictures[0].int()
    assert prediction[wanted] == pytest.approx(told["probability"], abs=1e-6)
    assert prediction[wanted] >= 0.9
    assert was[wanted] == pytest.approx(told["probability before"], abs=1e-6)
    assert (prediction[first], was[first]) == pytest.approx(
        (told["first guess now"], told["first guess before"]), abs=1e-6
    )
    assert 1 <= int(change.abs().max()) == told["largest change of 255"] <= 48
    assert told["RMS change of 255"] == pytest.approx(float(change.double().square().mean().sqrt()))
    shown = found.beside["the change, magnified"][0].transpose(2, 0, 1)
    assert np.array_equal(shown, 128 + told["change shown ×"] * change.numpy())
    assert found.names == (f"photo: {'abcd'[first]} → {'abcd'[wanted]}",)
    assert not found.meta.said


@pytest.mark.slow
def test_the_bundled_network_with_little(tmp_path: Path) -> None:
    network, image = pl.load("bundled"), pl.read("sample:espresso")
    found = pl.synthesis.fooling(network, image, "tabby")
    again = pl.read(found.write(tmp_path / "fooled.png")[0])
    best = network.top(again, 1)[0]
    assert (best.label, best.probability >= 0.9) == ("tabby", True)
    assert int((again.pictures[0].int() - image.pictures[0].int()).abs().max()) <= 3


@pytest.mark.slow
def test_the_bound_rises_only_when_it_must() -> None:
    network, image = net(), photo()
    wanted = least_likely(network, image)
    easy = pl.synthesis.fooling(network, image, wanted, probability=0.5).facts["largest change of 255"][0]
    hard = pl.synthesis.fooling(network, image, wanted, probability=0.99, epsilon=40, steps=400)
    assert easy < hard.facts["largest change of 255"][0] <= 40


def test_not_reached_is_said() -> None:
    network, image = net(), photo()
    wanted = least_likely(network, image)
    found = pl.synthesis.fooling(network, image, wanted, epsilon=1, steps=3, probability=0.99)
    assert found.facts["probability before"][0] < found.facts["probability"][0] < 0.99
    assert found.facts["largest change of 255"] == (1.0,)
    (note,) = found.meta.said
    assert "not reached" in note
    assert "within 1 of 255" in note


def test_already_the_answer_is_said() -> None:
    network, image = net(), photo()
    found = pl.synthesis.fooling(network, image, "best guess", probability=0.2)
    assert np.array_equal(found.pixels, found.beside["the photo"])
    assert found.facts["steps"] == (0.0,)
    assert "nothing was changed" in found.meta.said[0]
    more = (1 + network.top(image, 1)[0].probability) / 2
    sure = pl.synthesis.fooling(network, image, "best guess", probability=more, epsilon=30)
    assert "the first guess already" in sure.meta.said[0]


@pytest.mark.parametrize("labels", [["no", "yes"], None])
def test_one_logit(labels: list[str] | None) -> None:
    network, image = net(1, labels=labels), photo()
    positive = float(network.run(image).scores[0, 0]) > 0
    if labels is None:
        network.module.head.weight.data *= -1 if positive else 1  # it now says no
    asked = "no" if labels and positive else "yes" if labels else 0
    found = pl.synthesis.fooling(network, image, asked, epsilon=30)
    logit = float(network.run(pl.read(found.pixels[0])).scores[0, 0])
    sign = -1 if asked == "no" else 1
    assert found.facts["probability before"][0] < 0.5
    assert found.facts["probability"][0] >= 0.9
    assert 1 / (1 + np.exp(-sign * logit)) == pytest.approx(found.facts["probability"][0], abs=1e-6)


@pytest.mark.parametrize(("takes", "given"), [(1, 3), (3, 1), (1, 1), (4, 4)])
def test_the_file_keeps_its_channels(takes: int, given: int) -> None:
    network, image = net(2, channels=takes), photo(given)
    found = pl.synthesis.fooling(network, image, least_likely(network, image), epsilon=120)
    assert found.pixels[0].shape == (37, 53, given)
    assert found.facts["probability"][0] >= 0.9


@pytest.mark.parametrize("asked", ["conv:3", "0 - 1", "loss(1)", "out[0]", "energy(conv)"])
def test_what_is_no_class(asked: str) -> None:
    with pytest.raises(Refused, match="fooled into a class"):
        pl.synthesis.fooling(net(), photo(), asked)
    with pytest.raises(Refused, match="fooled into a class"):
        pl.synthesis.fooling_noise(net(), asked)


def test_classes_that_are_not_there() -> None:
    with pytest.raises(PellucidError, match="no class 9: small has 4 outputs"):
        pl.synthesis.fooling(net(), photo(), 9)
    with pytest.raises(PellucidError, match="no class 'e'"):
        pl.synthesis.fooling(net(labels=["a", "b", "c", "d"]), photo(), "e")


@pytest.mark.slow
def test_probabilities_and_photos_already_cut() -> None:
    network, image = net(), photo()
    wanted = least_likely(network, image)
    one = pl.synthesis.fooling(network, image, wanted)
    other = pl.synthesis.fooling(network, network.prepare(image), f"p({wanted})")
    assert np.array_equal(one.pixels, other.pixels)


def test_noise_that_it_is_sure_of(tmp_path: Path) -> None:
    network = net(labels=["a", "b", "c", "d"])
    found = pl.synthesis.fooling_noise(network, "c", probability=0.99)
    assert found.pixels.shape == (1, 24, 24, 3)
    again = pl.read(found.write(tmp_path / "noise.png")[0])
    best = network.top(again, 1)[0]
    assert (best.label, best.probability) == ("c", pytest.approx(found.facts["probability"][0], abs=1e-6))
    assert best.probability >= 0.99
    assert found.trust is not None
    assert found.trust[0].activation == pytest.approx(best.probability, abs=1e-6)
    other = pl.synthesis.fooling_noise(network, "c", probability=0.99, seed=1)
    assert not np.array_equal(found.pixels, other.pixels)


def test_noise_from_plain_gray_and_its_bounds() -> None:
    network = net()
    wanted = int(network.run(torch.full((1, 3, 20, 20), 0.5).double()).scores[0].argmin())
    still = pl.synthesis.fooling_noise(network, wanted, noise=0, steps=1, rate=0.01, size=20)
    assert set(np.unique(still.pixels)) <= {127, 128, 129}
    assert "not reached" in still.meta.said[0]
    found = pl.synthesis.fooling_noise(network, wanted, noise=0, size=20)
    assert found.facts["probability"][0] >= 0.99
    with pytest.raises(Refused, match="no first guess"):
        pl.synthesis.fooling_noise(network, "best guess")


def test_a_file_of_another_depth_is_taken_at_eight_bits(tmp_path: Path) -> None:
    network = net(channels=1)
    deep = (np.random.default_rng(1).random((30, 40)) * 65535).astype(np.uint16)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    image = pl.read(tmp_path / "deep.png")
    found = pl.synthesis.fooling(network, image, least_likely(network, image), epsilon=3, steps=6)
    assert np.abs(found.beside["the photo"][0][..., 0] - deep / 65535 * 255).max() <= 0.5 + 1e-6
    assert np.abs(found.pixels[0].astype(int) - found.beside["the photo"][0]).max() <= 3
