"""Thousand broken pictures: each is read to proper pixels or refused in one line, soon."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from pellucid.errors import PellucidError
from pellucid.images.decode import decode
from tests.images.made import GRAY, RGB, encoded

_exif = Image.Exif()
_exif[0x0112] = 6
PIC = Image.fromarray(RGB)
DEEP = np.random.default_rng(5).integers(0, 65536, (12, 14)).astype(np.uint16)
FRAMES: dict[str, Any] = {"save_all": True, "append_images": [PIC.rotate(90), PIC.rotate(180)]}
SOUND: dict[str, bytes] = {
    "JPEG": encoded(PIC, "JPEG", exif=_exif),
    "JPEG progressive CMYK": encoded(PIC.convert("CMYK"), "JPEG", progressive=True),
    "PNG": encoded(PIC, "PNG", exif=_exif),
    "PNG palette": encoded(PIC.quantize(16), "PNG", transparency=3),
    "PNG 16 bits": encoded(DEEP, "PNG"),
    "PNG animated": encoded(PIC, "PNG", **FRAMES),
    "GIF animated": encoded(PIC, "GIF", **FRAMES),
    "BMP": encoded(PIC, "BMP"),
    "TIFF": encoded(PIC, "TIFF", exif=_exif),
    "TIFF LZW": encoded(PIC, "TIFF", compression="tiff_lzw"),
    "TIFF deflate pages": encoded(PIC, "TIFF", compression="tiff_adobe_deflate", **FRAMES),
    "TIFF float": encoded(GRAY.astype(np.float32) / 255, "TIFF"),
    "WebP": encoded(PIC, "WEBP", exif=_exif),
    "WebP lossless animated": encoded(PIC.convert("RGBA"), "WEBP", lossless=True, **FRAMES),
    "PPM": encoded(PIC, "PPM"),
    "TGA": encoded(PIC, "TGA"),
    "ICO": encoded(PIC.resize((16, 16)), "ICO"),
    "JPEG 2000": encoded(PIC, "JPEG2000"),
    "AVIF": encoded(PIC, "AVIF"),
    "EPS": encoded(PIC, "EPS"),
}
NEVER_READ = {"TGA", "ICO", "JPEG 2000", "AVIF", "EPS"}
ROUNDS = 15  # 20 kinds × 6 mutators × 15 = 1,800 pictures


def flip_bits(data: bytearray, random: Random) -> None:
    for _ in range(random.choice((1, 4, 30))):
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)


def flip_header(data: bytearray, random: Random) -> None:
    for _ in range(random.choice((1, 2, 5))):
        data[random.randrange(2, min(64, len(data)))] = random.choice((0, 1, 127, 128, 255, random.randrange(256)))


def truncate(data: bytearray, random: Random) -> None:
    del data[random.randrange(len(data)) :]


def insert_bytes(data: bytearray, random: Random) -> None:
    place = random.randrange(len(data))
    data[place:place] = random.randbytes(random.choice((1, 3, 200)))


def swap_header(data: bytearray, random: Random) -> None:
    length = random.choice((4, 16, 40))
    data[:length] = random.choice(list(SOUND.values()))[:length]


def double_chunk(data: bytearray, random: Random) -> None:
    begin = random.randrange(len(data))
    end = random.randrange(begin, len(data)) + 1
    data[end:end] = data[begin:end]


MUTATORS: tuple[Callable[[bytearray, Random], None], ...] = (
    flip_bits, flip_header, truncate, insert_bytes, swap_header, double_chunk,
)  # fmt: skip


def attempt(data: bytes) -> str | None:
    """None where the picture is read, and properly; else the message."""
    began = time.process_time()
    try:
        found = decode(data)
    except PellucidError as error:
        message = str(error)
        assert "\n" not in message
        assert 20 < len(message) < 400, message
        assert " object at 0x" not in message
        return message
    finally:
        assert time.process_time() - began < 5
    (one,) = found
    assert one.picture.ndim == 3
    assert one.picture.shape[0] == 3
    assert one.picture.numel() > 0
    assert one.picture.dtype in (torch.uint8, torch.float32)
    pixels = one.picture / (255 if one.picture.dtype == torch.uint8 else 1)
    assert torch.isfinite(pixels).all()
    assert pixels.min() >= 0
    assert pixels.max() <= 1
    assert all("\n" not in note for note in one.notes)
    return None


@pytest.mark.parametrize("kind", SOUND)
def test_broken_pictures(kind: str) -> None:
    random = Random(zlib.crc32(kind.encode()))
    whole = SOUND[kind]
    assert (attempt(whole) is None) == (kind not in NEVER_READ)
    answers = []
    for mutate in MUTATORS:
        for _ in range(ROUNDS):
            data = bytearray(whole)
            mutate(data, random)
            answers.append(attempt(bytes(data)))
    assert len(answers) == len(MUTATORS) * ROUNDS
    refused = [answer for answer in answers if answer]
    assert len(refused) >= ROUNDS // 2  # else the mutators break nothing


def test_there_are_a_thousand() -> None:
    assert len(SOUND) * len(MUTATORS) * ROUNDS >= 1000
    assert all(mutated(mutate) != SOUND["PNG"] for mutate in MUTATORS)


def mutated(mutate: Callable[[bytearray, Random], None]) -> bytes:
    data = bytearray(SOUND["PNG"])
    mutate(data, Random(1))
    return bytes(data)
