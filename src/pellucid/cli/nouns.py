"""What a method asks about as it stands on a command line: by its kind, whatever the method calls it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import click

from pellucid.catalogue import Entry
from pellucid.cli import settled
from pellucid.cli.common import images
from pellucid.cli.labeled import argument, network_first
from pellucid.cli.page import Argument, Option
from pellucid.data import Data
from pellucid.images import Images
from pellucid.net import Net
from pellucid.nouns import Noun


def parameters(entry: Entry) -> list[click.Parameter]:
    """One for each noun: those with flags are options, all others stand by themselves. The network is none of them: its
    options are those of every command.
    """
    params: list[click.Parameter] = []
    for name, kind in entry.nouns.items():
        if issubclass(kind, Images):
            params.append(images())
        elif kind.flags and not issubclass(kind, Net):
            params.append(_option(kind, entry.arguments[name]))
        elif issubclass(kind, Data) and network_first(entry):
            params.append(argument(kind, name))
        elif not kind.flags:
            first = entry.argument(kind) == name
            params.append(_argument(kind, name, kind.written if first else name.upper()))
    return params


def written(entry: Entry, given: Mapping[str, Any]) -> dict[str, Any]:
    """What was written for each noun besides the network and the images, which are opened; a noun that may be given
    several times is one value, or a list where it was given more than once.
    """
    found: dict[str, Any] = {}
    for name, kind in entry.nouns.items():
        if issubclass(kind, (Net, Images)):
            continue
        value = given.get(_shell_name(kind, name))
        if kind.flags:
            value = list(value) if value and len(value) > 1 else value[0] if value else None
        if value is not None:
            found[name] = value
    return found


def _shell_name(kind: type[Noun], name: str) -> str:
    """What click calls it: an option by its longest flag, an argument as the method does."""
    return max(kind.flags, key=len).removeprefix("--") if kind.flags else name


def _option(kind: type[Noun], argument: inspect.Parameter) -> Option:
    needed = argument.default is argument.empty
    several = "made together" if kind.many else "drawn in one picture"
    fact = "" if needed else f"  [default: {argument.default}]"
    said = f"{kind.help}; given several times, all are {several}{fact}"
    return Option(*kind.flags, metavar=kind.written, help=said, required=needed, multiple=True, section="Target")


def _argument(kind: type[Noun], name: str, written: str) -> Argument:
    metavar = f"{written}..." if kind.many else written
    otherwise = settled.data if issubclass(kind, Data) else None
    return Argument(
        name, help=kind.help, otherwise=otherwise, nargs=-1 if kind.many else 1, required=True, metavar=metavar
    )
