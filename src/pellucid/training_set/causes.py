"""Five causes of a mistake, each with its figure, whether it holds, and words; and the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pellucid.statistics import wilson
from pellucid.training_set.mistaken import DOUBTED, Judged, Known

CAUSES = ("nothing like it", "its own label", "labels of its neighbors", "similar classes", "like no class")
NONE, RIGHT = "none of these", "no mistake"
FAR, OUT, UNLIKE, SHARE, TIMES = 0.995, 0.975, 0.95, 0.1, 2.0
"""From which causes hold, besides a chance of one half that the label is wrong: the share of training images that are
less far out than what is like nothing, and like no class; the share that are more like their neighbors; the expected
share of wrong labels among the training images that speak for the answer; how many times as often as a usual pair two
classes are taken for each other, surely. Chosen on planted causes of two seeds, digits and CIFAR-10
(benchmarks/mistakes.py)."""
_MANY = 50
"""Training images from which they say what is far or unlike; of fewer the farthest is all that is known."""
_FEWEST, _CLOSE = 5, 0.01
"""Images of each of two classes from which counts say how alike they are; with fewer it is the rank among so large a
share of all classes."""
_SAYS = {
    "nothing like it": "no training image is like it",
    "its own label": "its label {given} is probably wrong",
    "labels of its neighbors": "training images like it are probably mislabeled as {rival}",
    "similar classes": "{given} and {rival} are similar classes",
    "like no class": "it is like no class, {given} and {rival} among them",
}


class Told(NamedTuple):
    """The figure of a cause, whether it holds, and what was found."""

    value: float
    holds: bool
    said: str


@dataclass(frozen=True)
class Why:
    """A verdict about one image, one of `CAUSES`, `NONE` or `RIGHT`; with figure, truth and words of each cause."""

    verdict: str
    sentence: str
    values: tuple[float, ...]
    holds: tuple[bool, ...]
    said: tuple[str, ...]


def explained(known: Known, judged: Judged, i: int) -> Why:
    """Image i. Of several causes that hold the verdict is the first, in the order of `CAUSES`."""
    unlike = _unlike(known, judged, i)
    found = (_far(known, judged, i), _own(known, judged, i, unlike.holds), _neighbors(known, judged, i),
             _pair(known, judged, i), unlike)  # fmt: skip
    values, holds, said = (tuple(one.value for one in found), tuple(one.holds for one in found),
                           tuple(one.said for one in found))  # fmt: skip
    given, rival = (known.examples.classes[int(one[i])] for one in (judged.given, judged.rivals))
    first = next((name for name, one in zip(CAUSES, holds, strict=True) if one), NONE)
    if judged.right[i]:
        first = RIGHT
        sentence = f"no mistake: the answer is {given}, which is its class; {rival} comes next"
    elif first == NONE:
        sentence = f"{given} is taken for {rival}, and none of five causes explains it: see where the map says {rival}"
    else:
        sentence = f"{_SAYS[first].format(given=given, rival=rival)}: {said[CAUSES.index(first)]}"
    return Why(first, sentence, values, holds, said)


def _far(known: Known, judged: Judged, i: int) -> Told:
    value, many = float(judged.out[i]), len(known.usual.values)
    limit = min(FAR, many / (many + 1))  # of a hundred images the farthest is all there is
    return Told(value, many >= _MANY and value >= limit, _out(known, judged, i))


def _out(known: Known, judged: Judged, i: int) -> str:
    by = known.usual.names[int(judged.furthest[i])]
    return f"{float(judged.out[i]):.1%} of the training images are less far from {by}"


def _unlike(known: Known, judged: Judged, i: int) -> Told:
    """By the angle to its neighbors, or nearly as far out as what nothing is like."""
    value, out, many = float(judged.unlike[i]), float(judged.out[i]), len(known.usual.values)
    if value < UNLIKE and out >= OUT:
        return Told(out, many >= _MANY, _out(known, judged, i))
    said = f"{value:.1%} of the training images are more like their neighbors (angle in {known.spaces[0].name})"
    return Told(value, many >= _MANY and value >= UNLIKE, said)


def _own(known: Known, judged: Judged, i: int, unlike: bool) -> Told:
    """What the features say of a label is believed of images only that are like some class."""
    value, classes = float(judged.wrong[i]), known.examples.classes
    near = known.examples.labels[judged.near[i, 0]]
    counts = [f"{int((near == k[i]).sum())}{{}} {classes[int(k[i])]}" for k in (judged.given, judged.rivals)]
    chance = "less than 1%" if value < 0.01 else f"{value:.0%}"
    told = f"{counts[0].format(f' of the {len(near)} nearest are')}, {counts[1].format('')}"
    doubted = value >= DOUBTED
    but = "; not to be trusted, for it is like no class" if doubted and unlike else ""
    return Told(value, doubted and not unlike, f"wrong with a chance of {chance}; {told}{but}")


def _neighbors(known: Known, judged: Judged, i: int) -> Told:
    speakers, doubted, classes = judged.speakers[i], judged.doubted[i], known.examples.classes
    rival = classes[int(judged.rivals[i])]
    if not speakers:
        return Told(0.0, False, f"no training image that is near or pushes towards it is {rival}")
    value = float(judged.expected[i])
    said = f"of the {speakers} training images that speak for {rival} {value:.0%} are probably mislabeled"
    if doubted:
        said += f"; without {doubted} with a doubted label the answer is {classes[int(judged.after[i].argmax())]}"
    return Told(value, value >= SHARE, said)


def _pair(known: Known, judged: Judged, i: int) -> Told:
    classes, (one, other) = known.examples.classes, (int(k[i]) for k in (judged.given, judged.rivals))
    rank, found = int(judged.rank[i]), list[str]()
    if min(known.sizes[one], known.sizes[other]) >= _FEWEST:
        count = known.sizes[one] + known.sizes[other]
        share, usual = float(known.taken[one, other]), float(np.nanmean(known.taken))
        value = share / usual if usual > 0 else 0.0
        holds = bool(wilson(np.array([share * count]), np.array([count]))[0][0] >= TIMES * usual)
        found.append(f"{share:.1%} of the images of both are taken for each other, of a usual pair {usual:.1%}")
    else:
        value = 1 - (rank - 1) / max(len(classes) - 1, 1)
        holds = rank <= max(1, _CLOSE * (len(classes) - 1))
    place = "the most similar" if rank == 1 else f"number {rank} of {len(classes) - 1} by similarity"
    by = "" if known.similarity(one, other)[1] else ", by the weights of the last layer"
    found.append(f"{classes[other]} is {place} to {classes[one]}{by}")
    return Told(value, holds, "; ".join(found))
