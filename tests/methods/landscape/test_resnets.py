"""Lines around the ResNets of CIFAR-10: the figures of 128 images that they were trained on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

import pellucid as pl
from pellucid.data import Data
from pellucid.loss.directions import Direction
from pellucid.loss.ground import Ground
from pellucid.loss.lanczos import hessian, lanczos, started
from pellucid.loss.products import Curved
from pellucid.net.norms import Norms
from tests.methods.training.networks import cifar

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("read_here")]
Shared = Callable[[str], Path]
ALPHAS = (-1, -0.25, 0, 0.25, 1)


def seen(shared: Shared, which: str = "train_first5000") -> Data:
    """Of the first 5000 training, or 4000 test, images 128, drawn by torch's generator."""
    with np.load(shared(f"data/cifar10/cifar10_{which}.npz")) as file:
        chosen = torch.randperm(len(file["y"]), generator=torch.Generator().manual_seed(0))[:128].numpy()
        return Data.of((torch.from_numpy(file["x"][chosen]).permute(0, 3, 1, 2), file["y"][chosen].astype(np.int64)))


def losses(shared: Shared, name: str, norms: Norms, alphas: tuple[float, ...]) -> np.ndarray:
    """(2, alphas) of the directions of seeds 0 and 1."""
    ground = Ground.of(cifar(shared, name), seen(shared), None, norms)
    ats = [ground.at(ground.directions(Direction(), seed, 1)) for seed in (0, 1)]
    return np.array([[at((alpha,))[0, 0] for alpha in alphas] for at in ats])


def test_the_loss_rises_away_from_the_network_and_less_around_the_deeper_one(shared: Shared) -> None:
    """Reference at −1, 0 and 1: ResNet-20 20.7 to 52.5, .0076, 21.8 to 22.9; ResNet-56 17.7, .0002, 13.9."""
    lines = {name: losses(shared, name, "frozen", ALPHAS) for name in ("resnet20", "resnet56")}
    for name, center in (("resnet20", 0.0076), ("resnet56", 0.0002)):
        assert lines[name][:, 2] == pytest.approx(center, abs=1e-4)
        assert (np.diff(lines[name][:, :3]) < 0).all()
        assert (np.diff(lines[name][:, 2:]) > 0).all()
    assert (lines["resnet56"][:, [0, -1]] < lines["resnet20"][:, [0, -1]]).all()


def test_frozen_statistics_are_another_function_than_those_of_the_batch(shared: Shared) -> None:
    """Reference along one direction, frozen and of the batch: ResNet-20 22.9 and 5.5, ResNet-56 13.9 and 2.5."""
    for name in ("resnet20", "resnet56"):
        frozen, batch = (losses(shared, name, norms, (1,)) for norms in ("frozen", "batch"))
        assert (frozen > 2 * batch).all()


def test_the_network_is_not_the_minimum_of_other_images_and_bends_more_there(shared: Shared) -> None:
    """Reference: .663 nats on 128 test images, less on the way; λmax 178.99, λmin −6.8 ± 1.0."""
    net, others = cifar(shared, "resnet20"), seen(shared, "test_first4000")
    line = pl.landscape.line(net, others, points="3:reach=0.1", count=1)
    values = line["resnet20, loss"].values
    assert values[1] == pytest.approx(0.663, abs=5e-4)
    assert values.min() < values[1] - 0.05
    assert "it is not the minimum of these images" in line.findings[0]
    curved = Curved.of(net, Ground.of(net, others, None, "frozen").sets[0])
    largest = lanczos(hessian(curved), started(curved, 0), 10, 1e-4).values[0]
    assert largest == pytest.approx(178.99, abs=0.02)
