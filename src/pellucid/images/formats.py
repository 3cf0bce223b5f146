"""One encoded image into pixels: which formats are read, and what every mode of Pillow means as RGB.

Pillow is held at arm's length: the format is told from the first bytes and its one reader is called, so that no
other (EPS starts Ghostscript) is ever tried; sizes are checked before pixels are made; whatever it raises
becomes a BadImage and whatever it warns of becomes a note.
"""

from __future__ import annotations

import re
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedReader, BytesIO
from pathlib import PurePath
from typing import IO, Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageCms,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)
from torch import Tensor

from pellucid.errors import BadImage, PellucidError
from pellucid.images import dicom, fits, tiff
from pellucid.images.arrays import Pixels, Range, scaled

MOST_PIXELS = 200_000_000
"""Larger images are refused before a pixel is decoded: 200 megapixels take 0.8 GB as RGB."""
LONGEST = 100
"""Beyond this ratio of the sides a note says so: a network's square crop sees almost nothing of it."""

_LONGEST_WEBP = 16383
"""No encoder makes longer ones; a false header may, and then a file of 500 bytes takes 20 seconds and 4 GB."""

_READERS: dict[str, Callable[[IO[bytes]], ImageFile.ImageFile]] = {
    "JPEG": JpegImagePlugin.jpeg_factory,
    "PNG": PngImagePlugin.PngImageFile,
    "WebP": WebPImagePlugin.WebPImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
    "PPM": PpmImagePlugin.PpmImageFile,
}
_SCIENCE = {"DICOM": dicom.pixels, "FITS": fits.pixels}
"""Read by packages that are extras, which stand beside their own checks."""
_CONVERT = "convert it to PNG or JPEG"
_OTHERS = {
    "a HEIC image": _CONVERT,
    "an AVIF image": _CONVERT,
    "a JPEG XL image": _CONVERT,
    "a JPEG 2000 image": _CONVERT,
    "a Photoshop file": _CONVERT,
    "a camera's raw file": "develop it to PNG, TIFF or JPEG",
    "an SVG drawing": "render it to PNG",
    "a PDF document": "render the page to PNG",
    "a PostScript file (EPS)": "render it to PNG",
    "an HTML page": "download the image itself, not the page around it",
    "a video": "save a frame of it as PNG or JPEG",
    "a zip archive": "unpack it",
    "a gzip archive": "unpack it",
    "a NumPy file": "pass the array: numpy.load(file)",
}
"""What else people hold out as an image, and what would work."""
_MAGIC: tuple[tuple[str, bytes], ...] = (
    ("JPEG", rb"\xff\xd8\xff"),
    ("PNG", rb"\x89PNG\r\n\x1a\n"),
    ("WebP", rb"RIFF....WEBP"),
    ("GIF", rb"GIF8[79]a"),
    ("BMP", rb"BM"),
    ("a camera's raw file", rb"II\*\0....CR|FUJIFILMCCD-RAW|IIRO|IIU\0|....ftypcrx"),
    ("TIFF", rb"II[*+]\0|MM\0[*+]"),
    ("PPM", rb"P[1-6f]\s"),
    ("DICOM", rb".{128}DICM"),
    ("FITS", rb"SIMPLE  = +T"),
    ("an AVIF image", rb"....ftyp.{0,24}?avi[fs]"),
    ("a HEIC image", rb"....ftyp.{0,24}?(hei[cxms]|hev[cxms]|mif1|msf1)"),
    ("a video", rb"....ftyp|RIFF....AVI |\x1aE\xdf\xa3"),
    ("a JPEG XL image", rb"\xff\x0a|\0\0\0\x0cJXL "),
    ("a JPEG 2000 image", rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51"),
    ("a Photoshop file", rb"8BPS"),
    ("a PostScript file (EPS)", rb"\s*%!PS|\xc5\xd0\xd3\xc6"),
    ("a PDF document", rb".{0,1000}?%PDF-"),
    ("a zip archive", rb"PK\x03\x04"),
    ("a gzip archive", rb"\x1f\x8b"),
    ("a NumPy file", rb"\x93NUMPY"),
    ("an SVG drawing", rb"(\xef\xbb\xbf)?\s*<(?!!doctype html|html).{0,2000}?<?svg[\s>]"),
    ("an HTML page", rb"(\xef\xbb\xbf)?\s*<(!doctype html|html|head|body|\?xml|!--)"),
)
_SUFFIXES = {
    "a HEIC image": ".heic .heif .hif",
    "an AVIF image": ".avif",
    "a JPEG XL image": ".jxl",
    "an SVG drawing": ".svg .svgz",
    "a PDF document": ".pdf",
    "a PostScript file (EPS)": ".eps .ps .ai",
    "an HTML page": ".html .htm",
    "a video": ".mp4 .mov .avi .mkv .webm",
}
_RAW = ".dng .cr2 .cr3 .nef .arw .orf .rw2 .raf .pef .srw".split()  # noqa: SIM905 — TIFF with a thumbnail in front

_WARN = {"PIL", "pydicom", "astropy"}
"""Packages whose warnings are about the file."""
_one_at_a_time = threading.Lock()  # catch_warnings swaps state of the whole process


def from_stream(stream: BytesIO | BufferedReader, what: str, value_range: Range | None, suffix: str = "") -> Pixels:
    """An encoded image -> (3, H, W), uint8 or, where it was deeper, float32 in 0..1; and notes.

    A TIFF of other bands than gray, RGB and transparency keeps all of them, (bands, H, W). `what` begins every
    message; `suffix` helps to name what cannot be read.
    """
    with _guarded(what) as notes:
        kind = _kind(stream.read(4096), suffix.lower())
        if kind in _OTHERS:
            raise BadImage(f"{what} is {kind}, which is not read here: {_OTHERS[kind]}")
        stream.seek(0)
        if kind in _SCIENCE:
            values, used = _SCIENCE[kind](stream, what, value_range, notes)
            return Pixels(_channels_first(values), tuple(dict.fromkeys(notes)), used)
        if kind not in _READERS:
            raise BadImage(f"{what} is no image: it has the marks of none of {', '.join((*_READERS, *_SCIENCE))}")
        tags = tiff.tags_of(stream) if kind == "TIFF" else {}
        if tiff.beyond_pillow(tags):
            values, used = tiff.bands(stream, tags, what, value_range, notes)
            upright = _upright(values, tiff.orientation(tags))
            return Pixels(_channels_first(upright), tuple(dict.fromkeys(notes)), used)
        image = _READERS[kind](stream)
        _check_size(image, what)
        if kind == "WebP" and max(image.size) > _LONGEST_WEBP:
            raise BadImage(f"{what} is damaged: it says {image.width} × {image.height}, no size of a WebP image")
        if any(";16" in str(tile.args) for tile in image.tile) and image.mode not in ("I", "F", "I;16", "I;16B"):
            notes.append("16 bits per channel, of which the upper 8 were read")
        frames = _frames(image)
        if frames > 1:
            notes.append(f"first of {frames} {'pages' if kind == 'TIFF' else 'frames'}")
        picture, used = _picture(image, what, value_range, notes)
    return Pixels(picture, tuple(dict.fromkeys(notes)), used)


def from_image(image: Image.Image, what: str, value_range: Range | None) -> Pixels:
    """As `from_stream`, for a Pillow image, which stays as it is; an animation shows its current frame."""
    with _guarded(what) as notes:
        _check_size(image, what)
        picture, used = _picture(image, what, value_range, notes)
    return Pixels(picture, tuple(dict.fromkeys(notes)), used)


def _kind(head: bytes, suffix: str) -> str | None:
    """What a file is by its first bytes; its name decides only about raw files and where no byte tells."""
    if suffix in _RAW:
        return "a camera's raw file"
    for kind, magic in _MAGIC:
        if re.match(magic, head, re.DOTALL | (re.IGNORECASE if b"<" in magic else 0)):
            return kind
    return next((kind for kind, suffixes in _SUFFIXES.items() if suffix in suffixes.split()), None)


@contextmanager
def _guarded(what: str) -> Iterator[list[str]]:
    """Any failure inside becomes a BadImage about `what`; Pillow's warnings go to the list that is handed out."""
    notes: list[str] = []
    with _one_at_a_time, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield notes
        except PellucidError:
            raise
        except MemoryError as error:
            raise BadImage(f"{what} needs more memory than there is") from error
        except Exception as error:  # Pillow raises OSError, SyntaxError, RuntimeError, struct.error, KeyError …
            raise BadImage(f"{what} {_reason(error)}") from error
    for warning in caught:
        if not _WARN.intersection(PurePath(warning.filename).parts):  # another thread's, caught by the way
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
        elif not issubclass(warning.category, Image.DecompressionBombWarning):  # our own limit has spoken
            notes.append(" ".join(str(warning.message).split()))


def _reason(error: Exception) -> str:
    """Why Pillow gave up, as the end of a sentence that begins with the file."""
    said = " ".join(str(error).split())[:200] or type(error).__name__
    if isinstance(error, Image.DecompressionBombError):
        return f"is too large to be read safely: {said}"
    if isinstance(error, EOFError) or re.search(r"truncated|not enough (image )?data|premature", said, re.IGNORECASE):
        return f"is cut short: {said}"
    if re.search(r"unknown pixel mode|samples per pixel", said, re.IGNORECASE):  # what Pillow has no mode for
        return f"holds pixels of a kind that is not read here ({said}): save it as a TIFF of plain bands, or as PNG"
    return f"is damaged or cut short: {said}"


def _check_size(image: Image.Image, what: str) -> None:
    width, height = image.size
    if width <= 0 or height <= 0:
        raise BadImage(f"{what} has no pixels: it is {width} × {height}")
    if width * height > MOST_PIXELS:
        raise BadImage(
            f"{what} is too large: {width} × {height} are {width * height / 1e6:,.0f} megapixels, "
            f"and {MOST_PIXELS // 10**6} are the most; resize it first"
        )


def _frames(image: Image.Image) -> int:
    """How many frames the file claims; 1 where a later one is damaged, since only the first is wanted."""
    try:
        return int(getattr(image, "n_frames", 1))
    except MemoryError:
        raise
    except Exception:
        image.seek(0)
        return 1


def _picture(image: Image.Image, what: str, value_range: Range | None, notes: list[str]) -> tuple[Tensor, Range | None]:
    """Load, convert and turn upright: (3, H, W), and the values that became 0 and 1."""
    used: Range | None = None
    image.load()
    _check_size(image, what)  # a GIF's first frame may be larger than its header said
    width, height = image.size
    if max(width, height) > LONGEST * min(width, height):
        notes.append(f"very long: {width} × {height} pixels")
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        values, found, used = scaled(np.asarray(image), value_range, what, white=_white(image))
        notes += found
        clear = image.info.get("transparency") if image.mode.startswith("I;16") else None
        if isinstance(clear, int):
            notes.append("transparent parts are laid on white")
            values = np.where(np.asarray(image) == clear, np.float32(1), values)
        values = np.broadcast_to(values[..., None], (*values.shape, 3))
    else:
        if value_range is not None:
            notes.append("value_range does not concern an image of 8 bits")
        values = np.asarray(_rgb(image, notes))
    return _channels_first(_upright(values, _orientation(image, notes))), used


def _channels_first(values: NDArray[Any]) -> Tensor:
    return torch.from_numpy(np.array(values.transpose(2, 0, 1), order="C"))


def _white(image: Image.Image) -> float | None:
    """The full scale of a deep gray image, where its format says it; None where only the user knows."""
    if image.mode.startswith("I;16"):
        bits = getattr(image, "tag_v2", {}).get(TiffImagePlugin.BITSPERSAMPLE, (16,))
        return float(2 ** bits[0] - 1)
    return 65535.0 if image.mode == "I" and image.format in ("PNG", "PPM") else None


def _rgb(image: Image.Image, notes: list[str]) -> Image.Image:
    """Any 8-bit mode as RGB, transparency laid on white."""
    if image.mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
        return converted if converted is not None else image.convert("RGB")
    if not image.has_transparency_data:
        return image if image.mode == "RGB" else image.convert("RGB")
    seen = (image.convert("LA") if image.mode == "La" else image).convert("RGBA")
    alpha = seen.getchannel("A")
    if alpha.getextrema() == (255, 255):
        return seen.convert("RGB")
    notes.append("transparent parts are laid on white")
    white = Image.new("RGB", seen.size, "white")
    white.paste(seen, mask=alpha)
    return white


def _orientation(image: Image.Image, notes: list[str]) -> int:
    """EXIF's orientation, 1 to 8."""
    try:
        found: Any = image.getexif().get(0x0112, 1)
    except MemoryError:
        raise
    except Exception as error:
        notes.append(f"its EXIF data is damaged, so it may lie on its side: {error}")
        return 1
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def _upright(values: NDArray[Any], orientation: int) -> NDArray[Any]:
    """(H, W, C) as the camera was held; a view."""
    if orientation >= 5:
        values = values.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        values = values[::-1]
    if orientation in (2, 3, 6, 7):
        values = values[:, ::-1]
    return values
