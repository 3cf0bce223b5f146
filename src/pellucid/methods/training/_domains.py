"""Simulated and real images side by side: as curves, tables and sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.geometry import Floats
from pellucid.learning.features import Features
from pellucid.learning.shots import beaten, over_draws, percent
from pellucid.learning.similarity import shared_directions, told_apart
from pellucid.net import Net
from pellucid.result import Curve, Line, Mark, Table
from pellucid.result.table import Cell
from pellucid.statistics import share_of

SCRATCH, TUNED = "from scratch", "fine-tuned"
_ACCURACY = {
    "images": "simulated or real; norms re-estimated: with the statistics of real images",
    "count": "how many", "accuracy": "share of the right answers", "error": "half the width of its Wilson interval "
    "over 1.96",
}  # fmt: skip
_DOMAINS = {
    "layer": "whose features are compared",
    "told apart": "accuracy of a linear read-out that says whether an image is real, held out: 0.5, it cannot",
    "error": "its standard error",
    "re-estimated": "the same with the norms' statistics of each kind of images",
    "re-estimated error": "its standard error",
    "shared directions": "cosine between the covariances of both kinds: 1, the features vary in the same ways",
}
_SHOWN = 300
"""Images of each kind, at the most, that the map shows."""


@dataclass(frozen=True, eq=False)
class Judged:
    """What the network answers to some images."""

    name: str
    labels: NDArray[np.int64]
    right: NDArray[np.bool_]

    @classmethod
    def of(cls, name: str, found: Features, which: NDArray[np.int64]) -> Judged:
        given = found.answers
        right = np.zeros(len(which), bool) if given is None else given[which] == found.labels[which]
        return cls(name, found.labels[which], right)

    @property
    def accuracy(self) -> tuple[float, float]:
        """(share, error)."""
        return share_of(self.right)


@dataclass(frozen=True, eq=False)
class Compared:
    """Both kinds of images at each layer."""

    rows: tuple[tuple[Cell, ...], ...]
    map: Curve

    @classmethod
    def of(
        cls, made: Features, real: Features, after: Features | None, which: NDArray[np.int64], seed: int
    ) -> Compared:
        """`after` are the real images with norms of their own."""
        rows: list[tuple[Cell, ...]] = []
        for name, own in made.at.items():
            before = told_apart(own, real.at[name][which], seed)
            then = (np.nan, np.nan) if after is None else told_apart(own, after.at[name][which], seed)
            shared = shared_directions(own, real.at[name][which])
            rows.append((name, *(None if np.isnan(x) else float(x) for x in (*before, *then, shared))))
        last = [*made.at][-1]
        return cls(tuple(rows), _map(last, made.at[last], real.at[last][which]))


def _map(layer: str, made: Floats, real: Floats) -> Curve:
    """Principal components of both together."""
    kinds = {"simulated": made[:_SHOWN], "real": real[:_SHOWN]}
    every = np.concatenate([*kinds.values()])
    mean = every.mean(0)
    axes = np.linalg.svd(every - mean, full_matrices=False)[2][:2]
    axes = axes * np.where(axes[np.arange(len(axes)), np.abs(axes).argmax(1)] < 0, -1, 1)[:, None]
    lines = []
    for name, rows in kinds.items():
        placed = (rows - mean) @ axes.T
        placed = placed[placed[:, 0].argsort(kind="stable")]
        lines.append(Line(name, placed[:, 0], placed[:, -1], None, "second component", "points"))
    return Curve(tuple(lines), f"first principal component of {layer}")


def of_labels(trained: Mapping[tuple[str, int], list[float]], judged: list[Judged], counts: list[int]) -> Curve:
    """What labels of real images bring, and what there is without."""
    points, images = np.array(counts, float), len(judged[-1].right)
    lines = []
    for way in dict.fromkeys(way for way, _ in trained):
        values, errors = np.array([over_draws(trained[way, k], images) for k in counts]).T
        lines.append(Line(way, points, values, errors, "accuracy"))
    for one in judged:
        if one.name != "simulated":
            level, error = (np.full(len(points), x) for x in one.accuracy)
            lines.append(Line(one.name.replace("real", "no labels"), points, level, error, "accuracy", "dashed"))
    at = crossed(trained, judged, counts)
    marks = () if at is None else (Mark(at, "from scratch is better beyond"),)
    return Curve(tuple(lines), "labeled real images of each class", marks)


def by_layer(domains: Compared) -> Curve:
    """How well real and simulated images are told apart."""
    cells = np.array([row[1:5] for row in domains.rows], float).T  # None becomes NaN
    lines, points = [], np.arange(float(len(domains.rows)))
    for name, values, errors in (("as trained", *cells[:2]), ("norms re-estimated", *cells[2:])):
        if np.isfinite(values).any():
            lines.append(Line(name, points, values, errors, "accuracy of telling real from simulated"))
    return Curve(tuple(lines), "layer", tuple(Mark(i, str(row[0])) for i, row in enumerate(domains.rows)))


def accuracies(judged: list[Judged]) -> Table:
    """One row for each kind of images."""
    rows = [(one.name, len(one.right), *one.accuracy) for one in judged]
    columns = dict(zip(_ACCURACY, zip(*rows, strict=True), strict=True))
    return Table(columns, _ACCURACY, plot_columns=("accuracy",), errors={"accuracy": "error"})


def of_layers(domains: Compared) -> Table:
    """One row for each layer."""
    return Table(dict(zip(_DOMAINS, zip(*domains.rows, strict=True), strict=True)), _DOMAINS)


def by_class(net: Net, judged: list[Judged]) -> Table:
    """The share of each class that is right, for each kind of images."""
    classes = np.unique(np.concatenate([one.labels for one in judged]))
    columns: dict[str, tuple[Cell, ...]] = {"class": tuple(net.class_name(int(k)) for k in classes)}
    for one in judged:
        shares = [one.right[one.labels == k] for k in classes]
        columns[one.name] = tuple(float(x.mean()) if len(x) else None for x in shares)
    about = {one.name: f"share of the {one.name} images of the class that are right" for one in judged}
    return Table(columns, {"class": "of the network", **about})


def crossed(trained: Mapping[tuple[str, int], list[float]], judged: list[Judged], counts: list[int]) -> float | None:
    """Labels per class from which on training from scratch beats every use of the network."""
    ways = {way: np.array([np.mean(trained[way, k]) for k in counts]) for way, _ in trained}
    scratch = ways.pop(SCRATCH)
    level = max(one.accuracy[0] for one in judged if one.name != "simulated")
    return beaten(np.array(counts, float), [*ways.values(), np.full(len(counts), level)], scratch)


def said(
    judged: list[Judged], domains: Compared | None, trained: Mapping[tuple[str, int], list[float]], counts: list[int]
) -> tuple[str, ...]:
    """What it comes to."""
    words = ["accuracy: " + ", ".join(f"{one.name} {percent(one.accuracy)}" for one in judged)]
    if trained:
        at, images = crossed(trained, judged, counts), len(judged[-1].right)
        ways = dict.fromkeys(way for way, _ in trained)
        first = ", ".join(f"{way} {percent(over_draws(trained[way, counts[0]], images))}" for way in ways)
        words.append(f"{counts[0]} real label{'s' * (counts[0] > 1)} of each class: {first}")
        if at is not None:
            words.append(f"the simulation pays below about {at:.2g} real labels of each class, and costs beyond")
    if domains is not None:
        rows = [row for row in domains.rows if row[1] is not None]
        if rows:
            least = min(rows, key=lambda row: float(row[1] or 0))
            words.append(f"real and simulated are hardest to tell apart at {least[0]}: {float(least[1] or 0):.1%}, "
                         "50.0% by chance")  # fmt: skip
    return tuple(words)
