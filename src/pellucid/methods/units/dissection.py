"""Network dissection: which units of a network detect which concepts."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pellucid.catalogue import method
from pellucid.described import Default
from pellucid.errors import Refused
from pellucid.images.concepts import Concepts, ConceptsOption
from pellucid.index import Index
from pellucid.index.active import Judged
from pellucid.index.detectors import Detectors
from pellucid.index.exceeded import of
from pellucid.index.overlap import Seen, shown
from pellucid.notes import Note
from pellucid.result import Meta, PatchRow, Report, Table
from pellucid.result.table import Cell

_PICTURES = 5  # of each detector
_UNITS = {
    "unit": "layer:channel",
    "concept": "the one that it overlaps most",
    "category": "of the concept",
    "overlap": "IoU: pixels where both are over pixels where either is",
    "detector": "whether that is above the limit",
    "chance": "share of all units that overlap some concept as much with the masks of other images",
    "threshold": "the activation from which on the unit counts as active",
}
_CONCEPTS = {
    "concept": "its name",
    "category": "what kind of concept",
    "detectors": "units that overlap it most, and above the limit",
    "overlap": "IoU of the best of all units",
    "best": "that unit",
    "share": "of the labeled pixels",
}


@method(
    "Network dissection",
    purpose="score every unit as a detector of labeled concepts",
    shows="Read the number of detectors beside the number with the masks of other images: few images and many concepts "
    "make many by chance. A unit without a concept may look for one that is not among those given, and small things "
    "overlap little however well they are found. One forward pass over the images with masks, and the first time "
    "another over up to 2,000 images of the index.",
    source="Bau et al. 2017, section 2, equation 1 (IoU of units and concepts)",
    over="all",
)
def dissection(
    index: Index,
    *,
    layers: Annotated[
        tuple[str, ...] | None,
        Field(description="layers whose units are scored", examples=["blocks.6"]),
        Default("the stages and the last layer with spatial maps"),
    ] = None,
    share: Annotated[
        float, Field(gt=0, lt=1, description="share of a unit's activations that count as active")
    ] = 0.005,
    min_iou: Annotated[
        float, Field(gt=0, lt=1, description="overlap (IoU) above which a unit counts as a detector")
    ] = 0.04,
    examples: Annotated[int, Field(ge=1, description="number of detectors whose patches are shown")] = 8,
    concepts: Annotated[
        ConceptsOption,
        Field(description="folder with images/, masks/ of class numbers, and classes.csv", examples=["broden"]),
    ],
) -> Report:
    """How well each unit marks out each concept: one row for each unit, and one row for each concept.

    A unit is active where its map, read at every pixel with its cells placed where they see, is above its
    threshold, which a `share` of its activations over the images of the index exceeds. Its overlap with a concept
    is, over all images with masks, the pixels of both, over those of either; the unit's are counted in the images
    that have any concept of that category. Where it is above `min_iou`, the unit is a detector of the concept that it
    overlaps most. `findings` gives the number of unique detectors (concepts that have one) and how many detectors there
    would be by chance, with the masks of other images: of few images and many concepts, most.
    Masks are cut and resized as their images are.
    """
    names = tuple(index[one].name for one in layers) if layers else index.stages
    found = Detectors.of(index, concepts, names, share, _PICTURES)
    judged, numbers, seen, overlap = found.judged, found.numbers, found.seen, found.overlap
    best, value, chance = found.best, found.value, found.chance
    order = np.argsort(-value, kind="stable")
    units = _units(judged, concepts, numbers, best, value, min_iou, chance)
    table, strips = _concepts(judged, concepts, numbers, overlap, best, value > min_iou, seen), []
    for unit in [int(unit) for unit in _varied(order, best, value)[:examples] if value[unit] > min_iou]:
        number = numbers[best[unit]]
        patches, overlaps = shown(index.net, concepts, judged, unit, number, seen)
        layer, channel = judged.name(unit)
        told = (f"{layer}:{channel}", f"IoU {value[unit]:.2f}")
        strips.append(PatchRow(concepts.names[number], told, (patches,), overlaps))
    notes = Note.many("reading", (
        f"thresholds: what {share:g} of each unit's activations exceed at every place of {of(index, names, share)} of "
        f"the index; masks: {len(concepts)} images, {len(numbers)} concepts",
        f"detectors: IoU above {min_iou:g}",
    ))  # fmt: skip
    said = _said(judged, concepts, numbers, best, value, min_iou, chance)
    return Report({"concepts": table, "units": units}, tuple(strips), said, meta=Meta(notes=notes))


def _varied(order: NDArray[np.int64], best: NDArray[np.int64], value: NDArray[np.float64]) -> list[int]:
    """The strongest detector of each concept, strongest first, and then the others."""
    first: dict[int, int] = {}
    for unit in order.tolist():
        first.setdefault(int(best[unit]), unit)
    leaders = list(first.values())
    return [*leaders, *(unit for unit in order.tolist() if unit not in set(leaders))]


def _units(judged: Judged, concepts: Concepts, numbers: tuple[int, ...], best: NDArray[np.int64],
           value: NDArray[np.float64], min_iou: float, chance: NDArray[np.float64]) -> Table:  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    more = (1 + len(chance) - np.searchsorted(chance, value)) / (1 + len(chance))
    for unit in np.argsort(-value, kind="stable").tolist():
        number = numbers[best[unit]]
        found = value[unit] > 0
        layer, channel = judged.name(unit)
        rows.append((
            f"{layer}:{channel}", concepts.names[number] if found else "", concepts.categories[number] if found else "",
            float(value[unit]), bool(value[unit] > min_iou), float(more[unit]),
            float(judged.thresholds[unit])
        ))  # fmt: skip
    return Table(dict(zip(_UNITS, zip(*rows, strict=True), strict=True)), _UNITS, (), ("overlap",))


def _concepts(judged: Judged, concepts: Concepts, numbers: tuple[int, ...], overlap: NDArray[np.float64],
              best: NDArray[np.int64], detects: NDArray[np.bool_], seen: Seen) -> Table:  # fmt: skip
    """Those that occur: with most detectors first, of equals the one that is overlapped best."""
    total = max(int(seen.counts.concepts.sum()), 1)
    rows: list[tuple[Cell, ...]] = []
    for i in np.nonzero(seen.counts.concepts)[0].tolist():
        layer, channel = judged.name(int(overlap[:, i].argmax()))
        rows.append((
            concepts.names[numbers[i]], concepts.categories[numbers[i]], int((detects & (best == i)).sum()),
            float(overlap[:, i].max()), f"{layer}:{channel}", float(seen.counts.concepts[i] / total)
        ))  # fmt: skip
    if not rows:
        raise Refused(f"no mask in {str(concepts)!r} marks anything that the network sees")
    rows.sort(key=lambda row: (-float(row[2] or 0), -float(row[3] or 0)))
    return Table(dict(zip(_CONCEPTS, zip(*rows, strict=True), strict=True)), _CONCEPTS, (), ("detectors", "overlap"))


def _said(judged: Judged, concepts: Concepts, numbers: tuple[int, ...], best: NDArray[np.int64],
          value: NDArray[np.float64], min_iou: float, chance: NDArray[np.float64]) -> tuple[str, ...]:  # fmt: skip
    detects = value > min_iou
    unique = {int(i) for i in best[detects]}
    kinds = Counter(concepts.categories[numbers[i]] for i in unique)
    each = ", ".join(f"{count} of {kind}" for kind, count in sorted(kinds.items())) if len(kinds) > 1 else ""
    by_layer = ", ".join(
        f"{layer}: {int(detects[start : start + count].sum())} of {count}"
        for layer, start, count in zip(
            judged.layers, np.cumsum([0, *judged.channels]).tolist(), judged.channels, strict=False
        )
    )
    rare = float(np.quantile(chance, 0.99))
    return (
        f"{int(detects.sum())} of {len(detects)} units are detectors, of {len(unique)} concepts"
        f"{f' ({each})' if each else ''}; with the masks of other images {int((chance > min_iou).sum())} would be",
        f"{int((value > rare).sum())} units overlap a concept by more than {rare:.2f}, which 1 in 100 does by chance",
        f"detectors by layer: {by_layer}",
    )
