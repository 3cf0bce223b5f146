"""Indexes: what each holds, its units as a table, one unit in parts, and its images."""

from __future__ import annotations

import base64
import io
import math
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pellucid.draw.unit_pages import rebinned
from pellucid.errors import PellucidError, Refused, UnknownName, unknown
from pellucid.files import unplaced
from pellucid.index import Index, TopImages, Unit
from pellucid.index.facts import best_classes, facts, silent
from pellucid.index.folds.labels import ClassLabels
from pellucid.index.patches import exciting, field
from pellucid.index.query import ABOUT
from pellucid.index.selectivity import INDEXES
from pellucid.index.spread import drawn
from pellucid.methods.units.neuron_feature import neuron_feature
from pellucid.methods.units.reconstruction import reconstruction
from pellucid.methods.units.similar import similar
from pellucid.result.arrays import arrays
from pellucid.result.patches import Box, cropped
from pellucid.web.answers.answer import Answer, Parts
from pellucid.web.answers.pictures import jpeg
from pellucid.web.session import Session

_TOP, _CLASSES, _LIKE, _FEATURE = 9, 8, 8, 50
_BESIDE = 1000
"""Random images over which units are compared: a correlation of 0.9 is then known to 0.006."""
_SMALL = 96
"""Pixels of the longer side of a crop up to which it is sent without loss."""
_AGAIN = 20.0
"""Seconds after which images that were gone are looked for again."""
_COLUMNS = ("mean", "sd", "max_mean", "max_sd", "least", "greatest")
_HOLDS: dict[str, Callable[[Any, float], Any]] = {
    "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal, "=": np.equal,
}  # fmt: skip
_GONE: dict[Index, tuple[float, str]] = {}


def missing(index: Index) -> str:
    """Why the images of an index cannot be shown; empty where they can."""
    tried, why = _GONE.get(index, (-math.inf, ""))
    if time.monotonic() - tried > _AGAIN:
        why = ""
        try:
            index.source  # noqa: B018  # found once, it stays
        except PermissionError:  # of the walls, whose words name no place
            why = "the images of this index lie where this server may not read"
        except (PellucidError, OSError) as error:
            why = _words(index, error)
        if why:
            _GONE[index] = time.monotonic(), why
    return why


def kept_side(index: Index) -> int:
    """Pixels of the small pictures that an index keeps, whatever became of its images; 0: none."""
    return 0 if index.kept_thumbnails is None else index.kept_thumbnails.side


def labels_of(index: Index, images: NDArray[np.int64]) -> NDArray[np.int64]:
    """Numbers of the classes of images, −1 where they are not known, or not any more."""
    known = index.has(ClassLabels) or not missing(index)
    return index.labels(images) if known else np.full(len(images), -1)


def _words(index: Index, error: Exception) -> str:
    """What went wrong, without the folders of this machine."""
    place = index.moved or index.plan.source.partition(":")[2]
    return str(error).replace(place, PurePath(place).name) if place else str(error)


def opened(here: Session, about: dict[str, Any], body: bytes) -> Parts:
    """What an index holds."""
    index = here.index(about["index"])
    embedded = set(_embedded(index))
    layers = [
        {"name": one, "units": index[one].channels, "places": list(index[one].places), "embedded": one in embedded}
        for one in index.layers
    ]
    yield {
        "name": unplaced(index.name), "identity": index.identity[:12], "pictures": index.n_images,
        "unreadable": len(index.unreadable), "layers": layers, "classes": len(index.classes), "kept": index.n_kept,
        "sampled": len(index[index.layers[0]].sample[0]) if index.has_sample else 0,
        "size": list(index.image_size), "missing": missing(index), "small": kept_side(index),
        "notes": [unplaced(str(one)) for one in index.notes],
    }, b""  # fmt: skip


def _embedded(index: Index) -> tuple[str, ...]:
    try:
        return index.embedded
    except PellucidError:
        return ()


