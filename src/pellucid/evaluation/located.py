"""Maps of what a truth knows: a case for each class of each picture, and what its maps are compared with."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
import torch

from pellucid.errors import PellucidError
from pellucid.evaluation.explainers import Explainers
from pellucid.evaluation.judged import Again, Case, Cases, Judged, Judging, asked_about
from pellucid.evaluation.regions import cut, mask_on_input, pixels_of, seen
from pellucid.evaluation.summary import Better, Groups, Protocol, few, ranked
from pellucid.evaluation.things import Mask
from pellucid.evaluation.truth import ClassPairs, Region, Truth, network_classes
from pellucid.geometry import Floats
from pellucid.image_set import ImageSet
from pellucid.net import Net
from pellucid.notes import Note, say
from pellucid.result import Table
from pellucid.result.table import Cell
from pellucid.target import BEST, Logit, Target

_HELD = 256
"""Scenes that are kept while one method after another is asked about the cases."""


@dataclass(frozen=True)
class Asked:
    """One class of one picture."""

    image: int
    label: str
    classes: tuple[int, ...]
    """Those of the network; none where the truth names no class: then its best guess is asked about."""


class Located(Cases):
    """A case for every class that a picture has things of. Pictures without any, and classes that the network does not
    have, are left out, and notes say so. PellucidError where nothing is left.
    """

    def __init__(self, net: Net, images: ImageSet, truth: Truth, pairs: ClassPairs | None) -> None:
        super().__init__(net, images)
        self.truth, self.pairs = truth, pairs
        self.asked: list[Asked] = []
        self._unknown, self._strange = list[str](), set[str]()
        names = [self.images.name(i) for i in range(len(self.images))]
        truth.called.one_each(names)  # whether each picture of the truth is one of the images alone
        for i, name in enumerate(names):
            labels = truth.labels(name)
            self._unknown += [] if labels else [name]
            for label in labels:
                classes = network_classes(net, truth, pairs, name, label) if label else ()
                if classes or not label:
                    self.asked.append(Asked(i, label, classes))
                else:
                    self._strange.add(label)
        if not self.asked:
            raise PellucidError(self._nothing())

    def _nothing(self) -> str:
        if len(self._unknown) == len(self.images):
            known = next(iter(self.truth.things), "none")
            return f"{self.truth} knows none of these {len(self.images)} images ({self._unknown[0]}); it knows {known}"
        strange = sorted(self._strange)
        asked = f'say in classes which of the network they are, as a file of {{"{strange[0]}": ["CLASS", …], …}}'
        how = f"{self.pairs} names none of them" if self.pairs else asked
        return f"{self.net.name} has no class of {self.truth} ({', '.join(strange[:5])}): {how}"

    def say(self) -> None:
        """What was left out."""
        if self._unknown:
            say(Note("choice", f"{len(self._unknown)} of {len(self.images)} images have nothing in {self.truth}"))
        lost = sorted(self._strange - {one.label for one in self.asked})
        if lost:
            say(Note("choice", f"classes that {self.net.name} is not asked about: {few(lost)}"))

    def __len__(self) -> int:
        return len(self.asked)

    def name(self, i: int) -> str:
        """The picture, and the class that is looked for in it."""
        image = self.images.name(self.asked[i].image)
        return f"{image}: {self.asked[i].label}" if self.asked[i].label else image

    @property
    def identity(self) -> str:
        """Of the images, the truth and the pairs."""
        pairs = None if self.pairs is None else self.pairs.identity
        return repr([super().identity, self.truth.identity, pairs])

    def made(self, i: int) -> Case:
        """Case i; of several classes of the network the one that it finds most in this picture."""
        asked = self.asked[i]
        image = self.net.prepare(self.images.item(asked.image)[0])
        run = self.net.run(image.pixels)
        if not asked.classes:
            return asked_about(self.net, i, image, run, BEST.fixed(run))
        targets: list[Target] = [Logit(one) for one in asked.classes]
        best = int(torch.stack([one(run)[0] for one in targets]).argmax())
        return asked_about(self.net, i, image, run, targets[best])

    @cached_property
    def groups(self) -> Groups:
        """(N,) the number of the picture of each case."""
        return np.array([one.image for one in self.asked], np.int64)


@dataclass(frozen=True, eq=False)
class Scene:
    """Where the things of a case are, as far as the network sees them."""

    case: Case
    label: str
    inside: Mask
    """(H, W) of the network's input."""
    boxes: Floats
    """(K, 4) left, top, right, bottom in the original picture, cut where the network's view ends."""
    difficult: bool
    region: Callable[[], Region]
    """Where they are in the original picture: read again when it is asked for, because pictures may be large."""

    @cached_property
    def distance(self) -> Floats:
        """(H, W) from each pixel of the network's input to the nearest pixel of the things, in pixels of the original
        picture, center to center; infinite outside of it.
        """
        from scipy import ndimage  # slow to import

        rows, columns = pixels_of(self.case.image.views[0])
        found = ndimage.distance_transform_edt(~self.region().mask)
        inside = np.outer((rows >= 0) & (rows < found.shape[0]), (columns >= 0) & (columns < found.shape[1]))
        at = rows.clip(0, found.shape[0] - 1)[:, None], columns.clip(0, found.shape[1] - 1)[None]
        distances: Floats = np.where(inside, found[at], np.inf)
        return distances


@dataclass(frozen=True)
class Reading:
    """So many numbers that say how well a map (H, W) lies on a scene."""

    name: str
    count: int
    of: Callable[[Scene, Floats, int], Sequence[float] | Floats]
    """From the scene, the map, and a seed."""


