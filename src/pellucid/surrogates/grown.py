"""Decision trees: grown best first, one question at a time, until they have as many leaves as a person reads."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray

from pellucid.errors import PellucidError
from pellucid.progress import steps
from pellucid.surrogates.splits import Impurity, Question, best_cut, impurity_of
from pellucid.surrogates.trepan import Asking, Way


@dataclass(frozen=True, eq=False)
class Tree:
    """M nodes, the root first and each before its children. Node m asks `questions[m]`; None is a leaf."""

    questions: tuple[Question | None, ...]
    children: Int[np.ndarray, "m 2"]
    """(M, 2) where no and yes lead; −1 of a leaf."""
    counts: Float[np.ndarray, "m c"]
    """(M, C) of the classes of what it was grown on, queries included."""

    def __len__(self) -> int:
        return len(self.questions)

    @property
    def leaves(self) -> NDArray[np.int64]:
        """The numbers of its leaves."""
        return np.flatnonzero(self.children[:, 0] < 0)

    @property
    def parents(self) -> NDArray[np.int64]:
        """(M,) −1 of the root."""
        found = np.full(len(self), -1)
        for m, pair in enumerate(self.children.tolist()):
            for child in pair:
                if child >= 0:
                    found[child] = m
        return found

    @property
    def depth(self) -> int:
        """Questions on the longest way from root to leaf."""
        return max(len(self.way(int(leaf))) for leaf in self.leaves)

    def way(self, node: int) -> Way:
        """(question, answer) from the root to a node."""
        parents, found = self.parents, list[tuple[Question, bool]]()
        while (above := int(parents[node])) >= 0:
            question = self.questions[above]
            if question is not None:
                found.append((question, bool(self.children[above, 1] == node)))
            node = above
        return tuple(reversed(found))

    def reached(self, x: Float[np.ndarray, "n f"]) -> Bool[np.ndarray, "n m"]:
        """(N, M) which nodes each row comes through."""
        found = np.zeros((len(x), len(self)), bool)
        found[:, 0] = True
        for m, question in enumerate(self.questions):
            if question is not None:
                rows = np.flatnonzero(found[:, m])
                yes = question.holds(x[rows])
                found[rows[~yes], self.children[m, 0]] = True
                found[rows[yes], self.children[m, 1]] = True
        return found

    def answers(self, x: Float[np.ndarray, "n f"]) -> Int[np.ndarray, " n"]:
        """(N,) the class that is most frequent at the leaf of each row, of equal ones the first."""
        leaves = self.leaves
        return np.asarray(self.counts[leaves].argmax(1)[self.reached(x)[:, leaves].argmax(1)])


def grown(
    x: Float[np.ndarray, "n f"], y: Int[np.ndarray, " n"], classes: int, *, leaves: int | None = None,
    depth: int | None = None, impurity: Impurity = "gini", asking: Asking | None = None,
) -> Tree:  # fmt: skip
    """A tree with at most so many leaves, at most so many questions deep.

    The leaf that is asked next is the one whose best question takes most off the impurity of all rows together
    (Breiman et al. 1984; scikit-learn's with max_leaf_nodes, of which it differs by the choice among equal cuts
    alone). With `asking` it is the one that errs on most rows, its question m-of-n, and rows are added until enough
    reach it (Craven & Shavlik 1996). Raises PellucidError where there is nothing to grow on.
    """
    if not len(x) or len(x) != len(y):
        raise PellucidError(f"a tree of {len(x)} rows and {len(y)} answers")
    if leaves is not None and leaves < 1:
        raise PellucidError(f"leaves={leaves}: 1 at the least")
    build = _Growth(classes, impurity, asking)
    build.add(np.asarray(x, np.float64), np.asarray(y), ())
    for node in steps(_turns(build, leaves), "questions", None if leaves is None else max(leaves - 1, 1)):
        build.split(node, depth)
    return build.done()


def _turns(build: _Growth, leaves: int | None) -> Iterator[int]:
    """The leaves in the order in which they are asked, as long as there may be more."""
    while build.waiting and (leaves is None or build.many < leaves):
        yield heapq.heappop(build.waiting)[1]


class _Growth:
    """A tree as it grows: leaves wait in the order in which they are to be asked."""

    def __init__(self, classes: int, impurity: Impurity, asking: Asking | None) -> None:
        self.classes, self.impurity, self.asking = classes, impurity, asking
        self.questions: list[Question | None] = []
        self.children: list[list[int]] = []
        self.counts: list[NDArray[np.float64]] = []
        self.held: list[tuple[NDArray[np.float64], NDArray[np.int64], Way]] = []
        self.next: list[Question | None] = []
        self.waiting: list[tuple[float, int]] = []
        self.many = 0
        self.total = 0

    def add(self, x: NDArray[np.float64], y: NDArray[np.int64], way: Way) -> int:
        """A new leaf with the rows that reach it; returns its number."""
        node, real = len(self.questions), len(y)
        self.total = self.total or real
        question: Question | None
        if self.asking is None:
            found = best_cut(x, y, self.classes, self.impurity)
            question, worth = (None, 0.0) if found is None else (found[0], found[1] * real / self.total)
            counts = np.bincount(y, minlength=self.classes).astype(float)
        else:
            more = self.asking.drawn(x, way, node)
            wide, said = np.concatenate([x, more[0]]), np.concatenate([y, more[1]])
            counts = np.bincount(said, minlength=self.classes).astype(float)
            question = self.asking.question(wide, said, self.classes)
            worth = real / self.total * (1 - float(counts.max()) / max(float(counts.sum()), 1.0))
        self.questions.append(None)
        self.children.append([-1, -1])
        self.counts.append(counts)
        self.held.append((x, y, way))
        self.next.append(question)
        self.many += 1
        if question is not None and float(impurity_of(counts, self.impurity)) > 0:
            heapq.heappush(self.waiting, (-worth, node))
        return node

    def split(self, node: int, depth: int | None) -> None:
        """Ask at a leaf the question that was found for it."""
        x, y, way = self.held[node]
        question = self.next[node]
        if question is None or (depth is not None and len(way) >= depth):
            return
        yes = question.holds(x)
        self.questions[node] = question
        self.many -= 1
        for side, rows in enumerate((~yes, yes)):
            self.children[node][side] = self.add(x[rows], y[rows], (*way, (question, bool(side))))
        empty = np.zeros((0, x.shape[1]))
        self.held[node] = empty, np.zeros(0, np.int64), way  # nobody asks it again

    def done(self) -> Tree:
        return Tree(tuple(self.questions), np.array(self.children, np.int64), np.stack(self.counts))
