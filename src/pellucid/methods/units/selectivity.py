"""Selectivity: how choosy a unit is, about color, class, orientation, symmetry and shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from pellucid.catalogue import method
from pellucid.index import Index
from pellucid.index.changes import AXES, Answers, answers, bar, resampled
from pellucid.index.classes import class_rows
from pellucid.index.crops import Strongest, seen, strongest
from pellucid.index.unit import Unit
from pellucid.notes import Note
from pellucid.result import Meta, Table
from pellucid.result.table import Cell
from pellucid.rng import Seed

Part = Literal["color", "class", "orientation", "symmetry", "shape"]
_ABOUT = {
    "index": "what the unit may be choosy about",
    "value": "0: not at all, 1: entirely; of symmetry 0: not, 1: entirely symmetric",
    "error": "standard deviation over resamples of the images, drawn with replacement",
    "amount": "what is no share: numbers of classes, bits",
    "over": "the images that it is taken over",
    "detail": "the class, or how the images were changed",
}


@method(
    "Selectivity",
    purpose="selectivity of a unit for color, class and shape",
    shows=(
        "A value of 1 says that all of the activation is lost without color, after a turn or with the pixels shuffled; "
        "of class, that the strongest images are of one class; of symmetry, that a reflection loses nothing. All rows "
        "but that over the whole data set are about the strongest images alone, up to 100, and those of class depend "
        "on how many images each class has. 31 forward passes over each of these images, up to the layer."
    ),
    source="Rafegas, Vanrell, Alexandre & Arias 2020, section 4; Morcos et al. 2018, equation 1",
    over="all",
)
def selectivity(
    index: Index,
    unit: Unit,
    *,
    count: Strongest = None,
    properties: Annotated[
        tuple[Part, ...],
        Field(min_length=1, description="properties to measure: color, class, orientation, symmetry, shape"),
    ] = ("color", "class", "orientation", "symmetry", "shape"),
    threshold: Annotated[
        float | int,
        Field(gt=0, le=1, description="share of the activation that the leading classes must reach together"),
    ] = 1.0,
    step: Annotated[
        int, Field(ge=5, le=180, description="step between the rotations that measure orientation, in degrees")
    ] = 15,
    resamples: Annotated[int, Field(ge=2, description="number of resamples of the images, for the error bars")] = 200,
    seed: Seed = 0,
) -> Table:
    """How much of a unit's activation depends on color, class, orientation, symmetry and shape: one row for each.

    What the unit saw in its strongest images is changed, and the unit read again at the same place of the same
    image; a is its activation before, a' after. Color: 1 − Σ a' / Σ a without color, once as in the paper (the
    first principal component of the opponent channels, stretched from 0 to 1, which alters contrast and can excite
    the unit more), once as brightness with the colors' mean and variance. Clipped is the mean of 1 − a' / a, each
    between 0 and 1. Orientation: 1 − Σ a' / Σ a after a turn. Symmetry: Σ a' / Σ a after a reflection in an axis
    (0° lies level), between 0 and 1. Shape: 1 − Σ a' / Σ a with the pixels shuffled.

    Class: with f the classes' shares of the activation and M the fewest classes whose shares reach the threshold,
    (N − M) / (N − 1). The population code is how many classes have f ≥ 0.1, the entropy Σ f log₂ 1/f. Over the
    whole data set: (μ_max − μ_others) / (μ_max + μ_others) of class means. Rows that need labels are absent
    where there are none. Units that can be negative can have values above 1.
    """
    top = strongest(index, unit, count)
    rows: list[dict[str, Cell]] = []
    notes: list[Note] = []
    said: list[str] = []
    first = next((one for image in top.images.tolist() if (one := seen(index, image)) is not None), ())
    colors = len(first) == 3
    names = _names(properties, step, colors)
    if "color" in properties and not colors:
        notes.append(Note("refused", "no color indexes: the network sees no three colors"))
    if names:
        rows += _touched(answers(index, unit, top, names, seed), names, properties, resamples, seed, str(unit))
    if "class" in properties:
        if index.classes:
            more, told = class_rows(index, unit, top, threshold, resamples, seed)
            rows, said = [*more, *rows], told
        else:
            notes.append(Note("refused", "no class indexes: the images of the index have no labels"))
    about = {name: what for name, what in _ABOUT.items() if name != "amount" or any(name in row for row in rows)}
    columns = {name: tuple(row.get(name) for row in rows) for name in about}
    notes.append(Note("sampling", f"error: standard deviation over {resamples} resamples of the images"))
    meta = Meta(found={"images": index.names(top.images)}, notes=tuple(notes))
    return Table(columns, about, tuple(said), ("value",), errors={"value": "error"}, meta=meta)


def _names(properties: Sequence[str], step: int, colors: bool) -> list[str]:
    """The changes that the parts ask for."""
    found = ["principal", "luminance"] if "color" in properties and colors else []
    found += [f"turned {by}" for by in range(step, 360, step)] if "orientation" in properties else []
    found += [f"mirrored {axis}" for axis in AXES] if "symmetry" in properties else []
    return [*found, "shape"] if "shape" in properties else found


def _touched(
    found: Answers, names: Sequence[str], properties: Sequence[str], resamples: int, seed: int, unit: str
) -> list[dict[str, Cell]]:
    """The rows of all that was changed."""
    which = resampled(len(found.own), resamples, seed, unit)
    over = f"top {len(found.own)}"

    def row(
        index: str, value: float | np.floating[Any] | np.ndarray, again: np.ndarray, detail: str | None = None
    ) -> dict[str, Cell]:
        return {
            "index": index,
            "value": float(value),
            "error": bar(again) if len(found.own) > 1 else None,
            "over": over,
            "detail": detail,
        }

    rows = []
    for name, how in (("principal", "gray: first principal axis"), ("luminance", "gray: brightness")):
        if name in names:
            label = "color" if name == "principal" else "color, brightness kept"
            rows.append(row(label, found.lost(name), found.lost(name, which), how))
            label = f"{label}, clipped"
            rows.append(row(label, found.clipped(name), found.clipped(name, which), how))
    if "shape" in names:
        rows.append(row("shape", found.lost("shape"), found.lost("shape", which), "pixels shuffled"))
    for part, kind, said in (("symmetry", "mirrored", "mirrored in"), ("orientation", "turned", "turned by")):
        mine = [name for name in names if name.startswith(kind)]
        if not mine:
            continue
        shares = [found.lost(name) for name in mine], [found.lost(name, which) for name in mine]
        if part == "symmetry":
            shares = [(1 - one).clip(0, 1) for one in shares[0]], [(1 - one).clip(0, 1) for one in shares[1]]
        rows.append(row(f"{part}, mean", np.mean(shares[0]), np.mean(shares[1], axis=0), f"of {len(mine)}"))
        for name, value, again in zip(mine, *shares, strict=True):
            by = name.split(" ")[1]
            rows.append(row(f"{part} {by}°", value, again, f"{said} {by}°"))
    return rows
