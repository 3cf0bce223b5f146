"""Invariance: what a network does not mind."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import numpy as np
from pydantic import Field
from torch import Tensor

from pellucid.catalogue import method
from pellucid.data import Data
from pellucid.described import Default
from pellucid.errors import PellucidError
from pellucid.geometry import Floats
from pellucid.methods.training._beside import by_class, compared, curve_of, laid_beside, lines, under
from pellucid.methods.training._symmetries import shifts, symmetries
from pellucid.net import LayerName, Net
from pellucid.net.answers import Answers, Shown
from pellucid.net.nets import Nets, NetsOption
from pellucid.notes import Note
from pellucid.progress import steps
from pellucid.render.changed import FAMILIES, KINDS, Border, Family, change, placed
from pellucid.result import Meta, Study, Table
from pellucid.result.table import Cell
from pellucid.rng import Seed
from pellucid.statistics import error_of_mean, wilson_error

_ROWS = {
    "transform": "what is done to the pixels", "magnitude": "how far, in the unit of its curve",
    "accuracy": "share of the right answers", "accuracy error": "half the width of its Wilson interval over 1.96",
    "consistency": "share of the images with the same answer as untransformed",
    "consistency error": "the same of that",
    "probability": "mean change of the probability of the answer to the untransformed image",
    "kl": "mean KL divergence from the untransformed probabilities, in nats", "kl error": "its standard error",
    "representation": "1 − |f(x) − f(Tx)|² / (2 Var f) at the layer: 1 unchanged, 0 as far as another image",
}  # fmt: skip
Rows = list[tuple[Cell, ...]]
_FILLS = {"mirror": "mirrored", "edge": "continued from its edge", "wrap": "wrapped around", "gray": "gray, 0.5"}


@method(
    "Invariance",
    purpose="measure what transforms the answers do not mind",
    shows=(
        "Read consistency, the share of answers that stay, beside accuracy: a network that always gives one answer is "
        "perfectly consistent. Magnitudes of different families cannot be compared, what is filled in at the border is "
        "seen as well, and bearing one transform says nothing of another. 40 forward passes over the images: as they "
        "are, under 35 transforms, and shifted by one pixel in four directions."
    ),
    source="Goodfellow et al. 2009, section 3; Zhang 2019, section 4.2; Azulay & Weiss 2019, figure 2",
    over="all",
)
def invariance(
    net: Net,
    data: Data,
    *,
    transforms: Annotated[
        tuple[Family, ...], Field(min_length=1, description="transforms to try, each over its magnitudes")
    ] = FAMILIES,
    border: Annotated[
        Border,
        Field(description="fill of what a transform uncovers: the image mirrored, its edge, wrapped, or gray 0.5"),
    ] = "mirror",
    layer: Annotated[
        LayerName | None, Field(description="layer whose representation is compared"), Default("the last but one")
    ] = None,
    other_nets: Annotated[
        NetsOption | None,
        Field(description="networks of the same classes to lay beside, such as before training with augmentation"),
        Default("none"),
    ] = None,
    seed: Seed = 0,
) -> Study:
    """Accuracy, consistency and representation under transforms: `transforms` has one row for each magnitude of each.

    Pixels are transformed as the network is shown them, after resizing and cropping. A curve for each family holds
    its lines (magnitudes,) with the untransformed images among them; errors are half the width of Wilson intervals
    over 1.96. `shifts` has the shifts by one pixel, under which aliasing shows; `symmetries` tells which transforms
    that lose no pixel change nothing but rounding; the grid `classes` has the change of accuracy of each class (rows)
    under each family (columns), a mean over its magnitudes. With `other_nets` each curve has their lines as well, and
    `networks` has one row for each network and family. Raises Refused for a regression.
    """
    name = layer or _last_but_one(net)
    shown = Shown(net, data)
    whole = shown.answers(layer=name)
    if whole.at is None or len(whole) < 2:
        raise PellucidError(f"invariance of {len(whole)} image: 2 at the least, the variance of a layer is over images")
    spread = float(whole.at.var(0, ddof=1).sum())
    channels = next(iter(shown.batches()))[0].shape[1]
    tried: tuple[Family, ...] = tuple(one for one in dict.fromkeys(transforms) if one != "jpeg" or channels in (1, 3))
    if not tried:
        raise PellucidError(f"transforms={transforms}: JPEG knows images of 1 or 3 channels, these have {channels}")
    rows, lost, own = Rows(), dict[str, list[Floats]](), dict[str, list[Answers]]()
    changes = {str(one): [change(one, by, border, seed) for by in KINDS[one].magnitudes] for one in tried}
    for family, i in steps([(one, i) for one in tried for i in range(len(KINDS[one].magnitudes))], "transforms"):
        found = shown.answers(change=changes[family][i], layer=name)
        rows.append((family, float(KINDS[family].magnitudes[i]), *_compared(whole, found, spread)))
        lost.setdefault(family, []).append(found.right.astype(float) - whole.right)
        own.setdefault(family, []).append(found.light)
    order = sorted(tried, key=lambda one: float(np.mean(lost[one])))
    tables = {
        "transforms": Table(dict(zip(_ROWS, zip(*rows, strict=True), strict=True)), _ROWS),
        "shifts": shifts(shown, whole, lambda x, down, right: placed(x, down, right, _size(x), border)),
        "symmetries": symmetries(net, shown),
    }
    curves = {str(one): curve_of(one, KINDS[one].axis, KINDS[one].identity, rows, whole) for one in order}
    words = _said(rows, order, lost, whole, tables)
    if other_nets is not None:
        more = under(shown, Nets.of(other_nets, net=net), changes)
        tables["networks"] = laid_beside({net.name: (whole, own), **more})
        words = (*words, *compared(tables["networks"]))
        for one in order:
            at = (KINDS[one].identity, *KINDS[one].magnitudes)
            added = [line for other, (still, each) in more.items() for line in lines(other, at, still, each[one])]
            curves[one] = replace(curves[one], lines=(*curves[one].lines, *added))
    notes = _notes(border, len(tried) < len({*transforms}), name, len(whole))
    meta = Meta(found={"layer": name, "accuracy": float(whole.right.mean()), "border": border}, notes=notes)
    return Study(words, curves, {"classes": by_class(net, whole, order, lost)}, tables, meta)


def _size(x: Tensor) -> tuple[int, int]:
    return x.shape[-2], x.shape[-1]


def _last_but_one(net: Net) -> str:
    names = net.layers(net.size).names
    return names[-2] if len(names) > 1 else names[-1]


def _compared(whole: Answers, found: Answers, spread: float) -> tuple[Cell, ...]:
    count = np.array([float(len(whole))])
    shares: list[float] = []
    for hits in (found.right, found.given == whole.given):
        shares += [float(hits.mean()), float(wilson_error(np.array([float(hits.sum())]), count)[0])]
    p, each = np.exp(whole.log_p), np.arange(len(whole))
    with np.errstate(invalid="ignore"):
        kl = np.where(p > 0, p * (whole.log_p - found.log_p), 0).sum(1)
    rise = float((np.exp(found.log_p[each, whole.given]) - p[each, whole.given]).mean())
    apart = 0.0 if whole.at is None or found.at is None else float(((whole.at - found.at) ** 2).sum(1).mean())
    same = 1 - apart / (2 * spread) if spread > 0 else None
    return (*shares, rise, _known(kl.mean()), _known(error_of_mean(kl)), same)


def _known(value: Floats | float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _said(
    rows: Rows, order: list[Family], lost: dict[str, list[Floats]], whole: Answers, tables: dict[str, Table]
) -> tuple[str, ...]:
    said = []
    for family in order:
        own = [row for row in rows if row[0] == family]
        worst = min(own, key=lambda row: float(row[2] or 0))
        mean = float(np.mean(lost[family]))
        said.append(
            f"{family}: accuracy changes by {mean:+.1%} on average, and is {float(worst[2] or 0):.1%} "
            f"± {float(worst[3] or 0):.1%} at {float(worst[1] or 0):g}, from {float(whole.right.mean()):.1%}"
        )
    exact = [row["symmetry"] for row in tables["symmetries"].rows if row["exact"]]
    least = min(tables["shifts"].rows, key=lambda row: float(row["consistency"] or 0))
    share = 1 - float(least["consistency"] or 0)
    said.append(f"a shift by one pixel ({least['shift']}) changes {share:.1%} of the answers")
    said.append(f"exact symmetries: {', '.join(map(str, exact))}" if exact else "no transform is an exact symmetry")
    return tuple(said)


def _notes(border: Border, left_out: bool, layer: str, images: int) -> tuple[Note, ...]:
    reading = f"what a transform uncovers is {_FILLS[border]}; pixels are clipped to 0 to 1; over {images} images"
    said = (Note("reading", reading), Note("choice", f"the representation is that of layer {layer}"))
    return (*said, Note("refused", "JPEG is left out: it knows images of 1 or 3 channels")) if left_out else said
