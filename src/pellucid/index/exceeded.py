"""The activations that a share of all activations of a unit exceeds: exactly, with every place of every image.

An index samples a few places of each image: enough to see how activations are distributed, and too few for what one
in two hundred of them exceeds. So the network is run over the images once more, for the layers that are asked about,
and what is found is kept with the index.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pellucid.index.index import Index
from pellucid.rng import generator

MOST = 2000
"""Images that are counted; of a larger index so many at random."""
_KEPT = 64_000_000
"""Numbers that are held at the same time; of more, fewer images are counted."""


def exceeded(index: Index, layers: Sequence[str], share: float) -> list[NDArray[np.float64]]:
    """Of each layer (channels,) the activations that this share exceeds, over all places of all images, or of `MOST`
    images drawn at random.
    """
    known = {layer: index.kept(_name(layer, share)) for layer in layers}
    missing = [layer for layer in dict.fromkeys(layers) if not _fits(index, layer, known[layer])]
    if missing:
        found, lost = _counted(index, missing, share)
        for layer, values in zip(missing, found, strict=True):
            if not lost:  # else it would be that of other images for whoever asks when all are back
                index.keep(_name(layer, share), values)
            known[layer] = values
    return [np.asarray(known[layer]) for layer in layers]


def counted(index: Index, layers: Sequence[str], share: float) -> int:
    """How many images are counted."""
    each = sum(_places(index, layer) * index[layer].channels for layer in layers)
    return max(min(index.n_images, MOST, int(_KEPT / (each * min(share, 1 - share) * 3 + 1))), 1)


def of(index: Index, layers: Sequence[str], share: float) -> str:
    """Which images are counted, in words."""
    many = counted(index, layers, share)
    return f"all {many} images" if many == index.n_images else f"{many} of the {index.n_images} images"


def _counted(index: Index, layers: Sequence[str], share: float) -> tuple[list[NDArray[np.float64]], int]:
    """(of each layer what is exceeded, how many images could not be read any more)."""
    order = generator(0, "exceeded").permutation(index.n_images)
    chosen = [int(i) for i in order if int(i) not in index.unreadable][: counted(index, layers, share)]
    tails = [_Tail(index[layer].channels, _places(index, layer), len(chosen), share) for layer in layers]
    over = index.over(sorted(chosen), layers=layers, stop=True)
    for batch in over:
        for layer, tail in zip(layers, tails, strict=True):
            maps = batch.run.at[layer].detach().float().cpu()
            tail.add(maps.reshape(*maps.shape[:2], -1).transpose(0, 1).flatten(1).numpy())
    return [tail.finish() for tail in tails], len(over.unreadable)


class _Tail:
    """The largest activations of each unit of a layer, as many as are needed to know what a share exceeds."""

    def __init__(self, channels: int, places: int, pictures: int, share: float) -> None:
        self.share = share
        self.most = int(np.ceil(pictures * places * share)) + 2
        self.kept = np.zeros((channels, 0), np.float32)
        self.waiting: list[NDArray[np.float32]] = []
        self.total = 0

    def add(self, values: NDArray[np.float32]) -> None:
        """(channels, n) more of them."""
        self.total += values.shape[1]
        self.waiting.append(values)
        if sum(one.shape[1] for one in self.waiting) >= self.most:
            self._sort()

    def finish(self) -> NDArray[np.float64]:
        """(channels,) what the share exceeds, between the two nearest linear, as numpy's quantile."""
        self._sort()
        ordered = np.sort(self.kept, axis=1)[:, ::-1].astype(np.float64)
        at = (self.total - 1) * self.share  # how many are larger
        low = int(np.floor(at))
        above, below = ordered[:, low], ordered[:, min(low + 1, ordered.shape[1] - 1)]
        return np.asarray(above + (at - low) * (below - above))

    def _sort(self) -> None:
        every = np.concatenate([self.kept, *self.waiting], axis=1)
        # what is not finite was left out of the index, too
        every = np.where(np.isfinite(every), every, np.float32(-np.inf))
        if every.shape[1] > self.most:
            every = np.partition(every, every.shape[1] - self.most, axis=1)[:, -self.most :]
        self.kept, self.waiting = every, []


def _name(layer: str, share: float) -> str:
    return f"exceeded-{share:g}-{layer}"


def _fits(index: Index, layer: str, values: NDArray[np.float64] | None) -> bool:
    return values is not None and len(values) == index[layer].channels


def _places(index: Index, layer: str) -> int:
    rows, columns = index[layer].places
    return rows * columns
