"""Trainings whose course is taken down: the numbers are the network's, and the training is the same without."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pellucid.learning.networks import CNN, seeded
from pellucid.learning.objective import Tensors
from pellucid.learning.tasks import digits
from pellucid.learning.train import Recipe, train
from pellucid.statistics import auroc
from pellucid.training_set.noise import KINDS, noisy
from pellucid.training_set.recorded import head_course, recorded
from pellucid.training_set.suspicion import Evidence
from pellucid.training_set.tried import suspicions


def small() -> nn.Module:
    return seeded(lambda: nn.Sequential(nn.Flatten(), nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 3)), 0)


def read(module: nn.Module, inputs: Tensor) -> tuple[Tensor, Tensor]:
    features = module[:3](inputs)
    return features, module[3](features)


def few(n: int = 41) -> Tensors:
    chance = np.random.default_rng(0)
    return Tensors(torch.tensor(chance.random((n, 3, 2, 2)), dtype=torch.float32), torch.from_numpy(np.arange(n) % 3))


def test_the_course_is_what_the_network_says_after_each_epoch() -> None:
    """Of the last of 3 epochs, and of a training that ends after 2 of them, whose rates are constant."""
    data, recipe = few(), Recipe(3, 8, lr=0.05)
    module = small()
    _, course = recorded(module, data, recipe, read)
    assert course.logits.shape == (3, 41, 3)
    assert course.rates.tolist() == [0.05] * 3
    for epochs in (2, 3):
        plain = small()
        train(plain, data, Recipe(epochs, 8, lr=0.05))
        with torch.no_grad():
            features, logits = read(plain.eval(), data.inputs)
        assert np.array_equal(course.logits[epochs - 1], logits.double().numpy())
        assert course.lengths[epochs - 1] == pytest.approx(features.double().square().sum(1).numpy())
    assert all(torch.equal(a, b) for a, b in zip(module.parameters(), plain.parameters(), strict=True))


def test_a_last_layer_alone_learns_from_zero() -> None:
    chance, labels = np.random.default_rng(1), np.arange(90) % 3
    features = np.eye(3)[labels] * 7 + chance.normal(size=(90, 3)) + 100
    course = head_course(features, labels, 3, 0)
    assert course.logits.shape == (12, 90, 3)
    assert (course.margins[-1] > 0).mean() > 0.95
    assert course.losses.mean(1)[-1] < course.losses.mean(1)[0] < np.log(3)
    assert course.lengths[0].mean() == pytest.approx(10)
    assert np.array_equal(course.logits, head_course(features, labels, 3, 0).logits)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_scores_of_a_training_find_wrong_labels(kind: str) -> None:
    """Digits, a tenth of the labels wrong: margins, which are cheap, are as good as TracIn of itself."""
    data = digits(800).train
    labels, wrong = noisy(data.labels.numpy(), 10, 0.1, kind, 0)
    module = seeded(lambda: CNN(1, 10), 0)

    def reading(module: nn.Module, inputs: Tensor) -> tuple[Tensor, Tensor]:
        features = module.relu(module.dense(module.features(inputs).flatten(1)))
        return features, module.head(features)

    given = Tensors(data.inputs, torch.from_numpy(labels))
    _, course = recorded(module, given, Recipe(12, 32, "adam", 3e-3), reading)
    with torch.no_grad():
        features = reading(module.eval(), data.inputs)[0].numpy()
    said = suspicions(Evidence(labels, 10, features, {"pixels": data.inputs.flatten(1).numpy()}, None, course))
    areas = {name: auroc(values[wrong], values[~wrong])[0] for name, values in said.items()}
    assert areas["AUM"] > 0.95
    assert min(areas.values()) > 0.75, areas
    assert areas["AUM"] > areas["TracIn of itself"] - 0.01
