"""@method: a plain function becomes a method, whose nouns make themselves and whose results are signed."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from contextvars import ContextVar
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, NoReturn, ParamSpec, Protocol, TypeVar, cast, runtime_checkable

from pellucid.bars import shown
from pellucid.catalogue.options import arguments_of, nouns_of, validated
from pellucid.errors import OutOfMemory, PellucidError, is_out_of_memory
from pellucid.notes import collected
from pellucid.nouns import Noun

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
Over = Literal["each", "all"]
"""Whether the answer is one for each image, or one for all of them together."""
_declared: dict[tuple[str, str], Callable[..., Any]] = {}
"""(module, name) -> method, of every module that is imported."""


@runtime_checkable
class Method(Protocol[P, R_co]):
    """A function that was declared as a method, as type checkers see it: with its own nouns and options.

    What else each noun makes itself of, and what a list of targets gives, is in the stub of its chapter.
    """

    __name__: str
    title: str
    source: str
    purpose: str
    shows: str
    over: Over
    quick: Mapping[str, Any]

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """The answer."""


def method(
    title: str,
    *,
    source: str,
    purpose: str = "",
    shows: str = "",
    over: Over = "each",
    quick: Mapping[str, Any] | None = None,
    samples: Mapping[str, str] | None = None,
    chapter: str = "",
    resumable: bool = False,
) -> Callable[[Callable[P, R]], Method[P, R]]:
    """Declare a plain function as a method: `title` for people, `source` the paper and the place in it, `purpose` what
    it does in a few words, `shows` a paragraph: what to read in its answer, what not to, and what it costs.

    Positional arguments are turned into what their annotations say (a path into Images, a class name into a
    Target), options are validated, and the result's Meta records all of them with their defaults. A list of
    targets gives a tuple of results, from one forward pass where memory allows. `over` says whether the answer is
    one for each image or one for all together; `quick` are options that answer within seconds, more coarsely than
    the defaults, for whoever asks many methods at once. `samples` are what examples of its use ask about, by argument,
    where the sample of the kind would be refused. A `resumable` one goes on where it was stopped (`resume.py`).
    `chapter` is where a method of another package belongs; of ours it is the folder. All of these are literals: listing
    reads them in the source and imports nothing.
    """

    def declare(function: Callable[P, R]) -> Method[P, R]:
        @functools.wraps(function)
        def asked(*args: Any, **kwargs: Any) -> R:
            from pellucid.ambient import freed_memory_kept, neutral  # here: listing must not wait for torch

            with shown(), neutral(), freed_memory_kept() if over == "all" else nullcontext():  # many passes, then
                return answered(*args, **kwargs)

        def answered(*args: Any, **kwargs: Any) -> R:
            kinds, name = nouns_of(function), function.__name__
            args = _with_its_network(args, list(kinds.values()))
            if len(args) > len(kinds):
                raise PellucidError(f"{name} takes {', '.join(kinds)}; its options are given by name")
            given = {**dict(zip(kinds, args, strict=False))}
            given |= {key: kwargs.pop(key) for key in list(kwargs) if key in kinds and key not in given}
            several = next((key for key, kind in kinds.items() if kind.apart and _is_list(given.get(key))), None)
            if several is not None:
                return cast(R, _each(one, function, several, given, kwargs))
            return one(given, given, kwargs)

        def one(written: Mapping[str, Any], given: Mapping[str, Any], spelled: Mapping[str, Any]) -> R:
            """The answer to one question: what is `given` may be made already of what a person has `written`."""
            from pellucid.catalogue.signed import question, signed  # here: listing methods must not wait for numpy
            from pellucid.resume import one_question

            nouns = made(function, given)
            options = validated(function, {key: _spelled(value, nouns) for key, value in spelled.items()})
            asked_now = _asked.set((function.__name__, nouns, options))
            try:
                with collected() as said, one_question():
                    answer = _in_room(function, nouns, options)
            finally:
                _asked.reset(asked_now)
            return signed(answer, title, question(function.__name__, written, nouns, options), nouns, options, said)

        declared = cast(Method[P, R], asked)
        declared.title, declared.source, declared.purpose = title, source, purpose
        declared.shows, declared.over, declared.quick = shows, over, dict(quick or {})
        _declared[function.__module__, function.__name__] = declared
        return declared

    return declare


_asked: ContextVar[tuple[str, Mapping[str, Any], Mapping[str, Any]]] = ContextVar("pellucid_asked")


def asking() -> tuple[str, Mapping[str, Any], Mapping[str, Any]]:
    """(the method that is asked now, its nouns, its options), for whoever shares its work out."""
    return _asked.get()


def methods_of(package: str, folder: str) -> dict[str, Callable[..., Any]]:
    """The methods of a chapter by name, for its `__init__`: what the files in its folder declare, all imported."""
    modules = [f"{package}.{path.stem}" for path in sorted(Path(folder).glob("[!_]*.py"))]
    for module in modules:
        import_module(module)
    vars(sys.modules[package])["__getattr__"] = functools.partial(_absent, package)
    return {name: found for (module, name), found in sorted(_declared.items()) if module in modules}


def _absent(package: str, name: str) -> NoReturn:
    """What a chapter answers to a name that is none of its methods."""
    from pellucid.catalogue import nearest  # which needs this file

    raise AttributeError(f"module {package!r} has no attribute {name!r}{nearest(name)}")


def made(function: Callable[..., Any], given: Mapping[str, Any]) -> dict[str, Noun]:
    """What a method asks about as the nouns of its annotations, with the defaults of what is not given."""
    whole = dict(given)
    for name, parameter in arguments_of(function).items():
        if name not in given and parameter.default is parameter.empty:
            signature = f"{function.__name__}({', '.join(nouns_of(function))})"
            raise PellucidError(f"{function.__name__} needs {name}: {signature}")
        whole.setdefault(name, parameter.default)
    return _made(function, whole)


def _made(function: Callable[..., Any], given: Mapping[str, Any]) -> dict[str, Noun]:
    """What is given as nouns, in the order of the signature: those that come later know the network."""
    nouns: dict[str, Noun] = {}
    network = None
    for name, kind in nouns_of(function).items():
        if name in given:
            nouns[name] = kind.made(given[name], network)
            network = nouns[name].network if network is None else network
    return nouns


def _with_its_network(args: tuple[Any, ...], kinds: list[type[Noun]]) -> tuple[Any, ...]:
    """What is given by place; of an index in the place of a network and its images, its network and itself."""
    first = args[0] if args else None
    brings = isinstance(first, Noun) and first.has_network and hasattr(type(first), "net")  # several have none
    asked = len(kinds) > 1 and kinds[0].flags == ("--net",) and kinds[1].index_will_do
    return (cast(Any, first).net, *args) if brings and asked else args


def _is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple))


def _each(
    one: Callable[[Mapping[str, Any], Mapping[str, Any], Mapping[str, Any]], R],
    function: Callable[..., R],
    several: str,
    given: dict[str, Any],
    options: Mapping[str, Any],
) -> tuple[R, ...]:
    """One result for each of the several; the network need not run forward again for what it has been shown."""
    each = given.pop(several)
    if not each:
        raise PellucidError(f"{function.__name__}: the list of {several}s is empty")
    shared = {name: noun.cached() for name, noun in _made(function, given).items()}
    return tuple(one({**given, several: this}, {**shared, several: this}, options) for this in each)


def _in_room(function: Callable[..., R], nouns: Mapping[str, Noun], options: dict[str, Any]) -> R:
    """The method's answer; where memory runs out, once more with half as many images at a time, down to one."""
    while True:
        try:
            return function(**nouns, **options)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            said = str(error).partition("\n")[0]
        # Outside the handler: the traceback holds whatever filled the memory.
        if not any(noun.halve() for noun in nouns.values()):
            raise OutOfMemory(
                f"{function.__name__}: {said}, not even one image at a time: give the network a smaller input, or ask "
                "on a device with more memory"
            )


def _spelled(value: Any, nouns: Mapping[str, Noun]) -> Any:
    """An option as text where it is a part of a network: its layers may be given as the modules that they are."""
    for noun in nouns.values():
        value = noun.spelled(value)
    return value
