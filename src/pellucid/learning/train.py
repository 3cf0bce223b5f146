"""The plain training loop that the chapters share: seeded, resumable, and without a framework."""

from __future__ import annotations

import hashlib
import json
import math
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn

from pellucid.ambient import neutral
from pellucid.errors import PellucidError, unknown
from pellucid.learning import state
from pellucid.learning.objective import Objective, Tensors, cross_entropy
from pellucid.net.tap import called
from pellucid.progress import COMPILER, imported, steps, stop_point
from pellucid.rng import generator

OptimizerName = Literal["sgd", "adam", "adamw"]
Schedule = Literal["constant", "cosine", "step", "linear"]
Augment = Callable[[Tensor, np.random.Generator], Tensor]
"""augment(inputs of a batch, random numbers of that batch) -> inputs."""


@dataclass(frozen=True)
class Recipe:
    """How a network is trained."""

    epochs: int = 10
    batch: int = 32
    """Images in a step; a last batch of one image is left out, of which batch norm can make nothing."""
    optimizer: OptimizerName = "sgd"
    lr: float = 0.1
    momentum: float = 0.9
    """Of SGD; of Adam the decay of the first moment."""
    nesterov: bool = False
    weight_decay: float = 0.0
    schedule: Schedule = "constant"
    """Of the learning rate, step by step: to 0 along a half cosine or a line, or a tenth after half and after three
    quarters of the steps."""
    patience: int | None = None
    """Epochs without a lower test loss after which training ends, with the weights of the best epoch."""
    until: float | None = None
    """Training accuracy, 0..1, with which training ends."""
    seed: int = 0

    def __post_init__(self) -> None:
        for name, choices in (("optimizer", get_args(OptimizerName)), ("schedule", get_args(Schedule))):
            if getattr(self, name) not in choices:
                raise unknown(name, str(getattr(self, name)), choices)
        whole = {"epochs": 0, "batch": 1, **({} if self.patience is None else {"patience": 1})}
        for name, least in whole.items():
            if getattr(self, name) < least:
                raise PellucidError(f"{name}={getattr(self, name)}: at least {least}")
        if self.until is not None and not 0 < self.until <= 1:
            raise PellucidError(f"until={self.until}: an accuracy, above 0 and 1 at most")
        if not (self.lr > 0 and math.isfinite(self.lr)) or self.weight_decay < 0 or not 0 <= self.momentum < 1:
            raise PellucidError(
                f"lr={self.lr}, momentum={self.momentum}, weight_decay={self.weight_decay}: no such training"
            )

    @staticmethod
    def epochs_of(steps: int, images: int, batch: int) -> int:
        """The whole epochs that hold so many steps."""
        return -(-steps // _per_epoch(images, batch))

    def rate(self, done: float) -> float:
        """The learning rate when that share (0..1) of all steps is done."""
        factor = {
            "constant": 1.0,
            "cosine": (1 + math.cos(math.pi * done)) / 2,
            "linear": 1 - done,
            "step": 1.0 if done < 0.5 else 0.1 if done < 0.75 else 0.01,
        }[self.schedule]
        return self.lr * factor

    def made(self, module: nn.Module) -> torch.optim.Optimizer:
        """The optimizer of a module's parameters."""
        imported(COMPILER)
        parameters = [p for p in module.parameters() if p.requires_grad]
        if self.optimizer == "sgd":
            return torch.optim.SGD(parameters, self.lr, self.momentum, weight_decay=self.weight_decay,
                                   nesterov=self.nesterov and self.momentum > 0)  # fmt: skip
        kind = torch.optim.Adam if self.optimizer == "adam" else torch.optim.AdamW
        return kind(parameters, self.lr, (self.momentum, 0.999), weight_decay=self.weight_decay)


@dataclass(frozen=True)
class Epoch:
    """What is known after an epoch: losses in nats and accuracies 0..1, in evaluation mode; NaN without test images."""

    epoch: int
    step: int
    lr: float
    train_loss: float
    train_accuracy: float
    test_loss: float = math.nan
    test_accuracy: float = math.nan

    def row(self) -> dict[str, float | int]:
        """As `History` reads it."""
        said = {name.replace("_", " "): value for name, value in asdict(self).items()}
        return {name: value for name, value in said.items() if name in ("epoch", "step") or not math.isnan(value)}


@dataclass(frozen=True, eq=False)
class Step:
    """One step of a training, as it is shown to whoever observes it, right after the optimizer has moved."""

    epoch: int
    step: int
    """Steps done, this one included."""
    lr: float
    loss: float
    """Mean over the batch, before the step."""
    module: nn.Module


@dataclass(frozen=True, eq=False)
class Passed:
    """A batch that has passed through the module in training, as it is shown to a penalty."""

    module: nn.Module
    inputs: Tensor
    """(n, C, H, W), a leaf of the graph: the output can be differentiated with respect to it, and that again."""
    output: Any
    labels: Tensor
    numbers: Tensor
    """(n,) places of the images in the data."""


Penalty = Callable[[Passed], Tensor]
"""penalty(batch) -> a number that is added to the mean loss of the batch."""


@dataclass(frozen=True, eq=False)
class Trained:
    """What came of a training: the module, which has the weights of the `best` epoch where there is patience."""

    module: nn.Module
    epochs: tuple[Epoch, ...]
    """The first is before any step (epoch 0)."""
    ended: str = ""
    """Why it ended ahead of its epochs: the loss was not finite, patience ran out, or the training images are right as
    often as asked; "" where it did not."""
    best: int = 0
    """Place in `epochs` of the lowest test loss, or train loss where there are no test images."""

    def series(self, name: str) -> np.ndarray:
        """(epochs + 1,) `train_loss`, `test_accuracy` …, epoch by epoch."""
        return np.array([getattr(one, name) for one in self.epochs], np.float64)

    @property
    def diverged(self) -> bool:
        """Whether a loss was not finite."""
        return "finite" in self.ended


@dataclass(eq=False)
class _Loop:
    """Where a training is: all that its folder keeps."""

    module: nn.Module
    optimizer: torch.optim.Optimizer
    epochs: list[Epoch] = field(default_factory=list)
    best: dict[str, Tensor] = field(default_factory=dict)
    ended: str = ""

    def lowest(self) -> int:
        """Place of the best epoch; one that is not finite is none."""
        name = "train_loss" if math.isnan(self.epochs[0].test_loss) else "test_loss"
        losses = [getattr(one, name) for one in self.epochs]
        return min(range(len(losses)), key=lambda i: (not math.isfinite(losses[i]), losses[i]))


@neutral()
def train(
    module: nn.Module,
    data: Any,
    recipe: Recipe,
    *,
    test: Any = None,
    objective: Objective = cross_entropy,
    augment: Augment | None = None,
    penalty: Penalty | None = None,
    observe: Callable[[Step], None] | None = None,
    folder: str | Path | None = None,
    keep: bool = True,
) -> Trained:
    """Train a module, in place, on (inputs, labels) as it takes them; `test` is the same of other images.

    The order of the images, dropout and `augment` depend on the recipe's seed and the number of the epoch alone, and on
    the CPU so do the bits of the weights; torch's and numpy's random numbers of the caller are left as they were. A
    loss that is not finite ends it, and is said in `ended`.

    With a `folder` the losses of each epoch are written to log.jsonl and, unless `keep` is False, its weights to
    checkpoints/step_N.safetensors, which `History` reads; a training that was stopped goes on from its last whole
    epoch, with the same bits as one that was not. `observe` is called after each step, and what `penalty` says of a
    batch is added to its loss: a folder does not know it, so that each needs its own. Raises PellucidError in one
    line, also where the folder holds a training of another recipe, network or data.
    """
    given = Tensors.of(data)
    other = None if test is None else Tensors.of(test)
    loop = _Loop(module, recipe.made(module))
    place = None if folder is None else Path(folder)
    whose = "" if place is None else _identity(module, given, other, recipe)
    with _unmoved(module):
        if place is None or not _resumed(loop, place, whose):
            loop.epochs.append(_measured(loop, given, other, objective, 0, 0, recipe.rate(0.0)))
            _kept(loop, place, whose, keep)
        per = _per_epoch(len(given), recipe.batch)
        for epoch in steps(range(len(loop.epochs), recipe.epochs + 1), "epochs"):
            if loop.ended:
                break
            said = _epoch(loop, given, recipe, epoch, objective, augment, penalty, observe)
            rate = recipe.rate(((epoch * per) - 1) / max(recipe.epochs * per, 1))
            loop.epochs.append(_measured(loop, given, other, objective, epoch, epoch * per, rate))
            loop.ended = said or _ended(loop, recipe, epoch)
            _kept(loop, place, whose, keep)
        if recipe.patience is not None and loop.best:
            module.load_state_dict(loop.best)
    return Trained(module, tuple(loop.epochs), loop.ended, loop.lowest())


def _ended(loop: _Loop, recipe: Recipe, epoch: int) -> str:
    """Why training ends after this epoch, and "" where it goes on; keeps the best weights."""
    last = loop.epochs[-1]
    if not math.isfinite(last.train_loss):
        return f"the loss is not finite ({last.train_loss}) after epoch {epoch}, step {last.step}"
    enough = recipe.until is not None and last.train_accuracy >= recipe.until
    said = f"{last.train_accuracy:.1%} of the training images are right after epoch {epoch}" if enough else ""
    if recipe.patience is None or said:
        return said
    best = loop.lowest()
    if best == len(loop.epochs) - 1:
        loop.best = {name: value.detach().clone() for name, value in loop.module.state_dict().items()}
    if len(loop.epochs) - 1 - best >= recipe.patience:
        return f"no lower loss for {recipe.patience} epochs: the best is epoch {best}"
    return ""


def _epoch(
    loop: _Loop,
    data: Tensors,
    recipe: Recipe,
    epoch: int,
    objective: Objective,
    augment: Augment | None,
    penalty: Penalty | None,
    observe: Callable[[Step], None] | None,
) -> str:
    """One pass over all images in an order of its own; what is wrong, where a loss is not finite."""
    chance = generator(recipe.seed, "epoch", epoch)
    torch.manual_seed(int(chance.integers(2**62)))
    np.random.seed(int(chance.integers(2**32)))  # noqa: NPY002  # a module may draw from numpy's
    random.seed(int(chance.integers(2**62)))
    order = torch.from_numpy(generator(recipe.seed, "order", epoch).permutation(len(data))).to(data.labels.device)
    per = _per_epoch(len(data), recipe.batch)
    loop.module.train()
    with torch.enable_grad():
        for i in range(per):
            step = (epoch - 1) * per + i
            rate = recipe.rate(step / (recipe.epochs * per))
            for group in loop.optimizer.param_groups:
                group["lr"] = rate
            numbers = order[i * recipe.batch : (i + 1) * recipe.batch]
            part = data[numbers]
            inputs = part.inputs if augment is None else augment(part.inputs, generator(recipe.seed, "augment", step))
            inputs = inputs if penalty is None else inputs.detach().clone().requires_grad_()
            output = called(loop.module, inputs)
            loss = objective(output, part.labels)[0].mean()
            if penalty is not None:
                loss = loss + penalty(Passed(loop.module, inputs, output, part.labels, numbers))
            value = float(loss.detach())
            if not math.isfinite(value):
                return f"the loss is not finite ({value}) in step {step + 1}, epoch {epoch}"
            loop.optimizer.zero_grad(set_to_none=True)
            stop_point()
            loss.backward()
            stop_point()
            loop.optimizer.step()
            if observe is not None:
                observe(Step(epoch, step + 1, rate, value, loop.module))
    loop.optimizer.zero_grad(set_to_none=True)
    return ""


def _per_epoch(images: int, batch: int) -> int:
    """Steps of an epoch."""
    return max(images // batch + (images % batch > 1), 1)


def _measured(
    loop: _Loop, data: Tensors, test: Tensors | None, objective: Objective, epoch: int, step: int, rate: float
) -> Epoch:
    numbers = evaluated(loop.module, data, objective)
    return Epoch(epoch, step, rate, *numbers, *(() if test is None else evaluated(loop.module, test, objective)))


def evaluated(
    module: nn.Module, data: Tensors, objective: Objective = cross_entropy, batch: int = 256
) -> tuple[float, float]:
    """(mean loss in nats, accuracy 0..1) of a module in evaluation mode; sums over all images, in float64."""
    modes = {part: part.training for part in module.modules()}
    total, right = 0.0, 0
    try:
        module.eval()
        with torch.no_grad():
            for i in range(0, len(data), batch):
                part = data[i : i + batch]
                losses, hits = objective(called(module, part.inputs), part.labels)
                total += float(losses.double().sum())
                right += int(hits.sum())
    finally:
        for part_, training in modes.items():
            part_.training = training
    return total / len(data), right / len(data)


@contextmanager
def _unmoved(module: nn.Module) -> Iterator[None]:
    """Random numbers of the caller, modes of the module and gradients as before."""
    modes = {part: part.training for part in module.modules()}
    numbers, plain = np.random.get_state(), random.getstate()  # noqa: NPY002
    devices = sorted({p.device for p in module.parameters() if p.is_cuda}, key=str)
    try:
        with torch.random.fork_rng(devices=devices):
            yield
    finally:
        np.random.set_state(numbers)  # noqa: NPY002
        random.setstate(plain)
        for part, training in modes.items():
            part.training = training
        for p in module.parameters():
            p.grad = None


def _identity(module: nn.Module, data: Tensors, test: Tensors | None, recipe: Recipe) -> str:
    """Of a training: its recipe, the weights that it starts from, and its images."""
    digest = hashlib.sha256(json.dumps(asdict(recipe), sort_keys=True).encode())
    for name, value in sorted(module.state_dict().items()):
        digest.update(f"{name} {tuple(value.shape)} {value.dtype}".encode())
        digest.update(state.raw(value))
    for part in (data, test):
        for tensor in () if part is None else (part.inputs, part.labels):
            digest.update(f"{tuple(tensor.shape)}".encode())
            digest.update(state.raw(tensor))
    return digest.hexdigest()


def _resumed(loop: _Loop, place: Path, whose: str) -> bool:
    """Take up the training that the folder holds; False where it holds none."""
    found = state.opened(place)
    if found is None:
        return False
    tensors, about = found
    if about.get("whose") != whose:
        raise PellucidError(
            f"{str(place)!r} holds another training (recipe, first weights or images differ): name another folder"
        )
    state.restored(loop.module, loop.optimizer, tensors)
    loop.best = {name[5:]: value for name, value in tensors.items() if name.startswith("best/")}
    loop.epochs = [Epoch(**row) for row in about["epochs"]]
    loop.ended = str(about["ended"])
    return True


def _kept(loop: _Loop, place: Path | None, whose: str, keep: bool) -> None:
    """Write where the training is; the state last, so that a checkpoint of it is there."""
    if place is None:
        return
    rows = [one.row() for one in loop.epochs]
    about = {"whose": whose, "epochs": [asdict(one) for one in loop.epochs], "ended": loop.ended}
    state.written(place, loop.module, loop.optimizer, loop.best, about, rows, loop.epochs[-1].step if keep else None)
