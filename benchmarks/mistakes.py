"""Mistakes whose cause was planted, on digits and on CIFAR-10: what `mistake` says of them.

Each figure is of the last layer, fitted anew where labels or images were changed; the layers before stay as they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from skimage.feature import hog
from tests.methods.training.networks import cifar
from tests.training_set.test_influence import PENALTY, asked, examples

from pellucid.learning.networks import CNN, seeded
from pellucid.learning.tasks import digits
from pellucid.learning.train import Recipe, train
from pellucid.net import Net
from pellucid.rng import generator
from pellucid.training_set.causes import CAUSES, NONE, Why, explained
from pellucid.training_set.mistaken import Known

FAR, OWN, NEIGHBORS, SIMILAR, UNLIKE = CAUSES
NOTHING = "nothing planted"
_EACH = 30
_STEPS = (5, 10, 15, 20, 30, 40, 60, 80)
"""Nearest images that are relabeled until the answer turns."""


@dataclass(frozen=True, eq=False)
class Task:
    """Pixels and classes of a task, and how its images become features and rows of a second space."""

    pixels: NDArray[np.uint8]
    labels: Int[np.ndarray, " n"]
    tests: NDArray[np.uint8]
    test_labels: Int[np.ndarray, " m"]
    features: Callable[[NDArray[np.uint8]], Float[np.ndarray, "n f"]]
    second: Callable[[NDArray[np.uint8]], Float[np.ndarray, "n g"]]
    strangers: dict[str, NDArray[np.uint8]]
    """Images of other data, by what they are."""


def digit_task(seed: int) -> Task:
    """Digits: 900 to learn from, a small CNN, pixels as the second space."""
    task = digits(900, seed)
    module = seeded(lambda: CNN(1, 10), seed)
    train(module, task.train, Recipe(epochs=10, optimizer="adam", lr=3e-3, seed=seed))
    module.eval()
    head = [name for name, part in module.named_modules() if isinstance(part, torch.nn.Linear)][-1]
    read: list[torch.Tensor] = []
    module.get_submodule(head).register_forward_pre_hook(lambda _, inputs: read.append(inputs[0]))

    def features(pixels: NDArray[np.uint8]) -> Float[np.ndarray, "n f"]:
        read.clear()
        with torch.no_grad():
            module(torch.from_numpy(pixels.astype(np.float32) / 16)[:, None])
        return read[0].numpy()

    def whole(some: torch.Tensor) -> NDArray[np.uint8]:
        return np.asarray(np.rint(some[:, 0].numpy() * 16), np.uint8)

    tests = whole(task.test.inputs)
    strangers = {
        "noise": generator(seed, "noise").integers(0, 17, (_EACH, 8, 8)).astype(np.uint8),
        "negatives": 16 - tests[:_EACH],
        "turned": tests[:_EACH].transpose(0, 2, 1)[:, ::-1].copy(),
    }
    return Task(whole(task.train.inputs), task.train.labels.numpy(), tests, task.test.labels.numpy(), features,
                lambda pixels: pixels.reshape(len(pixels), -1).astype(np.float32), strangers)  # fmt: skip


def cifar_task(seed: int, data: str) -> Task:
    """CIFAR-10: 1,000 of the images that R20 has learned, 1,500 others, HOG as the second space."""

    def shared(path: str) -> Path:
        return Path(data).parent / path

    net = cifar(shared, "resnet20")
    chance = generator(seed, "cifar")
    with np.load(shared("data/cifar10/cifar10_train_first5000.npz")) as file:
        some = np.sort(chance.permutation(5000)[:1000])
        pixels, labels = file["x"][some], file["y"][some].astype(np.int64)
    with np.load(shared("data/cifar10/cifar10_test_first4000.npz")) as file:
        some = np.sort(chance.permutation(4000)[:1500])
        tests, test_labels = file["x"][some], file["y"][some].astype(np.int64)
    enlarged = digit_task_pixels(seed).repeat(4, 1).repeat(4, 2)[..., None].repeat(3, 3)
    strangers = {
        "noise": generator(seed, "noise").integers(0, 256, (_EACH, 32, 32, 3)).astype(np.uint8),
        "negatives": 255 - tests[:_EACH],
        "digits": enlarged,
    }
    return Task(pixels, labels, tests, test_labels, lambda one: _layer(net, one), _gradients, strangers)


def digit_task_pixels(seed: int) -> NDArray[np.uint8]:
    """Some digits, 0..255."""
    found = digits(900, seed).test.inputs[:_EACH, 0].numpy()
    return np.asarray(255 * found, np.uint8)


def _layer(net: Net, pixels: NDArray[np.uint8]) -> Float[np.ndarray, "n f"]:
    shown = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
    parts = [
        net.run(shown[i : i + 250], layers=["layer3"])["layer3"].detach().mean((2, 3))
        for i in range(0, len(shown), 250)
    ]
    return torch.cat(parts).numpy()


def _gradients(pixels: NDArray[np.uint8]) -> Float[np.ndarray, "n g"]:
    return np.stack([hog(one, 9, (8, 8), (2, 2), channel_axis=-1) for one in pixels]).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Ground:
    """A task with its rows."""

    task: Task
    x: Float[np.ndarray, "n f"]
    second: Float[np.ndarray, "n g"]
    tests: Float[np.ndarray, "m f"]
    test_second: Float[np.ndarray, "m g"]

    @classmethod
    def of(cls, task: Task) -> Ground:
        return cls(task, task.features(task.pixels), task.second(task.pixels), task.features(task.tests),
                   task.second(task.tests))  # fmt: skip

    def known(self, labels: Int[np.ndarray, " n"] | None = None) -> Known:
        """With other labels."""
        some = examples(self.x, self.task.labels if labels is None else labels)
        return Known.of(some, "second space", self.second, 0)


def why(known: Known, x: np.ndarray, second: np.ndarray, given: np.ndarray, own: np.ndarray | None = None) -> list[Why]:
    """What is said of each image that is answered with another class than `given`."""
    about = asked(known.examples, np.asarray(x, np.float32))
    rows = np.full(len(given), -1) if own is None else own
    found = known.judged(about, second, rows, given, PENALTY)
    return [explained(known, found, i) for i in np.flatnonzero(~found.right)]


def planted(task: Task, seed: int, turned: int = 10) -> Iterator[tuple[str, str, list[Why]]]:
    """(the cause, how it was planted, what is said of each case); three images at a time are `turned` by their
    neighbors' labels, which takes most of the time."""
    chance, ground = generator(seed, "planted"), Ground.of(task)
    clean, y = ground.known(), task.test_labels
    logits = clean.examples.head.scores(ground.tests)
    right = np.flatnonzero(logits.argmax(1) == y)
    wrong = np.flatnonzero(logits.argmax(1) != y)
    yield NOTHING, "as it is", why(clean, ground.tests[wrong], ground.test_second[wrong], y[wrong])
    some = chance.permutation(right)[:_EACH]
    other = (y[some] + chance.integers(1, 10, len(some))) % 10
    yield OWN, "any other class", why(clean, ground.tests[some], ground.test_second[some], other)
    some = chance.permutation(right)[:_EACH]
    yield OWN, "second guess", why(clean, ground.tests[some], ground.test_second[some], _second(logits[some], y[some]))
    for name, pixels in task.strangers.items():
        x, second = task.features(pixels), task.second(pixels)
        answers = clean.examples.head.scores(x).argmax(1)
        given = (answers + chance.integers(1, 10, len(x))) % 10
        yield FAR, name, why(clean, x, second, given)
    flipped = task.labels.copy()
    rows = chance.permutation(len(flipped))[:_EACH]
    flipped[rows] = (flipped[rows] + chance.integers(1, 10, len(rows))) % 10
    yield OWN, "in the index", why(ground.known(flipped), ground.x[rows], ground.second[rows], flipped[rows], rows)
    for _ in range(turned):
        yield from _neighbors(ground, chance.permutation(right)[:3], logits)
    for _ in range(2):
        yield from _mixed(task, chance)


