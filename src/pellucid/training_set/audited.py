"""What an audit knows of a set of images, gathered once, and the pictures that its findings name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int, UInt8
from numpy.typing import NDArray

from pellucid.image_set import ImageSet
from pellucid.images import Images
from pellucid.index import Index
from pellucid.index.search import mean_of
from pellucid.index.search import nearest as rows_like
from pellucid.progress import steps
from pellucid.result.audit import OWN, TEST
from pellucid.training_set.copies import EACH, Group, Pairs, copies, groups
from pellucid.training_set.doubted import Doubted, doubted
from pellucid.training_set.examples import Examples, examples_of
from pellucid.training_set.neighborhood import nearest
from pellucid.training_set.seen import Seen, of_index, of_test, part_of, same
from pellucid.training_set.suspicion import NEIGHBORS

SIDE = 96
"""Pixels of a picture in the answer."""
_BLOCK = 2**24


@dataclass(frozen=True, eq=False)
class Audited:
    """The N images of an index, with M that they are held against, and what all sections of an audit share.

    Rows from 0 to N − 1 are of the index, those from N on of the test set.
    """

    index: Index
    examples: Examples
    seen: Seen
    test: Seen | None
    seed: int

    @classmethod
    def of(cls, index: Index, test: Index | ImageSet | None, seed: int) -> Audited:
        """Looks at every image once."""
        examples = examples_of(index)
        return cls(
            index, examples, of_index(index, examples), None if test is None else of_test(test, examples, index), seed
        )

    def __len__(self) -> int:
        return len(self.examples)

    @cached_property
    def near(self) -> Int[np.ndarray, "n k"]:
        """(N, 20) the nearest other images of the set, by what the last layer reads."""
        return nearest(self.examples.features, NEIGHBORS)

    @cached_property
    def labeled(self) -> NDArray[np.int64]:
        """Rows that have a label."""
        return np.flatnonzero(self.examples.labels >= 0)

    @property
    def classes_known(self) -> bool:
        """Whether labels of two classes at the least are there."""
        return len(np.unique(self.examples.labels[self.labeled])) > 1

    @cached_property
    def doubted(self) -> Doubted:
        """Of the labeled images. Raises Refused where nothing can doubt a label."""
        every = len(self.labeled) == len(self)
        some = self.examples if every else self.examples.of(self.labeled)
        near = self.near if every else nearest(some.features, NEIGHBORS)
        return doubted(some, near, self.seen.described()[self.labeled], self.seed)

    @cached_property
    def pairs(self) -> Pairs:
        """Copies, within the set, within the test set, and across."""
        if self.test is None:
            return copies(self.seen.small, _pairs(self.near), self.seen.hashes, self._same)
        small = np.concatenate([self.seen.small, self.test.small])
        hashes = np.concatenate([self.seen.hashes, self.test.hashes])
        own, other = self.examples.features, self.test.features
        start = len(self)
        named = [_pairs(self.near)]
        if len(other) > 1:
            named.append(_pairs(nearest(other, EACH)) + start)
        named.append(_across(other, own) + np.array([start, 0]))
        return copies(small, np.concatenate(named), hashes, self._same)

    def _same(self, i: int, j: int) -> bool:
        return same(self.image(i), self.image(j))

    def image(self, row: int) -> Images | None:
        """The image of a row, read; None where it cannot be."""
        return self.seen.image(row) if row < len(self) or self.test is None else self.test.image(row - len(self))

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """Copies together."""
        return groups(self.pairs)

    def name(self, row: int) -> str:
        """Of an image."""
        return self.seen.names[row] if row < len(self) or self.test is None else self.test.names[row - len(self)]

    def label(self, row: int) -> str:
        """The class of an image; "" where it has none."""
        one = self.seen.labels[row] if row < len(self) or self.test is None else self.test.labels[row - len(self)]
        return str(self.examples.classes[one]) if one >= 0 else ""

    def part(self, row: int) -> str:
        """Which part of the data an image is of."""
        if row >= len(self):
            return TEST
        return part_of(self.seen.names[row]) or OWN

    def answer(self, row: int) -> str:
        """What the network says of an image of the set."""
        return str(self.examples.classes[int(self.examples.answers[row])])

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        """(N,) whether the network, or what was fitted on its features without the image, is right."""
        if not self.examples.fitted:
            return np.asarray(self.examples.answers == self.examples.labels)
        found = np.zeros(len(self), bool)
        found[self.labeled] = self.doubted.answers == self.examples.labels[self.labeled]
        return found


def _pairs(near: Int[np.ndarray, "n k"]) -> Int[np.ndarray, "p 2"]:
    """(P, 2) each row and its first neighbors."""
    some = near[:, :EACH]
    return np.stack([np.repeat(np.arange(len(some)), some.shape[1]), some.ravel()], 1)


def _across(asked: Float[np.ndarray, "m f"], rows: Float[np.ndarray, "n f"]) -> Int[np.ndarray, "p 2"]:
    """(P, 2) numbers of asked rows, and of the rows most like each."""
    center, found, step = mean_of(rows), list[np.ndarray](), max(_BLOCK // len(rows), 1)
    for start in steps(range(0, len(asked), step), "test images compared"):
        near = rows_like(asked[start : start + step], rows, EACH, "cosine", None, center)[1]
        found.append(np.stack([np.repeat(np.arange(start, start + len(near)), near.shape[1]), near.ravel()], 1))
    return np.concatenate(found)


@dataclass
class Pictures:
    """The pictures that findings name, each once."""

    audited: Audited
    rows: dict[int, int] = field(default_factory=dict)
    """Row of an image -> number of its picture."""
    changed: list[tuple[int, str, UInt8[np.ndarray, "side side 3"]]] = field(default_factory=list)
    """(number, name, pixels) of pictures that are no image as it is."""
    _count: int = 0

    def of(self, rows: NDArray[np.int64] | list[int] | tuple[int, ...]) -> tuple[int, ...]:
        """Numbers of the pictures of these images."""
        for row in map(int, rows):
            if row not in self.rows:
                self.rows[row] = self._count
                self._count += 1
        return tuple(self.rows[int(row)] for row in rows)

    def add(self, name: str, pixels: UInt8[np.ndarray, "side side 3"]) -> int:
        """The number of a picture that is no image as it is."""
        self.changed.append((self._count, name, pixels))
        self._count += 1
        return self._count - 1

    def made(self) -> tuple[UInt8[np.ndarray, "p side side 3"], list[int | None], list[str]]:
        """(all pictures, the row of each or None, its name)."""
        audited, found = self.audited, np.full((self._count, SIDE, SIDE, 3), 127, np.uint8)
        rows: list[int | None] = [None] * self._count
        names = [""] * self._count
        for row, number in steps(sorted(self.rows.items()), "pictures"):
            inside = row < len(audited) or audited.test is None
            show: Callable[[int, int], NDArray[np.uint8]] = audited.seen.show if inside else audited.test.show  # type: ignore[union-attr]
            found[number] = show(row if inside else row - len(audited), SIDE)
            rows[number], names[number] = row, audited.name(row)
        for number, name, pixels in self.changed:
            found[number], names[number] = pixels, name
        return found, rows, names
