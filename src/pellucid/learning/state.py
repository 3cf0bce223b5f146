"""What a training keeps in its folder: all that it needs to go on, its numbers by step, and checkpoints.

Tensors are stored by safetensors and facts as JSON, so nothing is believed that a file could run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from pellucid.errors import PellucidError
from pellucid.files import write_atomically
from pellucid.history import CHECKPOINTS

STATE = ".training.state"
"""No checkpoint by its name: it holds the optimizer's numbers too."""
LOG = "log.jsonl"


def raw(value: Tensor) -> bytes:
    """The bytes of a tensor."""
    found = value.detach().cpu().contiguous().reshape(-1)
    return found.view(torch.uint8).numpy().tobytes() if found.numel() else b""


def written(
    place: Path,
    module: nn.Module,
    optimizer: torch.optim.Optimizer,
    best: Mapping[str, Tensor],
    about: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    step: int | None,
) -> None:
    """Everything, each file whole or not there; with a `step`, the weights as a checkpoint too."""
    place.mkdir(parents=True, exist_ok=True)
    weights = {name: _own(value) for name, value in module.state_dict().items()}
    if step is not None:
        (place / CHECKPOINTS).mkdir(exist_ok=True)
        write_atomically(place / CHECKPOINTS / f"step_{step}.safetensors", lambda file: file.write(save(weights)))
    text = "".join(json.dumps(row) + "\n" for row in rows)
    write_atomically(place / LOG, lambda file: file.write(text.encode()))
    tensors = {f"module/{name}": value for name, value in weights.items()}
    tensors |= {f"best/{name}": _own(value) for name, value in best.items()}
    for number, held in optimizer.state_dict()["state"].items():
        tensors |= {
            f"optimizer/{number}/{name}": _own(torch.as_tensor(value))
            for name, value in held.items()
            if value is not None
        }
    blob = save(tensors, {"about": json.dumps(about)})
    write_atomically(place / STATE, lambda file: file.write(blob))


def opened(place: Path) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """(tensors by name, facts) of the training in a folder; None where there is none. Raises PellucidError."""
    path = place / STATE
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads((file.metadata() or {})["about"])
            return {name: file.get_tensor(name) for name in file.keys()}, about  # noqa: SIM118  # no mapping
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise PellucidError(f"the training in {str(place)!r} is damaged, name another folder: {error}") from error


def restored(module: nn.Module, optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Weights and the optimizer's numbers as they were."""
    module.load_state_dict({name[7:]: value for name, value in tensors.items() if name.startswith("module/")})
    found = optimizer.state_dict()
    held: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("optimizer/"):
            _, number, key = name.split("/")
            held.setdefault(int(number), {})[key] = value
    optimizer.load_state_dict({**found, "state": held})


def _own(value: Tensor) -> Tensor:
    """In memory of its own: tied tensors share theirs, which safetensors refuses."""
    return value.detach().clone().contiguous()
