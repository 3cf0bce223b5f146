"""Recipes: parametrization × transforms × regularizers × optimizer as one value; the published ones by their names."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any

from pydantic import BeforeValidator, InstanceOf

from pellucid.errors import PellucidError, unknown
from pellucid.nouns import Noun
from pellucid.render.magnitude import Magnitude
from pellucid.render.optimizers import Adam, Ascent, Normalized, Optimizer, Progress
from pellucid.render.parametrizations import Fourier, Image, Pixels
from pellucid.render.parts import Without, part_of
from pellucid.render.regularizers import L2, Blur, Decay, PostStep, Prior, SmallContribution, SmallNorm
from pellucid.render.transforms import Crop, Jitter, Noise, Pad, Roll, Rotate, Scale, Transform


@dataclass(frozen=True)
class Recipe(Noun):
    """How a picture is made: what is optimized, what happens to it before the network sees it, what it should be
    like, how it climbs, and for how many steps.

    `redirect` is for how many steps rectifiers pass on what would wake them, where no gradient comes through;
    `best` keeps the picture with the highest objective instead of the last; `views_per_step` is how many times the
    network looks at each picture in a step; with `credit`, the share of each pixel in the climb is kept.
    """

    written, format = "RECIPE", "recipe"
    name: str
    image: Image
    optimizer: Optimizer
    steps: int
    transforms: tuple[Transform, ...] = ()
    priors: tuple[Prior, ...] = ()
    redirect: int = 16
    best: bool = False
    views_per_step: int = 1
    credit: bool = False

    def __post_init__(self) -> None:
        touches = [type(prior).__name__ for prior in self.priors if isinstance(prior, PostStep)]
        if touches and not isinstance(self.image, Pixels):
            raise PellucidError(
                f"{self.name}: {', '.join(touches)} touch single pixels, but {type(self.image).__name__} is no picture "
                "of pixels: add pixels()"
            )

    def __str__(self) -> str:
        return self.name

    @property
    def room(self) -> int:
        """How much larger than the picture the canvas is that the network sees, in pixels."""
        return sum(one.room for one in self.transforms)

    @property
    def cuts(self) -> bool:
        """Whether the network is shown parts of the picture, enlarged to its input."""
        return any(one.cuts for one in self.transforms)

    def facts(self) -> dict[str, Any]:
        """What a result's Meta records."""
        parts = [self.image, *self.transforms, *self.priors, self.optimizer]
        more = {"redirect": self.redirect, "best": self.best, "views_per_step": self.views_per_step}
        return {"name": self.name, "steps": self.steps, **more, "parts": [str(one) for one in parts]}

    def plain(self) -> str:
        """Its text, where that says all of it."""
        try:
            same = Recipe.of(self.name) == self
        except PellucidError:
            same = False
        return self.name if same else str(super().plain())

    @classmethod
    def of(cls, value: Recipe | str) -> Recipe:
        """A preset by its name, or a preset with parts of one's own: `lucid + tv(0.01) + jitter(16) + adam(0.1)`.

        A part takes the place of those of its kind; `none(jitter)` takes them away.
        """
        if isinstance(value, Recipe):
            return value
        name, *more = (part.strip() for part in str(value).split("+"))
        if name not in PRESETS:
            raise unknown("recipe", name, PRESETS)
        recipe = PRESETS[name]
        for part in more:
            recipe = _with(recipe, part)
        return replace(recipe, name=str(value)) if more else recipe


def _with(recipe: Recipe, text: str) -> Recipe:
    """The recipe with one part of it as the text says."""
    part = part_of(text)
    if isinstance(part, Without):
        return replace(
            recipe,
            transforms=tuple(one for one in recipe.transforms if not isinstance(one, part.kinds)),
            priors=tuple(one for one in recipe.priors if not isinstance(one, part.kinds)),
        )
    if isinstance(part, Image):
        return replace(recipe, image=part)
    if isinstance(part, Optimizer):
        return replace(recipe, optimizer=part)
    if isinstance(part, Transform):
        return replace(recipe, transforms=(*(one for one in recipe.transforms if type(one) is not type(part)), part))
    return replace(recipe, priors=(*(one for one in recipe.priors if type(one) is not type(part)), part))


# Yosinski et al. give their rates for pixels X = 255 x. With G = dS/dX = g / 255, their step X += rate · G is
# x += rate · g / 255² for ours, and their rate by progress, gain / ‖G‖², becomes 255² times that: of it the squares
# cancel, and only its ceiling is divided. Shares and percentiles have no unit.
_BYTES = 255.0
_CAFFE = Pixels(noise=10 / _BYTES)
# Ours is lucid's with half the steps, and factors and angles from whole ranges. Tried on the bundled network: 128 steps
# already reach the best photo for all of 11 channels, 256 give more contrast. Steeper spectra, fourier(1.15) +
# adam(0.04), look more painted, but of ten classes another network then recognizes 3 and not 7; stronger touches
# (scale 0.6 to 1.2, jitter 24) cost more of that; tv(0.003) cleans classes, but wipes out targets of small numbers.
PRESETS: dict[str, Recipe] = {
    "pellucid": Recipe(
        "pellucid", Fourier(), Adam(0.05), 256, (Pad(12), Jitter(8), Scale(0.9, 1.1), Rotate(10), Jitter(4))
    ),
    "lucid": Recipe(
        "lucid", Fourier(), Adam(0.05), 512,
        (Pad(12), Jitter(8), Scale(0.9, 1.1, levels=11), Rotate(10, still=5), Jitter(4)),
    ),
    "maco": Recipe(
        "maco", Magnitude(), Adam(1.0, nesterov=True), 1000, (Crop(0.20, 0.25), Noise(0.05 / 5)),
        views_per_step=6, credit=True,
    ),
    "yosinski-1": Recipe(
        "yosinski-1", _CAFFE, Progress(2.0, most=100 / _BYTES**2), 500, (), (Blur(0.5, 4), SmallNorm(50)),
        redirect=0, best=True,
    ),
    "yosinski-2": Recipe(
        "yosinski-2", _CAFFE, Ascent(100 / _BYTES**2), 750, (), (Decay(0.3), SmallNorm(20)), redirect=0, best=True
    ),
    "yosinski-3": Recipe(
        "yosinski-3", _CAFFE, Ascent(100 / _BYTES**2), 1000, (), (Decay(0.0001), Blur(1.0, 4)), redirect=0, best=True
    ),
    "yosinski-4": Recipe(
        "yosinski-4", _CAFFE, Progress(2.0, most=1e8 / _BYTES**2), 1000, (), (Blur(0.5, 4), SmallContribution(90)),
        redirect=0, best=True,
    ),
    "simonyan": Recipe("simonyan", Pixels(noise=0), Normalized(1 / _BYTES), 256, (), (L2(0.01),), redirect=0),
    "deepdream": Recipe("deepdream", Pixels(noise=10 / _BYTES), Normalized(1.5 / _BYTES), 40, (Roll(32),), redirect=0),
}  # fmt: skip
"""The published recipes by their names, and our own."""
BEST = PRESETS["pellucid"]
"""What is used where nobody asks for another."""


def recipe(value: Recipe | str) -> Any:
    """For pydantic: text becomes a recipe, what is none is left for it to refuse."""
    return Recipe.of(value) if isinstance(value, str) else value


RecipeOption = Annotated[InstanceOf[Recipe], BeforeValidator(recipe)]
"""An option that takes a preset's name, with parts of one's own or without, or a `Recipe`."""
