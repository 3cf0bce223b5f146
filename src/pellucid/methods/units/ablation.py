"""Ablation: what a network loses without a unit."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pellucid.catalogue import method
from pellucid.geometry import Floats
from pellucid.index import Index
from pellucid.index.ablated import Answers, answered, replaced, sampled, spread, truth
from pellucid.index.patches import patches
from pellucid.index.unit import Unit
from pellucid.notes import Note
from pellucid.result import Meta, PatchRow, Report, Table
from pellucid.result.table import Cell
from pellucid.rng import Seed, generator

_CLASSES = {
    "class": "the images of",
    "images": "how many",
    "probability": "mean, of that class",
    "change": "mean change of that probability without the unit, with its standard error over the images",
    "error": "that standard error",
    "accuracy": "share of the images for which the network answers that class",
    "without": "the same without the unit",
}
_ABOVE = {
    "unit": "layer:channel",
    "class": "of the network, where the unit is its score",
    "before": "mean over the images of its largest activation",
    "after": "the same without the unit",
    "fall": "the difference, in standard deviations of its largest activation over the index, with its standard error",
    "error": "that standard error",
}
_MOST = 100  # units above
_PATCHES = 5


@method(
    "Ablation",
    purpose="measure what the network loses without a unit",
    shows=(
        "Read how far the probability of each class falls without the unit, and whether it falls further than without "
        "the other units of its layer that are removed for comparison. A small fall does not mean that the unit codes "
        "nothing, because others may do the same work; and a channel of zeros may be something that the layers above "
        "have never met, so compare with value=mean. Six forward passes over 128 images."
    ),
    source="Morcos et al. 2018, section 2.2; Zhou et al. 2018 (ablation), section 3",
    over="all",
)
def ablation(
    index: Index,
    unit: Unit,
    *,
    value: Annotated[
        Literal["zero", "mean"], Field(description="value that replaces the unit's activation everywhere")
    ] = "zero",
    count: Annotated[int, Field(ge=2, description="number of images, drawn at random from the index")] = 128,
    controls: Annotated[
        int, Field(ge=0, description="number of other units of the layer to compare with, drawn at random")
    ] = 4,
    seed: Seed = 0,
) -> Report:
    """What changes without a unit: one row for each class of the images, and one row for each unit above it.

    The unit's channel is set to 0, or to its mean over the index, at all places. `classes` has the probability of
    each image's class and the accuracy, before and after; the class is the image's own where the index knows
    it by a name that the network has, and else what the network answers with the unit in place. `above` has the units
    of later layers, those first whose largest activation changes most: a positive fall says that the unit fed them.
    Errors are standard errors over the images; `controls` are other units of the layer removed in the same way.
    """
    asked = index[unit.layer]
    layer, later, number = asked.name, index.layers[asked.number + 1 :], asked.unit(unit.channel)
    images = sampled(index, count, seed)
    rest = [channel for channel in range(asked.channels) if channel != unit.channel]
    picked = generator(seed, "others").permutation(len(rest))[:controls]
    channels = [unit.channel, *(rest[i] for i in sorted(picked.tolist()))]
    means = asked.moments.mean
    edits = [{}, *({layer: replaced(c, float(means[c]) if value == "mean" else 0.0)} for c in channels)]
    before, without, *compared = answered(index, images, edits, later)
    tables: dict[str, Table] = {}
    said: list[str] = []
    if before.probabilities is not None:
        classes, known = truth(index, images)
        classes = classes if known else before.probabilities.argmax(1)
        tables["classes"], said = _classes(index, before, without, compared, classes, known)
    if later:
        tables["above"], more = _above(index, later, before.maxima, without.maxima)
        said.append(more)
    shown = patches(index, unit, asked.top(unit.channel, min(_PATCHES, index.n_kept)))
    silent = asked.moments.silent_share[unit.channel]
    strip = PatchRow(str(unit), (f"silent in {silent:.0%} of the images",), (shown,))
    held = f"set to {float(means[unit.channel]):.3g}, its mean" if value == "mean" else "set to 0"
    note = f"over {len(images)} of the {index.n_images} images; the unit, number {number} of the index, is {held}"
    return Report(tables, (strip,), tuple(said), meta=Meta(notes=(Note("reading", note),)))


def _classes(index: Index, before: Answers, without: Answers, compared: list[Answers], classes: NDArray[np.int64],
             known: bool) -> tuple[Table, list[str]]:  # fmt: skip
    """All images first, then the classes that lose most."""
    told = [one.probabilities for one in (before, without, *compared) if one.probabilities is not None]
    each = np.arange(len(classes))
    chance = [one[each, classes] for one in told]
    right = [one.argmax(1) == classes for one in told[:2]]

    def row(name: str, these: NDArray[np.int64]) -> tuple[Cell, ...]:
        change, error = spread(chance[1][these] - chance[0][these])
        shares = [float(one[these].mean()) for one in right]
        return name, len(these), float(chance[0][these].mean()), change, error, *shares

    rows = [row(index.net.class_name(int(c)), np.nonzero(classes == c)[0]) for c in np.unique(classes)]
    rows = [row("all images", each), *sorted(rows, key=lambda one: (float(one[3] or 0), str(one[0])))]
    whole, error = spread(chance[1] - chance[0])
    kind = "the image's class" if known else "what it answered"
    flipped = int((told[0].argmax(1) != told[1].argmax(1)).sum())
    said = [
        f"the probability of {kind} {_changes(whole)} by {abs(whole or 0):.2%} ± {error or 0:.2%}; "
        f"{flipped} of {len(classes)} answers change"
    ]
    if compared:
        rest = [float((one - chance[0]).mean()) for one in chance[2:]]
        ends = f"{min(rest):+.2%} to {max(rest):+.2%}".replace("-", "−")
        said.append(f"without other units of the layer, one at a time ({len(rest)} were tried), it changes by {ends}")
    columns = dict(zip(_CLASSES, zip(*rows, strict=True), strict=True))
    return Table(columns, _CLASSES, (), ("probability", "change"), (), errors={"change": "error"}), said


def _changes(by: float | None) -> str:
    return "falls" if (by or 0) <= 0 else "rises"


def _above(index: Index, layers: tuple[str, ...], before: Floats, after: Floats) -> tuple[Table, str]:
    """The units whose largest activation changes most, in their own standard deviations."""
    spreads = np.concatenate([index[one].moments.max_sd for one in layers])
    names = [(one, c) for one in layers for c in range(index[one].channels)]
    falls = (before - after) / np.where(spreads > 0, spreads, np.inf)
    mean = falls.mean(0)
    rows: list[tuple[Cell, ...]] = []
    for i in np.argsort(-np.abs(mean), kind="stable")[:_MOST].tolist():
        fall, error = spread(falls[:, i])
        level = float(before[:, i].mean()), float(after[:, i].mean())
        rows.append((f"{names[i][0]}:{names[i][1]}", _score(index, *names[i]), *level, fall, error))
    touched = int((np.abs(mean) > 0.1).sum())
    said = (
        f"above it {touched} of {len(names)} units change by more than 0.1 of their standard deviation; "
        f"most {rows[0][0]}, which {_changes(-float(rows[0][4] or 0))} by {abs(float(rows[0][4] or 0)):.2f}"
    )
    columns = dict(zip(_ABOVE, zip(*rows, strict=True), strict=True))
    return Table(columns, _ABOVE, (), ("fall",), (), errors={"fall": "error"}), said


def _score(index: Index, layer: str, channel: int) -> str:
    """The class that a unit is the score of, if it is one: of the last layer, where that has one for each label."""
    labels, asked = index.net.labels, index[layer]
    last = asked.name == index.layers[-1] and not asked.mapped
    return labels.name(channel) if last and labels is not None and len(labels) == asked.channels else ""
