"""Methods with their options, and maps that know no network, as a value."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.evaluation.baselines import BASELINES
from pellucid.evaluation.explainers import Explainers, able, on_input
from pellucid.geometry import Placement, View
from pellucid.result import Heatmap


def test_text_lists_and_questions_mean_the_same() -> None:
    text = "grad_cam,lrp:composite=epsilon_plus,first=w2,edges"
    found = Explainers.of(text)
    assert [one.name for one in found.each] == ["grad_cam", "lrp:composite=epsilon_plus,first=w2", "edges"]
    assert Explainers.of(["grad_cam", pl.Ask("lrp", composite="epsilon_plus", first="w2"), "edges"]) == found
    assert Explainers.of(found.plain()) == found
    assert str(found) == text
    assert len(Explainers.of("all")) == len(able())
    assert [one.name for one in found.with_baselines().each][-3:] == ["random", "blurred_random", "center"]


def test_slow_methods_are_asked_coarsely_unless_they_are_told_otherwise() -> None:
    quick, said = Explainers.of("rise,rise:samples=17").each
    assert quick.asked is not None
    assert said.asked is not None
    assert quick.asked.options["samples"] == quick.asked.entry.quick["samples"]
    assert said.asked.options["samples"] == 17


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no methods"),
        ("grad_kam", "grad_cam"),
        ("plane", "plane gives no map of a target"),
        ("lrp:rule=3", "no option of lrp 'rule'"),
    ],
)
def test_what_is_none_is_refused_in_a_line(text: str, said: str) -> None:
    with pytest.raises(PellucidError, match=said) as error:
        Explainers.of(text)
    assert "\n" not in str(error.value)


def test_a_coarse_map_is_read_at_the_pixels() -> None:
    values = np.array([[[0.0, 1.0], [2.0, 3.0]]])
    heat = Heatmap(values, Placement((1.0, 1.0), (4.0, 4.0), (4.0, 4.0)), (View.whole(7, 7),))
    found = on_input(heat, (7, 7))
    assert found.shape == (7, 7)
    assert found[1, 1] == 0
    assert found[5, 5] == 3
    assert found[3, 3] == pytest.approx(1.5)
    assert found[0, 0] == 0


def test_baselines_know_the_image_alone_and_its_name() -> None:
    pixels = torch.rand(3, 32, 24, generator=torch.Generator().manual_seed(0))
    for name, made in BASELINES.items():
        found = made(pixels, 0, "a")
        assert found.shape == (32, 24), name
        assert np.array_equal(found, made(pixels, 0, "a"))
        assert np.isfinite(found).all()
    y, x = np.unravel_index(BASELINES["center"](pixels, 0, "a").argmax(), (32, 24))
    assert (abs(y - 15.5), abs(x - 11.5)) == (0.5, 0.5)
    half = torch.zeros(3, 10, 10)
    half[..., 5:] = 1
    assert set(np.flatnonzero(BASELINES["edges"](half, 0, "a")[4])) == {4, 5}
    assert not np.array_equal(BASELINES["random"](pixels, 0, "a"), BASELINES["random"](pixels, 0, "b"))
