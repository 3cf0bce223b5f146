"""The classes of a network joined two by two by the weights of its last layer, and decided about that way (NBDT)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray
from scipy.cluster.hierarchy import ward

from pellucid.errors import PellucidError


@dataclass(frozen=True, eq=False)
class Joined:
    """A binary tree over C classes: node k < C is class k, node C + j joins the two nodes `pairs[j]`; the last is the
    root (Wan et al. 2021, section 3.1)."""

    pairs: Int[np.ndarray, "j 2"]
    heights: Float[np.ndarray, " j"]
    """The distance of what is joined, as Ward's criterion has it."""
    below: tuple[NDArray[np.int64], ...]
    """The classes below each of the 2 C − 1 nodes, in the order of the tree."""
    middles: Int[np.ndarray, " m"]
    """(2 C − 1,) of these the class whose weights are most like the mean of all."""

    @classmethod
    def of(cls, weight: Float[np.ndarray, "c f"], bias: Float[np.ndarray, " c"]) -> Joined:
        """By Ward's method on the rows of the weights at unit length. Raises PellucidError for fewer than 2 classes."""
        classes = len(weight)
        if classes < 2 or len(bias) != classes:
            raise PellucidError(f"{classes} classes: a hierarchy joins 2 at the least")
        lengths = np.linalg.norm(weight, axis=1, keepdims=True)
        unit = weight / np.maximum(lengths, 1e-300)
        table = ward(unit)
        pairs = table[:, :2].astype(np.int64)
        below = [np.array([k], np.int64) for k in range(classes)]
        for one, other in pairs.tolist():
            # the smaller group first, of equals that of the lower class: the same tree reads the same
            first, second = sorted((below[one], below[other]), key=lambda group: (len(group), int(group.min())))
            below.append(np.concatenate([first, second]))
        middles = [int(one[(unit[one] @ unit[one].sum(0)).argmax()]) for one in below]
        return cls(pairs, table[:, 2], tuple(below), np.array(middles))

    @property
    def classes(self) -> int:
        """How many leaves it has."""
        return len(self.pairs) + 1

    @property
    def root(self) -> int:
        """The node that all classes are below."""
        return 2 * len(self.pairs)

    def children(self, node: int) -> tuple[int, int]:
        """The two nodes right below one, the smaller group first."""
        one, other = self.pairs[node - self.classes].tolist()
        first, second = sorted((one, other), key=lambda k: (len(self.below[k]), int(self.below[k].min())))
        return first, second

    def decisions(self, logits: Float[np.ndarray, "n c"]) -> Float[np.ndarray, "n j 2"]:
        """(N, C − 1, 2) of every image the softmax over the two children of each joining node, whose scores are the
        means of the logits below them; in the order of `children`."""
        logits = np.asarray(logits, np.float64)
        found = np.empty((len(logits), len(self.pairs), 2))
        for j in range(len(self.pairs)):
            means = np.stack([logits[:, self.below[k]].mean(1) for k in self.children(self.classes + j)], 1)
            part = np.exp(means - means.max(1, keepdims=True))
            found[:, j] = part / part.sum(1, keepdims=True)
        return found

    def reached(self, logits: Float[np.ndarray, "n c"]) -> Float[np.ndarray, "n m"]:
        """(N, 2 C − 1) the probability with which each image comes to each node: the product along the way."""
        found = np.ones((len(logits), self.root + 1))
        decided = self.decisions(logits)
        for j in reversed(range(len(self.pairs))):
            node = self.classes + j
            for side, child in enumerate(self.children(node)):
                found[:, child] = found[:, node] * decided[:, j, side]
        return found

    def soft(self, logits: Float[np.ndarray, "n c"]) -> Float[np.ndarray, "n c"]:
        """(N, C) probabilities of the classes: their sum is 1."""
        return self.reached(logits)[:, : self.classes]

    def hard(self, logits: Float[np.ndarray, "n c"]) -> Int[np.ndarray, " n"]:
        """(N,) the class at which the likelier child of every node ends; of equal children the first."""
        decided = self.decisions(logits)
        at = np.full(len(logits), self.root)
        while (inner := at >= self.classes).any():
            for node in np.unique(at[inner]).tolist():
                rows = np.flatnonzero(at == node)
                at[rows] = np.array(self.children(node))[decided[rows, node - self.classes].argmax(1)]
        return at

    def cut(self, groups: int) -> tuple[int, ...]:
        """The nodes that are left when so many groups are: what was joined last is taken apart first."""
        if not 2 <= groups <= self.classes:
            raise PellucidError(f"groups={groups}: {self.classes} classes can be joined into 2 to {self.classes}")
        nodes = [self.root]
        while len(nodes) < groups:
            last = max(nodes)  # heights grow with the number
            nodes.remove(last)
            nodes += self.children(last)
        order = self.below[self.root].tolist()
        return tuple(sorted(nodes, key=lambda node: order.index(int(self.below[node][0]))))

    def called(self, node: int, names: tuple[str, ...]) -> str:
        """One or two classes by name; of more the one in their middle, and how many others."""
        inside = self.below[node]
        if len(inside) <= 2:
            return ", ".join(names[i] for i in inside)
        return f"{names[int(self.middles[node])]} and {len(inside) - 1} more"

    def written(self, names: tuple[str, ...], node: int | None = None) -> str:
        """The tree in brackets: ((bird frog) ((cat dog) (deer horse)))."""
        node = self.root if node is None else node
        if node < self.classes:
            return names[node]
        return "(" + " ".join(self.written(names, child) for child in self.children(node)) + ")"


def grouped(joined: Joined, names: tuple[str, ...], groups: int) -> tuple[Int[np.ndarray, " c"], tuple[str, ...]]:
    """((C,) the group of each class, the names of the groups)."""
    of_class, called = np.empty(joined.classes, np.int64), list[str]()
    for g, node in enumerate(joined.cut(groups)):
        of_class[joined.below[node]] = g
        called.append(joined.called(node, names))
    return of_class, tuple(called)
