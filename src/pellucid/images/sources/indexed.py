"""The images that an index was made of: `x.index` stands for them wherever images are asked for."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path

from pellucid.errors import BadImage
from pellucid.images import Images
from pellucid.images.remote import is_url
from pellucid.images.sources import Source, source
from pellucid.plugins import IMAGES

_PLAN, _MOST = "plan.json", 64 * 2**20


@source("index", written="x.index (the images of an index)", suffixes=(".index",))
class OfIndex(Source):
    """Whatever source the index names, where that is on this machine."""

    def __init__(self, place: str) -> None:
        super().__init__(str(Path(place).expanduser().resolve()))

    @cached_property
    def _named(self) -> Source:
        """The source itself. Raises BadImage where the folder is no index, or the index names images elsewhere."""
        try:
            with (Path(self.place) / _PLAN).open("rb") as file:
                text = json.loads(file.read(_MOST))["plan"]["source"]
            kind, _, inside = text.partition(":")
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadImage(f"{self.place!r} is no index: no {_PLAN} in it says what its images are") from error
        ours = {row.name for row in IMAGES.rows() if not row.package} - {self.kind}
        if kind not in ours or is_url(inside) or "://" in inside or inside.startswith(("\\\\", "//")):
            raise BadImage(f"the index {self.place!r} names images at {text[:100]!r}, not in files here: name them")
        found = Source.of(text)
        found.value_range = self.value_range
        return found

    def __len__(self) -> int:
        return len(self._named)

    def name(self, i: int) -> str:
        return self._named.name(i)

    def read(self, i: int) -> Images:
        return self._named.read(i)

    def label(self, i: int) -> int | None:
        return self._named.label(i)

    def fetch(self, i: int) -> tuple[Images, int]:
        return self._named.fetch(i)

    def stamp(self, i: int) -> tuple[int, int] | None:
        return self._named.stamp(i)

    @property
    def classes(self) -> tuple[str, ...]:
        return self._named.classes

    @property
    def _passed(self) -> tuple[str, ...]:
        return tuple(note.text for note in self._named.notes)
