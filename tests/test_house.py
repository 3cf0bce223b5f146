"""The architecture, held by reading the source: who imports whom, where hooks and pictures may be."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "pellucid"
FILES = sorted(SOURCE.rglob("*.py"))

# room -> the rooms that it may import; a room may always import itself and those on the first line
GROUND = {"ambient", "chance", "errors", "files", "geometry", "notes", "nouns", "npz", "progress", "result"}
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "ambient": set(),
    "chance": set(),
    "geometry": set(),
    "notes": set(),
    "nouns": {"errors", "notes"},
    "progress": set(),
    "npz": set(),
    "files": {"errors"},
    "result": {"errors", "files", "geometry", "notes", "npz"},
    "images": GROUND,
    "net": GROUND | {"images"},
    "target": GROUND | {"images", "net"},
    "sweep": GROUND | {"images", "net"},
    "catalogue": GROUND,
    "methods": GROUND | {"images", "net", "target", "sweep", "catalogue"},
    "draw": GROUND | {"images"},
    "ask": GROUND | {"images", "net", "target", "catalogue"},
    "cli": GROUND | {"images", "net", "target", "sweep", "catalogue", "draw", "ask", "methods", ""},
    "": GROUND | {"images", "net", "target", "sweep", "catalogue", "draw", "ask", "methods"},
    "__main__": {"cli"},
}


def room(module: str) -> str:
    """'pellucid.net.tap' -> 'net'; the package itself is ''."""
    return module.split(".")[1] if "." in module else ""


def module_of(path: Path) -> str:
    parts = ["pellucid", *path.relative_to(SOURCE).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> set[str]:
    """Every module of ours that the file imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            found |= {f"pellucid.{alias.name}" for alias in node.names} if node.module == "pellucid" else {node.module}
    return {name for name in found if name.split(".")[0] == "pellucid"}


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_who_imports_whom(path: Path) -> None:
    here = room(module_of(path))
    assert here in MAY_IMPORT, f"{here!r} is a new room: say in this test whom it may import"
    strangers = {name for name in imports(path) if room(name) not in MAY_IMPORT[here] | {here}}
    strangers -= {f"pellucid.{name}" for name in ("__version__",)}
    assert not strangers, f"{module_of(path)} may not import {sorted(strangers)}"


def test_the_rule_can_fail(tmp_path: Path) -> None:
    file = tmp_path / "x.py"
    file.write_text("def f():\n    from pellucid.draw import colours\n    import pellucid.cli\n")
    assert {room(name) for name in imports(file)} == {"draw", "cli"}


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_hooks_live_in_one_place(path: Path) -> None:
    words = r"register_\w*hook|TorchFunctionMode|TorchDispatchMode|__torch_function__|__torch_dispatch__"
    allowed = {"pellucid.net.tap", "pellucid.net.clips", "pellucid.net.rules.engine"}
    if module_of(path) not in allowed:
        assert not re.search(words, path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_pictures_are_made_in_one_place(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if room(module_of(path)) != "draw":
        assert "matplotlib" not in re.sub(r"\"[^\"\n]*\"", "", text)
    assert "pyplot" not in re.sub(r"(#|\"\"\")[^\n]*", "", text)


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_no_unsafe_or_silent_code(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        assert not isinstance(node, ast.Assert), f"{path.name}:{node.lineno}: assert; raise a PellucidError"
        if isinstance(node, ast.ExceptHandler):
            silent = len(node.body) == 1 and isinstance(node.body[0], ast.Pass)
            assert node.type is not None, f"{path.name}:{node.lineno}: bare except"
            assert not silent, f"{path.name}:{node.lineno}: an error passes silently"
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "load":
            home = getattr(getattr(node.func, "value", None), "id", "")
            if home == "torch":
                safe = [k.value for k in node.keywords if k.arg == "weights_only"]
                assert safe, f"{path.name}:{node.lineno}: torch.load without weights_only"
                assert getattr(safe[0], "value", None) is True
    assert not {"pickle", "dill", "marshal", "shelve"} & {
        alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    }


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    lines = text.count("\n")
    limit = 160 if room(module_of(path)) == "methods" and not path.name.startswith("_") else 400
    assert lines <= limit, f"{path.name} has {lines} lines: is there a second room inside?"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            length = (node.end_lineno or 0) - node.lineno
            assert length <= 66, f"{path.name}: {node.name} is {length} lines long; it should fit a screen"


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_every_module_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), f"{path} has no docstring"
