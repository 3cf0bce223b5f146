"""Real label errors: combinations of scores chosen on labels made wrong, and then shown the known errors once.

python -m benchmarks.label_errors views DATA FOLDER   what networks say of the 4,000 images, kept in FOLDER (minutes)
python -m benchmarks.label_errors blind DATA FOLDER   every combination on labels that are made wrong as annotators err
python -m benchmarks.label_errors real DATA FOLDER    the chosen ones, and all others beside, on the 25 known errors

The protocol, which was written before any combination was computed:

1. Images are C4k, the first 4,000 test images of CIFAR-10. `blind` leaves out the 131 that people have reviewed,
   whatever they found: only which images those are is read, and not what they are. `real` reads it, at the end.
   Images of the other 144 reviewed ones (4,000 to 9,999) are not at hand.
2. 25 labels are made wrong, 0.6 %, ten times for each kind, as an annotator errs who reads images as a network does:
   image i is drawn with a chance that goes as 1 − p_i(label), its new label as p_i(others). The annotators are
   SqueezeNet (softmax regression on its features, 5-fold; no combination uses it), ResNet-20 (for combinations
   without it) and ResNet-56 (for those without that). A fourth kind, "second", draws images evenly and gives them the
   class that SqueezeNet finds most likely besides the label.
3. A combination is a set of views × how they are joined × what is read off. What counts is the mean average precision
   over the kinds; within 0.01 of the best the recall of the first 200, and then the fewer views.
4. Fits out of fold are made once, on the labels as they are: 25 labels of 4,000 move them little, and an image's own
   label has no part in its own. Votes of neighbors and the course of a last layer are made anew for each set of labels.
5. `real` computes the chosen ones once; nothing is chosen after it.

Chosen by `blind` (CHOSEN), before `real` was run: with other networks "net several cool + twin several cool + lite0
folds: product, log margin" (0.845); with one network of these classes and one of others the same without the twin,
read off as the loss (0.588 over all kinds); with the network alone the log margin over several views (0.524).
"""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from benchmarks.mislabels import precision_error
from skimage.feature import hog
from tests.methods.training.networks import cifar
from tests.squeezenet import squeezenet

import pellucid as pl
from pellucid.data import Data
from pellucid.net import Net
from pellucid.rng import generator
from pellucid.statistics import auroc
from pellucid.training_set.dynamics import aum, log_softmax, margins
from pellucid.training_set.folds import out_of_fold
from pellucid.training_set.joint import cooled
from pellucid.training_set.neighborhood import nearest
from pellucid.training_set.recorded import head_course
from pellucid.training_set.suspicion import FOLDS, NEIGHBORS, PENALTY, combined
from pellucid.training_set.tried import average_precision

CLASSES, WRONG, SEEDS, ALIKE = 10, 25, 10, 0.01
SHIFTS = ((0, 0), (2, -2))
"""Pixels by which images are moved, each also mirrored, where a network is asked about several views of an image."""
LAYERS = {"resnet20": ("layer2", "layer3"), "resnet56": ("layer2", "layer3"), "lite0": ("act2",),
          "squeezenet": ("fire9",)}  # fmt: skip
"""Of each network, the last one what its last layer reads."""
Floats = np.ndarray


@dataclass(frozen=True)
class Images:
    """The 4,000 images: pixels (N, 32, 32, 3), given labels (N,), and which of them people have reviewed (N,)."""

    pixels: np.ndarray
    labels: np.ndarray
    reviewed: np.ndarray

    @classmethod
    def of(cls, data: Path) -> Images:
        """Of the shared data."""
        with np.load(data / "cifar10/cifar10_test_first4000.npz") as file:
            pixels, labels = file["x"], file["y"].astype(np.int64)
        seen = np.zeros(len(labels), bool)
        seen[[one["id"] for one in _review(data) if one["id"] < len(labels)]] = True
        return cls(pixels, labels, seen)


