"""Surrogates at a layer: exact where the rest of the network is linear in the layer."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import pellucid as pl
from pellucid.errors import PellucidError, Refused
from pellucid.saliency.inner import LayerGame, factored
from pellucid.target import Target
from tests.draw.test_pictures import assert_tidy
from tests.test_every_method import photos, tiny


def known(players: str) -> tuple[np.ndarray, np.ndarray]:
    """(the activation of the last layer for the first photo, w_k a_k / places of the class dog)."""
    net = tiny()
    one = net.prepare(photos(1))
    activation = net.run(one.pixels, layers=["relu"])["relu"][0].detach().numpy()
    weight = net.module.head.weight[1].detach().numpy()
    return activation, weight[:, None, None] * activation / activation[0].size


@pytest.mark.parametrize("fit", ["lime", "shapley"])
def test_behind_pooling_and_a_linear_layer_it_is_exact(fit: str) -> None:
    """Channels: w_k · mean(a_k); cells: Σ_k w_k a_k / places; R² = 1."""
    activation, parts = known("channels")
    cells = pl.proxies.surrogate(tiny(), photos(1), "dog", layer="relu", players="cells", fit=fit)
    assert np.allclose(cells.values[0], parts.sum(0), atol=1e-5)
    channels = pl.proxies.surrogate(tiny(), photos(1), "dog", layer="relu", players="channels", fit=fit)
    coefficients = parts.sum((1, 2))
    shares = activation / np.maximum(activation.sum((1, 2), keepdims=True), 1e-300)
    dead = activation.sum((1, 2)) == 0
    assert np.allclose(channels.values[0], (coefficients[:, None, None] * shares)[~dead].sum(0), atol=1e-5)
    for found in (cells, channels):
        assert found.values.sum() == pytest.approx(parts.sum(), abs=1e-5)
        assert found.meta.found["agreement"][0] == pytest.approx(1, abs=1e-5)
        if fit == "lime":
            assert found.meta.found["R2"][0] == pytest.approx(1, abs=1e-6)


def test_groups_are_exact_there_too_but_for_what_they_leave() -> None:
    net = tiny()
    activation, parts = known("groups")
    groups, maps = factored(torch.from_numpy(activation), 8, 0, "relu")
    weight = net.module.head.weight[1].detach()
    wanted = (groups @ weight) * maps.mean((1, 2))
    found = pl.proxies.surrogate(tiny(), photos(1), "dog", layer="relu")
    assert found.values.sum() == pytest.approx(float(wanted.sum()), abs=1e-4)
    left = activation - np.einsum("gk,grc->krc", groups.numpy(), maps.numpy())
    rest = (weight.numpy()[:, None, None] * left).sum() / activation[0].size
    assert found.values.sum() + rest == pytest.approx(parts.sum(), abs=1e-4)


def test_factors_are_not_negative_and_find_planted_groups() -> None:
    chance = np.random.default_rng(0)
    planted, maps = chance.random((3, 20)) * (chance.random((3, 20)) > 0.6), chance.random((3, 6, 6)) ** 4
    activation = torch.from_numpy(np.einsum("gk,grc->krc", planted, maps))
    directions, found = factored(activation, 3, 0, "x")
    assert (directions >= 0).all()
    assert (found >= 0).all()
    assert np.allclose(directions.norm(dim=1), 1)
    off = activation - torch.einsum("gk,grc->krc", directions, found)
    assert float(off.norm() / activation.norm()) < 0.05
    cosines = (directions.numpy() @ (planted / np.linalg.norm(planted, axis=1, keepdims=True)).T).max(0)
    assert (cosines > 0.9).all()
    with pytest.raises(Refused, match="negative activations"):
        factored(activation - 1, 3, 0, "x")


def test_all_shown_is_the_image_itself() -> None:
    net = tiny()
    one = net.prepare(photos(1))
    activation = net.run(one.pixels, layers=["block"])["block"][0].detach()
    groups = factored(activation, 4, 0, "block")
    target, score = Target.of("dog"), float(net.run(one.pixels).output[0, 1])
    for kind, given in (("groups", groups), ("channels", None), ("cells", None)):
        game = LayerGame(net, "a", one.pixels, "block", activation, activation * 0, target, kind, given)  # type: ignore[arg-type]
        every = np.array([[True], [False]]).repeat(game.players, 1)
        assert game.worth(every)[0] == pytest.approx(score, abs=1e-9)
        assert game.mixed(torch.from_numpy(every))[1].allclose(game.residual)
        assert float(game.spread(np.arange(game.players) * 0.5).sum()) == pytest.approx(
            (np.arange(game.players) * 0.5).sum()
        )


def test_an_earlier_layer_is_told_with_its_fit() -> None:
    found = pl.proxies.surrogate(tiny(), photos(2), "dog", layer="block", players="channels", samples=300)
    assert found.values.shape[0] == 2
    assert all(0 < one <= 1 for one in found.meta.found["R2"])
    assert any("8 channels of block: R² =" in str(note) for note in found.meta.notes)
    assert_tidy(pl.draw(found))
    mean = pl.proxies.surrogate(tiny(), photos(1), "dog", layer="block", hidden="mean", samples=50)
    assert not np.allclose(mean.values, found.values[:1])


def test_too_few_samples_are_refused() -> None:
    with pytest.raises(PellucidError, match=r"samples=10 for the 12 channels of layer 'relu'.*at least 14"):
        pl.proxies.surrogate(tiny(), photos(1), "dog", layer="relu", players="channels", samples=10)
