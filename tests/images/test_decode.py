"""Every picture that people hold out: exactly what it becomes, or exactly why it is refused."""

from __future__ import annotations

import http.server
import io
import os
import socket
import struct
import subprocess
import sys
import threading
import time
import warnings
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageFile, ImageOps, TiffImagePlugin

from pellucid.errors import BadImage, PellucidError, UnknownName
from pellucid.images import read, samples
from pellucid.images.arrays import check_range
from pellucid.images.decode import Decoded, decode
from pellucid.images.samples import PAINTINGS
from pellucid.notes import Note
from tests.images.made import GRAY, HEIGHT, RGB, WIDTH, chunk, encoded, png, scan_lines, tiff

decode_module = sys.modules["pellucid.images.decode"]  # in its package the function has taken the name

PIC = Image.fromarray(RGB)
DEEP = np.random.default_rng(1).integers(0, 65536, (HEIGHT, WIDTH)).astype(np.uint16)
GREY3 = np.repeat(GRAY[..., None], 3, -1)


def one(source: Any, **options: Any) -> Decoded:
    (found,) = decode(source, **options)
    return found


def seen(source: Any, **options: Any) -> NDArray[np.float64]:
    """(H, W, C) in levels 0..255."""
    picture = one(source, **options).picture
    levels = picture.double() * (1 if picture.dtype == torch.uint8 else 255)
    return levels.permute(1, 2, 0).numpy()


def refusal(source: Any, **options: Any) -> PellucidError:
    """The error that `source` raises; a hang, another error or a message of two lines fails the test."""
    outcome: list[BaseException | None] = []

    def work() -> None:
        try:
            decode(source, **options)
            outcome.append(None)
        except BaseException as error:
            outcome.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(5)
    assert outcome, "it hangs"
    assert isinstance(outcome[0], (BadImage, UnknownName)), repr(outcome[0])
    assert "\n" not in str(outcome[0])
    assert str(outcome[0]).isprintable()
    return outcome[0]


