"""The unit page: all that an index knows of one unit."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import numpy as np
from pydantic import Field

from pellucid.catalogue import method
from pellucid.errors import Refused
from pellucid.index import Index
from pellucid.index.facts import best_classes, facts, silent
from pellucid.index.patches import exciting, patches
from pellucid.index.spread import spread
from pellucid.index.unit import Unit
from pellucid.methods.units.neuron_feature import neuron_feature
from pellucid.methods.units.reconstruction import reconstruction
from pellucid.methods.units.similar import similar
from pellucid.methods.units.top_images import top_images
from pellucid.notes import Note
from pellucid.result import Meta, Table, UnitPage
from pellucid.result.table import Cell
from pellucid.rng import Seed

_LIKES, _CLASSES, _WEAKEST = 5, 5, 5


@method(
    "Unit page",
    purpose="everything about one unit, on one page",
    shows=(
        "Begin with the share of the images that do not excite the unit at all and with the spread, one image from "
        "each tenth of its range; then look at the strongest. These are the extreme of the range, not what the unit "
        "mostly does, and units that the same images excite need not look for the same thing. Besides the index it "
        "takes nine forward and backward passes for the projections and ten forward passes for the spread."
    ),
    source="Zeiler & Fergus 2013, figure 2; Yosinski et al. 2015, section 2; Olah et al. 2020, section 1",
    over="all",
)
def page(
    index: Index,
    unit: Unit,
    *,
    count: Annotated[int, Field(ge=1, le=100, description="number of strongest images", examples=[4])] = 9,
    feature: Annotated[int, Field(ge=1, description="number of patches that the neuron feature averages")] = 50,
    seed: Seed = 0,
) -> UnitPage:
    """Everything about one unit: (N, ) strongest patches, the weakest, a spread, and what the index counted.

    The spread shows one image from each tenth of a random sample, because the strongest alone mislead: a unit is on
    in many images that look nothing like them. Beside the strongest patches stands what in them excites the unit
    (guided backpropagation), and their weighted mean, the neuron feature; below, how its activations are distributed,
    which classes excite it in the mean, and which units are excited by the same images.
    """
    layer = index[unit.layer]
    most = min(count, index.n_kept)
    top = top_images(index, unit, count=most)
    weakest = min(_WEAKEST, index.n_weakest) if layer.signed else 0
    low = patches(index, unit, layer.bottom(unit.channel, weakest)) if weakest else None
    excited = len(top) > 0 and float(top.values[0]) > 0
    notes = [*top.meta.notes, *Note.many("values", [] if excited else ["no image excites it"])]
    projections = None
    try:
        projections = reconstruction(index, unit, count=most)
    except Refused as error:
        notes.append(Note("refused", f"no projections: {error}"))
    alike = _alike(index, unit)
    named = [Unit.of(str(name)) for name in alike["unit"]] if alike is not None else []
    return UnitPage(
        top,
        low,
        spread(index, unit, seed=seed) if index.has_sample else patches(index, unit, exciting(index, unit, 0)),
        projections,
        neuron_feature(index, unit, count=min(feature, index.n_kept)) if excited else None,
        facts(index, unit),
        *layer.histogram(unit.channel),
        _classes(index, unit),
        alike,
        tuple(top_images(index, one, count=1) for one in named),
        Meta(found={"images": top.names}, notes=tuple(notes)),
        {"images without any activation": silent(index, unit)},
    )


def _alike(index: Index, unit: Unit) -> Table | None:
    """Nothing where it is the same on every image of the probe, or where there is no probe."""
    if not index.has_sample:
        return None
    maxima = index[unit.layer].sample[1][:, unit.channel]
    known = maxima[np.isfinite(maxima)]
    return similar(index, unit, count=_LIKES) if len(known) and np.ptp(known) > 0 else None


def _classes(index: Index, unit: Unit) -> Table | None:
    """The classes whose images excite it most, in the mean."""
    if not index[unit.layer].has_class_means:
        return None
    best = best_classes(index, unit, _CLASSES)
    classes: dict[str, tuple[Cell, ...]] = {
        "class": tuple(name for name, _ in best),
        "mean": tuple(mean for _, mean in best),
    }
    about = {"class": "of the images", "mean": "activation, over places and over the class's images"}
    return dataclasses.replace(Table(classes, about), plot_columns=("mean",))
