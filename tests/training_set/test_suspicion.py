"""Scores of suspicion: each turned so that larger is more suspect, what it needs, and what it finds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pellucid.errors import PellucidError, UnknownName
from pellucid.training_set.joint import cooled
from pellucid.training_set.noise import noisy
from pellucid.training_set.suspicion import SCORES, Evidence, combined, known, score, tail
from pellucid.training_set.tried import PARTS, TOGETHER, average_precision, judged, parts, suspicions, together, tried

N, C = 240, 3


def features(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(N, 5) of three classes that hardly overlap, and their labels."""
    chance, labels = np.random.default_rng(seed), np.arange(N) % C
    return np.concatenate([np.eye(C)[labels] * 3, np.zeros((N, 2))], 1) + chance.normal(size=(N, 5)), labels


def whole(seed: int = 0) -> Evidence:
    """Evidence of every kind."""
    own, labels = features(seed)
    other, _ = features(seed + 1)
    return Evidence(labels, C, own, {"other": other}, own[:, :C] * 2, None, seed).learned_again(labels)


def test_every_score_finds_labels_that_were_made_wrong() -> None:
    evidence = whole()
    labels, wrong = noisy(evidence.labels, C, 0.1, "symmetric", 5)
    again = evidence.learned_again(labels)
    assert [one.name for one in known(again)] == [one.name for one in SCORES]
    for one in SCORES:
        area, _, precision = judged(one.suspicion(again), wrong)
        assert area > (0.8 if one.name == "forgetting" else 0.9), one.name
        assert precision > 0.4, one.name
        assert np.array_equal(one.suspicion(again), one.values(again) * (1 if one.larger else -1))


def test_the_order_of_the_images_changes_no_score() -> None:
    """But for fits out of fold and trainings, whose random numbers are those of a place."""
    evidence, order = whole(), np.random.default_rng(3).permutation(N)
    course = evidence.course
    assert course is not None
    other = Evidence(
        evidence.labels[order], C, evidence.features[order], {"other": evidence.spaces["other"][order]},
        evidence.answers[order],
        type(course)(course.logits[:, order], course.labels[order], course.lengths[:, order], course.rates),
    )  # fmt: skip
    for one in SCORES:
        if not one.name.startswith("CV") and one.name != "kNN-Shapley":
            assert one.suspicion(evidence)[order] == pytest.approx(one.suspicion(other), abs=1e-12), one.name


def test_a_score_says_what_it_needs() -> None:
    bare = Evidence(np.arange(6) % 2, 2)
    assert known(bare) == ()
    for one in SCORES:
        with pytest.raises(PellucidError, match=f"{one.name}.*needs"):
            one.values(bare)
    only = Evidence(np.arange(6) % 2, 2, answers=np.zeros((6, 2)))
    assert [one.name for one in known(only)] == ["own self-confidence", "own margin"]
    assert parts(only) == ["own margin"]
    with pytest.raises(UnknownName, match="AUM"):
        score("AMU")
    assert score("AUM").name == "AUM"


def test_tails_are_shares_of_what_is_at_least_as_suspect() -> None:
    assert tail(np.array([3.0, 1.0, 2.0, 2.0])) == pytest.approx([0.125, 0.875, 0.5, 0.5])
    one, other = np.array([0.0, 5.0, 1.0]), np.array([0.0, 1.0, 7.0])
    found = combined([one, other])
    assert found == pytest.approx(-np.log(tail(one)) - np.log(tail(other)))
    assert found.argmin() == 0
    assert np.array_equal(combined([one]).argsort(), one.argsort())


def test_a_network_that_knows_nothing_has_no_part_in_it() -> None:
    evidence = whole()
    assert parts(evidence) == list(PARTS)
    lost = Evidence(evidence.labels, C, evidence.features, evidence.spaces, -evidence.answers, evidence.course)
    assert parts(lost) == list(PARTS[:-1])
    said = suspicions(lost)
    assert together(lost, said) == pytest.approx(combined([said[name] for name in PARTS[:-1]]))


@pytest.mark.slow
def test_trials_rank_the_scores() -> None:
    found = tried(whole(), 0.1, ("symmetric", "pair"), 2, 0)
    assert found.areas.shape == (len(SCORES) + 1, 2, 2)
    assert found.names[-1] == TOGETHER
    assert found.mean[found.order[0]] == found.mean.max()
    assert found.best() == found.names[found.order[0]]
    assert found.best(["forgetting"]) == "forgetting"
    assert found.best() in found.alike()
    again = tried(whole(), 0.1, ("symmetric", "pair"), 2, 0)
    assert np.array_equal(found.areas, again.areas)


