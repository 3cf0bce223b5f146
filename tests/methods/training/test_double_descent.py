"""Double descent: the exact answer by the pseudo-inverse, and the figures of the reference."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import pellucid as pl
from pellucid.data import Data
from pellucid.errors import PellucidError
from pellucid.learning.least_squares import pixels_of, smallest
from pellucid.learning.tasks import digits
from pellucid.rng import generator


def made(count: int = 60, side: int = 5) -> Data:
    chance = np.random.default_rng(3)
    labels = np.arange(count) % 3
    pixels = np.clip(chance.random((count, 1, side, side)) * 0.5 + labels[:, None, None, None] / 6, 0, 1)
    return Data.of((pixels, labels), pixels="0..1")


@pytest.mark.parametrize(("images", "features"), [(20, 8), (20, 20), (20, 90)])
def test_coefficients_fit_best_and_are_the_smallest_that_do(images: int, features: int) -> None:
    chance = np.random.default_rng(0)
    x, y = chance.standard_normal((images, features)), chance.standard_normal((images, 3))
    c = smallest(x, y)
    assert np.allclose(c, np.linalg.pinv(x) @ y, atol=1e-9)
    assert np.allclose(x.T @ (x @ c - y), 0, atol=1e-9)  # no direction lowers the error
    if features > images:
        assert np.allclose(x @ c, y, atol=1e-9)
        other = c + (np.eye(features) - np.linalg.pinv(x) @ x) @ chance.standard_normal((features, 3))
        assert np.allclose(x @ other, y, atol=1e-9)
        assert np.linalg.norm(other) > np.linalg.norm(c)


def test_numbers_are_those_of_the_formula() -> None:
    found = pl.training.double_descent(made(), multiples=(0.5, 4), samples=40, label_noise=0.25, draws=1, seed=7)
    pixels, labels = pixels_of(made().shuffled(7), 240, 28)
    images = torch.stack([made().image(i).pictures[0] for i in range(60)]).double().flatten(1).numpy()
    assert np.array_equal(np.sort(pixels.sum(1)), np.sort(images.sum(1)))
    chance = generator(7, "double descent", 0)
    wrong = chance.permutation(40)[:10]
    given = labels[:40].copy()
    given[wrong] = (given[wrong] + chance.integers(1, 3, size=10)) % 3
    assert (given != labels[:40]).sum() == 10
    w = chance.standard_normal((160, pixels.shape[1])) / np.sqrt(pixels.shape[1])
    for row, p in zip(found["features"].rows, (20, 160), strict=True):
        phi = np.array([[max(float(w[k] @ x), 0.0) for k in range(p)] for x in pixels])
        c = np.linalg.pinv(phi[:40]) @ np.eye(3)[given]
        errors = [float(((phi[i] @ c - np.eye(3)[labels[i]]) ** 2).sum()) for i in range(40, 60)]
        right = [int(np.argmax(phi[i] @ c)) == labels[i] for i in range(40, 60)]
        assert row["features"] == p
        assert row["test error"] == pytest.approx(np.mean(errors), rel=1e-6)
        assert row["accuracy"] == np.mean(right)
        assert row["norm"] == pytest.approx(np.linalg.norm(c), rel=1e-6)
        left = float(((phi[:40] @ c - np.eye(3)[given]) ** 2).sum(1).mean())
        assert row["train error"] == pytest.approx(left, abs=1e-12)
    assert found["features"]["train error"][1] < 1e-12 < found["features"]["train error"][0]


def test_larger_images_are_averaged_and_other_shapes_refused() -> None:
    pixels, _ = pixels_of(made(8, 6), 8, 3)
    image = made(8, 6).image(2).pictures[0].double().numpy()
    wanted = image.reshape(-1, 3, 2, 3, 2).mean((2, 4))
    assert np.allclose(pixels[2], wanted.ravel(), atol=1e-7)
    mixed = Data.of(([np.full((9 + i % 2, 9, 3), 99, np.uint8) for i in range(8)], [0, 1] * 4))
    with pytest.raises(PellucidError, match="one shape"):
        pl.training.double_descent(mixed)
    assert len(pl.training.double_descent(mixed, size=2, draws=1)["features"])
    with pytest.raises(PellucidError, match="8 at least"):
        pl.training.double_descent(made(6))


@pytest.mark.slow
def test_the_figures_of_the_reference() -> None:
    """Measured there: .49/.47/1.21/5.1/12.5/63/6.0/1.9/.73/.46/.31, and the accuracies below."""
    pytest.importorskip("sklearn")
    counts = (50, 100, 200, 280, 300, 320, 350, 400, 600, 1000, 3000)
    found = pl.training.double_descent(digits(1796).data, multiples=tuple(one / 300 for one in counts))
    error = dict(zip(counts, found["features"]["test error"], strict=True))
    assert found["features"]["features"] == counts
    assert max(error, key=error.__getitem__) in (280, 300, 320, 350)
    assert error[3000] < min(error[one] for one in counts if one < 300)
    reference = (0.49, 0.47, 1.21, 5.1, 12.5, 63, 6.0, 1.9, 0.73, 0.46, 0.31)
    assert np.abs(np.log(list(error.values())) - np.log(reference)).max() < np.log(1.6)
    accuracy = (0.831, 0.855, 0.804, 0.538, 0.383, 0.197, 0.375, 0.609, 0.816, 0.858, 0.901)
    assert np.abs(np.array(found["features"]["accuracy"]) - accuracy).max() < 0.1
    norm = dict(zip(counts, found["features"]["norm"], strict=True))
    assert max(norm, key=norm.__getitem__) in (280, 300, 320, 350)
