"""For every unit of a layer the patch that excites it most, side by side."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np
from PIL import Image

from pellucid.errors import Refused
from pellucid.index import Index, Unit
from pellucid.index.patches import exciting, field
from pellucid.progress import steps
from pellucid.result.patches import Box, cropped
from pellucid.web.answers.answer import Answer, Parts
from pellucid.web.answers.indexed import missing, seen
from pellucid.web.answers.pictures import jpeg
from pellucid.web.session import Session

ROW = 16
"""Patches in a row."""
_SIDE, _MOST, _KEPT = 56, 512, 8
_MADE: OrderedDict[tuple[Index, str], bytes] = OrderedDict()


def preferred(here: Session, about: dict[str, Any], body: bytes) -> Parts:
    """A sprite of squares, `ROW` in a row, as many as the layer has units."""
    index = here.index(about["index"])
    layer = index[about["layer"]].name
    key = (index, layer)
    if key not in _MADE:
        if why := missing(index):
            raise Refused(why)
        _MADE[key] = _made(index, layer)
        while len(_MADE) > _KEPT:
            _MADE.popitem(last=False)
    yield {}, _MADE[key]


def _made(index: Index, name: str) -> bytes:
    layer = index[name]
    if layer.channels > _MOST:
        raise Refused(f"{name} has {layer.channels} units: preferred pictures are shown of {_MOST} at most")
    rows = -(-layer.channels // ROW)
    sprite = Image.new("RGB", (ROW * _SIDE, rows * _SIDE), (128, 128, 128))
    for channel in steps(range(layer.channels), "preferred pictures"):
        top = exciting(index, Unit(name, channel), 1)
        for image, place in zip(np.asarray(top.images).tolist(), top.places.tolist(), strict=True):
            box = _inside(field(layer.placement, layer.places, place, index.image_size), index.image_size)
            patch = Image.fromarray(cropped(seen(index, int(image)), box))
            patch = patch.resize((_SIDE, _SIDE), Image.Resampling.LANCZOS)
            sprite.paste(patch, (channel % ROW * _SIDE, channel // ROW * _SIDE))
    return jpeg(sprite)


def _inside(box: Box, size: tuple[int, int]) -> Box:
    """As much of the image as the box has, moved until all of it lies there: a border says nothing."""
    top, left, bottom, right = box
    high, wide = min(bottom - top, size[0]), min(right - left, size[1])
    top, left = min(max(top, 0), size[0] - high), min(max(left, 0), size[1] - wide)
    return top, left, top + high, left + wide


ANSWERS: dict[str, Answer] = {"preferred": preferred}
