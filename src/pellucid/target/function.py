"""A target of one's own: any function of a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

from jaxtyping import Float
from torch import Tensor

from pellucid.errors import PellucidError
from pellucid.net import Run
from pellucid.target.base import Target, one_for_each


@final
@dataclass(frozen=True)
class Function(Target):
    """What a function makes of a run: `lambda run: run.output[:, 1]`, one number for each image, (N,).

    It may read `run.output`, and `run["layer4"]` of the `layers` named here.
    """

    function: Callable[[Run], Any]
    layers: tuple[str, ...] = ()
    unit = "score"

    @property
    def reads_output(self) -> bool:
        """It may."""
        return True

    def __call__(self, run: Run) -> Float[Tensor, " n"]:
        try:
            found: Tensor = self.function(run)
        except PellucidError:
            raise
        except KeyError as error:
            raise PellucidError(
                f"the target {self} failed: KeyError: {error}; a layer that it reads is named beside it: "
                f"pellucid.target.Function({self}, layers=('LAYER',))"
            ) from error
        except Exception as error:
            raise PellucidError(f"the target {self} failed: {type(error).__name__}: {error}") from error
        one_for_each(self, run, found)
        return found

    def __str__(self) -> str:
        name: str = getattr(self.function, "__name__", type(self.function).__name__)
        return name.strip("<>")
