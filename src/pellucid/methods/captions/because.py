"""Because: a sentence for a decision, made of what the units that made it were found to detect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from pellucid.catalogue import method
from pellucid.decomposition.assembled import Points
from pellucid.decomposition.phrases import Phrase, Sentence, sentence
from pellucid.described import Default
from pellucid.images import Images
from pellucid.images.concepts import Concepts, ConceptsOption
from pellucid.index import Index
from pellucid.index.detectors import Detectors
from pellucid.net import LayerName
from pellucid.notes import Note
from pellucid.progress import steps
from pellucid.result import Captions, Meta, Table
from pellucid.result.table import Cell
from pellucid.saliency.heatmaps import asked_of
from pellucid.saliency.layers import chosen_layer
from pellucid.target import BEST, Target, fixed, named

_ONE_IN, _LEAST = 20, 0.04
SHARE = 0.005
"""Of a unit's activations over the index count as active: the level of network dissection."""
_HELP = {
    "image": "that was asked about",
    "score": "of the target",
    "phrases": "what the concepts in the sentence add to it",
    "other concepts": "what concepts that were found but are not in the sentence add",
    "no concept": "what units add that detect none of the concepts, or are silent here",
    "empty layer": "the score when the layer hands on zeros, and what the path of gradients misses",
    "left out": "the share of the score that the sentence leaves out; nothing where the score is not above 0",
}


@method(
    "Because",
    purpose="a decision in a sentence of what its units detect",
    shows=(
        "Each phrase is a concept that active units of the layer were found to detect, with its region and what these "
        "units add to the score. Read what the sentence leaves out before you believe it: units without a concept "
        "often carry most of the score. A unit may be active for something else than what it overlaps best, and with "
        "few images with masks many overlaps are chance. A pass over the images with masks, then passes for each image."
    ),
    source="Bau et al. 2017, section 2; Zhou et al. 2018 (Interpretable Basis Decomposition), section 3, equation 4",
    quick={"points": 4},
)
def because(
    index: Index,
    images: Images,
    target: Target = BEST,
    *,
    concepts: Annotated[
        ConceptsOption,
        Field(description="folder with images/, masks/ of class numbers, and classes.csv", examples=["broden"]),
    ],
    layer: Annotated[
        LayerName | None,
        Field(description="layer whose units the phrases are about", examples=["blocks.6"]),
        Default("the last stage of the network that the index holds"),
    ] = None,
    count: Annotated[int, Field(ge=1, le=12, description="number of phrases, at most")] = 3,
    min_iou: Annotated[
        float | None,
        Field(gt=0, lt=1, description="overlap (IoU) above which a unit counts as a detector"),
        Default("what 1 unit in 20 exceeds with the masks of other images, 0.04 at the least"),
    ] = None,
    points: Points = 16,
) -> Captions:
    """A sentence for each image, up to `count` phrases with their shares of the score, (N, count), and maps of these.

    With A the activations of the layer and g the gradient of the score there, its mean at `points` on the way from
    zero, A ∘ g sums to the score less that of a layer of zeros. A concept's share is the sum over its detectors that
    are active somewhere in the image: units whose map reaches what 0.5 % of their activations over the index exceed,
    and whose overlap with the concept is the largest of all and above `min_iou`, by default above chance. `values`
    (N, count, 1, rows, columns) are the cells of that sum. A phrase must speak for the target. `shares` has one row for
    each image, with all that the sentence leaves out; `rest` is the score less the phrases. Refused where the layer has
    no places.
    """
    name = index[layer].name if layer else index.stages[-1]
    key = ("because", concepts.identity, name)
    found = index.remembered(key, lambda: Detectors.of(index, concepts, [name], SHARE, 1))
    least = found.limit(_ONE_IN, _LEAST) if min_iou is None else min_iou
    net, said, asked = index.net, list[Sentence](), list[Target]()
    seen = net.prepare(images)
    where = chosen_layer(net, seen, target.layers, name, "auto")
    for i in steps(range(len(seen)), "images"):
        pixels = seen.pixels[i : i + 1]
        asked.append(fixed(target, net.run(pixels, layers=target.layers)) if target.reads_output else target)
        said.append(sentence(net, pixels, asked[-1], name, found, concepts, least, count, points))
    wanted = [str(named(one, net)) for one in asked]
    parts = tuple((*map(_phrase, one.phrases), *[""] * (count - len(one.phrases))) for one in said)
    scores = np.full((len(said), count), np.nan)
    values = np.zeros((len(said), count, 1, *said[0].at.places))
    for i, one in enumerate(said):
        for k, phrase in enumerate(one.phrases):
            scores[i, k], values[i, k, 0] = phrase.share, phrase.map
    told = {**asked_of(net, target, asked), "layer": name, "score": tuple(one.at.score for one in said)}
    table = _shares(seen.ids, said)
    unit = target.unit_of(net)
    return Captions(
        tuple(_sentence(who, one) for who, one in zip(wanted, said, strict=True)), parts, scores, values, ("share",),
        np.stack([seen.shown(i, seen=True) for i in range(len(seen))]), where.placement,
        np.array([one.rest for one in said]), unit, (unit,), (True,), tables={"shares": table},
        findings=_findings(said, found, concepts, least), meta=Meta(found=told, notes=(*seen.notes, *_notes(found))),
    )  # fmt: skip


def _phrase(one: Phrase) -> str:
    return f"{one.concept}, {one.region}"


def _sentence(who: str, one: Sentence) -> str:
    """giant panda: bear (41 % of the score, center), person (12 %, top left)."""
    if not one.phrases:
        return f"{who}: no concept that the units of this layer detect speaks for it"
    whole = one.at.score
    said = []
    for k, phrase in enumerate(one.phrases):
        share = f"{phrase.share / whole:.0%}{' of the score' if k == 0 else ''}, " if whole > 0 else ""
        said.append(f"{phrase.concept} ({share}{phrase.region})")
    return f"{who}: {', '.join(said)}"


def _shares(ids: Sequence[str], said: Sequence[Sentence]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name, one in zip(ids, said, strict=True):
        score, phrases = one.at.score, sum(phrase.share for phrase in one.phrases)
        left = one.rest / score if score > 0 else None
        rows.append((name, score, phrases, one.others, one.unnamed, score - one.at.total, left))
    return Table(dict(zip(_HELP, zip(*rows, strict=True), strict=True)), _HELP, (), ("phrases", "no concept"))


def _findings(said: Sequence[Sentence], found: Detectors, concepts: Concepts, min_iou: float) -> tuple[str, ...]:
    detects = found.value > min_iou
    chance = int((found.chance > min_iou).sum())
    unique = len({int(one) for one in found.best[detects]})
    lines = [
        f"{int(detects.sum())} of {len(detects)} units detect {unique} of {len(concepts.names)} concepts, with an "
        f"overlap above {min_iou:.2f}; with the masks of other images {chance} would"
    ]
    left = [one.rest / one.at.score for one in said if one.at.score > 0]
    if left:
        lines.append(f"the sentences leave out {float(np.median(left)):.0%} of the score, the median over the images")
    return tuple(lines)


def _notes(found: Detectors) -> tuple[Note, ...]:
    layer = found.judged.layers[0]
    return (Note("reading", f"a unit of {layer} is active where {SHARE:.1%} of its activations are exceeded"),)
