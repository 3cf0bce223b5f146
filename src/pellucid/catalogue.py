"""The catalogue of methods. A method is declared once; its signature is the declaration.

The keyword-only arguments of a method become a pydantic model; validation, the command line, the web form, the
documentation and the store key all read that model. Listing the methods does not import them: their names and
titles are read from the source files, so that help stays fast.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import inspect
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, TypeVar, cast

import pydantic
from pydantic.fields import FieldInfo

from pellucid.errors import OutOfMemory, PellucidError, is_out_of_memory, unknown
from pellucid.notes import collected

R = TypeVar("R")
_HOME = Path(__file__).parent / "methods"
_GROUP = "pellucid.methods"


@dataclass(frozen=True)
class Entry:
    """One row of the catalogue: where a method is, and what it is called. Importing it is left to `function`."""

    name: str
    title: str
    source: str
    chapter: str
    module: str

    @cached_property
    def function(self) -> Callable[..., Any]:
        """The method itself."""
        found: Callable[..., Any] = getattr(import_module(self.module), self.name)
        return found

    @property
    def doc(self) -> str:
        """Its docstring."""
        return inspect.getdoc(self.function) or ""

    @property
    def summary(self) -> str:
        """The first line of its docstring."""
        return self.doc.partition("\n")[0]

    @property
    def options(self) -> type[pydantic.BaseModel]:
        """The model of its keyword-only arguments."""
        return options_of(inspect.unwrap(self.function))

    def gives(self, kind: type) -> bool:
        """Whether the method says that its result is of that kind."""
        return _hints(inspect.unwrap(self.function)).get("return") is kind

    @property
    def together(self) -> bool:
        """Whether its answer is one for all the images together: a table of what they make a network do is."""
        from pellucid.result import Table  # here, because listing the methods must not wait for numpy

        return "images" in self.arguments and self.gives(Table)

    @property
    def arguments(self) -> dict[str, inspect.Parameter]:
        """What it asks about, in order: a selection of net, images, target."""
        return _split(inspect.unwrap(self.function))[0]


def method(title: str, *, source: str) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Declare a plain function as a method: `title` for people, `source` the paper and the place in it.

    Positional arguments are turned into what their annotations say (a path into Images, a class name into a
    Target), options are validated, and the result's Meta records all of them with their defaults. A list of
    targets gives a tuple of results, from one forward pass where memory allows.
    """

    def declare(function: Callable[..., R]) -> Callable[..., R]:
        @functools.wraps(function)
        def asked(*args: Any, **kwargs: Any) -> R:
            from pellucid.ambient import neutral  # here, because listing the methods must not wait for torch

            with neutral():
                return answered(*args, **kwargs)

        def answered(*args: Any, **kwargs: Any) -> R:
            arguments, _ = _split(function)
            given = {**dict(zip(arguments, args, strict=False))}
            if len(args) > len(arguments):
                raise PellucidError(f"{function.__name__} takes {', '.join(arguments)}; its options are given by name")
            given |= {name: kwargs.pop(name) for name in list(kwargs) if name in arguments and name not in given}
            if isinstance(given.get("target"), (list, tuple)) and not takes_many(function):
                return cast(R, _each(asked, function, given, kwargs))
            nouns = _nouns(function, arguments, given)
            options = validated(function, {name: _spelled(value, nouns) for name, value in kwargs.items()})
            with collected() as said:
                answer = _in_room(function, nouns, options)
            return _signed(answer, function.__name__, title, options, nouns, said)

        asked.title, asked.source = title, source  # type: ignore[attr-defined]
        return asked

    return declare


def _in_room(function: Callable[..., R], nouns: dict[str, Any], options: dict[str, Any]) -> R:
    """The method's answer; where memory runs out, once more with half as many images at a time, down to one."""
    while True:
        try:
            return function(**nouns, **options)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            said = str(error).partition("\n")[0]
        # Outside the handler: the traceback holds whatever filled the memory.
        if not any(noun.halve() for noun in nouns.values() if hasattr(noun, "halve")):
            raise OutOfMemory(
                f"{function.__name__}: {said}, not even one image at a time: give the network a smaller input, or ask "
                "on a device with more memory"
            )


def takes_many(function: Callable[..., Any]) -> bool:
    """Whether the method answers several targets in one result by itself."""
    return hasattr(_hints(inspect.unwrap(function)).get("target"), "__len__")


def _each(asked: Callable[..., R], function: Callable[..., R], given: dict[str, Any], options: dict[str, Any]) -> Any:
    """One result for each target; the network need not run forward again for what it has been shown."""
    targets = given.pop("target")
    if not targets:
        raise PellucidError(f"{function.__name__}: the list of targets is empty")
    net = _hints(function)["net"].of(given.pop("net")).remembering()
    return tuple(asked(net=net, target=target, **given, **options) for target in targets)


def _nouns(
    function: Callable[..., Any], arguments: dict[str, inspect.Parameter], given: dict[str, Any]
) -> dict[str, Any]:
    """The positional arguments as what they should be: every noun knows `of(value)`; those with names for what a
    network holds, such as targets, are `of(value, net)`.
    """
    hints = _hints(function)
    nouns: dict[str, Any] = {}
    for name, parameter in arguments.items():
        if name not in given and parameter.default is parameter.empty:
            raise PellucidError(f"{function.__name__} needs {name}: {function.__name__}({', '.join(arguments)})")
        of, value, net = hints[name].of, given.get(name, parameter.default), nouns.get("net")
        if name == "images" and net is not None and value is not None:
            value = net.images(value)  # what an array means is known by the network that takes it
        nouns[name] = of(value, net) if "net" in inspect.signature(of).parameters else of(value)
    return nouns


