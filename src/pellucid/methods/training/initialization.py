"""Initialization schemes compared: signal and gradient in every layer before the first step, and the first epochs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from pellucid.catalogue import method
from pellucid.data import Data
from pellucid.learning.chain import chain, growth, parts_of
from pellucid.learning.flow import flow
from pellucid.learning.initial import initialized
from pellucid.learning.normalized import SAID, Start, normalized, parted
from pellucid.learning.objective import images_of, objective_of, tensors_of
from pellucid.learning.train import Recipe, Step, train
from pellucid.learning.trials import Trials, chance_of, epochs_of, gradient_of, grids, start
from pellucid.learning.verdicts import judged
from pellucid.net import Net
from pellucid.progress import steps
from pellucid.result import Meta, Study, Table
from pellucid.result.table import Cell
from pellucid.rng import Seed

_PROBE = 64  # images that signal and gradient are measured on
_BELOW = 0.05  # share of the loss of chance by which a loss must be lower before schemes are ranked
_ABOUT = {
    "scheme": "how the weights are drawn; biases are zero",
    "batch norm": "own: as the network is; with it behind each layer with weights but the last; without any",
    "verdict": "what is wrong before the first step, of the first repetition",
    "signal change": "standard deviation of h in the last hidden layer over that in the first, mean of logs",
    "growth": "factor of the mean square of ∂L/∂h per layer backwards (χ), mean over the seeds",
    "± growth": "standard deviation of it over the repetitions",
    "theory": "χ by mean field theory for a plain chain of these layers; 1 is critical; batch norm: 1.2112²",
    "first loss": "mean loss before the first step, in nats, with batch norm as in training",
    "last loss": "mean loss of the last epoch's steps, in nats, batch norm as in training; unknown if it diverged",
    "± last loss": "standard deviation of it over the repetitions",
    "accuracy": "share of the training images that are right after the last epoch",
    "diverged": "number of the repetitions in which the loss was not finite",
}


@method(
    "Initialization schemes",
    purpose="initializations compared, at the start and in training",
    shows="Read the verdict before the first step, and whether the measured growth per layer stays near 1. The first "
    "epochs say which scheme starts fastest with one learning rate for all, not which ends best; the theory is "
    "that of a plain chain, from which skip connections depart. Your network's own weights play no part. 10 "
    "trainings of 2 epochs on 256 images, and before each a forward and a backward pass over 64 of them.",
    source="He et al. 2015, section 2.2 and figure 3; Schoenholz et al. 2017, section 3; Mishkin & Matas 2016",
    over="all",
    quick={"epochs": 1, "repeats": 1, "samples": 32},
)
def initialization(
    net: Net,
    data: Data,
    *,
    schemes: Annotated[
        tuple[Start, ...],
        Field(
            min_length=1,
            description="schemes to compare: zeros, constant (0.01), small (N(0, 0.01²)), unit (N(0, 1)), xavier, he, "
            "lecun, orthogonal, lsuv; he+norm with batch norm behind each layer with weights but the last, he-norm "
            "without any batch norm, and so on",
        ),
    ] = ("small", "xavier", "he", "orthogonal", "lsuv"),
    epochs: Annotated[int, Field(ge=0, le=1000, description="number of epochs of training after each start")] = 2,
    lr: Annotated[float, Field(gt=0, le=1e3, description="learning rate of SGD, step per unit of gradient")] = 0.03,
    repeats: Annotated[int, Field(ge=1, le=100, description="number of seeds of each scheme")] = 2,
    samples: Annotated[int, Field(ge=4, le=10**6, description="number of images to train on, drawn at random")] = 256,
    seed: Seed = 0,
) -> Study:
    """Copies of the network with new weights: one row for each scheme and network, with its spread over the seeds.

    Before the first step: the standard deviation of what each convolution and linear layer gives (h) and the RMS of
    ∂L/∂h, on up to 64 of the images and with batch norm's statistics of these, as training meets them. Dashed beside
    them: what mean field theory expects of a plain chain of the layers, from the measured first layer on and from the
    last hidden layer back, wherever a rectifier, tanh or sigmoid follows; skip connections depart from it. Then the
    loss over the first epochs of SGD with momentum 0.9 and batches of 32. Schemes with -norm are of copies whose batch
    norms are taken out, those with +norm of copies that have one behind every convolution and linear layer but the
    last, where the network has none itself. The network is left as it is.
    """
    some = data.on(net).subset(samples, seed)
    pictures, labels = images_of(net, some.subset(_PROBE, seed))
    given, objective = tensors_of(net, some), objective_of(net, pictures.pixels[:1])
    kinds = tuple(dict.fromkeys(parted(name)[1] for name in schemes))
    tried: dict[str, Trials] = {name: Trials() for name in schemes}
    hidden = [one.name.partition("#")[0] for one in flow(net, pictures, labels, "batch").hidden]
    bases = {how: normalized(net.module, how, hidden) for how in kinds}
    for name, which in steps([(name, i) for name in tried for i in range(repeats)], "trainings"):
        scheme, how = parted(name)
        module = initialized(bases[how], scheme, seed + which, given.inputs[:_PROBE])
        one = flow(net.with_module(module), pictures, labels, "batch")
        theory = chain(one, parts_of(module, one))  # of the weights before they are trained
        recipe, taken = Recipe(epochs=epochs, batch=32, lr=lr, seed=seed + which), list[Step]()
        trained = train(module, given.like(module), recipe, objective=objective, observe=taken.append)
        tried[name].add(one, theory, trained, taken)
    rows = [_row(name, one) for name, one in tried.items()]
    table = Table({name: tuple(row[name] for row in rows) for name in _ABOUT}, _ABOUT)
    curves = {}
    for how in kinds:
        of = {name: one for name, one in tried.items() if parted(name)[1] == how}
        curves[f"at the start, {SAID[how]}" if len(kinds) > 1 else "at the start"] = start(of)
    if epochs:
        curves["first epochs"] = epochs_of(tried, given.inputs.shape[0])
    chance = chance_of(given.labels, net.meaning.scores == "multilabel")
    said = (*_compared_norms(rows, kinds), *_findings(rows, epochs, chance))
    return Study(said, curves, grids(tried), {"schemes": table}, Meta(found={"shown": len(given)}))


def _compared_norms(rows: Sequence[Mapping[str, Cell]], kinds: Sequence[str]) -> tuple[str, ...]:
    """What batch norm changes, where both are there: the best loss, and how far schemes differ at the start."""
    if len(kinds) < 2:
        return ()
    said = []
    for how in kinds:
        some = [row for row in rows if row["batch norm"] == how]
        grown, lost = (
            [float(v) for row in some if isinstance(v := row[name], float)] for name in ("growth", "last loss")
        )
        spread = (
            f", the squared gradient changes by × {min(grown):.3g} to × {max(grown):.3g} per layer" if grown else ""
        )
        after = f", the loss ends at {min(lost):.3g} to {max(lost):.3g}" if lost else ", no training came through"
        said.append(f"{SAID[how]}{spread}{after}")
    return ("; ".join(said),)


def _row(name: str, one: Trials) -> dict[str, Cell]:
    grown = np.array([growth(np.array(gradient_of(some)[: len(some.hidden)])) for some in one.flows])
    changes = np.array([some.signal_change for some in one.flows])
    expected = [some.growth for some in one.chains if some is not None]
    sound = [some for some in one.trainings if not some.diverged]
    last = np.array([row[-1] for row, some in zip(one.losses, one.trainings, strict=True) if row and not some.diverged])
    found: dict[str, float] = {
        "signal change": float(np.exp(np.log(changes).mean())) if (changes > 0).all() else float(changes.min()),
        "growth": float(grown.mean()),
        "± growth": float(grown.std(ddof=1)) if len(grown) > 1 else math.nan,
        "theory": float(np.mean(expected)) if expected else math.nan,
        "first loss": float(np.mean([some.loss for some in one.flows])),
        "last loss": float(last.mean()) if len(last) else math.nan,
        "± last loss": float(last.std(ddof=1)) if len(last) > 1 else math.nan,
        "accuracy": float(np.mean([some.epochs[-1].train_accuracy for some in sound])) if sound else math.nan,
    }
    cells: dict[str, Cell] = {key: value if math.isfinite(value) else None for key, value in found.items()}
    said: dict[str, Cell] = {"scheme": name, "batch norm": parted(name)[1], "verdict": judged(one.flows[0])[0].name}
    return {**said, **cells, "diverged": len(one.trainings) - len(sound)}


def _findings(rows: Sequence[Mapping[str, Cell]], epochs: int, chance: float) -> tuple[str, ...]:
    found = [f"{row['scheme']}: {row['verdict']} before the first step" + _compared(row) for row in rows]
    trained = [row for row in rows if isinstance(row["last loss"], float)]
    if epochs and trained:
        best = min(trained, key=lambda row: float(row["last loss"] or 0.0))
        loss, after = float(best["last loss"] or 0.0), f"{epochs} epoch{'s' * (epochs > 1)}"
        if loss > (1 - _BELOW) * chance > 0:
            least = f"the lowest loss after {after} is {loss:.3g} ({best['scheme']}), where chance is {chance:.3g}"
            found.insert(0, f"no scheme has learned anything yet, {least}: more epochs would tell them apart")
        elif loss < float(best["first loss"] or 0.0):
            found.insert(0, f"{best['scheme']} trains fastest: loss {loss:.3g} after {after}")
    return tuple(found)


def _compared(row: Mapping[str, Cell]) -> str:
    if row["growth"] is None:
        return ""
    theory = "" if row["theory"] is None else f", {row['theory']:.3g} in theory"
    return f"; the squared gradient changes by × {row['growth']:.3g} per layer on its way back{theory}"
