"""Trees that repeat a network: what they say of themselves is so."""

from __future__ import annotations

import numpy as np
import pytest

import pellucid as pl
from pellucid.errors import PellucidError, Refused, UnknownName
from pellucid.result import DecisionTree
from pellucid.surrogates.mirrored import Mirrored
from tests.draw.test_pictures import assert_tidy
from tests.methods.proxies.made import index
from tests.test_every_method import indexed, tiny


@pytest.mark.slow
def test_of_groups_the_probability_is_that_of_all_classes_of_the_group() -> None:
    mirrored = Mirrored.of(index(), groups=3)
    judged = mirrored.both(lambda rows: np.full(len(mirrored.outside), 0))
    table, rows = judged.parted()
    p = np.exp(mirrored.examples.logits[rows])
    p /= p.sum(1, keepdims=True)
    assert mirrored.groups is not None
    wanted = [
        sum(p[i, k] for k in range(10) if mirrored.groups[k] == mirrored.answers[row]) for i, row in enumerate(rows)
    ]
    assert np.allclose(table["p"], wanted[: len(table)])
    assert list(table["p"]) == sorted(table["p"], reverse=True)


@pytest.fixture(scope="module")
def tree() -> DecisionTree:
    return pl.proxies.tree(index(), leaves=12)


def holds(question: str, row: np.ndarray) -> bool:
    """Of one test in words."""
    unit, threshold = question.split(" > ")
    return bool(row[int(unit.split(":")[1])] > float(threshold))


def test_what_it_says_is_what_its_questions_say(tree: DecisionTree) -> None:
    """Gone through in words, as a person would: thresholds are written with three digits, so a few may differ."""
    mirrored = Mirrored.of(index())
    right, ends = 0, np.zeros(len(tree))
    for i in mirrored.outside.tolist():
        node = 0
        while tree.questions[node]:
            yes = holds(tree.questions[node], mirrored.features[i])
            node = next(k for k in tree.children(node) if tree.sides[k] == ("yes" if yes else "no"))
        ends[node] += 1
        right += tree.answers[node] == mirrored.names[mirrored.answers[i]]
    fidelity = tree["scores"]["fidelity"][0]
    assert right / len(mirrored.outside) == pytest.approx(fidelity, abs=0.02)
    assert np.abs(ends / len(mirrored.outside) - tree.shares)[list(tree.leaves)].max() < 0.03


def test_it_is_judged_on_images_that_it_has_not_seen(tree: DecisionTree) -> None:
    mirrored = Mirrored.of(index())
    assert not set(mirrored.inside) & set(mirrored.outside)
    assert len(mirrored.inside) + len(mirrored.outside) == 240
    assert abs(len(mirrored.inside) - 120) <= 1
    scores = {row["proxy"]: row for row in tree["scores"].rows}
    assert scores["tree"]["size"] == len(tree.leaves) == 12
    assert 0.5 < scores["tree"]["fidelity"] < scores["linear, same units"]["fidelity"] < 1
    assert scores["tree"]["fidelity"] == pytest.approx(np.nansum((tree.shares * tree.agreement)[list(tree.leaves)]))
    assert scores["network"]["accuracy"] > 0.85
    assert 0 < scores["tree"]["stability"] < 1


def test_images_that_part_are_named_with_both_answers(tree: DecisionTree) -> None:
    mirrored, rows = Mirrored.of(index()), tree["parted"].rows
    assert len(rows) == round((1 - tree["scores"]["fidelity"][0]) * len(mirrored.outside))
    place = {name: i for i, name in enumerate(mirrored.examples.names)}
    for row in rows:
        assert row["network"] == mirrored.names[mirrored.answers[place[row["image"]]]] != row["proxy"]
        assert row["label"] == mirrored.names[mirrored.labels[place[row["image"]]]]
    p = [row["p"] for row in rows]
    assert p == sorted(p, reverse=True)
    assert [one.image for one in tree.parted] == [row["image"] for row in rows[: len(tree.parted)]]


def test_pictures_are_what_the_unit_is_most_excited_by(tree: DecisionTree) -> None:
    opened = index()
    layer, channel = tree.questions[0].split(" > ")[0].split(":")
    top = opened[layer].top(int(channel), 3)
    wanted = opened.thumbnails(top.images, 96)
    assert np.abs(tree.pictures[tree.shown[0]].astype(int) - wanted).mean() < 5


def test_a_deeper_layer_and_queries(tree: DecisionTree) -> None:
    early = pl.proxies.tree(index(), layer="features.1", leaves=12)
    assert early["scores"]["fidelity"][0] < tree["scores"]["fidelity"][0]
    assert early.questions[0].startswith("features.1:")
    asked = pl.proxies.tree(index(), leaves=6, queries=200)
    assert asked["scores"]["proxy"][0] == "TREPAN"
    assert len(asked.leaves) <= 6
    assert_tidy(pl.draw(asked))
    with pytest.raises(Refused, match=r"queries=200.*relu"):
        pl.proxies.tree(index(), layer="features.1", queries=200)


def test_classes_are_joined_into_groups() -> None:
    found = pl.proxies.tree(index(), groups=3, leaves=4)
    assert len(set(found["parted"]["network"])) <= 3
    assert any("more" in name for name in found.answers)


def test_the_picture_is_tidy(tree: DecisionTree) -> None:
    picture = pl.draw(tree)
    assert_tidy(picture)
    assert_tidy(pl.draw(tree, dark=True))
    said = " ".join(mark.text for mark in picture.sheet.marks if hasattr(mark, "text"))
    assert tree.questions[0] in said
    assert "Where it and the network part" in said
    with pytest.raises(PellucidError, match="without over="):
        pl.draw(tree, over=1)


def test_ways_are_told(tree: DecisionTree) -> None:
    leaf = tree.leaves[0]
    assert tree.way(leaf)[0] in (f"{tree.questions[0]}: yes", f"{tree.questions[0]}: no")
    assert tree.way(0) == ()
    with pytest.raises(KeyError, match="scores"):
        tree["score"]


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(PellucidError, match=r"not embedded, but block, relu.*--embed stem"):
        pl.proxies.tree(indexed(tiny()), layer="stem")


def test_a_network_of_one_answer_is_a_leaf() -> None:
    found = pl.proxies.tree(indexed(tiny()))
    assert found.answers == ("cow",)
    assert found["scores"]["fidelity"][0] == 1
    assert any("'cow' of all images" in str(note) for note in found.meta.notes)
    assert_tidy(pl.draw(found))
    with pytest.raises(UnknownName, match="relux"):
        pl.proxies.tree(index(), layer="relux")
    with pytest.raises(PellucidError, match="groups=11"):
        pl.proxies.tree(index(), groups=11)
