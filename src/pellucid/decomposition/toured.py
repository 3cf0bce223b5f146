"""What a tour shows of a layer: its share of a score by places and by units, and what photos say of all its units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from PIL import Image
from torch import Tensor

from pellucid.errors import PellucidError
from pellucid.geometry import Placement
from pellucid.images import samples
from pellucid.index.perturb import LUMA
from pellucid.net import Net
from pellucid.notes import Note
from pellucid.progress import steps as told
from pellucid.render.directions import SIDE
from pellucid.render.photos import PhotoList, Photos
from pellucid.result import Walk
from pellucid.result.patches import cropped
from pellucid.saliency.between import AtLayer

LARGEST = 200
"""Photos that are looked at, at most: what is shown of them is kept until the tour ends."""
_THUMB, _STRONGEST, _ALIVE, _MISSED = 72, 5, 0.05, 0.05


@dataclass(frozen=True, eq=False)
class Answers:
    """What every unit of a layer says to M photos."""

    largest: Float[np.ndarray, "m channels"]
    """The largest activation in each photo."""
    places: Int[np.ndarray, "m channels"]
    """The cell where that is, counted row by row."""
    gray: Float[np.ndarray, "m channels"] | None
    """The activation there when the photo has no colors; None where the network sees none."""
    means: Float[np.ndarray, "m channels"]
    """Over all places."""
    shapes: tuple[tuple[int, int], ...]
    """(rows, columns) of the maps of each photo."""


@dataclass(frozen=True, eq=False)
class Beside:
    """M photos, as the network saw them, and what the units of some layers say to each."""

    names: tuple[str, ...]
    seen: tuple[UInt8[np.ndarray, "height width 3"], ...]
    answers: dict[str, Answers]
    left_out: int = 0
    """Photos that were not looked at."""

    @property
    def thumbs(self) -> UInt8[np.ndarray, "m side side 3"]:
        """Squares from the middle of the photos."""
        return np.stack([_square(one, _THUMB) for one in self.seen])


def beside(net: Net, photos: Photos | None, layers: Sequence[str]) -> Beside:
    """One pass over the photos, and one over the same in gray. None: those that come with Pellucid."""
    whole = photos or Photos.of([f"sample:{name}" for name in samples()])
    if not isinstance(whole, PhotoList):
        raise PellucidError(f"photos={photos!s:.60}: a tour looks at the photos themselves: name a folder of them")
    names = [whole.names[i] for i in np.linspace(0, len(whole.names) - 1, min(len(whole.names), LARGEST)).astype(int)]
    if len(names) < 2:
        raise PellucidError(f"photos={whole.place!r} holds {len(names)}: a tour needs at least 2 to compare with")
    seen, rows = [], {layer: list[tuple[Tensor, ...]]() for layer in layers}
    for name in told(names, "photos"):
        prepared = net.prepare(whole.picture(name))
        seen.append(prepared.shown(0, seen=True))
        plain = net.run(prepared.pixels, layers=layers, stop=True)
        bare = net.run(grayed(prepared.pixels), layers=layers, stop=True) if prepared.pixels.shape[1] == 3 else None
        for layer in layers:
            maps = plain[layer][0].detach().double()
            flat = maps.flatten(1)
            most, at = flat.max(1)
            gray = most.new_zeros(0) if bare is None else bare[layer][0].detach().double().flatten(1).gather(
                1, at[:, None])[:, 0]  # fmt: skip
            rows[layer].append((most, at, gray, flat.mean(1), torch.tensor(maps.shape[-2:])))
    found = {layer: _answers(one) for layer, one in rows.items()}
    return Beside(tuple(names), tuple(seen), found, len(whole.names) - len(names))


def _answers(rows: Sequence[tuple[Tensor, ...]]) -> Answers:
    most, at, gray, means, shapes = ([one.cpu().numpy() for one in each] for each in zip(*rows, strict=True))
    sizes = tuple((int(one[0]), int(one[1])) for one in shapes)
    colors = np.stack(gray) if gray[0].size else None
    return Answers(np.stack(most), np.stack(at), colors, np.stack(means), sizes)


def grayed(pixels: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 h w"]:
    """The brightness of every pixel in all three channels."""
    bright = torch.einsum("nchw,c->nhw", pixels, pixels.new_tensor(LUMA))
    return bright[:, None].expand_as(pixels).contiguous()


def selectivity(found: Answers) -> Float[np.ndarray, " channels"]:
    """1 − Σ a' / Σ a over the five photos that excite a unit most (Rafegas & Vanrell 2018, section 3.2); NaN where none
    does, or the network sees no colors.
    """
    if found.gray is None:
        return np.full(found.largest.shape[1], np.nan)
    order = np.argsort(-found.largest, axis=0, kind="stable")[:_STRONGEST]
    color = np.take_along_axis(found.largest, order, 0).clip(0).sum(0)
    gray = np.take_along_axis(found.gray, order, 0).clip(0).sum(0)
    return np.asarray(np.where(color > 0, 1 - gray / np.where(color > 0, color, 1), np.nan))


def most_colored(found: Answers, count: int) -> Int[np.ndarray, " count"]:
    """The most color-selective units among those whose activation is no trifle beside the layer's strongest."""
    known, peak = selectivity(found), found.largest.max(0)
    alive = np.isfinite(known) & (peak > _ALIVE * peak.max(initial=0))
    order = np.argsort(-np.where(alive, known, -np.inf), kind="stable")[:count]
    return np.asarray(order[alive[order]], np.int64)


