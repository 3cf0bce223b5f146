"""Records: what is known of real images that a synthetic picture is held against."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import final

from pellucid.geometry import Floats
from pellucid.images import Images
from pellucid.notes import Note
from pellucid.render.peers import Peers
from pellucid.statistics import Moments
from pellucid.target import Target


@final
@dataclass(frozen=True)
class Record:
    """What real images say to one target.

    `best` are up to nine (activation, name), the strongest first, equal ones by name; `values` all activations in
    rising order, where they are known; `signed` says that the unit can be negative.
    """

    count: int
    mean: float
    signed: bool
    best: tuple[tuple[float, str], ...]
    values: Floats | None = None

    def share_below(self, value: float) -> float | None:
        """The share of the images that excite less than that."""
        return None if self.values is None else bisect.bisect_left(self.values, value) / max(self.count, 1)


@final
@dataclass(frozen=True)
class Known:
    """What is known of real images; an index of a data set may fill it as well as a pass over a folder.

    `moments` are those of every channel or class over the images, (channels,). `picture(name)` reads one again. What
    is not in the mappings is unknown.
    """

    count: int
    records: Mapping[Target, Record]
    moments: Mapping[Peers, Moments[Floats]]
    picture: Callable[[str], Images]
    notes: tuple[Note, ...] = ()
