"""`--view KEY=VALUE,…`: how a picture is drawn, made from the options of its drawing."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import click
from click.shell_completion import CompletionItem
from pydantic.fields import FieldInfo

from pellucid.cli.kinds import Declared, Kind
from pellucid.cli.options import facts
from pellucid.cli.page import Option
from pellucid.errors import unknown


class ViewOption(Option):
    """`--view`, with a line of its own in the help page for each key."""

    def __init__(self, fields: Mapping[str, FieldInfo]) -> None:
        self.kind = Views(fields)
        super().__init__(
            "--view", type=self.kind, multiple=True, metavar="KEY=VALUE,…", section="View", callback=_merged,
            help="options of the picture; a value that only one key has may stand alone: --view dark",
        )  # fmt: skip

    @property
    def rows(self) -> list[tuple[str, str]]:
        """A line for each key: what may be written, and what it does."""
        return [
            (f"{name}={_values(field)}", f"{field.description}  [{'; '.join(facts(field))}]")
            for name, field in self.kind.fields.items()
        ]


class Views(Kind):
    """`view=positive,dark`: options of the drawing, whose types decide."""

    name = "VIEW"

    def __init__(self, fields: Mapping[str, FieldInfo]) -> None:
        self.fields = dict(fields)
        self.kinds = {name: Declared(field.annotation, field) for name, field in fields.items()}

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        from pellucid.draw import Look  # here, because help must not wait for it

        found: dict[str, Any] = {}
        for part in filter(None, (part.strip() for part in value.split(","))):
            name, given, text = part.partition("=")
            if not given:
                name, text = self._alone(part)
            if name not in self.fields:
                raise unknown("key of --view", name, self.fields)
            found[name] = self._read(name, text, param, ctx)
        Look(
            **{one.name: found[one.name] for one in dataclasses.fields(Look) if one.name in found}
        )  # refuses what types allow
        return found

    def _alone(self, word: str) -> tuple[str, str]:
        """A switch that is turned on, or a value that only one key has."""
        if word in self.fields:
            return word, "yes"
        keys = [name for name, kind in self.kinds.items() if word in kind.choices]
        return (keys[0], word) if len(keys) == 1 else (word, "")

    def _read(self, name: str, text: str, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if self.fields[name].annotation is bool and text not in ("yes", "no"):
            self.fail(f"{name}={text}: yes or no", param, ctx)
        try:
            return text == "yes" if self.fields[name].annotation is bool else self.kinds[name].convert(text, param, ctx)
        except click.BadParameter as error:
            raise click.BadParameter(f"{name}={error.message}", ctx, param) from error

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        done, comma, begun = incomplete.rpartition(",")
        key, given, text = begun.partition("=")
        if given and key in self.kinds:
            words = [
                f"{key}={value}" for value in _choices(self.fields[key], self.kinds[key]) if value.startswith(text)
            ]
        else:
            words = [f"{name}=" for name in self.fields if name.startswith(begun)]
        return [CompletionItem(f"{done}{comma}{word}") for word in words]


def _merged(ctx: click.Context, param: click.Parameter, value: tuple[Mapping[str, Any], ...]) -> dict[str, Any]:
    """All of them as one."""
    return {name: one for each in value for name, one in each.items()}


def _choices(field: FieldInfo, kind: Declared) -> tuple[str, ...]:
    return ("yes", "no") if field.annotation is bool else tuple(kind.choices)


def _values(field: FieldInfo) -> str:
    return "yes|no" if field.annotation is bool else Declared(field.annotation, field).name
