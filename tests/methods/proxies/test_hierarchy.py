"""The hierarchy of classes over an index: every image is decided by itself, and the tables say what the tree does."""

from __future__ import annotations

import numpy as np
import pytest

import pellucid as pl
from pellucid.errors import PellucidError, UnknownName
from pellucid.result import DecisionTree
from pellucid.surrogates.joined import Joined
from pellucid.training_set.examples import examples_of
from tests.draw.test_pictures import assert_tidy
from tests.methods.proxies.made import index


@pytest.fixture(scope="module")
def found() -> DecisionTree:
    return pl.proxies.hierarchy(index(), image="7")


@pytest.mark.slow
def test_every_image_has_its_own_decision(found: DecisionTree) -> None:
    examples = examples_of(index())
    joined = Joined.of(examples.weight, examples.bias)
    table = found["images"]
    for i in range(0, 240, 17):
        soft = joined.soft(examples.logits[[i]])[0]
        assert table["soft"][i] == examples.classes[int(soft.argmax())]
        assert table["p"][i] == pytest.approx(float(soft.max()))
        assert table["hard"][i] == examples.classes[int(joined.hard(examples.logits[[i]])[0])]
    rows = {row["proxy"]: row for row in found["scores"].rows}
    assert rows["soft tree"]["fidelity"] == np.mean(
        [a == b for a, b in zip(table["soft"], table["network"], strict=True)]
    )
    assert rows["soft tree"]["fidelity"] > 0.6


def test_the_tree_is_whole_and_the_image_comes_through_it(found: DecisionTree) -> None:
    assert len(found) == 19
    assert len(found.leaves) == 10
    assert found.walk is not None
    assert found.walk[0] == 1
    assert found.walk[list(found.leaves)].sum() == pytest.approx(1, abs=1e-12)
    for m in range(19):
        if children := found.children(m):
            assert len(children) == 2
            assert found.walk[list(children)].sum() == pytest.approx(found.walk[m], abs=1e-12)
            assert found.shares[list(children)].sum() == pytest.approx(found.shares[m])
            assert found.heights is not None
            assert all(found.heights[k] <= found.heights[m] for k in children)
    leaf = found.leaves[int(found.walk[list(found.leaves)].argmax())]
    assert found.answers[leaf] == found["images"]["soft"][7]
    assert found.walked == found["images"]["image"][7]


def test_nodes_follow_the_network_or_do_not(found: DecisionTree) -> None:
    examples = examples_of(index())
    root = found["nodes"].rows[0]
    joined = Joined.of(examples.weight, examples.bias)
    one, other = (joined.below[k] for k in joined.children(joined.root))
    first = examples.logits[:, one].mean(1) >= examples.logits[:, other].mean(1)
    assert root["images"] == 240
    assert root["follows"] == (first == np.isin(examples.answers, one)).mean()
    assert [row["height"] for row in found["nodes"].rows] == sorted(
        (r["height"] for r in found["nodes"].rows), reverse=True
    )


def test_an_image_is_named(found: DecisionTree) -> None:
    by_number = pl.proxies.hierarchy(index(), image=found.walked)
    assert np.array_equal(by_number.walk, found.walk)
    surest = pl.proxies.hierarchy(index())
    assert surest.walked == surest.parted[0].image
    with pytest.raises(UnknownName, match="image of the index 'nobody'"):
        pl.proxies.hierarchy(index(), image="nobody")


def test_the_picture_is_tidy(found: DecisionTree, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = pl.draw(found)
    assert_tidy(picture)
    said = [mark.text for mark in picture.sheet.marks if hasattr(mark, "text")]
    assert all(found.answers[leaf] in said for leaf in found.leaves)
    assert_tidy(pl.draw(found, dark=True))
    monkeypatch.setattr("pellucid.draw.decision_tree._MOST", 4)
    folded = pl.draw(found)
    assert_tidy(folded)
    told = " ".join(mark.text for mark in folded.sheet.marks if hasattr(mark, "text"))
    assert "of 10 leaves are drawn" in told
    leaf = found.leaves[int(found.walk[list(found.leaves)].argmax())]  # type: ignore[index]
    assert found.answers[leaf] in told  # the way of the image is not folded
    with pytest.raises(PellucidError, match="without over="):
        pl.draw(found, over=1)
