"""Networks tried, each with several seeds: their flow at the start and their first epochs, as curves and grids."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.special import entr
from torch import Tensor

from pellucid.learning.chain import Chain
from pellucid.learning.flow import Flow
from pellucid.learning.train import Step, Trained
from pellucid.result import Curve, Grid, Line


@dataclass
class Trials:
    """What came of one of them, for each seed."""

    flows: list[Flow] = field(default_factory=list)
    chains: list[Chain | None] = field(default_factory=list)
    trainings: list[Trained] = field(default_factory=list)
    losses: list[list[float]] = field(default_factory=list)
    """For each training, of each epoch the mean loss of its steps, with batch norm as in training."""

    def add(self, flow: Flow, chain: Chain | None, trained: Trained, taken: Sequence[Step]) -> None:
        """One more: how it starts, how it was trained, and its steps."""
        self.flows.append(flow)
        self.chains.append(chain)
        self.trainings.append(trained)
        by_epoch: dict[int, list[float]] = {}
        for step in taken:
            by_epoch.setdefault(step.epoch, []).append(step.loss)
        self.losses.append([float(np.mean(losses)) for losses in by_epoch.values()])

    def layered(self, by: Callable[[Flow], list[float]]) -> np.ndarray:
        """(repetitions, layers); NaN for zero and what is not finite."""
        found = np.array([by(one) for one in self.flows], np.float64)
        return np.where(np.isfinite(found) & (found > 0), found, np.nan)

    def by_epoch(self) -> np.ndarray:
        """(repetitions, epochs + 1) losses: before any step, and the mean of each epoch's steps."""
        return self.together([[flow.loss, *losses] for flow, losses in zip(self.flows, self.losses, strict=True)])

    @staticmethod
    def together(rows: Sequence[Sequence[float] | np.ndarray]) -> np.ndarray:
        """(repetitions, epochs) as long as the shortest."""
        shortest = min(len(row) for row in rows)
        return np.array([row[:shortest] for row in rows], np.float64)


def signal_of(one: Flow) -> list[float]:
    """Standard deviations of h, layer by layer."""
    return [layer.std for layer in one.layers]


def gradient_of(one: Flow) -> list[float]:
    """RMS of ∂L/∂h, layer by layer."""
    return [layer.gradient for layer in one.layers]


SHOWN = {"standard deviation of h": ("signal", signal_of), "RMS of ∂L/∂h": ("gradient", gradient_of)}
"""Quantity -> its short name, and what it is of a flow."""


def start(tried: Mapping[str, Trials]) -> Curve:
    """Signal and gradient over the layers, with theory dashed beside."""
    lines = []
    for quantity, (what, by) in SHOWN.items():
        for name, one in tried.items():
            points = np.arange(1.0, len(one.flows[0].layers) + 1)
            lines.append(line_of(name, points, one.layered(by), quantity))
            theory = next((some for some in one.chains if some is not None), None)
            if theory is not None:
                values = theory.signal if what == "signal" else theory.gradient
                lines.append(Line(f"{name}: theory", points, values, None, quantity, "dashed", name))
    return Curve(tuple(lines), "layer with weights, in the order of execution")


def line_of(name: str, points: np.ndarray, values: np.ndarray, quantity: str) -> Line:
    """The mean over seeds (rows), with its standard error where there are several."""
    many = len(values) > 1
    errors = values.std(0, ddof=1) / np.sqrt(len(values)) if many else None
    return Line(name, points, values.mean(0), errors, quantity, group=name)


def epochs_of(tried: Mapping[str, Trials], images: int) -> Curve:
    """Loss and accuracy on the training images, epoch by epoch."""
    lines = []
    for quantity, series in (("training loss, nats", "train_loss"), ("training accuracy", "train_accuracy")):
        for name, one in tried.items():
            values = (
                one.by_epoch() if series == "train_loss" else one.together([t.series(series) for t in one.trainings])
            )
            values = np.where(np.isfinite(values), values, np.nan)
            lines.append(line_of(name, np.arange(float(values.shape[1])), values, quantity))
    return Curve(tuple(lines), f"epochs over {images} images")


def grids(tried: Mapping[str, Trials]) -> dict[str, Grid]:
    """Signal and gradient, (layers, networks), means over the seeds."""
    rows = tuple(layer.name for layer in next(iter(tried.values())).flows[0].layers)
    return {
        what: Grid(np.stack([one.layered(by).mean(0) for one in tried.values()], 1), rows, tuple(tried), quantity,
                   "layer", "scheme", log=True)
        for quantity, (what, by) in SHOWN.items()
    }  # fmt: skip


def chance_of(labels: Tensor, multilabel: bool) -> float:
    """The least mean loss of answers that do not look at the images, in nats: the entropy of the labels."""
    p = np.bincount(labels.cpu().numpy()) / len(labels)
    return float(entr(p).sum() + (entr(1 - p).sum() if multilabel else 0.0))
