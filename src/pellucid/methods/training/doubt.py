"""Doubt: which images of a data set a network is unsure of, and what its doubt is worth."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pellucid.catalogue import method
from pellucid.data import Data, DataOption
from pellucid.described import Default
from pellucid.errors import PellucidError
from pellucid.geometry import Floats
from pellucid.image_set import ImageSet
from pellucid.methods.training._ranking import kept
from pellucid.net import Net
from pellucid.net.answers import entropy, log_probabilities
from pellucid.net.dropout import Parts, sampled
from pellucid.notes import Note
from pellucid.result import Curve, Line, Meta, Study, Table
from pellucid.result.curve import Style
from pellucid.result.table import Cell
from pellucid.rng import Seed
from pellucid.statistics import auroc

_IMAGES = {
    "image": "its name", "class": "the right one", "answer": "class of the largest mean probability",
    "right": "whether they are the same", "probability": "that mean",
    "total": "entropy of the mean probabilities, in nats", "aleatoric": "mean entropy of the samples, in nats",
    "epistemic": "the difference (BALD): how far the samples disagree, in nats",
    "entropy": "of the network without dropout, in nats",
}  # fmt: skip
_WORTH = {
    "doubt": "entropy without dropout, or of MC dropout the total, aleatoric or epistemic part",
    "errors": "AUROC: probability that a wrong answer has more of it than a right one",
    "errors error": "standard error of that (DeLong)",
    "strangers": "AUROC: probability that an image of the other data has more of it than one of these",
    "strangers error": "standard error of that (DeLong)",
}
_ANSWERS = {
    "answer": "of the network as it is, or of the mean over the masks", "accuracy": "share of the right answers",
    "nll": "mean −log p of the right class, in nats",
}  # fmt: skip
_DOUBTS = ("entropy", "total", "aleatoric", "epistemic")
_SHARES = np.linspace(0.05, 1, 20)


@method(
    "Doubt",
    purpose="sort images by doubt, and measure what it is worth",
    shows=(
        "Look at the most doubtful images first. An AUROC near 1 says that this kind of doubt tells wrong answers, or "
        "images of another kind, from the rest, and one near 0.5 that it does not; the kind that is best at one need "
        "not be best at the other. A wrong answer may come without doubt, and all figures depend on the dropout rate. "
        "51 forward passes over each image, those of the other kind included."
    ),
    source="Gal & Ghahramani 2016, section 4; Houlsby et al. 2011, equation 2; DeLong et al. 1988, section 2",
    over="all",
    quick={"samples": 20},
    samples={"net": "model.py:net"},  # with dropout, which the network that comes with Pellucid lacks
)
def doubt(
    net: Net,
    data: Data,
    *,
    ood: Annotated[
        DataOption | None,
        Field(description="images of another kind (out of distribution), whose classes do not count"),
        Default("none: only errors are judged"),
    ] = None,
    samples: Annotated[int, Field(ge=2, le=100000, description="number of passes, each with other masks")] = 50,
    rate: Annotated[
        float | None,
        Field(gt=0, lt=1, description="probability that a number is dropped, instead of each layer's own"),
        Default("as the network was trained"),
    ] = None,
    seed: Seed = 0,
) -> Study:
    """Images by the network's doubt under dropout, the most doubtful first: `images` has one row for each image.

    `worth` says what each kind of doubt is good for: how well it tells wrong answers from right ones, and images of
    another kind (`ood`) from these, as areas under the ROC curve with their errors. `accuracy` holds a line (20,) for
    each kind: the accuracy of the share of the images that the network doubts least. `answers` compares the network
    as it is with the mean over the masks. Parts of doubt and masks are those of `uncertainty`. Raises Refused where
    the network has no dropout.
    """
    known = _doubts(net, data, samples, seed, rate)
    if not len(known["right"]):
        raise PellucidError(f"no images in {data}")
    found = _worth(known, None if ood is None else _doubts(net, ImageSet.of(ood), samples, seed, rate))
    right = known["right"].astype(bool)
    lines = []
    for name in _DOUBTS:
        values, error = kept(known[name], right, _SHARES)
        style: Style = "dashed" if name == "entropy" else "line"
        lines.append(Line(_named(name), _SHARES, values, error, "accuracy", style))
    order = np.argsort(-known["total"], kind="stable")
    columns: dict[str, tuple[Cell, ...]] = {
        "image": tuple(known["names"][i] for i in order),
        "class": tuple(net.class_name(int(known["labels"][i])) for i in order),
        "answer": tuple(net.class_name(int(known["answer"][i])) for i in order),
        "right": tuple(bool(right[i]) for i in order),
        **{name: tuple(float(known[name][i]) for i in order) for name in ("probability", *_DOUBTS[1:], "entropy")},
    }
    still = known["still_right"].astype(bool)
    answers = Table(
        {"answer": ("without dropout", f"mean of {samples} samples"),
         "accuracy": (float(still.mean()), float(right.mean())),
         "nll": tuple(float(known[one].mean()) for one in ("still_nll", "nll"))}, _ANSWERS)  # fmt: skip
    note = Note("sampling", f"{samples} samples: with fewer, the order by the epistemic part is noisier")
    return Study(
        _said(columns, found, right),
        {"accuracy": Curve(tuple(lines), "share of the images kept, the least doubtful")},
        tables={"worth": found, "images": Table(columns, _IMAGES), "answers": answers},
        meta=Meta(found={"samples": samples, "wrong": int((~right).sum())}, notes=(note,)),
    )


def _named(name: str) -> str:
    return {"entropy": "entropy without dropout", "epistemic": "epistemic (BALD)"}.get(name, name)


def _doubts(net: Net, data: Any, samples: int, seed: int, rate: float | None) -> dict[str, Any]:
    """(N,) of each: every kind of doubt, and where the classes are known what is right."""
    found: dict[str, list[Any]] = {}
    for batch in net.over(data):
        still, drawn = sampled(net, batch.images.pixels, batch.ids, samples, seed, rate, log_probabilities)
        parts = Parts.of(drawn)
        said: dict[str, Any] = {name: getattr(parts, name) for name in _DOUBTS[1:]}
        said |= {"entropy": entropy(still), "answer": parts.mean.argmax(1), "probability": parts.mean.max(1)}
        said["names"] = np.array(batch.ids, object)
        if batch.labels is not None:
            labels = batch.labels.cpu().numpy()
            each = np.arange(len(labels))
            with np.errstate(divide="ignore"):
                said |= {"labels": labels, "right": said["answer"] == labels, "nll": -np.log(parts.mean[each, labels]),
                         "still_right": still.argmax(1) == labels, "still_nll": -still[each, labels]}  # fmt: skip
        for name, values in said.items():
            found.setdefault(name, []).append(values)
    return {name: np.concatenate(values) for name, values in found.items()}


def _worth(known: dict[str, Any], strangers: dict[str, Any] | None) -> Table:
    right = known["right"].astype(bool)
    rows = []
    for name in _DOUBTS:
        values: Floats = known[name]
        wrong = auroc(values[~right], values[right])
        other = (np.nan, np.nan) if strangers is None else auroc(strangers[name], values)
        rows.append((_named(name), *(None if np.isnan(x) else float(x) for x in (*wrong, *other))))
    pictured = ("errors",) if strangers is None else ("errors", "strangers")
    columns = dict(zip(_WORTH, zip(*rows, strict=True), strict=True))
    return Table(columns, _WORTH, (), pictured, (), errors={name: f"{name} error" for name in pictured})


def _said(columns: dict[str, tuple[Cell, ...]], found: Table, right: NDArray[np.bool_]) -> tuple[str, ...]:
    first = columns["image"][0]
    said = [f"most doubtful is {first}: {columns['answer'][0]}, {columns['total'][0]:.2f} nats; "
            f"{int((~right).sum())} of {len(right)} answers are wrong"]  # fmt: skip
    for what, text in (("errors", "wrong answers"), ("strangers", "images of the other data")):
        known = [row for row in found.rows if row[what] is not None]
        if known:
            best = max(known, key=lambda row: float(row[what] or 0))
            rest = ", ".join(f"{row['doubt']} {float(row[what] or 0):.3f}" for row in known if row is not best)
            own, error = float(best[what] or 0), float(best[f"{what} error"] or 0)
            said.append(f"{text} are told best by {best['doubt']}: AUROC {own:.3f} ± {error:.3f}; {rest}")
    return tuple(said)
