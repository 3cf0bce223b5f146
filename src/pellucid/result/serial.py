"""Results as named arrays and plain JSON, and back: one walk over the fields of dataclasses, by their annotations.

What the JSON says:

    a dataclass            {"kind": NAME, FIELD: …}
    an array               {"$": NAME of the array}
    a row of numbers       {"$": NAME of the array, "tuple": true}: `tuple[float, ...]` and `tuple[int, ...]`
    a tuple                […]
    a mapping              {KEY: …}, or {"$dict": [[KEY, …], …]} where a key is no word or begins with $
    a list                 {"$list": […]}
    NaN, ∞, −∞             {"$number": "7ff8000000000000"}, the bits of the float, for JSON has none of them

and everything else as itself. Whole numbers stay whole, and floats the same float. Fields that are annotated with Any
hold only such values and arrays.
"""

from __future__ import annotations

import dataclasses
import math
import re
import reprlib
import struct
import types
import typing
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
from jaxtyping import AbstractArray, jaxtyped

from pellucid.errors import PellucidError
from pellucid.plugins import RESULTS

Arrays = dict[str, np.ndarray]

_NAME = re.compile(r"[A-Za-z0-9_.\-]{1,100}")
"""Names of arrays that every zip program can write; any other array has a number instead."""
_WORDS = (str, int, float, bool, types.NoneType)
_UNIONS = (typing.Union, types.UnionType)


def kind_of(name: str) -> type | None:
    """The kind of that name, ours or one that an installed package names in its entry points; None where none does.

    Raises BadPlugin where that package cannot be imported.
    """
    found: type | None = RESULTS.get(name) if RESULTS.has(name) else None
    return found


def packed(value: Any, *, derive: bool = False) -> tuple[Arrays, dict[str, Any]]:
    """(named arrays, JSON) of a dataclass; `derive` adds what it says in `derived()`, which cannot be read back.

    Raises PellucidError for a value that has no such form.
    """
    pack = _Pack(derive)
    return pack.arrays, pack.of(value, type(value), ())


def unpacked(kind: type, arrays: Mapping[str, np.ndarray], about: Any) -> Any:
    """The value of that kind which `packed` took apart, equal in every bit.

    Raises ValueError for whatever cannot be one: fields that are missing or unknown, values of another type, arrays of
    another shape, arrays that nothing names; besides, whatever the kind itself raises.
    """
    unpack = _Unpack(dict(arrays))
    found = unpack.of(kind, about, kind.__name__)
    if unpack.left:
        raise ValueError(f"nothing names the array {min(unpack.left)!r:.80}")
    return found


def described(value: Any) -> Any:
    """A dataclass as JSON for people and programs: everything but the numbers of its arrays, and no marks."""
    arrays, about = packed(value, derive=True)
    return _described(about, arrays)


def _described(said: Any, arrays: Arrays) -> Any:
    if isinstance(said, list):
        return [_described(one, arrays) for one in said]
    if not isinstance(said, dict):
        return said
    if "$number" in said:
        return None
    if "$list" in said:
        return _described(said["$list"], arrays)
    if "$" in said:
        values = arrays[said["$"]]
        return [finite(one) for one in values.tolist()] if "tuple" in said else _extent(values)
    found = {in_words(key): _described(one, arrays) for key, one in pairs_of(said) or ()}
    if "kind" in found and isinstance(found.get("values"), dict):
        found |= found.pop("values")
    return found


def in_words(key: Any) -> str:
    """The key of a mapping as one of JSON for people: the parts of a tuple with a colon between."""
    return ": ".join(map(str, key)) if isinstance(key, list) else str(key)


def _extent(values: np.ndarray) -> dict[str, Any]:
    """The shape of an array, and the range of its numbers where it has any."""
    ordered = values.size and values.dtype.kind != "c"
    ends = {"min": finite(values.min().item()), "max": finite(values.max().item())} if ordered else {}
    return {"shape": list(values.shape), **ends}


