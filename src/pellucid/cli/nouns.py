"""What a method asks about as it stands on a command line: by its kind, whatever the method calls it."""

from __future__ import annotations

import inspect

import click

from pellucid.catalogue import Entry
from pellucid.cli.options import Option, images
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
        elif not kind.flags:
            first = entry.argument(kind) == name
            params.append(_argument(kind, name, kind.written if first else name.upper()))
    return params


def _option(kind: type[Noun], argument: inspect.Parameter) -> Option:
    needed = argument.default is argument.empty
    several = "made together" if kind.many else "drawn on one scale"
    default = "" if needed else f"  [default: {argument.default}]"
    said = f"{kind.help}; given several times, all are {several}{default}"
    return Option(*kind.flags, metavar=kind.written, help=said, required=needed, multiple=True)


def _argument(kind: type[Noun], name: str, written: str) -> click.Argument:
    metavar = f"{written}..." if kind.many else written
    return click.Argument([name], nargs=-1 if kind.many else 1, required=True, metavar=metavar, type=click.Path())
