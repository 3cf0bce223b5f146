"""Pictures as a result: what is written is what was measured, and every picture keeps its own trust."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.result import Asked, Meta, Pictures, Trust

TRUST = Trust(3.0, best_real=2.0, ninth_real=1.0, real_images=1000, shift_retention=0.9, rank=1, channels=8)


def pictures(count: int = 3, channels: int = 3) -> Pictures:
    pixels = np.random.default_rng(0).integers(0, 256, (count, 20, 30, channels), dtype=np.uint8)
    return Pictures(
        pixels, tuple("abcdef"[:count]), facts={"size": tuple(map(float, range(count)))},
        trust=tuple(replace(TRUST, activation=float(i)) for i in range(count)), beside={"photo": pixels[:, ::2]},
        meta=Meta(Asked("m"), found={"score": tuple(map(float, range(count)))}),
    )  # fmt: skip


@pytest.mark.parametrize("channels", [1, 3])
def test_files_hold_the_pixels(channels: int, tmp_path: Path) -> None:
    made = pictures(3, channels)
    files = made.write(tmp_path / "x.png")
    assert [file.name for file in files] == ["x-0.png", "x-1.png", "x-2.png"]
    for file, pixels in zip(files, made.pixels, strict=True):
        assert np.array_equal(np.asarray(Image.open(file)).reshape(pixels.shape), pixels)
    assert made[1].write(tmp_path / "y.png") == [tmp_path / "y.png"]


def test_what_no_file_can_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PellucidError, match=r"must end in \.png"):
        pictures().write(tmp_path / "x.jpg")
    with pytest.raises(PellucidError, match="4 channels has no PNG"):
        pictures(1, 4).write(tmp_path / "x.png")
    assert not list(tmp_path.iterdir())


def test_one_picture_keeps_what_is_its_own() -> None:
    made = pictures()
    assert made[2].trust == (replace(TRUST, activation=2.0),)
    assert made[2].facts == {"size": (2.0,)}
    assert made[-1].names == ("c",)
    assert np.array_equal(made[2].beside["photo"][0], made.pixels[2, ::2])
    assert made[1].meta.score == (1.0,)
    with pytest.raises(IndexError, match="no image 3"):
        made[3]


def test_everything_is_saved(tmp_path: Path) -> None:
    made = pictures()
    with np.load(made.save(tmp_path / "x.npz"), allow_pickle=False) as saved:
        assert np.array_equal(saved["pixels"], made.pixels)
    told = made.describe()["trust"]
    assert [one["ratio"] for one in told] == [0, 0.5, 1]
    assert [one["ninth_ratio"] for one in told] == [0, 1, 2]
    assert told[0]["adversarial"] is False
    for again in (pl.open(tmp_path / "x.npz"), pickle.loads(pickle.dumps(made))):
        assert again.trust == made.trust


def test_lengths_that_do_not_fit_are_named() -> None:
    pixels = pictures().pixels
    with pytest.raises(ValueError, match="3 pictures with 2 names"):
        Pictures(pixels, ("a", "b"))
    with pytest.raises(ValueError, match="1 trust"):
        Pictures(pixels, ("a", "b", "c"), trust=(TRUST,))


def test_ratios_count_from_zero_or_from_what_stands_for_it() -> None:
    assert (TRUST.ratio, TRUST.ninth_ratio) == (1.5, 3.0)
    shifted = replace(TRUST, offset=-1.0)
    assert (shifted.ratio, shifted.ninth_ratio) == (4 / 3, 2.0)
    assert replace(TRUST, best_real=-0.5, offset=-1.0).ratio == 8  # a unit that is negative on every photo
    for unknown in (replace(TRUST, best_real=None), replace(TRUST, best_real=0.0), replace(TRUST, activation=None)):
        assert unknown.ratio is None
        assert unknown.derived()["ratio"] is None


@pytest.mark.parametrize(("kept", "noise"), [(None, False), (0.49, True), (0.5, False), (-1.0, True), (1.2, False)])
def test_a_picture_is_noise_when_half_of_it_is_lost(kept: float | None, noise: bool) -> None:
    assert replace(TRUST, shift_retention=kept).adversarial is noise
    assert replace(TRUST, perturb_retention=kept).adversarial is noise


def test_pictures_of_several_sizes(tmp_path: Path) -> None:
    """As those made from photos are: a tuple; one array again where they are of one size."""
    sizes = [(4, 6), (5, 3)]
    pixels = tuple(np.full((*size, 3), i, dtype=np.uint8) for i, size in enumerate(sizes))
    both = Pictures(pixels, ("a", "b"), beside={"photo": pixels})
    assert repr(both).startswith("Pictures(2 of 4×6, 5×3")
    assert both[1].pixels.shape == both[1].beside["photo"].shape == (1, 5, 3, 3)
    with np.load(both.save(tmp_path / "x.npz"), allow_pickle=False) as saved:
        assert saved["pixels.1"].shape == saved["beside.photo.1"].shape == (5, 3, 3)
    for file, one in zip(both.write(tmp_path / "x.png"), pixels, strict=True):
        with Image.open(file) as picture:
            assert np.array_equal(np.asarray(picture), one)
    assert np.array_equal(pickle.loads(pickle.dumps(both)).pixels[1], pixels[1])
    assert Pictures((pixels[0], pixels[0]), ("a", "b")).pixels.shape == (2, 4, 6, 3)
