"""DICOM: what scanners and clinics write. Numbers become what they measure (Hounsfield units), seen through a window.

`pydicom` (extra `medical`) reads the file, after everything that it would inflate or allocate has been checked. Names
of patients are never read. Formulas: DICOM PS3.3, sections C.7.6.3 (pixels), C.11.1 (rescaling), C.11.2.1.2 (windows).
"""

from __future__ import annotations

import math
import struct
from io import BufferedReader, BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import BadImage, MissingExtra
from pellucid.images.arrays import Range

_PLAIN = {"1.2.840.10008.1.2": "little", "1.2.840.10008.1.2.1": "little", "1.2.840.10008.1.2.2": "big"}
"""Transfer syntaxes without compression."""
_RLE = "1.2.840.10008.1.2.5"
_DEFLATED = "1.2.840.10008.1.2.1.99"
_MOST_VALUES = 600_000_000
_TAGS = [
    "TransferSyntaxUID", "Rows", "Columns", "SamplesPerPixel", "NumberOfFrames", "PhotometricInterpretation",
    "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PlanarConfiguration", "PixelData", "Modality",
    "RescaleSlope", "RescaleIntercept", "RescaleType", "WindowCenter", "WindowWidth", "VOILUTFunction",
]  # fmt: skip
_SAVE = "save it uncompressed, as with gdcmconv --raw"


def pixels(
    stream: BytesIO | BufferedReader, what: str, value_range: Range | None, notes: list[str]
) -> tuple[NDArray[Any], Range | None]:
    """(H, W, 3), uint8 or float32 in 0..1, and the values that became 0 and 1, in the unit of the file.

    Without `value_range` these are the window that the file names, else all that its bits can hold; what lies outside
    is clipped, and notes say so. Raises BadImage, and MissingExtra without pydicom.
    """
    try:
        import pydicom
        from pydicom.pixels.processing import convert_color_space
        from pydicom.pixels.utils import pixel_array
    except ImportError as error:
        raise MissingExtra(f"reading {what}, a DICOM file,", "medical") from error
    if _syntax(stream) == _DEFLATED:  # it would be inflated whole, however large it becomes
        raise BadImage(f"{what} is a deflated DICOM file, which is not read here: {_SAVE}")
    found = pydicom.dcmread(stream, specific_tags=_TAGS)
    _check(found, stream, what)
    frames = int(found.get("NumberOfFrames") or 1)
    if frames > 1:
        notes.append(f"first of {frames} frames")
    values = pixel_array(found, index=0, raw=True)
    kind = str(found.PhotometricInterpretation)
    if kind in ("MONOCHROME1", "MONOCHROME2"):
        unit, used = _windowed(values, found, what, value_range, notes)
        unit = 1 - unit if kind == "MONOCHROME1" else unit
        return np.repeat(unit[..., None], 3, axis=-1), used
    if value_range is not None:
        notes.append("value_range does not concern an image in colors")
    return np.ascontiguousarray(values if kind == "RGB" else convert_color_space(values, kind, "RGB")), None


def _syntax(stream: BytesIO | BufferedReader) -> str:
    """The transfer syntax, out of the head of the file, which is never compressed."""
    head = stream.read(4096)
    stream.seek(0)
    at = head.find(b"\x02\x00\x10\x00UI")
    if at < 0 or at + 8 > len(head):
        return ""
    (length,) = struct.unpack_from("<H", head, at + 6)
    return head[at + 8 : at + 8 + length].rstrip(b"\0 ").decode("ascii", "replace")


