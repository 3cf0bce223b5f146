"""Images with labels as the last layer of a network sees them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
from jaxtyping import Float, Float32, Int64, UInt8
from numpy.typing import NDArray

from pellucid.data import Data, NewTask
from pellucid.errors import BadImage, PellucidError, Refused, UnknownName
from pellucid.images import Images
from pellucid.images.labeled import Labeled
from pellucid.index import Index
from pellucid.index.chosen import Chosen
from pellucid.index.embedding import embedding_of, seen_by
from pellucid.index.folds.embeddings import Embeddings
from pellucid.index.search import mean_of
from pellucid.index.thumbnails import shrunk
from pellucid.net import Net
from pellucid.net.classes import class_of
from pellucid.notes import Note
from pellucid.training_set.curvature import PIECE, Curvature, softmax
from pellucid.training_set.head import Head, read_by, reader
from pellucid.training_set.softmax import fitted

PENALTY = 0.01
"""Of the softmax regression that stands in for the last layer where classes are none of the network's."""
_WHOLE = 2**22  # probabilities that are kept in float64
_CHECKED = 4  # images on which an embedding is held against what the network says


@dataclass(frozen=True, eq=False)
class Examples:
    """N images with labels as the last layer of a network sees them: C classes, F features."""

    features: Float32[np.ndarray, "n f"]
    """What the last linear layer reads of each image."""
    logits: Float[np.ndarray, "n c"]
    """What it makes of them, in float64."""
    labels: Int64[np.ndarray, " n"]
    """The class of each among `classes`, −1 where it has none."""
    numbers: Int64[np.ndarray, " n"]
    """Of the images in the index or the data."""
    names: tuple[str, ...]
    """Of the images."""
    classes: tuple[str, ...]
    """The network's; the data's own where these are none of the network's."""
    weight: Float[np.ndarray, "c f"]
    bias: Float[np.ndarray, " c"]
    fitted: bool
    """Whether the last layer is a softmax regression on the features, and not the network's own."""
    notes: tuple[Note, ...] = ()
    layer: str = ""
    """The embedded layer that the features are of; of a pass over the images the last layer, which reads them."""
    show: Callable[[int, int], UInt8[np.ndarray, "side side 3"]] | None = field(default=None, repr=False)
    """show(number, side): a small picture of an image."""
    reads: Callable[[Images], Float[np.ndarray, "m f"]] | None = field(default=None, repr=False)
    """The features of other images, made as these are: of the same image the same bits."""

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def probabilities(self) -> Float[np.ndarray, "n c"]:
        """(N, C), made anew each time; in float32 where they are many, for with 1,000 classes they are large."""
        if self.logits.size <= _WHOLE:
            return softmax(self.logits)
        found = np.empty(self.logits.shape, np.float32)
        for i in range(0, len(found), PIECE):
            found[i : i + PIECE] = softmax(self.logits[i : i + PIECE])
        return found

    @property
    def answers(self) -> NDArray[np.int64]:
        """(N,) the class of the largest logit."""
        return np.asarray(self.logits.argmax(1), np.int64)

    @property
    def head(self) -> Head:
        """The last layer."""
        return Head("softmax regression" if self.fitted else "last layer", self.weight, self.bias)

    @cached_property
    def center(self) -> Float[np.ndarray, " f"]:
        """The mean of all features, in float64."""
        return mean_of(self.features)

    def curved(self, damping: float) -> Curvature:
        """The curvature of the last layer's loss over them; asked again with the same damping it is at hand."""
        held: dict[float, Curvature] = self.__dict__.setdefault("_curved", {})
        if damping not in held:
            held.clear()
            held[damping] = Curvature(self.features, self.probabilities, damping)
        return held[damping]

    def picture(self, row: int, side: int) -> UInt8[np.ndarray, "side side 3"]:
        """The image of a row as the network sees it, small; gray where it cannot be read any more."""
        if self.show is None:
            return np.full((side, side, 3), 127, np.uint8)
        return self.show(int(self.numbers[row]), side)

    def read(self, images: Images) -> Float[np.ndarray, "m f"]:
        """(M, F) the features of other images."""
        if self.reads is None:
            raise PellucidError("these examples know no network that could read another image")
        return self.reads(images)

    def class_name(self, label: int) -> str | None:
        """What a class is called; None for −1."""
        return self.classes[label] if label >= 0 else None

    def labeled(self, least: int = 2) -> Examples:
        """Those that have a label. Raises PellucidError where fewer than `least` have one, or all have the same."""
        kept = self.labels >= 0
        if int(kept.sum()) < least or len(np.unique(self.labels[kept])) < 2:
            raise PellucidError(
                f"{int(kept.sum())} of {len(self)} images have a class, of {len(np.unique(self.labels[kept]))} "
                "classes: images with classes of two kinds at the least are needed, a folder of class folders or with "
                "labels.csv"
            )
        return self if kept.all() else self.of(np.flatnonzero(kept))

    def with_head(self, head: Head) -> Examples:
        """The same images with another last layer."""
        return replace(self, weight=head.weight, bias=head.bias, logits=head.scores(self.features))

    def of(self, rows: NDArray[np.int64]) -> Examples:
        """Those of some rows."""
        return replace(
            self, features=self.features[rows], logits=self.logits[rows], labels=self.labels[rows],
            numbers=self.numbers[rows], names=tuple(self.names[i] for i in rows.tolist()),
        )  # fmt: skip


