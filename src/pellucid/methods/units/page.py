"""The unit page: all that an index knows of one unit."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import numpy as np
from pydantic import Field

from pellucid.catalogue import method
from pellucid.chance import Seed
from pellucid.errors import Refused
from pellucid.methods.units._patches import exciting, patches
from pellucid.methods.units._spread import spread
from pellucid.methods.units._unit import Unit
from pellucid.methods.units.neuron_feature import neuron_feature
from pellucid.methods.units.reconstruction import reconstruction
from pellucid.methods.units.similar import similar
from pellucid.methods.units.top_images import top_images
from pellucid.notes import Note
from pellucid.result import Meta, Table, UnitPage
from pellucid.sweep.index import Index

_LIKES, _CLASSES, _WEAKEST = 5, 5, 5


@method(
    "Unit page",
    source="Zeiler & Fergus 2013, figure 2; Yosinski et al. 2015, section 2; Olah et al. 2020, section 1",
    over="all",
)
def page(
    index: Index,
    unit: Unit,
    *,
    count: Annotated[int, Field(ge=1, le=100, description="how many of the strongest pictures")] = 9,
    feature: Annotated[int, Field(ge=1, description="patches that the neuron feature is the mean of")] = 50,
    seed: Seed = 0,
) -> UnitPage:
    """Everything about one unit: (N, ) strongest patches, the weakest, a spread, and what the index counted.

    The spread shows one picture from each tenth of a random sample, because the strongest alone mislead: a unit is on
    in many pictures that look nothing like them. Beside the strongest patches stands what in them excites the unit
    (guided backpropagation), and their weighted mean, the neuron feature; below, how its activations are distributed,
    which classes excite it in the mean, and which units are excited by the same pictures.
    """
    number = index.unit(unit.layer, unit.channel)
    most = min(count, index.plan.count)
    top = top_images(index, unit, count=most)
    which = index.plan.units.layer(unit.layer)
    signed = index.plan.units.signed[which] and index.plan.bottom > 0
    low = (
        patches(index, unit, index.bottom(unit.layer, unit.channel, min(_WEAKEST, index.plan.bottom)))
        if signed
        else None
    )
    excited = len(top) > 0 and float(top.values[0]) > 0
    notes = [*top.meta.notes, *Note.many("values", [] if excited else ["no picture excites it"])]
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
        spread(index, unit, seed=seed) if index.plan.probe else patches(index, unit, exciting(index, unit, 0)),
        projections,
        neuron_feature(index, unit, count=min(feature, index.plan.count)) if excited else None,
        _facts(index, unit),
        index.edges(number),
        index.histograms(np.array([number]))[0],
        _classes(index, unit),
        alike,
        tuple(top_images(index, one, count=1) for one in named),
        Meta(found={"images": top.names}, notes=tuple(notes)),
        {"pictures without any activation": _silent(index, unit)},
    )


def _facts(index: Index, unit: Unit) -> dict[str, float]:
    """Numbers by name, as a person would call them."""
    held = index.moments(unit.layer, unit.channel)
    median, high = index.quantile(unit.layer, unit.channel, np.array([0.5, 0.995])).tolist()
    facts = {
        "pictures": held["count"],
        "strongest activation": held["greatest"],
        "mean of the strongest in each picture": held["max_mean"],
        "mean activation": held["mean"],
        "standard deviation": held["sd"],
        "median": float(median),
        "exceeded at 1 place in 200": float(high),
    }
    chosen = float(index.class_selectivity[index.unit(unit.layer, unit.channel)])
    return facts if np.isnan(chosen) else {**facts, "class selectivity": chosen}


def _silent(index: Index, unit: Unit) -> float:
    """The share of the pictures that do not excite it anywhere."""
    held = index.moments(unit.layer, unit.channel)
    return float(held["silent"] / max(held["count"], 1.0))


def _alike(index: Index, unit: Unit) -> Table | None:
    """Nothing where it is the same on every picture of the probe, or where there is no probe."""
    if not index.plan.probe:
        return None
    maxima = index.probe(unit.layer)[1][:, unit.channel]
    known = maxima[np.isfinite(maxima)]
    return similar(index, unit, count=_LIKES) if len(known) and np.ptp(known) > 0 else None


def _classes(index: Index, unit: Unit) -> Table | None:
    """The classes whose pictures excite it most, in the mean."""
    if not index.plan.classes or index.plan.units.layers[index.plan.units.layer(unit.layer)] not in index.plan.classed:
        return None
    means = index.class_means(unit.layer)[:, unit.channel].astype(np.float64)
    order = [i for i in np.argsort(-np.nan_to_num(means, nan=-np.inf), kind="stable").tolist() if np.isfinite(means[i])]
    best = order[:_CLASSES]
    classes = {"class": tuple(index.plan.classes[i] for i in best), "mean": tuple(float(means[i]) for i in best)}
    about = {"class": "of the pictures", "mean": "activation, over places and over the class's pictures"}
    return dataclasses.replace(Table(classes, about), pictured=("mean",))
