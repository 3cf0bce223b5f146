"""What the flow of signal and gradient says to a person: rules as data, with the numbers that fired."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from pellucid.learning.flow import Flow, LayerFlow, change_per_layer

GROWS, SHRINKS = 1e4, 1e-5
"""Times the first layer's size: the signal explodes, vanishes. In a chain of L rectifiers of width n the logarithm of
that factor spreads by √(5L/n)/2 at He's initialization, by 1 for 50 layers of width 64; these are 9 and 11 of it."""
GRADIENT_GROWS, GRADIENT_SHRINKS = 1e3, 1e-5
FADES, FADES_BOUNDED = 1e-2, 0.2
"""The same, of what is not gone yet. Behind tanh and sigmoid the scale does not drift by chance, so a fifth counts."""
DEAD, DEAD_IMAGES = 0.75, 16
"""Of the units of a layer, on at least so many images. Half are dead in a deep layer at He's initialization, where all
images have become alike."""
SATURATED = 0.5


@dataclass(frozen=True)
class Verdict:
    """One rule that fired: its name, and a sentence with the numbers."""

    name: str
    text: str


@dataclass(frozen=True)
class Rule:
    """A verdict and when it is due. Of those about the flow as a whole only the first is given: it is the cause of the
    others. Where the signal itself is gone, nothing is said of units."""

    name: str
    fires: Callable[[Flow], bool]
    text: Callable[[Flow], str]
    exclusive: bool = True


def _signal(flow: Flow, said: str) -> str:
    first, last = flow.hidden[0], flow.hidden[-1]
    where = next((one for one in flow.hidden[1:] if _beyond(one.std, first.std)), last)
    beyond = "" if where is last else f"; by {where.name} it has changed by more than 100"
    return (
        f"the signal {said}: the standard deviation of pre-activations goes from {first.std:.2g} in {first.name} to "
        f"{last.std:.2g} in {last.name}{_each(first.std, last.std, len(flow.hidden))}{beyond}"
    )


def _gradient(flow: Flow, said: str) -> str:
    first, last = flow.hidden[0], flow.hidden[-1]
    found = (
        f"the gradient {said}: the RMS of ∂L/∂h goes from {last.gradient:.2g} in {last.name} back to "
        f"{first.gradient:.2g} in {first.name}{_each(last.gradient, first.gradient, len(flow.hidden))}"
    )
    if flow.normalized and "explodes" in said:
        found += "; theory: × 1.211 per layer under batch norm with rectifiers"
    return found


def _beyond(one: float, other: float) -> bool:
    return not 0.01 <= (one / other if other else 0.0) <= 100


def _each(start: float, end: float, layers: int) -> str:
    """The factor per layer, where there is one."""
    if layers < 2 or start <= 0 or end <= 0 or not math.isfinite(start * end):
        return ""
    return f", × {math.exp(math.log(end / start) / (layers - 1)):.3g} per layer"


def _bounded(flow: Flow) -> bool:
    return any(not math.isnan(one.saturation) for one in flow.hidden)


def _worst(flow: Flow, share: Callable[[LayerFlow], float]) -> LayerFlow:
    return max(flow.hidden, key=lambda one: -1.0 if math.isnan(share(one)) else share(one))


def _not_finite(flow: Flow) -> str:
    broken = next(one for one in flow.layers if one.broken)
    largest = max((one.std for one in flow.layers if math.isfinite(one.std)), default=math.nan)
    return (
        f"the signal explodes: what is not finite begins at {flow.origin or broken.name}; the largest standard "
        f"deviation before is {largest:.2g}"
    )


RULES: tuple[Rule, ...] = (
    Rule("explodes", lambda f: any(one.broken for one in f.layers), _not_finite),
    Rule("explodes", lambda f: f.signal_change > GROWS, lambda f: _signal(f, "explodes")),
    Rule(
        "signal vanishes",
        lambda f: f.hidden[0].std == 0 or f.signal_change < SHRINKS,
        lambda f: _signal(f, "vanishes" + (" (underflow: exactly 0)" if f.hidden[-1].rms == 0 else "")),
    ),
    Rule("gradient vanishes", lambda f: f.gradient_change < GRADIENT_SHRINKS, lambda f: _gradient(f, "vanishes")),
    Rule("gradient explodes", lambda f: f.gradient_change > GRADIENT_GROWS, lambda f: _gradient(f, "explodes")),
    Rule(
        "signal fades",
        lambda f: f.signal_change < (FADES_BOUNDED if _bounded(f) else FADES),
        lambda f: _signal(f, "fades"),
    ),
    Rule(
        "dead units",
        lambda f: f.images >= DEAD_IMAGES and _worst(f, lambda one: one.dead).dead > DEAD,
        lambda f: (
            f"units are dead: {_worst(f, lambda one: one.dead).dead:.0%} of those behind "
            f"{_worst(f, lambda one: one.dead).name} give zero everywhere in all {f.images} images"
        ),
        exclusive=False,
    ),
    Rule(
        "saturated",
        lambda f: _worst(f, lambda one: one.saturation).saturation > SATURATED,
        lambda f: (
            f"units are saturated: {_worst(f, lambda one: one.saturation).saturation:.0%} of the values behind "
            f"{_worst(f, lambda one: one.saturation).name} are at a bound, where hardly a gradient gets through"
        ),
        exclusive=False,
    ),
)
"""In the order of their weight."""


def judged(flow: Flow) -> tuple[Verdict, ...]:
    """What is wrong, the most important first; one verdict "healthy" where no rule fires."""
    found: list[Verdict] = []
    stopped = False
    for rule in RULES:
        if (rule.exclusive and stopped) or not rule.fires(flow):
            continue
        found.append(Verdict(rule.name, rule.text(flow)))
        if rule.name in ("explodes", "signal vanishes"):
            break
        stopped = stopped or rule.exclusive
    return tuple(found) or (Verdict("healthy", _healthy(flow)),)


def _healthy(flow: Flow) -> str:
    return (
        f"signal and gradient pass: the standard deviation of pre-activations changes by × {flow.signal_change:.2g} "
        f"over {len(flow.hidden)} layers, the gradient by × {flow.gradient_change:.2g} on its way back"
    )


def changes(flow: Flow) -> tuple[list[float], list[float]]:
    """(per layer, the standard deviation over that of the layer before; the gradient over that of the layer behind)."""
    forward = change_per_layer([one.std for one in flow.layers])
    back = change_per_layer([one.gradient for one in reversed(flow.layers)])
    return forward, back[::-1]