def lab(image: Image.Image) -> Image.Image:
    made = ImageCms.profileToProfile(
        image, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    assert made is not None
    return made


def over_white(rgb: NDArray[Any], alpha: NDArray[Any]) -> NDArray[Any]:
    part = alpha[..., None] / 255
    return rgb * part + 255 * (1 - part)


ALPHA = np.tile(np.array([0, 128, 255], np.uint8), (HEIGHT, WIDTH // 3))
RGBA = Image.fromarray(np.dstack([RGB, ALPHA]))
PALETTE = PIC.quantize(64)
LESS = RGB[..., 0].astype(np.uint16) * 17  # 12 bits

# what -> (source, the levels it must show, how far off they may be)
SHOWN: dict[str, tuple[Any, NDArray[Any], float]] = {
    "JPEG": (encoded(PIC, "JPEG", quality=98, subsampling=0), RGB, 4),
    "JPEG, gray": (encoded(GRAY, "JPEG", quality=100), GREY3, 2),
    "JPEG, CMYK as Adobe inverts it": (encoded(PIC.convert("CMYK"), "JPEG", quality=98, subsampling=0), RGB, 6),
    "PNG": (encoded(PIC, "PNG"), RGB, 0),
    "WebP": (encoded(PIC, "WEBP", lossless=True), RGB, 0),
    "BMP": (encoded(PIC, "BMP"), RGB, 0),
    "TIFF": (encoded(PIC, "TIFF"), RGB, 0),
    "TIFF, LZW": (encoded(PIC, "TIFF", compression="tiff_lzw"), RGB, 0),
    "TIFF, CMYK": (encoded(PIC.convert("CMYK"), "TIFF"), RGB, 0),
    "TIFF, YCbCr": (encoded(PIC.convert("YCbCr"), "TIFF"), RGB, 3),
    "PPM": (encoded(PIC, "PPM"), RGB, 0),
    "GIF, gray": (encoded(GRAY, "GIF"), GREY3, 0),
    "PNG, L": (encoded(GRAY, "PNG"), GREY3, 0),
    "PNG, P": (encoded(PALETTE, "PNG"), np.asarray(PALETTE.convert("RGB")), 0),
    "PNG, 1": (encoded(Image.fromarray(GRAY > 90), "PNG"), np.where(GREY3 > 90, 255, 0), 0),
    "PNG, 4 bits": (png(2, 1, 4, 0, b"\0\x3f"), np.array([[[51] * 3, [255] * 3]]), 0),
    "PNG, RGBA": (encoded(RGBA, "PNG"), over_white(RGB, ALPHA), 1),
    "WebP, RGBA": (encoded(RGBA, "WEBP", lossless=True, exact=True), over_white(RGB, ALPHA), 1),
    "PNG, LA": (
        encoded(Image.merge("LA", [Image.fromarray(GRAY), Image.fromarray(ALPHA)]), "PNG"),
        over_white(GREY3, ALPHA),
        1,
    ),
    "GIF with a transparent color": (
        encoded(Image.fromarray(np.where(GRAY > 90, 255, GRAY)), "GIF", transparency=255),
        np.where(GREY3 > 90, 255, GREY3),
        0,
    ),
    "PNG, L with a transparent level": (
        png(WIDTH, HEIGHT, 8, 0, scan_lines(GRAY), chunk(b"tRNS", struct.pack(">H", 11))),
        np.where(GREY3 == 11, 255, GREY3),
        0,
    ),
    "PNG, RGB with a transparent color": (
        png(2, 1, 8, 2, b"\0" + bytes([1, 2, 3, 4, 5, 6]), chunk(b"tRNS", struct.pack(">3H", 4, 5, 6))),
        np.array([[[1, 2, 3], [255, 255, 255]]]),
        0,
    ),
    "PNG, 16 bits": (encoded(DEEP, "PNG"), np.repeat(DEEP[..., None] / 257, 3, -1), 1e-4),
    "PNG, 16 bits with a transparent level": (
        png(2, 1, 16, 0, b"\0" + struct.pack(">2H", 700, 65535), chunk(b"tRNS", struct.pack(">H", 700))),
        np.full((1, 2, 3), 255),
        0,
    ),
    "PNG, 16 bits RGB": (
        png(2, 1, 16, 2, b"\0" + struct.pack(">6H", 0, 257, 40000, 65535, 128 * 257, 999)),
        np.array([[[0, 1, 155.6], [255, 128, 3.9]]]),
        1,
    ),
    "TIFF, 16 bits": (encoded(DEEP, "TIFF"), np.repeat(DEEP[..., None] / 257, 3, -1), 1e-4),
    "TIFF, 16 bits big-endian": (
        encoded(Image.frombytes("I;16B", (WIDTH, HEIGHT), DEEP.astype(">u2").tobytes()), "TIFF"),
        np.repeat(DEEP[..., None] / 257, 3, -1),
        1e-4,
    ),
    "TIFF, 12 bits": (
        tiff(2, 1, 12, bytes([0xFF, 0xF0, 0x00])),
        np.array([[[255] * 3, [0] * 3]]),
        0,
    ),
    "PPM, 16 bits gray": (b"P5 2 1 65535\n" + struct.pack(">2H", 257, 65535), np.array([[[1] * 3, [255] * 3]]), 1e-4),
    "TIFF, float 0..1": (encoded(GRAY.astype(np.float32) / 255, "TIFF"), GREY3, 1e-3),
    "a Pillow image, La": (
        Image.merge("LA", [Image.fromarray(GRAY), Image.fromarray(ALPHA)]).convert("La"),
        over_white(GREY3, ALPHA),
        2,
    ),
    "a Pillow image, RGBa (premultiplied)": (RGBA.convert("RGBa"), over_white(RGB, ALPHA), 2),
    "a Pillow image, RGBX": (PIC.convert("RGBX"), RGB, 0),
    "a Pillow image, HSV": (PIC.convert("HSV"), RGB, 6),
    "a Pillow image, LAB": (lab(Image.new("RGB", (9, 9), (200, 120, 60))), np.tile([200, 120, 60], (9, 9, 1)), 3),
    "a Pillow image, I;16": (Image.fromarray(DEEP), np.repeat(DEEP[..., None] / 257, 3, -1), 1e-4),
    "1 × 1": (encoded(RGB[3:4, 4:5], "PNG"), RGB[3:4, 4:5], 0),
}


@pytest.mark.parametrize("what", SHOWN)
def test_shows_exactly(what: str) -> None:
    source, expected, tolerance = SHOWN[what]
    found = seen(source)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= tolerance


def test_the_table_of_pictures_is_not_trivial() -> None:
    assert all(
        len(np.unique(expected)) > 1 for what, (_, expected, _) in SHOWN.items() if "transparent level" not in what
    )
    assert not np.array_equal(RGB, RGB[::-1, ::-1])


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_look_like_their_8_bit_twin(kind: str) -> None:
    twin = np.round(DEEP / 257).astype(np.uint8)
    assert np.abs(seen(encoded(DEEP, kind)) - seen(encoded(twin, kind))).max() <= 1
    assert one(encoded(DEEP, kind)).picture.dtype == torch.float32


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "TIFF LZW", "PNG I;16"])
def test_exif_orientation(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options: dict[str, Any] = {"WEBP": {"lossless": True}, "TIFF LZW": {"compression": "tiff_lzw"}}.get(kind, {})
    image, format_ = (Image.fromarray(DEEP), "PNG") if kind == "PNG I;16" else (PIC, kind.split()[0])
    plain = encoded(image, format_, **options)
    way = Image.fromarray(np.arange(600).reshape(HEIGHT, WIDTH).astype(np.int32))
    way.getexif()[0x0112] = orientation
    place = np.asarray(ImageOps.exif_transpose(way)).astype(int)  # which pixel stands where, by Pillow's own turning
    expected = seen(plain).reshape(HEIGHT * WIDTH, 3)[place]
    assert np.array_equal(seen(encoded(image, format_, exif=exif, **options)), expected)
    if orientation > 1:
        assert expected.shape != (HEIGHT, WIDTH, 3) or not np.array_equal(expected, seen(plain))


def test_a_pillow_image_with_orientation_is_turned_and_left_alone() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    mine = Image.open(io.BytesIO(encoded(PIC, "PNG", exif=exif)))
    mine.load()
    before = (mine.mode, mine.size, mine.tobytes(), sorted(mine.info), dict(mine.getexif()))
    assert np.array_equal(seen(mine), np.rot90(RGB, -1))
    assert before == (mine.mode, mine.size, mine.tobytes(), sorted(mine.info), dict(mine.getexif()))


@pytest.mark.parametrize("mode", ["P", "L", "RGBA", "CMYK", "I;16", "F"])
def test_pillow_images_stay_as_they_are(mode: str) -> None:
    mine = Image.fromarray(DEEP) if mode == "I;16" else PIC.convert(mode)
    mine = mine.point(lambda level: level / 255) if mode == "F" else mine
    before = (mine.mode, mine.size, mine.tobytes(), dict(mine.info))
    decode(mine)
    assert before == (mine.mode, mine.size, mine.tobytes(), dict(mine.info))


NOTED: dict[str, tuple[Any, str]] = {
    "GIF": (
        encoded(
            PIC, "GIF", save_all=True, append_images=[Image.new("RGB", (WIDTH, HEIGHT), c) for c in ("red", "blue")]
        ),
        "first of 3 frames",
    ),
    "APNG": (
        encoded(PIC, "PNG", save_all=True, append_images=[Image.new("RGB", (WIDTH, HEIGHT))]),
        "first of 2 frames",
    ),
    "WebP": (
        encoded(PIC, "WEBP", save_all=True, append_images=[Image.new("RGB", (WIDTH, HEIGHT))], lossless=True),
        "first of 2 frames",
    ),
    "TIFF": (encoded(PIC, "TIFF", save_all=True, append_images=[PIC.rotate(180)]), "first of 2 pages"),
    "transparent": (encoded(RGBA, "PNG"), "transparent parts are laid on white"),
    "16 bits RGB": (png(1, 1, 16, 2, b"\0" + bytes(6)), "16 bits per channel, of which the upper 8 were read"),
    "dark 16 bits": (
        encoded((DEEP // 64).astype(np.uint16), "PNG"),
        "very dark: values from 5 to 1023 of 65535; if white is less",
    ),
    "long": (encoded(Image.new("L", (2000, 2)), "PNG"), "very long: 2000 × 2 pixels"),
    "value_range of no use": (PIC, "value_range does not concern an image of 8 bits"),
}


@pytest.mark.parametrize("what", NOTED)
def test_notes(what: str) -> None:
    source, expected = NOTED[what]
    (note,) = one(source, value_range=(0, 255) if what == "value_range of no use" else None).notes
    assert note.startswith(expected)


@pytest.mark.parametrize("what", ["GIF", "APNG", "WebP", "TIFF"])
def test_the_first_frame_is_shown(what: str) -> None:
    still = {"GIF": lambda: encoded(PIC, "GIF"), "APNG": lambda: encoded(PIC, "PNG")}.get(
        what, lambda: encoded(PIC, "BMP")
    )
    assert np.array_equal(seen(NOTED[what][0]), seen(still()))


def test_an_opaque_picture_has_no_notes() -> None:
    assert one(encoded(PIC.convert("RGBA"), "PNG")).notes == ()


def test_a_damaged_later_frame_does_not_matter() -> None:
    whole = NOTED["GIF"][0]
    assert np.array_equal(seen(whole[:-12]), seen(whole))


def test_damaged_exif_is_a_note() -> None:
    found = one(encoded(PIC, "PNG", exif=b"Exif\0\0II*\0\x08\0\0\0\x05\0\x12\x01\x03\0"))
    assert torch.equal(found.picture, torch.from_numpy(RGB.copy()).permute(2, 0, 1))
    assert any("EXIF" in note for note in found.notes), found.notes


def test_pillows_limit_neither_warns_nor_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)  # 600 pixels: Pillow's own open() would raise
    with pytest.raises(Image.DecompressionBombError):
        Image.open(io.BytesIO(encoded(PIC, "PNG")))
    assert np.array_equal(seen(encoded(PIC, "PNG")), RGB)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 400)  # only a warning; GIF checks inside its reader
    assert one(encoded(GRAY, "GIF")).notes == ()
    assert Image.MAX_IMAGE_PIXELS == 400


def header(width: int, height: int) -> bytes:
    return png(width, height, 8, 2, bytes(100))


EPS = encoded(PIC, "EPS")
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200)
AVIF = b"\0\0\0\x20ftypavif\0\0\0\0avifmif1miafMA1B" + bytes(200)
WEBP = encoded(PIC, "WEBP", save_all=True, append_images=[PIC.rotate(90)])
LONG_WEBP = WEBP[:26] + b"\x40" + WEBP[27:]  # byte 26 is the highest of the canvas's width
HTML = b"\n<!DOCTYPE html><html><body>404</body></html>"
SVG = b'<?xml version="1.0"?>\n<!-- made by hand -->\n<svg xmlns="http://www.w3.org/2000/svg"/>'
JPEG = SHOWN["JPEG"][0]

# file name -> (content, words that the message must hold)
REFUSED: dict[str, tuple[bytes, tuple[str, ...]]] = {
    "empty.jpg": (b"", ("is empty", "0 bytes")),
    "one_byte.jpg": (b"\xff", ("is no image", "JPEG, PNG")),
    "text.png": (b"hello, world\n" * 9, ("is no image",)),
    "page.jpg": (HTML, ("an HTML page", "download the image itself")),
    "drawing.jpg": (SVG, ("an SVG drawing", "render it to PNG")),
    "bare.svg": (b"<svg></svg>", ("an SVG drawing",)),
    "photo.heic": (HEIC, ("a HEIC image", "convert it to PNG or JPEG")),
    "heic.jpg": (HEIC, ("a HEIC image",)),
    "photo.avif": (AVIF, ("an AVIF image", "convert it")),
    "really.jpg": (encoded(PIC, "AVIF"), ("an AVIF image",)),
    "odd.jxl": (b"\xff\x0a" + bytes(50), ("a JPEG XL image", "convert it")),
    "boxed.jpg": (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(50), ("a JPEG XL image",)),
    "j2k.jpg": (encoded(PIC, "JPEG2000"), ("a JPEG 2000 image",)),
    "paper.jpg": (b"%PDF-1.7\n" + bytes(50), ("a PDF document", "render the page")),
    "eps.jpg": (EPS, ("a PostScript file (EPS)", "render it to PNG")),
    "bound.jpg": (b"\xc5\xd0\xd3\xc6" + bytes(60), ("a PostScript file (EPS)",)),
    "raw.cr2": (b"II*\0\x10\0\0\0CR\x02\0" + bytes(50), ("a camera's raw file", "develop")),
    "raw.dng": (encoded(PIC, "TIFF"), ("a camera's raw file",)),
    "film.jpg": (b"\0\0\0\x18ftypisom" + bytes(50), ("a video", "frame")),
    "array.npy": (b"\x93NUMPY\x01\0" + bytes(50), ("a NumPy file", "numpy.load")),
    "half.jpg": (JPEG[: len(JPEG) // 2], ("cut short",)),
    "minus2.jpg": (JPEG[:-2], ("cut short",)),
    "half.png": (encoded(DEEP, "PNG")[:600], ("cut short",)),
    "half.webp": (encoded(PIC, "WEBP")[:100], ("cut short",)),
    "half.bmp": (encoded(PIC, "BMP")[:900], ("cut short",)),
    "half.tif": (encoded(PIC, "TIFF")[:900], ("cut short",)),
    "half.lzw.tif": (encoded(PIC, "TIFF", compression="tiff_lzw")[:300], ("cut short",)),
    "half.gif": (encoded(PIC, "GIF")[:900], ("cut short",)),
    "half.ppm": (encoded(PIC, "PPM")[:900], ("cut short",)),
    "huge.png": (header(20_001, 10_000), ("too large", "20001 × 10000", "200 megapixels", "200 are the most")),
    "header.png": (header(2**31 - 1, 1000), ("too large", "2147483647 × 1000")),
    "bomb.bmp": (
        encoded(PIC, "BMP")[:18] + struct.pack("<ii", 60000, 60000) + encoded(PIC, "BMP")[26:],
        ("too large",),
    ),
    "zero.png": (header(0, 10), ()),
    "wide.webp": (LONG_WEBP, ("is damaged", "4194334 × 20", "no size of a WebP image")),
    "text_bomb.png": (
        png(1, 1, 8, 0, b"\0\0", chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(80_000_000), 9))),
        ("too large",),
    ),
    "counts.tif": (encoded(Image.fromarray(GRAY.astype(np.int32)), "TIFF"), ("int32", "from 0 to 249", "value_range=")),
    "signed.tif": (tiff(2, 1, 16, struct.pack("<2h", -5, 300), 2), ("-5 to 300", "value_range=")),
    "float.tif": (encoded(GRAY.astype(np.float32), "TIFF"), ("0 to 249", "outside 0 to 1", "value_range=")),
    "nan.tif": (encoded(np.full((4, 4), np.nan, np.float32), "TIFF"), ("16 of 16 values are NaN or infinite",)),
}


# only its name tells a DNG from a TIFF
@pytest.mark.parametrize(
    ("name", "way"), [(n, w) for n in REFUSED for w in ("file", "bytes") if (n, w) != ("raw.dng", "bytes")]
)
def test_refused(name: str, way: str, tmp_path: Path) -> None:
    content, words = REFUSED[name]
    path = tmp_path / name
    path.write_bytes(content)
    error = refusal(path if way == "file" else content)
    assert isinstance(error, BadImage)
    assert all(word in str(error) for word in words), error
    assert (f"'{name}'" if way == "file" else "given as bytes") in str(error)
    assert str(tmp_path) not in str(error)
    assert " object at 0x" not in str(error)


def test_eps_in_disguise_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []
    monkeypatch.setattr(subprocess, "Popen", lambda *a, **k: started.append(a))
    monkeypatch.setattr(os, "system", lambda *a: started.append(a))
    opened = []
    monkeypatch.setitem(Image.OPEN, "EPS", (lambda *a: opened.append(a), None))
    refusal(EPS)
    refusal(b" \n" + EPS)
    refusal(b"x" + EPS)
    assert not started
    assert not opened


def fifo(path: Path) -> None:
    os.mkfifo(path)


def listening(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


PLACES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "pipe.jpg": (fifo, "is a pipe (FIFO)"),
    "folder.jpg": (Path.mkdir, "is a folder"),
    "zero.jpg": (lambda path: path.symlink_to("/dev/zero"), "is a device"),
    "socket.jpg": (listening, "is a socket"),
    "dangling.jpg": (lambda path: path.symlink_to("gone.jpg"), "is a link to 'gone.jpg', which does not exist"),
    "loop.jpg": (lambda path: path.symlink_to(path), "ymbolic link"),
    "passwd.jpg": (lambda path: path.symlink_to("/etc/passwd"), "is no image"),
}


@pytest.mark.parametrize("name", PLACES)
def test_what_is_no_regular_file_is_never_opened(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make, words = PLACES[name]
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    make(Path(name))
    error = refusal(name)
    assert words in str(error)
    assert f"'{name}'" in str(error)


def test_a_missing_file_names_the_nearest(tmp_path: Path) -> None:
    for name in ("boxer.jpg", "cat.jpg", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    error = refusal(tmp_path / "boxr.jpg")
    assert isinstance(error, UnknownName)
    assert "no image file 'boxr.jpg'; nearest of 2: boxer.jpg" in str(error)
    assert "there is no folder" in str(refusal(tmp_path / "none" / "boxer.jpg"))
    assert "there is none here" in str(refusal(_made(tmp_path / "bare") / "a.png"))


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


@pytest.mark.parametrize("name", ["a\0b.png", "x" * 5000, "", "~no_such_user_of_pellucid/a.png", "a\n\x1b[31mred.png"])
def test_names_that_no_file_can_have(name: str) -> None:
    assert len(str(refusal(name))) < 500


def test_no_right_to_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mine.png"
    path.write_bytes(encoded(PIC, "PNG"))

    def closed(self: Path, mode: str) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", closed)  # root may read everything, so the right cannot be taken away
    assert str(refusal(path)) == "cannot open 'mine.png': Permission denied"


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"dog.png", "dog.png"),
        (b"caf\xc3\xa9 \xf0\x9f\x90\xb6.png", "café 🐶.png"),
        (b"latin\xe9.png", r"latin\udce9.png"),
        (b"new\nline\x1b.png", r"new\nline\x1b.png"),
        (b"<img onerror=x>.png", "<img onerror=x>.png"),
        ("turned\u202egnp.png".encode(), r"turned\u202egnp.png"),
    ],
)
@pytest.mark.parametrize("good", [True, False])
def test_names_are_printable(raw: bytes, name: str, good: bool, tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + raw))
    path.write_bytes(encoded(PIC, "PNG") if good else b"nothing")
    if good:
        assert one(path).name == name
        assert one(str(path)).name == name
    else:
        assert f"'{name}'" in str(refusal(path))


