"""Which concept each unit detects: its overlap with all of them, as network dissection counts it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import Refused
from pellucid.images.concepts import Concepts
from pellucid.index.active import Judged
from pellucid.index.index import Index
from pellucid.index.overlap import Seen, passed


@dataclass(frozen=True, eq=False)
class Detectors:
    """The units of some layers beside the concepts of images with masks (Bau et al. 2017, equation 1)."""

    judged: Judged
    numbers: tuple[int, ...]
    """Of the concepts, in the order of the columns."""
    category: NDArray[np.int64]
    """Of each concept."""
    seen: Seen
    overlap: NDArray[np.float64]
    """(units, concepts) intersection over union."""

    @classmethod
    def of(cls, index: Index, concepts: Concepts, layers: Sequence[str], share: float, few: int) -> Detectors:
        """Of units that are active where a `share` of their activations is exceeded, with the `few` images that excite
        each most. One pass over the images with masks. Refused where a layer has no places.
        """
        for name in layers:
            if not index[name].mapped:
                raise Refused(f"layer {name!r} has no places: no map of it can be laid over a mask")
        judged, numbers = Judged.by(index, layers, share), tuple(concepts.names)
        kinds = sorted(set(concepts.categories.values()))
        category = np.array([kinds.index(concepts.categories[number]) for number in numbers])
        seen = passed(index, concepts, judged, numbers, category, few)
        return cls(judged, numbers, category, seen, seen.counts.overlap(category))

    @property
    def best(self) -> NDArray[np.int64]:
        """(units,) the column of the concept that each overlaps most."""
        return np.asarray(self.overlap.argmax(1))

    @property
    def value(self) -> NDArray[np.float64]:
        """(units,) that overlap."""
        return np.asarray(self.overlap[np.arange(len(self.overlap)), self.best])

    def limit(self, one_in: int, least: float) -> float:
        """The overlap that one unit in so many exceeds with the masks of other images, `least` at the least."""
        return max(float(np.quantile(self.chance, 1 - 1 / one_in)), least)

    @property
    def chance(self) -> NDArray[np.float64]:
        """(units,) the largest overlap of each with the masks of other images, from the smallest."""
        return np.sort(self.seen.chance.overlap(self.category).max(1))
