"""The parts of a recipe by their names, and how they are written as text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pellucid.errors import PellucidError, unknown
from pellucid.render.magnitude import Magnitude
from pellucid.render.optimizers import Adam, Ascent, Normalized, Optimizer, Progress
from pellucid.render.parametrizations import Fourier, Image, Pixels
from pellucid.render.regularizers import L2, Blur, Decay, Prior, SmallContribution, SmallNorm, TotalVariation
from pellucid.render.transforms import Crop, Jitter, Noise, Pad, Roll, Rotate, Scale, Transform

Part = Image | Transform | Prior | Optimizer
PARTS: dict[str, Any] = {
    "pixels": Pixels,
    "fourier": Fourier,
    "magnitude": Magnitude,
    "pad": Pad,
    "jitter": Jitter,
    "scale": Scale,
    "roll": Roll,
    "rotate": Rotate,
    "crop": Crop,
    "noise": Noise,
    "l2": L2,
    "tv": TotalVariation,
    "decay": Decay,
    "blur": Blur,
    "small_norm": SmallNorm,
    "small_contribution": SmallContribution,
    "adam": Adam,
    "ascent": Ascent,
    "progress": Progress,
    "normalized": Normalized,
}
"""What each part of a recipe is called in text."""
_TEXT = re.compile(r"(?P<name>[a-z][a-z0-9_]*)(?:\((?P<inside>[^()]*)\))?")


@dataclass(frozen=True)
class Without:
    """What `none(jitter, tv)` stands for: parts of these kinds are taken away."""

    kinds: tuple[type, ...]


def part_of(text: str) -> Part | Without:
    """The part that a text such as `tv(0.01)` stands for. Raises PellucidError for one that says nothing known."""
    match = _TEXT.fullmatch(text)
    if match is None:
        raise PellucidError(f"no part {text!r}: write it as tv(0.01) or jitter(8)")
    name, inside = match["name"], [word.strip() for word in (match["inside"] or "").split(",") if word.strip()]
    if name == "none":
        gone = tuple(PARTS[one] for one in inside if one in PARTS)
        if len(gone) != len(inside) or not inside:
            raise unknown("part", ", ".join(inside), PARTS)
        return Without(gone)
    if name not in PARTS:
        raise unknown("part", name, [*PARTS, "none"])
    try:
        part: Part = PARTS[name](*map(_number, inside))
    except (TypeError, ValueError) as error:
        raise PellucidError(f"no part {text!r}: {name} takes {_wanted(PARTS[name])}") from error
    return part


def _number(word: str) -> float | int:
    number = float(word)
    return int(number) if number.is_integer() else number


def _wanted(kind: Any) -> str:
    return ", ".join(kind.__dataclass_fields__)
