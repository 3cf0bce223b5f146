"""The signature of a method as its declaration: the nouns that it asks about, and its options as a pydantic model."""

from __future__ import annotations

import functools
import inspect
import types
import typing
from collections.abc import Callable
from typing import Any

import pydantic
from pydantic.fields import FieldInfo

from pellucid.described import written_default
from pellucid.errors import PellucidError, unknown
from pellucid.nouns import Noun


class Options(pydantic.BaseModel):
    """The options of a method, which are its fields."""

    model_config = pydantic.ConfigDict(extra="forbid", arbitrary_types_allowed=True, allow_inf_nan=False)

    @classmethod
    def model_json_schema(cls, *args: Any, **how: Any) -> dict[str, Any]:
        """Plain JSON; the default of a noun is the text that a person would write for it. `x-default` says what happens
        where an option is not given, of those whose declaration does.
        """
        from pydantic.json_schema import GenerateJsonSchema, NoDefault  # here, because help must not wait for it

        class Plain(GenerateJsonSchema):
            def get_default_value(self, schema: Any) -> Any:
                default = super().get_default_value(schema)
                return default.plain() if default is not NoDefault and isinstance(default, Noun) else default

        found = super().model_json_schema(*args, **{"schema_generator": Plain, **how})
        for name, field in cls.model_fields.items():
            if words := written_default(field.metadata):
                found["properties"][name]["x-default"] = words
        return found


@functools.cache
def nouns_of(function: Callable[..., Any]) -> dict[str, type[Noun]]:
    """The kind of everything that a method asks about, in order. PellucidError where an annotation is none."""
    hints, found = _hints(function), {}
    for name in _split(function)[0]:
        kind = hints.get(name)
        if not (isinstance(kind, type) and issubclass(kind, Noun)):
            lacks = "has no annotation" if kind is None else "is no noun: options stand after *, nouns before it"
            raise PellucidError(f"{function.__name__}: the argument {name} {lacks} (see pellucid.nouns)")
        found[name] = kind
    return found


def arguments_of(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """What a method asks about, as its signature says it."""
    return _split(function)[0]


def result_of(function: Callable[..., Any]) -> Any:
    """The kind of its result. PellucidError where its annotation is none."""
    kind = _hints(function).get("return")
    if kind is None:
        raise PellucidError(
            f"{function.__name__} does not say what it gives: annotate it with a kind of result, -> Table"
        )
    return kind


def validated(function: Callable[..., Any], given: dict[str, Any]) -> dict[str, Any]:
    """All options of a method with their defaults. Raises PellucidError: one line, the option and what it may be."""
    model, name = options_of(function), function.__name__
    for option in given:
        if option not in model.model_fields:
            raise unknown(f"option of {name}", option, model.model_fields)
    try:
        options = model(**given)
    except pydantic.ValidationError as error:
        wrong = error.errors()  # what was given and cannot be, before what was not given
        first = next((one for one in wrong if one["type"] != "missing"), wrong[0])
        option, shown, own = ".".join(map(str, first["loc"][:1])), repr(first["input"]), said_of(first)
        if first["type"] == "missing":
            raise PellucidError(f"{name} needs {option}=: {model.model_fields[option].description}") from error
        about = own if own.startswith(f"{option}=") else f"{option}={shown[:80]}: {own}"
        raise PellucidError(f"{name}: {about}") from error
    return {option: getattr(options, option) for option in model.model_fields}


def said_of(error: Any) -> str:
    """What was wrong with a value, of an entry of pydantic's: the words of whoever refused it, or pydantic's own."""
    own = error.get("ctx", {}).get("error")
    said: str = error["msg"]
    return str(own) if isinstance(own, Exception) else f"{said[:1].lower()}{said[1:]}"


@functools.cache
def options_of(function: Callable[..., Any]) -> type[Options]:
    """The keyword-only arguments of a method as a pydantic model."""
    hints = _hints(function)
    fields: dict[str, Any] = {
        name: (hints[name], ... if parameter.default is parameter.empty else parameter.default)
        for name, parameter in _split(function)[1].items()
    }
    return pydantic.create_model(function.__name__, __base__=Options, **fields)


def allowed(field: FieldInfo) -> str:
    """What an option may be, for people: 'gray | black', '1 to 4096', 'yes | no', 'text'."""
    parts = typing.get_args(field.annotation) or (field.annotation,)
    kinds = [typing.get_args(one)[0] if typing.get_origin(one) is typing.Annotated else one for one in parts]
    kinds = [kind for kind in kinds if kind is not type(None)]
    if typing.get_origin(field.annotation) is typing.Literal:
        return " | ".join(map(str, kinds))
    low, high = (next((getattr(r, key) for r in field.metadata if hasattr(r, key)), None) for key in ("ge", "le"))
    if low is not None and high is not None:
        return f"{low} to {high}"
    if low is not None:
        return f"{low} or more"
    if {int, float} <= {*_kinds(field.annotation)}:
        return "number"
    if isinstance(kinds[0], type) and issubclass(kinds[0], Noun):
        return kinds[0].written
    return {bool: "yes | no", int: "whole number", float: "number", str: "text"}.get(kinds[0], "value")


def spoken(annotation: Any, text: str) -> Any:
    """An option's value as its text says it: numbers, yes and no where it may be none; parts between commas where it
    may have several. What it may be is for pydantic to check.
    """
    kinds = _kinds(annotation)
    scalars = [kind for kind in kinds if typing.get_origin(kind) not in (tuple, list)]
    if len(scalars) < len(kinds) and ("," in text or not scalars):
        inner = next(kind for kind in kinds if kind not in scalars)
        return tuple(spoken(typing.get_args(inner)[0], part.strip()) for part in text.split(","))
    if bool in scalars and text in ("yes", "no"):
        return text == "yes"
    if not {int, float} & set(scalars):
        return text
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() and int in scalars else number


def _kinds(annotation: Any) -> list[Any]:
    """What a value may be, without None: the parts of a union."""
    if typing.get_origin(annotation) is typing.Annotated:
        return _kinds(typing.get_args(annotation)[0])
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return [kind for part in typing.get_args(annotation) for kind in _kinds(part)]
    return [] if annotation is type(None) else [annotation]


@functools.cache
def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    return typing.get_type_hints(function, include_extras=True)


@functools.cache
def _split(function: Callable[..., Any]) -> tuple[dict[str, inspect.Parameter], dict[str, inspect.Parameter]]:
    """(what it asks about, options)."""
    parameters = inspect.signature(function).parameters.items()
    asks = {n: p for n, p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD}
    return asks, {n: p for n, p in parameters if p.kind is p.KEYWORD_ONLY}
