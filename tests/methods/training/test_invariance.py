"""Invariance: symmetries that hold by construction, transforms in plain numbers, and one published network."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import pellucid as pl
from pellucid.learning.networks import MLP, seeded
from pellucid.learning.tasks import digits
from pellucid.learning.train import Recipe, train
from pellucid.net import Labels, Net, Preprocess
from pellucid.render.changed import change, placed, resized, rotated
from tests.methods.training.networks import c4k, cifar

Shared = Callable[[str], Path]


def net(module: nn.Module) -> Net:
    preprocess = Preprocess(resize=12, crop=(12, 12), mean=(0.5,) * 3, std=(0.25,) * 3)
    return Net(module, "small", preprocess, Labels.plain(["a", "b", "c"]))


def conv(stride: int = 1, mode: str = "circular") -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 8, 3, stride, 1, padding_mode=mode), nn.ReLU(),
                         nn.Conv2d(8, 8, 3, 1, 1, padding_mode=mode), nn.ReLU(),
                         nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3))  # fmt: skip


def images(n: int = 12) -> tuple[np.ndarray, np.ndarray]:
    return np.random.default_rng(3).random((n, 3, 12, 12)), np.arange(n) % 3


def exact(found: pl.result.Study) -> set[str]:
    return {str(row["symmetry"]) for row in found["symmetries"].rows if row["exact"]}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_circular_network_without_strides_is_exactly_shift_invariant(dtype: torch.dtype) -> None:
    found = pl.training.invariance(net(conv().to(dtype)), images(), transforms=("translation", "flip"), border="wrap")
    assert exact(found) == {name for name in map(str, found["symmetries"]["symmetry"]) if name.startswith("shift")}
    assert found["shifts"]["consistency"] == (1.0,) * 4
    assert max(found["shifts"]["change"]) < 1e-5
    rows = [row for row in found["transforms"].rows if row["transform"] == "translation"]
    assert all(row["representation"] == pytest.approx(1, abs=1e-6) and row["kl"] < 1e-9 for row in rows)
    (flip,) = [row for row in found["transforms"].rows if row["transform"] == "flip"]
    assert flip["kl"] > 1e-9


def test_strides_and_zeros_around_break_it() -> None:
    for module, still in ((conv(2), {"shift by a third of the side, wrapped"}), (conv(1, "zeros"), set())):
        found = pl.training.invariance(net(module.double()), images(), transforms=("flip",), border="wrap")
        assert exact(found) == still  # 4 pixels are a multiple of the stride
        assert max(found["shifts"]["change"]) > 1e-6


class Mean(nn.Module):
    """Reads the mean of each color, which no move of pixels changes."""

    def __init__(self) -> None:
        super().__init__()
        self.pool, self.flat, self.head = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.flat(self.pool(x)))


def test_measures_are_what_they_are_defined_as() -> None:
    seen, (pixels, labels) = net(Mean().double()), images()
    found = pl.training.invariance(seen, (pixels, labels), transforms=("brightness", "flip"))
    assert "colors in another order" not in exact(found)
    assert {"half a turn", "quarter turn", "left and right mirrored"} <= exact(found)
    (row,) = [row for row in found["transforms"].rows if row["magnitude"] == 0.5]
    x = np.float32(pixels).astype(float)
    weight, bias = (p.detach().numpy() for p in seen.module.head.parameters())

    def answer(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        f = (x.mean((2, 3)) - 0.5) / 0.25
        z = f @ weight.T + bias
        return f, np.exp(z) / np.exp(z).sum(1, keepdims=True)

    (f, p), (g, q) = answer(x), answer(x / 2)
    assert row["accuracy"] == (q.argmax(1) == labels).mean()
    assert row["consistency"] == (q.argmax(1) == p.argmax(1)).mean()
    assert row["kl"] == pytest.approx((p * np.log(p / q)).sum(1).mean(), abs=1e-6)
    assert found.meta.layer == "flat"
    alike = 1 - ((f - g) ** 2).sum(1).mean() / (2 * f.var(0, ddof=1).sum())
    assert row["representation"] == pytest.approx(alike, rel=1e-5)
    grid = found.grids["classes"]
    changes = {name: grid.values[:, k] for k, name in enumerate(grid.columns)}
    assert grid.rows == ("a", "b", "c")
    assert not changes["flip"].any()
    for k in range(3):
        own = labels == k
        as_is = (p.argmax(1) == labels)[own].mean()
        shown = [
            (answer((x * by).clip(0, 1))[1].argmax(1) == labels)[own].mean() for by in (0.25, 0.5, 0.75, 1.25, 1.5, 2)
        ]
        assert changes["brightness"][k] == pytest.approx(np.mean(shown) - as_is, abs=1e-12)
    assert changes["brightness"].any()


def test_mirrored_images_are_counted_one_by_one() -> None:
    """Shares, distances and variances of one magnitude, image by image and number by number."""
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(400, 3)).double()
    pixels, labels = images(30)
    found = pl.training.invariance(net(module), (pixels, labels), transforms=("flip",), layer="1")
    seen: list[tuple[int, int, int]] = []
    features: list[list[np.ndarray]] = []
    for image, label in zip(np.float32(pixels).astype(float), labels, strict=True):
        pair = [torch.from_numpy((one.copy()[None] - 0.5) / 0.25) for one in (image, image[:, :, ::-1])]
        with torch.no_grad():
            seen.append((int(label), *(int(module(one).argmax()) for one in pair)))
            features.append([module[:2](one).flatten().numpy() for one in pair])
    (row,) = found["transforms"].rows
    assert row["accuracy"] == pytest.approx(sum(after == label for label, _, after in seen) / 30)
    assert row["consistency"] == pytest.approx(sum(after == before for _, before, after in seen) / 30)
    assert row["consistency"] < 1
    distance = sum((a - b) ** 2 for f, g in features for a, b in zip(f, g, strict=True)) / 30
    means = [sum(f[j] for f, _ in features) / 30 for j in range(400)]
    variance = sum((f[j] - means[j]) ** 2 for f, _ in features for j in range(400)) / 29
    assert row["representation"] == pytest.approx(1 - distance / (2 * variance), rel=1e-6)
    assert row["representation"] < 0.5
    changes = []
    for k in range(3):
        own = [one for one in seen if one[0] == k]
        changes.append(sum((after == k) - (before == k) for _, before, after in own) / len(own))
    assert found.grids["classes"].values[:, 0] == pytest.approx(changes, abs=1e-12)
    assert any(changes)


def test_transforms_move_pixels_where_they_should() -> None:
    x = torch.arange(16.0).view(1, 1, 4, 4) / 16
    assert torch.equal(placed(x, 1, 0, (4, 4), "wrap"), x.roll(1, -2))
    assert torch.equal(placed(x, 0, 1, (4, 4), "edge")[..., 0], x[..., 0])
    assert torch.equal(placed(x, 2, 0, (4, 4), "mirror")[0, 0, :2], x[0, 0, [1, 0]])
    assert (placed(x, -1, 0, (4, 4), "gray")[0, 0, -1] == 0.5).all()
    assert torch.equal(rotated(x, [90.0], "mirror"), x.rot90(1, (-2, -1)))
    near = rotated(x.repeat(1, 1, 5, 5), [90.001], "mirror")
    assert torch.allclose(near, x.repeat(1, 1, 5, 5).rot90(1, (-2, -1)), atol=1e-3)
    flat = torch.full((1, 3, 8, 8), 0.3)
    assert torch.allclose(resized(flat, 0.6, "mirror"), flat)
    assert resized(flat, 0.5, "gray")[0, 0, 0, 0] == 0.5


def test_what_is_drawn_is_an_images_own() -> None:
    x = torch.rand(3, 3, 16, 16)
    for family in ("translation", "rotation", "noise"):
        how = change(family, 10, "mirror", 1)
        whole = how(x, ("a", "b", "c"))
        assert torch.allclose(how(x[[2, 0]], ("c", "a")), whole[[2, 0]], atol=1e-6)


@pytest.mark.slow
@pytest.mark.usefixtures("read_here")
def test_resnet20_minds_what_it_was_not_shown(shared: Shared) -> None:
    """It was trained with flips and shifts of up to 4 pixels out of 32."""
    kinds = ("translation", "rotation", "flip", "noise")
    found = pl.training.invariance(cifar(shared, "resnet20"), c4k(shared).subset(400), transforms=kinds)
    rows = {(row["transform"], row["magnitude"]): row for row in found["transforms"].rows}
    assert rows["flip", 1]["consistency"] > 0.93
    assert rows["translation", 12.5]["accuracy"] > 0.85
    assert rows["rotation", 90]["accuracy"] < 0.5
    assert rows["noise", 0.2]["accuracy"] < 0.4
    assert not exact(found)


def test_networks_laid_beside_have_their_own_numbers() -> None:
    seen, other = net(conv().double()), replace(net(conv(2).double()), name="strided")
    found = pl.training.invariance(seen, images(), transforms=("brightness",), other_nets=other)
    alone = pl.training.invariance(other, images(), transforms=("brightness",))
    lines, wanted = found.curves["brightness"], alone.curves["brightness"]
    for what in ("accuracy", "consistency"):
        assert np.array_equal(lines[f"{what}, strided"].points, wanted[what].points)
        assert np.array_equal(lines[f"{what}, strided"].values, wanted[what].values)
        assert np.allclose(
            lines[f"{what}, strided"].errors[wanted[what].errors > 0], wanted[what].errors[wanted[what].errors > 0]
        )
    mine, theirs = found["networks"].rows
    assert (mine["network"], theirs["network"]) == ("small", "strided")
    shares = [row["accuracy"] for row in alone["transforms"].rows]
    assert theirs["accuracy"] == pytest.approx(np.mean(shares))
    assert theirs["worst"] == min(shares)


def test_an_mlp_does_not_mind_a_fixed_order_of_pixels_in_training_and_test() -> None:
    """Goodfellow et al. 2013's "permutation invariant" task: the same network, with the columns of its first layer in
    that order, is trained by the same steps."""
    chance = np.random.default_rng(2)
    x, labels = torch.from_numpy(chance.random((60, 1, 4, 4))), torch.arange(60) % 3
    order = torch.from_numpy(chance.permutation(16))
    plain = seeded(lambda: MLP(16, 3, depth=2, width=12, norm=True), 0).double()
    mixed = copy.deepcopy(plain)
    mixed.hidden[0].linear.weight.data = plain.hidden[0].linear.weight.data[:, order].clone()
    moved = x.flatten(1)[:, order].view_as(x)
    recipe = Recipe(epochs=2, batch=16, lr=0.05)
    one, other = train(plain, (x, labels), recipe), train(mixed, (moved, labels), recipe)
    assert np.allclose(one.series("train_loss"), other.series("train_loss"), rtol=0, atol=1e-12)
    assert one.series("train_loss")[-1] < one.series("train_loss")[0]
    assert torch.allclose(plain(x), mixed(moved), atol=1e-10)


class GAP(nn.Module):
    """Convolutions without strides, and their means over all places."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU()
        )
        self.head = nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x).mean((2, 3)))


