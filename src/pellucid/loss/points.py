"""Loss and accuracy at many places of the weights, over the same images at each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pellucid.geometry import Floats
from pellucid.loss.labeled import LabeledBatches, measured
from pellucid.loss.weights import Moved
from pellucid.net import Net, Run
from pellucid.net.norms import BatchStatistics, Collecting, Folded, Given, Norms, Tracing
from pellucid.result import Line
from pellucid.statistics import standard_error
from pellucid.target import Target
from pellucid.target.base import one_for_each

Coordinates = tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Measured:
    """At P places, over S sets of images."""

    losses: Floats
    """(P, S) mean over the images, nats."""
    errors: Floats
    """(P, S) standard errors of these means."""
    accuracies: Floats
    """(P, S)."""
    halves: Floats
    """(P, S) mean loss over every other image alone."""


class Places:
    """A network that is moved, the images that it is shown at each place, whose statistics its norms use, and what is
    asked besides loss and accuracy.
    """

    def __init__(
        self, moved: Moved, sets: Sequence[LabeledBatches], norms: Norms, target: Target | None = None
    ) -> None:
        self.moved, self.sets, self.norms, self.target = moved, sets, norms, target
        self.layers = target.layers if target is not None else ()
        net = moved.to((0.0,) * len(moved.directions))
        net.run(sets[0].pixels[0][:2])  # whether its images mix is found out with its norms as they are stored
        self._folded = (
            self._fold(net) if norms == "frozen" and not self.layers else None
        )  # layers would hold folded values

    def at(self, coordinates: Coordinates) -> Floats:
        """(S, 4): mean loss, its standard error, accuracy, and the mean loss of every other image; with a target
        (S, 6), its mean and standard error.
        """
        net = self.moved.to(coordinates)
        if self._folded is not None:
            self._folded.refold()
        known = self._collected(net) if self.norms == "reestimated" else None
        return np.array([self._of(net, one, known) for one in self.sets])

    def each(self, coordinates: Coordinates) -> Tensor:
        """(N,) the losses of the images of the first set, float64."""
        net, some = self.moved.to(coordinates), self.sets[0]
        if self._folded is not None:
            self._folded.refold()
        known = self._collected(net) if self.norms == "reestimated" else None
        losses = []
        for pixels, labels in zip(some.pixels, some.labels, strict=True):
            with self._mode(known):
                losses.append(measured(net.run(pixels), labels)[0])
        return torch.cat(losses).cpu()

    def _of(self, net: Net, some: LabeledBatches, known: list[Any] | None) -> Floats:
        losses, right, asked = [], [], []
        for pixels, labels in zip(some.pixels, some.labels, strict=True):
            with self._mode(known):
                run = net.run(pixels, layers=self.layers)
            loss, hit = measured(run, labels)
            losses.append(loss)
            right.append(hit)
            if self.target is not None:
                asked.append(_asked(self.target, run))
        found = summary(torch.cat(losses).cpu().numpy(), torch.cat(right).cpu().numpy())
        return np.concatenate([found, _mean(torch.cat(asked).cpu().numpy())]) if asked else found

    def _mode(self, known: list[Any] | None) -> Any:
        if known is not None:
            return Given(known)
        if self._folded is not None:
            return self._folded.once()
        return BatchStatistics() if self.norms == "batch" else nullcontext()

    def _collected(self, net: Net) -> list[Any]:
        """The statistics of the first set, whose images the network is trained on."""
        collecting = Collecting()
        for pixels in self.sets[0].pixels:
            collecting.calls = 0
            with collecting:
                net.run(pixels)
        return collecting.statistics()

    def _fold(self, net: Net) -> Folded:
        """What can be folded, found by one pass over two images."""
        values = dict(net.module.named_parameters())
        with Tracing(values.values()) as traced:
            net.run(self.sets[0].pixels[0][:2])
        return Folded(traced.pairs())


def summary(losses: NDArray[np.float64], right: NDArray[np.bool_]) -> Floats:
    """(4,): mean loss, its standard error, accuracy, mean loss of every other image; NaN and infinity stay. Where the
    loss of an image is no number it has no answer either, so the accuracy is none.
    """
    accuracy = np.nan if np.isnan(losses).any() else right.mean()
    return np.array([*_mean(losses), accuracy, losses[::2].mean()])


def undefined(lines: Iterable[Line]) -> int:
    """How many values are no numbers, of lines that were measured everywhere: their pictures have gaps for it."""
    return sum(int(np.isnan(line.values).sum()) for line in lines)


def _mean(values: NDArray[np.float64]) -> Floats:
    """(2,): the mean and its standard error."""
    mean, count = float(values.mean()), len(values)
    known = count > 1 and np.isfinite(mean)
    return np.array([mean, standard_error(float(np.square(values - mean).sum()), count) if known else np.nan])


def _asked(target: Target, run: Run) -> Tensor:
    """(n,) float64; far from the network it may be infinite, which the surface shows."""
    scores = target(run)
    one_for_each(target, run, scores)
    return scores.double()
