"""Texture: Gram matrices and their loss in plain numpy, seams, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

import pellucid as pl
from pellucid.errors import BadNetwork, FailedOnInput, PellucidError, Refused, UnknownName
from pellucid.images import Images
from pellucid.methods.synthesis.texture import SEAM, around, texture
from pellucid.net import Net, Preprocess
from pellucid.render.gram import apart, gram
from pellucid.render.sizes import pyramid, takes, whole
from pellucid.render.stages import widest
from pellucid.result import Pictures
from pellucid.rng import generator

Array = NDArray[np.float64]


class Small(nn.Module):
    """Two convolutions of different strides, a dead layer, a head."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(3, 6, 3, padding=1), nn.Conv2d(6, 9, 3, stride=2)
        self.relu, self.dead, self.head = nn.ReLU(), nn.Conv2d(9, 2, 1), nn.Linear(2, 2)
        chance = generator(0, "weights")
        with torch.no_grad():
            for part in (self.one, self.two):
                part.weight.copy_(torch.from_numpy(chance.normal(0, 0.3, tuple(part.weight.shape))))
                part.bias.copy_(torch.from_numpy(chance.normal(0, 0.1, len(part.bias))))  # type: ignore[union-attr, arg-type]
            self.dead.weight.zero_()
            self.dead.bias.zero_()  # type: ignore[union-attr]

    def forward(self, x: Tensor) -> Tensor:
        x = self.dead(self.relu(self.two(self.relu(self.one(x)))))
        return self.head(x.mean((2, 3)))


class Fixed(Small):
    """Takes 24 × 24 pixels and no others."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(2 * 11 * 11, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.dead(self.relu(self.two(self.relu(self.one(x))))).flatten(1))


def net(module: nn.Module | None = None, **how: object) -> Net:
    how.setdefault("crop", (24, 24))
    return Net((module or Small()).double(), "small", Preprocess(24, mean=(0.4,) * 3, std=(0.3,) * 3, **how))  # type: ignore[arg-type]


def stripes(*size: int) -> Images:
    """Diagonal stripes, and some noise."""
    rows, columns = np.mgrid[: size[0], : size[1]]
    wave = 0.5 + 0.35 * np.sin((rows + 2 * columns) / 2)
    values = np.stack([wave, 1 - wave, wave**2]) + generator(0, "stripes").normal(0, 0.02, (3, *size))
    return Images.from_pictures([torch.from_numpy(values.clip(0, 1))], ["stripes"])


def slow_gram(features: Array) -> Array:
    """F Fᵀ / (C · H · W), entry by entry."""
    c, h, w = features.shape
    found = np.zeros((c, c))
    for i in range(c):
        for j in range(c):
            found[i, j] = (features[i] * features[j]).sum()
    return found / (c * h * w)


def slow_features(module: Small, picture: Array) -> list[Array]:
    """What `one` and `two` give, by torch's functions on pixels that were normalized here."""
    x = (torch.from_numpy(picture)[None] - 0.4) / 0.3
    with torch.no_grad():
        one = module.one(x)
        return [one[0].numpy(), module.two(one.relu())[0].numpy()]


def loss(module: Small, picture: Array, given: Array) -> float:
    parts = []
    for found, wanted in zip(slow_features(module, picture), slow_features(module, given), strict=True):
        a, g = slow_gram(wanted), slow_gram(found)
        parts.append(((g - a) ** 2).sum() / (a**2).sum())
    return float(np.mean(parts))


def test_the_gram_matrix() -> None:
    features = np.random.default_rng(0).normal(size=(3, 4, 5))
    assert np.allclose(gram(torch.from_numpy(features)[None]).numpy(), slow_gram(features), rtol=1e-12)
    shuffled = features.reshape(3, -1)[:, np.random.default_rng(1).permutation(20)].reshape(3, 4, 5)
    assert np.allclose(slow_gram(shuffled), slow_gram(features)), "places are forgotten"
    wanted = torch.eye(3, dtype=torch.float64)
    assert float(apart([2 * wanted, wanted], [wanted, wanted])) == pytest.approx(0.5)


def test_the_loss_is_told_of_the_finished_picture() -> None:
    module = Small().double()
    made = texture(net(module), stripes(20, 28), layers=("one", "two"), size=26, scale=28, steps=100)
    assert made.pixels.shape == (1, 26, 26, 3)
    picture = made.pixels[0].transpose(2, 0, 1) / 255.0
    seen = np.pad(picture, ((0, 0), (SEAM, SEAM), (SEAM, SEAM)), mode="wrap")
    told = loss(module, seen, stripes(20, 28).pictures[0].numpy())
    assert made.facts["loss"][0] == pytest.approx(told, rel=1e-5)
    assert told < 0.05 < 0.3 < made.facts["of the noise"][0]


def test_seams_are_those_of_a_tile() -> None:
    x = torch.rand(2, 3, 5, 7, dtype=torch.float64)
    for seam in (0, 3, 5, 11, 16):
        pads = ((0, 0), (0, 0), (seam, seam), (seam, seam))
        assert np.array_equal(around(x, seam).numpy(), np.pad(x.numpy(), pads, mode="wrap"))


