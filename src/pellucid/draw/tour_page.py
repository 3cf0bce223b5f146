"""A tour as a page: one file that works from disk, to be read from top to bottom and sent to somebody."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from pellucid.draw.colors import Floats
from pellucid.draw.letters import number, percent, sentence
from pellucid.draw.lit import heated, lit, plus
from pellucid.draw.look import Look
from pellucid.draw.pages import filled
from pellucid.draw.sheet import Pixels
from pellucid.files import unplaced
from pellucid.result import Filters, Tour, TourLayer, Walk

_SIDE, _WIDE, _BINS = 176, 360, 20

HUMAN = {
    "filters": (
        "The first cells of the visual cortex answer to an edge of one direction at one place (Hubel & Wiesel 1962). "
        "On the way there, cells set red against green and blue against yellow (Derrington, Krauskopf & Lennie 1984). "
        "Nobody asks a network for such filters: training on photos brings them about."
    ),
    "depth": (
        "From the first visual area over V2 and V4 to the inferior temporal cortex, cells see more and more of the "
        "scene, and answer to textures (Freeman et al. 2013), to curves and parts (Pasupathy & Connor 2001), to whole "
        "things and faces (Tanaka 1996). Early layers of networks foretell early areas best and late layers late ones "
        "(Güçlü & van Gerven 2015). The likeness has bounds: networks often go by texture where people go by shape "
        "(Geirhos et al. 2019)."
    ),
    "color": (
        "People code color before the cortex, on two axes beside brightness, and recognize most things in gray as "
        "well. In a network trained on photos, Rafegas & Vanrell (2018) found four opponent axes in the first layer "
        "and in the second one main axis, from blue to orange, along which the colors of photos lie, too."
    ),
    "alike": (
        "In the inferior temporal cortex of people and monkeys, animals are answered to in one way and things in "
        "another, whatever their colors (Kriegeskorte et al. 2008)."
    ),
    "where": (
        "People mostly look at what they name. A network need not: where its map lies on the background, the answer "
        "may be right for the wrong reason. A map says what adds to the score, not what it would do without it."
    ),
}
"""What is known of human vision, beside each part."""


def tour_page(result: Tour, said: Mapping[str, str], notes: Sequence[str], *, dark: bool) -> bytes:
    """The page. `said` is its TITLE, ABOUT and ALT."""
    walks = [_walk(result, i) for i in range(len(result))]
    data = {
        "walks": walks,
        "thumbs": [jpeg(one) for one in result.thumbs],
        "names": [unplaced(name) for name in result.names],
        "human": HUMAN,
        "filters": _filters(result.filters),
        "findings": [sentence(one) for one in result.findings],
        "notes": list(notes),
    }
    return filled("tour.html", said, data, dark=dark)


def jpeg(pixels: Pixels) -> str:
    """A photo as the source of an image."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "JPEG", quality=86)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _png(pixels: Pixels) -> str:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def shaded(weights: Floats, end: float) -> Pixels:
    """A filter (channels, height, width) as colors, or as gray where its channels are no colors; mid-gray is zero."""
    three = weights if len(weights) == 3 else weights.mean(0, keepdims=True).repeat(3, axis=0)
    shown = 127.5 + 127.5 * (np.nan_to_num(three) / (end or 1.0)).clip(-1, 1)
    return np.asarray(np.rint(shown).transpose(1, 2, 0), np.uint8)


def _filters(found: Filters | None) -> dict[str, Any] | None:
    if found is None:
        return None
    end = float(np.nanmax(np.abs(found.values), initial=0))
    names = found.names or ("",) * len(found.units)
    each = [
        {"source": _png(shaded(one, end)), "name": f"filter {unit}{name and ', '}{name}"}
        for one, unit, name in zip(found.values, found.units, names, strict=True)
    ]
    high, wide = found.values.shape[2:]
    return {"each": each, "size": f"{high} × {wide}", "layer": found.meta.layer or ""}


def _walk(result: Tour, i: int) -> dict[str, Any]:
    walk = result.walks[i]
    look = Look()
    photo = walk.photo
    image = unplaced(result.meta.images[i]) if i < len(result.meta.images) else ""
    maps = None if walk.maps is None else [
        {"source": jpeg(lit(photo, values, walk.maps.placement, _SIDE, look)), "name": f"filter {unit}"}
        for values, unit in zip(walk.maps.values[0], walk.maps.units, strict=True)
    ]  # fmt: skip
    return {
        "image": image,
        "photo": jpeg(photo),
        "asked": walk.asked,
        "score": f"{number(walk.score)}{f' {result.unit}' if result.unit else ''}",
        "gray": "" if math.isnan(walk.gray) else number(walk.gray),
        "kept": "" if math.isnan(walk.gray) or walk.score <= 0 else percent(walk.gray / walk.score),
        "ranked": [
            {"label": one.label, "share": one.probability,
             "said": number(one.logit) if one.probability is None else percent(one.probability)}
            for one in walk.ranked
        ],
        "maps": maps,
        "layers": [_layer(walk, one) for one in walk.layers],
        "nearest": [int(k) for k in walk.nearest[:5]],
    }  # fmt: skip


def _layer(walk: Walk, one: TourLayer) -> dict[str, Any]:
    look, photo = Look(), walk.photo
    high, wide = photo.shape[:2]
    units = [
        {"made": None if one.pictures is None else jpeg(one.pictures[k]), "real": jpeg(one.patches[k]),
         "here": jpeg(lit(photo, one.maps[k], one.placement, _SIDE, look)),
         "name": f"unit {one.units[k]}", "share": plus(float(one.shares[k])), "source": unplaced(one.sources[k])}
        for k in range(len(one.units))
    ]  # fmt: skip
    known = one.selectivity[np.isfinite(one.selectivity)]
    counts, _ = np.histogram(known.clip(0, 1), _BINS, (0, 1))
    low, most = one.places.min(0), np.ptp(one.places, axis=0)
    heats = [jpeg(heated(photo, one.values, one.placement, _WIDE, Look(dark=dark))) for dark in (False, True)]
    return {
        "layer": one.layer,
        "cells": f"{one.values.shape[0]} × {one.values.shape[1]} cells",
        "field": [min(one.placement.patch[0] / high, 1.0), min(one.placement.patch[1] / wide, 1.0)],
        "sees": _sees(one, (high, wide)),
        "units": units,
        "counts": counts.tolist() if len(known) else None,
        "colored": "" if one.colored is None else f"{one.colored:.0%}",
        "median": float(np.median(known)) if len(known) else 0.0,
        "strips": [jpeg(patch) for patch in one.color_patches],
        "places": ((one.places - low) / np.where(most > 0, most, 1)).round(4).tolist(),
        "heat": heats,
        "total": plus(one.total),
        "empty": number(one.empty),
    }


def _sees(one: TourLayer, size: tuple[int, int]) -> str:
    """How much of the photo one cell sees."""
    side = max(one.placement.patch)
    return "the whole photo" if side >= max(size) else f"{side:.0f} pixels"
