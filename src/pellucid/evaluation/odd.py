"""Which clusters of reasons are odd: classes that almost fall apart first, and what speaks for a suspicion."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from pellucid.data import Data
from pellucid.evaluation.clusters import Focus, Parted, focus, parted, shares
from pellucid.evaluation.explainers import Explainers
from pellucid.evaluation.reasons import Numbers, Reasons, chosen, reasons
from pellucid.evaluation.summary import interval
from pellucid.geometry import Floats, Pair
from pellucid.net import Net
from pellucid.progress import steps
from pellucid.rng import generator
from pellucid.target import Probability, scored

ISOLATED, EXCLUSIVE = 0.8, 0.5
"""What makes a cluster worth a test, both together."""
GAIN = 0.25
"""Of the class's probability: what pasting must add at least, at the lower end of its interval, for suspicion."""
ENOUGH = 8
"""Photos of a cluster; of fewer nothing is said."""
_PASTED, _DONORS, _EDGE, _SMALL = 48, 16, 0.25, 1 / 16
"""Other photos that are pasted on, photos that it comes from, how much of the largest difference of shares a cell must
have to be a part of the place, and how much of the area that may be: half of an object makes its class anyway."""


@dataclass(frozen=True, eq=False)
class Pasted:
    """(n,) the probability of a class on photos of other classes: as they are, with a cluster's place pasted on them,
    and with the same place of the class's other photos."""

    before: Floats
    after: Floats
    control: Floats
    seed: int = 0

    @property
    def gain(self) -> float:
        """What the place of the cluster adds beyond that of the others."""
        return float((self.after - self.control).mean())

    @property
    def low(self) -> float:
        """Lower end of the 95 % interval of the gain."""
        return float(interval(self.after - self.control, self.seed, "pasted")[0])


@dataclass(frozen=True, eq=False)
class Cluster:
    """Some photos of one class that the network knows for the same reason."""

    of_class: int
    number: int
    """From 1, in its class; the largest is the first."""
    members: Numbers
    """Places in the reasons."""
    isolation: float
    focus: Focus
    pasted: Pasted | None = None
    """None where it is not worth the test."""

    @property
    def oddness(self) -> float:
        """From 0 to 1: how far it stands apart from the rest of its class, times how exclusive its place is."""
        return self.isolation * self.focus.exclusive

    def typical(self, found: Reasons) -> list[int]:
        """Its members, those nearest to its mean map first."""
        maps = shares(found.maps[self.members]).reshape(len(self.members), -1)
        far = np.linalg.norm(maps - maps.mean(0), axis=1)
        return [int(self.members[i]) for i in np.argsort(far, kind="stable")]

    @property
    def candidate(self) -> bool:
        """Whether it stands apart, looks where no others do, and is large enough to tell."""
        apart = self.isolation >= ISOLATED and self.focus.exclusive >= EXCLUSIVE
        return bool(apart and len(self.members) >= ENOUGH)

    @property
    def suspicious(self) -> bool:
        """Whether its place, pasted on photos of other classes, makes them more of this class."""
        return self.candidate and self.pasted is not None and self.pasted.low >= GAIN


@dataclass(frozen=True, eq=False)
class Examined:
    """A class with its clusters, the oddest first."""

    of_class: int
    parted: Parted
    members: Numbers
    """(N,) of the class, places in the reasons."""
    clusters: tuple[Cluster, ...]


def examined(net: Net, data: Data, found: Reasons, only: int | None = None, seed: int = 0) -> tuple[Examined, ...]:
    """Every class, or `only` one: first those that nearly fall apart, by their second eigenvalue."""
    classes = [int(one) for one in np.unique(found.labels)] if only is None else [only]
    each = []
    for one in steps(classes, "classes"):
        own = np.flatnonzero(found.labels == one)
        parts = parted(found.maps[own], seed)
        each.append(Examined(one, parts, own, _clusters(net, data, found, one, own, parts, seed)))
    return tuple(sorted(each, key=lambda one: (one.parted.second, one.of_class)))


