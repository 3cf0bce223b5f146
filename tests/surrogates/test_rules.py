"""Rules say what their tree says, in fewer words."""

from __future__ import annotations

import numpy as np

from pellucid.surrogates.grown import grown
from pellucid.surrogates.rules import Rule, RuleList, rules_of
from pellucid.surrogates.splits import Cut
from tests.surrogates.test_grown import clouds, table


def test_rules_of_a_pure_tree_answer_as_it_does() -> None:
    x = table(4)
    y = (x[:, 0] * x[:, 1] + 2 * (1 - x[:, 2])).astype(int)
    tree = grown(x, y, 4)
    found = rules_of(tree, x, y)
    assert np.array_equal(found.answers(x), y)
    assert len(found.rules) <= len(tree.leaves) + 1
    assert found.tests <= sum(len(tree.way(int(leaf))) for leaf in tree.leaves)


def test_they_are_as_precise_as_the_leaves() -> None:
    x, y = clouds()
    tree = grown(x, y, 4, leaves=8)
    found = rules_of(tree, x, y)
    reached = tree.reached(x)
    for leaf in tree.leaves.tolist():
        answer = int(tree.counts[leaf].argmax())
        precise = (y[reached[:, leaf]] == answer).mean()
        assert any(one.answer == answer and (y[one.holds(x)] == answer).mean() >= precise for one in found.rules)
    held = [int(one.holds(x).sum()) for one in found.rules[:-1]]
    assert held == sorted(held, reverse=True)
    assert found.rules[-1].tests == ()


def test_tests_of_one_feature_are_merged() -> None:
    x = np.arange(12.0)[:, None]
    y = np.array([0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1])
    found = rules_of(grown(x, y, 2), x, y)
    for one in found.rules:
        assert len({(test.feature, test.above) for test in one.tests}) == len(one.tests) <= 2
    assert np.array_equal(found.answers(x), y)


def test_the_first_that_holds_answers() -> None:
    rules = RuleList((Rule((Cut(0, 0.5),), 2), Rule((Cut(1, 0.5),), 1), Rule((), 0)))
    rows = np.array([[1.0, 1.0], [0.0, 1.0], [0.0, 0.0]])
    assert rules.answers(rows).tolist() == [2, 1, 0]
    assert rules.decides(rows).tolist() == [0, 1, 2]
    assert rules.rules[0].written("relu") == "relu:0 > 0.5"
    assert Rule((Cut(3, 1.25, False), Cut(1, 2.0)), 0).written("a") == "a:3 ≤ 1.25 and a:1 > 2"
