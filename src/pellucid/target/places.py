"""Places in the answer: a region of a segmentation, a box of a detector."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import PellucidError, Refused
from pellucid.net import Net, Run, outputs, returned
from pellucid.target.arrays import Array
from pellucid.target.base import Named, Target
from pellucid.target.classes import OfClass, class_named, of_class
from pellucid.target.forms import target

_NUMBER = r"\s*-?\d+(?:\.\d*)?\s*"


@target(
    "region(CLASS)",
    examples=("region(cat)",),
    help="segmentation: the mean logit of the class over the pixels that the network gives to it",
)
@final
@dataclass(frozen=True)
class Region(OfClass):
    """The mean logit of a class over a region, for networks that give (N, classes, height, width).

    `mask` is (height, width), true inside, in the frame of that output; None means the pixels that the network
    itself gives to the class, in each image its own. Refused where that is no pixel.
    """

    mask: Any = None

    def __post_init__(self) -> None:
        super().__post_init__()
        mask = self.mask
        if mask is None or isinstance(mask, Array):
            return
        inside = np.asarray(mask.detach().cpu() if isinstance(mask, Tensor) else mask)
        if inside.ndim != 2 or inside.dtype.kind not in "bu" or not inside.any():
            raise PellucidError(
                f"region({self.of_class}): a mask of shape {inside.shape} and type {inside.dtype}: "
                "give (height, width) booleans, true for at least one pixel"
            )
        object.__setattr__(self, "mask", Array.of(inside.astype(bool)))

    @property
    def depends_on_run(self) -> bool:
        """Which pixels belong to it, the network says, unless a mask does."""
        return self.mask is None

    def __call__(self, run: Run) -> Float[Tensor, " n"]:
        maps = _maps(run)
        logits, inside = of_class(run, maps, self.of_class), self._inside(run)
        sizes = inside.flatten(1).sum(1)
        if not sizes.all():
            which = int((sizes == 0).nonzero()[0])
            name = class_named(run.net, self.of_class)
            raise Refused(
                f"{run.net.name} gives no pixel of image {which} to {name!r}: name another class, or give Region a mask"
            )
        return logits.where(inside, 0.0).flatten(1).sum(1) / sizes  # a masked class is −inf outside

    def __str__(self) -> str:
        if self.mask is None:
            return f"region({self.of_class})"
        rows, columns = self.mask.shape
        return f"region({self.of_class}, {self.mask.numpy().sum()} pixels of {rows} × {columns})"

    def unit_of(self, net: Net) -> str:
        """What the network's numbers are."""
        return net.meaning.unit

    def fixed(self, run: Run, image: int = 0) -> Target:
        """The region as it is in this run."""
        if self.mask is not None:
            return self
        self(run)  # refuses where there is none
        return replace(self, mask=self._inside(run)[image])

    def _inside(self, run: Run) -> Tensor:
        maps = _maps(run).detach()
        if self.mask is not None:
            if self.mask.shape != tuple(maps.shape[2:]):
                (rows, columns), (height, width) = self.mask.shape, maps.shape[2:]
                raise PellucidError(
                    f"{self}: the mask is {rows} × {columns}, the maps of {run.net.name} are {height} × {width}"
                )
            return torch.from_numpy(self.mask.numpy()).to(maps.device).expand(len(maps), -1, -1)
        index = run.net.class_index(self.of_class)
        return outputs.seen(maps, of_class(run, maps, self.of_class), index, run.net.meaning)


def _maps(run: Run) -> Tensor:
    if run.output.dim() != 4:
        shape = "×".join(map(str, run.output.shape[1:]))
        raise Refused(f"{run.net.name} gives {shape} numbers per image: a region needs classes × height × width")
    if run.net.labels is not None:
        returned.labeled(run.net.name, run.net.labels, run.output.shape[1])
    return run.output


