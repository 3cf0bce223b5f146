"""Groups: how often the network is right, by class and by a group of images that is not the class."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from pellucid.catalogue import method
from pellucid.data import Data
from pellucid.described import Shell
from pellucid.errors import PellucidError
from pellucid.evaluation.gaps import Counted, Gap, answers
from pellucid.evaluation.groups import GroupsOption
from pellucid.evaluation.summary import few
from pellucid.net import Net
from pellucid.net.answers import Answers
from pellucid.notes import Note, say
from pellucid.result import Grid, Meta, Study, Table
from pellucid.result.table import Cell
from pellucid.rng import Seed

_GROUPS = {
    "class": "of the images; those with the largest gap first",
    "group": "of the images of that class, the least accurate first",
    "images": "number of them",
    "right": "number of them for which the network answers the class",
    "accuracy": "share of them",
    "low": "lower end of its 95 % interval (Wilson)",
    "high": "upper end of it",
    "taken for": "most frequent wrong answer; of equals the first class",
    "taken": "share of the images with that answer",
}
_GAPS = {
    "class": "of the images; the largest gap first. all: every class together, as many images of each as there are",
    "best": "group with the highest accuracy, of those that are compared",
    "accuracy": "of that group",
    "worst": "group with the lowest accuracy",
    "worst accuracy": "of that group",
    "gap": "difference of both; that of the two most extreme groups is above 0 by chance, too",
    "low": "lower end of its 95 % interval (Newcombe), for two groups that were chosen beforehand",
    "high": "upper end of it",
    "p": "probability of groups as far apart by chance: right answers dealt out within each class, 20,000 times",
    "corrected": "p corrected for the number of classes (Holm); that of all is p",
}
_WRONG = {
    "image": "that the network gets wrong",
    "class": "of the image",
    "group": "of the image, in the order of the groups above",
    "answer": "of the network",
    "probability": "of that answer",
    "of the class": "probability of the class",
}
ALL, _LISTED, _TOLD, _BY_CHANCE = "all", 100, 5, 0.05


@method(
    "Accuracy by group",
    purpose="compare the accuracy of groups within each class",
    shows="Read the gaps with their p: of many groups the best and the worst are far apart by chance, too, which the "
    "interval does not count. A gap does not say why, as one group's photos may be harder for anybody, and groups that "
    "nobody named are not compared. One forward pass over the images.",
    source="Buolamwini & Gebru 2018, section 4; Sagawa et al. 2020, section 2 (worst-group accuracy); Newcombe 1998",
    over="all",
)
def groups(
    net: Net,
    data: Data,
    *,
    groups: Annotated[
        GroupsOption,
        Field(
            description="group of each image: a .csv with columns image and group, or 'folder' below that of the class",
            examples=["folder"],
        ),
        Shell(value="GROUPS"),
    ],
    min_images: Annotated[
        int, Field(ge=2, description="minimum number of images of a class in a group that is compared")
    ] = 10,
    seed: Seed = 0,
) -> Study:
    """Accuracy of each class in each group, and how far groups are apart: `gaps` has one row for each class.

    A group is what is known of an image besides its class, such as who is in it or what it stands before. `groups` has
    one row for each class and group, with Wilson intervals; `wrong` are images that the network gets wrong, those of
    the least accurate group first; the grid `accuracy` is (classes, groups). Groups with fewer than `min_images` images
    of a class are listed and not compared. Images without a group are left out. That groups differ does not say why:
    photos of one may be harder for anybody. Raises PellucidError where no class has two groups to compare, and Refused
    for a regression and where labels stand by themselves.
    """
    data = data.on(net)
    group_of = groups.over([data.name(i) for i in range(len(data))])
    told = answers(net, data)
    known = np.array([one in group_of for one in told.ids])
    if not known.any():
        raise PellucidError(f"groups={str(groups)!r}: no group of any image of {data}, such as {told.ids[0]!r}")
    if not known.all():
        first = told.ids[int((~known).argmax())]
        say(Note("choice", f"{int((~known).sum())} images without a group are left out; first {first}"))
    told = told.of(known)
    of = [group_of[one] for one in told.ids]
    found = Counted.of(told.labels, of, told.right)
    gaps = found.gaps(min_images, seed)
    if not gaps:
        raise PellucidError(
            f"groups={str(groups)!r}: no class has two groups of {min_images} images and more to compare; the "
            f"{len(told)} images are of {few(found.groups)}: give more images, or min_images=2"
        )
    worst = min((one for one in found.shares if one.images >= min_images), key=lambda one: one.accuracy)
    accuracy = float(told.right.mean())
    names = tuple(map(net.class_name, found.classes))
    overall = found.overall(min_images, seed) if len(names) > 1 else None
    rest = [(ALL, overall)] if overall else []
    each = [(net.class_name(label), one) for label, one in gaps.items()]  # two classes may have one name
    tables = {
        "gaps": _table(_GAPS, [_gap(*one) for one in (*each, *rest)], "gap"),
        "groups": _table(_GROUPS, _groups(net, told, of, found, [*gaps]), "accuracy"),
    }
    if not told.right.all():
        tables["wrong"] = _table(_WRONG, _wrong(net, told, of, found))
    with np.errstate(invalid="ignore"):
        grid = Grid(found.right / found.images, names, found.groups, "accuracy", "class", "group")
    said = (
        f"right for {accuracy:.0%} of all {len(told)} images, and for {worst.accuracy:.0%} [{worst.low:.0%}, "
        f"{worst.high:.0%}] of the {worst.images} of {net.class_name(worst.of_class)} in the group {worst.group}"
    )
    meta = Meta(found={"accuracy": accuracy, "worst accuracy": worst.accuracy, "grouped": len(told)})
    return Study((*_findings(each), said), {}, {"accuracy": grid}, tables, meta)


def _table(about: dict[str, str], rows: list[tuple[Cell, ...]], *shown: str) -> Table:
    return Table(dict(zip(about, zip(*rows, strict=True), strict=True)), about, (), shown)


def _gap(name: str, one: Gap) -> tuple[Cell, ...]:
    return (name, one.best, one.best_accuracy, one.worst, one.worst_accuracy, one.apart, one.low, one.high, one.p,
            one.corrected)  # fmt: skip


def _groups(net: Net, told: Answers, of: list[str], found: Counted, first: list[int]) -> list[tuple[Cell, ...]]:
    """Classes in the order of their gaps, then those that are not compared."""
    rows, groups = list[tuple[Cell, ...]](), np.array(of)
    for one in sorted(found.shares, key=lambda one: first.index(one.of_class) if one.of_class in first else len(first)):
        inside = (told.labels == one.of_class) & (groups == one.group) & ~told.right
        others, counts = np.unique(told.given[inside], return_counts=True)
        taken = net.class_name(int(others[counts.argmax()])) if len(others) else None
        share = int(counts.max(initial=0)) / one.images
        name = net.class_name(one.of_class)
        rows.append((name, one.group, one.images, one.right, one.accuracy, one.low, one.high, taken, share))
    return rows


def _wrong(net: Net, told: Answers, of: list[str], found: Counted) -> list[tuple[Cell, ...]]:
    """Those of the least accurate group first, and of these the surest answers."""
    shares = {(one.of_class, one.group): one.accuracy for one in found.shares}
    sure = np.exp(told.log_p.max(1))
    order = sorted(
        map(int, np.flatnonzero(~told.right)), key=lambda i: (shares[int(told.labels[i]), of[i]], -sure[i])
    )  # fmt: skip
    return [
        (told.ids[i], net.class_name(int(told.labels[i])), of[i], net.class_name(int(told.given[i])), float(sure[i]),
         float(np.exp(-told.nll[i])))
        for i in order[:_LISTED]
    ]  # fmt: skip


def _findings(each: list[tuple[str, Gap]]) -> tuple[str, ...]:
    apart = [f"{name}: {one}" for name, one in each if one.corrected < _BY_CHANCE]
    if not apart:
        name, least = min(each, key=lambda row: row[1].corrected)
        return (f"groups of no class differ by more than chance does; the least probable is {name}: {least}",)
    more = (f"groups of {len(apart)} classes differ by more than chance does",) if len(apart) > _TOLD else ()
    return (*apart[:_TOLD], *more)
