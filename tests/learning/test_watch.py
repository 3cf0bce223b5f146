"""Watching a training: the same bits with and without, numbers by hand, and where a NaN began."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import pellucid as pl
from pellucid.errors import MissingExtra, PellucidError
from pellucid.history import BadHistory
from pellucid.learning import journal
from pellucid.learning.networks import seeded
from tests.test_every_method import state_of


class Odd(nn.Module):
    """In-place rectifier, batch norm, dropout, a layer that runs twice."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm, self.relu = nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True)
        self.twice, self.drop, self.head = nn.Conv2d(4, 4, 3, padding=1), nn.Dropout(0.3), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        h = self.relu(self.norm(self.first(x)))
        h = self.relu(self.twice(self.twice(h) + h))
        return self.head(self.drop(h.mean((2, 3))))


def trained(
    folder: Path | None, every: int = 3, steps: int = 10, break_at: int = -1
) -> tuple[nn.Module, Tensor, list[str]]:
    module = seeded(Odd, 0)
    inputs = torch.rand(12, 1, 6, 6, generator=torch.Generator().manual_seed(1))
    labels = torch.arange(12) % 3
    optimizer = torch.optim.Adam(module.parameters(), 0.01)
    findings: list[str] = []

    def loop(seen: pl.training.Watch | None) -> None:
        for step in range(steps):
            given = inputs.clone()
            if step == break_at:
                given[[2, 5]] = math.nan
            loss = F.cross_entropy(module(given), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if seen is not None:
                seen.log(train_loss=loss.detach())
            module.eval()
            with torch.no_grad():
                module(inputs[:2])
            module.train()

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        if folder is None:
            loop(None)
        else:
            with pl.training.watch(module, every=every, folder=folder) as seen:
                loop(seen)
            findings = seen.findings
        numbers = torch.get_rng_state()
    return module, numbers, findings


def test_training_has_the_same_bits_with_and_without(tmp_path: Path) -> None:
    plain, numbers, _ = trained(None)
    seen, again, findings = trained(tmp_path)
    assert all(torch.equal(a, b) for a, b in zip(plain.state_dict().values(), seen.state_dict().values(), strict=True))
    assert torch.equal(numbers, again)
    assert state_of(seen)[:2] == state_of(plain)[:2]
    assert not findings
    run = pl.History.of(tmp_path)
    assert run["first/std"].steps.tolist() == [1, 4, 7, 10]
    assert "train loss" in pl.training.curves(tmp_path)["curves"].lines[0].name


def test_numbers_are_those_written_out(tmp_path: Path) -> None:
    """Of one step of SGD."""
    module = seeded(lambda: nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3)), 0)
    x, labels = torch.rand(7, 5, generator=torch.Generator().manual_seed(0)), torch.arange(7) % 3
    w = [p.detach().clone().requires_grad_() for p in module.parameters()]
    h = x @ w[0].T + w[1]
    loss = F.cross_entropy(h.relu() @ w[2].T + w[3], labels)
    slopes = torch.autograd.grad(loss, [h, *w])
    with pl.training.watch(module, every=1, folder=tmp_path):
        F.cross_entropy(module(x), labels).backward()
        torch.optim.SGD(module.parameters(), 0.1).step()
    run = pl.History.of(tmp_path)
    size = torch.cat([(w[i] - 0.1 * slopes[i + 1]).flatten() for i in (0, 1)]).norm()
    pull = torch.cat([slopes[i + 1].flatten() for i in (0, 1)]).norm()
    wanted = {
        "0/mean": h.mean(), "0/std": h.std(correction=0), "0/gradient": slopes[0].square().mean().sqrt(),
        "1/zeros": (h <= 0).float().mean(), "1/dead": (h <= 0).all(0).float().mean(), "0/weight": size,
        "0/weight gradient": pull, "0/update": 0.1 * pull / size, "0/distance": 0.1 * pull,
    }  # fmt: skip
    for name, value in wanted.items():
        assert run[name].values[0] == pytest.approx(float(value.detach()), rel=1e-4, abs=1e-7), name


def test_where_nan_began_is_told_and_it_is_written_down(tmp_path: Path) -> None:
    _, _, findings = trained(tmp_path, every=2, steps=6, break_at=4)
    assert findings[0] == "the output of first is not finite in step 5, for 2 of 12 images, the first at places [2, 5]"
    assert any("train_loss is nan in step 5" in text for text in findings)
    values = pl.History.of(tmp_path)["first/std"].values
    assert np.isnan(values).tolist() == [False, False, True]
    assert "not finite" in pl.training.curves(tmp_path).findings[0]


