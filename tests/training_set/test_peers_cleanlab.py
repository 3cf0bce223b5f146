"""Confident learning, against cleanlab: the same counts, the same images flagged, the same scores."""

from __future__ import annotations

import numpy as np
import pytest

from tests.training_set.test_confident import made

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
count = pytest.importorskip("cleanlab.count", reason="needs cleanlab")
rank = pytest.importorskip("cleanlab.rank", reason="needs cleanlab")
filters = pytest.importorskip("cleanlab.filter", reason="needs cleanlab")


@pytest.mark.parametrize("seed", range(3))
def test_counts_and_flags_are_the_same(seed: int) -> None:
    """Off the diagonal: theirs counts there whoever counts as nothing else. Ours counts as j where p_j ≥ t_j of all j
    the largest; so does theirs."""
    found = made(400, 5, seed)
    theirs = count.compute_confident_joint(found.labels, found.probabilities, calibrate=False)
    off = ~np.eye(5, dtype=bool)
    assert np.array_equal(theirs[off], found.counts[off])
    assert count.get_confident_thresholds(found.labels, found.probabilities) == pytest.approx(found.thresholds)
    flagged = filters.find_label_issues(
        found.labels, found.probabilities, filter_by="confident_learning", n_jobs=1, min_examples_per_class=0
    )
    assert np.array_equal(flagged, found.flagged)


def test_scores_are_the_same() -> None:
    found = made(400, 5, 3)
    own = rank.get_self_confidence_for_each_label(found.labels, found.probabilities)
    assert own == pytest.approx(found.self_confidence)
    margin = rank.get_normalized_margin_for_each_label(found.labels, found.probabilities)
    assert margin == pytest.approx((found.margin + 1) / 2)
    weighted = rank.get_confidence_weighted_entropy_for_each_label(found.labels, found.probabilities)
    assert np.array_equal(np.argsort(weighted, kind="stable"), np.argsort(found.entropy_weighted, kind="stable"))
