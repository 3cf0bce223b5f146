"""Slides and tissue: tiles lie where they are said to, glass is left out, counters count what was drawn."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from pellucid.errors import BadImage, MissingExtra, UnknownName
from pellucid.images.sources import Source
from pellucid.images.sources.slides import Slides
from pellucid.images.sources.tissue import GRADES, counted, slide, stains, tile

APERIO = "Aperio Image Library v12.0.15\n{} [0,0 {}] (64x64) JPEG|AppMag = 20|MPP = 0.5"


def written(path: Path, pixels: np.ndarray) -> Path:
    """Two levels of tiles, as a scanner writes them."""
    tifffile = pytest.importorskip("tifffile")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tifffile.TiffWriter(path) as file:
        for k, level in enumerate((pixels, pixels[::8, ::8], pixels[::4, ::4])):  # the second is a thumbnail, in strips
            size = f"{level.shape[1]}x{level.shape[0]}"
            file.write(level, tile=None if k == 1 else (64, 64), photometric="rgb", metadata=None,
                       description=APERIO.format(f"{pixels.shape[1]}x{pixels.shape[0]}", size))  # fmt: skip
    return path


@pytest.fixture
def glass(tmp_path: Path) -> tuple[Path, np.ndarray]:
    """White glass with a block of colored noise in the middle, 256 × 320."""
    pytest.importorskip("tiffslide", reason="tiffslide (extra slides) is not installed")
    pixels = np.full((256, 320, 3), 250, np.uint8)
    noise = np.random.default_rng(0).integers(0, 120, (128, 128, 3)) + np.array([120, 0, 60])
    pixels[64:192, 64:192] = noise
    return written(tmp_path / "grade 3" / "one.svs", pixels), pixels


def test_tiles_of_a_slide_are_its_pixels_and_glass_is_left_out(glass: tuple[Path, np.ndarray]) -> None:
    path, pixels = glass
    found = Source.of(f"{path}?tile=64")
    assert isinstance(found, Slides)
    assert [found.cell(i)[1:] for i in range(len(found))] == [(1, 1), (1, 2), (2, 1), (2, 2)]
    for i in range(len(found)):
        _, row, column = found.cell(i)
        shown = found.read(i).pictures[0].permute(1, 2, 0).numpy()
        assert np.array_equal(shown, pixels[64 * row : 64 * row + 64, 64 * column : 64 * column + 64])
        assert found.name(i) == f"one.svs@{row},{column}"
    assert "16 of 20 tiles hold less than 50% of tissue" in str(found.notes[0])
    assert len(Source.of(f"{path}?tile=64&tissue=0")) == 20
    small = Source.of(f"{path}?tile=16&level=1&tissue=0.9")
    assert np.array_equal(small.read(0).pictures[0].permute(1, 2, 0).numpy(), pixels[64:128:4, 64:128:4])


def test_numbers_of_tiles_are_stitched_where_the_tiles_lie(glass: tuple[Path, np.ndarray]) -> None:
    found = Slides(f"{glass[0]}?tile=64")
    laid = found.stitched([1, 2, 3, 4])
    assert laid.shape == (4, 5)
    assert laid[1:3, 1:3].tolist() == [[1, 2], [3, 4]]
    assert int(np.isnan(laid).sum()) == 16
    with pytest.raises(BadImage, match="3 values for 4 tiles"):
        found.stitched([1, 2, 3])
    with pytest.raises(UnknownName, match="slide"):
        found.stitched([1, 2, 3, 4], "two.svs")


def test_a_folder_for_each_grade_gives_the_classes(glass: tuple[Path, np.ndarray]) -> None:
    path, pixels = glass
    written(path.parents[1] / "grade 1" / "two.svs", pixels[:192, :192])
    found = Source.of(f"slides:{path.parents[1]}?tile=64")
    assert found.classes == ("grade 1", "grade 3")
    assert [found.label(i) for i in range(len(found))] == [0] * 4 + [1] * 4
    assert found.name(4) == "grade 3/one.svs@1,1"
    assert found.identity == Source.of(f"slides:{path.parents[1]}?tile=64").identity
    assert found.identity != Source.of(f"slides:{path.parents[1]}?tile=32").identity


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ("?tile=7", "tile='7' of .*: a whole number from 16 to 4096"),
        ("?level=9", "level=9: 'one.svs' has the levels 0 to 1"),
        ("?tile=512", "is 320 × 256 pixels at level 0: less than a tile of 512"),
        ("?sides=3", "option of a slide"),
        ("?tissue=2", "tissue='2' of .*: a share from 0 to 1"),
        ("?tile=256&tissue=1", r"no tile holds 100% of tissue: write \?tissue=0"),
    ],
)
def test_what_a_slide_cannot_give_is_one_line(asked: str, why: str, glass: tuple[Path, np.ndarray]) -> None:
    with pytest.raises((BadImage, UnknownName), match=why) as error:
        len(Source.of(f"{glass[0]}{asked}"))
    assert "\n" not in str(error.value)


def test_broken_slides_are_one_line(glass: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    whole = glass[0].read_bytes()
    for k, data in enumerate((b"", b"no slide at all", whole[:200], whole[: len(whole) // 2])):
        broken = tmp_path / f"broken{k}.svs"
        broken.write_bytes(data)
        with pytest.raises(BadImage) as error:
            read_all(f"{broken}?tile=64&tissue=0")
        assert "\n" not in str(error.value)


def read_all(place: str) -> None:
    found = Source.of(place)
    for i in range(len(found)):
        found.read(i)


def test_without_tiffslide_one_line_names_the_extra(
    glass: tuple[Path, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tiffslide", None)
    with pytest.raises(MissingExtra, match=r"needs an extra that is not installed: pip install .*\[slides\]"):
        len(Source.of(str(glass[0])))


def test_the_same_tile_comes_from_the_same_numbers_alone() -> None:
    found = Source.of("tissue:12,32,5")
    assert found.classes == ("grade 1", "grade 2", "grade 3", "grade 4")
    assert [found.label(i) for i in range(5)] == [0, 1, 2, 3, 0]
    assert np.array_equal(found.read(7).pictures[0].permute(1, 2, 0).numpy(), tile(4, 1, 32, 5).picture)
    assert not np.array_equal(tile(4, 1, 32, 5).picture, tile(4, 1, 32, 6).picture)
    assert len(Source.of("tissue")) == 200
    for wrong in ("tissue:a", "tissue:3,4", "tissue:1,2,3,4"):
        with pytest.raises(BadImage, match="tissue:"):
            Source.of(wrong)


def test_counters_see_what_was_drawn_and_every_count_rises_with_the_grade() -> None:
    means = []
    for grade in GRADES:
        tiles = [tile(grade, k, 96) for k in range(4)]
        counts = [counted(one.picture) for one in tiles]
        drawn = np.mean([1000 * (len(np.unique(one.nuclei)) - 1) / one.nuclei.size for one in tiles])
        assert np.mean([one["density"] for one in counts]) == pytest.approx(drawn, rel=0.15)
        covered = np.mean([(one.nuclei > 0).mean() for one in tiles])
        assert np.mean([one["cover"] for one in counts]) == pytest.approx(covered, rel=0.45)
        means.append([np.mean([one[name] for one in counts]) for name in ("density", "area", "elongation", "stain")])
    assert (np.diff(means, axis=0) > 0).all()
    assert counted(np.full((32, 32, 3), 255, np.uint8))["density"] == 0


def test_amounts_of_stain_are_read_back_from_colors() -> None:
    """Beer and Lambert by hand: e to the minus of amounts times absorption."""
    hematoxylin, eosin = np.array([0.650, 0.704, 0.286]), np.array([0.072, 0.990, 0.105])
    hematoxylin, eosin = hematoxylin / np.linalg.norm(hematoxylin), eosin / np.linalg.norm(eosin)
    light = 256 * np.exp(-(0.7 * hematoxylin + 0.3 * eosin)) - 1
    found = stains(np.rint(light).astype(np.uint8)[None, None])[0, 0]
    assert found.tolist() == pytest.approx([0.7, 0.3], abs=0.02)


def test_a_slide_knows_the_grade_of_every_place() -> None:
    made = slide(0, 256)
    assert set(np.unique(made.grades)) == {0, 1, 2, 3, 4}
    bare = made.grades == 0
    assert made.picture[bare].mean() > 245, "glass"
    assert not made.nuclei[bare].any()
    assert np.array_equal(slide(0, 256).picture, made.picture)
    with pytest.raises(BadImage, match="from 128 to 8,192"):
        slide(0, 64)
