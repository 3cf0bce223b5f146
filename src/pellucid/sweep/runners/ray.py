"""A Ray cluster: core tasks, one thread each. What travels is the plan as text; what comes back are numbers.

Whoever reaches a Ray cluster may run any code on it, so none is used that lets people in without a token.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from pellucid.errors import MissingExtra, PellucidError, Refused
from pellucid.sweep.plan import Piece
from pellucid.sweep.schedule import Lost, Runner
from pellucid.sweep.shard import Done, Work, work_done, work_of

_PATIENCE = 10.0
"""Seconds for a cluster to answer."""


class Ray(Runner):
    """On the cluster at `address` (HOST:PORT; else RAY_ADDRESS; else one of this machine that ends with the run).

    `slots` pieces at a time, by default one for each of its CPUs. All its machines see the images under the same
    paths and have Pellucid installed; only this process writes the index.
    """

    def __init__(self, slots: int | None = None, *, address: str | None = None) -> None:
        self.asked, self.address = slots, address or os.environ.get("RAY_ADDRESS") or None
        self._ray: ModuleType | None = None
        self._began = False
        self._work: Any = None
        self._plans: dict[str, Any] = {}
        self._silence_ray = ExitStack()

    @property
    def slots(self) -> int:  # type: ignore[override]  # grows and shrinks with the cluster
        return self.asked or max(1, int(self._joined().cluster_resources().get("CPU", 1)))

    def submit(self, plan: Work, piece: Piece) -> Any:
        ray = self._joined()
        if plan.key not in self._plans:
            self._plans[plan.key] = ray.put(json.dumps(plan.as_dict()))
        return self._work.remote(self._plans[plan.key], piece.shard, piece.start, piece.stop, dict(piece.floors or {}))

    def wait(self, handles: Iterable[Any], seconds: float | int) -> list[Any]:
        found: list[Any] = self._joined().wait(list(handles), num_returns=1, timeout=seconds)[0]
        return found

    def result(self, handle: Any) -> Done:
        ray = self._joined()
        try:
            done: Done = ray.get(handle)
        except ray.exceptions.RayTaskError as error:
            cause = getattr(error, "cause", None)
            raise (cause if isinstance(cause, Exception) else RuntimeError(str(error).splitlines()[-1])) from error
        except ray.exceptions.RayError as error:
            raise Lost(f"its worker was lost ({type(error).__name__})") from error
        parts = {fold: {name: np.array(one) for name, one in part.items()} for fold, part in done.parts.items()}
        return Done(parts, done.bad, done.images, done.stamps)  # copied: in the cluster's memory they are read-only

    def abandon(self, handle: Any) -> None:
        self._joined().cancel(handle, force=True)

    def close(self) -> None:
        if self._ray is not None and self._began:
            self._ray.shutdown()
        self._ray, self._plans = None, {}
        self._silence_ray.close()

    def _joined(self) -> ModuleType:
        """Ray, in a cluster. Raises Refused for one that is open to everybody."""
        if self._ray is not None:
            return self._ray
        ray = _imported(self.address)
        if not ray.is_initialized():
            where = {"address": self.address} if self.address else {"num_cpus": self.asked, "include_dashboard": False}
            if self.address:
                _answers(self.address)
            try:
                ray.init(**where, log_to_driver=False, logging_level=logging.ERROR, configure_logging=False)
            except (ray.exceptions.RayError, OSError, RuntimeError, ValueError) as error:
                at = f"join the Ray cluster at {self.address!r}" if self.address else "start Ray here"
                raise PellucidError(f"cannot {at}: {type(error).__name__}: {error}") from error
            self._began = True
        self._ray = ray
        self._silence_ray.enter_context(_silence_ray())
        address = ray.get_runtime_context().gcs_address
        if _knocked(address, token=False) == "open":
            self.close()
            raise Refused(
                f"the Ray cluster at {address!r} runs the code of whoever reaches it: start it with RAY_AUTH_MODE=token"
            )
        self._work = ray.remote(num_cpus=1, max_retries=0)(_worked)  # drive tries again, and knows what to cut
        return ray


@contextmanager
def _silence_ray() -> Iterator[None]:
    """Ray prints paragraphs about every worker that dies, on stdout, where answers go; `drive` says what matters."""
    module = sys.modules.get("ray._private.worker")
    said = getattr(module, "print_to_stdstream", None)
    if said is None:
        yield
        return
    setattr(module, "print_to_stdstream", lambda *_, **__: None)  # noqa: B010
    try:
        yield
    finally:
        setattr(module, "print_to_stdstream", said)  # noqa: B010


def _imported(address: str | None) -> ModuleType:
    """Ray, told to want a token: it reads the environment when it is imported."""
    saved = Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray" / "auth_token")
    if not os.environ.get("RAY_AUTH_TOKEN") and not saved.is_file():
        if address:
            raise Refused(f"no token for the Ray cluster at {address!r}: set RAY_AUTH_TOKEN, or RAY_AUTH_TOKEN_PATH")
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
    os.environ["RAY_AUTH_MODE"] = "token"
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray
    except ImportError as error:
        raise MissingExtra("the runner ray", "ray") from error
    module: ModuleType = ray
    return module


def _answers(address: str) -> None:
    """Raises PellucidError, soon, where no cluster is or the token is not its token."""
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal() or "://" in address:
        raise PellucidError(f"{address!r} is no address of a Ray cluster: HOST:PORT, such as 10.0.0.7:6379")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _PATIENCE).close()
    except OSError as error:
        raise PellucidError(f"no Ray cluster answers at {address!r}: {error.strerror or error}") from error
    answer = _knocked(address, token=True)
    if answer != "open":
        raise Refused(f"the Ray cluster at {address!r} does not let us in: is RAY_AUTH_TOKEN its token? ({answer})")


_KNOCK = """
import sys
try:
    from ray._raylet import GcsClient
    GcsClient(address=sys.argv[1]).internal_kv_keys(b"", namespace=None, timeout=5)
    print("open")
except Exception as error:
    print(type(error).__name__)
"""


def _knocked(address: str, *, token: bool) -> str:
    """'open' where a client with our token, or with none, is let in; else why not."""
    environment = {name: value for name, value in os.environ.items() if token or not name.startswith("RAY_AUTH")}
    environment["RAY_AUTH_MODE"] = "token" if token else "disabled"
    try:
        call = [sys.executable, "-c", _KNOCK, address]
        said = subprocess.run(call, env=environment, capture_output=True, text=True, timeout=3 * _PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        return "no answer"
    return said.stdout.strip() or "no answer"


def _worked(plan: str, shard: int, start: int, stop: int, floors: dict[str, Any]) -> Done:
    """The work of a task, in a process of the cluster."""
    import torch

    torch.set_num_threads(1)
    return work_done(_plan(plan), Piece(shard, start, stop, floors or None))


@lru_cache(maxsize=2)
def _plan(text: str) -> Work:
    return work_of(json.loads(text))
