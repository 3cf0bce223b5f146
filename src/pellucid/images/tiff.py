"""TIFFs that Pillow would lose something of: more than three bands, infrared, several bands of 16 bits or of floats.

`tifffile` reads them, after everything that it would believe of the file has been checked: how many pixels there are,
that all strips lie within the file, and that none inflates to more than it should hold.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from io import BufferedReader, BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import TiffImagePlugin

from pellucid.errors import BadImage, MissingExtra
from pellucid.images.arrays import Range, scaled

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _ORIENTATION = 256, 257, 258, 259, 262, 274
_SAMPLES, _EXTRA, _FORMAT = 277, 338, 339
_FLOAT = 3
"""Of the tag SampleFormat."""
_GRAY = (0, 1)
_RGB = 2
_ALPHA = (1, 2)
"""Of the tag ExtraSamples: multiplied in already, or not; 0 is a band of its own."""
_NONE, _LZW, _DEFLATE, _PACKBITS = 1, 5, (8, 32946), 32773
_MOST_VALUES = 600_000_000
"""As many as 200 megapixels of RGB."""

Tags = Mapping[int, Any]


def tags_of(stream: BytesIO | BufferedReader) -> Tags:
    """The first directory of a TIFF, as Pillow parses it; the stream is at its beginning before and after."""
    head = stream.read(8)
    head += stream.read(8) if head[2:3] == b"\x2b" or head[3:4] == b"\x2b" else b""
    found = TiffImagePlugin.ImageFileDirectory_v2(head)
    stream.seek(found.next)
    found.load(stream)
    stream.seek(0)
    return found


def beyond_pillow(tags: Tags) -> bool:
    """Whether Pillow would refuse the image or drop a part of it in silence: bands, or the depth of a band."""
    samples, bits, kind = _first(tags, _SAMPLES, 1), _first(tags, _BITS, 1), _first(tags, _FORMAT, 1)
    if tags.get(_PHOTOMETRIC) not in (*_GRAY, _RGB):
        return False
    if samples == 1:
        return bits > 32 or (kind == _FLOAT and bits != 32)
    usual = 3 if tags[_PHOTOMETRIC] == _RGB else 1
    extra = tuple(tags.get(_EXTRA, ())) or (0,) * (samples - usual)
    return bits != 8 or kind != 1 or samples > usual + 1 or (samples == usual + 1 and extra[0] not in _ALPHA)


def orientation(tags: Tags) -> int:
    """EXIF's orientation, 1 to 8."""
    found = _first(tags, _ORIENTATION, 1)
    return found if 1 <= found <= 8 else 1


def bands(
    stream: BytesIO | BufferedReader, tags: Tags, what: str, value_range: Range | None, notes: list[str]
) -> tuple[NDArray[Any], Range | None]:
    """All bands, (H, W, C), and the values that became 0 and 1 (None: uint8 as they are). Raises BadImage.

    A band that the file calls transparency lays the others on white; every other one is a channel.
    """
    import tifffile  # here, because few images need it

    width, height, samples = (_first(tags, tag, 1) for tag in (_WIDTH, _HEIGHT, _SAMPLES))
    if width * height * samples > _MOST_VALUES:
        raise BadImage(f"{what} is too large: {width} × {height} of {samples} bands; cut or resize it first")
    with tifffile.TiffFile(stream) as file:
        page = file.pages[0]
        _check(page, stream, what)
        try:
            values = page.asarray(maxworkers=1)
        except (ValueError, KeyError, ImportError) as error:
            if "imagecodecs" not in str(error):
                raise
            raise MissingExtra(f"{what}: its compression", "", package="imagecodecs") from error
        pages = len(file.pages)
    if pages > 1:
        notes.append(f"first of {pages} pages")
    if page.axes == "SYX":
        values = np.moveaxis(values, 0, -1)
    elif page.axes not in ("YX", "YXS"):
        raise BadImage(f"{what} holds {page.axes} of {page.shape}, no image: save one plane of it")
    values = values.reshape(height, width, samples)
    alpha = _alpha(tags, samples)
    white = float(np.iinfo(values.dtype).max) if values.dtype in (np.uint8, np.uint16) else None
    color = np.delete(values, alpha, axis=-1) if alpha is not None else values
    unit, found, used = scaled(color, value_range, what, white=white if values.dtype == np.uint16 else None)
    notes += found
    if value_range is not None and values.dtype == np.uint8 and used is None:
        notes.append("value_range does not concern an image of 8 bits")
    if tags[_PHOTOMETRIC] == 0:  # white is zero
        unit = 255 - unit if unit.dtype == np.uint8 else 1 - unit
    if alpha is not None:
        unit = _on_white(unit, values[..., alpha], tags[_EXTRA][alpha - (samples - len(tags[_EXTRA]))] == 1, notes)
    return unit, used