@dataclass(frozen=True, eq=False)
class Measured:
    """What K explainers' maps of N cases are worth: (K, N, count) by the name of each reading."""

    judged: Judged
    parts: Mapping[str, Floats]
    labels: tuple[str, ...]
    groups: Groups
    difficult: Mask
    seed: int

    def table(
        self,
        values: Floats,
        protocol: Protocol,
        score: str,
        means: str,
        better: Better = "high",
        more: Mapping[str, tuple[Floats, str]] | None = None,
    ) -> Table:
        """A row for each method, the best first, of values (K, N); also its mean over classes, and of difficult cases.

        `more` are further columns by name: a number for each of the K, and what it means.
        """
        judged, more = replace(self.judged, values=values), more or {}
        table = ranked(judged, protocol, score, means, better, self.seed, groups=self.groups)
        both = np.asarray(np.isfinite(judged.known().values).all(0))
        columns: dict[str, tuple[Cell, ...]] = {"class_mean": (), "difficult": (), **dict.fromkeys(more, ())}
        for name in table["method"]:
            k = judged.names.index(str(name))
            own, hard = values[k][both], values[k][both & self.difficult]
            cells: list[Cell] = [self._class_mean(own, both), float(hard.mean()) if len(hard) else None]
            cells += [float(one[k]) for one, _ in more.values()]
            columns = {key: (*old, cell) for (key, old), cell in zip(columns.items(), cells, strict=True)}
        said = {
            "class_mean": "mean over the classes of their means",
            "difficult": "mean over the cases that are difficult: small, beside another class",
            "images": "number of cases, a class in a picture each, with a map of every method",
        }
        first = {name: table.columns[name] for name in ("method", score)}
        whole = {**first, **columns, **{key: cells for key, cells in table.columns.items() if key not in first}}
        said |= {name: help for name, (_, help) in more.items()}
        return replace(table, columns=whole, column_help={**table.column_help, **said})

    def _class_mean(self, own: Floats, both: Mask) -> float:
        labels = [label for label, one in zip(self.labels, both, strict=True) if one]
        each = [own[[label == one for one in labels]].mean() for label in dict.fromkeys(labels)]
        return float(np.mean(np.sort(each)))  # in one order, to the last bit

    def by_class(self, values: Floats, means: str) -> Table:
        """A row for each class with the mean of each method, of values (K, N)."""
        known, rows = self.judged.known().names, list(dict.fromkeys(self.labels))
        each = [self.judged.names.index(name) for name in known]
        both = np.isfinite(values[each]).all(0)
        of = {label: both & np.array([one == label for one in self.labels]) for label in rows}
        rows = sorted((label for label in rows if of[label].any()), key=lambda label: -int(of[label].sum()))
        columns: dict[str, tuple[Cell, ...]] = {
            "class": tuple(label or "best guess" for label in rows),
            "cases": tuple(int(of[label].sum()) for label in rows),
        }
        columns |= {
            name: tuple(float(values[k][of[label]].mean()) for label in rows)
            for name, k in zip(known, each, strict=True)
        }
        said = {"class": "class as the truth calls it", "cases": "number of pictures with things of this class"}
        return Table(columns, {**said, **dict.fromkeys(known, f"{means} of this method")})


def measured(
    net: Net, images: ImageSet, of: Explainers, truth: Truth, pairs: ClassPairs | None, protocol: Protocol,
    readings: Sequence[Reading], seed: int,
) -> Measured:  # fmt: skip
    """All readings of every map of every case; those of which nothing is within the network's view are left out."""
    cases = Located(net, images, truth, pairs)
    cases.say()
    scenes: OrderedDict[int, Scene] = OrderedDict()

    def judge(case: Case, heat: Floats, again: Again) -> Floats:
        if case.number not in scenes:
            scenes[case.number] = scene_of(case, cases)
            if len(scenes) > _HELD:
                scenes.popitem(last=False)
        scene = scenes[case.number]
        visible = bool(scene.inside.any())
        found = [one.of(scene, heat, seed) if visible else [np.nan] * one.count for one in readings]
        return np.concatenate([[visible, scene.difficult], *(np.asarray(one, np.float64).ravel() for one in found)])

    count = 2 + sum(one.count for one in readings)
    judged = Judging(net, cases, judge, protocol.id, (count,), seed)(of)
    visible = np.nan_to_num(judged.values[:, :, 0]).max(0) > 0
    hidden = int((np.nan_to_num(judged.values[:, :, 0], nan=1).max(0) == 0).sum())
    if hidden:
        say(
            Note("choice", f"{hidden} of {len(cases)} cases are left out: nothing of them is within the network's view")
        )
    starts = np.cumsum([2, *(one.count for one in readings)])
    parts = {one.name: judged.values[:, :, a : a + one.count] for one, a in zip(readings, starts, strict=False)}
    labels = tuple(one.label for one in cases.asked)
    difficult = (np.nan_to_num(judged.values[:, :, 1]).max(0) > 0) & visible
    return Measured(judged, parts, labels, cases.groups, difficult, seed)


def scene_of(case: Case, cases: Located) -> Scene:
    """Where the things of a case are, as far as the network sees them."""
    asked, view = cases.asked[case.number], case.image.views[0]
    read = partial(cases.truth.region, cases.images.name(asked.image), asked.label, view.original)
    region = read()
    inside = mask_on_input(region.mask, view)
    return Scene(case, asked.label, inside, cut(region.boxes, seen(view)), region.difficult, read)
