"""What an index knows of one unit in numbers, without looking at an image or running the network."""

from __future__ import annotations

import numpy as np

from pellucid.index.index import Index
from pellucid.index.unit import Unit


def facts(index: Index, unit: Unit) -> dict[str, float]:
    """Numbers by name, as a person would call them."""
    layer, channel = index[unit.layer], unit.channel
    layer.unit(channel)  # refuses one that there is not
    held = layer.moments
    median, high = layer.quantiles(channel, np.array([0.5, 0.995])).tolist()
    found = {
        "images": float(held.count[channel]),
        "strongest activation": float(held.greatest[channel]),
        "mean of the strongest in each image": float(held.max_mean[channel]),
        "mean activation": float(held.mean[channel]),
        "standard deviation": float(held.sd[channel]),
        "median": float(median),
        "exceeded at 1 place in 200": float(high),
    }
    chosen = float(layer.class_selectivity[channel])
    return found if np.isnan(chosen) else {**found, "class selectivity": chosen}


def silent(index: Index, unit: Unit) -> float:
    """The share of the images that do not excite it anywhere."""
    return float(index[unit.layer].moments.silent_share[unit.channel])


def best_classes(index: Index, unit: Unit, count: int) -> tuple[tuple[str, float], ...]:
    """The classes whose images excite it most, in the mean over their places; none where no means are kept."""
    layer = index[unit.layer]
    if not layer.has_class_means:
        return ()
    means = layer.class_means[:, unit.channel].astype(np.float64)
    order = [i for i in np.argsort(-np.nan_to_num(means, nan=-np.inf), kind="stable").tolist() if np.isfinite(means[i])]
    return tuple((index.classes[i], float(means[i])) for i in order[:count])
