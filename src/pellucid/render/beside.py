"""Images that were changed until a network answers otherwise: each with what was changed, as a result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from pellucid.images import Images
from pellucid.net import Net
from pellucid.notes import Note
from pellucid.render.adversarial import LEVELS, file_of, probability_of, saved
from pellucid.render.pixels import File
from pellucid.result import Meta, Pictures, Trust
from pellucid.result.predictions import Prediction
from pellucid.target import Logit


@dataclass(frozen=True)
class Change:
    """What became of one image: levels 0..255 before and after, (C, H, W), and what the network said before."""

    net: Net
    name: str
    before: Tensor
    after: Tensor
    first: Prediction
    """The first guess before."""

    @property
    def size(self) -> Tensor:
        """(C, H, W) the change in levels."""
        return self.after.double() - self.before

    @property
    def factor(self) -> int:
        """By which the change is magnified around gray, where it is shown."""
        return max((LEVELS // 2) // max(int(self.size.abs().max()), 1), 1)

    @property
    def guesses(self) -> dict[str, float]:
        """The probability of the first guess, after and before."""
        return {
            "first guess now": probability_of(self.net, self.after, Logit(self.first.index)),
            "first guess before": self.first.probability or 0.0,
        }

    @property
    def title(self) -> str:
        """Its name, and the first guess before and after."""
        now = self.net.predict(saved(self.after), 1).ranked[0][0]
        return f"{self.name}: {self.first.label} → {now.label}"


@dataclass(frozen=True)
class Told:
    """A change with all that is told of it."""

    change: Change
    facts: dict[str, float]
    notes: Sequence[str] = ()
    trust: Trust | None = None


def pictured(found: Sequence[Told], images: Images, called: str) -> Pictures:
    """The changed images, beside each what it was, which is `called` so, and the change, magnified around gray."""
    every = [one.change for one in found]
    beside: dict[str, tuple[File, ...]] = {
        called: tuple(file_of(one.before) for one in every),
        "the change, magnified": tuple(file_of(128 + one.factor * one.size) for one in every),
    }
    facts = {key: tuple(one.facts[key] for one in found) for key in found[0].facts}
    trust = tuple(one.trust for one in found if one.trust is not None)
    notes = [note for one in found for note in Note.many("values", one.notes, one.change.name)]
    return Pictures(
        tuple(file_of(one.after) for one in every), tuple(one.title for one in every), facts, trust or None, beside,
        meta=Meta(notes=(*images.notes, *notes)),
    )  # fmt: skip