def _check(found: Any, stream: BytesIO | BufferedReader, what: str) -> None:
    """Nothing is larger than it may be, and nothing inflates beyond the pixels that it stands for."""
    if "PixelData" not in found:
        raise BadImage(f"{what} is a DICOM file without pixels ({found.get('Modality') or 'of no modality'})")
    missing = [name for name in ("Rows", "Columns", "BitsAllocated", "PhotometricInterpretation") if name not in found]
    if missing:
        raise BadImage(f"{what} is damaged: it does not say its {', '.join(missing)}")
    high, wide, samples = int(found.Rows), int(found.Columns), int(found.get("SamplesPerPixel") or 1)
    bits, kind = int(found.BitsAllocated), str(found.PhotometricInterpretation)
    if not high or not wide or high * wide * samples > _MOST_VALUES:
        raise BadImage(f"{what} is too large or empty: {wide} × {high} of {samples} bands")
    colors = kind in ("RGB", "YBR_FULL", "YBR_FULL_422") and samples == 3 and bits == 8
    if not colors and not (kind in ("MONOCHROME1", "MONOCHROME2") and samples == 1 and bits in (8, 16, 32)):
        raise BadImage(f"{what} holds {kind} of {samples} bands with {bits} bits, which is not read here: {_SAVE}")
    syntax = str(found.file_meta.get("TransferSyntaxUID", ""))
    if syntax not in (*_PLAIN, _RLE):
        name = getattr(found.file_meta.get("TransferSyntaxUID", ""), "name", "") or "an unknown way"
        raise BadImage(f"{what} is compressed ({name}), which is not read here: {_SAVE}")
    frames, size = int(found.get("NumberOfFrames") or 1), len(found.PixelData)
    each = high * wide * samples * bits // 8
    if syntax != _RLE and size < (each * 2 // 3 if kind == "YBR_FULL_422" else each):
        raise BadImage(f"{what} is cut short: {size} bytes of pixels, {each} belong to a frame of {wide} × {high}")
    if syntax == _RLE and size > frames * (2 * each + 4096):
        raise BadImage(f"{what} is damaged: {size} bytes stand for {frames * each} bytes of pixels")


def _windowed(
    values: NDArray[Any], found: Any, what: str, value_range: Range | None, notes: list[str]
) -> tuple[NDArray[np.float32], Range]:
    """Rescaled, and through a window to 0..1."""
    slope, intercept = float(found.get("RescaleSlope", 1)), float(found.get("RescaleIntercept", 0))
    if not (math.isfinite(slope) and math.isfinite(intercept) and slope):
        raise BadImage(f"{what} is damaged: its numbers are rescaled by {slope} and {intercept}")
    measured = values.astype(np.float64) * slope + intercept
    unit = str(found.get("RescaleType") or ("HU" if found.get("Modality") == "CT" else "")).strip()
    window = value_range or _window(found, what)
    if window is None:
        bits, signed = int(found.get("BitsStored") or found.BitsAllocated), bool(found.get("PixelRepresentation"))
        ends = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
        low, high = sorted(end * slope + intercept for end in ends)
        window, said = (low, high), "all that its bits can hold: pass value_range=(black, white) for a narrower window"
    else:
        said = "as asked" if value_range else "the window that the file names"
    low, high = window
    outside = float(((measured < low) | (measured > high)).mean())
    clipped = f"; {outside:.0%} of the values lie outside" if outside >= 0.005 else ""
    notes.append(f"{low:g} to {high:g}{unit and f' {unit}'} from black to white, {said}{clipped}")
    return np.clip((measured - low) / (high - low), 0, 1).astype(np.float32), (low, high)


def _window(found: Any, what: str) -> Range | None:
    """The first window that the file names, as (black, white)."""
    center, width = (found.get(name) for name in ("WindowCenter", "WindowWidth"))
    if center is None or width is None or center == "" or width == "":
        return None
    middle, wide = (float(one[0] if isinstance(one, (list, tuple)) or hasattr(one, "insert") else one)
                    for one in (center, width))  # fmt: skip
    how = str(found.get("VOILUTFunction") or "LINEAR")
    if how not in ("LINEAR", "LINEAR_EXACT"):
        raise BadImage(f"{what} names a window that is {how}: pass value_range=(black, white) instead")
    if not (math.isfinite(middle) and math.isfinite(wide)) or wide < 1 or (how == "LINEAR" and wide == 1):
        raise BadImage(f"{what} names a window of {wide:g} about {middle:g}: pass value_range=(black, white) instead")
    if how == "LINEAR_EXACT":
        return middle - wide / 2, middle + wide / 2
    return middle - 0.5 - (wide - 1) / 2, middle - 0.5 + (wide - 1) / 2