def _on_white(unit: NDArray[Any], alpha: NDArray[Any], multiplied: bool, notes: list[str]) -> NDArray[Any]:
    full = np.iinfo(alpha.dtype).max if alpha.dtype.kind in "iu" else 1.0
    share = (alpha.astype(np.float32) / np.float32(full)).clip(0, 1)[..., None]
    if (share == 1).all():
        return unit
    notes.append("transparent parts are laid on white")
    white = 255 if unit.dtype == np.uint8 else 1
    laid = (unit if multiplied else unit * share) + white * (1 - share)
    laid = laid.clip(0, white)
    result: NDArray[Any] = laid.round().astype(np.uint8) if unit.dtype == np.uint8 else laid.astype(np.float32)
    return result


def _alpha(tags: Tags, samples: int) -> int | None:
    """Which band says how opaque a pixel is; None where none does."""
    extra = tuple(tags.get(_EXTRA, ()))
    places = [samples - len(extra) + i for i, kind in enumerate(extra) if kind in _ALPHA]
    return places[0] if places and 0 < places[0] < samples else None


def _check(page: Any, stream: BytesIO | BufferedReader, what: str) -> None:
    """Nothing is read from outside the file, and nothing inflates beyond the pixels that it stands for."""
    if page.dtype is None:
        raise BadImage(f"{what} has {page.bitspersample} bits per band, which is not read here: save it with 8 or 16")
    if page.compression not in (_NONE, _LZW, _PACKBITS, *_DEFLATE):
        how = getattr(page.compression, "name", page.compression)
        raise BadImage(
            f"{what} has {page.samplesperpixel} bands compressed as {how}: save it uncompressed or as DEFLATE"
        )
    end = stream.seek(0, 2)
    whole = math.prod(page.chunks) * page.dtype.itemsize
    segments = list(zip(page.dataoffsets, page.databytecounts, strict=True))
    if math.prod(page.chunked) > len(segments):
        raise BadImage(f"{what} is cut short: {len(segments)} of {math.prod(page.chunked)} strips")
    for start, size in segments:
        if size <= 0 or start <= 0 or start + size > end:
            raise BadImage(f"{what} is cut short: a strip of {size} bytes begins at {start}, the file has {end}")
        if page.compression != _NONE and size > 2 * whole + 1024:
            raise BadImage(f"{what} is damaged: a strip takes {size} bytes for {whole} bytes of pixels")
        if page.compression in _DEFLATE:
            stream.seek(start)
            if len(zlib.decompressobj().decompress(stream.read(size), whole + 1)) > whole:
                raise BadImage(f"{what} is damaged: a strip inflates to more than its {whole} bytes of pixels")
    stream.seek(0)


def _first(tags: Tags, tag: int, default: int) -> int:
    """A tag's first number: depth and format are given for every band, and hardly ever differ."""
    found = tags.get(tag, default)
    return int(found[0] if isinstance(found, tuple) else found)
