"""A recipe as an option: `epochs=20,lr=0.01`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Annotated, Any

from pydantic import BeforeValidator, InstanceOf

from pellucid.errors import PellucidError, unknown
from pellucid.learning.train import Recipe
from pellucid.nouns import Noun

_READ: dict[str, Callable[[str], Any]] = {
    "int": int,
    "float": float,
    "bool": lambda text: text in ("yes", "True", "true", "1"),
}


@dataclass(frozen=True)
class RecipeText(Noun):
    """How a network is trained, as text."""

    written, format = "NAME=VALUE,…", "recipe"
    said: str

    @classmethod
    def of(cls, value: Any) -> RecipeText:
        """From text. PellucidError with the nearest name for what a recipe does not have."""
        found = value if isinstance(value, RecipeText) else cls(str(value).replace(" ", ""))
        found.recipe()
        return found

    def recipe(self, **defaults: Any) -> Recipe:
        """With these where the text says nothing."""
        kinds = {field.name: str(field.type) for field in fields(Recipe)}
        given = dict(defaults)
        for part in filter(None, self.said.split(",")):
            name, _, text = part.partition("=")
            if name not in kinds:
                raise unknown("part of a recipe", name, kinds)
            try:
                given[name] = _READ.get(kinds[name].split(" ")[0], str)(text)
            except ValueError:
                raise PellucidError(f"recipe {part!r}: {name} is a number, such as {name}=1") from None
        return Recipe(**given)

    def __str__(self) -> str:
        return self.said

    def plain(self) -> str:
        """Its text."""
        return self.said


def _given(value: RecipeText | str) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return RecipeText.of(value)
    except PellucidError as error:
        raise ValueError(str(error)) from error


RecipeOption = Annotated[InstanceOf[RecipeText], BeforeValidator(_given)]
"""An option that says how something is trained."""