def shifted(x: Tensor, chance: np.random.Generator) -> Tensor:
    """Each by up to one pixel in both directions, zeros around."""
    padded = nn.functional.pad(x, (1, 1, 1, 1))
    moves = chance.integers(0, 3, (len(x), 2))
    return torch.stack(
        [one[:, r : r + x.shape[-2], c : c + x.shape[-1]] for one, (r, c) in zip(padded, moves, strict=True)]
    )


@pytest.mark.slow
def test_augmentation_buys_the_invariance_that_was_shown() -> None:
    """Reference, accuracy as is / shift 1 / shift 2: MLP .957/.373/.195, MLP + shift .907/.921/.413, conv + GAP
    .950/.906/.610, conv + GAP + shift .928/.926/.902; rotated by 15°: MLP .829, with shift .583."""
    pytest.importorskip("sklearn")
    task = digits(600)
    made = {}
    mlp = functools.partial(MLP, 64, 10, depth=2, width=128)
    ways = (("mlp", mlp, 60, None), ("mlp + shift", mlp, 60, shifted), ("gap + shift", GAP, 80, shifted))
    for name, make, epochs, augment in ways:
        module = seeded(make, 0)
        train(module, task.train, Recipe(epochs, 32, "adam", 2e-3), augment=augment)
        made[name] = pl.Net(module, name, Preprocess(channels=1, crop=(8, 8)))
    x, labels = task.test.inputs, task.test.labels

    def accuracy(name: str, move: Callable[[Tensor], Tensor]) -> float:
        return float((made[name].run(move(x)).scores.argmax(1) == labels).float().mean())

    def by(k: int) -> Callable[[Tensor], Tensor]:
        return lambda x: nn.functional.pad(x, (k, 0, 0, 0))[..., : x.shape[-1]]

    moves = [*map(by, (0, 1, 2)), lambda x: rotated(x, [15.0] * len(x), "mirror")]
    table = {name: [accuracy(name, move) for move in moves] for name in made}
    print({name: np.round(row, 3).tolist() for name, row in table.items()})
    assert min(row[0] for row in table.values()) > 0.8
    assert table["mlp"][1] < 0.6 < 0.8 < table["mlp + shift"][1]  # what was shown
    assert table["mlp + shift"][2] < 0.6 < 0.7 < table["gap + shift"][2]  # what was not
    assert table["mlp + shift"][3] < table["mlp"][3] - 0.03  # and what it cost
    found = pl.training.invariance(
        made["mlp + shift"], task.test_data, transforms=("translation",), other_nets=[made["mlp"]]
    )
    after, before = (row["accuracy"] for row in found["networks"].rows)
    assert after > before + 0.1
