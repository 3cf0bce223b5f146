"""The classes that a network finds in images, best first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from pellucid.errors import BadNetwork, PellucidError
from pellucid.images import Images
from pellucid.net import outputs
from pellucid.net.meaning import LABELS
from pellucid.notes import Note
from pellucid.result import Asked, Meta, Prediction, Predictions, versions

if TYPE_CHECKING:
    from pellucid.net import Net, Run


def predicted(net: Net, images: Images, top: int) -> Predictions:
    """The `top` best guesses for every image."""
    if top < 1:
        raise PellucidError(f"top={top}: at least 1 guess must be asked for")
    runs: list[Run] = []
    for one in images:
        runs.append(net.run(one))
        if not outputs.sound(runs[-1].scores):
            raise BadNetwork(f"{net.name} gives scores that are not finite for {one.ids[0]!r}")
    notes = _readings(net, runs, images.ids)
    ranked = tuple(_ranked(run, top) for run in runs)
    meta = Meta(
        Asked("predict", {"net": net.title, "images": images.title}, {"top": top}, ("net", "images")),
        nouns={"net": net.facts(), "images": images.facts()},
        found={"scores": net.meaning.scores},
        notes=(*notes, *net.notes),
        versions=versions(),
    )
    return Predictions(ranked, meta)


def chances(run: Run) -> Tensor:
    """(classes,) probabilities of one image.

    Where nothing says what the outputs mean, an image that says several things at once is read label by label, and
    any other as one class out of several: by itself, whatever other images the network has seen.
    """
    meaning = run.net.meaning if run.torn is None else LABELS
    return outputs.probabilities(run.scores.detach().double(), meaning, run.two)[0]


def _readings(net: Net, runs: list[Run], names: tuple[str, ...]) -> list[Note]:
    """What is taken for granted where nothing says what the outputs mean, and which images say something else."""
    count = runs[0].scores.shape[1] if runs else 0
    if not net.meaning.assumed or count < 2:
        return []
    said = [
        Note("scores", outputs.two_readings(run.scores[0], net.class_name), name)
        for run, name in zip(runs, names, strict=True)
        if run.torn is not None
    ]
    if len(said) == len(runs):
        return said
    others = "probabilities of the other images" if said else "probabilities"
    return [
        *said,
        Note(
            "scores",
            f"nothing says what the {count} outputs of {net.name} mean: the {others} are of one class out of several "
            "(softmax); scores='multilabel' if each label stands by itself, scores='logits' if this is right",
        ),
    ]


def _ranked(run: Run, top: int) -> tuple[Prediction, ...]:
    """The guesses for the one image of a run."""
    net, scores = run.net, run.scores[0].detach().double()
    if net.meaning.scores == "regression":
        return tuple(_prediction(net, i, None, float(value)) for i, value in enumerate(scores[:top]))
    own, probabilities = outputs.spread(scores[None], net.meaning, run.two)[0], chances(run)
    # By the network's own numbers: probabilities of several sure labels may be equal after rounding.
    best = [i for i in own.topk(min(top, len(own))).indices.tolist() if own[i] > -torch.inf]  # the rest is masked
    return tuple(_prediction(net, i, float(probabilities[i]), float(own[i])) for i in best)


def _prediction(net: Net, index: int, probability: float | None, score: float) -> Prediction:
    wnids = net.labels.wnids if net.labels else None
    return Prediction(index, net.class_name(index), probability, score, wnids[index] if wnids else None)
