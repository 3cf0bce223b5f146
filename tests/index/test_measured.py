"""Rows that are measured on a finished index, and kept with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

import pellucid as pl
from pellucid.index import Index
from pellucid.index.measured import Block, measured
from pellucid.training_set import descriptors
from pellucid.training_set.descriptors import descriptors_of
from tests.test_every_method import tiny

Measure = Callable[[list[int], Sequence[str]], Block]


@pytest.fixture
def index(tmp_path: Path) -> Index:
    pixels = np.random.default_rng(2).integers(0, 256, (10, 12, 12, 3), np.uint8)
    np.savez(tmp_path / "x.npz", images=pixels, labels=np.arange(10) % 2)
    pl.units.index(tiny(), tmp_path / "x.npz", store=tmp_path / "x.index", count=4)
    return again(tmp_path)


def again(folder: Path) -> Index:
    return Index.of(str(folder / "x.index")).with_net(tiny())


def counted(asked: list[tuple[list[int], tuple[str, ...]]], lost: Sequence[int] = ()) -> Measure:
    def measure(images: list[int], names: Sequence[str]) -> Block:
        asked.append((images, tuple(names)))
        there = [i for i in images if i not in lost]
        rows = {name: np.array([[i, ord(name), 0.5] for i in there], np.float32).reshape(-1, 3) for name in names}
        return np.array(there, np.int64), rows

    return measure


def test_each_block_is_measured_once(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pellucid.index.measured.BLOCK", 4)
    asked: list[tuple[list[int], tuple[str, ...]]] = []
    first = next(measured(index, {"a": 3}, counted(asked), "blocks"))  # and stopped there
    assert first[0].tolist() == [0, 1, 2, 3]
    found = list(measured(again(tmp_path), {"a": 3, "b": 3}, counted(asked), "blocks"))
    assert asked == [([0, 1, 2, 3], ("a",)), ([0, 1, 2, 3], ("b",)), ([4, 5, 6, 7], ("a", "b")), ([8, 9], ("a", "b"))]
    assert np.concatenate([one for one, _ in found]).tolist() == list(range(10))
    assert np.array_equal(np.concatenate([rows["b"] for _, rows in found])[:, :2], [[i, ord("b")] for i in range(10)])
    asked.clear()
    list(measured(again(tmp_path), {"a": 3, "b": 3}, counted(asked), "blocks"))
    assert not asked


def test_a_block_with_a_lost_image_is_not_kept(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pellucid.index.measured.BLOCK", 5)
    asked: list[tuple[list[int], tuple[str, ...]]] = []
    list(measured(index, {"a": 3}, counted(asked), "blocks"))
    found = list(measured(index, {"a": 3, "b": 3}, counted(asked, lost=[7]), "blocks"))
    assert [one.tolist() for one, _ in found] == [[0, 1, 2, 3, 4], [5, 6, 8, 9]]
    assert found[1][1]["a"][:, 0].tolist() == [5, 6, 8, 9]  # those that were kept, without the lost one
    asked.clear()
    list(measured(index, {"b": 3}, counted(asked), "blocks"))
    assert asked == [([5, 6, 7, 8, 9], ("b",))]


def test_what_is_damaged_or_another_is_measured_again(index: Index, tmp_path: Path) -> None:
    asked: list[tuple[list[int], tuple[str, ...]]] = []
    list(measured(index, {"a": 3}, counted(asked), "blocks"))
    path = tmp_path / "x.index" / "measured" / "a-000000.npz"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    list(measured(index, {"a": 3}, counted(asked), "blocks"))
    list(measured(index, {"a": 4}, counted(asked), "blocks"))  # as wide as no row that is kept
    assert len(asked) == 3
    assert not index.store.check()  # they are no part of the index


def test_descriptors_are_computed_once_for_an_index(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds: tuple[descriptors.Descriptor, ...] = ("hog", "lbp", "colors", "pixels")
    first = descriptors_of(index, kinds)
    monkeypatch.setattr(descriptors, "_measured", lambda *some: pytest.fail("they are computed again"))
    second = descriptors_of(again(tmp_path), kinds)
    for kind in kinds:
        assert np.array_equal(first[kind].values, second[kind].values)
        assert np.array_equal(first[kind].images, second[kind].images)
