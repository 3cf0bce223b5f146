"""Similar units: those that the same images excite."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field

from pellucid.catalogue import method
from pellucid.described import Default
from pellucid.errors import PellucidError
from pellucid.index import Index
from pellucid.index.crops import strongest
from pellucid.index.unit import Unit
from pellucid.result import Meta, Table

_TOP = 100  # images that are compared


@method(
    "Similar units",
    purpose="find the units most like a given one",
    shows=(
        "A high correlation says that the largest activations of both units rise and fall over the same images. It "
        "does not say that they look for the same thing: sheep and grass come in the same photos, and places are not "
        "compared. Of a unit that is silent in most images the correlation rests on the few others. No network is run; "
        "with metric=activation it is one forward pass over up to 100 strongest images of the unit."
    ),
    source="Rafegas, Vanrell, Alexandre & Arias 2020, section 4; Li et al. 2016, section 2",
    over="all",
)
def similar(
    index: Index,
    unit: Unit,
    *,
    count: Annotated[int, Field(ge=1, description="number of units to list")] = 10,
    among: Annotated[
        Literal["layers", "layer"],
        Field(description="units to search: those of all layers, or of the unit's own layer", examples=["layer"]),
    ] = "layers",
    metric: Annotated[
        Literal["correlation", "activation"],
        Field(
            description="measure of similarity: correlation of the maxima over all images, or activation on the unit's "
            "strongest patches (same layer)"
        ),
    ] = "correlation",
    max_images: Annotated[
        int | None,
        Field(ge=2, description="maximum number of random images that a correlation is taken over", examples=[1000]),
        Default("all that the index keeps a sample of"),
    ] = None,
) -> Table:
    """The units that are excited by what excites this one, most alike first: one row for each.

    Correlation is Pearson's, of the largest activations of both units over the random images of the index; no
    network is run. With `max_images` it is over so many of them, always the same: of n images a correlation r has a
    standard error of about (1 − r²)/√n. Shared is how many images are among the strongest of both. With
    metric="activation" the network is shown the unit's strongest images and every unit of its layer is read where this
    one is strongest: Σ a' / Σ a, with a' the other unit's activations there and a those on its own strongest images
    (as many). 1 means that they excite it as much as its own best. It is not symmetric, and it sees whether both want
    the same at the same place, which a correlation over images does not.

    Units that are the same everywhere have no correlation and are left out.
    """
    own = index[unit.layer].name
    index[own].unit(unit.channel)  # refuses one that there is not
    chosen = index.layers if among == "layers" and metric == "correlation" else (own,)
    alike = _correlations(index, unit, chosen, max_images)
    names = [(layer, channel) for layer in chosen for channel in range(index[layer].channels)]
    reached = _reached(index, unit) if metric == "activation" else None
    ranked = alike if reached is None else reached
    order = np.argsort(-np.where(np.isnan(ranked), -np.inf, ranked), kind="stable")
    best = [i for i in order.tolist() if names[i] != (own, unit.channel) and np.isfinite(ranked[i])][:count]
    if not best:
        raise PellucidError(f"{unit} is like no other unit: it, or all others, are the same on every image")
    columns: dict[str, tuple[str | float | int | None, ...]] = {
        "unit": tuple(f"{names[i][0]}:{names[i][1]}" for i in best)
    }
    if reached is not None:
        columns["activation"] = tuple(float(reached[i]) for i in best)
    columns["correlation"] = tuple(None if np.isnan(alike[i]) else float(alike[i]) for i in best)
    columns["shared"] = tuple(_shared(index, unit, Unit(*names[i])) for i in best)
    probe = len(index[own].sample_of(max_images)[0])
    about = {
        "unit": "layer and channel",
        "activation": f"on the best patches of {unit}, of what it does on its own",
        "correlation": f"of the largest activations, over {probe} random images",
        "shared": f"images among the {min(index.n_kept, _TOP)} strongest of both",
    }
    pictured = ("activation", "correlation") if reached is not None else ("correlation",)
    return Table(columns, {name: about[name] for name in columns}, plot_columns=pictured, meta=Meta())


def _correlations(index: Index, unit: Unit, layers: tuple[str, ...], most: int | None) -> NDArray[np.float64]:
    """(units of these layers,) Pearson's correlation with the unit over the probe; NaN where a unit is constant."""
    mine = index[unit.layer].sample_of(most)[1][:, unit.channel].astype(np.float64)
    there = np.isfinite(mine)
    own = _centered(mine[there, None].astype(np.float32))
    found = []
    for layer in layers:
        centered = _centered(index[layer].sample_of(most)[1][there])
        scale = _length(own) * _length(centered)
        known = scale > 1e-9 * max(len(own), 1)
        found.append(np.where(known, (own[:, 0] @ centered) / np.where(known, scale, 1), np.nan))
    return np.concatenate(found).clip(-1, 1)


def _length(centered: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.asarray(np.sqrt(np.einsum("pu,pu->u", centered, centered, dtype=np.float64)))


def _centered(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Columns as shares of their largest magnitude, their means subtracted; zero where one is not finite."""
    peak = np.abs(values).max(0, initial=0)
    good = np.isfinite(peak) & (peak > 0)
    shares = np.where(good, values, 0) / np.where(good, peak, 1)
    centered: NDArray[np.float32] = shares - shares.mean(0, dtype=np.float64).astype(np.float32)
    return centered


def _reached(index: Index, unit: Unit) -> NDArray[np.float64]:
    """(units of the layer,) Σ of their activations on the unit's best patches over Σ of those on their own best."""
    layer = index[unit.layer]
    top = strongest(index, unit, min(_TOP, index.n_kept))
    sums, count = np.zeros(layer.channels), 0
    for batch in index.over(top.images, layers=[layer.name], stop=True):
        maps = batch.run.at[layer.name].detach()
        places = torch.from_numpy(top.places[list(batch.numbers)]).long()
        values = maps.reshape(len(batch), layer.channels, -1)[torch.arange(len(batch)), :, places]
        sums += values.double().sum(0).cpu().numpy()
        count += len(batch)
    best = layer.strongest(count).values.astype(np.float64)
    own = np.where(np.isfinite(best), best, 0).sum(1)
    return np.where(own > 0, sums / np.where(own > 0, own, 1), np.nan)


def _shared(index: Index, one: Unit, other: Unit) -> int:
    """How many images are among the strongest of both, and excite both."""
    tops = [index[unit.layer].top(unit.channel, _TOP) for unit in (one, other)]
    a, b = (top.images[top.values > 0] for top in tops)
    return len(np.intersect1d(a, b))
