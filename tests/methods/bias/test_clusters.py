"""Spectral relevance analysis: against its formulas, and on classes where the truth is planted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import pellucid as pl
from pellucid import cli
from pellucid.data import Data
from pellucid.errors import PellucidError
from pellucid.evaluation.clusters import focus, parted, shares
from pellucid.evaluation.explainers import Explainers
from pellucid.evaluation.odd import _on_pixels
from pellucid.evaluation.reasons import reasons
from pellucid.learning.tasks import digits
from pellucid.learning.train import Recipe, train
from tests.test_every_method import indexed, labeled, tiny


def maps(sizes: tuple[int, ...], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Maps of several kinds, each with a place of its own, in a mixed order; and the kinds."""
    chance = np.random.default_rng(seed)
    kinds = np.repeat(np.arange(len(sizes)), sizes)
    found = 0.05 * chance.standard_normal((len(kinds), 6, 6))
    for k in range(len(sizes)):
        found[kinds == k, k, :] += 1 + chance.random((sizes[k], 6))
    order = chance.permutation(len(kinds))
    return found[order], kinds[order]


def test_clusters_are_the_kinds_and_do_not_depend_on_the_order_or_the_scale() -> None:
    given, kinds = maps((40, 25, 18))
    found = parted(given)
    assert np.array_equal(found.members, kinds)  # the largest is the first
    assert found.eigenvalues[:3].tolist() == [0, 0, 0]
    assert np.array_equal(found.isolation, np.ones(3))
    turned = np.random.default_rng(1).permutation(len(given))
    again = parted(given[turned] * np.random.default_rng(2).integers(1, 9, len(given))[:, None, None])
    assert np.array_equal(again.members, kinds[turned])
    assert np.allclose(again.eigenvalues, found.eigenvalues, atol=1e-12)
    mixed = parted(given[turned])
    assert np.array_equal(mixed.eigenvalues, found.eigenvalues)


def test_eigenvalues_are_those_of_the_normalized_laplacian() -> None:
    """Written out: neighbors by sorting, edges of either, I − D^(−1/2) A D^(−1/2)."""
    given, _ = maps((20, 12), 3)
    rows = np.array([one.ravel() / np.abs(one).sum() for one in given])
    count = 4  # an eighth of the maps
    edges = np.zeros((32, 32))
    for i in range(32):
        far = [np.sum((rows[i] - rows[j]) ** 2) if j != i else np.inf for j in range(32)]
        edges[i, np.argsort(far)[:count]] = 1
    edges = np.maximum(edges, edges.T)
    degree = edges.sum(1)
    laplacian = np.eye(32) - edges / np.sqrt(degree[:, None] * degree[None])
    wanted = np.linalg.eigvalsh(laplacian)[:9]
    assert np.allclose(parted(given).eigenvalues, wanted, atol=1e-8)


def test_the_place_that_tells_a_cluster_from_all_others() -> None:
    given, kinds = maps((30, 30))
    given[kinds == 1, 5, 2] += 40
    found, part = focus(given, kinds == 1), np.abs(shares(given))
    assert found.cell == (5, 2)
    assert found.own == pytest.approx(part[kinds == 1, 5, 2].mean())
    assert found.elsewhere == pytest.approx(part[kinds == 0, 5, 2].mean())
    assert found.exclusive == pytest.approx(1 - found.elsewhere / found.own)


def test_chance_finds_no_place() -> None:
    """The cell is chosen on one half and measured on the other: of noise it is nothing special."""
    noise = np.random.default_rng(0).random((60, 8, 8))
    inside = np.arange(60) < 12
    picked = np.abs(shares(noise))
    best = picked[inside].mean(0).max() / picked[~inside].mean(0).mean()
    assert focus(noise, inside).exclusive < 0.2 < 1 - 1 / best


def tagged(seed: int, biased: bool) -> tuple[pl.Net, tuple[torch.Tensor, torch.Tensor], np.ndarray]:
    """Digits on 12 × 12, a bright corner in 30 % of class 3; a small network trained on them."""
    task = digits(1000, seed).train
    inputs, labels = nn.functional.pad(task.inputs, (2, 2, 2, 2)), task.labels
    corner = (labels.numpy() == 3) & (np.random.default_rng(seed).random(1000) < 0.3) & biased
    inputs[torch.from_numpy(corner), :, :2, :2] = 1
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = nn.Sequential(
            nn.Flatten(), nn.Linear(144, 50), nn.ReLU(), nn.Linear(50, 30), nn.ReLU(), nn.Linear(30, 10)
        )
    train(module, (inputs, labels), Recipe(30, 32, "adam", 2e-3, seed=seed))
    return pl.load(module, size=12, channels=1, mean=(0.0,), std=(1.0,)), (inputs, labels), corner


