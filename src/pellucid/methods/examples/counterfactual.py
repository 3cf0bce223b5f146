"""Counterfactuals: the least change of an image that gives another answer, and whether people would see it."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import Field
from torch import Tensor

from pellucid.catalogue import method
from pellucid.described import Default, Shell
from pellucid.errors import Refused
from pellucid.images import Images
from pellucid.index.index import IndexOption
from pellucid.net import Net
from pellucid.net.nets import Nets, NetsOption
from pellucid.progress import steps as told
from pellucid.render.adversarial import file_of, levels_of, of_a_class, probability_of, saved
from pellucid.render.beside import Change, Told, pictured
from pellucid.render.least_change import least_changed
from pellucid.render.trust import judged
from pellucid.result import Pictures
from pellucid.target import Logit, Probability
from pellucid.training_set.distances import ClassDistances

_LIKELY = 0.05
"""Of the images of a class: a picture farther from them than all but so many are from one another is no likely one."""


@method(
    "Counterfactual",
    purpose="change an image as little as another answer takes",
    shows=(
        "The change beside each picture is where, and by how much, pixels had to change for the other class. If a "
        "person does not see that class in it, the change says how easily the network is moved, and not what it takes "
        "the class for: mostly so with networks trained in the usual way. The picture is then marked as adversarial "
        "noise, other networks do not share the answer, or real images of the class are far. Up to 300 forward and "
        "backward passes for each image."
    ),
    source="Wachter, Mittelstadt & Russell 2017, sections III and IV",
    quick={"steps": 60},
)
def counterfactual(
    net: Net,
    images: Images,
    *,
    new_class: Annotated[
        str | int | None,
        Field(description="class that the images are to be answered with, by its name or number", examples=["tabby"]),
        Default("the second guess for each image"),
        Shell(flag="--to", value="CLASS"),
    ] = None,
    probability: Annotated[
        float | int, Field(ge=0.5, lt=1, description="probability of that class, measured on the picture as saved")
    ] = 0.85,
    networks: Annotated[
        NetsOption | None,
        Field(description="networks of the same classes that are shown what was found"),
        Default("none"),
    ] = None,
    index: Annotated[
        IndexOption | None,
        Field(description="index of the network over real images, from whose distances it is said how likely each is"),
        Default("none"),
    ] = None,
    steps: Annotated[int, Field(ge=1, le=10_000, description="maximum number of steps for each image")] = 300,
) -> Pictures:
    """The nearest picture of each image that is answered with another class: (N, H, W, C), as large as its image.

    Sought is the least λ · (what is lacking of the log odds)² + mean |change|, λ doubled until the class is reached,
    through the network's own resizing and cropping and on whole levels of 255, so that what is reported is
    true of the saved 8-bit file. In the end changes that do little are taken back, as many as the class allows.

    Facts of each picture: the probability of the class and that of the first guess, before and after; the mean and the
    largest change, of 255; the share of changed pixels; how many times the change shown beside it is magnified around
    gray; and the probability that each of the other `networks` gives the class, before and after. With an `index`, how
    far the picture and its image lie from the nearest other image with the label or the answer of that class, 1 −
    cosine of what the last layer reads, about its mean; and the share of the class's images that lie as far from one
    another (of a class of fewer than 5, of the images of all classes): what that layer reads follows the answer, so
    a large distance speaks against a picture, and a small one not for it. Its trust says whether the class survives a
    shift by 4 pixels and other small touches. A class that is not reached, and a picture that is farther than usual,
    are said in the notes. Raises UnknownName for a class that is not there.
    """
    nets = Nets.made(networks, net) if networks is not None else ()
    real = None if index is None else ClassDistances.of(index if index.given else index.with_net(net))
    wanted = None if new_class is None else net.class_index(new_class)
    found = [
        _one(net, one, wanted, probability, steps, tuple(nets), real)
        for one in (told(images, "counterfactual: images") if len(images) > 1 else images)
    ]
    return pictured(found, images, "the image")


def _one(
    net: Net, one: Images, wanted: int | None, probability: float | int, steps: int, others: tuple[Net, ...],
    real: ClassDistances | None,
) -> Told:  # fmt: skip
    name, levels = one.ids[0], levels_of(one.originals[0])
    guesses = net.predict(saved(levels), 2).ranked[0]
    if wanted is None and len(guesses) < 2:
        raise Refused(f"{net.name} knows one class only: there is no other answer")
    asked = of_a_class(net, Logit(guesses[1].index if wanted is None else wanted), one)
    first, before = guesses[0], probability_of(net, levels, asked)
    found = least_changed(net, levels, asked, probability=probability, most=steps, what=f"counterfactual: {name}")
    change = Change(net, name, levels, found.levels, first)
    facts = {
        "probability": found.probability,
        "probability before": before,
        **change.guesses,
        "mean change of 255": float(change.size.abs().mean()),
        "largest change of 255": float(change.size.abs().max()),
        "changed pixels": float((change.size != 0).any(0).double().mean()),
        "steps": float(found.taken),
        "change shown ×": float(change.factor),
    }
    for k, other in enumerate(others):
        said = other.name if [each.name for each in others].count(other.name) == 1 else f"{other.name} ({k})"
        facts[f"{said} says"] = probability_of(other, found.levels, asked)
        facts[f"{said} said"] = probability_of(other, levels, asked)
    called, likely = net.class_name(int(asked.of_class)), list[str]()
    if real is not None:
        more, likely = _likely(real, one, found.levels, int(asked.of_class), called)
        facts |= more
    (trust,) = judged(net, [file_of(found.levels)], [Probability(asked.of_class)])
    notes = [*_notes(called, found.probability, before, probability, steps), *likely]
    return Told(change, facts, notes, trust)


def _likely(
    real: ClassDistances, image: Images, levels: Tensor, number: int, called: str
) -> tuple[dict[str, float], list[str]]:
    """Facts and notes of how far a changed picture lies from real images of a class."""
    before, after = real.examples.read(image), real.examples.read(saved(levels))
    far, usual = real.distance(after, number, before), real.usual(number)
    share = float((usual >= far).mean()) if len(usual) and far == far else math.nan
    facts = {
        "distance to the class": far,
        "distance before": real.distance(before, number, before),
        "share of real images as far": share,
    }
    if far != far:
        return facts, [f"the index has no other image of {called}: how likely the picture is cannot be said"]
    if not len(usual):
        return facts, ["no class has two images in the index: what distance is usual cannot be said"]
    if share < _LIKELY:
        return facts, [
            f"no likely image of {called}: {far:.2f} from the nearest one of the index, and {share:.0%} of real images "
            "lie as far from the next of their class"
        ]
    return facts, []


def _notes(called: str, reached: float, before: float, probability: float | int, steps: int) -> list[str]:
    if before >= probability:
        return [f"{called} already has a probability of {before:.2f}, nothing was changed"]
    if reached < probability:
        return [f"not reached: {called} has a probability of {reached:.3g}, not {probability:g}, after {steps} steps"]
    return []
