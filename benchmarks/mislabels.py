"""Wrong labels: which score finds them, in images whose labels are known, and what mending them is worth.

python -m benchmarks.mislabels fashion FOLDER   scores on labels made wrong; FOLDER: of Debian's dataset-fashion-mnist
python -m benchmarks.mislabels real DATA        the known label errors of CIFAR-10's test images
python -m benchmarks.mislabels mending          digits: what removing and relabeling suspects is worth
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from skimage.feature import hog
from tests.fashion import FOLDER, fashion
from tests.methods.training.networks import c4k, cifar
from torch import Tensor, nn

from pellucid.learning.initial import initialized
from pellucid.learning.objective import Tensors
from pellucid.learning.train import Recipe, evaluated, train
from pellucid.rng import generator
from pellucid.statistics import auroc, share_of
from pellucid.training_set.noise import KINDS, noisy
from pellucid.training_set.recorded import head_course, recorded
from pellucid.training_set.suspicion import Evidence
from pellucid.training_set.tried import TOGETHER, average_precision, parts, suspicions, together, tried

_IMAGES, _SEEDS = 4000, 2


class Small(nn.Module):
    """Three convolutions of 12, 24 and 64 filters, the mean over places, and a last layer."""

    def __init__(self, channels: int = 1) -> None:
        super().__init__()
        parts: list[nn.Module] = []
        for before, width in ((channels, 12), (12, 24), (24, 64)):
            parts += [nn.Conv2d(before, width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)][: 3 if width < 64 else 2]
        self.body = nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x))


def _read(module: nn.Module, inputs: Tensor) -> tuple[Tensor, Tensor]:
    features = module.get_submodule("body")(inputs)
    return features, module.get_submodule("head")(features)


def fashion_scores(folder: str) -> None:
    """FM14: 12 epochs on labels of which 10 % are wrong; the AUROC of every score of that training."""
    data = fashion("train", _IMAGES, Path(folder))
    truth = data.labels.numpy()
    pixels = data.inputs.flatten(1).numpy()
    found: dict[str, dict[str, list[float]]] = {kind: {} for kind in KINDS}
    for kind in KINDS:
        for seed in range(_SEEDS):
            labels, wrong = noisy(truth, 10, 0.1, kind, seed)
            module = initialized(Small(), "he", seed)
            recipe = Recipe(12, 64, "adam", 2e-3, schedule="cosine", seed=seed)
            given = Tensors(data.inputs, torch.from_numpy(labels))
            _, course = recorded(module, given, recipe, _read)
            with torch.no_grad():
                features = torch.cat([_read(module, given.inputs[i : i + 512])[0] for i in range(0, _IMAGES, 512)])
            evidence = Evidence(labels, 10, features.numpy(), {"pixels": pixels}, None, course, seed)
            said = suspicions(evidence)
            said[TOGETHER] = together(evidence, said)
            for name, values in said.items():
                found[kind].setdefault(name, []).append(auroc(values[wrong], values[~wrong])[0])
            # as a user without checkpoints: which score do labels made wrong on top choose, of the features alone?
            alone = Evidence(labels, 10, features.numpy(), {"pixels": pixels}, None, None, seed).learned_again(labels)
            areas = {name: auroc(values[wrong], values[~wrong])[0] for name, values in suspicions(alone).items()}
            pick = tried(alone, 0.1, KINDS, 1, 9).best(list(areas))
            print(f"{kind} seed {seed}, last layer alone: labels made wrong choose {pick!r}, {areas[pick]:.3f}; best "
                  f"{max(areas.values()):.3f}", flush=True)  # fmt: skip
    for kind in KINDS:
        first, second = ({name: values[seed] for name, values in found[kind].items()} for seed in range(2))
        pick = max(first, key=lambda name: first[name])
        print(f"{kind}: seed 0 chooses {pick!r}, on seed 1 {second[pick]:.3f}; best {max(second.values()):.3f}")
    print(f"{'score':<22} {'symmetric':>13} {'pair':>13}")
    for name in sorted(found["symmetric"], key=lambda name: -np.mean([found[kind][name] for kind in KINDS])):
        print(f"{name:<22} {' | '.join('/'.join(f'{v:.3f}' for v in found[kind][name]) for kind in KINDS)}")
    least = min(v for kind in KINDS for values in found[kind].values() for v in values)
    worst = " | ".join(f"{min(found[kind]['AUM']):.3f}" for kind in KINDS)
    print(f"AUM at least {worst}; every score at least {least:.3f}")


def real_errors(data: str) -> None:
    """C4k: the 25 label errors among 4,000 test images that people have reviewed."""

    def shared(path: str) -> Path:
        return Path(data).parent / path

    with np.load(shared("data/cifar10/cifar10_test_first4000.npz")) as file:
        pixels, labels = file["x"], file["y"].astype(np.int64)
    reviewed = json.loads(shared("data/cifar10/cifar10_mturk_label_errors.json").read_text())
    seen = [one["id"] for one in reviewed]
    wrong = np.zeros(len(labels), bool)
    wrong[[one["id"] for one in reviewed if one["id"] < len(labels) and one["mturk"]["given"] < 3]] = True
    shapes = np.stack([hog(one, 9, (8, 8), (2, 2), channel_axis=-1) for one in pixels])
    for name in ("resnet20", "resnet56"):
        net = cifar(shared, name)
        rows: list[np.ndarray] = []
        logits: list[np.ndarray] = []
        for batch in net.over(c4k(shared), layers=["layer3"]):
            rows.append(batch.run["layer3"].detach().double().mean((2, 3)).numpy())
            logits.append(batch.run.output.detach().double().numpy())
        features, answers = np.concatenate(rows), np.concatenate(logits)
        evidence = Evidence(labels, 10, features, {"hog": shapes}, answers, head_course(features, labels, 10, 0), 0)
        said = suspicions(evidence)
        said[TOGETHER] = together(evidence, said)
        trial = tried(evidence, 0.1, KINDS, 1, 0)
        print(f"{name}: {wrong.sum()} known errors; {TOGETHER} is {', '.join(parts(evidence))}")
        heads = f"{'AUROC':>6} {'AP':>6} {'±':>5} {'p@40':>6} {'r@200':>6} {'±':>5}"
        print(f"{'score':<22} {'symmetric':>9} {'pair':>6} | {heads}")
        for i in trial.order:
            values = said[trial.names[i]]
            hits = wrong[np.argsort(-values, kind="stable")]
            recall = share_of(np.isin(np.flatnonzero(wrong), np.argsort(-values, kind="stable")[:200]))
            print(f"{trial.names[i]:<22} {trial.spread(i, 0)[0]:>9.3f} {trial.spread(i, 1)[0]:>6.3f} | "
                  f"{auroc(values[wrong], values[~wrong])[0]:>6.3f} {average_precision(values, wrong):>6.3f} "
                  f"{precision_error(values, wrong):>5.3f} {hits[:40].mean():>6.3f} {recall[0]:>6.2f} "
                  f"{recall[1]:>5.2f}", flush=True)  # fmt: skip
        top = np.argsort(-said[TOGETHER], kind="stable")[:40]
        print(f"of the 40 most suspect by all together people have reviewed {np.isin(top, seen).sum()}")


def precision_error(values: np.ndarray, wrong: np.ndarray) -> float:
    """The standard error of an average precision: images drawn again, 200 times."""
    chance = generator(0, "average precision")
    picks = [chance.integers(0, len(wrong), len(wrong)) for _ in range(200)]
    return float(np.nanstd([average_precision(values[pick], wrong[pick]) for pick in picks]))


def _small(dropout: float, seed: int) -> nn.Module:
    parts = nn.Linear(64, 128), nn.ReLU(), nn.Dropout(dropout), nn.Linear(128, 10)
    return initialized(nn.Sequential(*parts), "he", seed)


def _soft(output: Any, labels: Tensor) -> tuple[Tensor, Tensor]:
    """The cross entropy against probabilities (N, 10); the largest counts as the label."""
    return -(labels * output.log_softmax(1)).sum(1), output.argmax(1) == labels.argmax(1)


def mending() -> None:
    """Digits, 600 to train on, 20 % flipped: test accuracy of a student on each set of labels, three seeds."""
    from sklearn.datasets import load_digits

    pixels, truth = load_digits(return_X_y=True)
    found: dict[str, list[float]] = {}
    for seed in range(3):
        order = generator(seed, "digits").permutation(len(truth))
        train_x, test_x = (torch.tensor(pixels[part] / 16, dtype=torch.float32) for part in (order[:600], order[600:]))
        own, other = truth[order[:600]].astype(np.int64), truth[order[600:]].astype(np.int64)
        labels, wrong = noisy(own, 10, 0.2, "symmetric", seed)
        test = Tensors(test_x, torch.from_numpy(other))
        soft = _out_of_fold(train_x, labels, seed)
        suspicion = -soft[np.arange(600), labels]
        worst = np.argsort(-suspicion, kind="stable")[:120]
        kept = np.setdiff1d(np.arange(600), worst)
        fewer = np.sort(generator(seed, "random").permutation(600)[:480])
        said = soft.argmax(1)
        mended = np.where(np.isin(np.arange(600), worst), said, labels)
        mixed = 0.5 * np.eye(10)[labels] + 0.5 * soft
        sets = {
            "noisy": (np.arange(600), np.eye(10)[labels]), "120 random removed": (fewer, np.eye(10)[labels]),
            "half soft": (np.arange(600), mixed), "soft": (np.arange(600), soft),
            "120 suspects relabeled": (np.arange(600), np.eye(10)[mended]),
            "removed": (kept, np.eye(10)[labels]), "clean": (np.arange(600), np.eye(10)[own]),
        }  # fmt: skip
        area, right = auroc(suspicion[wrong], suspicion[~wrong])[0], (said == own)[wrong].mean()
        print(f"seed {seed}: AUROC {area:.3f}, precision among 120 {wrong[worst].mean():.3f}, soft label right on "
              f"{right:.3f} of the wrong", flush=True)  # fmt: skip
        for name, (rows, targets) in sets.items():
            module = _fitted(train_x[rows], torch.tensor(targets[rows], dtype=torch.float32), seed)
            found.setdefault(name, []).append(evaluated(module, test)[1])
    for name, values in found.items():
        print(f"{name:<24} {np.mean(values):.3f}  ({' '.join(f'{v:.3f}' for v in values)})")


def _fitted(inputs: Tensor, targets: Tensor, seed: int, dropout: float = 0.0) -> nn.Module:
    """A student, or with dropout a teacher, trained on probabilities (N, 10): the loop takes numbers for labels."""
    module = _small(dropout, seed)
    recipe = Recipe(100, 32, "adam", 3e-3, schedule="cosine", seed=seed)
    numbered = Tensors(inputs, torch.arange(len(inputs)))

    def objective(output: Any, numbers: Tensor) -> tuple[Tensor, Tensor]:
        return _soft(output, targets[numbers])

    train(module, numbered, recipe, objective=objective)
    return module


def _out_of_fold(inputs: Tensor, labels: np.ndarray, seed: int) -> np.ndarray:
    """(N, 10) probabilities of networks that have not seen the image's label, 5 folds."""
    found = np.empty((len(labels), 10))
    fold = generator(seed, "folds").permutation(len(labels)) % 5
    for k in range(5):
        module = _fitted(
            inputs[fold != k], torch.tensor(np.eye(10)[labels[fold != k]], dtype=torch.float32), seed + k, 0.5
        )
        module.eval()
        with torch.no_grad():
            found[fold == k] = module(inputs[fold == k]).double().softmax(1).numpy()
    return found


COMMANDS: dict[str, Callable[..., None]] = {"fashion": fashion_scores, "real": real_errors, "mending": mending}

if __name__ == "__main__":
    torch.set_num_threads(1)
    COMMANDS[sys.argv[1]](*(sys.argv[2:] or ([str(FOLDER)] if sys.argv[1] == "fashion" else [])))
