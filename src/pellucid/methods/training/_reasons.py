"""Networks trained for the right reasons, and as they were, on the same images: accuracies and where they look."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.errors import Refused
from pellucid.learning.objective import Objective, Tensors
from pellucid.learning.reasons import (
    Masked,
    Reader,
    Wrong,
    cams,
    exchanged,
    exchanging,
    gradients,
    inside,
    integrated,
    kept,
    mean_wrong,
    to_train,
)
from pellucid.learning.train import Passed, Recipe, Trained, train
from pellucid.net import Net
from pellucid.net.tap import called
from pellucid.result import Grid, Table
from pellucid.rng import generator
from pellucid.statistics import wilson_error

GIVEN, CONTROL, REPAIRED = "as given", "without the penalty", "right for the right reasons"
ROWS = {
    "network": "as it was given, trained on without the penalty (the control), and trained on with it",
    "accuracy": "on held-out images as they are, 0..1",
    "error": "half the width of the 95 % Wilson interval of that over 1.96",
    "exchanged": "accuracy on the same images with the masked part taken from another image",
    "exchanged error": "half the width of its 95 % Wilson interval over 1.96",
    "test": "accuracy on the images given as test; none without them",
    "test error": "half the width of its 95 % Wilson interval over 1.96",
    "share": "share of the squared input gradient of Σ log p inside the masks, mean over held-out images that have one",
    "area": "share of the pixels inside the masks, over the same images",
}
PENALTIES = {"gradient": gradients, "integrated_gradients": integrated, "exchange": exchanging}
"""What a training may be punished for, beside Grad-CAM of a layer."""
_MAP = 16
"""Cells along a side of the mean maps."""


def wrong_of(net: Net, module: nn.Module, inputs: Tensor, reasons: str, undo: ExitStack) -> Wrong:
    """The penalty of that name for a module that is about to be trained."""
    reader = Reader(net)
    if reasons in PENALTIES:
        return PENALTIES[reasons](reader)
    size = int(inputs.shape[-2]), int(inputs.shape[-1])
    row = net.layers(size).last_map() if reasons == "grad_cam" else net.layer(reasons, size)
    if row is None or not row.mapped:
        raise Refused(f"reasons={reasons!r}: {net.name} has no such layer with maps")
    return cams(reader, undo.enter_context(kept(module, f"module.{row.name.partition('#')[0]}")))


def trained_on(
    net: Net, given: Masked, held: Masked, recipe: Recipe, objective: Objective, reasons: str, strength: float
) -> Trained:
    """A copy of the network, trained on with the penalty of that strength; 0: without it."""
    copy = to_train(net)
    with ExitStack() as undo:
        penalty: Callable[[Passed], Tensor] | None = None
        if strength:
            wrong = wrong_of(net, copy, given.tensors.inputs, reasons, undo)

            def penalty(batch: Passed) -> Tensor:
                return strength * wrong(batch, given.masks[batch.numbers]).mean()

        return train(copy, given.tensors, recipe, test=held.tensors, objective=objective, penalty=penalty)


def size_of(net: Net, modules: Sequence[nn.Module], given: Masked, reasons: str) -> float:
    """The largest mean penalty among these networks, before its strength."""
    found = []
    for module in modules:
        with ExitStack() as undo:
            wrong = wrong_of(net, module, given.tensors.inputs, reasons, undo)
            found.append(mean_wrong(wrong, module, given.tensors.inputs, given.tensors.labels, given.masks))
    return max(found)


class Judged:
    """What each network is judged by: held-out images with their masks, and other images where these were given."""

    def __init__(self, net: Net, held: Masked, test: Tensors | None, seed: int, objective: Objective) -> None:
        self.net, self.held, self.test, self.objective = net, held, test, objective
        turn = torch.from_numpy(generator(seed, "exchanged").permutation(len(held))).to(held.tensors.labels.device)
        order = torch.empty_like(turn)
        order[turn] = turn.roll(1)  # nobody keeps its own
        self.swapped = Tensors(exchanged(held.tensors.inputs, held.masks, order), held.tensors.labels)

    def row(self, name: str, module: nn.Module) -> tuple[tuple[float | str | None, ...], np.ndarray]:
        """The cells of `ROWS`, and the mean map."""
        share, mean = inside(self.net, module, self.held.tensors.inputs, self.held.masks)
        cells: list[float | str | None] = [name]
        for some in (self.held.tensors, self.swapped, self.test):
            cells += [None, None] if some is None else self._accuracy(module, some)
        marked = self.held.masks[self.held.masks.flatten(1).sum(1) > 0]
        area = float(marked.mean()) if len(marked) else None
        small = F.adaptive_avg_pool2d(mean[None], (min(_MAP, mean.shape[0]), min(_MAP, mean.shape[1])))[0]
        return (*cells, None if math.isnan(share) else share, area), (small / small.sum().clamp(min=1e-300)).numpy()

    def _accuracy(self, module: nn.Module, some: Tensors) -> list[float | str | None]:
        module.eval()
        with torch.no_grad():
            right = sum(
                int(self.objective(called(module, some.inputs[i : i + 64]), some.labels[i : i + 64])[1].sum())
                for i in range(0, len(some), 64)
            )
        return [right / len(some), float(wilson_error(np.array([float(right)]), np.array([float(len(some))]))[0])]


def table(rows: Sequence[tuple[float | str | None, ...]]) -> Table:
    """A row for each network."""
    errors = {"accuracy": "error", "exchanged": "exchanged error", "test": "test error"}
    shown = tuple(name for name in ("accuracy", "exchanged", "test") if any(row[list(ROWS).index(name)] is not None
                                                                         for row in rows))  # fmt: skip
    columns = dict(zip(ROWS, zip(*rows, strict=True), strict=True))
    return Table(columns, ROWS, (), shown, errors={name: errors[name] for name in shown})


def drawn(mean: np.ndarray) -> Grid:
    """Where a network looks: the mean of squared gradients, each image's divided by its sum."""
    rows, columns = (tuple(map(str, range(n))) for n in mean.shape)
    return Grid(mean, rows, columns, "share of the squared gradient", "row", "column")


@dataclass(frozen=True, eq=False)
class Compared:
    """The control and the repaired network, with a row and a map of each, those of the given one first."""

    strength: float
    control: Trained
    repaired: Trained
    rows: list[tuple[float | str | None, ...]]
    grids: dict[str, Grid]


def compared(
    net: Net, every: Masked, test: Tensors | None, recipe: Recipe, objective: Objective, reasons: str,
    strength: float | None,
) -> tuple[Compared, int]:  # fmt: skip
    """Both trainings on three fourths of the images, judged on the others; and how many are trained on."""
    order = torch.from_numpy(generator(recipe.seed, "held out").permutation(len(every))).to(every.masks.device)
    cut = len(every) * 3 // 4
    given, held = every.part(order[:cut]), every.part(order[cut:])
    judged, before = Judged(net, held, test, recipe.seed, objective), to_train(net)
    control = trained_on(net, given, held, recipe, objective, reasons, 0.0)
    if strength is None:
        size = size_of(net, [before, control.module], given, reasons)
        strength = math.log(max(net.outputs, 2)) / size if size > 0 else 0.0
    repaired = trained_on(net, given, held, recipe, objective, reasons, strength)
    named = ((GIVEN, before), (CONTROL, control.module), (REPAIRED, repaired.module))
    found = {name: judged.row(name, one) for name, one in named}
    grids = {name: drawn(mean) for name, (_, mean) in found.items()}
    return Compared(strength, control, repaired, [row for row, _ in found.values()], grids), cut
