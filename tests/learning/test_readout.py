"""Read-outs, likeness of representations and draws of labeled images, against their formulas."""

from __future__ import annotations

import numpy as np
import pytest

from pellucid.errors import PellucidError
from pellucid.learning.readout import PENALTIES, readout
from pellucid.learning.shots import Shots, crossing
from pellucid.learning.similarity import cka, shared_directions, told_apart

chance = np.random.default_rng(0)


def ridge(x: np.ndarray, y: np.ndarray, penalty: float) -> tuple[np.ndarray, np.ndarray]:
    """Weights and intercept, by the normal equations."""
    mean, target = x.mean(0), y.mean(0)
    gram = (x - mean).T @ (x - mean) + penalty * np.eye(x.shape[1])
    weight = np.linalg.solve(gram, (x - mean).T @ (y - target))
    return weight, target - mean @ weight


@pytest.mark.parametrize("shape", [(30, 4), (9, 20)])
def test_a_readout_is_ridge_with_the_penalty_that_leaving_out_prefers(shape: tuple[int, int]) -> None:
    features = chance.standard_normal(shape) * 3 + 1
    labels = (features[:, 0] > 1).astype(int) + (features[:, 1] > 2)
    found = readout(features, labels, 3)
    z = (features - features.mean(0)) / features.std(0) / np.sqrt(shape[1])
    y, unit = np.eye(3)[labels], float((np.linalg.svd(z)[1] ** 2).mean())
    missed = {}
    for one in PENALTIES:
        errors = []
        for i in range(len(z)):
            rest = np.arange(len(z)) != i
            weight, bias = ridge(z[rest], y[rest], one * unit)
            errors.append(((y[i] - z[i] @ weight - bias) ** 2).mean())
        missed[one] = np.mean(errors)
    assert found.penalty == pytest.approx(min(missed, key=missed.__getitem__))
    weight, bias = ridge(z, y, found.penalty * unit)
    assert np.allclose(found.scores(features), z @ weight + bias, atol=1e-9)


def test_features_that_do_not_vary_say_nothing() -> None:
    features = np.concatenate([chance.standard_normal((8, 2)), np.full((8, 1), 7.0)], 1)
    labels = (features[:, 0] > 0).astype(int)
    found = readout(features, labels, 2)
    assert np.array_equal(found.scores(features), found.scores(features + np.array([0, 0, 100.0])))
    with pytest.raises(PellucidError, match="1 image: 2 at the least"):
        readout(features[:1], labels[:1], 2)


@pytest.mark.parametrize("shape", [(40, 5), (6, 30)])
def test_cka_is_one_for_orthogonal_maps_and_its_formula_for_all_others(shape: tuple[int, int]) -> None:
    x = chance.standard_normal(shape) * np.arange(1, shape[1] + 1)
    turned = x @ np.linalg.qr(chance.standard_normal((shape[1], shape[1])))[0]
    assert cka(x, 3 * turned + 5) == pytest.approx(1, abs=1e-12)
    y = chance.standard_normal((shape[0], 7))
    a, b = x - x.mean(0), y - y.mean(0)
    wanted = np.linalg.norm(b.T @ a) ** 2 / (np.linalg.norm(a.T @ a) * np.linalg.norm(b.T @ b))
    assert cka(x, y) == pytest.approx(wanted, rel=1e-12)
    assert cka(x, y) < 0.9
    assert np.isnan(cka(x, np.ones((shape[0], 2))))


def test_two_sets_of_images_share_directions_as_their_covariances_do() -> None:
    x, y = chance.standard_normal((50, 4)) * [3, 1, 1, 0], chance.standard_normal((30, 4)) * [1, 1, 2, 0]
    p, q = np.cov(x.T) * 49, np.cov(y.T) * 29
    assert shared_directions(x, y) == pytest.approx((p * q).sum() / np.linalg.norm(p) / np.linalg.norm(q), rel=1e-12)
    assert shared_directions(x, 2 * x[::-1] + 1) == pytest.approx(1, abs=1e-12)
    assert shared_directions(x * [1, 0, 0, 0], y * [0, 1, 1, 0]) == pytest.approx(0, abs=1e-12)


def test_sets_of_one_kind_cannot_be_told_apart_and_others_can() -> None:
    x, y = chance.standard_normal((400, 5)), chance.standard_normal((300, 5))
    share, error = told_apart(x, y, 0)
    assert abs(share - 0.5) < 4 * error < 0.2
    assert told_apart(x, y + np.array([6, 0, 0, 0, 0]), 0)[0] > 0.99
    assert np.isnan(told_apart(x[:1], y, 0)[0])


def test_images_that_judge_are_never_drawn_and_draws_are_nested() -> None:
    labels = np.repeat([0, 1, 3], [10, 7, 30])
    shots = Shots.of(labels, 4, 2, seed=5)
    assert shots.most == 4  # half of seven, rounded up
    assert [len(one) for one in shots.pool] == [5, 4, 0, 8]
    drawn = [shots.drawn(many, 0) for many in (1, 2, 4)]
    for many, one in zip((1, 2, 4), drawn, strict=True):
        assert np.bincount(labels[one], minlength=4).tolist() == [many, many, 0, many]
        assert not set(one) & set(shots.test)
    assert set(drawn[0]) < set(drawn[1]) < set(drawn[2])
    assert set(drawn[1]) != set(shots.drawn(2, 1))
    with pytest.raises(PellucidError, match="no class has two images"):
        Shots.of(np.arange(3), 3, 1, seed=0)


def test_where_one_line_comes_to_lie_above_another() -> None:
    points = np.array([1.0, 10, 100])
    assert crossing(points, np.array([0.5, 0.5, 0.5]), np.array([0.3, 0.7, 0.9])) == pytest.approx(10**0.5)
    assert crossing(points, np.array([0.5, 0.5, 0.5]), np.array([0.6, 0.7, 0.9])) is None
    assert crossing(points, np.array([0.5, 0.5, 0.5]), np.array([0.3, 0.7, 0.4])) is None
