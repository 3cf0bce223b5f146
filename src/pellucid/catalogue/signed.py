"""The origin of a result: the question and the facts of its nouns, written into its Meta."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import numpy as np

from pellucid.catalogue.plain import recorded
from pellucid.notes import Note
from pellucid.nouns import Noun
from pellucid.result import Asked, versions

R = TypeVar("R")


def signed(
    result: R, title: str, asked: Asked, nouns: Mapping[str, Noun], options: Mapping[str, Any], arose: Iterable[Note]
) -> R:
    """The result with its origin in its Meta; what the method says of itself there stays."""
    said = result.meta  # type: ignore[attr-defined]
    notes = [*arose, *(note for noun in nouns.values() for note in noun.notes)]
    notes += [note for noun in nouns.values() for note in noun.remarks(options)]
    found = {name: _native(value) for name, value in said.found.items()}
    meta = dataclasses.replace(said.noting(*notes), found=found, asked=asked, title=title, nouns=facts(nouns, options),
                               versions=versions())  # fmt: skip
    return dataclasses.replace(result, meta=meta)  # type: ignore[type-var]


def _native(value: Any) -> Any:
    """Numbers of NumPy as Python's, which a file gives back as they were."""
    if isinstance(value, tuple):
        return tuple(_native(one) for one in value)
    return value.item() if isinstance(value, np.generic) else value


def question(method: str, given: Mapping[str, Any], nouns: Mapping[str, Noun], options: Mapping[str, Any]) -> Asked:
    """What was asked, as plain JSON: of a noun what was `given` for it where that is written, else what it became."""
    parts: tuple[dict[str, Any], dict[str, Any]] = {}, {}
    lost = []
    for part, made in zip(parts, (nouns, options), strict=True):
        for name, value in made.items():
            part[name], whole = recorded(name, given.get(name, value), value)
            lost += [] if whole else [name]
    return Asked(method, *parts, tuple(lost))


def facts(nouns: Mapping[str, Noun], options: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The facts of each noun by the name of its argument, and of each option that is more than a plain value."""
    found = {name: value.facts() for name, value in {**nouns, **options}.items() if isinstance(value, Noun)}
    return {name: one for name, one in found.items() if one}
