"""A source of images."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import torch

from pellucid.images import Images
from pellucid.images.sources import Source, source


@source("ramps", written="x.ramps", suffixes=(".ramps",))
class Ramps(Source):
    """A text file with a word in each line, `upright` or `level`: a picture that is brighter there."""

    @cached_property
    def _lines(self) -> tuple[str, ...]:
        return tuple(Path(self.place).read_text(encoding="utf-8").split())

    @cached_property
    def classes(self) -> tuple[str, ...]:
        return tuple(sorted(set(self._lines)))

    def __len__(self) -> int:
        return len(self._lines)

    def name(self, i: int) -> str:
        return f"{i} {self._lines[i]}"

    def label(self, i: int) -> int | None:
        return self.classes.index(self._lines[i])

    def read(self, i: int) -> Images:
        ramp = torch.linspace(0, 1, 16) ** (1 + i)
        pixels = ramp.expand(16, 16) if self._lines[i] == "upright" else ramp.expand(16, 16).T
        return Images.from_pictures([pixels.expand(3, 16, 16).contiguous()], [self.name(i)])
