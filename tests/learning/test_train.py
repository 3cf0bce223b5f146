"""The training loop: its bits, what it leaves alone, how it goes on and how it ends."""

from __future__ import annotations

import copy
import json
import math
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.learning.networks import CNN, MLP, seeded
from pellucid.learning.objective import Tensors
from pellucid.learning.train import OptimizerName, Recipe, Schedule, Step, evaluated, train
from pellucid.net.meaning import Meaning
from pellucid.net.outputs import cross_entropy
from pellucid.rng import generator


def made(n: int = 40, seed: int = 0) -> Tensors:
    chance = np.random.default_rng(seed)
    labels = torch.arange(n) % 3
    inputs = torch.from_numpy(chance.normal(size=(n, 1, 4, 4)).astype(np.float32))
    inputs[torch.arange(n), 0, labels, labels] += 3
    return Tensors(inputs, labels)


def module(dropout: float = 0.3) -> nn.Module:
    return seeded(lambda: MLP(16, 3, depth=2, width=8, norm=True, dropout=dropout), 0)


def same(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.state_dict().items(), other.state_dict().items(), strict=True)
    return all(a[0] == b[0] and torch.equal(a[1], b[1]) for a, b in pairs)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
def test_a_stopped_training_goes_on_with_the_same_bits(optimizer: OptimizerName, tmp_path: Path) -> None:
    recipe = Recipe(epochs=4, batch=16, optimizer=optimizer, lr=0.01, weight_decay=0.01, schedule="cosine", seed=3)
    whole = train(module(), made(), recipe, test=made(20, 1))

    def stopping(step: Step) -> None:
        if step.step == 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(module(), made(), recipe, test=made(20, 1), folder=tmp_path / "run", observe=stopping)
    again = train(module(), made(), recipe, test=made(20, 1), folder=tmp_path / "run")
    assert same(whole.module, again.module)
    assert whole.epochs == again.epochs
    done = train(module(), made(), recipe, test=made(20, 1), folder=tmp_path / "run")  # nothing is left to do
    assert same(whole.module, done.module)
    assert not same(whole.module, train(module(), made(), Recipe(**{**vars(recipe), "seed": 4})).module)
    for other in (Recipe(**{**vars(recipe), "lr": 0.02}), recipe):
        images = made(seed=9) if other is recipe else made()
        with pytest.raises(PellucidError, match="holds another training"):
            train(module(), images, other, test=made(20, 1), folder=tmp_path / "run")


def test_history_reads_what_it_wrote(tmp_path: Path) -> None:
    found = train(module(), made(), Recipe(epochs=3, batch=16, lr=0.01), test=made(20, 1), folder=tmp_path)
    run = pl.History.of(tmp_path)
    assert run["test loss"].steps.tolist() == [0, 3, 6, 9] == list(run.checkpoints)
    assert np.array_equal(run["test loss"].values, found.series("test_loss"))
    last = run.at(9, pl.Net(module(), "mlp"))
    assert same(found.module, last.module)
    assert [json.loads(line)["epoch"] for line in (tmp_path / "log.jsonl").read_text().splitlines()] == [0, 1, 2, 3]


def test_the_caller_notices_nothing() -> None:
    """Random numbers of torch, numpy and Python, gradients and modes."""
    net = module()
    net.eval()
    numbers = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()  # noqa: NPY002
    train(net, made(), Recipe(epochs=1, lr=0.01))
    assert torch.equal(numbers[0], torch.get_rng_state())
    assert np.array_equal(numbers[1], np.random.get_state()[1])  # noqa: NPY002
    assert numbers[2] == random.getstate()
    assert not any(part.training for part in net.modules())
    assert all(p.grad is None for p in net.parameters())


@pytest.mark.parametrize("schedule", ["constant", "cosine", "step", "linear"])
def test_steps_are_those_of_sgd_written_out(schedule: Schedule) -> None:
    """v ← m v + g + λ w; w ← w − lr (g + λ w + m v) with Nesterov: in float64, by hand."""
    data = Tensors(made(12).inputs.double(), made(12).labels)
    recipe = Recipe(
        epochs=2, batch=4, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01, schedule=schedule, seed=5
    )
    net = seeded(lambda: nn.Sequential(nn.Flatten(), nn.Linear(16, 3)), 0).double()
    w = [p.detach().clone().requires_grad_() for p in net.parameters()]
    v = [torch.zeros_like(p) for p in w]
    step = 0
    for epoch in (1, 2):
        order = generator(5, "order", epoch).permutation(12)
        for i in range(3):
            done = step / 6
            rate = 0.1 * {"constant": 1, "linear": 1 - done, "cosine": (1 + math.cos(math.pi * done)) / 2,
                          "step": 1 if done < 0.5 else 0.1 if done < 0.75 else 0.01}[schedule]  # fmt: skip
            part = data[torch.from_numpy(order[4 * i : 4 * i + 4])]
            loss = F.cross_entropy(part.inputs.flatten(1) @ w[0].T + w[1], part.labels)
            with torch.no_grad():
                for p, velocity, g in zip(w, v, torch.autograd.grad(loss, w), strict=True):
                    g = g + 0.01 * p
                    velocity.copy_(g if step == 0 else 0.9 * velocity + g)
                    p -= rate * (g + 0.9 * velocity)
            step += 1
    train(net, data, recipe)
    assert all(torch.allclose(a, b, rtol=0, atol=1e-12) for a, b in zip(net.parameters(), w, strict=True))


