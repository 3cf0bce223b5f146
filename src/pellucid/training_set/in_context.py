"""The section of an audit on classes that are known by what is around their objects."""

from __future__ import annotations

import numpy as np

from pellucid.evaluation.context import VERDICTS, WAYS, Contexts, Cover, Leaning, contexts, leanings, shown
from pellucid.evaluation.located import Located, scene_of
from pellucid.evaluation.truth import ClassPairs, Truth
from pellucid.image_set import ImageSet
from pellucid.images import viewable
from pellucid.images.perturb import Fill
from pellucid.index.folds.thumbnails import framed
from pellucid.result import Finding, Looked
from pellucid.training_set.audited import SIDE, Audited, Pictures
from pellucid.training_set.sections import Section

_PHOTOS = 2
"""Photos of a class that are shown, each as it is, with the object covered, and with all else covered."""
_COVER: Cover = "box"
_FILL: Fill = "mean"


def in_context(of: Audited, pictures: Pictures, count: int, truth: Truth, classes: ClassPairs | None) -> Section:
    """Every class of the truth, those first that are known by their context. Raises PellucidError where the truth knows
    none of the images, or the network none of its classes."""
    cases = Located(of.index.net, ImageSet.of(of.index.source).on(of.index.net), truth, classes)
    cases.say()
    found = contexts(cases, _FILL, of.seed, f"context:{_FILL}")
    rows = leanings(found, _COVER, of.seed)
    place = {name: row for row, name in enumerate(of.examples.names)}
    items = tuple(_leaning(of, pictures, cases, found, one, place) for one in rows[:count])
    by = sum(one.verdict == "context" for one in rows)
    rule = (f"the class is more probable with one box around all objects of it covered by the photo's mean color than "
            f"with all else covered, by an interval of 95 % over three or more photos; {len(found)} cases, {len(rows)}"
            " classes were looked at")  # fmt: skip
    return Section(Looked("context", by, rule), items)


def _leaning(
    of: Audited, pictures: Pictures, cases: Located, found: Contexts, one: Leaning, place: dict[str, int]
) -> Finding:
    images, captions = list[int](), list[str]()
    for i in one.cases[:_PHOTOS]:
        scene, name = scene_of(cases[int(found.cases[i])], cases), found.names[i]
        ways, p = shown(scene, _FILL, of.seed), dict(zip(WAYS, found.p[i].tolist(), strict=True))
        if name in place:
            images += pictures.of([place[name]])
        else:
            images.append(pictures.add(name, framed(viewable(ways["whole"]), SIDE)))
        captions.append(f"as it is: {_p(p['whole'])}")
        for way, said in ((_COVER, "object covered"), ("background", "all else covered")):
            images.append(pictures.add(f"{name}, {said}", framed(viewable(ways[way].detach().cpu()), SIDE)))
            captions.append(f"{said}: {_p(p[way])}")
    verdict = {
        "context": "is known by its context", "object": "is known by its object",
        "undecided": "leans to neither for certain", "too few": "has too few photos to tell",
    }  # fmt: skip
    row = place.get(found.names[one.cases[0]])
    called = of.label(row) if row is not None and one.label not in of.examples.classes else ""
    called = called or one.label
    advice = {
        "context": "Add photos of it in other places, and of its usual places without it.",
        "object": "Nothing: the network looks at the object.",
        "undecided": "Look at the photos; name the truth of more of them for an answer.",
        "too few": "Name the truth of three photos at the least for an answer.",
    }  # fmt: skip
    known = "" if np.isnan(one.low) else f" [{one.low:+.2f}, {one.high:+.2f}]"
    said = (
        f"mean probability {one.whole:.2f} as photos are, {one.covered:.2f} with the object covered, "
        f"{one.alone:.2f} with all else covered; difference {one.difference:+.2f}{known}, {len(one.cases)} photos"
    )
    return Finding(
        "context", f"{called} {verdict[one.verdict]}", said,
        advice[one.verdict],
        one.difference + len(VERDICTS) * (one.verdict == "context"), one.verdict == "context", tuple(images),
        tuple(captions), label=called,
    )  # fmt: skip


def _p(value: float) -> str:
    return f"{value:.2f}"