def examples_of(index: Index) -> Examples:
    """The images of an index: features are the embedding that the last linear layer reads, where the index keeps it;
    else they are taken in one pass over its images, which a note says. Labels are classes of the network by name,
    WordNet id or number; where that holds for fewer than half of the images, the index's own, and the last layer is
    fitted. Raises Refused where the network does not end in a linear layer and a softmax over classes. Asked again of
    the same index object it is at hand.
    """
    return index.remembered(("examples",), lambda: _of_index(index))


def examples_in(net: Net, data: Data) -> Examples:
    """The images of labeled data, in one pass over them; otherwise as `examples_of`. Of a `NewTask` the classes are
    always the data's own."""
    own = isinstance(data, NewTask) or not _known(net, data)
    task: Data = NewTask.of(data) if own and not isinstance(data, NewTask) else data
    seen = task.on(net)
    head = Head.of(net)
    features, numbers, labels = _passed(net, seen, head)
    names, notes = tuple(seen.name(int(i)) for i in numbers), seen.notes
    found = _with_head(net, head, features, labels, numbers, names, tuple(seen.source.classes) if own else None, notes)
    show = partial(_shown, net, partial(_read, seen))
    return replace(found, layer=head.name, show=show, reads=partial(received, None, net, head))


def _shown(net: Net, image: Callable[[int], Images | None], i: int, side: int) -> UInt8[np.ndarray, "side side 3"]:
    return shrunk(net, image(i), side)


def received(index: Index | None, net: Net, head: Head, which: Images | NDArray[np.int64]) -> Float[np.ndarray, "m f"]:
    """(M, F) what the last layer of a network reads of some images of an index, or of images at hand."""
    if isinstance(which, Images):
        reading, layer = reader(net, head)
        rows = [read_by(head, reading.run(net.prepare(one).pixels, layers=[layer])[layer]) for one in which]
        return np.concatenate(rows)
    if index is None:
        raise PellucidError("numbers of images, and no index that has them")
    found, places, _ = _passed(net, Chosen(index, which.tolist()), head)
    if len(places) < len(which):
        raise PellucidError(f"{len(which) - len(places)} images of the index can no longer be read: make it anew")
    return found


def _read(data: Data, i: int) -> Images | None:
    try:
        return data.image(i)
    except (BadImage, OSError):
        return None


def _known(net: Net, data: Data) -> bool:
    """Whether the classes of the data are the network's: said so, or found for half of the images."""
    names = data.source.classes
    if data.classes is not None or data.source.lazy or not names:
        return True
    found = [_class(net, name, k, len(names), str(data)) is not None for k, name in enumerate(names)]
    labels = replace(data, net=None, _found={}).labels
    return bool(np.array(found)[labels[labels >= 0]].mean() >= 0.5)


def _class(net: Net, name: str, k: int, many: int, where: str) -> int | None:
    try:
        return class_of(net, name, k, many, None, where)
    except UnknownName:
        return None