@target(
    "box(CLASS,x1,y1,x2,y2)",
    examples=("box(dog,10,20,110,220)",),
    help="detectors: the detection of the class that fits the box x₁,y₁,x₂,y₂ best, score × overlap",
)
@final
@dataclass(frozen=True)
class Box(OfClass):
    """The detection of a class that fits a box best: max of score × overlap (intersection over union), 0 to 1.

    For detectors that return for each image a dict of boxes (K, 4), labels (K,) and scores (K,), as torchvision's
    do. `box` is (x₁, y₁, x₂, y₂) in pixels of the network's input. This is the similarity of D-RISE (Petsiuk et
    al. 2021, equation 3) for a detector that says one class per box. The overlap counts as a given weight: what
    is differentiated is the score of the detection that fits best.

    An image without a detection of the class scores 0. Refused where a gradient is asked for and the image
    itself has none.
    """

    box: tuple[float | int, ...]
    changed: bool = field(default=False, compare=False, repr=False)
    """The image is a changed one (see `fixed`): no detection is then an answer, and its gradient is 0."""
    unit = "score × overlap"

    @classmethod
    def read(cls, name: str, inside: str, of: Named) -> Box | None:
        """`box(dog,10,20,110,220)`."""
        match = re.fullmatch(rf"(?P<of>.+?),({_NUMBER}),({_NUMBER}),({_NUMBER}),({_NUMBER})", inside)
        return cls(of(match["of"]), tuple(float(side) for side in match.groups()[1:])) if name and match else None

    def __post_init__(self) -> None:
        super().__post_init__()
        box = tuple(self.box)
        if len(box) != 4 or not (box[0] < box[2] and box[1] < box[3]):
            raise PellucidError(f"box{box}: a box is x1, y1, x2, y2 in pixels, with x1 < x2 and y1 < y2")
        object.__setattr__(self, "box", box)

    def __call__(self, run: Run) -> Float[Tensor, " n"]:
        index = run.net.class_index(self.of_class)
        return torch.stack([self._best(found, index, i) for i, found in enumerate(_detections(run))])

    def _best(self, found: Mapping[str, Tensor], index: int, image: int) -> Tensor:
        scores = found["scores"]
        fits = scores * overlap(found["boxes"].detach(), self.box) * (found["labels"] == index)
        if fits.any():
            return fits.max()
        if scores.requires_grad and not self.changed:
            raise Refused(
                f"nothing detected in image {image} overlaps {self}: its score is 0 and has no gradient; "
                "ask occlusion or another method without gradients, or lower the detector's score threshold"
            )
        return fits.sum()  # 0, and still part of the graph

    def __str__(self) -> str:
        return f"box({self.of_class},{','.join(f'{side:g}' for side in self.box)})"

    def fixed(self, run: Run, image: int = 0) -> Target:
        """The same box, asked of changed images: where nothing is detected any more the score is 0."""
        return replace(self, changed=True)


def overlap(boxes: Float[Tensor, "k 4"], box: tuple[float | int, ...]) -> Float[Tensor, " k"]:
    """Intersection over union of each of K boxes with `box`; x₁, y₁, x₂, y₂."""
    one = boxes.new_tensor(box)
    corner, other = torch.maximum(boxes[:, :2], one[:2]), torch.minimum(boxes[:, 2:], one[2:])
    common = (other - corner).clamp(min=0).prod(1)
    areas = (boxes[:, 2:] - boxes[:, :2]).clamp(min=0).prod(1)
    return common / (areas + (one[2:] - one[:2]).prod() - common)


def _detections(run: Run) -> Sequence[Mapping[str, Tensor]]:
    returned = run.returned
    fine = isinstance(returned, (list, tuple)) and all(
        isinstance(found, Mapping) and {"boxes", "labels", "scores"} <= found.keys() for found in returned
    )
    if not fine:
        raise Refused(
            f"{run.net.name} is no detector: box(...) needs a list of dicts with boxes, labels and scores, "
            f"one for each image, and it returned a {type(returned).__name__}"
        )
    found: Sequence[Mapping[str, Tensor]] = returned
    return found
