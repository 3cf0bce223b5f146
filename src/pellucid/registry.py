"""Things of one kind by their names: ours, and those that other packages add by entry points.

A thing is declared where it is defined, by a decorator whose arguments are literals:

    @networks("timm", written="timm:NAME", extra="timm")
    def find(rest, *, pretrained): ...

Listing reads these lines in the source files and imports nothing, neither of ours nor of other packages, so that help
and completion stay fast. A thing is imported when it is asked for; where that fails, whoever asked is told in one line
which package it is and why, and everything else goes on.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from pellucid.errors import BadPlugin, PellucidError, unknown

D = TypeVar("D")
Called = Callable[[str, Any, Mapping[str, Any]], str]


@dataclass(frozen=True, eq=False)
class Row:
    """One thing, before it is imported."""

    name: str
    place: str
    """`package.module:NAME`."""
    first: Any = None
    """The first argument of its declaration, where there is one; of a class its name."""
    said: Mapping[str, Any] = field(default_factory=dict)
    """The other arguments of its declaration, by name."""
    package: str = ""
    """The package that adds it; empty where it is ours."""

    @property
    def module(self) -> str:
        """Where it is defined."""
        return self.place.partition(":")[0]


@dataclass(frozen=True)
class Failure:
    """What another package adds and cannot be had."""

    what: str
    name: str
    package: str
    reason: str

    def __str__(self) -> str:
        return f"the {self.what} {self.name!r} of the package {self.package} cannot be used: {self.reason}"


class Registry:
    """All things of one kind.

    `group` is the entry points by which other packages add some, `NAME = package.module:NAME`; `what` is the kind in
    words. Ours are in the files of `homes`: modules, packages, or with `.*` at the end the packages below one. `mark`
    is the decorator that declares them; without one they are found by importing the homes, whose classes `add`
    themselves. `called` makes the name of a thing from that of its definition and the arguments of its declaration.
    """

    def __init__(self, group: str, what: str, *homes: str, mark: str = "", called: Called | None = None) -> None:
        self.group, self.what, self.homes, self.mark = group, what, homes, mark
        self._called = called or (lambda name, first, said: name)
        self._added: dict[str, tuple[Row, Any]] = {}
        self._failed: dict[str, Failure] = {}

    def add(self, thing: Any, first: Any = None, /, **said: Any) -> None:
        """What a decorator does when its thing is defined. PellucidError where another thing has the name."""
        name, place = _place(thing)
        called = self._called(name, getattr(first, "__name__", first), said)
        there = self._there(called, ours=place.startswith("pellucid."))
        if there is not None and there.place != place:
            raise PellucidError(
                f"{place.partition(':')[0]} defines a {self.what} {called!r}, which {there.module} has already"
            )
        self._added[called] = Row(called, place, first, said), thing

    def declare(self, first: Any = None, /, **said: Any) -> Callable[[D], D]:
        """A decorator that adds what is defined under it, and leaves it as it is."""

        def added(thing: D) -> D:
            self.add(thing, first, **said)
            return thing

        return added

    def rows(self) -> tuple[Row, ...]:
        """Everything that is declared, ours first, by name; nothing is imported for it."""
        return tuple(self._known.values())

    def names(self) -> tuple[str, ...]:
        """What they are called."""
        return tuple(self._known)

    def row(self, name: str) -> Row:
        """What has that name. UnknownName with the nearest, or BadPlugin where a package fails to add it."""
        self._look_for(name)
        found = self._known.get(name)
        if found is not None:
            return found
        failure = next((one for one in self._read[1] if one.name == name), None)
        if failure is not None:
            raise BadPlugin(str(failure))
        raise unknown(self.what, name, self._known)

    def has(self, name: str) -> bool:
        """Whether there is a thing of that name, or a package fails to add one."""
        self._look_for(name)
        return name in self._known or any(one.name == name for one in self._read[1])

    def get(self, name: str) -> Any:
        """The thing itself. UnknownName with the nearest, or BadPlugin where its package cannot be imported."""
        return self.load(self.row(name))

    def load(self, row: Row) -> Any:
        """The thing of a row. BadPlugin, in one line, where the package of others that adds it cannot be imported."""
        if row.name in self._added and self._added[row.name][0].place == row.place:
            return self._added[row.name][1]
        if row.place in self._failed:
            raise BadPlugin(str(self._failed[row.place]))
        try:
            return _imported(row.place)
        except Exception as error:
            if not row.package:
                raise
            self._failed[row.place] = self._failure(row.name, row.package, error)
            raise BadPlugin(str(self._failed[row.place])) from error

    def failures(self) -> tuple[Failure, ...]:
        """What other packages add in vain; everything of theirs is imported to see."""
        for row in self.rows():
            with suppress(BadPlugin):
                self.load(row) if row.package else None
        return (*self._read[1], *self._failed.values())

    def forget(self) -> None:
        """Read everything anew when next asked: packages were installed or removed meanwhile."""
        self.__dict__.pop("_read", None)
        self._failed.clear()

    def _look_for(self, name: str) -> None:
        """What is declared by no decorator is there once its file is imported."""
        if not self.mark and name not in self._known:
            for module, _ in _modules(self.homes):
                import_module(module)

    def _there(self, name: str, *, ours: bool) -> Row | None:
        """What has the name already. For a file of ours the others are not read: it may be imported on its own."""
        added = self._added[name][0] if name in self._added else None
        return added or (None if ours or not self.mark else self._known.get(name))

    @property
    def _known(self) -> dict[str, Row]:
        """By name. What is defined in this process and nowhere declared comes last."""
        return {**self._read[0], **{name: row for name, (row, _) in self._added.items() if name not in self._read[0]}}

    @cached_property
    def _read(self) -> tuple[dict[str, Row], list[Failure]]:
        """What the sources say, and what of other packages they do not."""
        rows: dict[str, Row] = {}
        failures: list[Failure] = []
        for module, path in _modules(self.homes) if self.mark else ():
            for row in self._declared(path, module):
                if row.name in rows:
                    raise PellucidError(f"{row.place} is declared as {self.what} {row.name!r}, a name taken already")
                rows[row.name] = row
        for point in sorted(entry_points(group=self.group), key=lambda point: (_package(point), point.name)):
            try:
                found = list(self._offered(point))
            except Exception as error:
                failures.append(self._failure(point.name, _package(point), error))
                continue
            for row in found:
                taken = rows.get(row.name)
                if taken is None:
                    rows[row.name] = row
                elif taken.place != row.place:
                    reason = f"{taken.place} has this name"
                    failures.append(Failure(self.what, row.name, row.package, reason))
        return rows, failures

    def _offered(self, point: EntryPoint) -> Iterator[Row]:
        """What an entry point adds, as its source says. Any error of the package where it has to be imported for it."""
        package, place = _package(point), point.value.partition("[")[0].strip()
        if not self.mark:
            yield Row(point.name, place, package=package)
            return
        module = place.partition(":")[0]
        found = [row for row in self._declared(_file_of(module), module, package) if row.place == place]
        if not found:  # it is defined elsewhere, and handed on
            thing = _imported(place)
            _, place = _place(thing)
            module = place.partition(":")[0]
            found = [row for row in self._declared(_file_of(module), module, package) if row.place == place]
        if not found:
            raise PellucidError(f"{place} is declared by no @{self.mark}(…)")
        yield from found

    def _declared(self, path: Path | None, module: str, package: str = "") -> Iterator[Row]:
        """What a source file declares, without importing it."""
        if path is None or f"{self.mark}(" not in (text := path.read_text(encoding="utf-8")):
            return
        for node in _decorated(text, f"{self.mark}("):
            for call in node.decorator_list:
                if isinstance(call, ast.Call) and _last(call.func) == self.mark:
                    first, said = self._said(call, path)
                    yield Row(self._called(node.name, first, said), f"{module}:{node.name}", first, said, package)

    def _said(self, call: ast.Call, path: Path) -> tuple[Any, dict[str, Any]]:
        """The arguments of a declaration: the first by itself, the others by name."""
        try:
            said = {str(one.arg): ast.literal_eval(one.value) for one in call.keywords}
            return _literal(call.args[0]) if call.args else None, said
        except ValueError as error:
            raise PellucidError(
                f"{path}, line {call.lineno}: the arguments of @{self.mark}(…) are literals, for they are read without "
                "importing the file"
            ) from error

    def _failure(self, name: str, package: str, error: BaseException) -> Failure:
        said = " ".join(str(error).split())[:200]
        ours = isinstance(error, PellucidError)
        return Failure(self.what, name, package, said if ours else f"{type(error).__name__}: {said}".rstrip(": "))


_DECORATED = re.compile(r"^(@.*?^)(def|class) +(\w+)", re.MULTILINE | re.DOTALL)


def _decorated(text: str, mark: str) -> list[ast.FunctionDef | ast.ClassDef]:
    """The functions and classes of a source whose decorators hold `mark`, without their bodies: to parse all of every
    file is a tenth of the time in which the command line begins.
    """
    found = []
    for block in _DECORATED.finditer(text):
        if mark in block[1]:
            above = "\n" * text.count("\n", 0, block.start())  # for the numbers of the lines
            empty = f"{block[2]} {block[3]}(): pass"
            try:
                found += ast.parse(f"{above}{block[1]}{empty}").body
            except SyntaxError:  # it begins in a text
                found = ast.parse(text).body
                break
    return [node for node in found if isinstance(node, (ast.FunctionDef, ast.ClassDef))]


def _modules(homes: tuple[str, ...]) -> Iterator[tuple[str, Path]]:
    """The modules that are a home, or lie in the folder of one or of the packages below it; and their files."""
    for home in homes:
        package, below = home.removesuffix(".*"), home.endswith(".*")
        file = _file_of(package)
        if file is not None and file.name != "__init__.py":
            yield package, file
        elif file is not None:
            for path in sorted(file.parent.glob("*/*.py" if below else "*.py")):
                if path.name != "__init__.py":
                    yield ".".join([package, *path.relative_to(file.parent).with_suffix("").parts]), path


def _file_of(module: str) -> Path | None:
    """The source file of a module, found without importing it or the packages that it is in."""
    inside: Any = None
    spec = None
    parts = module.split(".")
    for i in range(len(parts)):
        name = ".".join(parts[: i + 1])
        finders = (finder for finder in sys.meta_path if callable(getattr(finder, "find_spec", None)))
        spec = next((found for finder in finders if (found := finder.find_spec(name, inside)) is not None), None)
        if spec is None:
            return None
        inside = spec.submodule_search_locations
    path = Path(spec.origin) if spec is not None and spec.origin else None
    return path if path is not None and path.suffix == ".py" and path.is_file() else None


def _imported(place: str) -> Any:
    module, _, name = place.partition(":")
    found: ModuleType = import_module(module)
    return getattr(found, name)


def _place(thing: Any) -> tuple[str, str]:
    """What a function or a class is called, and where it is defined."""
    return thing.__name__, f"{thing.__module__}:{thing.__qualname__}"


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.value.partition(".")[0].partition(":")[0]


def _last(node: ast.expr) -> str:
    """The last word of a dotted name."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _literal(node: ast.expr) -> Any:
    """A value, or of a class its name."""
    return _last(node) if isinstance(node, (ast.Name, ast.Attribute)) else ast.literal_eval(node)
