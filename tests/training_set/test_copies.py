"""Copies: what was done to a picture is found again, distinct pictures are left alone, groups are chains of pairs."""

from __future__ import annotations

import re

import numpy as np
import pytest
from PIL import Image

from pellucid.training_set.alignment import SIDE, aligned, fingerprints
from pellucid.training_set.copies import Pairs, candidates, copies, groups


def pictures(count: int, side: int = 96, seed: int = 0) -> np.ndarray:
    """Distinct pictures: smooth patches of color under finer ones."""
    chance = np.random.default_rng(seed)
    found = np.zeros((count, side, side, 3))
    for cells, share in ((4, 0.5), (9, 0.3), (24, 0.2)):
        coarse = (chance.random((count, cells, cells, 3)) * 255).astype(np.uint8)
        large = [np.asarray(Image.fromarray(one).resize((side, side), Image.Resampling.BICUBIC)) for one in coarse]
        found += share * np.stack(large)
    return found.astype(np.uint8)


def small(large: np.ndarray) -> np.ndarray:
    return np.stack([np.asarray(Image.fromarray(one).resize((SIDE, SIDE), Image.Resampling.BOX)) for one in large])


def cropped(large: np.ndarray, share: float) -> np.ndarray:
    """The upper left part, brought back to the size."""
    side, cut = large.shape[1], round(share * large.shape[1])
    return np.stack([np.asarray(Image.fromarray(one[:cut, :cut]).resize((side, side))) for one in large])


ONES = pictures(12)
WAYS = {
    "as it is": (ONES, "encoded anew"),
    "mirrored": (ONES[:, :, ::-1], "mirrored"),
    "cropped": (cropped(ONES, 0.95), "cropped to 95 %"),
    "both": (cropped(ONES[:, :, ::-1], 0.9), "mirrored, cropped to 90 %"),
}


@pytest.mark.parametrize("way", WAYS)
def test_what_was_done_is_found_again(way: str) -> None:
    changed, said = WAYS[way]
    found = aligned(small(ONES), small(np.ascontiguousarray(changed)))
    assert (found.rms < 0.03).all()
    assert (found.correlation > 0.95).all()
    assert (found.mirrored == ("mirrored" in said)).all()
    both = np.concatenate([small(ONES), small(np.ascontiguousarray(changed))])
    pairs = copies(both, np.array([[i, i + 12] for i in range(12)]), np.zeros(24, np.uint64))
    assert [tuple(one) for one in pairs.rows] == [(i, i + 12) for i in range(12)]
    assert all(_near(one, said) for one in pairs.how), pairs.how
    again = aligned(small(np.ascontiguousarray(changed)), small(ONES))
    assert (again.rms < 0.04).all(), "a crop is found from either side"


def _near(one: str, said: str) -> bool:
    """The same words, and percentages within one."""
    numbers = [int(found[0]) if (found := re.findall(r"\d+", text)) else 0 for text in (one, said)]
    return re.sub(r"\d+", "", one) == re.sub(r"\d+", "", said) and abs(numbers[0] - numbers[1]) <= 1


@pytest.mark.slow
def test_the_alignment_agrees_with_a_search() -> None:
    """In float64, over all zooms and shifts of a grid, one pixel after another."""
    first, second = small(ONES)[:2].astype(float) / 255, small(cropped(ONES, 0.95))[:2].astype(float) / 255
    found = aligned((first * 255).astype(np.uint8), (second * 255).astype(np.uint8))
    for p in range(2):
        least = min(
            _off(first[p], second[p], zoom, down, right)
            for zoom in (1.0, 1.025, 1.05, 1.075)
            for down in (0.0, 0.025, 0.05, 0.075)
            for right in (0.0, 0.025, 0.05, 0.075)
        )
        assert found.rms[p] <= least + 1e-3


