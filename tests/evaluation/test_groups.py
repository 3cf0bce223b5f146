"""Groups of images, out of files, folders, mappings and lists."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from pellucid.errors import PellucidError
from pellucid.evaluation.groups import Groups

NAMES = ("cat/1.jpg", "cat/2.jpg", "dog/1.jpg")


def csv_file(folder: Path, text: str) -> Path:
    path = folder / "groups.csv"
    path.write_text(text, encoding="utf-8-sig")
    return path


def test_a_table_names_images_with_and_without_folder_and_suffix(tmp_path: Path) -> None:
    said = "Group,image\nsnow,photos/cat/1.jpg\ngrass,cat/2\nsnow,dog/1.jpg\n"
    found = Groups.of(csv_file(tmp_path, said))
    assert found.over(NAMES) == dict(zip(NAMES, ("snow", "grass", "snow"), strict=True))
    assert Groups.of(csv_file(tmp_path, "image,sex\n2,woman\n\n1,\n")).over(("a/1.png", "a/2.png")) == {
        "a/2.png": "woman"
    }
    assert pickle.loads(pickle.dumps(found)).identity == found.identity != Groups.of({"a": "b"}).identity
    assert found.plain() == str(tmp_path / "groups.csv")


def test_the_same_file_name_in_two_folders_is_two_images(tmp_path: Path) -> None:
    found = Groups.of({"cat/1.jpg": "snow"})
    assert found.over(NAMES) == {"cat/1.jpg": "snow"}
    with pytest.raises(PellucidError, match=r"groups of 1 images: '1.jpg' could be 'cat/1.jpg' and 'dog/1.jpg'"):
        Groups.of({"1.jpg": "snow"}).over(NAMES)
    with pytest.raises(PellucidError, match=r"could both be '1.jpg'"):
        Groups.of({"cat/1.jpg": "snow", "dog/1.jpg": "grass"}).over(("1.jpg",))
    with pytest.raises(PellucidError, match="two images are called 'a'"):
        Groups.of(["x", "y"]).over(("a", "a"))


def test_a_list_is_in_the_order_of_the_images() -> None:
    assert Groups.of(np.array([1, 0, 1])).over(NAMES) == dict(zip(NAMES, "101", strict=True))
    assert Groups.of(["x", None, True]).over(NAMES) == {"cat/1.jpg": "x", "dog/1.jpg": "True"}
    assert Groups.of([1.0, 2.5]).over(("a", "b")) == {"a": "1", "b": "2.5"}
    with pytest.raises(PellucidError, match="a list of 2 groups for 3 images"):
        Groups.of(["x", "y"]).over(NAMES)


def test_the_folder_below_that_of_the_class_is_a_group() -> None:
    assert Groups.of("folder").over(("dog/snow/1.jpg", "dog/1.jpg")) == {"dog/snow/1.jpg": "snow", "dog/1.jpg": "dog"}


@pytest.mark.parametrize(("text", "why"), [
    ("image,a,b\nx,1,2\n", "needs a column image and a column group"),
    ("", "needs a column image"),
    ("image,group\nx,1\nx,2\n", "line 3: 'x' is of the group '1' already"),
    ("image,group\nx\n", "line 2 has 1 cells, the first line 2"),
])  # fmt: skip
def test_bad_tables_are_refused(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(PellucidError, match=why):
        Groups.of(csv_file(tmp_path, text))


def test_what_is_no_groups_is_refused() -> None:
    with pytest.raises(PellucidError, match=r"no groups in 'nowhere.csv'"):
        Groups.of("nowhere.csv")
    with pytest.raises(PellucidError, match="is no group of an image"):
        Groups.of({"a": ["b"]})
