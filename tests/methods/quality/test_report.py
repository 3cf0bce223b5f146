"""Report on networks of known truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.evaluation.axioms import _completeness
from pellucid.evaluation.explainers import Explainer, Explainers
from tests.evaluation.networks import photos, weighted


def test_one_map_is_judged_in_every_way_and_as_by_each_method_alone() -> None:
    net = weighted()
    found = pl.quality.report(net, photos(2), of="gradient,gradient_times_input", steps=4, planted=False)
    assert set(found.tables) == {
        "properties",
        "infidelity",
        "stability",
        "deletion",
        "insertion",
        "road",
        "randomization",
    }
    alone = pl.quality.deletion(net, photos(2), of="gradient,gradient_times_input", steps=4)
    both = [dict(zip(one["method"], one["area"], strict=True)) for one in (found["deletion"], alone["ranking"])]
    assert both[0] == pytest.approx(both[1])
    assert found["properties"]["method"][0] == "gradient_times_input"
    best = found["properties"].rows[0]
    assert best["exactness"] > 0.5
    assert best["universality"] == 1


def test_completeness_is_a_mean_over_networks_of_which_some_have_a_score_near_zero() -> None:
    errors = [_completeness(Explainers.of("lrp").each[0], seed) for seed in range(5)]
    assert max(errors) > 1
    rows = pl.quality.report(weighted(), photos(1), of="lrp,gradient", steps=4, planted=False)["properties"].rows
    found = {str(row["method"]): row["completeness"] for row in rows}
    assert found["lrp"] == pytest.approx(np.mean([1 - min(one, 1) for one in errors]))
    assert found["gradient"] is None


def test_it_goes_on_where_it_was_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net = weighted()
    whole = pl.quality.report(net, photos(2), of="gradient", steps=4, planted=False)
    with pl.resumable(tmp_path):
        pl.quality.report(net, photos(2), of="gradient", steps=4, planted=False)
        monkeypatch.setattr(Explainer, "heat", lambda *_: pytest.fail("it is known"))
        again = pl.quality.report(net, photos(2), of="gradient", steps=4, planted=False)
    for name in whole.tables:
        assert again[name].columns == whole[name].columns


def test_a_regression_is_followed_by_its_output() -> None:
    net = pl.load(weighted().module, size=12, mean=(0.0,) * 3, std=(1.0,) * 3, scores="regression")
    found = pl.quality.report(net, photos(1), of="gradient", steps=4, planted=False)
    assert "deletion:fill=training_mean,steps=4,score=logit" in found.meta.found["protocol"]
    with pytest.raises(PellucidError, match="with score='logit'"):
        pl.quality.deletion(net, photos(1), of="gradient")
    assert len(pl.quality.deletion(net, photos(1), of="gradient", score="logit")["ranking"])
