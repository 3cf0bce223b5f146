"""Options that the methods of a landscape share, declared once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, InstanceOf

from pellucid.data import DataOption
from pellucid.described import Default
from pellucid.errors import PellucidError, unknown
from pellucid.loss.directions import DirectionOption
from pellucid.net.norms import Norms
from pellucid.nouns import Noun
from pellucid.target import Target, TargetLike

Points = Annotated[int, Field(ge=3, le=1001, description="number of places along an axis, both ends included")]


@dataclass(frozen=True)
class Extent(Noun):
    """How many places along an axis, both ends included; how far the ends are from the center, in units of the axis;
    and how often a plane's grid is halved where the loss bends most.

    As text: `25`, `25:reach=0.5`, `13:reach=2,refine=1`.
    """

    written, format = "POINTS:reach=…,refine=…", "extent"
    points: int = 25
    reach: float | int = 1.0
    refine: int = 0

    def __post_init__(self) -> None:
        if not (3 <= self.points <= 1001 and 0 < self.reach < math.inf and 0 <= self.refine <= 4):
            raise PellucidError(
                f"points={self}: 3 to 1001 places along an axis, a reach above 0, refine 0 to 4; such as 25:reach=0.5"
            )

    @classmethod
    def of(cls, value: Extent | int | str) -> Extent:
        """From a number of places, or text. Raises PellucidError, naming what may be written."""
        if isinstance(value, Extent):
            return value
        points, _, rest = str(value).partition(":")
        parts = dict(part.partition("=")[::2] for part in rest.split(",")) if rest else {}
        for name in parts:
            if name not in ("reach", "refine"):
                raise unknown("part of points", name, ("reach", "refine"))
        try:
            return cls(int(points), float(parts.get("reach", 1.0)), int(parts.get("refine", 0)))
        except ValueError as error:
            raise PellucidError(f"points={value!r}: a number of places, such as 25 or 25:reach=0.5,refine=1") from error

    def __str__(self) -> str:
        said = [f"reach={self.reach:g}"] * (self.reach != 1) + [f"refine={self.refine}"] * (self.refine != 0)
        return f"{self.points}:{','.join(said)}" if said else str(self.points)

    def plain(self) -> str:
        """Its text."""
        return str(self)


def _extent(value: Extent | int | str) -> Any:
    try:
        return Extent.of(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else value
    except PellucidError as error:
        raise ValueError(str(error)) from error


ExtentOption = Annotated[
    InstanceOf[Extent],
    BeforeValidator(_extent),
    Field(
        description="number of places along an axis, with the distance of its ends from the center in its units, and "
        "how often the grid of a plane is refined, such as 25:reach=0.5,refine=1",
        examples=["9:reach=0.5"],
    ),
]
NormsOption = Annotated[
    Norms,
    Field(
        description="statistics of batch norms: frozen as stored, batch of each batch, reestimated at every place, "
        "interpolated between two networks"
    ),
]
DirectionChoice = Annotated[
    DirectionOption,
    Field(
        description="kind and scale of directions: random, gradient, eigenvector, smallest, or a plane through "
        "networks, such as random:normalize=layer",
        examples=["random:normalize=layer"],
    ),
]
Test = Annotated[DataOption | None, Field(description="more images, such as those of a test set"), Default("none")]


def _target(value: TargetLike) -> Any:
    try:
        return value if value is None else Target.of(value)
    except PellucidError as error:
        raise ValueError(str(error)) from error


MeasureOption = Annotated[
    InstanceOf[Target] | None,
    BeforeValidator(_target),
    Field(
        description="target whose mean over the images is drawn besides loss and accuracy, in its own unit",
        examples=["p(0)"],
    ),
    Default("none"),
]
