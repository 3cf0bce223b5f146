"""What is said in the shell names the options of the shell, and those that it names work."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import pellucid as pl
from pellucid.catalogue import Entry, entries, find
from pellucid.cli import main
from pellucid.cli.ask import command
from pellucid.cli.options import flag_of
from pellucid.cli.words import spoken, translated
from pellucid.draw import draw

OPTIONS = {name: f"--{name.replace('_', '-')}" for name in (
    "input_size", "value_range", "mean", "std", "weights", "net", "channels", "fill", "per_pixel")}  # fmt: skip


@pytest.mark.parametrize(
    ("python", "shell"),
    [
        ("say load(..., size=28)", "say --input-size 28"),
        ("load(..., size=(192, 256)) says it", "--input-size 192x256 says it"),
        ("load('timm:NAME', weights='a b'), or weights= with", "--net timm:NAME --weights 'a b', or --weights with"),
        ("such as Nets.of(…, net='model.py:net')", "such as --net model.py:net"),
        ("pass value_range=(0, 65535), or clip", "pass --value-range 0,65535, or clip"),
        ("load(..., mean=3.5, value_range=(0, 9) for a, value_range=(0, 7) for b)",
         "--mean 3.5 --value-range 0,9 for a, --value-range 0,7 for b"),
        ("fill='mean' is near; per_pixel=True: no", "--fill mean is near; --per-pixel: no"),
        ("baseline='black' lies far", "--baseline black lies far"),
        ("in Python read(read(picture).pictures[0][:3])", "in Python read(read(picture).pictures[0][:3])"),
        ("no class 'mean=3'; the network's mean=2", "no class 'mean=3'; the network's --mean 2"),
        ("--threads=2, other=5, a.mean=3", "--threads=2, other=5, a.mean=3"),
    ],
)  # fmt: skip
def test_words(python: str, shell: str) -> None:
    assert translated(python, OPTIONS) == shell
    assert translated(shell, OPTIONS) == shell


def _spelled(entry: Entry) -> int:
    """Whether what Python names in a message is the flag that the command takes; how many of these are other words."""
    words, fields = spoken(command(entry)), entry.options.model_fields
    for name, field in fields.items():
        flag = flag_of(name, field)
        assert words(f"leave {name}= out") == f"leave {flag} out", entry.name
        assert words(f"no such {name}='x y'") == f"no such {flag} 'x y'", entry.name
    return sum(flag_of(name, field).removeprefix("--") != name.replace("_", "-") for name, field in fields.items())


def test_an_option_whose_flag_is_another_word() -> None:
    assert _spelled(find("prototypes")) == 1  # classes= is --class
    assert spoken(command(find("grad_cam")))("give size=28") == "give --input-size 28"
    assert spoken(command(find("occlusion")))("give size=28") == "give --size 28"


@pytest.mark.slow
def test_every_option_of_every_method_whose_flag_is_another_word() -> None:
    assert sum(_spelled(entry) for entry in entries()) > 3


NET = """
from torch import nn
def own():
    return nn.Sequential(nn.Conv2d(1, 2, 3, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 2))
def fixed():
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(2 * 26 * 26, 2))
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("nets.py").write_text(NET)
    Image.fromarray((np.random.default_rng(0).random((40, 40)) * 3000).astype(np.uint16)).save("slice.png")
    Image.fromarray((np.random.default_rng(0).normal(size=(40, 40)) * 300).astype(np.float32)).save("floats.tif")
    return tmp_path


def test_an_own_network_of_16_bits(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["predict", "slice.png", "--net", "nets.py:own", "--scores", "logits"]
    assert main([*command, "--mean", "329.7", "--std", "375"]) == 2
    assert "--mean 329.7 --std 375.0 --value-range 0,65535 for 16-bit data" in capsys.readouterr().err
    assert main([*command, "--mean", "329.7", "--std", "375", "--value-range", "0,65535"]) == 0
    assert "note" not in capsys.readouterr().err
    assert main(command) == 0
    assert "note: no mean and std given" in (said := capsys.readouterr().err)
    assert "--mean 0 --std 1" in said
    assert main([*command, "--mean", "0", "--std", "65535", "--value-range", "0,65535"]) == 0
    assert "note" not in capsys.readouterr().err


def test_floats_and_sizes(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["predict", "floats.tif", "--net", "nets.py:own"]
    assert main(command) == 3
    assert "pass --value-range" in capsys.readouterr().err
    assert main([*command, "--value-range", "-2000,2000", "--mean", "0", "--std", "300"]) == 0
    assert main([*command, "--value-range", "5"]) == 2
    assert "--value-range 5.0: LOW,HIGH" in capsys.readouterr().err
    assert main(["predict", "slice.png", "--net", "nets.py:fixed"]) == 3
    assert "--input-size 28" in capsys.readouterr().err
    assert main(["predict", "slice.png", "--net", "nets.py:fixed", "--input-size", "28"]) == 0
    assert main(["predict", "slice.png", "--net", "nets.py:own", "--channels", "1", "--interpolation", "nearest"]) == 0


def test_an_index_of_floats_on_their_scale(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("photos/.ipynb_checkpoints").mkdir(parents=True)
    for name in ("a.tif", "b.tif", ".ipynb_checkpoints/a.tif"):
        Path("photos", name).write_bytes(Path("floats.tif").read_bytes())
    scale = ["--value-range", "-2000,2000", "--mean", "0", "--std", "300"]
    assert main(["index", "photos", "--store", "x", "--net", "nets.py:own", "--count", "2", *scale]) == 0
    assert "a hidden image is left out: .ipynb_checkpoints/a.tif" in (said := capsys.readouterr().err)
    assert "2 images, " in said
    assert "0 unreadable" in said


@pytest.mark.slow
def test_a_source_tree_that_was_never_installed(own: Path) -> None:
    import pellucid

    code = (
        "import importlib.metadata as m\n"
        "def gone(name): raise m.PackageNotFoundError(name)\n"
        "real = m.version\n"
        "m.version = lambda name: gone(name) if name == 'pellucid' else real(name)\n"
        "import pellucid as pl\n"
        "print(pl.load('nets.py:own').predict('slice.png').meta.versions['pellucid'])\n"
    )
    source = str(Path(pellucid.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": source}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert done.stdout.strip() == pellucid.__version__, done.stderr


@pytest.mark.slow
def test_pictures_name_the_options_of_the_shell_and_numbers_those_of_python(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Any] = []
    monkeypatch.setattr("pellucid.draw.draw", lambda result, over, **look: drawn.append(result) or draw(result, over))
    command = ["slice.png", "--net", "nets.py:own", "--scores", "logits", "--out"]
    assert main(["gradient", *command, "a.png"]) == main(["gradient", *command, "a.npz"]) == 0
    assert main(["explain", *command, "b.png", "--methods", "gradient", "--classes", "1"]) == 0
    assert main(["occlusion_products", *command, "c.png"]) == 0
    heat, explained, panel = drawn
    for meta in (heat.meta, explained.rows[0].maps[0].meta, panel.meta):
        assert any("--mean 0 --std 1" in note for note in meta.said)
        assert not any("load(" in note for note in meta.said)
    kept = pl.open("a.npz").meta.said
    assert any("mean=" in note for note in kept)
