"""Decision trees are drawn whole or folded, with every question and where the proxy and the network part."""

from __future__ import annotations

import numpy as np
import pytest

import pellucid as pl
from pellucid.draw.branches import branches_of
from pellucid.result import DecisionTree, Meta, Parting
from tests.draw.test_pictures import assert_tidy


def chain(leaves: int) -> DecisionTree:
    """A tree whose every "no" asks on; each leaf takes half of what comes."""
    count = 2 * leaves - 1
    parents = np.array([-1, *(2 * (m // 2) for m in range(count - 1))])
    inside = {int(p) for p in parents}
    ask = [m in inside for m in range(count)]
    shares = np.array([0.5 ** (m // 2) if ask[m] else 0.5 ** (m // 2 + 1) for m in range(count)])
    chance = np.random.default_rng(0)
    return DecisionTree(
        parents,
        ("", *(("yes", "no")[(m - 1) % 2] for m in range(1, count))),
        tuple(f"relu:{m} > 0.5" if ask[m] else "" for m in range(count)),
        tuple(("cat", "dog")[m % 2] for m in range(count)),
        shares,
        np.where(shares > 0.1, 0.75, np.nan),
        chance.integers(0, 255, (6, 12, 12, 3), np.uint8),
        np.tile([0, 1, -1], (count, 1)),
        parted=(Parting("a.png", "cat", "dog", "cat", 4), Parting("b.png", "dog", "cat", None, 5)),
        findings=("a tree",),
        meta=Meta(title="Decision tree"),
    )


@pytest.mark.parametrize("dark", [False, True])
def test_questions_leaves_and_partings_are_told(dark: bool) -> None:
    picture = pl.draw(chain(5), dark=dark)
    assert_tidy(picture)
    said = [mark.text for mark in picture.sheet.marks if hasattr(mark, "text")]
    assert sum(text.startswith("relu:") for text in said) == 4
    for text in ("network: cat", "proxy: dog", "label: cat", "Where it and the network part"):
        assert text in said
    assert not any("folded" in text for text in said)


def test_a_large_tree_is_folded_where_few_images_come() -> None:
    result = chain(40)
    tree = branches_of(result, 24)
    assert tree.folded
    assert len(tree.leaves) == 24
    assert max(result.shares[list(tree.leaves)]) == 0.5
    assert result.shares[list(tree.inner)].min() >= max(
        result.shares[m] for m in tree.leaves if result.questions[m]
    )  # what is open holds more than what is folded
    assert sorted(set(tree.depth) - set(tree.inner)) == sorted(tree.leaves)
    small = branches_of(result, 3)
    assert len(small.leaves) == 3
    assert len(branches_of(chain(1), 3).leaves) == 1


def test_yes_stands_above_no() -> None:
    result = chain(3)
    tree = branches_of(result, 24)
    for m in tree.inner:
        assert [result.sides[k] for k in tree.children[m]] == ["yes", "no"]
