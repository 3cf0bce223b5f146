"""Whether maps tell a network that uses a thing in its images from one that does not, where the truth is known."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pellucid.data import Data
from pellucid.errors import Refused
from pellucid.evaluation.explainers import Explainers
from pellucid.evaluation.parts import Box, Regions
from pellucid.evaluation.reasons import reasons
from pellucid.net import Net
from pellucid.notes import Note, say
from pellucid.result import Table
from pellucid.result.table import Cell
from pellucid.statistics import auroc

_CELLS = 4
HELP = {
    "method": "attribution method with its options, or a map that knows no network",
    "found": "chance that more of the attribution lies on the tag for the network that uses it than for its twin, over "
    "pairs of images: 1 finds the bias, 0.5 does not",
    "error": "standard error of that (DeLong 1988)",
    "share": "of the absolute attribution what lies on the tag, for the network that uses it, mean over the images",
    "twin": "the same for the network that does not",
    "baseline": "whether the map knows no network",
}


def told_apart(biased: Net, twin: Net, images: Data, of: Explainers, box: Box, seed: int) -> Table:
    """A row for each method and baseline, the best first; those that refuse the networks are left out, and said."""
    rows = sorted(_rows(biased, twin, images, of.with_baselines(), box, seed), key=lambda row: -float(row[1] or 0))
    return Table(dict(zip(HELP, zip(*rows, strict=True), strict=True)), HELP, (), ("found",), errors={"found": "error"})


def _rows(biased: Net, twin: Net, images: Data, of: Explainers, box: Box, seed: int) -> Iterator[tuple[Cell, ...]]:
    tag, which = Regions("tag", (box,)), range(len(images))
    for one in of.each:
        try:
            found = [
                reasons(net, images.on(net), Explainers((one,)), which, _CELLS, seed, {"tag": tag}).shares["tag"]
                for net in (biased, twin)
            ]
        except Refused as error:
            say(Note("refused", f"{one.name}: {error}"))
            continue
        area, error_of = auroc(*found)
        yield one.name, area, error_of, *(float(np.mean(shares)) for shares in found), one.is_baseline
