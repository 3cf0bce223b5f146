"""The architecture, held by reading the source: who imports whom, where hooks and pictures may be."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "pellucid"
FILES = sorted(SOURCE.rglob("*.py"))

# room -> the rooms that it may import; a room may always import itself and those on the first line
GROUND = {
    "ambient",
    "bars",
    "rng",
    "decisions",
    "described",
    "errors",
    "export",
    "faces",
    "files",
    "geometry",
    "loading",
    "notes",
    "nouns",
    "npz",
    "plugins",
    "progress",
    "registry",
    "result",
    "resume",
    "settings",
    "statistics",
}
EVERYTHING = GROUND | {
    "images", "net", "target", "data", "history", "layout", "sweep", "index", "catalogue", "render", "saliency",
    "loss", "learning", "interpretable", "image_set", "evaluation", "training_set", "surrogates", "decomposition",
    "draw", "ask", "methods", "store", "workers",
}  # fmt: skip
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "ambient": set(),
    "rng": set(),
    "geometry": set(),
    "notes": set(),
    "described": set(),
    "loading": {"errors", "described"},
    "nouns": {"errors", "notes"},
    "decisions": {"errors", "files", "nouns"},
    "progress": set(),
    "bars": {"progress"},
    "faces": set(),
    "statistics": {"geometry"},
    "registry": {"errors"},
    "plugins": {"registry"},
    "npz": set(),
    "export": {"errors"},
    "files": {"errors"},
    "settings": {"errors", "files", "loading", "plugins"},
    "resume": {"errors", "geometry", "progress"},
    "result": {"decisions", "errors", "files", "geometry", "loading", "notes", "npz", "plugins"},
    "images": GROUND,
    "net": GROUND | {"images"},
    "target": GROUND | {"images", "net"},
    "data": GROUND | {"images", "net"},
    "history": GROUND | {"images", "net"},
    "layout": GROUND,
    "sweep": GROUND | {"images", "net"},
    "image_set": GROUND | {"images", "net", "data"},
    "index": GROUND | {"images", "net", "target", "layout", "sweep"},
    "catalogue": GROUND,
    "render": GROUND | {"images", "net", "target"},
    "loss": GROUND | {"images", "net", "target", "data", "history"},
    "learning": GROUND | {"images", "net", "target", "data", "history"},
    "interpretable": GROUND | {"images", "net", "data", "learning"},
    "saliency": GROUND | {"images", "net", "target"},
    "decomposition": GROUND | {"images", "net", "target", "index", "saliency", "render"},
    "evaluation": GROUND | {"images", "net", "target", "data", "image_set", "catalogue", "saliency", "render"},
    "training_set": GROUND
    | {"images", "net", "target", "data", "image_set", "history", "catalogue", "saliency", "render", "layout"}
    | {"index", "learning", "evaluation"},
    "surrogates": GROUND
    | {"images", "net", "target", "data", "image_set", "history", "layout", "index", "learning", "training_set"},
    "methods": GROUND
    | {
        "images",
        "net",
        "target",
        "data",
        "history",
        "image_set",
        "evaluation",
        "training_set",
        "surrogates",
        "decomposition",
        "layout",
        "index",
        "catalogue",
        "render",
        "saliency",
        "loss",
        "learning",
        "interpretable",
    },
    "draw": GROUND | {"images"},
    "ask": GROUND | {"images", "net", "target", "catalogue", "evaluation"},
    "store": GROUND | {"catalogue"},
    "workers": GROUND | {"catalogue", "images", "net", "sweep"},
    "web": EVERYTHING,
    "cli": {*EVERYTHING, "web", "cli", ""},
    "": EVERYTHING | {"web"},
    "__main__": {"cli"},
}


def room(module: str) -> str:
    """'pellucid.net.tap' -> 'net'; the package itself is ''."""
    return module.split(".")[1] if "." in module else ""


def module_of(path: Path) -> str:
    parts = ["pellucid", *path.relative_to(SOURCE).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(text_of(path))


def imports(path: Path) -> set[str]:
    """Every module of ours that the file imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            found |= {f"pellucid.{alias.name}" for alias in node.names} if node.module == "pellucid" else {node.module}
    return {name for name in found if name.split(".")[0] == "pellucid"}


def test_who_imports_whom() -> None:
    wrong = []
    for path in FILES:
        module = module_of(path)
        here = room(module)
        assert here in MAY_IMPORT, f"{here!r} is a new room: say in this test whom it may import"
        strangers = {name for name in imports(path) if room(name) not in MAY_IMPORT[here] | {here}}
        wrong += [f"{module} may not import {name}" for name in sorted(strangers - {"pellucid.__version__"})]
    assert not wrong, "\n".join(wrong)


def test_the_rule_can_fail(tmp_path: Path) -> None:
    file = tmp_path / "x.py"
    file.write_text("def f():\n    from pellucid.draw import colors\n    import pellucid.cli\n")
    assert {room(name) for name in imports(file)} == {"draw", "cli"}


def inside_an_index(tree: ast.Module) -> list[int]:
    """Lines that reach into the files or the plan of an index."""
    inside = ("store", "plan")
    return [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr in inside]


def test_methods_ask_an_index_and_not_its_files() -> None:
    for path in FILES:
        if room(module_of(path)) == "methods":
            lines = inside_an_index(tree_of(path))
            assert not lines, f"{module_of(path)}, lines {lines}: the store or plan of an index; ask index[LAYER]"
    assert inside_an_index(ast.parse("a = 1\nb = index.store.array('x') + index.plan.count")) == [2, 2]


