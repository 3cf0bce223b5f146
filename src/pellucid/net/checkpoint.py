"""Weights from a file, without ever running what the file holds."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from pellucid.errors import BadNetwork, unknown

SUFFIXES = (".safetensors", ".pth", ".pt", ".ckpt", ".th", ".bin", ".tar", ".pkl", ".pickle")
_SECONDS = 60
_BYTES_PER_SECOND = 10e6  # a slow disk
_KEPT = (
    "PATH",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "SYSTEMROOT",
)  # all that a child needs to start torch


def read_checkpoint(path: str | Path) -> dict[str, Tensor]:
    """The tensors of the state dict in a checkpoint, by name; each has memory of its own.

    A .safetensors file is read directly. All else is a pickle: a child process with little memory, time and
    rights opens it (weights only) and hands back tensors. Raises BadNetwork in one line for what holds
    programs, is damaged or is no checkpoint; UnknownName for a file that is not there.
    """
    (found,) = read_checkpoints([path])
    return found


def read_checkpoints(paths: Sequence[str | Path]) -> list[dict[str, Tensor]]:
    """Of several files, as `read_checkpoint` has it of one; one child opens all that are pickles."""
    files = [_regular(Path(path).expanduser()) for path in paths]
    pickles = [path for path in files if path.suffix != ".safetensors"]
    with TemporaryDirectory(prefix="pellucid-", ignore_cleanup_errors=True) as folder:
        made = dict(zip(pickles, _in_child(pickles, Path(folder)) if pickles else [], strict=True))
        for path, answer in made.items():
            if isinstance(answer, str):
                raise BadNetwork(f"{str(path)!r} {answer}")
        return [_safetensors(Path(made.get(path, path)), path) for path in files]


def _in_child(paths: Sequence[Path], folder: Path) -> list[Path | str]:
    """For each file the safetensors file made from it in `folder`, or the reason why there is none."""
    seconds = int(_SECONDS + sum(path.stat().st_size for path in paths) / _BYTES_PER_SECOND)
    where = [entry for entry in sys.path if os.path.isabs(entry)]
    job = {"files": [str(path.absolute()) for path in paths], "sys_path": where, "seconds": seconds}
    (folder / "job.json").write_text(json.dumps(job))
    command = [sys.executable, "-I", str(Path(__file__).with_name("sandbox.py")), str(folder)]
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    environment |= {
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "CUDA_VISIBLE_DEVICES": "",
        "OMP_NUM_THREADS": "1",
    }
    with (folder / "stderr").open("wb") as stderr:
        try:
            status: int | None = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                env=environment,
                cwd=folder,
                timeout=2 * seconds,
                check=False,
                start_new_session=True,
            ).returncode
        except subprocess.TimeoutExpired:
            status = None
        except OSError as error:
            status = 127
            stderr.write(str(error).encode())
    lost = _lost(status, (folder / "stderr").read_text(errors="replace"))
    answers: list[Path | str] = []
    for i in range(len(paths)):
        tensors, reason = folder / f"{i}.safetensors", folder / f"{i}.json"
        if reason.is_file():
            answers.append(str(json.loads(reason.read_text())))
        else:
            answers.append(tensors if tensors.is_file() and status == 0 else lost)
    return answers


def _lost(status: int | None, complaint: str) -> str:
    """What to say when the child ended without an answer."""
    if status is None:
        return "was not read in time: refused"
    if status < 0:
        return f"ended the process that read it (signal {-status}): damaged, or made to do harm"
    last = complaint.strip().splitlines()[-1:] or [f"exit status {status}"]
    return f"could not be read: the process for it failed ({last[0][:200]})"


def _safetensors(path: Path, shown: Path) -> dict[str, Tensor]:
    try:
        # The file may be mapped into memory, and it may be rewritten or removed while the tensors live.
        tensors = {name: tensor.clone() for name, tensor in load_file(path).items()}
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise BadNetwork(f"{str(shown)!r} is no whole safetensors file: {error}") from error
    if not tensors:
        raise BadNetwork(f"{str(shown)!r} holds no tensors")
    return tensors


def _regular(path: Path) -> Path:
    """`path`, if it is a plain file with something in it; a FIFO or device could block for ever."""
    try:
        found = path.stat()
        if stat.S_ISREG(found.st_mode):
            with path.open("rb") as file:
                start = file.read(64)
    except (FileNotFoundError, NotADirectoryError) as error:
        if not path.parent.is_dir():
            raise BadNetwork(f"no file {str(path)!r}: there is no folder {str(path.parent)!r}") from error
        raise unknown("file", str(path), (str(one) for one in sorted(path.parent.iterdir()))) from error
    except (OSError, ValueError) as error:
        raise BadNetwork(f"{str(path)!r} cannot be opened: {getattr(error, 'strerror', None) or error}") from error
    if not stat.S_ISREG(found.st_mode):
        kind = "a folder" if stat.S_ISDIR(found.st_mode) else "no plain file"
        raise BadNetwork(f"{str(path)!r} is {kind}; weights are one file: {', '.join(SUFFIXES)}")
    if not start:
        raise BadNetwork(f"{str(path)!r} is empty")
    if start.startswith(b"version https://git-lfs"):
        raise BadNetwork(f"{str(path)!r} is a Git LFS pointer, not the file itself: git lfs pull")
    return path
