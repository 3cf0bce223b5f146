"""Opens checkpoints where they can do no harm: a child process that `checkpoint.py` starts, never imported.

Everything but safetensors is a pickle, a program in disguise. torch's own reader refuses such programs
(weights_only); should it be fooled, it is fooled here: no other process, no connection, no file written outside
the job's folder, and little memory, time and disk. Only tensors leave, as safetensors, or one line of reason.
"""

from __future__ import annotations

import json
import os
import re
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SLACK = 64 * 2**20
"""Bytes that a checkpoint may hold beyond four times its file's size."""
MEMORY = 2**30
"""Bytes of memory beyond what torch and the tensors take."""
CONTAINERS = (
    "state_dict",
    "model_state_dict",
    "model",
    "net",
    "module",
    "params",
    "weights",
    "ema",
    "state_dict_ema",
    "model_ema",
)
_BARRED = ("os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.startfile", "os.kill", "os.remove",
           "os.rename", "os.rmdir", "os.chmod", "os.link", "os.symlink", "os.truncate", "os.mkdir", "shutil.",
           "subprocess.", "pty.", "socket.", "ctypes.", "webbrowser.", "urllib.", "sqlite3.")  # fmt: skip
_PROGRAMS = ("os", "posix", "nt", "subprocess", "sys", "builtins", "__builtin__", "runpy", "importlib", "pty",
             "commands", "socket", "ctypes", "shutil", "webbrowser", "functools", "operator", "code", "pdb", "bdb",
             "timeit", "asyncio", "multiprocessing", "pickle", "marshal", "types", "profile", "cProfile", "platform",
             "pathlib", "tempfile", "io", "codecs", "_io", "concurrent")  # fmt: skip
_SAVE = "where you trust it, save its tensors alone: torch.save(model.state_dict(), 'weights.pth')"


class Refusal(Exception):
    """Why no tensors come out of this file; one line that continues its name."""


def main(folder: Path) -> None:
    """Read the files named in `folder`/job.json; leave i.safetensors or i.json (the reason) for each."""
    job = json.loads((folder / "job.json").read_text())
    sys.path[:] = job["sys_path"]
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    torch.set_num_threads(1)
    sizes = [os.path.getsize(name) for name in job["files"]]
    _confine(folder, allowed(max(sizes)), job["seconds"])
    for i, (name, size) in enumerate(zip(job["files"], sizes, strict=True)):
        try:
            save_file(tensors_of(name, size), folder / f"{i}.safetensors")
        except (Refusal, MemoryError, RuntimeError, OSError, SafetensorError) as error:
            (folder / f"{i}.json").write_text(json.dumps(_reason(error)))


def allowed(size: int) -> int:
    """Bytes of tensors that a file of `size` bytes may hold: torch compresses nothing, but tensors may share."""
    return 4 * size + SLACK


