"""What LIME, KernelSHAP and Shapley sampling share: the score of an image that keeps some of its superpixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal, get_args

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from pydantic import BeforeValidator, Field, InstanceOf
from torch import Tensor

from pellucid.geometry import Placement
from pellucid.images import Images
from pellucid.images.perturb import Fill, PictureLike, input_like
from pellucid.net import Net
from pellucid.notes import Note
from pellucid.result import Heatmap
from pellucid.saliency.backward import chunks
from pellucid.saliency.baselines import baseline_of
from pellucid.saliency.heatmaps import heatmap
from pellucid.saliency.superpixels import mean_colors, superpixels
from pellucid.target import Target, fixed, scored

Segments = Annotated[
    Literal["quickshift", "slic", "grid"], Field(description="way to cut the image into superpixels", examples=["slic"])
]
Pieces = Annotated[int, Field(ge=1, le=4096, description="approximate number of superpixels, for slic and grid")]
Own = Literal["superpixel", Fill]


def _hiding(value: Own | PictureLike) -> Any:
    """For pydantic: images from what `read` takes; names are left for it to check."""
    return input_like(value, get_args(Own))


Hiding = Annotated[
    Own | InstanceOf[Images],
    BeforeValidator(_hiding),
    Field(description="fill of a hidden superpixel: its own mean color, a named fill, or an image of your own"),
]


@dataclass(frozen=True, eq=False)
class Game:
    """One image as a game: the players are its superpixels, `worth` is the score when only some are shown."""

    net: Net
    image: str
    pixels: Float[Tensor, "1 c h w"]
    hidden: Float[Tensor, "1 c h w"]
    labels: Int[Tensor, "h w"]
    target: Target
    what: str

    @cached_property
    def players(self) -> int:
        """How many superpixels there are."""
        return int(self.labels.max()) + 1

    @cached_property
    def ends(self) -> tuple[float, float]:
        """(the score with every superpixel hidden, the score of the image)."""
        nothing, everything = self.worth(np.array([[False], [True]]).repeat(self.players, axis=1))
        return float(nothing), float(everything)

    def worth(self, coalitions: Bool[np.ndarray, "m n"]) -> Float[np.ndarray, " m"]:
        """The scores of the image with only the true superpixels of each row shown."""
        if not len(coalitions):
            return np.zeros(0)
        found = []
        size = (self.labels.shape[0], self.labels.shape[1])
        for portion in chunks(torch.from_numpy(coalitions), self.net, self.what, size, grad=False):
            shown = portion.to(self.labels.device)[:, None, self.labels]
            run = self.net.run(torch.where(shown, self.pixels, self.hidden), layers=self.target.layers)
            found.append(scored(self.target, run).detach().double().cpu())
        return torch.cat(found).numpy()


@dataclass(frozen=True, eq=False)
class Shares:
    """What a method says about the superpixels of one image."""

    values: Float[np.ndarray, " n"]
    errors: Float[np.ndarray, " n"]
    note: str


def shares(
    net: Net,
    images: Images,
    target: Target,
    divide: Callable[[Game], Shares],
    *,
    segments: str,
    pieces: int,
    fill: str | Images,
    seed: int,
    what: str,
    complete: bool,
) -> Heatmap:
    """What `divide` gives to every image's superpixels, as a map (N, H, W).

    `complete` says that the shares should sum to the change of the score when all superpixels are hidden.
    """
    prepared = net.prepare(images)
    maps, errors, scores, notes, lacks, every = [], [], [], [], [], []
    for one in prepared:
        labels = torch.from_numpy(superpixels(one, segments, pieces)).to(one.pixels.device)
        hidden = mean_colors(one.pixels, labels) if fill == "superpixel" else baseline_of(net, one, fill, seed)  # type: ignore[arg-type]
        asked = fixed(target, net.run(one.pixels, layers=target.layers))
        every.append(asked)
        game = Game(net, one.ids[0], one.pixels, hidden, labels, asked, what)
        found, (nothing, everything) = divide(game), game.ends
        maps.append(torch.from_numpy(found.values)[labels.cpu()])
        errors.append(torch.from_numpy(found.errors)[labels.cpu()])
        scores.append(everything)
        notes.append(Note("sampling", f"{game.players} superpixels{found.note}", one.ids[0]))
        change = everything - nothing
        lacks.append(abs(float(found.values.sum()) - change) / max(abs(change), 1e-12))
    return heatmap(
        net,
        prepared,
        target,
        torch.stack(maps),
        Placement.pixels(),
        torch.tensor(scores, dtype=torch.float64),
        unit=target.unit_of(net),
        asked=every,
        error=torch.stack(errors),
        notes=tuple(notes),
        found={"completeness": tuple(lacks)} if complete else {},
    )
