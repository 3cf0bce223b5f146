"""Results in files: every kind comes back in every bit, and a file that nobody wrote is one line."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import re
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid as pl
from pellucid.catalogue import Entry, entries, find
from pellucid.errors import PellucidError, UnknownName
from pellucid.geometry import Placement, View
from pellucid.notes import Note
from pellucid.plugins import RESULTS
from pellucid.result import Asked, Heatmap, Meta, Result, Study, serial
from tests.result.same import same
from tests.test_every_method import FIRST, in_lane, photos, tiny
from tests.test_every_method import answer as answered

every = pytest.mark.parametrize("entry", in_lane(entries()))


@functools.cache
def answer(name: str) -> Any:
    """What each method says, asked once."""
    if name == "explain":
        return pl.explain(tiny(), photos(1), classes=2, methods=("grad_cam", "gradient"))
    return tiny().predict(photos()) if name == "predict" else answered(find(name))


@pytest.mark.parametrize("name", [
    *(pytest.param(entry.name, marks=() if entry in FIRST.values() else pytest.mark.slow) for entry in entries()),
    "explain", "predict",
])  # fmt: skip
def test_every_kind_comes_back(name: str, tmp_path: Path) -> None:
    result = answer(name)
    file = result.save(tmp_path / "x.npz")
    again = pl.open(file)
    same(result, again)
    assert again.save(tmp_path / "y.npz").read_bytes() == file.read_bytes()
    with np.load(file, allow_pickle=False) as saved:  # other programs read the arrays
        assert all(saved[key] is not None for key in saved)


@pytest.mark.slow
def test_no_kind_is_left_out() -> None:
    answers = [answer(entry.name) for entry in entries()]
    seen = {type(one).__name__ for one in answers} | {"Explanation", "Predictions"}
    seen |= {type(one[name]).__name__ for one in answers if isinstance(one, Study) for name in one.names}
    assert seen == {row.name for row in RESULTS.rows() if row.module.startswith("pellucid.")}


def test_what_is_opened_can_be_asked_and_drawn(tmp_path: Path) -> None:
    heat: Any = pl.open(answer("grad_cam").save(tmp_path / "x.npz"))
    assert heat[1].meta.images == ("photo 1",)
    assert np.array_equal(pl.draw(heat, photos()).array, pl.draw(answer("grad_cam"), photos()).array)


@every
def test_descriptions_are_json_and_say_what_it_is(entry: Entry) -> None:
    said = answer(entry.name).describe()
    assert said["kind"] == type(answer(entry.name)).__name__
    assert said["meta"]["method"] == entry.name
    assert not re.search(r'"\$', json.dumps(said, allow_nan=False))


# what nobody wrote

Parts = tuple[dict[str, Any], dict[str, np.ndarray]]


def heat(**fields: Any) -> Heatmap:
    values = np.arange(12, dtype=np.float32).reshape(2, 2, 3)
    view = View((4, 6), (0.0, 0.0, 4.0, 6.0), (4, 6))
    given = {"values": values, "placement": Placement.stretched(2, 3, 4, 6), "views": (view, view)}
    return Heatmap(
        **given
        | {
            "error": values + 1,
            "meta": Meta(
                found={"images": ("a", "b"), "score": (1.0, 2.0)},
                coverage={("relu", "guided"): 3},
                notes=(Note("values", "zero"),),
            ),
        }
        | fields
    )


def forged(path: Path, change: Callable[[Any, dict[str, np.ndarray]], Any]) -> Path:
    """A file whose JSON and arrays were changed by hand; what `change` returns is its JSON, where it returns any."""
    arrays, about = serial.packed(heat())
    document = {"format": 1, "result": about}
    said = change(document, arrays)
    text = said if isinstance(said, str) else json.dumps(document)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("about.json", text)
        for name, values in arrays.items():
            held = io.BytesIO()
            np.lib.format.write_array(held, values)
            archive.writestr(f"{name}.npy", held.getvalue())
    return path


def field(*path: Any, value: Any) -> Callable[[Any, Any], None]:
    """A change of one value in the JSON."""

    def change(document: Any, _: Any) -> None:
        for step in path[:-1]:
            document = document[step]
        document[path[-1]] = value

    return change


class Boom:
    """What would make a folder when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("boom",)


