"""Indexes for a page: units as a table and in parts, images, maps, selections; also where the images are gone."""

from __future__ import annotations

import base64
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydantic import ValidationError
from safetensors import safe_open
from safetensors.numpy import load

import pellucid as pl
from pellucid.errors import PellucidError, Refused, UnknownName
from pellucid.index import Index
from pellucid.web.answers import ANSWERS, indexed
from pellucid.web.routes.indexed import NameBody
from pellucid.web.session import Session
from tests.methods.units.planted import BLOB, RED, SILENT, painted, planted
from tests.methods.units.planted import indexed as made

PARTS = [*indexed.QUICK, *indexed.SLOW]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Session:
    folder = tmp_path_factory.mktemp("indexed")
    made(folder)
    net = planted()
    return Session({"folder": folder / "session", "indexes": [folder / "x.index"]}, net)


@pytest.fixture
def moved(tmp_path: Path, here: Session) -> Iterator[Session]:
    """The same index, whose images are somewhere else by now."""
    shutil.copytree(here.index("i0").store.folder, tmp_path / "x.index")
    photos = Path(here.index("i0").source.place)
    found = Session({"folder": tmp_path / "session", "indexes": [tmp_path / "x.index"]}, planted())
    away = photos.with_name("elsewhere")
    photos.rename(away)
    yield found
    away.rename(photos)


def asked(here: Session, name: str, /, **about: Any) -> tuple[dict[str, Any], bytes]:
    """The one part of an answer."""
    (found,) = ANSWERS[name](here, {"index": "i0", **about}, b"")
    json.dumps(found[0], allow_nan=False)  # it can be sent
    return found


def part(here: Session, name: str, channel: int = BLOB, layer: str = "act") -> dict[str, Any]:
    return asked(here, "unit", layer=layer, channel=channel, part=name)[0]


