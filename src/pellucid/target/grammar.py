"""From what a person writes to a target; `Target.of` says what may be written."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from torch import nn

from pellucid.errors import PellucidError, UnknownName
from pellucid.net import Labels, Net
from pellucid.net.returned import whole_number
from pellucid.net.tap import split_call
from pellucid.result import Guess
from pellucid.target.base import Sum, Target
from pellucid.target.classes import BEST, ClassName, Logit, Loss, OfClass, Output, Probability, Top
from pellucid.target.function import Function
from pellucid.target.likeness import Similarity
from pellucid.target.places import Box, Region
from pellucid.target.units import Channel, Energy, Neuron
from pellucid.target.words import Sentence, Word

_CALL = re.compile(r"(?P<name>[a-z]+)\((?P<inside>.*)\)", re.DOTALL)
_LAYER = r"[^\s:@()\[\],](?:[^:@()\[\],]*[^\s:@()\[\],])?"
_UNIT = re.compile(rf"(?P<layer>{_LAYER}):(?P<unit>\d+)(?:@(?P<y>\d+),(?P<x>\d+))?")
_ANY_UNIT = re.compile(r"(?P<layer>.+):(?P<unit>\d+)(?:@(?P<y>\d+),(?P<x>\d+))?", re.DOTALL)
_OUTPUT = re.compile(r"out\[\s*(\d+(?:\s*,\s*\d+)*)\s*\]")
_GUESS = re.compile(r"best guess|guess (?P<rank>\d+)")
_FACTOR = re.compile(r"(?P<factor>\d+(?:\.\d*)?(?:e[+-]?\d+)?)\s*[×*]\s*(?P<rest>.+)", re.DOTALL)
_NUMBER = r"\s*-?\d+(?:\.\d*)?\s*"
Named = Callable[[str], ClassName]
"""What a person writes for a class as a target has it."""
Maker = Callable[[str, Named], Target | None]
_SIGNS = 8  # with more, a text is cut at the last one whatever its parts are


def target_of(value: Any, net: Net | None = None) -> Target:
    """What `Target.of` gives."""
    if isinstance(value, Target):
        return value
    if value is None:
        return BEST
    if isinstance(value, str):
        return _parse(value, net)
    if isinstance(value, Guess):
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
    if match := _GUESS.fullmatch(text):
        return Top(int(match["rank"])) if match["rank"] else BEST
    if match := _OUTPUT.fullmatch(text):
        return Output(*map(int, match[1].split(",")))
    if match := _UNIT.fullmatch(text):
        return _unit(match)
    if (match := _CALL.fullmatch(text)) and match["name"] in _CALLS:
        how, made = _CALLS[match["name"]]
        target = made(match["inside"].strip(), lambda name: _class(name, net))
        if target is None:
            raise PellucidError(f"no target {text!r}: write {how}")
        return target
    return Logit(_class(text, net))


def _exact(text: str, net: Net) -> Target | None:
    """The class of exactly this name, or the unit of a layer of exactly this name, whatever letters are in it."""
    if net.labels is not None and net.labels.knows(text):
        return Logit(text)
    match = _ANY_UNIT.fullmatch(text)
    return _unit(match) if match and _is_layer(match["layer"], net) else None


def layer_and_unit(text: str, net: Net) -> tuple[str, int | None]:
    """`LAYER:UNIT`, or `LAYER` where any of its units may be meant: (layer, unit or None)."""
    match = None if _is_layer(text, net) else _ANY_UNIT.fullmatch(text)
    if match is None:
        return text, None
    if match["y"] is not None:
        raise PellucidError(f"{text!r} is one cell: name the unit, {match['layer']}:{match['unit']}")
    return match["layer"], int(match["unit"])


def _is_layer(name: str, net: Net) -> bool:
    bare = split_call(name)[0]
    return any(bare == known for known, _ in net.module.named_modules(remove_duplicate=False) if known)


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
    if isinstance(target, Sum):
        return all(_understood(part, labels) for _, part in target.parts)
    named = target.of_class if isinstance(target, OfClass) else 0
    return not isinstance(named, str) or _found(named, labels)


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


def _unit(match: re.Match[str], how: Any = "mean") -> Target:
    if match["y"] is not None:
        return Neuron(match["layer"], int(match["unit"]), int(match["y"]), int(match["x"]))
    return Channel(match["layer"], int(match["unit"]), how)


def _reduced(how: str) -> Maker:
    def made(inside: str, of: Named) -> Target | None:
        match = _UNIT.fullmatch(inside)
        return _unit(match, how) if match and match["y"] is None else None

    return made


def _box(inside: str, of: Named) -> Target | None:
    match = re.fullmatch(rf"(?P<of>.+?),({_NUMBER}),({_NUMBER}),({_NUMBER}),({_NUMBER})", inside)
    return Box(of(match["of"]), tuple(float(side) for side in match.groups()[1:])) if match else None


def _word(inside: str, of: Named) -> Target | None:
    match = re.fullmatch(r"(?P<token>.+),\s*(?P<position>\d+)", inside)
    return Word(of(match["token"]), int(match["position"])) if match else None


def _sentence(inside: str, of: Named) -> Target | None:
    tokens = [token.strip() for token in inside.split(",")]
    return Sentence(tuple(map(of, tokens))) if all(tokens) else None


def _similar(inside: str, of: Named) -> Target | None:
    match = re.fullmatch(r"(?P<to>.+?)(?: at (?P<layer>[\w.#-]+))?", inside)
    return Similarity(match["to"], match["layer"]) if match else None


def _energy(inside: str, of: Named) -> Target | None:
    return Energy(inside) if re.fullmatch(_LAYER, inside) else None


def _about(kind: Callable[[ClassName], Target]) -> Maker:
    return lambda inside, of: kind(of(inside)) if inside else None


_CALLS: dict[str, tuple[str, Maker]] = {
    "p": ("p(CLASS)", _about(Probability)),
    "loss": ("loss(CLASS)", _about(Loss)),
    "max": ("max(LAYER:UNIT)", _reduced("max")),
    "sum": ("sum(LAYER:UNIT)", _reduced("sum")),
    "energy": ("energy(LAYER)", _energy),
    "region": ("region(CLASS)", _about(Region)),
    "box": ("box(CLASS,x1,y1,x2,y2)", _box),
    "word": ("word(TOKEN,POSITION)", _word),
    "sentence": ("sentence(TOKEN,TOKEN,...)", _sentence),
    "similar": ("similar(PATH) or similar(PATH at LAYER)", _similar),
}
"""How each is written, and what it makes; None where it is not written so."""
