"""What a method is asked about, or is given as an option: a value that makes itself from what a person writes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from pellucid.errors import PellucidError
from pellucid.notes import Note


class Noun:
    """The base of every kind of value that the catalogue knows; each part has an honest default.

    A kind is found by its class: the catalogue, the command line, the documentation, the tests and an `Ask` read the
    annotation of an argument, never its name. A new kind overrides `of` and whatever else is true of it.
    """

    __slots__ = ()

    written: ClassVar[str] = "VALUE"
    """How it stands on a command line."""
    flags: ClassVar[tuple[str, ...]] = ()
    """The option that it is given by on a command line; none where it stands by itself, in the order of the method."""
    help: ClassVar[str] = ""
    """What may be written for it, where it is given by an option."""
    samples: ClassVar[tuple[str, ...]] = ()
    """What the documentation writes for the first of its kind, and for the second."""
    format: ClassVar[str] = "text"
    """What kind of text stands for it in JSON; the `format` of its JSON schema."""
    many: ClassVar[bool] = False
    """Whether a list is one value, which holds several."""
    apart: ClassVar[bool] = False
    """Whether a list is as many questions, each with an answer of its own."""

    by_network: ClassVar[bool] = False
    """Whether what is written for it is read with the network at hand, by `made`: its classes, layers, channels."""

    has_network: ClassVar[bool] = False
    """Whether it brings a network of its own, which then needs no name on a command line."""

    index_will_do: ClassVar[bool] = False
    """Whether an index may stand for a network and this, its images."""

    @classmethod
    def of(cls, value: Any) -> Noun:
        """The value itself, or what it becomes of what a person writes for it. PellucidError where that is none."""
        if isinstance(value, cls):
            return value
        raise PellucidError(f"no {cls.__name__} {value!r}")

    @classmethod
    def made(cls, value: Any, net: Any) -> Noun:
        """The same, with the network at hand where one is asked about (else None); kinds `by_network` override it."""
        return cls.of(value)

    def facts(self) -> dict[str, Any]:
        """What a result's Meta records of it, by name, as plain values. Some names are read by all: `net`, `weights`,
        `images` (their names), `layer` and `target`.
        """
        return {}

    @property
    def title(self) -> str:
        """A few words for it, which stand in a result's Meta where only memory holds it: its text, where it has one."""
        has_text = type(self).__str__ is not object.__str__
        return str(self) if has_text else type(self).__name__

    @property
    def identity(self) -> str:
        """Text that is the same for two of which no answer can differ: what the key of a question is made of."""
        return json.dumps([type(self).__name__, str(self), self.facts()], sort_keys=True, default=str)

    def plain(self) -> Any:
        """What a person would write for it, as plain JSON. PellucidError where only this program holds it."""
        raise PellucidError(f"{type(self).__name__} {self} is in memory only: name it by text ({self.written})")

    @property
    def network(self) -> Any:
        """Itself where it is the network that other nouns are made with; None for all else."""
        return None

    @property
    def notes(self) -> tuple[Note, ...]:
        """Warnings that every result about it carries."""
        return ()

    def remarks(self, options: Mapping[str, Any]) -> tuple[Note, ...]:
        """Warnings for whoever asks a method about it with these options."""
        return ()

    def spelled(self, value: Any) -> Any:
        """An option as text where it is a part of this; anything else as it is."""
        return value

    def cached(self) -> Noun:
        """The same for several questions in a row, where what one has computed is kept for the next."""
        return self

    def halve(self) -> bool:
        """After memory ran out: take half as much of it from now on; False where that cannot be."""
        return False

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """As an option: an instance of its class, which JSON writes as the text that it is made from."""
        from pydantic_core import core_schema  # here, because most who ask about a noun have no options to check

        text = core_schema.plain_serializer_function_ser_schema(lambda value: value.plain(), when_used="json")
        return core_schema.is_instance_schema(cls, serialization=text)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        """What may be written for it."""
        return {"type": "string", "format": cls.format}


@dataclass(frozen=True)
class Takes:
    """In `Annotated`: what a caller may give for an option besides its own type, which a noun spells (`spelled`).

    Only the types that an editor and a type checker see read it: what arrives at the check of the options is spelled.
    """

    also: type
