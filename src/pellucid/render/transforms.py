"""Transforms: what happens to a picture before the network sees it, drawn anew at each step for each picture.

Shifts, zooms, turns and cuts are composed into one affine map: a picture is resampled once and not four times.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from pellucid.render.affine import Matrix, shifted, turned, zoomed


class Transform(ABC):
    """One random touch."""

    room = 0
    """How much larger (or smaller, below 0) than the picture the canvas is that the network sees, in pixels."""
    wraps = 0
    """By how many pixels the picture is continued with its other side."""
    cuts = False
    """It shows the network a part of the picture, whatever the picture's size."""

    @abstractmethod
    def draw(self, chance: np.random.Generator, side: int) -> Matrix:
        """One affine map; `side` is the shorter side of the picture."""

    def added(self, chance: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float32] | None:
        """What is added to what the network sees, or None."""
        return None


@final
@dataclass(frozen=True)
class Pad(Transform):
    """A gray frame of so many pixels."""

    pixels: int

    @property
    def room(self) -> int:  # type: ignore[override]
        return 2 * self.pixels

    def draw(self, chance: np.random.Generator, side: int) -> Matrix:
        return np.eye(3)


@final
@dataclass(frozen=True)
class Jitter(Transform):
    """A shift by up to half of `pixels` each way: a window of the canvas less `pixels`, anywhere in it."""

    pixels: int

    @property
    def room(self) -> int:  # type: ignore[override]
        return -self.pixels

    def draw(self, chance: np.random.Generator, side: int) -> Matrix:
        down, across = chance.integers(0, self.pixels + 1, 2) - self.pixels / 2
        return shifted(float(down), float(across))


@final
@dataclass(frozen=True)
class Roll(Transform):
    """A shift by up to so many pixels each way; what leaves on one side enters on the other."""

    pixels: int

    @property
    def wraps(self) -> int:  # type: ignore[override]
        return self.pixels

    def draw(self, chance: np.random.Generator, side: int) -> Matrix:
        down, across = chance.integers(-min(self.pixels, side), min(self.pixels, side) + 1, 2)
        return shifted(float(down), float(across))


@final
@dataclass(frozen=True)
class Scale(Transform):
    """The picture enlarged `low` to `high` times; with `levels`, one of so many factors at even distances."""

    low: float | int
    high: float | int
    levels: int = 0

    def draw(self, chance: np.random.Generator, side: int) -> Matrix:
        if self.levels > 1:
            share = float(chance.integers(self.levels)) / (self.levels - 1)
            return zoomed(self.low + share * (self.high - self.low))
        return zoomed(float(chance.uniform(self.low, self.high)))


@final
@dataclass(frozen=True)
class Rotate(Transform):
    """A turn by up to so many degrees either way; with `still`, by whole degrees, and 0 is `still` times as likely
    again as each of them."""

    degrees: float | int
    still: int = 0

    def draw(self, chance: np.random.Generator, side: int) -> Matrix:
        if self.still:
            most = round(self.degrees)
            drawn = int(chance.integers(-most, most + 1 + self.still))
            return turned(float(drawn if drawn <= most else 0))
        return turned(float(chance.uniform(-self.degrees, self.degrees)))


@final
@dataclass(frozen=True)
class Crop(Transform):
    """A square of `low` to `high` of the picture's side, its center N(½, spread²) of it, and inside the picture."""

    low: float | int
    high: float | int
    spread: float | int = 0.15
    cuts = True

    def draw(self, chance: np.random.Generator, side: int) -> Matrix:
        part = float(chance.uniform(self.low, self.high))
        most = (1 - part) / 2
        down, across = np.clip(self.spread * chance.standard_normal(2), -most, most) * side
        return shifted(float(down), float(across)) @ zoomed(1 / part)


@final
@dataclass(frozen=True)
class Noise(Transform):
    """N(0, amount²) and a uniform number within ± amount / 2 on every number that the network sees."""

    amount: float | int

    def draw(self, chance: np.random.Generator, side: int) -> Matrix:
        return np.eye(3)

    def added(self, chance: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float32] | None:
        wild = (
            chance.standard_normal(shape, dtype=np.float32) + chance.random(shape, dtype=np.float32) - np.float32(0.5)
        )
        return np.float32(self.amount) * wild


def drawn(transforms: Sequence[Transform], chance: Sequence[np.random.Generator], side: int) -> list[Matrix]:
    """For each generator one composition of all transforms; the first touches the picture first."""
    found: list[Matrix] = []
    for one in chance:
        whole = np.eye(3)
        for transform in transforms:
            whole = whole @ transform.draw(one, side)
        found.append(whole)
    return found
