"""Mistake: why an image is answered with another class than its own."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pellucid.catalogue import method
from pellucid.catalogue.ask import Ask, AskOption
from pellucid.errors import PellucidError
from pellucid.evaluation.explainers import able
from pellucid.images import Images
from pellucid.index import Index
from pellucid.index.embedding import seen_by
from pellucid.index.thumbnails import shrunk
from pellucid.methods.examples.scores import Second
from pellucid.net import Net
from pellucid.progress import steps
from pellucid.result import Heatmap, Meta, Mistakes
from pellucid.rng import Seed
from pellucid.target import Logit
from pellucid.training_set.cases import Asked, TrueClass, class_called
from pellucid.training_set.causes import CAUSES, explained
from pellucid.training_set.descriptors import TITLES, described
from pellucid.training_set.examples import Examples
from pellucid.training_set.head import with_head
from pellucid.training_set.mistaken import Known
from pellucid.training_set.suspected import with_second_space
from pellucid.training_set.witnesses import witnesses

_SIDE, _SIMILAR = 256, 5
"""Pixels of the picture, and similar classes that are told."""


@method(
    "Mistake",
    purpose="find out why an image is answered wrongly",
    shows=(
        "Five causes are tried: an image like no training image, a wrong label of its own, wrong labels of training "
        "images that speak for the answer, two classes that are alike, and an image like no class. Several may hold, "
        "or none: the map then shows where the network looks for the other class. A chance that a label is wrong takes "
        "the features' word for it, so look at the images. Six fits of the last layer and a look at every training "
        "image, once for each index."
    ),
    source="Koh & Liang 2017 (influence); Northcutt et al. 2021 (labels); Hinton et al. 2015, section 2 (classes)",
)
def mistake(
    index: Index,
    images: Images,
    *,
    label: TrueClass = None,
    second: Second = "hog",
    of: Annotated[
        AskOption,
        Field(description="attribution method of the map, with its options: lrp:composite=epsilon", examples=["lrp"]),
    ] = Ask("grad_cam"),  # noqa: B008
    count: Annotated[int, Field(ge=1, le=100, description="number of training images in each row")] = 6,
    damping: Annotated[
        float, Field(gt=0, description="penalty λ on the squared weights, which is added to the curvature")
    ] = 0.01,
    seed: Seed = 0,
) -> Mistakes:
    """Why each image is answered with another class than its own: a verdict for each, with (N, 5) figures of causes.

    Figures are the share of training images that are less far out, by whichever says most: distances to neighbors in
    the last layer and in a `second` space, and the distance from all mixtures of the class means in that layer; the
    chance that the image's `label` is wrong, by calibrated probabilities out of fold and the share of wrong labels that
    makes all labels most probable (Bayes); the same chance on average over the images of the answer's class that are
    nearest or push the most against its own, by a last layer without all that is around; and how often the two classes
    are taken for each other, against all pairs (with fewer than five images of one, the share of classes that are no
    more similar); and the share of training images that are more like their neighbors by the angle in the last layer:
    where that is 95 % and more, or 97.5 % are less far out, a wrong label is not believed. The map is `of` the logit of
    the answer less that of the class. Raises PellucidError where the class of an image is neither known to the index
    nor said by `label`.
    """
    if of.entry not in able():
        raise PellucidError(f"of='{of}' gives no map of a target: grad_cam, lrp or another attribution method does")
    found = index.remembered(("mistakes", second, seed), lambda: _known(index, second, seed))
    examples = found.examples
    asked = Asked.of(examples, images)
    rows = _second(index, images, second)
    own = found.own(asked, rows)
    given = _given(examples, images, own, label)
    judged = found.judged(asked, rows, own, given, damping)
    told = [explained(found, judged, i) for i in range(len(images))]
    net = with_head(index.net, examples.head, examples.classes) if examples.fitted else index.net
    maps = tuple(
        _map(net, images[i], (int(judged.rivals[i]), int(judged.given[i])), of)
        for i in steps(range(len(images)), "maps")
    )
    cases, doubts = witnesses(index, found, asked, judged, count)
    names, similarity = _similar(found, given, judged.rivals)
    at, chances = np.arange(len(given)), found.chances
    about: dict[str, Any] = {
        "layer": examples.layer, "fitted": examples.fitted, "noise": chances.noise,
        "in the index": tuple(int(one >= 0) for one in own), "chance of a wrong label": tuple(judged.wrong.tolist()),
    }  # fmt: skip
    return Mistakes(
        _named(examples, given), _named(examples, judged.answers), _named(examples, judged.rivals),
        np.stack([judged.probabilities[at, judged.answers], judged.probabilities[at, given]], 1),
        tuple(one.verdict for one in told), tuple(one.sentence for one in told),
        np.array([one.values for one in told]), np.array([one.holds for one in told]), CAUSES,
        tuple(one.said for one in told),
        cases, doubts, maps, names, similarity, np.stack([shrunk(index.net, one, _SIDE) for one in images]),
        meta=Meta(found=about, notes=(*images.notes, *examples.notes, *chances.notes)),
    )  # fmt: skip


def _known(index: Index, second: str, seed: int) -> Known:
    examples, rows = with_second_space(index, second)
    return Known.of(examples, TITLES.get(second, second), rows, seed)  # type: ignore[call-overload]


def _second(index: Index, images: Images, second: str) -> NDArray[np.float32]:
    """(M, G) of the images asked about."""
    return described(index.net, images, second) if second in TITLES else seen_by(index, images, second)


def _given(examples: Examples, images: Images, own: NDArray[np.int64], label: str | None) -> NDArray[np.int64]:
    """(M,) the class of each image: as it is said, else that of the training image that it is."""
    if not len(images):
        raise PellucidError("no image was asked about")
    if label is not None:
        return np.full(len(images), class_called(examples, label))
    for name, row in zip(images.ids, own, strict=True):
        if row < 0:
            raise PellucidError(f"{name!r} is no labeled image of the index, so its class is unknown: say label=CLASS")
    return examples.labels[own]


def _named(examples: Examples, classes: NDArray[np.int64]) -> tuple[str, ...]:
    return tuple(examples.classes[int(k)] for k in classes)


def _map(net: Net, image: Images, pair: tuple[int, int], of: Ask) -> Heatmap:
    """What speaks for the one class rather than for the other."""
    one, other = (Logit(k) for k in pair)
    found: Heatmap = of.bare(net, image, one - other)
    return found


def _similar(
    known: Known, given: NDArray[np.int64], rivals: NDArray[np.int64]
) -> tuple[tuple[tuple[str, ...], ...], NDArray[np.float64]]:
    """The classes most similar to the class of each image, and how much: (M, S), NaN where nothing is known of them."""
    like = np.stack([known.similarity(int(one), int(rival))[0] for one, rival in zip(given, rivals, strict=True)])
    order = np.argsort(-np.nan_to_num(like, nan=-2.0), 1, kind="stable")[:, :_SIMILAR]
    order = order[:, : max(like.shape[1] - 1, 1)]  # not the class itself
    return tuple(_named(known.examples, row) for row in order), np.take_along_axis(like, order, 1)
