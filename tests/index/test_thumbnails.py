"""What the network saw of every image, small: kept by the sweep, the same bits however it was cut, and read again where
an index was made without.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pellucid as pl
from pellucid.errors import PellucidError, UnknownName
from pellucid.images.sources import Source
from pellucid.index import Index
from pellucid.index.folds.labels import ClassLabels
from pellucid.index.folds.thumbnails import Thumbnails, fitted, framed, packed_into
from pellucid.index.make import index as make_index
from pellucid.index.plan import planned
from pellucid.index.thumbnails import mean_of
from pellucid.net.load import load
from pellucid.sweep import Processes, Serial, Store, swept
from pellucid.sweep.store import BadStore
from tests.methods.units.planted import SIZE, indexed, planted
from tests.sweep.made import photos, small
from tests.sweep.test_folds import SPEC

SIDE = 16


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two of them cannot be read."""
    folder = photos(tmp_path_factory.mktemp("photos"), 14)
    for broken in ("0003.png", "0009.png"):
        (folder / broken).write_bytes(b"nothing")
    return folder


@pytest.fixture(scope="module")
def painted(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """Of images that a JPEG holds well."""
    return indexed(tmp_path_factory.mktemp("painted"))


@pytest.fixture
def moved(painted: Index, tmp_path: Path) -> Index:
    """The same index, whose images are elsewhere by now."""
    shutil.copytree(painted.source.place, tmp_path / "photos")
    net, source = planted(), Source.of(tmp_path / "photos")
    plan = planned(net, source, layers=("act", "second"), count=12)
    found = Index.of(swept(plan, tmp_path / "x.index", Serial(net, source))).with_net(net)
    (tmp_path / "photos").rename(tmp_path / "elsewhere")
    return found


def without(folder: Path, store: Path) -> Index:
    return make_index(small(), folder, store=store, layers=("act",), thumbnail_side=0)


def test_each_is_the_mean_over_squares_of_what_the_network_saw() -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (48, 30, 3), dtype=np.uint8)
    found = fitted(pixels, 16)
    assert found.shape == (16, 10, 3)
    means = np.array([[pixels[3 * y : 3 * y + 3, 3 * x : 3 * x + 3].astype(float).mean((0, 1)) for x in range(10)]
                      for y in range(16)])  # fmt: skip
    assert np.abs(found - means).max() <= 1  # rounded along each axis
    canvas = framed(pixels, 16)
    assert canvas.shape == (16, 16, 3)
    assert np.array_equal(canvas[:, 3:13], found)
    assert (canvas[:, :3] == 127).all()
    assert (framed(None, 16) == 127).all()


def test_what_is_kept_is_what_the_network_saw(painted: Index) -> None:
    found = painted.thumbnails(range(painted.n_images), SIZE)
    assert found.shape == (30, SIZE, SIZE, 3)
    assert found.dtype == np.uint8
    for image, one in enumerate(found):
        seen = painted.preprocess.prepare(painted.read(image)).shown(0, seen=True)
        assert np.abs(one.astype(float) - seen).mean() < 10  # but for what a JPEG costs
    assert painted.thumbnails([]).shape == (0, 64, 64, 3)
    with pytest.raises(UnknownName, match="no image 30: the index has 30, 0 to 29"):
        painted.thumbnails([30])


@pytest.mark.parametrize("side", [1, 8, 16, 64, 256])
def test_each_fits_into_its_row(side: int) -> None:
    room = Thumbnails(side).room
    for pixels in (np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8),
                   np.full((side, side, 3), 200, np.uint8)):  # fmt: skip
        assert len(packed_into(room, pixels)) <= room < 2**16
    assert Thumbnails(64).room == 2048


