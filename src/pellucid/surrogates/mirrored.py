"""What a proxy is to repeat: the network's answers on the images of an index, in two halves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from pydantic import Field

from pellucid.described import Default
from pellucid.errors import PellucidError, unknown
from pellucid.index import Index
from pellucid.index.embedding import embedding_of
from pellucid.index.folds.embeddings import Embeddings
from pellucid.notes import Note
from pellucid.result import Table
from pellucid.result.decision_tree import Parting
from pellucid.result.table import Cell
from pellucid.rng import generator
from pellucid.statistics import share_of
from pellucid.surrogates.joined import Joined, grouped
from pellucid.training_set.curvature import softmax
from pellucid.training_set.examples import Examples, examples_of
from pellucid.training_set.folds import fold_of

_FEW, _GROUPS, _LEAST = 20, 6, 6
"""Answers that are told apart one by one, groups of more, and images that can be halved."""
_PARTED = 200  # rows of the table of images that part

Layer = Annotated[
    str | None,
    Field(description="embedded layer whose units the proxy asks about", examples=["blocks.5"]),
    Default("what the last layer reads"),
]
Groups = Annotated[
    int | None,
    Field(
        ge=2, le=1000, description="number of groups that the classes are joined into, by the weights of the last layer"
    ),
    Default("each class by itself up to 20 that are answered, else 6 groups"),
]


@dataclass(frozen=True, eq=False)
class Mirrored:
    """N images of an index with the network's answers, C of them, which a proxy is to repeat from F features.

    It is fitted to the images in `inside` and judged by those in `outside`.
    """

    examples: Examples
    layer: str
    features: Float[np.ndarray, "n f"]
    answers: Int[np.ndarray, " n"]
    """Of the network, among `names`."""
    names: tuple[str, ...]
    groups: Int[np.ndarray, " k"] | None
    """(K,) the group of each class of the network; None where classes stand by themselves."""
    inside: NDArray[np.int64]
    outside: NDArray[np.int64]
    seed: int
    notes: tuple[Note, ...] = ()

    @classmethod
    def of(cls, index: Index, layer: str | None = None, groups: int | None = None, seed: int = 0) -> Mirrored:
        """The images of an index by the units of an embedded layer; half of each answer's images judge.

        Raises Refused where the network does not end in a linear layer and a softmax, PellucidError for a layer that is
        not embedded and for fewer than 6 images.
        """
        examples = examples_of(index)
        features, name, examples = _features(index, examples, layer)
        if len(examples) < _LEAST:
            raise PellucidError(f"{len(examples)} images: a proxy is fitted to half of {_LEAST} at the least")
        many, notes = len(np.unique(examples.answers)), examples.notes
        if groups is None and many > _FEW:
            groups = min(_GROUPS, many)
            joining = f"joined into {groups} groups by the weights of the last layer; groups= says else"
            notes = (*notes, Note("choice", f"{many} classes are answered: {joining}"))
        answers, names, of_class = examples.answers, examples.classes, None
        if groups is not None:
            joined = Joined.of(examples.weight, examples.bias)
            of_class, names = grouped(joined, examples.classes, groups)
            answers = of_class[answers]
        fold = fold_of(answers, 2, seed)
        inside, outside = np.flatnonzero(fold == 0), np.flatnonzero(fold == 1)
        if len(np.unique(answers[inside])) < 2:
            said = f"the network answers {names[int(answers[inside[0]])]!r} of all images that a proxy is fitted to"
            notes = (*notes, Note("values", f"{said}: to say so is all that there is to repeat"))
        return cls(examples, name, features, answers, names, of_class, inside, outside, seed, notes)

    @property
    def classes(self) -> int:
        """Of the network, or groups of them."""
        return len(self.names)

    @property
    def labels(self) -> Int[np.ndarray, " n"]:
        """(N,) true classes, or their groups, −1 where there is none."""
        labels = self.examples.labels
        return labels if self.groups is None else np.where(labels >= 0, self.groups[np.maximum(labels, 0)], -1)

    def sure(self, row: int) -> float:
        """The probability that the network gives its answer about an image; of a group that of all its classes."""
        p = softmax(self.examples.logits[[row]])[0]
        return float(p.max() if self.groups is None else p[self.groups == self.answers[row]].sum())

    @property
    def again(self) -> NDArray[np.int64]:
        """(H,) of the images that a proxy is fitted to as many, drawn with repetition: of a second proxy."""
        drawn = generator(self.seed, "again").integers(0, len(self.inside), len(self.inside))
        return self.inside[np.sort(drawn)]

    def oracle(self, x: Float[np.ndarray, "q f"]) -> Int[np.ndarray, " q"]:
        """(Q,) what the network's last layer says of other features that it might read."""
        said = self.examples.head.scores(x).argmax(1)
        return np.asarray(said if self.groups is None else self.groups[said], np.int64)

    @property
    def read(self) -> bool:
        """Whether the features are what the last layer reads, so that it can be asked about others."""
        return self.features.shape == self.examples.features.shape and self.layer == self.examples.layer

    def both(self, proxy: Callable[[NDArray[np.int64]], Int[np.ndarray, " h"]]) -> Judged:
        """A proxy and a second one, judged: proxy(rows it is fitted to) -> (H,) what it says of those outside."""
        return Judged(self, np.asarray(proxy(self.inside)), np.asarray(proxy(self.again)))


