"""No figure of quality, localization or bias depends on how many images run at once, on their order, on who works."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import pellucid as pl
from pellucid.catalogue import Entry, entries
from pellucid.data import Data
from pellucid.image_set import ImageSet
from pellucid.images import Images
from pellucid.net import Net
from pellucid.result import Review, Study
from tests.test_every_method import QUICK, fitting, in_lane, tiny

SOME, MANY = (3, 5, 0, 4, 1, 2), (3, 7, 10, 0, 5, 11, 1, 9, 6, 2, 8, 4)
"""Another order of six images, and of twelve: three classes need more."""
THINGS = {
    f"photo {i}": [(("cat", "dog", "cow")[k % 3], (4 + i, 2, 20, 14 + i)) for k in (i, i + 1)] for i in range(len(SOME))
}
"""Two classes in each image."""
SAID: dict[str, dict[str, Any]] = {
    "groups": {"groups": {f"photo {i}": ("day", "night")[i // 3 % 2] for i in range(len(MANY))}, "min_images": 2},
    "localize": {"boxes": THINGS},
    "report": {"planted": False, "boxes": THINGS},
} | {name: {"truth": THINGS} for name in ("box_accuracy", "energy", "pixels", "pointing")}
"""Options besides those of `QUICK`: what is said of the images goes by their names."""
CHAPTERS = [one for one in entries() if one.chapter in ("quality", "localization", "bias")]
FIRST = {"deletion", "clusters", "grid_pointing"}
"""One of each chapter; the slow lane asks all."""
REST = {one.name for one in CHAPTERS} - FIRST
every = pytest.mark.parametrize("entry", in_lane(CHAPTERS, REST))
shown = pytest.mark.parametrize(
    "entry", in_lane((one for one in CHAPTERS if one.asks(ImageSet) or one.asks(Data)), REST)
)


def photos(order: Sequence[int]) -> Images:
    """Images in this order; each keeps its name."""
    generator = torch.Generator().manual_seed(1)
    values = torch.rand(len(order), 3, 8, 8, dtype=torch.float64, generator=generator)
    values = values.repeat_interleave(4, 2).repeat_interleave(4, 3)
    return Images.from_pictures([values[i] for i in order], [f"photo {i}" for i in order])


def asked(entry: Entry, turned: bool = False) -> Study | Review:
    order = MANY if entry.asks(Data) else SOME
    images = photos(order if turned else sorted(order))
    labels = [int(name.removeprefix("photo ")) % 3 for name in images.ids]
    given = entry.placed({Net: fitting(entry, tiny()), ImageSet: images, Data: Data.of((images, labels))})
    found = entry.function(**given, **QUICK[entry.name] | SAID.get(entry.name, {}))
    assert isinstance(found, (Study, Review))
    return found


@functools.cache
def answer(entry: Entry) -> Study | Review:
    return asked(entry)


def figures(found: Study | Review) -> list[tuple[str, list[float]]]:
    """Every figure with what it is of, sorted by that: rows of a table by what they say in words, since equals stand in
    the order in which they came.
    """
    each: list[tuple[str, list[float]]] = []
    if isinstance(found, Review):
        for one, mean in zip(found.clusters, found.means, strict=True):
            each.append((f"{one.label}: {sorted(one.members)}", [one.share, one.oddness, *mean.ravel()]))
        each += [(f"map of {name}", heat.ravel().tolist()) for name, heat in zip(found.names, found.maps, strict=True)]
        return sorted(each)
    for name, table in found.tables.items():
        for row in table.rows:
            words = sorted(word for cell in row.values() if isinstance(cell, str) for word in cell.split(", "))
            numbers = [v for v in row.values() if isinstance(v, (int, float)) and not isinstance(v, bool)]
            each.append((f"{name}: {words}", [float(v) for v in numbers]))
    for name, curve in found.curves.items():
        each += [(f"{name}: {one.name}", one.values.tolist()) for one in curve.lines]
    for name, grid in found.grids.items():
        each += [(f"{name}: {row}", one.tolist()) for row, one in zip(grid.rows, grid.values, strict=True)]
    return sorted(each)


def same(one: Study | Review, other: Study | Review) -> None:
    first, second = figures(one), figures(other)
    assert [name for name, _ in first] == [name for name, _ in second]
    assert sum(len(values) for _, values in first) > 3
    for (name, values), (_, others) in zip(first, second, strict=True):
        assert len(values) == len(others), name
        assert np.allclose(values, others, rtol=1e-6, atol=1e-9, equal_nan=True), (name, values, others)


@every
def test_no_figure_depends_on_how_many_images_run_at_once(entry: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pellucid.net.MEMORY", 1)
    same(answer(entry), asked(entry))


@shown
def test_no_figure_depends_on_the_order_of_the_images(entry: Entry) -> None:
    same(answer(entry), asked(entry, turned=True))


def test_a_figure_that_differs_is_found() -> None:
    one, other = (pl.quality.deletion(tiny(), photos([0, 1]), of="gradient", steps=k) for k in (4, 5))
    with pytest.raises(AssertionError):
        same(one, other)


@pytest.mark.slow  # two processes for each
@pytest.mark.parametrize("name", ["deletion", "regions"])
def test_no_figure_depends_on_who_works(name: str, tmp_path: Path) -> None:
    """To the last bit: workers have one thread each, and so has who is compared with them."""
    (entry,) = (one for one in CHAPTERS if one.name == name)
    (folder := tmp_path / "photos").mkdir()
    rows = ["image,label,x1,y1,x2,y2"]
    for k, one in enumerate(photos(range(6)).pictures):
        (folder / str(k % 3)).mkdir(exist_ok=True)
        Image.fromarray((one * 255).byte().permute(1, 2, 0).numpy()).save(folder / str(k % 3) / f"{k}.png")
        rows.append(f"{k % 3}/{k}.png,{k % 3},4,2,20,{14 + k}")
    (things := tmp_path / "things.csv").write_text("\n".join(rows))
    options = QUICK[name] | ({"truth": str(things)} if "truth" in QUICK[name] else {})
    given = entry.placed({Net: "bundled", ImageSet: str(folder), Data: str(folder)})
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        alone = entry.function(**given, **options)
    finally:
        torch.set_num_threads(threads)
    with pl.spread(2):
        assert figures(entry.function(**given, **options)) == figures(alone)
