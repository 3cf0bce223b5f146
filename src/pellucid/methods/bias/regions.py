"""Regions: how much of the attribution lies on borders, in text, on the background, or inside masks, by class."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from pellucid.catalogue import method
from pellucid.data import Data
from pellucid.described import Default, Shell
from pellucid.evaluation.parts import MARK, SEEN, Regions, RegionsOption
from pellucid.evaluation.reasons import (
    EDGES,
    EXPLAINER,
    ClassNameOption,
    Count,
    ExplainerOption,
    Reasons,
    chosen,
    protocol,
    reasons,
)
from pellucid.evaluation.summary import interval
from pellucid.geometry import Floats
from pellucid.net import Net
from pellucid.result import Grid, Meta, Study, Table
from pellucid.result.table import Cell
from pellucid.rng import Seed

_CLASSES = {
    "class": "of the photos, each map asked for this class",
    "region": "part of what the network sees",
    "photos": "number of photos that have it",
    "share": "of the absolute attribution what lies there, mean over the photos",
    "low": "lower end of the 95 % interval of that mean (bootstrap over photos)",
    "high": "upper end of it",
    "area": "of the pixels what lies there, mean over the photos",
    "times": "share over area: 1 where attribution does not care",
}
_OUTLIERS = {
    "photo": "whose share is far above that of its class",
    "class": "of the photo",
    "region": "part of what the network sees",
    "share": "of its attribution what lies there",
    "median": "of the photos of its class",
    "distance": "from the upper quartile, in widths between the quartiles; above 3",
}
_CELLS, _FAR, _LISTED = 8, 3.0, 40
ALL = "all"


@method(
    "Attribution by region",
    purpose="measure attribution on borders, text, background, masks",
    shows=(
        "Share over area is 1 where the attribution does not prefer the region. No bound says what is too much: "
        "compare classes, or a network without the bias. Fences and windows can pass for text, the background is a "
        "guess, and coarse maps reach over edges. A map says where, and only covering the place shows what depends on "
        "it. One map and one forward pass for each of up to 200 photos of each class."
    ),
    source="Ross et al. 2017, section 2 (masks of what should not matter); Efron & Tibshirani 1993, section 13.3",
    over="all",
    resumable=True,
    quick={"count": 20},
)
def regions(
    net: Net,
    data: Data,
    *,
    masks: Annotated[
        RegionsOption | None,
        Field(description="region besides: 'bottom right', a box top,left,bottom,right in shares, a mask or a folder"),
        Default("those that are always looked at"),
        Shell(value="REGION"),
    ] = None,
    class_name: ClassNameOption = None,
    of: ExplainerOption = EXPLAINER,
    count: Count = 200,
    seed: Seed = 0,
) -> Study:
    """Shares of the absolute attribution by region: `classes` has one row for each class and region.

    Each photo is asked about its own class. The border is an eighth of each side, a corner a fourth. Text-like is what
    has shapes of the size of letters side by side; background what hangs together with the image's borders (Zhu et al.
    2014); a watermark what 20 and more photos of a class have at the same pixels; photos without one do not count.
    Masks are white where the region is, and those of a folder bear the names of the photos. `outliers` are photos whose
    share is more than 3 widths of the quartiles above the upper quartile of their class. The grid `times` is the share
    over that of the area, a row for each class. Maps that are coarse reach over the edges of a region. Raises
    PellucidError for a class that no photo has.
    """
    data = data.on(net)
    asked = {
        **EDGES,
        **{name: Regions.of(name) for name in ("center", *SEEN, MARK)},
        **({} if masks is None else {str(masks): masks}),
    }
    which = chosen(data, net, class_name, count, seed)
    if class_name is not None:
        which = which[data.labels[which] == net.class_index(class_name)]
    found = reasons(net, data, of, which, _CELLS, seed, asked)
    each = [int(one) for one in np.unique(found.labels)]
    rows = [row for one in each for row in _rows(found, found.labels == one, net.class_name(one), seed)]
    if len(each) > 1:
        rows += _rows(found, np.ones(len(found), bool), ALL, seed)
    outliers = sorted((row for one in each for row in _outliers(net, found, one)), key=lambda row: -float(row[5] or 0))
    tables = {"classes": Table(dict(zip(_CLASSES, zip(*rows, strict=True), strict=True)), _CLASSES, (), ("times",))}
    if outliers:
        columns = dict(zip(_OUTLIERS, zip(*outliers[:_LISTED], strict=True), strict=True))
        tables["outliers"] = Table(columns, _OUTLIERS, (), ("share",))
    meta = Meta(found={**protocol(of, _CELLS, found), "outliers": len(outliers)})
    return Study(_findings(rows, outliers), {}, {"times": _grid(rows)}, tables, meta)


def _rows(found: Reasons, inside: np.ndarray, name: str, seed: int) -> list[tuple[Cell, ...]]:
    made: list[tuple[Cell, ...]] = []
    for region, values in found.shares.items():
        own, areas = values[inside], found.areas[region][inside]
        known = np.isfinite(own)
        if not known.any():
            continue
        low, high = interval(own[known], seed, name, region)
        mean, area = float(own[known].mean()), float(areas[known].mean())
        made.append(
            (name, region, int(known.sum()), mean, float(low), float(high), area, mean / area if area else None)
        )
    return made


def _outliers(net: Net, found: Reasons, one: int) -> list[tuple[Cell, ...]]:
    own, made = np.flatnonzero(found.labels == one), list[tuple[Cell, ...]]()
    for region, values in found.shares.items():
        known: Floats = values[own][np.isfinite(values[own])]
        if len(known) < 8:
            continue
        low, middle, high = (float(q) for q in np.percentile(known, (25, 50, 75)))
        for i in own:
            far = (values[i] - high) / max(high - low, 1e-9)
            if far > _FAR:
                made.append((found.names[i], net.class_name(one), region, float(values[i]), middle, float(far)))
    return made


def _grid(rows: list[tuple[Cell, ...]]) -> Grid:
    classes, parts = (tuple(dict.fromkeys(str(row[k]) for row in rows)) for k in (0, 1))
    values = np.full((len(classes), len(parts)), np.nan)
    for row in rows:
        values[classes.index(str(row[0])), parts.index(str(row[1]))] = np.nan if row[7] is None else row[7]
    return Grid(values, classes, parts, "share over area", "class", "region", True, 1.0)


def _findings(rows: list[tuple[Cell, ...]], outliers: list[tuple[Cell, ...]]) -> tuple[str, ...]:
    known = [row for row in rows if row[7] is not None and row[0] != ALL]
    said = []
    if known:
        top = max(known, key=lambda row: float(row[7] or 0))
        said.append(
            f"{top[0]}: {top[3]:.0%} of the attribution [{top[4]:.0%}, {top[5]:.0%}] lies in {top[1]}, "
            f"{top[7]:.2g} times its share of the area"
        )
    if outliers:
        first = outliers[0]
        said.append(f"{len(outliers)} outliers; first {first[0]} of {first[1]}: {first[3]:.0%} in {first[2]}")
    return tuple(said)
