"""Pixels exchanged in the order of a map: closed forms on a network that is a weighted sum."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import scipy.ndimage
import torch

import pellucid as pl
from pellucid.evaluation import paths
from pellucid.evaluation.faithfulness import deletion, infidelity, insertion, squares, sufficiency
from pellucid.evaluation.judged import Case, Judging
from pellucid.evaluation.orders import ranks
from pellucid.evaluation.paths import answers, answers_without, area, authors_blur
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


def from_neighbors(pixels: np.ndarray, gone: np.ndarray) -> np.ndarray:
    """Every equation written out: what is gone is the mean of its neighbors, those that share a side twice as heavy."""
    if gone.all():
        return np.broadcast_to(pixels.mean((1, 2), keepdims=True), pixels.shape)
    rows, columns = gone.shape
    matrix, right = np.eye(gone.size), pixels.reshape(len(pixels), -1).T.copy()
    for y, x in np.argwhere(gone):
        around = {
            (y + i, x + j): 2.0 if 0 in (i, j) else 1.0 for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0)
        }
        inside = {at: weight for at, weight in around.items() if 0 <= at[0] < rows and 0 <= at[1] < columns}
        right[y * columns + x] = 0
        for (i, j), weight in inside.items():
            matrix[y * columns + x, i * columns + j] = -weight / sum(inside.values())
    return np.linalg.solve(matrix, right).T.reshape(pixels.shape)


def test_what_is_gone_is_filled_from_its_neighbors_at_every_step() -> None:
    net = weighted()
    one = case(net, photos()[0])
    heat, pixels, weights = shares(net, one.pixels), one.pixels.numpy(), net.module.weights.detach().numpy()
    order = np.argsort(np.argsort(-heat.ravel())).reshape(heat.shape)
    taken = [order < share * heat.size for share in (0, 0.25, 0.5, 0.75, 1)]
    fallen = deletion("neighbors", 4, "logit").judge(one, heat, nothing)
    assert np.allclose(fallen, [(weights * from_neighbors(pixels, gone)).sum() for gone in taken], atol=1e-12)
    assert fallen[0] == pytest.approx(float((weights * pixels).sum())), "nothing is gone: the image itself"
    assert fallen[4] == pytest.approx(float((weights * pixels.mean((1, 2), keepdims=True)).sum())), "the mean color"
    grown = insertion("neighbors", 4, "logit").judge(one, heat, nothing)
    assert np.allclose(grown, [(weights * from_neighbors(pixels, ~there)).sum() for there in taken], atol=1e-12)
    again = deletion("neighbors", 4, "logit", seed=1).judge(one, heat, nothing)
    assert np.array_equal(fallen, again), "no chance is in it"


def test_a_flat_image_loses_nothing_to_its_neighbors() -> None:
    """All figures of removals: the image stays what it was, whatever is taken away."""
    net = weighted()
    one = case(net, np.full((SIDE, SIDE, 3), 0.3))
    heat = np.random.default_rng(0).random((SIDE, SIDE))
    whole = 0.3 * float(net.module.weights.detach().sum())
    for measure in (deletion, insertion):
        assert np.allclose(measure("neighbors", 6, "logit").judge(one, heat, nothing), whole, atol=1e-12)
    assert sufficiency("neighbors", steps=6).judge(one, heat, nothing) == 0
    dark = deletion("black", 6, "logit").judge(one, heat, nothing)
    assert dark[-1] == pytest.approx(0)


def test_holes_in_a_slope_are_not_seen() -> None:
    """Squares taken away inside a slope change nothing where neighbors fill them, and much where black does."""
    net = weighted()
    down, across = np.mgrid[:SIDE, :SIDE]
    one = case(net, np.repeat((0.1 + 0.03 * down + 0.02 * across)[:, :, None], 3, axis=2))
    gone = np.zeros((2, SIDE, SIDE), bool)
    gone[0, 2:9, 3:11], gone[1, 1:11, 1:11] = True, True
    image = answers(net, one.pixels[None], one.target)
    assert np.allclose(answers_without(one, "neighbors", gone, one.target, 0), image, atol=1e-12)
    assert (answers_without(one, "black", gone, one.target, 0) < image / 2).all()


def test_infidelity_of_removals_that_neighbors_fill() -> None:
    """min over β ≥ 0 of Σ (β s − Δ)² / Σ Δ², searched on a grid of β."""
    net = weighted()
    one = case(net, photos()[0])
    heat, pixels, weights = shares(net, one.pixels), one.pixels.numpy(), net.module.weights.detach().numpy()
    holes = squares((SIDE, SIDE), 8, 0, one.name)
    lost = np.array([(weights * (pixels - from_neighbors(pixels, gone))).sum() for gone in holes])
    sums = np.array([heat[gone].sum() for gone in holes])
    best = min(((factor * sums - lost) ** 2).sum() / (lost**2).sum() for factor in np.linspace(0, 4, 40001))
    found = infidelity(8, "neighbors").judge(one, heat, nothing)
    assert found[0] == pytest.approx(best, abs=1e-6)
    assert 0.01 < found[0] < 1, "what a pixel is worth above black is not what it is worth above its neighbors"


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