def units(here: Session, about: dict[str, Any], body: bytes) -> Parts:
    """The units of a layer as columns: those that all conditions hold for, in the order of one column."""
    index = here.index(about["index"])
    held = _columns(index, about["layer"])
    kept = np.ones(len(held["channel"]), bool)
    for column, operation, bound in about.get("where", ()):
        values = _column(held, column)
        if values.dtype.kind not in "if":
            raise PellucidError(f"{column} is no number: the numbers are {', '.join(_numbers(held))}")
        with np.errstate(invalid="ignore"):
            kept &= _HOLDS[operation](values, float(bound))
    rows = np.flatnonzero(kept)
    values = _column(held, about.get("sort", "channel"))[rows]
    unknowns = np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(rows), bool)
    order = np.lexsort((rows, _ranked(values, bool(about.get("descending"))), unknowns))
    start, count = int(about.get("start", 0)), int(about.get("count", 100))
    shown = rows[order][start : start + count]
    yield {
        "layer": index[about["layer"]].name, "of": len(kept), "found": len(rows), "start": start,
        "columns": {name: [_cell(one) for one in values[shown].tolist()] for name, values in held.items()},
        "about": {name: ABOUT[name] for name in held},
    }, b""  # fmt: skip


def _columns(index: Index, layer: str) -> dict[str, NDArray[Any]]:
    """Column -> one value for each unit of the layer, of what is known without looking at an image."""
    asked = index[layer]
    held: dict[str, NDArray[Any]] = {"channel": np.arange(asked.channels)}
    held |= {name: np.asarray(getattr(asked.moments, name)) for name in _COLUMNS}
    held["silent"] = asked.moments.silent_share
    if index.classes:
        held["class_selectivity"] = np.asarray(asked.class_selectivity)
        held["best_class"] = np.array(index.best_class[asked.units])
    color = index.kept(INDEXES[0])
    if color is not None and len(color) == index.n_units:
        held["color_selectivity"] = np.asarray(color[asked.units])
    return held


def _column(held: Mapping[str, NDArray[Any]], name: str) -> NDArray[Any]:
    if name not in held:
        raise unknown("column", name, held)
    return held[name]


def _numbers(held: Mapping[str, NDArray[Any]]) -> list[str]:
    return [name for name, values in held.items() if values.dtype.kind in "if"]


def _ranked(values: NDArray[Any], descending: bool) -> NDArray[Any]:
    ranks = values if values.dtype.kind in "if" else np.asarray(np.unique(values, return_inverse=True)[1])
    return -ranks if descending else ranks


