"""What a map is worth by one protocol, as a value: a method of its own asks for one, a report for many at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from pellucid.evaluation.explainers import Explainers
from pellucid.evaluation.judged import Again, Case, Judged, Judging
from pellucid.evaluation.summary import Better, Protocol, ranked, said
from pellucid.geometry import Floats
from pellucid.image_set import ImageSet
from pellucid.net import Net
from pellucid.result import Meta, Table


@dataclass(frozen=True)
class Ranking:
    """One figure of a measure, by which methods are ranked."""

    score: str
    """Its name, which is a column's."""
    means: str
    """What it is, as a sentence reads it."""
    better: Better
    of: Callable[[Floats], Floats]
    """(K, N, …) numbers of a measure -> (K, N)."""
    contest: bool = True
    """Whether maps that know no network may win."""


@dataclass(frozen=True)
class Measure:
    """`judge(case, heat, again)` gives `shape` numbers for a map (H, W); `rankings` are figures made of them."""

    protocol: Protocol
    shape: tuple[int, ...]
    judge: Callable[[Case, Floats, Again], Floats]
    rankings: tuple[Ranking, ...]
    baselines: tuple[str, ...] = ("random", "blurred_random", "center", "edges")

    def judged(self, net: Net, images: ImageSet, of: Explainers, seed: int) -> Judged:
        """Of every method and the maps that know no network: values (K, N, *shape)."""
        judging = Judging(net, images, self.judge, self.protocol.id, self.shape, seed)
        return judging(of.with_baselines(self.baselines))

    def answered(self, net: Net, images: ImageSet, of: Explainers, seed: int) -> tuple[Judged, tuple[Table, ...], Meta]:
        """What a method of its own answers with: the numbers, a table for each ranking, and how they were made."""
        judged = self.judged(net, images, of, seed)
        return judged, self.tables(judged, seed), Meta(found=said(judged, self.protocol))

    def tables(self, judged: Judged, seed: int) -> tuple[Table, ...]:
        """One for each ranking."""
        return tuple(
            ranked(judged.reduced(one.of(judged.values)), self.protocol, one.score, one.means, one.better, seed,
                   contest=one.contest)
            for one in self.rankings
        )  # fmt: skip


def together(measures: Sequence[Measure]) -> Measure:
    """All in one, so that each map is made once: its numbers one after another, flat."""
    sizes = [int(np.prod(one.shape)) for one in measures]

    def judge(case: Case, heat: Floats, again: Again) -> Floats:
        return np.concatenate([np.ravel(one.judge(case, heat, again)) for one in measures])

    parts = tuple((one.protocol.name, one.protocol.id) for one in measures)
    names = tuple(dict.fromkeys(name for one in measures for name in one.baselines))
    return Measure(Protocol("several", parts), (sum(sizes),), judge, (), names)


def apart(measures: Sequence[Measure], values: Floats) -> list[Floats]:
    """(K, N, total) of several measures together as (K, N, *shape) of each."""
    found, start = [], 0
    for one in measures:
        size = int(np.prod(one.shape))
        found.append(values[..., start : start + size].reshape(*values.shape[:2], *one.shape))
        start += size
    return found
