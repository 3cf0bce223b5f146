"""`pellucid index`: what it says, how it ends, and how it goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pellucid import cli
from pellucid.index import Index
from pellucid.methods import units
from pellucid.sweep import Store
from tests.sweep.made import photos, small
from tests.sweep.test_faults import ROOT

NET = ["--net", f"{ROOT / 'tests/sweep/made.py'}:build", "--input-size", "24", "--layers", "first,second"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(("SLURM_", "RANK", "WORLD_SIZE", "RAY_")):
            monkeypatch.delenv(name)
    return photos(tmp_path / "photos", 20)


def index(*more: str) -> int:
    return cli.main(["index", "photos", *NET, "--store", "x.index", "--shard", "4", *more])


def test_few_unreadable_pictures_are_notes_and_many_are_a_failure(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    good = (here / "0003.png").read_bytes()
    (here / "0003.png").write_bytes(good[:80])
    (here / "0007.png").write_bytes(b"")
    assert index("--json") == 4
    said, notes = capsys.readouterr()
    told = json.loads(said)
    assert [one["image"] for one in told["unreadable"]] == ["0003.png", "0007.png"]
    assert (told["bad"], told["shards"], told["of"]) == (2, 5, 5)
    assert "0003.png" in notes
    assert "'0007.png' is empty: 0 bytes" in notes
    assert told["digest"] == Store.open("x.index").current["digest"]
    monkeypatch.setattr(sys.modules["pellucid.cli.index"], "_FEW", 0.1)
    assert index("--quiet") == 0
    (here / "0003.png").write_bytes(good)
    (here / "0007.png").write_bytes(good)
    assert index("--retry") == 0
    assert "shards are done again" in capsys.readouterr().err
    assert Store.open("x.index").bad() == ()


def test_damage_is_found_and_mended(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert index("--quiet") == 0
    assert cli.main(["index", "--check", "--store", "x.index"]) == 0
    assert "x.index: sound" in capsys.readouterr().out
    for name in ("shards/000001.npz", f"{Store.open('x.index').current['generation']}/moments.count.npy"):
        digest, file = Store.open("x.index").current["digest"], Path("x.index", name)
        data = bytearray(file.read_bytes())
        data[-90] ^= 4
        file.write_bytes(data)
        assert cli.main(["index", "--check", "--store", "x.index"]) == 3
        assert f"x.index: 1 damaged: {file.name}: not what was written" in capsys.readouterr().err
        assert index("--retry", "--quiet") == 0
        assert Store.open("x.index").current["digest"] == digest
        assert cli.main(["index", "--check", "--store", "x.index", "--quiet"]) == 0


def test_each_of_many_damaged_files_is_named(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert index("--quiet") == 0
    gone = sorted(Path("x.index", Store.open("x.index").current["generation"]).glob("*.npy"))[:5]
    for file in gone:
        file.unlink()
    assert cli.main(["index", "--check", "--store", "x.index", "--quiet"]) == 3
    said = capsys.readouterr().err
    assert all(f"error: {file.name}: " in said for file in gone)
    assert "error: x.index: 5 damaged; --retry does them again" in said


def test_shares_of_an_array_together_are_the_index(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert index("--runner", "array") == 2
    assert "which share is this machine's? say --share I/N" in capsys.readouterr().err
    monkeypatch.setenv("SLURM_ARRAY_TASK_COUNT", "2")
    for i in ("1", "0"):
        monkeypatch.setenv("SLURM_ARRAY_TASK_ID", i)
        assert index("--runner", "array", "--json") == 0
        told = json.loads(capsys.readouterr().out)
        assert (told["shards"], told["digest"] is None) == ((2, True) if i == "1" else (5, False))
    assert index("--store", "y.index", "--json") == 0
    assert json.loads(capsys.readouterr().out)["digest"] == told["digest"]
    assert index("--address", "10.0.0.1:6379") == 2
    assert "say --runner ray" in capsys.readouterr().err


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.slow
def test_who_is_interrupted_is_told_how_to_go_on(here: Path, end: signal.Signals, workers: str) -> None:
    photos(here, 400)
    line = [sys.executable, "-m", "pellucid", "index", "photos", *NET, "--store", "x.index", "--shard", "4"]
    child = subprocess.Popen([*line, "--workers", workers], stderr=subprocess.PIPE, text=True, start_new_session=True)
    begun = time.monotonic()
    while len(list(Path("x.index", "shards").glob("0*.npz"))) < 3 and time.monotonic() < begun + 120:
        time.sleep(0.02)
    os.killpg(child.pid, end) if end == signal.SIGINT else child.send_signal(end)  # as a terminal does it
    asked = time.monotonic()
    said = child.communicate(timeout=30)[1]
    assert time.monotonic() - asked < 5
    assert child.returncode == 130
    assert "of 100 shards are done; run the same line again to go on" in said
    assert "Traceback" not in said
    done = len(Store.open("x.index").committed())
    assert 3 <= done < 100
    assert not list(Path("x.index").rglob(".*.part"))


def test_python_is_told_what_the_command_line_is(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / ".hidden.png").write_bytes((here / "0001.png").read_bytes())
    (here / "0003.png").write_bytes(b"")
    made = units.index(small(), here, store="y.index", layers=["first"])
    said = (
        "a hidden image is left out: .hidden.png",
        "1 of 20 images could not be read",
        "'0003.png' is empty: 0 bytes",
    )
    assert tuple(map(str, made.notes)) == said
    assert [note.topic for note in made.notes] == ["input", "unreadable", "unreadable"]
    assert repr(made).split("\nnote: ") == ["Index('y.index': 20 images, 6 units of 1 layers)", *said]
    assert set(said) <= set(units.top_images(made, "first:1").meta.said)
    assert index() == 4
    assert {f"note: {said[0]}", f"note: {said[2]}"} <= set(capsys.readouterr().err.splitlines())
    assert Index.of("y.index").notes == ()