def _off(a: np.ndarray, b: np.ndarray, zoom: float, down: float, right: float) -> float:
    """The root mean square difference of blurred pictures, b moved; where b has no pixel nothing is compared."""
    a, b = (_blurred(one) for one in (a, b))
    total, count = 0.0, 0
    for y in range(SIDE):
        for x in range(SIDE):
            at = [((zoom * ((k + 0.5) * 2 / SIDE - 1) + off + 1) * SIDE - 1) / 2 for k, off in ((y, down), (x, right))]
            if not all(-0.5 <= one <= SIDE - 0.5 for one in at):
                continue
            low = [int(np.clip(np.floor(one), 0, SIDE - 2)) for one in at]
            part = [float(np.clip(one - base, 0, 1)) for one, base in zip(at, low, strict=True)]
            block = b[low[0] : low[0] + 2, low[1] : low[1] + 2]
            value = sum(
                block[i, j] * (part[0] if i else 1 - part[0]) * (part[1] if j else 1 - part[1])
                for i in range(2)
                for j in range(2)
            )
            total, count = total + float(((a[y, x] - value) ** 2).sum()), count + 3
    return float(np.sqrt(total / count))


def _blurred(one: np.ndarray) -> np.ndarray:
    wide = np.pad(one, ((1, 1), (1, 1), (0, 0)), mode="edge")
    wide = (wide[:-2] + 2 * wide[1:-1] + wide[2:]) / 4
    return (wide[:, :-2] + 2 * wide[:, 1:-1] + wide[:, 2:]) / 4


def test_distinct_pictures_and_flat_ones_are_no_copies() -> None:
    flat = np.full((2, SIDE, SIDE, 3), 200, np.uint8)
    flat[1] += 2
    every = np.concatenate([small(ONES), flat])
    rows = np.array([(i, j) for i in range(14) for j in range(i + 1, 14)])
    assert len(copies(every, rows, np.zeros(14, np.uint64))) == 0
    assert (fingerprints(flat)[0] == 0).all()


def test_the_same_bytes_are_copies_whatever_they_show() -> None:
    hashes = np.array([7, 0, 7, 5, 0, 7], np.uint64)
    found = copies(small(ONES[:6]), np.zeros((0, 2), np.int64), hashes)
    assert found.rows.tolist() == [[0, 2], [0, 5]], "0 says that the bytes are not known"
    assert found.how == ("the same file",) * 2


def test_the_same_pixels_are_told_when_images_are_read() -> None:
    two = np.concatenate([small(ONES[:2]), small(ONES[:2])])
    asked = []

    def same(i: int, j: int) -> bool:
        asked.append((i, j))
        return i == 0

    found = copies(two, np.array([[0, 2], [1, 3], [0, 1]]), np.zeros(4, np.uint64), same)
    assert asked == [(0, 2), (1, 3)]
    assert found.how == ("the same pixels", "encoded anew")


def test_candidates_are_those_of_all_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pellucid.training_set.copies._BLOCK", 40)
    some = small(np.concatenate([ONES, ONES[:4, :, ::-1], cropped(ONES[4:6], 0.97)]))
    prints, mirrors = fingerprints(some)
    wanted = {
        (i, j)
        for i in range(len(some))
        for j in range(i + 1, len(some))
        if max(float(prints[i] @ prints[j]), float(prints[i] @ mirrors[j])) >= 0.8
    }
    found = candidates(np.zeros((0, 2), np.int64), prints, mirrors)
    assert {tuple(one) for one in found.tolist()} == wanted
    assert wanted >= {(0, 12), (3, 15), (4, 16), (5, 17)}


def test_groups_are_chains() -> None:
    pairs = Pairs(
        np.array([[0, 3], [3, 8], [1, 2]]), np.array([0.01, 0.02, 0.0]), ("mirrored", "moved", "the same file")
    )
    one, two = groups(pairs)
    assert (one.members, one.rms, one.how) == ((0, 3, 8), 0.02, ("mirrored", "moved"))
    assert two.members == (1, 2)
    assert groups(Pairs(np.zeros((0, 2), np.int64), np.zeros(0), ())) == ()