def _second(logits: np.ndarray, labels: np.ndarray) -> Int[np.ndarray, " m"]:
    rest = logits.copy()
    rest[np.arange(len(labels)), labels] = -np.inf
    return rest.argmax(1)


def _neighbors(ground: Ground, some: np.ndarray, logits: np.ndarray) -> Iterator[tuple[str, str, list[Why]]]:
    """The nearest images of each get the label of its second guess, as many as it takes to turn the answer."""
    y, labels = ground.task.test_labels[some], ground.task.labels.copy()
    turned, there = _second(logits[some], y), np.zeros(len(some), bool)
    apart = ((ground.tests[some][:, None] - ground.x[None]) ** 2).sum(2)
    for many in _STEPS:
        for i in np.flatnonzero(~there):
            own = np.flatnonzero(ground.task.labels == y[i])
            labels[own[np.argsort(apart[i, own], kind="stable")[:many]]] = turned[i]
        known = ground.known(labels)
        there = known.examples.head.scores(ground.tests[some]).argmax(1) != y
        if there.all():
            break
    yield NEIGHBORS, "relabeled", why(known, ground.tests[some], ground.test_second[some], y)


def _mixed(task: Task, chance: np.random.Generator) -> Iterator[tuple[str, str, list[Why]]]:
    """Each image of two classes is half an image of the other one."""
    pair = chance.permutation(10)[:2]
    made = []
    for pixels, labels in ((task.pixels, task.labels), (task.tests, task.test_labels)):
        found = pixels.copy()
        for one, other in (pair, pair[::-1]):
            mine = np.flatnonzero(labels == one)
            half = chance.choice(np.flatnonzero(labels == other), len(mine))
            found[mine] = (pixels[mine].astype(int) + pixels[half]) // 2
        made.append(found)
    ground = Ground.of(Task(made[0], task.labels, made[1], task.test_labels, task.features, task.second, {}))
    answers = (known := ground.known()).examples.head.scores(ground.tests).argmax(1)
    y = task.test_labels
    rows = np.flatnonzero((answers != y) & np.isin(y, pair) & np.isin(answers, pair))
    yield SIMILAR, "mixed images", why(known, ground.tests[rows], ground.test_second[rows], y[rows])