def finite(value: Any) -> Any:
    """A number, or None where JSON has none for it."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


class _Pack:
    """A value taken apart: what it says, and its arrays by name."""

    def __init__(self, derive: bool) -> None:
        self.arrays: Arrays = {}
        self.derive = derive

    def of(self, value: Any, hint: Any, path: tuple[str | int, ...]) -> Any:
        """A value as JSON; its arrays are kept. `hint` is its annotation, `path` the fields that lead to it."""
        value = value.item() if isinstance(value, np.generic) else value
        if value is None or isinstance(value, (bool, int, str)):
            return value
        if isinstance(value, float):
            return value if math.isfinite(value) else {"$number": struct.pack(">d", value).hex()}
        if isinstance(value, np.ndarray):
            return {"$": self._named(value, path)}
        if dataclasses.is_dataclass(value) and hint is not Any:
            return self._fields(value, path)
        if isinstance(value, Mapping):
            return self._mapping(value, hint, path)
        if isinstance(value, tuple) or (isinstance(value, list) and hint is not Any):
            return self._row(value, hint, path)
        if isinstance(value, list):
            return {"$list": [self.of(one, Any, (*path, i)) for i, one in enumerate(value)]}
        raise PellucidError(f"{'.'.join(map(str, path))} is a {type(value).__qualname__}, which has no form in a file")

    def _fields(self, value: Any, path: tuple[str | int, ...]) -> dict[str, Any]:
        kind: Any = type(value)
        said: dict[str, Any] = {"kind": kind.__name__}
        for name, hint in fields_of(kind).items():
            said[name] = self.of(getattr(value, name), hint, (*path, name))
        if self.derive and hasattr(value, "derived"):
            said |= {name: self.of(one, Any, (*path, name)) for name, one in value.derived().items()}
        return said

    def _mapping(self, value: Mapping[Any, Any], hint: Any, path: tuple[str | int, ...]) -> dict[str, Any]:
        _, inside = typing.get_args(_member(hint, Mapping)) or (Any, Any)
        told = [[self.of(key, Any, path), self.of(one, inside, (*path, str(key)))] for key, one in value.items()]
        plain = all(isinstance(key, str) and not key.startswith("$") for key in value)
        return dict(told) if plain else {"$dict": told}

    def _row(self, value: Any, hint: Any, path: tuple[str | int, ...]) -> Any:
        inside = typing.get_args(_member(hint, tuple))
        several = inside[1:] == (...,)
        if several and not any(isinstance(step, int) for step in path) and (dtype := _numbers(value)):
            return {"$": self._named(np.array(value, dtype), path), "tuple": True}
        hints = inside[:1] * len(value) if several else inside or (Any,) * len(value)
        return [self.of(one, of, (*path, i)) for i, (one, of) in enumerate(zip(value, hints, strict=True))]

    def _named(self, values: np.ndarray, path: tuple[str | int, ...]) -> str:
        if values.dtype.kind not in "biufc":
            raise PellucidError(f"{'.'.join(map(str, path))} is an array of {values.dtype}, and arrays hold numbers")
        name = ".".join(map(str, path))
        if not _NAME.fullmatch(name) or name in self.arrays:
            name = f"a{len(self.arrays)}"
        while name in self.arrays:
            name += "_"
        self.arrays[name] = values
        return name


class _Unpack:
    """What was said, put together again; `left` are the arrays that nothing has named yet."""

    def __init__(self, arrays: Arrays) -> None:
        self.left = arrays

    def of(self, hint: Any, said: Any, where: str) -> Any:
        """The value that is said, which is what the annotation says. `where` is its place, for messages."""
        if hint is Any:
            return self._anything(said, where)
        if typing.get_origin(hint) in _UNIONS:
            return self._either(typing.get_args(hint), said, where)
        if is_array(hint):
            return self._array(hint, said, where)
        if _is(hint, tuple):
            return self._tuple(typing.get_args(hint), said, where)
        if _is(hint, Mapping):
            return self._mapping(typing.get_args(hint), said, where)
        if isinstance(hint, type) and hint not in _WORDS:
            return self._made(hint, said, where)
        return _word(hint, said, where)

    def _made(self, hint: type, said: Any, where: str) -> Any:
        """A dataclass: the one that is annotated, or a kind that is derived from it."""
        name = said.get("kind") if isinstance(said, dict) else None
        kind = hint if name == hint.__name__ else kind_of(name) if isinstance(name, str) else None
        if kind is None or not issubclass(kind, hint) or not dataclasses.is_dataclass(kind):
            raise _wrong(where, said, f"a {hint.__name__}")
        hints = fields_of(kind)
        if odd := hints.keys() ^ (said.keys() - {"kind"}):
            raise ValueError(f"{where} {'lacks' if min(odd) in hints else 'has no field'} {min(odd)!r:.60}")
        given = {name: self.of(hint, said[name], f"{where}.{name}") for name, hint in hints.items()}
        _agree(kind, given, where)
        return kind(**given)

    def _either(self, hints: tuple[Any, ...], said: Any, where: str) -> Any:
        """What the first annotation makes of it that can."""
        if said is None and types.NoneType in hints:
            return None
        *others, last = (hint for hint in hints if hint is not types.NoneType)
        for hint in others:
            left = dict(self.left)
            try:
                return self.of(hint, said, where)
            except ValueError:
                self.left = left
        return self.of(last, said, where)

    def _tuple(self, hints: tuple[Any, ...], said: Any, where: str) -> tuple[Any, ...]:
        several = hints[1:] == (...,)
        if several and isinstance(said, dict) and said.keys() == {"$", "tuple"} and said["tuple"] is True:
            values = self._taken({"$": said["$"]}, where)
            if values.ndim != 1 or values.dtype not in (np.float64, np.int64):
                raise ValueError(f"{where}: {values.dtype} {values.shape} is no row of numbers")
            return tuple(self.of(hints[0], one, where) for one in values.tolist())
        if not isinstance(said, list) or not (several or len(said) == len(hints)):
            raise _wrong(where, said, "a tuple" if several else f"a tuple of {len(hints)}")
        inside = hints[:1] * len(said) if several else hints
        return tuple(self.of(hint, said[i], f"{where}[{i}]") for i, hint in enumerate(inside))

    def _mapping(self, hints: tuple[Any, ...], said: Any, where: str) -> dict[Any, Any]:
        pairs = pairs_of(said) if isinstance(said, dict) else None
        if pairs is None:
            raise _wrong(where, said, "a mapping")
        found = {self.of(hints[0], key, where): self.of(hints[1], one, f"{where}[{key!r:.60}]") for key, one in pairs}
        if len(found) != len(pairs):
            raise ValueError(f"{where}: a key comes twice")
        return found

    def _array(self, hint: Any, said: Any, where: str) -> np.ndarray:
        values = self._taken(said, where)
        if isinstance(hint, type) and issubclass(hint, AbstractArray) and not isinstance(values, hint):
            raise ValueError(f"{where}: {values.dtype} {values.shape} is no {hint.__name__}")
        return values

    def _taken(self, said: Any, where: str) -> np.ndarray:
        """The array of that name. Each is one value's: none is named twice."""
        name = said["$"] if isinstance(said, dict) and said.keys() == {"$"} else None
        if not isinstance(name, str) or name not in self.left:
            raise _wrong(where, said, "an array that is there")
        return self.left.pop(name)

    def _anything(self, said: Any, where: str) -> Any:
        if isinstance(said, list):
            return tuple(self._anything(one, where) for one in said)
        if not isinstance(said, dict):
            return said
        if said.keys() == {"$"}:
            return self._taken(said, where)
        if said.keys() == {"$number"}:
            return _word(float, said, where)
        if said.keys() == {"$list"} and isinstance(said["$list"], list):
            return [self._anything(one, where) for one in said["$list"]]
        return self._mapping((Any, Any), said, where)