def patch(net: Net, photos: Beside, layer: str, unit: int) -> tuple[UInt8[np.ndarray, "h w 3"], str]:
    """Where a unit is strongest in the photos: its field, but no more than half of a photo; and the photo's name."""
    found = photos.answers[layer]
    which = int(found.largest[:, unit].argmax())
    picture = photos.seen[which]
    high, wide = picture.shape[:2]
    rows, columns = found.shapes[which]
    placement = net.layer(layer, (high, wide)).placement or Placement.stretched(rows, columns, high, wide)
    row, column = divmod(int(found.places[which, unit]), columns)
    side = min(max(*placement.patch, 3.0), min(high, wide) / 2)
    centers = placement.centers(rows, columns)
    top, left = (min(max(at[k] + 0.5 - side / 2, 0), length - side)
                 for at, k, length in zip(centers, (row, column), (high, wide), strict=True))  # fmt: skip
    return _square(cropped(picture, (top, left, top + side, left + side)), SIDE), photos.names[which]


def shares_of_units(at: AtLayer) -> Float[np.ndarray, " channels"]:
    """What each unit of a layer adds to the score, over all places."""
    return np.asarray((at.activation * at.gradient).sum(0))


def missed(walks: Sequence[Walk], images: Sequence[str], points: int) -> list[Note]:
    """Notes on layers whose shares miss the change of the score by more than a twentieth: too few points."""
    notes = []
    for walk, image in zip(walks, images, strict=True) if points > 1 else ():
        for one in walk.layers:
            change = walk.score - one.empty
            if abs(one.total - change) > _MISSED * abs(change):
                sums = f"shares of {one.layer} sum to {one.total:.3g} of {change:.3g}"
                notes.append(Note("completeness", f"{sums}: more than {points} points come nearer", image))
    return notes


def _square(picture: UInt8[np.ndarray, "h w 3"], side: int) -> UInt8[np.ndarray, "side side 3"]:
    high, wide = picture.shape[:2]
    least = min(high, wide)
    top, left = (high - least) // 2, (wide - least) // 2
    whole = Image.fromarray(np.ascontiguousarray(picture[top : top + least, left : left + least]))
    how = Image.Resampling.NEAREST if least * 4 <= side else Image.Resampling.LANCZOS
    return np.asarray(whole.resize((side, side), how))