@dataclass(frozen=True, eq=False)
class Survey:
    """The maps of some photos, the classes examined, and all their clusters: suspicious ones first, then by oddness."""

    reasons: Reasons
    classes: tuple[Examined, ...]
    clusters: list[Cluster]

    @property
    def sizes(self) -> dict[int, int]:
        """How many photos each class has."""
        return {one.of_class: len(one.members) for one in self.classes}


def surveyed(net: Net, data: Data, of: Explainers, class_name: str | None, count: int, cells: int, seed: int) -> Survey:
    """Up to `count` photos of each class, or of one by its name, their maps, and the clusters that these make."""
    found = reasons(net, data, of, chosen(data, net, class_name, count, seed), cells, seed)
    each = examined(net, data, found, None if class_name is None else net.class_index(class_name), seed)
    odd = sorted((one for row in each for one in row.clusters), key=lambda one: (not one.suspicious, -one.oddness))
    return Survey(found, each, odd)


def _clusters(
    net: Net, data: Data, found: Reasons, of_class: int, own: Numbers, parts: Parted, seed: int
) -> tuple[Cluster, ...]:
    made = []
    for k in range(parts.count):
        members = own[parts.members == k]
        inside = np.zeros(len(found), bool)
        inside[members] = True
        one = Cluster(of_class, k + 1, members, float(parts.isolation[k]), focus(found.maps, inside))
        if one.candidate and len(found) > len(own) and len(own) > len(members):
            one = replace(one, pasted=_pasted(net, data, found, one, own, seed))
        made.append(one)
    return tuple(sorted(made, key=lambda one: (not one.suspicious, -one.oddness, one.number)))


def place(found: Reasons, one: Cluster) -> NDArray[np.bool_]:
    """(S, S) the cells that a cluster looks at and others do not."""
    maps = np.abs(shares(found.maps))
    inside = np.zeros(len(found), bool)
    inside[one.members] = True
    apart = maps[inside].mean(0) - maps[~inside].mean(0)
    most = max(int(_SMALL * apart.size), 1)
    cells = apart >= max(_EDGE * apart[one.focus.cell], np.sort(apart.ravel())[-most])
    cells[one.focus.cell] = True
    return np.asarray(cells)


def _pasted(net: Net, data: Data, found: Reasons, one: Cluster, own: Numbers, seed: int) -> Pasted:
    chance = generator(seed, "pasted", one.of_class, one.number)
    others = np.flatnonzero(found.labels != one.of_class)
    targets = others[chance.permutation(len(others))[:_PASTED]].tolist()
    rest = np.setdiff1d(own, one.members)
    donors = [some[chance.permutation(len(some))[:_DONORS]].tolist() for some in (one.members, rest)]
    cells = torch.from_numpy(place(found, one))[None, None].double()

    def pixels(i: int) -> Tensor:
        return net.prepare(data.image(int(found.numbers[i]))).pictures[0]

    given = [[pixels(i) for i in some] for some in donors]
    asked, rows = Probability(one.of_class), []
    for k, i in enumerate(steps(targets, "pasting")):
        below = pixels(i)
        inside = _on_pixels(cells, found.jump, (below.shape[-2], below.shape[-1])).to(below.device)
        laid = [torch.where(inside, _like(some[k % len(some)], below), below) for some in given]
        with torch.no_grad():
            rows.append([float(scored(asked, net.run(picture[None]))) for picture in (below, *laid)])
    before, after, control = np.array(rows).T
    return Pasted(before, after, control, seed)


def _on_pixels(cells: Tensor, jump: Pair, size: tuple[int, int]) -> Tensor:
    """(H, W) whether a pixel lies in these (1, 1, S, S) cells, or as near to them as a map that was coarser than its
    picture spreads what it says: to less than one of its own cells. Without that half of a tag stays behind.
    """
    near = [round(one) - 1 for one in jump]
    wide = F.interpolate(cells, size, mode="nearest")
    padded = F.pad(wide, (near[1], near[1], near[0], near[0]))
    return F.max_pool2d(padded, (2 * near[0] + 1, 2 * near[1] + 1), 1)[0, 0].bool()


def _like(picture: Tensor, other: Tensor) -> Tensor:
    """As large as another."""
    if picture.shape == other.shape:
        return picture
    return F.interpolate(picture[None], tuple(other.shape[-2:]), mode="bilinear", align_corners=False)[0]