def test_steps_on_least_squares_are_a_filter_of_the_directions_of_the_hessian() -> None:
    """From 0, after t steps of rate η, along the eigenvector v of λ: w·v = (1 − (1 − η λ)ᵗ) / λ · (Xᵀy/N)·v."""
    chance = np.random.default_rng(4)
    x, y = chance.normal(size=(30, 5)) * (1, 0.8, 0.5, 0.3, 0.1), chance.integers(0, 5, 30)
    values, vectors = np.linalg.eigh(x.T @ x / 30)
    module = nn.Linear(5, 1, bias=False).double()
    nn.init.zeros_(module.weight)

    def squared(output: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        return (output[:, 0] - labels).square() / 2, output[:, 0].round() == labels

    found = {0: np.zeros(5)}
    recipe = Recipe(epochs=50, batch=30, lr=0.4, momentum=0.0)
    train(module, (torch.from_numpy(x), torch.from_numpy(y)), recipe, objective=squared,
          observe=lambda step: found.update({step.step: step.module.weight.detach().numpy()[0].copy()}))  # fmt: skip
    assert sorted(found) == [*range(51)]
    for t, w in found.items():
        filtered = (1 - (1 - 0.4 * values) ** t) / values
        assert np.allclose(w @ vectors, filtered * (x.T @ y / 30 @ vectors), rtol=0, atol=1e-9)
    shares = 1 - (1 - 0.4 * values) ** 50
    assert shares[0] < 0.5
    assert shares[-1] > 0.99, "the test would say little if all directions were learned, or none"


def test_patience_gives_back_the_best_weights() -> None:
    noise = Tensors(made(20, 7).inputs, torch.randint(3, (20,), generator=torch.Generator().manual_seed(0)))
    found = train(module(0.0), made(), Recipe(epochs=60, batch=8, lr=0.05, patience=5), test=noise)
    assert "no lower loss for 5 epochs" in found.ended
    assert len(found.epochs) == found.best + 6
    assert found.series("test_loss").argmin() == found.best
    assert evaluated(found.module, noise)[0] == pytest.approx(found.epochs[found.best].test_loss, rel=1e-12)


def test_a_loss_that_is_not_finite_ends_it_and_is_said() -> None:
    found = train(module(), made(), Recipe(epochs=5, lr=1e30, momentum=0.0))
    assert found.diverged
    assert "not finite" in found.ended
    assert len(found.epochs) < 6
    broken = made()
    broken.inputs[3] = math.nan
    assert "step" in train(module(), broken, Recipe(epochs=2, batch=40, lr=0.01)).ended


def test_augmentation_sees_its_own_random_numbers_and_dropout_is_on() -> None:
    seen = []

    def shifted(inputs: Tensor, chance: np.random.Generator) -> Tensor:
        seen.append(chance.random())
        return inputs.roll(int(chance.integers(2)), -1)

    net = seeded(lambda: CNN(1, 3, size=4, dropout=0.5), 1)
    one = train(copy.deepcopy(net), made(), Recipe(epochs=2, batch=20, lr=0.01), augment=shifted)
    two = train(copy.deepcopy(net), made(), Recipe(epochs=2, batch=20, lr=0.01), augment=shifted)
    assert same(one.module, two.module)
    assert seen[:4] == seen[4:]
    assert len(set(seen)) == 4


def test_losses_go_by_what_outputs_mean() -> None:
    scores = torch.tensor([[2.0, -1.0, 0.5], [0.1, 0.2, 0.3]], dtype=torch.float64)
    labels = torch.tensor([0, 1])
    p = scores.exp() / scores.exp().sum(1, keepdim=True)
    wanted = -p[[0, 1], labels].log()
    assert torch.allclose(cross_entropy(scores, labels, Meaning("logits"))[0], wanted)
    assert torch.allclose(cross_entropy(p, labels, Meaning("probabilities"))[0], wanted)
    assert torch.allclose(cross_entropy(p.log(), labels, Meaning("log_probabilities"))[0], wanted)
    yes = 1 / (1 + (-scores).exp())
    each = -torch.where(F.one_hot(labels, 3) == 1, yes, 1 - yes).log().sum(1)
    assert torch.allclose(cross_entropy(scores, labels, Meaning("multilabel"))[0], each)
    one = scores[:, :1]
    sure = 1 / (1 + (-one[:, 0]).exp())
    assert torch.allclose(
        cross_entropy(one, labels, Meaning("logits"), two=True)[0], -torch.stack([1 - sure[0], sure[1]]).log()
    )
    assert cross_entropy(scores, labels, Meaning("logits"))[1].tolist() == [True, False]


@pytest.mark.parametrize(
    "wrong", [{"optimizer": "lbfgs"}, {"schedule": "warm"}, {"batch": 0}, {"lr": 0.0}, {"patience": 0}]
)
def test_a_recipe_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(PellucidError):
        Recipe(**wrong)
