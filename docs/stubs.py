"""Writes what editors and type checkers read: a stub for each chapter of methods, and one for `pellucid.draw`.

    python docs/stubs.py

A method's own file declares its nouns, its options and what it gives; a caller may write more than that (a path for
images, a list of targets), and would have its options explained. So the stub of a chapter holds for every method the
signature that a caller has: for a noun whatever its `of` takes, for an option whatever its validator takes, a tuple of
results where a list is as many questions, and a docstring with a line for each option. Nothing is written by hand.
"""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
import json
import textwrap
import types
import typing
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic import BeforeValidator
from pydantic.fields import FieldInfo

import pellucid
import pellucid.draw as draw
from pellucid.catalogue import Entry, allowed, entries
from pellucid.nouns import Noun, Takes
from pellucid.plugins import DRAWINGS, RESULTS
from pellucid.result import Heatmap, Pictures, Result

SOURCE = Path(pellucid.__file__).parent
MADE = "# Made by docs/stubs.py: do not edit. `python docs/stubs.py` makes it again.\n"


@dataclass
class Stub:
    """One stub while it is written: what it imports, what it hands on, and its text."""

    doc: str
    imports: dict[str, set[str]] = field(default_factory=dict)
    handed_on: dict[str, str] = field(default_factory=dict)
    parts: list[str] = field(default_factory=list)

    def name(self, name: str, module: str) -> str:
        """A name that a signature needs."""
        if module != "builtins":
            self.imports.setdefault(module, set()).add(name)
        return name

    @property
    def text(self) -> str:
        """All of it; what is handed on is imported once."""
        needed = {module: sorted(names - {*self.handed_on}) for module, names in sorted(self.imports.items())}
        lines = [f"from {module} import {', '.join(names)}" for module, names in needed.items() if names]
        lines += [f"from {module} import {name} as {name}" for name, module in sorted(self.handed_on.items())]
        return "\n".join([f'"""{self.doc}"""', "", MADE, *lines, "", *self.parts])


def stubs() -> dict[Path, str]:
    """The stubs by the file that each is."""
    chapters = sorted(path.parent for path in SOURCE.glob("methods/*/__init__.py"))
    return {**{one / "__init__.pyi": chapter(one.name) for one in chapters}, SOURCE / "draw" / "_call.pyi": drawing()}


def chapter(name: str) -> str:
    """The stub of a chapter of methods."""
    module = import_module(f"pellucid.methods.{name}")
    methods = {entry.name: entry for entry in entries() if entry.module.startswith(f"{module.__name__}.")}
    stub = Stub(inspect.getdoc(module) or "")
    for one in module.__all__:
        if one in methods:
            stub.parts.append(method(methods[one], stub))
        else:
            stub.handed_on[one] = home(module.__name__, one)
    return stub.text


def method(entry: Entry, stub: Stub) -> str:
    """A method as a caller sees it: once as it is, and once for each noun of which a list is as many questions."""
    options = [option(name, info, entry, stub) for name, info in entry.options.model_fields.items()]
    gives = written(entry.plainly, "return", stub)
    kinds = {name: written(kind.of, "value", stub) for name, kind in entry.nouns.items()}
    several = [name for name, kind in entry.nouns.items() if kind.apart]
    calls = [call(entry, kinds, options, gives, documented(entry))]
    for name in several:
        variable = f"_{kinds[name]}"
        stub.name("TypeVar", "typing")
        bound = f'{variable} = TypeVar("{variable}", bound={kinds[name]})\n'
        if bound not in stub.parts:
            stub.parts.append(bound)
        lists = {**kinds, name: f"list[{variable}] | tuple[{variable}, ...]"}
        doc = f"{entry.title}: one result for each {name}.\n\n{arguments(entry)}"
        calls.append(call(entry, lists, options, f"tuple[{gives}, ...]", doc, needed=name))
    if several:
        stub.name("overload", "typing")
        calls = [f"@overload\n{one}" for one in calls]
    return "\n".join(calls)


def call(entry: Entry, kinds: dict[str, str], options: list[str], gives: str, doc: str, needed: str = "") -> str:
    """The text of one signature with its docstring; the noun that is `needed` has no default."""
    given = [
        f"{name}: {kind}" + (" = ..." if entry.arguments[name].default is not inspect.Parameter.empty else "")
        for name, kind in kinds.items()
        if name != needed
    ]
    if needed:
        before = list(kinds).index(needed)
        given = [one.removesuffix(" = ...") for one in given[:before]] + [f"{needed}: {kinds[needed]}"] + given[before:]
    return signature(entry.name, [*given, *(["*", *options] if options else [])], gives, doc)


