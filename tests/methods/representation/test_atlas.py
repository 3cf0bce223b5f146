"""Activation atlas: sampled activations, their cells, what they speak for, by slow plain formulas."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.images.sources import Source
from pellucid.index import Index
from pellucid.index.activations import Sampled, sampled
from pellucid.index.plan import planned
from pellucid.methods.representation._cells import celled, strongest, whitened
from pellucid.sweep import Serial, swept
from tests.sweep.made import photos, small


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    net, source = small(), Source.of(photos(tmp_path_factory.mktemp("photos"), 20))
    plan = planned(net, source, layers=("first", "second", "head"), count=4)
    return Index.of(swept(plan, tmp_path_factory.mktemp("store") / "x", Serial(net, source))).with_net(net)


def test_one_inner_place_of_each_picture_and_what_it_speaks_for(index: Index) -> None:
    """Each sampled row is an activation of its picture, not at the edge; its attribution is h·∇logit."""
    found = sampled(index, "second", 100, 0)
    assert len(found.rows) == 20
    for i in (1, 7, 13):
        pixels = index.net.prepare(index.source.read(i)).pixels
        run = index.net.run(pixels, layers=["second"], grad=True)
        maps = run.at["second"][0].detach().double()
        apart = (maps - torch.tensor(found.rows[i])[:, None, None]).abs().amax(0)
        y, x = divmod(int(apart.argmin()), apart.shape[1])
        assert apart[y, x] < 1e-5
        assert 0 < y < apart.shape[0] - 1
        assert 0 < x < apart.shape[1] - 1
        assert found.classes[i].tolist() == run.scores[0].detach().topk(3).indices.tolist()
        for k, index_ in enumerate(found.classes[i].tolist()):
            (slope,) = torch.autograd.grad(run.scores[0, index_], run.at["second"], retain_graph=True)
            told = float((slope[0, :, y, x].double() * maps[:, y, x]).sum())
            assert found.attribution[i, k] == pytest.approx(told, abs=1e-6)
    again = sampled(index, "second", 100, 0)
    assert np.array_equal(found.rows, again.rows)
    assert not np.array_equal(found.rows, sampled(index, "second", 100, 1).rows)
    assert len(sampled(index, "second", 6, 0).rows) == 6


def test_cells() -> None:
    """A planted lattice of clusters: each in a cell of its own, the sparse one is dropped."""
    middles = np.array([(x, y) for y in range(3) for x in range(3)], float)
    counts = [20] * 8 + [1]
    places = np.repeat(middles, counts, 0) + np.random.default_rng(0).normal(0, 0.01, (161, 2))
    at, cells, members = celled(places, 5, 2)
    assert len(cells) == 8
    assert [len(one) for one in members] == [20] * 8
    assert {len(set((one // 20).tolist())) for one in members} == {1}
    assert (at >= 0).all()
    assert (at < 5).all()
    for cell, one in zip(cells, members, strict=True):
        assert (at[one].astype(int)[:, ::-1] == cell).all()


def test_whitening_is_the_inverse_of_the_second_moments() -> None:
    rows = np.random.default_rng(0).normal(size=(40, 5)) @ np.diag([3.0, 1, 1, 1, 0.2])
    means, share = rows[:2], 5 / 45
    moments = sum(np.outer(row, row) for row in rows) / 40
    shrunk = (1 - share) * moments + share * np.trace(moments) / 5 * np.eye(5)
    assert np.allclose(whitened(rows, means), means @ np.linalg.inv(shrunk))


def test_the_strongest_classes_are_means_over_the_cell(index: Index) -> None:
    found = Sampled(np.zeros((3, 2)), np.array([[0, 1], [0, 2], [1, 2]]), np.array([[3.0, 1], [1, 5], [1, -2]]))
    said = strongest(index.net, found, np.array([0, 1]))
    assert [(name, value) for name, value in said] == [("class 2", 2.5), ("class 0", 2.0), ("class 1", 0.5)]


def test_the_atlas(index: Index) -> None:
    seen = pl.representation.atlas(index, layer="first", grid=3, min_per_cell=1, steps=3)
    assert seen.pixels.shape[1:] == (80, 80, 3)
    assert len(seen) == len(seen.cells) == len(seen.classes) > 3
    assert seen.counts.sum() == 20
    assert len({tuple(cell) for cell in seen.cells.tolist()}) == len(seen)
    assert pl.draw(seen).array.shape[1] > 500
    with pytest.raises(PellucidError, match="holds min_per_cell=21 activations: try grid=2"):
        pl.representation.atlas(index, layer="first", grid=3, min_per_cell=21)
    with pytest.raises(PellucidError, match="layer 'head' has no places"):
        pl.representation.atlas(index, layer="head")
    with pytest.raises(PellucidError, match="no layer 'frist'"):
        pl.representation.atlas(index, layer="frist")