def test_home_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "a.png").write_bytes(encoded(PIC, "PNG"))
    assert np.array_equal(seen("~/a.png"), RGB)
    assert np.array_equal(seen(Path("~/a.png")), RGB)


def test_bytes_like_have_no_name() -> None:
    data = encoded(PIC, "PNG")
    for source in (data, bytearray(data), memoryview(data)):
        assert one(source).name is None
        assert np.array_equal(seen(source), RGB)


@pytest.mark.parametrize("name", [*samples(), *PAINTINGS])
def test_samples(name: str) -> None:
    found = one(f"sample:{name}")
    assert found.name == name
    assert found.notes == ()
    assert max(found.picture.shape) <= 384
    assert found.picture.float().std() > 20


def test_samples_are_credited_and_unknown_ones_named() -> None:
    credits_ = (Path(str(decode_module.__file__)).parent / "samples" / "CREDITS.md").read_text(encoding="utf-8")
    assert len(samples()) == 14
    assert all(f"| `{name}` |" in credits_ for name in [*samples(), *PAINTINGS])
    assert credits_.count("\n| `") == len(samples()) + len(PAINTINGS)
    assert "no sample 'pand'; nearest of 15: panda" in str(refusal("sample:pand"))
    assert isinstance(refusal("sample:../CREDITS.md"), UnknownName)


