"""Pixels exchanged in the order of a map: closed forms on a network that is a weighted sum."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import scipy.ndimage
import torch

import pellucid as pl
from pellucid.evaluation import paths
from pellucid.evaluation.faithfulness import deletion, insertion
from pellucid.evaluation.judged import Case, Judging
from pellucid.evaluation.orders import ranks
from pellucid.evaluation.paths import area, authors_blur
from pellucid.image_set import ImageSet
from tests.evaluation.networks import SIDE, photos, plant, shares, weighted

__all__ = ["plant"]


def case(net: pl.Net, image: np.ndarray) -> Case:
    return Judging(net, ImageSet.of([image]), lambda case, heat, again: heat, "none", (1,)).case(0)


def nothing() -> None:
    raise AssertionError("no map is drawn again")


def test_deletion_in_the_order_of_the_shares_is_their_sum() -> None:
    """Score by score: what is left when the largest shares are gone."""
    net = weighted()
    one = case(net, photos()[0])
    share = shares(net, one.pixels)
    measure = deletion("black", SIDE * SIDE, "logit")
    found = measure.judge(one, share, nothing)
    left = np.concatenate([[share.sum()], share.sum() - np.cumsum(np.sort(share.ravel())[::-1])])
    assert np.allclose(found, left, atol=1e-12)
    assert area(found) == pytest.approx((left[:-1] + left[1:]).mean() / 2, abs=1e-12)
    grown = insertion("black", SIDE * SIDE, "logit").judge(one, share, nothing)
    assert np.allclose(grown, share.sum() - left, atol=1e-12)


def test_a_flat_map_scores_what_chance_does() -> None:
    """Its mean over seeds is half of the sum; the order of the pixels in memory says nothing."""
    net = weighted()
    one = case(net, photos()[0])
    share = shares(net, one.pixels)
    flat = np.ones((SIDE, SIDE))
    found = [area(deletion("black", 12, "logit", seed).judge(one, flat, nothing)) for seed in range(200)]
    assert np.mean(found) == pytest.approx(share.sum() / 2, abs=4 * np.std(found) / 200**0.5)
    assert np.std(found) > 0


def test_ranks_name_the_largest_first_and_what_is_no_number_last() -> None:
    heat = np.array([[0.1, np.nan], [3.0, -2.0]])
    assert ranks(heat, 0, "a").tolist() == [[1, 3], [0, 2]]
    flat = np.zeros((8, 8))
    assert sorted(ranks(flat, 0, "a").ravel().tolist()) == list(range(64))
    assert not np.array_equal(ranks(flat, 0, "a"), ranks(flat, 0, "b"))
    assert not np.array_equal(ranks(flat, 0, "a"), ranks(flat, 1, "a"))


def test_a_planted_perfect_map_is_first_and_its_reverse_last(plant: Callable[..., None]) -> None:
    net = weighted()
    plant(perfect=lambda pixels: shares(net, pixels), reverse=lambda pixels: -shares(net, pixels))
    of = "perfect,reverse"
    low = pl.quality.deletion(net, photos(), of=of, fill="black", steps=24, score="logit")["ranking"]
    high = pl.quality.insertion(net, photos(), of=of, fill="black", steps=24, score="logit")["ranking"]
    few = pl.quality.sufficiency(net, photos(), of=of, fill="black", steps=24)["ranking"]
    missed = pl.quality.infidelity(net, photos(), of=of, fill="black")["ranking"]
    for table in (low, high, few, missed):
        assert table["method"][0] == "perfect"
    assert missed["infidelity"][missed["method"].index("reverse")] == 1, "a map that is upside down foretells nothing"
    for table, figure in ((low, "area"), (high, "area"), (few, "pixels"), (missed, "infidelity")):
        each = dict(zip(table["method"], table[figure], strict=True))
        assert each["reverse"] == table[figure][-1]
    assert missed["infidelity"][0] == pytest.approx(0, abs=1e-9)


def test_no_figure_depends_on_the_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    net = weighted()
    whole = pl.quality.deletion(net, photos(), of="gradient", steps=9)
    monkeypatch.setattr(paths, "CHUNK", 2)
    again = pl.quality.deletion(net, photos(), of="gradient", steps=9)
    for one, two in zip(whole["curves"].lines, again["curves"].lines, strict=True):
        assert np.allclose(one.values, two.values, atol=1e-12)
    backwards = pl.quality.deletion(net, photos()[::-1], of="gradient", steps=9, score="logit")
    forwards = pl.quality.deletion(net, photos(), of="gradient", steps=9, score="logit")
    areas = [dict(zip(one["ranking"]["method"], one["ranking"]["area"], strict=True)) for one in (forwards, backwards)]
    assert areas[0]["gradient"] == pytest.approx(areas[1]["gradient"], rel=1e-9)


def test_the_blur_is_that_of_the_authors() -> None:
    """An 11 × 11 kernel: a Gaussian of σ = 5 around its middle, mirrored at its own edges; zeros outside the image."""
    pixels = torch.rand(3, 20, 18, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    delta = np.zeros((11, 11))
    delta[5, 5] = 1
    kernel = scipy.ndimage.gaussian_filter(delta, 5)
    outside = torch.tensor([0.4, 0.5, 0.6], dtype=torch.float64).view(-1, 1, 1)
    found = authors_blur(pixels, outside)
    for channel, beyond in zip(range(3), outside.ravel(), strict=True):
        plane = pixels[channel].numpy() - float(beyond)
        expected = scipy.ndimage.convolve(plane, kernel, mode="constant") + float(beyond)
        assert np.allclose(found[channel].numpy(), expected, atol=1e-9)