def _of_index(index: Index) -> Examples:
    net, head = index.net, Head.of(index.net)
    layers = index.read_fold(Embeddings).layers if index.has(Embeddings) else ()
    for layer in reversed(layers):
        rows = embedding_of(index, layer)
        if rows.values.shape[1] == head.weight.shape[1] and _is_read(index, head, rows.images, rows.values):
            features, numbers, notes, at = rows.values, rows.images, rows.notes, rows.layer
            break
    else:
        index.source  # noqa: B018  # where the images are elsewhere by now, that is refused once
        every = np.array([i for i in range(index.n_images) if i not in index.unreadable], np.int64)
        features, places, _ = _passed(net, Chosen(index, every.tolist()), head)
        said = f"what {head.name!r} reads is not in the index: one pass over its images took it down"
        numbers, notes, at = every[places], (Note("values", said),), head.name
    own = index.labels(numbers)
    mapped, strange = _mapped(net, index.classes)
    known = np.array([one is not None for one in mapped], bool)
    new = bool(len(mapped)) and bool((own >= 0).any()) and float(known[own[own >= 0]].mean()) < 0.5
    labels, notes = own, (*notes, *Note.many("values", strange))
    if not new:
        numbered = np.array([-1 if one is None else one for one in (*mapped, None)], np.int64)
        labels = numbered[own]  # −1 is the last
        lost = int(((own >= 0) & (labels < 0)).sum())
        notes = (*notes, *Note.many("values", _lost(lost, index, known)))
    found = _with_head(
        net, head, features, labels, numbers, index.names(numbers), index.classes if new else None, notes
    )
    reads = partial(seen_by, index, layer=at) if at != head.name else partial(received, None, net, head)
    return replace(found, layer=at, show=partial(_shown, net, index.readable), reads=reads)


def _mapped(net: Net, classes: Sequence[str]) -> tuple[NDArray[Any], list[str]]:
    """((C,) the network's class of each of an index, None where there is none, what is to be said of it). Numbers of
    which one is no class of the network may be counted from 1, or be names: then all are classes of their own."""
    try:
        return np.array([_class(net, one, k, len(classes), "") for k, one in enumerate(classes)], object), []
    except PellucidError as error:
        said = f"the classes of the images count as their own: {str(error).partition(':')[0]}"
        return np.array([None] * len(classes), object), [said]


def _lost(count: int, index: Index, known: NDArray[np.bool_]) -> list[str]:
    if not count:
        return []
    some = ", ".join(repr(one) for one, here in zip(index.classes, known, strict=True) if not here)
    return [f"{count} images count as without a label, for the network has no such class: {some[:200]}"]


def _is_read(index: Index, head: Head, images: NDArray[np.int64], rows: Float[np.ndarray, "n f"]) -> bool:
    """Whether the last layer makes of these rows what the network says of the images, a few of which are run."""
    for place in np.unique(np.linspace(0, len(images) - 1, _CHECKED).round().astype(int)).tolist():
        image = index.readable(int(images[place]))
        if image is not None and not head.makes(rows[[place]], index.net.run(index.net.prepare(image).pixels))[0]:
            return False
    return True


def _passed(net: Net, data: Labeled, head: Head) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
    """(features, places, labels) of one pass. Raises Refused where the last layer is not followed by a softmax."""
    reading, layer = reader(net, head)
    features, numbers, labels = list[np.ndarray](), list[int](), list[int]()
    for batch in reading.over(data, layers=[layer]):
        rows = read_by(head, batch.run[layer])
        if not features and not head.makes(rows, batch.run).all():
            raise Refused(f"{net.name} makes something else of its {head.name!r} than a softmax over classes")
        if not np.isfinite(rows).all():
            raise PellucidError(f"{net.name} gives no finite numbers for one of {', '.join(batch.ids)[:200]}")
        features.append(rows)
        numbers += batch.numbers
        labels += [-1] * len(batch) if batch.labels is None else batch.labels.tolist()
    return np.concatenate(features), np.array(numbers, np.int64), np.array(labels, np.int64)


def _with_head(
    net: Net, head: Head, features: Float[np.ndarray, "n f"], labels: NDArray[np.int64], numbers: NDArray[np.int64],
    names: tuple[str, ...], own: Sequence[str] | None, notes: tuple[Note, ...],
) -> Examples:  # fmt: skip
    """With the network's own last layer, or (`own` classes) with one that is fitted."""
    features = np.asarray(features, np.float32)
    if own is None:
        classes = tuple(net.class_name(i) for i in range(len(head.bias)))
        return Examples(
            features, head.scores(features), labels, numbers, names, classes, head.weight, head.bias, False, notes
        )
    classes, there = tuple(map(str, own)), labels >= 0
    made = Head(head.name, *fitted(features[there], labels[there], len(classes), PENALTY))
    logits = made.scores(features)
    right = float((logits[there].argmax(1) == labels[there]).mean())
    said = Note(
        "values",
        f"the {len(classes)} classes of the images ({', '.join(classes)[:120]}) are none of {net.name}'s: a softmax "
        f"regression on its features (penalty {PENALTY}) stands in for its last layer, right for {right:.1%} of them",
    )
    return Examples(features, logits, labels, numbers, names, classes, made.weight, made.bias, True, (*notes, said))
