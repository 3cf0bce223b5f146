"""Likeness: how near two images are to the network."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from pellucid.errors import PellucidError
from pellucid.images import Images
from pellucid.net import Run
from pellucid.target.arrays import Array
from pellucid.target.base import Named, Target
from pellucid.target.forms import target
from pellucid.target.units import over_places


@target(
    "similar(PATH) or similar(PATH at LAYER)",
    examples=("similar(cat.jpg)", "similar(cat.jpg at blocks.6)"),
    help="the cosine between two images' outputs, or means of a layer",
)
@final
@dataclass(frozen=True)
class Similarity(Target):
    """The cosine between the embedding of an image and that of another image, −1 to 1.

    `to` is an image (whatever `read` takes) or the embedding itself, a row of numbers. The embedding is the
    network's output, or the mean over places of a layer; the other image's is a constant.
    """

    to: Any
    layer: str | None = None
    name: str = field(default="", compare=False)
    """What to call the other image."""
    unit = "cosine"

    @classmethod
    def read(cls, name: str, inside: str, of: Named) -> Similarity | None:
        """`similar(cat.jpg)`, `similar(cat.jpg at layer4)`."""
        match = re.fullmatch(r"(?P<to>.+?)(?: at (?P<layer>[\w.#-]+))?", inside)
        return cls(match["to"], match["layer"]) if name and match else None

    def __post_init__(self) -> None:
        to, name = _value(self.to)
        object.__setattr__(self, "to", to)
        object.__setattr__(self, "name", self.name or name)

    @property
    def layers(self) -> tuple[str, ...]:
        return (self.layer,) if self.layer is not None else ()

    def __call__(self, run: Run) -> Float[Tensor, " n"]:
        here, there = self._embedding(run), self._other(run)
        if here.shape[1] != there.shape[1]:
            raise PellucidError(f"{self}: {there.shape[1]} numbers, the embedding has {here.shape[1]}")
        if not there.any():
            raise PellucidError(f"{self}: the embedding of {self.name} is zero everywhere, nothing is near to it")
        return F.cosine_similarity(here, there.to(here), dim=1)

    def __str__(self) -> str:
        return f"similar({self.name}{f' at {self.layer}' if self.layer is not None else ''})"

    def fixed(self, run: Run, image: int = 0) -> Target:
        """The other image's embedding as numbers: it need not be shown to the network again."""
        return replace(self, to=self._other(run)[0], name=self.name)

    def _embedding(self, run: Run) -> Tensor:
        found = run[self.layer] if self.layer is not None else run.output
        if found.dim() < 2:
            raise PellucidError(f"{self}: one number per image is no embedding; name a layer")
        means = over_places(found)
        return means.float() if means.dtype in (torch.float16, torch.bfloat16) else means

    def _other(self, run: Run) -> Tensor:
        if isinstance(self.to, tuple):
            return torch.tensor([self.to], dtype=torch.float64)
        images = Images.of(self.to) if isinstance(self.to, str) else _picture(self.to, self.name)
        return self._embedding(run.net.run(_one(images), layers=self.layers)).detach()


def _value(to: Any) -> tuple[Any, str]:
    """What was given as something that hashes, and what to call it."""
    if isinstance(to, (str, Path)):
        return str(to), str(to)
    if isinstance(to, Array):
        return to, ""
    flat = to.dim() == 1 if isinstance(to, Tensor) else np.ndim(to) == 1 if isinstance(to, np.ndarray) else False
    if flat or (isinstance(to, Sequence) and to and all(isinstance(one, (int, float)) for one in to)):
        numbers = tuple(float(one) for one in to)
        return numbers, f"{len(numbers)} numbers"
    one = _one(Images.of(to))
    # Of an image that some network's preprocessing has cut, the original: this network cuts it its own way.
    picture = one.pictures[0] if one.cut_by is None else one.originals[0]
    return Array.of(picture.detach().cpu().numpy()), one.ids[0]


def _picture(array: Array, name: str) -> Images:
    return Images.from_pictures([torch.from_numpy(array.numpy())], [name])


def _one(images: Images) -> Images:
    if len(images) != 1:
        raise PellucidError(f"similar to what? These are {len(images)} images: give one")
    return images