def _spelled(value: Any, nouns: Mapping[str, Any]) -> Any:
    """An option as text where it is a part of a network: its layers may be given as the modules that they are."""
    for noun in nouns.values():
        value = noun.spelled(value) if hasattr(noun, "spelled") else value
    return value


def _signed(
    result: R, name: str, title: str, options: dict[str, Any], nouns: dict[str, Any], arose: Iterable[str]
) -> R:
    """The result with its origin written into its Meta."""
    from pellucid.result import versions  # here, because listing the methods must not wait for numpy

    said = result.meta  # type: ignore[attr-defined]
    facts = {key: value for noun in nouns.values() for key, value in noun.facts().items() if not getattr(said, key)}
    notes = [*arose, *(note for noun in nouns.values() for note in getattr(noun, "notes", ()))]
    notes += [note for noun in nouns.values() if hasattr(noun, "remarks") for note in noun.remarks(options)]
    meta = dataclasses.replace(
        said,
        notes=tuple(dict.fromkeys((*said.notes, *notes))),
        method=name,
        title=title,
        options={name: plain(value) for name, value in options.items()},
        seed=options.get("seed", said.seed),
        versions=versions(),
        **facts,
    )
    return dataclasses.replace(result, meta=meta)  # type: ignore[type-var]


def plain(value: Any) -> Any:
    """An option as Meta records it, as files hold it: of pictures their names, of an unknown value its text."""
    if hasattr(value, "facts"):
        return value.facts()
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, tuple):
        return tuple(map(plain, value))
    if isinstance(value, Mapping):
        return {key: plain(one) for key, one in value.items()}
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def validated(function: Callable[..., Any], given: dict[str, Any]) -> dict[str, Any]:
    """All options of a method with their defaults. Raises PellucidError: one line, the option and what it may be."""
    model, name = options_of(function), function.__name__
    for option in given:
        if option not in model.model_fields:
            raise unknown(f"option of {name}", option, model.model_fields)
    try:
        options = model(**given)
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        option, shown = ".".join(map(str, first["loc"][:1])), repr(first["input"])
        raise PellucidError(f"{name}: {option}={shown[:80]}: {first['msg'].lower()}") from error
    return {option: getattr(options, option) for option in model.model_fields}


@functools.cache
def options_of(function: Callable[..., Any]) -> type[pydantic.BaseModel]:
    """The keyword-only arguments of a method as a pydantic model."""
    hints = _hints(function)
    fields: dict[str, Any] = {
        name: (hints[name], ... if parameter.default is parameter.empty else parameter.default)
        for name, parameter in _split(function)[1].items()
    }
    config = pydantic.ConfigDict(extra="forbid", arbitrary_types_allowed=True, allow_inf_nan=False)
    return pydantic.create_model(function.__name__, __config__=config, **fields)


def allowed(field: FieldInfo) -> str:
    """What an option may be, for people: 'grey | black', '1 to 4096', 'yes | no', 'text'."""
    kinds = [kind for kind in typing.get_args(field.annotation) or (field.annotation,) if kind is not type(None)]
    if typing.get_origin(field.annotation) is typing.Literal:
        return " | ".join(map(str, kinds))
    low, high = (next((getattr(r, key) for r in field.metadata if hasattr(r, key)), None) for key in ("ge", "le"))
    if low is not None and high is not None:
        return f"{low} to {high}"
    if low is not None:
        return f"{low} or more"
    return {bool: "yes | no", int: "whole number", float: "number", str: "text"}.get(kinds[0], "value")


@functools.cache
def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    return typing.get_type_hints(function, include_extras=True)


@functools.cache
def _split(function: Callable[..., Any]) -> tuple[dict[str, inspect.Parameter], dict[str, inspect.Parameter]]:
    """(what it asks about, options)."""
    parameters = inspect.signature(function).parameters.items()
    asks = {n: p for n, p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD}
    return asks, {n: p for n, p in parameters if p.kind is p.KEYWORD_ONLY}


@functools.cache
def entries() -> tuple[Entry, ...]:
    """Every method, ours and those of other packages (entry-point group `pellucid.methods`), by chapter and name."""
    files = ((path, f"pellucid.methods.{path.parent.name}.{path.stem}") for path in sorted(_HOME.glob("*/*.py")))
    found = [entry for path, module in files for entry in _declared(path, module)]
    for point in entry_points(group=_GROUP):
        function = point.load()
        module = function.__module__
        found.append(Entry(point.name, function.title, function.source, module.rpartition(".")[2], module))
    return tuple(sorted(found, key=lambda entry: (entry.chapter, entry.name)))


def _declared(path: Path, module: str) -> list[Entry]:
    """The methods that a source file declares, without importing it."""
    found = []
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        for call in getattr(node, "decorator_list", []):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "method":
                title = ast.literal_eval(call.args[0])
                source = ast.literal_eval(call.keywords[0].value)
                found.append(Entry(node.name, title, source, path.parent.name, module))  # type: ignore[attr-defined]
    return found


def find(name: str) -> Entry:
    """The method of that name, also as chapter.name, or UnknownName with the nearest."""
    for entry in entries():
        if name in (entry.name, f"{entry.chapter}.{entry.name}"):
            return entry
    raise unknown("method", name, [entry.name for entry in entries()])