@pytest.mark.parametrize("value", [None, 3, 2.5, object(), {"a": 1}, {1, 2}, [[1]], io.BytesIO(b"x"), print])
def test_what_is_no_source(value: Any) -> None:
    assert "is no image: pass a path" in str(refusal(value))


CHANNELS_FIRST = torch.from_numpy(RGB.copy()).permute(2, 0, 1).contiguous()
FLOATS = RGB.astype(np.float32) / 255
SPECTRAL = np.random.default_rng(3).random((8, 40, 50)).astype(np.float32)
# array -> expected (C, H, W)
ARRAYS: dict[str, tuple[Any, Any]] = {
    "(H, W, 3) uint8": (RGB, CHANNELS_FIRST),
    "(3, H, W) uint8": (CHANNELS_FIRST.numpy(), CHANNELS_FIRST),
    "(H, W)": (GRAY, torch.from_numpy(GRAY)[None]),
    "(1, H, W)": (GRAY[None], torch.from_numpy(GRAY)[None]),
    "(H, W, 1)": (GRAY[..., None], torch.from_numpy(GRAY)[None]),
    "(H, W, 4)": (np.dstack([RGB, ALPHA]), torch.from_numpy(np.dstack([RGB, ALPHA])).permute(2, 0, 1)),
    "(8, H, W) multi-spectral": (SPECTRAL, torch.from_numpy(SPECTRAL)),
    "(H, W, 8) multi-spectral": (SPECTRAL.transpose(1, 2, 0), torch.from_numpy(SPECTRAL)),
    "float32": (FLOATS, CHANNELS_FIRST / 255),
    "float64": (RGB / 255, CHANNELS_FIRST / 255),
    "float16": (np.array([[0, 0.5, 1]], np.float16), torch.tensor([[[0, 0.5, 1]]])),
    "a hair beyond 0..1": (np.array([[-1e-5, 1.00001]]), torch.tensor([[[0.0, 1.0]]])),
    "uint16": (DEEP, torch.from_numpy(DEEP / 65535)[None]),
    "big-endian uint16": (DEEP.astype(">u2"), torch.from_numpy(DEEP / 65535)[None]),
    "bool": (GRAY > 90, torch.from_numpy(GRAY > 90)[None] * 255),
    "mirrored view": (RGB[::-1, ::-1], CHANNELS_FIRST.flip(1, 2)),
    "tensor (3, H, W)": (CHANNELS_FIRST, CHANNELS_FIRST),
    "tensor (H, W, 3)": (torch.from_numpy(RGB), CHANNELS_FIRST),
    "tensor with gradient": ((CHANNELS_FIRST / 255).requires_grad_(), CHANNELS_FIRST / 255),
    "tensor bfloat16": (torch.tensor([[0, 0.5, 1]], dtype=torch.bfloat16), torch.tensor([[[0, 0.5, 1]]])),
    "tensor (1, C, H, W) that would be ambiguous": (torch.ones(1, 3, 3, 3), torch.ones(3, 3, 3)),
}


