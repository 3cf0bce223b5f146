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
from typing import IO, Any

import numpy as np
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
        """Write the picture to `path`, in the format of its suffix: png, svg, pdf, jpg or webp; atomic."""
        path = Path(path)
        suffix = path.suffix.lower()
        if suffix not in _WRITERS:
            known = ", ".join(_WRITERS)
            raise PellucidError(f"cannot save a picture as {path.name!r}: its name must end in one of {known}")
        return write_atomically(path, lambda file: _WRITERS[suffix](self, file))

    def _repr_png_(self) -> bytes:
        image, data = Image.fromarray(self.array), _png(self, Image.fromarray(self.array))
        while len(data) > _MOST and min(image.size) > 64:
            image = image.resize(((image.width * 4) // 5, (image.height * 4) // 5), Image.Resampling.LANCZOS)
            data = _png(self, image)
        return data

    def _repr_html_(self) -> str:
        if self.table:
            return self.table
        data, kind = _bytes(lambda file: _write_png(self, file)), "png"
        if len(data) > _MOST:
            data, kind = self._lean(), "webp"
        alt, source = html.escape(self.alt, quote=True), base64.b64encode(data).decode()
        width = round(self.sheet.width)
        return f'<img src="data:image/{kind};base64,{source}" alt="{alt}" style="width:{width}px;max-width:100%">'

    def _lean(self) -> bytes:
        """The picture as WebP, small enough for a notebook."""
        image = Image.fromarray(self.array)
        for quality in (92, 80, 60):
            data = _bytes(lambda file, quality=quality: image.save(file, "WEBP", quality=quality))  # type: ignore[misc]
            if len(data) <= _MOST:
                return data
        image.thumbnail((1600, 1600), Image.Resampling.LANCZOS)
        return _bytes(lambda file: image.save(file, "WEBP", quality=50))


def _bytes(write: Callable[[IO[bytes]], object]) -> bytes:
    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()


def _png(picture: Picture, image: Image.Image) -> bytes:
    return _bytes(lambda file: _save_png(picture, image, file))


def _save_png(picture: Picture, image: Image.Image, file: IO[bytes]) -> None:
    info = PngInfo()
    for key, value in picture.about.items():
        info.add_text(key, value)
    dots = 100 * picture.sheet.density * image.width / picture.array.shape[1]
    image.save(file, "PNG", pnginfo=info, optimize=True, dpi=(dots, dots))


def _write_png(picture: Picture, file: IO[bytes]) -> None:
    _save_png(picture, Image.fromarray(picture.array), file)


def _write_lossy(kind: str, quality: int) -> Callable[[Picture, IO[bytes]], None]:
    def write(picture: Picture, file: IO[bytes]) -> None:
        exif = Image.Exif()
        exif[0x010E] = f"{picture.about.get('Title', '')}. {picture.about.get('Description', '')}"  # ImageDescription
        image, detail = Image.fromarray(picture.array), {"subsampling": 0} if kind == "JPEG" else {}
        image.save(file, kind, quality=quality, exif=exif, **detail)

    return write


def _write_svg(picture: Picture, file: IO[bytes]) -> None:
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    said = {key: picture.about.get(key, "") for key in ("Title", "Description")}
    with _LOCK:
        canvas: Any = FigureCanvasSVG(picture.sheet.figure())
        canvas.print_svg(file, metadata={**said, "Date": None, "Creator": "pellucid"})


def _write_pdf(picture: Picture, file: IO[bytes]) -> None:
    from matplotlib.backends.backend_pdf import FigureCanvasPdf

    said = {"Title": picture.about.get("Title", ""), "Subject": picture.about.get("Description", "")}
    with _LOCK:
        canvas: Any = FigureCanvasPdf(picture.sheet.figure())
        canvas.print_pdf(file, metadata={**said, "Creator": "pellucid", "CreationDate": None})


_WRITERS: dict[str, Callable[[Picture, IO[bytes]], None]] = {
    ".png": _write_png,
    ".svg": _write_svg,
    ".pdf": _write_pdf,
    ".jpg": _write_lossy("JPEG", 92),
    ".jpeg": _write_lossy("JPEG", 92),
    ".webp": _write_lossy("WEBP", 92),
}


def one_of(what: str, asked: object, known: tuple[str, ...]) -> None:
    """Raise UnknownName unless `asked` is known."""
    if asked not in known:
        raise unknown(what, str(asked), known)
