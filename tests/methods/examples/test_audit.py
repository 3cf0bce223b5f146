"""Audit: what was planted is found and told, what is not there is not, and the page asks nobody."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import pellucid as pl
from pellucid.cli import main
from pellucid.errors import PellucidError, UnknownName
from pellucid.index import Index
from pellucid.result import Audit
from pellucid.result.audit import KINDS, TEST, limits_of
from pellucid.training_set.examples import examples_of
from pellucid.training_set.seen import of_test
from tests.draw.test_pictures import assert_tidy
from tests.test_every_method import indexed, tiny
from tests.training_set.test_copies import pictures

CLASSES = ("cat", "cow", "dog")


def saved(folder: Path, name: str, pixels: np.ndarray, **how: Any) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **how)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty pictures in red, green and blue: a copy of a file, one that is mirrored, one encoded anew under another
    label, a dark one; and two of a test set, of which one is a crop of a training image."""
    place = tmp_path_factory.mktemp("audited")
    every = pictures(60, 64).astype(float) * 0.5
    every[np.arange(60), :, :, np.arange(60) % 3] += 110
    every = every.astype(np.uint8)
    for i, one in enumerate(every):
        if i != 59:
            saved(place / "train", f"{CLASSES[i % 3]}/{i:02}.png", one)
    saved(place / "train", "cat/copy.png", every[3])
    saved(place / "train", "cow/mirror.png", np.ascontiguousarray(every[4, :, ::-1]))
    saved(place / "train", "cat/again.jpg", every[5], quality=60)  # a dog
    saved(place / "train", "cat/wrong.png", every[59])  # a dog
    saved(place / "train", "dog/dark.png", every[8] // 9)
    saved(place / "test", "cow/crop.png", np.asarray(Image.fromarray(every[7]).crop((2, 1, 63, 62)).resize((64, 64))))
    saved(place / "test", "cow/other.png", pictures(1, 64, seed=9)[0])
    return place


@pytest.fixture(scope="module")
def index(folder: Path) -> Index:
    return pl.units.index(tiny(), folder / "train", store=folder / "train.index", count=4, embed=("relu",))


@pytest.fixture(scope="module")
def found(index: Index, folder: Path) -> Audit:
    return pl.examples.audit(index, test=folder / "test", count=8)


def test_copies_are_found_with_what_was_done(found: Audit) -> None:
    groups = [({found.names[i] for i in one.images}, one) for one in found.of("duplicates")]
    assert sorted(sorted(names) for names, _ in groups) == [
        ["cat/03.png", "cat/copy.png"], ["cat/again.jpg", "dog/05.png"], ["cow/04.png", "cow/mirror.png"],
    ]  # fmt: skip
    assert found.counts["duplicates"] == 3
    first = found.of("duplicates")[0]
    assert "different labels" in first.title, "what has to be decided comes first"
    assert "cat and dog" in first.advice or "dog and cat" in first.advice
    said = {min(names): one.said for names, one in groups}
    assert "the same file" in said["cat/03.png"]
    assert "mirrored" in said["cow/04.png"]


def test_leaks_are_copies_across_the_parts(found: Audit) -> None:
    (leak,) = found.of("leaks")
    parts = {found.names[i]: found.sets[i] for i in leak.images}
    assert parts == {"cow/07.png": "set", "cow/crop.png": TEST}
    assert "cropped" in leak.said
    assert found.meta.found[TEST] == 2


def test_a_wrong_label_comes_first(found: Audit) -> None:
    first = [found.names[one.images[0]] for one in found.of("mislabeled")[:2]]
    assert set(first) == {"cat/wrong.png", "cat/again.jpg"}
    assert found.of("mislabeled")[0].suggestion == "dog"
    assert found.counts["mislabeled"] == sum(one.found for one in found.of("mislabeled"))


def test_a_dark_picture_is_told(found: Audit) -> None:
    said = {(found.names[one.images[0]], one.title) for one in found.of("quality")}
    assert ("dog/dark.png", "Dark") in said
    assert found.tables["quality"]["images"][0] == 1


def test_what_is_not_looked_for_says_why(found: Audit) -> None:
    why = {one.of_kind: one.rule for one in found.looked if not one.done}
    assert set(why) == {"context", "subgroups"}
    assert "truth" in why["context"]
    assert "40 images" in why["subgroups"]
    assert tuple(one.of_kind for one in found.looked) == KINDS


@pytest.mark.slow
def test_an_index_stands_for_a_test_set(index: Index, folder: Path) -> None:
    other = pl.units.index(tiny(), folder / "test", store=folder / "test.index", count=2, embed=("relu",))
    again = pl.examples.audit(index, test=other, kinds=("leaks",))
    assert again.counts == {"leaks": 1}
    assert again.meta.options["test"] == str(folder / "test.index")
    strange = pl.load(tiny().module).with_weights({"head.bias": tiny().module.head.bias.detach() + 1})
    with pytest.raises(PellucidError, match="another network"):
        pl.examples.audit(index, test=indexed(strange), kinds=("leaks",))


def test_classes_of_a_test_index_are_known_by_their_names(folder: Path, tmp_path: Path) -> None:
    """Two data sets of classes that the network does not have, in another order: a test image of a class of its own."""
    pixels = pictures(12, 64)
    for i, name in enumerate(["blue", "red"] * 6):
        saved(tmp_path / "own", f"{name}/{i:02}.png", pixels[i])
    saved(tmp_path / "other", "amber/a.png", pictures(1, 64, seed=3)[0])
    saved(tmp_path / "other", "red/b.png", pixels[1])
    saved(tmp_path / "other", "red/c.png", pictures(1, 64, seed=4)[0])
    index, other = (
        pl.units.index(tiny(), tmp_path / one, store=tmp_path / f"{one}.index", count=2, embed=("relu",))
        for one in ("own", "other")
    )
    seen = of_test(other, examples_of(index), index)
    assert examples_of(index).classes == ("blue", "red")
    assert [(name, int(label)) for name, label in zip(seen.names, seen.labels, strict=True)] == [
        ("amber/a.png", -1), ("red/b.png", 1), ("red/c.png", 1),
    ]  # fmt: skip
    (leak,) = pl.examples.audit(index, test=other, kinds=("leaks",)).of("leaks")
    assert leak.label == "red"


def test_folders_of_the_names_are_parts(folder: Path, tmp_path: Path) -> None:
    rows = ["file_name,label"]
    for part, name in (("train", "cow/07.png"), ("train", "dog/05.png"), ("test", "cow/crop.png")):
        path = folder / ("train" if part == "train" else "test") / name
        saved(tmp_path, f"{part}/{path.name}", np.asarray(Image.open(path)))
        rows.append(f"{part}/{path.name},{name.split('/')[0]}")
    (tmp_path / "labels.csv").write_text("\n".join(rows))
    index = pl.units.index(tiny(), tmp_path, store=tmp_path / "x.index", count=2, embed=("relu",))
    again = pl.examples.audit(index, kinds=("leaks", "duplicates"))
    assert again.counts == {"leaks": 1, "duplicates": 0}
    assert set(again.sets) == {"train", "test"}


def test_context_is_shown_where_truth_is_given(index: Index) -> None:
    truth = {name: [(name.split("/")[0], (16, 16, 48, 48))] for name in ("cat/00.png", "dog/02.png", "cow/01.png")}
    again = pl.examples.audit(index, truth=truth, kinds=("context",))
    one = again.of("context")[0]
    assert [again.sets[i] for i in one.images[:3]] == ["set", "", ""]
    assert "object covered" in one.captions[1]
    assert np.abs(again.thumbs[one.images[0]].astype(int) - again.thumbs[one.images[1]]).max() > 10
    assert one.images[1] not in again.decidable


def test_decisions_are_about_images_of_the_set(found: Audit, tmp_path: Path) -> None:
    path = tmp_path / "decisions.csv"
    said = found.decide(path, {"cat/wrong.png": "dog", "cat/copy.png": "remove"})
    assert {one.image: one.holds for one in said.rows} == {"cat/wrong.png": "dog", "cat/copy.png": ""}
    with pytest.raises(PellucidError, match="suspect"):
        found.decide(path, {"cow/other.png": "remove"})


def test_a_file_is_the_same(found: Audit, tmp_path: Path) -> None:
    again = pl.open(found.save(tmp_path / "x.npz"))
    assert again.items == found.items
    assert again.looked == found.looked
    assert np.array_equal(again.thumbs, found.thumbs)
    assert found.describe()["counts"] == found.counts
    assert len(found.describe()["rows"]) == len(found)


def test_the_page_holds_everything_and_asks_nobody(found: Audit, tmp_path: Path) -> None:
    page = pl.draw(found).save(tmp_path / "x.html").read_text(encoding="utf-8")
    assert not re.search(r"https?:|src=\"|href=\"", page)
    assert "default-src 'none'" in page
    inside = re.search(r'id="data">(.*?)</script>', page, re.DOTALL)
    assert inside is not None
    data = json.loads(inside[1])
    assert len(data["items"]) == len(found)
    assert [one["kind"] for one in data["kinds"]] == list(KINDS)
    assert max(i for one in data["items"] for i in (*one["images"], *one["beside"])) < len(data["pictures"])


@pytest.mark.parametrize("dark", [False, True])
def test_the_picture_is_tidy(found: Audit, dark: bool) -> None:
    picture = pl.draw(found, dark=dark)
    assert_tidy(picture)
    assert "duplicates: 3 found" in picture.alt


def test_limits_are_read() -> None:
    assert limits_of("mislabeled, leaks:3") == {"mislabeled": 1, "leaks": 3}
    with pytest.raises(UnknownName, match=r"leeks.*leaks"):
        limits_of("leeks")
    for text in ("leaks:0", "leaks:", "leaks:x", "leaks,leaks"):
        with pytest.raises(PellucidError, match="leaks"):
            limits_of(text)


def test_failing_kinds(found: Audit) -> None:
    assert found.failing({"leaks": 1, "duplicates": 3, "quality": 50}) == ("1 leaks", "3 duplicates")
    with pytest.raises(PellucidError, match="context was not looked for"):
        found.failing({"context": 1})
    with pytest.raises(UnknownName, match="leaks"):
        found.of("leak")


def test_few_images_and_none_with_a_label(tmp_path: Path) -> None:
    np.savez(tmp_path / "photos.npz", images=pictures(3, 32))
    index = pl.units.index(tiny(), tmp_path / "photos.npz", store=tmp_path / "x.index", count=2, embed=("relu",))
    again = pl.examples.audit(index)
    assert set(again.counts) == {"duplicates", "outliers", "quality"}
    assert_tidy(pl.draw(again))
    with pytest.raises(PellucidError, match="no labels"):
        pl.examples.audit(index, kinds=("mislabeled", "similar"))


@pytest.mark.slow
def test_the_shell_ends_with_one_where_something_is_found(
    index: Index, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "nets.py").write_text(
        "from tests.test_every_method import tiny\n\n\ndef module():\n    return tiny().module\n"
    )
    spec = f"{tmp_path / 'nets.py'}:module"
    asked = ["audit", str(folder / "train.index"), "--net", spec, "--kinds", "duplicates", "-q"]
    assert main([*asked, "-o", str(tmp_path / "a.html"), "--fail-on", "duplicates"]) == 1
    assert (tmp_path / "a.html").is_file()
    assert "3 duplicates found" in capsys.readouterr().err
    assert main([*asked, "-o", str(tmp_path / "a.png"), "--fail-on", "duplicates:4"]) == 0
    assert main([*asked, "--fail-on", "duplicats"]) == 2
    assert "duplicates" in capsys.readouterr().err