@pytest.mark.parametrize("what", ARRAYS)
def test_arrays(what: str) -> None:
    source, expected = ARRAYS[what]
    found = one(source)
    assert found.name is None
    assert found.notes == ()
    assert found.picture.shape == expected.shape
    assert found.picture.dtype == (torch.uint8 if found.picture.max() > 1 else torch.float32)
    assert not found.picture.requires_grad
    assert torch.allclose(found.picture.double(), expected.double(), atol=1e-4)


@pytest.mark.parametrize(
    ("array", "value_range", "expected"),
    [
        (np.array([[-1.0, 0.0, 1.0]]), (-1, 1), [0, 0.5, 1]),
        (np.array([[0.0, 51.0, 255.0]]), (0, 255), [0, 0.2, 1]),
        (np.array([[0, 819, 4095]], np.uint16), (0, 4095), [0, 0.2, 1]),
        (np.array([[0, 1, 1]], np.uint8), (0, 1), [0, 1, 1]),
        (np.array([[2**30, 2**30 + 1, 2**30 + 2]], np.int32), (2**30, 2**30 + 2), [0, 0.5, 1]),
        (Image.fromarray(np.array([[0, 100, 1000]], np.int32)), (0, 1000), [0, 0.1, 1]),
        (tiff(3, 1, 32, struct.pack("<3f", -2, 0, 2), 3), (-2, 2), [0, 0.5, 1]),
        (encoded(np.array([[0, 819, 4095]], np.uint16), "PNG"), (0, 4095), [0, 0.2, 1]),
    ],
)
def test_value_range(array: Any, value_range: tuple[float, float], expected: list[float]) -> None:
    picture = one(array, value_range=value_range).picture
    assert picture.dtype == torch.float32
    assert torch.allclose(picture[-1, 0], torch.tensor(expected, dtype=torch.float32), atol=1e-6)


