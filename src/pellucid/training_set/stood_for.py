"""Groups of images of an index and the few that stand for each: chosen, shown, and held against a random choice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

from pellucid.errors import PellucidError, unknown
from pellucid.geometry import Floats
from pellucid.index import Index
from pellucid.index.embedding import Embedding, embedding_of
from pellucid.index.search import mean_of, squared
from pellucid.progress import steps
from pellucid.result import Group, Table
from pellucid.result.table import Cell
from pellucid.rng import generator
from pellucid.training_set.descriptors import DESCRIPTORS
from pellucid.training_set.prototypes import Kernel, Standing, criticisms, mmd2, mmd_critic, nearest_of, proto_dash
from pellucid.training_set.suspected import second_space

DRAWS = 20
"""Random choices that prototypes are held against."""
ALL, EACH = "all images", "each"
_SIDE, _SMALL, _NEAR, _GROUPS = 128, 48, 3, 100
_VARIANTS = {"mmd_critic": mmd_critic, "proto_dash": proto_dash}
_HELP = {
    "group": "class, or all images",
    "images": "how many it has",
    "prototypes": "how many were chosen",
    "MMD²": "squared maximum mean discrepancy between the weighted prototypes and all images: 0 where they stand for "
    "them in every way that the kernel knows",
    "random MMD²": "the same of as many images drawn at random, mean of 20 draws",
    "1-NN": "share of the other images that have the class of the prototype nearest to them",
    "random 1-NN": "the same with images drawn at random, mean of 20 draws",
    "precision": "share of the class among the images of the index that are nearest to its prototypes, as many as it "
    "has besides them",
    "random precision": "the same with images of the class drawn at random, mean of 20 draws",
}


@dataclass(frozen=True, eq=False)
class Grouped:
    """Images of an index in one space, with their classes, and the groups that are asked about."""

    space: Embedding
    """Of a layer directions about the mean of the index, so that no image is near to all because it excites little."""
    labels: NDArray[np.int64]
    """(N,) of all rows of the space, −1 where there is none."""
    classes: tuple[str, ...]
    groups: dict[str, NDArray[np.int64]]
    """Rows of the space by the name of each group."""

    @classmethod
    def of(cls, index: Index, name: str | None, asked: str | Sequence[str] | None) -> Grouped:
        """In an embedded layer (the last without a name) or by a descriptor; all together, or some classes each by
        itself. Raises UnknownName for a space or a class that there is not.
        """
        space = embedding_of(index, None) if name is None else second_space(index, name, "space")
        space = space if name in DESCRIPTORS else replace(space, values=_directions(space.values))
        labels, classes = index.labels(space.images), tuple(map(str, index.classes))
        if asked is None:
            return cls(space, labels, classes, {ALL: np.arange(len(space))})
        names = (asked,) if isinstance(asked, str) else tuple(dict.fromkeys(asked))
        if not (labels >= 0).any():
            raise PellucidError(
                f"no class {', '.join(names)!r}: the images of the index have no classes; all together have prototypes"
            )
        if names == (EACH,) and EACH not in classes:
            names = tuple(one for k, one in enumerate(classes) if (labels == k).any())
        if not 0 < len(names) <= _GROUPS:
            raise PellucidError(
                f"these are {len(names)} groups: name 1 to {_GROUPS} of the {len(classes)} classes, as a,b"
            )
        folded = {one.casefold(): k for k, one in reversed([*enumerate(classes)])}
        groups = {}
        for one in names:
            if one.casefold() not in folded:
                raise unknown("class", one, classes)
            number = folded[one.casefold()]
            groups[classes[number]] = np.flatnonzero(labels == number)
            if not len(groups[classes[number]]):
                raise PellucidError(f"no image of the index is of the class {classes[number]!r}")
        return cls(space, labels, classes, groups)

    def label(self, row: int) -> str:
        """The class of a row, "" where it has none."""
        return self.classes[self.labels[row]] if self.labels[row] >= 0 else ""


def _directions(values: Float[np.ndarray, "n f"]) -> Float[np.ndarray, "n f"]:
    """Rows less their mean, of length 1; those without a length stay 0."""
    center = mean_of(values)
    lengths = np.sqrt(squared(values, center))
    found = values - center.astype(np.float32)
    found /= np.where(lengths > 0, lengths, 1)[:, None]
    return np.asarray(found)


@dataclass(frozen=True, eq=False)
class Found:
    """What was chosen of a group."""

    group: Group
    rows: Int[np.ndarray, " p"]
    """Rows of the space that are prototypes."""
    members: NDArray[np.int64]
    gamma: float
    random: float
    """Mean MMD² of as many images drawn at random, with equal weights."""


def shown(
    grouped: Grouped, index: Index, name: str, members: NDArray[np.int64], variant: str, count: int, others: int,
    seed: int,
) -> Found:  # fmt: skip
    """The prototypes and criticisms of a group, with their pictures."""
    kernel = Kernel.of(grouped.space.values[members], seed=seed)
    means = kernel.means()
    standing = _VARIANTS[variant](kernel, means, min(count, len(kernel)))
    critics, witness = criticisms(kernel, means, standing, others)
    chance = generator(seed, "random choice", name)
    drawn = [_drawn(kernel, means, len(standing.rows), chance) for _ in range(DRAWS)]
    group = _group(grouped, index, name, members, standing, critics, witness)
    return Found(group, members[standing.rows], members, kernel.gamma, float(np.mean(drawn)))


def _drawn(kernel: Kernel, means: Floats, count: int, chance: np.random.Generator) -> float:
    rows = np.sort(chance.choice(len(kernel), count, replace=False))
    return mmd2(means, rows, kernel.of_rows(rows), np.full(count, 1 / count))


def _group(
    grouped: Grouped, index: Index, name: str, members: NDArray[np.int64], standing: Standing,
    critics: Int[np.ndarray, " c"], witness: Float[np.ndarray, " c"],
) -> Group:  # fmt: skip
    images, labels = grouped.space.images, grouped.labels
    nearest = standing.similar.argmax(0)
    nearest[standing.rows] = np.arange(len(standing.rows))  # also of equal ones each stands for itself
    stood_for = np.full((len(standing.rows), _NEAR), -1, np.int64)
    purity: list[float | None] = []
    for p, row in enumerate(standing.rows.tolist()):
        own = np.flatnonzero(nearest == p)
        rest = own[own != row]
        near = rest[np.argsort(-standing.similar[p, rest], kind="stable")[:_NEAR]]
        stood_for[p, : len(near)] = members[near]
        known = rest[labels[members[rest]] >= 0]
        many = labels[members[row]] >= 0 and int((labels[members] == labels[members[row]]).sum()) > 1
        same = labels[members[known]] == labels[members[row]]
        purity.append(float(same.mean()) if len(known) and many else None)
    chosen, left_out = members[standing.rows], members[critics]
    there = stood_for >= 0
    small = np.full((*stood_for.shape, _SMALL, _SMALL, 3), 127, np.uint8)
    pictures = _pictures(index, images[np.concatenate([chosen, left_out])], _SIDE, name)
    small[there] = _pictures(index, images[stood_for[there]], _SMALL, name)
    return Group(
        name, len(members), images[chosen], index.called(images[chosen])[0], tuple(map(grouped.label, chosen.tolist())),
        standing.weights, np.bincount(nearest, minlength=len(chosen)) / len(members), standing.mmd2, tuple(purity),
        pictures[: len(chosen)], np.where(there, images[stood_for], -1), small, images[left_out],
        index.called(images[left_out])[0], tuple(map(grouped.label, left_out.tolist())), pictures[len(chosen) :],
        witness, nearest[critics],
    )  # fmt: skip


def _pictures(index: Index, images: NDArray[np.int64], side: int, name: str) -> NDArray[np.uint8]:
    read = [index.thumbnails([one], side) for one in steps(images.tolist(), f"pictures: {name}")]
    return np.concatenate(read) if read else np.zeros((0, side, side, 3), np.uint8)


def judged(grouped: Grouped, found: Sequence[Found], seed: int) -> Table:
    """A row for each group: how well its prototypes stand for it, and how well as many images drawn at random do."""
    chance = generator(seed, "random neighbors")
    chosen = [one.rows for one in found]
    drawn = [[np.sort(chance.choice(one.members, len(one.rows), replace=False)) for one in found] for _ in range(DRAWS)]
    measures = (_accuracies, _precisions)
    told = [(measure(grouped, found, chosen), [measure(grouped, found, one) for one in drawn]) for measure in measures]
    rows: list[tuple[Cell, ...]] = []
    for g, one in enumerate(found):
        each: list[Cell] = []
        for own, random in told:
            known = [some[g] for some in random if some[g] is not None]
            each += [own[g], float(np.mean(np.array(known, float))) if known and own[g] is not None else None]
        rows.append((one.group.name, one.group.total, len(one.rows), float(one.group.mmd2[-1]), one.random, *each))
    columns = dict(zip(_HELP, zip(*rows, strict=True), strict=True))
    return Table(columns, _HELP)


def _accuracies(grouped: Grouped, found: Sequence[Found], chosen: Sequence[NDArray[np.int64]]) -> list[float | None]:
    """Of the other images of each group the share that has the class of the nearest prototype of all groups; None where
    the prototypes are of one class, or no other image has the class of any."""
    labels, values = grouped.labels, grouped.space.values
    every = np.concatenate(chosen)
    every = every[labels[every] >= 0]
    if len(np.unique(labels[every])) < 2:
        return [None] * len(found)
    told: list[float | None] = []
    for one in found:
        rest = np.setdiff1d(one.members, every)
        rest = rest[labels[rest] >= 0]
        if not np.isin(labels[rest], labels[every]).any():
            told.append(None)
            continue
        near, _ = nearest_of(values[rest], values[every])
        told.append(float((labels[every][near] == labels[rest]).mean()))
    return told


def _precisions(grouped: Grouped, found: Sequence[Found], chosen: Sequence[NDArray[np.int64]]) -> list[float | None]:
    """Of the images of the index nearest to the prototypes of a class, as many as it has besides them, the share that
    is of it; None for all images together, and where nothing else has a class."""
    labels, values = grouped.labels, grouped.space.values
    told: list[float | None] = []
    for one, rows in zip(found, chosen, strict=True):
        rest = np.setdiff1d(np.flatnonzero(labels >= 0), rows)
        own = np.isin(rest, one.members)
        if one.group.name == ALL or not own.any() or own.all():
            told.append(None)
            continue
        _, apart = nearest_of(values[rest], values[rows])
        told.append(float(own[np.argsort(apart, kind="stable")[: int(own.sum())]].mean()))
    return told


def findings(table: Table, found: Sequence[Found]) -> tuple[str, ...]:
    """What a reader should know first."""
    rows = table.rows
    said = []
    if len(rows) == 1:
        (row,) = rows
        said.append(
            f"MMD² of {row['prototypes']} prototypes of {row['images']} images: {row['MMD²']:.4f}; of as many drawn at "
            f"random {row['random MMD²']:.4f}, mean of {DRAWS} draws"
        )
        most = int(found[0].group.coverage.argmax())
        said.append(
            f"prototype {most + 1} stands for the most images: it is nearest to {found[0].group.coverage[most]:.0%}"
        )
    else:
        better = sum(float(row["MMD²"] or 0) < float(row["random MMD²"] or 0) for row in rows)
        said.append(f"in {better} of {len(rows)} groups the MMD² is below that of as many images drawn at random")
    for own, words in (
        ("1-NN", "of the other images have the class of the nearest prototype"),
        ("precision", "of the images nearest to the prototypes are of their class"),
    ):
        pairs = [(float(row[own] or 0), float(row[f"random {own}"] or 0)) for row in rows if row[own] is not None]
        if pairs:
            mine, random = np.mean(pairs, 0)
            said.append(f"{mine:.1%} {words}; {random:.1%} with images drawn at random")
    if all(row["1-NN"] is None for row in rows) and len(rows) == 1 and rows[0]["group"] == ALL:
        said.append("no accuracy: no other image is of the class of a prototype")
    return tuple(said)
