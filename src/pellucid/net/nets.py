"""Several networks, or the checkpoints of one: each is opened when it is its turn, and has a name of its own."""

from __future__ import annotations

import glob
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, InstanceOf
from torch import Tensor, nn

from pellucid.errors import BadNetwork, PellucidError
from pellucid.net import Net, NetLike
from pellucid.net.checkpoint import SUFFIXES, read_checkpoint, read_checkpoints
from pellucid.net.fit import matched
from pellucid.notes import Note
from pellucid.nouns import Noun
from pellucid.plugins import NETWORKS

_ENDINGS = f"{', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}"
_FORMS = "networks (as load takes them), checkpoints of one, 'run/*.pth', or a folder of them"


@dataclass(frozen=True)
class Checkpoint:
    """A file of weights, which is read when it is asked for."""

    path: Path

    @property
    def name(self) -> str:
        """Of the file, without what it ends in."""
        return self.path.stem

    @property
    def stamp(self) -> tuple[str, int, int]:
        """Name, size and time of the file: while they are the same, so are the weights."""
        try:
            status = os.stat(self.path)
        except OSError as error:
            raise BadNetwork(f"no checkpoint {str(self.path)!r}: {error.strerror}") from error
        return self.path.name, status.st_size, status.st_mtime_ns

    def of(self, net: Net, read: Mapping[str, Tensor] | None = None) -> Net:
        """The network with these weights, where they are not `read` yet from the file: its module is shared and stays
        as it is. Raises BadNetwork.
        """
        want = net.module.state_dict()
        said: list[str] = []
        tensors = read_checkpoint(self.path) if read is None else dict(read)
        have = matched(net.module, tensors, file=str(self.path), name=net.name, say=said.append)
        values = {key: value.to(want[key].dtype) for key, value in have.items()}
        return replace(net.with_weights(values), name=self.name, said=(*net.said, *said))


@dataclass(frozen=True, eq=False)
class Nets(Noun):
    """Networks in a stated order. Checkpoints share the module of the network that they are weights of."""

    written, format, samples = "NETS", "nets", ("first.pth last.pth",)
    help = "networks, as --net takes them, or checkpoints (files or a folder) of the network that --net names"
    many = by_network = True
    each: tuple[Net | Checkpoint, ...]
    net: Net | None = None
    """The network whose weights the checkpoints hold."""
    texts: tuple[str | None, ...] = ()
    """What somebody has written for each; None where it was an object."""

    @classmethod
    def of(cls, value: NetsLike, *, net: Any = None, **loading: Any) -> Nets:
        """One network or a list: whatever `load` takes, checkpoint files, a pattern ('run/*.pth') or a folder of these
        (that of a training run, too, with its `checkpoints`).

        A mapping says what each is called: `{"plain": net, "with dropout": other}`. Files come in the order of the
        numbers in their names. `net` is the network that checkpoints are weights of; `loading` are options of `load`
        for the others.
        Raises PellucidError in one line.
        """
        if isinstance(value, Nets):
            return value if net is None else cls(value.each, Net.of(net), value.texts)
        found: list[tuple[Net | Checkpoint, str | None]]
        if isinstance(value, Mapping) and value.keys() == {"each", "of"}:  # as `plain` writes it
            return cls.of(value["each"], net=value["of"] if net is None else net, **loading)
        if isinstance(value, Mapping):
            found = [one for name, some in value.items() for one in _named(str(name), _opened(some, loading))]
        else:
            several = value if isinstance(value, (list, tuple)) else [value]
            found = [one for some in several for one in _opened(some, loading)]
        if not found:
            raise PellucidError(f"no networks: the list is empty; name {_FORMS}")
        each, texts = zip(*found, strict=True)
        return cls(tuple(each), None if net is None else Net.of(net), tuple(texts))

    @classmethod
    def made(cls, value: Any, net: Any) -> Nets:
        """Checkpoints as weights of the network that is asked about."""
        found = cls.of(value)
        return found if net is None or found.net is not None else cls.of(found, net=net)

    def __len__(self) -> int:
        return len(self.each)

    def __getitem__(self, i: int) -> Net:
        """Network i under its name; a checkpoint is read anew each time."""
        one, name = self.each[i], self.names[i]
        if isinstance(one, Checkpoint):
            if self.net is None:
                raise BadNetwork(
                    f"{str(one.path)!r} holds weights, which are no architecture: say of which network they are, such "
                    "as Nets.of(…, net='model.py:net')"
                )
            one = one.of(self.net)
        return one if one.name == name else replace(one, name=name)

    def opened(self, most: int = 2**31) -> Nets:
        """The same with all checkpoints read, in one go: they are in memory together, or as they are beyond so many
        bytes.
        """
        files = [one for one in self.each if isinstance(one, Checkpoint)]
        if self.net is None or not files or sum(one.stamp[1] for one in files) > most:
            return self
        read = dict(zip(files, read_checkpoints([one.path for one in files]), strict=True))
        each = [one.of(self.net, read[one]) if isinstance(one, Checkpoint) else one for one in self.each]
        return Nets(tuple(each), self.net, self.texts)

    def __iter__(self) -> Iterator[Net]:
        return (self[i] for i in range(len(self)))

    def __str__(self) -> str:
        return ", ".join(self.names)

    @property
    def names(self) -> tuple[str, ...]:
        """What they are called; numbered where two have one name."""
        names = [one.name for one in self.each]
        return tuple(f"{i} · {name}" if names.count(name) > 1 else name for i, name in enumerate(names, start=1))

    def facts(self) -> dict[str, Any]:
        """What a result's Meta records."""
        said: dict[str, Any] = {"nets": self.names, "of": self.net.name if self.net else ""}
        opened = [one for one in self.each if isinstance(one, Net)]
        if len(self) == len(opened) == 1:
            return said | opened[0].facts()
        return said | ({"net": str(self), "each_weights": tuple(one.weights for one in opened)} if opened else {})

    @property
    def identity(self) -> str:
        """Of each, in their order; checkpoints count as equal by name, size and time."""
        parts = [one.stamp if isinstance(one, Checkpoint) else one.identity for one in self.each]
        return json.dumps([parts, self.net.identity if self.net else None, self.names])

    def plain(self) -> Any:
        """What was written for each, with what `load` was told; and of which network checkpoints are weights, unless
        that is in memory only."""
        texts = [_text(one, text) for one, text in zip(self.each, self.texts, strict=False)]
        if None in texts or len(texts) < len(self):
            raise PellucidError(f"networks {self} are in memory only: name them by text ({_FORMS})")
        return texts if self.net is None or self.net.origin is None else {"each": texts, "of": dict(self.net.origin)}

    @property
    def network(self) -> Net:
        """The one whose checkpoints these are, or the first: what else is asked about is made for it."""
        return self.net or self[0]

    @property
    def notes(self) -> tuple[Note, ...]:
        """Warnings about any of them that is open."""
        nets = [one for one in (self.net, *self.each) if isinstance(one, Net)]
        return tuple(dict.fromkeys(note for one in nets for note in one.notes))

    def halve(self) -> bool:
        """All of them, after memory ran out."""
        halved = [one.halve() for one in (self.net, *self.each) if isinstance(one, Net)]
        return any(halved)


