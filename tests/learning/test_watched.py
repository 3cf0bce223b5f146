"""What a watched training says of its layers: each rule by a planted run, and by trainings that have that fault."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import pellucid as pl
from pellucid.learning.initial import initialized
from pellucid.learning.networks import MLP, seeded
from pellucid.learning.tasks import digits
from pellucid.learning.train import Recipe, train
from pellucid.result import Grid

STEPS = 12


def planted(folder: Path, **series: Sequence[float]) -> Path:
    """A healthy run of four layers, with some of its series replaced: a1_std is "a1/std"."""
    t, rows = np.ones(STEPS), {}
    for name in ("a1", "relu", "a2", "a3", "a4"):
        rows |= {f"{name}/{key}": value * t for key, value in (("mean", 0.0), ("std", 1.0), ("gradient", 0.01))}
        rows |= {f"{name}/dead": 0.1 * t} if name == "relu" else {f"{name}/update": 1e-3 * t}
    rows |= {name.replace("_", "/", 1).replace("_", " "): np.array(value) for name, value in series.items()}
    lines = [json.dumps({"step": 1 + 50 * i, **{k: v[i] for k, v in rows.items()}}) + "\n" for i in range(STEPS)]
    folder.mkdir()
    (folder / "watch.jsonl").write_text("".join(lines))
    return folder


def test_a_healthy_run_has_nothing_said_of_it(tmp_path: Path) -> None:
    found = pl.training.curves(planted(tmp_path / "a"))
    assert found.findings == ("no rule fires: neither over-fitting, nor a plateau, nor spikes, and all is finite",)
    grid = found["signal"]
    assert isinstance(grid, Grid)
    assert (grid.rows, grid.columns) == (("a1", "a2", "a3", "a4"), tuple(str(1 + 50 * i) for i in range(STEPS)))
    assert found["dead units"].rows == ("relu",)  # type: ignore[union-attr]
    assert "curves" not in found.names


@pytest.mark.parametrize(
    ("series", "said"),
    [
        ({"a3_std": [1.0] * 4 + [1e-7] * 8}, "the signal vanishes: the standard deviation of pre-activations goes from "
         "1 in a1 to 1e-07 in a3"),
        ({"a1_gradient": [0.01] * 2 + [1e-9] * 10}, "the gradient vanishes: the RMS of ∂L/∂h goes from 0.01 in a3 back "
         "to 1e-09 in a1, × 0.000316 per layer; in step 551 (10 of 12 watched steps, the first is 101)"),
        ({"a1_gradient": [0.01] * 11 + [99.0]}, "the gradient explodes"),
        ({"relu_dead": [0.2] * 5 + [0.6, 0.4] + [0.7] * 4 + [0.55]}, "dead units: 55% of those of relu give zero "
         "everywhere in each of the last 3 batches, more than half of them since step 351"),
        ({"a2_update": [1e-3] * 5 + [3e-2] * 7}, "updates are large: a step changes the weights of a2 by 0.03 of their "
         "norm (median of 12 steps), above 0.01; 1 of 4 layers are outside"),
        ({"a4_update": [2e-5] * 12}, "updates are small: a step changes the weights of a4 by 2e-05"),
        ({"a2_not_finite": [0.0] * 6 + [0.25, 1, 1, 1, 1, 1], "a2_std": [1.0] * 6 + [np.nan] * 6},
         "not finite: 25.00% of the output of a2 in step 301, and in 6 of 12 watched steps"),
    ],
)  # fmt: skip
def test_each_rule_fires_for_what_was_planted_and_for_nothing_else(
    tmp_path: Path, series: dict[str, list[float]], said: str
) -> None:
    [found] = pl.training.curves(planted(tmp_path / "a", **series)).findings
    assert found.startswith(said)


def test_what_passes_is_not_said(tmp_path: Path) -> None:
    """One step of twelve, not the last; dead in one batch; a large first step."""
    series = {
        "a1_gradient": [0.01, 1e-9] + [0.01] * 10,
        "relu_dead": [0.1] * 11 + [0.9],
        "a2_update": [1] + [1e-3] * 11,
    }
    [found] = pl.training.curves(planted(tmp_path / "a", **series)).findings
    assert found.startswith("no rule fires")


@pytest.mark.slow
def test_trainings_with_these_faults(tmp_path: Path) -> None:
    """Xavier in 30 layers of rectifiers; batch norm in 40; and a chain of He's that learns."""
    pytest.importorskip("sklearn")
    task = digits(128)
    faults = {
        "xavier": (30, False, "the signal fades"),
        "he": (40, True, "the gradient explodes"),
        "orthogonal": (3, False, ""),
    }
    for scheme, (depth, norm, said) in faults.items():
        chain = seeded(lambda: MLP(64, 10, depth=depth, norm=norm), 0)  # noqa: B023
        module = initialized(chain, scheme, 0)  # type: ignore[arg-type]
        with pl.training.watch(module, every=1, folder=tmp_path / scheme) as seen:
            train(module, task.train, Recipe(epochs=1, lr=1e-3), observe=lambda one: seen.log(loss=one.loss))
        found = pl.training.curves(tmp_path / scheme)
        first = next((text for text in found.findings if text.startswith(("the signal", "the gradient"))), "")
        assert said in first
        assert bool(first) == bool(said)
        assert ("1.211" in first) == norm
