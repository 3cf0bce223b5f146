"""Whole-slide pictures: tiles of scanned tissue, read where they lie; the slide is never in memory as a whole."""

from __future__ import annotations

import hashlib
import threading
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import torch
from jaxtyping import Float, UInt8

from pellucid.errors import BadImage, MissingExtra, unknown
from pellucid.images import Images
from pellucid.images.hidden import hidden
from pellucid.images.sources import Source, source, stamped

SUFFIXES = (".svs", ".ndpi", ".scn", ".bif", ".tif", ".tiff")
_USUAL = {"tile": 224.0, "level": 0.0, "tissue": 0.5}
_ENDS = {"tile": (16, 4096), "level": (0, 32), "tissue": (0, 1)}
_LOOKED = 8  # points along a side of a tile at which the small picture of a slide is asked for tissue
_COLORED = 0.07
"""Saturation above which a pixel is tissue: glass is white or gray."""
_MOST_TILES, _MOST_PIXELS, _LARGEST_SEGMENT = 1_000_000, 100_000_000, 4096**2


@dataclass(frozen=True, eq=False)
class _Slide:
    """One slide: where it is, and which of its tiles hold tissue, row by row."""

    path: Path
    name: str
    grid: tuple[int, int]
    """(rows, columns)"""
    cells: tuple[int, ...]
    scale: float
    """Pixels of the first level in one pixel of the tiles' level."""


@source("slides", written="x.svs?tile=224&level=0&tissue=0.5", suffixes=(".svs", ".ndpi", ".scn", ".bif"),
        holds=("*.svs", "*.ndpi", "*.scn", "*.bif"))  # fmt: skip
