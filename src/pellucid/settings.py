"""pellucid.toml: what a folder says of its network and its images, so that commands and `load` need not be told again.

    network = "model.py:net"
    weights = "best.ckpt"
    value_range = [0, 65535]
    mean = 329.7
    std = 211.2
    data = "slices"

Files in it are looked for beside it. Nothing that it names is run on its word alone: a folder may come from anybody.
This file imports neither torch nor numpy.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_type_hints

import pydantic

from pellucid.errors import PellucidError, UnknownName, unknown
from pellucid.files import write_atomically
from pellucid.loading import LoadOptions
from pellucid.plugins import NETWORKS

NAME = "pellucid.toml"
_FILES = ("weights", "labels", "data")
"""Keys whose values may be files."""
_NAMED = re.compile(r"([A-Za-z0-9_]+)(:[A-Za-z0-9_][A-Za-z0-9_.\-]*)?")
"""Networks by plain names: no repositories, no addresses."""


@dataclass(frozen=True)
class Settings:
    """What a file says, checked; names of files are those that a program in this folder may open."""

    file: Path
    network: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    """As `load` takes them."""
    data: str | None = None

    @property
    def trusted(self) -> bool:
        """Whether nothing has to be run for its network, or its owner has said on this machine that it may be."""
        return not names_code(self.network) or _mark(self.file) in _trusted()

    def checked(self) -> Settings:
        """Itself. Raises PellucidError where it names code that nobody here has agreed to run."""
        if self.trusted:
            return self
        raise PellucidError(
            f"{str(self.file)!r} names code that would be run, {self.network!r}: if you trust it, say so once with "
            "'pellucid init --trust' in its folder, or name the network yourself, pl.load(SPEC)"
        )


def here() -> Settings | None:
    """What the current folder says; None where it has no such file. Raises PellucidError for one that is wrong."""
    return read(NAME) if Path(NAME).is_file() else None


def is_settings(spec: str | Path) -> bool:
    """Whether that names such a file, or a folder with one."""
    path = Path(spec).expanduser()
    return path.suffix == ".toml" or (path / NAME).is_file()


def read(place: str | Path) -> Settings:
    """What a file says, or that of a folder. Raises PellucidError in one line, which names the key that is wrong."""
    file = Path(place).expanduser()
    file = file / NAME if file.is_dir() else file
    try:
        said = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UnknownName(f"no file {str(file)!r}: 'pellucid init' writes it") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PellucidError(f"{str(file)!r} cannot be read: {error}") from error
    known = ("network", *model().model_fields, "data")
    for key in said:
        if key not in known:
            raise unknown(f"key of {str(file)!r}", key, known, show=3)
    for key in ("network", "data"):
        if not isinstance(said.get(key, ""), str):
            raise PellucidError(f"{key} in {str(file)!r} is {said[key]!r}: a text")
    options = {key: value for key, value in said.items() if key in model().model_fields}
    try:
        checked = model().model_validate(options)
    except pydantic.ValidationError as error:
        wrong = error.errors()[0]
        key = str(wrong["loc"][0])
        about = model().model_fields[key].description
        raise PellucidError(f"{key} in {str(file)!r} is {options[key]!r}: {about}") from error
    beside = {key: _beside(file, getattr(checked, key)) for key in options}
    return Settings(file, _network(file, said.get("network")), beside, _beside(file, said.get("data")))


def written(said: Mapping[str, Any]) -> str:
    """The text of a file that says this, a line for each key."""
    return "".join(f"{key} = {_toml(value)}\n" for key, value in said.items() if value is not None)


def trust(file: str | Path) -> None:
    """Take down that this file, as it is and where it is, may name code that is run."""
    marks = _trusted() | {_mark(Path(file))}
    kept = _list()
    kept.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(kept, lambda out: out.write("".join(f"{mark}\n" for mark in sorted(marks)).encode()))


def names_code(network: Any) -> bool:
    """Whether more than a name in a package of networks stands there: a function, a file, a repository, an address."""
    if network is None:
        return False
    named = _NAMED.fullmatch(network) if isinstance(network, str) else None
    zoos = {row.name for row in NETWORKS.rows() if row.said.get("zoo") and not row.package}
    return named is None or named[1] not in zoos


@functools.cache
def model() -> type[pydantic.BaseModel]:
    """The options of `load` as a model."""
    hints = get_type_hints(LoadOptions, include_extras=True)
    fields: dict[str, Any] = {name: (hint, None) for name, hint in hints.items()}
    return pydantic.create_model("LoadOptions", __config__=pydantic.ConfigDict(arbitrary_types_allowed=True), **fields)


def _beside(file: Path, value: Any) -> Any:
    """A file that is named in another: from where a program works. All else as it is."""
    if not isinstance(value, (str, Path)) or str(value) == "random" or "://" in str(value):
        return value
    path = Path(value).expanduser()
    return str(path if path.is_absolute() or not file.parent.parts else file.parent / path)


def _network(file: Path, spec: str | None) -> str | None:
    place, colon, name = (spec or "").rpartition(":")
    return f"{_beside(file, place)}:{name}" if colon and place.endswith(".py") else spec


def _toml(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(str(value) if isinstance(value, Path) else value, ensure_ascii=False)


def _list() -> Path:
    """Where it is kept what may be run."""
    import platformdirs

    return Path(platformdirs.user_config_dir("pellucid")) / "trusted"


def _trusted() -> set[str]:
    try:
        return set(_list().read_text().split())
    except OSError:
        return set()


def _mark(file: Path) -> str:
    """One for a file with this content in this place."""
    path = file.resolve()
    try:
        return hashlib.sha256(str(path).encode("utf-8", "surrogateescape") + b"\0" + path.read_bytes()).hexdigest()
    except OSError:
        return ""
