"""Boxes and masks out of every format, in pixels of the picture; a bad file is refused in one line that says where."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.evaluation.called import Called
from pellucid.evaluation.located import Located
from pellucid.evaluation.things import Polygons, Runs
from pellucid.evaluation.truth import ClassPairs, Truth
from pellucid.image_set import ImageSet
from tests.test_every_method import tiny

SIZE = (10, 20)  # height, width
BOX = (4.0, 2.0, 12.0, 7.0)
VOC = """<annotation><filename>a.jpg</filename><size><width>20</width><height>10</height></size>
<object><name>dog</name><difficult>1</difficult><bndbox><xmin>5</xmin><ymin>3</ymin><xmax>12</xmax><ymax>7</ymax></bndbox>
</object></annotation>"""
COCO = {
    "images": [{"id": 7, "file_name": "a.jpg", "height": 10, "width": 20}, {"id": 8, "file_name": "none.jpg"}],
    "categories": [{"id": 3, "name": "dog"}],
    "annotations": [{"image_id": 7, "category_id": 3, "bbox": [4, 2, 8, 5]}],
}


def mask_png(path: Path, value: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.zeros(SIZE, np.uint8)
    pixels[2:7, 4:12] = value
    Image.fromarray(pixels).save(path)


def csv_file(folder: Path) -> Path:
    (folder / "t.csv").write_text("filename,class,xmin,ymin,xmax,ymax\na.jpg,dog,4,2,12,7\n")
    return folder / "t.csv"


def shares(folder: Path) -> Path:
    (folder / "t.csv").write_text("image,label,x1,y1,x2,y2\na.jpg,dog,0.2,0.2,0.6,0.7\n")
    return folder / "t.csv"


def coco(folder: Path) -> Path:
    (folder / "t.json").write_text(json.dumps(COCO))
    return folder / "t.json"


def yolo(folder: Path) -> Path:
    (folder / "labels").mkdir()
    (folder / "labels" / "a.txt").write_text("1 0.4 0.45 0.4 0.5\n")
    (folder / "data.yaml").write_text("# a set\nnc: 2\nnames:\n  0: cat\n  1: 'dog'\nother: 3\n")
    return folder / "labels"


def voc(folder: Path) -> Path:
    (folder / "voc").mkdir()
    (folder / "voc" / "a.xml").write_text(VOC)
    return folder / "voc"


def numbered(folder: Path) -> Path:
    mask_png(folder / "masks" / "a.png", 17)
    (folder / "classes.yaml").write_text("classes:\n  0: none\n  17: dog\n")
    return folder / "masks"


def binary(folder: Path) -> Path:
    mask_png(folder / "masks" / "dog" / "a.png", 255)
    return folder / "masks"


@pytest.mark.parametrize("made", [csv_file, shares, coco, yolo, voc, numbered, binary])
def test_every_format_says_the_same(made: object, tmp_path: Path) -> None:
    truth = Truth.of(made(tmp_path))  # type: ignore[operator]
    assert truth.labels("photos/a.jpg") == ("dog",)
    assert truth.labels("b.jpg") == ()
    region = truth.region("photos/a.jpg", "dog", SIZE)
    expected = np.zeros(SIZE, bool)
    expected[2:7, 4:12] = True
    assert np.array_equal(region.mask, expected)
    assert np.allclose(region.boxes, [BOX])
    assert not region.difficult  # alone in its picture
    again = pickle.loads(pickle.dumps(truth))
    assert again.identity == truth.identity == Truth.of(truth.plain()).identity


def test_a_mapping_is_a_truth_and_plain_json(tmp_path: Path) -> None:
    truth = Truth.of({"a": [("dog", BOX), ("cat", (0, 0, 20, 10))]})
    (tmp_path / "t.json").write_text(json.dumps(truth.plain()))
    assert Truth.of(tmp_path / "t.json").identity == truth.identity
    assert truth.region("x/a.jpg", "dog", SIZE).difficult  # 40 of 200 pixels, beside a cat
    assert not truth.region("a", "cat", SIZE).difficult
    assert truth.identity != Truth.of({"a": [("dog", BOX)]}).identity


def test_a_file_name_in_two_folders_is_two_pictures(tmp_path: Path) -> None:
    truth = Truth.of({"one/a.jpg": [("dog", BOX)], "two/a.jpg": [("cat", BOX)]})
    assert (truth.labels("two/a.jpg"), truth.labels("x/one/a.png"), truth.labels("three/a.jpg")) == (
        ("cat",), ("dog",), ()
    )  # fmt: skip
    with pytest.raises(PellucidError, match=r"'one/a.jpg' and 'two/a.jpg' could both be 'a.jpg'"):
        truth.labels("a.jpg")
    rows = [{"f": f"{one}/a.jpg", "cls": "dog", "idx": k} for k, one in enumerate(("one", "two"))]
    pairs = ClassPairs.of(rows)
    assert [pairs.classes(f"{one}/a.jpg", "dog") for one in ("one", "two", "three")] == [(0,), (1,), ()]
    photos = np.zeros((2, 3, 32, 32), np.float32)
    images = ImageSet.of(pl.Images.from_pictures(list(torch.from_numpy(photos)), ("cat/a.png", "dog/a.png")))
    with pytest.raises(PellucidError, match=r"'a.jpg' could be 'cat/a.png' and 'dog/a.png': name images with their"):
        Located(tiny(), images, Truth.of({"a.jpg": [("dog", BOX)]}), None)
    for name in ("labels/train/1.txt", "labels/val/1.txt"):  # folders of their own, beside those of the images
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{int('val' in name)} 0.5 0.5 1 1\n")
    (tmp_path / "classes.txt").write_text("dog\ncat\n")
    files = Truth.of(tmp_path)
    own = {f"images/{one}/1.jpg": f"labels/{one}/1" for one in ("train", "val")}
    assert files.called.one_each([*own, "images/test/2.jpg"]) == own
    only = Called(["labels/train/1"], "labels", folders=True)
    assert only.one_each([*own]) == {"images/train/1.jpg": "labels/train/1"}, "the other has less in common with it"
    assert [files.labels(f"images/{one}/1.jpg") for one in ("train", "val")] == [("dog",), ("cat",)]
    with pytest.raises(PellucidError, match=r"could both be 'images/test/1.jpg'"):
        files.labels("images/test/1.jpg")


def test_difficult_as_a_table_says_it(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("image,label,x1,y1,x2,y2,difficult\na.jpg,dog,4,2,12,7,1\na.jpg,cat,0,0,9,9,0\n")
    truth = Truth.of(tmp_path / "t.csv")
    assert [truth.region("a.jpg", one, SIZE).difficult for one in ("dog", "cat")] == [True, False]


@pytest.mark.parametrize(
    "text", ["names: [cat, 'dog']", 'names:\n  - cat\n  - "dog"  # two', "names: {0: cat, 1: dog}\nnc: 2"]
)
def test_names_of_yolo(text: str, tmp_path: Path) -> None:
    folder = yolo(tmp_path)
    (tmp_path / "data.yaml").write_text(text)
    assert Truth.of(folder).labels("a.png") == ("dog",)


def test_outlines(tmp_path: Path) -> None:
    """A polygon, runs, and runs as COCO packs them: 17 pixels outside, 3 inside, … column by column."""
    corners = (4.0, 2.0, 12.0, 2.0, 12.0, 7.0, 4.0, 7.0)
    polygon = Polygons((corners,)).mask(SIZE)
    assert polygon[2:7, 4:12].all()
    assert polygon.sum() <= 6 * 9  # with the pixels on its edge
    runs = Runs.of([42, 5, *(5, 5) * 7, 83], SIZE)
    expected = np.zeros(SIZE, bool)
    expected[2:7, 4:12] = True
    assert np.array_equal(runs.mask(SIZE), expected)
    assert Runs.of(packed(list(runs.counts)), SIZE) == runs
    outline = {"size": SIZE, "counts": packed(list(runs.counts))}
    document = COCO | {"annotations": [{"image_id": 7, "category_id": 3, "segmentation": outline}]}
    (tmp_path / "t.json").write_text(json.dumps(document))
    assert np.array_equal(Truth.of(tmp_path / "t.json").region("a.jpg", "dog", SIZE).mask, expected)


def packed(counts: list[int]) -> str:
    """The rule of the format, the other way round: six bits a letter, the fifth for more, from 48 on."""
    text = ""
    for i, count in enumerate(counts):
        value, more = count - (counts[i - 2] if i > 2 else 0), True
        while more:
            bits = value & 31
            value >>= 5
            more = value != (-1 if bits & 16 else 0)
            text += chr((bits | 32 if more else bits) + 48)
    return text


def test_boxes_of_a_mask_are_those_of_its_parts(tmp_path: Path) -> None:
    pixels = np.zeros(SIZE, np.uint8)
    pixels[1:3, 1:4] = pixels[6:9, 10:18] = 255
    (tmp_path / "masks").mkdir()
    Image.fromarray(pixels).save(tmp_path / "masks" / "a.png")
    truth = Truth.of(tmp_path / "masks")
    assert truth.labels("a.jpg") == ("",)  # no class: the best guess is asked about
    assert truth.region("a.jpg", "", SIZE).boxes.tolist() == [[1, 1, 4, 3], [10, 6, 18, 9]]


SHORT = {"image_id": 7, "category_id": 3, "segmentation": {"size": [2, 2], "counts": [3]}}
BAD = {
    "no such place": (None, "", "no file or folder .*COCO"),
    "another kind": ("t.md", "x", "says nothing of where things are"),
    "no columns": ("t.csv", "image,label,x1,y1,x2\na,dog,1,1,2\n", "'t.csv' has no column y2"),
    "no box": ("t.csv", "image,label,x1,y1,x2,y2\na,dog,5,1,2,9\n", "'t.csv', line 2: the box 5, 1, 2, 9 has no area"),
    "no number": ("t.csv", "image,label,x1,y1,x2,y2\na,dog,1,1,2,x\n", "line 2: no box in"),
    "infinite": ("t.csv", "image,label,x1,y1,x2,y2\na,dog,1,1,inf,2\n", "line 2: the box 1, 1, inf, 2"),
    "a short row": ("t.csv", "image,label,x1,y1,x2,y2\na,dog,1\n", "line 2 has 3 cells, the first line 6"),
    "an empty table": ("t.csv", "image,label,x1,y1,x2,y2\n", "no rows"),
    "a strange flag": ("t.csv", "image,label,x1,y1,x2,y2,difficult\na,d,1,1,2,2,maybe\n", "neither 0 nor 1"),
    "no JSON": ("t.json", "{", "'t.json' is no JSON"),
    "no COCO": ("t.json", "[]", "is no COCO file"),
    "deep": ("t.json", "[" * 100_000, "is no JSON"),
    "a category of none": ("t.json", json.dumps(COCO | {"categories": []}), "annotation 0 is about no image"),
    "a list without boxes": ("t.json", '{"a.jpg": [["dog", 3]]}', "'t.json', 'a.jpg': no box in .3."),
    "runs of another size": (
        "t.json",
        json.dumps(COCO | {"annotations": [SHORT]}),
        "annotation 0 has a box or an outline that cannot be read: runs of 3 pixels",
    ),
    "YOLO without names": ("x/a.txt", "1 0.4 0.45 0.4 0.5", "numbers of classes and no names"),
    "VOC with entities": ("x/a.xml", '<!DOCTYPE a [<!ENTITY x "y">]><annotation/>', "'a.xml' declares entities"),
    "VOC cut short": ("x/a.xml", "<annotation>", "is no XML"),
    "VOC of something else": ("x/a.xml", "<html/>", "begins with <html>"),
    "VOC without sides": ("x/a.xml", "<annotation><object><name>dog</name></object></annotation>", "object 0: no box"),
    "no mask": ("x/a.png", "not a picture", "the mask 'a.png' cannot be read"),
    "an empty folder": ("x/a.md", "", "the folder .* says nothing"),
}  # fmt: skip


@pytest.mark.parametrize("why", BAD)
def test_what_is_wrong_is_said_in_a_line(why: str, tmp_path: Path) -> None:
    name, text, said = BAD[why]
    path = tmp_path / (name or "none")
    if name:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    with pytest.raises(PellucidError, match=said) as error:
        Truth.of(path if path.parent == tmp_path else path.parent)
    assert "\n" not in str(error.value)


def test_yolo_lines_and_classes_that_are_wrong(tmp_path: Path) -> None:
    folder = yolo(tmp_path)
    for line, said in (("7 0.4 0.4 0.4 0.4", "class 7 has no name"), ("1 0.4 0.4", "has 2 numbers"),
                       ("dog 1 1 1 1", "is not: class x y"), ("1 40 45 40 50", "no shares")):  # fmt: skip
        (folder / "a.txt").write_text(f"1 0.4 0.45 0.4 0.5\n{line}\n")
        with pytest.raises(PellucidError, match=f"'a.txt', line 2.*{said}"):
            Truth.of(folder)


def test_masks_and_boxes_of_another_picture_are_refused(tmp_path: Path) -> None:
    folder = numbered(tmp_path)
    with pytest.raises(PellucidError, match=r"masks, 'a.jpg': the mask 'a.png' is 10 × 20, the picture 9 × 20"):
        Truth.of(folder).region("a.jpg", "dog", (9, 20))
    with pytest.raises(PellucidError, match=r"'a.jpg' is 30 × 20, and t.json is about one of 20 × 10"):
        Truth.of(coco(tmp_path)).region("a.jpg", "dog", (20, 30))
    with pytest.raises(PellucidError, match="lies outside its picture, 3 × 3"):
        Truth.of({"a": [("dog", BOX)]}).region("a", "dog", (3, 3))
    (tmp_path / "classes.yaml").write_text("3: cow")
    with pytest.raises(PellucidError, match=r"'a.png' holds 17, which no class has"):
        Truth.of(folder)


def test_class_pairs(tmp_path: Path) -> None:
    assert ClassPairs.of({"dog": [225, "boxer"], "person": None}).classes("a.jpg", "dog") == (225, "boxer")
    assert ClassPairs.of({"dog": 225, "person": []}).classes("a.jpg", "person") == ()
    rows = [{"f": "a.jpg", "cls": "dog", "idx": 225}, {"f": "b.jpg", "cls": "dog", "idx": 208}]
    (tmp_path / "p.json").write_text(json.dumps(rows))
    pairs = ClassPairs.of(tmp_path / "p.json")
    assert [pairs.classes(f"x/{one}.png", "dog") for one in "abc"] == [(225,), (208,), ()]
    assert ClassPairs.of(ClassPairs.of(rows).plain()).identity == pairs.identity
    for wrong, said in (({"dog": [1.5]}, "no list of names"), ([{"f": "a"}], "row 0: image, label"), ([1], "row 0")):
        with pytest.raises(PellucidError, match=said):
            ClassPairs.of(wrong)
