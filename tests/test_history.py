"""The folder of a training run is read as it was written, and what is damaged is one line."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from pellucid.errors import PellucidError, UnknownName
from pellucid.history import BadHistory, History
from pellucid.notes import Note
from tests.test_every_method import photos, tiny


def run(root: Path, steps: tuple[int, ...] = (0, 10, 9, 100)) -> Path:
    """Checkpoints whose `head.bias` is their step, and a loss that falls."""
    net = tiny()
    (root / "checkpoints").mkdir(parents=True)
    for step in steps:
        values = {key: value.clone() for key, value in net.module.state_dict().items()}
        values["head.bias"] = torch.full((3,), float(step), dtype=torch.float64)
        save_file(values, root / "checkpoints" / f"step_{step}.safetensors")
    rows = [{"step": step, "loss": 1 / (1 + step), "lr": 0.1} for step in range(0, 30, 10)]
    rows.append({"step": 30, "loss": math.nan, "lr": 1})
    (root / "scalars.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return root


def test_scalars_and_checkpoints_in_the_order_of_steps(tmp_path: Path) -> None:
    history = History.of(run(tmp_path / "run"))
    loss = history["loss"]
    assert loss.steps.tolist() == [0, 10, 20, 30]
    assert loss.values[:3].tolist() == [1.0, 1 / 11, 1 / 21]
    assert math.isnan(loss.values[3]), "no NaN is hidden"
    assert (loss.steps.dtype, loss.values.dtype) == (np.int64, np.float64)
    assert history["lr"].values.tolist() == [0.1, 0.1, 0.1, 1.0]
    assert list(history.checkpoints) == [0, 9, 10, 100]
    assert history.notes == ()
    with pytest.raises(UnknownName, match="no series 'los'; nearest of 2: loss"):
        history["los"]


def test_the_network_of_a_step(tmp_path: Path) -> None:
    history, net = History.of(run(tmp_path / "run")), tiny()
    before = net.weights
    pixels = net.prepare(photos(1)).pixels
    plain = net.run(pixels).output - net.module.head.bias
    for step in (0, 100):
        assert torch.allclose(history.at(step, net).run(pixels).output, plain + step)
    nets = history.nets(net)
    assert nets.names == ("step_0", "step_9", "step_10", "step_100")
    for step, one in zip((0, 9, 10, 100), nets, strict=True):
        assert torch.allclose(one.run(pixels).output, plain + step)
        assert one.module.original is net.module
    assert net.weights == before
    with pytest.raises(UnknownName, match=r"no checkpoint of step '11'; nearest of 4: 10, 100"):
        history.at(11, net)


def test_a_run_that_was_stopped_and_resumed(tmp_path: Path) -> None:
    (tmp_path / "a1.jsonl").write_text('{"step": 1, "loss": 3}\n{"step": 2, "loss": 2}\n\n{"step": 3, "lo')
    (tmp_path / "a2.jsonl").write_text('{"step": 2, "loss": 5, "phase": "warm"}\n{"step": 3, "loss": 4}')
    (tmp_path / "a10.jsonl").write_text('{"step": 3, "loss": -Infinity}\n')
    history = History.of(tmp_path)
    assert history["loss"].steps.tolist() == [1, 2, 3]
    assert history["loss"].values.tolist() == [3.0, 5.0, -math.inf]
    assert history.notes == (
        Note("input", "the last line of a1.jsonl is cut short, and is left out"),
        Note("input", "'phase' in a2.jsonl is no number, and is left out"),
    )


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"step": 1, "loss"\n{"step": 2}\n', r"line 1 of .*x\.jsonl' is no JSON"),
        ('{"step": 1}\n[1, 2]\n', r"line 2 of .* has no step"),
        ('{"loss": 1}\n', r"line 1 of .* has no step"),
        ('{"step": true}\n', r"has no step"),
        ('{"step": -1}\n', r"has no step"),
        (f'{{"step": {10**30}}}\n', r"has no step"),
        ("[" * 100_000 + "\n", r"line 1 of .* is no JSON"),
        ('{"step": 1, "x": "' + "y" * 2**21 + '"}\n', r"line 1 of .* is no JSON"),
    ],
)
def test_damaged_scalars_are_refused_by_the_line(tmp_path: Path, line: str, words: str) -> None:
    (tmp_path / "x.jsonl").write_text(line)
    with pytest.raises(BadHistory, match=words) as caught:
        History.of(tmp_path)
    assert len(str(caught.value)) < 600
    assert caught.value.exit_code == 3


def test_numbers_beyond_float64_are_infinite(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text(f'{{"step": 1, "a": {10**400}, "b": -1{"0" * 400}, "c": true}}\n')
    history = History.of(tmp_path)
    assert [float(history[name].values[0]) for name in "abc"] == [math.inf, -math.inf, 1.0]


def test_what_is_no_run(tmp_path: Path) -> None:
    for value in (tmp_path / "nowhere", 5, None):
        with pytest.raises(BadHistory, match="no training run"):
            History.of(value)
    with pytest.raises(BadHistory, match="holds nothing of a training run"):
        History.of(tmp_path)
    run(tmp_path / "run")
    shutil.copy(tmp_path / "run/checkpoints/step_9.safetensors", tmp_path / "run/epoch=1-step=9.safetensors")
    with pytest.raises(BadHistory, match=r"'epoch=1-step=9.safetensors' and 'step_9.safetensors' in .* of step 9"):
        History.of(tmp_path / "run").checkpoints  # noqa: B018


@pytest.mark.usefixtures("read_here")
def test_checkpoints_without_a_step_and_bad_ones(tmp_path: Path) -> None:
    place = run(tmp_path / "run")
    (place / "best.pth").write_bytes(b"x")
    (place / "resnet20-12fca82f.th").write_bytes(b"x")
    (place / "checkpoints" / "step_50.pth").write_bytes(b"not weights")
    (place / "checkpoints" / "notes.txt").write_text("x")
    history = History.of(place)
    left_out = "checkpoints without a step at the end of their name are left out: best.pth, resnet20-12fca82f.th"
    assert history.notes == (Note("input", left_out),)
    assert list(history.checkpoints) == [0, 9, 10, 50, 100]
    with pytest.raises(PellucidError, match=r"step_50\.pth"):
        history.at(50, tiny())


def test_identity_facts_and_text(tmp_path: Path) -> None:
    place = run(tmp_path / "run")
    history = History.of(place)
    before: Any = history.identity
    assert History.of(history.plain()).identity == before
    assert history.facts() == {"run": "run", "checkpoints": 4, "scalars": ["loss", "lr"]}
    with (place / "scalars.jsonl").open("a") as file:
        file.write('{"step": 40, "loss": 0}\n')
    changed = History.of(place).identity
    (place / "checkpoints" / "step_100.safetensors").write_bytes(b"x")
    assert len({before, changed, History.of(place).identity}) == 3
