"""Arrays for a page that are no result of a method, in the format of results: see `result/wire.py`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


def arrays(about: Mapping[str, Any], held: Mapping[str, NDArray[Any]]) -> bytes:
    """A safetensors file whose metadata `about` is the JSON, in which {"$": NAME} stands for an array, every number as
    exact as it is. Numbers are float32, int32 or uint8.
    """
    from safetensors.numpy import save

    head = json.dumps(_placed(about, held), allow_nan=False, separators=(",", ":"))
    return save({name: np.ascontiguousarray(one) for name, one in held.items()}, {"about": head})


def _placed(said: Any, held: Mapping[str, NDArray[Any]]) -> Any:
    if isinstance(said, Mapping):
        if set(said) == {"$"}:
            return {**said, "shape": list(held[said["$"]].shape)}
        return {key: _placed(one, held) for key, one in said.items()}
    return [_placed(one, held) for one in said] if isinstance(said, (list, tuple)) else said
