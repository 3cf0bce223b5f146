"""Networks under transforms, as curves and tables: one, and others laid beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from pellucid.geometry import Floats
from pellucid.net import Net
from pellucid.net.answers import Answers, Change, Shown
from pellucid.net.nets import Nets
from pellucid.progress import steps
from pellucid.result import Curve, Grid, Line, Mark, Table
from pellucid.result.table import Cell
from pellucid.statistics import share_of

_BESIDE = {
    "network": "by its name; the first is the one that is asked about",
    "transform": "what is done to the pixels",
    "untransformed": "share of the right answers as is",
    "accuracy": "mean share of the right answers over the magnitudes",
    "worst": "the least of these",
    "consistency": "mean share of the images with the same answer as untransformed",
}
Each = dict[str, list[Answers]]
"""The answers at each magnitude."""


def curve_of(family: str, axis: str, identity: float | int, rows: list[tuple[Cell, ...]], whole: Answers) -> Curve:
    """With the untransformed images in their place."""
    still = (identity, *share_of(whole.right), 1.0, 0.0, 1.0)
    own = [(row[1], row[2], row[3], row[4], row[5], row[9]) for row in rows if row[0] == family]
    values = np.array(sorted([still, *own], key=lambda row: float(row[0] or 0)), float)
    at = values[:, 0]
    lines = (
        Line("accuracy", at, values[:, 1], values[:, 2], "share of the images"),
        Line("consistency", at, values[:, 3], values[:, 4], "share of the images"),
        Line("representation", at, values[:, 5], None, "likeness of the representation"),
    )
    return Curve(lines, axis, (Mark(identity, "untransformed"),))


def by_class(net: Net, whole: Answers, order: Sequence[str], lost: dict[str, list[Floats]]) -> Grid:
    """The change of accuracy of each class."""
    classes: NDArray[np.int64] = np.unique(whole.labels)
    values = np.array([[np.mean([one[whole.labels == k].mean() for one in lost[f]]) for f in order] for k in classes])
    rows = tuple(net.class_name(int(k)) for k in classes)
    return Grid(values, rows, tuple(order), "change of accuracy", "class", "transform", center=0.0)


def under(shown: Shown, nets: Nets, changes: Mapping[str, Sequence[Change]]) -> dict[str, tuple[Answers, Each]]:
    """Network -> its answers untransformed, and those under each transform."""
    found = {}
    for net in nets:
        whole = shown.answers(net)
        made: Each = {family: [] for family in changes}
        pairs = [(family, one) for family, several in changes.items() for one in several]
        for family, one in steps(pairs, f"transforms, {net.name}"):
            made[family].append(shown.answers(net, change=one))
        found[net.name] = whole, made
    return found


def lines(name: str, magnitudes: Sequence[float | int], whole: Answers, own: Sequence[Answers]) -> tuple[Line, ...]:
    """Accuracy and consistency; the first magnitude is that of the untransformed images."""
    at = np.array(magnitudes, float)
    order = at.argsort(kind="stable")
    made = []
    for quantity in ("accuracy", "consistency"):
        hits = [one.right if quantity == "accuracy" else one.given == whole.given for one in (whole, *own)]
        shares, errors = np.array([share_of(one) for one in hits]).T
        values = (at[order], shares[order], errors[order])
        made.append(Line(f"{quantity}, {name}", *values, "share of the images", "dashed"))
    return tuple(made)


def laid_beside(each: dict[str, tuple[Answers, Each]]) -> Table:
    """One row for each network and transform."""
    rows: list[tuple[Cell, ...]] = []
    for family in next(iter(each.values()))[1]:
        for name, (whole, own) in each.items():
            shares = [float(one.right.mean()) for one in own[family]]
            same = [float((one.given == whole.given).mean()) for one in own[family]]
            as_is = float(whole.right.mean())
            rows.append((name, family, as_is, float(np.mean(shares)), min(shares), float(np.mean(same))))
    return Table(dict(zip(_BESIDE, zip(*rows, strict=True), strict=True)), _BESIDE)


def compared(table: Table) -> tuple[str, ...]:
    """A sentence for each transform."""
    said = []
    for family in dict.fromkeys(table["transform"]):
        own = [row for row in table.rows if row["transform"] == family]
        each = ", ".join(f"{row['network']} {float(row['accuracy'] or 0):.1%}, at worst {float(row['worst'] or 0):.1%}"
                         for row in own)  # fmt: skip
        said.append(f"{family}, mean accuracy: {each}")
    return tuple(said)
