"""Training curves: where early stopping ends, by the rules written out, and what is said of planted runs."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.learning.networks import MLP, seeded
from pellucid.learning.stopping import by_generalization_loss, by_patience, by_quotient, by_rises
from pellucid.learning.tasks import digits, flipped
from pellucid.learning.train import Recipe, train


def run(folder: Path, **series: Sequence[float]) -> Path:
    """A folder with these series, one value each ten steps."""
    folder.mkdir()
    rows = [
        dict(zip(series, row, strict=True), step=10 * i) for i, row in enumerate(zip(*series.values(), strict=True))
    ]
    text = "".join(json.dumps({key.replace("_", " "): value for key, value in row.items()}) + "\n" for row in rows)
    (folder / "log.jsonl").write_text(text)
    return folder


def test_stopping_rules_are_those_of_the_definition() -> None:
    """By brute force over random walks: GL(t) = 100 (E(t) / min E(1..t) − 1)."""
    for seed in range(30):
        losses = np.exp(np.random.default_rng(seed).normal(size=40).cumsum() / 5)
        lowest = np.minimum.accumulate(losses)
        over = [t for t in range(40) if 100 * (losses[t] / lowest[t] - 1) > 20]
        found = by_generalization_loss(losses, 20)
        assert found.at == (over[0] if over else None)
        assert found.best == losses[: 40 if found.at is None else found.at + 1].argmin()
        waited = [t for t in range(40) if t - losses[: t + 1].argmin() >= 6]
        found = by_patience(losses, 6)
        assert found.at == (waited[0] if waited else None)
        assert found.best == losses[: 40 if found.at is None else found.at + 1].argmin()


def test_strips_are_those_of_the_definition() -> None:
    """UP: the loss at the end of a strip of 5 is above that of the strip before, 3 times in a row. PQ: GL / P > 0.5."""
    for seed in range(30):
        losses, train = np.exp(np.random.default_rng(seed).normal(size=(2, 60)).cumsum(1) / 20)
        ends = [*range(4, 60, 5)]
        ups = [
            t
            for n, t in enumerate(ends)
            if n > 2 and all(losses[ends[n - j]] > losses[ends[n - j - 1]] for j in range(3))
        ]
        assert by_rises(losses, 3).at == (ups[0] if ups else None)
        over = []
        for t in ends:
            strip = [float(train[s]) for s in range(t - 4, t + 1)]
            progress = 1000 * (sum(strip) / (5 * min(strip)) - 1)
            over += [t] if 100 * (losses[t] / min(losses[: t + 1]) - 1) / progress > 0.5 else []
        assert by_quotient(losses, train, 0.5).at == (over[0] if over else None)


def test_over_fitting_is_named_with_its_numbers_and_the_regret_is_told(tmp_path: Path) -> None:
    t = np.arange(30)
    test = 1 + (t - 8) ** 2 / 100 - 0.3 * (t == 20)
    folder = run(tmp_path / "a", train_loss=2 * 0.8**t, test_loss=test, test_accuracy=np.minimum(t, 25) / 30)
    found = pl.training.curves(folder, patience=3)
    assert "over-fitting: the test loss is lowest at step 80 (1) and ends at 5.41" in found.findings[0]
    table = found["stopping"]
    assert table["rule"] == ("none", "the best", "patience 3", "GL 5 %", "UP 3", "PQ 0.5")
    assert table["stops"] == (290, None, 110, 110, 240, 290)
    assert table["keeps"] == (290, 80, 80, 80, 80, 80)
    assert table["regret"] == pytest.approx((4.41, 0, 0, 0, 0, 0))
    assert table["accuracy regret"][2] == pytest.approx(17 / 30)
    assert any("disagree" in text and "step 250" in text for text in found.findings)
    assert [mark.at for mark in found["curves"].marks] == [80, 110, 110]
    assert np.allclose(found["gap"].lines[0].values, test - 2 * 0.8**t)


def test_runs_side_by_side_and_names_of_other_libraries(tmp_path: Path) -> None:
    t = np.arange(20)
    one = run(tmp_path / "plain", **{"loss/train": 1 / (1 + t), "val_loss": 1 + t / 20, "lr": 0.1 * 0.9**t})
    two = run(tmp_path / "decay", **{"training loss": 1 / (1 + t), "eval/acc": t / 20})
    found = pl.training.curves(one, beside=[two])
    assert [line.name for line in found["curves"].lines] == [
        "plain: train loss", "plain: test loss", "decay: train loss", "decay: test accuracy",
    ]  # fmt: skip
    assert {*found["stopping"]["run"]} == {"plain"}
    assert found.findings[0].startswith("plain: over-fitting")
    assert found.findings[-1].startswith("decay: no rule fires")
    assert found["also"].lines[0].quantity == "lr"


def test_what_is_not_finite_a_plateau_and_spikes_are_said(tmp_path: Path) -> None:
    t = np.arange(40)
    flat = np.where(t < 10, 2 - t / 10, 1.0)
    spiked = np.exp(-t / 60) * np.where(t == 25, 8, 1)
    broken = np.where(t < 33, 1 / (1 + t), math.nan)
    for name, values, said in (
        ("flat", flat, "plateau: over the last third the training loss changes by 0.0%"),
        ("spiked", spiked, "1 spikes: at step 250 the training loss is 7.9 times"),
        ("broken", broken, "not finite: the train loss is nan from step 330"),
    ):
        found = pl.training.curves(run(tmp_path / name, train_loss=values.tolist()))
        assert said in found.findings[0]
    assert np.isnan(found["curves"].lines[0].values[33:]).all()
    good = pl.training.curves(run(tmp_path / "good", train_loss=2 * 0.9**t, test_loss=2 * 0.92**t))
    assert good.findings == ("no rule fires: neither over-fitting, nor a plateau, nor spikes, and all is finite",)


def test_a_run_without_losses_is_refused_by_name(tmp_path: Path) -> None:
    folder = run(tmp_path / "odd", temperature=[1.0, 2.0])
    with pytest.raises(PellucidError, match=r"odd has neither losses nor accuracies.*it has temperature"):
        pl.training.curves(folder)


def test_steps_that_overshoot_are_named_by_curvature_and_learning_rate(tmp_path: Path) -> None:
    """On a quadratic loss of curvature 30, plain gradient descent diverges from lr > 2 / 30 on, and not before."""
    for lr, said in ((0.06, False), (0.07, True)):
        w, rows = 1.0, {"train_loss": [], "lambda_max": [], "lr": []}
        for _ in range(20):
            rows["train_loss"].append(15 * w**2)
            rows["lambda_max"].append(30.0)
            rows["lr"].append(lr)
            w -= lr * 30 * w
        assert (rows["train_loss"][-1] > rows["train_loss"][0]) == said
        findings = pl.training.curves(run(tmp_path / str(lr), **rows)).findings
        assert any("steps overshoot: λmax · lr is 2.1 at step 0" in text for text in findings) == said


@pytest.mark.slow
def test_dropout_helps_against_wrong_labels_and_early_stopping_finds_the_best_epoch(tmp_path: Path) -> None:
    """Reference 10: 300 digits, a fifth of the labels wrong, MLP 256-256, AdamW 3e-3, 150 epochs, 3 seeds (here 1)."""
    pytest.importorskip("sklearn")
    task, ends = flipped(digits(300, 0), 0.2, 0), {}
    for name, rate in (("plain", 0.0), ("dropout", 0.5)):
        recipe = Recipe(epochs=150, batch=100, optimizer="adamw", lr=3e-3)
        module = seeded(lambda rate=rate: MLP(64, 10, depth=2, width=256, dropout=rate), 0)  # type: ignore[misc]
        ends[name] = train(module, task.train, recipe, test=task.test, folder=tmp_path / name, keep=False)
    losses = ends["plain"].series("test_loss")
    assert losses[-1] / losses.min() > 2
    rows = {row["rule"]: row for row in pl.training.curves(tmp_path / "plain")["stopping"].rows}
    assert abs(rows["GL 5 %"]["test accuracy"] - rows["the best"]["test accuracy"]) < 0.02
    gain = ends["dropout"].epochs[-1].test_accuracy - ends["plain"].epochs[-1].test_accuracy
    assert gain > 0.02  # .03 to .08, by how the machine rounds


def test_runs_are_compared_with_the_first(tmp_path: Path) -> None:
    plain = run(tmp_path / "plain", train_loss=[1.0, 0.5], test_accuracy=[0.8, 0.7])
    other = run(tmp_path / "dropout", train_loss=[1.0, 0.6], test_accuracy=[0.7, 0.85])
    assert pl.training.curves(plain, beside=[other]).findings[0] == (
        "dropout ends at a test accuracy of 0.850, plain at 0.700 (+0.150); their best are 0.850 and 0.800 (+0.050)"
    )
