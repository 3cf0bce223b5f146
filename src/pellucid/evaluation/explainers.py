"""Explainers: whatever gives a map of an image: attribution methods with their options, maps that know no network."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, TypeAlias

import numpy as np
import torch
from pydantic import BeforeValidator, Field, InstanceOf

from pellucid import catalogue
from pellucid.catalogue import Entry
from pellucid.catalogue.ask import Ask
from pellucid.described import Default, Shell
from pellucid.errors import PellucidError
from pellucid.evaluation.baselines import BASELINES
from pellucid.geometry import Floats, Pair
from pellucid.images import Images
from pellucid.net import Net
from pellucid.nouns import Noun
from pellucid.result import Heatmap
from pellucid.saliency.layers import at_pixels
from pellucid.target import Target

_DEFAULT = "grad_cam,occlusion,guided_backprop"
_BETWEEN = re.compile(r",(?![a-z_]+=)")
"""A comma before another method, and not before another option of the same."""


@dataclass(frozen=True)
class Explainer:
    """An attribution method with its options, or a baseline by its name."""

    of: Ask | str

    @property
    def name(self) -> str:
        """As a person writes it."""
        return str(self.of)

    @property
    def is_baseline(self) -> bool:
        """Whether it knows no network."""
        return isinstance(self.of, str)

    @cached_property
    def asked(self) -> Ask | None:
        """The method, with the options that answer within seconds where nothing else is said; None of a baseline."""
        if isinstance(self.of, str):
            return None
        return Ask(self.of.method, {}, {**self.of.entry.quick, **self.of.options})

    @property
    def identity(self) -> str:
        """The same for equal maps."""
        return self.name if self.asked is None else str(self.asked.identity)

    def seeded(self, seed: int) -> Explainer:
        """The same with another seed, where it draws random numbers."""
        if self.asked is None or "seed" not in self.asked.entry.options.model_fields:
            return self
        return Explainer(Ask(self.asked.method, {}, {**self.asked.options, "seed": seed}))

    def heatmap(self, net: Net, image: Images, target: Target) -> Heatmap:
        """The map of a method as it gives it, for one image. Refused where it cannot serve this network."""
        if self.asked is None:
            raise PellucidError(f"{self.name} knows no network: it gives numbers for pixels only")
        found: Heatmap = self.asked.bare(net, image, target)
        return found

    def heat(self, net: Net, image: Images, target: Target, seed: int) -> Floats:
        """(H, W) a number for every pixel of the network's input; `image` is one, prepared."""
        return self.heat_and_jump(net, image, target, seed)[0]

    def heat_and_jump(self, net: Net, image: Images, target: Target, seed: int) -> tuple[Floats, Pair]:
        """The same, and from one cell of the map to the next in pixels: (1, 1) where it has a number for each."""
        pixels = image.pictures[0]
        if isinstance(self.of, str):
            return BASELINES[self.of](pixels, seed, image.ids[0]), (1.0, 1.0)
        found = self.heatmap(net, image, target)
        return on_input(found, (pixels.shape[-2], pixels.shape[-1])), found.placement.jump


def on_input(found: Heatmap, size: tuple[int, int]) -> Floats:
    """(H, W) of a map of one image: its cells read at every pixel of the network's input, linear between them."""
    values = torch.from_numpy(np.asarray(found.values[:1], np.float64))
    return at_pixels(values, found.placement, size)[0].numpy()


@dataclass(frozen=True)
class Explainers(Noun):
    """Several of them. As text: `grad_cam,lrp:composite=epsilon_plus`, or `all` methods that take a target."""

    written, format, many = "METHOD,…", "explainers", True
    each: tuple[Explainer, ...]

    @classmethod
    def of(cls, value: ExplainersLike) -> Explainers:
        """From text, or a list of texts and of `Ask`. PellucidError with the nearest name for an unknown one."""
        if isinstance(value, Explainers):
            return value
        if value == "all":
            return cls(tuple(Explainer(Ask(entry.name)) for entry in able()))
        parts = [one for one in _BETWEEN.split(value) if one] if isinstance(value, str) else value
        parts = [parts] if isinstance(parts, Ask) else parts
        found = tuple(dict.fromkeys(_explainer(one) for one in parts))
        if not found:
            raise PellucidError("no methods: name some, such as grad_cam,lrp, or all")
        return cls(found)

    def with_baselines(self, names: Sequence[str] = tuple(BASELINES)) -> Explainers:
        """With the maps that know no network, which every comparison needs."""
        return Explainers(tuple(dict.fromkeys((*self.each, *(Explainer(name) for name in names)))))

    def __len__(self) -> int:
        return len(self.each)

    def __str__(self) -> str:
        return ",".join(one.name for one in self.each)

    @property
    def identity(self) -> str:
        """Of each, in their order."""
        return json.dumps([one.identity for one in self.each])

    def plain(self) -> Any:
        """As text, where that says all of them; else each by itself."""
        each = [one.of if isinstance(one.of, str) else one.of.plain() for one in self.each]
        text = str(self)
        return text if all(isinstance(one, str) for one in each) and Explainers.of(text) == self else each


ExplainersLike: TypeAlias = Explainers | str | Ask | Sequence[str | Ask]
"""Methods by text, as `Ask`, or a list of these."""


def able() -> tuple[Entry, ...]:
    """The methods of the catalogue that give a map of one target."""
    every = catalogue.entries()
    return tuple(one for one in every if one.chapter == "attribution" and one.asks(Target) and one.gives(Heatmap))


def _explainer(value: str | Ask) -> Explainer:
    if isinstance(value, str) and value.strip() in BASELINES:
        return Explainer(value.strip())
    asked = Ask.of(value.strip() if isinstance(value, str) else value)
    if asked.entry.name not in {one.name for one in able()}:
        names = ", ".join((*(one.name for one in able()), *BASELINES))
        raise PellucidError(f"{asked.method} gives no map of a target; these do: {names}")
    return Explainer(asked)


def _given(value: ExplainersLike) -> Any:
    if not isinstance(value, (str, Ask, list, tuple)):
        return value
    try:
        return Explainers.of(value)
    except PellucidError as error:
        raise ValueError(str(error)) from error


ExplainersOption = Annotated[
    InstanceOf[Explainers],
    BeforeValidator(_given),
    Field(
        description="attribution methods with their options, with commas between, or 'all'; baselines are added",
        examples=["grad_cam,gradient"],
    ),
    Default(_DEFAULT),
    Shell(flag="--methods", value="METHOD,…"),
]
DEFAULT = Explainers.of(_DEFAULT)
