"""Some images of an index, in a stated order, for the one loop over many images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pellucid.images import Images
from pellucid.images.labeled import Labeled

if TYPE_CHECKING:
    from pellucid.index.opened import Opened


@dataclass(frozen=True, eq=False)
class Chosen(Labeled):
    """Images by their numbers in the index. Its classes are its own, so none is told to a network."""

    called = "images of the index"

    index: Opened
    images: Sequence[int]

    def __len__(self) -> int:
        return len(self.images)

    def name(self, i: int) -> str:
        """Its name in the source."""
        return self.index.source.name(self.images[i])

    def item(self, i: int) -> tuple[Images, None]:
        """Image i, if it is still that of the index."""
        return self.index.read(self.images[i]), None
