"""A mark on some of many noisy images is found where it is, and none where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from pellucid.evaluation.marks import Marks


def noise(number: int) -> np.ndarray:
    """A smooth random image (40, 50) in 0..1."""
    chance = np.random.default_rng(number)
    waves = chance.normal(0, 1, (6, 4))
    y, x = np.mgrid[:40, :50] / 20
    ground = sum(np.sin(3 * a * y + 3 * b * x + 6 * c) * 0.1 * d for a, b, c, d in waves)
    return np.clip(0.5 + ground + chance.normal(0, 0.03, (40, 50)), 0, 1)


def stamped(image: np.ndarray) -> np.ndarray:
    """With a frame of 8 × 12 pixels, half opaque."""
    found = image.copy()
    for rows, columns in ((30, slice(30, 42)), (37, slice(30, 42)), (slice(30, 38), 30), (slice(30, 38), 41)):
        found[rows, columns] = 0.5 * found[rows, columns] + 0.5
    return found


def summed(images: list[np.ndarray]) -> Marks:
    marks = Marks()
    for one in images:
        assert marks.add(one)
    return marks


@pytest.mark.parametrize("share", [1, 2])
def test_a_mark_on_all_or_half_of_the_images(share: int) -> None:
    mask = summed([stamped(noise(k)) if k % share == 0 else noise(k) for k in range(100)]).mask()
    assert mask is not None
    rows, columns = np.nonzero(mask)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == pytest.approx((30, 37, 30, 41), abs=1)
    assert mask[31:37, 31:41].mean() > 0.3


def test_no_mark_is_found_where_there_is_none_or_of_too_few() -> None:
    assert summed([noise(k) for k in range(60)]).mask() is None
    assert summed([stamped(noise(k)) for k in range(19)]).mask() is None


def test_a_border_that_all_have_is_found() -> None:
    def framed(image: np.ndarray) -> np.ndarray:
        found = np.zeros_like(image)
        found[5:-5] = image[5:-5]
        return found

    mask = summed([framed(noise(k)) for k in range(40)]).mask()
    assert mask is not None
    assert set(np.nonzero(mask.mean(1) > 0.9)[0]) == {4, 5, 34, 35}


def test_images_of_another_size_are_not_added() -> None:
    marks = summed([noise(0)])
    assert not marks.add(np.zeros((3, 3)))
    assert marks.count == 1
