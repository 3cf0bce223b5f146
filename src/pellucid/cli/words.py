"""What methods say in Python's words, in those of the shell: `load(..., size=28)` is `--input-size 28` there.

Errors and notes name the options of functions, since most of them are raised where nobody knows who asked. They are
translated here, once, on their way to the terminal or into a picture.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import Any

import click

from pellucid.cli.common import loaded_as
from pellucid.cli.options import switched
from pellucid.cli.page import Option
from pellucid.notes import Note

_OF_METHODS = {name: f"--{name}" for name in ("fill", "baseline", "references")}
"""Options of the methods that `explain` asks: a note on them means the method's own command."""
_VALUE = r"\([^()]*\)|'[^']*'|\"[^\"]*\"|[^\s,;:()]*"
_NAMED = re.compile(rf"(?P<name>[a-z_]+)=(?P<value>{_VALUE})")
_SAID = re.compile(
    r"(?P<quoted>(?<![=\w])'[^'\n]*')"
    r"|(?<![\w.])(?:pl\.)?(?P<call>load|read|Nets\.of)\((?P<inside>[^()]*(?:\([^()]*\)[^()]*)*)\)"
    rf"|(?<![-\w.'])(?P<name>[a-z_]+)=(?P<value>{_VALUE})"
)


def spoken(command: click.Command) -> Callable[[str], str]:
    """A function that puts a message into the options of this command."""
    known = [param for param in command.params if isinstance(param, click.Option)]
    renamed = {param.called: param.opts[0] for param in known if isinstance(param, Option)}
    options = {**renamed, **{param.name or "": param.opts[0] for param in known}}  # size= is --size where there is one
    return lambda text: translated(text, options)


def translated(text: str, options: Mapping[str, str]) -> str:
    """The message with what it names as arguments of Python written as `options` (name -> flag)."""

    def said(match: re.Match[str]) -> str:
        if match["quoted"]:
            return match[0]
        if match["call"]:
            return _called(match["inside"], options) or match[0]
        name = match["name"] if match["name"] in options else loaded_as().get(match["name"], match["name"])
        return _flag(name, match["value"], {**_OF_METHODS, **options}) or match[0]

    return _SAID.sub(said, text)


def noted(value: Any, words: Callable[[str], str]) -> Any:
    """A result, or several, with the notes of every Meta in it put through `words`; all else is as it was."""
    from pellucid.result import Meta, Result, Row  # here, because help must not wait for numpy

    if isinstance(value, Meta):
        return dataclasses.replace(value, notes=tuple(noted(note, words) for note in value.notes))
    if isinstance(value, Note):
        return dataclasses.replace(value, text=words(value.text))
    if type(value) in (list, tuple):
        return type(value)(noted(one, words) for one in value)
    if isinstance(value, Mapping):
        return {key: noted(one, words) for key, one in value.items()}
    if not isinstance(value, (Result, Row)):
        return value
    parts = {one.name: noted(getattr(value, one.name), words) for one in dataclasses.fields(value) if one.init}
    return dataclasses.replace(value, **parts)


def _called(inside: str, options: Mapping[str, str]) -> str:
    """The arguments of a call, as flags; empty where the shell knows none of them."""
    net = re.match(r"'([^']+)'", inside)
    said = f"--net {net[1]}" if net and "net" in options else ""
    for match in re.finditer(rf"{_NAMED.pattern}(?P<rest>[^,()]*)", inside):
        flag = _flag(loaded_as().get(match["name"], match["name"]), match["value"], options)
        if not flag:
            return ""
        between = "" if not said else ", " if " for " in said else " "  # alternatives say what each is for
        said += between + flag + match["rest"].rstrip()
    return said


def _flag(name: str, value: str, options: Mapping[str, str]) -> str:
    """`--value-range 0,255`; empty where the shell has no such option."""
    if name not in options:
        return ""
    flag, bare = options[name], value.strip("'\"")
    if value in ("True", "False"):
        return switched(flag, value == "True")
    if value.startswith("("):
        between = "x" if name == "input_size" else ","
        bare = between.join(part.strip() for part in value.strip("()").split(",") if part.strip())
    return f"{flag} {repr(bare) if ' ' in bare else bare}".rstrip()