@pytest.mark.slow
def test_the_same_bits_however_the_work_is_cut(folder: Path, tmp_path: Path) -> None:
    net, source = load(**SPEC), Source.of(folder)

    def digests(name: str, processes: int = 1, **how: int) -> dict[str, bytes]:
        plan = planned(net, source, spec=SPEC, layers=("act",), thumbnail_side=SIDE, **how)
        runner = Processes(processes) if processes > 1 else Serial(net, source)
        store = swept(plan, tmp_path / name, runner)
        return {one: store.array(f"thumbnails.{one}").tobytes() for one in ("jpeg", "length", "there")}

    whole = digests("a")
    assert whole == digests("b", shard=4) == digests("c", shard=5, batch=3)
    assert whole == digests("d", processes=2, shard=4)


def test_a_run_that_was_stopped_goes_on(folder: Path, tmp_path: Path) -> None:
    source = Source.of(folder)
    plan = planned(load(**SPEC), source, spec=SPEC, layers=("act",), shard=5)
    whole, part = swept(plan, tmp_path / "a", Serial()), swept(plan, tmp_path / "b", Serial(), part=(1, 3))
    assert part.committed() == {1}
    assert swept(plan, tmp_path / "b", Serial()).current["digest"] == whole.current["digest"]


def test_those_that_could_not_be_read_are_gray(folder: Path, tmp_path: Path) -> None:
    index = make_index(small(), folder, store=tmp_path / "x", layers=("act",))
    assert sorted(index.unreadable) == [3, 9]
    found = index.thumbnails([2, 3, 9], SIDE)
    assert [bool((one == 127).all()) for one in found] == [False, True, True]


def test_without_them_the_images_are_read_as_before(folder: Path, painted: Index, tmp_path: Path) -> None:
    index = without(folder, tmp_path / "x")
    assert index.kept_thumbnails is None
    with pytest.raises(PellucidError, match="make it with --thumbnail-side 64"):
        index.read_fold(Thumbnails)
    seen = index.preprocess.prepare(index.read(1)).shown(0, seen=True)
    assert np.array_equal(index.thumbnails([1], 24)[0], seen)
    larger = painted.thumbnails([0], 4 * SIZE)[0]  # what is kept is all that the network saw
    assert np.array_equal(larger, framed(painted.kept_thumbnails.of(0), 4 * SIZE))  # type: ignore[union-attr]


def test_more_than_is_kept_is_read(folder: Path, tmp_path: Path) -> None:
    index = make_index(small(), folder, store=tmp_path / "x", layers=("act",), thumbnail_side=SIDE)
    assert index.kept_thumbnails is not None
    assert index.kept_thumbnails.of(1).shape == (SIDE, SIDE, 3)  # type: ignore[union-attr]
    seen = index.preprocess.prepare(index.read(1)).shown(0, seen=True)
    assert np.array_equal(index.thumbnails([1], 24)[0], seen)


def test_an_index_that_was_begun_without_them_goes_on_without(folder: Path, tmp_path: Path) -> None:
    place = tmp_path / "x"
    before = without(folder, place)
    again = make_index(small(), folder, store=place, layers=("act",))
    assert again.identity == before.identity
    assert sum("begun without thumbnails and goes on without" in note for note in again.notes) == 1
    with pytest.raises(BadStore, match="other count"):
        make_index(small(), folder, store=place, layers=("act",), count=7)
    net, source = load(**SPEC), Source.of(folder)
    old = planned(net, source, spec=SPEC, layers=("act",), shard=5, thumbnail_side=0)
    swept(old, tmp_path / "y", Serial(net, source), part=(0, 2))
    new = swept(planned(net, source, spec=SPEC, layers=("act",), shard=5), tmp_path / "y", Serial(net, source))
    assert new.finished
    assert new.current["digest"] == swept(old, tmp_path / "z", Serial(net, source)).current["digest"]


def test_a_store_with_them_is_not_that_without(folder: Path, tmp_path: Path) -> None:
    make_index(small(), folder, store=tmp_path / "x", layers=("act",))
    for side in (0, SIDE):
        with pytest.raises(BadStore, match="other"):
            make_index(small(), folder, store=tmp_path / "x", layers=("act",), thumbnail_side=side)


