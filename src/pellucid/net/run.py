"""What one forward pass gave: the activations that were asked for, and what the network's numbers say of each class."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from torch import Tensor, where

from pellucid.errors import PellucidError, Refused
from pellucid.net import outputs, returned
from pellucid.net.meaning import LABELS, Meaning
from pellucid.net.rules import hidden_functions
from pellucid.notes import Note, say
from pellucid.result.coverage import Coverage

if TYPE_CHECKING:
    from pellucid.net import Net


@dataclass(frozen=True, eq=False)
class Run:
    """One forward pass: the scores, and the activations that were asked for."""

    net: Net
    returned: Any
    """What the module returned, unchanged: a detector's list of boxes, a captioner's dict."""
    at: Mapping[str, Tensor]
    coverage: Coverage = field(default_factory=dict)
    """How often each operation met each backward rule."""
    pixels: Tensor | None = None
    """With `grad="pixels"`: the leaf (N, C, H, W) that the output depends on."""
    kept: bool = False
    """Somebody may ask for gradients of this run again: do not let autograd free its graph."""
    stopped: bool = False
    """The pass ended at the last layer that was asked for."""
    images: int | None = None
    """How many went in."""

    @cached_property
    def output(self) -> Tensor:
        """(N, classes) for a classifier; whatever the network gives otherwise. Refused where it is no tensor."""
        if self.stopped:
            raise PellucidError(f"this pass ended at {', '.join(self.at)}: it has no output; run without stop=True")
        output = returned.selected(self.returned, self.net.output, self.net.name)
        return output if self.images is None else returned.for_each_image(output, self.images, self.net.name)

    def __getitem__(self, layer: str) -> Tensor:
        return self.at[layer]

    def gradients(self, *tensors: Any, **how: Any) -> tuple[Any, ...]:
        """`Net.gradients` of this run."""
        ruled = bool(self.coverage) and bool(hidden_functions(tensors[:1]))
        return self.net.gradients(*tensors, ruled=ruled, **how)

    @cached_property
    def scores(self) -> Tensor:
        """The output as (N, outputs); Refused where it is no row of numbers per image."""
        found = returned.rows(self.output)
        if found is None:
            shape = self.output.shape[1:]
            first = ",".join("0" for _ in shape)
            raise Refused(
                f"this network gives {'×'.join(map(str, shape))} numbers per image, no row of classes: "
                f"ask for one of them, out[{first}]{', or for region(CLASS)' * (len(shape) == 3)}, "
                "or for a layer's unit"
            )
        if self.net.labels is not None:
            returned.labeled(self.net.name, self.net.labels, found.shape[1])
        return found

    @property
    def two(self) -> bool:
        """Whether the one number that comes out says which of two labels it is."""
        return self.net.labels is not None and len(self.net.labels) == 2 and self.scores.shape[1] == 1

    @property
    def by_class(self) -> Tensor:
        """(N, classes): the network's own numbers, `net.meaning` says what they are. Refused for a regression."""
        return outputs.spread(self.scores, self.net.meaning, self.two)

    @property
    def probabilities(self) -> Tensor:
        """(N, classes), by what the outputs mean; where nothing says it, image by image as `outputs.torn` tells."""
        return self._read(outputs.probabilities)

    @property
    def log_probabilities(self) -> Tensor:
        """(N, classes): their logarithms."""
        return self._read(outputs.log_probabilities)

    @property
    def torn(self) -> Tensor | None:
        """(N,) images that are read label by label, though nothing says that labels stand by themselves; or None.

        Where there are any, a note says so in the result that is being made.
        """
        if not self.net.meaning.assumed or not (torn := outputs.torn(self.scores)).any():
            return None
        row = self.scores[int(torn.nonzero()[0])]
        say(Note("scores", outputs.two_readings(row, self.net.class_name)))
        return torn

    def _read(self, how: Callable[[Tensor, Meaning, bool], Tensor]) -> Tensor:
        found, torn = how(self.scores, self.net.meaning, self.two), self.torn
        if torn is None:
            return found
        return where(torn[:, None], how(self.scores, LABELS, self.two), found)
