"""Surrogate: a network cut at a layer, and a linear model of the score in terms of what the layer hands on."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import torch
from pydantic import Field

from pellucid.catalogue import method
from pellucid.described import Default
from pellucid.errors import PellucidError
from pellucid.images import Images
from pellucid.net import LayerName, Net
from pellucid.net.rules.elementwise import upcast
from pellucid.notes import Note
from pellucid.result import Heatmap
from pellucid.rng import Seed, generator
from pellucid.saliency.fits import constrained, every_coalition, kernel, near_one, paired
from pellucid.saliency.fits import surrogate as linear
from pellucid.saliency.heatmaps import heatmap
from pellucid.saliency.inner import LayerGame, Players, factored
from pellucid.saliency.layers import chosen_layer
from pellucid.target import BEST, Target, fixed, scored

_GROUPS, _WIDTH, _RIDGE, _TOLD = 8, 0.25, 1e-6, 5
"""Groups of channels, width of LIME's kernel, its penalty, and players that a note names."""
Fitted = tuple[np.ndarray, np.ndarray, float | None]


@method(
    "Surrogate at a layer",
    purpose="fit a linear model to what a layer hands on",
    shows=(
        "What comes after the layer is explained in terms of the layer: a positive player raises the score. Read R² "
        "first, how much of the score the linear model explains, and the agreement of two draws. The map spreads each "
        "coefficient over the places where its player is active, so it shows where the layer's evidence lies, and not "
        "which pixels made it. A layer with players hidden is a state that the network was not trained on. Two times "
        "1,000 passes from the layer on."
    ),
    source="Ribeiro, Singh & Guestrin 2016, equation 1; Lundberg & Lee 2017, theorem 2 (section 4.1)",
    quick={"samples": 200},
)  # fmt: skip
def surrogate(
    net: Net,
    images: Images,
    target: Target = BEST,
    *,
    layer: Annotated[
        LayerName | None,
        Field(description="layer at which the network is cut", examples=["blocks.4"]),
        Default("the last layer with spatial maps"),
    ] = None,
    players: Annotated[
        Players,
        Field(description="parts that are shown or hidden: 8 groups of channels active together, channels, or cells"),
    ] = "groups",
    fit: Annotated[
        Literal["lime", "shapley"],
        Field(description="linear model: LIME's near the image, or the one whose coefficients are Shapley values"),
    ] = "lime",
    samples: Annotated[int, Field(ge=4, le=10**6, description="number of coalitions of players")] = 1000,
    hidden: Annotated[
        Literal["zero", "mean"],
        Field(description="activation of what is hidden: zero, or the mean over places of each channel"),
    ] = "zero",
    seed: Seed = 0,
) -> Heatmap:
    """Coefficients of players of a layer, spread over the places where they are active: (N, rows, columns), signed.

    Players are groups of channels (non-negative factors of the layer's activation; what they leave is always shown),
    channels or cells. For `lime` each is shown with probability ½ and the model weighted by the cosine distance (width
    0.25, a penalty of 1e-6); for `shapley` coalitions are drawn by the Shapley kernel in pairs, or all are asked. Where
    the rest of the network is linear in the layer the coefficients are exact. The sum of the map is that of the
    coefficients. Notes name the strongest players with their standard errors; `Meta.found` has R² and the correlation
    with the coefficients of a second draw. Refused for groups of a layer with negative activations.
    """
    prepared = net.prepare(images)
    chosen = chosen_layer(net, prepared, target.layers, layer, "auto")
    maps, scores, every, notes = list[torch.Tensor](), list[torch.Tensor](), list[Target](), list[Note](chosen.note)
    fits, agreements = list[float](), list[float]()
    for one in prepared:
        run = net.run(one.pixels, layers=(chosen.name, *target.layers))
        asked, activation = fixed(target, run), upcast(run[chosen.name][0].detach())
        under = activation.mean((1, 2), keepdim=True).expand_as(activation) if hidden == "mean" else activation * 0
        groups = factored(activation, _GROUPS, seed, chosen.name) if players == "groups" else None
        game = LayerGame(net, one.ids[0], one.pixels, chosen.name, activation, under, asked, players, groups)
        values, errors, r2 = _fitted(game, fit, samples, seed)
        again, _, _ = _fitted(game, fit, samples, seed + 1)
        maps.append(game.spread(values))
        scores.append(scored(asked, run).detach())
        every.append(asked)
        fits += [] if r2 is None else [r2]
        agreements.append(_correlation(values, again))
        notes.append(Note("sampling", _told(game, values, errors, r2, agreements[-1]), one.ids[0]))
    found = {"agreement": tuple(agreements), **({"R2": tuple(fits)} if fits else {})}
    return heatmap(
        net, prepared, target, torch.stack(maps), chosen.placement, torch.cat(scores), unit=target.unit_of(net),
        asked=every, notes=tuple(notes), found={"layer": chosen.name, **found},
    )  # fmt: skip


def _fitted(game: LayerGame, fit: str, samples: int, seed: int) -> Fitted:
    """(coefficients, standard errors, R² of LIME's model)."""
    n, chance = game.players, generator(seed, game.image, "surrogate")
    if samples < n + 2 and not (fit == "shapley" and n < 63 and 2**n - 2 <= samples):
        raise PellucidError(
            f"samples={samples} for the {n} {game.kind} of layer {game.layer!r}: at least {n + 2} are needed, and many "
            "more are better; groups are few"
        )
    if fit == "lime":
        shown = chance.integers(0, 2, (samples, n)).astype(bool)
        shown[0] = True
        return linear(shown.astype(float), game.worth(shown), near_one(shown, _WIDTH), _RIDGE)
    nothing, everything = game.worth(np.array([[False], [True]]).repeat(n, axis=1))
    exact = n < 63 and 2**n - 2 <= samples
    shown = every_coalition(n) if exact else paired(n, samples // 2, chance)
    weights = kernel(n)[shown.sum(1) - 1] if exact else np.ones(len(shown))
    change = float(everything - nothing)
    values, errors = constrained(shown, game.worth(shown) - nothing, weights, change, game.image, game.kind)
    return values, np.zeros(n) if exact else errors, None


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson's; 1 where both are the same throughout."""
    if len(a) < 2 or not (a.std() and b.std()):
        return float(np.allclose(a, b))
    return float(np.corrcoef(a, b)[0, 1])


def _told(game: LayerGame, values: np.ndarray, errors: np.ndarray, r2: float | None, agreement: float) -> str:
    name = {"groups": "group ", "channels": f"{game.layer}:", "cells": "cell "}[game.kind]
    best = np.argsort(-np.abs(values), kind="stable")[:_TOLD]
    said = ", ".join(f"{name}{k} {values[k]:+.3g} ± {errors[k]:.2g}" for k in best.tolist())
    fit = "" if r2 is None else f"R² = {r2:.2f}, "
    return f"{game.players} {game.kind} of {game.layer}: {fit}agreement of two draws {agreement:.2f}; {said}"
