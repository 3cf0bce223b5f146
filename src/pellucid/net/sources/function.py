"""Networks that the user's own code makes: package.module:function or path/to/file.py:function."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from pellucid.errors import BadNetwork, PellucidError, UnknownName, unknown
from pellucid.net import Net
from pellucid.net.labels import Labels
from pellucid.net.preprocess import Preprocess
from pellucid.net.sources import FUNCTION, Found, bare, source
from pellucid.net.transforms import adopted
from pellucid.plugins import NETWORKS


@source("function", written="package.module:function or path/to/file.py:function")
def find(rest: str, *, pretrained: bool) -> Found:
    """What the function returns when it is called without arguments.

    That is an nn.Module, (module, Preprocess), (module, Preprocess, labels) or a Net. This runs the code: it is
    for code that the user trusts. Whatever the code raises becomes a BadNetwork of one line.
    """
    place, _, name = rest.rpartition(":")
    if not name.isidentifier():
        raise UnknownName(f"no network {rest!r}: after the colon comes the name of a function without arguments")
    with _first_on_path(_folder(place)):
        code = _file(Path(place).expanduser(), rest) if place.endswith(".py") else _module(place, rest)
        if not hasattr(code, name):
            public = [key for key, value in vars(code).items() if callable(value) and not key.startswith("_")]
            raise unknown("function", name, public)
        made = getattr(code, name)
        if not isinstance(made, (nn.Module, Net)):
            made = _run(rest, made)
    return _found(made, rest)


def _found(made: Any, rest: str) -> Found:
    match made:
        case Net():
            return Found(made.module, rest, made.preprocess, made.labels, made.output, made.scores)
        case nn.Module():
            return Found(made, rest, bare(made))
        case (nn.Module() as module, Preprocess() as preprocess):
            return Found(module, rest, preprocess)
        case (nn.Module() as module, Preprocess() as preprocess, labels):
            return Found(module, rest, preprocess, labels if isinstance(labels, Labels) else Labels.plain(labels))
        case (nn.Module() as module, preprocess) if callable(preprocess) or preprocess == "zscore":
            return Found(*adopted(module, rest, bare(module), preprocess))
        case (nn.Module() as module, preprocess, labels) if callable(preprocess) or preprocess == "zscore":
            return replace(
                _found((module, preprocess), rest), labels=_found((module, Preprocess(), labels), rest).labels
            )
    raise BadNetwork(
        f"{rest!r} gave a {type(made).__name__}; it must return an nn.Module, (module, Preprocess), "
        "(module, Preprocess, labels) or a Net; for a Preprocess also torchvision transforms, a function or 'zscore'"
    )


def _run(rest: str, call: Any, *arguments: Any) -> Any:
    """call(*arguments), with any failure of the user's code in one line."""
    try:
        return call(*arguments)
    except PellucidError:
        raise
    except (Exception, SystemExit) as error:
        raise BadNetwork(f"{rest!r} failed: {type(error).__name__}: {error}") from error


def _file(path: Path, rest: str) -> ModuleType:
    if not path.is_file():
        siblings = sorted(path.parent.glob("*.py")) if path.parent.is_dir() else []
        raise unknown("file", str(path), map(str, siblings))
    # The name is unique, so that two files called model.py do not meet, and known, so that classes can be copied.
    name = f"pellucid_{path.stem}_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise BadNetwork(f"{str(path)!r} cannot be imported")
    code = importlib.util.module_from_spec(spec)
    before = sys.modules.get(name)
    sys.modules[name] = code
    try:
        _run(rest, spec.loader.exec_module, code)
    except BaseException:
        if before is None:
            del sys.modules[name]
        else:
            sys.modules[name] = before
        raise
    return code


def _module(place: str, rest: str) -> ModuleType:
    try:
        code: ModuleType = _run(rest, import_module, place)
    except BadNetwork as error:
        missing = error.__cause__
        if isinstance(missing, ModuleNotFoundError) and f"{place}.".startswith(f"{missing.name}."):
            if "." not in place:  # perhaps a source misspelt
                raise unknown(
                    "source or module", place, [row.name for row in NETWORKS.rows() if row.name != FUNCTION]
                ) from missing
            raise UnknownName(f"no module {place!r}, neither installed nor in the folder {os.getcwd()!r}") from missing
        raise
    return code


def _folder(place: str) -> str:
    """Where the code may import its neighbors from."""
    return str(Path(place).expanduser().resolve().parent) if place.endswith(".py") else os.getcwd()


@contextmanager
def _first_on_path(folder: str) -> Iterator[None]:
    """As Python does with the folder of a script that it runs."""
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        if folder in sys.path:
            sys.path.remove(folder)
