"""Influence, against training again without each image."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch.nn import functional as F

from pellucid.errors import PellucidError
from pellucid.images import Images
from pellucid.training_set.cases import Asked
from pellucid.training_set.curvature import DENSE, Curvature, with_one
from pellucid.training_set.examples import Examples
from pellucid.training_set.influence import by_last_layer, dots, self_influence
from pellucid.training_set.removal import gradients, removed
from pellucid.training_set.softmax import fitted

PENALTY = 0.01


def digits(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(training features, labels, features of 20 others, their labels)."""
    found = load_digits()
    order = np.random.default_rng(0).permutation(len(found.target))
    x, y = (found.data[order] / 16).astype(np.float32), found.target[order].astype(np.int64)
    return x[:count], y[:count], x[count : count + 20], y[count : count + 20]


def examples(x: np.ndarray, y: np.ndarray) -> Examples:
    weight, bias = fitted(x, y, 10, PENALTY)
    logits = x.astype(np.float64) @ weight.T + bias
    names = tuple(f"digit {i}" for i in range(len(y)))
    return Examples(x, logits, y, np.arange(len(y)), names, tuple("0123456789"), weight, bias, True)


def asked(some: Examples, x: np.ndarray) -> Asked:
    images = Images.from_pictures([torch.zeros(3, 8, 8)] * len(x), [str(i) for i in range(len(x))])
    return Asked(images, x, some.head.scores(x))


