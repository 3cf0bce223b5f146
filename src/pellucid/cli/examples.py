"""Two commands to begin with, made from the declaration of a method; a test parses them all."""

from __future__ import annotations

import inspect
import shlex
from collections import Counter
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic.fields import FieldInfo

from pellucid.catalogue import Entry
from pellucid.cli.everyday import EVERYDAY
from pellucid.cli.options import flag_of, switched
from pellucid.cli.page import dashed
from pellucid.images import Images
from pellucid.net import Net
from pellucid.net.nets import Nets, is_checkpoint

_NET = "model.py:net"


def examples(entry: Entry) -> tuple[str, str]:
    """The shortest question, and one that says more: a target, an option, a file."""
    name = [entry.chapter, dashed(entry.name)] if entry.name in EVERYDAY else [dashed(entry.name)]
    fields = entry.options.model_fields
    needed = [word for one, field in fields.items() if field.is_required() for word in _option(one, field)]
    more = next(
        (words for one, field in fields.items() if not field.is_required() and (words := _option(one, field))), []
    )
    if not more:
        more = next(([f"--{dashed(one)}", str(value)] for one, value in entry.quick.items()), [])
    needed = [*network(entry), *needed]
    first = ["pellucid", *name, *nouns(entry), *needed]
    second = ["pellucid", *name, *nouns(entry, all=entry.asks(Images)), *needed, *more, "--out", f"{entry.name}.png"]
    return _line(first), _line(second)


def nouns(entry: Entry, *, all: bool = False) -> list[str]:
    """A sample of everything that a method asks about; with `all` also of what has a default. The network is the one
    that comes with it.
    """
    words, counts = [], Counter[type]()
    for name, kind in entry.nouns.items():
        if kind.samples and (all or entry.arguments[name].default is inspect.Parameter.empty):
            sample = entry.samples.get(name) or kind.samples[counts[kind] % len(kind.samples)]
            words += [kind.flags[-1], sample] if kind.flags else sample.split(" ") if kind.many else [sample]
            counts[kind] += 1
    return words


def network(entry: Entry) -> list[str]:
    """`--net` where checkpoints are named, which are weights of some network, or where the bundled one will not do."""
    net = entry.argument(Net)
    named = entry.samples.get(net, "") if net else ""
    if entry.asks(Nets) and any(is_checkpoint(Path(word)) for word in nouns(entry)):
        named = _NET
    return ["--net", named] if named else []


def _option(name: str, field: FieldInfo) -> list[str]:
    """An option with another value than its default; none where nothing tells a good one."""
    flag = flag_of(name, field)
    if field.examples:
        return [flag, str(field.examples[0])]
    if field.annotation is bool:
        return [switched(flag, not field.default)]
    others = [one for one in _choices(field.annotation) if one != field.default]
    return [flag, str(others[0])] if others else []


def _choices(annotation: Any) -> tuple[Any, ...]:
    found = get_args(annotation)
    return found if get_origin(annotation) is not None and all(isinstance(one, str) for one in found) else ()


def _line(words: list[str]) -> str:
    """As a person would type it: quoted where it has to be, with double quotes."""
    return " ".join(f'"{word}"' if shlex.quote(word) != word and '"' not in word else word for word in words)
