"""Linear datamodeling scores (Park et al. 2023, section 2.1): do scores of influence foretell what networks say that
were trained on halves of the training images? `python -m benchmarks.examples lds [FOLDER]`."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from benchmarks.mislabels import Small
from safetensors.torch import save_file
from sklearn.datasets import load_digits
from tests.fashion import fashion
from torch import nn

import pellucid as pl
from pellucid.history import History
from pellucid.images import Images
from pellucid.index import Index
from pellucid.learning.initial import initialized
from pellucid.learning.objective import Tensors
from pellucid.learning.train import Recipe, Step, train
from pellucid.rng import generator
from pellucid.statistics import error_of_mean, rank_correlation
from pellucid.training_set.cases import Asked
from pellucid.training_set.ek_fac import by_ek_fac
from pellucid.training_set.examples import Examples, examples_of
from pellucid.training_set.influence import by_last_layer, over_checkpoints
from pellucid.training_set.projected import by_trak

IMAGES, TESTS, HALVES, REPEATED, NETWORKS, SAVED = 1000, 50, 50, 20, 5, 3
EPOCHS = 30


def data(folder: Path | None) -> tuple[Tensors, Tensors]:
    """(training images, test images) in the 8 bits and three channels of an image: Fashion-MNIST at 14 × 14, or without
    its folder scikit-learn's digits at 8 × 8."""
    if folder is not None:
        parts = fashion("train", IMAGES, folder), fashion("t10k", TESTS, folder)
    else:
        digits = load_digits()
        order = torch.from_numpy(generator(0, "digits").permutation(len(digits.target)))
        inputs, labels = (
            torch.from_numpy(digits.images / 16).float()[order, None],
            torch.from_numpy(digits.target)[order],
        )
        parts = (
            Tensors(inputs[:IMAGES], labels[:IMAGES]),
            Tensors(inputs[IMAGES : IMAGES + TESTS], labels[IMAGES : IMAGES + TESTS]),
        )
    first, second = (
        Tensors((one.inputs * 255).round().div(255).expand(-1, 3, -1, -1).contiguous(), one.labels) for one in parts
    )
    return first, second


def trained(some: Tensors, seed: int, observe: Callable[[Step], None] | None = None) -> nn.Module:
    """A network from its own initial weights, with its own order of images."""
    module = initialized(Small(3), "he", seed)
    train(module, some, Recipe(EPOCHS, 64, "adam", 5e-3, schedule="cosine", seed=seed), observe=observe)
    return module.eval()


def said(module: nn.Module, tests: Tensors) -> np.ndarray:
    """(M,) log p / (1 − p) of the class of each test image."""
    with torch.no_grad():
        z = module(tests.inputs).double()
    own = z.gather(1, tests.labels[:, None])[:, 0]
    others = z.scatter(1, tests.labels[:, None], -torch.inf).logsumexp(1)
    return np.asarray((own - others).numpy())


def score(found: np.ndarray, halves: np.ndarray, truth: np.ndarray) -> str:
    """Spearman's correlation over the halves of Σ_{i ∈ S} of the scores (M, N) and what was said (halves, M): its mean
    over the test images, with a standard error."""
    foretold = halves.astype(float) @ found.T
    each = np.array([rank_correlation(foretold[:, m], truth[:, m]) for m in range(truth.shape[1])])
    return f"{each.mean():.3f} ± {float(error_of_mean(each)):.3f}"


def folder_of(place: Path, states: dict[int, nn.Module], rates: dict[int, float]) -> History:
    """Weights by step as a training run leaves them."""
    place.mkdir()
    for step, module in states.items():
        save_file({k: v.contiguous() for k, v in module.state_dict().items()}, place / f"step_{step}.safetensors")
    lines = [json.dumps({"step": step, "lr": rate}) + "\n" for step, rate in rates.items()]
    (place / "log.jsonl").write_text("".join(lines))
    return History.of(place)


