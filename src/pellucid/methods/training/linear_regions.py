"""Linear regions: into how many affine pieces does a network cut the way from one image to another?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from pellucid.catalogue import method
from pellucid.data import Data
from pellucid.errors import PellucidError
from pellucid.learning.objective import images_of
from pellucid.learning.regions import Segment, montufar, precise, segment, widths
from pellucid.net import Net
from pellucid.net.nets import Nets
from pellucid.notes import Note
from pellucid.progress import steps
from pellucid.result import Curve, Line, Meta, Study, Table
from pellucid.result.table import Cell
from pellucid.rng import Seed, generator

_ABOUT = {
    "network": "the network that was asked",
    "layers": "number of layers with weights",
    "units": "number of rectifier units, pooling windows and comparisons that can change sides",
    "regions": "linear regions that a segment meets: one more than the changes of the activation pattern; mean",
    "± regions": "its standard error over the segments",
    "per unit": "regions over units",
    "exact": "whether every segment was followed to the resolution; else the regions are at least as many",
    "bound": "log10 of the regions that some network of these widths has at least, in its whole input space "
    "(Montúfar); unknown for other networks than chains of linear layers no narrower than the input",
}
_SEGMENTS = {
    "network": "the network that was asked",
    "start": "the image at 0",
    "end": "the image at 1",
    "regions": "linear regions that the segment meets",
    "exact": "whether it was followed to the resolution; else the regions are at least as many",
    "images run": "number of images that were run to find them",
}


@method(
    "Linear regions",
    purpose="affine pieces that a network cuts a segment into",
    shows=(
        "More regions say that the network's function bends more often on the segment, not that it is more accurate or "
        "has learned more. Between two images lie blends of both, which the network never meets in use. Counts that "
        "are not exact are lower bounds, and the column bound speaks of some network of these widths, not of the one "
        "asked about. Forward passes in float64 over up to 5,000 images for each of five segments."
    ),
    source="Hanin & Rolnick 2019, section 3 and figure 2; Montúfar et al. 2014, theorem 4 (number of linear regions)",
    over="all",
    quick={"segments": 1, "max_passes": 200},
)
def linear_regions(
    nets: Nets,
    data: Data,
    *,
    segments: Annotated[
        int, Field(ge=1, le=10**4, description="number of segments, each between two images drawn at random")
    ] = 5,
    resolution: Annotated[
        float,
        Field(ge=1e-12, le=0.01, description="length, as a share of the segment, below which two changes count as one"),
    ] = 1e-9,
    max_passes: Annotated[
        int, Field(ge=2, le=10**9, description="number of images run for a segment, after which it counts as it is")
    ] = 5000,
    seed: Seed = 0,
) -> Study:
    """Linear regions between images of the data: one row for each network (`networks`), and for each segment.

    A network of rectifiers, pooling and linear layers is affine wherever its activation pattern stays the same, and the
    pixels of one pattern are a convex set: two places with one pattern have no change between them, so bisection in
    float64 misses none that is longer than `resolution`, as a fixed grid does. What depth can do (regions that grow
    exponentially with it) and what it does at random weights (regions as many as units) is seen by comparing networks.
    Raises Refused where the network is not affine between its changes, as with GELU, tanh or attention.
    """
    rows: list[dict[str, Cell]] = []
    each: list[dict[str, Cell]] = []
    lines = []
    for net in nets:
        exactly = precise(net)
        some = data.on(exactly)
        if len(some) < 2:
            raise PellucidError(f"{len(some)} images: a segment is between two")
        found = []
        for k in steps(range(segments), f"segments of {net.name}"):
            i, j = generator(seed, "segment", k).permutation(len(some))[:2].tolist()
            start, end = (images_of(exactly, some.part(n, n + 1))[0].pixels.to(exactly.device).double() for n in (i, j))
            one = segment(exactly, start, end, resolution, max_passes)
            found.append(one)
            each.append(dict(zip(_SEGMENTS, (net.name, some.name(i), some.name(j), one.regions, one.exact, one.passes),
                                 strict=True)))  # fmt: skip
        rows.append(_row(net, found))
        lines += _lines(net.name, found)
    tables = {"networks": Table({name: tuple(row[name] for row in rows) for name in _ABOUT}, _ABOUT),
              "segments": Table({name: tuple(row[name] for row in each) for name in _SEGMENTS}, _SEGMENTS)}  # fmt: skip
    notes = [Note("reading", f"{segments} segments, each between two images drawn at random; changes closer than "
                             f"{resolution:.0e} of a segment count as one")]  # fmt: skip
    if not all(one["exact"] for one in each):
        notes.append(Note("sampling", f"some segments were left after {max_passes} images: there are more regions"))
    return Study(_said(rows), {"changes": Curve(tuple(lines), "place on the segment, 0 to 1")}, {}, tables,
                 Meta(notes=tuple(notes)))  # fmt: skip


def _row(net: Net, found: Sequence[Segment]) -> dict[str, Cell]:
    counts = np.array([one.regions for one in found], np.float64)
    error = float(counts.std(ddof=1) / math.sqrt(len(counts))) if len(counts) > 1 else None
    sizes, units = widths(net), found[0].units
    bound = montufar(sizes) if sizes else None
    layers = sum(1 for part in net.module.modules() if getattr(getattr(part, "weight", None), "ndim", 0) >= 2)
    cells = (net.name, layers, units, float(counts.mean()), error, float(counts.mean()) / max(units, 1),
             all(one.exact for one in found), None if bound is None else math.log10(bound))  # fmt: skip
    return dict(zip(_ABOUT, cells, strict=True))


def _lines(name: str, found: Sequence[Segment]) -> list[Line]:
    """How many changes there were up to a place, each segment faint, and their mean."""
    points = np.linspace(0, 1, 101)
    counts = np.stack([np.searchsorted(one.breaks, points, "right") for one in found]).astype(np.float64)
    quantity = "changes of the pattern so far"
    mean = Line(name, points, counts.mean(0), None, quantity, "line", name)
    if len(found) == 1:
        return [mean]
    return [*(Line(f"{name}, segment {k}", points, one, None, quantity, "faint", name)
              for k, one in enumerate(counts, start=1)), mean]  # fmt: skip


def _said(rows: Sequence[Mapping[str, Cell]]) -> tuple[str, ...]:
    said = []
    for row in rows:
        error = "" if row["± regions"] is None else f" ± {float(row['± regions']):.2g}"
        least = "" if row["exact"] else "at least "
        said.append(f"{row['network']}: {least}{float(row['regions'] or 0):,.0f}{error} linear regions on a segment, "
                    f"{float(row['per unit'] or 0):.2g} for each of the {row['units']:,} units")  # fmt: skip
    return tuple(said)
