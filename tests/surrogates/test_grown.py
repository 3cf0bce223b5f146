"""Trees, against scikit-learn's and against what is known of m-of-n."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from pellucid.errors import PellucidError, UnknownName
from pellucid.surrogates.grown import Tree, grown
from pellucid.surrogates.splits import Cut, Question, best_cut, cuts, gain_of, impurity_of
from pellucid.surrogates.trepan import Asking, _nearest, drawn, m_of_n


def table(n: int) -> np.ndarray:
    """All rows of n bits."""
    return np.array(list(itertools.product((0.0, 1.0), repeat=n)))


def clouds(n: int = 300, f: int = 6, classes: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    chance = np.random.default_rng(seed)
    y = chance.integers(0, classes, n)
    return chance.normal(size=(n, f)) + 1.3 * chance.normal(size=(classes, f))[y], y


def slow_gain(x: np.ndarray, y: np.ndarray, threshold: float, kind: str) -> float:
    def impurity(rows: list[int]) -> float:
        shares = [rows.count(k) / len(rows) for k in set(rows)]
        if kind == "gini":
            return 1 - sum(p * p for p in shares)
        return -sum(p * math.log(p) for p in shares)

    left, right = [int(k) for v, k in zip(x, y, strict=True) if v <= threshold], [
        int(k) for v, k in zip(x, y, strict=True) if v > threshold
    ]  # fmt: skip
    after = sum(len(part) * impurity(part) for part in (left, right) if part) / len(y)
    return impurity([int(k) for k in y]) - after


@pytest.mark.parametrize("kind", ["gini", "entropy"])
def test_the_best_cut_is_the_best_of_all(kind: str) -> None:
    x, y = clouds(40, 3)
    x[:, 2] = np.round(x[:, 2])  # many equal values
    thresholds, gains = cuts(x, y, 4, kind)  # type: ignore[arg-type]
    for f in range(3):
        values = np.unique(x[:, f])
        every = [slow_gain(x[:, f], y, (a + b) / 2, kind) for a, b in itertools.pairwise(values)]
        assert gains[f] == pytest.approx(max(every), abs=1e-12)
        assert slow_gain(x[:, f], y, float(thresholds[f]), kind) == pytest.approx(max(every), abs=1e-12)
        question = Question.one(f, float(thresholds[f]))
        assert gain_of(y, question.holds(x), 4, kind) == pytest.approx(gains[f], abs=1e-12)  # type: ignore[arg-type]


def test_nothing_is_cut_where_there_is_nothing_to_tell_apart() -> None:
    assert best_cut(np.zeros((5, 2)), np.arange(5) % 2, 2) is None
    assert best_cut(np.arange(10.0).reshape(5, 2), np.zeros(5, int), 2) is None
    assert impurity_of(np.zeros(3), "gini") == impurity_of(np.zeros(3), "entropy") == 0
    near = np.nextafter(1.0, 2)
    question, gain = best_cut(np.array([[1.0], [near]]), np.array([0, 1]), 2)  # type: ignore[misc]
    assert question.holds(np.array([[1.0], [near]])).tolist() == [False, True]
    assert gain == 0.5


@pytest.mark.parametrize("leaves", [2, 5, 12, None])
@pytest.mark.parametrize("kind", ["gini", "entropy"])
def test_trees_are_those_of_scikit_learn(leaves: int | None, kind: str) -> None:
    sklearn = pytest.importorskip("sklearn.tree")
    x, y = clouds()
    other, _ = clouds(seed=1)
    theirs = sklearn.DecisionTreeClassifier(criterion=kind, max_leaf_nodes=leaves, random_state=0).fit(x, y)
    mine = grown(x, y, 4, leaves=leaves, impurity=kind)  # type: ignore[arg-type]
    assert len(mine.leaves) == theirs.get_n_leaves()
    rows = x if leaves is None else other  # of equal cuts of few rows it draws one by lot
    assert np.array_equal(mine.answers(rows), theirs.predict(rows))


@pytest.mark.parametrize("depth", [1, 3])
def test_depth_is_kept(depth: int) -> None:
    sklearn = pytest.importorskip("sklearn.tree")
    x, y = clouds()
    mine = grown(x, y, 4, depth=depth)
    theirs = sklearn.DecisionTreeClassifier(max_depth=depth, random_state=0).fit(x, y)
    assert mine.depth == depth
    assert np.array_equal(mine.answers(x), theirs.predict(x))


@pytest.mark.parametrize(("m", "n", "leaves"), [(3, 5, 20), (2, 4, 10), (3, 7, 56), (4, 7, 70)])
def test_a_tree_for_m_of_n_has_that_many_leaves(m: int, n: int, leaves: int) -> None:
    x = table(n)
    y = (x.sum(1) >= m).astype(int)
    found = grown(x, y, 2)
    assert len(found.leaves) == leaves == math.comb(n + 1, m)
    assert np.array_equal(found.answers(x), y)


@pytest.mark.parametrize(("m", "n"), [(2, 3), (3, 5), (2, 4), (4, 7)])
def test_m_of_n_is_one_question_with_queries(m: int, n: int) -> None:
    """A majority network is one m-of-n test with fidelity 1."""
    chance = np.random.default_rng(0)
    x = chance.integers(0, 2, (200, n)).astype(float)

    def oracle(rows: np.ndarray) -> np.ndarray:
        return ((rows > 0.5).sum(1) >= m).astype(int)

    asking = Asking(x, oracle, 1000, "marginals")
    found = grown(x, oracle(x), 2, leaves=2, impurity="entropy", asking=asking)
    question = found.questions[0]
    assert question is not None
    assert len(question.parts) == n
    assert np.array_equal(found.answers(table(n)), oracle(table(n)))


def test_a_question_counts_its_parts() -> None:
    question = Question(2, (Cut(0, 0.5), Cut(1, 0.5).opposite, Cut(2, 0.5)))
    for row in table(3):
        assert question.holds(row[None])[0] == (int(row[0] == 1) + int(row[1] == 0) + int(row[2] == 1) >= 2)


def test_every_row_ends_in_one_leaf() -> None:
    x, y = clouds()
    found = grown(x, y, 4, leaves=9)
    reached = found.reached(x)
    assert (reached[:, found.leaves].sum(1) == 1).all()
    for leaf in found.leaves.tolist():
        inside = np.ones(len(x), bool)
        for question, yes in found.way(leaf):
            inside &= question.holds(x) == yes
        assert np.array_equal(inside, reached[:, leaf])
        assert found.counts[leaf].sum() == inside.sum()
        assert np.array_equal(found.answers(x[inside]), np.full(inside.sum(), found.counts[leaf].argmax()))
    assert found.parents[0] == -1
    assert (found.parents[1:] < np.arange(1, len(found))).all()


def test_drawn_inputs_are_like_those_that_are_there() -> None:
    chance = np.random.default_rng(0)
    rows = np.concatenate([np.zeros((20, 2)), np.ones((20, 2))]) + chance.normal(0, 0.01, (40, 2))
    near = drawn(rows, 500, "neighbors", chance)
    apart = np.abs(near[:, 0] - near[:, 1])
    assert near.shape == (500, 2)
    assert apart.max() < 0.1
    free = drawn(rows, 500, "marginals", chance)
    assert 0.3 < (np.abs(free[:, 0] - free[:, 1]) > 0.5).mean() < 0.7  # like no row that is there


def test_queries_reach_their_node() -> None:
    x, _ = clouds(60)
    asking = Asking(x, lambda rows: (rows[:, 0] > 0).astype(int), 300)
    way = ((Question.one(0, 0.0), True), (Question.one(1, 0.0), False))
    inside = (x[:, 0] > 0) & (x[:, 1] <= 0)
    rows, said = asking.drawn(x[inside], way, 4)
    assert len(rows) == 300 - inside.sum()
    assert (rows[:, 0] > 0).all()
    assert (rows[:, 1] <= 0).all()
    assert (said == 1).all()
    assert np.array_equal(asking.drawn(x[inside], way, 4)[0], rows)
    assert not np.array_equal(asking.drawn(x[inside], way, 5)[0], rows)


def test_what_cannot_be_grown_is_refused() -> None:
    with pytest.raises(PellucidError, match="0 rows"):
        grown(np.zeros((0, 2)), np.zeros(0, int), 2)
    with pytest.raises(PellucidError, match="leaves=0"):
        grown(np.zeros((2, 2)), np.zeros(2, int), 2, leaves=0)
    with pytest.raises(PellucidError, match="no network"):
        Asking(np.zeros((2, 2)), None, 5)
    with pytest.raises(UnknownName, match=r"neighbours.*neighbors"):
        Asking(np.zeros((2, 2)), None, 0, "neighbours")  # type: ignore[arg-type]
    alone = grown(np.zeros((3, 2)), np.array([0, 1, 1]), 2)
    assert isinstance(alone, Tree)
    assert len(alone) == 1
    assert m_of_n(np.zeros((3, 2)), np.array([0, 1, 1]), 2) is None
    assert alone.answers(np.ones((2, 2))).tolist() == [1, 1]


def test_neighbors_are_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    x, _ = clouds(50)
    monkeypatch.setattr("pellucid.surrogates.trepan._AT_ONCE", 150)  # three rows at a time
    found = _nearest(x, np.arange(0, 50, 7), 4)
    for i, row in zip(range(0, 50, 7), found, strict=True):
        apart = [float(((x[i] - other) ** 2).sum()) if k != i else math.inf for k, other in enumerate(x)]
        assert set(row.tolist()) == set(np.argsort(apart)[:4].tolist())