def test_any_size_and_scale_and_seed() -> None:
    first = texture(net(), stripes(20, 28), size=16, scale=20, steps=5)
    assert first.pixels.shape == (1, 16, 16, 3)
    assert first.beside["given"].shape == (1, 14, 20, 3)
    assert not np.array_equal(first.pixels, texture(net(), stripes(20, 28), size=16, scale=20, steps=5, seed=1).pixels)
    adam = texture(net(), stripes(20, 28), size=16, scale=20, steps=60, optimizer="adam")
    assert adam.facts["loss"][0] < 0.5 * adam.facts["of the noise"][0]


def test_default_layers() -> None:
    assert widest(net()) == ("relu#1",)
    assert widest(net(nn.Sequential(nn.Conv2d(3, 5, 3)))) == ("0",)
    bundled = pl.load("bundled")
    assert widest(bundled) == ("blocks.1.0.act1", "blocks.2.0.act1", "blocks.3.0.act1", "blocks.5.0.act1")
    made = texture(net(), stripes(20, 28), size=16, steps=2)
    assert made.meta.said[-1] == "layers: relu#1"


def test_coarse_before_fine_where_there_is_something_to_see() -> None:
    assert pyramid(net(), (256, 130)) == ((128, 65), (256, 130))
    assert pyramid(net(), (256, 126)) == ((256, 126),)
    assert pyramid(net(Fixed()), (256, 256)) == ((256, 256),)


def test_a_network_of_one_size_makes_pictures_of_that_size() -> None:
    fixed = net(Fixed())
    assert not takes(fixed, (30, 24))
    made = texture(fixed, stripes(20, 28), layers=("two",), size=40, steps=3)
    assert made.pixels.shape == (1, 24, 24, 3)
    assert any("takes no input of" in note for note in made.meta.said)
    assert any("pictures of 24×24" in note for note in made.meta.said)


def test_a_failure_that_is_not_due_to_the_size_is_told() -> None:
    calls = []  # outside the network, of which every pass leaves all attributes as they were

    class Unlucky(Small):
        def forward(self, x: Tensor) -> Tensor:
            calls.append(1)
            if len(calls) == 1:
                raise RuntimeError("out of luck")
            return super().forward(x)

    with pytest.raises(BadNetwork, match="out of luck"):
        takes(net(Unlucky()), (24, 24))


def test_a_failure_of_another_kind_is_no_answer() -> None:
    """What a network raises of its own says that it does not take the size; what is refused does not."""

    class Two(Small):
        def forward(self, x: Tensor, y: Tensor) -> Tensor:  # type: ignore[override]
            return super().forward(x + y)

    class Wordy(Small):
        def forward(self, x: Tensor) -> Tensor:
            raise PellucidError("failed on an input of its own")

    with pytest.raises(BadNetwork, match="takes 2 inputs"):
        takes(net(Two()), (24, 24))
    with pytest.raises(PellucidError, match="of its own"):
        takes(net(Wordy()), (24, 24))
    with pytest.raises(FailedOnInput, match="failed on an input of 1×3×30×24"):
        net(Fixed()).layers((30, 24))


def test_pictures_keep_their_proportions() -> None:
    (shown,), notes = whole(net(), stripes(20, 28), 14)
    assert shown.shape == (1, 3, 10, 14)
    assert shown.dtype == torch.float64
    assert notes == ()
    gray = Net(nn.Conv2d(1, 4, 3), "gray", Preprocess(channels=1))
    assert whole(gray, stripes(20, 28), 28)[0][0].shape == (1, 1, 20, 28)


def test_one_channel() -> None:
    gray = Net(nn.Sequential(nn.Conv2d(1, 4, 3)).double(), "gray", Preprocess(channels=1))
    made = texture(gray, stripes(20, 28), size=16, scale=28, steps=3)
    assert isinstance(made, Pictures)
    assert made.pixels.shape == (1, 16, 16, 1)


def test_what_has_no_texture_is_refused() -> None:
    with pytest.raises(Refused, match="layer 'head' gives 2 numbers, no maps"):
        texture(net(), stripes(20, 28), layers=("head",))
    with pytest.raises(Refused, match="layer 'dead' answers 0 to this picture"):
        texture(net(), stripes(20, 28), layers=("dead",))
    with pytest.raises(UnknownName, match="no layer 'onee'; nearest of"):
        texture(net(), stripes(20, 28), layers=("onee",))
    with pytest.raises(Refused, match="it sees no texture"):
        texture(Net(nn.Sequential(nn.Flatten(), nn.Linear(192, 2)), "flat"), stripes(8, 8), size=8, scale=8)
    broken = Small()
    broken.one.weight.data[0] = torch.nan
    with pytest.raises(PellucidError, match="layer 'one' of small gives NaN or infinity"):
        texture(net(broken), stripes(20, 28), layers=("one",))
