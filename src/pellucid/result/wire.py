"""Results for a browser: one safetensors file, whose metadata `about` is the JSON of the result; colors are made there.

An array is {"$": TENSOR, "shape": …, "min": …, "max": …}, of its finite numbers, with a `scale` where the tensor holds
shares of it; everything else is as in `serial`, without marks. Numbers are as exact as a person can read them: the file
that `save` writes is exact.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid.errors import PellucidError
from pellucid.result.serial import Arrays, finite, in_words, packed, pairs_of

if TYPE_CHECKING:
    from pellucid.result.base import Result

_FEW = 16_384
"""Numbers that are sent as float32; of more, 16 bits are enough to color a picture by."""
_ROW = 64
"""Numbers of a row that stand in the JSON."""
_EXACT = 2**53
"""Whole numbers beyond this are rounded by browsers, hence sent as words."""


def wire(result: Result, *, words: Callable[[str], str] = str, without: Collection[str] = ()) -> bytes:
    """The bytes of a result for a page. `words` is applied to every text of a Meta, where paths of this machine may be;
    the arrays called `without`, as in the file that `save` writes, are left out: their tensor is None.
    """
    from safetensors.numpy import save

    arrays, about = packed(result, derive=True)
    sent = _Wire(arrays, words, without)
    head = json.dumps(sent.of(about), allow_nan=False, separators=(",", ":"))
    return save(sent.tensors, {"about": head})


class _Wire:
    """What is said of a result, and the tensors that it names."""

    def __init__(self, arrays: Arrays, words: Callable[[str], str], without: Collection[str]) -> None:
        self.arrays, self.words, self.without = arrays, words, without
        self.tensors: Arrays = {}

    def of(self, said: Any, origin: bool = False) -> Any:
        """The same in plain JSON; `origin` says that it is part of a Meta."""
        if isinstance(said, list):
            return [self.of(one, origin) for one in said]
        if isinstance(said, dict):
            return self._marked(said, origin or said.get("kind") == "Meta")
        if isinstance(said, str):
            return self.words(said) if origin else said
        return str(said) if isinstance(said, int) and abs(said) > _EXACT else said

    def _marked(self, said: dict[str, Any], origin: bool) -> Any:
        if "$number" in said:
            return None
        if "$list" in said:
            return self.of(said["$list"], origin)
        if "$" not in said:
            return {in_words(key): self.of(one, origin) for key, one in pairs_of(said) or ()}
        values = self.arrays[said["$"]]
        if "tuple" in said and len(values) <= _ROW:
            return [self.of(finite(one)) for one in values.tolist()]
        return self._tensor(said["$"], values)

    def _tensor(self, name: str, values: np.ndarray) -> dict[str, Any]:
        shape = list(values.shape)
        if name in self.without:
            return {"$": None, "shape": shape}
        sent, scale = _sent(values)
        key = f"a{len(self.tensors)}"
        self.tensors[key] = sent
        known = values[np.isfinite(values)] if values.dtype.kind == "f" else values
        ends = {"min": self.of(known.min().item()), "max": self.of(known.max().item())} if known.size else {}
        return {"$": key, "shape": shape, **ends, **({} if scale is None else {"scale": scale})}


def _sent(values: np.ndarray) -> tuple[np.ndarray, float | None]:
    """(the numbers as a browser takes them, what they are shares of)."""
    if values.dtype.kind == "b":
        return values.astype(np.uint8, order="C"), None
    if values.dtype.kind in "iu":
        fits = not values.size or (values.min() >= -(2**31) and values.max() < 2**31)
        narrow = values.dtype.itemsize == 8 and fits
        return values.astype(np.int32 if narrow else values.dtype.newbyteorder("="), order="C"), None
    if values.dtype.kind != "f":
        raise PellucidError(f"an array of {values.dtype} cannot be sent to a page")
    with np.errstate(over="ignore", invalid="ignore"):
        if values.size <= _FEW:
            return values.astype(np.float32, order="C"), None
        largest = float(np.max(np.abs(values), where=np.isfinite(values), initial=0)) or 1.0
        return (values.astype(np.float64) / largest).astype(np.float16, order="C"), largest
