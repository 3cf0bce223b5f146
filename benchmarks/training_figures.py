"""Figures of calibration, doubt and over-fitting beside those of the reference, on real images.

python -m benchmarks.training_figures [calibration] [doubt] [overfitting]     # all three: 10 minutes on one thread

Calibration: the CIFAR ResNets of ../shared/data. Doubt: clothes at 14 × 14 (the Debian package dataset-fashion-mnist)
against scikit-learn's digits, enlarged. Over-fitting: 300 digits, a fifth of their labels wrong.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tests.fashion import fashion
from tests.methods.training.networks import CIFAR, c4k, cifar
from torch import Tensor
from torch.nn import functional as F

import pellucid as pl
from pellucid.learning.networks import CNN, MLP, seeded
from pellucid.learning.tasks import digits, flipped
from pellucid.learning.train import Recipe, train
from pellucid.net import Labels, Net, Preprocess

SHARED = Path(__file__).resolve().parents[2] / "shared"
SEEDS = 3


def calibration() -> None:
    """Temperature, ECE and NLL, fitted on the first 2,000 test images and shown on the other half of 4,000."""
    for name in CIFAR:
        found = pl.training.calibration(cifar(SHARED.joinpath, name), c4k(SHARED.joinpath))
        table = {row["measure"]: row for row in found["measures"].rows}
        first = next(iter(found["measures"].columns))
        numbers = {
            key: [v for k, v in row.items() if k != first and isinstance(v, float)] for key, row in table.items()
        }
        print(
            f"{name}: T {found.meta.found['temperature']:.3f}",
            {k: [round(x, 4) for x in v] for k, v in numbers.items()},
        )


def doubt() -> None:
    """AUROC of each doubt for errors and for images of another kind, and how far repetitions differ."""
    from sklearn.datasets import load_digits

    given, some = fashion("train", 20000), fashion("t10k", 2000)
    test = some.inputs.numpy(), some.labels.numpy()
    enlarged = F.interpolate(torch.from_numpy(load_digits().images / 16)[:, None], (14, 14), mode="bilinear")
    strangers = (enlarged.float().numpy(), np.zeros(len(enlarged), np.int64))
    how = Preprocess(resize=14, crop=(14, 14), mean=(0.0,), std=(1.0,), channels=1)
    for seed in range(SEEDS):
        module = seeded(lambda: CNN(1, 10, size=14, widths=(16, 32), dropout=0.5), seed)
        train(
            module,
            given,
            Recipe(epochs=8, batch=64, optimizer="adam", lr=1e-3, seed=seed),
        )
        net = Net(module.eval(), "clothes", how, Labels.plain([f"c{i}" for i in range(10)]))
        found = pl.training.doubt(net, test, ood=strangers, samples=50, seed=seed)
        answers, worth = found["answers"], found["worth"]
        print(f"seed {seed}: accuracy {answers['accuracy']}, NLL {answers['nll']}")
        for row in worth.rows:
            print("   ", {name: round(v, 3) if isinstance(v, float) else v for name, v in row.items()})
        if seed == 0:
            repeated(net, test)


def repeated(net: Net, test: tuple[np.ndarray, np.ndarray]) -> None:
    """Rank correlation of BALD between two repetitions."""
    for samples in (5, 10, 30, 100):
        found = [pl.training.doubt(net, (test[0][:500], test[1][:500]), samples=samples, seed=seed) for seed in (1, 2)]
        sorted_rows = [sorted(one["images"].rows, key=lambda row: row["image"]) for one in found]
        values = np.array([[row["epistemic"] for row in rows] for rows in sorted_rows])
        correlation = np.corrcoef(values.argsort(1).argsort(1))[0, 1]
        print(f"    {samples} passes: rank correlation of BALD between repetitions {correlation:.2f}")


def shifted(inputs: Tensor, chance: np.random.Generator) -> Tensor:
    """Each image by −1, 0 or 1 pixel down and across."""
    moved = F.pad(inputs, (1, 1, 1, 1))
    where = chance.integers(0, 3, (len(inputs), 2))
    return torch.stack([one[:, y : y + 8, x : x + 8] for one, (y, x) in zip(moved, where.tolist(), strict=True)])


STUDY: dict[str, tuple[float, float, bool]] = {
    "plain": (0.0, 0.0, False), "dropout": (0.5, 0.0, False), "weight decay": (0.0, 0.3, False),
    "shift": (0.0, 0.0, True), "dropout + shift": (0.5, 0.0, True),
}  # fmt: skip


def overfitting() -> None:
    """300 digits, a fifth of their labels wrong, an MLP of 256-256, AdamW 3e-3, 150 epochs: means over seeds."""
    for name, (dropout, decay, augmented) in STUDY.items():
        rows = []
        for seed in range(SEEDS):
            task = flipped(digits(300, seed), 0.2, seed)
            module = seeded(lambda rate=dropout: MLP(64, 10, depth=2, width=256, dropout=rate), seed)
            recipe = Recipe(epochs=150, batch=100, optimizer="adamw", lr=3e-3, weight_decay=decay, seed=seed)
            with tempfile.TemporaryDirectory() as folder:
                trained = train(module, task.train, recipe, test=task.test, folder=folder, keep=False,
                                augment=shifted if augmented else None)  # fmt: skip
                stops = {row["rule"]: row for row in pl.training.curves(folder)["stopping"].rows}
            losses, right = trained.series("test_loss"), trained.series("test_accuracy")
            best = int(losses.argmin())
            rows.append((trained.series("train_accuracy")[-1], losses[-1], losses[best], best, right[-1], right[best],
                         (stops["GL 5 %"]["stops"] or np.nan) / (trained.epochs[1].step or 1),
                         stops["GL 5 %"]["test accuracy"]))  # fmt: skip
        at = np.mean(np.array(rows, np.float64), 0)
        print(f"{name}: train {at[0]:.3f}, test loss {at[1]:.3f} / {at[2]:.3f} (epoch {at[3]:.0f}), "
              f"test accuracy {at[4]:.3f} / {at[5]:.3f}, GL 5 % stops at {at[6]:.0f}, {at[7]:.3f}")  # fmt: skip


ALL: dict[str, Callable[[], Any]] = {"calibration": calibration, "doubt": doubt, "overfitting": overfitting}

if __name__ == "__main__":
    torch.set_num_threads(1)
    for asked in sys.argv[1:] or list(ALL):
        print(f"## {asked}")
        ALL[asked]()
