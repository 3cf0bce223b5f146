"""The options of a method as its file says them, read without importing it: refusals and completion that need no torch.

What cannot be told from the files is left to the command itself.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import click
from click.shell_completion import CompletionItem, ShellComplete

from pellucid.catalogue import Entry
from pellucid.cli import complete
from pellucid.cli.common import common
from pellucid.cli.options import switched
from pellucid.cli.page import dashed
from pellucid.errors import unknown

_OFTEN = ("-t", "--target", "--top", "--view", "--check", "--no-check", "--bare", "--preview", "--film", "--fail-on",
          "--sheet", "--with-images", "--subset", "--with", "--resume", "--workers", "--address", "--help",
          "-h")  # fmt: skip
"""Options that only some methods have: which, nobody knows before the method is imported."""
_HOME = Path(__file__).parents[1]
_SWITCHES = ("--check", "--no-check", "--help", "-h")


@dataclass(frozen=True)
class Flag:
    """An option, as far as the file tells."""

    names: tuple[str, ...]
    help: str = ""
    choices: tuple[str, ...] | None = None
    """None where the file does not say them."""


def refuse(entry: Entry, words: Sequence[str]) -> None:
    """Refuse an option that this method cannot have. Raises UnknownName; says nothing of what it is not sure of."""
    if entry.package or not flags(entry) or {"-h", "--help"} & set(words):
        return
    own = [name for flag in flags(entry) for name in flag.names]
    shared = [name for one in common(out=True) for name in (*one.opts, *one.secondary_opts)]
    for word in words:
        if word == "--":
            return
        name = dashed(word.partition("=")[0])
        if word.startswith("--") and name not in (*own, *shared, *_OFTEN):
            kept = [one for one in (*own, *shared) if one.startswith("--")]
            raise unknown(f"{dashed(entry.name)} option", name, kept)


def completed(entry: Entry, ctx: click.Context, incomplete: str) -> list[CompletionItem] | None:
    """What may stand there next; None where the command itself has to be asked."""
    words, shared = list(ctx.args), common(out=True)
    before = dashed(words[-1]) if words else ""
    if incomplete.startswith("-"):
        every = [*flags(entry), *(Flag((*one.opts, *one.secondary_opts), one.help or "") for one in shared)]
        every += [Flag(("--target",), "what is asked")] if entry.over == "each" else []
        names = [(name, flag.help) for flag in every for name in flag.names if name.startswith("--")]
        return [CompletionItem(name, help=said) for name, said in names if name.startswith(incomplete)]
    if before in ("-t", "--target"):
        return complete.classes(words, incomplete)
    if before in ("--layer", "--layers"):
        return complete.layers(words, incomplete)
    for one in shared:
        if before in one.opts and not one.is_flag:
            return one.shell_complete(ctx, incomplete)
    found = next((flag for flag in flags(entry) if before in flag.names), None)
    if found is not None and len(found.names) == 1:  # an option with a value
        return complete.beginning(found.choices, incomplete) if found.choices else None
    if before in _OFTEN and before not in _SWITCHES:
        return None
    return complete.samples(incomplete) if incomplete.startswith("sample") else complete.files(incomplete)


@cache
def flags(entry: Entry) -> tuple[Flag, ...]:
    """The options of its own."""
    tree = _tree(entry.module)
    made = next((one for one in tree.body if isinstance(one, ast.FunctionDef) and one.name == entry.name), None)
    if made is None:
        return ()
    said = [_alias(entry.module, one.annotation) for one in made.args.kwonlyargs]
    return tuple(map(_flag, (one.arg for one in made.args.kwonlyargs), said, made.args.kw_defaults))


@cache
def _tree(module: str) -> ast.Module:
    """A file of this package, read and not imported."""
    file = _HOME.joinpath(*module.split(".")[1:])
    file = file / "__init__.py" if file.is_dir() else file.with_suffix(".py")
    return ast.parse(file.read_text(encoding="utf-8") if file.is_file() else "")


def _alias(module: str, annotation: ast.expr | None) -> ast.expr | None:
    """What stands for a name such as `Stride`, in this file or in that which it is from."""
    if not isinstance(annotation, ast.Name):
        return annotation
    name = annotation.id
    for one in _tree(module).body:
        match one:
            case ast.Assign(targets=[ast.Name(id)]) | ast.AnnAssign(target=ast.Name(id)) if id == name:
                return _alias(module, one.value)
            case ast.ImportFrom(module=str() as place) if place.startswith("pellucid."):
                found = next((each.name for each in one.names if (each.asname or each.name) == name), None)
                if found is not None:
                    return _alias(place, ast.Name(found))
    return annotation


def _flag(name: str, annotation: ast.expr | None, default: ast.expr | None) -> Flag:
    name, said, choices, several = f"--{dashed(name)}", "", None, False
    switch = isinstance(default, ast.Constant) and isinstance(default.value, bool)
    for node in ast.walk(annotation) if annotation else ():
        match node:
            case ast.Call(func=ast.Name("Shell"), args=[ast.Constant(str() as flag), *_]) if flag.startswith("--"):
                name = flag
            case ast.Call(func=ast.Name("Shell"), keywords=keywords):
                said_flags = [one.value for one in keywords if one.arg == "flag"]
                name = next((str(one.value) for one in said_flags if isinstance(one, ast.Constant)), name)
            case ast.Call(func=ast.Name("Field"), keywords=keywords):
                texts = [one.value for one in keywords if one.arg == "description"]
                said = next((str(one.value) for one in texts if isinstance(one, ast.Constant)), "")
            case ast.Subscript(value=ast.Name("Literal")):
                choices = tuple(str(one.value) for one in ast.walk(node.slice) if isinstance(one, ast.Constant))
            case ast.BinOp(right=right) if not (isinstance(right, ast.Constant) and right.value is None):
                several = True  # `Sequence[str] | Literal["all"]` has more than these
    return Flag((name, *([switched(name, False)] if switch else ())), said, None if several else choices)


class Sketched(click.Command):
    """A command that is being completed: it is imported only for what its file does not tell."""

    def __init__(self, entry: Entry, full: Callable[[], click.Command]) -> None:
        super().__init__(entry.name, context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
        self.entry, self.full = entry, full

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        found = completed(self.entry, ctx, incomplete)
        if found is None:
            found = ShellComplete(self.full(), {}, self.entry.name, "").get_completions(list(ctx.args), incomplete)
        return found
