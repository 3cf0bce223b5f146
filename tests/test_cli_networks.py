"""Checkpoints on the command line: examples that work, patterns that no shell has expanded, refusals that say a way."""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np
import pytest
import torch

from pellucid.catalogue import entries, find
from pellucid.cli import main
from pellucid.cli.examples import examples
from pellucid.cli.files import places
from pellucid.images import Images
from pellucid.net.nets import Nets

NETS = """
import torch
from torch import nn
def net():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, 2), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Dropout(0.2), nn.Linear(4 * 49, 3))
"""
SEEN = ["--net", "model.py:net", "--input-size", "16", "--mean", "0", "--std", "1", "--quiet"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A network, steps of its training, a first and a last one, and images of its classes."""
    monkeypatch.chdir(tmp_path)
    Path("model.py").write_text(NETS)
    rng = np.random.default_rng(0)
    np.savez("photos.npz", images=rng.integers(0, 255, (6, 16, 16, 3), np.uint8), labels=np.arange(6) % 3)
    found: dict[str, object] = {}
    exec(NETS, found)
    module = found["net"]()  # type: ignore[operator]
    Path("run").mkdir()
    for step in (1, 2, 10):
        with torch.no_grad():
            for weight in module.parameters():
                weight += 0.01 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(step))
        torch.save(module.state_dict(), f"run/step{step}.pth")
    for name, step in (("first", 1), ("last", 10)):
        Path(f"{name}.pth").write_bytes(Path(f"run/step{step}.pth").read_bytes())
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("entry", [one for one in entries() if one.asks(Nets)], ids=lambda entry: entry.name)
def test_the_examples_of_help_pages_answer(entry: object, capsys: pytest.CaptureFixture[str]) -> None:
    """With checkpoints, their network is named; a pattern is expanded where no shell has done it."""
    name = entry.name  # type: ignore[attr-defined]
    for example in examples(find(name)):
        assert "--net model.py:net" in example
    _, *words = shlex.split(example.replace("photos/", "photos.npz"))
    quick = {"connect": ["--epochs", "1"]}.get(name, [])
    points = [] if name == "linear_regions" or "--points" in words else ["--points", "3"]
    words = ["3:reach=0.5" if word == "9:reach=0.5" else word for word in words]
    code = main([*words, *points, *quick, *SEEN[2:]])
    said = capsys.readouterr()
    assert (code, said.err) == (0, "")
    assert Path(f"{name}.png").is_file()


@pytest.mark.parametrize("name", ["uncertainty", "doubt"])
def test_examples_of_dropout_name_a_network_of_ones_own(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    entry = find(name)
    first, _ = examples(entry)
    _, *words = shlex.split(first.replace("photos/", "photos.npz"))
    assert words[-2:] == SEEN[:2]
    assert main([*words, "--samples", "3", *SEEN[2:], "--out", "x.png"]) == 0, capsys.readouterr().err
    capsys.readouterr()
    if entry.asks(Images):
        assert main(["uncertainty", "sample:panda", "--samples", "3"]) == 2
        assert (
            "ask about a network that has some, such as nn.Dropout, or about its calibration" in capsys.readouterr().err
        )


@pytest.mark.slow
def test_a_pattern_that_no_shell_has_expanded(capsys: pytest.CaptureFixture[str]) -> None:
    """Steps come in the order of their numbers, and the file is called after the folder, never after the pattern."""
    words = ["photos.npz", *SEEN[:-1], "--points", "3"]
    assert main(["trajectory", "run/*.pth", *words]) == 0
    said = capsys.readouterr()
    assert said.out == "run.trajectory.png\n"
    assert "(step1) to" in said.err
    assert "(step10)" in said.err
    assert "order" not in said.err
    assert main(["trajectory", "nothing/*.pth", *words]) == 3
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("error: no checkpoint matches 'nothing/*.pth': name their folder, or files ending in")
    assert not [path for path in Path().iterdir() if "*" in path.name]


def test_no_file_is_called_after_a_pattern(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stem(name: str) -> str:
        [[path]] = places((), [name], "x")
        return path.name.removesuffix(".x.png")

    assert stem("run/*.pth") == stem("run/step[0-9].pth") == stem("run/step?.pth") == "run"
    assert stem("runs/*/last.pth") == "last"
    Path("photo[1].jpg").touch()
    assert stem("photo[1].jpg") == "photo[1]", "a file of that name is there"
    Path("a*.jpg").touch()
    assert "*" not in stem("a*.jpg")
    monkeypatch.chdir("run")
    assert stem("*.pth") == "run"
    monkeypatch.chdir("/")
    assert stem("*.pth") == "picture"


def test_refusals_name_a_way_in_the_words_of_the_shell(capsys: pytest.CaptureFixture[str]) -> None:
    for words, code, way in (
        (["between", "first.pth", "last.pth", "photos.npz"], 3,
         "'first.pth' holds weights, which are no architecture: say of which network they are, such as "
         "--net model.py:net"),
        (["between", "first.pth", "photos.npz", *SEEN], 2,
         "between takes two networks, these are 1: first; name a second one after it, before the data"),
        (["trajectory", "first.pth", "last.pth", "photos.npz", *SEEN], 2,
         "trajectory takes three networks of one training at least, these are 2: first, last; name more checkpoints of "
         "it, their folder, or a pattern such as 'run/*.pth'"),
    ):  # fmt: skip
        assert main(words) == code
        assert capsys.readouterr().err == f"error: {way}\n"
