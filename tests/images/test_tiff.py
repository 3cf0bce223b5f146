"""TIFFs as microscopes, satellites and scanners write them, against tifffile's own numbers."""

from __future__ import annotations

import io
import zlib
from typing import Any

import numpy as np
import pytest
import tifffile
import torch

from pellucid.errors import BadImage, MissingExtra
from pellucid.images import Images, read

RANDOM = np.random.default_rng(0)
DEEP = (RANDOM.random((24, 20, 8)) * 60000).astype(np.uint16)
BYTES = (RANDOM.random((24, 20, 8)) * 255).astype(np.uint8)


def written(array: np.ndarray, **how: Any) -> bytes:
    """The array as a TIFF in memory."""
    buffer = io.BytesIO()
    how = {"photometric": "minisblack", "planarconfig": "contig"} | how
    tifffile.imwrite(buffer, array, **how)
    return buffer.getvalue()


def one(data: bytes, **how: Any) -> torch.Tensor:
    (picture,) = read(data, **how).pictures
    return picture


KINDS: dict[str, tuple[np.ndarray, dict[str, Any], np.ndarray]] = {
    "8 bands of 16 bits": (DEEP, {}, DEEP / 65535),
    "big endian": (DEEP, {"byteorder": ">"}, DEEP / 65535),
    "deflate with differences": (DEEP, {"compression": "zlib", "predictor": True}, DEEP / 65535),
    "tiles": (DEEP, {"tile": (16, 16), "compression": "zlib"}, DEEP / 65535),
    "strips": (DEEP, {"rowsperstrip": 7}, DEEP / 65535),
    "a plane for each band": (DEEP.transpose(2, 0, 1), {"planarconfig": "separate"}, DEEP / 65535),
    "BigTIFF": (DEEP, {"bigtiff": True}, DEEP / 65535),
    "2 bands": (BYTES[..., :2], {"extrasamples": ["unspecified"]}, BYTES[..., :2]),
    "5 bands of floats": (DEEP[..., :5] / np.float32(65535), {}, DEEP[..., :5] / 65535),
    "RGB of 16 bits": (DEEP[..., :3], {"photometric": "rgb"}, DEEP[..., :3] / 65535),
    "RGB of floats": (DEEP[..., :3] / np.float32(65535), {"photometric": "rgb"}, DEEP[..., :3] / 65535),
    "RGB and infrared": (BYTES[..., :4], {"photometric": "rgb", "extrasamples": ["unspecified"]}, BYTES[..., :4]),
    "gray of float64": (DEEP[..., 0] / 65535.0, {}, DEEP[..., :1] / 65535),
    "gray of float16": (BYTES[..., 0] / np.float16(255), {}, BYTES[..., :1] / 255),
}


@pytest.mark.parametrize("what", KINDS)
def test_all_bands_at_their_depth(what: str) -> None:
    array, how, expected = KINDS[what]
    picture = one(written(array, **how))
    assert picture.shape == (expected.shape[2], 24, 20)
    assert np.allclose(picture.permute(1, 2, 0).double().numpy(), expected, atol=2e-3 if "16" in what else 1e-6)


@pytest.mark.parametrize(
    ("array", "value_range"),
    [
        (RANDOM.normal(size=(9, 9, 5)).astype(np.float32) * 300, (-2000, 2000)),
        ((RANDOM.random((9, 9, 3)) * 4000 - 1000).astype(np.int16), (-1000, 3000)),
        ((RANDOM.random((9, 9, 6)) * 1e6).astype(np.uint32), (0, 1e6)),
    ],
)
def test_numbers_without_a_white_need_their_range(array: np.ndarray, value_range: tuple[float, float]) -> None:
    data = written(array)
    with pytest.raises(BadImage, match="value_range="):
        read(data)
    low, high = value_range
    picture = one(data, value_range=value_range)
    assert np.allclose(picture.permute(1, 2, 0).numpy(), (array - low) / (high - low), atol=1e-6)


