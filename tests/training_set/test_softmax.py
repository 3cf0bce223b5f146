"""Softmax regression, against another optimizer and its own conditions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from pellucid.errors import PellucidError
from pellucid.training_set.curvature import Curvature, softmax, with_one
from pellucid.training_set.softmax import fitted


def some(n: int = 60, f: int = 5, c: int = 4) -> tuple[np.ndarray, np.ndarray, int]:
    chance = np.random.default_rng(3)
    labels = chance.integers(0, c, n)
    return chance.normal(size=(n, f)) + 0.7 * chance.normal(size=(c, f))[labels] + 2, labels, c


def loss(flat: np.ndarray, x: np.ndarray, y: np.ndarray, c: int, penalty: float) -> float:
    at = flat.reshape(c, -1)
    total = 0.0
    for row, label in zip(x, y, strict=True):
        z = at[:, :-1] @ row + at[:, -1]
        total += np.log(np.exp(z).sum()) - z[label]
    return total / len(x) + penalty / 2 * float((flat**2).sum())


def test_it_is_the_minimum() -> None:
    x, y, c = some()
    weight, bias = fitted(x, y, c, 0.1)
    at = np.concatenate([weight, bias[:, None]], 1).ravel()
    found = minimize(loss, np.zeros(at.size), args=(x, y, c, 0.1), method="L-BFGS-B", options={"ftol": 1e-14})
    assert loss(at, x, y, c, 0.1) <= found.fun + 1e-12
    assert np.abs(at - found.x).max() < 1e-4
    p = softmax(x @ weight.T + bias)
    slope = (p - np.eye(c)[y]).T @ with_one(x) / len(x) + 0.1 * at.reshape(c, -1)
    assert np.abs(slope).max() < 1e-9
    again = fitted(x, y, c, 0.1)
    assert np.array_equal(weight, again[0])
    assert np.array_equal(bias, again[1])


def test_the_curvature_is_the_second_derivative() -> None:
    x, y, c = some(20, 2, 3)
    at = np.random.default_rng(0).normal(size=(c, 3))
    curvature = Curvature(x, softmax(x @ at[:, :-1].T + at[:, -1]), 0.05)
    unit = np.eye(at.size).reshape(at.size, *at.shape)
    found = curvature.times(unit).reshape(at.size, at.size)
    e = 1e-4
    for i in range(at.size):
        for j in range(at.size):
            a, b = e * unit[i], e * unit[j]
            corners = [loss((at + s * a + t * b).ravel(), x, y, c, 0.05) * s * t for s in (1, -1) for t in (1, -1)]
            assert abs(sum(corners) / (4 * e * e) - found[i, j]) < 1e-6


def test_both_ways_of_solving_agree() -> None:
    x, y, c = some(80, 6, 5)
    weight, bias = fitted(x, y, c, 0.01)
    curvature = Curvature(x.astype(np.float32), softmax(x @ weight.T + bias), 0.01)
    wanted = np.random.default_rng(1).normal(size=(3, c, 7))
    factored = curvature.solve(wanted, dense=True)
    stepwise = curvature.solve(wanted, 1e-10, dense=False)
    assert factored.residual < 1e-10
    assert stepwise.residual <= 1e-10
    assert np.abs(factored.values - stepwise.values).max() < 1e-7 * np.abs(factored.values).max()
    given_up = curvature.solve(wanted, 1e-12, most=1, dense=False)
    left = wanted - curvature.times(given_up.values)
    assert np.isclose(
        given_up.residual, max(np.linalg.norm(a) / np.linalg.norm(b) for a, b in zip(left, wanted, strict=True))
    )


def test_a_wide_layer_is_fitted_by_conjugate_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y, c = some()
    narrow = fitted(x, y, c, 0.01)
    monkeypatch.setattr("pellucid.training_set.curvature.DENSE", 1)
    wide = fitted(x, y, c, 0.01)
    assert np.abs(narrow[0] - wide[0]).max() < 1e-6


@pytest.mark.parametrize(("labels", "penalty", "said"), [
    ([0, 1, 4], 0.1, "labels 0 to 4 of 4 classes"),
    ([0, 1, 2], 0.0, "penalty=0"),
    ([0, 1], 0.1, "3 rows and 2 labels"),
])  # fmt: skip
def test_what_cannot_be_fitted_is_refused(labels: list[int], penalty: float, said: str) -> None:
    with pytest.raises(PellucidError, match=said):
        fitted(np.zeros((3, 2)), np.array(labels), 4, penalty)
