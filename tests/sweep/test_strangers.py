"""An index from somebody else: nothing that it names is run, opened or asked; whatever is in it, one line says so."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pellucid import cli
from pellucid.errors import BadImage, PellucidError
from pellucid.images.sources import Source
from pellucid.index import Index
from pellucid.index.plan import planned
from pellucid.methods.units import color, table, top_images
from pellucid.methods.units.page import page
from pellucid.sweep import Serial, Store, _disk, swept
from pellucid.sweep._checked import asks_elsewhere, runs_code
from pellucid.sweep.store import BadStore
from tests.sweep.made import photos, small

UNIT = "first:1"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """photos/ and x.index of a network that a file makes."""
    home = tmp_path_factory.mktemp("made")
    photos(home / "photos", 12, classes=2)
    source = Source.of(home / "photos")
    spec = {"spec": f"{Path(__file__).with_name('made.py')}:build", "size": 24}
    plan = planned(small(), source, spec=spec, layers=("first", "act"), count=10, shard=6)
    swept(plan, home / "x.index", Serial(small(), source))
    return home


@pytest.fixture
def index(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made / "photos", tmp_path / "photos")
    shutil.copytree(made / "x.index", tmp_path / "x.index")
    return replanned(tmp_path / "x.index", source=f"folder:{tmp_path / 'photos'}")


def replanned(folder: Path, **changed: Any) -> Path:
    """The same index with another plan, sealed as if it had always been so."""
    held = _disk.declared(folder / "plan.json")
    (folder / "plan.json").unlink()
    _disk.declare(folder / "plan.json", {"key": held["key"], "plan": {**held["plan"], **changed}})
    return folder


def trap(folder: Path) -> tuple[Path, Path]:
    """(a file whose function leaves a mark, the mark)."""
    file, mark = folder / "trap.py", folder / "ran"
    file.write_text(f"open({str(mark)!r}, 'w')\ndef build():\n    raise RuntimeError\n")
    return file, mark


ASKED = [["similar", UNIT, "--metric", "activation"], ["neighbors", "photos/class0/0000.png"], ["page", UNIT],
         ["color"], ["reconstruction", UNIT], ["table", "--where", "color_selectivity > 0"]]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("ask", ASKED)
def test_no_function_that_an_index_names_is_run(
    index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, ask: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    file, mark = trap(tmp_path)
    for spec in (f"{file}:build", "trap:build", "os:getcwd"):
        replanned(index, net={"spec": spec})
        assert cli.main([ask[0], "x.index", *ask[1:], "--quiet"]) == 2
        said = capsys.readouterr().err
        assert "which is not run or opened on its word: name it with --net SPEC" in said
        assert "Traceback" not in said
    assert not mark.exists()


@pytest.mark.slow
def test_a_map_needs_no_network(index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file, mark = trap(tmp_path)
    replanned(index, net={"spec": f"{file}:build"})
    assert cli.main(["map", "x.index", "--method", "pca", "--quiet", "--out", "map.png"]) == 0
    assert not mark.exists()


def test_who_names_the_network_gets_an_answer(
    index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    net = ["--net", f"{Path(__file__).with_name('made.py')}:build"]
    assert cli.main(["similar", "x.index", UNIT, "--metric", "activation", *net, "--json"]) == 0
    assert "correlation" in json.dumps(json.loads(capsys.readouterr().out))
    with pytest.raises(PellucidError, match=r"name it with index\.with_net\(pl\.load"):
        Index.of(index).net  # noqa: B018
    assert Index.of(index).with_net(small()).net is not None
    assert cli.main(["similar", "x.index", UNIT, "--metric", "activation", "--net", "bundled", "--quiet"]) == 2
    assert "has other weights than the index" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("net", "loads"),
    [
        ({"spec": "bundled"}, True), ({"spec": "timm:resnet18.a1_in1k", "size": 224, "labels": None}, True),
        ({"spec": "torchvision:resnet18", "mean": [0.5], "std": [0.5]}, True),
        ({"spec": "timm:hf-hub:somebody/net"}, False), ({"spec": "timm:hf_hub:x/y"}, False),
        ({"spec": "timm:../x"}, False), ({"spec": "bundled", "weights": "/nowhere/x.pt"}, False),
        ({"spec": "bundled", "labels": "/etc/passwd"}, False), ({"spec": "os:system"}, False), ({}, False),
        ({"spec": ["bundled"]}, False), ({"spec": "https://x/y.py:f"}, False),
    ],
)  # fmt: skip
def test_what_is_loaded_on_the_word_of_an_index(net: dict[str, Any], loads: bool) -> None:
    assert (runs_code(net) is None) == loads


@pytest.mark.parametrize("place", ["https://x.org/photos", "s3://bucket/x", "simplecache::https://x/y", "file:///etc"])
def test_no_address_that_an_index_names_is_asked(index: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    def asked(*_: Any, **__: Any) -> Any:
        raise AssertionError("asked")

    monkeypatch.setattr("pellucid.images.remote._system", asked)
    replanned(index, source=f"folder:{place}")
    with pytest.raises(
        PellucidError, match=r"not run or opened on its word: name it with index\.with_images\(FOLDER\)"
    ):
        top_images(Index.of(index), UNIT)
    assert asks_elsewhere(f"tar:{place}")
    assert not asks_elsewhere("folder:/home/me/photos")


HUGE = 10**30
LIES = {"start": [0, 0], "jump": [2, 2], "field": [3, 3], "exact": True, "grid": None, "local": None}
HOSTILE: dict[str, Any] = {
    "images": -1, "size": [HUGE, 1], "shard": 0, "units": [], "classes": {"a": 1},
    "folds": {"top": 1}, "more": 1, "seed": None, "at_once": True, "source": 7, "net": "bundled",
    "preprocess": None, "versions": [1], "format": "2", "weights": ["x"], "labels": 3, "batch": float("nan"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_plan_that_cannot_be_is_one_line(index: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    replanned(index, **{name: HOSTILE[name]})
    assert cli.main(["unit", str(index), UNIT, "--quiet"]) in (2, 3)
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "bug in Pellucid" not in said
    assert "Traceback" not in said


HOSTILE_FOLDS: dict[str, Any] = {
    "count": ("top", {"options": {"count": HUGE}}), "none": ("top", {"options": {"count": 0}}),
    "probe": ("probe", {"options": {"probe": "many"}}), "samples": ("moments", {"options": {"samples": 1.5}}),
    "two samples": ("moments", {"options": {"samples": 5}}), "layer": ("embeddings", {"options": {"embed": ["no"]}}),
    "embed": ("embeddings", {"options": {"embed": [["a"]]}}), "option": ("top", {"options": {"more": 1}}),
    "options": ("top", {"options": 7}), "name": ("top", {"name": "os.system"}), "unnamed": ("top", {"name": None}),
    "twice": ("top", {"name": "moments", "options": {}}), "format": ("top", {"format": 99}),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE_FOLDS)
def test_a_statistic_that_cannot_be_is_one_line(index: Path, name: str) -> None:
    which, changed = HOSTILE_FOLDS[name]
    folds = _disk.declared(index / "plan.json")["plan"]["folds"]
    replanned(index, folds=[{**one, **changed} if one["name"] == which else one for one in folds])
    with pytest.raises(BadStore, match="has a plan that cannot be") as caught:
        Index.of(index)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("what", "value"),
    [("channels", [HUGE, 5]), ("channels", [6]), ("places", [[1, 2, 3], [1, 1]]), ("places", [[10**9, 10**9]] * 2),
     ("clips", [{"call": "x"}, None]), ("signed", [1, 0]), ("layers", ["a", "a"]), ("placements", [7, None]),
     *(("placements", [{**LIES, name: value}, LIES]) for name, value in
       (("local", "(("), ("local", [1, [2]]), ("local", [0, 1]), ("jump", []), ("start", [float("nan"), 1]),
        ("grid", [[1], [2]]), ("grid", "../x"), ("exact", "yes"), ("field", [1e9, 1]))),
     ("aliases", {"x": "nowhere"})],
)  # fmt: skip
def test_units_that_cannot_be_are_one_line(index: Path, what: str, value: Any) -> None:
    units = _disk.declared(index / "plan.json")["plan"]["units"]
    replanned(index, units={**units, what: value})
    with pytest.raises(BadStore, match="has a plan that cannot be"):
        Index.of(index)


@pytest.mark.parametrize(
    ("what", "value"),
    [("crop", ["x", 3]), ("crop", [0, 3]), ("resize", "folder:/nowhere"), ("resize", [10**5, 10**5]), ("resize", 10**5),
     ("channels", [[1, 2]]), ("value_range", 1.5), ("value_range", [0]), ("mean", ["x"]), ("std", 7), ("more", 1),
     ("interpolation", "none")],
)  # fmt: skip
def test_preprocessing_that_cannot_be_is_one_line(index: Path, what: str, value: Any) -> None:
    there = _disk.declared(index / "plan.json")["plan"]["preprocess"]
    replanned(index, preprocess={**there, what: value})
    with pytest.raises(BadStore, match="has a plan that cannot be: preprocess is"):
        Index.of(index)


def test_places_outside_the_maps_are_damage(index: Path) -> None:
    units = _disk.declared(index / "plan.json")["plan"]["units"]
    replanned(index, units={**units, "places": [[1, 1], [1, 1]]})
    for ask in (lambda: top_images(Index.of(index), UNIT), lambda: color(Index.of(index).with_net(small()))):
        with pytest.raises(BadStore, match="is damaged: it names images or places that there are not"):
            ask()


def linked_device(index: Path, name: str) -> None:
    (index / name).unlink()
    (index / name).symlink_to("/dev/zero")


def pipe(index: Path, name: str) -> None:
    (index / name).unlink()
    os.mkfifo(index / name)


def nested(index: Path, name: str) -> None:
    (index / name).write_text("[" * 100_000)


def large_number(index: Path, name: str) -> None:
    (index / name).write_text('{"plan": ' + "9" * 10_000 + "}")


def elsewhere(index: Path, name: str) -> None:
    current = _disk.declared(index / "current.json")
    del current["sha256"]
    (index / "current.json").unlink()
    _disk.declare(index / "current.json", {**current, "generation": "../../somewhere"})


@pytest.mark.parametrize("name", ["plan.json", "current.json"])
@pytest.mark.parametrize("how", [linked_device, pipe, nested, large_number, elsewhere])
def test_files_that_are_none_are_one_line(index: Path, how: Callable[[Path, str], None], name: str) -> None:
    how(index, name)
    with pytest.raises(BadStore):
        Index.of(index)


@pytest.mark.parametrize("how", [linked_device, pipe])
def test_arrays_and_shards_that_are_no_files_are_one_line(index: Path, how: Callable[[Path, str], None]) -> None:
    generation = Store.open(index).current["generation"]
    how(index, f"{generation}/top.value.npy")
    how(index, "shards/000001.npz")
    with pytest.raises(BadStore, match="it is no file"):
        top_images(Index.of(index), UNIT)
    assert Store.open(index).check() == ("000001.npz: it is no file", "top.value.npy: it is no file")


def test_arrays_of_another_shape_are_damage(index: Path) -> None:
    place = index / Store.open(index).current["generation"] / "top.image.npy"
    for values in (np.zeros((3, 2), np.int64), np.full((12, 10), 2**40), np.full((12, 10), "x")):
        np.save(place, values)
        with pytest.raises(BadStore, match="is damaged"):
            top_images(Index.of(index), UNIT)


@pytest.mark.parametrize(
    "where", ["true; drop table units", "1=1 union select 1", "greatest > 0) or (true", "a, b",
              "exists (select * from read_text('/etc/passwd'))", "mean > (select count(*) from glob('/*'))"],
)  # fmt: skip
def test_where_takes_one_condition(index: Path, where: str) -> None:
    with pytest.raises(PellucidError, match="the columns are"):
        table(index, where=where)


def test_a_condition_that_never_ends_does(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pellucid.index.query._PATIENCE", 0.3)
    endless = "exists (select count(*) from range(100000000000) a, range(100000) b where a.range + b.range = -1)"
    with pytest.raises(PellucidError, match="takes longer than"):
        table(index, where=endless)


def test_nothing_that_matches_is_said(index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert table(index, where="greatest > 1e30").findings == (
        "none of the 12 units: nothing matches 'greatest > 1e30'",
    )
    assert cli.main(["table", str(index), "--where", "greatest > 1e30"]) == 0
    assert "nothing matches 'greatest > 1e30'" in "".join(capsys.readouterr())


def test_a_picture_that_changed_is_refused_by_name_when_it_is_shown(index: Path, tmp_path: Path) -> None:
    found = Index.of(index).with_net(small())
    name = top_images(found, UNIT).names[0]
    file = next((tmp_path / "photos").rglob(Path(name).name))
    data = file.read_bytes()
    os.utime(file, (1, 1))  # another time alone is no change
    assert top_images(Index.of(index), UNIT).names[0] == name
    shutil.copy(next(p for p in (tmp_path / "photos").rglob("*.png") if p.read_bytes() != data), file)
    with pytest.raises(PellucidError, match=rf"'.*{Path(name).name}' is no longer the image"):
        top_images(Index.of(index), UNIT)


def test_a_picture_that_is_unreadable_costs_its_own_patch(index: Path, tmp_path: Path) -> None:
    found = Index.of(index).with_net(small())
    whole = page(found, UNIT)
    lost = whole.top.names[1]
    next((tmp_path / "photos").rglob(Path(lost).name)).write_bytes(b"gone")
    again = page(Index.of(index).with_net(small()), UNIT)
    assert again.top.names == tuple(name for name in whole.top.names if name != lost)
    assert any(Path(lost).name in note for note in again.meta.said)
    with pytest.raises(BadImage):
        found.read(int(found["first"].top(1).images[1]))


def test_what_changed_is_refused_on_resume_and_done_again(made: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(made / "photos", tmp_path / "photos")
    source = Source.of(folder)
    plan = planned(small(), source, layers=("first",), count=10, shard=3)
    store = swept(plan, tmp_path / "x", Serial(small(), source))
    digest = store.current["digest"]
    moved = Source.of(shutil.copytree(folder, tmp_path / "elsewhere"))
    for file in (tmp_path / "elsewhere").rglob("*.png"):
        os.utime(file, (5, 5))
    assert swept(replace(plan, source=str(moved)), tmp_path / "x", Serial(small(), moved)).current["digest"] == digest
    file, other = folder / source.name(2), folder / source.name(3)
    shutil.copy(other, file)
    with pytest.raises(BadStore, match=rf"1 images have changed since .*{file.name}.*--retry"):
        swept(plan, tmp_path / "x", Serial(small(), source))
    assert store.retry(source) == 1
    assert swept(plan, tmp_path / "x", Serial(small(), source)).current["digest"] != digest


def test_labels_are_part_of_an_index(tmp_path: Path) -> None:
    folder = photos(tmp_path / "photos", 6)
    rows = [f"{i:04d}.png,{'ab'[i % 2]}" for i in range(6)]
    (folder / "labels.csv").write_text("\n".join(rows))
    plan = planned(small(), Source.of(folder), layers=("first",), count=10, shard=3)
    swept(plan, tmp_path / "x", Serial(small(), Source.of(folder)))
    rows[0], rows[1] = "0000.png,b", "0001.png,a"
    (folder / "labels.csv").write_text("\n".join(rows))
    again = planned(small(), Source.of(folder), layers=("first",), count=10, shard=3)
    with pytest.raises(BadStore, match="is the index of something else: other labels"):
        swept(again, tmp_path / "x", Serial(small(), Source.of(folder)))
    with pytest.raises(PellucidError, match="have other classes than in the index"):
        top_images(Index.of(tmp_path / "x"), UNIT)


def test_every_damaged_array_is_named_and_one_that_is_gone_is_made_again(index: Path, tmp_path: Path) -> None:
    place = index / Store.open(index).current["generation"]
    names = ("moments.count.npy", "top.place.npy")
    for name in names:
        (place / name).write_bytes(b"x" + (place / name).read_bytes()[1:])
    (index / "current.json").write_text("{}")
    wrong = Store.open(index).check()
    assert [any(line.startswith(name) for line in wrong) for name in (*names, "current.json")] == [True] * 3
    with pytest.raises(BadStore, match=r"is damaged: current\.json.*run the line that made the index, with --retry"):
        Index.of(index)
    (index / "current.json").unlink()
    assert [line for line in Store.open(index).check() if "current.json: it is missing" in line]
    assert len(Store.open(index).check()) == 3
    (place / "manifest.json").unlink()
    assert any("nothing says what its arrays should be" in line for line in Store.open(index).check())
    folder = photos(tmp_path / "more", 6)
    plan = planned(small(), Source.of(folder), layers=("first",), count=10, shard=3)
    store = swept(plan, tmp_path / "y", Serial(small(), Source.of(folder)))
    gone = tmp_path / "y" / store.current["generation"] / "top.value.npy"
    gone.unlink()
    with pytest.raises(BadStore, match=r"top\.value\.npy cannot be read: .*run the line that made the index"):
        top_images(Index.of(tmp_path / "y"), UNIT)
    assert swept(plan, tmp_path / "y", Serial(small(), Source.of(folder))).check() == ()
    assert gone.exists()
