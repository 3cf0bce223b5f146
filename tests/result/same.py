"""Whether two values are the same in every bit: types, shapes, order of keys, signs of zeros."""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np


def same(one: Any, other: Any, where: str = "") -> None:
    """Raises AssertionError with the place where they differ."""
    assert type(one) is type(other), f"{where}: {type(one)} and {type(other)}"
    if dataclasses.is_dataclass(one):
        for field in dataclasses.fields(one):
            same(getattr(one, field.name), getattr(other, field.name), f"{where}.{field.name}")
    elif isinstance(one, np.ndarray):
        assert (one.dtype, one.shape) == (other.dtype, other.shape), where
        assert one.tobytes() == other.tobytes(), where
    elif isinstance(one, Mapping):
        assert [*one] == [*other], where
        for key in one:
            same(key, [*other][[*one].index(key)], f"{where} key")
            same(one[key], other[key], f"{where}[{key!r}]")
    elif isinstance(one, (tuple, list)):
        assert len(one) == len(other), where
        for i, (first, second) in enumerate(zip(one, other, strict=True)):
            same(first, second, f"{where}[{i}]")
    elif isinstance(one, float):
        assert struct.pack("d", one) == struct.pack("d", other), where
    else:
        assert one == other, where
