"""Where a result comes from: the question, the facts of all that it is about, what the method found, and its notes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Number
from typing import Any

from pellucid.notes import Note
from pellucid.result.coverage import Coverage, in_words

Found = tuple[float, ...] | tuple[str, ...] | str | bool | int | float | None
"""A fact that a method found; a tuple has one value for each image."""


@dataclass(frozen=True)
class Asked:
    """The question that a result answers, as plain JSON: `Ask.of(result.meta.asked)` asks it again.

    Everything stands as a person would write it. Of a part that is in the memory of a program only, such as an image
    that was read or a network that was loaded, a few words stand here, and `in_memory` names its argument.
    """

    method: str = ""
    nouns: Mapping[str, Any] = field(default_factory=dict)
    """What the method was asked about, by the name of the argument."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """All of them, also those left at their default."""
    in_memory: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As `Ask.from_json` reads it, without the nouns that are in memory only: those are given to `answer`."""
        nouns = {name: value for name, value in self.nouns.items() if name not in self.in_memory}
        return {"method": self.method, "nouns": nouns, "options": dict(self.options)}


@dataclass(frozen=True)
class Meta:
    """Where a result comes from: enough to make it again and to judge it.

    Each fact stands in one place; `meta.net`, `meta.layer`, `meta.score` and the like look it up.
    """

    asked: Asked = field(default_factory=Asked)
    title: str = ""
    """The method's name for people."""
    nouns: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The facts of everything that the method was given, by the name of the argument or option: of a network its name
    and the SHA-256 of its weights, of images their names. Two networks both stand here."""
    found: Mapping[str, Found] = field(default_factory=dict)
    """What the method measured or chose, by name: `score`, `completeness`, `layer`. A tuple has one value for each
    image."""
    coverage: Coverage = field(default_factory=dict)
    """How often each operation met each backward rule: {('relu', 'guided'): 17, ('sigmoid', 'plain'): 3}."""
    notes: tuple[Note, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, value in self.found.items():
            parts = value if isinstance(value, tuple) else (value,)
            if not all(part is None or isinstance(part, (str, Number)) for part in parts):
                raise TypeError(f"found[{name!r}] is no number, no text and no tuple of these: no file could hold it")

    @property
    def method(self) -> str:
        return self.asked.method

    @property
    def options(self) -> Mapping[str, Any]:
        """All options of the method, as a person would write them."""
        return self.asked.options

    @property
    def seed(self) -> int | None:
        """Of the random numbers; None where the method draws none."""
        seed: int | None = self.options.get("seed")
        return seed

    @property
    def target(self) -> str | None:
        """What was asked: a class, a unit, 'best guess'."""
        target: str | None = self.fact("target")
        return target

    @property
    def targets(self) -> tuple[str, ...]:
        """Per image: what was asked of it, where that depends on the image: 'best guess' as the class that it was."""
        return tuple(self.fact("targets", ()))

    @property
    def net(self) -> str:
        """The name of the network, the first where there are several."""
        return str(self.fact("net", ""))

    @property
    def weights(self) -> str:
        """SHA-256 over the names and values of all its parameters and buffers."""
        return str(self.fact("weights", ""))

    @property
    def scores(self) -> str:
        """What the network's numbers of classes were taken for: logits, probabilities, …"""
        return str(self.fact("scores", ""))

    @property
    def images(self) -> tuple[str, ...]:
        """The names of the images that the result is about, in its order."""
        return tuple(self.fact("images", ()))

    @property
    def layer(self) -> str | None:
        layer: str | None = self.fact("layer")
        return layer

    @property
    def score(self) -> tuple[float, ...] | None:
        """Per image: the number that was explained."""
        score: tuple[float, ...] | None = self.fact("score")
        return score

    @property
    def completeness(self) -> tuple[float, ...] | None:
        """Per image: |Σ map − (score − score of the baseline)| / |score − score of the baseline|."""
        completeness: tuple[float, ...] | None = self.fact("completeness")
        return completeness

    @property
    def absorbed(self) -> bool:
        """Whether what the map misses of the score is what biases took (LRP's relevance), and no error."""
        return bool(self.found.get("absorbed", False))

    @property
    def said(self) -> tuple[str, ...]:
        """The notes, each as one line that names its image."""
        return tuple(map(str, self.notes))

    def fact(self, name: str, default: Any = None) -> Any:
        """What the method found of that name, else the fact of the first noun that has one and was asked about."""
        if name in self.found:
            return self.found[name]
        owner = self._owner(name)
        return default if owner is None else self.nouns[owner][name]

    def _owner(self, name: str) -> str | None:
        return next((noun for noun in self.asked.nouns if self.nouns.get(noun, {}).get(name)), None)

    def finding(self, **found: Found) -> Meta:
        """The same, with these found besides or instead."""
        return dataclasses.replace(self, found={**self.found, **found})

    def noting(self, *notes: Note) -> Meta:
        """The same with these notes after its own, each once."""
        return dataclasses.replace(self, notes=tuple(dict.fromkeys((*self.notes, *notes))))

    def of(self, one: slice, count: int) -> Meta:
        """The origin of one image out of `count`: what was found of it, and the notes that are about it."""

        def pick(value: Any) -> Any:
            return value[one] if isinstance(value, tuple) and len(value) == count else value

        found = {name: pick(value) for name, value in self.found.items()}
        if len(self.targets) == count:
            (found["target"],) = found["targets"]
        nouns, owner = dict(self.nouns), self._owner("images")
        if owner is not None:
            nouns[owner] = {**nouns[owner], "images": pick(nouns[owner]["images"])}
        picked = dataclasses.replace(self, found=found, nouns=nouns)
        others = set(self.images) - set(picked.images)
        return dataclasses.replace(picked, notes=tuple(note for note in self.notes if note.image not in others))

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON: all that it holds, and what it looks up."""
        return dataclasses.asdict(self) | {"coverage": in_words(self.coverage)} | self.derived()

    def derived(self) -> dict[str, Any]:
        """What is looked up, for descriptions: whoever reads them need not know where it stands."""
        names = ("method", "options", "target", "targets", "net", "weights", "scores", "images", "layer", "seed")
        return {name: getattr(self, name) for name in names}