def test_a_batch_is_many_pictures() -> None:
    batch = torch.rand(4, 3, 8, 9)
    found = decode(batch)
    assert len(found) == 4
    assert all(torch.equal(one_.picture, picture) for one_, picture in zip(found, batch, strict=True))


def test_the_picture_is_not_the_array() -> None:
    mine = [RGB.copy(), CHANNELS_FIRST.clone(), CHANNELS_FIRST[None].clone(), FLOATS.copy()]
    for array in mine:
        picture = one(array).picture
        before = picture.clone()
        array[...] = 0
        assert torch.equal(picture, before)
        assert picture.is_contiguous()


BAD_ARRAYS: dict[str, tuple[Any, dict[str, Any], str]] = {
    "both ends 3": (np.zeros((3, 50, 3)), {}, r"may be (C, H, W) or (H, W, C)"),
    "a cube": (np.zeros((3, 3, 3)), {}, "pass a torch tensor of shape (1, C, H, W)"),
    "4 rows or RGBA": (np.zeros((4, 50, 3)), {}, "cannot be told"),
    "many channels": (np.zeros((64, 64, 64)), {}, "cannot be told"),
    "one axis": (np.zeros(7), {}, "is no image: (H, W)"),
    "a number": (np.array(3.0), {}, "is no image: (H, W)"),
    "numpy batch": (np.zeros((2, 3, 8, 8)), {}, "pass a list of images"),
    "five axes": (torch.zeros(1, 2, 3, 4, 5), {}, "no single image"),
    "(N, H, W, C)": (torch.zeros(2, 40, 50, 3), {}, "permute(0, 3, 1, 2)"),
    "empty": (np.zeros((0, 5)), {}, "holds no pixels"),
    "empty batch": (torch.zeros(0, 3, 4, 4), {}, "holds no pixels"),
    "objects": (np.array([[None, 1]]), {}, "object values"),
    "strings": (np.array([["a", "b"]]), {}, "no numbers of pixels"),
    "complex": (torch.zeros(4, 4, dtype=torch.complex64), {}, "complex64 values"),
    "int64": (np.array([[0, 200]]), {}, "int64 values from 0 to 200"),
    "0..255 floats": (np.array([[0.0, 200.0]]), {}, "0 to 200, outside 0 to 1: pass value_range="),
    "-1..1 floats": (np.array([[-1.0, 1.0]]), {}, "-1 to 1, outside 0 to 1"),
    "outside its range": (np.array([[0.0, 300.0]]), {"value_range": (0, 255)}, "0 to 300, outside 0 to 255"),
    "NaN": (np.array([[np.nan, 1.0]]), {}, "1 of 2 values are NaN or infinite"),
    "inf": (torch.tensor([[torch.inf, -torch.inf]]), {}, "2 of 2 values are NaN or infinite"),
    "NaN with a range": (np.array([[np.nan, 1.0]]), {"value_range": (0, 9)}, "NaN"),
    "sparse": (torch.zeros(4, 4).to_sparse(), {}, "pass a dense tensor"),
    "meta": (torch.zeros(4, 4, device="meta"), {}, "no plain pixels"),
    "range turned": (GRAY, {"value_range": (1, 0)}, "is not (low, high)"),
    "range NaN": (GRAY, {"value_range": (0, float("nan"))}, "is not (low, high)"),
}


