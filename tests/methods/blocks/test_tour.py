"""The tour: shares, selectivity and places against their formulas; patches lie where units are strongest."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
import torch

import pellucid as pl
from pellucid.decomposition.toured import beside, grayed, patch
from pellucid.errors import PellucidError
from pellucid.images import Images
from pellucid.render.photos import Photos
from pellucid.result import Tour
from tests.test_every_method import photos, tiny

QUICK = {"steps": 0, "points": 1, "units": 3, "layers": ("stem", "relu")}


def colored(n: int = 6) -> Images:
    """Photos of a few colors each."""
    chance = torch.Generator().manual_seed(8)
    values = [torch.rand(3, 4, 4, generator=chance).double().repeat_interleave(8, 1).repeat_interleave(8, 2)
              for _ in range(n)]  # fmt: skip
    return Images.from_pictures(values, [f"color {i}" for i in range(n)])


@functools.cache
def walked() -> Tour:
    return pl.blocks.tour(tiny(), photos(2), "dog", photos=colored(), **QUICK)


def test_shares_and_maps_sum_to_the_attribution_of_the_layer() -> None:
    net, found = tiny(), walked()
    for i, walk in enumerate(found.walks):
        for layer in walk.layers:
            run = net.run(net.prepare(photos()).pixels[i : i + 1], layers=[layer.layer], grad=True)
            (slope,) = torch.autograd.grad(run.output[0, 1], run[layer.layer])
            product = (run[layer.layer] * slope)[0].detach().numpy()
            assert np.allclose(layer.values, product.sum(0), atol=1e-12)
            whole = product.sum((1, 2))
            assert layer.units.tolist() == np.argsort(-whole, kind="stable")[:3].tolist()
            assert np.allclose(layer.shares, whole[layer.units], atol=1e-12)
            assert np.allclose(layer.maps, run[layer.layer][0, layer.units.tolist()].detach().numpy())
        last = walk.layers[-1]
        assert last.total + last.empty == pytest.approx(walk.score, abs=1e-12), "linear behind the average"


def test_selectivity_is_what_is_lost_in_gray_at_the_same_places() -> None:
    net, layer = tiny(), walked().walks[0].layers[0]
    each = []
    for one in net.prepare(colored()):
        bright = (one.pixels[0] * torch.tensor([0.299, 0.587, 0.114]).double()[:, None, None]).sum(0)
        plain = net.run(one.pixels, layers=["stem"])["stem"][0].numpy()
        bare = net.run(bright.expand(1, 3, -1, -1), layers=["stem"])["stem"][0].numpy()
        each.append((plain, bare))
    for unit in range(8):
        strongest = []
        for plain, bare in each:
            y, x = np.unravel_index(plain[unit].argmax(), plain[unit].shape)
            strongest.append((plain[unit, y, x], bare[unit, y, x]))
        strongest = sorted(strongest, key=lambda one: -one[0])[:5]
        whole = math.fsum(a for a, _ in strongest)
        if whole > 0:
            assert layer.selectivity[unit] == pytest.approx(1 - math.fsum(b for _, b in strongest) / whole, abs=1e-6)
        else:
            assert np.isnan(layer.selectivity[unit])
    assert float(grayed(torch.rand(1, 3, 4, 4)).std(1).max()) < 1e-6


def test_photos_lie_by_their_two_principal_components_and_the_image_among_them() -> None:
    net, walk = tiny(), walked().walks[1]
    for layer in walk.layers:
        rows = np.stack([net.run(one.pixels, layers=[layer.layer])[layer.layer][0].mean((1, 2)).numpy()
                         for one in net.prepare(colored())])  # fmt: skip
        own = net.run(net.prepare(photos()).pixels[1:2], layers=[layer.layer])[layer.layer][0].mean((1, 2)).numpy()
        _, _, axes = np.linalg.svd(rows - rows.mean(0), full_matrices=False)
        by_hand = (np.vstack([rows, own]) - rows.mean(0)) @ axes[:2].T
        assert np.allclose(np.abs(layer.places), np.abs(by_hand), atol=1e-8)
    distances = np.linalg.norm(rows - own, axis=1)
    assert walk.nearest == tuple(np.argsort(distances, kind="stable"))


def test_a_patch_lies_where_the_unit_is_strongest() -> None:
    """A network whose one unit is how red a pixel is, and photos of which one has a red square."""
    net = pl.load(torch.nn.Sequential(torch.nn.Conv2d(3, 1, 1, bias=False), torch.nn.ReLU(),
                                      torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()), size=32)  # fmt: skip
    with torch.no_grad():
        net.module[0].weight[:] = torch.tensor([1.0, -0.5, -0.5]).view(1, 3, 1, 1)
    plain, red = torch.full((3, 32, 32), 0.5), torch.full((3, 32, 32), 0.5)
    red[:, 20:25, 4:9] = torch.tensor([0.95, 0, 0])[:, None, None]
    red[0, 22, 6] = 1.0
    seen = beside(
        net, Photos.of([Images.from_pictures([plain], ["plain"]), Images.from_pictures([red], ["red"])]), ["1"]
    )
    shown, name = patch(net, seen, "1", 0)
    assert name == "red"
    assert shown.reshape(-1, 3).min(0).tolist()[0] > 235, "three pixels about the strongest, all of them red"
    assert shown.reshape(-1, 3).max(0).tolist()[1:] == [0, 0]


def test_it_says_how_much_of_the_score_is_left_in_gray_and_which_units_need_color() -> None:
    net, found = tiny(), walked()
    one = net.prepare(photos())[0]
    assert found.walks[0].gray == pytest.approx(net.run(grayed(one.pixels)).output[0, 1].item(), abs=1e-9)
    assert found.findings[0].startswith("units that lose more than a quarter of their activation in gray: stem ")
    assert found[1].walks[0] is found.walks[1]


def test_what_it_cannot_show_is_refused() -> None:
    with pytest.raises(PellucidError, match="photos='color 0' holds 1: a tour needs at least 2 to compare with"):
        pl.blocks.tour(tiny(), photos(1), photos=colored(1), **QUICK)
    with pytest.raises(PellucidError, match="units=9: layer 'stem' has 8"):
        pl.blocks.tour(tiny(), photos(1), photos=colored(2), **{**QUICK, "units": 9})


def test_a_network_that_sees_no_colors_has_a_tour_without_them() -> None:
    torch.manual_seed(0)
    net = pl.load(torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1),
                                      torch.nn.Flatten(), torch.nn.Linear(4, 3)), size=16, channels=1)  # fmt: skip
    gray = Images.from_pictures([torch.rand(1, 16, 16) for _ in range(3)], ["a", "b", "c"])
    found = pl.blocks.tour(net, gray[0], photos=gray, steps=0, points=2, units=2)
    assert np.isnan(found.walks[0].gray)
    assert not found.findings
    assert not len(found.walks[0].layers[0].color_units)
    assert b"<main" in pl.draw(found).page()
