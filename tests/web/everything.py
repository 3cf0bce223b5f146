"""Every option of every method, and all that methods are asked about, with every hostile text; run as a program.

`python -m tests.web.everything FOLDER STEP` writes one line of JSON: what was tried, and what went wrong: an error that
is no PellucidError of one line; a file, folder, address or program that was touched and that nobody named before.
Python's audit hook sees what Python opens, inotify whatever else reads the files that hostile texts name.
"""

from __future__ import annotations

import ctypes
import dataclasses
import json
import os
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.web import hostile

if TYPE_CHECKING:
    from pellucid.catalogue import Entry

_TOUCHES = {
    "open": 1, "os.listdir": 1, "os.scandir": 1, "os.remove": 1, "os.rename": 2, "os.rmdir": 1, "os.mkdir": 1,
    "os.link": 2, "os.symlink": 2, "os.truncate": 1, "os.chmod": 1, "os.chown": 1, "os.chdir": 1, "shutil.rmtree": 1,
    "shutil.move": 2, "shutil.copyfile": 2, "sqlite3.connect": 1, "glob.glob": 1, "ctypes.dlopen": 1,
}  # fmt: skip
_WORLD = ("socket.", "subprocess.", "os.system", "os.exec", "os.spawn", "os.posix_spawn", "os.fork", "urllib.",
          "ftplib.", "http.client.", "webbrowser.", "smtplib.", "pty.", "os.startfile")  # fmt: skip
_OPENED = 0x20


class Watch:
    """What is touched while `asked` says why."""

    def __init__(self, roots: list[Path], canary: Path) -> None:
        self.roots = tuple(f"{os.path.realpath(one)}{os.sep}" for one in roots)
        self.asked, self.wrong, self.busy = "", list[str](), False
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.inotify = self.libc.inotify_init1(os.O_NONBLOCK)
        self.watched: dict[int, str] = {}
        for one in (canary, *canary.iterdir()):
            self.watched[self.libc.inotify_add_watch(self.inotify, os.fsencode(one), _OPENED)] = one.name
        sys.addaudithook(self._heard)

    def _heard(self, event: str, given: tuple[Any, ...]) -> None:
        if not self.asked or self.busy:
            return
        self.busy = True
        try:
            if event.startswith(_WORLD):
                self.wrong.append(f"{self.asked}: {event} {given!r}"[:400])
            for path in given[: _TOUCHES.get(event, 0)]:
                if isinstance(path, (str, bytes, os.PathLike)) and not self._known(os.fsdecode(path)):
                    self.wrong.append(f"{self.asked}: {event} {path!r}"[:400])
        finally:
            self.busy = False

    def _known(self, path: str) -> bool:
        try:
            return f"{os.path.realpath(path)}{os.sep}".startswith(self.roots)
        except ValueError:  # a null byte: nothing is opened by that name
            return True

    def canaries(self) -> str:
        """Which of the files that hostile texts name were opened since the last time, by whatever language."""
        try:
            said = os.read(self.inotify, 65536)
        except BlockingIOError:
            return ""
        found, at = list[str](), 0
        while at < len(said):
            number, _, _, length = struct.unpack_from("iIII", said, at)
            name = said[at + 16 : at + 16 + length].rstrip(b"\0").decode()
            found.append(name or self.watched[number])
            at += 16 + length
        return ", ".join(found)

    @contextmanager
    def while_asking(self, what: str) -> Iterator[None]:
        """Whatever is touched is put down to `what`; an error has to be of ours, and one line."""
        from pellucid.errors import PellucidError

        self.asked = what
        try:
            yield
        except PellucidError as error:
            if len(str(error).splitlines()) != 1 or len(str(error)) > 2000:
                self.wrong.append(f"{what}: the error is no short line: {str(error)[:300]!r}")
        except BaseException as error:
            self.wrong.append(f"{what}: {type(error).__name__} {error}"[:400])
        finally:
            self.asked = ""
        if opened := self.canaries():
            self.wrong.append(f"{what}: {opened} was opened")


def listening(met: list[Any]) -> int:
    """A port of this machine that notes whoever connects."""
    door = socket.create_server(("127.0.0.1", 0))

    def wait() -> None:
        while True:
            guest, where = door.accept()
            met.append(where)
            guest.close()

    threading.Thread(target=wait, daemon=True).start()
    return int(door.getsockname()[1])


