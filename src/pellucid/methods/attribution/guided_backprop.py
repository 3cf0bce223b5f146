"""Guided backpropagation: the gradient, keeping only what argues for the score at every rectifier."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pellucid.catalogue import method
from pellucid.errors import Refused
from pellucid.images import Images
from pellucid.net import Net
from pellucid.net.rules import Rule
from pellucid.net.rules.rectifiers import Guided, Smooth
from pellucid.notes import Note
from pellucid.result import Heatmap
from pellucid.result.coverage import PLAIN, in_words
from pellucid.saliency.backward import Reduction, Signal, reduced, signals
from pellucid.saliency.heatmaps import pixel_map
from pellucid.target import BEST, Target

HARDLY = Note(
    "reading",
    "the backward pass is changed: signs say nothing on the score, and the map hardly depends on the class that is "
    "asked about; it shows what the image holds rather than why the network decided (Nie et al. 2018, Adebayo et al. "
    "2018)",
)


@method(
    "Guided backpropagation",
    purpose="gradient through positive paths only",
    shows=(
        "A large magnitude marks a pixel on a line or texture that excites the network; its sign says nothing about "
        "the evidence. Do not read it as a reason for the class: maps of different classes are nearly the same, and a "
        "network whose upper layers are random gives much the same map, close to that of an edge detector. One forward "
        "and one backward pass."
    ),
    source="Springenberg et al. 2015, section 3.4",
)
def guided_backprop(
    net: Net,
    images: Images,
    target: Target = BEST,
    *,
    reduce: Reduction = "signed",
    smooth: Annotated[
        Smooth,
        Field(
            description="backward rule of SiLU, GELU, Mish and Hardswish: clamp after the product, gate by x > 0, or "
            "the plain gradient"
        ),
    ] = "positive_product",
) -> Heatmap:
    """The gradient with R · [R > 0] · [x > 0] at every ReLU: (N, H, W) in pixels of the network's input.

    ReLU6 and hardtanh pass where their slope is 1 and R > 0; leaky and exponential units keep their slope and
    pass R > 0. Smooth units have no published rule: `smooth` chooses one, and Meta.coverage says what each
    operation did. Acts on functions, so functional, in-place and shared activations are all covered.
    The map hardly depends on the class, and its signs say nothing on the score (a note says so).
    Raises Refused where the network has no activation that the rule knows.
    """
    prepared = net.prepare(images)
    signal = ruled(net, prepared, target, Guided(smooth))
    return pixel_map(
        net,
        prepared,
        target,
        reduced(signal.gradient, reduce),
        signal,
        unit=f"guided {target.unit_of(net)} per pixel range",
        signed=reduce == "signed",
        sign="ruled",
        notes=(HARDLY,),
    )


def ruled(net: Net, prepared: Images, target: Target, rule: Rule) -> Signal:
    """A backward pass under a rule; refused where nothing in the network took part in it."""
    signal = signals(net, prepared, target, rule.name, rule)
    if not any(rule != PLAIN for _, rule in signal.coverage):
        met = ", ".join(in_words(signal.coverage)) or "none"
        raise Refused(
            f"no activation of {net.name} has a {rule.name} rule (met: {met}): the map would be the plain gradient"
        )
    return signal