R = "result"
HOSTILE: dict[str, Callable[[Any, Any], Any]] = {
    "another version": field("format", value=2),
    "a version that is none": field("format", value=[1]),
    "no format": lambda about, _: about.pop("format") and None,
    "more than it should say": field("more", value=1),
    "no result": field(R, value=None),
    "a list": field(R, value=[1]),
    "no kind": lambda about, _: about[R].pop("kind") and None,
    "a kind that is a function": field(R, "kind", value="os.system"),
    "a kind with marks of a terminal": field(R, "kind", value="\x1b[31mred\n" * 1000),
    "a kind that is no result": field(R, "kind", value="Meta"),
    "the kind of all kinds": field(R, "kind", value="Result"),
    "a kind that is a number": field(R, "kind", value=7),
    "another kind": field(R, "kind", value="Maps"),
    "a field that is missing": lambda about, _: about[R].pop("views") and None,
    "a field that is unknown": field(R, "evil", value=1),
    "a word that is a number": field(R, "unit", value=3),
    "a flag that is a number": field(R, "signed", value=1),
    "a sign that is none": field(R, "sign", value="x"),
    "no placement": field(R, "placement", value=None),
    "a placement of another kind": field(R, "placement", "kind", value="View"),
    "a pair of three": field(R, "placement", "start", value=[1, 2, 3]),
    "a pair of words": field(R, "placement", "start", value=["a", "b"]),
    "too few views": field(R, "views", value=[]),
    "views that are a mapping": field(R, "views", value={}),
    "options that are a list": field(R, "meta", "asked", "options", value=[]),
    "marks that are none": field(R, "meta", "asked", "options", value={"$what": 1}),
    "pairs that are none": field(R, "meta", "asked", "options", value={"$dict": [[1]]}),
    "a key that cannot be one": field(R, "meta", "asked", "options", value={"$dict": [[{"a": 1}, 2]]}),
    "a key twice": field(R, "meta", "asked", "options", value={"$dict": [["a", 1], ["a", 2]]}),
    "a number that is none": field(R, "meta", "found", value={"completeness": [{"$number": "3ff0000000000000"}]}),
    "an array as a word": field(R, "unit", value={"$": "values"}),
    "an array that is not there": field(R, "values", value={"$": "valves"}),
    "an array named by a list": field(R, "values", value={"$": ["values"]}),
    "an array twice": field(R, "error", value={"$": "values"}),
    "an array that nothing names": lambda _, arrays: arrays.update(more=np.zeros(3)),
    "an array as a row": field(R, "meta", "found", "score", value={"$": "values", "tuple": True}),
    "a row that is no row": lambda _, arrays: arrays.update({"meta.found.score": np.zeros((2, 2))}),
    "a row of other numbers": lambda _, arrays: arrays.update({"meta.found.score": np.zeros(2, np.float32)}),
    "another rank": lambda _, arrays: arrays.update(values=np.zeros((2, 2), np.float32)),
    "another type": lambda _, arrays: arrays.update(values=np.zeros((2, 2, 3), np.int64)),
    "shapes that differ": lambda _, arrays: arrays.update(error=np.zeros((2, 2, 4), np.float32)),
    "objects": lambda _, arrays: arrays.update(values=np.array([Boom()], object)),
    "fields in an array": lambda _, arrays: arrays.update(values=np.zeros(2, [("a", "f4")])),
    "words in an array": lambda _, arrays: arrays.update(values=np.array(["a"])),
    "dates in an array": lambda _, arrays: arrays.update(values=np.zeros(2, "M8[s]")),
    "an array on a path": lambda _, arrays: arrays.update({"../x": np.zeros(3)}),
    "no json": lambda *_: "{",
    "empty json": lambda *_: "",
    "json of another encoding": lambda *_: "\ud7ff",
    "a number of JSON": lambda *_: "1",
    "NaN in json": lambda about, _: json.dumps(about).replace('"signed": true', '"signed": NaN'),
    "infinity in json": lambda about, _: json.dumps(about).replace('"signed": true', '"signed": -Infinity'),
    "a field twice": lambda about, _: json.dumps(about).replace('"signed"', '"unit": "", "signed"'),
    "very deep": lambda *_: '{"format": 1, "result": ' + "[" * 100_000 + "]" * 100_000 + "}",
    "deep options": lambda about, _: json.dumps(about).replace('"options": {}', f'"options": {"[" * 900}{"]" * 900}'),
    "a number without end": lambda about, _: json.dumps(about).replace('"image": null', f'"image": {"9" * 5000}'),
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE)
def test_hostile_files_are_one_line(change: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PellucidError) as caught:
        pl.open(forged(tmp_path / "x.npz", change))
    said = str(caught.value)
    assert said.startswith("cannot open ")
    assert "x.npz" in said
    assert len(said) < 600
    assert said.isprintable()
    assert not Path("boom").exists()


