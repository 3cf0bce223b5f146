"""The class of every image, for whoever shows images that are elsewhere by now."""

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
class ClassLabels(OfEveryImage[NDArray[np.int64]]):
    """The number of the class of every image; read as (images,), −1 where it is unknown or the image was not read."""

    name: ClassVar[str] = "labels"
    absent: ClassVar[str] = "the index does not keep the classes of its images: make it anew"
    spare: ClassVar[bool] = True

    def settled(self, scope: Scope) -> ClassLabels | None:
        return self if scope.classes else None

    def columns(self, scope: Scope) -> Mapping[str, tuple[int, np.dtype[Any]]]:
        return {"label": (1, np.dtype(np.int32))}

    def rows(self, scope: Scope, batch: Batch) -> tuple[NDArray[np.int64], Mapping[str, NDArray[Any]]]:
        return batch.images, {"label": batch.labels[:, None].astype(np.int32)}

    def read(self, held: Held) -> NDArray[np.int64]:
        found = np.where(held["there"][:, 0] > 0, held["label"][:, 0], -1).astype(np.int64)
        if found.size and not -1 <= found.min() <= found.max() < held.scope.classes:
            raise held.damaged("a label in it is that of no class")
        return found
