"""A head that compares cells of an image with prototypes, each of which is a cell of a training image: "this looks
like that" (Chen et al. 2019)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.errors import PellucidError

EPSILON = 1e-4
MOST = math.log(1 / EPSILON)
"""The similarity to a cell that is the prototype itself, ln 10⁴ up to ε."""


class Prototypes(nn.Module):
    """Maps (N, C, H, W) -> logits (N, classes): d² to each prototype's nearest cell, its similarity, points.

    s = log((d² + 1) / (d² + ε)), ε = 10⁻⁴; a class's logit is the sum of s times its points, 1 for its own prototypes
    and −½ for others to begin with; it has no bias. `adapt` makes cells of `width` numbers in 0..1 from the maps. The
    prototypes of class k are k · each to k · each + each − 1.
    """

    def __init__(self, channels: int, classes: int, each: int = 3, width: int = 32) -> None:
        super().__init__()
        self.adapt = nn.Sequential(nn.Conv2d(channels, width, 1), nn.ReLU(), nn.Conv2d(width, width, 1), nn.Sigmoid())
        self.prototypes = nn.Parameter(torch.rand(classes * each, width))
        self.owners: Tensor
        self.register_buffer("owners", torch.arange(classes).repeat_interleave(each))
        self.points = nn.Linear(classes * each, classes, bias=False)
        own = self.owners == torch.arange(classes)[:, None]
        with torch.no_grad():
            self.points.weight.copy_(torch.where(own, 1.0, -0.5))

    def distances(self, x: Tensor) -> Tensor:
        """(N, P, H, W) d² of every cell to every prototype."""
        return squared(self.adapt(x), self.prototypes)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.points(similarity(self.distances(x).flatten(2).amin(2)))
        return found

    def losses(self, x: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """(cluster, separation): mean over images of the least d² to a prototype of the own class, and of others."""
        nearest = self.distances(x).flatten(2).amin(2)
        own = self.owners == labels[:, None]
        far = nearest.detach().amax() + 1
        return nearest.where(own, far).amin(1).mean(), nearest.where(~own, far).amin(1).mean()


def squared(cells: Tensor, prototypes: Tensor) -> Tensor:
    """(N, P, H, W) squared distances, by differences: 0 where a cell is the prototype."""
    flat = cells.flatten(2).transpose(1, 2)  # (N, H · W, D)
    found: Tensor = (flat[:, None] - prototypes[None, :, None]).square().sum(-1)
    return found.reshape(*found.shape[:2], *cells.shape[-2:])


def similarity(squares: Tensor) -> Tensor:
    """log((d² + 1) / (d² + ε)): 9.2103 where d is 0, towards 0 far away."""
    return ((squares + 1) / (squares + EPSILON)).log()


@dataclass(frozen=True, eq=False)
class Pushed:
    """Where prototypes came from: number of the image, and row and column of the cell, (P,) each; `moved` (P,) is how
    far each went, a distance. `distinct` says how many different cells they are."""

    images: Tensor
    rows: Tensor
    columns: Tensor
    moved: Tensor

    @property
    def distinct(self) -> int:
        """How many cells are the prototype of one only, or the first of several."""
        return len({(int(i), int(r), int(c)) for i, r, c in zip(self.images, self.rows, self.columns, strict=True)})


def push(head: Prototypes, maps: Tensor, labels: Tensor, batch: int = 64) -> Pushed:
    """Put every prototype onto the nearest cell of the images of its class (Chen et al. 2019, section 2.3), in place.

    Afterwards each is a cell of a training image, bit for bit. Of cells equally near the first image's counts. Raises
    PellucidError where a class has no image.
    """
    many, wide = len(head.prototypes), maps.shape[-1]
    best = torch.full((many,), math.inf)
    where, value = torch.zeros(many, 2, dtype=torch.long), head.prototypes.detach().clone()
    with torch.no_grad():
        for start in range(0, len(maps), batch):
            cells = head.adapt(maps[start : start + batch])
            squares = squared(cells, head.prototypes)
            other = head.owners[None] != labels[start : start + batch, None]
            squares = squares.masked_fill(other[:, :, None, None], math.inf).flatten(2)
            for p in range(many):
                least, at = squares[:, p].flatten().min(0)
                if least < best[p]:
                    image, place = divmod(int(at), squares.shape[2])
                    best[p], where[p] = least, torch.tensor([start + image, place])
                    value[p] = cells[image, :, place // wide, place % wide]
        if not torch.isfinite(best).all():
            missing = sorted({int(k) for k in head.owners[~torch.isfinite(best)]})
            raise PellucidError(f"no training image of class {missing[0]}: a prototype is a cell of one")
        head.prototypes.copy_(value)
    return Pushed(where[:, 0], where[:, 1] // wide, where[:, 1] % wide, best.sqrt())


def last_layer_l1(head: Prototypes) -> Tensor:
    """Σ |points| of prototypes for classes that are not theirs: a loss for the training of the last layer alone."""
    other = head.owners != torch.arange(head.points.out_features, device=head.owners.device)[:, None]
    return head.points.weight[other].abs().sum()


def coverage(head: Prototypes, x: Tensor) -> Tensor:
    """(N, P) similarities to each prototype's nearest cell, in 0..9.21."""
    return similarity(F.relu(head.distances(x)).flatten(2).amin(2))
