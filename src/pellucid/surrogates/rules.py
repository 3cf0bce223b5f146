"""Rules: the ways of a tree to its leaves, shortened, and asked one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from pellucid.surrogates.asked import test_of
from pellucid.surrogates.grown import Tree
from pellucid.surrogates.splits import Cut, Question


@dataclass(frozen=True)
class Rule:
    """If all tests hold, this class."""

    tests: tuple[Cut, ...]
    answer: int

    def holds(self, x: Float[np.ndarray, "n f"]) -> Bool[np.ndarray, " n"]:
        """(N,) whether all do; a rule without a test holds always."""
        held = np.ones(len(x), bool)
        for one in self.tests:
            held &= one.holds(x)
        return held

    def written(self, layer: str) -> str:
        """Its tests in words."""
        return " and ".join(test_of(one, layer) for one in self.tests) or "else"


@dataclass(frozen=True)
class RuleList:
    """Rules, of which the first that holds answers; the last holds always."""

    rules: tuple[Rule, ...]

    def decides(self, x: Float[np.ndarray, "n f"]) -> Int[np.ndarray, " n"]:
        """(N,) the number of the rule that answers each row."""
        held = np.stack([one.holds(x) for one in self.rules])
        return np.asarray(held.argmax(0))

    def answers(self, x: Float[np.ndarray, "n f"]) -> Int[np.ndarray, " n"]:
        """(N,) classes."""
        return np.asarray(np.array([one.answer for one in self.rules])[self.decides(x)])

    @property
    def tests(self) -> int:
        """How many there are in all rules."""
        return sum(len(one.tests) for one in self.rules)


def rules_of(tree: Tree, x: Float[np.ndarray, "n f"], y: Int[np.ndarray, " n"]) -> RuleList:
    """The rules of a tree whose questions ask about one feature each, on the rows that it was grown on.

    Tests of the same feature in the same direction are merged, and one by one left out whatever costs the rule no
    precision on these rows (Quinlan 1987, section 3); equal rules are one. They are sorted by how many rows they hold
    for, and what none holds for gets the class that is most frequent there.
    """
    found = dict[tuple[frozenset[Cut], int], Rule]()
    for leaf in tree.leaves.tolist():
        answer = int(tree.counts[leaf].argmax())
        rule = _shortened(Rule(_merged(tree.way(leaf)), answer), x, y)
        found.setdefault((frozenset(rule.tests), answer), rule)
    counted = [(int(rule.holds(x).sum()), rule) for rule in found.values()]
    ordered = [rule for _, rule in sorted(counted, key=lambda pair: -pair[0])]
    left = ~np.logical_or.reduce([rule.holds(x) for rule in ordered])
    rest = y[left] if left.any() else y
    return RuleList((*ordered, Rule((), int(np.bincount(rest).argmax()))))


def _merged(way: Sequence[tuple[Question, bool]]) -> tuple[Cut, ...]:
    """One test for each feature and direction: the narrowest."""
    narrowest = dict[tuple[int, bool], Cut]()
    for question, yes in way:
        one = question.parts[0] if yes else question.parts[0].opposite
        key, pick = (one.feature, one.above), max if one.above else min
        if key in narrowest:
            one = Cut(one.feature, pick(one.threshold, narrowest[key].threshold), one.above)
        narrowest[key] = one
    return tuple(narrowest.values())


def _shortened(rule: Rule, x: Float[np.ndarray, "n f"], y: Int[np.ndarray, " n"]) -> Rule:
    """Without the tests that cost no precision, the one first whose loss gains most rows."""
    while rule.tests:
        precise, many = _judged(rule, x, y)
        others = [Rule(tuple(t for t in rule.tests if t is not one), rule.answer) for one in rule.tests]
        scored = [(*_judged(one, x, y), k) for k, one in enumerate(others)]
        precision, more, k = max(scored, key=lambda row: (row[0] >= precise, row[1], -row[2]))
        if precision < precise or more < many:
            break
        rule = others[k]
    return rule


def _judged(rule: Rule, x: Float[np.ndarray, "n f"], y: Int[np.ndarray, " n"]) -> tuple[float, int]:
    """(the share of rows it holds for that have its class, how many it holds for)."""
    held = rule.holds(x)
    many = int(held.sum())
    return (float((y[held] == rule.answer).mean()) if many else 0.0), many
