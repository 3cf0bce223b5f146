"""All that an index knows of one unit, on one page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int

from pellucid.result.base import Meta, Result
from pellucid.result.patches import Patches
from pellucid.result.pictures import Pictures
from pellucid.result.projections import Projections
from pellucid.result.table import Table


@dataclass(frozen=True, eq=False)
class UnitPage(Result):
    """One unit over a data set.

    `top` are its strongest patches and `weakest` those of the other end (None where the unit is never negative, or the
    index keeps none); `spread` one patch from each tenth of the images, from the weakest tenth to the strongest;
    `projections` what in the strongest did it; `feature` their mean, or None for a unit that nothing excites. `facts`
    are numbers by name; `edges` (B + 1,) and `counts` (B,) the histogram of its activations; `classes` and
    `similar_units` are
    tables, `similar_patches` the strongest patch of each unit in `similar_units`.
    """

    top: Patches
    weakest: Patches | None
    spread: Patches
    projections: Projections | None
    feature: Pictures | None
    facts: Mapping[str, float]
    edges: Float[np.ndarray, " edges"]
    counts: Int[np.ndarray, " bins"]
    classes: Table | None
    similar_units: Table | None
    similar_patches: tuple[Patches, ...] = ()
    meta: Meta = field(default_factory=Meta)
    shares: Mapping[str, float] = field(default_factory=dict)
    """Of the images, by name: numbers from 0 to 1."""

    def __repr__(self) -> str:
        return f"UnitPage({self.meta.target or 'a unit'}; {len(self.top)} patches)"
