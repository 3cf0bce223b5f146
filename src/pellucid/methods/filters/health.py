"""Which filters of a layer are worth something: noise, dead ones and duplicates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from jaxtyping import Float
from pydantic import Field

from pellucid.catalogue import method
from pellucid.described import Default
from pellucid.methods.filters import _noise
from pellucid.methods.filters._twice import nearest, threshold
from pellucid.methods.filters.weights import NEAR_ZERO, Convolution, first, gains, named
from pellucid.net import LayerName, Net
from pellucid.result import Meta, Table
from pellucid.result.table import Cell
from pellucid.rng import Seed

_CHANCE = 0.05  # a filter that random ones beat more often than this cannot be told from them
_FAR = 4.0  # standard errors from random weights: a layer of random ones gets there once in ten thousand times
_ILL = 0.1  # of the filters noise: an ill-trained layer
_ABOUT = {
    "filter": "its number in the layer",
    "norm": "Euclidean norm of its weights",
    "gain": "|γ| / √(σ² + ε) of the batch norm that runs next: how much that enlarges what the filter gives",
    "smoothness": "1 − (mean squared step between neighbors) / (2 × mean square): 1 constant, 0 as white noise",
    "coherence": "share of its energy in one spatial pattern that all its channels have in common",
    "chance": "how likely a random-initialized twin is as far from random in smoothness or coherence",
    "twin": "the filter most like it among those that read the same channels",
    "cosine": "between it and its twin: 1 is the same but for its strength",
    "verdict": "not finite, near zero, noise, duplicate, fine, or small (too few weights to be judged one by one)",
}


@method(
    "Filter health",
    purpose="find noisy, near-zero and duplicate filters",
    shows=(
        "A small chance means that random weights of the same shape seldom differ as much from the usual smoothness or "
        "coherence, so the filter was learned; a large one means noise. Weights alone are judged: a fine filter need "
        "not matter to any answer, and about one random filter in twenty passes as fine. One forward pass of a blank "
        "image finds the layer; the rest is a comparison with 2,000 random filters."
    ),
    source="Zeiler & Fergus 2013, section 4.1; von Neumann 1941, equation 1",
)
def health(
    net: Net,
    *,
    layer: Annotated[LayerName | None, Field(description="convolution to examine"), Default("the first")] = None,
    seed: Seed = 0,
) -> Table:
    """Noisy, near-zero and duplicated filters of a convolution: one row for each of its F filters, and a verdict.

    A well-trained filter is smooth in space, or its channels agree on one pattern; random weights are neither.
    Each filter is compared with 2000 random twins of its shape: `chance` is the share of them that are as far out
    as it is, and a filter is noise where that is above 5 %. Of a layer of random weights nearly all filters are
    noise, of a well-trained first layer nearly none; noisy filters beside good ones mean that the network was
    trained too shortly, with too little data, or with too large a step. Filters of fewer than 27 weights can be
    random by chance: they are judged together only, by how far the layer's means lie from those of random weights,
    in standard errors. Filters of 1 × 1 have no neighbors, so that their smoothness is unknown (None).

    A filter is near zero where its norm, times the gain of a batch norm behind it, is below 5 % of the layer's
    median; it is a duplicate where its cosine with another one is 0.95 or more, and it is the weaker of the two.
    What to do about it stands in `findings`.
    """
    found = named(net, layer) if layer is not None else first(net)
    wide = found.values.astype(np.float64)
    numbers, random = _noise.measured(wide), _noise.twins(wide.shape[1:], seed)
    chance, far = _noise.chances(numbers, random), _noise.distance(numbers, random)
    gain, norms = gains(net, found), found.norms
    effect = norms * gain if gain is not None else norms
    twin, cosine = nearest(wide, found.inputs)
    alike = threshold(wide[0].size, len(wide))
    judged = wide[0].size >= _noise.ENOUGH
    verdicts = []
    weak = effect < NEAR_ZERO * float(np.nanmedian(effect)) if np.isfinite(effect).any() else effect > 0
    for unit in range(len(wide)):
        twice = alike is not None and cosine[unit] >= alike and not weak[twin[unit]]
        weaker = twice and (effect[unit], -unit) < (effect[twin[unit]], -twin[unit])
        verdicts.append(
            "not finite" if np.isnan(norms[unit])
            else "near zero" if weak[unit] or not effect[unit]
            else "noise" if judged and chance is not None and not chance[unit] <= _CHANCE
            else "duplicate" if weaker
            else "fine" if judged and chance is not None
            else "small"
        )  # fmt: skip
    columns: dict[str, tuple[Cell, ...]] = {
        "filter": tuple(range(len(wide))),
        "norm": _cells(norms),
        "gain": _cells(gain if gain is not None else np.full(len(wide), np.nan)),
        "smoothness": _cells(numbers.smoothness if numbers.smoothness is not None else np.full(len(wide), np.nan)),
        "coherence": _cells(numbers.coherence if numbers.coherence is not None else np.full(len(wide), np.nan)),
        "chance": _cells(chance if chance is not None else np.full(len(wide), np.nan)),
        "twin": tuple(int(other) if other >= 0 else None for other in twin),
        "cosine": _cells(cosine),
        "verdict": tuple(verdicts),
    }
    pictured = [name for name in ("norm", "smoothness", "coherence", "cosine") if any(columns[name])]
    return Table(
        columns,
        _ABOUT,
        _said(found, verdicts, numbers, random, far, judged),
        tuple(pictured),
        tuple(unit for unit, verdict in enumerate(verdicts) if verdict not in ("fine", "small")),
        Meta(found={"layer": found.name}, notes=found.notes),
    )


def _said(
    found: Convolution, verdicts: Sequence[str], numbers: _noise.Measured, random: _noise.Measured, far: float | None,
    judged: bool,
) -> tuple[str, ...]:  # fmt: skip
    """The layer in plain words: what it looks like as a whole, then each fault with the filters that have it."""
    lines, count = [], len(verdicts)
    noise = [unit for unit, verdict in enumerate(verdicts) if verdict == "noise"]
    if far is None:
        lines.append(f"layer {found.name}: filters of {_shape(found)} have no places, so noise cannot be told")
    elif far < _FAR:
        lines.append(
            f"layer {found.name} cannot be told from random weights: it is untrained ({_means(numbers, random)})"
        )
    else:
        ill = len(noise) >= _ILL * count
        what, many = "ill trained" if ill else "trained", "is" if len(noise) == 1 else "are"
        lines.append(
            f"layer {found.name} is {what}: {len(noise) or 'none'} of its {count} filters {many} noise "
            f"({_means(numbers, random)})"
            if judged
            else f"layer {found.name} is no random layer ({_means(numbers, random)}); "
            f"with {found.values[0].size} weights each, its filters cannot be told from noise one by one"
        )
        if ill:
            lines.append(f"noise: {_listed(noise)}; train longer, with more data or a smaller step, or prune them")
    for verdict, advice in (
        ("not finite", "the weights hold NaN or infinity: training has diverged, go back to an earlier checkpoint"),
        ("near zero", "they hardly depend on the picture and can be pruned"),
        ("duplicate", "another filter does the same and stronger; they can be merged"),
    ):
        which = [unit for unit, one in enumerate(verdicts) if one == verdict]
        if which:
            lines.append(f"{len(which)} of {count} filters {verdict} ({_listed(which)}): {advice}")
    return tuple(lines)


def _means(numbers: _noise.Measured, random: _noise.Measured) -> str:
    """What the verdict on the whole layer goes by."""
    parts = []
    for name in ("smoothness", "coherence"):
        mine, theirs = getattr(numbers, name), getattr(random, name)
        if mine is not None and np.isfinite(mine).any():
            error = theirs.std() / np.isfinite(mine).sum() ** 0.5
            parts.append(
                f"mean {name} {np.nanmean(mine):.2f}, of random weights {abs(theirs.mean()):.2f} ± {error:.2f}"
            )
    return ", ".join(parts)


def _shape(found: Convolution) -> str:
    return " × ".join(map(str, found.values.shape[2:]))


def _listed(units: Sequence[int]) -> str:
    return ", ".join(map(str, units[:12])) + (f" and {len(units) - 12} more" if len(units) > 12 else "")


def _cells(values: Float[np.ndarray, " filters"]) -> tuple[Cell, ...]:
    return tuple(float(value) if np.isfinite(value) else None for value in values)
