"""A server as a person begins it, `pellucid serve`, in a process of its own; and how tests ask it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

MARK = {"X-Pellucid": "1"}
JSON = {**MARK, "Content-Type": "application/json"}
PATIENCE = 240
"""Seconds that anything may take on a busy machine."""
_BEGIN = """
import os, sys
from pathlib import Path
if os.environ.get("PELLUCID_TEST_STATIC"):  # a page that is not built into the package yet
    import pellucid.web.app
    pellucid.web.app.STATIC = Path(os.environ["PELLUCID_TEST_STATIC"])
from pellucid.cli import main
sys.exit(main())
"""


@dataclass(frozen=True)
class Said:
    """What a server answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Its body."""
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """The line of an error."""
        found = self.json()["error"]
        assert isinstance(found, str)
        return found


class Served:
    """`with Served(folder, "--no-token") as server`: it keeps what it keeps below `folder`; `env` is added to ours."""

    def __init__(self, folder: Path, *words: str, env: Mapping[str, str] | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.words, self.env = folder, words, dict(env or {})
        self.link = ""
        """As it was printed."""
        self.heard = 0

    def __enter__(self) -> Self:
        folders = {name: str(self.folder / name) for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME")}
        self.log = self.folder / "stderr"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", _BEGIN, "serve", "--port", "0", "--no-open", *self.words],
                stdout=subprocess.PIPE, stderr=log, env={**os.environ, **folders, **self.env}, text=True,
                start_new_session=True,
            )  # fmt: skip
        assert self.process.stdout is not None
        self.link = next((line.rpartition(" ")[2].strip() for line in self.process.stdout if " at http" in line), "")
        if not self.link:
            self.stop()
            raise AssertionError(f"it did not begin: {self.log.read_text()}")
        parts = urlsplit(self.link)
        self.port, self.prefix = parts.port or 0, parts.path
        self._listens()
        return self

    def _listens(self) -> None:
        """The link is printed a moment before anybody listens."""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            with contextlib.suppress(ConnectionRefusedError):
                self.get("api/state")
                return
            time.sleep(0.05)
        self.stop()
        raise AssertionError(f"nobody listens: {self.log.read_text()}")

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        """End it as Ctrl-C does; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(30)
        finally:
            self.process.kill()
            self.process.wait()
            assert self.process.stdout is not None
            self.process.stdout.close()

    def ready(self) -> dict[str, Any]:
        """Its state, once its worker answers."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            state: dict[str, Any] = self.get("api/state").json()
            if state["state"] == "ready":
                return state
            assert state["state"] != "refused", state
            time.sleep(0.1)
        raise AssertionError(f"its worker did not begin: {self.log.read_text()}")

    def failures(self) -> str:
        """What it has written about failures since this was asked last."""
        said = self.log.read_text()[self.heard :]
        self.heard += len(said)
        return said if "Traceback" in said else ""

    def raw(self, method: str, path: str, headers: Mapping[str, str] | None = None, body: Any = None) -> Said:
        """A request for exactly this path, with these headers alone."""
        with self._sent(method, path, headers or {}, body) as answer:
            return Said(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())

    def get(self, path: str) -> Said:
        """Of a path below the token."""
        return self.raw("GET", self.prefix + path)

    def post(self, path: str, body: Any = None, headers: Mapping[str, str] = JSON, method: str = "POST") -> Said:
        """Bytes as they are, everything else as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.raw(method, self.prefix + path, headers, content)

    def upload(self, content: bytes, name: str = "picture.png") -> Said:
        """A picture."""
        return self.post("api/images", content, {**MARK, "X-Name": name})

    def lines(self, path: str, body: Any = None) -> Iterator[dict[str, Any]]:
        """What a question says, line by line as it comes; of work that is under way, where `body` is None."""
        how = ("GET", {}, None) if body is None else ("POST", JSON, json.dumps(body).encode())
        with self._sent(how[0], self.prefix + path, {**how[1], "Accept": "text/event-stream"}, how[2]) as answer:
            assert answer.status == 200, answer.read()
            for line in answer:
                yield json.loads(line)

    def answer(self, method: str, options: Mapping[str, Any] | None = None, **nouns: Any) -> dict[str, Any]:
        """The line with the key of an answer, or the one that says why there is none."""
        asked = {"method": method, "nouns": nouns, "options": options or {}}
        return next(one for one in self.lines("api/ask", asked) if "key" in one or "error" in one)

    @contextlib.contextmanager
    def _sent(self, method: str, path: str, headers: Mapping[str, str], body: Any) -> Any:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)) as connection:
            connection.putrequest(method, path, skip_host="Host" in headers, skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(name, value)
            if body is not None and "Content-Length" not in headers:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            with contextlib.closing(connection.getresponse()) as answer:
                yield answer
