"""Why an image is answered with another class than its own: what speaks for each of four causes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray

from pellucid.geometry import Floats
from pellucid.index.search import Metric, mean_of, squared
from pellucid.index.search import nearest as nearest_rows
from pellucid.rng import generator
from pellucid.training_set.alike import alike, taken_for
from pellucid.training_set.cases import Asked
from pellucid.training_set.chances import Chances
from pellucid.training_set.curvature import softmax, with_one
from pellucid.training_set.examples import Examples
from pellucid.training_set.influence import by_last_layer
from pellucid.training_set.neighborhood import unit_rows
from pellucid.training_set.removal import removed
from pellucid.training_set.strange import Outside, Usual

NEAR = 20
"""Training images that are asked in each way: the nearest, and those that push the most."""
_AROUND = 40
"""Nearest images that are left out together, so that they cannot vouch for one another's labels."""
DOUBTED = 0.5
"""Chance of being wrong from which a label counts as doubted."""
_DISTANCES, _SAMPLE = 10, 1000
"""Neighbors whose mean distance says how far an image is, and training images that it is held against."""
_SAME = 0.99
_AT_ONCE = 64
"""Images that are held against all rows at once: with many rows the products are large."""


@dataclass(frozen=True, eq=False)
class Space:
    """Rows (N, G) that images are compared by."""

    name: str
    rows: Float[np.ndarray, "n g"]

    @cached_property
    def center(self) -> Floats:
        """(G,) the mean of all rows."""
        return mean_of(self.rows)

    def near(
        self, asked: Float[np.ndarray, "m g"], own: Int[np.ndarray, " m"], count: int
    ) -> tuple[Float[np.ndarray, "m k"], Int[np.ndarray, "m k"]]:
        """((M, K) cosines about the mean, rows of the nearest), without the row that is the image itself (−1: none)."""
        return self._near(asked, own, count, "cosine")

    def distance(self, asked: Float[np.ndarray, "m g"], own: Int[np.ndarray, " m"]) -> Floats:
        """(M,) the mean distance to the ten nearest others."""
        return np.asarray(-self._near(asked, own, _DISTANCES, "euclidean")[0].mean(1))

    def angle(self, asked: Float[np.ndarray, "m g"], own: Int[np.ndarray, " m"]) -> Floats:
        """(M,) 1 less the mean cosine to the ten nearest others."""
        return np.asarray(1 - self.near(asked, own, _DISTANCES)[0].mean(1))

    @cached_property
    def _squares(self) -> Float[np.ndarray, " n"]:
        return squared(self.rows, self.center)

    def _near(
        self, asked: Float[np.ndarray, "m g"], own: Int[np.ndarray, " m"], count: int, metric: Metric
    ) -> tuple[Float[np.ndarray, "m k"], Int[np.ndarray, "m k"]]:
        count = max(min(count, len(self.rows) - 1), 1)
        pieces = [
            nearest_rows(asked[i : i + _AT_ONCE], self.rows, count + 1, metric, self._squares, self.center)
            for i in range(0, len(asked), _AT_ONCE)
        ]
        values, found = (np.concatenate([one[k] for one in pieces]) for k in range(2))
        dropped = found == own[:, None]
        dropped[:, -1] |= ~dropped.any(1)
        return values[~dropped].reshape(len(asked), -1), found[~dropped].reshape(len(asked), -1)