def mistakes(data: str | None = None, seeds: Sequence[int] = range(3), turned: int = 10) -> None:
    """The table of planted causes against verdicts, for each seed: limits were chosen on seed 0."""
    for seed in seeds:
        tasks = {"digits": digit_task(seed)} | ({} if data is None else {"CIFAR-10": cifar_task(seed, data)})
        for name, task in tasks.items():
            table: dict[tuple[str, str], Counter[str]] = {}
            figures: dict[tuple[str, str], list[tuple[float, ...]]] = {}
            for cause, how, found in planted(task, seed, turned):
                table.setdefault((cause, how), Counter()).update(one.verdict for one in found)
                figures.setdefault((cause, how), []).extend(one.values for one in found)
            print(f"\n{name}, seed {seed}\n| planted | how | {' | '.join((*CAUSES, NONE))} | right | median figures |")
            print(f"|{'---|' * 10}")
            for (cause, how), counts in table.items():
                hits = counts[cause] + (counts[UNLIKE] if cause == FAR else 0)
                share = f"{hits / max(counts.total(), 1):.2f}" if cause != NOTHING else ""
                middle = np.median(np.array(figures[cause, how]).reshape(-1, len(CAUSES)), 0)
                print(f"| {cause} | {how} | {' | '.join(str(counts[one]) for one in (*CAUSES, NONE))} | {share} | "
                      f"{' '.join(f'{one:.2f}' for one in middle)} |", flush=True)  # fmt: skip
