"""Where many pictures come from: the same pictures, names and labels from every kind, and nothing bad is fatal."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from pellucid.errors import BadImage, MissingExtra, PellucidError, UnknownName, Unreachable
from pellucid.images import pictures_in, samples
from pellucid.images.sources import Source
from pellucid.index import Index
from pellucid.index.plan import planned
from pellucid.net import Net
from pellucid.plugins import IMAGES
from pellucid.sweep import Serial, swept
from tests.sweep.made import small

COUNT, CLASSES = 12, ("cat", "dog", "owl")


def pixels(i: int) -> np.ndarray:
    """(20, 24, 3)"""
    return np.random.default_rng(i).integers(0, 256, (20, 24, 3), dtype=np.uint8)


def png(i: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels(i)).save(buffer, "PNG")
    return buffer.getvalue()


def folder(place: Path) -> Path:
    """The pictures in a folder for each class: in the order of names those of one class follow one another."""
    for i in range(COUNT):
        home = place / CLASSES[i % 3]
        home.mkdir(parents=True, exist_ok=True)
        (home / f"{i:02d}.png").write_bytes(png(i))
    return place


def tar(file: Path, numbers: range = range(COUNT)) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(file, "w") as archive:
        for i in numbers:
            for name, data in ((f"{i:02d}.png", png(i)), (f"{i:02d}.cls", str(i % 3).encode())):
                member = tarfile.TarInfo(name)
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
    return file


def table(**columns: Any) -> Any:
    pyarrow = pytest.importorskip("pyarrow")
    cells = [{"bytes": png(i), "path": f"{i:02d}.png"} for i in range(COUNT)]
    return pyarrow.table({"image": cells, "label": [i % 3 for i in range(COUNT)], **columns})


def parquet(file: Path, held: Any = None, group: int = 5) -> Path:
    held = held or table()
    __import__("pyarrow.parquet").parquet.write_table(held, file, row_group_size=group)
    return file


def hugging_face(place: Path, held: Any = None) -> Path:
    """As `datasets.save_to_disk` lays it out, in two files."""
    held, ipc = held or table(), __import__("pyarrow").ipc
    place.mkdir(parents=True)
    names = ["data-00000-of-00002.arrow", "data-00001-of-00002.arrow"]
    for name, part in zip(names, (held.slice(0, 7), held.slice(7)), strict=True):
        with ipc.new_stream(place / name, held.schema) as stream:
            stream.write_table(part, max_chunksize=3)
    features = {"image": {"_type": "Image"}, "label": {"names": list(CLASSES), "_type": "ClassLabel"}}
    (place / "dataset_info.json").write_text(json.dumps({"features": features}))
    (place / "state.json").write_text(json.dumps({"_data_files": [{"filename": name} for name in names]}))
    return place


def arrays(file: Path) -> Path:
    np.savez(file, images=np.stack([pixels(i) for i in range(COUNT)]), labels=np.arange(COUNT) % 3)
    return file


MADE = {
    "folder": lambda at: folder(at / "photos"), "tar": lambda at: tar(at / "x.tar"),
    "parquet": lambda at: parquet(at / "x.parquet"), "arrays": lambda at: arrays(at / "x.npz"),
    "hugging_face": lambda at: hugging_face(at / "saved"),
}  # fmt: skip


@pytest.fixture(params=list(MADE))
def made(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    """(kind, place)"""
    if request.param in ("parquet", "hugging_face"):
        pytest.importorskip("pyarrow")
    return request.param, MADE[request.param](tmp_path)


def original(source: Source, i: Any) -> int:
    """Which of the made pictures number i is, by its name."""
    return int(Path(source.name(int(i))).stem)


def test_every_kind_holds_the_same_pictures(made: tuple[str, Path]) -> None:
    kind, place = made
    source = Source.of(place)
    assert source.kind == kind
    assert len(source) == COUNT
    assert len({source.name(i) for i in range(COUNT)}) == COUNT
    assert len(source.classes) == 3
    seen = set()
    for i in (11, 3, 0, 4, 5, 6, 7, 10, 9, 8, 1, 2):  # in no order
        (picture,), number = source.read(i).pictures, original(source, i)
        assert torch.equal(picture, torch.from_numpy(pixels(number).transpose(2, 0, 1).copy()))
        assert source.label(i) == number % 3
        assert source.read(i).ids[0].endswith(Path(source.name(i)).name)
        seen.add(number)
    assert seen == set(range(COUNT))


def test_the_text_of_a_source_opens_it_again_from_elsewhere(
    made: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, place = made
    monkeypatch.chdir(place.parent)
    source = Source.of(place.name)
    monkeypatch.chdir(tmp_path.parent)
    again = Source.of(str(source))
    assert (again.kind, len(again), again.identity) == (kind, COUNT, source.identity)
    assert Source.of(source) is source


def test_who_is_moved_keeps_its_identity_and_who_is_changed_does_not(made: tuple[str, Path], tmp_path: Path) -> None:
    kind, place = made
    before = Source.of(place).identity
    moved = tmp_path / "elsewhere" / place.name
    moved.parent.mkdir()
    place.rename(moved)
    assert Source.of(moved).identity == before
    other = tmp_path / "other"
    other.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(globals(), "COUNT", 11)
        changed = tar(other / place.name, range(11)) if kind == "tar" else MADE[kind](other)
    assert Source.of(changed).identity != before


def test_an_index_of_moved_pictures_is_re_pointed(made: tuple[str, Path], tmp_path: Path) -> None:
    _, place = made
    net, source = small(), Source.of(place)
    index = Index.of(swept(planned(net, source, count=3, shard=5), tmp_path / "x.index", Serial(net, source)))
    assert index.store.bad() == ()
    moved = tmp_path / "elsewhere" / place.name
    moved.parent.mkdir()
    place.rename(moved)
    with pytest.raises(PellucidError):
        Index.of(tmp_path / "x.index").source.read(0)
    assert torch.equal(
        Index.of(tmp_path / "x.index").with_images(moved).source.read(4).pixels, Source.of(moved).read(4).pixels
    )


def test_what_cannot_be_read_is_listed_with_its_reason_and_the_rest_is_there(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    good = folder(tmp_path / "good")
    for name, data in (("cat/03.png", png(3)[:200]), ("dog/04.png", b""), ("owl/05.png", b"<html>")):
        (good / name).write_bytes(data)
    cells = [{"bytes": png(i), "path": None} for i in range(COUNT)]
    cells[3]["bytes"], cells[4]["bytes"], cells[5] = png(3)[:200], b"", {"bytes": None, "path": None}
    held = __import__("pyarrow").table({"image": cells})
    net = small()
    for place, missing in ((good, "03 04 05"), (parquet(tmp_path / "bad.parquet", held), "3 4 5")):
        source = Source.of(place)
        store = swept(planned(net, source, count=3, shard=5), tmp_path / f"{place.stem}.index", Serial(net, source))
        bad = {Path(source.name(i)).stem: reason for i, reason in store.bad()}
        assert " ".join(sorted(bad)) == missing
        reasons = " ".join(bad[name] for name in sorted(bad))
        assert all(word in reasons for word in ("cut short", "empty")), reasons
        assert len(Index.of(store).embedding[0]) == COUNT - 3


def test_order_of_the_classes_makes_no_difference(tmp_path: Path) -> None:
    """The same pictures sorted by class and in a table: every unit has the same strongest pictures."""
    pytest.importorskip("pyarrow")
    net, found = small(), []
    for place in (folder(tmp_path / "sorted"), parquet(tmp_path / "x.parquet")):
        source = Source.of(place)
        index = Index.of(
            swept(
                planned(net, source, layers=["second"], count=4), tmp_path / f"{place.stem}.index", Serial(net, source)
            )
        )
        found.append([[original(source, i) for i in index["second"].top(unit, 4).images] for unit in range(5)])
    assert found[0] == found[1]


def test_folder_without_classes_and_with_a_file_of_them(tmp_path: Path) -> None:
    for i in range(4):
        (tmp_path / f"{i}.png").write_bytes(png(i))
    assert Source.of(tmp_path).classes == ()
    assert Source.of(tmp_path).label(0) is None
    (tmp_path / "labels.csv").write_text("0.png,owl\n1.png,cat\n3.png,owl\n")
    source = Source.of(tmp_path)
    assert source.classes == ("cat", "owl")
    assert [source.label(i) for i in range(4)] == [1, 0, None, 1]
    (tmp_path / "labels.csv").write_text("id,label,file_name\n7,10,0.png\n8,9,1.png\n")
    assert Source.of(tmp_path).classes == ("9", "10")
    (tmp_path / "labels.csv").write_text("0.png;owl\n")
    with pytest.raises(BadImage, match="row 1 is not name,label"):
        Source.of(tmp_path).label(0)
    (tmp_path / "labels.csv").write_text("a.png,owl\n")
    with pytest.raises(BadImage, match=r"name 'a\.png', which is not there"):
        Source.of(tmp_path).label(0)


def test_tars_in_a_range(tmp_path: Path) -> None:
    for k in range(3):
        tar(tmp_path / f"t-{k:03d}.tar", range(4 * k, 4 * k + 4))
    source = Source.of(tmp_path / "t-{000..002}.tar")
    assert [source.name(i) for i in (0, 5, 11)] == ["t-000.tar/00.png", "t-001.tar/05.png", "t-002.tar/11.png"]
    assert source.label(5) == 2
    with pytest.raises(BadImage, match=r"there is no .*t-003\.tar"):
        len(Source.of(tmp_path / "t-{000..003}.tar"))
    with pytest.raises(BadImage, match="000 comes before 002"):
        len(Source.of(tmp_path / "t-{002..000}.tar"))
    (tmp_path / "cut.tar").write_bytes((tmp_path / "t-000.tar").read_bytes()[:600])
    with pytest.raises(BadImage, match=r"cut\.tar' as an uncompressed tar: unexpected end of data"):
        len(Source.of(tmp_path / "cut.tar"))


def test_columns_are_found_by_what_they_hold(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    raw = [png(i) for i in range(COUNT)]
    said = {"huggingface": json.dumps({"info": {"features": {
        "photo": {"_type": "Image"}, "kind": {"names": list(CLASSES), "_type": "ClassLabel"}}}})}  # fmt: skip
    hub = pyarrow.table({"mask": [{"bytes": b"x", "path": ""}] * COUNT, "photo": [{"bytes": one} for one in raw],
                         "kind": [i % 3 for i in range(COUNT)]}).replace_schema_metadata(said)  # fmt: skip
    words = pyarrow.table({"jpg": raw, "other": raw, "label": ["owl", None, "cat", "owl"] * 3})
    only = pyarrow.table({"n": list(range(COUNT)), "blob": raw})
    found = [Source.of(parquet(tmp_path / f"{k}.parquet", held)) for k, held in enumerate((hub, words, only))]
    assert [source.classes for source in found] == [CLASSES, ("cat", "owl"), ()]
    assert [source.label(1) for source in found] == [1, None, None]
    assert all(torch.equal(source.read(4).pixels, found[0].read(4).pixels) for source in found)
    neither = pyarrow.table({"a": raw, "b": raw})
    with pytest.raises(BadImage, match=r"no column of images among a, b: call the one of encoded bytes 'image'"):
        Source.of(parquet(tmp_path / "n.parquet", neither)).read(0)
    wild = pyarrow.table({"image": raw, "label": [-1, 7, *range(10)]}).replace_schema_metadata(
        {"huggingface": json.dumps({"info": {"features": {"label": {"names": ["a"], "_type": "ClassLabel"}}}})}
    )
    with pytest.raises(BadImage, match="and only 1 classes"):
        Source.of(parquet(tmp_path / "w.parquet", wild)).label(0)


def test_several_parquet_files_are_one(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    (tmp_path / "data").mkdir()
    held = table()
    for k in range(3):
        parquet(tmp_path / "data" / f"train-0000{k}-of-00003.parquet", held.slice(4 * k, 4), group=3)
    for place in (tmp_path / "data", tmp_path / "data" / "train-{00000..00002}-of-00003.parquet"):
        source = Source.of(place)
        assert (source.kind, len(source), source.name(6)) == ("parquet", 12, "train-00001-of-00003.parquet/2")
        assert torch.equal(
            source.read(6).pixels, torch.from_numpy(pixels(6).transpose(2, 0, 1)[None] / np.float32(255))
        )
    with pytest.raises(BadImage, match="no image 12"):
        source.name(12)


def test_splits_of_hugging_face_are_named(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    hugging_face(tmp_path / "all" / "train")
    (tmp_path / "all" / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    with pytest.raises(BadImage, match=r"holds splits: name one, .*all/train of train, test"):
        len(Source.of(tmp_path / "all"))
    source = Source.of(tmp_path / "all" / "train")
    assert source.classes == CLASSES
    (tmp_path / "all" / "train" / "state.json").write_text('{"_data_files": [{"filename": "../../x.arrow"}]}')
    with pytest.raises(BadImage, match="names a file outside itself"):
        len(Source.of(tmp_path / "all" / "train"))


def test_samples() -> None:
    source = Source.of("samples")
    assert len(source) == 30 * len(samples())
    assert source.classes == samples()
    assert source.label(31) == 1
    assert Source.of(str(source)).identity == source.identity


@pytest.fixture
def memory() -> Iterator[Any]:
    fsspec = pytest.importorskip("fsspec")
    system = fsspec.filesystem("memory")
    yield system
    system.rm("/", recursive=True)


def test_urls_are_places_like_others(memory: Any, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    here = {kind: MADE[kind](tmp_path) for kind in ("folder", "tar", "parquet")}
    for path in here["folder"].rglob("*.png"):
        memory.pipe(f"/bucket/photos/{path.relative_to(here['folder']).as_posix()}", path.read_bytes())
    memory.pipe("/bucket/photos/readme.txt", b"no picture")
    for kind in ("tar", "parquet"):
        memory.pipe(f"/bucket/{here[kind].name}", here[kind].read_bytes())
    for kind, path in here.items():
        local = Source.of(path)
        for url in (f"memory://bucket/{path.name}", path.as_uri()):
            source = Source.of(url)
            assert (source.kind, len(source), source.identity) == (kind, COUNT, local.identity)
            assert source.classes == local.classes
            for i in (0, 7):
                assert source.name(i) == local.name(i)
                assert source.label(i) == local.label(i)
                assert torch.equal(source.read(i).pixels, local.read(i).pixels)
            assert Source.of(str(source)).identity == source.identity


def test_an_index_of_a_url(memory: Any, tmp_path: Path) -> None:
    for i in range(6):
        memory.pipe(f"/bucket/{i}.png", png(i) if i != 2 else png(i)[:99])
    memory.pipe("/bucket/labels.csv", b"0.png,a\n1.png,b\n3.png,a\n")
    net, source = small(), Source.of("memory://bucket/")
    store = swept(planned(net, source, count=3, shard=4), tmp_path / "x", Serial(net, source))
    assert [i for i, _ in store.bad()] == [2]
    assert "'2.png'" in store.bad()[0][1]
    assert source.classes == ("a", "b")


@pytest.mark.parametrize(
    ("file", "way"),
    [
        ("x.zip", "; 'x.zip' in it has to be unpacked first"),
        ("x.tar.gz", "; 'x.tar.gz' in it has to be unpacked first"),
        ("x.npz", "; 'x.npz' in it is read where it is named itself: '{0}/x.npz'"),
        ("x.tar", "; 'x.tar' in it is read where it is named itself: '{0}/x.tar'"),
        ("x.txt", ".fit"),
        (".x.zip", ".fit"),
    ],
)
def test_a_folder_of_one_archive_says_what_would_work(file: str, way: str, tmp_path: Path) -> None:
    (tmp_path / file).write_bytes(b"x")
    with pytest.raises(BadImage, match="no images in the folder") as caught:
        len(Source.of(tmp_path))
    assert str(caught.value).endswith(way.format(tmp_path))
    with pytest.raises(BadImage, match="no images in the folder") as alone:
        pictures_in(tmp_path)  # which reads files of single images only
    assert "named itself" not in str(alone.value)


def test_nonsense_is_refused_by_name(memory: Any, tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("x")
    (tmp_path / "x.npz").write_bytes(b"x")
    (tmp_path / "x.tar").write_bytes(b"x" * 2000)
    (tmp_path / "empty").mkdir()
    np.save(tmp_path / "flat.npy", np.zeros(7))
    np.savez(tmp_path / "odd.npz", images=np.zeros((3, 8, 8), np.uint8), labels=np.arange(4))
    np.savez(tmp_path / "named.npz", first=np.zeros((3, 8, 8), np.uint8))
    for place, error, said in (
        (tmp_path / "nowhere", BadImage, "there is no"), (tmp_path / "x.txt", BadImage, "is no source of images"),
        (tmp_path / "x.npz", BadImage, "cannot open"), (tmp_path / "x.tar", BadImage, "as an uncompressed tar"),
        (tmp_path / "empty", BadImage, "no images in the folder"), (tmp_path / "flat.npy", BadImage, r"\(7,\)"),
        (tmp_path / "odd.npz", BadImage, "labels of"), (tmp_path / "named.npz", BadImage, "call the images images"),
        ("foldr:x", UnknownName, r"nearest of \d+: folder"), ("memory://none/", BadImage, "no images below"),
        ("memory://none.tar", BadImage, "there is no"), ("nonsense://x/y", UnknownName, "no protocol 'nonsense://'"),
        (tmp_path / "none.npz", BadImage, "there is no"), ("hugging_face:/", BadImage, "no state.json"),
    ):  # fmt: skip
        with pytest.raises(error, match=said) as caught:
            len(Source.of(place)), Source.of(place).classes
        assert "\n" not in str(caught.value)


def test_damaged_tables_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    whole = parquet(tmp_path / "x.parquet").read_bytes()
    (tmp_path / "x.parquet").write_bytes(whole[:-9])
    with pytest.raises(BadImage, match="as parquet"):
        len(Source.of(tmp_path / "x.parquet"))
    saved = hugging_face(tmp_path / "saved")
    (saved / "data-00000-of-00002.arrow").write_bytes(b"nothing of the kind")
    with pytest.raises(BadImage, match="as an Arrow stream"):
        len(Source.of(saved))
    (saved / "data-00000-of-00002.arrow").unlink()
    with pytest.raises(BadImage, match=r"has no data-00000-of-00002\.arrow"):
        len(Source.of(saved))


def test_what_is_not_installed_is_said_with_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("fsspec")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "x.parquet").touch()
    with pytest.raises(MissingExtra, match=r"pip install (-e )?'[^']*\[query\]'"):
        len(Source.of(tmp_path / "x.parquet"))
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, "s3", raising=False)
    with pytest.raises(MissingExtra, match=r"s3:// needs a package that is not installed: pip install s3fs") as caught:
        len(Source.of("s3://bucket/train/"))
    assert caught.value.exit_code == 5
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(MissingExtra, match=r"pip install (-e )?'[^']*\[remote\]'"):
        len(Source.of("s3://bucket/train/"))


def test_who_does_not_answer_is_said_at_once_and_is_no_fault_of_a_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    fsspec = pytest.importorskip("fsspec")

    class Silent(fsspec.AbstractFileSystem):  # type: ignore[misc,name-defined]
        protocol = "silent"

        def find(self, path: str, **_: Any) -> list[str]:
            if path.strip("/") == "down":
                raise ConnectionError("no route to host")
            return [f"{path.rstrip('/')}/a.png"]

        def cat_file(self, path: str, **_: Any) -> bytes:
            raise TimeoutError("timed out")

    fsspec.register_implementation("silent", Silent, clobber=True)
    with pytest.raises(Unreachable, match=r"cannot reach 'silent://down/': ConnectionError: no route to host"):
        len(Source.of("silent://down/"))
    with pytest.raises(Unreachable, match="TimeoutError"):
        Source.of("silent://up/").read(0)


@pytest.mark.slow
def test_none_of_the_extras_is_imported_before_it_is_needed(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pellucid.images.sources import Source\nfrom pellucid import sweep\n"
        f"len(Source.of({str(folder(tmp_path / 'x'))!r}))\n"
        "assert not {'pyarrow', 'ray', 'datasets'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_errors_come_back_from_workers() -> None:
    import pickle

    for error in (MissingExtra("x", "query"), BadImage("a  b"), Unreachable("c")):
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again), again.exit_code) == (type(error), str(error), error.exit_code)


def test_every_kind_is_tested() -> None:
    elsewhere = {"samples", "index", "slides", "tissue", "scenes", "font_digits", "decoy_digits", "random_decoys"}
    assert {*MADE} | elsewhere == {row.name for row in IMAGES.rows()}
    assert isinstance(small(), Net)


def test_a_tar_that_is_damaged_in_the_middle_is_refused(tmp_path: Path) -> None:
    """Not taken for a shorter one."""
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        for i in range(6):
            Image.new("RGB", (8, 8), (i * 40, 0, 0)).save(tmp_path / f"{i}.png")
            archive.add(tmp_path / f"{i}.png", f"{i}.png")
    assert len(Source.of(tmp_path / "x.tar")) == 6
    data = bytearray((tmp_path / "x.tar").read_bytes())
    data[data.index(b"3.png") + 150] ^= 1
    (tmp_path / "y.tar").write_bytes(data)
    (tmp_path / "z.tar").write_bytes(data[: data.index(b"5.png")])
    for name in ("y.tar", "z.tar"):
        with pytest.raises(BadImage, match=r"damaged or cut short after|bad checksum"):
            len(Source.of(tmp_path / name))


@pytest.mark.parametrize("path", ["/etc/passwd", "../secret.png", "https://example.org/x.png"])
def test_a_table_opens_nothing_outside_its_folder(path: str, tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    pytest.importorskip("pyarrow.parquet")
    cells = pyarrow.array(
        [{"bytes": None, "path": path}], pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])
    )
    pyarrow.parquet.write_table(pyarrow.table({"image": cells}), tmp_path / "x.parquet")
    with pytest.raises(BadImage, match="lies outside its table's folder"):
        Source.of(tmp_path / "x.parquet").read(0)


def test_a_path_in_a_table_begins_at_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    pytest.importorskip("pyarrow.parquet")
    (tmp_path / "data" / "deep").mkdir(parents=True)
    Image.new("RGB", (8, 8), (200, 0, 0)).save(tmp_path / "data" / "deep" / "x.png")
    kind = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])
    cells = pyarrow.array([{"bytes": None, "path": "deep/x.png"}], kind)
    pyarrow.parquet.write_table(pyarrow.table({"image": cells}), tmp_path / "data" / "x.parquet")
    monkeypatch.chdir(tmp_path)
    assert Source.of("data/x.parquet").read(0).pictures[0].shape == (3, 8, 8)