def test_hooks_live_in_one_place() -> None:
    words = r"register_\w*hook|TorchFunctionMode|TorchDispatchMode|__torch_function__|__torch_dispatch__"
    found = {module_of(path) for path in FILES if re.search(words, text_of(path))}
    ours = {"tap", "midway", "clips", "dropout", "norms", "channels", "patterns", "rules.engine"}
    others = {"pellucid.net.training_hooks"}  # these live in somebody else's training
    assert found == {f"pellucid.net.{name}" for name in ours} | others


def test_pictures_are_made_in_one_place() -> None:
    for path in FILES:
        if room(module_of(path)) != "draw":
            assert "matplotlib" not in re.sub(r"\"[^\"\n]*\"", "", text_of(path)), path
        assert "pyplot" not in re.sub(r"(#|\"\"\")[^\n]*", "", text_of(path)), path


def unsafe(node: ast.AST) -> str:
    """What is wrong with a piece of code; "" where nothing is."""
    if isinstance(node, ast.Assert):
        return "assert: raise a PellucidError"
    if isinstance(node, ast.ExceptHandler):
        if node.type is None:
            return "bare except"
        if len(node.body) == 1 and isinstance(node.body[0], ast.Pass):
            return "an error passes silently"
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load":
        safe = [k.value for k in node.keywords if k.arg == "weights_only"]
        if not safe or getattr(safe[0], "value", None) is not True:
            return "torch.load without weights_only=True"
    if isinstance(node, ast.Import) and {"pickle", "dill", "marshal", "shelve"} & {alias.name for alias in node.names}:
        return "reads what it should not believe"
    return ""


def test_no_unsafe_or_silent_code() -> None:
    wrong = [
        f"{path}:{getattr(node, 'lineno', 0)}: {unsafe(node)}"
        for path in FILES
        for node in ast.walk(tree_of(path))
        if unsafe(node)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "code",
    ["assert x", "try: f()\nexcept: g()", "try: f()\nexcept E: pass", "torch.load(x)", "import os, pickle"]
    + [f"torch.load(x, weights_only={value})" for value in ("False", "flag")],
)
def test_unsafe_code_is_found(code: str) -> None:
    assert any(unsafe(node) for node in ast.walk(ast.parse(code)))


SMALL = {"methods", "layout", "render", "saliency"}
"""Rooms of many small files: 175 lines at most, whether a file is a method, a helper of one or a part of the engine."""


def helpers(path: Path) -> set[str]:
    """The files of methods/ named `_x.py` that this one imports."""
    return {name for name in imports(path) if room(name) == "methods" and name.rpartition(".")[2].startswith("_")}


def test_files_and_functions_stay_small() -> None:
    wrong = []
    for path in FILES:
        lines = text_of(path).count("\n")
        limit = 175 if room(module_of(path)) in SMALL else 400
        if lines > limit:
            wrong.append(f"{path} has {lines} lines: is there a second room inside?")
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.FunctionDef) and (length := (node.end_lineno or 0) - node.lineno) > 66:
                wrong.append(f"{path}: {node.name} is {length} lines long; it should fit a screen")
    assert not wrong, "\n".join(wrong)


def test_a_helper_file_is_for_one_neighbor() -> None:
    """What several files use is an open module, or has a room."""
    users = [(name, module_of(path)) for path in FILES for name in helpers(path)]
    for helper in {name for name, _ in users}:
        known = sorted(user for name, user in users if name == helper)
        assert len(known) == 1, f"{helper} is used by {known}: it needs an open name"


def test_methods_are_methods() -> None:
    """At most 15 % of the lines of methods/ are in helper files."""
    lines = {path: text_of(path).count("\n") for path in FILES if room(module_of(path)) == "methods"}
    share = sum(count for path, count in lines.items() if re.match("_[^_]", path.name)) / sum(lines.values())
    assert 0 < share <= 0.15, f"{share:.0%} of methods/ is in helper files: what has no room yet?"


def test_private_names_stay_in_their_file() -> None:
    modules = {module_of(path) for path in FILES}
    wrong = []
    for path in FILES:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pellucid"):
                private = {alias.name for alias in node.names if re.match("_[^_]", alias.name)}
                private = {name for name in private if f"{node.module}.{name}" not in modules}
                wrong += [f"{path} imports {name} of {node.module}: give it an open name" for name in private]
    assert not wrong, "\n".join(wrong)


def test_protocols_can_be_checked() -> None:
    """The slow suite checks types as it runs, and asks of an argument whether it keeps an annotated protocol."""
    classes = [(path, node) for path in FILES for node in ast.walk(tree_of(path)) if isinstance(node, ast.ClassDef)]
    protocols = [
        (path, node) for path, node in classes if "Protocol" in {getattr(base, "id", "") for base in node.bases}
    ]
    wrong = [
        f"{path}: {node.name} needs @runtime_checkable"
        for path, node in protocols
        if "runtime_checkable" not in {getattr(one, "id", "") for one in node.decorator_list}
    ]
    assert protocols
    assert not wrong, "\n".join(wrong)


def test_every_module_says_what_it_is() -> None:
    silent = [str(path) for path in FILES if not ast.get_docstring(tree_of(path))]
    assert not silent
