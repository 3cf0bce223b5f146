"""The sample photos cut into many: a small data set that comes with Pellucid, for a first look at an index."""

from __future__ import annotations

from functools import cached_property

from pellucid.images import Images, read, samples
from pellucid.images.sources import Source, source

_CUTS = ((1, 1.0), (2, 0.75), (3, 0.55), (4, 0.38))
"""(windows in a row and in a column, their share of the photo's sides)."""


@source("samples", written="samples, which come with Pellucid", alone=True)
class Samples(Source):
    """Every sample photo whole, and through windows of three sizes: 30 images of each; the photo is the class."""

    @cached_property
    def classes(self) -> tuple[str, ...]:
        return samples()

    @cached_property
    def _windows(self) -> tuple[tuple[int, float, float, float], ...]:
        """(photo, share of its sides, top, left), the last two as shares of the way."""
        return tuple(
            (photo, share, row / max(n - 1, 1), column / max(n - 1, 1))
            for photo in range(len(self.classes))
            for n, share in _CUTS
            for row in range(n)
            for column in range(n)
        )

    @cached_property
    def _photos(self) -> dict[int, Images]:
        return {}

    def __len__(self) -> int:
        return len(self._windows)

    def name(self, i: int) -> str:
        photo, share, top, left = self._windows[i]
        return f"{self.classes[photo]}/{share:.2f}-{top:.2f}-{left:.2f}"

    def label(self, i: int) -> int | None:
        return self._windows[i][0]

    def read(self, i: int) -> Images:
        photo, share, top, left = self._windows[i]
        if photo not in self._photos:
            self._photos[photo] = read(f"sample:{self.classes[photo]}")
        whole = self._photos[photo].pictures[0]
        high, wide = (round(side * share) for side in whole.shape[1:])
        y, x = round(top * (whole.shape[1] - high)), round(left * (whole.shape[2] - wide))
        return Images.from_pictures([whole[:, y : y + high, x : x + wide].contiguous()], [self.name(i)])