class Slides(Source):
    """Tiles of one slide, or of all slides of a folder, row by row; a folder for each class gives their grades.

    `tile` is the side in pixels, `level` the magnification (0 the highest), `tissue` the share of a tile that must not
    be glass. A TIFF of tiles is a slide, too: `slides:x.tif`. Needs the extra `slides`.
    """

    def __init__(self, place: str) -> None:
        super().__init__(place)
        self._path, how = _read_place(place)
        self.tile, self.level, self.tissue = int(how["tile"]), int(how["level"]), how["tissue"]
        self._lock = threading.Lock()
        self._at: Path | None = None
        self._open: list[Any] = []  # the file and the slide; they are closed when nobody has the source any more
        weakref.finalize(self, _closed, self._open)

    @cached_property
    def _slides(self) -> tuple[_Slide, ...]:
        if not self._path.exists():
            raise BadImage(f"there is no {str(self._path)!r}: name a slide ({', '.join(SUFFIXES)}) or a folder of them")
        files = [self._path]
        if self._path.is_dir():
            files = [one for one in sorted(self._path.rglob("*")) if one.suffix.lower() in SUFFIXES and one.is_file()]
            files = [one for one in files if not hidden(one.relative_to(self._path).as_posix())]
        if not files:
            raise BadImage(f"no slides in the folder {str(self._path)!r}: {', '.join(SUFFIXES)}")
        found = tuple(self._looked_at(file) for file in files)
        if not any(one.cells for one in found):
            raise BadImage(
                f"{str(self._path)!r}: no tile holds {self.tissue:.0%} of tissue: write ?tissue=0 for all tiles"
            )
        return found

    @cached_property
    def _starts(self) -> np.ndarray:
        return np.cumsum([0, *(len(one.cells) for one in self._slides)])

    @property
    def _passed(self) -> tuple[str, ...]:
        """How many tiles are glass."""
        whole = sum(one.grid[0] * one.grid[1] for one in self._slides)
        left = whole - len(self)
        return (f"{left} of {whole} tiles hold less than {self.tissue:.0%} of tissue: left out",) if left else ()

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The folders that the slides lie in, where each lies in one."""
        tops = {one.name.partition("/")[0] for one in self._slides if "/" in one.name}
        return tuple(sorted(tops)) if all("/" in one.name for one in self._slides) else ()

    @property
    def slides(self) -> tuple[str, ...]:
        """The names of the slides."""
        return tuple(one.name for one in self._slides)

    def __len__(self) -> int:
        return int(self._starts[-1])

    def name(self, i: int) -> str:
        slide, row, column = self.cell(i)
        return f"{slide}@{row},{column}"

    def label(self, i: int) -> int | None:
        return self.classes.index(self.cell(i)[0].partition("/")[0]) if self.classes else None

    def cell(self, i: int) -> tuple[str, int, int]:
        """(slide, row, column) of tile i."""
        one, cell = self._tile(i)
        return one.name, cell // one.grid[1], cell % one.grid[1]

    def stitched(self, values: Sequence[float], slide: str | None = None) -> Float[np.ndarray, "rows columns"]:
        """A number for each tile of all slides, laid where those of one slide (the first) lie; NaN where is glass."""
        name = self.slides[0] if slide is None else slide
        if name not in self.slides:
            raise unknown("slide", name, self.slides)
        if len(values) != len(self):
            raise BadImage(f"{len(values)} values for {len(self)} tiles: one for each is needed")
        k = self.slides.index(name)
        one, found = self._slides[k], np.full(self._slides[k].grid, np.nan)
        found.flat[list(one.cells)] = np.asarray(values, np.float64)[self._starts[k] : self._starts[k + 1]]
        return found

    def read(self, i: int) -> Images:
        one, cell = self._tile(i)
        row, column = divmod(cell, one.grid[1])
        corner = (round(column * self.tile * one.scale), round(row * self.tile * one.scale))
        pixels = self._asked(one.path, lambda held: held.read_region(
            corner, self.level, (self.tile, self.tile), as_array=True))  # fmt: skip
        picture = torch.from_numpy(np.ascontiguousarray(_colors(pixels, one.path))).permute(2, 0, 1).contiguous()
        return Images.from_pictures([picture], [self.name(i)])

    def stamp(self, i: int) -> tuple[int, int] | None:
        return stamped(self._tile(i)[0].path)

    @cached_property
    def identity(self) -> str:
        digest = hashlib.sha256(f"{self.tile} {self.level} {self.tissue}".encode())
        for one in self._slides:
            digest.update(f"{one.name}\0{one.path.stat().st_size}\0{one.grid}{one.cells}".encode())
        return digest.hexdigest()

    def _tile(self, i: int) -> tuple[_Slide, int]:
        if not 0 <= i < len(self):
            raise BadImage(f"no tile {i} in {self.place!r}: it has {len(self)}")
        k = int(np.searchsorted(self._starts, i, side="right")) - 1
        return self._slides[k], self._slides[k].cells[i - int(self._starts[k])]

    def _looked_at(self, path: Path) -> _Slide:
        """Which tiles of a slide hold tissue, by a small picture of it."""
        name = path.relative_to(self._path).as_posix() if self._path.is_dir() else path.name

        def look(held: Any) -> _Slide:
            if self.level >= held.level_count:
                raise BadImage(f"level={self.level}: {name!r} has the levels 0 to {held.level_count - 1}")
            wide, high = held.level_dimensions[self.level]
            rows, columns = high // self.tile, wide // self.tile
            if not rows or not columns:
                raise BadImage(
                    f"{name!r} is {wide} × {high} pixels at level {self.level}: less than a tile of {self.tile}"
                )
            if rows * columns > _MOST_TILES:
                raise BadImage(
                    f"{name!r} has {rows * columns:,} tiles: {_MOST_TILES:,} are the most, ask a higher level"
                )
            share = np.ones((rows, columns))
            if self.tissue:
                share = _tissue(held, (rows * self.tile / high, columns * self.tile / wide), (rows, columns), name)
            cells = np.flatnonzero(share.ravel() >= self.tissue)
            return _Slide(path, name, (rows, columns), tuple(cells.tolist()), float(held.level_downsamples[self.level]))

        found: _Slide = self._asked(path, look)
        return found

    def _asked(self, path: Path, work: Any) -> Any:
        """`work` on a slide that is open; the last one stays so. Raises BadImage where it is none, or damaged."""
        with self._lock:
            if self._at != path or not self._open:
                _closed(self._open)
                self._open += _opened(path)
                self._at = path
            try:
                return work(self._open[1])
            except BadImage:
                raise
            except MemoryError as error:
                raise BadImage(f"{path.name!r} needs more memory than there is") from error
            except Exception as error:  # zarr, tifffile and codecs raise what they like
                raise BadImage(f"cannot read {path.name!r} as a slide: {' '.join(str(error).split())[:200]}") from error


def _read_place(place: str) -> tuple[Path, dict[str, float]]:
    """The path, and what stands behind its question mark."""
    path, _, asked = place.partition("?")
    found = dict(_USUAL)
    for name, value in parse_qsl(asked, keep_blank_values=True):
        if name not in found:
            raise unknown("option of a slide", name, list(found))
        low, high = _ENDS[name]
        try:
            number = float(value)
        except ValueError:
            number = float("nan")
        if not low <= number <= high or (name != "tissue" and number != int(number)):
            what = "a share" if name == "tissue" else "a whole number"
            raise BadImage(f"{name}={value!r} of {path!r}: {what} from {low} to {high}")
        found[name] = number
    return Path(path).expanduser(), found


def _opened(path: Path) -> tuple[Any, Any]:
    """(its file, the slide), after what its head claims was checked."""
    try:
        import tifffile
        from tiffslide import TiffSlide
    except ImportError as error:
        raise MissingExtra(f"reading {path.name!r}, a whole-slide picture,", "slides") from error
    stream = None
    try:
        stream = path.open("rb")  # not by its name, which could be read as an address
        with tifffile.TiffFile(stream) as file:
            for page in file.pages[:64]:
                if int(np.prod(getattr(page, "chunks", ()) or (0,))) > 4 * _LARGEST_SEGMENT:
                    raise BadImage(f"{path.name!r} has no tiles of its own: save it as a tiled TIFF")
        stream.seek(0)
        return stream, TiffSlide(stream)
    except Exception as error:
        if stream is not None:
            stream.close()
        if isinstance(error, (BadImage, MemoryError)):
            raise
        raise BadImage(f"cannot open {path.name!r} as a slide: {' '.join(str(error).split())[:200]}") from error


def _closed(opened: list[Any]) -> None:
    """Close what is open: the file, and with it the slide."""
    while opened:
        opened.pop().close()


def _tissue(
    held: Any, part: tuple[float, float], grid: tuple[int, int], name: str
) -> Float[np.ndarray, "rows columns"]:
    """The share of tissue in each tile, from the level that is just fine enough; the tiles cover that part of it."""
    wide, high = held.dimensions
    needed = (grid[0] * _LOOKED, grid[1] * _LOOKED)
    fine = [
        k for k, (w, h) in enumerate(held.level_dimensions) if h * part[0] >= needed[0] and w * part[1] >= needed[1]
    ]
    level = max(fine, default=0)
    w, h = held.level_dimensions[level]
    if w * h > _MOST_PIXELS:
        raise BadImage(
            f"{name!r} ({wide} × {high}) has no small level to look for tissue in: write ?tissue=0 for all tiles"
        )
    whole = _colors(held.read_region((0, 0), level, (w, h), as_array=True), Path(name)).astype(np.float64)
    colored = (whole.max(-1) - whole.min(-1)) > _COLORED * np.maximum(whole.max(-1), 1)
    y, x = ((np.arange(n) + 0.5) / n * one * side for n, one, side in zip(needed, part, (h, w), strict=True))
    seen = colored[y.astype(int)[:, None], x.astype(int)[None]]
    return np.asarray(seen.reshape(grid[0], _LOOKED, grid[1], _LOOKED).mean((1, 3)))


def _colors(pixels: Any, path: Path) -> UInt8[np.ndarray, "h w 3"]:
    """The region as 8-bit colors."""
    values = np.asarray(pixels)
    if values.dtype != np.uint8 or values.ndim != 3 or values.shape[-1] < 3:
        raise BadImage(f"{path.name!r} holds {values.dtype} {values.shape}: slides have three colors of 8 bits")
    return values[..., :3]