def prepared(whole: Tensors, place: Path) -> tuple[Index, History]:
    """(an index of the images by a network that learned them, its checkpoints)."""
    states, rates, every = dict[int, nn.Module](), dict[int, float](), -(-len(whole) // 64) * EPOCHS // SAVED

    def observe(step: Step) -> None:
        if step.step % every == 0:
            states[step.step], rates[step.step] = initialized(Small(3), "he", 0), step.lr
            states[step.step].load_state_dict(step.module.state_dict())

    module = trained(whole, 0, observe)
    net = pl.load(
        module, size=whole.inputs.shape[-1], mean=(0.0,) * 3, std=(1.0,) * 3, labels=list(map(str, range(10)))
    )
    pixels = (whole.inputs * 255).round().byte().permute(0, 2, 3, 1).numpy()
    np.savez(place / "train.npz", images=pixels, labels=whole.labels.numpy())
    pl.units.index(net, place / "train.npz", store=place / "x.index", count=4)
    index = Index.of(str(place / "x.index")).with_net(net)
    return index, folder_of(place / "run", states, rates)


def alike(examples: Examples, asked: Asked, labels: np.ndarray) -> np.ndarray:
    """(M, N) a control without influence: cosines of what the last layer reads, of the same class alone."""
    one, other = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (asked.features, examples.features))
    return (one @ other.T) * (labels[:, None] == examples.labels)


def run(folder: str | None) -> None:
    """All variants, the same halves and test images."""
    whole, tests = data(None if folder is None else Path(folder))
    with tempfile.TemporaryDirectory() as place:
        index, history = prepared(whole, Path(place))
        several = {k + 1: trained(whole, 100 + k) for k in range(NETWORKS)}
        many = folder_of(Path(place) / "many", several, dict.fromkeys(several, 1.0))
        halves, truth = retrained(whole, tests)
        examples, labels = examples_of(index).labeled(), tests.labels.numpy()
        asked = Asked.of(examples, Images.from_pictures(list(tests.inputs), [str(i) for i in range(TESTS)]))
        ways: dict[str, Callable[[], np.ndarray]] = {
            "alike and of the class (a control)": lambda: alike(examples, asked, labels),
            "last layer": lambda: by_last_layer(examples, asked, labels, 0.01).scores,
            f"TracIn, last layer, {SAVED} checkpoints": lambda: (
                over_checkpoints(index, examples, asked, labels, history)[0].scores
            ),
            "TRAK": lambda: by_trak(index, examples, asked, labels, 0.01, None)[0].scores,
            f"TRAK, {NETWORKS} networks": lambda: by_trak(index, examples, asked, labels, 0.01, many)[0].scores,
            f"TRAK, {SAVED} checkpoints": lambda: by_trak(index, examples, asked, labels, 0.01, history)[0].scores,
            "EK-FAC": lambda: by_ek_fac(index, examples, asked, labels, 0.01)[0].scores,
        }
        print("| scores | LDS | s of processors |\n|---|---|---|")
        for name, way in ways.items():
            start = time.process_time()
            found = way()
            print(f"| {name} | {score(found, halves, truth)} | {time.process_time() - start:.0f} |", flush=True)


def retrained(whole: Tensors, tests: Tensors) -> tuple[np.ndarray, np.ndarray]:
    """((halves, N) which images are in each, (halves, M) what networks say that were trained on them)."""
    halves = np.zeros((HALVES, IMAGES), bool)
    for k, half in enumerate(halves):
        half[generator(0, "half", k).permutation(IMAGES)[: IMAGES // 2]] = True
    start = time.process_time()
    truth, again = np.zeros((HALVES, TESTS)), np.zeros((REPEATED, TESTS))
    for k, half in enumerate(halves):
        which = torch.from_numpy(np.flatnonzero(half))
        some = Tensors(whole.inputs[which], whole.labels[which])
        truth[k] = said(trained(some, 1000 + k), tests)
        if k < REPEATED:
            again[k] = said(trained(some, 2000 + k), tests)
    right, took = (truth > 0).mean(), time.process_time() - start
    print(f"{HALVES + REPEATED} trainings on {IMAGES // 2} of {IMAGES} images: {took:.0f} s of processors; p above 1/2 "
          f"for {right:.1%} of {TESTS} test images", flush=True)  # fmt: skip
    both = np.array([rank_correlation(truth[:REPEATED, m], again[:, m]) for m in range(TESTS)])
    off = float(error_of_mean(both))
    print(f"a second training on each of {REPEATED} halves: {both.mean():.3f} ± {off:.3f}", flush=True)
    return halves, truth