@cache
def fields_of(kind: type) -> dict[str, Any]:
    """The fields of a dataclass and their annotations, in order. Raises PellucidError for one called `kind`."""
    hints = typing.get_type_hints(kind)
    found = {field.name: hints[field.name] for field in dataclasses.fields(kind)}
    if "kind" in found:
        raise PellucidError(f"{kind.__qualname__} has a field 'kind', which in a file says what it is: rename it")
    return found


def is_array(hint: Any) -> bool:
    """Whether an annotation is an array: `Float[np.ndarray, "rows columns"]`, `NDArray[np.float64]`, `np.ndarray`."""
    return (isinstance(hint, type) and issubclass(hint, (AbstractArray, np.ndarray))) or _is(hint, np.ndarray)


def pairs_of(said: Mapping[str, Any]) -> list[Any] | None:
    """The (key, value) of a mapping in either of its forms; None where it has neither."""
    pairs = said["$dict"] if said.keys() == {"$dict"} else [*map(list, said.items())]
    if not isinstance(pairs, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
        return None
    return None if pairs is not said.get("$dict") and any(key.startswith("$") for key in said) else pairs


def _word(hint: Any, said: Any, where: str) -> Any:
    """A value that is no more than itself. A float may be a whole number, and stays one."""
    if hint is float and isinstance(said, dict):
        bits = said.get("$number") if len(said) == 1 else None
        if not isinstance(bits, str) or not re.fullmatch("[7f]ff[0-9a-f]{13}", bits):
            raise _wrong(where, said, "a number")
        found: float = struct.unpack(">d", bytes.fromhex(bits))[0]
        return found
    if typing.get_origin(hint) is typing.Literal:
        allowed = [one for one in typing.get_args(hint) if type(one) is type(said) and one == said]
        if not allowed:
            raise _wrong(where, said, f"one of {', '.join(map(str, typing.get_args(hint)))}")
    elif hint not in _WORDS:
        raise ValueError(f"{where}: no value of {hint} can be read")
    elif not (type(said) is hint or (hint is float and type(said) is int)):
        raise _wrong(where, said, f"a {hint.__name__}")
    return said


def _wrong(where: str, said: Any, what: str) -> ValueError:
    return ValueError(f"{where}: {reprlib.repr(said):.60} is not {what}")


def _members(hint: Any) -> tuple[Any, ...]:
    """The annotations of which one holds."""
    return typing.get_args(hint) if typing.get_origin(hint) in _UNIONS else (hint,)


def _member(hint: Any, origin: type) -> Any:
    return next((one for one in _members(hint) if _is(one, origin)), None)


def _is(hint: Any, origin: type) -> bool:
    found = typing.get_origin(hint)
    return isinstance(found, type) and issubclass(found, origin)


def _numbers(values: Any) -> Any:
    """The type of an array that holds a row of floats, or of whole numbers, exactly; None where none does."""
    kinds = {type(value) for value in values}
    if kinds == {float}:
        return np.float64
    return np.int64 if kinds == {int} and min(values) >= -(2**63) and max(values) < 2**63 else None


def _agree(kind: type, given: Mapping[str, Any], where: str) -> None:
    """Raises ValueError where the parts of a value do not belong together: arrays, as the names in their shapes say,
    and the fields in `each` of a kind, which run over the same things.
    """
    with jaxtyped("context"):
        for name, hint in fields_of(kind).items():
            shapes = [one for one in _members(hint) if isinstance(one, type) and issubclass(one, AbstractArray)]
            if isinstance(given[name], np.ndarray) and shapes and not isinstance(given[name], tuple(shapes)):
                raise ValueError(f"{where}: {name} {given[name].shape} does not belong to the arrays before it")
    lengths = {name: len(given[name]) for name in getattr(kind, "each", ()) if given[name] is not None}
    if len({*lengths.values()}) > 1:
        raise ValueError(f"{where} has {', '.join(f'{many} {name}' for name, many in lengths.items())}")