def opened(content: bytes, folder: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """(what is said, the arrays)."""
    file = folder / "sent"
    file.write_bytes(content)
    with safe_open(file, "np") as found:
        return json.loads(found.metadata()["about"]), load(content)


def test_an_index_says_what_it_holds(here: Session) -> None:
    found, _ = asked(here, "index")
    assert found["pictures"] == 30
    assert found["classes"] == 3
    assert not found["missing"]
    assert [(one["name"], one["units"]) for one in found["layers"]] == [("act", 7), ("second", 4)]


def test_units_are_filtered_and_sorted_without_sql(here: Session) -> None:
    layer = here.index("i0")["act"]
    whole, _ = asked(here, "units", layer="act")
    assert whole["found"] == whole["of"] == 7
    assert whole["columns"]["channel"] == list(range(7))
    some, _ = asked(here, "units", layer="act", sort="greatest", descending=True, where=[("silent", "<", "1")], count=3)
    excited = [k for k in np.argsort(-layer.moments.greatest) if layer.moments.silent_share[k] < 1]
    assert some["columns"]["channel"] == excited[:3]
    assert some["found"] == len(excited) < 7
    named, _ = asked(here, "units", layer="act", sort="best_class")
    assert named["columns"]["best_class"] == sorted(named["columns"]["best_class"])
    with pytest.raises(UnknownName, match="nearest"):
        asked(here, "units", layer="act", where=[("silen", "<", "1")])
    with pytest.raises(PellucidError, match="is no number"):
        asked(here, "units", layer="act", where=[("best_class", "<", "1")])


def test_what_is_not_known_is_last_whichever_way(here: Session) -> None:
    for descending in (False, True):
        found, _ = asked(here, "units", layer="act", sort="class_selectivity", descending=descending)
        values = found["columns"]["class_selectivity"]
        known = [one for one in values if one is not None]
        assert values[: len(known)] == sorted(known, reverse=descending)


@pytest.mark.parametrize("name", PARTS)
def test_every_part_of_a_unit_answers(here: Session, name: str) -> None:
    assert part(here, name)


def test_parts_are_those_of_the_index(here: Session) -> None:
    layer, top = here.index("i0")["act"], part(here, "top")
    expected = layer.top(BLOB, 9)
    assert [one["image"] for one in top["rows"]] == expected.images.tolist()
    np.testing.assert_array_equal([one["value"] for one in top["rows"]], expected.values.astype(float))
    facts = part(here, "numbers")["facts"]
    assert facts["strongest activation"] == pytest.approx(top["rows"][0]["value"])
    shares = part(here, "histogram")
    assert sum(shares["shares"]) == pytest.approx(1)
    assert shares["ends"][0] <= 0 < shares["ends"][1]
    best = part(here, "classes", RED)["rows"]
    assert [one["mean"] for one in best] == sorted((one["mean"] for one in best), reverse=True)
    assert part(here, "like", 2)["rows"][0]["channel"] == 5  # twice the same unit


def test_a_unit_that_nothing_excites(here: Session) -> None:
    assert part(here, "top", SILENT)["rows"] == []
    for name in ("feature", "like"):
        assert list(part(here, name, SILENT)) == ["refused"]


@pytest.mark.parametrize(("layer", "channel"), [("act", 7), ("act", -1), ("other", 0)])
def test_units_that_there_are_not(here: Session, layer: str, channel: int) -> None:
    for name in PARTS:
        with pytest.raises(UnknownName):
            part(here, name, channel, layer)
    with pytest.raises(UnknownName):
        asked(here, "projections", layer=layer, channel=channel)


def test_projections_are_numbers_in_windows(here: Session, tmp_path: Path) -> None:
    said, held = opened(asked(here, "projections", layer="act", channel=BLOB)[1], tmp_path)
    assert len(said["rows"]) == len(held) > 0
    for row in said["rows"]:
        values, (top, left, bottom, right) = held[row["values"]["$"]], row["window"]
        assert list(values.shape) == row["values"]["shape"] == [3, bottom - top, right - left]
        assert values.dtype == np.uint8
        assert values.max() == 255


def test_images_whole_and_in_part(here: Session) -> None:
    row = part(here, "top")["rows"][0]
    said, content = asked(here, "indexed_picture", image=row["image"], side=32)
    assert said["type"] == "image/jpeg"
    assert Image.open(io.BytesIO(content)).size == (32, 32)
    said, content = asked(here, "indexed_picture", image=row["image"], side=32, box=row["box"])
    crop = np.asarray(Image.open(io.BytesIO(content)))
    assert said["type"] == "image/png"
    assert crop.shape == (7, 7, 3)
    whole = indexed.seen(here.index("i0"), row["image"])
    top, left = (round(edge) for edge in row["box"][:2])
    np.testing.assert_array_equal(crop, whole[top : top + 7, left : left + 7])


@pytest.mark.parametrize("box", [(0, 0, 0, 9), (9, 9, 0, 0), (0, 0, 999, 9), (90, 90, 99, 99), (float("nan"),) * 4])
def test_boxes_that_are_none(here: Session, box: tuple[float, ...]) -> None:
    with pytest.raises(PellucidError):
        asked(here, "indexed_picture", image=0, side=32, box=box)


@pytest.mark.parametrize("image", [-1, 30, 2**31])
def test_images_that_there_are_not(here: Session, image: int) -> None:
    for name, about in (("indexed_picture", {"image": image, "side": 32}), ("thumbs", {"ids": [image]}),
                        ("set", {"ids": [image]})):  # fmt: skip
        with pytest.raises(UnknownName):
            asked(here, name, **about)


def test_a_map_is_in_one_random_order(here: Session, tmp_path: Path) -> None:
    said, held = opened(asked(here, "map", layout="pca")[1], tmp_path)
    assert said["count"] == 30
    assert sorted(held["images"].tolist()) == list(range(30)) != held["images"].tolist()
    assert held["places"].dtype == np.float32
    assert held["places"].min() >= 0
    assert held["places"][:, 0].max() <= 1
    assert len(set(held["cells"].tolist())) == 30
    assert held["seams"].shape == (*said["sides"], 2)
    index = here.index("i0")
    assert said["names"] == [index.source.name(i) for i in held["images"].tolist()]
    np.testing.assert_array_equal(held["labels"], index.labels(held["images"].astype(np.int64)))
    assert asked(here, "map", layout="pca")[1] == asked(here, "map", layout="pca")[1]
    with pytest.raises(PellucidError, match="ask again"):
        asked(here, "map", layout="pca", key="0" * 64)


def test_a_layout_that_was_asked_for_as_a_method(here: Session, tmp_path: Path) -> None:
    about = {"method": "map", "nouns": {"index": "i0"}, "options": {"method": "ica", "thumbnails": 0}}
    ((said, _),) = ANSWERS["ask"](here, about, b"")
    linear, _ = opened(asked(here, "map", layout="ica")[1], tmp_path)
    found, _ = opened(asked(here, "map", key=said["key"])[1], tmp_path)
    assert found["quality"] == linear["quality"]
    assert found["names"] == linear["names"]


def test_what_is_kept_is_known_by_its_key_and_nothing_is_made_for_it(here: Session) -> None:
    about = {"method": "ablation", "nouns": {"index": "i0", "unit": f"act:{BLOB}"}, "options": {}}
    before = len(here.store)
    assert next(iter(ANSWERS["known"](here, dict(about), b""))) == ({"key": None}, b"")
    assert len(here.store) == before
    ((said, _),) = ANSWERS["ask"](here, dict(about), b"")
    assert next(iter(ANSWERS["known"](here, dict(about), b""))) == ({"key": said["key"]}, b"")
    other = {**about, "nouns": {"index": "i0", "unit": f"act:{RED}"}}
    assert next(iter(ANSWERS["known"](here, other, b""))) == ({"key": None}, b"")


def test_several_indexes_are_asked_about_in_their_order(here: Session) -> None:
    both = Session({"folder": here.folder, "indexes": [here.index("i0").store.folder] * 2}, planted())
    about = {"method": "evolution", "nouns": {"indexes": ["i1", "i0"], "unit": f"act:{BLOB}"}, "options": {"top": 5}}
    ((said, _),) = ANSWERS["ask"](both, about, b"")
    assert said["kind"] == "Report"
    with pytest.raises(PellucidError, match="name two at least"):
        list(ANSWERS["ask"](both, {**about, "nouns": {"indexes": ["i0"], "unit": f"act:{BLOB}"}}, b""))


def test_thumbnails_lie_side_by_side(here: Session) -> None:
    ids = [*range(25)]
    sheet = Image.open(io.BytesIO(asked(here, "thumbs", ids=ids, side=16)[1]))
    assert sheet.size == (20 * 16, 2 * 16)
    alone = Image.open(io.BytesIO(asked(here, "thumbs", ids=[21], side=16)[1]))
    part = np.asarray(sheet, float)[16:32, 16:32]
    assert np.abs(part - np.asarray(alone, float)).mean() < 6  # but for what a JPEG costs


def test_colors_of_a_map(here: Session, tmp_path: Path) -> None:
    said, held = opened(asked(here, "colored", by="unit", layer="act", channel=BLOB)[1], tmp_path)
    images, maxima = here.index("i0")["act"].sample
    np.testing.assert_array_equal(held["values"][images], maxima[:, BLOB])
    assert said["known"] == 30
    assert said["ends"] == [float(maxima[:, BLOB].min()), float(maxima[:, BLOB].max())]
    with pytest.raises(Refused, match="outputs"):
        asked(here, "colored", by="prediction")


def test_selections_are_named_by_what_is_in_them(here: Session) -> None:
    one, _ = asked(here, "set", ids=[25, 1, 25])
    other, _ = asked(here, "set", ids=[1, 25])
    assert one == other
    assert one["count"] == 2
    again, _ = asked(here, "set_before", set=one["set"])
    assert again["ids"] == [1, 25]
    for name in ("0" * 16, "../../session", "x.json"):
        with pytest.raises(UnknownName, match="select again"):
            asked(here, "set_before", set=name)


def test_selections_do_not_pile_up(here: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pellucid.web.answers.selected._SETS", 3)
    first = asked(here, "set", ids=[0])[0]["set"]
    asked(here, "set_named", set=first, name="stays")
    for k in range(1, 6):
        asked(here, "set", ids=[k])
    assert len(list((here.folder / "sets").glob("*.json"))) == 3 + 1
    assert asked(here, "set_before", set=first)[0]["name"] == "stays"
    monkeypatch.setattr("pellucid.web.answers.selected._NAMED", 1)
    other = asked(here, "set", ids=[5])[0]["set"]
    with pytest.raises(PellucidError, match="1 sets have names already: take one away"):
        asked(here, "set_named", set=other, name="one more")
    asked(here, "set_named", set=first, name="")


def test_a_selection_has_a_name_and_is_found_again(here: Session) -> None:
    one, other = (asked(here, "set", ids=ids)[0]["set"] for ids in ([2, 4], [5, 6, 7]))
    assert asked(here, "sets")[0] == {"sets": []}
    said, _ = asked(here, "set_named", set=one, name="  blue <b>marks</b>\u00a0 ")
    assert said == {"set": one, "name": "blue <b>marks</b>"}
    asked(here, "set_named", set=other, name="Bars")
    assert asked(here, "sets")[0]["sets"] == [
        {"set": other, "name": "Bars", "count": 3}, {"set": one, "name": "blue <b>marks</b>", "count": 2}
    ]  # fmt: skip
    assert asked(here, "set", ids=[4, 2])[0]["name"] == "blue <b>marks</b>"
    asked(here, "set_named", set=other, name="")
    assert [row["set"] for row in asked(here, "sets")[0]["sets"]] == [one]
    asked(here, "set_named", set=one, name=" ")
    for name in ("0" * 16, "../../session"):
        for what, about in (("set_named", {"name": "x"}), ("set_mean", {})):
            with pytest.raises(UnknownName, match="select again"):
                asked(here, what, set=name, **about)


@pytest.mark.parametrize("name", ["a" * 61, "a\nb", "a\x00", "\u202ename", "a\u200bb", "\x7f"])
def test_names_that_are_none(name: str) -> None:
    assert NameBody(name="Vögel & <b>日本</b> 🦁").name
    with pytest.raises(ValidationError):
        NameBody(name=name)


def test_the_mean_picture_of_a_selection(here: Session) -> None:
    ids = [3, 10, 20]
    said, _ = asked(here, "set_mean", set=asked(here, "set", ids=ids)[0]["set"])
    assert (said["images"], said["of"]) == (3, 3)
    content = base64.b64decode(said["picture"].removeprefix("data:image/png;base64,"))
    mean = here.index("i0").thumbnails(ids).astype(np.float64).mean(0)
    assert np.abs(np.asarray(Image.open(io.BytesIO(content)), float) - mean).max() <= 0.5


def test_where_images_are_gone_the_numbers_stay(moved: Session, tmp_path: Path) -> None:
    assert asked(moved, "index")[0]["missing"]
    for name in ("numbers", "histogram", "top", "weakest", "classes", "like"):
        assert part(moved, name)
    top = part(moved, "top")
    assert top["missing"]
    assert str(Path(moved.index("i0").plan.source.partition(":")[2]).parent) not in top["missing"]
    assert top["rows"][0]["name"] is None
    said, held = opened(asked(moved, "map", layout="pca")[1], tmp_path)
    assert said["missing"]
    assert [said["classes"][k] for k in held["labels"].tolist()] == ["abc"[i // 10] for i in held["images"].tolist()]
    assert said["names"] == []
    assert {row["label"] for row in top["rows"]} <= set("abc")
    for name in ("feature", "spread"):
        assert list(part(moved, name)) == ["refused"]
    said, _ = opened(asked(moved, "projections", layer="act", channel=BLOB)[1], tmp_path)
    assert said["refused"]
    assert said["rows"] == []
    with pytest.raises(PellucidError):
        asked(moved, "indexed_picture", image=0, side=32, box=(0, 0, 9, 9))


def test_where_images_are_gone_the_small_ones_stay(moved: Session, tmp_path: Path) -> None:
    index = moved.index("i0")
    assert asked(moved, "index")[0]["small"] == 64
    assert opened(asked(moved, "map", layout="pca")[1], tmp_path)[0]["small"] == 64
    sheet = np.asarray(Image.open(io.BytesIO(asked(moved, "thumbs", ids=[0, 1], side=48)[1])), float)
    assert np.abs(sheet - np.concatenate(list(index.thumbnails([0, 1], 48)), 1)).mean() < 10
    whole = Image.open(io.BytesIO(asked(moved, "indexed_picture", image=0, side=320)[1]))
    assert whole.size == (48, 48)
    name = asked(moved, "set", ids=[0, 1])[0]["set"]
    assert asked(moved, "set_mean", set=name)[0]["images"] == 2


def test_where_nothing_is_kept_gone_is_gone(tmp_path: Path) -> None:
    photos = painted(tmp_path / "photos", 9)
    pl.units.index(planted(), photos, store=tmp_path / "x.index", layers=("act",), count=4, thumbnail_side=0)
    here = Session({"folder": tmp_path / "session", "indexes": [tmp_path / "x.index"]}, planted())
    assert asked(here, "index")[0]["small"] == 0
    before = np.asarray(Image.open(io.BytesIO(asked(here, "thumbs", ids=[0], side=48)[1])), float)
    assert np.abs(before - indexed.seen(here.index("i0"), 0)).mean() < 10
    name = asked(here, "set", ids=[0, 1])[0]["set"]
    photos.rename(tmp_path / "elsewhere")
    here = Session({"folder": tmp_path / "session", "indexes": [tmp_path / "x.index"]}, planted())
    assert (np.asarray(Image.open(io.BytesIO(asked(here, "thumbs", ids=[0], side=16)[1]))) == 127).all()
    for what, about in (("indexed_picture", {"image": 0, "side": 32}), ("set_mean", {"set": name})):
        with pytest.raises(PellucidError, match="is no folder of images"):
            asked(here, what, **about)


def test_the_network_of_the_server_is_that_of_the_index(here: Session) -> None:
    assert isinstance(here.index("i0"), Index)
    assert here.index("i0").given is here.net("n0")
