"""Context: does the network know a class by its object, or by what stands around it?"""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from pellucid.catalogue import method
from pellucid.evaluation.context import WAYS, Contexts, Cover, Leaning, contexts, leanings
from pellucid.evaluation.located import Located
from pellucid.evaluation.summary import Protocol
from pellucid.evaluation.truth import PairsOption, TruthOption
from pellucid.image_set import ImageSet
from pellucid.images.perturb import Fill
from pellucid.net import Net
from pellucid.result import Meta, Study, Table
from pellucid.result.table import Cell
from pellucid.rng import Seed

_CLASSES = {
    "class": "as the truth calls it",
    "photos": "cases that were looked at: the class is among the five most probable",
    "whole": "mean probability of the class, photos as they are",
    "object covered": "the same with the object covered",
    "background covered": "the same with everything but the object covered",
    "difference": "object covered less background covered: above 0 the class is known by its context",
    "low": "lower end of the 95 % interval of the difference (bootstrap over photos)",
    "high": "upper end of it",
    "verdict": "context or object where the interval says so; undecided; too few for fewer than three photos",
}
_PHOTOS = {
    "photo": "and the class that was looked for in it",
    "area": "share of what the network sees that the thing fills",
    **{name: f"probability of the class: {said}" for name, said in zip(WAYS, (
        "photo as it is", "one box around all things of it filled", "a box around each of them filled",
        "their outline filled", "their outline blurred", "everything outside their outline filled",
    ), strict=True)},
}  # fmt: skip


@method(
    "Context over object",
    purpose="test whether a class is known with its object covered",
    shows=(
        "A class whose probability survives the object being covered, and not the background, is known by its context. "
        "A cover is something to see, too, and the outline of a covered object still tells its shape: with outline "
        "the object seems to matter less than it does, so one box around all of it is covered unless asked otherwise; "
        "boxes leaves what lies between objects. Read the verdict with its interval, and look at the photos. Six "
        "forward passes for each class of each photo."
    ),
    source="Lapuschkin et al. 2019 (classes known by their context); Xiao et al. 2021, section 2 (backgrounds)",
    over="all",
    resumable=True,
)
def context(
    net: Net,
    images: ImageSet,
    *,
    truth: TruthOption,
    classes: PairsOption = None,
    cover: Annotated[
        Cover,
        Field(
            description="part of the photo that is covered for the object: one box around all of the class, boxes, one "
            "around each, or their outline"
        ),
    ] = "box",
    fill: Annotated[Fill, Field(description="filling of what is covered")] = "mean",
    seed: Seed = 0,
) -> Study:
    """The probability of a class in photos as they are, with its object covered, and with everything else covered.

    `classes` of the answer has one row for each class, those known by their context first, with the 95 % interval of
    the difference; `photos` one row for each case, with all six probabilities: whole, one box around all things
    of the class covered, a box around each, outline covered, outline blurred, background covered. Cases whose class is
    not among the five most probable are left out. Raises PellucidError where none is left, Refused for a network
    without classes.
    """
    cases = Located(net, images.on(net), truth, classes)
    cases.say()
    how = Protocol("context", (("cover", cover), ("fill", fill)), "Xiao et al. 2021")
    found = contexts(cases, fill, seed, f"context:{fill}")
    rows = leanings(found, cover, seed)
    return Study(
        _findings(found, rows, cover),
        tables={"classes": by_class(rows), "photos": _photos(found, cover)},
        meta=Meta(found={"protocol": how.id, "truth": str(truth), "cases": len(found)}),
    )


def _findings(found: Contexts, rows: tuple[Leaning, ...], cover: Cover) -> tuple[str, ...]:
    by = [one.label for one in rows if one.verdict == "context"]
    named = f"known by their context, and not by the object: {', '.join(by)}" if by else (
        f"no class of {len(rows)} is shown to be known by its context"
    )  # fmt: skip
    means, known = found.p.mean(0), (found.ranks < 5).mean(0)
    each = [
        f"{name} {mean:.3f} ({share:.0%} in the top 5)" for name, mean, share in zip(WAYS, means, known, strict=True)
    ]
    more = float((found.covered(cover) > found.alone).mean())
    return (
        named,
        f"mean probability of {len(found)} cases: {', '.join(each)}",
        f"{more:.0%} of the cases are more probable with the object covered than with all else covered",
    )


def by_class(rows: tuple[Leaning, ...]) -> Table:
    """A row for each class."""
    cells: list[tuple[Cell, ...]] = [
        (one.label, len(one.cases), one.whole, one.covered, one.alone, one.difference, _known(one.low),
         _known(one.high), one.verdict)
        for one in rows
    ]  # fmt: skip
    columns = {name: tuple(row[k] for row in cells) for k, name in enumerate(_CLASSES)}
    marked = tuple(i for i, one in enumerate(rows) if one.verdict == "context")
    return Table(columns, _CLASSES, (), ("whole", "object covered", "background covered"), marked)


def _photos(found: Contexts, cover: Cover) -> Table:
    order = np.argsort(-(found.covered(cover) - found.alone), kind="stable")
    columns: dict[str, tuple[Cell, ...]] = {
        "photo": tuple(f"{found.names[i]}: {found.labels[i]}" for i in order),
        "area": tuple(found.areas[order].tolist()),
        **{name: tuple(found.p[order, k].tolist()) for k, name in enumerate(WAYS)},
    }  # fmt: skip
    return Table(columns, _PHOTOS, (), ("whole", "box", "background"))


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value
