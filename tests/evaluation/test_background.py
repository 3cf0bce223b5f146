"""What hangs together with the borders is background, also where it is of many colors."""

from __future__ import annotations

import numpy as np

from pellucid.evaluation.background import background


def test_a_thing_that_touches_no_border_is_not_background() -> None:
    y, x = np.mgrid[:96, :96]
    ground = np.stack([0.2 + 0.3 * y / 96, 0.5 + 0.2 * x / 96, np.full((96, 96), 0.2)], -1)
    thing = (y - 48) ** 2 + (x - 40) ** 2 < 20**2
    pixels = np.where(thing[..., None], [0.9, 0.2, 0.1], ground)
    found = background(pixels)
    assert found[~thing].mean() > 0.97
    assert found[thing].mean() < 0.05


def test_sky_and_meadow_are_both_background_and_what_is_cut_by_the_border_is_not() -> None:
    """A tree that stands on the lower border touches it with a small part of what bounds it."""
    y, x = np.mgrid[:96, :96]
    pixels = np.where((y < 40)[..., None], [0.5, 0.7, 0.95], [0.3, 0.6, 0.2])
    tree = (abs(x - 48) < 8) & (y > 12)
    pixels = np.where(tree[..., None], [0.35, 0.2, 0.1], pixels)
    found = background(pixels)
    assert found[~tree].mean() > 0.95
    assert found[tree].mean() < 0.2


def test_an_image_of_one_color_is_background() -> None:
    assert background(np.full((40, 60, 3), 0.4)).all()
    assert background(np.zeros((8, 8, 3))).all()
