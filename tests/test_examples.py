"""Every example runs, prints no warning, and makes the picture that the docs show."""

from __future__ import annotations

import os
import runpy
import shutil
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parents[1] / "examples"
EXAMPLES = sorted(ROOT.rglob("*.py"))
SLOW = {
    "ablation_cam",
    "activation_maximisation",
    "blur_integrated_gradients",
    "caricature",
    "diversity",
    "extremal_perturbation",
    "interpolation",
    "inversion",
    "lime",
    "score_cam",
    "shapley_sampling",
    "sobol",
    "style_transfer",
    "texture",
}
"""Thousands of passes each; they run with the other slow tests."""


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, marks=[pytest.mark.slow] if path.stem in SLOW else []) for path in EXAMPLES],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_example_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(path))
    if gallery := os.environ.get("PELLUCID_GALLERY"):  # so that the docs need not run it again
        shutil.copyfile(tmp_path / f"{path.stem}.png", Path(gallery) / f"{path.stem}.png")
    with Image.open(tmp_path / f"{path.stem}.png") as picture:
        picture.load()
        assert min(picture.size) > 200
        assert len(picture.convert("RGB").getcolors(1 << 24)) > 100
