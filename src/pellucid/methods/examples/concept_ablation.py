"""Concept ablation: what every class's score does when a concept that photos show is taken out of a layer."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from pellucid.catalogue import method
from pellucid.described import Default
from pellucid.errors import PellucidError
from pellucid.geometry import Floats
from pellucid.image_set import ImageSet
from pellucid.images import Images
from pellucid.index import Index
from pellucid.index.ablated import sampled
from pellucid.index.concept import Removed, control, difference, means_of, scores_without, told_apart
from pellucid.net import Net
from pellucid.notes import Note
from pellucid.result import Meta, Report, Table
from pellucid.result.table import Cell
from pellucid.rng import Seed, generator
from pellucid.statistics import NORMAL_95, error_of_mean

_HELP = {
    "class": "of the network",
    "change": "mean change of its score over the photos of the concept, when that is taken out",
    "error": "standard error of that mean over the photos",
    "low": "lower end of the 95 % interval",
    "high": "upper end of the 95 % interval",
    "random low": "least mean change with any of the directions, or sets of units, drawn for comparison",
    "random high": "largest mean change with any of these",
    "beyond": "whether the interval lies outside of what these do",
    "elsewhere": "mean change over images of the index",
}


@method(
    "Concept ablation",
    purpose="take a concept out of a layer and see which scores change",
    shows=(
        "Classes whose interval lies beyond what random directions do lean on what these photos have in common. That "
        "may be more than the concept: a background, a style, or a class, so choose photos that differ in all else. "
        "Where the AUROC is low, the layer does not hold the concept along one direction, and nothing follows. A large "
        "change shows use, no change shows none. One pass of every image, and from the layer on one for each control."
    ),
    source="Kim et al. 2018 (TCAV), sections 3.1 and 3.5; Ravfogel et al. 2020, section 3 (projection)",
    over="all",
)
def concept_ablation(
    index: Index,
    images: ImageSet,
    *,
    layer: Annotated[
        str | None,
        Field(description="layer out of which the concept is taken", examples=["blocks.4"]),
        Default("the last layer with spatial maps"),
    ] = None,
    units: Annotated[
        int, Field(ge=0, description="number of units that are removed, those that differ most; 0: the direction is")
    ] = 0,
    value: Annotated[
        Literal["zero", "mean"],
        Field(description="value left along the direction: 0, or its mean over images of the index"),
    ] = "zero",
    count: Annotated[int, Field(ge=4, description="number of images, drawn at random from the index")] = 128,
    controls: Annotated[
        int, Field(ge=1, le=1000, description="number of random directions, or sets of units, to compare with")
    ] = 20,
    seed: Seed = 0,
) -> Report:
    """What the score of every class does on photos of a concept without it: one row for each class, the most changed
    first.

    The direction is the difference of the mean activations of these photos and of images of the index, means over
    places. Activations are projected onto its orthogonal complement at every place (with `value` mean, moved to where
    the images of the index are), or its strongest `units`, by difference over standard deviation, are set to that
    value. `controls` are directions between random halves of the images of the index, of as many images as there are
    photos, or as many other units. `ablation` does so for one unit, and `dissection` finds the units of labeled
    concepts. Errors are standard errors over the photos. Raises PellucidError for fewer than two photos.
    """
    net = index.net
    name = index[index.stages[-1] if layer is None else layer].name
    numbers = sampled(index, count, seed)
    photos = images.on(net)
    if len(photos) < 2:
        raise PellucidError(f"{len(photos)} photo of the concept: an interval needs two at the least")

    def of_index(i: int) -> Images:
        return index.read(int(numbers[i]))

    own = means_of(net, len(photos), photos.image, name, "photos of the concept")
    rest = means_of(net, len(numbers), of_index, name, "images of the index")
    level = rest.mean(0) if value == "mean" else np.zeros(rest.shape[1])
    rows = [np.zeros(rest.shape[1]), difference(own, rest, units)]
    rows += [control(rest, len(own), rows[1], units, generator(seed, "control", k)) for k in range(controls)]
    removed = Removed(np.stack(rows), level, units > 0)
    with_it = scores_without(net, len(photos), photos.image, name, removed, "photos without it")
    without = scores_without(net, len(numbers), of_index, name, removed, "images without it")
    changes = with_it[:, 1:] - with_it[:, :1]
    table, said = _table(net, changes, (without[:, 1] - without[:, 0]).mean(0))
    flipped = (with_it.argmax(2) != with_it[:, :1].argmax(2)).sum(0)
    area = told_apart(own, rest)
    findings = [
        *([f"along it photos of the concept lie above images of the index with AUROC {area:.2f}, on images that it was "
           "not made from"] if area is not None else []),
        *said,
        f"{flipped[1]} of {len(own)} answers change; with the random ones {float(np.median(flipped[2:])):g}, median",
    ]  # fmt: skip
    what = f"the {units} units" if units else "the direction"
    note = f"{len(own)} photos of the concept, {len(rest)} images of the index; {what} in layer {name} set to {value}"
    return Report(
        {"classes": table}, (), tuple(findings), meta=Meta(found={"layer": name}, notes=(Note("reading", note),))
    )


def _table(net: Net, changes: Floats, elsewhere: Floats) -> tuple[Table, list[str]]:
    """(classes, the most changed first, what is to be said) of changes (M, 1 + controls, classes)."""
    mean, error = changes[:, 0].mean(0), error_of_mean(changes[:, 0])
    random = changes[:, 1:].mean(0)
    low, high = random.min(0), random.max(0)
    ends = mean - NORMAL_95 * error, mean + NORMAL_95 * error
    beyond = (ends[1] < low) | (ends[0] > high)
    order = np.argsort(-np.abs(mean), kind="stable").tolist()
    parts = (mean, error, *ends, low, high)
    rows: list[tuple[Cell, ...]] = [
        (net.class_name(k), *(float(one[k]) for one in parts), bool(beyond[k]), float(elsewhere[k])) for k in order
    ]
    columns = dict(zip(_HELP, zip(*rows, strict=True), strict=True))
    first = next((k for k in order if beyond[k]), order[0])
    said = [
        f"the score of {net.class_name(first)} {'falls' if mean[first] < 0 else 'rises'} by {abs(mean[first]):.3g} "
        f"(95 % interval {ends[0][first]:+.3g} to {ends[1][first]:+.3g}); random ones change it by {low[first]:+.3g} "
        f"to {high[first]:+.3g}".replace("-", "−"),
        f"{int(beyond.sum())} of {len(mean)} classes change by more than any of {len(random)} random ones",
    ]
    return Table(columns, _HELP, (), ("change",), (), errors={"change": "error"}), said