def test_of_many_examples_some_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pellucid.training_set.tried.MOST", 90)
    found, whole_of_it = tried(whole(), 0.1, ("pair",), 1, 0), whole()
    again = tried(whole_of_it, 0.1, ("pair",), 1, 0)
    assert np.array_equal(found.areas, again.areas)
    part = whole_of_it.part(np.arange(7))
    assert (len(part.labels), len(part.features), len(part.answers), len(part.spaces["other"])) == (7, 7, 7, 7)
    assert part.course is None


def test_precision_counts_in_order() -> None:
    wrong = np.array([True, False, True, False])
    assert average_precision(np.array([4.0, 3.0, 2.0, 1.0]), wrong) == pytest.approx((1 + 2 / 3) / 2)
    assert judged(np.array([4.0, 3.0, 2.0, 1.0]), wrong)[2] == 0.5
    assert np.isnan(average_precision(np.zeros(3), np.zeros(3, bool)))


def beside(seed: int = 0) -> Evidence:
    """The same with two other networks: one of the same classes, one that is read only."""
    evidence, (third, labels) = whole(seed), features(seed + 2)
    same, other = Evidence(labels, C, third, answers=third[:, :C] * 2), Evidence(labels, C, features(seed + 3)[0])
    return replace(evidence, others={"same": same, "other": other})


def test_other_networks_have_scores_of_their_own() -> None:
    evidence = beside()
    more = [one for one in known(evidence) if one not in SCORES]
    assert [one.name for one in more] == ["CV margin, same", "kNN, same", "own margin, same", "CV margin, other",
                                          "kNN, other"]  # fmt: skip
    labels, wrong = noisy(evidence.labels, C, 0.1, "symmetric", 5)
    again = evidence.learned_again(labels)
    for one in more:
        assert judged(one.suspicion(again), wrong)[0] > 0.9, one.name
    same = again.others["same"]
    assert np.array_equal(more[0].suspicion(again), score("CV margin").suspicion(same))
    with pytest.raises(PellucidError, match="another network"):
        more[0].values(whole())
    part = evidence.part(np.arange(9))
    assert len(part.others["other"].labels) == 9


def test_more_networks_find_more() -> None:
    """On the same wrong labels all together find more of them with other networks than without."""
    areas = []
    for evidence in (whole(), beside()):
        labels, wrong = noisy(evidence.labels, C, 0.1, "pair", 7)
        again = evidence.learned_again(labels)
        areas.append(average_precision(together(again, suspicions(again)), wrong))
    assert areas[1] > areas[0]


def test_all_networks_together_are_the_mean_of_their_log_probabilities() -> None:
    """Again in slow float64; a network that says the opposite of what the labels are counts by its fits alone."""
    evidence = beside()
    assert parts(evidence) == ["CV margin", "own margin", "CV margin, same", "own margin, same", "CV margin, other"]
    same = evidence.others["same"]
    lost = replace(evidence, others={"same": replace(same, answers=-same.answers)})
    assert parts(lost) == ["CV margin", "own margin", "CV margin, same"]
    own = cooled(evidence.answers, evidence.labels)
    views = [own, *(np.log(one.confident.probabilities) for one in (lost, lost.others["same"]))]
    found = together(lost, {})
    for i in range(0, N, 37):
        mean = [sum(float(view[i, k]) for view in views) / 3 for k in range(C)]
        label = int(evidence.labels[i])
        assert found[i] == pytest.approx(max(mean[k] for k in range(C) if k != label) - mean[label], abs=1e-9)


def test_temperatures_fit_the_labels() -> None:
    """Labels that are drawn at the temperature of 2 are likeliest at about that."""
    chance = np.random.default_rng(0)
    logits = chance.normal(size=(4000, 4)) * 3
    p = np.exp(logits / 2) / np.exp(logits / 2).sum(1, keepdims=True)
    labels = (p.cumsum(1) < chance.random((4000, 1))).sum(1)
    found = cooled(logits, labels)
    assert (logits[:, 0] - logits[:, 1]) / (found[:, 0] - found[:, 1]) == pytest.approx(2, abs=0.15)
