"""Transforms: one affine map against the same touches one by one, each re-derived for single pixels."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from pellucid.render.affine import GRAY, looked_at, shifted, turned, zoomed
from pellucid.render.recipes import PRESETS
from pellucid.render.transforms import Crop, Jitter, Noise, Pad, Roll, Rotate, Scale, Transform, drawn
from pellucid.rng import generator

PICTURE = np.random.default_rng(2).random((1, 9, 12))


def chance(*which: int | str) -> np.random.Generator:
    return generator(5, *which)


def slow(picture: np.ndarray, matrix: np.ndarray, canvas: tuple[int, int]) -> np.ndarray:
    """Bilinear, pixel by pixel: where does the middle of this pixel of the canvas lie in the picture?"""
    _, height, width = picture.shape
    found = np.zeros((len(picture), *canvas))
    for row in range(canvas[0]):
        for column in range(canvas[1]):
            across, down, _ = matrix @ [column + 0.5 - canvas[1] / 2, row + 0.5 - canvas[0] / 2, 1]
            y, x = down + height / 2 - 0.5, across + width / 2 - 0.5
            y0, x0 = math.floor(y), math.floor(x)
            for j, i in ((y0, x0), (y0, x0 + 1), (y0 + 1, x0), (y0 + 1, x0 + 1)):
                inside = 0 <= j < height and 0 <= i < width
                weight = (1 - abs(y - j)) * (1 - abs(x - i))
                found[:, row, column] += weight * (picture[:, j, i] if inside else GRAY)
    return found


@pytest.mark.parametrize("canvas", [(9, 12), (14, 8), (5, 5)])
@pytest.mark.parametrize(
    "matrix",
    [np.eye(3), shifted(2, -3), shifted(0.5, 0.25), zoomed(1.3), turned(30), turned(20) @ zoomed(0.8) @ shifted(1, 2)],
)
def test_looks_where_the_matrix_says(matrix: np.ndarray, canvas: tuple[int, int]) -> None:
    found = looked_at(torch.from_numpy(PICTURE)[None], [matrix], canvas)[0].numpy()
    assert np.abs(found - slow(PICTURE, matrix, canvas)).max() < 1e-12


def test_directions() -> None:
    """Looking further down moves the picture up; a zoom enlarges; a turn moves the right edge up."""
    spot = torch.full((1, 1, 11, 11), 0.5, dtype=torch.float64)
    spot[0, 0, 5, 8] = 1

    def place(matrix: np.ndarray) -> tuple[int, int]:
        seen = looked_at(spot, [matrix], (11, 11))[0, 0]
        return divmod(int(seen.argmax()), 11)

    assert place(np.eye(3)) == (5, 8)
    assert place(shifted(2, 0)) == (3, 8)
    assert place(shifted(0, 2)) == (5, 6)
    assert place(zoomed(1 / 3)) == (5, 6)
    assert place(turned(90)) in {(2, 5), (8, 5)}


def test_one_composition_is_the_touches_one_after_another() -> None:
    """Of a smooth picture, where resampling twice costs next to nothing; away from the edges."""
    y, x = torch.meshgrid(
        torch.arange(80.0, dtype=torch.float64), torch.arange(80.0, dtype=torch.float64), indexing="ij"
    )
    smooth = (0.5 + 0.2 * torch.sin(x / 9) * torch.cos(y / 11))[None, None]
    transforms: list[Transform] = [Pad(4), Jitter(6), Scale(0.9, 1.1), Rotate(10), Jitter(4)]
    whole = drawn(transforms, [chance("a")], 80)[0]
    at_once = looked_at(smooth, [whole], (78, 78))
    again, step = chance("a"), smooth
    for transform in transforms:
        size = step.shape[-1] + transform.room
        step = looked_at(step, [transform.draw(again, 80)], (size, size))
    assert step.shape[-1] == 78
    assert float((at_once - step)[..., 15:-15, 15:-15].abs().max()) < 2e-3
    other = drawn(transforms, [chance("b")], 80)[0]
    assert float((looked_at(smooth, [other], (78, 78)) - step)[..., 15:-15, 15:-15].abs().max()) > 2e-2


def test_jitter_is_a_random_crop() -> None:
    """Every window of the smaller canvas, each as likely, and no pixel is blended with another."""
    picture = torch.arange(36.0).view(1, 1, 6, 6) / 36
    found = set()
    for i in range(200):
        seen = looked_at(picture, drawn([Jitter(2)], [chance(i)], 6), (4, 4))
        found.add(round(float(seen[0, 0, 0, 0]) * 36, 3))
    assert found == {6.0 * row + column for row in range(3) for column in range(3)}
    odd = looked_at(picture, drawn([Jitter(3)], [chance(0)], 6), (3, 3))
    assert torch.allclose(odd * 36, (odd * 36).round(), atol=1e-4)


def test_a_pad_is_gray() -> None:
    seen = looked_at(torch.ones(1, 1, 4, 4), drawn([Pad(2)], [chance(0)], 4), (8, 8))
    assert Pad(2).room == 4
    assert seen[0, 0, 2:6, 2:6].eq(1).all()
    assert float(seen.sum()) == 16 + 48 * GRAY


def test_lucids_lists_of_angles_and_factors() -> None:
    scale, rotate = PRESETS["lucid"].transforms[2:4]
    factors = {round(1 / scale.draw(chance(i), 1)[0, 0], 6) for i in range(300)}
    assert factors == {round(0.9 + 0.02 * i, 6) for i in range(11)}
    angles = [
        round(math.degrees(math.atan2(m[1, 0], m[0, 0]))) for m in (rotate.draw(chance(i), 1) for i in range(2600))
    ]
    assert set(angles) == set(range(-10, 11))
    assert angles.count(0) == pytest.approx(600, abs=80)  # 6 of 26
    assert angles.count(7) == pytest.approx(100, abs=40)


def test_continuous_ranges() -> None:
    factors = [1 / Scale(0.5, 2).draw(chance(i), 1)[0, 0] for i in range(200)]
    assert 0.5 <= min(factors) < 0.6
    assert 1.8 < max(factors) <= 2
    turns = [math.degrees(math.asin(Rotate(20).draw(chance(i), 1)[1, 0])) for i in range(200)]
    assert -20 <= min(turns) < -17
    assert 17 < max(turns) <= 20


def test_crops_are_as_large_as_said_and_inside() -> None:
    """The effective box of Horama is .25 to .30 where .20 to .25 is documented, and may leave the picture."""
    parts, centers = [], []
    for i in range(400):
        matrix = Crop(0.20, 0.25, 0.3).draw(chance(i), 100)
        part = matrix[0, 0]
        parts.append(part)
        corners = [matrix @ [50 * a, 50 * b, 1] for a in (-1, 1) for b in (-1, 1)]
        assert np.abs(np.array(corners)[:, :2]).max() <= 50 + 1e-9
        centers.append(matrix[:2, 2])
    assert 0.20 <= min(parts) < 0.203
    assert 0.247 < max(parts) <= 0.25
    assert 15 < np.std(centers) < 30
    assert np.std([Crop(0.2, 0.25).draw(chance(i), 100)[0, 2] for i in range(400)]) == pytest.approx(15, rel=0.15)


def test_a_roll_is_circular() -> None:
    picture = torch.rand(1, 2, 8, 8)
    padded = F.pad(picture, (4, 4, 4, 4), mode="circular")
    for i in range(10):
        (matrix,) = drawn([Roll(4)], [chance(i)], 8)
        seen = looked_at(padded, [matrix], (8, 8))
        down, across = -int(matrix[1, 2]), -int(matrix[0, 2])
        assert torch.allclose(seen, picture.roll((down, across), (2, 3)), atol=1e-6)


def test_noise_has_the_spread_that_is_said() -> None:
    values = Noise(0.05).added(chance(0), (3, 100, 100))
    assert values is not None
    assert float(values.std()) == pytest.approx(0.05 * math.sqrt(1 + 1 / 12), rel=0.02)
    assert abs(float(values.mean())) < 0.002
    assert Jitter(2).added(chance(0), (1,)) is None
