"""From what a person writes to a target; `Target.of` says what may be written."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

from torch import nn

from pellucid.errors import BadPlugin, PellucidError, UnknownName
from pellucid.net import Labels, Net
from pellucid.net.returned import whole_number
from pellucid.plugins import TARGETS
from pellucid.result import Prediction
from pellucid.target.base import ClassName, Target
from pellucid.target.classes import BEST, Logit
from pellucid.target.function import Function

_CALL = re.compile(r"(?P<name>[a-z_]+)\((?P<inside>.*)\)", re.DOTALL)
_FACTOR = re.compile(r"(?P<factor>\d+(?:\.\d*)?(?:e[+-]?\d+)?)\s*[×*]\s*(?P<rest>.+)", re.DOTALL)
_SIGNS = 8  # with more, a text is cut at the last one whatever its parts are


def target_of(value: Any, net: Net | None = None) -> Target:
    """What `Target.of` gives."""
    if isinstance(value, Target):
        return value
    if value is None:
        return BEST
    if isinstance(value, str):
        return _parse(value, net)
    if isinstance(value, Prediction):
        return Logit(value.index)
    if callable(value) and not isinstance(value, (type, nn.Module)):
        return Function(value)
    try:
        return Logit(whole_number(value, "class"))
    except PellucidError as error:
        raise PellucidError(
            f"no target {value!r}: give a class by name or number, 'layer:unit', a function of the run, or a "
            "pellucid.target"
        ) from error


def _parse(text: str, net: Net | None) -> Target:
    text = text.strip()
    if not text:
        raise PellucidError("the target is empty: give a class by name or number, 'layer:unit' or 'out[0]'")
    if net is not None and (exact := _exact(text, net)):
        return exact
    if signs := _signs(text):
        return _sum(text, signs, net)
    if text.startswith("-") and not _class_number(text[1:]):  # -1 is far more often a slip than minus class 1
        return -_parse(text[1:], net)
    if match := _FACTOR.fullmatch(text):
        return float(match["factor"]) * _parse(match["rest"], net)
    return _written(text, net) or Logit(_class(text, net))


def _exact(text: str, net: Net) -> Target | None:
    """What names something of this network letter by letter: a class, or the unit of a layer."""
    return next((found for kind in _kinds() if (found := kind.exact(text, net)) is not None), None)


def _written(text: str, net: Net | None) -> Target | None:
    """What is written in a form that some kind has declared. PellucidError for `name(…)` with something else inside."""

    def of(name: str) -> ClassName:
        return _class(name, net)

    match = _CALL.fullmatch(text)
    if match and TARGETS.has(match["name"]):
        row = TARGETS.row(match["name"])
        named: type[Target] = TARGETS.load(row)
        found = named.read(match["name"], match["inside"].strip(), of)
        if found is None:
            raise PellucidError(f"no target {text!r}: write {row.first}")
        return found
    return next((found for kind in _kinds() if (found := kind.read("", text, of)) is not None), None)


def _kinds() -> list[type[Target]]:
    """Every kind that declares a form; without those of packages that cannot be imported, which nobody asked for."""
    found: list[type[Target]] = []
    for row in TARGETS.rows():
        with suppress(BadPlugin):
            found.append(TARGETS.load(row))
    return list(dict.fromkeys(found))


def _sum(text: str, signs: list[int], net: Net | None) -> Target:
    """Cut at the last sign, or where both sides are known: class names may hold lonely signs themselves."""
    last: Target | None = None
    for at in signs[::-1] if net is not None and net.labels is not None and len(signs) <= _SIGNS else signs[-1:]:
        if last is not None and text[at + 3 :].lstrip().startswith("-"):  # two signs in a row are a slip
            continue
        left, right = _parse(text[:at], net), _parse(text[at + 3 :], net)
        found = left - right if text[at + 1] == "-" else left + right
        if net is None or net.labels is None or _understood(found, net.labels):
            return found
        last = last or found
    return last or Logit(text)


def _understood(target: Target, labels: Labels) -> bool:
    """Whether every class that a target names is there."""
    return all(_found(name, labels) for name in target.class_names if isinstance(name, str))


def _found(name: str, labels: Labels) -> bool:
    try:
        labels.find(name)
    except UnknownName:
        return False
    return True


def _signs(text: str) -> list[int]:
    """Where ` - ` and ` + ` outside brackets are: class names have hyphens, but lonely ones seldom."""
    depth, found = 0, []
    for i, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0 and text[i : i + 3] in (" - ", " + ") and i > 0:
            found.append(i)
    return found


def _class(text: str, net: Net | None) -> ClassName:
    """A number where it is one, unless a class of the network is called so."""
    name = text.strip()
    called = net is not None and net.labels is not None and net.labels.knows(name)
    return int(name) if _class_number(name) and not called else name


def _class_number(text: str) -> bool:
    return text.strip().isdecimal()
