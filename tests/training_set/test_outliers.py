"""Outliers, ridge regression without an example, picture quality: against slow plain float64."""

from __future__ import annotations

import numpy as np
import pytest

from pellucid.errors import PellucidError
from pellucid.training_set.neighborhood import nearest
from pellucid.training_set.outliers import beyond, distances, share_below, surprise
from pellucid.training_set.ridge import left_out
from pellucid.training_set.spoiled import looks, spoiled

CHANCE = np.random.default_rng(4)
LABELS = np.arange(60) % 3
ROWS = (CHANCE.normal(0, 1, (60, 7)) + 3 * np.eye(7)[LABELS] + 2).astype(np.float32)


def test_distances_are_those_of_the_last_neighbor() -> None:
    near = nearest(ROWS, 5)
    wide = ROWS.astype(float) - ROWS.astype(float).mean(0)
    for i in range(60):
        cosines = [wide[i] @ wide[j] / np.linalg.norm(wide[i]) / np.linalg.norm(wide[j]) for j in range(60)]
        fifth = sorted((one for j, one in enumerate(cosines) if j != i), reverse=True)[4]
        assert distances(ROWS, near)[i] == pytest.approx(1 - fifth, abs=1e-6)


def test_surprise_is_the_density_under_the_nearest_class() -> None:
    sklearn = pytest.importorskip("sklearn.covariance")
    from scipy.stats import multivariate_normal

    wide = ROWS.astype(float)
    means = np.stack([wide[k == LABELS].mean(0) for k in range(3)])
    apart = wide - means[LABELS]
    covariance = sklearn.LedoitWolf(assume_centered=True).fit(apart).covariance_
    wanted = [min(-multivariate_normal(mean, covariance).logpdf(row) for mean in means) for row in wide]
    assert np.allclose(surprise(ROWS, LABELS), wanted, rtol=1e-6)


def test_small_classes_and_none_share_one_gaussian() -> None:
    one = surprise(ROWS, np.full(60, -1))
    assert np.array_equal(surprise(ROWS, np.arange(60)), one)
    far = np.concatenate([ROWS, np.full((1, 7), 40, np.float32)])
    assert surprise(far, np.append(LABELS, -1)).argmax() == 60
    assert np.isfinite(surprise(ROWS[:5].repeat(40, 1), np.full(5, -1))).all(), "fewer images than features"
    with pytest.raises(PellucidError, match="2 images"):
        surprise(ROWS[:2], LABELS[:2])


def test_how_far_beyond() -> None:
    values = np.array([0.0, 1, 2, 3, 4, 100])
    assert beyond(values)[5] == pytest.approx((100 - 2.5) / (1.4826 * 1.5))
    assert (beyond(np.ones(4)) == 0).all()
    assert share_below(values).tolist() == [0, 1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6]


def test_ridge_without_an_example_is_a_fit_without_it() -> None:
    found = left_out(ROWS, LABELS, 3, 0.05)
    wide = ROWS.astype(float)
    length = ((wide - wide.mean(0)) ** 2).sum()
    for i in (0, 17, 59):
        kept = np.arange(60) != i
        x, y = wide[kept], np.eye(3)[LABELS[kept]]
        center = x.mean(0)
        weight = np.linalg.solve(
            (x - center).T @ (x - center) + 0.05 * length * np.eye(7), (x - center).T @ (y - y.mean(0))
        )
        assert np.allclose(found[i], (wide[i] - center) @ weight + y.mean(0), atol=1e-9)


def photo(seed: int = 0) -> np.ndarray:
    chance = np.random.default_rng(seed)
    return (chance.random((8, 8, 3)).repeat(6, 0).repeat(6, 1) * 200 + chance.random((48, 48, 3)) * 40).astype(np.uint8)


def test_what_shows_little_is_told_by_name() -> None:
    seen = [photo(i) for i in range(20)]
    soft = np.cumsum(np.cumsum(np.random.default_rng(1).random((48, 48, 3)) - 0.5, 0), 1)
    soft = ((soft - soft.min()) / (soft.max() - soft.min()) * 220).astype(np.uint8)
    odd = [photo(50) // 6, 255 - photo(51) // 6, np.full((48, 48, 3), 120, np.uint8), soft]
    sizes = [(480, 640)] * 22 + [(100, 640), (90, 90)]
    found = spoiled([looks(one) for one in seen + odd], sizes)
    said = {(one.row, one.word) for one in found}
    shapes = {(22, "odd shape"), (22, "small"), (23, "small")}
    assert said == {(20, "dark"), (21, "bright"), (22, "uniform"), (23, "blurred")} | shapes
    assert all(one.excess > 1 for one in found)
    assert [one.excess for one in found] == sorted((one.excess for one in found), reverse=True)
    assert not {one.word for one in spoiled([looks(one) for one in odd], [None] * 4)} & {"small", "odd shape"}


def test_looks_are_what_they_say() -> None:
    one = photo(3)
    gray = (one.astype(float) @ [0.299, 0.587, 0.114]) / 255
    found = looks(one)
    assert found.dark == pytest.approx(np.percentile(gray, 95))
    assert found.bright == pytest.approx(np.percentile(gray, 5))
    total = [
        gray[y - 1, x] + gray[y + 1, x] + gray[y, x - 1] + gray[y, x + 1] - 4 * gray[y, x]
        for y in range(1, 47)
        for x in range(1, 47)
    ]
    assert found.sharpness == pytest.approx(np.var(total) / gray.var())