@pytest.mark.parametrize("what", ["no JPEG", "larger"])
def test_bytes_that_are_no_thumbnail_are_damage(what: str, folder: Path, tmp_path: Path) -> None:
    index = make_index(small(), folder, store=tmp_path / "x", layers=("act",), thumbnail_side=SIDE)
    place = index.store.folder / index.store.current["generation"] / "thumbnails.jpeg.npy"
    jpeg = np.load(place)
    jpeg[0] = 0
    if what == "larger":
        packed = packed_into(jpeg.shape[1], np.zeros((2 * SIDE, 3, 3), np.uint8))
        jpeg[0, : len(packed)] = np.frombuffer(packed, np.uint8)
    np.save(place, jpeg)
    with pytest.raises(BadStore, match="is damaged: a thumbnail in it is no picture of 16 pixels"):
        Index.of(Store.open(tmp_path / "x")).thumbnails([0], SIDE)


def test_a_map_shows_its_pictures_where_the_images_are_elsewhere(painted: Index, moved: Index) -> None:
    there, gone = (pl.representation.map(one, method="pca") for one in (painted, moved))
    assert np.array_equal(there.values, gone.values)
    assert np.array_equal(there.thumbnails, gone.thumbnails)
    assert gone.names[:2] == ("image 0", "image 1")
    assert gone.labels == there.labels
    assert len(set(gone.labels)) == 3
    assert any("names are not known here" in note for note in gone.meta.notes)
    assert not any("not known" in note for note in there.meta.notes)
    near = pl.representation.neighbors(moved, painted.read(4), count=2)
    assert near.images.tolist()[0][0] == 4
    assert near.names[0][0] == "image 4"
    assert near.matches.shape == (1, 2, 160, 160, 3)


def test_the_classes_of_images_that_are_elsewhere(painted: Index, moved: Index, tmp_path: Path) -> None:
    every = np.arange(30)
    assert moved.labels(every).tolist() == painted.labels(every).tolist() == [i // 10 for i in range(30)]
    assert moved.class_names(every[-2:]) == ("c", "c")
    assert moved.read_fold(ClassLabels).tolist() == moved.labels(every).tolist()
    place = moved.store.folder / moved.store.current["generation"] / "labels.label.npy"
    np.save(place, np.full((30, 1), 3, np.int32))
    with pytest.raises(BadStore, match="a label in it is that of no class"):
        Index.of(Store.open(moved.store.folder)).labels(every)


def test_where_nothing_is_kept_and_the_images_are_elsewhere_it_says_so(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "photos")
    index = without(copy, tmp_path / "x")
    copy.rename(tmp_path / "elsewhere")
    for ask in (lambda: index.thumbnails([0]), lambda: index.called(np.array([0])), lambda: mean_of(index, [0, 1])):
        with pytest.raises(PellucidError):
            ask()


def test_the_mean_of_some_is_over_a_part_where_they_are_many(painted: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [0, 3, 7, 8]
    mean, many = mean_of(painted, ids, SIDE)
    assert many == 4
    assert np.allclose(mean, sum(painted.thumbnails([i], SIDE)[0].astype(np.float64) for i in ids) / 4)
    monkeypatch.setattr("pellucid.index.thumbnails._KEPT", 3)
    some, fewer = mean_of(painted, ids, SIDE)
    assert fewer == 3
    assert np.array_equal(some, mean_of(painted, ids, SIDE)[0])


def test_those_of_images_that_are_not_square(tmp_path: Path) -> None:
    for i in range(3):
        Image.new("RGB", (40, 20), (200, 10 * i, 30)).save(tmp_path / f"{i}.png")
    net = pl.load(planted().module, size=(20, 40))
    index = pl.units.index(net, tmp_path, store=tmp_path / "x.index", layers=("act",), thumbnail_side=SIDE)
    found = index.thumbnails([0, 1, 2], SIDE)
    assert (found[:, :4] == 127).all()
    assert (found[:, 12:] == 127).all()
    assert np.abs(found[1, 4:12].astype(float) - (200, 10, 30)).max() < 4