@dataclass(frozen=True, eq=False)
class Judged:
    """What a proxy says of H images that it was not fitted to, and what a second one says, fitted to images drawn with
    repetition from the same half."""

    mirrored: Mirrored
    said: Int[np.ndarray, " h"]
    second: Int[np.ndarray, " h"]

    @property
    def faithful(self) -> Bool[np.ndarray, " h"]:
        """(H,) whether it says what the network says."""
        return np.asarray(self.said == self.mirrored.answers[self.mirrored.outside])

    @property
    def fidelity(self) -> float:
        """The share of which it says what the network says."""
        return float(self.faithful.mean())

    @property
    def stability(self) -> float:
        """The share of which the second proxy says the same as the first."""
        return float((self.said == self.second).mean())

    @property
    def accuracy(self) -> float | None:
        """The share of labeled images of which it says the label; None without labels."""
        return right(self.said, self.mirrored)

    def row(self, name: str, size: int, what: str) -> tuple[Cell, ...]:
        """A row of the table of scores."""
        share, error = share_of(self.faithful)
        return name, share, error, self.accuracy, self.stability, size, what

    def parted(self) -> tuple[Table, NDArray[np.int64]]:
        """(the images of which it says something else, those that the network is surest of first; their rows)."""
        mirrored = self.mirrored
        wrong = np.flatnonzero(~self.faithful)
        rows = mirrored.outside[wrong]
        p = np.array([mirrored.sure(int(i)) for i in rows])
        order = np.argsort(-p, kind="stable")
        wrong, rows, p = wrong[order], rows[order], p[order]
        labels = mirrored.labels[rows]
        columns: dict[str, tuple[Cell, ...]] = {
            "image": tuple(mirrored.examples.names[i] for i in rows),
            "network": tuple(mirrored.names[i] for i in mirrored.answers[rows]),
            "proxy": tuple(mirrored.names[i] for i in self.said[wrong]),
            "label": tuple(mirrored.names[i] if i >= 0 else None for i in labels),
            "p": tuple(p.tolist()),
        }
        shown = {name: column[:_PARTED] for name, column in columns.items()}
        return Table(shown, _PARTS), rows

    def partings(self, rows: Sequence[int], table: Table, first: int, most: int) -> tuple[Parting, ...]:
        """The first of them with pictures, whose rows begin at `first`."""
        found = [table.rows[k] for k in range(min(most, len(table), len(rows)))]
        return tuple(
            Parting(str(one["image"]), str(one["network"]), str(one["proxy"]),
                    None if one["label"] is None else str(one["label"]), first + k)
            for k, one in enumerate(found)
        )  # fmt: skip


SCORES = {
    "proxy": "what stands in for the network",
    "fidelity": "share of the held-out images of which it says what the network says",
    "error": "standard error of the fidelity",
    "accuracy": "share of the labeled ones among these of which it says the label",
    "stability": "share of which a second proxy, fitted to images drawn anew from the same half, says the same",
    "size": "how large it is",
    "counts": "what its size counts",
}
_PARTS = {
    "image": "held-out image of which the proxy says something else than the network",
    "network": "the network's answer",
    "proxy": "the proxy's",
    "label": "its class, where it is known",
    "p": "probability that the network gives its answer",
}


def scores(rows: Sequence[tuple[Cell, ...]]) -> Table:
    """The table of scores from its rows."""
    return Table(dict(zip(SCORES, zip(*rows, strict=True), strict=True)), SCORES, (), ("fidelity", "stability"),
                 errors={"fidelity": "error"})  # fmt: skip


def right(said: Int[np.ndarray, " h"], mirrored: Mirrored) -> float | None:
    """The share of the labeled images outside of which this is the label; None without labels."""
    labels = mirrored.labels[mirrored.outside]
    known = labels >= 0
    return float((said == labels)[known].mean()) if known.any() else None


def own_rows(mirrored: Mirrored) -> list[tuple[Cell, ...]]:
    """What every proxy is compared with: the network itself, and the answer that is most frequent among those that a
    proxy is fitted to."""
    outside = mirrored.answers[mirrored.outside]
    common = int(np.bincount(mirrored.answers[mirrored.inside], minlength=mirrored.classes).argmax())
    always = mirrored.both(lambda rows: np.full(len(outside), common))
    head = mirrored.examples.head.weight.size + len(mirrored.examples.bias)
    return [
        ("network", 1.0, None, right(outside, mirrored), None, head, "weights of its last layer"),
        always.row(f"always {mirrored.names[common]}", 1, "answer"),
    ]


def _features(index: Index, examples: Examples, layer: str | None) -> tuple[NDArray[np.float32], str, Examples]:
    """((N, F) rows, the layer that they are of, the images that have one)."""
    if layer is None:
        return np.asarray(examples.features), examples.layer, examples
    kept = index.read_fold(Embeddings).layers if index.has(Embeddings) else ()
    name = index[layer].name if layer in index else layer
    if name not in kept:
        if layer in index:
            raise PellucidError(
                f"layer={layer!r} is not embedded, but {', '.join(kept) or 'none'}: make the index with --embed {layer}"
            )
        raise unknown("embedded layer", layer, kept)
    rows = embedding_of(index, name)
    place = np.searchsorted(rows.images, examples.numbers)
    there = rows.images[np.minimum(place, len(rows.images) - 1)] == examples.numbers
    if not there.all():
        examples, place = examples.of(np.flatnonzero(there)), place[there]
    return np.asarray(rows.values[place]), name, examples
