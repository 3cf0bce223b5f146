"""Report on networks of known truth."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.evaluation.axioms import _completeness
from pellucid.evaluation.explainers import Explainer, Explainers
from tests.evaluation.networks import photos, weighted


@pytest.mark.slow
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


@pytest.mark.slow
def test_completeness_is_a_mean_over_networks_of_which_some_have_a_score_near_zero() -> None:
    errors = [_completeness(Explainers.of("lrp").each[0], seed) for seed in range(5)]
    assert max(errors) > 1
    rows = pl.quality.report(weighted(), photos(1), of="lrp,gradient", steps=4, planted=False)["properties"].rows
    found = {str(row["method"]): row["completeness"] for row in rows}
    assert found["lrp"] == pytest.approx(np.mean([1 - min(one, 1) for one in errors]))
    assert found["gradient"] is None


@pytest.mark.slow
def test_it_goes_on_where_it_was_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net = weighted()
    whole = pl.quality.report(net, photos(2), of="gradient", steps=4, planted=False)
    with pl.resumable(tmp_path):
        pl.quality.report(net, photos(2), of="gradient", steps=4, planted=False)
        for asked in ("heat", "heatmap"):  # axioms too
            monkeypatch.setattr(Explainer, asked, lambda *_: pytest.fail("it is known"))
        again = pl.quality.report(net, photos(2), of="gradient", steps=4, planted=False)
    for name in whole.tables:
        assert again[name].columns == whole[name].columns


_RUN = """
import json, sys
import pellucid as pl
from pellucid.evaluation.explainers import Explainer
from tests.evaluation.networks import photos, weighted

made = Explainer.heatmap

def heatmap(*given):
    print("map", flush=True)
    return made(*given)

Explainer.heatmap = heatmap
with pl.resumable(sys.argv[1]):
    of = "gradient,gradient_times_input"
    found = pl.quality.report(weighted(), photos(2), of=of, steps=4, planted=False)
print(json.dumps({name: {key: list(cells) for key, cells in table.columns.items()}
                  for name, table in found.tables.items()}))
"""


def _run(folder: Path, maps: int | None = None) -> list[str]:
    """The lines of a run in a process of its own, which is killed once it has begun so many maps."""
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", _RUN, str(folder)], stdout=subprocess.PIPE, text=True, cwd=root
    ) as child:
        assert child.stdout is not None
        lines = []
        for line in child.stdout:
            lines.append(line)
            if len(lines) == maps:
                child.send_signal(signal.SIGKILL)
                break
        assert child.wait() == (0 if maps is None else -signal.SIGKILL)
    return lines


@pytest.mark.slow  # processes that open the library anew
def test_killed_twice_it_goes_on_with_the_same_numbers_and_makes_fewer_maps(tmp_path: Path) -> None:
    """In the middle of the maps of images, and in that of the axioms."""
    *maps, right = _run(tmp_path / "whole")
    _run(tmp_path / "killed", len(maps) // 3)
    _run(tmp_path / "killed", len(maps) // 2)
    *again, found = _run(tmp_path / "killed")
    assert json.loads(found) == json.loads(right)
    assert len(again) < len(maps) / 2
    *nothing, known = _run(tmp_path / "killed")
    assert (nothing, json.loads(known)) == ([], json.loads(right))


def test_a_regression_is_followed_by_its_output() -> None:
    net = pl.load(weighted().module, size=12, mean=(0.0,) * 3, std=(1.0,) * 3, scores="regression")
    found = pl.quality.report(net, photos(1), of="gradient", steps=4, planted=False)
    assert "deletion:fill=training_mean,steps=4,score=logit" in found.meta.found["protocol"]
    with pytest.raises(PellucidError, match="with score='logit'"):
        pl.quality.deletion(net, photos(1), of="gradient")
    assert len(pl.quality.deletion(net, photos(1), of="gradient", score="logit")["ranking"])
