"""Layer-wise relevance propagation: the score handed back to the pixels in shares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from pellucid.catalogue import method
from pellucid.described import Default
from pellucid.errors import PellucidError, unknown
from pellucid.images import Images
from pellucid.net import Net
from pellucid.net.rules import Relevance
from pellucid.net.rules.relevance import (
    DIVIDING,
    NORMALIZED,
    LrpRule,
    alpha_beta,
    epsilon,
    flat,
    gamma,
    w_square,
    z_box,
)
from pellucid.notes import Note, each_or_all
from pellucid.result import Heatmap
from pellucid.saliency.backward import as_inputs, signals
from pellucid.saliency.heatmaps import missed, no_rule, pixel_map
from pellucid.target import BEST, Target

Composite = Literal[
    "epsilon",
    "epsilon_plus",
    "epsilon_plus_flat",
    "epsilon_alpha2_beta1",
    "epsilon_alpha2_beta1_flat",
    "epsilon_gamma_box",
]
_COMPOSITES: dict[str, tuple[str | None, str, str]] = {
    # first operation, convolutions, fully connected operations
    "epsilon": (None, "epsilon", "epsilon"),
    "epsilon_plus": (None, "z_plus", "epsilon"),
    "epsilon_plus_flat": ("flat", "z_plus", "epsilon"),
    "epsilon_alpha2_beta1": (None, "alpha_beta:2,1", "epsilon"),
    "epsilon_alpha2_beta1_flat": ("flat", "alpha_beta:2,1", "epsilon"),
    "epsilon_gamma_box": ("z_box", "gamma:0.25", "epsilon"),
}
_RULES = ("epsilon", "epsilon:1e-6", "gamma:0.25", "alpha_beta:2,1", "z_plus", "z_box", "w_square", "flat")
_TOLD = 0.1  # of the score: what biases take or add below this is not worth a word
_INSTEAD = Default("the composite's")


@method(
    "Layer-wise relevance propagation",
    purpose="distribute the score backward, layer by layer",
    shows=(
        "A positive pixel speaks for the score, a negative one against it. Read proportions only, as biases may absorb "
        "nearly all relevance. The map stays much the same where the upper layers are random, so not all of it was "
        "learned. One forward pass, and a backward pass several times as slow as a plain one."
    ),
    source="Bach et al. 2015, equations 56 to 60; Montavon et al. 2019, section 10.3; Kohlbrenner et al. 2020",
)
def lrp(
    net: Net,
    images: Images,
    target: Target = BEST,
    *,
    composite: Annotated[
        Composite,
        Field(
            description="set of rules for the first operation, for convolutions, and for fully connected layers",
            examples=["epsilon_plus"],
        ),
    ] = "epsilon_plus_flat",
    first: Annotated[
        str | None, Field(description=f"rule for the first operation: {', '.join(_RULES)}"), _INSTEAD
    ] = None,
    features: Annotated[str | None, Field(description="rule for convolutions, of the same ones"), _INSTEAD] = None,
    classifier: Annotated[
        str | None, Field(description="rule for fully connected layers, of the same ones"), _INSTEAD
    ] = None,
) -> Heatmap:
    """Each pixel's relevance, summed over colors: (N, H, W), signed, in units of the score.

    Relevance is conserved from the score to the pixels but for what biases absorb: `Meta.completeness` is that
    part, and in deep networks with batch norms nearly all: read the map for its proportions. Works on calls of
    functions: batch norms are merged into the convolution before them, skips, branches, shared and in-place
    operations need no preparation of the network; `Meta.coverage` says which rule each operation had, and which
    had none. Zero is the network's own, after normalization. The target should be a logit.
    """
    prepared = net.prepare(images)
    texts = _COMPOSITES[composite]
    shares = [
        None if (text := own or preset) is None else (text, _share(text, net, prepared.pixels, place))
        for own, preset, place in zip(
            (first, features, classifier), texts, ("first", "features", "classifier"), strict=True
        )
    ]
    rule = Relevance(shares[0], shares[1] or ("epsilon", epsilon()), shares[2] or ("epsilon", epsilon()))
    signal = signals(net, prepared, target, "relevance", rule)
    normalizes = any(rule == NORMALIZED for _, rule in signal.coverage)
    values = (signal.gradient * as_inputs(net, prepared.pixels, divisible=rule.divides or normalizes)).sum(1)
    lost = missed(values, signal.scores)
    whole = signal.scores.double()
    arrived = values.detach().double().sum((1, 2)) / torch.where(whole == 0, 1e-12, whole)
    return pixel_map(
        net,
        prepared,
        target,
        values,
        signal,
        unit=target.unit_of(net),
        signed=True,
        found={"completeness": lost, "absorbed": True},
        notes=(*no_rule(signal.coverage), *_arriving(arrived.tolist(), prepared.ids)),
    )


def _arriving(shares: Sequence[float], names: Sequence[str]) -> tuple[Note, ...]:
    """What to say of the shares of the score that reach the pixels: one sentence where all images lose most."""
    of = dict(zip(names, shares, strict=True))
    little = {name: abs(share) for name, share in of.items() if abs(share) < _TOLD}
    said: list[Note] = []
    if little:
        bound = min(level for level in (0.001, 0.01, _TOLD) if max(little.values()) < level)
        text = (
            f"less than {100 * bound:g} % of the relevance reaches the pixels, biases take the rest: read the map for "
            "its proportions only"
        )
        said += each_or_all("completeness", text, list(little), names)
    for name, share in of.items():
        if name not in little and abs(share - 1) > _TOLD:
            taken = f"take {100 * (1 - share):.0f} % of" if share < 1 else f"add {100 * (share - 1):.0f} % to"
            said.append(Note("completeness", f"biases {taken} the relevance", name))
    return tuple(said)


def _share(text: str, net: Net, pixels: Tensor, place: str) -> LrpRule:
    """The rule that a text names."""
    name, _, said = text.strip().partition(":")
    try:
        numbers = [float(number) for number in said.split(",")] if said else []
        if not all(0 <= number < 1e30 for number in numbers):
            raise ValueError
    except ValueError:
        raise PellucidError(f"lrp: {place}={text!r}: numbers of 0 or more, as in {', '.join(_RULES)}") from None
    if name in DIVIDING and place != "first":
        raise PellucidError(f"lrp: {place}={text!r}: {name} is a rule for the first operation alone")
    if name == "z_box" and not numbers:
        ends = (net.preprocess.normalize(torch.full_like(pixels[:1], end)) for end in (0, 1))
        black, white = (end[0, :, 0, 0].tolist() for end in ends)
        return z_box(tuple(black), tuple(white))
    if name == "alpha_beta" and len(numbers) == 2 and abs(numbers[0] - numbers[1] - 1) > 1e-9:
        raise PellucidError(f"lrp: {place}={text!r}: α − β must be 1, or relevance is not conserved")
    if name not in _MAKES and name != "z_box":
        raise unknown(f"{place} rule of lrp", text, _RULES)
    make, counts = _MAKES.get(name, (flat, ()))
    if len(numbers) not in counts:
        raise PellucidError(f"lrp: {place}={text!r}: write it as in {', '.join(_RULES)}")
    return make(*numbers)


_MAKES: dict[str, tuple[Callable[..., LrpRule], tuple[int, ...]]] = {
    # a text's rule, and how many numbers it may have
    "epsilon": (epsilon, (0, 1)),
    "gamma": (gamma, (0, 1)),
    "alpha_beta": (alpha_beta, (0, 2)),
    "z_plus": (lambda: alpha_beta(1.0, 0.0), (0,)),
    "w_square": (w_square, (0,)),
    "flat": (flat, (0,)),
}