@pytest.mark.parametrize("what", BAD_ARRAYS)
def test_bad_arrays(what: str) -> None:
    source, options, words = BAD_ARRAYS[what]
    assert words in str(refusal(source, **options))


@pytest.mark.parametrize("value_range", [(1,), (1, 2, 3), "ab", 7, (None, 1), ([0], 1), (1, 1), (0, float("inf"))])
def test_ranges_that_are_none(value_range: Any) -> None:
    with pytest.raises(BadImage, match=r"is not \(low, high\)"):
        check_range(value_range)


@pytest.mark.parametrize(
    "error",
    [SyntaxError("x"), RuntimeError("y"), struct.error("z"), KeyError("k"), IndexError(), ZeroDivisionError("0"),
     OverflowError("o"), RecursionError("r"), TypeError("t"), AttributeError("a"), EOFError()],
)  # fmt: skip
def test_whatever_pillow_raises(error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: ImageFile.ImageFile) -> None:
        raise error

    path = tmp_path / "bad.png"
    path.write_bytes(encoded(PIC, "PNG"))
    monkeypatch.setattr(ImageFile.ImageFile, "load", broken)
    assert str(refusal(path)).startswith("'bad.png' is ")


def test_out_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: ImageFile.ImageFile) -> None:
        raise MemoryError

    monkeypatch.setattr(ImageFile.ImageFile, "load", broken)
    assert "needs more memory than there is" in str(refusal(encoded(PIC, "PNG")))


