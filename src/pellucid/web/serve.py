"""The server: a socket, a link with its token, and a browser that opens it."""

from __future__ import annotations

import html
import os
import secrets
import socket
import threading
import webbrowser
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs
import uvicorn

from pellucid.errors import PellucidError
from pellucid.files import WITHOUT_FILE, write_atomically
from pellucid.web.app import make
from pellucid.web.guard import LOOPBACK, Guard
from pellucid.web.kept import cache_folder
from pellucid.web.server import Server
from pellucid.web.worker import Worker

if TYPE_CHECKING:
    from pellucid.net.nets import Nets

PORT = 7811
_HEIGHT = 720
"""Pixels of the frame in a notebook."""


class Handle:
    """An explorer that runs beside the program; a notebook shows it in a frame."""

    def __init__(self, url: str, server: uvicorn.Server, thread: threading.Thread) -> None:
        self.url = url
        """Its link, which holds the token."""
        self._server, self._thread = server, thread

    def stop(self) -> None:
        """End it, and what it was doing."""
        self._server.should_exit = True
        self._thread.join()

    def __repr__(self) -> str:
        return f"Explorer({self.url!r})"

    def _repr_html_(self) -> str:
        link = html.escape(self.url)
        return (
            f'<p><a href="{link}" target="_blank">Open the explorer</a></p>'
            f'<iframe src="{link}" width="100%" height="{_HEIGHT}" allow="camera" title="Pellucid"></iframe>'
        )


def serve(
    net: Any = "bundled", images: Sequence[str | Path] = (), *, indexes: Sequence[str | Path] = (),
    host: str = "127.0.0.1", port: int = PORT, allow_host: Iterable[str] = (), token: bool = True,
    new_token: bool = False, open: bool | None = None, block: bool = True, device: str = "auto",
    threads: int | None = None, say: Callable[[str], object] = lambda url: print(f"Pellucid is at {url}", flush=True),
    **load: Any,
) -> Handle | None:  # fmt: skip
    """Serve the explorer until it is interrupted; with `block=False` beside the program, until its handle is stopped.

    `net` is a name, as `load` takes it, opened in a process of its own, or a network or module that this program holds,
    which is then asked in threads of it. A list of them are several networks: pages show the first, any other can be
    chosen instead, and methods that compare networks are asked about all; others may be checkpoints of the first.
    `load` are the other options of `load`. `images` are files and folders of
    images, `indexes` folders made by `units.index`. Beyond this machine (`host="0.0.0.0"`) nobody gets in without the
    token, and the name by which the server is asked has to be in `allow_host`. `open` opens a browser, by default on a
    desktop; `say` is told the link.
    PellucidError where the port is taken.
    """
    away = host not in ("127.0.0.1", "localhost", "::1")
    if away and not token:
        raise PellucidError(f"--no-token is for this machine alone, and {host!r} is asked by others: leave it out")
    _check(images, indexes)
    listening = _socket(host, port)
    own, known = listening.getsockname()[1], _token(new_token) if token else ""
    nets = list(net) if isinstance(net, (list, tuple)) else [net]
    if not nets:
        raise PellucidError("net is an empty list: name a network, such as 'bundled'")
    held = None if all(isinstance(one, (str, Path)) for one in nets) else _held(nets, load)
    given = {
        "nets": [str(one) for one in nets] if held is None else list(held.names),
        "load": {name: _plain(value) for name, value in load.items()},
        "device": device,
        "threads": threads or int(os.environ.get("OMP_NUM_THREADS") or 1),
        "images": [str(one) for one in images], "indexes": [str(one) for one in indexes],
        "folder": str(cache_folder()),
    }  # fmt: skip
    server = Server(given, Path(platformdirs.user_state_dir("pellucid")) / f"port-{own}", _workers(held))
    own_name = {socket.gethostname().lower()} if away else set()
    names = LOOPBACK | own_name | {host.lower(), *(one.lower() for one in allow_host)}
    guarded = Guard(make(server), known, names if block else None)  # behind a notebook's proxy the token alone decides
    url = _link(own, f"k/{known}/" if known else "", "localhost" if not away else socket.gethostname(), block)
    config = uvicorn.Config(
        guarded, log_level="warning", access_log=False, timeout_graceful_shutdown=3, server_header=False,
        h11_max_incomplete_event_size=16384, lifespan="on",
    )  # fmt: skip
    running = uvicorn.Server(config)

    def stop() -> None:
        running.should_exit = True

    server.refused = stop
    if not block:
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        return Handle(url, running, thread)
    say(url)
    if _on_a_desktop() if open is None else open:
        webbrowser.open(url)
    try:
        running.run(sockets=[listening])
    except KeyboardInterrupt:  # to be interrupted is how it ends
        return None
    if "error" in server.worker.about:  # it could not open what it was given
        raise PellucidError(str(server.worker.about["error"]))
    return None


def _check(images: Sequence[str | Path], indexes: Sequence[str | Path]) -> None:
    """Raises PellucidError for what is not there."""
    for one in map(str, images):
        if not one.startswith(WITHOUT_FILE) and not Path(one).exists():
            raise PellucidError(f"there is no {one!r}: name images, and folders of images, that exist")
    for one in map(str, indexes):
        if not (Path(one) / "plan.json").is_file():
            raise PellucidError(f"{one!r} is no index: pellucid index photos/ --store photos.index makes one")


def _held(nets: Sequence[Any], load: Mapping[str, Any]) -> Nets:
    """Networks some of which this program holds, where the first of them is."""
    from pellucid.net import Net
    from pellucid.net.load import load as loaded
    from pellucid.web.session import networks

    first = nets[0] if isinstance(nets[0], Net) else loaded(nets[0], **load)
    return networks([first, *nets[1:]], load, first.device.type)


def _workers(nets: Nets | None) -> Callable[[Mapping[str, Any]], Worker]:
    """What makes a worker: a process, or threads of this one."""
    if nets is None:
        return Worker
    from pellucid.web.beside import Beside

    return lambda given: Beside(given, nets)


def _link(port: int, path: str, host: str, block: bool) -> str:
    """Where the page is, from where it is looked at."""
    hub = os.environ.get("JUPYTERHUB_SERVICE_PREFIX")
    return f"{hub.rstrip('/')}/proxy/{port}/{path}" if hub and not block else f"http://{host}:{port}/{path}"


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


def _on_a_desktop() -> bool:
    """Whether there is somebody who would see a browser open."""
    remote = os.environ.get("SSH_CONNECTION") or os.environ.get("CI")
    display = os.name == "nt" or os.uname().sysname == "Darwin" or os.environ.get("DISPLAY")
    return bool(display or os.environ.get("WAYLAND_DISPLAY")) and not remote


def _socket(host: str, port: int) -> socket.socket:
    found = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
        found.listen(2048)  # whoever follows the link at once waits, and is not refused
    except OSError as error:
        found.close()
        raise PellucidError(f"cannot listen at {host}:{port} ({error.strerror}): try --port 0, which is any") from error
    return found


def _token(new: bool) -> str:
    """Kept for the next time, so that links stay good."""
    file = Path(platformdirs.user_state_dir("pellucid")) / "token"
    if not new and file.is_file() and (known := file.read_text().strip()):
        return known
    made = secrets.token_urlsafe(32)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(file, lambda out: out.write(made.encode()))
    file.chmod(0o600)
    return made
