"""Nodes and edges of a way: what quadratures are exact for, and where more cells go."""

from __future__ import annotations

import numpy as np
import pytest

from pellucid.saliency.quadrature import finer, rule


@pytest.mark.parametrize("steps", [2, 3, 8])
def test_quadrature_rules(steps: int) -> None:
    """Gauss–Legendre with n nodes is exact to degree 2n − 1; all weights sum to 1 (trap T9)."""
    for quadrature in ("gauss_legendre", "midpoint", "trapezoid"):
        nodes, weights = rule(steps, quadrature)  # type: ignore[arg-type]
        assert sum(weights) == pytest.approx(1, abs=1e-14)
        assert sum(w * x for w, x in zip(weights, nodes, strict=True)) == pytest.approx(0.5, abs=1e-14)
    nodes, weights = rule(steps, "gauss_legendre")
    for degree in range(2 * steps):
        assert np.dot(weights, np.power(nodes, degree)) == pytest.approx(1 / (degree + 1), abs=1e-13)
    assert abs(np.dot(weights, np.power(nodes, 2 * steps)) - 1 / (2 * steps + 1)) > 1e-12


def test_more_cells_lie_where_the_sum_is_wrong_and_none_is_believed_for_ever() -> None:
    edges = finer([0.0, 0.25, 0.5, 0.75, 1.0], np.array([0.0, 0.0, 1.0, 0.0]), 8)
    assert len(edges) == 9
    assert edges[0] == 0
    assert edges[-1] == 1
    assert edges == sorted(edges)
    assert [edge for edge in edges if edge in (0.0, 0.25, 0.5, 0.75)] == [0.0, 0.25, 0.5, 0.75], "old edges stay"
    assert sum(0.5 < edge < 0.75 for edge in edges) == 4
    even = finer([0.0, 0.5, 1.0], np.zeros(2), 4)
    assert even == [0.0, 0.25, 0.5, 0.75, 1.0], "where nothing is wrong the widest is halved"