def test_transparency_lies_on_white_and_another_band_does_not() -> None:
    alpha = np.full((24, 20, 1), 65535, np.uint16)
    alpha[:12] = 0
    data = written(np.concatenate([DEEP[..., :3], alpha], 2), photometric="rgb", extrasamples=["unassalpha"])
    images = read(data)
    assert images.pictures[0].shape == (3, 24, 20)
    assert images.pictures[0][:, :12].min() == 1
    assert np.allclose(images.pictures[0][:, 12:].permute(1, 2, 0), DEEP[12:, :, :3] / 65535)
    assert "transparent parts are laid on white" in images.notes[0].text


def test_white_may_be_zero() -> None:
    assert np.array_equal(one(written(BYTES[..., :2], photometric="miniswhite"))[0], 255 - BYTES[..., 0])


def test_of_several_pages_the_first() -> None:
    data = written(np.stack([DEEP, DEEP // 2]), metadata=None)
    images = read(data)
    assert images.pictures[0].shape == (8, 24, 20)
    assert "first of 2 pages" in images.notes[0].text


def test_cut_short_and_bombs_are_refused() -> None:
    data = written(DEEP, byteorder="<")
    for size in (len(data) // 2, len(data) - 10):
        with pytest.raises(BadImage, match=r"cut short|damaged"):
            read(data[:size])
    good = written(DEEP, compression="zlib", rowsperstrip=24)
    with tifffile.TiffFile(io.BytesIO(good)) as file:
        (start,), (size,) = file.pages[0].dataoffsets, file.pages[0].databytecounts
    bomb = zlib.compress(bytes(2_000_000), 9)
    assert len(bomb) <= size
    with pytest.raises(BadImage, match="inflates to more than its"):
        read(good[:start] + bomb.ljust(size, b"\0") + good[start + size :])


def test_a_header_that_claims_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pellucid.images.tiff._MOST_VALUES", 1000)
    with pytest.raises(BadImage, match="too large"):
        read(written(DEEP))


def test_a_compression_that_needs_a_package_names_it() -> None:
    data = bytearray(written(DEEP, byteorder="<", metadata=None))
    at = data.index(b"\x03\x01\x03\x00\x01\x00\x00\x00\x01\x00")  # the tag of compression: none
    data[at + 8] = 5  # LZW
    try:
        import imagecodecs  # noqa: F401
    except ImportError:
        with pytest.raises(MissingExtra, match="pip install imagecodecs"):
            read(bytes(data))
    data[at + 8] = 7  # JPEG
    with pytest.raises(BadImage, match="save it uncompressed or as DEFLATE"):
        read(bytes(data))


def test_a_deep_picture_is_shown_through_its_quantiles_and_seen_as_it_is() -> None:
    slice_ = (RANDOM.random((30, 30)) * 3000).astype(np.uint16)
    for source in (slice_, written(slice_), slice_ / 65535):
        images = read(source)
        assert images.shown(0).max() == 255
        assert images.shown(0).min() == 0
        assert np.allclose(images.pictures[0][0], slice_ / 65535, atol=1e-6)
    flat = read(np.full((5, 5), 300, np.uint16))
    assert flat.shown(0).max() < 3
    spot = np.zeros((30, 30), np.uint16)
    spot[3, 3] = 90
    assert read(spot).shown(0)[3, 3, 0] == 255


@pytest.mark.parametrize("picture", [BYTES[..., :3] // 30, torch.rand(3, 20, 20) * 0.5 + 0.2])
def test_pictures_of_8_bits_and_usual_floats_are_shown_as_they_are(picture: Any) -> None:
    images = read(picture)
    expected = images.pictures[0].float() / (255 if images.pictures[0].dtype == torch.uint8 else 1)
    assert np.abs(images.shown(0) / 255 - expected.permute(1, 2, 0).numpy()).max() <= 0.003


def test_ranges_stay_with_their_pictures() -> None:
    both: Images = read(DEEP[..., 0]) + read(BYTES[..., 0]) + read([BYTES[..., 0] / 255.0], value_range=(0, 2))
    assert [both.value_range(i) for i in range(3)] == [(0, 65535), None, (0, 2)]
    assert both[2].value_range(0) == (0, 2)
