"""Tallies: one pass over real images, in which each target keeps what it needs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from pellucid.errors import Refused
from pellucid.geometry import Floats
from pellucid.images.labeled import Labeled
from pellucid.net import Net, Run
from pellucid.render.peers import Peers, Place
from pellucid.render.records import Record
from pellucid.statistics import Moments
from pellucid.target import Target, Targets, scored

BEST = 9
"""So many of the strongest images are remembered."""


class Tally:
    """The values of one target so far."""

    def __init__(self, place: Place | None) -> None:
        self.place, self.signed = place, False
        self.best: list[tuple[float, str]] = []
        self.values: list[float] = []  # 8 bytes for each image

    def add(self, names: Sequence[str], values: Sequence[float], run: Run) -> None:
        """What it says to so many images of one pass; NaN where it could not be asked."""
        heard = [(value, name) for value, name in zip(values, names, strict=True) if not np.isnan(value)]
        self.values += [value for value, _ in heard]
        self.best = sorted([*self.best, *heard], key=lambda pair: (-pair[0], pair[1]))[:BEST]
        if not self.signed:
            self.signed = any(value < 0 for value, _ in heard) or (
                self.place is not None and self.place.lowest(run) < 0
            )

    def record(self) -> Record:
        """All of it, when every image was seen."""
        values = np.sort(np.asarray(self.values, dtype=np.float64))
        mean = float(values.mean()) if len(values) else 0.0
        return Record(len(values), mean, self.signed, tuple(self.best), values)


def counted(
    net: Net, targets: Sequence[Target], photos: Labeled
) -> tuple[int, dict[Target, Record], dict[Peers, Moments[Floats]]]:
    """How many photos there were, what they say to each target, and to every unit that it is ranked among."""
    tallies = {target: Tally(Place.of(target, net)) for target in targets}
    peers = tuple(dict.fromkeys(tally.place.peers for tally in tallies.values() if tally.place))
    sums: dict[Peers, Moments[Floats]] = {}
    every, count = Targets(tuple(targets)), 0
    for batch in net.over(photos, layers=every.layers, stop=not every.reads_output):
        names = [photos.name(i) for i in batch.numbers]
        for target, tally in tallies.items():
            tally.add(names, _told(net, target, batch.run, batch.images.pixels), batch.run)
        for one in peers:
            for row in one(batch.run).double().cpu().numpy():
                sums.setdefault(one, Moments(np.zeros_like(row))).add(row)
        count += len(batch)
    return count, {target: tally.record() for target, tally in tallies.items()}, sums


def _told(net: Net, target: Target, run: Run, pixels: Tensor) -> list[float]:
    """The target's number for each image; NaN for an image that it cannot be asked of (a region that is not there)."""
    try:
        return [float(value) for value in scored(target, run).double().cpu()]
    except Refused:
        if len(pixels) == 1:
            return [float("nan")]
    alone = (pixels[i : i + 1] for i in range(len(pixels)))
    return [_told(net, target, net.run(one, layers=target.layers), one)[0] for one in alone]
