"""The options of drawing, by the kind of result, as fields: command line and documentation are made from them."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import typing
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import Field
from pydantic.fields import FieldInfo

from pellucid.described import Default
from pellucid.draw.look import Look

_SHARED: dict[str, Any] = {
    "title": Annotated[str | None, Field(description="title above the picture"), Default("the method's name")],
    **{one.name: typing.get_type_hints(Look, include_extras=True)[one.name] for one in dataclasses.fields(Look)},
}
"""What an option of that name is in every drawing that does not say otherwise."""


@functools.cache
def options_of(drawer: Callable[..., Any]) -> dict[str, FieldInfo]:
    """Every option of a drawing with its type, its default and its description."""
    parameters = inspect.signature(drawer).parameters.values()
    hints = typing.get_type_hints(drawer, include_extras=True)
    found: dict[str, FieldInfo] = {}
    for one in parameters:
        if one.kind is one.KEYWORD_ONLY:
            field = FieldInfo.from_annotated_attribute(hints[one.name], one.default)
            if not field.description:
                field = FieldInfo.from_annotated_attribute(_SHARED[one.name], one.default)
            found[one.name] = field
    if any(one.kind is one.VAR_KEYWORD for one in parameters):
        for part in dataclasses.fields(Look):
            found.setdefault(part.name, FieldInfo.from_annotated_attribute(_SHARED[part.name], part.default))
    return found
