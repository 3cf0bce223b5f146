"""Clusters: by how many different reasons a network knows a class, and which of them are odd."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from pellucid.catalogue import method
from pellucid.data import Data
from pellucid.evaluation.clusters import shares
from pellucid.evaluation.odd import EXCLUSIVE, GAIN, ISOLATED, Cluster, Examined, Survey, surveyed
from pellucid.evaluation.reasons import (
    EXPLAINER,
    ClassNameOption,
    Count,
    ExplainerOption,
    Reasons,
    protocol,
)
from pellucid.net import Net
from pellucid.result import Grid, Meta, Study, Table
from pellucid.result.table import Cell
from pellucid.rng import Seed

_CLASSES = {
    "class": "whose photos are clustered, each map asked for this class; those least held together first",
    "photos": "number of them",
    "accuracy": "share of them for which the network answers the class",
    "second": "second eigenvalue of the graph of their maps, 0 to 2; 0: it falls apart",
    "gap": "from the last eigenvalue that makes a cluster to the next",
    "clusters": "number of clusters, by the largest ratio of eigenvalues",
    "suspicious": "number of clusters that are suspicious",
}
_CLUSTERS = {
    "class": "of the photos",
    "cluster": "number in its class; the largest is 1",
    "size": "number of photos",
    "share": "of the photos of the class, 0..1",
    "accuracy": "share of them for which the network answers the class",
    "isolation": "share of the graph's edges that stay inside; 1: no photo has a neighbor in another cluster",
    "cell": "row,column of the place that tells it best from all other photos, in cells from the upper left",
    "own": "share of the attribution in that cell, mean over half of its photos, the cell chosen on the other half",
    "elsewhere": "the same of all other photos",
    "exclusive": "1 − elsewhere/own: 1 where no other photo is explained by that place",
    "oddness": "isolation times exclusive",
    "border": "share of the attribution on the border, an eighth of each side",
    "corners": "share of the attribution in the four corners, a fourth of each side",
    "pasted": "what its place, pasted on photos of other classes, adds to their probability of the class, beyond what "
    f"the same place of the class's other photos adds; tested where isolation is {ISOLATED} or more and exclusive "
    f"{EXCLUSIVE} or more",
    "low": "lower end of the 95 % interval of that mean (bootstrap over photos)",
    "suspicious": f"whether that lower end is at least {GAIN}",
    "examples": "photos of it, the most typical first",
}
_NAMED, _DRAWN = 4, 6


@method(
    "Clusters of reasons",
    purpose="group the photos of a class by what it is known by",
    shows=(
        "A suspicious cluster stands apart, looks at a place where other photos have little attribution, and raises "
        "the class where that place is pasted on photos of other classes. It is for a person to judge. That none is "
        "suspicious proves nothing: a mark on all photos of a class makes no cluster, and color has no place. One map "
        "and one forward pass for each of up to 200 photos of each class, and 144 passes for each cluster that is "
        "tested."
    ),
    source="Lapuschkin et al. 2019, section 2 and supplementary note 1 (spectral relevance analysis)",
    over="all",
    resumable=True,
    quick={"count": 20},
)
def clusters(
    net: Net,
    data: Data,
    *,
    class_name: ClassNameOption = None,
    of: ExplainerOption = EXPLAINER,
    cells: Annotated[int, Field(ge=2, le=64, description="number of cells along a side of the compared maps")] = 8,
    count: Count = 200,
    seed: Seed = 0,
) -> Study:
    """Maps of each class are compared, and fall into clusters: `clusters` has one row for each, the odd ones first.

    Each photo is asked about its own class. Its map is averaged over cells and divided by the sum of its absolute
    values; a graph joins maps with their 10 nearest, and the smallest eigenvalues of its normalized Laplacian say into
    how many parts it almost falls. `classes` has one row for each class, those first whose second eigenvalue is the
    smallest. Suspicious is a cluster that stands apart (isolation), is known by a place where other photos have little
    attribution (exclusive), and whose place makes photos of other classes look like this one when it is pasted on them:
    a list to be reviewed and no verdict. `grids` are mean maps of the oddest clusters, (cells, cells). Photos that the
    network gets wrong are included. Raises PellucidError for a class
    that no photo has, and Refused where the method refuses.
    """
    data = data.on(net)
    survey = surveyed(net, data, of, class_name, count, cells, seed)
    found, each, odd = survey.reasons, survey.classes, survey.clusters
    tables = {"clusters": _table(net, survey), "classes": _classes(net, found, each)}
    grids = {f"{net.class_name(one.of_class)}, cluster {one.number}": _mean(found, one) for one in odd[:_DRAWN]}
    return Study(_findings(net, each, odd), {}, grids, tables, Meta(found=protocol(of, cells, found)))


def _table(net: Net, survey: Survey) -> Table:
    sizes = survey.sizes
    rows = [_row(net, survey.reasons, one, sizes[one.of_class]) for one in survey.clusters]
    marked = tuple(k for k, one in enumerate(survey.clusters) if one.suspicious)
    return Table(dict(zip(_CLUSTERS, zip(*rows, strict=True), strict=True)), _CLUSTERS, (), ("oddness",), marked)


def _row(net: Net, found: Reasons, one: Cluster, photos: int) -> tuple[Cell, ...]:
    place, inside = one.focus, one.members
    return (
        net.class_name(one.of_class), one.number, len(inside), len(inside) / photos,
        float(found.right[inside].mean()), one.isolation, f"{place.cell[0]},{place.cell[1]}", place.own,
        place.elsewhere, place.exclusive, one.oddness, float(found.shares["border"][inside].mean()),
        float(found.shares["corners"][inside].mean()),
        None if one.pasted is None else one.pasted.gain, None if one.pasted is None else one.pasted.low, one.suspicious,
        ", ".join(found.names[i] for i in one.typical(found)[:_NAMED]),
    )  # fmt: skip


def _classes(net: Net, found: Reasons, each: tuple[Examined, ...]) -> Table:
    rows = [
        (net.class_name(row.of_class), len(row.members), float(found.right[row.members].mean()), row.parted.second,
         row.parted.gap, row.parted.count, sum(one.suspicious for one in row.clusters))
        for row in each
    ]  # fmt: skip
    return Table(dict(zip(_CLASSES, zip(*rows, strict=True), strict=True)), _CLASSES, (), ("second",))


def _mean(found: Reasons, one: Cluster) -> Grid:
    mean = shares(found.maps[one.members]).mean(0)
    sides = tuple(tuple(map(str, range(n))) for n in mean.shape)
    center = 0.0 if mean.min() < 0 else None
    return Grid(np.asarray(mean), sides[0], sides[1], "mean share of attribution", "row", "column", center=center)


def _added(one: Cluster) -> float:
    return 0.0 if one.pasted is None else one.pasted.gain


def _findings(net: Net, each: tuple[Examined, ...], odd: list[Cluster]) -> tuple[str, ...]:
    marked = [one for one in odd if one.suspicious]
    said = [
        f"{len(one.members)} photos of {net.class_name(one.of_class)} are known by one place, cell "
        f"{one.focus.cell[0]},{one.focus.cell[1]}, that has {one.focus.own:.0%} of their attribution and "
        f"{one.focus.elsewhere:.1%} of that of all others; pasted on other photos it adds {_added(one):.2f} to their "
        "probability of the class"
        for one in marked
    ]
    first = each[0]
    name = net.class_name(first.of_class)
    least = f"least held together is {name}: its second eigenvalue is {first.parted.second:.3g}"
    return (*said, least) if said else ("no cluster is suspicious", least)