def tensors_of(name: str, size: int) -> dict[str, Any]:
    """The tensors of the state dict in that checkpoint, each with memory of its own."""
    import torch

    try:
        if zipfile.is_zipfile(name):
            _check_archive(name, size)
        with torch.serialization.safe_globals(_harmless()):
            content = torch.load(name, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever torch's readers make of a damaged file
        raise Refusal(_reason(error)) from error
    state = {str(key): value.detach() for key, value in _state_dict(content).items() if isinstance(value, torch.Tensor)}
    odd = [key for key, value in state.items() if value.layout != torch.strided or value.is_quantized or value.is_meta]
    if odd:
        raise Refusal(f"holds sparse or quantized tensors ({odd[0]}), which no network here can take")
    # A pickle of a few bytes can describe a huge tensor, all of whose numbers lie in one place.
    if sum(value.numel() * value.element_size() for value in state.values()) > allowed(size):
        raise Refusal("describes tensors far larger than the file: refused")
    return {key: value.clone(memory_format=torch.contiguous_format) for key, value in state.items()}


def _check_archive(name: str, size: int) -> None:
    with zipfile.ZipFile(name) as archive:
        entries = archive.infolist()
    if any("/code/" in entry.filename or entry.filename.endswith("/constants.pkl") for entry in entries):
        raise Refusal(f"is a TorchScript archive, a program and not only weights: refused; {_SAVE}")
    if not any(entry.filename.endswith("data.pkl") for entry in entries):
        raise Refusal("is a zip archive, but no checkpoint that torch.save wrote")
    if sum(entry.file_size for entry in entries) > allowed(size):
        raise Refusal(f"would inflate from {size:,} to {sum(entry.file_size for entry in entries):,} bytes: refused")


def _harmless() -> list[Any]:
    """Classes besides tensors that real checkpoints mention and that can do nothing."""
    import argparse
    import pathlib

    import numpy as np
    from numpy._core import multiarray

    dtypes = {type(np.dtype(code)) for code in "?bhilqBHILQefd"}
    scalars = [(multiarray.scalar, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")]
    return [*scalars, np.dtype, *dtypes, argparse.Namespace, pathlib.PosixPath]


def _state_dict(content: Any) -> Mapping[Any, Any]:
    """The mapping from names to tensors, taken out of whatever the training script wrapped around it."""
    import torch

    if not isinstance(content, Mapping):
        raise Refusal(f"holds a {type(content).__name__}, no state dict: {_SAVE}")
    if any(isinstance(value, torch.Tensor) for value in content.values()):
        return content
    inside = {str(key): value for key, value in content.items() if _holds_tensors(value)}
    for key in CONTAINERS:
        if key in inside:
            return _state_dict(inside[key])
    inside = {key: value for key, value in inside.items() if "optim" not in key}
    if len(inside) == 1:
        return _state_dict(*inside.values())
    if inside:
        raise Refusal(f"holds {len(inside)} groups of tensors ({', '.join(inside)}): save the state dict of one alone")
    raise Refusal(f"holds no tensors, only {', '.join(map(str, content)) or 'an empty dict'}")


def _holds_tensors(value: Any) -> bool:
    """Whether it is a mapping with a tensor somewhere inside."""
    import torch

    return isinstance(value, Mapping) and any(
        isinstance(inner, torch.Tensor) or _holds_tensors(inner) for inner in value.values()
    )


def _reason(error: Exception) -> str:
    """One line for whatever went wrong in the readers of torch."""
    text = str(error)
    if isinstance(error, Refusal):
        return text
    if found := re.search(r"GLOBAL ([\w.]+)", text):
        name = found.group(1)
        if name.split(".")[0] in _PROGRAMS:
            return f"wants to run {name} when it is opened: refused, nothing was run; do not trust this file"
        return f"holds Python objects besides tensors ({name}), perhaps a whole pickled model: refused; {_SAVE}"
    if isinstance(error, MemoryError) or "can't allocate memory" in text:
        return "asks for far more memory than its size explains: refused"
    if "TorchScript" in text:
        return f"is a TorchScript archive, a program and not only weights: refused; {_SAVE}"
    first = (text.split("WeightsUnpickler error:")[-1].strip() or type(error).__name__).splitlines()[0]
    return f"is no checkpoint that torch.save wrote, or is damaged ({first[:120]})"


def _confine(folder: Path, most: int, seconds: int) -> None:
    """From here on: no process, no connection, no file written outside `folder`; memory, time and disk as told."""
    inside = os.path.join(os.path.realpath(folder), "")

    def hook(event: str, details: tuple[Any, ...]) -> None:
        if event.startswith(_BARRED):
            raise Refusal(f"tried {event} while it was opened: refused; do not trust this file")
        writes = event == "open" and details[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if writes and not os.path.realpath(os.fsdecode(details[0])).startswith(inside):
            raise Refusal("tried to write a file while it was opened: refused; do not trust this file")

    sys.addaudithook(hook)
    try:
        import resource
    except ImportError:  # Windows has no such limits; the hook and the parent's clock remain
        return
    limits = {"CPU": seconds, "FSIZE": most + SLACK, "NOFILE": 64, "NPROC": 0, "CORE": 0}
    if sys.platform == "linux":
        mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        limits["AS"] = mapped + 2 * most + MEMORY
    for name, limit in limits.items():
        kind = getattr(resource, f"RLIMIT_{name}")
        hard = resource.getrlimit(kind)[1]
        limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(kind, (limit, limit))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
