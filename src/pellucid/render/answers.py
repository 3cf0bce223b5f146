"""Answers: what a network says of files, each asked about its own target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import Refused
from pellucid.geometry import Floats
from pellucid.net import Net, Run
from pellucid.render.objectives import Each
from pellucid.render.peers import Place
from pellucid.render.pixels import File, as_images
from pellucid.target import Target, Targets
from pellucid.target.units import over_places


class First:
    """Activations, those of the peers, and the layer's channel means, from one pass over the pictures."""

    def __init__(
        self, net: Net, files: Sequence[File], targets: Sequence[Target],
        units: Mapping[Target, Place | None],
    ) -> None:  # fmt: skip
        self.activation = np.full(len(files), np.nan)
        self.peers: list[Floats | None] = [None] * len(files)
        self.signatures: list[Floats | None] = [None] * len(files)
        for which, run, pixels in _runs(net, files, targets):
            self.activation[which] = _asked(net, run, pixels, targets[which])
            for row, i in enumerate(range(which.start, which.stop)):
                place = units[targets[i]]
                self.peers[i] = _row(place.peers(run), row) if place else None
                self.signatures[i] = _signature(run, targets[i], row)


def _runs(net: Net, files: Sequence[File], targets: Sequence[Target]) -> Iterator[tuple[slice, Run, Tensor]]:
    """Passes over the files as the network sees them, as many at once as memory holds."""
    seen = [net.prepare(as_images(file)).pictures[0] for file in files]
    start = 0
    while start < len(seen):
        size = seen[start].shape
        stop = start + 1
        most = net.chunk((size[-2], size[-1]), grad=False)
        while stop < len(seen) and seen[stop].shape == size and stop - start < most:
            stop += 1
        asked = Targets(tuple(targets[start:stop]))
        pixels = torch.stack(seen[start:stop])
        yield slice(start, stop), net.run(pixels, layers=asked.layers, stop=not asked.reads_output), pixels
        start = stop


def answers(net: Net, files: Sequence[File], targets: Sequence[Target]) -> Float[np.ndarray, " n"]:
    """What each file says to its own target, (N,); NaN where it cannot be asked."""
    found = np.full(len(files), np.nan)
    for which, run, pixels in _runs(net, files, targets):
        found[which] = _asked(net, run, pixels, targets[which])
    return found


def _asked(net: Net, run: Run, pixels: Tensor, targets: Sequence[Target]) -> Float[np.ndarray, " n"]:
    try:
        answers: Floats = Each(tuple(targets))(run).double().cpu().numpy()
        return answers
    except Refused:
        if len(pixels) == 1:
            return np.full(1, np.nan)
    alone = [(pixels[i : i + 1], targets[i : i + 1]) for i in range(len(pixels))]
    return np.concatenate([_asked(net, net.run(x, layers=t[0].layers), x, t) for x, t in alone])


def _row(values: Tensor, row: int) -> Floats:
    found: Floats = values[row].double().cpu().numpy()
    return found


def _signature(run: Run, target: Target, row: int) -> Floats | None:
    """The channel means of the one layer that the target reads, or the scores; None where there is no one layer."""
    if len(target.layers) == 1 and not target.reads_output:
        return _row(over_places(run[target.layers[0]]), row)
    if target.layers or not isinstance(run.returned, Tensor):
        return None
    return _row(over_places(run.output), row) if run.output.dim() > 1 else None
