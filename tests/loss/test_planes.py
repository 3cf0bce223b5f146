"""Planes through networks: components as a singular value decomposition has them, places by least squares."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pellucid.errors import PellucidError
from pellucid.loss.planes import components, coordinates, covering, of_walk, spanned


def vectors(rows: np.ndarray) -> list[dict[str, torch.Tensor]]:
    """Rows as weights of two tensors."""
    return [{"a": torch.from_numpy(row[:6]).reshape(2, 3), "b": torch.from_numpy(row[6:])} for row in rows]


def test_places_are_least_squares_for_axes_of_any_length_and_angle() -> None:
    """Li's code divides by the length of each axis alone, which holds for unit axes at right angles."""
    chance = np.random.default_rng(0)
    axes = chance.standard_normal((2, 11)) * [[3.0], [0.2]]
    axes[1] += 0.4 * axes[0]
    row = chance.standard_normal(11)
    found, distance = coordinates(vectors(axes), vectors(row[None])[0])
    expected, *_ = np.linalg.lstsq(axes.T, row, rcond=None)
    assert found == pytest.approx(expected, rel=1e-10)
    assert distance == pytest.approx(np.linalg.norm(row - expected @ axes), rel=1e-10)
    naive = axes @ row / np.linalg.norm(axes, axis=1)
    assert np.abs(naive - expected).max() > 0.1
    inside, off = coordinates(vectors(axes), vectors(np.array([[2.0, -1.5] @ axes]))[0])
    assert inside == pytest.approx([2.0, -1.5])
    assert off == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("centered", [False, True])
def test_components_are_those_of_the_matrix_of_rows(centered: bool) -> None:
    """About the last network by default: scikit-learn's components are about the mean."""
    from sklearn.decomposition import PCA

    rows = np.cumsum(np.random.default_rng(1).standard_normal((7, 11)), 0)
    rows -= rows[-1]
    found = components(rows @ rows.T, centered)
    about = rows - rows.mean(0) if centered else rows
    _, sizes, expected = np.linalg.svd(about, full_matrices=False)
    assert found.shares == pytest.approx(sizes**2 / (sizes**2).sum(), abs=1e-12)
    axes = found.weights @ about
    assert np.abs(axes @ expected[:2].T) == pytest.approx(np.eye(2), abs=1e-9)
    theirs = PCA(2).fit(rows).explained_variance_ratio_
    assert np.allclose(found.shares[:2], theirs) == centered


def test_a_walk_of_steps_at_right_angles_is_the_random_walk_of_many_dimensions() -> None:
    """The control says what a random walk would hold; for equal steps 60.8 and 15.2 % about the mean."""
    steps = np.random.default_rng(2).standard_normal((40, 20_000))
    walk = np.concatenate([np.zeros((1, 20_000)), np.cumsum(steps, 0)])
    walk -= walk[-1]
    gram = walk @ walk.T
    for centered, limit in ((True, (6 / np.pi**2, 1.5 / np.pi**2)), (False, (8 / np.pi**2, 8 / 9 / np.pi**2))):
        about = walk - walk.mean(0) if centered else walk
        measured = np.linalg.svd(about, compute_uv=False) ** 2
        found = of_walk(gram, centered)
        assert found[:2] == pytest.approx(measured[:2] / measured.sum(), abs=0.01)
        assert found[:2] == pytest.approx(limit, abs=0.02)


def test_the_second_network_lies_at_1_0_and_the_third_in_the_plane() -> None:
    first, second = vectors(np.random.default_rng(3).standard_normal((2, 11)))
    axes = spanned(first, second)
    assert coordinates(axes, first)[0] == pytest.approx([1, 0])
    assert coordinates(axes, second)[1] == pytest.approx(0, abs=1e-12)
    flat = [np.concatenate([one.reshape(-1).numpy() for one in axis.values()]) for axis in axes]
    assert flat[0] @ flat[1] == pytest.approx(0, abs=1e-12)
    assert np.linalg.norm(flat[0]) == pytest.approx(np.linalg.norm(flat[1]))
    with pytest.raises(PellucidError, match="a, b, c are one place or lie on one line"):
        spanned(first, {key: 2 * one for key, one in first.items()}, "a, b, c")
    with pytest.raises(PellucidError, match="one line"):
        components(np.outer([1.0, 2.0, 0.0], [1.0, 2.0, 0.0]), False)


def test_the_grid_covers_what_is_placed() -> None:
    found = covering([-1.0, 3.0, 0.0], 5)
    assert found == pytest.approx([-1.8, -0.4, 1.0, 2.4, 3.8])
    assert covering([-1.0, 1.0], 3)[1] == 0.0
