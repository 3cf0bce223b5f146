"""All forms of an interpretable head at one place of a network, trained alike, for what each costs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn

from pellucid.interpretable.bottlenecks import Lesson, corrected, learned
from pellucid.interpretable.cells import Cells, Judged, fitted, plain_head
from pellucid.interpretable.compared import PLAIN
from pellucid.interpretable.heads import WINNERS, penalty_of
from pellucid.interpretable.modular import Additive, Places, alike
from pellucid.interpretable.prototypes import Prototypes, last_layer_l1, push
from pellucid.interpretable.sparse import Head
from pellucid.learning.networks import seeded
from pellucid.learning.train import Passed, Recipe

Form = Callable[[Cells, Recipe], Judged]
HIDDEN = 64
"""Units of a hidden layer, of the plain twin as of the others."""
_L1, _GROUPS, _EACH, _LAST = 0.001, 6, 2, 1e-4


def plain(some: Cells, recipe: Recipe) -> Judged:
    """The twin without constraints."""
    return fitted(seeded(lambda: plain_head(some, HIDDEN), recipe.seed), some, recipe)


def _hidden(kind: str, strength: float, some: Cells, recipe: Recipe) -> Judged:
    flat = some.flat()
    make = partial(Head.made, kind, flat.channels, len(some.classes), HIDDEN)
    head = seeded(make, recipe.seed).centered(flat.maps[flat.train])
    return fitted(head, flat, recipe, penalty_of(strength))


def places(some: Cells, recipe: Recipe) -> Judged:
    """The mean of what cells say."""
    return fitted(seeded(lambda: Places(some.channels, len(some.classes), HIDDEN), recipe.seed), some, recipe)


def units(some: Cells, recipe: Recipe) -> Judged:
    """The sum of what groups of units say."""
    groups = alike(some.rows()[some.train], min(_GROUPS, some.channels), recipe.seed)
    return fitted(seeded(lambda: Additive(groups, len(some.classes)), recipe.seed), some, recipe)


def trained_prototypes(head: Prototypes, some: Cells, recipe: Recipe) -> Judged:
    """The layers and the prototypes, while the points are as they begin (Chen et al. 2019, stage 1)."""

    def penalty(batch: Passed) -> Tensor:
        cluster, separation = head.losses(batch.inputs, batch.labels)
        return 0.8 * cluster - 0.08 * separation

    head.points.requires_grad_(False)
    return fitted(head, some, recipe, penalty)


def trained_points(head: Prototypes, some: Cells, recipe: Recipe) -> Judged:
    """The points alone (stage 3)."""
    head.requires_grad_(False)
    head.points.requires_grad_(True)
    found = fitted(head, some, recipe, lambda batch: _LAST * last_layer_l1(head))
    head.requires_grad_(True)
    return found


def prototypes(some: Cells, recipe: Recipe) -> Judged:
    """Training patches that cells look like: learned, pushed, the points learned."""
    head = seeded(lambda: Prototypes(some.channels, len(some.classes), _EACH), recipe.seed)
    trained_prototypes(head, some, recipe)
    push(head, some.maps[some.train], some.labels[some.train])
    return trained_points(head, some, recipe)


def bottleneck(concepts: Tensor, sizes: tuple[int, ...]) -> Form:
    """Classes from predicted concepts (sequential), with the concepts of all images."""

    def form(some: Cells, recipe: Recipe) -> Judged:
        lesson = Lesson.of(some, concepts, sizes)
        return corrected(learned(lesson, "sequential", 0.0, recipe, 0), lesson, "uncertain", recipe.seed)[0]

    return form


FORMS: dict[str, tuple[Form, str]] = {
    PLAIN: (plain, "nothing"),
    "non-negative": (partial(_hidden, "non-negative", 0.0), "parts only add up: no weight is below 0"),
    "rising": (partial(_hidden, "rising", 0.0), "no score falls while an input rises"),
    "L1": (partial(_hidden, "plain", _L1), "few hidden units are active"),
    "winners": (partial(_hidden, f"{WINNERS}{HIDDEN // 8}", 0.0), f"{HIDDEN // 8} hidden units are active"),
    "places": (places, "what each place adds to a score"),
    "groups of units": (units, "what each group of units adds to a score"),
    "prototypes": (prototypes, "which training patches a score is made of"),
}
"""Name -> (how it is trained, what is known of its answers)."""


def numbers(module: nn.Module) -> int:
    """How many weights it has."""
    return sum(p.numel() for p in module.parameters())