def _cell(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _rows(index: Index, unit: Unit, top: TopImages) -> dict[str, Any]:
    """Images of a unit with what its cell sees in each, in pixels of the network's input."""
    layer, why = index[unit.layer], missing(index)
    images = np.asarray(top.images, np.int64)
    names = index.names(images) if not why else (None,) * len(images)
    labels = [None if k < 0 else index.classes[k] for k in labels_of(index, images).tolist()]
    boxes = [field(layer.placement, layer.places, place, index.image_size) for place in top.places.tolist()]
    rows = zip(images.tolist(), top.values.tolist(), names, labels, boxes, strict=True)
    gated = layer.placement is not None and layer.placement.gated
    return {
        "rows": [dict(zip(("image", "value", "name", "label", "box"), row, strict=True)) for row in rows],
        "size": list(index.image_size), "missing": why,
        "note": "through a gate every other pixel of the image reaches the unit, too" if gated else "",
    }  # fmt: skip


def _about(index: Index, unit: Unit) -> dict[str, Any]:
    layer = index[unit.layer]
    found, best = facts(index, unit), index.best_class[layer.unit(unit.channel)]
    color = index.kept(INDEXES[0])
    if color is not None and len(color) == index.n_units:
        found["color selectivity"] = float(color[layer.unit(unit.channel)])
    seen = layer.placement
    return {
        "layer": layer.name, "channel": unit.channel, "channels": layer.channels, "places": list(layer.places),
        "sees": None if seen is None or not layer.mapped else [round(one, 1) for one in seen.patch],
        "signed": layer.signed, "best_class": best, "silent": silent(index, unit),
        "facts": {name: _cell(value) for name, value in found.items()},
    }  # fmt: skip


def _histogram(index: Index, unit: Unit) -> dict[str, Any]:
    """Shares of the sampled places, in equal steps from the lowest to the highest activation."""
    edges, counts = index[unit.layer].histogram(unit.channel)
    shares, ends = rebinned(counts, edges)
    return {"shares": shares.tolist(), "ends": ends, "places": int(counts.sum())}


def _weakest(index: Index, unit: Unit) -> dict[str, Any]:
    if not index[unit.layer].signed or not index.n_weakest:
        return {"rows": [], "missing": "", "note": ""}
    return _rows(index, unit, index[unit.layer].bottom(unit.channel, min(5, index.n_weakest)))


def _best(index: Index, unit: Unit) -> dict[str, Any]:
    found = best_classes(index, unit, _CLASSES)
    return {"rows": [{"name": name, "mean": mean} for name, mean in found], "of": len(index.classes)}


def _feature(index: Index, unit: Unit) -> dict[str, Any]:
    found = neuron_feature(index, unit, count=min(_FEATURE, index.n_kept))
    pixels = np.asarray(found.pixels[0])
    picture = base64.b64encode(png(pixels)).decode()
    notes = [note.text for note in found.meta.notes]
    return {"picture": f"data:image/png;base64,{picture}", "size": list(pixels.shape[:2]), "notes": notes}


def _similar(index: Index, unit: Unit) -> dict[str, Any]:
    found = similar(index, unit, count=_LIKE, max_images=_BESIDE)
    rows = []
    for name, correlation, shared in zip(found["unit"], found["correlation"], found["shared"], strict=True):
        one = Unit.of(str(name))
        patch = _rows(index, one, exciting(index, one, 1))["rows"]
        rows.append({"layer": one.layer, "channel": one.channel, "correlation": correlation, "shared": shared,
                     "patch": patch[0] if patch else None})  # fmt: skip
    return {"rows": rows, "about": dict(found.column_help), "missing": missing(index)}


def _spread(index: Index, unit: Unit) -> dict[str, Any]:
    if not index.has_sample:
        raise Refused("the index keeps no random images to show a spread of: make it with --sample 10000")
    return _rows(index, unit, drawn(index, unit))


QUICK: dict[str, Callable[[Index, Unit], dict[str, Any]]] = {
    "numbers": _about, "histogram": _histogram, "classes": _best, "weakest": _weakest,
    "top": lambda index, unit: _rows(index, unit, exciting(index, unit, min(_TOP, index.n_kept))),
}  # fmt: skip
"""Parts of a unit's page that are read from the index."""
SLOW: dict[str, Callable[[Index, Unit], dict[str, Any]]] = {"feature": _feature, "like": _similar, "spread": _spread}
"""Parts that read images, or run the network."""


def unit(here: Session, about: dict[str, Any], body: bytes) -> Parts:
    """A part of what is known of a unit."""
    index = here.index(about["index"])
    asked = Unit(index[about["layer"]].name, int(about["channel"]))
    index[asked.layer].unit(asked.channel)  # refuses one that there is not
    yield _or_why(index, lambda: {**QUICK, **SLOW}[about["part"]](index, asked)), b""


def _or_why(index: Index, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """A part; or why there is none, which is an answer: a unit that nothing excites has no mean of what excites it."""
    try:
        return make()
    except UnknownName:
        raise
    except PellucidError as error:
        return {"refused": _words(index, error)}


def projections(here: Session, about: dict[str, Any], body: bytes) -> Parts:
    """What in its strongest patches excites a unit: numbers in the windows that its cells see, 255 steps around 128."""
    index = here.index(about["index"])
    asked = Unit(index[about["layer"]].name, int(about["channel"]))
    index[asked.layer].unit(asked.channel)
    sent: dict[str, NDArray[Any]] = {}
    said = _or_why(index, lambda: _projected(index, asked, sent))
    yield {}, arrays({"rows": [], "notes": [], **said}, sent)


def _projected(index: Index, unit: Unit, sent: dict[str, NDArray[Any]]) -> dict[str, Any]:
    """What is said of the projections, whose numbers are put into `sent`."""
    found, rows = reconstruction(index, unit, count=min(_TOP, index.n_kept)), []
    for k, values in enumerate(found.values):
        ys, xs = found.window(k)
        part = values[:, ys, xs]
        largest = float(np.percentile(np.abs(part[part != 0]), 99.7)) if part.any() else 1.0
        sent[f"values{k}"] = np.asarray(np.rint(127 * (part / largest).clip(-1, 1) + 128), np.uint8)
        window = [ys.start, xs.start, ys.stop, xs.stop]
        rows.append({"values": {"$": f"values{k}"}, "largest": largest, "window": window,
                     "box": list(found.patches.boxes[k]), "name": found.patches.names[k]})  # fmt: skip
    notes = [note.text for note in found.meta.notes]
    return {"rows": rows, "unit": found.unit, "notes": notes}


@lru_cache(256)
def seen(index: Index, image: int) -> NDArray[np.uint8]:
    """An image of an index as its network saw it, (H, W, 3)."""
    index.image(image)
    why = missing(index)
    if why:
        raise PellucidError(why)
    return index.preprocess.prepare(index.read(image)).shown(0, seen=True)


def indexed_picture(here: Session, about: dict[str, Any], body: bytes) -> Parts:
    """An image as the network saw it, a JPEG whose longer side has so many pixels at most; or what of it lies in a box,
    gray where that reaches past the edge, without loss where it is small.
    """
    index = here.index(about["index"])
    image, box, side = index.image(int(about["image"])), about.get("box"), int(about["side"])
    if box is None:
        picture = Image.fromarray(_whole(index, image, side))
        picture.thumbnail((side, side), Image.Resampling.LANCZOS)
        yield {"type": "image/jpeg"}, jpeg(picture)
        return
    pixels = seen(index, image)
    crop = cropped(pixels, _inside(tuple(box), pixels.shape[:2]))
    if max(crop.shape) <= _SMALL:
        yield {"type": "image/png"}, png(crop)
        return
    picture = Image.fromarray(crop)
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    yield {"type": "image/jpeg"}, jpeg(picture, 92)


def _whole(index: Index, image: int, side: int) -> NDArray[np.uint8]:
    """An image as its network saw it: small, where it is kept as large as it is wanted, or cannot be read any more."""
    kept = index.kept_thumbnails.of(image) if index.kept_thumbnails is not None else None
    if kept is not None and (max(kept.shape[:2]) >= side or missing(index)):
        return kept
    return seen(index, image)


def _inside(box: Box, size: tuple[int, ...]) -> Box:
    """The box, if it is one of an image of this size; it may reach past the edges, by its size at most."""
    top, left, bottom, right = box
    high, wide = size
    if not (top < bottom and left < right and bottom - top <= 2 * high and right - left <= 2 * wide):
        raise PellucidError("a box is top, left, bottom, right in pixels of what the network saw")
    if bottom <= 0 or right <= 0 or top >= high or left >= wide:
        raise PellucidError("this box lies outside the image")
    return box


def png(pixels: NDArray[np.uint8]) -> bytes:
    """As bytes, without loss."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


ANSWERS: dict[str, Answer] = {
    "index": opened, "units": units, "unit": unit, "unit_slow": unit, "projections": projections,
    "indexed_picture": indexed_picture,
}  # fmt: skip