@dataclass(frozen=True, eq=False)
class Known:
    """What is known of N labeled images before one is asked about: which labels are doubted, what is near, which
    classes are alike. `doubts` (N,) is how probable it is that each label is wrong."""

    examples: Examples
    spaces: tuple[Space, Space]
    chances: Chances
    outside: Outside | None
    """Of the plane of the classes, in the first space."""

    @classmethod
    def of(cls, examples: Examples, name: str, second: Float[np.ndarray, "n g"], seed: int) -> Known:
        """With a second space, called so."""
        spaces = (Space(examples.layer or "last layer", examples.features), Space(name, second))
        outside = Outside.of(examples.features, examples.labels)
        return cls(examples, spaces, Chances.of(examples, seed), outside)

    @cached_property
    def _some(self) -> Int[np.ndarray, " t"]:
        """(T,) training images that new ones are held against: 1,000 at most, drawn by number."""
        return np.sort(generator(0, "distances").permutation(len(self.examples))[:_SAMPLE])

    @cached_property
    def usual(self) -> Usual:
        """How far out training images are: from their neighbors in each space, and from the plane of the classes."""
        names = [f"neighbors in {self.spaces[0].name}", f"neighbors by {self.spaces[1].name}"]
        if self.outside is not None:
            names.append(f"mixtures of all classes in {self.spaces[0].name}")
        rows = [one.rows[self._some] for one in self.spaces]
        return Usual(tuple(names), self.out(rows[0], rows[1], self._some))

    @cached_property
    def usual_angle(self) -> Usual:
        """How unlike their neighbors training images are, by the angle in the first space."""
        first = self.spaces[0]
        return Usual((first.name,), first.angle(first.rows[self._some], self._some)[:, None])

    def out(
        self, features: Float[np.ndarray, "m f"], second: Float[np.ndarray, "m g"], own: Int[np.ndarray, " m"]
    ) -> Float[np.ndarray, "m k"]:
        """(M, K) how far out images are, by the distances that `usual` names."""
        found = [one.distance(q, own) for one, q in zip(self.spaces, (features, second), strict=True)]
        if self.outside is not None:
            found.append(self.outside.distances(features, own))
        return np.stack(found, 1)

    @cached_property
    def doubts(self) -> Floats:
        return self.chances.all

    @cached_property
    def similar(self) -> Float[np.ndarray, "c c"]:
        """(C, C) how alike classes are by soft labels at T = 4; NaN on the diagonal and where no image says it."""
        found = alike(self.examples)
        np.fill_diagonal(found, np.nan)
        return found

    @cached_property
    def crossing(self) -> Float[np.ndarray, "c c"]:
        """(C, C) the same by the last layer: cosines of the weights of two classes about the mean; NaN on the
        diagonal."""
        found = unit_rows(self.examples.weight)
        found = found @ found.T
        np.fill_diagonal(found, np.nan)
        return found

    def similarity(self, given: int, rival: int) -> tuple[Floats, bool]:
        """((C,) how similar all classes are to one of them, whether soft labels say so): those of images where there
        are any that tell of the rival, else the weights."""
        told = bool(np.isfinite(self.similar[given, rival]))
        return (self.similar if told else self.crossing)[given], told

    @cached_property
    def taken(self) -> Float[np.ndarray, "c c"]:
        """(C, C) the share of images of two classes that are taken for each other out of fold; NaN on the diagonal."""
        found = taken_for(self.chances.labels, self.chances.logits.argmax(1), len(self.examples.classes))
        np.fill_diagonal(found, np.nan)
        return found

    @cached_property
    def sizes(self) -> Int[np.ndarray, " c"]:
        """(C,) images of each class."""
        return np.bincount(self.examples.labels, minlength=len(self.examples.classes))

    def own(self, asked: Asked, second: Float[np.ndarray, "m g"]) -> Int[np.ndarray, " m"]:
        """(M,) the row of the training image that an image is, −1 where it is none: the same to the second space, and
        to the last layer but for rounding."""
        found = np.full(len(second), -1, np.int64)
        for i, row in enumerate(second):
            same = np.flatnonzero((self.spaces[1].rows == row).all(1))
            center = self.spaces[0].center
            a, b = asked.features[i] - center, self.examples.features[same] - center
            cosines = b @ a / np.maximum(np.linalg.norm(a) * np.linalg.norm(b, axis=1), 1e-300)
            if len(same) and cosines.max() > _SAME:
                found[i] = same[int(cosines.argmax())]
        return found

    def judged(
        self, asked: Asked, second: Float[np.ndarray, "m g"], own: Int[np.ndarray, " m"], given: Int[np.ndarray, " m"],
        damping: float,
    ) -> Judged:  # fmt: skip
        """What is found of images whose class is `given`."""
        rows = np.arange(len(given))
        rest = asked.logits.copy()
        rest[rows, given] = -np.inf
        rivals = rest.argmax(1)  # the answer, or where that is right the next
        features = (asked.features, second)
        out, furthest = self.usual.together(self.out(asked.features, second, own))
        unlike = self.usual_angle.shares(self.spaces[0].angle(asked.features, own)[:, None])[:, 0]
        found = [one.near(q, own, NEAR) for one, q in zip(self.spaces, features, strict=True)]
        cosines, near = (np.stack([one[k] for one in found], 1) for k in range(2))
        wide = self.spaces[0].near(asked.features, own, _AROUND)[1]
        scores = by_last_layer(self.examples, asked, given, damping).scores
        scores[rows[own >= 0], own[own >= 0]] = 0
        against = np.argsort(scores, 1, kind="stable")[:, : near.shape[2]]
        around = [np.r_[wide[i], against[i]] for i in rows]
        doubts, wrong = self._apart(asked, own, given, around, damping)
        labels = self.examples.labels
        speakers = [np.unique(np.r_[near[i, 0], against[i]]) for i in rows]
        speakers = [one[labels[one] == rivals[i]] for i, one in enumerate(speakers)]
        expected = np.array([doubts[i, one].mean() if len(one) else 0.0 for i, one in enumerate(speakers)])
        sets = [one[doubts[i, one] >= DOUBTED] for i, one in enumerate(speakers)]
        steps = removed(self.examples, sets, damping).values
        after = asked.logits + np.einsum("mcg,mg->mc", steps, with_one(asked.features))
        return Judged(
            given, np.asarray(rivals, np.int64), asked.answers, asked.probabilities, own, out, furthest, unlike,
            cosines, near, scores, doubts, wrong, tuple(map(len, speakers)), tuple(map(len, sets)), expected,
            softmax(after), self._rank(given, rivals),
        )  # fmt: skip

    def _apart(
        self, asked: Asked, own: NDArray[np.int64], given: NDArray[np.int64], around: list[NDArray[np.int64]],
        damping: float,
    ) -> tuple[Float[np.ndarray, "m n"], Floats]:  # fmt: skip
        """((M, N) chances that labels are wrong, (M,) that of each image itself). Those of the images around it are by
        what is left when they are removed together, for wrong labels that lie close to one another would agree.
        """
        chances = self.chances
        head = chances.head or self.examples.head
        fit = self.examples.with_head(head)
        sets = [self._halved(one) for one in around] if chances.head is not None else [one[:0] for one in around]
        steps = removed(fit, sets, damping).values
        doubts, found = np.repeat(self.doubts[None], len(sets), 0), np.empty(len(sets))
        for i, rows in enumerate(sets):
            seen = fit.logits[rows] + with_one(fit.features[rows]) @ steps[i].T
            doubts[i, rows] = chances.wrong(chances.calibrated(seen), fit.labels[rows])
            mine = head.scores(asked.features[[i]]) if own[i] < 0 else chances.logits[own[[i]]]
            found[i] = chances.wrong(chances.calibrated(mine), given[[i]])[0]
        return doubts, found

    def _halved(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Each of these once, of every class the first ones and no more than half of it: what is left must know it."""
        left, kept = self.sizes // 2, list[int]()
        for row in dict.fromkeys(rows.tolist()):
            label = int(self.examples.labels[row])
            if left[label] > 0:
                left[label] -= 1
                kept.append(row)
        return np.array(sorted(kept), np.int64)

    def _rank(self, given: NDArray[np.int64], rivals: NDArray[np.int64]) -> Int[np.ndarray, " m"]:
        """(M,) the place of a rival among the classes by how similar they are to the given one, 1 for the most."""
        found = [
            1 + int((like > like[r]).sum())
            for like, r in ((self.similarity(int(g), int(r))[0], int(r)) for g, r in zip(given, rivals, strict=True))
        ]
        return np.array(found, np.int64)


@dataclass(frozen=True, eq=False)
class Judged:
    """Figures of M images. `given` is their class, `answers` what they are answered with, `rivals` that, or the second
    guess where it is right."""

    given: Int[np.ndarray, " m"]
    rivals: Int[np.ndarray, " m"]
    answers: Int[np.ndarray, " m"]
    probabilities: Float[np.ndarray, "m c"]
    own: Int[np.ndarray, " m"]
    out: Floats
    """(M,) the share of the training images that are less far out, by whichever distance says most."""
    furthest: Int[np.ndarray, " m"]
    """Which one that is."""
    unlike: Floats
    """(M,) the share of the training images that are more like their neighbors, by the angle in the first space."""
    cosines: Float[np.ndarray, "m 2 k"]
    near: Int[np.ndarray, "m 2 k"]
    """Rows of the nearest."""
    scores: Float[np.ndarray, "m n"]
    """Influence on the loss of the given class."""
    doubts: Float[np.ndarray, "m n"]
    """How probable it is that the label of each training image is wrong."""
    wrong: Floats
    """(M,) and the given class of the image itself."""
    speakers: tuple[int, ...]
    """Training images of the rival's class among the nearest and those that push the most against the given class."""
    doubted: tuple[int, ...]
    """Of them those whose own label is doubted."""
    expected: Floats
    """(M,) the share of them that has a wrong label, as is to be expected: the mean of their chances."""
    after: Float[np.ndarray, "m c"]
    """Probabilities without the doubted ones, the last layer refitted."""
    rank: Int[np.ndarray, " m"]

    @property
    def right(self) -> Bool[np.ndarray, " m"]:
        """(M,) whether the answer is the given class."""
        return np.asarray(self.answers == self.given)
