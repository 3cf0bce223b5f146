"""What LIME, KernelSHAP and Shapley sampling share: superpixels, and the score of a picture that keeps some of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal, get_args

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, InstanceOf
from torch import Tensor

from pellucid.geometry import Placement
from pellucid.images import Images
from pellucid.images.touch import Fill, pictured
from pellucid.methods.attribution._skeleton import chunks, heatmap, stand_in
from pellucid.net import Net
from pellucid.notes import Note
from pellucid.result import Heatmap
from pellucid.target import Target, fixed, scored

Segments = Annotated[
    Literal["quickshift", "slic", "grid"], Field(description="how the picture is cut into superpixels")
]
Pieces = Annotated[int, Field(ge=1, le=4096, description="about how many, for slic and grid")]
Own = Literal["superpixel", Fill]
Hiding = Annotated[
    Own | InstanceOf[Images],
    BeforeValidator(lambda value: pictured(value, get_args(Own))),
    Field(description="what a hidden superpixel shows: its own mean colour, a fill, or a picture of one's own"),
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
            run = self.net.run(torch.where(shown, self.pixels, self.hidden), at=self.target.layers)
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
    seen = net.see(images)
    maps, errors, scores, notes, lacks, every = [], [], [], [], [], []
    for one in seen:
        labels = torch.from_numpy(superpixels(one, segments, pieces)).to(one.pixels.device)
        hidden = _means(one.pixels, labels) if fill == "superpixel" else stand_in(net, one, fill, seed)  # type: ignore[arg-type]
        asked = fixed(target, net.run(one.pixels, at=target.layers))
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
        seen,
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


def superpixels(one: Images, segments: str, pieces: int) -> NDArray[np.int64]:
    """The number of the superpixel of every pixel of one image, (H, W), counted from 0 without gaps."""
    from skimage import segmentation  # slow to import

    picture = one.pixels[0].detach().cpu().double().permute(1, 2, 0).numpy()
    rows, columns = picture.shape[:2]
    if picture.shape[2] == 1:
        picture = picture.repeat(3, axis=2)
    colour = picture.shape[2] == 3
    if segments == "grid":
        down = min(max(round((pieces * rows / columns) ** 0.5), 1), rows, pieces)
        across = min(max(round(pieces / down), 1), columns)
        cut = (np.arange(rows) * down // rows)[:, None] * across + np.arange(columns) * across // columns
    elif segments == "slic":
        cut = segmentation.slic(picture, n_segments=pieces, compactness=10, convert2lab=colour, start_label=0)
    else:
        # LIME's own settings
        cut = segmentation.quickshift(picture, kernel_size=4, max_dist=200, ratio=0.2, convert2lab=colour, rng=0)
    labels: NDArray[np.int64] = np.unique(cut, return_inverse=True)[1].reshape(rows, columns).astype(np.int64)
    return labels


def _means(pixels: Tensor, labels: Tensor) -> Tensor:
    """Every superpixel in its own mean colour, (1, C, H, W)."""
    values, flat = pixels[0].flatten(1).double(), labels.flatten()
    sums = values.new_zeros(len(values), int(flat.max()) + 1).index_add_(1, flat, values)
    return (sums / flat.bincount())[:, labels][None].to(pixels)