def left(value: Any, depth: int = 0) -> Iterator[str]:
    """Texts inside what was accepted where something would read them later: in nested questions, in similarities."""
    from pellucid.catalogue.ask import Ask
    from pellucid.target.similarity import Similarity

    if isinstance(value, Ask):
        yield from (str(one) for part in (value.nouns, value.options) for one in part.values() if isinstance(one, str))
    if isinstance(value, Similarity) and isinstance(value.to, (str, os.PathLike)):
        yield str(value.to)
    if depth < 6 and dataclasses.is_dataclass(value) and not isinstance(value, type):
        for one in dataclasses.fields(value):
            yield from left(getattr(value, one.name, None), depth + 1)
    if isinstance(value, (tuple, list)):
        for one in value:
            yield from left(one, depth + 1)


def shapes(text: str) -> list[Any]:
    """Where a page might hide a text."""
    return [[text], {"image": text}, {"method": "occlusion", "options": {"fill": text}},
            [{"method": "grad_cam", "nouns": {"images": text}}], {text: text}]  # fmt: skip


class Trial:
    """All that is tried, and what came of it."""

    def __init__(self, folder: Path) -> None:
        import pellucid
        from pellucid.catalogue import entries
        from pellucid.net import Net
        from pellucid.web.forms import form
        from pellucid.web.session import Session

        canary, own = folder / "elsewhere", folder / "own"
        hostile.secrets(canary)
        self.met: list[Any] = []
        self.texts = hostile.texts(canary, listening(self.met))
        self.here = Session({"folder": str(own), "images": [], "indexes": []}, Net.of("bundled"))
        self.entries = [entry for entry in entries() if not form(entry).get("broken")]
        roots = [own, Path(sys.prefix), Path(sys.base_prefix), Path(pellucid.__file__).parent]
        self.watch, self.tried, self.accepted = Watch([*roots, Path("/usr/lib"), Path("/usr/share")], canary), 0, 0

    def one(self, what: str, said: str, ask: Callable[[], Mapping[str, Any]]) -> None:
        """One text in one place."""
        self.tried += 1
        with self.watch.while_asking(f"{what}={said[:200]}"):
            found = ask()
            self.accepted += 1
            later = [text for text in left(list(found.values())) if text in said]
            if later:
                self.watch.wrong.append(f"{what}={said[:200]}: accepted, and read later: {later[0][:200]!r}")

    def forms(self, entry: Entry, shape: Any) -> None:
        """As every option of a method, and as everything that it is asked about."""
        from pellucid.web.forms import asked
        from pellucid.web.nouns import given

        said = json.dumps(shape)
        for name in entry.options.model_fields:
            self.one(f"{entry.name} {name}", said, partial(asked, entry, {name: shape}, self.here))
        for name in entry.nouns:
            self.one(f"{entry.name} {name}", said, partial(given, self.here, entry, {name: shape}))

    def run(self, entry: Entry, text: str) -> None:
        """The same, and what is accepted is really asked, about a picture."""
        from pellucid.web.forms import asked
        from pellucid.web.nouns import given

        def ask(options: dict[str, Any], more: dict[str, Any]) -> Mapping[str, Any]:
            about = {"images": "s-panda", **more} if "images" in entry.nouns else more
            nouns = given(self.here, entry, about)
            entry.plainly(**nouns, **{**entry.quick, **asked(entry, options, self.here)})
            return {}

        for name, one in entry.options.model_json_schema()["properties"].items():
            if '"string"' in json.dumps(one):
                self.one(f"run {entry.name} {name}", text, partial(ask, {name: text}, {}))
        if "target" in entry.nouns:
            self.one(f"run {entry.name} target", text, partial(ask, {}, {"target": text}))

    def told(self) -> str:
        """What came of it, as a line of JSON."""
        wrong = self.watch.wrong + [f"somebody connected: {where}" for where in self.met]
        return json.dumps({"tried": self.tried, "accepted": self.accepted, "texts": len(self.texts),
                           "methods": len(self.entries), "wrong": len(wrong), "examples": wrong[:60]})  # fmt: skip


def main(folder: Path, step: int) -> None:
    """Each `step`-th text; with 0 a few, where methods that answer quickly are really asked."""
    import torch

    torch.set_num_threads(1)
    trial = Trial(folder)
    if not step:
        for entry in [one for one in trial.entries if one.chapter in ("attribution", "activations", "filters")]:
            for text in (trial.texts[0], trial.texts[4], "http://127.0.0.1/x.png"):
                trial.run(entry, text)
    else:
        for entry in trial.entries:
            for text in trial.texts[::step]:
                trial.forms(entry, text)
            for text in trial.texts[:15:step]:
                for shape in shapes(text):
                    trial.forms(entry, shape)
    print(trial.told())


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
