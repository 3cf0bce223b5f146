"""Reduces each layer's output to statistics per unit inside the forward hook, while its map is still in the cache.

A map is read once for its largest value; for its least, where it can be negative, and for its mean, where a layer is
embedded or counted by class, once more each. Only where a unit's largest value may belong among its best, that is,
where it passes the gate, is the map searched for the place. Where an activation has a ceiling, values and places are
those of what it receives, which is read before the activation overwrites it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pellucid.net import Net
from pellucid.net.clips import Clip
from pellucid.rng import generator
from pellucid.sweep.layers import Units
from pellucid.sweep.observed import LARGEST, SMALLEST, Batch, Events, Observes

Gates = Mapping[str, NDArray[np.float32]]
"""Of each extreme that is searched for: (N, units), the values below which a map need not be searched; those of
SMALLEST have their sign turned."""
Seen = Callable[[int, Tensor], None]
"""seen(number of the first image, what a layer makes of it and the next ones)."""


@dataclass(frozen=True)
class Extractor:
    """Looks at images through a network and takes down what is observed; the places sampled differ by image."""

    net: Net
    units: Units
    observes: Observes
    seed: int
    at_once: int
    """Images that go through the network together, always: part of what makes the bits."""
    _buffers: dict[str, NDArray[np.float32]] = field(default_factory=dict)

    def buffer(self, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """Memory for one batch, the same for all of them."""
        if name not in self._buffers or self._buffers[name].shape[0] < shape[0]:
            self._buffers[name] = np.empty(shape, np.float32)
        return self._buffers[name][: shape[0]]

    def extract(self, pixels: Tensor, images: NDArray[np.int64], labels: NDArray[np.int64], gates: Gates) -> Batch:
        """What the network does with pixels (N, C, H, W) in 0..1, which are those of `images`."""
        missing = -len(pixels) % self.at_once
        filled = torch.cat([pixels, pixels.new_zeros(missing, *pixels.shape[1:])]) if missing else pixels
        for careful in (False, True):
            look = _BatchExtractor(self, images, gates, careful=careful)
            watch, before = look.watchers()
            with _one_thread():
                self.net.observe(filled, watch, before=before, at_once=self.at_once)
            if not look.broken().any():
                break
        return look.batch(images, labels)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Sums that are cut among threads have other last bits for each number of them. Who has more processors runs more
    workers.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class _BatchExtractor:
    """The numbers of one batch as they come in, layer by layer. Whatever is done here is done for every layer of every
    pass: it has to be short.
    """

    def __init__(self, extractor: Extractor, images: NDArray[np.int64], gates: Gates, *, careful: bool) -> None:
        self.extractor, self.gates, self.count = extractor, gates, len(images)
        rows = -(-self.count // extractor.at_once) * extractor.at_once
        shape = (rows, len(extractor.units))
        self.ranked, self.means, self.negated = (
            extractor.buffer(name, shape) for name in ("ranked", "means", "negated")
        )
        self.means.fill(np.nan)
        self.negated.fill(-np.inf)
        self.sampled = extractor.buffer("sampled", (rows, extractor.observes.samples, len(extractor.units)))
        self.offsets = _offsets(extractor, images, rows) if extractor.observes.samples else []
        # neither negative nor cut off: their bits rise with them, see `_extremes`
        plain = [not low and not clip for low, clip in zip(extractor.units.signed, self._clips(), strict=True)]
        self.rising = np.repeat(plain, extractor.units.channels) & (not careful)
        self.found: dict[str, list[tuple[int, NDArray[np.int64], NDArray[np.int64]]]] = {LARGEST: [], SMALLEST: []}

    def _clips(self) -> tuple[Clip | None, ...]:
        return self.extractor.units.clips or (None,) * len(self.extractor.units.layers)

    def watchers(self) -> tuple[dict[str, Seen], dict[str, tuple[int, Seen]]]:
        """Of each layer who is shown what it hands on, and of those with a ceiling who is shown what that receives."""
        watch: dict[str, Seen] = {}
        before: dict[str, tuple[int, Seen]] = {}
        for layer, (name, clip) in enumerate(zip(self.extractor.units.layers, self._clips(), strict=True)):
            read, both = self._reader(layer), [self._extremes(layer)]
            both += [self._sampled(layer)] if self.extractor.observes.samples else []
            means = [self._averaged(layer)] if name in self.extractor.observes.means else []
            if clip is None:
                watch[name] = _chain(read, *both, *means)
            else:  # numbers are cut off afterwards; the mean over all places is that of what is cut off
                watch[name] = _chain(read, *means) if means else _nothing
                before[name] = clip.call, _chain(read, *both)
        return watch, before

    def _reader(self, layer: int) -> Callable[[Tensor], Tensor]:
        units, at_once = self.extractor.units, self.extractor.at_once
        channels, places = units.channels[layer], units.places[layer][0] * units.places[layer][1]

        def read(output: Tensor) -> Tensor:
            flat = output.detach().reshape(at_once, channels, places)
            return (flat if flat.dtype == torch.float32 else flat.float()).cpu().contiguous()

        return read

    def _extremes(self, layer: int) -> Callable[[int, Tensor], None]:
        """The largest values and their places; the least ones, too, where they can be negative."""
        units, at_once = self.extractor.units, self.extractor.at_once
        first = units.first(layer)
        mine = slice(first, first + units.channels[layer])
        # The bits of floats that are not negative rise with them, and whole numbers are compared faster.
        kind = torch.int32 if self.rising[first] else torch.float32
        largest, peaks = torch.from_numpy(self.ranked)[:, mine].view(kind), self.ranked[:, mine]
        signed = units.signed[layer] and SMALLEST in self.extractor.observes.extremes

        def seen(start: int, flat: Tensor) -> None:
            stop, maps = start + at_once, flat.numpy()
            torch.amax(flat.view(kind), 2, out=largest[start:stop])
            self._search(LARGEST, maps, peaks[start:stop], start, mine)
            if signed:
                lows = self.negated[start:stop, mine]
                lows[:] = flat.amin(2).neg_().numpy()
                self._search(SMALLEST, maps, lows, start, mine)

        return seen

    def _averaged(self, layer: int) -> Callable[[int, Tensor], None]:
        """The mean over all places."""
        units, at_once = self.extractor.units, self.extractor.at_once
        first, channels = units.first(layer), units.channels[layer]
        places = units.places[layer][0] * units.places[layer][1]
        ones = torch.full((places,), 1 / places)

        def seen(start: int, flat: Tensor) -> None:
            # a product with a vector is fast, and always the same
            means = torch.mv(flat.reshape(-1, places), ones).view(at_once, channels).numpy()
            self.means[start : start + at_once, first : first + channels] = means

        return seen

    def _sampled(self, layer: int) -> Callable[[int, Tensor], None]:
        """What is at a few places of every map."""
        units, at_once = self.extractor.units, self.extractor.at_once
        first, channels = units.first(layer), units.channels[layer]
        mine, places = slice(first, first + channels), units.places[layer][0] * units.places[layer][1]
        step = places // self.extractor.observes.samples
        reach, offsets, sampled = (
            step * (self.extractor.observes.samples - 1) + 1,
            self.offsets[layer],
            self.sampled[:, :, mine],
        )

        def seen(start: int, flat: Tensor) -> None:
            maps = flat.numpy()
            for i in range(at_once):
                picked = maps[i, :, offsets[start + i] :][:, :reach:step] if step else maps[i, :, :1]
                sampled[start + i] = picked.T

        return seen

    def batch(self, images: NDArray[np.int64], labels: NDArray[np.int64]) -> Batch:
        """All of it, when the passes are over."""
        count = self.count
        ranked, negated = self.ranked[:count], self.negated[:count]
        broken = self.broken()
        maxima = self.extractor.units.bounded(ranked)
        if broken.any():
            maxima[broken] = ranked[broken] = negated[broken] = -np.inf
        found = {name: _events(kept, ~broken) for name, kept in self.found.items() if name in self.gates}
        sampled = self.extractor.units.bounded(self.sampled[:count])
        return Batch(images, labels, maxima, ranked, negated, self.means[:count], sampled, found)

    def broken(self) -> NDArray[np.bool_]:
        """(N, units): where something is not finite, or was not compared as it should."""
        count = self.count
        found: NDArray[np.bool_] = ~np.isfinite(self.ranked[:count]) | ~np.isfinite(self.sampled[:count].sum(1))
        averaged = self.extractor.units.of(sorted(self.extractor.observes.means))
        found[:, averaged] |= ~np.isfinite(self.means[:count][:, averaged])
        # none of these maps is negative; a NaN with a sign looks as if one were, or reaches the layers behind
        found[:, self.rising] |= self.ranked[:count, self.rising] < 0
        return found

    def _search(
        self, name: str, maps: NDArray[np.float32], extreme: NDArray[np.float32], start: int, mine: slice
    ) -> None:
        """Where in their maps those extremes lie that pass the gate: the first place, row by row."""
        gate = self.gates.get(name)
        for i in range(min(len(extreme), self.count - start) if gate is not None else 0):
            channel = (extreme[i] >= gate[start + i, mine]).nonzero()[0]  # type: ignore[index]
            if len(channel):
                few = 2 * len(channel) < len(maps[i])  # to copy a map costs more than to search it
                picked = maps[i].take(channel, 0) if few else maps[i]
                place = picked.argmax(1) if name == LARGEST else picked.argmin(1)
                self.found[name].append((start + i, channel + mine.start, place if few else place[channel]))


def _nothing(_start: int, _output: Tensor) -> None:
    """All that is wanted of this layer was seen before its activation."""


def _chain(read: Callable[[Tensor], Tensor], *each: Seen) -> Seen:
    """Whoever is shown the same maps, one after the other."""

    def seen(start: int, output: Tensor) -> None:
        flat = read(output)
        for one in each:
            one(start, flat)

    return seen


def _offsets(extractor: Extractor, images: NDArray[np.int64], rows: int) -> list[list[int]]:
    """Of each layer and image the first of the places that are sampled, which lie at even distances; it depends on
    the image and the seed alone.
    """
    sizes = np.array([high * wide for high, wide in extractor.units.places])
    free = sizes - sizes // extractor.observes.samples * (extractor.observes.samples - 1)
    drawn = np.zeros((rows, len(sizes)))
    for row, image in zip(drawn, images, strict=False):
        row[:] = generator(extractor.seed, int(image), "places").random(len(sizes))
    found: list[list[int]] = (drawn * free).astype(np.int64).T.tolist()
    return found


def _events(found: list[tuple[int, NDArray[np.int64], NDArray[np.int64]]], good: NDArray[np.bool_]) -> Events:
    if not found:
        none = np.zeros(0, np.int64)
        return Events(none, none, none)
    row = np.repeat([one for one, _, _ in found], [len(unit) for _, unit, _ in found])
    unit, place = (np.concatenate([one[k] for one in found]) for k in (1, 2))
    kept = good[row, unit]
    return Events(row[kept], unit[kept], place[kept])
