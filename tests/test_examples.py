"""Every example runs, prints no warning, and makes the picture that the docs show."""

from __future__ import annotations

import os
import runpy
import shutil
from pathlib import Path

import pytest
from PIL import Image

import pellucid as pl

ROOT = Path(__file__).parents[1] / "examples"
EXAMPLES = sorted(ROOT.rglob("*.py"))
FAST = {"grad_cam", "first_layer"}
"""The others run with the slow tests, ahead of the docs, which show what they made."""


@pytest.fixture(scope="session")
def samples_index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The index of the sample photos that most examples begin with, made by whichever process comes first."""
    folder, own = tmp_path_factory.getbasetemp(), "PYTEST_XDIST_WORKER" not in os.environ
    store = (folder if own else folder.parent) / "samples.index"
    pl.units.index("bundled", "samples", store=store)
    return store


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, marks=[] if path.stem in FAST else [pytest.mark.slow]) for path in EXAMPLES],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_example_runs(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.chdir(tmp_path)
    if "samples.index" in path.read_text(encoding="utf-8"):  # examples share it: copied, not made anew
        shutil.copytree(request.getfixturevalue("samples_index"), tmp_path / "samples.index")
    runpy.run_path(str(path))
    if gallery := os.environ.get("PELLUCID_GALLERY"):  # so that the docs need not run it again
        shutil.copyfile(tmp_path / f"{path.stem}.png", Path(gallery) / f"{path.stem}.png")
    with Image.open(tmp_path / f"{path.stem}.png") as picture:
        picture.load()
        assert min(picture.size) > 200
        assert len(picture.convert("RGB").getcolors(1 << 24)) > 100
