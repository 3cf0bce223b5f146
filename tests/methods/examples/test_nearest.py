"""Nearest training cases, against plain float64."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.feature import hog

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.index.search import Metric, mean_of, nearest, squared
from pellucid.training_set.curvature import softmax
from pellucid.training_set.examples import examples_of
from tests.test_every_method import indexed, photos, tiny


def brute(asked: np.ndarray, rows: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    center = rows.astype(np.float64).mean(0)
    a, b = asked.astype(np.float64) - center, rows.astype(np.float64) - center
    cosines = (a @ b.T) / (np.linalg.norm(a, axis=1)[:, None] * np.linalg.norm(b, axis=1))
    order = np.argsort(-cosines.round(12), 1, kind="stable")[:, :count]
    return np.take_along_axis(cosines, order, 1), order


def test_about_a_center_the_nearest_are_those_of_float64() -> None:
    chance = np.random.default_rng(0)
    rows = chance.normal(size=(50, 7)).astype(np.float32) + 20
    rows[[9, 31, 40]] = rows[4]  # ties, by number
    asked = np.concatenate([rows[[4, 17]], chance.normal(size=(3, 7)).astype(np.float32) + 20])
    center = mean_of(rows)
    assert np.allclose(center, rows.astype(np.float64).mean(0))
    values, numbers = nearest(asked, rows, 6, "cosine", center=center)
    wanted, order = brute(asked, rows, 6)
    assert np.allclose(values, wanted, atol=1e-12)
    assert np.array_equal(numbers, order)
    assert numbers[0, :4].tolist() == [4, 9, 31, 40]
    assert np.allclose(squared(rows, center), ((rows - center) ** 2).sum(1), rtol=1e-5)


@pytest.mark.parametrize("away", [0, 3e3])
@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_what_float32_rounds_off_is_found_in_float64(away: float, metric: Metric) -> None:
    chance = np.random.default_rng(1)
    rows = (chance.normal(size=(400, 30)) * np.array([1, 1e-3])[:, None].repeat(200, 0) + away).astype(np.float32)
    rows[7] = rows[300]
    center = mean_of(rows)
    for one in (rows[[3]], rows[[250]], rows[:40], (center + 1e-4 * chance.normal(size=30)).astype(np.float32)[None]):
        near = nearest(one, rows, 5, metric, squared(rows, center), center)[1]
        a, b = one.astype(np.float64) - center, rows.astype(np.float64) - center
        if metric == "cosine":
            scores = (b[None] * a[:, None]).sum(2) / np.sqrt((b**2).sum(1) * (a**2).sum(1)[:, None])
        else:
            scores = -np.sqrt(((b[None] - a[:, None]) ** 2).sum(2))
        assert np.array_equal(near, np.argsort(-scores, 1, kind="stable")[:, :5])


def test_a_training_image_finds_itself_first() -> None:
    index = indexed(tiny())
    found = pl.examples.nearest(index, index.read(4), count=5, descriptors=("hog", "lbp", "colors", "pixels"))
    assert found.rows == ("block", "relu", "HOG: gradients", "LBP: texture", "colors", "pixels")
    assert np.allclose(found.values[0, :, 0], 1, atol=1e-12)
    assert (found.images[0, :, 0] == 4).all()
    assert found.duplicates[0, :, 0].all()
    assert not found.duplicates[0, :, 1:].any()
    assert found.given == (found.labels[0][0][0],)  # its class is known, for it is in the index
    for r, layer in enumerate(("block", "relu")):
        rows = index[layer].embedding[1].astype(np.float32)
        wanted, order = brute(rows[[4]], rows, 5)
        assert np.allclose(found.values[0, r], wanted[0], atol=1e-9)
        assert np.array_equal(found.images[0, r], order[0])


def test_shares_leave_the_image_itself_out() -> None:
    index = indexed(tiny())
    found = pl.examples.nearest(index, index.read(4), count=5, descriptors=())
    for r in range(2):
        labels = found.labels[0][r][1:]
        assert found.measure("share with the answer")[0, r] == np.mean([one == found.answers[0] for one in labels])
        assert found.measure("share with the true class")[0, r] == np.mean([one == found.given[0] for one in labels])
    assert found.agrees.shape == found.values.shape
    stated = pl.examples.nearest(index, photos(1), count=5, descriptors=(), label="cow")
    assert stated.given == ("cow",)
    unknown = pl.examples.nearest(index, photos(1), count=5, descriptors=())
    assert np.isnan(unknown.measure("share with the true class")).all()


def test_without_them_the_last_layer_is_one_newton_step_away() -> None:
    index = indexed(tiny())
    examples = examples_of(index)
    found = pl.examples.nearest(index, photos(1), count=3, descriptors=(), damping=0.5)
    features = examples.read(photos(1)).astype(np.float64)
    x = np.concatenate([examples.features.astype(np.float64), np.ones((12, 1))], 1)
    p = softmax(examples.logits)
    for r in range(2):
        gone = found.images[0, r]
        curved, slope = 0.5 * np.eye(39), np.zeros(39)
        for i in range(12):
            outer = np.kron(np.diag(p[i]) - np.outer(p[i], p[i]), np.outer(x[i], x[i]))
            if i in gone:
                slope += np.kron(p[i] - np.eye(3)[examples.labels[i]], x[i]) / 12
            else:
                curved += outer / 12
        step = np.linalg.solve(curved, slope).reshape(3, 13)
        logits = features[0] @ (examples.weight + step[:, :-1]).T + examples.bias + step[:, -1]
        answer = examples.classes.index(found.answers[0])
        assert np.isclose(found.measure("probability without them")[0, r], softmax(logits[None])[0, answer], atol=1e-6)
        assert found.without[0][r] == examples.classes[int(logits.argmax())]


def test_descriptors_are_those_of_the_small_picture() -> None:
    index = indexed(tiny())
    rows = pl.examples.nearest(index, index.read(0), descriptors=("hog",), layer="relu", count=12)
    small = [index.net.prepare(index.read(i)).shown(0, seen=True) for i in range(12)]
    wanted = np.stack([hog(one, 9, (8, 8), (2, 2), channel_axis=-1) for one in small]).astype(np.float32)
    values, order = brute(wanted[:1], wanted, 12)
    assert rows.rows == ("relu", "HOG: gradients")
    assert np.array_equal(rows.images[0, 1], order[0])
    assert np.allclose(rows.values[0, 1], values[0], atol=1e-6)


def test_bad_questions() -> None:
    index = indexed(tiny())
    with pytest.raises(PellucidError, match="'stem'"):
        pl.examples.nearest(index, photos(1), layer="stem")
    with pytest.raises(PellucidError, match="no space to compare in"):
        pl.examples.nearest(index, photos(1), layer=(), descriptors=())
    with pytest.raises(PellucidError, match=r"'cot'.*cat"):
        pl.examples.nearest(index, photos(1), label="cot")
