"""What the images were, bit for bit: whoever shows one later, or goes on with a run, knows whether it is the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from pellucid.sweep.fold import Held, OfEveryImage, Scope
from pellucid.sweep.observed import Batch


@final
@dataclass(frozen=True)
class Hashes(OfEveryImage[NDArray[np.uint64]]):
    """Of every image 64 bits of a hash of its bytes; read as (images,)."""

    name: ClassVar[str] = "pictures"

    def columns(self, scope: Scope) -> Mapping[str, tuple[int, np.dtype[Any]]]:
        return {"hash": (1, np.dtype(np.uint64))}

    def rows(self, scope: Scope, batch: Batch) -> tuple[NDArray[np.int64], Mapping[str, NDArray[Any]]]:
        none = np.zeros(len(batch.images), np.uint64)
        return batch.images, {"hash": (none if batch.hashes is None else batch.hashes)[:, None]}

    def read(self, held: Held) -> NDArray[np.uint64]:
        found: NDArray[np.uint64] = held["hash"][:, 0]
        return found