def test_ctrl_c_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    def pressed(self: ImageFile.ImageFile) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ImageFile.ImageFile, "load", pressed)
    with pytest.raises(KeyboardInterrupt):
        decode(encoded(PIC, "PNG"))


def warned_tiff() -> bytes:
    """A TIFF whose tag for the software claims more data than the file has: Pillow warns and goes on."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[305] = "some program"
    data = encoded(PIC, "TIFF", tiffinfo=tags)
    at = data.index(struct.pack("<HH", 305, 2))
    return data[: at + 4] + struct.pack("<I", 10**8) + data[at + 8 :]


def test_warnings_become_notes_in_every_thread() -> None:
    good, bad = encoded(PIC, "TIFF"), warned_tiff()
    filters = list(warnings.filters)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(one, [good, bad] * 20))
    assert warnings.filters == filters
    assert all(torch.equal(each.picture, CHANNELS_FIRST) for each in found)
    assert [bool(each.notes) for each in found] == [False, True] * 20


def test_files_are_closed(tmp_path: Path) -> None:
    good, bad = tmp_path / "a.png", tmp_path / "b.png"
    good.write_bytes(encoded(PIC, "PNG"))
    bad.write_bytes(encoded(PIC, "PNG")[:60])
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        decode(good)
        with pytest.raises(BadImage):
            decode(bad)
    assert len(os.listdir("/proc/self/fd")) == before


class Handler(http.server.BaseHTTPRequestHandler):
    waiting = threading.Event()

    def do_GET(self) -> None:
        body = encoded(PIC, "PNG") if ".png" in self.path else HTML
        self.send_response(404 if "gone" in self.path else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:10])
        if "slow" in self.path:
            self.waiting.wait(20)
        self.wfile.write(body[10:])

    def log_message(self, *args: Any) -> None:
        """Silent."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("no_proxy", "*")
    Handler.waiting.clear()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        Handler.waiting.set()
        running.shutdown()
        thread.join()


def test_urls(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = one(f"{server}/pictures/my%20dog.png?size=2")
    assert found.name == "my dog.png"
    assert torch.equal(found.picture, CHANNELS_FIRST)
    assert "HTTP 404 Not Found" in str(refusal(f"{server}/gone.png"))
    assert "an HTML page" in str(refusal(f"{server}/page"))
    monkeypatch.setattr(decode_module, "_MOST_BYTES", 30)
    assert "it has more than" in str(refusal(f"{server}/dog.png"))


def test_a_server_that_does_not_end(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode_module, "_PATIENCE", 0.2)
    began = time.monotonic()
    assert "cannot fetch" in str(refusal(f"{server}/slow.png"))
    assert time.monotonic() - began < 15


def test_offline_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/a.png"
        began = time.monotonic()
        assert str(refusal(url)).startswith(f"cannot fetch '{url}': ")
        assert time.monotonic() - began < 15


@pytest.mark.parametrize(
    "url", ["http://", "https:///a.png", "http://[::1", "http://a b/c.png", "http://127.0.0.1:x/a"]
)
def test_urls_that_are_none(url: str) -> None:
    assert "cannot" in str(refusal(url))


def test_file_urls(tmp_path: Path) -> None:
    path = tmp_path / "my dog.png"
    path.write_bytes(encoded(PIC, "PNG"))
    assert one(path.as_uri()).name == "my dog.png"
    assert isinstance(refusal(path.as_uri() + "x"), UnknownName)
    assert "another machine" in str(refusal("file://elsewhere/a.png"))
    assert "is a device" in str(refusal("file:///dev/zero"))


def test_read_gives_ids_and_notes(tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    path.write_bytes(NOTED["GIF"][0])
    images = read([path, RGB, torch.rand(2, 3, 8, 8)])
    assert len(images) == 4
    assert images.ids[0] == "a.gif"
    assert len(set(images.ids)) == 4
    assert images.notes == images[0].notes == (Note("input", "first of 3 frames", "a.gif"),)
    assert (str(images.notes[0]), images[1].notes) == ("a.gif: first of 3 frames", ())
