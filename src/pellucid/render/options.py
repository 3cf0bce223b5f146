"""The options that methods share which make images by a recipe."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pellucid.described import Default
from pellucid.render.recipes import RecipeOption

Preset = Annotated[
    RecipeOption,
    Field(description="published recipe, or one with parts of your own: lucid + tv(0.01)", examples=["lucid"]),
]
Steps = Annotated[
    int | None, Field(ge=1, description="number of optimization steps", examples=[128]), Default("as the recipe says")
]
Side = Annotated[
    int | None, Field(ge=8, description="side of the images, in pixels"), Default("the network's input size")
]