def signature(name: str, parameters: list[str], gives: str, doc: str) -> str:
    """A function without a body, a line for each parameter."""
    inside = "".join(f"    {one},\n" for one in parameters)
    said = textwrap.indent(f'"""{doc}\n"""' if "\n" in doc else f'"""{doc}"""', "    ")
    said = "\n".join(line.rstrip() for line in said.replace("\\", "\\\\").split("\n"))
    return f"def {name}(\n{inside}) -> {gives}:\n{said}\n"


def option(name: str, info: FieldInfo, entry: Entry, stub: Stub) -> str:
    """One option: what a caller may give, and its default."""
    hint = typing.get_type_hints(entry.plainly, include_extras=True)[name]
    default = "" if info.is_required() else f" = {plain(info.default)}"
    return f"{name}: {shown(hint, stub)}{default}"


def plain(value: Any) -> str:
    """A default as it would be written; of what has no short text, only that there is one."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, tuple):
        return f"({''.join(f'{plain(one)}, ' for one in value).removesuffix(' ' if len(value) == 1 else ', ')})"
    return repr(value) if value is None or isinstance(value, (bool, int, float)) else "..."


def shown(hint: Any, stub: Stub) -> str:
    """A type as its caller may fill it: pydantic takes a list for a tuple, a validator what it says that it takes."""
    return " | ".join(dict.fromkeys(_shown(hint, stub)))


def _shown(hint: Any, stub: Stub, beside: tuple[str, ...] = ()) -> Iterator[str]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        yield from _annotated(arguments[0], arguments[1:], stub)
    elif origin in (typing.Union, types.UnionType):
        scalars = tuple(one for part in arguments if typing.get_origin(part) is not tuple for one in _shown(part, stub))
        each = [one for part in arguments for one in _shown(part, stub, scalars)]
        yield from sorted((one for one in each if one != "int" or "float" not in each), key=lambda one: one == "None")
    elif origin is typing.Literal:
        yield f"{stub.name('Literal', 'typing')}[{', '.join(plain(one) for one in arguments)}]"
    elif origin is tuple and arguments[-1] is Ellipsis:
        one = shown(arguments[0], stub)
        if "str" in one.split(" | ") and "str" not in beside:  # a text is a sequence of texts as well
            lists = [f"list[{part}]" for part in one.split(" | ")]
            yield from dict.fromkeys((*lists, f"list[{one}]", f"tuple[{one}, ...]"))  # a list of texts is no wider one
        else:
            yield f"{stub.name('Sequence', 'collections.abc')}[{one}]"
    elif origin is tuple:
        yield f"tuple[{', '.join(shown(one, stub) for one in arguments)}]"
    elif hint is type(None):
        yield "None"
    else:
        yield stub.name(hint.__name__, hint.__module__)


def _annotated(hint: Any, how: tuple[Any, ...], stub: Stub) -> Iterator[str]:
    """What stands in `Annotated`: a validator that runs first decides on what may be given."""
    for one in how:
        if isinstance(one, BeforeValidator):
            text = written(one.func, next(iter(inspect.signature(one.func).parameters)), stub)
            yield from text.split(" | ")
            return
    yield from _shown(hint, stub)
    for one in how:
        if isinstance(one, Takes):
            yield stub.name(one.also.__name__, one.also.__module__)


def written(function: Callable[..., Any], parameter: str, stub: Stub) -> str:
    """An annotation as it stands in its file, with whatever it names imported from where that is made."""
    text = inspect.unwrap(function).__annotations__[parameter]
    for node in ast.walk(ast.parse(text, mode="eval")):
        if isinstance(node, ast.Name) and (node.id in names(function.__module__) or not hasattr(builtins, node.id)):
            stub.name(node.id, home(function.__module__, node.id))
    return text


def home(module: str, name: str) -> str:
    """The module in which a name is made that this one has."""
    made = names(module)[name]
    return home(made, name) if made.startswith("pellucid.") and made != module else made


@functools.cache
def names(module: str) -> dict[str, str]:
    """Name -> the module that it is imported from, or this one."""
    found: dict[str, str] = {}
    for node in ast.parse(inspect.getsource(import_module(module))).body:
        if isinstance(node, ast.ImportFrom):
            found |= {one.asname or one.name: str(node.module) for one in node.names}
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found[node.name] = module
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {one.id: module for one in targets if isinstance(one, ast.Name)}
    return found


def documented(entry: Entry) -> str:
    """The docstring of a method, with where it is from and all that it may be given."""
    return f"{entry.title}\n\n{entry.doc}\n\nSource: {entry.source}.\n\n{arguments(entry)}"


def arguments(entry: Entry) -> str:
    """All that a method may be given, in the form in which editors look for parameters: one line for each."""
    lines = [f"{name}: {taken(kind)}" for name, kind in entry.nouns.items()]
    for name, info in entry.options.model_fields.items():
        value = str(info.default) if isinstance(info.default, Noun) else info.default
        default = "required" if info.is_required() else f"by default {plain(value)}"
        facts = "; ".join(one for one in (allowed(info), default) if one != "value")
        lines.append(f"{name}: {info.description or ''} ({facts})")
    return "\n".join(["Args:", *(f"    {one}" for one in lines)])


def taken(kind: type[Noun]) -> str:
    """What may be given for a noun, as the text below the name says that its `of` takes."""
    name = kind.of.__annotations__["value"]
    body = ast.parse(inspect.getsource(import_module(home(kind.of.__module__, name)))).body
    for node, after in pairwise(body):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == name:
            return " ".join(ast.literal_eval(after.value).split()) if isinstance(after, ast.Expr) else ""
    raise LookupError(f"{kind.__name__}.of takes {name}: name what it takes, {kind.__name__}Like, and say it below")


def drawing() -> str:
    """The stub of `pellucid.draw`: each kind of result with the options of its own drawing."""
    stub = Stub("`pellucid.draw` as type checkers see it; there is no such module when it runs.")
    over = f"over: {stub.name('ImagesLike', 'pellucid.images')} | None = None"
    stub.name("overload", "typing")
    back = stub.name("Picture", "pellucid.draw.picture")
    rows = [row for row in DRAWINGS.rows() if not row.package]
    alone = {RESULTS.get(row.name): DRAWINGS.load(row) for row in rows if not row.said.get("several")}
    lists = {row.name.removeprefix("list of "): DRAWINGS.load(row) for row in rows if row.said.get("several")}
    each = {kind: drawn_options(drawn, stub) for kind, drawn in alone.items()}
    kinds = []
    for kind, drawn in alone.items():
        both = lists.get(kind.__name__) is drawn
        kinds.append((several(kind, stub, alone=True) if both else named(kind, stub), each[kind], drawn))
        if kind.__name__ in lists and not both:
            listed = lists[kind.__name__]
            kinds.append((several(kind, stub, alone=False), drawn_options(listed, stub), listed))
    shared = [one for one in each[Heatmap] if all(one in how for how in each.values())]
    kinds.append((named(Result, stub), shared, draw.draw))  # of whatever kind, as `open` gives it back
    for kind, how, said in kinds:
        doc = inspect.getdoc(said) or ""
        stub.parts.append("@overload\n" + signature("draw", [f"result: {kind}", over, "*", *how], back, doc))
    stub.parts += drawn_into(stub, over, each[Heatmap])
    return stub.text


def drawn_into(stub: Stub, over: str, how: Sequence[str]) -> Iterator[str]:
    """What `draw` is with `ax`: a part of somebody's figure."""
    axes, back = stub.name("Axes", "matplotlib.axes"), stub.name("ScalarMappable", "matplotlib.cm")
    many = stub.name("Sequence", "collections.abc")
    maps = f"{stub.name('Heatmap', Heatmap.__module__)} | {many}[Heatmap] | {named(Pictures, stub)}"
    one, all_ = "In an axes of your own: one map or picture.", "In axes of your own: a map or picture in each."
    for given, found, doc in ((axes, back, one), (f"{many}[{axes}]", f"list[{back}]", all_)):
        yield "@overload\n" + signature("draw", [f"result: {maps}", over, "*", f"ax: {given}", *how], found, doc)
    whole = f"{stub.name('Figure', 'matplotlib.figure')} | {stub.name('SubFigure', 'matplotlib.figure')}"
    result, options = f"result: {named(Result, stub)} | {many}[Result]", f"**options: {stub.name('Any', 'typing')}"
    doc = "All of a drawing in a figure of your own."
    yield "@overload\n" + signature("draw", [result, over, "*", f"ax: {whole}", options], whole, doc)


def named(kind: type, stub: Stub) -> str:
    return stub.name(kind.__name__, kind.__module__)


def several(kind: type, stub: Stub, *, alone: bool) -> str:
    """A list of results that are drawn together, or also one alone."""
    name = named(kind, stub)
    return f"{f'{name} | ' if alone else ''}{stub.name('Sequence', 'collections.abc')}[{name}]"


def drawn_options(drawn: Callable[..., Any], stub: Stub) -> list[str]:
    """The options of a drawing; where it takes those of `Look` besides, these too."""
    hints, parameters = typing.get_type_hints(drawn), inspect.signature(drawn).parameters.values()
    found = {one.name: (hints[one.name], one.default) for one in parameters if one.kind is one.KEYWORD_ONLY}
    if any(one.kind is one.VAR_KEYWORD for one in parameters):
        look = typing.get_type_hints(draw.Look)
        found = {**{one.name: (look[one.name], one.default) for one in fields(draw.Look)}, **found}
    return [f"{name}: {shown(hint, stub)} = {plain(default)}" for name, (hint, default) in found.items()]


def main() -> None:
    """Write those that have changed."""
    for path, text in stubs().items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(path.relative_to(SOURCE.parents[1]))


if __name__ == "__main__":
    main()