def assert_found(seed: int) -> None:
    how = {"of": "gradient_times_input", "cells": 6, "count": 120}
    net, data, corner = tagged(seed, True)
    found = pl.bias.clusters(net, data, **how)
    classes, rows = found["classes"], found["clusters"].rows
    assert classes["class"][0] == "class 3"
    assert classes["second"][0] < 0.005
    assert rows[0]["suspicious"]
    assert (rows[0]["class"], rows[0]["cell"]) == ("class 3", "0,0")
    assert rows[0]["size"] == corner.sum()  # every tagged photo, and no other
    assert {int(one) for one in rows[0]["examples"].split(", ")} <= set(np.flatnonzero(corner))
    assert sum(found["clusters"]["suspicious"]) == 1
    net, data, _ = tagged(seed, False)
    assert not any(pl.bias.clusters(net, data, **how)["clusters"]["suspicious"])


@pytest.mark.slow
def test_a_bright_corner_is_found_and_an_unbiased_network_is_not_suspected() -> None:
    """One seed; `benchmarks/bias.py` asks ten."""
    pytest.importorskip("sklearn")
    assert_found(0)


def test_the_place_of_a_map_that_was_coarse_is_wider() -> None:
    """By less than one cell of that map, down and across."""
    cells = torch.zeros(1, 1, 4, 4)
    cells[0, 0, 1, 2] = 1
    for jump, (rows, columns) in (((1.0, 1.0), (0, 0)), ((4.0, 8.0), (3, 7))):
        wanted = torch.zeros(32, 32, dtype=torch.bool)
        wanted[8 - rows : 16 + rows, 16 - columns : 24 + columns] = True
        assert torch.equal(_on_pixels(cells, jump, (32, 32)), wanted)
    net = tiny()
    photos = Data.of(labeled()).on(net)
    jumps = [reasons(net, photos, Explainers.of(name), [0, 1], 4).jump for name in ("gradient", "grad_cam:layer=stem")]
    assert jumps == [(1.0, 1.0), (2.0, 2.0)]


def test_one_class_alone() -> None:
    found = pl.bias.clusters(tiny(), labeled(), class_name="dog", cells=4)
    assert set(found["clusters"]["class"]) == {"dog"}
    with pytest.raises(PellucidError, match=r"class_name='cat': no photo .* its classes: dog, cow"):
        pl.bias.clusters(tiny(), pl.Data.of((np.zeros((2, 3, 32, 32)), np.array([1, 2]))), class_name="cat")


def test_several_methods_are_refused() -> None:
    with pytest.raises(PellucidError, match="one method at a time"):
        pl.bias.clusters(tiny(), labeled(), of="grad_cam,lrp")


def test_it_goes_on_where_it_was_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Maps that are known are not asked for again, and the answer is the same."""
    net, data = tiny(), labeled()
    with pl.resumable(tmp_path):
        first = pl.bias.clusters(net, data, cells=4)
        monkeypatch.setattr("pellucid.evaluation.explainers.Explainer.heat_and_jump", None)
        again = pl.bias.clusters(net, data, cells=4)
    assert again["clusters"].rows == first["clusters"].rows


def test_an_index_brings_its_network_and_its_images() -> None:
    net = tiny()
    index = indexed(net)
    wanted = pl.bias.clusters(net, index.source, of="gradient", class_name="dog")
    found = pl.bias.clusters(index, of="gradient", class_name="dog")
    assert list(found["clusters"].rows) == list(wanted["clusters"].rows)
    assert found.meta.nouns["net"] == wanted.meta.nouns["net"]
    with pytest.raises(PellucidError, match="gradient needs images"):
        pl.attribution.gradient(index)
    with pytest.raises(PellucidError, match="network"):
        pl.filters.health(index)


@pytest.mark.slow
def test_on_the_command_line_the_network_of_an_index_is_asked_unless_another_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez(tmp_path / "photos.npz", images=(np.random.default_rng(0).random((12, 32, 32, 3)) * 255).astype(np.uint8),
             labels=np.arange(12) % 3)  # fmt: skip
    monkeypatch.chdir(tmp_path)
    small = ["--net", "bundled", "--input-size", "48"]
    assert cli.main(["index", "photos.npz", "--store", "x.index", "--layers", "act2", *small]) == 0
    asked, found = ["bias", "clusters", "--method", "gradient", "--count", "20"], {}
    for name, words in {"index": ["x.index"], "named": ["photos.npz", *small], "other": ["bundled", "x.index"]}.items():
        assert cli.main([*asked, *words, "--out", f"{name}.npz"]) == 0
        found[name] = pl.open(tmp_path / f"{name}.npz")
    assert found["index"]["clusters"].rows == found["named"]["clusters"].rows
    assert found["index"]["clusters"].rows != found["other"]["clusters"].rows