def losses(weight: np.ndarray, bias: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    z = x.astype(np.float64) @ weight.T + bias
    return np.log(np.exp(z).sum(1)) - z[np.arange(len(y)), y]


def left_out(x: np.ndarray, y: np.ndarray, i: int) -> tuple[np.ndarray, np.ndarray]:
    """Trained again without image i, the penalty in the same proportion to the sum of the others' losses."""
    n = len(y)
    return fitted(np.delete(x, i, 0), np.delete(y, i), 10, PENALTY * n / (n - 1))


@pytest.mark.slow
@pytest.mark.parametrize("refits", [40, pytest.param(400, marks=pytest.mark.slow)])
def test_scores_are_what_leaving_out_changes(refits: int) -> None:
    x, y, tx, ty = digits(400)
    some = examples(x, y)
    scores = by_last_layer(some, asked(some, tx), ty, PENALTY).scores
    before = losses(some.weight, some.bias, tx, ty)
    which = np.arange(400) if refits == 400 else np.unique(np.r_[np.argsort(-np.abs(scores[0]))[:5], :35])
    truth = np.stack([losses(*left_out(x, y, int(i)), tx, ty) - before for i in which], 1)
    for mine, real in zip(scores[:, which], truth, strict=True):
        assert np.corrcoef(mine, real)[0, 1] >= 0.99
        large = np.abs(real) > 0.05 * np.abs(real).max()
        assert (np.sign(mine) == np.sign(real))[large].all()
    assert np.corrcoef(scores[:, which].ravel(), truth.ravel())[0, 1] >= 0.998
    if refits == 400:
        tops = [set(np.argsort(-np.abs(one))[:5].tolist()) for one in (*scores, *truth)]
        shared = [len(mine & real) for mine, real in zip(tops[:20], tops[20:], strict=True)]
        assert min(shared) >= 4
        assert sum(one == 5 for one in shared) >= 18


def test_one_newton_step_is_nearly_training_again() -> None:
    x, y, tx, ty = digits(200)
    some = examples(x, y)
    sets = [np.array([3]), np.flatnonzero(y == 7)[:6], np.array([], np.int64)]
    steps = removed(some, sets, PENALTY).values
    assert not steps[2].any()
    for rows, step in zip(sets[:2], steps[:2], strict=True):
        n = len(y)
        kept = np.setdiff1d(np.arange(n), rows)
        weight, bias = fitted(x[kept], y[kept], 10, PENALTY * n / len(kept))
        real = np.concatenate([weight - some.weight, (bias - some.bias)[:, None]], 1)
        assert np.linalg.norm(step - real) < 0.12 * np.linalg.norm(real)
        moved = losses(some.weight + step[:, :-1], some.bias + step[:, -1], tx, ty)
        again = losses(weight, bias, tx, ty)
        change = again - losses(some.weight, some.bias, tx, ty)
        assert np.abs(moved - again).max() < 0.15 * np.abs(change).max()


def test_a_layer_too_wide_to_factor_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y, tx, ty = digits(60)
    some = examples(x, y)
    here = asked(some, tx[:4])
    narrow, single = by_last_layer(some, here, ty[:4], PENALTY), removed(some, [np.arange(5)], PENALTY)
    assert len(some.bias) * (x.shape[1] + 1) <= DENSE
    monkeypatch.setattr("pellucid.training_set.curvature.DENSE", 1)
    wide = by_last_layer(some, here, ty[:4], PENALTY)
    assert narrow.residual < 1e-9
    assert wide.residual <= 1.001e-4
    assert wide.steps > 0
    assert np.abs(wide.scores - narrow.scores).max() < 1e-3 * np.abs(narrow.scores).max()
    step = removed(some, [np.arange(5)], PENALTY).values
    assert np.linalg.norm(step - single.values) < 0.02 * np.linalg.norm(single.values)


@pytest.mark.slow
def test_products_in_float32_give_what_the_dense_form_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y, _, _ = digits(150)
    some = examples(3 * x, y)  # longer rows: H is further from λ
    monkeypatch.setattr("pellucid.training_set.curvature.PIECE", 40)
    wanted = (gradients(some)[:3, :, None] * with_one(some.features[:3])[:, None]) + np.array([0, 0, 1])[:, None, None]
    for damping in (0.01, 1e-3):
        exact = Curvature(some.features, some.probabilities, damping)
        few = Curvature(some.features, some.probabilities.astype(np.float32), damping)
        for sets in ((), (np.arange(3), np.arange(20, 30), np.array([], np.int64))):
            truth = exact.solve(wanted, 1e-10, without=sets, dense=True).values
            found = few.solve(wanted, 1e-8, without=sets, dense=False)
            assert found.residual <= 1e-8
            assert np.abs(found.values - truth).max() < 1e-6 * np.abs(truth).max()


def test_of_itself_an_image_is_the_proponent() -> None:
    x, y, _, _ = digits(80)
    some = examples(x, y)
    own = self_influence(some, PENALTY)
    both = by_last_layer(some, asked(some, x), y, PENALTY).scores
    assert np.allclose(own, np.diag(both), rtol=1e-6)
    assert (own > 0).all()


def test_products_of_gradients_are_those_of_autograd() -> None:
    x, y, tx, ty = digits(12)
    some = examples(x, y)
    layer = torch.nn.Linear(64, 10).double()
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(some.weight))
        layer.bias.copy_(torch.from_numpy(some.bias))

    def slope(row: np.ndarray, label: int) -> torch.Tensor:
        loss = F.cross_entropy(layer(torch.from_numpy(row.astype(np.float64))[None]), torch.tensor([int(label)]))
        return torch.cat([one.flatten() for one in torch.autograd.grad(loss, [*layer.parameters()])])

    wrong = asked(some, tx).probabilities
    wrong[np.arange(len(ty)), ty] -= 1
    mine = dots(with_one(tx), wrong, some)
    real = torch.stack([slope(a, b) for a, b in zip(tx, ty, strict=True)])
    real = real @ torch.stack([slope(a, b) for a, b in zip(x, y, strict=True)]).T
    assert np.abs(mine - real.numpy()).max() < 2e-5 * np.abs(real.numpy()).max()
    assert np.allclose(gradients(some).sum(1), 0)


def test_refusals() -> None:
    x, y, _, _ = digits(10)
    some = examples(x, y)
    with pytest.raises(PellucidError, match="no network"):
        some.read(asked(some, x).images)
