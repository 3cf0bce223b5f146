"""Folders as people have them: hidden files, links, a data set one level deeper, a photo beside its classes."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pellucid.errors import BadImage
from pellucid.images import pictures_in
from pellucid.images.concepts import Concepts
from pellucid.images.hidden import hidden
from pellucid.images.sources import Source


def picture(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((4, 4, 3), 7, np.uint8)).save(path)
    return path


def photos(root: Path, *names: str) -> Path:
    for name in names:
        picture(root / name)
    return root


HIDDEN = (".ipynb_checkpoints/a.png", "cat/.ipynb_checkpoints/a.png", "__MACOSX/cat/._a.png", "cat/._a.png",
          "cat/@eaDir/a.png", "$RECYCLE.BIN/a.png", ".git/a.png", "System Volume Information/a.png")  # fmt: skip


def texts(source: Source) -> tuple[str, ...]:
    """What it has to say, all of it about what goes in."""
    assert {note.topic for note in source.notes} <= {"input"}
    return tuple(note.text for note in source.notes)


@pytest.mark.parametrize("name", HIDDEN)
def test_hidden_pictures_are_left_out_and_said(tmp_path: Path, name: str) -> None:
    source = Source.of(photos(tmp_path / "photos", "cat/1.png", "dog/1.png", name))
    assert (source.classes, len(source)) == (("cat", "dog"), 2)
    assert texts(source) == (f"a hidden image is left out: {name}",)


def test_what_is_hidden_is_judged_below_the_folder_that_was_asked_for(tmp_path: Path) -> None:
    source = Source.of(photos(tmp_path / ".cache" / "photos", "cat/1.png", "dog/1.png"))
    assert (len(source), source.notes) == (2, ())
    assert not hidden("cat/a.b.png")
    assert not hidden("./cat/a.png")


def test_nothing_is_said_of_hidden_files_that_are_no_pictures(tmp_path: Path) -> None:
    root = photos(tmp_path / "photos", "cat/1.png", "dog/1.png")
    for name in (".DS_Store", "cat/Thumbs.db", ".git/config"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(b"x")
    assert texts(Source.of(root)) == ()


def test_only_hidden_pictures_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(BadImage, match=r"no images .*a hidden image is left out"):
        pictures_in(photos(tmp_path / "photos", ".a.png"))


def test_hidden_members_of_a_tar(tmp_path: Path) -> None:
    file = picture(tmp_path / "a.png")
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        for name in ("cat/1.png", "__MACOSX/cat/._1.png", "cat/._1.png"):
            archive.add(file, name)
    source = Source.of(tmp_path / "x.tar")
    assert [source.name(i) for i in range(len(source))] == ["x.tar/cat/1.png"]
    assert texts(source) == ("2 hidden images are left out: __MACOSX/cat/._1.png, …",)


def test_hidden_pictures_of_concepts(tmp_path: Path) -> None:
    root = photos(tmp_path / "c", "images/a.png", "images/._a.png", "images/.ipynb_checkpoints/b.png")
    for name in ("a", "._a", "b"):
        picture(root / "masks" / f"{name}.png")
    (root / "classes.csv").write_text("1,sky\n")
    assert [path.name for path, _ in Concepts.of(root).files] == ["a.png"]


def test_linked_folders_are_followed_once(tmp_path: Path) -> None:
    root = photos(tmp_path / "photos", "cat/1.png", "cat/2.png")
    photos(tmp_path / "elsewhere", "1.png", "deep/2.png")
    os.symlink(tmp_path / "elsewhere", root / "dog")
    source = Source.of(root)
    assert source.classes == ("cat", "dog")
    assert [source.name(i) for i in range(4)] == ["cat/1.png", "cat/2.png", "dog/1.png", "dog/deep/2.png"]
    assert [source.label(i) for i in range(4)] == [0, 0, 1, 1]
    assert source.read(2).ids == ("1.png",)


def test_links_in_a_circle_end_and_a_second_name_is_said(tmp_path: Path) -> None:
    root = photos(tmp_path / "photos", "cat/1.png", "dog/1.png")
    os.symlink(root, root / "cat" / "all")
    os.symlink(root / "dog", root / "a_link_that_sorts_first")
    os.symlink(root / "no.png", root / "dog" / "gone.png")
    source = Source.of(root)
    assert (source.classes, len(source)) == (("cat", "dog"), 2)
    assert texts(source) == (
        "dog/gone.png is a link to nothing",
        "a_link_that_sorts_first is a link to dog, which is read once",
        "cat/all is a link to the folder itself, which is read once",
    )


def test_two_folders_that_link_to_each_other(tmp_path: Path) -> None:
    root = photos(tmp_path / "photos", "cat/1.png")
    one, two = (photos(tmp_path / name, "x.png") for name in ("one", "two"))
    os.symlink(one, two / "one")
    os.symlink(two, one / "two")
    os.symlink(one, root / "dog")
    source = Source.of(root)
    assert [source.name(i) for i in range(len(source))] == ["cat/1.png", "dog/two/x.png", "dog/x.png"]


@pytest.mark.parametrize("strays", [("stray.jpg",), ("a.png", "b.png")])
def test_a_photo_beside_the_classes_is_named(tmp_path: Path, strays: tuple[str, ...]) -> None:
    root = photos(tmp_path / "photos", "cat/1.png", "cat/2.png", "dog/1.png", *strays)
    with pytest.raises(BadImage, match=rf"2 folders of images, and .* beside them, '{strays[0]}'"):
        Source.of(root).classes  # noqa: B018
    (root / "labels.csv").write_text("cat/1.png,cat\ncat/2.png,cat\ndog/1.png,dog\n")
    assert Source.of(root).classes == ("cat", "dog")  # one way that the message names
    (root / "labels.csv").unlink()
    for name in strays:
        (root / name).rename(root / "cat" / name)
    assert Source.of(root).classes == ("cat", "dog")  # the other


@pytest.mark.parametrize("parts", [("train",), ("train", "val"), ("Training", "Test"), ("data",)])
def test_classes_one_level_deeper_are_refused_with_the_way(tmp_path: Path, parts: tuple[str, ...]) -> None:
    root = photos(tmp_path / "photos", *(f"{part}/{name}/1.png" for part in parts for name in ("cat", "dog", "owl")))
    with pytest.raises(BadImage, match=f"3 below {parts[0]}/.*: name .*{root}/{parts[0]}'"):
        Source.of(root).classes  # noqa: B018
    assert Source.of(root / parts[0]).classes == ("cat", "dog", "owl")


def test_folders_below_classes_are_said(tmp_path: Path) -> None:
    source = Source.of(photos(tmp_path / "photos", "cat/monday/1.png", "dog/2.png"))
    assert source.classes == ("cat", "dog")
    assert texts(source) == ("classes are the 2 folders cat, dog, with all that lies below them",)


def test_as_many_beside_as_in_folders_are_pictures_without_classes(tmp_path: Path) -> None:
    source = Source.of(photos(tmp_path / "photos", "1.png", "2.png", "more/3.png"))
    assert (source.classes, source.label(0)) == ((), None)
    assert texts(source) == ("no classes: 2 of 3 images lie in no folder of a class",)


def test_the_one_class_and_a_table_that_is_not_read_are_said(tmp_path: Path) -> None:
    root = photos(tmp_path / "photos", "images/1.png", "images/2.png")
    assert texts(Source.of(root)) == ()
    (root / "labels.csv").write_text("images/1.png,cat\nimages/2.png,dog\n")
    said = "the one class is the folder images, with all that lies below it; labels.csv is not read"
    assert texts(Source.of(root)) == (said,)
    photos(root, "more/3.png")
    said = "classes are the 2 folders images, more, with all that lies below them; labels.csv is not read"
    assert texts(Source.of(root)) == (said,)


def test_pictures_without_a_class_and_labels_without_a_picture_are_said(tmp_path: Path) -> None:
    root = photos(tmp_path / "photos", "1.png", "2.png", "3.png", "4.png")
    (root / "labels.csv").write_text("1.png,cat\n2.png,dog\n9.png,dog\n")
    assert texts(Source.of(root)) == (
        "no image is there for 9.png of the labels", "2 of 4 images have no class: 3.png, …"
    )  # fmt: skip


def test_what_a_tar_loses_is_said(tmp_path: Path) -> None:
    root = photos(tmp_path / "photos", "cat/1.png", "cat/2.png", "dog/1.png")
    os.symlink(root / "dog", root / "puppy")
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        archive.add(root, ".")
    assert texts(Source.of(tmp_path / "x.tar")) == (
        "links in a tar are left out: puppy",
        "no classes: those of a tar are in name.cls beside name.jpg, its 2 folders cat, dog are none",
    )
    (root / "cat" / "1.cls").write_text("1")
    with tarfile.open(tmp_path / "y.tar", "w") as archive:
        archive.add(root / "cat", "cat")
    assert texts(Source.of(tmp_path / "y.tar")) == ("1 of 2 images have no class: y.tar/cat/2.png",)