NetsLike: TypeAlias = Nets | NetLike | Checkpoint | Sequence[NetLike | Checkpoint] | Mapping[str, NetLike | Checkpoint]
"""One network or several: whatever `load` takes, checkpoint files, a pattern ('run/*.pth') or a folder of these; in a
mapping, under its keys."""


def _named(name: str, opened: list[tuple[Net | Checkpoint, str | None]]) -> Iterator[tuple[Net, str | None]]:
    """What was opened under that key, a network of that name."""
    if len(opened) != 1 or not isinstance(opened[0][0], Net):
        raise PellucidError(f"{name!r} names no single network; checkpoints have the names of their files: give a list")
    yield replace(opened[0][0], name=name), None


def _opened(value: Any, loading: Mapping[str, Any]) -> list[tuple[Net | Checkpoint, str | None]]:
    """The networks or checkpoints that a person means, each with what stands for it in text."""
    if isinstance(value, Checkpoint):
        return [(value, str(value.path))]
    if isinstance(value, (Net, nn.Module)):
        return [(Net.of(value), None)]
    if isinstance(value, Mapping):
        from pellucid.net.load import again

        return [(again(value), str(value["spec"]))]
    text = str(value)
    path = Path(text).expanduser()
    if path.is_dir() and not NETWORKS.has(text):
        inside = path / "checkpoints"  # of a training run
        found = [one for one in path.iterdir() if is_checkpoint(one)]
        found = found or [one for one in (inside.iterdir() if inside.is_dir() else ()) if is_checkpoint(one)]
    elif is_checkpoint(path) and (path.exists() or not glob.has_magic(text)):
        found = [path]
    elif glob.has_magic(text) and ":" not in text:
        found = [Path(one) for one in glob.glob(str(path)) if is_checkpoint(Path(one))]
        if not found:
            raise BadNetwork(f"no checkpoint matches {text!r}: name their folder, or files ending in {_ENDINGS}")
    else:
        return [(_loaded(value, loading), text)]
    if not found:
        raise BadNetwork(f"no checkpoints in {text!r}: files ending in {_ENDINGS}")
    return [(Checkpoint(one), str(one)) for one in sorted(found, key=by_number)]


def _text(one: Net | Checkpoint, text: str | None) -> Any:
    """What makes it again: its text, or the arguments of `load` where more was said; None where there is neither."""
    if text is None or isinstance(one, Checkpoint) or one.origin is None or len(one.origin) == 1:
        return text
    return dict(one.origin)


def _loaded(value: Any, loading: Mapping[str, Any]) -> Net:
    if not loading:
        return Net.of(value)
    from pellucid.net.load import load

    return load(value, **loading)


def _given(value: NetsLike | None) -> Any:
    """For pydantic: what a person writes becomes Nets; None stays."""
    return Nets.of(value) if isinstance(value, (str, Path, Net, nn.Module, list, tuple, Mapping)) else value


NetsOption = Annotated[InstanceOf[Nets], BeforeValidator(_given)]
"""An option that takes networks, besides those that a method asks about."""


def is_checkpoint(path: Path) -> bool:
    """Whether a file of that name holds weights."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def by_number(path: Path) -> tuple[Any, ...]:
    """A key for sorting: `step9` comes before `step10`."""
    return tuple((0, int(one), "") if one.isdecimal() else (1, 0, one) for one in re.split(r"(\d+)", str(path)) if one)
