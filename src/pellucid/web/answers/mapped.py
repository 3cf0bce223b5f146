"""The map of an index: where its images lie, small pictures of them, and what colors them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.draw.mapped import SIDE, sent, sheet_of
from pellucid.errors import PellucidError, Refused
from pellucid.index import Index
from pellucid.index.folds.thumbnails import framed
from pellucid.index.map import layout_of
from pellucid.layout.grid import assigned, polished, seams_of, sides_for
from pellucid.layout.quality import quality
from pellucid.net.classes import class_of
from pellucid.result import Embedding2D
from pellucid.result.arrays import arrays
from pellucid.web.answers.answer import Answer, Parts
from pellucid.web.answers.indexed import kept_side, labels_of, missing
from pellucid.web.session import Session

_SEED = 0
_GRID = 62_500
"""Images up to which there is a grid: smaller cells are no pictures."""
_NAMED = 200_000
"""Images up to which the page is given all names."""
_PERPLEXITY = 30.0


def mapped(here: Session, about: dict[str, Any], body: bytes) -> Parts:
    """Where the images lie, in an order drawn once, so that the first of them are a fair sample of all."""
    index, key = here.index(about["index"]), about.get("key")
    if key is None:
        yield {}, _linear(index, about.get("layer"), about["layout"])
        return
    found = here.store.get(key)
    if not isinstance(found, Embedding2D):
        raise PellucidError("this map is forgotten: ask again")
    notes = [note.text for note in found.meta.notes if note.topic != "choice"]
    said = {"layer": found.meta.layer, "layout": found.meta.options.get("method"), "notes": notes}
    grid = None if found.grid is None or len(found) > _GRID else (found.grid.cells, found.grid.seams)
    yield {}, _sent(index, said, found.images, found.values, dict(found.quality), grid)


@lru_cache(8)
def _linear(index: Index, layer: str | None, how: Any) -> bytes:
    rows, layout = layout_of(index, layer, how, _PERPLEXITY, _SEED)
    values, grid = np.asarray(layout.values), None
    if len(rows) <= _GRID:
        sides = sides_for(len(rows))
        cells = polished(values, assigned(values, sides), sides)
        grid = cells, seams_of(rows.values, cells, sides)
    said = {"layer": rows.layer, "layout": how, "notes": [note.text for note in rows.notes + layout.notes]}
    return _sent(index, said, rows.images, values, quality(rows.values, values, _SEED), grid)


def _sent(
    index: Index, said: Mapping[str, Any], images: NDArray[np.int64], values: NDArray[Any],
    kept: Mapping[str, float], grid: tuple[NDArray[Any], NDArray[Any]] | None,
) -> bytes:  # fmt: skip
    images, why = np.asarray(images), missing(index)
    names = index.names(images) if not why and len(images) <= _NAMED else ()
    about = {**said, "of": index.n_images, "classes": index.classes, "missing": why, "small": kept_side(index)}
    return sent(about, images, values, labels_of(index, images), names, kept, grid)


@lru_cache(4096)
def _small(index: Index, image: int, side: int) -> NDArray[np.uint8]:
    found: NDArray[np.uint8] = index.thumbnails([image], side)[0]
    return found


def thumbs(here: Session, about: dict[str, Any], body: bytes) -> Parts:
    """Small pictures side by side in one JPEG, in the order of the ids: what the network saw of each, gray where it is
    gone.
    """
    index, side = here.index(about["index"]), int(about.get("side", SIDE))
    ids = [index.image(one) for one in about["ids"]]
    there = not missing(index) or index.kept_thumbnails is not None
    yield {}, sheet_of([_or_gray(index, one, side, there) for one in ids])


def _or_gray(index: Index, image: int, side: int, there: bool) -> NDArray[np.uint8]:
    if there:
        with suppress(PellucidError, OSError):
            return _small(index, image, side)
    return framed(None, side)


def colored(here: Session, about: dict[str, Any], body: bytes) -> Parts:
    """A number for every image by which a map is colored: the largest activation of a unit, or the network's prediction
    beside the class that it should be. What was not measured is NaN, or −1.
    """
    index = here.index(about["index"])
    if about["by"] == "prediction":
        yield {}, _predicted(index)
        return
    layer = index[about["layer"]]
    layer.unit(int(about["channel"]))
    images, maxima = layer.sample
    values = np.full(index.n_images, np.nan, np.float32)
    values[images] = maxima[:, int(about["channel"])]
    known = values[np.isfinite(values)]
    ends = [float(known.min()), float(known.max())] if known.size else [0.0, 0.0]
    yield {}, arrays({"values": {"$": "values"}, "known": len(known), "ends": ends}, {"values": values})


@lru_cache(2)
def _predicted(index: Index) -> bytes:
    net = index.net
    last = next((name for name in reversed(index.layers) if not index[name].mapped), None)
    if last is None or index[last].channels != net.outputs or not index.has_sample:
        raise Refused("the index holds no outputs of the network: make it with the layer that gives its classes")
    images, scores = index[last].sample
    good = np.isfinite(scores).all(1)
    found = np.full(index.n_images, -1, np.int32)
    found[images[good]] = scores[good].argmax(1)
    truth, own = np.full(index.n_images, -1, np.int32), _classes(index)
    if own.size:
        labels = labels_of(index, np.asarray(images[good]))
        truth[images[good]] = np.where(labels >= 0, own[labels], -1)
    names = [net.labels.name(k) if net.labels is not None else str(k) for k in range(net.outputs)]
    right = (found == truth)[truth >= 0]
    said = {"known": int(good.sum()), "right": int(right.sum()), "judged": len(right), "names": names,
            "predictions": {"$": "predictions"}, "truth": {"$": "truth"}}  # fmt: skip
    return arrays(said, {"predictions": found, "truth": truth})


def _classes(index: Index) -> NDArray[np.int32]:
    """For each class of the images that of the network, −1 where it knows none of that name."""
    found = np.full(len(index.classes), -1, np.int32)
    for k, name in enumerate(index.classes):
        try:
            number = class_of(index.net, name, k, len(index.classes), None, "the index")
        except PellucidError:
            continue
        found[k] = -1 if number is None else number
    return found


ANSWERS: dict[str, Answer] = {"map": mapped, "thumbs": thumbs, "colored": colored}
