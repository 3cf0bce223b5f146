"""InfoGAN: the bound, the matching and the traversals by hand, and that the bound rises."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.interpretable.infogan import bound, drawn, matched, one_of, trained
from tests.test_every_method import labeled, tiny


def test_the_bound_is_the_logarithm_where_codes_are_certain_and_0_where_nothing_is_known() -> None:
    category = torch.tensor([0, 2, 1, 2])
    assert bound(100 * one_of(category, 3), category).item() == pytest.approx(math.log(3))
    assert bound(torch.zeros(4, 3), category).item() == pytest.approx(0, abs=1e-6)
    logits = torch.randn(4, 3)
    by_hand = np.mean([math.log(3) + float(logits[i].log_softmax(0)[k]) for i, k in enumerate(category)])
    assert bound(logits, category).item() == pytest.approx(by_hand, abs=1e-6)


def test_categories_are_matched_as_well_as_can_be() -> None:
    chance = np.random.default_rng(0)
    groups, labels = chance.integers(4, size=60), chance.integers(4, size=60)
    best = max(np.mean(np.array(order)[groups] == labels) for order in itertools.permutations(range(4)))
    assert matched(groups, labels)[0] == pytest.approx(best)


@pytest.mark.slow
def test_the_bound_rises_and_a_traversal_shows_what_the_generator_makes() -> None:
    images = torch.zeros(40, 1, 4, 4)
    for i in range(40):
        images[i, 0, i % 4] = 0.5 + 0.5 * (i / 40)
    made = trained(images, 4, steps=60, seed=1)
    again = trained(images, 4, steps=60, seed=1)
    assert np.array_equal(made.bounds, again.bounds)
    assert made.bounds[-1] > made.bounds[0] + 0.3
    assert made.bounds.max() <= math.log(4) + 1e-6
    picture = made.traversal(1, columns=3)
    assert picture.shape == (4 * 5, 3 * 5, 3)
    noise = drawn(0, "traversal", 1, 4)[0]
    with torch.no_grad():
        one = made.generator(noise, one_of(torch.tensor([2]), 4), torch.tensor([[0.0, 2.0]]))[0, 0]
    assert np.abs(picture[10:14, 10:14, 0] / 255 - one.numpy()).max() <= 0.51 / 255
    assert made.correlation().shape == (2,)
    with pytest.raises(PellucidError, match="two of each"):
        trained(images[:1], 4)


def test_the_method_counts_held_out_images() -> None:
    found = pl.inherent.infogan(tiny(), labeled(24), steps=10, side=8, repeats=2)
    assert found.meta.found["most"] == pytest.approx(math.log(3))
    assert sum(found.tables["categories"]["share"]) == pytest.approx(1)
    assert 0 <= found.meta.found["matched"] <= 1
    assert len(found.pictures["traversals"]) == 2
