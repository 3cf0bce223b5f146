"""Options of commands, made from declarations: a pydantic field, or a type with its constraints, becomes a flag."""

from __future__ import annotations

import typing
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

import pydantic
from pydantic import Field
from pydantic.fields import FieldInfo

from pellucid.cli.kinds import Declared, Kind, is_union
from pellucid.cli.page import Option, dashed
from pellucid.described import Default, Shell, written_default

Count = Annotated[int, Field(ge=1)]


def option(
    *names: str, type: Any, default: Any = None, help: str, section: str = "Options", says: str = "", metavar: str = ""
) -> Option:
    """An option from a type such as `Annotated[int, Field(ge=1)]`; the help page shows its default and range.

    `says` stands for the default where that is decided later.
    """
    field = FieldInfo.from_annotation(type)
    field.description, field.default = help, default
    field.metadata += [Default(says)] if says else []
    return _option(names, field, Shell(value=metavar), None, section)


def options_from(
    model: type[pydantic.BaseModel], section: str = "Options", kinds: Mapping[str, Kind] | None = None
) -> list[Option]:
    """One option for each field of the model; `kinds` are for values that a person writes in a way of their own."""
    made = []
    for name, field in model.model_fields.items():
        flag, shell = flag_of(name, field), _shell(field)
        one = _option((flag, given_as(name, field)), field, shell, (kinds or {}).get(name), section)
        one.called = name  # a flag may be another word: --class for classes=
        made.append(one)
    return made


def _shell(field: FieldInfo) -> Shell:
    return next((one for one in field.metadata if isinstance(one, Shell)), Shell())


def flag_of(name: str, field: FieldInfo) -> str:
    """What is written for an option on a command line."""
    return _shell(field).flag or f"--{dashed(name)}"


def switched(flag: str, on: bool) -> str:
    """What is written to turn an option on or off."""
    return flag if on else f"--no-{flag.removeprefix('--')}"


def given_as(name: str, field: FieldInfo) -> str:
    """Under which name what was written for it is found."""
    return flag_of(name, field).removeprefix("--").replace("-", "_")


def _option(names: Sequence[str], field: FieldInfo, shell: Shell, kind: Kind | None, section: str) -> Option:
    required = field.is_required()
    default = None if required else field.get_default(call_default_factory=True)
    kind = None if field.annotation in (bool, bool | None) else kind or Declared(field.annotation, field)
    metavar, description = shell.value or (kind.name if kind else ""), field.description or ""
    if len(metavar) > _LONG and isinstance(kind, Declared):
        among = f": {', '.join(kind.choices)}" if kind.choices else ""  # of a list the description names them
        metavar, description = "NAME", f"{description}{among}"
    said = facts(field)
    shown = f"{description}  [{'; '.join(said)}]" if said else description
    how: dict[str, Any] = {"required": True} if required else {"default": default}
    if kind is None:
        flag, *rest = names
        return Option(f"{flag}/{switched(flag, False)}", *rest, help=shown, section=section, **how)
    return Option(*names, type=kind, metavar=metavar, help=shown, section=section, **how)


def facts(field: FieldInfo) -> list[str]:
    """Default and range, as every help page has them."""
    found = []
    default = None if field.is_required() else field.get_default(call_default_factory=True)
    words = written_default(field.metadata)
    if words is not None:
        found.append(f"default: {words}")
    elif default is not None and default != ():
        said = ("yes" if default else "no") if isinstance(default, bool) else default
        found.append(f"default: {','.join(map(str, said)) if isinstance(said, (tuple, list)) else said}")
    bounds = {
        key: getattr(one, key)
        for one in _constraints(field.annotation, field.metadata)
        for key in _BOUNDS
        if hasattr(one, key)
    }
    if bounds.get("le", 0) >= _ENDLESS:
        del bounds["le"]
    if {"ge", "le"} <= set(bounds):
        found.append(f"{bounds['ge']} to {bounds['le']}")
    else:
        found += [f"{_BOUNDS[key]} {bound}" for key, bound in bounds.items()]
    return found


_ENDLESS = 2**31
"""A bound that nobody meets is not worth a word."""
_LONG = 48
"""Characters of choices that may stand beside the name of an option; more are listed in its description."""
_BOUNDS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}


def _constraints(annotation: Any, metadata: Iterable[Any]) -> list[Any]:
    """What bounds a value, wherever it is written: `Annotated[int, Ge(1)] | None` has it inside."""
    found: list[Any] = []
    for one in metadata:
        found += one.metadata if isinstance(one, FieldInfo) else [one]
    for part in typing.get_args(annotation) if is_union(annotation) else ():
        if typing.get_origin(part) is Annotated:
            inner, *more = typing.get_args(part)
            found += _constraints(inner, more)
    return found
