"""The unit that is asked about, as a noun: `layer:channel`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias, final

from pellucid.errors import PellucidError
from pellucid.nouns import Noun
from pellucid.target import Channel, Target


@final
@dataclass(frozen=True)
class Unit(Noun):
    """One channel of one layer."""

    written, samples, format = "LAYER:UNIT", ("blocks.4:17",), "unit"
    help = "layer and channel of the unit, such as blocks.4:17"
    layer: str
    channel: int

    @classmethod
    def of(cls, value: UnitLike) -> Unit:
        """`layer:channel`, or a pair, or the target of a channel."""
        if isinstance(value, Unit):
            return value
        if isinstance(value, tuple) and len(value) == 2:
            return cls(str(value[0]), int(value[1]))
        target = Target.of(value) if isinstance(value, (str, Target)) else value
        if not isinstance(target, Channel):
            raise PellucidError(f"no unit {value!r}: write layer:channel, such as layer4:151")
        return cls(target.layer, target.index)

    def __str__(self) -> str:
        return f"{self.layer}:{self.channel}"

    def facts(self) -> dict[str, Any]:
        """What a result's Meta records."""
        return {"target": str(self), "layer": self.layer}

    def plain(self) -> str:
        """As it is written."""
        return str(self)


UnitLike: TypeAlias = Unit | str | tuple[str, int] | Target
"""A unit, or `layer:channel`, a pair of both, or the target that is the channel."""
