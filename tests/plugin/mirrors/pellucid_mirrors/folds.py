"""A statistic of an index."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pellucid.sweep.fold import Fold, Held, Part, Scope, Shape, Working
from pellucid.sweep.observed import Batch


@final
@dataclass(frozen=True)
class ShareAbove(Fold[NDArray[np.float64]]):
    """In what share of the images a unit's largest activation exceeds a threshold; read as (units,)."""

    name: ClassVar[str] = "share_above"
    absent: ClassVar[str] = "the index counts nothing above a threshold"
    threshold: Annotated[float | int, Field(ge=0, description="activation that is exceeded")] = 0.5

    def start(self, scope: Scope) -> Working:
        return {"above": np.zeros(len(scope.units), np.int64), "all": np.zeros(1, np.int64)}

    def step(self, working: Working, scope: Scope, batch: Batch) -> None:
        working["above"] += (batch.maxima > self.threshold).sum(0)
        working["all"] += len(batch.images)

    def pack(self, scope: Scope, working: Working) -> Part:
        return {name: values.copy() for name, values in working.items()}

    def absorb(self, working: Working, scope: Scope, part: Part) -> None:
        for name, values in part.items():
            working[name] += values

    def finish(self, scope: Scope, working: Working) -> Part:
        return dict(working)

    def arrays(self, scope: Scope) -> Mapping[str, Shape]:
        return {"above": (len(scope.units),), "all": (1,)}

    def read(self, held: Held) -> NDArray[np.float64]:
        return np.asarray(held["above"] / held["all"])
