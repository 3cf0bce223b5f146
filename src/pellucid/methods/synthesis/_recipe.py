"""Recipes: parametrisation × transforms × priors × climb as one value; the published ones by their names."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Annotated, Any

from pydantic import BeforeValidator, InstanceOf

from pellucid.errors import PellucidError, unknown
from pellucid.methods.synthesis._climb import Adam, Ascent, Climb, Normalised, Progress
from pellucid.methods.synthesis._image import Fourier, Image, Pixels
from pellucid.methods.synthesis._priors import (
    L2,
    Blur,
    Decay,
    Prior,
    SmallContribution,
    SmallNorm,
    TotalVariation,
    Touch,
)
from pellucid.methods.synthesis._transforms import Jitter, Pad, Rotate, Scale, Transform

Part = Image | Transform | Prior | Climb


@dataclass(frozen=True)
class Recipe:
    """How a picture is made: what is optimised, what happens to it before the network sees it, what it should be
    like, how it climbs, and for how many steps.

    `redirect` is for how many steps rectifiers that answer nothing pass on what would wake them; `best` keeps the
    picture with the highest objective instead of the last.
    """

    name: str
    image: Image
    climb: Climb
    steps: int
    transforms: tuple[Transform, ...] = ()
    priors: tuple[Prior, ...] = ()
    redirect: int = 16
    best: bool = False

    def __post_init__(self) -> None:
        touches = [type(prior).__name__ for prior in self.priors if isinstance(prior, Touch)]
        if touches and not isinstance(self.image, Pixels):
            raise PellucidError(
                f"{self.name}: {', '.join(touches)} touch single pixels, but {type(self.image).__name__} is no picture "
                "of pixels: add pixels()"
            )

    def __str__(self) -> str:
        return self.name

    def facts(self) -> dict[str, Any]:
        """What a result's Meta records."""
        parts = [self.image, *self.transforms, *self.priors, self.climb]
        return {"name": self.name, "steps": self.steps, "redirect": self.redirect, "parts": [str(one) for one in parts]}

    @classmethod
    def of(cls, value: Any) -> Recipe:
        """A preset by its name, or a preset with parts of one's own: `lucid + tv(0.01) + jitter(16) + adam(0.1)`.

        A part takes the place of those of its kind; `none(jitter)` takes them away.
        """
        if isinstance(value, Recipe):
            return value
        name, *more = (part.strip() for part in str(value).split("+"))
        if name not in PRESETS:
            raise unknown("preset", name, PRESETS)
        recipe = PRESETS[name]
        for part in more:
            recipe = _with(recipe, part)
        return replace(recipe, name=str(value)) if more else recipe


def _with(recipe: Recipe, text: str) -> Recipe:
    """The recipe with one part of it as the text says."""
    match = _PART.fullmatch(text)
    if match is None:
        raise PellucidError(f"no part {text!r}: write it as tv(0.01) or jitter(8)")
    name, inside = match["name"], [word.strip() for word in (match["inside"] or "").split(",") if word.strip()]
    if name == "none":
        gone = tuple(PARTS[one] for one in inside if one in PARTS)
        if len(gone) != len(inside) or not inside:
            raise unknown("part", ", ".join(inside), PARTS)
        return replace(
            recipe,
            transforms=tuple(one for one in recipe.transforms if not isinstance(one, gone)),
            priors=tuple(one for one in recipe.priors if not isinstance(one, gone)),
        )
    if name not in PARTS:
        raise unknown("part", name, [*PARTS, "none"])
    try:
        part = PARTS[name](*map(_number, inside))
    except (TypeError, ValueError) as error:
        raise PellucidError(f"no part {text!r}: {name} takes {_wanted(PARTS[name])}") from error
    if isinstance(part, Image):
        return replace(recipe, image=part)
    if isinstance(part, Climb):
        return replace(recipe, climb=part)
    if isinstance(part, Transform):
        return replace(recipe, transforms=(*(one for one in recipe.transforms if type(one) is not type(part)), part))
    return replace(recipe, priors=(*(one for one in recipe.priors if type(one) is not type(part)), part))


_PART = re.compile(r"(?P<name>[a-z_]+)(?:\((?P<inside>[^()]*)\))?")


def _number(word: str) -> float | int:
    number = float(word)
    return int(number) if number.is_integer() else number


def _wanted(kind: Any) -> str:
    return ", ".join(kind.__dataclass_fields__)


PARTS: dict[str, Any] = {
    "pixels": Pixels,
    "fourier": Fourier,
    "pad": Pad,
    "jitter": Jitter,
    "scale": Scale,
    "rotate": Rotate,
    "l2": L2,
    "tv": TotalVariation,
    "decay": Decay,
    "blur": Blur,
    "small_norm": SmallNorm,
    "small_contribution": SmallContribution,
    "adam": Adam,
    "ascent": Ascent,
    "progress": Progress,
    "normalised": Normalised,
}
"""What each part of a recipe is called in text."""

PRESETS: dict[str, Recipe] = {
    "lucid": Recipe("lucid", Fourier(), Adam(0.05), 256, (Pad(12), Jitter(8), Scale(0.9, 1.1), Rotate(10), Jitter(4))),
}
"""The published recipes."""


LUCID = PRESETS["lucid"]


def recipe(value: Any) -> Any:
    """For pydantic: text becomes a recipe, what is none is left for it to refuse."""
    return Recipe.of(value) if isinstance(value, str) else value


RecipeOption = Annotated[InstanceOf[Recipe], BeforeValidator(recipe)]
"""An option that takes a preset's name, with parts of one's own or without, or a `Recipe`."""