def test_hooks_are_gone_also_when_training_fails(tmp_path: Path) -> None:
    module = seeded(Odd, 0)
    before = state_of(module)
    with pytest.raises(RuntimeError), pl.training.watch(module, every=1, folder=tmp_path):
        module(torch.rand(2, 3, 6, 6))
    assert state_of(module) == before
    with pytest.raises(PellucidError, match="every=0"):
        pl.training.watch(module, every=0, folder=tmp_path)


def steps_of(module: nn.Module, folder: Path, count: int, done: int = 0, **options: int) -> None:
    with pl.training.watch(module, folder=folder, done=done, **{"every": 1, **options}) as seen:
        for step in range(count):
            F.cross_entropy(module(torch.rand(4, 5)), torch.arange(4) % 3).backward()
            seen.log(loss=done + step)


def small() -> nn.Module:
    return seeded(lambda: nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3)), 0)


def test_rows_become_parquet_and_nothing_is_lost_when_the_power_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that is killed in the middle of a line and in the middle of packing, and taken up two steps before."""
    parquet = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr(journal, "ROWS", 4)
    steps_of(small(), tmp_path, 6)
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        "watch-00001.parquet",
        "watch-00002.parquet",
        "watch.json",
    ]
    whole = pl.History.of(tmp_path)
    assert whole["loss"].values.tolist() == [0, 1, 2, 3, 4, 5]
    rows = parquet.read_table(tmp_path / "watch-00002.parquet").to_pylist()
    lines = "".join(json.dumps(row) + "\n" for row in rows)  # packed, and the journal is still there
    (tmp_path / "watch.jsonl").write_text(lines + '{"step": 7, "loss": NaN}\n{"step": 8, "lo')
    cut = pl.History.of(tmp_path)
    assert [*cut.scalars] == [*whole.scalars]
    assert cut["loss"].steps.tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert math.isnan(cut["loss"].values[-1])
    assert any("cut short" in note for note in cut.notes)
    steps_of(small(), tmp_path, 3, done=5)
    again = pl.History.of(tmp_path)
    assert again["loss"].steps.tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert again["loss"].values.tolist() == [0, 1, 2, 3, 4, 5, 6, 7]
    assert not again.notes
    assert again.identity != cut.identity, "one that was opened before has kept what it read"


def test_without_pyarrow_rows_stay_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "pyarrow", None)
        steps_of(small(), tmp_path, 3)
        assert pl.History.of(tmp_path)["loss"].steps.tolist() == [1, 2, 3]
        (tmp_path / "x.parquet").write_bytes(b"PAR1")
        with pytest.raises(MissingExtra, match=r"x\.parquet' needs an extra"):
            pl.History.of(tmp_path)
    with pytest.raises(BadHistory, match=r"x\.parquet' is damaged, or no Parquet"):
        pl.History.of(tmp_path)
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    parquet.write_table(arrow.table({"label": [1]}), tmp_path / "x.parquet")
    assert any("no column of whole numbers 'step'" in note for note in pl.History.of(tmp_path).notes)


def test_gradients_that_are_accumulated_are_one_step_and_evaluations_are_kept(tmp_path: Path) -> None:
    module, x, y = small(), torch.rand(8, 5, generator=torch.Generator().manual_seed(0)), torch.arange(8) % 3
    with pl.training.watch(module, every=2, folder=tmp_path, passes=2) as seen:
        for _ in range(3):
            module.zero_grad()
            for part in (slice(0, 3), slice(3, 8)):
                F.cross_entropy(module(x[part]), y[part], reduction="sum").backward()
            seen.evaluated(test_loss=seen.steps)
    run = pl.History.of(tmp_path)
    wanted = torch.autograd.grad(F.cross_entropy(module(x), y, reduction="sum"), [*module[2].parameters()])
    assert run["2/weight gradient"].steps.tolist() == [1, 3]
    assert run["2/weight gradient"].values[0] == pytest.approx(float(torch.cat([g.flatten() for g in wanted]).norm()))
    assert run["test loss"].values.tolist() == [1, 2, 3]
