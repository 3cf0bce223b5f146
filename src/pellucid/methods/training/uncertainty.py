"""Uncertainty: what a network with dropout is unsure of, and why."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

import numpy as np
from pydantic import Field

from pellucid.catalogue import method
from pellucid.described import Default
from pellucid.geometry import Floats
from pellucid.images import Images
from pellucid.net import Net, Run
from pellucid.net.answers import entropy, log_probabilities
from pellucid.net.dropout import Parts, sampled
from pellucid.notes import Note
from pellucid.result import Grid, Meta, Study, Table
from pellucid.result.table import Cell
from pellucid.rng import Seed

_IMAGES = {
    "image": "its name", "answer": "class of the largest mean probability", "probability": "that mean",
    "error": "standard error of that mean, over the samples",
    "total": "entropy of the mean probabilities, in nats",
    "aleatoric": "mean entropy of the samples, in nats: what is unclear in the image itself",
    "epistemic": "the difference, in nats: how far the samples disagree, so what the network does not know (BALD)",
    "epistemic error": "standard error of that difference, over the samples",
    "agree": "share of the samples with that answer",
    "without": "answer of the network without dropout", "entropy": "its entropy, in nats",
}  # fmt: skip
_CLASSES = {
    "image": "its name", "class": "of the largest mean probabilities", "mean": "over the samples",
    "sd": "standard deviation over the samples", "error": "standard error of the mean", "low": "2.5 % quantile",
    "high": "97.5 % quantile", "without": "probability without dropout",
}  # fmt: skip
_OUTPUTS = {
    "image": "its name", "output": "its number", "mean": "over the samples",
    "sd": "standard deviation over the samples: the noise of the data is not in it",
    "error": "standard error of the mean", "low": "2.5 % quantile", "high": "97.5 % quantile",
    "without": "the output without dropout",
}  # fmt: skip
_BINS = 20
Rows = list[tuple[Cell, ...]]


@method(
    "Uncertainty",
    purpose="tell what a network is unsure of, by MC dropout",
    shows=(
        "The epistemic part says how far answers under different masks disagree, the aleatoric part what each of them "
        "leaves open. Both depend on the dropout rate, which was chosen for training and not for this, and an image "
        "unlike all of the training may cause little of either. Standard errors are those of the samples alone, and a "
        "probability is no accuracy until it is calibrated. 101 forward passes over each image."
    ),
    source="Gal & Ghahramani 2016, section 4; Houlsby et al. 2011, equation 2 (BALD); Kendall & Gal 2017, section 2",
    over="all",
    quick={"samples": 20},
    samples={"net": "model.py:net"},  # with dropout, which the network that comes with Pellucid lacks
)
def uncertainty(
    net: Net,
    images: Images,
    *,
    samples: Annotated[int, Field(ge=2, le=100000, description="number of passes, each with other masks")] = 100,
    rate: Annotated[
        float | None,
        Field(gt=0, lt=1, description="probability that a number is dropped, instead of each layer's own"),
        Default("as the network was trained"),
    ] = None,
    count: Annotated[int, Field(ge=1, description="number of classes shown, the most probable ones")] = 5,
    seed: Seed = 0,
) -> Study:
    """The spread of the answers under dropout, everything else as in use: `images` has one row for each image.

    Only dropout acts, also that which is a call of `F.dropout`; batch norm keeps its statistics. The total
    uncertainty H[E p] is the sum of an aleatoric part E H[p] and an epistemic part, by which the samples disagree.
    `classes` has the probable classes of each image with their standard deviations; a grid for each image, under its
    name, is the histogram of their probabilities, values (classes, 20) as shares of the samples. Masks depend on seed,
    image, sample and call alone. Of a regression `outputs` has mean and deviation of each output instead. Raises
    Refused where two passes are identical: the network has no dropout.
    """
    pixels, names = net.prepare(images).pixels, images.ids
    still, drawn = sampled(net, pixels, names, samples, seed, rate, _read)
    regression = net.meaning.scores == "regression"
    note = Note("sampling", f"{samples} samples: standard errors are those of their means, and say nothing of the rate")
    if regression:
        rows: Rows = []
        for i, name in enumerate(names):
            rows += [(name, k, *_spread(drawn[:, i, k]), float(still[i, k])) for k in range(still.shape[1])]
        table = Table(_columns(_OUTPUTS, rows), _OUTPUTS)
        return Study((_widest(rows),), tables={"outputs": table}, meta=Meta(found={"samples": samples}, notes=(note,)))
    parts, p = Parts.of(drawn), np.exp(drawn)
    rows, grids = [], {}
    of_classes: Rows = []
    for i, name in enumerate(names):
        order = np.argsort(-parts.mean[i], kind="stable")[:count]
        best, given = int(order[0]), p[:, i, int(order[0])]
        rows.append((
            name, net.class_name(best), float(parts.mean[i, best]), _spread(given)[2], float(parts.total[i]),
            float(parts.aleatoric[i]), float(parts.epistemic[i]), float(parts.error[i]),
            float((p[:, i].argmax(1) == best).mean()), net.class_name(int(still[i].argmax())),
            float(entropy(still[i])),
        ))  # fmt: skip
        of_classes += [(name, net.class_name(int(k)), *_spread(p[:, i, k]), float(np.exp(still[i, k]))) for k in order]
        grids[name if name not in grids else f"{name} ({i})"] = _histogram(
            p[:, i, order], [net.class_name(int(k)) for k in order]
        )
    tables = {
        "images": Table(
            _columns(_IMAGES, rows),
            _IMAGES,
            (),
            ("total", "aleatoric", "epistemic"),
            errors={"epistemic": "epistemic error"},
        ),
        "classes": Table(_columns(_CLASSES, of_classes), _CLASSES, (), ("mean",), errors={"mean": "sd"}),
    }
    return Study(_said(rows), {}, grids, tables, Meta(found={"samples": samples}, notes=(note,)))


def _read(run: Run) -> Floats:
    """Log probabilities, or the outputs of a regression."""
    if run.net.meaning.scores == "regression":
        return np.asarray(run.scores.detach().double().cpu().numpy())
    return log_probabilities(run)


def _spread(values: Floats) -> tuple[float, float, float, float, float]:
    """Mean, standard deviation, standard error of the mean, and the quantiles that hold 95 %."""
    sd = float(values.std(ddof=1))
    low, high = np.quantile(values, (0.025, 0.975))
    return float(values.mean()), sd, sd / len(values) ** 0.5, float(low), float(high)


def _histogram(p: Floats, names: list[str]) -> Grid:
    """(samples, classes) -> shares of the samples for each class and each twentieth of the probability."""
    edges = np.linspace(0, 1, _BINS + 1)
    values = np.stack([np.histogram(one.clip(0, 1), edges)[0] / len(one) for one in p.T])
    columns = tuple(f"{low:.2f} to {high:.2f}" for low, high in pairwise(edges))
    return Grid(values, tuple(names), columns, "share of the samples", "class", "probability")


def _columns(about: dict[str, str], rows: Rows) -> dict[str, tuple[Cell, ...]]:
    return dict(zip(about, zip(*rows, strict=True), strict=True))


def _said(rows: Rows) -> tuple[str, ...]:
    """Of each image; of many, of the most doubtful."""
    order = sorted(rows, key=lambda row: -float(row[4] or 0))
    said = []
    for row in order[:5]:
        total, epistemic = float(row[4] or 0), float(row[6] or 0)
        share = epistemic / total if total > 0 else 0.0
        changed = "" if row[1] == row[9] else f"; without dropout it answers {row[9]}"
        said.append(
            f"{row[0]}: {row[1]}, {float(row[2] or 0):.1%} ± {float(row[3] or 0):.1%}; uncertainty {total:.2f} nats, "
            f"{share:.0%} of it because the samples disagree{changed}"
        )
    return tuple(said)


def _widest(rows: Rows) -> str:
    name, output, mean, sd, *_ = max(rows, key=lambda row: float(row[3] or 0))
    return f"output {output} of {name} is the least certain: {float(mean or 0):.3g}, deviation {float(sd or 0):.3g}"
