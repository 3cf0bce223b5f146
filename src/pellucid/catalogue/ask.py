"""A question as a value: a method, what it is asked about, and its options; as plain JSON, there and back."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, InstanceOf

from pellucid.catalogue import Entry, find
from pellucid.catalogue.method import made
from pellucid.catalogue.options import spoken, validated
from pellucid.catalogue.plain import as_json, written
from pellucid.errors import PellucidError, unknown
from pellucid.nouns import Noun
from pellucid.result.meta import Asked

Parts = Mapping[str, Any]
_NEXT = re.compile(r",(?=[a-z_]+=)")
_PARTS = ("method", "nouns", "options")


@dataclass(frozen=True, init=False)
class Ask(Noun):
    """What the command line, the web and workers pass around, and what a method takes that works with another one.

    `Ask("lrp", {"target": "boxer"}, {"composite": "epsilon_plus"})`, or with its options by name: `Ask("lrp",
    composite="epsilon_plus")`. What it is asked about may be left out and given to `answer`. It holds what a person
    would write, wherever that says all of a value; a list is held as a tuple.
    """

    written, format = "METHOD:OPTION=VALUE,…", "ask"
    method: str
    nouns: Parts
    options: Parts

    def __init__(self, method: str, nouns: Parts | None = None, options: Parts | None = None, /, **more: Any) -> None:
        # Positional, because a method may have an option of any of these names.
        for name, value in (("nouns", nouns or {}), ("options", {**(options or {}), **more})):
            object.__setattr__(self, name, {key: written(one) for key, one in value.items()})
        object.__setattr__(self, "method", method)

    def __hash__(self) -> int:
        return hash(self.method)

    @classmethod
    def of(cls, value: Ask | Asked | str | Parts) -> Ask:
        """From text, `lrp` or `lrp:composite=epsilon_plus,first=conv1`, from its JSON, or from what a result `asked`.

        Of the last, the nouns that were in memory only are left out, to be given to `answer`.
        """
        if isinstance(value, Ask):
            return value
        if isinstance(value, Asked):
            return cls._again(value)
        if isinstance(value, Mapping):
            return cls.from_json(value)
        method, _, rest = str(value).partition(":")
        fields = find(method).options.model_fields
        options = {}
        for part in filter(None, _NEXT.split(rest)):
            name, given, text = part.partition("=")
            if name not in fields:
                raise unknown(f"option of {method}", name, fields)
            if not given:
                raise PellucidError(f"{value!r}: {name} has no value: write {method}:{name}=VALUE")
            options[name] = spoken(fields[name].annotation, text)
        return cls(method, {}, options)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Ask:
        """The question that `to_json` wrote. PellucidError where the method, a noun or an option is none."""
        for name in document:
            if name not in _PARTS:
                raise unknown("part of a question", name, _PARTS)
        if not isinstance(document.get("method"), str):
            raise PellucidError("a question without a method: {'method': 'grad_cam', 'nouns': {…}, 'options': {…}}")
        parts = [document.get(name) or {} for name in _PARTS[1:]]
        if not all(isinstance(part, Mapping) for part in parts):
            raise PellucidError(f"{document['method']}: its nouns and its options are values by name")
        ask = cls(document["method"], *parts)
        for name in ask.options:
            if name not in ask.entry.options.model_fields:
                raise unknown(f"option of {ask.method}", name, ask.entry.options.model_fields)
        ask._own(ask.nouns)
        return ask

    @classmethod
    def _again(cls, asked: Asked) -> Ask:
        lost = [name for name in asked.options if name in asked.in_memory]
        if lost:
            raise PellucidError(
                f"{asked.method}: {lost[0]} was in memory only, {asked.options[lost[0]]}: ask with {lost[0]}=…"
            )
        return cls.from_json(asked.to_json())

    def to_json(self) -> dict[str, Any]:
        """Plain JSON. PellucidError, by name, where a part of it is in the memory of this program only."""
        parts = [{name: as_json(name, value) for name, value in part.items()} for part in (self.nouns, self.options)]
        return dict(zip(_PARTS, (self.method, *parts), strict=True))

    @property
    def entry(self) -> Entry:
        """Its method in the catalogue."""
        return find(self.method)

    def answer(self, *opened: Noun, **named: Any) -> Any:
        """Ask. Whatever is `opened` already stands in for what is written, by its kind or by the argument's name; of no
        kind that the method asks about, it is left out.
        """
        return self.entry.function(**self._given(opened, named), **self.options)

    def bare(self, *opened: Noun) -> Any:
        """The answer without a signature, for a method that asks another one many times: all nouns are opened."""
        return self.entry.plainly(**self._given(opened, {}), **validated(self.entry.plainly, dict(self.options)))

    def key(self, *opened: Noun, **named: Any) -> str:
        """SHA-256 of everything that the answer depends on: equal questions have equal keys."""
        given, several = self.opened(*opened, **named)
        if not several:
            return _digest([self._asked, _identity(given)])
        return _digest([self.key(**given, **one) for one in several])

    def opened(self, *opened: Noun, **named: Any) -> tuple[dict[str, Noun], tuple[dict[str, Any], ...]]:
        """(everything that it is asked about, made once; of a list that stands for as many questions, each of them)."""
        given, kinds = self._given(opened, named), self.entry.nouns
        apart = [name for name, kind in kinds.items() if kind.apart and isinstance(given.get(name), (list, tuple))]
        if not apart:
            return made(self.entry.plainly, given), ()
        several = tuple({name: one} for name in apart for one in given[name])
        if not several:
            raise PellucidError(f"{self.method}: the list of {apart[0]}s is empty")
        whole = made(self.entry.plainly, given | several[0])
        return {name: noun for name, noun in whole.items() if name not in apart}, several

    @property
    def identity(self) -> str:
        """The same for equal options, said or by default; what it is asked about counts as it is written."""
        return json.dumps([self._asked, _identity(dict(self.nouns))], sort_keys=True)

    @property
    def _asked(self) -> Any:
        return [self.entry.name, _identity(validated(self.entry.plainly, dict(self.options)))]

    def _given(self, opened: tuple[Noun, ...], named: Mapping[str, Any]) -> dict[str, Any]:
        self._own({**self.nouns, **named})
        return {**self.nouns, **self.entry.filled(opened), **named}

    def _own(self, nouns: Mapping[str, Any]) -> None:
        """Refuse what the method asks about no such thing."""
        for name in nouns:
            if name not in self.entry.nouns:
                raise PellucidError(f"{self.method} has no {name}: it takes {', '.join(self.entry.nouns)}")

    def __str__(self) -> str:
        said = ",".join(f"{name}={_said(value)}" for name, value in self.options.items())
        return f"{self.method}:{said}" if said else self.method

    def plain(self) -> Any:
        """Its text, where that says all of it; else its JSON."""
        document = self.to_json()
        try:
            same = Ask.of(str(self)) == self
        except PellucidError:
            same = False
        return str(self) if same else document


def _said(value: Any) -> str:
    """As it stands in a text: yes, 3, a,b; of what only memory holds a few words."""
    if isinstance(value, tuple):
        return ",".join(map(_said, value))
    if isinstance(value, Noun):
        return value.title
    if not isinstance(value, (str, bool, int, float, Mapping)) and value is not None:
        return type(value).__name__
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _identity(value: Any) -> Any:
    """Plain JSON that is equal for equal values: 1 and 1.0, a list and a tuple; of nouns all that they are."""
    if isinstance(value, Mapping):
        return {key: _identity(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_identity(one) for one in value]
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    return value.identity if isinstance(value, Noun) else value


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=repr).encode()).hexdigest()


def _asked(value: Ask | str | Parts) -> Any:
    """For pydantic: text and JSON become a question, anything else is left for it to refuse."""
    ask = Ask.of(value) if isinstance(value, (str, Mapping)) else value
    if isinstance(ask, Ask) and ask.nouns:
        raise PellucidError(f"{ask}: leave {', '.join(ask.nouns)} out, they are those of the method that takes it")
    return ask


AskOption = Annotated[InstanceOf[Ask], BeforeValidator(_asked)]
"""An option that takes a method with its options: an `Ask`, or its text."""
