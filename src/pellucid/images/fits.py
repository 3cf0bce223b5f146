"""FITS: what telescopes write. Numbers stay what they measure, and the first plane of pixels is the image.

`astropy` (extra `astronomy`) reads the file, after its size has been checked. Source: Pence et al. 2010, "Definition of
the Flexible Image Transport System", sections 4.4 and 5.3.
"""

from __future__ import annotations

import math
from io import BufferedReader, BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import BadImage, MissingExtra
from pellucid.images.arrays import Range, scaled

_MOST_PIXELS = 200_000_000
_HEADERS = 64
"""Parts of a file that are looked at for an image."""


def pixels(
    stream: BytesIO | BufferedReader, what: str, value_range: Range | None, notes: list[str]
) -> tuple[NDArray[Any], Range | None]:
    """(H, W, 3), uint8 or float32 in 0..1, and the values that became 0 and 1.

    Without `value_range` these are DATAMIN and DATAMAX of the header, or all that 8 or 16 bits can hold; where nothing
    says them, BadImage asks. With it, what lies outside is clipped. Pixels without a value become black. Raises
    MissingExtra without astropy.
    """
    try:
        from astropy.io import fits
    except ImportError as error:
        raise MissingExtra(f"reading {what}, a FITS file,", "astronomy") from error
    with fits.open(stream, memmap=False, lazy_load_hdus=True, ignore_missing_simple=False) as file:
        number, part = _image(file, what)
        header = part.header
        whole = part.data
        said = _range(header)
    if whole is None or whole.ndim < 2:
        raise BadImage(f"{what} is damaged or cut short: its pixels are not there")
    planes = int(np.prod(whole.shape[:-2]))
    plane = whole.reshape(planes, *whole.shape[-2:])[0][::-1]  # the first row is the lowest
    if planes > 1:
        notes.append(f"first of {planes} planes")
    if number:
        notes.append(f"the image in part {number} of the file")
    return _unit(np.asarray(plane), value_range or said, what, notes, asked=value_range is not None)


def _image(file: Any, what: str) -> tuple[int, Any]:
    """The first part that holds an image of two dimensions or more, of which no more is read than is allowed."""
    for number in range(_HEADERS):
        try:
            part = file[number]
        except IndexError:
            break
        axes = tuple(int(one) for one in getattr(part, "shape", ()) or ())
        if not getattr(part, "is_image", False) or len(axes) < 2 or not all(axes):
            continue
        if math.prod(axes) > _MOST_PIXELS:
            raise BadImage(f"{what} is too large: {' × '.join(map(str, axes))} pixels, {_MOST_PIXELS:,} are the most")
        return number, part
    raise BadImage(f"{what} is a FITS file without an image: its parts are tables or empty")


def _range(header: Any) -> Range | None:
    """What the header says of the smallest and the largest value."""
    low, high = header.get("DATAMIN"), header.get("DATAMAX")
    if not all(isinstance(one, (int, float)) and math.isfinite(one) for one in (low, high)) or low >= high:
        return None
    return float(low), float(high)


def _unit(
    plane: NDArray[Any], window: Range | None, what: str, notes: list[str], *, asked: bool
) -> tuple[NDArray[Any], Range | None]:
    """The plane in 0..1, three times."""
    plane = plane.astype(plane.dtype.newbyteorder("="), copy=False)
    blank = ~np.isfinite(plane) if plane.dtype.kind == "f" else np.zeros(plane.shape, bool)
    if blank.all():
        raise BadImage(f"{what} holds no pixel with a value")
    if blank.any():
        notes.append(f"{int(blank.sum())} pixels without a value are black")
        plane = np.where(blank, plane[~blank].min() if window is None else window[0], plane)
    if window is not None:
        low, high = window
        outside = float(((plane < low) | (plane > high)).mean())
        clipped = f"; {outside:.0%} of the values lie outside" if outside >= 0.005 else ""
        notes.append(
            f"{low:g} to {high:g} from black to white, {'as asked' if asked else 'as its header says'}{clipped}"
        )
        plane = np.clip(plane.astype(np.float64), low, high)
    found, more, used = scaled(plane, window, what)
    notes += more
    found = np.where(blank, 0, found).astype(found.dtype)
    return np.repeat(found[..., None], 3, axis=-1), used