def _review(data: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((data / "cifar10/cifar10_mturk_label_errors.json").read_text())
    return found


def views(data: Path, folder: Path) -> None:
    """What each network says of the images, and of shifted and mirrored ones, and what its layers make of them."""
    images = Images.of(data)

    def shared(path: str) -> Path:
        return data.parent / path

    nets: dict[str, Callable[[], Net]] = {
        "resnet20": partial(cifar, shared, "resnet20"), "resnet56": partial(cifar, shared, "resnet56"),
        "lite0": partial(pl.load, "bundled", size=160), "squeezenet": partial(_annotator, data),
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    for name, net in nets.items():
        if (folder / f"{name}.npz").exists():
            continue
        found = _seen(net(), images.pixels, images.labels, LAYERS[name])
        if name.startswith("resnet"):
            moved = [_seen(net(), one, images.labels, ())["logits"] for one in _moved(images.pixels)]
            found["several"] = np.stack(moved)
        else:
            del found["logits"]  # of other classes
        if name != "squeezenet":
            found["near"] = nearest(found[LAYERS[name][-1]], NEIGHBORS)
        for layer in LAYERS[name]:
            found[f"{layer} folds"] = out_of_fold(found[layer], images.labels, CLASSES, FOLDS, PENALTY, 0)
        np.savez(folder / f"{name}.npz", **found)
        print(name, {key: value.shape for key, value in found.items()}, flush=True)
    shapes = np.stack([hog(one, 9, (8, 8), (2, 2), channel_axis=-1) for one in images.pixels])
    folds = out_of_fold(shapes, images.labels, CLASSES, FOLDS, PENALTY, 0)
    np.savez(folder / "hog.npz", near=nearest(shapes, NEIGHBORS), folds=folds)


def _annotator(data: Path) -> Net:
    """SqueezeNet, shown images of 131 pixels, as far as its convolutions need."""
    net = squeezenet(data / "weights/squeezenet_v1.0_decoded.npz")
    return replace(net, preprocess=replace(net.preprocess, resize=131, crop=(131, 131)))


def _seen(net: Net, pixels: np.ndarray, labels: np.ndarray, layers: Sequence[str]) -> dict[str, np.ndarray]:
    """Logits (N, C), and of each layer its mean over places (N, F)."""
    rows: dict[str, list[np.ndarray]] = {one: [] for one in ("logits", *layers)}
    for batch in net.over(Data.of((pixels, labels)), layers=list(layers)):
        rows["logits"].append(batch.run.output.detach().double().numpy())
        for one in layers:
            rows[one].append(batch.run[one].detach().double().mean((2, 3)).numpy())
    return {name: np.concatenate(values) for name, values in rows.items()}


def _moved(pixels: np.ndarray) -> Iterator[np.ndarray]:
    """The images shifted, with black where nothing is known, and mirrored."""
    wide = np.pad(pixels, ((0, 0), (4, 4), (4, 4), (0, 0)))
    for (down, right), turn in itertools.product(SHIFTS, (1, -1)):
        yield np.ascontiguousarray(wide[:, 4 + down : 36 + down, 4 + right : 36 + right][:, :, ::turn])


@dataclass(frozen=True, eq=False)
class Kept:
    """What is known of the images whatever their labels: log probabilities of each view (N, C), the neighbors of
    each space (N, K), and the features whose course is taken down."""

    views: Mapping[str, Floats]
    near: Mapping[str, np.ndarray]
    features: Mapping[str, Floats]
    annotators: Mapping[str, Floats]

    @classmethod
    def of(cls, folder: Path, labels: np.ndarray) -> Kept:
        """Of what `views` has left; logits divided by the temperature at which the given labels are likeliest."""
        found = {name: dict(np.load(folder / f"{name}.npz")) for name in (*LAYERS, "hog")}
        views: dict[str, Floats] = {}
        for net, short in (("resnet20", "r20"), ("resnet56", "r56")):
            views[short] = log_softmax(found[net]["logits"])
            views[f"{short} cool"] = cooled(found[net]["logits"], labels)
            mean = np.log(np.exp(log_softmax(found[net]["several"])).mean(0))
            views[f"{short} several"] = mean
            views[f"{short} several cool"] = cooled(mean, labels)
            views[f"{short} folds"] = _log(found[net]["layer3 folds"])
            views[f"{short} layer2 folds"] = _log(found[net]["layer2 folds"])
        views["lite0 folds"], views["hog folds"] = _log(found["lite0"]["act2 folds"]), _log(found["hog"]["folds"])
        near = {"r20 near": found["resnet20"]["near"], "r56 near": found["resnet56"]["near"],
                "lite0 near": found["lite0"]["near"], "hog near": found["hog"]["near"]}  # fmt: skip
        features = {"r20": found["resnet20"]["layer3"], "r56": found["resnet56"]["layer3"]}
        annotators = {"squeezenet": _log(found["squeezenet"]["fire9 folds"]), "r20": views["r20 several cool"],
                      "r56": views["r56 several cool"]}  # fmt: skip
        return cls(views, near, features, annotators)

    def part(self, rows: np.ndarray) -> Kept:
        """Of some of the images: neighbors are those of the 20 that are among them."""
        place = np.full(len(next(iter(self.views.values()))), -1)
        place[rows] = np.arange(len(rows))
        near = {name: place[values[rows]] for name, values in self.near.items()}
        views, features, annotators = (
            {name: values[rows] for name, values in one.items()} for one in (self.views, self.features, self.annotators)
        )
        return Kept(views, near, features, annotators)

    def said(self, labels: np.ndarray) -> dict[str, Floats]:
        """Log probabilities (N, C) of every view, those of neighbors by their votes."""
        votes = {}
        for name, near in self.near.items():
            counts = ((labels[near][:, :, None] == np.arange(CLASSES)) & (near >= 0)[:, :, None]).sum(1) + 0.5
            votes[name] = np.log(counts / counts.sum(1, keepdims=True))
        return {**self.views, **votes}


def _log(p: Floats) -> Floats:
    return np.asarray(np.log(np.maximum(p, 1e-12)))


READ: dict[str, Callable[[Floats, np.ndarray], Floats]] = {
    "loss": lambda logs, labels: -logs[np.arange(len(labels)), labels],
    "log margin": lambda logs, labels: -margins(logs, labels),
    "margin": lambda logs, labels: -margins(np.exp(logs), labels),
    "by entropy": lambda logs, labels: (
        -np.exp(logs[np.arange(len(labels)), labels]) / np.maximum(-(np.exp(logs) * logs).sum(1), 1e-9)
    ),
}
"""What is read off log probabilities: larger is more suspect."""


def _agreed(each: list[Floats], labels: np.ndarray) -> Floats:
    """The least log ratio over the views, of the other class for which it is largest: all must say the same class."""
    rows = np.arange(len(labels))
    least = np.min([logs - logs[rows, labels][:, None] for logs in each], 0)
    least[rows, labels] = -np.inf
    return np.asarray(least.max(1))


JOINED: dict[str, Callable[[list[Floats], str, np.ndarray], Floats]] = {
    "product": lambda each, read, labels: READ[read](log_softmax(np.mean(each, 0)), labels),
    "mean": lambda each, read, labels: READ[read](np.log(np.mean(np.exp(each), 0)), labels),
    "ranks": lambda each, read, labels: combined([READ[read](logs, labels) for logs in each]),
    "agreed": lambda each, read, labels: _agreed(each, labels),
}
"""How views are joined: log probabilities averaged, probabilities averaged, ranks by Fisher, or by the least of all."""


@dataclass(frozen=True)
class Way:
    """A combination. Views are written for `net`, the network, and `twin`, another of the same classes."""

    views: tuple[str, ...]
    joined: str
    read: str

    def __str__(self) -> str:
        """As the tables have it."""
        how = self.read if self.joined == "product" and len(self.views) == 1 else f"{self.joined}, {self.read}"
        return f"{' + '.join(self.views)}: {'agreed' if self.joined == 'agreed' else how}"

    def named(self, net: str, twin: str) -> tuple[str, ...]:
        """The views of a network and another."""
        return tuple(one.replace("net", net).replace("twin", twin) for one in self.views)


OWN = ("net", "net cool", "net several", "net several cool", "net folds", "net near", "hog near", "hog folds",
       "net layer2 folds")  # fmt: skip
"""What one index and its network say."""
SETS: tuple[tuple[str, ...], ...] = (
    *((one,) for one in (*OWN, "lite0 folds", "lite0 near")),
    *(("net cool", *more) for more in (("net folds",), ("net folds", "net near"), ("net near", "hog near"),
                                       ("net folds", "net near", "hog near"), ("hog folds",),
                                       ("net folds", "net near", "hog folds"), ("net layer2 folds",),
                                       ("net layer2 folds", "hog folds"))),
    *(("net several cool", *more) for more in (("net folds",), ("net near",), ("hog folds",),
                                               ("net folds", "net near", "hog near"),
                                               ("net layer2 folds", "hog folds"))),
    *(("net cool", *more) for more in (("lite0 folds",), ("lite0 folds", "lite0 near"),
                                       ("net near", "lite0 folds", "lite0 near"), ("net folds", "lite0 folds"),
                                       ("net folds", "net near", "hog near", "lite0 folds", "lite0 near"))),
    *(("net several cool", *more) for more in (("lite0 folds",), ("net near", "lite0 folds", "lite0 near"))),
    *(("net cool", "twin cool", *more) for more in ((), ("lite0 folds",), ("net near", "lite0 folds", "lite0 near"),
                                                    ("net folds", "twin folds"), ("net near", "twin near"),
                                                    ("net folds", "twin folds", "lite0 folds"),
                                                    ("net near", "twin near", "hog near"),
                                                    ("net near", "twin near", "lite0 near", "lite0 folds"))),
    *(("net several cool", "twin several cool", *more) for more in ((), ("lite0 folds",),
                                                                    ("net near", "lite0 folds", "lite0 near"),
                                                                    ("net near", "twin near", "lite0 near",
                                                                     "lite0 folds"))),
)  # fmt: skip


def ways() -> list[Way]:
    """Every combination that is tried."""
    found = []
    for some in SETS:
        for joined, read in itertools.product(JOINED, READ):
            if (joined == "product" or len(some) > 1) and (joined != "agreed" or read == "loss"):
                found.append(Way(some, joined, read))
    return found


def as_before(kept: Kept, said: Mapping[str, Floats], labels: np.ndarray, net: str) -> Floats:
    """What `mislabeled` has combined so far: AUM, CV margin, neighbors in two spaces, the network's own margin."""
    courses = aum(head_course(kept.features[net], labels, CLASSES, 0))
    votes = [READ["loss"](said[one], labels) for one in (f"{net} near", "hog near")]
    return combined([-courses, READ["margin"](said[f"{net} folds"], labels), *votes,
                     READ["log margin"](said[net], labels)])  # fmt: skip


def wrong_labels(logs: Floats, labels: np.ndarray, kind: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(labels of which 25 are wrong, which) as an annotator with these log probabilities (N, C) errs; "second": images
    drawn evenly, each with the class that is most likely besides its label."""
    chance, rows = generator(seed, "annotator", kind), np.arange(len(labels))
    others = np.exp(logs)
    others[rows, labels] = 0
    weights = np.full(len(labels), 1.0) if kind == "second" else others.sum(1)
    met = chance.choice(len(labels), WRONG, replace=False, p=weights / weights.sum())
    found = labels.copy()
    for i in met:
        p = others[i] / others[i].sum()
        found[i] = p.argmax() if kind == "second" else chance.choice(CLASSES, p=p)
    return found, np.isin(rows, met)


KINDS = {"squeezenet": "squeezenet", "second": "squeezenet", "r20": "r20", "r56": "r56"}
"""Kinds of wrong labels -> whose they are."""


def blind(data: Path, folder: Path) -> None:
    """Every combination on labels made wrong: average precision of each kind, and the recall of the first 200."""
    images = Images.of(data)
    rows = np.flatnonzero(~images.reviewed)
    kept, given = Kept.of(folder, images.labels).part(rows), images.labels[rows]
    found: dict[str, dict[str, list[tuple[float, float]]]] = {}
    every = ways()
    for kind, seed in itertools.product(KINDS, range(SEEDS)):
        labels, wrong = wrong_labels(kept.annotators[KINDS[kind]], given, kind, seed)
        said = kept.said(labels)
        for net, twin in (("r56", "r20"), ("r20", "r56")):
            if net == KINDS[kind]:
                continue
            for name, values in _each(kept, said, labels, every, net, twin, KINDS[kind]):
                found.setdefault(name, {}).setdefault(kind, []).append(judged(values, wrong))
        print(f"{kind} {seed}", end="\r", file=sys.stderr, flush=True)
    table = {}
    for title, kinds in TABLES.items():
        some = {name: _means(one, kinds) for name, one in found.items() if set(kinds) <= one.keys()}
        print(f"\n{title}: {', '.join(kinds)}; mean AP, recall of the first 200")
        for name in sorted(some, key=lambda name: -some[name][-2]):
            print(f"{name:<96} {' '.join(f'{value:6.3f}' for value in some[name])}")
        table[title] = {name: one[-2:] for name, one in some.items()}
    (folder / "blind.json").write_text(json.dumps(table, indent=1))


CHOSEN = (
    "net several cool + twin several cool + lite0 folds: product, log margin",
    "net several cool + lite0 folds: product, loss",
    "net several: log margin",
)
"""What is recommended with other networks, with one of other classes, and alone: by the third part of the protocol."""
TABLES = {"of one network of these classes": list(KINDS), "with others": ["squeezenet", "second"]}
"""Which kinds of wrong labels each table counts: all combinations in it know none of their annotators."""


def _each(
    kept: Kept, said: Mapping[str, Floats], labels: np.ndarray, every: Sequence[Way], net: str, twin: str, whose: str
) -> Iterator[tuple[str, Floats]]:
    """Names of combinations, and what they say; those that know the annotator are left out."""
    yield "as before", as_before(kept, said, labels, net)
    for way in every:
        named = way.named(net, twin)
        if whose == "squeezenet" or not any(one.startswith(whose) for one in named):
            yield str(way), JOINED[way.joined]([said[one] for one in named], way.read, labels)


def _means(found: Mapping[str, list[tuple[float, float]]], kinds: Sequence[str]) -> list[float]:
    each = np.array([np.mean(found[kind], 0) for kind in kinds])
    return [*each[:, 0], *each.mean(0)]


def judged(values: Floats, wrong: np.ndarray) -> tuple[float, float]:
    """(average precision, recall of the first 200)."""
    top = np.argsort(-values, kind="stable")[:200]
    return average_precision(values, wrong), float(np.isin(np.flatnonzero(wrong), top).mean())


def real(data: Path, folder: Path) -> None:
    """The known errors: what `blind` has measured of each combination, and what it finds of them."""
    images = Images.of(data)
    wrong = np.zeros(len(images.labels), bool)
    wrong[[one["id"] for one in _review(data) if one["id"] < len(wrong) and one["mturk"]["given"] < 3]] = True
    kept = Kept.of(folder, images.labels)
    said, table = kept.said(images.labels), json.loads((folder / "blind.json").read_text())
    best = {title: max(one.values(), key=lambda value: value[0])[0] for title, one in table.items()}
    print(f"{wrong.sum()} known errors of {len(wrong)}, {images.reviewed.sum()} reviewed")
    for net, twin in (("r56", "r20"), ("r20", "r56")):
        found = dict(_each(kept, said, images.labels, ways(), net, twin, "squeezenet"))
        for title, one in table.items():
            print(
                f"\n{net}, {title}: blind AP, recall; AUROC, AP, error, precision of 40, recall of 200, AP of reviewed"
            )
            for name in sorted(one, key=lambda name: -one[name][0]):
                values = found[name]
                hits = wrong[np.argsort(-values, kind="stable")]
                off = precision_error(values, wrong) if name in CHOSEN else np.nan
                cells = [*one[name], auroc(values[wrong], values[~wrong])[0], judged(values, wrong)[0], off,
                         hits[:40].mean(), judged(values, wrong)[1],
                         average_precision(values[images.reviewed], wrong[images.reviewed])]  # fmt: skip
                mark = "*" if name in CHOSEN else "+" if one[name][0] >= best[title] - ALIKE else " "
                print(f"{mark} {name:<94} {' '.join(f'{value:6.3f}' for value in cells)}")


COMMANDS: dict[str, Callable[[Path, Path], None]] = {"views": views, "blind": blind, "real": real}

if __name__ == "__main__":
    torch.set_num_threads(1)
    what, where, folder = sys.argv[1:]
    COMMANDS[what](Path(where), Path(folder))
