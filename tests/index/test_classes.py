"""How choosy a unit is about classes: the formulas, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pellucid.index.classes import Classes, morcos


def test_class_formulas() -> None:
    shares = Classes.of(np.array([4.0, 3, 2, 1]), np.array([2, 0, 2, 1]), 1.0)
    assert (shares.best, shares.needed, shares.code) == (2, 3, 3)
    assert shares.selectivity == pytest.approx((4 - 3) / 3)
    assert shares.entropy == pytest.approx(-(0.6 * np.log2(0.6) + 0.3 * np.log2(0.3) + 0.1 * np.log2(0.1)))
    assert Classes.of(np.array([4.0, 3, 2, 1]), np.array([2, 0, 2, 1]), 0.6).needed == 1
    found = morcos(np.array([[4.0, 2, 1, 1]]), np.array([[0, 0, 1, 2]]), 4)
    assert found[0] == pytest.approx((3 - 1) / (3 + 1))
    assert np.isnan(morcos(np.array([[4.0, 2]]), np.array([[0, 0]]), 4)[0])
