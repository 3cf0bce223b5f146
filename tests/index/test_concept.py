"""A concept at a layer, taken out: projections and sets of units, against plain float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pellucid.index.concept import Removed, control, difference, means_of, scores_without, told_apart
from tests.saliency.test_exchange import averaged, photo


def test_the_direction_is_gone_and_all_else_is_as_it_was() -> None:
    chance = np.random.default_rng(0)
    rows = chance.normal(size=(3, 5))
    rows /= np.linalg.norm(rows, axis=1)[:, None]
    rows[0] = 0
    level = chance.normal(size=5)
    output = torch.from_numpy(chance.normal(size=(1, 5, 2, 3)))
    found = Removed(rows, level, False)(output).numpy()
    assert np.allclose(found[0], output[0])  # of a row of zeros nothing
    for r in (1, 2):
        for y in range(2):
            for x in range(3):
                a = output[0, :, y, x].numpy()
                assert np.allclose(found[r, :, y, x], a - ((a - level) @ rows[r]) * rows[r])
                assert np.isclose(found[r, :, y, x] @ rows[r], level @ rows[r])
    flat = torch.from_numpy(chance.normal(size=(1, 5)))
    a = flat[0].numpy()
    assert np.allclose(Removed(rows, 0 * level, False)(flat)[1].numpy(), a - (a @ rows[1]) * rows[1])


def test_units_are_set_to_the_level() -> None:
    output, level = torch.rand(1, 4, 2, 2).double(), np.array([0.0, 1.0, 2.0, 3.0])
    found = Removed(np.array([[0.0, 1.0, 0.0, 1.0]]), level, True)(output)
    assert torch.equal(found[0, [0, 2]], output[0, [0, 2]])
    assert torch.allclose(found[0, 1], torch.ones(2, 2).double())
    assert torch.allclose(found[0, 3], 3 * torch.ones(2, 2).double())


def test_differences_and_controls() -> None:
    chance = np.random.default_rng(1)
    rest = chance.normal(size=(40, 6))
    own = chance.normal(size=(10, 6)) + np.array([0, 4.0, 0, 0, -2.0, 0])
    direction = difference(own, rest, 0)
    apart = own.mean(0) - rest.mean(0)
    assert np.allclose(direction, apart / np.sqrt((apart**2).sum()))
    assert difference(own, rest, 2).tolist() == [0, 1, 0, 0, 1, 0]
    assert np.isclose(np.linalg.norm(control(rest, 10, direction, 0, np.random.default_rng(0))), 1)
    removed = np.array([1.0, 0, 0, 0, 0, 1.0])
    drawn = control(rest, 10, removed, 2, np.random.default_rng(0))
    assert drawn.sum() == 2
    assert not (drawn * removed).any()
    assert told_apart(own, rest) == pytest.approx(1, abs=0.05)
    assert told_apart(own[:3], rest) is None


def test_scores_are_those_of_the_changed_activations() -> None:
    net, images = averaged(), [photo(1), photo(2)]
    means = means_of(net, 2, images.__getitem__, "act", "images")
    for k, one in enumerate(images):
        assert np.allclose(means[k], net.run(net.prepare(one), layers=["act"])["act"].mean((2, 3))[0].detach())
    rows = np.zeros((2, 16))
    rows[1, 3] = 1
    found = scores_without(net, 2, images.__getitem__, "act", Removed(rows, np.zeros(16), False), "images")
    weight = net.module.head.weight.detach().numpy()
    for k, one in enumerate(images):
        plain = net.run(net.prepare(one)).output[0].detach().numpy()
        assert np.allclose(found[k, 0], plain, atol=1e-9)
        assert np.allclose(found[k, 1], plain - weight[:, 3] * means[k, 3], atol=1e-9)
