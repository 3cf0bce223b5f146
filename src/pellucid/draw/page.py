"""A map as a page: the explorer's own, with all that it shows in it. It works from disk and asks nobody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pellucid import __version__
from pellucid.draw import words
from pellucid.draw.mapped import SIDE, sent, sheet_of
from pellucid.export import as_bytes, as_json, exported
from pellucid.files import unplaced
from pellucid.result import Embedding2D

_EACH = 100
"""Small pictures of a sheet: as many as the page asks for at once."""
_INDEX = "i0"


def page_of(result: Embedding2D, title: str, about: str, *, dark: bool, **shown: bool) -> bytes:
    """The page, `about` in words. Of what is `shown` at first, `grid`, `seams` and `colors` are known."""
    usual = {"grid": False, "seams": True, "colors": True}
    other = {name: on for name, on in shown.items() if on != usual[name]}
    hashed = {"by": "none"} if other.pop("colors", True) is False else {}
    asked = urlencode({**{name: int(on) for name, on in other.items()}, **hashed})
    route = f"#/map/{_INDEX}{asked and '?'}{asked}"
    return exported(title, route, dict(_records(result)), about=about, dark=dark, dated=False).encode()


def _records(result: Embedding2D) -> Iterator[tuple[str, Any]]:
    """What the page asks about the map, with the answers."""
    path, layer = f"api/indexes/{_INDEX}", result.meta.layer or ""
    asked = result.meta.asked.nouns.get("index")
    name = unplaced(asked if isinstance(asked, str) else result.meta.net)
    index = {"id": _INDEX, "name": name, "pictures": len(result), "layers": []}
    about = {"nets": [], "images": [], "folders": [], "indexes": [index]}
    yield "api/state", as_json({"version": __version__, "state": "ready", "lost": 0, **about})
    yield "api/methods", as_json([])
    yield path, as_json({"name": name, "identity": "", "pictures": len(result), "layers": [], "missing": ""})
    images = result.images if len(np.unique(result.images)) == len(result) else np.arange(len(result))
    how = result.meta.options.get("method") or ""
    yield _posted(f"{path}/map", layer=layer or None, layout=how), as_bytes(_map(result, images, layer, how))
    for rows in _sheets(result):
        small = [_sized(result.thumbnails[k]) for k in rows]
        ids = images[result.thumbnail_rows[rows]].tolist()
        yield _posted(f"{path}/thumbs", ids=ids, side=SIDE), as_bytes(sheet_of(small), "image/jpeg")


def _map(result: Embedding2D, images: NDArray[np.int64], layer: str, how: str) -> bytes:
    classes = sorted({label for label in result.labels if label is not None})
    numbers: dict[str | None, int] = {None: -1, **{name: i for i, name in enumerate(classes)}}
    pictured = len(result.thumbnail_rows)
    said = {
        "layer": layer, "layout": how, "of": len(result), "classes": classes, "missing": "", "small": pictured and SIDE,
        "notes": words.noted(result.meta), "pictured": pictured, "origin": words.origin(result.meta),
    }  # fmt: skip
    labels = np.array([numbers[label] for label in result.labels], np.int32)
    names = [unplaced(name) for name in result.names]
    grid = None if result.grid is None else (result.grid.cells, result.grid.seams)
    return sent(said, images, result.values, labels, names, result.quality, grid)


def _sheets(result: Embedding2D) -> Iterator[NDArray[np.int64]]:
    """The small pictures in hundreds that lie near one another, for these are looked at together."""
    count = len(result.thumbnail_rows)
    places = (result.values if result.grid is None else result.grid.cells[:, ::-1])[result.thumbnail_rows]
    bands = max(round((count / _EACH) ** 0.5), 1)
    below = np.empty(count, np.int64)
    below[np.argsort(places[:, 1], kind="stable")] = np.arange(count) * bands // max(count, 1)
    order = np.lexsort((places[:, 0], below))
    for start in range(0, count, _EACH):
        yield order[start : start + _EACH]


def _sized(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if picture.shape[:2] == (SIDE, SIDE):
        return picture
    return np.asarray(Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.LANCZOS))


def _posted(path: str, **body: Any) -> str:
    """The name of an answer to what the page sends."""
    return f"{path} {json.dumps(body, separators=(',', ':'))}"
