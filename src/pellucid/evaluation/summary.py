"""What many scores say: means with intervals, paired comparisons, in a table that names its protocol."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import PellucidError
from pellucid.evaluation.judged import Judged
from pellucid.geometry import Floats
from pellucid.notes import Note, say
from pellucid.result import Curve, Line, Meta, Table
from pellucid.result.table import Cell
from pellucid.rng import generator
from pellucid.statistics import error_of_mean, holm

RESAMPLES = 2000
LEVEL = 0.05
"""Differences of which chance makes fewer than this share count as differences."""
_FEW = 6  # names of a sentence
Better = Literal["low", "high"]
_OF_ONE = ("protocol", "network", "figure", "image set")
"""What figures of one table have in common; each stands in its Meta."""
Groups = NDArray[np.int64]
"""(N,) which values are of one image."""


@dataclass(frozen=True)
class Protocol:
    """How a figure was made. Figures of different protocols are not comparable, and no table holds both."""

    name: str
    parts: tuple[tuple[str, str], ...] = ()
    source: str = ""

    @property
    def id(self) -> str:
        """As it stands in Meta: `deletion:fill=training_mean,steps=28,score=probability`."""
        said = ",".join(f"{key}={value}" for key, value in self.parts)
        return f"{self.name}:{said}" if said else self.name


def interval(values: Floats, seed: int, *which: str, groups: Groups | None = None) -> tuple[Floats, Floats]:
    """The 95 % intervals of means (…, N) -> (…): percentiles of a bootstrap that resamples the same images for all.

    `groups` (N,) says which values are of one image: they are drawn together.
    """
    if groups is None:
        count = values.shape[-1]
        picks = generator(seed, *which, "bootstrap").integers(0, count, (RESAMPLES, count))
        means = np.stack([values[..., pick].mean(-1) for pick in picks])
    else:
        sums, sizes = group_sums(values, groups), np.bincount(_numbered(groups))
        picks = generator(seed, *which, "bootstrap").integers(0, len(sizes), (RESAMPLES, len(sizes)))
        means = np.stack([sums[..., pick].sum(-1) / sizes[pick].sum() for pick in picks])
    low, high = np.percentile(means, (2.5, 97.5), axis=0)
    return np.asarray(low), np.asarray(high)


def group_sums(values: Floats, groups: Groups) -> Floats:
    """(…, G) the sums of values (…, N) over each group of images."""
    found: Floats = np.apply_along_axis(lambda row: np.bincount(_numbered(groups), row), -1, values)
    return found


def _numbered(groups: Groups) -> Groups:
    """(N,) from 0 on, as they come: values sorted by name are drawn alike, whatever the numbers of their groups."""
    _, first, which = np.unique(groups, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first))[which.ravel()])


def paired(first: Floats, second: Floats, seed: int, *which: str, groups: Groups | None = None) -> float:
    """The probability that means differ as much by chance as these (N,) of the same images do: signs of differences
    flipped, two-sided; in all ways for up to ten images, else at random, 2,000 times. 1 for one image. Values of one
    image, by `groups`, flip together.
    """
    apart = first - second if groups is None else group_sums(first - second, groups)
    count = len(apart)
    every = 2**count <= RESAMPLES
    if every:
        signs = 1.0 - 2 * (np.arange(2**count)[:, None] >> np.arange(count) & 1)
    else:
        signs = generator(seed, *which, "signs").choice((-1.0, 1.0), (RESAMPLES, count))
    beyond = np.abs((signs * apart).mean(1)) >= abs(apart.mean()) - 1e-12
    return float(beyond.mean()) if every else float((beyond.sum() + 1) / (RESAMPLES + 1))


def least_p(count: int) -> float:
    """The smallest probability that `paired` can give for so many images: all of them differ to the same side."""
    return 2.0 ** (1 - count) if 2**count <= RESAMPLES else 1 / (RESAMPLES + 1)


def say_too_few(count: int, tests: int = 1) -> None:
    """A note where so few images are compared that no difference can be significant, however large it is, after the
    correction for so many tests."""
    if tests * least_p(count) >= LEVEL:
        enough = next((n for n in range(count, 12) if tests * least_p(n) < LEVEL), None)
        many = "1 image is" if count == 1 else f"{count} images are"
        over = f" for {tests} comparisons" if tests > 1 else ""
        needed = "no number of images is enough" if enough is None else f"{LEVEL:g} needs {enough} images"
        say(Note(
            "sampling", f"{many} too few for any difference to be significant: the paired test gives p = "
            f"{min(tests * least_p(count), 1):.2g} at best{over}, and {needed}",
        ))  # fmt: skip


def _error(values: Floats, groups: Groups | None) -> float | None:
    """The standard error of the mean of values (N,), of which those of one group are not independent."""
    if groups is None:
        return float(error_of_mean(values)) if len(values) > 1 else None
    apart = group_sums(values - values.mean(), groups)
    count = len(apart)
    return float(np.sqrt(count / (count - 1) * (apart**2).sum()) / len(values)) if count > 1 else None


_HELP = {
    "method": "attribution method with its options, or a map that knows no network",
    "low": "lower end of the 95 % interval of that mean (bootstrap over images)",
    "high": "upper end of it",
    "error": "standard error of that mean",
    "behind": "mean difference from the best method",
    "p": "probability of such a difference from the best by chance (signs of paired differences flipped), "
    "corrected for the number of methods (Holm 1979)",
    "images": "number of images with a map",
    "baseline": "whether the map knows no network",
}


def ranked(
    judged: Judged, protocol: Protocol, score: str, means: str, better: Better, seed: int, *, contest: bool = True,
    groups: Groups | None = None,
) -> Table:  # fmt: skip
    """A row for each explainer, the best first, of values (K, N); `means` says what the score is.

    Methods are compared over the images of which all have a map. Without `contest` maps that know no network can be
    good for no reason: they stand in the table and win nothing. `groups` (N,) says which values are of one image.
    """
    known = judged.known()
    both = known.common
    if not len(both):
        raise PellucidError(f"{protocol.name}: no image has a map of every method; leave those out that refuse")
    values, sign = known.values[:, both], 1 if better == "low" else -1
    order = np.argsort(sign * values.mean(1), kind="stable")
    groups = None if groups is None else groups[both]
    if len(order) > 1:
        say_too_few(len(both) if groups is None else len(np.unique(groups)), len(order) - 1)
    low, high = interval(values, seed, protocol.id, groups=groups)
    competing = [k for k in order if contest or not known.explainers.each[k].is_baseline]
    best = competing[0] if competing else order[0]
    others = [k for k in order if k != best]
    chances = holm([paired(values[k], values[best], seed, protocol.id, groups=groups) for k in others])
    p_of = dict(zip(others, chances, strict=True))
    rows: dict[str, list[Cell]] = {name: [] for name in ("method", score, *list(_HELP)[1:])}
    for k in order:
        spread, p = _error(values[k], groups), p_of.get(k)
        cells = (known.names[k], float(values[k].mean()), float(low[k]), float(high[k]), spread,
                 float(abs(values[k].mean() - values[best].mean())), p, len(both),
                 known.explainers.each[k].is_baseline)  # fmt: skip
        for name, cell in zip(rows, cells, strict=True):
            rows[name].append(cell)
    columns = {name: tuple(cells) for name, cells in rows.items()}
    return Table(
        columns, {**_HELP, score: means}, findings(columns, score, better, contest), (score,), (),
        Meta(found={"protocol": protocol.id, "figure": means, "network": _network(known),
                    "image set": _images(known, both)}), {score: "error"},
    )  # fmt: skip


def _network(judged: Judged) -> str:
    """Its name, and what tells it from others of that name: weights, preprocessing, output, classes."""
    if judged.net is None:
        return ""
    return f"{judged.net.name} {hashlib.sha256(judged.net.identity.encode()).hexdigest()[:12]}"


def _images(judged: Judged, both: Groups) -> str:
    """How many, and what tells them from others: their names, and all that they were taken from."""
    told = repr([judged.source, sorted(judged.images[i] for i in both)])
    return f"{len(both)} images {hashlib.sha256(told.encode()).hexdigest()[:12]}"


def said(judged: Judged, protocol: Protocol) -> dict[str, Any]:
    """For Meta: how the figures were made, with which options slow methods were asked, and which methods refused."""
    say(Note("choice", f"protocol '{protocol.id}' ({protocol.source})"))
    asked = tuple(str(one.asked) for one in judged.explainers.each if one.asked and str(one.asked) != one.name)
    refused = tuple(f"{name}: {why}" for name, why in judged.refused.items())
    return {"protocol": protocol.id, "asked": asked, "refused": refused}


def mean_curves(judged: Judged, order: Sequence[Cell], at: Floats, axis: str, quantity: str) -> Curve:
    """The mean of each, of values (K, N, points), over the images of which all have a map, in the order of a ranking;
    what knows no network is dashed.
    """
    known = judged.known()
    means = dict(zip(known.names, known.values[:, known.common].mean(1), strict=True))
    blind = {one.name for one in known.explainers.each if one.is_baseline}
    lines = [
        Line(str(name), at, means[str(name)], None, quantity, "dashed" if name in blind else "line") for name in order
    ]
    return Curve(tuple(lines), axis)


def few(names: Sequence[str]) -> str:
    """The first of several names, and how many more there are."""
    return ", ".join(names[:_FEW]) + (f" and {len(names) - _FEW} more" if len(names) > _FEW else "")


def findings(columns: dict[str, tuple[Cell, ...]], score: str, better: Better, contest: bool) -> tuple[str, ...]:
    """Which method is best, which cannot be told from it, and which are no better than a map that knows no network."""
    names, values, p, blind = (columns[key] for key in ("method", score, "p", "baseline"))
    if not contest and not all(blind):
        names, values, p, blind = zip(
            *(row for row in zip(names, values, p, blind, strict=True) if not row[3]), strict=True
        )
    said = f"{names[0]} has the {'lowest' if better == 'low' else 'highest'} {score}, {values[0]:.3g}"
    alike = [str(name) for name, chance in zip(names, p, strict=True) if chance is not None and float(chance) >= LEVEL]
    told = [f"{said}; {few(alike)} cannot be told from it over these images" if alike else said]
    first = next((k for k, one in enumerate(blind) if one), len(names))
    beaten = [str(name) for name, one in zip(names[first:], blind[first:], strict=True) if not one]
    if beaten:
        told.append(f"{few(beaten)}: no better than {names[first]}, which knows no network")
    return tuple(told)


def joined(tables: Sequence[Table]) -> Table:
    """The rows of several rankings by one figure, of one protocol, network and set of images, under one another; each
    keeps its comparisons with the best of its own. PellucidError for different ones, and for tables that do not say
    what they are of.
    """
    if not tables:
        raise PellucidError("no tables to put together")
    first = tables[0]
    for what in _OF_ONE:
        each = [one.meta.found.get(what) for one in tables]
        if not all(each):
            raise PellucidError(
                f"a table that names no {what} is comparable with no other: put rankings together, such as "
                "pl.quality.deletion(…)['ranking']"
            )
        if other := next((one for one in each if one != each[0]), None):
            raise PellucidError(
                f"these rankings are of different {what}s, {each[0]} and {other}: they are not comparable"
            )
    if odd := next((one for one in tables if set(one.columns) != set(first.columns)), None):
        names = ", ".join(sorted(set(odd.columns) ^ set(first.columns)))
        raise PellucidError(f"these tables differ in their columns, {names}: put together tables with the same ones")
    columns = {name: tuple(cell for one in tables for cell in one[name]) for name in first.columns}
    return Table(
        columns, first.column_help, (), first.plot_columns, (), Meta(found=dict(first.meta.found)), first.errors
    )
