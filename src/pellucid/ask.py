"""The question that everyone asks first: `explain`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, SupportsIndex

from pydantic import Field

from pellucid import catalogue
from pellucid.bars import shown
from pellucid.catalogue import Entry
from pellucid.catalogue.ask import Ask
from pellucid.catalogue.signed import facts, question
from pellucid.described import Default, Shell
from pellucid.errors import PellucidError, Refused
from pellucid.evaluation.explainers import DEFAULT, able
from pellucid.evaluation.trust import Forgetful, trusted
from pellucid.images import Images, ImagesLike
from pellucid.net import Net, NetLike
from pellucid.net.predict import chances
from pellucid.notes import Note
from pellucid.progress import steps
from pellucid.result import Column, Explanation, Meta, Row, versions
from pellucid.target import Logit, Target

DEFAULT_METHODS = tuple(one.name for one in DEFAULT.each)


__all__ = ["Ask", "explain"]


def explain(
    net: NetLike,
    images: ImagesLike,
    *,
    classes: Annotated[int, Field(ge=1, description="number of most probable classes to explain")] = 5,
    methods: Annotated[
        Sequence[str] | Literal["all"],
        Field(description="attribution methods that take a target, with commas between, or 'all'"),
        Default(",".join(DEFAULT_METHODS)),
        Shell(value="NAME,…"),
    ] = DEFAULT_METHODS,
    truth: Annotated[
        str | SupportsIndex | None,
        Field(description="correct class: the columns are then the prediction, this class, and the difference"),
        Default("the most probable classes, each by itself"),
        Shell(value="CLASS"),
    ] = None,
) -> Explanation:
    """Why did the network say that? One image, its `classes` best guesses, and several methods' maps of each.

    `net` and `images` may be what `load` and `read` take; `methods` are names of attribution methods that take
    a target, or 'all' of them. With `truth`, the class that it should have been, the questions are the best
    guess, the truth, and what speaks for the one rather than the other. Slow methods are asked more coarsely
    than by default, to answer within seconds; Meta of each map says how. Of a regression the first outputs are
    explained, whose columns have no probability. `trust` of each row says what is cheap to know of its first map:
    completeness, positive evidence, a saturated target; of methods that take few passes also whether it changes with
    random weights, and whether it is steady when the image moves by 4 pixels.
    """
    given = {"net": net, "images": images}
    return explained(Forgetful(Net.of(net)), images, given, classes=classes, methods=methods, truth=truth)


def explained(
    forgetful: Forgetful,
    images: ImagesLike,
    given: Mapping[str, object],
    *,
    classes: int,
    methods: Sequence[str] | Literal["all"],
    truth: str | SupportsIndex | None,
) -> Explanation:
    """`explain` for whoever asks of one image after the other: copies with random weights are made for the first.

    `given` are the network and the image as the caller wrote them. Raises PellucidError for several images.
    """
    images = forgetful.net.images(images)
    if len(images) != 1:
        raise PellucidError(f"explain takes one image, these are {len(images)}: explain images[i], one by one")
    entries = _able(methods)
    forgetful = forgetful.cached()  # the questions differ, the images that are shown to the network do not
    net = forgetful.net
    predictions = net.predict(images, classes)
    (ranked,) = predictions.ranked
    asked = [Target.of(prediction) for prediction in ranked]
    columns: tuple[Column, ...] = ()
    if truth is not None:
        asked, columns = _against(net, images, truth)
    rows, refused = [], []
    with shown():
        for entry in steps(entries, "methods"):
            try:
                maps = [entry.function(net, images, one, **entry.quick) for one in steps(asked, entry.title)]
            except Refused as error:
                if methods != "all":
                    raise
                refused.append(Note("refused", f"{entry.title}: {error}"))
                continue
            trust = trusted(forgetful, images, maps[0], target=asked[0], again=not entry.quick)
            rows.append(Row(entry.name, entry.title, tuple(maps), trust))
    options = {
        "classes": classes,
        "methods": tuple(entry.name for entry in entries),
        "truth": truth if truth is None or isinstance(truth, str) else net.class_index(truth),
    }
    nouns = {"net": net, "images": images}
    meta = Meta(
        question("explain", given, nouns, options),
        nouns=facts(nouns, options),
        found={"scores": predictions.meta.scores},
        notes=tuple(dict.fromkeys((*predictions.meta.notes, *refused))),
        versions=versions(),
    )
    return Explanation(images.shown(0), net.prepare(images).views[0], ranked, tuple(rows), meta, columns)


def _able(methods: Sequence[str]) -> list[Entry]:
    """The entries of the methods asked for; each must have a target and give a map."""
    known = able()
    if methods == "all":
        return list(known)
    entries = [catalogue.find(name) for name in methods]
    for entry in entries:
        if entry.name not in {one.name for one in known}:
            lacks = "it gives no single map" if entry.asks(Target) else "it has no target"
            names = ", ".join(one.name for one in known)
            raise PellucidError(f"explain cannot use {entry.name}: {lacks}; these can be used: {names}")
    return entries


def _against(net: Net, images: Images, truth: str | SupportsIndex) -> tuple[list[Target], tuple[Column, ...]]:
    """The best guess, the truth, and the difference; where the best guess is the truth, against the runner-up."""
    index = net.class_index(truth)
    first, *others = net.top(images, 2)
    if first.probability is None:
        raise PellucidError(f"truth={truth!r}: {net.name} is a regression, which has no classes: leave truth out")
    if not others:
        raise PellucidError(f"truth={truth!r}: {net.name} has one output, there is nothing to hold it against")
    pair = (first.index, index) if first.index != index else (index, others[0].index)
    one, two = (Logit(which) for which in pair)
    names = [net.class_name(which) for which in pair]
    found = chances(net.run(images))
    columns = (
        *(Column(name, float(found[which])) for name, which in zip(names, pair, strict=True)),
        Column(f"{names[0]} rather than {names[1]}"),
    )
    return [one, two, one - two], columns
