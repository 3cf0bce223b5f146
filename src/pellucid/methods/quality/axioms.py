"""Axioms: which properties a method keeps that an explanation should have, and which networks it serves."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from pellucid.catalogue import method
from pellucid.evaluation.axioms import AXIOMS, kept
from pellucid.evaluation.explainers import DEFAULT, ExplainersOption
from pellucid.evaluation.small import KINDS
from pellucid.net import Net
from pellucid.progress import steps
from pellucid.result import Grid, Meta, Study, Table
from pellucid.result.table import Cell
from pellucid.rng import Seed

_KEPT, _COMPLETE = 1e-3, 1e-2
"""Errors up to this count as rounding; of completeness, as the tolerance at which integrated gradients stop."""
_HELP = {
    "method": "attribution method with its options",
    "completeness": "what the sum of its map misses of the change of the score; none where it claims no such sum",
    "conservation": "distance of the sum of its map from the score of a network without biases, or of probabilities "
    "from 1, relative to the larger; none for other units",
    "dummy": "share of the map on pixels that the network does not look at",
    "symmetry": "distance of the map of a mirrored image from its mirror image, relative to its norm",
    "linearity": "distance of the map of a sum from the sum of the maps, relative to its norm",
    "implementation invariance": "distance of the maps of one function written in two ways, relative to their norm; "
    "the larger of two such distances",
    "served": "share of the kinds of networks of which it gives a map",
    "refused": "kinds that it refuses",
}


@method(
    "Axioms",
    purpose="measure which axioms methods keep on small networks",
    shows=(
        "0 says that the axiom is kept, up to rounding, on small random networks of which it is known what a map has "
        "to say. It tests what a method promises and which kinds of layers it serves, and does not say how good its "
        "maps of your network are. Maps of a layer are coarse, and lose in dummy because they spill over. About 40 "
        "maps of each method, of images of 32 × 32 pixels."
    ),
    source="Sundararajan et al. 2017, sections 2 and 3; Bach et al. 2015, equation 2 (conservation)",
    over="all",
    quick={"networks": 1},
)
def axioms(
    net: Net,
    *,
    of: ExplainersOption = DEFAULT,
    networks: Annotated[int, Field(ge=1, le=1000, description="number of random networks and images")] = 3,
    seed: Seed = 0,
) -> Study:
    """Each axiom's relative error on small networks of which it is known what a map has to say; 0 where it is kept.

    `axioms` has one row for each method: completeness as its own Meta states it, what the sum of the map misses of the
    score where no bias takes part (conservation), the share of the map on pixels that the network does not look at
    (dummy), and the relative distances of maps that should be equal by symmetry, linearity and implementation
    invariance; `errors` is the same as (methods, 6). Maps of a layer are read at the pixels, so a coarse one spills
    over. `kinds` says which of nine kinds of small networks a method serves: residual, smooth, gated, depthwise,
    normed, in place, flattened, attention. The network that is asked about does not matter.
    """
    explainers = [one for one in of.each if not one.is_baseline]
    found = [kept(one, networks, seed) for one in steps(explainers, "methods")]
    names = tuple(one.name for one in explainers)
    served = np.array([[float(kind in one.served) for kind in KINDS] for one in found])
    columns: dict[str, tuple[Cell, ...]] = {"method": names}
    for k, axiom in enumerate(AXIOMS):
        columns[axiom] = tuple(float(one.errors[k]) if np.isfinite(one.errors[k]) else None for one in found)
    columns["served"] = tuple(float(row.mean()) for row in served)
    columns["refused"] = tuple(", ".join(one.refused) for one in found)
    errors = Grid(np.stack([one.errors for one in found]), names, AXIOMS, "relative error", "method", "axiom")
    kinds = Grid(served, names, tuple(KINDS), "served", "method", "network")
    told = tuple(f"{axiom}: {_keepers(names, errors.values[:, k], axiom)}" for k, axiom in enumerate(AXIOMS))
    return Study(
        told, grids={"errors": errors, "kinds": kinds}, tables={"axioms": Table(columns, _HELP)},
        meta=Meta(found={"protocol": f"axioms:networks={networks}", "net": net.name}),
    )  # fmt: skip


def _keepers(names: tuple[str, ...], errors: np.ndarray, axiom: str) -> str:
    """Who keeps an axiom, of those of which it was measured."""
    most = _COMPLETE if axiom == "completeness" else _KEPT
    keep = [name for name, error in zip(names, errors, strict=True) if error <= most]
    measured = int(np.isfinite(errors).sum())
    return f"kept by {len(keep)} of {measured}{': ' if keep else ''}{', '.join(keep)}"
