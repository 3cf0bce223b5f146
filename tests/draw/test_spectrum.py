"""Spectra as pictures: the density counts all eigenvalues, and what has not converged is hollow."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import pellucid as pl
from pellucid.draw.colors import LIGHT
from pellucid.draw.sheet import Shape
from pellucid.draw.spectrum import density
from pellucid.errors import PellucidError
from tests.draw import plots
from tests.draw.test_pictures import assert_tidy


@pytest.mark.parametrize("dark", [False, True])
def test_a_spectrum_is_tidy_and_complete(dark: bool) -> None:
    picture = pl.draw(plots.spectrum(), dark=dark)
    assert_tidy(picture)
    told = " ".join(plots.said(picture))
    for text in ("138.2 ± 4.1", "trace", "Hessian of 1 000 parameters", "batch norm: frozen", "eigenvalue",
                 "Gaussians of width", "Hollow: 1 of 3", "One eigenvalue is negative."):  # fmt: skip
        assert text in told
    assert "from −1 to 9" in picture.alt


def test_the_density_counts_all_eigenvalues() -> None:
    result, places = plots.spectrum(), np.linspace(-20, 30, 20001)
    found = density(result, places, 0.3)
    assert np.trapezoid(found, places) == pytest.approx(1000, rel=1e-6)
    mean = np.trapezoid(found * places, places) / 1000
    assert mean == pytest.approx(float(result.nodes @ result.weights), rel=1e-6)


def test_what_has_not_converged_is_hollow_with_a_bar_as_long_as_its_residual() -> None:
    marks = [mark for mark in pl.draw(plots.spectrum()).sheet.marks if isinstance(mark, Shape)]
    dots = [mark for mark in marks if mark.closed and len(mark.points) == 16 and mark.edge]
    assert [dot.fill == LIGHT.paper for dot in dots] == [False, True, False]
    left, right = (float(np.mean([x for x, _ in dot.points])) for dot in (dots[2], dots[0]))
    (bar,) = [m for m in marks if not m.closed and m.edge == LIGHT.warning and m.points[0][1] == m.points[1][1]]
    assert (bar.points[1][0] - bar.points[0][0]) / (right - left) == pytest.approx(2 * 0.9 / 10)


def test_either_half_is_enough() -> None:
    whole = plots.spectrum()
    assert_tidy(pl.draw(dataclasses.replace(whole, nodes=np.zeros(0), weights=np.zeros(0))))
    none = {"values": np.zeros(0), "residuals": np.zeros(0), "converged": ()}
    assert_tidy(pl.draw(dataclasses.replace(whole, **none)))
    with pytest.raises(PellucidError, match="empty"):
        pl.draw(dataclasses.replace(whole, nodes=np.zeros(0), weights=np.zeros(0), **none))
