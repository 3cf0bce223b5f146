"""What is known of the labels of an index: evidence for scores of suspicion, and what the best of them point at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast, get_args

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

from pellucid.errors import PellucidError, Refused, unknown
from pellucid.geometry import Floats
from pellucid.history import History
from pellucid.index import Index
from pellucid.index.chosen import Chosen
from pellucid.index.embedding import Embedding, embedding_of
from pellucid.index.folds.embeddings import Embeddings
from pellucid.net import Net
from pellucid.net.answers import log_probabilities
from pellucid.net.nets import Nets
from pellucid.notes import Note, say
from pellucid.training_set.descriptors import Descriptor, descriptors_of
from pellucid.training_set.dynamics import log_softmax, margins
from pellucid.training_set.examples import Examples, examples_of, received
from pellucid.training_set.head import Head
from pellucid.training_set.recorded import head_course
from pellucid.training_set.suspicion import FOLDS, Evidence, tail
from pellucid.training_set.tried import TOGETHER, suspicions, together

COURSE = 2 * 10**7
"""Images times classes up to which the logits of every epoch are kept: 2 GB."""


@dataclass(frozen=True, eq=False)
class Suspected:
    """N labeled images of an index, with what `said` each score of suspicion, and all together, of them."""

    examples: Examples
    evidence: Evidence
    said: dict[str, Floats]
    space: Float[np.ndarray, "n _"]
    """(N, G) the second space."""

    @classmethod
    def of(cls, index: Index, second: str, seed: int, networks: Nets | None = None) -> Suspected:
        """With a second space, a descriptor such as hog or an embedded layer, and other networks, each of which sees
        every image once. Raises PellucidError where the index has no labels, and Refused where neither its features nor
        its network say anything about them.
        """
        examples, other = with_second_space(index, second)
        evidence = evidence_of(examples, {second: other}, seed)
        nets = () if networks is None else Nets.made(networks, index.net)
        others = {net.name: read_by_other(index, net, examples, evidence) for net in nets}
        evidence = replace(evidence, others=others)
        said = suspicions(evidence)
        said[TOGETHER] = together(evidence, said)
        return cls(examples, evidence, said, other)

    @property
    def order(self) -> NDArray[np.int64]:
        """(N,) rows of the examples, the most suspect by all together first."""
        return np.argsort(-self.said[TOGETHER], kind="stable").astype(np.int64)

    @property
    def log_p(self) -> Float[np.ndarray, "n c"]:
        """(N, C) log probabilities that have not seen the label: out of fold, or the network's where classes are too
        small for folds."""
        if self.evidence.features is not None:
            return np.asarray(np.log(np.maximum(self.evidence.confident.probabilities, 1e-300)))
        return log_softmax(cast(Floats, self.evidence.answers))

    def suggested(self, rows: Int[np.ndarray, " m"]) -> tuple[Int[np.ndarray, " m"], Float[np.ndarray, "m 2"]]:
        """((M,) the most probable class besides the given one, (M, 2) the probabilities of the given one and of it)."""
        found, given = self.log_p[rows], self.examples.labels[rows]
        at = np.arange(len(rows))
        other = found.copy()
        other[at, given] = -np.inf
        best = other.argmax(1)
        return best, np.exp(np.stack([found[at, given], found[at, best]], 1))

    def tails(self, rows: Int[np.ndarray, " m"]) -> Float[np.ndarray, "m s"]:
        """(M, S) the share of all images that are at least as suspect, by each score and all together."""
        return np.stack([tail(one)[rows] for one in self.said.values()], 1)


def second_space(index: Index, name: str, what: str = "second space") -> Embedding:
    """A descriptor, or an embedded layer of an index. Raises UnknownName with what there is; `what` it is asked for."""
    if name in get_args(Descriptor):
        kind = cast(Descriptor, name)
        return descriptors_of(index, [kind])[kind]
    layers = index.read_fold(Embeddings).layers if index.has(Embeddings) else ()
    if name not in layers and name not in index:
        raise unknown(what, name, (*get_args(Descriptor), *layers))
    return embedding_of(index, name)


def with_second_space(index: Index, name: str) -> tuple[Examples, Float[np.ndarray, "n _"]]:
    """(the labeled images of an index that have one, their rows in it). Raises PellucidError where there are no
    labels."""
    examples, space = examples_of(index).labeled(), second_space(index, name)
    rows = np.searchsorted(space.images, examples.numbers)
    there = space.images[np.minimum(rows, len(space.images) - 1)] == examples.numbers
    if not there.all():
        examples, rows = examples.of(np.flatnonzero(there)), rows[there]
    return examples, space.values[rows]


def evidence_of(examples: Examples, spaces: Mapping[str, Float[np.ndarray, "n _"]], seed: int) -> Evidence:
    """Evidence of labeled examples. Where most classes have fewer images than there are folds, neighbors and fits of
    the last layer say nothing of a label, and what the network says is all there is."""
    sizes = np.bincount(examples.labels)
    large = float((sizes[examples.labels] >= FOLDS).mean()) >= 0.5
    answers = None if examples.fitted else examples.logits
    classes = len(examples.classes)
    if large:
        course = None
        if len(examples) * classes <= COURSE:
            course = head_course(examples.features, examples.labels, classes, seed)
        else:
            say(Note("choice", f"{len(examples)} images of {classes} classes: what a last layer says of all of them "
                     "after each epoch would fill the memory, and scores of its course are left out"))  # fmt: skip
        return Evidence(examples.labels, classes, examples.features, spaces, answers, course, seed)
    if answers is None:
        raise Refused(
            f"most classes have fewer than {FOLDS} images and are none of the network's: nothing can doubt a label"
        )
    say(Note("choice", f"most classes have fewer than {FOLDS} images: only what the network says doubts a label"))
    return Evidence(examples.labels, classes, answers=answers, seed=seed)


def read_by_other(index: Index, net: Net, examples: Examples, evidence: Evidence) -> Evidence:
    """The same examples as another network reads them, in one pass; its answers where its classes are theirs."""
    head = Head.of(net)
    features = received(index, net, head, examples.numbers)
    same = not examples.fitted and examples.classes == tuple(net.class_name(i) for i in range(len(head.bias)))
    if evidence.features is None and not same:
        raise Refused(f"{net.name} has other classes, and most of these have too few images to fit its last layer")
    return Evidence(
        evidence.labels, evidence.classes, None if evidence.features is None else features,
        answers=head.scores(features) if same else None, seed=evidence.seed,
    )  # fmt: skip


def margins_of(
    index: Index, run: History, numbers: Sequence[int], labels: Int[np.ndarray, " m"]
) -> tuple[Int[np.ndarray, " t"], Float[np.ndarray, "m t"]]:
    """((T,) steps, (M, T) margins of log probabilities of these labels) at each checkpoint of a run of the network."""
    if not run.checkpoints:
        raise PellucidError(f"{run} has no checkpoints: margins need files of weights whose names end in a step")
    found = []
    for net in run.nets(index.net):
        said = [log_probabilities(batch.run) for batch in net.over(Chosen(index, list(numbers)))]
        found.append(margins(np.concatenate(said), labels))
    return np.array(list(run.checkpoints), np.int64), np.stack(found, 1)
