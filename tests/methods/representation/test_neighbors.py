"""Neighbors: who is near whom by the plain formula, and a picture of the index finds itself."""

from __future__ import annotations

import numpy as np
import pytest

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.images.sources import Source
from pellucid.index import Index
from pellucid.index.plan import planned
from pellucid.index.search import Metric, nearest
from pellucid.sweep import Serial, swept
from tests.sweep.made import photos, small


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    net, source = small(), Source.of(photos(tmp_path_factory.mktemp("photos"), 30, classes=3))
    plan = planned(net, source, layers=("first", "second", "head"), embed=("first", "second"), count=4)
    return Index.of(swept(plan, tmp_path_factory.mktemp("store") / "x", Serial(net, source))).with_net(net)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_a_picture_of_the_index_finds_itself(index: Index, metric: Metric) -> None:
    for number in (1, 17):
        like = pl.representation.neighbors(index, index.source.read(number), metric=metric, count=30)
        assert like.images[0, 0] == number
        assert like.values[0, 0] == pytest.approx(1.0 if metric == "cosine" else 0.0, abs=1e-12)
        assert (np.diff(like.values[0]) <= 0).all()
        assert sorted(like.images[0].tolist()) == list(range(30))
        assert like.labels[0][0] == f"class{number // 10}"


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_by_the_plain_formula(index: Index, metric: Metric) -> None:
    numbers, rows = index["first"].embedding
    like = pl.representation.neighbors(index, index.source.read(4), layer="first", metric=metric, count=7)
    mine = [float(x) for x in rows[numbers.tolist().index(4)]]
    found = []
    for number, row in zip(numbers.tolist(), rows, strict=True):
        other = [float(x) for x in row]
        if metric == "cosine":
            product = sum(a * b for a, b in zip(mine, other, strict=True))
            value = product / (sum(a * a for a in mine) * sum(b * b for b in other)) ** 0.5
        else:
            value = -(sum((a - b) ** 2 for a, b in zip(mine, other, strict=True)) ** 0.5)
        found.append((-round(value, 12), number))
    assert like.images[0].tolist() == [number for _, number in sorted(found)[:7]]
    assert like.values[0] == pytest.approx([-value for value, _ in sorted(found)[:7]], abs=1e-9)


def test_equals_come_in_the_order_of_the_data_set() -> None:
    """Also where they fill the whole list, and where float32 cannot tell what float64 can."""
    rows = np.zeros((50_000, 4), np.float32)
    rows[:, 0] = 1
    rows[40_000] = [1, 1e-3, 0, 0]
    values, numbers = nearest(np.array([[1.0, 0, 0, 0]], np.float32), rows, 5, "cosine")
    assert numbers.tolist() == [[0, 1, 2, 3, 4]]
    assert values == pytest.approx(np.ones((1, 5)))
    values, numbers = nearest(rows[40_000:40_001], rows, 2, "cosine")
    assert numbers.tolist() == [[40_000, 0]]
    zero, _ = nearest(np.zeros((1, 4), np.float32), rows, 2, "cosine")
    assert zero.tolist() == [[0.0, 0.0]]


def test_pieces_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.random.default_rng(0).normal(size=(1000, 16)).astype(np.float32)
    whole = nearest(rows[:20], rows, 9, "euclidean")
    monkeypatch.setattr("pellucid.index.search._PIECE", 64)
    for one, other in zip(whole, nearest(rows[:20], rows, 9, "euclidean"), strict=True):
        assert np.array_equal(one, other)
    assert whole[1][:, 0].tolist() == list(range(20))


def test_wrong_questions_are_answered(index: Index) -> None:
    with pytest.raises(PellucidError, match="no embedded layer 'head'"):
        pl.representation.neighbors(index, index.source.read(0), layer="head")
    with pytest.raises(PellucidError, match="neighbors: count=0"):
        pl.representation.neighbors(index, index.source.read(0), count=0)
    drawn = pl.draw(pl.representation.neighbors(index, index.source.read(0), count=3))
    assert "most like" in drawn.alt
