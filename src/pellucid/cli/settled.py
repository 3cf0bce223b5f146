"""What pellucid.toml says, where a command line says nothing: flags come first, then $PELLUCID_NET, then the file."""

from __future__ import annotations

import os
from typing import Any

import click
from click.core import ParameterSource

from pellucid import settings
from pellucid.cli.common import loaded_as

_SAID = (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)


def settled(ctx: click.Context) -> tuple[dict[str, Any], str]:
    """The options of a command with those of the file here, and a note of what the file said; empty where nothing.

    What it says of its network is not believed of another: with --net only that network's own options count.
    """
    given = dict(ctx.params)
    net = next((one for one in ctx.command.params if one.name == "net"), None)
    of_an_index = net is not None and net.default != "bundled" and not net.multiple
    if net is None or of_an_index or ctx.command.name == "init":
        return given, ""
    found = settings.here()
    if found is None:
        return given, ""
    named = ctx.get_parameter_source("net") in _SAID or (net.multiple and "PELLUCID_NET" in os.environ)
    if named and given["net"] not in (found.network, (found.network,)):
        return given, ""
    found = found if named else found.checked()
    if not named and found.network:
        given["net"] = (found.network,) if net.multiple else found.network
    shells = loaded_as()
    taken = {name: one for name, one in found.options.items() if ctx.get_parameter_source(shells[name]) not in _SAID}
    given |= {shells[name]: value for name, value in taken.items()}
    said = ["network"] * (not named and found.network is not None) + list(taken)
    return given, f"{found.file} says: {', '.join(said)}" if said else ""


def data() -> str | None:
    """The images with classes that the file here names."""
    found = settings.here()
    return None if found is None else found.data
