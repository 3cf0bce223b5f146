"""From what a person writes to a target; `Target.of` says what may be written."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from pellucid.errors import PellucidError
from pellucid.target.base import Target
from pellucid.target.classes import BEST, ClassName, Logit, Loss, Output, Probability, Top
from pellucid.target.likeness import Similarity
from pellucid.target.places import Box, Region
from pellucid.target.units import Channel, Energy, Neuron
from pellucid.target.words import Sentence, Word

_CALL = re.compile(r"(?P<name>[a-z]+)\((?P<inside>.*)\)", re.DOTALL)
_UNIT = re.compile(r"(?P<layer>[\w.#-]+):(?P<unit>\d+)(?:@(?P<y>\d+),(?P<x>\d+))?")
_OUTPUT = re.compile(r"out\[\s*(\d+(?:\s*,\s*\d+)*)\s*\]")
_GUESS = re.compile(r"best guess|guess (?P<rank>\d+)")
_FACTOR = re.compile(r"(?P<factor>\d+(?:\.\d*)?(?:e[+-]?\d+)?)\s*[×*]\s*(?P<rest>.+)", re.DOTALL)
_NUMBER = r"\s*-?\d+(?:\.\d*)?\s*"


def target_of(value: Any) -> Target:
    """What `Target.of` gives."""
    if isinstance(value, Target):
        return value
    if value is None:
        return BEST
    if isinstance(value, str):
        return _parse(value)
    index = getattr(value, "index", value)
    if isinstance(index, int) and not isinstance(index, bool):
        return Logit(index)
    raise PellucidError(f"no target {value!r}: give a class by name or number, 'layer:unit', or a pellucid.target")


def _parse(text: str) -> Target:
    text = text.strip()
    if not text:
        raise PellucidError("the target is empty: give a class by name or number, 'layer:unit' or 'out[0]'")
    at = _last_sign(text)
    if at is not None:
        left, right = _parse(text[:at]), _parse(text[at + 3 :])
        return left - right if text[at + 1] == "-" else left + right
    if text.startswith("-") and not _class_number(text[1:]):  # -1 is far more often a slip than minus class 1
        return -_parse(text[1:])
    if match := _FACTOR.fullmatch(text):
        return float(match["factor"]) * _parse(match["rest"])
    if match := _GUESS.fullmatch(text):
        return Top(int(match["rank"])) if match["rank"] else BEST
    if match := _OUTPUT.fullmatch(text):
        return Output(*map(int, match[1].split(",")))
    if match := _UNIT.fullmatch(text):
        return _unit(match)
    if (match := _CALL.fullmatch(text)) and match["name"] in _CALLS:
        how, made = _CALLS[match["name"]]
        target = made(match["inside"].strip())
        if target is None:
            raise PellucidError(f"no target {text!r}: write {how}")
        return target
    return Logit(_class(text))


def _last_sign(text: str) -> int | None:
    """Where the last ` - ` or ` + ` outside brackets is: class names have hyphens, but not lonely ones."""
    depth, found = 0, None
    for i, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0 and text[i : i + 3] in (" - ", " + ") and i > 0:
            found = i
    return found


def _class(text: str) -> ClassName:
    return int(text) if _class_number(text) else text.strip()


def _class_number(text: str) -> bool:
    return text.strip().isdecimal()


def _unit(match: re.Match[str], how: Any = "mean") -> Target:
    if match["y"] is not None:
        return Neuron(match["layer"], int(match["unit"]), int(match["y"]), int(match["x"]))
    return Channel(match["layer"], int(match["unit"]), how)


def _reduced(how: str) -> Callable[[str], Target | None]:
    def made(inside: str) -> Target | None:
        match = _UNIT.fullmatch(inside)
        return _unit(match, how) if match and match["y"] is None else None

    return made


def _box(inside: str) -> Target | None:
    match = re.fullmatch(rf"(?P<of>.+?),({_NUMBER}),({_NUMBER}),({_NUMBER}),({_NUMBER})", inside)
    return Box(_class(match["of"]), tuple(float(side) for side in match.groups()[1:])) if match else None


def _word(inside: str) -> Target | None:
    match = re.fullmatch(r"(?P<token>.+),\s*(?P<position>\d+)", inside)
    return Word(_class(match["token"]), int(match["position"])) if match else None


def _sentence(inside: str) -> Target | None:
    tokens = [token.strip() for token in inside.split(",")]
    return Sentence(tuple(_class(token) for token in tokens)) if all(tokens) else None


def _similar(inside: str) -> Target | None:
    match = re.fullmatch(r"(?P<to>.+?)(?: at (?P<layer>[\w.#-]+))?", inside)
    return Similarity(match["to"], match["layer"]) if match else None


def _about(kind: Callable[[ClassName], Target]) -> Callable[[str], Target | None]:
    return lambda inside: kind(_class(inside)) if inside else None


_CALLS: dict[str, tuple[str, Callable[[str], Target | None]]] = {
    "p": ("p(CLASS)", _about(Probability)),
    "loss": ("loss(CLASS)", _about(Loss)),
    "max": ("max(LAYER:UNIT)", _reduced("max")),
    "sum": ("sum(LAYER:UNIT)", _reduced("sum")),
    "energy": ("energy(LAYER)", lambda inside: Energy(inside) if re.fullmatch(r"[\w.#-]+", inside) else None),
    "region": ("region(CLASS)", _about(Region)),
    "box": ("box(CLASS,x1,y1,x2,y2)", _box),
    "word": ("word(TOKEN,POSITION)", _word),
    "sentence": ("sentence(TOKEN,TOKEN,...)", _sentence),
    "similar": ("similar(PATH) or similar(PATH at LAYER)", _similar),
}
"""How each is written, and what it makes; None where it is not written so."""
