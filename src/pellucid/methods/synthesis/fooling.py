"""Fooling a network: a photo that it takes for something else, and how little was changed."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pellucid.catalogue import method
from pellucid.images import Images
from pellucid.net import Net
from pellucid.progress import steps as told
from pellucid.render.adversarial import LEVELS, fooled, levels_of, of_a_class, probability_of, saved
from pellucid.render.beside import Change, Told, pictured
from pellucid.result import Pictures
from pellucid.target import Target


@method(
    "Fooling",
    purpose="change a photo slightly so that its class changes",
    shows=(
        "The smaller the change that reached the class, the more easily the network is misled on this photo. The "
        "magnified change is not a picture of the class, and does not show where the network looks. A class that was "
        "not reached proves no robustness: another attack may reach it. At most about 120 forward and backward passes "
        "at the defaults, fewer where the probability is reached before."
    ),
    source="Szegedy et al. 2013, section 4; Madry et al. 2017, section 2.1",
)
def fooling(
    net: Net,
    images: Images,
    target: Target,
    *,
    epsilon: Annotated[
        int, Field(ge=1, le=LEVELS, description="largest change of any pixel value, in units of 1/255", examples=[4])
    ] = 8,
    probability: Annotated[
        float | int,
        Field(gt=0, lt=1, description="probability of the class at which to stop, measured on the image as saved"),
    ] = 0.9,
    steps: Annotated[
        int, Field(ge=1, description="maximum number of steps, over which the bound rises to the largest change")
    ] = 120,
    rate: Annotated[
        float | int, Field(gt=0, description="mean change of a pixel value in one step, in units of 1/255")
    ] = 0.25,
) -> Pictures:
    """The least change that makes the network see the target class in each photo: (N, H, W, C), as large as its photo.

    Projected gradient ascent on the log odds of the class, with momentum ½, on the photo's own pixels and through
    the network's own resizing and cropping. The bound on the change begins at 1 of 255 and rises to `epsilon`; the
    network is shown whole levels of 255 at every step, so that what is reported is true of the saved 8-bit file.

    Facts of each picture: the probability of the class and that of the photo's first guess, before and after; the
    largest change and the root mean square of all, of 255; the steps taken; and how many times the change shown
    beside it is magnified around gray. A class that is not reached is said in the notes.
    """
    found = [
        _one(net, one, target, epsilon, probability, steps, rate)
        for one in (told(images, "fooling: photos") if len(images) > 1 else images)
    ]
    return pictured(found, images, "the photo")


def _one(
    net: Net, one: Images, target: Target, epsilon: int, probability: float | int, steps: int, rate: float | int
) -> Told:
    name, levels, asked = one.ids[0], levels_of(one.originals[0]), of_a_class(net, target, one)
    first = net.predict(saved(levels), 1).ranked[0][0]
    before = probability_of(net, levels, asked)
    found = fooled(
        net, levels, asked, probability=probability, most=steps, rate=rate,
        bound=lambda step: min(1 + step * epsilon // steps, epsilon), what=f"fooling: {name}",
    )  # fmt: skip
    change = Change(net, name, levels, found.levels, first)
    facts = {
        "probability": found.probability,
        "probability before": before,
        **change.guesses,
        "largest change of 255": float(change.size.abs().max()),
        "RMS change of 255": float(change.size.square().mean().sqrt()),
        "steps": float(found.taken),
        "change shown ×": float(change.factor),
    }
    notes: list[str] = []
    called = net.class_name(int(asked.of_class))
    if before >= probability:
        notes.append(f"{called} already has a probability of {before:.2f}, nothing was changed")
    elif found.probability < probability:
        notes.append(
            f"not reached: {called} has a probability of {found.probability:.3g}, not {probability:g}, after "
            f"{steps} steps within {epsilon} of 255"
        )
    elif first.index == asked.of_class:
        notes.append(f"{called} was the first guess already")
    return Told(change, facts, notes)
