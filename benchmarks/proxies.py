"""Proxies on networks and functions whose answers are known.

python -m benchmarks.proxies cifar DATA     ResNet-20 and ResNet-56 on 4,000 test images: trees by depth, a linear
                                            read-out, the hierarchy of classes, similar classes; and TREPAN
python -m benchmarks.proxies digits         what queries to a network are worth, by where they are drawn
python -m benchmarks.proxies m_of_n         leaves of ordinary trees for m-of-n, and the one question of TREPAN
"""

from __future__ import annotations

import itertools
import math
import sys
import time
from pathlib import Path

import numpy as np
import torch
from tests.methods.training.networks import c4k, cifar

import pellucid as pl
from pellucid.learning.networks import MLP, seeded
from pellucid.learning.tasks import digits as digit_task
from pellucid.learning.train import Recipe, evaluated, train
from pellucid.surrogates.alike import confused_pairs, pairs
from pellucid.surrogates.distilled import softened
from pellucid.surrogates.grown import grown
from pellucid.surrogates.joined import Joined
from pellucid.surrogates.trepan import Asking, drawn
from pellucid.training_set.examples import Examples, examples_in
from pellucid.training_set.softmax import fitted

DEPTHS = (2, 3, 4, 5, 6, 8, 10, None)
_FIT = 2000


def networks(data: str) -> None:
    """All that is said of the two networks."""
    for name in ("resnet20", "resnet56"):

        def shared(path: str) -> Path:
            return Path(data).parent / path

        images = c4k(shared)
        examples = examples_in(cifar(shared, name), images)
        right = float((examples.answers == examples.labels).mean())
        print(f"{name}: right about {right:.3f} of {len(examples)} images", flush=True)
        trees(examples, np.load(shared("data/cifar10/cifar10_test_first4000.npz"))["x"])
        hierarchy(examples)
        alike(examples)


def trees(examples: Examples, pixels: np.ndarray) -> None:
    """Fidelity on 2,000 images of trees grown on 2,000 others."""
    x, answers = examples.features.astype(np.float64), examples.answers
    inside, outside = np.arange(_FIT), np.arange(_FIT, len(answers))

    def share(said: np.ndarray) -> float:
        return float((said == answers[outside]).mean())

    found = []
    for depth in DEPTHS:
        tree = grown(x[inside], answers[inside], 10, depth=depth)
        found.append(f"{depth or '∞'}: {share(tree.answers(x[outside])):.3f} ({len(tree.leaves)})")
    print(f"  trees by depth, fidelity (leaves): {', '.join(found)}", flush=True)
    weight, bias = fitted(x[inside], answers[inside], 10, 0.01)
    print(f"  linear: {share((x[outside] @ weight.T + bias).argmax(1)):.3f}")
    flat = pixels.reshape(len(pixels), -1).astype(np.float64)
    small = flat.reshape(-1, 16, 2, 16, 2, 3).mean((2, 4)).reshape(len(flat), -1)
    tree = grown(small[inside], answers[inside], 10, depth=8)
    print(f"  tree of depth 8 on pixels (16 × 16): {share(tree.answers(small[outside])):.3f}", flush=True)
    for leaves in (10, 20):
        plain = grown(x[inside], answers[inside], 10, leaves=leaves)

        def oracle(rows: np.ndarray) -> np.ndarray:
            return examples.head.scores(rows).argmax(1)

        said = [f"no queries {share(plain.answers(x[outside])):.3f}"]
        for draws in ("neighbors", "marginals"):
            start = time.monotonic()
            asking = Asking(x[inside], oracle, 2000, draws)  # type: ignore[arg-type]
            tree = grown(x[inside], answers[inside], 10, leaves=leaves, impurity="entropy", asking=asking)
            parts = np.mean([len(one.parts) for one in tree.questions if one is not None])
            said.append(
                f"TREPAN, {draws} {share(tree.answers(x[outside])):.3f} ({parts:.1f} tests a question, "
                f"{time.monotonic() - start:.0f} s)"
            )
        print(f"  {leaves} leaves: {', '.join(said)}", flush=True)


