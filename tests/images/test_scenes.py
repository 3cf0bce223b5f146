"""Generated scenes: what the sentence says is there, where the masks say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import pellucid as pl
from pellucid.errors import BadImage, PellucidError
from pellucid.images.concepts import Concepts
from pellucid.images.scenes import COLORS, scene
from pellucid.images.sources import Source
from pellucid.images.sources.scenes import Scenes


def test_the_sentence_is_true_of_the_pixels() -> None:
    for number in range(60):
        one = scene(number, 3)
        assert not (one.masks[0] & one.masks[1]).any()
        middles = []
        for mask, color, shape in zip(one.masks, one.colors, one.shapes, strict=True):
            mean = one.pixels[mask].mean(0) / 255
            assert min(COLORS, key=lambda name: float(np.abs(np.array(COLORS[name]) - mean).sum())) == color
            rows, columns = np.nonzero(mask)
            middles.append((rows.mean(), columns.mean()))
            box = (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
            low, high = {"square": (1.0, 1.0), "circle": (0.6, 0.9), "triangle": (0.4, 0.7)}[shape]
            assert low <= mask.sum() / box <= high
        down, across = (b - a for a, b in zip(*middles, strict=True))
        assert (across if one.relation == "left" else down) > 12
        assert len({*one.colors}) == len({*one.shapes}) == 2
        assert one.words[:3] == ("a", one.colors[0], one.shapes[0])
        assert one.sentence.endswith(f"of a {one.colors[1]} {one.shapes[1]}")


def test_a_scene_depends_on_its_number_and_seed_alone() -> None:
    assert np.array_equal(scene(5, 1).pixels, scene(5, 1).pixels)
    assert not np.array_equal(scene(5, 1).pixels, scene(5, 2).pixels)
    (read,) = pl.read("scene:5,1").originals
    assert torch.equal(read, torch.from_numpy(scene(5, 1).pixels).permute(2, 0, 1))
    assert pl.read("scene:5,1").ids == ("scene:5,1",)
    with pytest.raises(BadImage, match=r"scene:NUMBER"):
        pl.read("scene:red")


def test_scenes_are_a_source() -> None:
    found = Source.of("scenes:4,9")
    assert isinstance(found, Scenes)
    assert (len(found), len(Source.of("scenes"))) == (4, 60)
    one = found.scene(2)
    assert found.classes[found.label(2) or 0] == f"{one.colors[0]} {one.shapes[0]}"
    assert torch.equal(found.read(2).pictures[0], torch.from_numpy(one.pixels).permute(2, 0, 1))
    with pytest.raises(BadImage, match="scenes:COUNT"):
        Source.of("scenes:0")


def test_written_scenes_are_concepts_and_a_table_of_sentences(tmp_path: Path) -> None:
    found = Scenes("3")
    folder = found.write(tmp_path)
    concepts = Concepts.of(folder)
    mask = concepts.mask(1, concepts.read(1).views[0])
    assert np.array_equal(mask > 0, found.scene(1).masks.any(0))
    named = {concepts.names[int(number)] for number in np.unique(mask[mask > 0])}
    assert named == {" ".join(pair) for pair in zip(found.scene(1).colors, found.scene(1).shapes, strict=True)}
    rows = (folder / "captions.csv").read_text().splitlines()
    assert rows[0] == "image,sentence"
    assert rows[2] == f"images/000001.png,{found.scene(1).sentence}"
    with pytest.raises(PellucidError, match="no such folder"):
        found.write(tmp_path / "absent")
