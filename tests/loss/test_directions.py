"""Directions: every filter moves by its own norm, whatever the layer is, and the draw depends on names alone."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from pellucid.errors import PellucidError
from pellucid.loss.directions import Direction, drawn, ratios
from pellucid.loss.weights import plain, weights_of
from pellucid.net import Net, Preprocess
from tests.loss.networks import Everything, net_of


def filters(name: str, part: nn.Module, tensor: torch.Tensor) -> list[torch.Tensor]:
    """The slices of one output channel each, by hand."""
    if isinstance(part, nn.ConvTranspose2d):
        each = part.out_channels // part.groups
        within = part.in_channels // part.groups
        return [tensor[g * within : (g + 1) * within, k] for g in range(part.groups) for k in range(each)]
    return list(tensor)


def test_every_filter_has_the_norm_of_the_networks_filter() -> None:
    net = plain(net_of(Everything()))
    weights = weights_of(net)
    for seed in (0, 1):
        (direction,) = drawn(net, weights, Direction(), seed, 1)
        seen = 0
        for name, part in net.module.named_modules():
            key = f"{name}.weight"
            if key not in weights or weights[key].dim() < 2:
                continue
            for one, wanted in zip(filters(name, part, direction[key]), filters(name, part, weights[key]), strict=True):
                assert float(one.double().norm()) == pytest.approx(float(wanted.double().norm()), rel=1e-6)
                seen += 1
        assert seen > 40
        assert all(value == pytest.approx(1, abs=1e-6) for value in ratios(direction, weights).values())
        assert set(direction) == {key for key, one in weights.items() if one.dim() > 1}
        assert min(float(one.min()) for one in direction.values()) < 0, "a peer draws from 0..1, never below"


def test_a_direction_depends_on_names_and_not_on_the_order_of_modules() -> None:
    one, other = nn.Sequential(), nn.Sequential()
    a, b = nn.Linear(4, 3), nn.Linear(3, 4)
    one.add_module("a", a), one.add_module("b", b)
    other.add_module("b", copy.deepcopy(b)), other.add_module("a", copy.deepcopy(a))
    nets = [Net(module, "x", Preprocess()) for module in (one, other)]
    found = [drawn(net, weights_of(net), Direction(), 5, 2)[1] for net in nets]
    assert all(torch.equal(found[0][key], found[1][key]) for key in ("a.weight", "b.weight"))
    first, second = drawn(nets[0], weights_of(nets[0]), Direction(), 5, 2)
    assert not torch.equal(first["a.weight"], second["a.weight"])


def test_a_pruned_filter_stays_zero_and_biases_move_where_they_are_asked_to() -> None:
    net = net_of(Everything())
    with torch.no_grad():
        net.module.stem.weight[2] = 0
    weights = weights_of(plain(net))
    (direction,) = drawn(net, weights, Direction(), 0, 1)
    assert not direction["stem.weight"][2].any()
    (moved,) = drawn(plain(net), weights, Direction(biases="layer"), 0, 1)
    assert float(moved["norm.weight"].norm()) == pytest.approx(float(weights["norm.weight"].norm()), rel=1e-6)
    assert set(moved) == set(weights)


def test_other_scales_are_what_they_are_called() -> None:
    net = net_of(Everything())
    weights = weights_of(plain(net))
    (layer,) = drawn(plain(net), weights, Direction(normalize="layer"), 0, 1)
    assert all(value == pytest.approx(1, abs=1e-6) for value in ratios(layer, weights).values())
    each = layer["stem.weight"].double().flatten(1).norm(dim=1) / weights["stem.weight"].double().flatten(1).norm(dim=1)
    assert float(each.std()) > 0.05, "a layer's norm is no filter's norm"
    (model,) = drawn(plain(net), weights, Direction(normalize="model"), 0, 1)
    total = sum(float(weights[key].double().square().sum()) for key in model) ** 0.5
    assert sum(float(one.double().square().sum()) for one in model.values()) ** 0.5 == pytest.approx(total, rel=1e-6)


def test_a_direction_is_text_there_and_back() -> None:
    for text in ("random", "gradient:normalize=none", "random:normalize=layer,biases=layer"):
        assert str(Direction.of(text)) == text
    for text, said in (
        ("rndom", "random"),
        ("random:normalise=layer", "normalize"),
        ("random:normalize=fliter", "filter"),
    ):
        with pytest.raises(PellucidError, match=said) as error:
            Direction.of(text)
        assert "\n" not in str(error.value)
