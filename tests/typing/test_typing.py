"""What a type checker says to a caller: of every method, right calls pass and have the kind of their result, wrong ones
are refused. mypy and pyright read the same files, in which every line marked `refused` must be an error and no other.
"""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pellucid.catalogue import Entry
from pellucid.catalogue import entries as every
from pellucid.catalogue.options import result_of
from pellucid.data import Data, NewTask
from pellucid.history import History
from pellucid.image_set import ImageSet
from pellucid.images import Images
from pellucid.index import Index
from pellucid.methods.units import Indexes, Unit
from pellucid.net import Net
from pellucid.net.nets import Nets
from pellucid.nouns import Noun
from pellucid.target import Target, Targets

ROOT = Path(__file__).parents[2]
WRITTEN: dict[type[Noun], str] = {
    Net: '"bundled"', Images: '["dog.jpg", "cat.jpg"]', Target: '"boxer"', Targets: '["boxer", 3]', Unit: '"layer4:3"',
    Data: '"photos/"', ImageSet: '"photos/"', NewTask: '"photos/"', History: '"run/"',
    Nets: '["first.pth", "last.pth"]', Index: '"photos.index"', Indexes: '["first.index", "last.index"]',
}  # fmt: skip
"""What a person writes for each noun."""
OURS = [entry for entry in every() if entry.module.startswith("pellucid.methods.")]
REFUSED = re.compile(r"#.*\brefused\b")
Errors = set[tuple[str, int]]
"""(file, line) of everything that a type checker refuses."""


def calls(entry: Entry) -> list[str]:
    """Calls of one method as a person writes them, right and wrong."""
    gives, fields = f"result.{result_of(entry.plainly).__name__}", entry.options.model_fields
    nouns = {name: WRITTEN[kind] for name, kind in entry.nouns.items()}
    needed = {name: '"folder"' for name, info in fields.items() if info.is_required()}
    usual = {name: value(info.default) for name, info in fields.items() if name not in needed}
    wanted = {name for name, how in entry.arguments.items() if how.default is how.empty} | {*needed}

    def call(*bare: str, **named: str) -> str:
        given = ", ".join([*bare, *(f"{name}={text}" for name, text in named.items())])
        return f"pl.{entry.chapter}.{entry.name}({given})"

    whole = {**nouns, **needed}
    lines = [
        f"assert_type({call(*nouns.values(), **needed)}, {gives})",
        f"assert_type({call(**whole)}, {gives})",
        call(**whole, **usual),
        f"{call(**whole, no_such_option='1')}  # refused",
        *(f"{call(**{**whole, name: 'object()'})}  # refused" for name in (*whole, *usual)),
        *(f"{call(**{one: text for one, text in whole.items() if one != name})}  # refused" for name in sorted(wanted)),
    ]
    for name, kind in entry.nouns.items():
        if kind.apart:
            several = {**whole, name: f"[{nouns[name]}, {nouns[name]}]"}
            lines.append(f"assert_type({call(**several)}, tuple[{gives}, ...])")
            lines.append(f"{call(**several, no_such_option='1')}  # refused")
    return lines


def value(default: Any) -> str:
    """A default as it is written; of what has no literal its text."""
    plain = default is None or isinstance(default, (bool, int, float, str, tuple))
    return repr(default if plain else str(default))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that both type checkers read."""
    folder = tmp_path_factory.mktemp("typing")
    head = ["from typing import assert_type", "", "import pellucid as pl", "from pellucid import result", ""]
    for chapter in {entry.chapter for entry in OURS}:
        lines = [line for entry in OURS if entry.chapter == chapter for line in calls(entry)]
        (folder / f"{chapter}.py").write_text("\n".join([*head, *lines]) + "\n", encoding="utf-8")
    shutil.copy(Path(__file__).with_name("face.py"), folder)
    return folder


def mypy(folder: Path) -> Errors:
    """What mypy refuses in strict mode."""
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--output=json", "--python-version=3.11"]
    command += ["--disable-error-code=import-untyped", "--disable-error-code=import-not-found"]
    cache = f"--cache-dir={folder.parent / 'mypy_cache'}"
    path = {**os.environ, "MYPYPATH": str(ROOT / "src")}
    done = subprocess.run(
        [*command, cache, *map(str, sorted(folder.glob("*.py")))], env=path, capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    said = [json.loads(line) for line in done.stdout.splitlines()]
    return {(Path(one["file"]).name, one["line"]) for one in said if one["severity"] == "error" and _mine(one, folder)}


def _mine(said: dict[str, Any], folder: Path) -> bool:
    return Path(said["file"]).resolve().parent == folder.resolve()


def pyright(folder: Path) -> Errors:
    """What pyright refuses, in its standard mode; basedpyright is the same and needs nothing but its wheel."""
    program = Path(sys.executable).with_name("basedpyright")
    if not program.exists():
        pytest.skip("no basedpyright beside this Python: it is in the extra typing")
    how = {"typeCheckingMode": "standard", "extraPaths": [str(ROOT / "src")], "pythonVersion": "3.11"}
    (folder / "pyrightconfig.json").write_text(json.dumps(how), encoding="utf-8")
    command = [str(program), "--outputjson", "--pythonpath", sys.executable, "-p", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = json.loads(done.stdout)["generalDiagnostics"]
    assert {one["severity"] for one in said} <= {"error"}, done.stdout
    return {(Path(one["file"]).name, one["range"]["start"]["line"] + 1) for one in said}


@pytest.mark.slow  # torch is read from the beginning
@pytest.mark.parametrize("checker", [mypy, pyright])
def test_every_wrong_call_is_refused_and_no_other(checker: Callable[[Path], Errors], folder: Path) -> None:
    found, wrong, lines = checker(folder), set(), {}
    for path in folder.glob("*.py"):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            lines[path.name, number] = line
            if REFUSED.search(line):
                wrong.add((path.name, number))
    assert [lines[one] for one in sorted(found - wrong)] == [], "right, but refused"
    assert [lines[one] for one in sorted(wrong - found)] == [], "wrong, but not refused"


def test_every_method_is_called_right_and_wrong() -> None:
    """The test above can fail: each method is called with a wrong option, wrong types, and without what it needs."""
    for entry in OURS:
        wrong = [line for line in calls(entry) if REFUSED.search(line)]
        assert sum("object()" in line for line in wrong) == len(entry.nouns) + len(entry.options.model_fields)
        assert sum("no_such_option" in line for line in wrong) >= 1
        assert sum("object()" not in line and "no_such_option" not in line for line in wrong) >= 1, "nothing is missing"


def test_stubs_are_what_the_methods_declare() -> None:
    for path, text in runpy.run_path(str(ROOT / "docs" / "stubs.py"))["stubs"]().items():
        written = path.read_text(encoding="utf-8") if path.exists() else ""
        assert written == text, f"run `python docs/stubs.py`: {path.relative_to(ROOT)} is not what the methods declare"


def test_the_types_travel_with_the_package() -> None:
    assert (ROOT / "src" / "pellucid" / "py.typed").exists()
