"""Loss at places of the weights, against networks whose weights were set by hand."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from pellucid.loss.directions import Direction, drawn
from pellucid.loss.ground import Ground
from pellucid.loss.labeled import labeled
from pellucid.loss.points import Places
from pellucid.loss.weights import Moved, plain, weights_of
from pellucid.net import Net
from tests.loss.networks import Everything, data, net_of


def by_hand(net: Net, directions: list, at: tuple[float, ...]) -> tuple[float, float]:
    """Mean loss and accuracy, with a copy of the module whose weights are written."""
    module = copy.deepcopy(net.module).eval()
    with torch.no_grad():
        for name, p in module.named_parameters():
            for c, direction in zip(at, directions, strict=True):
                if name in direction:
                    p += c * direction[name]
    every = data().on(net)
    pixels = torch.cat([net.prepare(every.item(i)[0]).pixels for i in range(len(every))])
    labels = torch.from_numpy(every.labels)
    with torch.no_grad():
        scores = module(net.preprocess.normalize(pixels.double()).to(next(module.parameters()).dtype)).double()
    right = (scores.argmax(1) == labels).double().mean()
    return float(nn.functional.cross_entropy(scores, labels)), float(right)


@pytest.mark.parametrize("double", [True, False])
def test_a_place_is_the_network_with_its_weights_there(double: bool) -> None:
    net = plain(net_of(Everything(), double))
    before = copy.deepcopy(net.module.state_dict())
    directions = drawn(net, weights_of(net), Direction(biases="layer"), 0, 2)
    images = labeled(net, data().on(net), batch=7)
    places = Places(Moved(net, directions), [images], "frozen")
    assert len(places._folded._pairs) == 2, "convolutions with a norm behind them are folded"
    for at in ((0.0, 0.0), (0.7, -0.3), (-1.5, 2.0)):
        loss, accuracy = by_hand(net, directions, at)
        found = places.at(at)[0]
        assert found[0] == pytest.approx(loss, rel=1e-12 if double else 1e-5)
        assert found[2] == pytest.approx(accuracy)
    assert places.at((0.0, 0.0))[0, 0] == pytest.approx(float(images.losses.mean()), rel=1e-12 if double else 1e-6)
    assert all(torch.equal(value, before[key]) for key, value in net.module.state_dict().items())


def test_computed_weights_move_as_the_weights_that_they_give() -> None:
    computed = net_of(Everything())
    net = plain(computed)
    assert any("parametrizations" in key for key in computed.module.state_dict())
    assert not any("parametrizations" in key for key in net.module.state_dict())
    x = torch.rand(3, 3, 8, 8, dtype=torch.float64)
    assert torch.allclose(computed.run(x).output, net.run(x).output, atol=1e-14)
    assert plain(net) is net


def test_numbers_do_not_depend_on_the_batch() -> None:
    net = plain(net_of(Everything()))
    directions = drawn(net, weights_of(net), Direction(), 0, 1)
    found = [
        Places(Moved(net, directions), [labeled(net, data().on(net), batch=batch)], "frozen").at((0.5,))
        for batch in (1, 5, 24)
    ]
    assert np.allclose(found, found[0], rtol=1e-12)


def test_a_network_scaled_filter_by_filter_has_the_same_surface_and_a_raw_one_has_not() -> None:
    """Weights × c before a batch norm whose statistics follow leave the function as it is: so they do the surface."""
    net = plain(net_of(Everything()))
    module = copy.deepcopy(net.module)
    with torch.no_grad():
        scale = 3.0
        module.depthwise.weight *= scale
        module.second.running_mean *= scale
        module.second.running_var *= scale**2
        module.second.eps = net.module.second.eps * scale**2
    twin = net.with_module(module)
    for how, alike in ((Direction(), True), (Direction(normalize="none"), False)):
        curves = []
        for one in (net, twin):
            ground = Ground.of(one, data(), None, "frozen")
            at = ground.at(ground.directions(how, 3, 1))
            curves.append([at((a,))[0, 0] for a in (-1.0, -0.5, 0.0, 0.5, 1.0)])
        assert np.allclose(*curves, rtol=0, atol=1e-9 if alike else 1e-3) == alike


def test_batch_statistics_are_those_of_training_and_change_nothing() -> None:
    net = plain(net_of(Everything()))
    before = copy.deepcopy(net.module.state_dict())
    directions = drawn(net, weights_of(net), Direction(), 0, 1)
    images = labeled(net, data().on(net), batch=24)
    module = copy.deepcopy(net.module)
    for part in module.modules():
        part.train(isinstance(part, nn.BatchNorm2d))
    with torch.no_grad():
        for name, p in module.named_parameters():
            p += 0.4 * directions[0].get(name, 0)
    pixels, labels = images.pixels[0], images.labels[0]
    with torch.no_grad():
        wanted = float(nn.functional.cross_entropy(module(net.preprocess.normalize(pixels.double())), labels))
    for norms in ("batch", "reestimated"):
        found = Places(Moved(net, directions), [images], norms).at((0.4,))[0, 0]
        assert found == pytest.approx(wanted, rel=1e-12 if norms == "batch" else 2e-2)  # stored ones are unbiased
    frozen = Places(Moved(net, directions), [images], "frozen").at((0.4,))[0, 0]
    assert frozen != pytest.approx(wanted, rel=1e-3)
    assert all(torch.equal(value, before[key]) for key, value in net.module.state_dict().items())


def test_reestimated_statistics_do_not_depend_on_batches() -> None:
    """Those of two layers: statistics of the second are of inputs that the first made with each batch's own."""
    net = plain(
        net_of(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3)))
    )
    directions = drawn(net, weights_of(net), Direction(), 0, 1)
    found = [
        Places(Moved(net, directions), [labeled(net, data().on(net), batch=b)], "reestimated").at((0.4,))
        for b in (6, 24)
    ]
    assert np.allclose(found[0], found[1], rtol=1e-12)
