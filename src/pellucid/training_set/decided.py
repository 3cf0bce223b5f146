"""Labels as a person decided about them, on data that is never written to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int
from numpy.typing import NDArray

from pellucid.decisions import Decisions
from pellucid.errors import PellucidError, unknown
from pellucid.images import Images
from pellucid.images.labeled import Labeled
from pellucid.net import Net
from pellucid.notes import Note, say


@dataclass(frozen=True, eq=False)
class Mended:
    """`labels` (N,) after the decisions, −1 for what is left out, and which of N images were `decided` about."""

    labels: Int[np.ndarray, " n"]
    decided: Bool[np.ndarray, " n"]

    @property
    def kept(self) -> Bool[np.ndarray, " n"]:
        """(N,) which images still count."""
        return np.asarray(self.labels >= 0)


def mended(names: Sequence[str], labels: Int[np.ndarray, " n"], classes: Sequence[str], decisions: Decisions) -> Mended:
    """The labels (N,) of images with these names, numbers of these classes, with the decisions applied.

    Decisions about images that are not here are counted in a note. Raises PellucidError, naming the image, where its
    label is not the one that was decided about, where a class is none of these or is the name of two, where several
    images have that name, and where no decision is about any of these images.
    """
    where = str(decisions)
    place: dict[str, list[int]] = {}
    for i, name in enumerate(names):
        place.setdefault(name, []).append(i)
    found, decided = np.array(labels, np.int64), np.zeros(len(names), bool)
    elsewhere = 0
    for one in decisions.rows:
        at = place.get(one.image, [])
        if len(at) > 1:
            raise PellucidError(f"{where}: {len(at)} images of the data are called {one.image!r}")
        if not at:
            elsewhere += 1
            continue
        own = classes[found[at[0]]] if found[at[0]] >= 0 else "none"
        if own != one.given:
            raise PellucidError(f"{where}: about {one.image!r} as {one.given!r}, in the data its class is {own!r}")
        found[at[0]] = _number(classes, one.holds, where) if one.holds else -1
        decided[at[0]] = True
    if elsewhere == len(decisions):
        raise PellucidError(f"{where}: none of its {len(decisions)} decisions is about an image of the data")
    if elsewhere:
        say(Note("input", f"{elsewhere} of {len(decisions)} decisions are about images that the data does not hold"))
    return Mended(found, decided)


def _number(classes: Sequence[str], name: str, where: str) -> int:
    if name not in classes:
        raise unknown(f"class of {where}", name, classes)
    if classes.count(name) > 1:
        raise PellucidError(f"{where}: {classes.count(name)} classes are called {name!r}, and none can be chosen")
    return classes.index(name)


@dataclass(frozen=True, eq=False)
class Decided(Labeled):
    """Labeled images with other labels, those with −1 left out. The data itself stays as it is."""

    data: Labeled
    labels: Int[np.ndarray, " n"]

    @property
    def _rows(self) -> NDArray[np.int64]:
        return np.flatnonzero(self.labels >= 0)

    def on(self, net: Net) -> Decided:
        """For a network whose classes the labels are."""
        return Decided(self.data.on(net), self.labels)

    def __len__(self) -> int:
        return len(self._rows)

    def __str__(self) -> str:
        return f"{self.data}, as decided"

    def name(self, i: int) -> str:
        """What it is called in the data."""
        return self.data.name(int(self._rows[i]))

    def item(self, i: int) -> tuple[Images, int]:
        """Image i of those that count, and its class as it was decided."""
        row = int(self._rows[i])
        return self.data.item(row)[0], int(self.labels[row])
