"""Training images as explanations, on data whose answers are known.

python -m benchmarks.examples neighbors DATA           R20, 5,000 training images, 4,000 test images: what neighbors say
python -m benchmarks.examples influence                digits: scores against training again without each of 400 images
python -m benchmarks.examples mistakes [DATA [SEED]]   planted causes of mistakes against verdicts: digits, CIFAR-10;
                                                       with a seed of that alone, without neighbors relabeled
python -m benchmarks.examples counterfactuals DATA FOLDER [COUNT]
    photos and the bundled network, then CIFAR-10 and ResNet-20, towards the second guess: how much is changed, whether
    SqueezeNet agrees, and how far the pictures are from real images. Killed and started again, it goes on in FOLDER.
python -m benchmarks.examples prototypes [IMAGES]      digits: MMD-critic and ProtoDash against a random choice; with a
                                                       number, time and memory of as many images of 1,280 features
PELLUCID_DATA=DATA python -m benchmarks.examples exchange   R20, 57 pairs of test images: exchanges of cells of layer3
python -m benchmarks.examples scale [IMAGES] [CLASSES] influence on one image, with a last layer of 1,280 features
python -m benchmarks.examples search [IMAGES]          the nearest of so many rows of 1,280 numbers
python -m benchmarks.examples loop PHOTOS [CALLS]      every method of the chapter on a ResNet-50, again and again
python -m benchmarks.examples lds [FOLDER]             influence against trainings on halves: digits, Fashion-MNIST
python -m benchmarks.examples duplicates PHOTOS [SPEC] copies planted among distinct photos: found, and falsely found
python -m benchmarks.examples context DATA             things of coco128 covered, and all else: the embedded network
python -m benchmarks.examples audit [IMAGES] [CLASSES] an audit of drawn features of 1,280 and drawn thumbnails
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from unittest import mock

import numpy as np
from benchmarks.audits import audit, context, duplicates
from benchmarks.counterfactuals import counterfactuals, exchange
from benchmarks.mistakes import mistakes
from scipy.stats import spearmanr
from sklearn.datasets import load_digits
from tests.methods.training.networks import cifar
from tests.training_set.test_influence import PENALTY, asked, digits, examples, left_out, losses

import pellucid as pl
from pellucid.data import Data
from pellucid.index.embedding import Embedding
from pellucid.index.search import mean_of, nearest
from pellucid.statistics import auroc
from pellucid.training_set.cases import Asked
from pellucid.training_set.curvature import Curvature, softmax
from pellucid.training_set.descriptors import DESCRIPTORS, TITLES, described
from pellucid.training_set.examples import Examples
from pellucid.training_set.influence import Influence, by_last_layer
from pellucid.training_set.prototypes import Kernel, criticisms, mmd2, mmd_critic, nearest_of, proto_dash
from pellucid.training_set.removal import removed

NEAR = 20
LAYERS = ("conv1", "layer1", "layer2", "layer3")


def neighbors(data: str) -> None:
    """The table of what 20 neighbors say of each of 4,000 test images, in layers and in handcrafted features."""

    def shared(path: str) -> Path:
        return Path(data).parent / path

    net = cifar(shared, "resnet20")
    with np.load(shared("data/cifar10/cifar10_train_first5000.npz")) as file:
        train, known = file["x"], file["y"].astype(np.int64)
    with np.load(shared("data/cifar10/cifar10_test_first4000.npz")) as file:
        test, given = file["x"], file["y"].astype(np.int64)
    reviewed = json.loads(shared("data/cifar10/cifar10_mturk_label_errors.json").read_text())
    judged = np.array([one["id"] for one in reviewed if one["id"] < len(given)])
    wrong = np.array([one["mturk"]["given"] < 3 for one in reviewed if one["id"] < len(given)])
    errors = np.zeros(len(given), bool)
    errors[judged[wrong]] = True
    rows, answers = [], np.empty(0)
    for pixels, labels in ((train, known), (test, given)):
        parts: dict[str, list[np.ndarray]] = {one: [] for one in (*LAYERS, *DESCRIPTORS)}
        said = []
        for batch in net.over(Data.of((pixels, labels)), layers=LAYERS):
            for one in LAYERS:
                parts[one].append(batch.run[one].detach().mean((2, 3)).numpy())
            for kind in DESCRIPTORS:
                parts[kind].append(described(net, batch.images, kind))
            said.append(batch.run.output.detach().argmax(1).numpy())
        rows.append({one: np.concatenate(found).astype(np.float32) for one, found in parts.items()})
        answers = np.concatenate(said)
    right = answers == given
    print(f"R20 is right about {right.mean():.3f} of {len(given)} images; {errors.sum()} have a wrong label")
    print("| space | kNN accuracy | share with the label: net right / wrong | with the answer, wrong | AUROC, errors |")
    print("|---|---|---|---|---|")
    for one in (*LAYERS, *DESCRIPTORS):
        memory = rows[0][one]
        near = known[nearest(rows[1][one], memory, NEAR, "cosine", center=mean_of(memory))[1]]
        votes = np.stack([np.bincount(row, minlength=10) for row in near])
        label, answer = (near == given[:, None]).mean(1), (near == answers[:, None]).mean(1)
        area = auroc(-label[errors], -label[~errors])[0]
        print(f"| {TITLES.get(one, one)} | {(votes.argmax(1) == given).mean():.3f} | {label[right].mean():.3f} / "
              f"{label[~right].mean():.3f} | {answer[~right].mean():.3f} | {area:.3f} |",
              flush=True)  # fmt: skip


def influence() -> None:
    """Digits, 400 images, softmax regression, λ = 0.01: Pearson, Spearman, slope, the five largest."""
    x, y, tx, ty = digits(400)
    some = examples(x, y)
    start = time.monotonic()
    found = by_last_layer(some, asked(some, tx), ty, PENALTY).scores
    mine = time.monotonic() - start
    truth = _truth()
    refits = time.monotonic() - start - mine
    each = [np.corrcoef(a, b)[0, 1] for a, b in zip(found, truth, strict=True)]
    ranks = [spearmanr(a, b).statistic for a, b in zip(found, truth, strict=True)]
    slopes = [np.polyfit(a, b, 1)[0] for a, b in zip(found, truth, strict=True)]
    whole = np.corrcoef(found.ravel(), truth.ravel())[0, 1]
    five = sum(
        set(np.argsort(-np.abs(a))[:5]) == set(np.argsort(-np.abs(b))[:5]) for a, b in zip(found, truth, strict=True)
    )
    signs = np.mean([(np.sign(a) == np.sign(b)).mean() for a, b in zip(found, truth, strict=True)])
    print(f"last layer, 20 images: Pearson {min(each):.4f} to {max(each):.4f}, together "
          f"{whole:.4f}; Spearman {min(ranks):.4f} to {max(ranks):.4f}; slope "
          f"{min(slopes):.2f} to {max(slopes):.2f}; same sign {signs:.4f}; the same top 5 in {five} of 20")  # fmt: skip
    print(f"{mine:.2f} s; 400 trainings {refits:.1f} s")


def _truth() -> np.ndarray:
    """(20, 400) what the loss of each test image gains when an image is left out."""
    x, y, tx, ty = digits(400)
    some = examples(x, y)
    before = losses(some.weight, some.bias, tx, ty)
    return np.stack([losses(*left_out(x, y, i), tx, ty) - before for i in range(len(y))], 1)


def scale(images: int = 50_000, classes: int = 1000) -> None:
    """Features, labels and weights that are drawn: influence on one image, its residual, its time and its memory."""
    chance = np.random.default_rng(0)
    centers = chance.gamma(0.5, 1.0, (classes, 1280)).astype(np.float32)
    labels = chance.integers(0, classes, images)
    features = np.empty((images, 1280), np.float32)
    for i in range(0, images, 4096):
        rows = labels[i : i + 4096]
        features[i : i + 4096] = np.maximum(centers[rows] + chance.normal(0, 0.7, (len(rows), 1280)), 0)
    weight = (centers - centers.mean(0)).astype(np.float64) / 60
    logits = np.concatenate([features[i : i + 4096].astype(float) @ weight.T for i in range(0, images, 4096)])
    names = tuple(map(str, range(max(images, classes))))
    some = Examples(features, logits, labels, np.arange(images), names[:images], names[:classes], weight,
                    np.zeros(classes), False)  # fmt: skip
    sure = np.mean([softmax(logits[i : i + 4096]).max(1).mean() for i in range(0, images, 4096)])
    print(f"{images} × 1280, {classes} classes, mean largest probability {sure:.2f}, {_memory()} before", flush=True)
    here = asked(some, features[:1] + chance.normal(0, 0.1, (1, 1280)).astype(np.float32))
    clock = Clock()
    found = by_last_layer(some, here, here.answers, 0.01)
    print(f"scores of all images: residual {found.residual:.1e} after {found.steps} steps, {clock}", flush=True)
    order = np.argsort(-found.scores[0])
    taken = removed(some, [order[:9], order[-9:]], 0.01)
    said = f"residual {taken.residual:.1e} after {taken.steps} steps, {clock}"
    print(f"the layer without the first nine, and without the last: {said}")
    print(f"{_memory()} at most", flush=True)
    finer = _finer(some, here)
    off = np.abs(found.scores[0] - finer.scores[0]).max() / np.abs(finer.scores).max()
    same = len(set(order[:9]) & set(np.argsort(-finer.scores[0])[:9]))
    print(f"against a residual of {finer.residual:.1e}: scores off by {off:.1e} of the largest, {same} of the first 9 "
          f"the same, {clock}")  # fmt: skip


def _finer(some: Examples, here: Asked) -> Influence:
    """The same, far more exactly."""
    with mock.patch.object(Curvature, "tolerance", 1e-7):
        return by_last_layer(some, here, here.answers, 0.01)


class Clock:
    """Seconds since it was read last, by the wall and of the processors."""

    def __init__(self) -> None:
        self.wall, self.cpu = time.monotonic(), time.process_time()

    def __str__(self) -> str:
        wall, cpu = time.monotonic() - self.wall, time.process_time() - self.cpu
        self.wall, self.cpu = time.monotonic(), time.process_time()
        return f"{wall:.1f} s ({cpu:.1f} s of processors)"


def _memory() -> str:
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GB"


def search(images: int = 50_000) -> None:
    """Rows that are drawn, about a mean as large as of a rectified layer: the first query, and those after it."""
    chance = np.random.default_rng(0)
    rows = np.empty((images, 1280), np.float32)
    for i in range(0, images, 4096):
        rows[i : i + 4096] = np.maximum(chance.normal(0.5, 0.7, (len(rows[i : i + 4096]), 1280)), 0)
    memory = Embedding("drawn", np.arange(images), rows)
    queries = rows[chance.integers(0, images, 51)] + chance.normal(0, 0.3, (51, 1280)).astype(np.float32)
    clock = Clock()
    first = nearest(queries[:1], rows, 9, "cosine", memory.spread, memory.center)
    print(f"{images} × 1280: the first query, with mean and distances from it, {clock}", flush=True)
    took, found = [], [first]
    for one in queries[1:]:
        start = time.perf_counter()
        found.append(nearest(one[None], rows, 9, "cosine", memory.spread, memory.center))
        took.append(time.perf_counter() - start)
    each, cpu = np.array(took) * 1e3, (time.process_time() - clock.cpu) / len(took) * 1e3
    print(f"50 more: median {np.median(each):.0f} ms, 10 to 90 %: {np.percentile(each, 10):.0f} to "
          f"{np.percentile(each, 90):.0f} ms; {cpu:.0f} ms of processors each", flush=True)  # fmt: skip
    near = rows.astype(np.float64) - memory.center
    lengths = np.linalg.norm(near, axis=1)
    for one, (_, numbers) in zip(queries[:5], found, strict=False):
        cosines = near @ (one - memory.center) / lengths
        assert numbers[0].tolist() == np.argsort(-cosines, kind="stable")[:9].tolist()
    print("the same nine as in float64, five times")


def loop(photos: str, calls: int = 20) -> None:
    """ResNet-50 at 224 pixels over photos: time and memory of each method of the chapter, called again and again."""
    from benchmarks.examples_loop import run

    run(photos, calls)


def lds(folder: str | None = None) -> None:
    """Linear datamodeling scores of every variant of influence."""
    from benchmarks.datamodels import run

    run(folder)


def prototypes(images: int = 0) -> None:
    """Digits: 1,000 images drawn at random, 797 to classify by the nearest prototype, in pixels."""
    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))
    (train, known), (test, given) = ((x[rows] / 16, y[rows]) for rows in (order[:1000], order[1000:]))
    kernel = Kernel.of(train)
    means, chance = kernel.means(), np.random.default_rng(0)

    def accuracy(rows: np.ndarray) -> float:
        return float((known[rows][nearest_of(test, train[rows])[0]] == given).mean())

    print("| prototypes | MMD-critic: MMD², 1-NN accuracy, digits | ProtoDash | at random, mean of 50 draws |")
    print("|---|---|---|---|")
    made = {count: (mmd_critic(kernel, means, count), proto_dash(kernel, means, count)) for count in (10, 20, 50, 100)}
    for count, both in made.items():
        told = [f"{one.mmd2[-1]:.4f}, {accuracy(one.rows):.3f}, {len({*known[one.rows]})}" for one in both]
        drawn = [chance.choice(1000, count, replace=False) for _ in range(50)]
        apart = [mmd2(means, rows, kernel.of_rows(rows), np.full(count, 1 / count)) for rows in drawn]
        told.append(f"{np.mean(apart):.4f}, {np.mean([accuracy(rows) for rows in drawn]):.3f}")
        print(f"| {count} | {' | '.join(told)} |", flush=True)
    print(f"all 1,000: {accuracy(np.arange(1000)):.3f}")
    if images:
        _room(images)


def _room(images: int) -> None:
    """Features that are drawn: the time of 10 prototypes and 5 criticisms, and the memory beyond the features."""
    chance = np.random.default_rng(0)
    centers, rows = chance.gamma(0.5, 1.0, (100, 1280)).astype(np.float32), np.empty((images, 1280), np.float32)
    for i in range(0, images, 4096):
        part = rows[i : i + 4096]
        part[:] = np.maximum(centers[chance.integers(0, 100, len(part))] + chance.normal(0, 0.7, part.shape), 0)
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    kernel = Kernel.of(rows)
    means = kernel.means()
    took = time.monotonic() - start
    criticisms(kernel, means, mmd_critic(kernel, means, 10), 5)
    most = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**20
    print(f"{images} × 1280: similarities of all {took:.0f} s, prototypes and criticisms "
          f"{time.monotonic() - start - took:.1f} s more; {most:.2f} GB beyond the features")  # fmt: skip


if __name__ == "__main__":
    what, *rest = sys.argv[1:] or ["help"]
    if what == "neighbors":
        neighbors(rest[0])
    elif what == "influence":
        influence()
    elif what == "mistakes":
        mistakes(rest[0] if rest else None, *([[int(rest[1])], 0] if len(rest) > 1 else []))
    elif what == "prototypes":
        prototypes(*map(int, rest))
    elif what == "exchange":
        exchange(*map(int, rest))
    elif what == "counterfactuals":
        counterfactuals(rest[0], rest[1], *map(int, rest[2:]))
    elif what in ("scale", "search"):
        globals()[what](*map(int, rest))
    elif what == "loop":
        loop(rest[0], *map(int, rest[1:]))
    elif what == "lds":
        lds(*rest)
    elif what == "context":
        context(rest[0])
    elif what == "duplicates":
        duplicates(*rest)
    elif what == "audit":
        audit(*map(int, rest))
    else:
        print(__doc__, pl.__version__)
