"""TREPAN: questions m-of-n, found by beam search, on inputs that are drawn and put to the network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray
from scipy import stats

from pellucid.errors import PellucidError, unknown
from pellucid.rng import generator
from pellucid.surrogates.splits import Cut, Question, cuts, gain_of

Draws = Literal["neighbors", "marginals"]
Way = tuple[tuple[Question, bool], ...]
Oracle = Callable[[Float[np.ndarray, "n f"]], Int[np.ndarray, " n"]]
"""The network's answer to rows of features."""
_BEAM, _PARTS, _LEVEL = 2, 20, 0.05
"""Questions kept at a time, features that may take part, and the level of the test that one must pass."""
_TRIES, _NEAR, _AT_ONCE = 20, 10, 4_000_000
"""Times that rows are drawn until enough reach a node, neighbors they are drawn between, and distances at once."""


@dataclass(frozen=True, eq=False)
class Asking:
    """How the nodes of a tree are asked about: as many rows as reach one are filled up to `queries` with drawn ones,
    which `oracle` answers. `neighbors` draws between a row and one of its 10 nearest, `marginals` each feature by
    itself, which makes inputs that are like no image.
    """

    rows: Float[np.ndarray, "n f"]
    oracle: Oracle | None = None
    queries: int = 0
    draws: Draws = "neighbors"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.draws not in ("neighbors", "marginals"):
            raise unknown("draws", str(self.draws), ("neighbors", "marginals"))
        if self.queries and self.oracle is None:
            raise PellucidError(f"queries={self.queries}: there is no network to put them to")

    def drawn(self, x: NDArray[np.float64], way: Way, node: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """(rows (Q, F) that reach a node besides the N that do, the network's answers (Q,)); fewer than are wanted
        where hardly any drawn row reaches it."""
        missing = self.queries - len(x)
        if missing <= 0 or self.oracle is None or not len(x):
            return np.zeros((0, x.shape[1])), np.zeros(0, np.int64)
        chance, found, many = generator(self.seed, "queries", node), list[NDArray[np.float64]](), 0
        for _ in range(_TRIES):
            rows = drawn(x if len(x) > _NEAR else self.rows, max(2 * (missing - many), 64), self.draws, chance)
            for question, yes in way:
                rows = rows[question.holds(rows) == yes]
            found.append(rows)
            many += len(rows)
            if many >= missing:
                break
        every = np.concatenate(found)[:missing]
        return every, np.asarray(self.oracle(every), np.int64) if len(every) else np.zeros(0, np.int64)

    def question(self, x: Float[np.ndarray, "n f"], y: Int[np.ndarray, " n"], classes: int) -> Question | None:
        """The m-of-n question that takes most off the entropy."""
        return m_of_n(x, y, classes)


def drawn(
    rows: Float[np.ndarray, "n f"], count: int, draws: Draws, chance: np.random.Generator
) -> Float[np.ndarray, "q f"]:
    """(Q, F) inputs like some rows: between neighbors, or each feature taken from a row of its own."""
    first = chance.integers(0, len(rows), count)
    if draws == "marginals":
        picked = chance.integers(0, len(rows), (count, rows.shape[1]))
        return np.asarray(np.take_along_axis(rows, picked, 0))
    used, places = np.unique(first, return_inverse=True)
    near = min(_NEAR, len(rows) - 1)
    if near < 1:
        return np.asarray(rows[first])
    other = _nearest(rows, used, near)[places, chance.integers(0, near, count)]
    return np.asarray(rows[first] + chance.random((count, 1)) * (rows[other] - rows[first]))


def _nearest(rows: Float[np.ndarray, "n f"], which: Int[np.ndarray, " m"], count: int) -> Int[np.ndarray, "m k"]:
    """(M, K) the rows nearest to some of them, in no order, some at a time."""
    squares, found = (rows**2).sum(1), np.empty((len(which), count), np.int64)
    piece = max(_AT_ONCE // len(rows), 1)
    for start in range(0, len(which), piece):
        some = which[start : start + piece]
        apart = squares - 2 * rows[some] @ rows.T  # each less its own square
        apart[np.arange(len(some)), some] = np.inf
        found[start : start + piece] = np.argpartition(apart, count - 1, 1)[:, :count]
    return found


def m_of_n(x: Float[np.ndarray, "n f"], y: Int[np.ndarray, " n"], classes: int) -> Question | None:
    """A question that at least m of n tests hold, found by a beam search of width 2.

    It begins with the single test that takes most off the entropy (or its opposite) and adds a test, at m or at m + 1,
    as long as the likelihood ratio says that the sides differ more than before (χ², 5 %). None where no test takes any.
    """
    if len(np.unique(y)) < 2:
        return None
    thresholds, gains = cuts(x, y, classes, "entropy")
    best = np.argsort(-gains, kind="stable")[:_PARTS]
    best = best[np.isfinite(gains[best])]
    if not len(best):
        return None
    tests = [Cut(int(f), float(thresholds[f])) for f in best]
    every = [*tests, *(one.opposite for one in tests)]
    held = np.stack([one.holds(x) for one in every])
    beam = [(float(gains[best[0]]), Question(1, (one,))) for one in (every[0], every[len(tests)])]
    top = beam[0]
    while True:
        more = _longer(beam, every, held, y, classes)
        if not more:
            break
        dof = max(len(np.unique(y)) - 1, 1)
        grew = 2 * len(y) * (more[0][0] - top[0])
        if more[0][0] <= top[0] or stats.chi2.sf(grew, dof) > _LEVEL:
            break
        beam, top = more[:_BEAM], more[0]
    return top[1]


def _longer(
    beam: list[tuple[float, Question]], every: list[Cut], held: NDArray[np.bool_], y: NDArray[np.int64],
    classes: int,
) -> list[tuple[float, Question]]:  # fmt: skip
    """All questions with one more test, the best first; of equal ones the first found."""
    found, seen = list[tuple[float, Question]](), set[tuple[int, frozenset[Cut]]]()
    for _, question in beam:
        inside = {one.feature for one in question.parts}
        count = held[[every.index(one) for one in question.parts]].sum(0)
        for k, one in enumerate(every):
            if one.feature in inside:
                continue
            for least in (question.least, question.least + 1):
                key = least, frozenset((*question.parts, one))
                if key not in seen:
                    seen.add(key)
                    gain = gain_of(y, count + held[k] >= least, classes, "entropy")
                    found.append((gain, Question(least, (*question.parts, one))))
    return sorted(found, key=lambda pair: -pair[0])
