"""Building blocks: shares add up, by every way of adding; planted parts; what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import pellucid as pl
from pellucid.decomposition.detected import strongest
from pellucid.decomposition.grouped import grouped
from pellucid.errors import PellucidError, Refused, UnknownName
from pellucid.saliency.between import AtLayer, at_layer, rectified
from pellucid.target import Logit
from tests.test_every_method import indexed, photos, tiny

QUICK = {"steps": 0, "groups": 3}


def by_hand(layer: str, i: int = 0) -> tuple[np.ndarray, np.ndarray, float]:
    """(activations, gradients of the logit of dog, the logit) of a layer of one photo, (channels, rows, columns)."""
    net = tiny()
    pixels = net.prepare(photos()).pixels[i : i + 1]
    run = net.run(pixels, layers=[layer], grad=True)
    (slope,) = torch.autograd.grad(run.output[0, 1], run[layer])
    return run[layer][0].detach().numpy(), slope[0].numpy(), float(run.output[0, 1].detach())


@pytest.mark.parametrize("method", ["nmf", "pca"])
@pytest.mark.parametrize("layer", ["block", "relu", "last"])
def test_groups_and_residual_sum_to_the_attribution_of_channels_and_of_places(layer: str, method: str) -> None:
    found = pl.blocks.neuron_groups(tiny(), photos(), "dog", layer=layer, points=1, method=method, **QUICK)
    for i in range(3):
        activation, slope, _ = by_hand(layer, i)
        product = activation * slope
        (one,) = found[i].layers
        assert one.total[0] == pytest.approx(product.sum((1, 2)).sum(), abs=1e-12)
        assert one.total[0] == pytest.approx(product.sum(0).sum(), abs=1e-12)
        for k in range(3):  # the share of a group, by hand
            part = one.values[0, k] * one.directions[0, k][:, None, None]
            assert one.shares[0, k] == pytest.approx((part * slope).sum(), abs=1e-12)
        built = np.einsum("kyx,kc->cyx", one.values[0], one.directions[0])
        assert one.residual[0] == pytest.approx(((activation - built) * slope).sum(), abs=1e-12)
        assert one.error[0] == pytest.approx(np.linalg.norm(activation - built) / np.linalg.norm(activation), abs=1e-9)


@pytest.mark.parametrize("points", [1, 8])
def test_behind_the_average_the_sum_is_the_logit_less_its_bias(points: int) -> None:
    net = tiny()
    found = pl.blocks.neuron_groups(net, photos(), "dog", layer="relu", points=points, **QUICK)
    bias = float(net.module.head.bias[1].detach())
    for i in range(3):
        assert found.layers[0].total[i] == pytest.approx(by_hand("relu", i)[2] - bias, abs=1e-12)
    if points > 1:
        assert found.layers[0].empty == pytest.approx([bias] * 3, abs=1e-12)


def test_on_the_way_from_zero_shares_sum_to_the_change_of_the_score() -> None:
    found = pl.blocks.neuron_groups(tiny(), photos(), "dog", layer="stem", points=200, **QUICK)
    (one,), scores = found.layers, np.array(found.meta.score)
    assert one.total == pytest.approx(scores - one.empty, rel=2e-2)
    assert not any("come nearer" in note for note in found.meta.notes)
    assert np.allclose(found.meta.completeness, np.abs(one.total - scores + one.empty) / np.abs(scores - one.empty))


def test_links_of_a_group_sum_to_its_share_and_ways_are_products_by_hand() -> None:
    found = pl.blocks.pathways(tiny(), photos(), "dog", layers=("relu", "stem"), points=1, **QUICK)
    early, late = found.layers
    assert (early.layer, late.layer) == ("stem", "relu"), "in the order of the network"
    assert early.links.shape == (3, 4, 4)
    for i in range(3):
        assert np.allclose(early.links[i].sum(0), [*early.shares[i], early.residual[i]], atol=1e-12)
    net = tiny()
    run = net.run(net.prepare(photos()).pixels[:1], layers=["stem", "relu"], grad=True)
    _, slope, _ = by_hand("relu")
    weights, directions = late.values[0], late.directions[0]
    # the map of a group as a function of the activations: least squares in the groups that are active in a cell
    share = torch.zeros((), dtype=torch.float64)
    for y, x in np.ndindex(weights.shape[1:]):
        active = np.flatnonzero(weights[:, y, x])
        if 0 in active:
            basis = torch.from_numpy(directions[active])
            solved = torch.linalg.solve(basis @ basis.T, basis @ run["relu"][0, :, y, x])
            share = share + solved[active.tolist().index(0)] * float(directions[0] @ slope[:, y, x])
    assert float(share.detach()) == pytest.approx(late.shares[0, 0], abs=1e-10)
    (back,) = torch.autograd.grad(share, run["stem"])
    for k in range(3):
        part = early.values[0, k] * early.directions[0, k][:, None, None]
        assert early.links[0, 0, k] == pytest.approx(float((part * back[0].numpy()).sum()), abs=1e-10)


@pytest.mark.parametrize("of", ["groups", "cells", "units"])
def test_maps_of_all_parts_sum_to_the_attribution_of_the_earlier_layer(of: str) -> None:
    found = pl.blocks.layer_attribution(tiny(), photos(), "dog", layer="stem", later="relu", of=of, count=3, points=1)
    assert list(found.parts) == [f"{of[:-1]} {k}" for k in (1, 2, 3)] + ["the rest"]
    whole = sum(part.values for part in found.parts.values())
    for i in range(3):
        activation, slope, _ = by_hand("stem", i)
        assert np.allclose(whole[i], (activation * slope).sum(0), atol=1e-12)
    later = sum(np.array(part.meta.score) for part in found.parts.values())
    assert later == pytest.approx([(a * g).sum() for a, g, _ in (by_hand("relu", i) for i in range(3))], abs=1e-12)


def test_a_cell_comes_from_where_it_looks() -> None:
    """Cell 0,0 of a layer sees a corner of the earlier one, and nothing else."""
    net, image = tiny(), photos(1)
    at = at_layer(net, net.prepare(image).pixels, Logit(1), "last", 1)
    only = np.zeros_like(at.gradient)
    only[0] = at.gradient[0]
    before = at_layer(net, net.prepare(image).pixels, Logit(1), "block", 1, "last", [only])
    sent = (before.activation * before.parts[0]).sum(1).reshape(before.places)
    assert sent[:3, :3].any()
    assert not sent[3:].any()
    assert not sent[:, 3:].any()


def test_the_dictionary_holds_what_a_cell_holds() -> None:
    found = pl.blocks.semantic_dictionary(tiny(), photos(), "dog", layer="relu", cell=(2, 3), units=4, steps=0)
    (one,) = found.layers
    for i in range(3):
        activation, slope, _ = by_hand("relu", i)  # linear behind: the way from zero changes nothing
        product = (activation * slope)[:, 2, 3]
        assert one.units[i, :, 0].tolist() == np.argsort(-product, kind="stable")[:4].tolist()
        assert one.shares[i] == pytest.approx(product[one.units[i, :, 0]], abs=1e-12)
        assert one.shares[i].sum() + one.residual[i] == pytest.approx(product.sum(), abs=1e-12)
        assert one.activations[i] == pytest.approx(activation[one.units[i, :, 0], 2, 3], abs=1e-12)
        assert np.allclose(one.values[i], activation[one.units[i, :, 0]], atol=1e-12)
    strong = pl.blocks.semantic_dictionary(
        tiny(), photos(), "dog", layer="relu", cell=(2, 3), units=4, steps=0, order="activation"
    )
    assert (np.diff(strong.layers[0].activations) <= 0).all()


def test_cells_are_the_strongest_that_do_not_touch() -> None:
    shares = np.zeros((4, 4))
    shares[0, 0], shares[0, 1], shares[2, 2], shares[3, 0] = 5, 4, 3, 2
    at = AtLayer(shares.reshape(-1, 1), np.ones((16, 1)), (), (4, 4), 0.0, 0.0)
    assert strongest(at, 3) == [0, 10, 12]
    small = AtLayer(np.array([[1.0], [3], [2], [0]]), np.ones((4, 1)), (), (2, 2), 0.0, 0.0)
    assert strongest(small, 3) == [1, 2, 0], "where all touch, the strongest"


def test_the_index_brings_patches() -> None:
    net = tiny()
    found = pl.blocks.semantic_dictionary(net, photos(1), "dog", layer="block", units=2, steps=0, index=indexed(net))
    assert found.layers[0].patches.shape == (1, 2, 112, 112, 3)
    other = tiny()
    with torch.no_grad():
        other.module.head.bias += 1
    with pytest.raises(PellucidError, match="other weights"):
        pl.blocks.semantic_dictionary(other, photos(1), "dog", layer="block", steps=0, index=indexed(net))


def test_layers_are_chosen_where_activations_are_amounts() -> None:
    net = tiny()
    assert rectified(net, net.prepare(photos(1)).pixels) == ("block", "relu")
    found = pl.blocks.pathways(net, photos(1), "dog", **QUICK)
    assert [one.layer for one in found.layers] == ["block", "relu"]
    assert any("layers block, relu" in note for note in found.meta.notes)
    split = pl.blocks.neuron_groups(net, photos(1), "dog", layer="last", **QUICK)
    assert any("both signs" in note for note in split.meta.notes)
    assert (split.layers[0].directions < 0).any()
    assert (split.layers[0].values >= 0).all()


def test_the_agreement_of_two_starts_is_that_of_groups_that_are_there() -> None:
    chance = np.random.default_rng(0)
    maps = chance.gamma(1.0, 1.0, (50, 3)) * (chance.random((50, 3)) < 0.5)
    values = maps @ np.kron(np.eye(3), np.ones((1, 4)))
    found = grouped(values, np.ones_like(values), 3)
    assert found.agreement == pytest.approx(np.ones(3), abs=1e-3)
    assert found.shares.sum() == pytest.approx(values.sum(), rel=1e-3)
    assert (np.diff(found.shares) <= 0).all()


def test_pictures_are_of_the_groups_and_the_same_alone() -> None:
    how = {"layer": "relu", "groups": 2, "steps": 2}
    together = pl.blocks.neuron_groups(tiny(), photos(2), "dog", **how).layers[0].pictures
    alone = pl.blocks.neuron_groups(tiny(), photos(2)[1], "dog", **how).layers[0].pictures
    assert together.shape == (2, 2, 112, 112, 3)
    assert np.abs(together[1].astype(int) - alone[0]).max() <= 1
    assert pl.blocks.neuron_groups(tiny(), photos(1), "dog", **{**how, "steps": 0}).layers[0].pictures is None


class Few(torch.nn.Module):
    """One layer with places behind a ReLU, and one before it, or none."""

    def __init__(self, rectified: bool = True) -> None:
        super().__init__()
        self.first, self.r = torch.nn.Conv2d(3, 4, 5), torch.nn.ReLU() if rectified else torch.nn.Identity()
        self.head = torch.nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        maps = self.first(x)
        return self.head((self.r(maps) if isinstance(self.r, torch.nn.ReLU) else maps).mean((2, 3)))


def test_where_one_layer_is_rectified_the_earlier_one_is_any_with_places() -> None:
    net = pl.load(Few(), size=16)
    found = pl.blocks.layer_attribution(net, photos(1), 1, count=2, points=2)
    assert (found.meta.found["layer"], found.meta.found["later"]) == ("first", "r")
    with pytest.raises(PellucidError, match=r"no layer with places before later='first': .*neuron_groups"):
        pl.blocks.layer_attribution(pl.load(Few(False), size=16), photos(1), 1, points=2)


def test_what_cannot_be_asked_is_refused_in_one_line() -> None:
    net, image = tiny(), photos(1)
    with pytest.raises(UnknownName, match="blok"):
        pl.blocks.neuron_groups(net, image, "dog", layer="blok", steps=0)
    with pytest.raises(Refused, match="no maps of places"):
        pl.blocks.neuron_groups(net, image, "dog", layer="head", steps=0)
    with pytest.raises(PellucidError, match=r"20 groups in .* at most 12"):
        pl.blocks.neuron_groups(net, image, "dog", layer="relu", groups=20, steps=0)
    with pytest.raises(PellucidError, match="cell=9,9: layer 'relu' has 7 × 7 cells, 0,0 to 6,6"):
        pl.blocks.semantic_dictionary(net, image, "dog", layer="relu", cell=(9, 9), steps=0)
    with pytest.raises(PellucidError, match="does not come before later='stem'"):
        pl.blocks.layer_attribution(net, image, "dog", layer="relu", later="stem")
    with pytest.raises(PellucidError, match="count=20: layer 'relu' has 12 units"):
        pl.blocks.layer_attribution(net, image, "dog", layer="stem", later="relu", of="units", count=20)
    with pytest.raises(Refused, match="does not depend on"):
        pl.blocks.neuron_groups(net, image, "stem:0", layer="relu", steps=0)
    with pytest.raises(UnknownName, match="no layer 'x'"):
        pl.blocks.neuron_groups(net, image, "dog", layer="relu", **QUICK)["x"]


@pytest.mark.slow
def test_blocks_can_be_saved_and_drawn(tmp_path) -> None:  # type: ignore[no-untyped-def]
    found = pl.blocks.pathways(tiny(), photos(2), "dog", groups=2, steps=2, points=2)
    again = pl.open(found.save(tmp_path / "x.npz"))
    assert np.array_equal(again["relu"].shares, found["relu"].shares)
    assert "group" in pl.draw(again).alt
    assert pl.draw(found[1]).array.shape[0] < pl.draw(found).array.shape[0]
