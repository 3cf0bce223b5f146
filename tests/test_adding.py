"""The page "Adding to it" is true: added to a copy of the source, all passes its own tests and those for everything."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "adding.md"


def files() -> dict[str, str]:
    """Path -> text of every file that the page shows."""
    return dict(re.findall(r'^```python title="([^"]+)"\n(.*?)^```', PAGE.read_text(encoding="utf-8"), re.S | re.M))


def test_each_is_in_as_few_files_as_it_says() -> None:
    shown = files()
    assert [sum(name in path for path in shown) for name in ("contrast", "curves", "share_above")] == [3, 3, 2]
    assert len(shown) == 8
    assert not [path for path in shown if (ROOT / path).exists()]


@pytest.mark.slow
def test_what_the_page_adds_is_everywhere(tmp_path: Path) -> None:
    for folder in ("src", "tests", "examples", "docs", "benchmarks", "notebooks", "changelog.d"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", "gallery"))
    for name in ("pyproject.toml", "README.md", "mkdocs.yml"):
        shutil.copy(ROOT / name, tmp_path)
    for path, text in files().items():
        (tmp_path / path).write_text(text, encoding="utf-8")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path / "src"), str(tmp_path)])}

    def run(*words: str) -> str:
        done = subprocess.run([sys.executable, *words], cwd=tmp_path, env=env, capture_output=True, text=True)
        assert done.returncode == 0, f"{words}:\n{done.stdout[-4000:]}\n{done.stderr[-2000:]}"
        return done.stdout

    run("docs/stubs.py")
    run("-m", "ruff", "check", "--no-cache", *files())
    run("-m", "ruff", "format", "--check", "--no-cache", *files())
    about = "contrast or curves or share_above or house or stubs or no_kind_is_left_out or standard"
    asked = run("-m", "pytest", "-n", "0", "-p", "no:cacheprovider", "-vv", "-k", about)
    for name in ("test_contrast.py::", "test_curves.py::", "test_share_above.py::", "_is_left_behind[contrast]"):
        assert name in asked, asked
    assert "--points" in run("-m", "pellucid", "contrast", "--help")
    assert "--above" in run("-m", "pellucid", "index", "--help")
