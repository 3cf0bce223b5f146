"""docs/own_network.md from its first line to its last, in a folder with an image, a scan and two checkpoints."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pellucid.cli import main
from tests.images.test_science import dicom
from tests.lines import ROOT

PAGE = ROOT / "docs" / "own_network.md"
FENCE = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```', re.DOTALL | re.MULTILINE)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("PELLUCID_NET", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "model", raising=False)
    values = 329.7 + 211.2 * np.random.default_rng(0).normal(size=(48, 48))
    Image.fromarray(values.clip(0, 65535).astype(np.uint16)).save("slice.png")
    ct = np.full((40, 40), 40, np.int16)
    ct[10:30, 10:30] = -1000  # air
    Path("scan.dcm").write_bytes(dicom(ct, Modality="CT"))
    return tmp_path


def checkpoints() -> None:
    """What a training script and Lightning would have left, of the network of the page."""
    made: dict[str, object] = {}
    exec(Path("model.py").read_text(), made)
    state = made["net"]().state_dict()  # type: ignore[operator]
    torch.save(state, "weights.pt")
    wrapped = {f"model.{name}": values for name, values in state.items()}
    torch.save({"epoch": 3, "pytorch-lightning_version": "2.5.0", "state_dict": wrapped}, "lightning.ckpt")


def test_every_line_works(home: Path, read_here: None, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {}
    said: list[str] = []
    for language, title, text in FENCE.findall(PAGE.read_text(encoding="utf-8")):
        if title:
            (home / title).write_text(text)
            if title == "model.py":
                checkpoints()
        elif language == "python":
            exec(compile(text, "docs/own_network.md", "exec"), names)
        else:
            for line in text.splitlines():
                code = main(shlex.split(line)[1:])
                out, err = capsys.readouterr()
                assert code == 0, f"{line}: {err}"
                said.append(out + err)
    assert len(said) >= 12
    assert "no mean and std given" in said[1]
    assert not any("no mean and std given" in one for one in said[4:10])
    assert (home / "slice.grad_cam.png").stat().st_size > 3000
    assert str(names["same"].preprocess) == str(names["net"].preprocess)  # type: ignore[attr-defined]


def test_it_is_read_in_five_minutes() -> None:
    assert len(PAGE.read_text(encoding="utf-8").split()) < 1000