def hierarchy(examples: Examples) -> None:
    """Soft and hard decisions of the tree that the last layer's weights give."""
    joined = Joined.of(examples.weight, examples.bias)
    soft, hard = joined.soft(examples.logits), joined.hard(examples.logits)
    said = [
        f"{name}: accuracy {(one == examples.labels).mean():.3f}, fidelity {(one == examples.answers).mean():.3f}"
        for name, one in (("soft", soft.argmax(1)), ("hard", hard))
    ]
    off = float(np.abs(soft.sum(1) - 1).max())
    print(f"  hierarchy {joined.written(examples.classes)}; {'; '.join(said)}; sums off 1 by {off:.0e} at most")


def alike(examples: Examples) -> None:
    """Similar classes by softened answers to images that are answered rightly, beside what is confused."""
    soft = softened(examples.logits, 4)
    table, correlation = pairs(soft, examples.answers, examples.labels, examples.classes)
    confused = confused_pairs(examples.answers, examples.labels, 10)
    most = np.unravel_index(np.triu(confused, 1).argmax(), confused.shape)
    named = " and ".join(examples.classes[int(k)] for k in most)
    print(f"  similar classes: Spearman {correlation:.3f} with confusions; most confused {named} "
          f"({confused[most]}), most alike {table['one'][0]} and {table['other'][0]}", flush=True)  # fmt: skip


def queries(images: int = 300, many: int = 3000) -> None:
    """A network on digits, trees of 10, 20 and 40 leaves from 300 images, and from as many with 3,000 queries."""
    task = digit_task(900)
    module = seeded(lambda: MLP(64, 10, depth=1, width=32), 0)
    train(module, task.train, Recipe(epochs=20, optimizer="adam", lr=3e-3))
    print(f"network: right about {evaluated(module, task.test)[1]:.3f} of {len(task.test)} other images")

    def oracle(rows: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            found = module(torch.from_numpy(np.ascontiguousarray(rows, np.float32)))
        return np.asarray(found.argmax(1).numpy(), np.int64)

    x = task.train.inputs[:images].flatten(1).double().numpy()
    judges = task.test.inputs.flatten(1).double().numpy()
    truth = oracle(judges)
    chance = np.random.default_rng(0)
    sets = {"no queries": x, "from marginals": None, "between neighbors": None}
    for name, draws in (("from marginals", "marginals"), ("between neighbors", "neighbors")):
        sets[name] = np.concatenate([x, drawn(x, many, draws, chance)])  # type: ignore[arg-type]
    for name, rows in sets.items():
        assert rows is not None
        found = [grown(rows, oracle(rows), 10, leaves=leaves).answers(judges) for leaves in (10, 20, 40)]
        print(f"  {name}: fidelity {'/'.join(f'{(one == truth).mean():.3f}' for one in found)} at 10/20/40 leaves")
    for draws in ("marginals", "neighbors"):
        found = []
        for leaves in (10, 20, 40):
            asking = Asking(x, oracle, 1000, draws)  # type: ignore[arg-type]
            tree = grown(x, oracle(x), 10, leaves=leaves, impurity="entropy", asking=asking)
            found.append(tree.answers(judges))
        print(f"  TREPAN, 1,000 for each node, {draws}: {'/'.join(f'{(one == truth).mean():.3f}' for one in found)}")


def m_of_n() -> None:
    """C(n + 1, m) leaves, and one question."""
    for m, n in ((3, 5), (2, 4), (3, 7), (4, 7)):
        x = np.array(list(itertools.product((0.0, 1.0), repeat=n)))
        y = (x.sum(1) >= m).astype(int)
        rows = np.random.default_rng(0).integers(0, 2, (200, n)).astype(float)

        def oracle(rows: np.ndarray, m: int = m) -> np.ndarray:
            return ((rows > 0.5).sum(1) >= m).astype(int)

        asking = Asking(rows, oracle, 1000, "marginals")
        one = grown(rows, oracle(rows), 2, leaves=2, impurity="entropy", asking=asking)
        question = one.questions[0]
        told = "none" if question is None else f"{question.least} of {len(question.parts)}"
        fidelity = float((one.answers(x) == y).mean())
        print(f"{m} of {n}: a tree of {len(grown(x, y, 2).leaves)} leaves, C({n + 1}, {m}) = {math.comb(n + 1, m)}; "
              f"TREPAN asks {told}, fidelity {fidelity:.3f}", flush=True)  # fmt: skip


if __name__ == "__main__":
    what, *rest = sys.argv[1:] or ["help"]
    if what == "cifar":
        networks(rest[0])
    elif what == "digits":
        queries()
    elif what == "m_of_n":
        m_of_n()
    else:
        print(__doc__, pl.__version__)
