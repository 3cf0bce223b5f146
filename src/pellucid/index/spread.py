"""Images from every tenth of a unit's range: what it does between its extremes."""

from __future__ import annotations

import numpy as np

from pellucid.index.folds.extremes import TopImages
from pellucid.index.index import Index
from pellucid.index.patches import patches
from pellucid.index.received import received
from pellucid.index.unit import Unit
from pellucid.result import Patches
from pellucid.rng import generator

TENTHS = 10


def spread(index: Index, unit: Unit, *, each: int = 1, seed: int = 0) -> Patches:
    """(10 × each,) patches, `each` drawn at random from every tenth of the index's random images, weakest first."""
    return patches(index, unit, drawn(index, unit, each=each, seed=seed))


def drawn(index: Index, unit: Unit, *, each: int = 1, seed: int = 0) -> TopImages:
    """The images of a spread, and where in them the unit is strongest.

    The images are ranked by the unit's largest activation; where in them it lies is found by running the network.
    """
    images, maxima = index[unit.layer].sample
    known = np.isfinite(maxima[:, unit.channel])
    ranked = images[known][np.argsort(maxima[known, unit.channel], kind="stable")]
    chosen = []
    for k, tenth in enumerate(np.array_split(ranked, TENTHS)):
        some = generator(seed, "spread", k).choice(len(tenth), min(each, len(tenth)), replace=False)
        chosen += tenth[np.sort(some)].tolist()
    layer = index[unit.layer].name
    values, places, read = [], [], []
    for image in chosen:
        picture = index.readable(image)
        if picture is None:
            continue
        read.append(image)
        maps, before = received(index, index.net.prepare(picture), [layer])[layer]
        places.append(int(before[unit.channel].argmax()))
        values.append(float(maps[unit.channel].flatten()[places[-1]]))
    return TopImages(np.array(values, np.float32), np.array(read, np.int64), np.array(places, np.int32))
