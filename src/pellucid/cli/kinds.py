"""What stands behind an option on a command line, as the value that its declaration says."""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union

import click
import pydantic
from click.shell_completion import CompletionItem
from pydantic.fields import FieldInfo

from pellucid.catalogue.options import said_of
from pellucid.nouns import Noun

if TYPE_CHECKING:
    Kind = click.ParamType[Any]
else:
    Kind = click.ParamType  # generic since click 8.4

_SEVERAL = (tuple, list, Sequence)
_WORDS: dict[Any, str] = {int: "INT", float: "NUMBER", str: "TEXT"}


class Declared(Kind):
    """Text into what a declaration says; pydantic decides, so that no rule is written twice."""

    def __init__(self, annotation: Any, field: FieldInfo) -> None:
        self.choices = {str(choice): choice for choice in _choices(annotation)}
        self._list = typing.get_origin(annotation) in _SEVERAL
        parts = typing.get_args(annotation) if is_union(annotation) else ()
        self._maybe_list = any(typing.get_origin(part) in _SEVERAL for part in parts)
        config = pydantic.ConfigDict(arbitrary_types_allowed=True, allow_inf_nan=False)
        self._adapter: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(
            Annotated[annotation, field], config=None if dataclasses.is_dataclass(annotation) else config
        )
        self.name = _word(annotation)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        if self.choices and value not in self.choices and not self._adapter_takes_anything_else:
            self.fail(f"{value!r}: choose from {', '.join(self.choices)}", param, ctx)
        given: Any = self.choices.get(value, value)
        several = self._list or (self._maybe_list and "," in value)
        try:
            return self._adapter.validate_python([one.strip() for one in given.split(",")] if several else given)
        except pydantic.ValidationError as error:
            if self._maybe_list and not several:
                with suppress(pydantic.ValidationError):  # one name, where a list of them is asked for
                    return self._adapter.validate_python([given])
            said = said_of(error.errors()[0])
            named = re.match(rf"{re.escape((param and param.name) or 'x')}=\S*: ", said)
            self.fail(f"{value!r}: {said[named.end() if named else 0 :]}", param, ctx)

    @property
    def _adapter_takes_anything_else(self) -> bool:
        """Whether there are choices and free values besides: `Literal['auto'] | int`."""
        return self.name != "|".join(self.choices)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(choice) for choice in self.choices if choice.startswith(incomplete)]


class Size(Kind):
    """`224`, or `192x256` for height and width."""

    name = "PIXELS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        sides = [side.strip() for side in str(value).lower().replace("×", "x").split("x")]
        if len(sides) > 2 or not all(side.isascii() and side.isdecimal() and 0 < int(side) < 10**5 for side in sides):
            self.fail(f"{value!r}: a side in pixels, such as 224, or HEIGHTxWIDTH, such as 192x256", param, ctx)
        return int(sides[0]) if len(sides) == 1 else (int(sides[0]), int(sides[1]))


class Numbers(Kind):
    """`0.5`, or `0.485,0.456,0.406`."""

    name = "NUMBERS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return tuple(float(number) for number in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r}: a number, or one per channel with commas between", param, ctx)


class Formats(Kind):
    """`png,npz`: what each answer is saved as; which of them an answer has is checked where files are named."""

    name = "KIND,…"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        found = tuple(part.strip().lower().removeprefix(".") for part in value.split(",")) if value else ()
        return tuple(filter(None, found)) or self.fail(f"{value!r}: kinds of file, such as png,npz", param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        done, comma, begun = incomplete.rpartition(",")
        known = ("png", "svg", "pdf", "jpg", "webp", "npz", "json", "csv", "none")
        return [CompletionItem(f"{done}{comma}{one}") for one in known if one.startswith(begun)]


def _choices(annotation: Any) -> tuple[Any, ...]:
    if typing.get_origin(annotation) is Literal:
        return typing.get_args(annotation)
    parts = typing.get_args(annotation) if is_union(annotation) else ()
    return tuple(choice for part in parts for choice in _choices(part))


def _word(annotation: Any) -> str:
    """What the help page writes for a value: INT, a|b, INT,INT."""
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        return _word(parts[0])
    if origin is Literal:
        return "|".join(map(str, parts))
    if is_union(annotation):
        words = [_word(part) for part in parts if part is not type(None)]
        return "|".join(dict.fromkeys(word for word in words if not _covered(word, words)))
    if origin in _SEVERAL:
        return ",".join(_word(part) if part is not ... else "…" for part in parts)
    # a noun, such as Images, makes itself from what a person writes
    return _WORDS.get(annotation, _noun(annotation))


def _covered(word: str, words: list[str]) -> bool:
    """Whether another word says the same: a number may be a whole one, and one name stands for a list of one."""
    return f"{word},…" in words or (word == "INT" and "NUMBER" in words)


def _noun(annotation: Any) -> str:
    """A noun that is an option is written as its kind is called: IMAGES, RECIPE, CONCEPTS."""
    return annotation.__name__.upper() if isinstance(annotation, type) and issubclass(annotation, Noun) else "VALUE"


def is_union(annotation: Any) -> bool:
    return typing.get_origin(annotation) in (Union, types.UnionType)
