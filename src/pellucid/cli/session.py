"""One call of the command line: its network, its images one by one, what it says, and how it ended."""

from __future__ import annotations

import functools
import json
import math
import operator
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pellucid import __version__, progress
from pellucid.cli import complete, words
from pellucid.cli.common import loaded_as
from pellucid.cli.inputs import Inputs, inputs
from pellucid.cli.settled import settled
from pellucid.cli.watch import Watch
from pellucid.errors import PellucidError, UnknownName

if TYPE_CHECKING:
    from pellucid.images import Images
    from pellucid.net import Net

T = TypeVar("T")
SCHEMA = 1
"""Of the JSON documents: raised when a field changes its meaning or goes away."""
_SOME_FAILED = 4


class Session:
    """What commands share. `given` is what was said on the command line, option by option."""

    def __init__(self, command: str, given: dict[str, Any], watch: Watch) -> None:
        self.command, self.given, self.watch = command, given, watch
        self.failed: list[tuple[str, PellucidError]] = []
        self.fails = False
        """Whether what was found is what the caller said to fail on."""
        self._threads: int | None = None
        self._by_line = False

    @cached_property
    def net(self) -> Net:
        """The network that was asked for, on the device that was asked for."""
        asked = self.given
        if (asked["output"] or "").lower().endswith((".png", ".svg", ".pdf", ".jpg", ".npz")):
            raise PellucidError(f"--output {asked['output']!r} is a tensor of the network; for a file say --out")
        with self.watch.busy(f"loading {asked['net']}"):
            from pellucid.net import load

            self.use_threads()
            net = self.placed(load.load(asked["net"], **self.loading))
        complete.remember(asked["net"], net)
        return net

    @property
    def loading(self) -> dict[str, Any]:
        """What `load` is told besides the network's name."""
        said = {name: self.given.get(shell) for name, shell in loaded_as().items()}
        return said | {"value_range": self.value_range}

    @property
    def value_range(self) -> tuple[float, float] | None:
        """The full scale of the images, where it was said."""
        said = self.given.get("value_range")
        if said is not None and len(said) != 2:
            raise PellucidError(f"--value-range {','.join(map(str, said))}: LOW,HIGH, such as 0,65535")
        return said

    @property
    def reading(self) -> tuple[float, float] | None:
        """The same for whoever reads images, which may be clipped to it."""
        from pellucid.images.arrays import Window

        return Window.where(self.given.get("clip"), self.value_range)

    @cached_property
    def inputs(self) -> Inputs:
        """The images that were named, also by folders, patterns and stdin."""
        said = self.given.get("images") or ()
        if isinstance(said, str):  # a set of images, which its own noun reads
            return Inputs()
        with self.watch.busy("looking for images"):
            found = inputs(said)
        for note in found.notes:
            self.watch.note(note)
        return found

    @property
    def names(self) -> Sequence[str]:
        """What the images are called."""
        return self.inputs.names

    def each(self, work: Callable[[Images, int], T]) -> Iterator[tuple[str, T]]:
        """(name, `work(picture, i)`) of one image after the other; no answer is kept here.

        With several, one that fails is listed and the rest are done.
        """
        if not self.inputs.many:
            yield self.names[0], work(self.read(self.names[0]), 0)
            return
        for i, name in enumerate(progress.steps(self.names, "images")):
            try:
                picture = self.read(name)
            except PellucidError as error:
                self._fail(name, error)
                continue
            self.net  # noqa: B018  # a network that cannot be loaded is no fault of this image
            try:
                done = work(picture, i)
            except UnknownName:
                raise  # a layer, a class, a method: the next image would meet it too
            except PellucidError as error:
                self._fail(name, error)
            else:
                yield name, done

    def stream(
        self,
        work: Callable[[Images, int], T],
        document: Callable[[T], Mapping[str, Any]],
        lines: Callable[[T], object],
    ) -> None:
        """`work(picture, i)` for each image, told at once: with several a line of JSON for each, also for one that
        failed, so that memory does not grow with their number.
        """
        self._by_line = self.inputs.many and bool(self.given["json"])
        for name, done in self.each(work):
            if self._by_line:
                self._line({"image": name, **document(done)})
            elif self.inputs.many:
                self.watch.aside()
                lines(done)
                sys.stdout.flush()
            else:
                self.tell(document(done), functools.partial(lines, done))

    def _line(self, document: Mapping[str, Any]) -> None:
        self.watch.aside()
        click.echo(json.dumps({**self._head, **document}, default=_plain, allow_nan=False))
        sys.stdout.flush()

    @property
    def _head(self) -> dict[str, Any]:
        return head(self.command)

    def together(self, work: Callable[[Images, int], T]) -> list[T]:
        """`work(all images, 0)`, once. With several, one that cannot be read is listed and the rest are taken."""
        read = self.read_all(self.names)
        return [work(read, 0)] if read is not None else []

    def read_all(self, names: Sequence[str]) -> Images | None:
        """All images as one. With several, one that cannot be read is listed; None where none can."""
        read: list[Images] = []
        for name in progress.steps(names, "images"):
            try:
                read.append(self.read(name))
            except PellucidError as error:
                if len(names) == 1:
                    raise
                self._fail(name, error)
        return functools.reduce(operator.add, read) if read else None

    def tell(self, document: Mapping[str, Any], lines: Callable[[], object]) -> None:
        """The result on stdout: as JSON if asked for, else whatever `lines` prints."""
        self.watch.clear()
        if not self.given["json"]:
            lines()
            return
        failed = [self._failure(name, error) for name, error in self.failed]
        tail = {"failed": failed} if "images" in self.given else {}
        click.echo(json.dumps({**self._head, **document, **tail}, indent=2, default=_plain, allow_nan=False))

    @property
    def code(self) -> int:
        """The exit code: 0, 1 where something was found to fail on, or how it failed."""
        codes = {error.exit_code for _, error in self.failed}
        if not codes:
            return 1 if self.fails else 0
        nothing = len(self.failed) == len(self.names)
        return codes.pop() if nothing and len(codes) == 1 else _SOME_FAILED

    def close(self) -> None:
        """Leave torch as it was."""
        if self._threads is not None:
            sys.modules["torch"].set_num_threads(self._threads)

    def read(self, name: str) -> Images:
        """One image, and what reading it had to decide."""
        with self.watch.busy("loading torch"):
            from pellucid.images import read

        picture = read(name, value_range=self.reading)
        for note in picture.notes:
            self.watch.note(str(note))
        return picture

    def _fail(self, name: str, error: PellucidError) -> None:
        self.failed.append((name, error))
        said = str(error)
        self.watch.error(said if Path(name).name in said else f"{name}: {said}", going_on=True)
        if self._by_line:
            self._line(self._failure(name, error))

    def _failure(self, name: str, error: PellucidError) -> dict[str, Any]:
        return {"image": name, "error": self.watch.words(str(error)), "exit_code": error.exit_code}

    def placed(self, net: Net) -> Net:
        """A network on the device that was asked for. Raises MissingDevice."""
        from pellucid.net.load import placed

        return placed(net, self.given["device"])

    def use_threads(self) -> None:
        """One thread unless told otherwise: for one image more gain little, and on a busy machine cost much."""
        import torch

        wanted = self.given["threads"] or (None if os.environ.get("OMP_NUM_THREADS") else 1)
        if wanted:
            self._threads = torch.get_num_threads()
            torch.set_num_threads(wanted)


@contextmanager
def session(ctx: click.Context) -> Iterator[Session]:
    """A session for the command being run, listening to progress."""
    watch = ctx.find_object(Watch) or Watch()
    watch.words = words.spoken(ctx.command)
    given, said = settled(ctx)
    if said:
        watch.note(said)
    opened = Session(ctx.info_name or "", given, watch)
    with progress.listen(watch):
        try:
            yield opened
        finally:
            opened.close()


def running(body: Callable[[Session], object]) -> Callable[..., int]:
    """The callback of a command: `body` in a session, then the exit code."""

    def call(**_: Any) -> int:
        with session(click.get_current_context()) as opened:
            body(opened)
            return opened.code

    return call


def head(command: str) -> dict[str, Any]:
    """What every JSON document begins with."""
    return {"schema": SCHEMA, "pellucid": __version__, "command": command}


def _plain(value: Any) -> Any:
    """For JSON: numpy's numbers and arrays, paths, tuples of tuples."""
    if hasattr(value, "tolist"):
        return finite(value.tolist())
    return str(value)


def finite(value: Any) -> Any:
    """The same with None for what JSON has no number for."""
    if isinstance(value, Mapping):
        return {str(key): finite(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
