"""Many images by number, each read when it is its turn, with its class where somebody knows it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from pellucid.images import Images


class Labeled(ABC):
    """Images in a stated order. None is read before it is asked for, and none is kept."""

    __slots__ = ()

    called: ClassVar[str] = "images"
    """What they are, where one speaks of them."""

    @abstractmethod
    def __len__(self) -> int:
        """How many."""

    @abstractmethod
    def name(self, i: int) -> str:
        """What image i is called."""

    @abstractmethod
    def item(self, i: int) -> tuple[Images, int | None]:
        """Image i, and its class among those of the network. Raises BadImage with the reason where it is unreadable."""

    def on(self, net: Any) -> Labeled:
        """The same for a network: with its classes, and its scale of pixels."""
        return self


@dataclass(frozen=True)
class Unlabeled(Labeled):
    """Images that are in memory already, without classes."""

    images: Images

    def __len__(self) -> int:
        return len(self.images)

    def name(self, i: int) -> str:
        """Its id."""
        return self.images.ids[i]

    def item(self, i: int) -> tuple[Images, None]:
        """Image i alone."""
        return self.images[i], None


@dataclass(frozen=True)
class FromSource(Labeled):
    """The images of a `Source`, whose own classes are none of a network's: `Data` is for that."""

    source: Any

    def __len__(self) -> int:
        return len(self.source)

    def name(self, i: int) -> str:
        """Its name in the source."""
        return str(self.source.name(i))

    def item(self, i: int) -> tuple[Images, None]:
        """Image i, as it is read."""
        return self.source.read(i), None
