"""On real photos: the embedded network finds what people have drawn boxes around, and files of that kind are read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import pellucid as pl
from pellucid.cli import main
from pellucid.image_set import ImageSet


def test_masks_of_coco_and_the_boxes_around_them(shared: Callable[[str], Path], tmp_path: Path) -> None:
    """The boxes of one file lie on the masks of another, to a pixel or two (both were drawn by people)."""
    place = shared("data/coco128-train")
    masks = pl.localization.Truth.of(place / "masks")
    (tmp_path / "boxes").mkdir()
    lines = (place / "boxes" / "000000000034.txt").read_text().split()
    assert lines[0] == "22"  # the zebra, in the order of YOLO's classes
    (tmp_path / "boxes" / "000000000034.txt").write_text(" ".join(["0", *lines[1:5]]))
    (tmp_path / "boxes" / "classes.txt").write_text("zebra\n")
    boxes = pl.localization.Truth.of(tmp_path / "boxes")
    size = tuple(pl.read(place / "images" / "000000000034.jpg").pictures[0].shape[1:])
    both = [truth.region("000000000034.jpg", "zebra", size) for truth in (masks, boxes)]
    assert np.allclose(both[0].boxes, both[1].boxes, atol=2)
    assert both[0].mask[both[1].mask].mean() > 0.4
    assert not both[0].mask[~both[1].mask].any()


@pytest.mark.slow
def test_in_the_shell_as_in_python(
    shared: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`pellucid localise photos/ --boxes …`, in British spelling, and the chapter's own commands."""
    place = shared("data/coco128-train")
    for i in (34, 36):
        (tmp_path / f"{i:012}.jpg").write_bytes((place / "images" / f"{i:012}.jpg").read_bytes())
    words = ["--classes", str(place / "imagenet_pairs.json"), "--methods", "grad_cam,gradient", "--quiet"]
    out = tmp_path / "found.npz"
    assert main(["localise", str(tmp_path), "--boxes", str(place / "masks"), *words, "--out", str(out)]) == 0
    found = pl.open(out)
    again = pl.localization.localize(
        "bundled", ImageSet.of(tmp_path), boxes=place / "masks", classes=place / "imagenet_pairs.json",
        of="grad_cam,gradient",
    )  # fmt: skip
    assert found.tables["pointing"].rows == again.tables["pointing"].rows
    best = found.tables["energy"].rows[0]
    assert best["method"] == "grad_cam"
    assert best["energy"] > 1.3 * found.meta.found["chance"][1]
    capsys.readouterr()
    words = [*words, "--truth", str(place / "masks"), "--json"]
    assert main(["localisation", "energy", str(tmp_path), *words]) == 0
    assert '"grad_cam"' in capsys.readouterr().out
