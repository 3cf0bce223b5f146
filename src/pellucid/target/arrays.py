"""Arrays inside values: a target with a mask or an image must hash, compare and pickle."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Array:
    """The numbers of an array as a value."""

    shape: tuple[int, ...]
    kind: str
    data: bytes = field(repr=False)

    @classmethod
    def of(cls, values: NDArray[Any]) -> Array:
        """A copy of the numbers."""
        return cls(values.shape, values.dtype.str, np.ascontiguousarray(values).tobytes())

    def numpy(self) -> NDArray[Any]:
        """A copy as an array again."""
        return np.frombuffer(self.data, self.kind).reshape(self.shape).copy()
