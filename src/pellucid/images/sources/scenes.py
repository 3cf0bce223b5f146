"""Generated scenes as a source of images: as many as asked for, the same for a seed whenever they are made."""

from __future__ import annotations

import csv
import io
import re
from functools import cached_property
from pathlib import Path

import torch
from PIL import Image

from pellucid.errors import BadImage, PellucidError
from pellucid.files import write_atomically
from pellucid.images import Images
from pellucid.images.scenes import COLORS, SHAPES, Scene, scene
from pellucid.images.sources import Source, source

_COUNT = 60
_THINGS = tuple(f"{color} {shape}" for color in COLORS for shape in SHAPES)


@source("scenes", written="scenes:COUNT or scenes:COUNT,SEED, which are generated", alone=True)
class Scenes(Source):
    """Scenes 0 to `count` − 1 of a seed. The class of one is its first object, such as red square."""

    def __init__(self, place: str = "") -> None:
        match = re.fullmatch(r"(?:(\d{1,9})(?:,(\d{1,9}))?)?", place)
        if match is None or match[1] == "0":
            raise BadImage(f"scenes:{place} are no scenes: scenes:COUNT or scenes:COUNT,SEED, such as scenes:60")
        super().__init__(place)
        self.count, self.seed = int(match[1] or _COUNT), int(match[2] or 0)

    @cached_property
    def classes(self) -> tuple[str, ...]:
        return _THINGS

    def __len__(self) -> int:
        return self.count

    def name(self, i: int) -> str:
        return f"scene {i}" + (f" of seed {self.seed}" if self.seed else "")

    def scene(self, i: int) -> Scene:
        """Scene i, with its sentence and its masks."""
        return scene(i, self.seed)

    def label(self, i: int) -> int | None:
        one = self.scene(i)
        return _THINGS.index(f"{one.colors[0]} {one.shapes[0]}")

    def read(self, i: int) -> Images:
        pixels = torch.from_numpy(self.scene(i).pixels).permute(2, 0, 1).contiguous()
        return Images.from_pictures([pixels], [self.name(i)])

    def write(self, folder: str | Path) -> Path:
        """Write them to a folder that is there: images/ and masks/ with classes.csv, as `Concepts` reads them (a class
        for each kind of object), and captions.csv, as `captions.captioner` does. Raises PellucidError where there is
        no such folder.
        """
        place = Path(folder).expanduser()
        if not place.is_dir():
            raise PellucidError(f"write({str(folder)!r}): there is no such folder; make it first")
        for name in ("images", "masks"):
            (place / name).mkdir(exist_ok=True)
        said = []
        for i in range(len(self)):
            one, name = self.scene(i), f"{i:06d}.png"
            kinds = [_THINGS.index(" ".join(pair)) + 1 for pair in zip(one.colors, one.shapes, strict=True)]
            masks = (one.masks[0] * kinds[0] + one.masks[1] * kinds[1]).astype("uint8")
            for part, pixels in (("images", one.pixels), ("masks", masks)):
                held = io.BytesIO()
                Image.fromarray(pixels).save(held, "PNG")
                write_atomically(place / part / name, lambda file, held=held: file.write(held.getvalue()))  # type: ignore[misc]
            said.append((f"images/{name}", one.sentence))
        _table(place / "classes.csv", [("number", "name"), *((str(k + 1), name) for k, name in enumerate(_THINGS))])
        _table(place / "captions.csv", [("image", "sentence"), *said])
        return place


def _table(path: Path, rows: list[tuple[str, str]]) -> None:
    held = io.StringIO()
    csv.writer(held, lineterminator="\n").writerows(rows)
    write_atomically(path, lambda file: file.write(held.getvalue().encode()))
