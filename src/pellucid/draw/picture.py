"""A finished picture: to be shown, saved, or taken as pixels."""

from __future__ import annotations

import base64
import html
import io
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from pellucid.draw.sheet import Sheet
from pellucid.errors import PellucidError, unknown
from pellucid.files import write_atomically

_MOST = 700_000  # bytes of a picture in a notebook: base64 adds a third, and the page should stay below 1 MB
_LOCK = threading.Lock()  # matplotlib's font and text caches are shared by all figures


@dataclass(frozen=True, eq=False)
class Picture:
    """What `draw` hands back. `alt` says in words what it shows; `about` goes into the files' metadata."""

    sheet: Sheet = field(repr=False)
    alt: str
    about: dict[str, str] = field(default_factory=dict, repr=False)
    table: str = field(default="", repr=False)
    """HTML for notebooks, where a table serves better than a picture of one."""
    page: Callable[[], bytes] | None = field(default=None, repr=False)
    """Makes a page of it that works from disk, for what is better explored than looked at."""

    @cached_property
    def array(self) -> NDArray[np.uint8]:
        """The pixels, (H, W, 3)."""
        with _LOCK:
            canvas: Any = FigureCanvasAgg(self.sheet.figure())
            canvas.draw()
            pixels: NDArray[np.uint8] = np.asarray(canvas.buffer_rgba())[..., :3].copy()
        pixels.flags.writeable = False
        return pixels

    def save(self, path: str | Path) -> Path:
        """Write the picture to `path`, in the format of its suffix: png, svg, pdf, jpg or webp; atomic.

        A map of pictures, a surface, a review, a study, a table or a tour may also be .html: one file that is explored
        in a browser and needs nothing else.
        """
        path = Path(path)
        suffix = path.suffix.lower()
        if suffix == ".html":
            if self.page is None:
                pages = "only maps, surfaces, reviews, studies, tables and tours are pages"
                raise PellucidError(f"cannot save this as {path.name!r}: {pages}; try .png")
            whole = self.page()
            return write_atomically(path, lambda file: file.write(whole))
        if suffix not in _WRITERS:
            known = ", ".join(_WRITERS)
            raise PellucidError(f"cannot save a picture as {path.name!r}: its name must end in one of {known}")
        try:
            data = _WRITERS[suffix](self)
        except (OSError, ValueError) as error:  # WebP and JPEG have a largest size
            raise PellucidError(f"cannot save a picture of this size as {suffix}: {error}; try .png") from error
        return write_atomically(path, lambda file: file.write(data))

    def _repr_html_(self) -> str:
        if self.table:
            return self.table
        alt, source = html.escape(self.alt, quote=True), base64.b64encode(self._lean()).decode()
        width = round(self.sheet.width)
        return f'<img src="data:image/webp;base64,{source}" alt="{alt}" style="width:{width}px;max-width:100%">'

    def _lean(self) -> bytes:
        """The picture as WebP, small enough for a notebook."""
        for quality in (92, 80, 60):
            data = _lossy("WEBP", quality)(self)
            if len(data) <= _MOST:
                return data
        image, buffer = Image.fromarray(self.array), io.BytesIO()
        image.thumbnail((1600, 1600), Image.Resampling.LANCZOS)
        image.save(buffer, "WEBP", quality=50)
        return buffer.getvalue()


_PNG = 3
"""How hard zlib tries, of 9: a twentieth larger than at 6, in less than half of the time."""


def _png(picture: Picture, smaller: Image.Image | None = None) -> bytes:
    """The picture, or a smaller version of it, with its metadata."""
    image, info, buffer = smaller or Image.fromarray(picture.array), PngInfo(), io.BytesIO()
    for key, value in picture.about.items():
        info.add_text(key, value)
    dots = 100 * picture.sheet.density * image.width / picture.array.shape[1]
    image.save(buffer, "PNG", pnginfo=info, dpi=(dots, dots), compress_level=_PNG)
    return buffer.getvalue()


def _lossy(kind: str, quality: int) -> Callable[[Picture], bytes]:
    def write(picture: Picture) -> bytes:
        exif, buffer = Image.Exif(), io.BytesIO()
        exif[0x010E] = f"{picture.about.get('Title', '')}. {picture.about.get('Description', '')}"  # ImageDescription
        detail = {"subsampling": 0} if kind == "JPEG" else {}
        Image.fromarray(picture.array).save(buffer, kind, quality=quality, exif=exif, **detail)
        return buffer.getvalue()

    return write


_FONTS: Any = {"svg.hashsalt": "pellucid", "pdf.fonttype": 42}
"""matplotlib has these as settings alone: the same names inside each SVG, and fonts in a PDF as TrueType."""


def svg(picture: Picture, letters: Literal["text", "outlines"] = "text") -> bytes:
    """The picture as SVG, its words as text, which can be found, selected and translated; or as outlines, which look
    the same where DejaVu is not installed.
    """
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    said, buffer = {key: picture.about.get(key, "") for key in ("Title", "Description")}, io.BytesIO()
    with _LOCK, rc_context(_FONTS | {"svg.fonttype": "none" if letters == "text" else "path"}):
        canvas: Any = FigureCanvasSVG(picture.sheet.figure())
        canvas.print_svg(buffer, metadata={**said, "Date": None, "Creator": "pellucid"})
    return buffer.getvalue()


def _pdf(picture: Picture) -> bytes:
    from matplotlib.backends.backend_pdf import FigureCanvasPdf

    said = {"Title": picture.about.get("Title", ""), "Subject": picture.about.get("Description", "")}
    buffer = io.BytesIO()
    with _LOCK, rc_context(_FONTS):
        canvas: Any = FigureCanvasPdf(picture.sheet.figure())
        canvas.print_pdf(buffer, metadata={**said, "Creator": "pellucid", "CreationDate": None})
    return buffer.getvalue()


_WRITERS: dict[str, Callable[[Picture], bytes]] = {
    ".png": _png,
    ".svg": lambda picture: svg(picture),
    ".pdf": _pdf,
    ".jpg": _lossy("JPEG", 92),
    ".jpeg": _lossy("JPEG", 92),
    ".webp": _lossy("WEBP", 92),
}


def one_of(what: str, asked: object, known: tuple[str, ...]) -> None:
    """Raise UnknownName unless `asked` is known."""
    if asked not in known:
        raise unknown(what, str(asked), known)