def test_a_forged_file_can_be_read(tmp_path: Path) -> None:
    """Else the table above would prove nothing."""
    same(pl.open(forged(tmp_path / "x.npz", lambda *_: None)), heat())


def bad(path: Path) -> str:
    with pytest.raises(PellucidError) as caught:
        pl.open(path)
    assert str(caught.value).isprintable()
    assert caught.value.exit_code in (2, 3)
    return str(caught.value)


def test_every_byte_counts(tmp_path: Path) -> None:
    """A file with another byte, or that is cut short, is refused; or it is the same, where the byte says nothing."""
    result, file = heat(), tmp_path / "x.npz"
    whole = result.save(file).read_bytes()
    read = []
    for i in range(0, len(whole), 7):
        file.write_bytes(whole[:i])
        assert "cannot open" in bad(file)
        file.write_bytes(whole[:i] + bytes([whole[i] ^ 0x41]) + whole[i + 1 :])
        with contextlib.suppress(PellucidError):
            read.append(pl.open(file))
    assert len(read) < len(whole) / 7 / 4
    for one in read:
        same(one, result)


def member(path: Path, name: str, data: bytes, how: int = zipfile.ZIP_STORED) -> Path:
    """The file with one more member."""
    heat().save(path)
    with zipfile.ZipFile(path, "a", how) as archive:
        archive.writestr(name, data)
    return path


def test_archives_that_are_no_result(tmp_path: Path) -> None:
    file = tmp_path / "x.npz"
    for data in (b"", b"text", b"\x89PNG\r\n\x1a\n" + bytes(99), b"PK\x03\x04", b"PK\x05\x06" + bytes(18)):
        file.write_bytes(data)
        assert "no result that Pellucid saved" in bad(file) or "damaged" in bad(file)
    np.savez(file, x=np.zeros(3))
    assert "it is no result that Pellucid saved: it has no about.json" in bad(file)
    np.save(tmp_path / "x.npy", np.zeros(3))
    assert "which is a .npz archive" in bad(tmp_path / "x.npy")
    assert "something else than arrays" in bad(member(file, "evil.py", b"import os"))
    assert "is no array" in bad(member(file, "more.npy", b"\x80\x04."))
    assert "compressed" in bad(member(file, "more.npy", bytes(10**7), zipfile.ZIP_DEFLATED))
    with pytest.warns(UserWarning, match="Duplicate name"):
        member(file, "values.npy", b"")
    assert "one twice" in bad(file)


def test_sizes_that_are_a_lie(tmp_path: Path) -> None:
    """No memory is taken for what is not there."""
    file = tmp_path / "x.npz"
    header = "{'descr': '<f8', 'fortran_order': False, 'shape': (%d, 9), }\n"
    for side in (10**15, 10**300):
        text = (header % side).encode()
        data = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + bytes(80)
        said = bad(member(file, "more.npy", data))
        assert "another size" in said or "no array of numbers" in said
    whole = heat().save(file).read_bytes()
    at = whole.index(b"PK\x01\x02")  # the directory: the first member says that it has four gigabytes
    file.write_bytes(whole[: at + 24] + b"\xfe\xff\xff\xff" + whole[at + 28 :])
    assert "holds more than it does" in bad(file)


def test_places_that_are_no_file(tmp_path: Path) -> None:
    heat().save(tmp_path / "boxer.npz")
    with pytest.raises(UnknownName, match=r"no file 'boxr.npz'; nearest of 1: boxer.npz"):
        pl.open(tmp_path / "boxr.npz")
    assert "there is no folder" in bad(tmp_path / "no" / "x.npz")
    assert "it is no file" in bad(tmp_path)
    os.mkfifo(tmp_path / "pipe.npz")
    assert "it is no file" in bad(tmp_path / "pipe.npz")
    assert "cannot open" in bad(tmp_path / "a\0b.npz")
    assert "cannot open" in bad(Path("~nobody-of-that-name/x.npz"))
    assert "cannot open" in bad(tmp_path / ("x" * 300))


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    with pytest.raises(PellucidError, match="cannot write"):
        heat().save(tmp_path / "no" / "x.npz")
    heat().save(tmp_path / "x.npz")
    with pytest.raises(PellucidError, match="which has no form in a file"):
        heat(meta=Meta(Asked(options={"x": object()}))).save(tmp_path / "x.npz")
    assert isinstance(pl.open(tmp_path / "x.npz"), Result)
    assert [one.name for one in tmp_path.iterdir()] == ["x.npz"]
