"""Nearest training cases: which images of the training set look like this one, to the network and to the eye."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pellucid.catalogue import method
from pellucid.described import Default
from pellucid.errors import PellucidError
from pellucid.images import Images
from pellucid.index import Index
from pellucid.index.embedding import Embedding, embedding_of, seen_by
from pellucid.index.folds.embeddings import Embeddings
from pellucid.index.search import nearest as nearest_rows
from pellucid.net import LayerName
from pellucid.notes import Note
from pellucid.result import Cases, Meta
from pellucid.training_set.cases import Asked, TrueClass, gathered, share
from pellucid.training_set.curvature import softmax, with_one
from pellucid.training_set.descriptors import Descriptor, described, descriptors_of
from pellucid.training_set.examples import Examples, examples_of
from pellucid.training_set.removal import removed

MEASURES = ("share with the answer", "share with the true class", "probability without them")


@method(
    "Nearest training cases",
    purpose="find the training images most like an image",
    shows=(
        "Each row has the images that are most alike in one space, from early layers to late ones, then in features "
        "that nobody trained. In the last layer neighbors repeat the answer of the network, also where it is wrong: "
        "they explain it and do not testify for it. HOG is a second opinion. Where an answer changes without the nine "
        "images shown, it stands on few cases. One pass for each image, and one look at every training image for "
        "handcrafted features."
    ),
    source="Krizhevsky, Sutskever & Hinton 2012, figure 4 (right); Dalal & Triggs 2005 (HOG); Ojala et al. 2002 (LBP)",
    quick={"descriptors": ("hog",)},
)
def nearest(
    index: Index,
    images: Images,
    *,
    layer: Annotated[
        LayerName | tuple[LayerName, ...] | None,
        Field(description="embedded layer whose features are compared; several, as a,b, give a row each"),
        Default("all that the index embeds"),
    ] = None,
    descriptors: Annotated[
        tuple[Descriptor, ...],
        Field(
            description="handcrafted features that are compared as well: hog (shapes), lbp (texture), colors, pixels"
        ),
    ] = ("hog", "colors"),
    count: Annotated[int, Field(ge=1, le=100, description="number of training images in each row")] = 9,
    label: TrueClass = None,
    damping: Annotated[
        float, Field(gt=0, description="penalty λ on the squared weights when the last layer is refitted")
    ] = 0.01,
) -> Cases:
    """The training images nearest to each image in every space: (N, spaces, count) cosines about the training mean.

    The rows of a layer are means over its places, as the index keeps them. Of equally similar images the first in the
    data set comes first; an image of the index finds itself at 1. `measures` are the share of a row's images that have
    the answer's class and the `label`, without duplicates and without unlabeled images, and the probability of the
    answer once the images of the row are removed and the last layer refitted: one Newton step at `damping` from the
    weights that it has. The answer then is in `without`. Raises PellucidError where the network
    does not end in a linear layer and a softmax.
    """
    examples = examples_of(index)
    asked = Asked.of(examples, images)
    spaces = _spaces(index, images, examples, asked, layer, descriptors)
    found = [nearest_rows(one, rows.values, count, "cosine", rows.spread, rows.center) for rows, one in spaces]
    width = min(values.shape[1] for values, _ in found)
    values = np.stack([values[:, :width] for values, _ in found], 1)
    numbers = np.stack([rows.images[which[:, :width]] for (rows, _), (_, which) in zip(spaces, found, strict=True)], 1)
    fields = gathered(index, examples, asked, values, numbers, label)
    answers = tuple(examples.classes[i] for i in asked.answers)
    known = np.array([[[bool(one) for one in row] for row in rows] for rows in fields["labels"]], bool)
    counted = known.reshape(values.shape) & ~fields["duplicates"]
    hits = [_has(fields["labels"], names) for names in (answers, fields["given"])]
    given = np.array([one is not None for one in fields["given"]])
    after = _without(examples, asked, numbers, fields["duplicates"], damping)
    before = asked.probabilities[np.arange(len(answers)), asked.answers]
    own = after[np.arange(len(answers)), :, asked.answers]
    measured = np.stack([share(hits[0], counted), np.where(given[:, None], share(hits[1], counted), np.nan), own], 2)
    refitted = bool(np.isfinite(after).all())
    after_names = tuple(tuple(examples.classes[int(k)] if refitted else "" for k in row) for row in after.argmax(2))
    told = tuple(
        tuple(
            _told(measured[i, r], int(counted[i, r].sum()), answers[i], after_names[i][r]) for r in range(len(spaces))
        )
        for i in range(len(answers))
    )
    about: dict[str, Any] = {"layer": examples.layer, "fitted": examples.fitted, "probability": tuple(before.tolist())}
    reading = Note("reading", "neighbors in the last layer repeat the answer; they explain it and do not confirm it")
    return Cases(
        **fields, answers=answers, without=after_names, said=told, measured=measured,
        rows=tuple(rows.layer for rows, _ in spaces), units=("cosine",) * len(spaces), measures=MEASURES,
        meta=Meta(found=about, notes=(*images.notes, *examples.notes, reading)),
    )  # fmt: skip


def _spaces(
    index: Index, images: Images, examples: Examples, asked: Asked, layer: Any, descriptors: tuple[Descriptor, ...]
) -> list[tuple[Embedding, NDArray[np.float32]]]:
    """(the rows of the index, those of the images) of every space, layers in the order of the network."""
    every = index.read_fold(Embeddings).layers if index.has(Embeddings) else ()
    names = every if layer is None else (layer,) if isinstance(layer, str) else tuple(layer)
    layers = [embedding_of(index, one) for one in dict.fromkeys(names)]
    layers.sort(key=lambda rows: index.layers.index(rows.layer))
    found = [(rows, seen_by(index, images, rows.layer)) for rows in layers]
    if layer is None and examples.layer not in every:  # the index lacks what the last layer reads
        read = Embedding(f"what {examples.layer} reads", examples.numbers, examples.features)
        found.append((read, asked.features.astype(np.float32)))
    found += [(rows, described(index.net, images, kind)) for kind, rows in descriptors_of(index, descriptors).items()]
    if not found:
        raise PellucidError("neither layer= nor descriptors=: there is no space to compare in")
    return found


def _has(labels: Any, names: tuple[str | None, ...]) -> NDArray[np.bool_]:
    return np.array([[[one == name for one in row] for row in rows] for rows, name in zip(labels, names, strict=True)])


def _without(
    examples: Examples, asked: Asked, numbers: NDArray[np.int64], duplicates: NDArray[np.bool_], damping: float
) -> NDArray[np.float64]:
    """(N, R, C) probabilities once the images of a row are removed, and the last layer is refitted."""
    if len(np.unique(examples.labels[examples.labels >= 0])) < 2:  # nothing that the layer could be fitted to
        return np.full((*numbers.shape[:2], len(examples.classes)), np.nan)
    labeled = examples.labeled()
    place = dict(zip(labeled.numbers.tolist(), range(len(labeled)), strict=True))
    sets = [
        np.array(sorted({place[int(i)] for i in row if int(i) in place}), np.int64)
        for rows in numbers for row in rows
    ]  # fmt: skip
    steps = removed(labeled, sets, damping).values
    x = np.repeat(with_one(asked.features), numbers.shape[1], 0)
    logits = np.repeat(asked.logits, numbers.shape[1], 0) + np.einsum("kcg,kg->kc", steps, x)
    return softmax(logits).reshape(*numbers.shape[:2], -1)


def _told(measured: NDArray[np.float64], counted: int, answer: str, after: str) -> str:
    """A row in words."""
    if not counted:
        return "no image of this row has a class"
    hits = round(float(measured[0]) * counted)
    if not after:
        return f"{hits} of {counted} are {answer}"
    change = f"still {answer}, at" if after == answer else f"{after}, and {answer} at"
    return f"{hits} of {counted} are {answer}; without these the answer is {change} {measured[2]:.0%}"
