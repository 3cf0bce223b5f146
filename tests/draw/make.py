"""Results made by hand, for drawing: no network takes part."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pellucid.geometry import Placement, View
from pellucid.notes import Note
from pellucid.result import Asked, Explanation, Heatmap, LabelMap, Meta, Prediction, Predictions, Row
from pellucid.result.meta import Found

LONG = "pneumonoultramicroscopicsilicovolcanoconiosis, also known as the Llanfairpwllgwyngyll-gogerych disease"


def meta(
    method: str = "", title: str = "", notes: tuple[Note, ...] = (), versions: Mapping[str, str] | None = None,
    *, net: str = "", weights: str = "", **found: Found,
) -> Meta:  # fmt: skip
    """Of a method that was asked about one network."""
    facts = {"net": {"net": net, "weights": weights}}
    return Meta(Asked(method, {"net": net}), title, facts, found, notes=notes, versions=versions or {})


META = meta(
    "grad_cam", target="tabby", net="toy", weights="ab" * 32, images=("/home/me/cat.jpg",), layer="act2",
    score=(3.5,), versions={"pellucid": "0.1.0", "torch": "2.10"},
)  # fmt: skip


def view(height: int = 300, width: int = 400) -> View:
    """The usual center crop: 224 pixels of a side of 256."""
    side = min(height, width) * 0.875
    top, left = (height - side) / 2, (width - side) / 2
    return View((224, 224), (top, left, top + side, left + side), (height, width))


def coarse(values: np.ndarray | None = None, *, of: View | None = None, seed: int = 0, meta: Meta = META) -> Heatmap:
    """A 7 × 7 map as of a last layer."""
    values = np.random.default_rng(seed).normal(size=(1, 7, 7)) if values is None else values
    place = Placement((15.5, 15.5), (32.0, 32.0), (99.0, 99.0))
    return Heatmap(values, place, (of or view(),) * len(values), unit="logit", meta=meta)


def fine(*, of: View | None = None, seed: int = 0, signed: bool = True) -> Heatmap:
    """A map of single pixels."""
    values = np.random.default_rng(seed).standard_t(3, size=(1, 224, 224)) * 1e-5
    meta_ = meta("guided_backprop", target="tabby", images=("cat.jpg",), completeness=(0.25,))
    return Heatmap(
        values if signed else abs(values), Placement.pixels(), (of or view(),),
        unit="guided logit per pixel range", signed=signed, meta=meta_, sign="ruled",
    )  # fmt: skip


def photo(height: int = 300, width: int = 400) -> np.ndarray:
    """(H, W, 3) uint8: slopes and a grid."""
    y, x = np.mgrid[:height, :width]
    return np.stack([y * 255 // height, x * 255 // width, ((y // 16 + x // 16) % 2) * 200], axis=-1).astype(np.uint8)


def ranked(count: int, *, long: bool = False) -> tuple[Prediction, ...]:
    names = [LONG, "$x^2$ and $", "猫 Katze\nзвезда", "tabby"] if long else ["tabby", "tiger cat", "lynx"]
    return tuple(Prediction(i, names[i % len(names)], 0.6 / 2**i, 9.0 - i) for i in range(count))


def predictions(count: int = 3, *, long: bool = False) -> Predictions:
    return Predictions((ranked(count, long=long),), META)


def labels(classes: int = 3) -> LabelMap:
    values = np.arange(49).reshape(1, 7, 7) % classes
    names = {i: f"class number {i}" for i in range(classes)}
    place = Placement((15.5, 15.5), (32.0, 32.0), (99.0, 99.0))
    return LabelMap(values, place, (view(),), names, meta("occlusion_labels"))


def explanation(
    classes: int = 3, methods: int = 3, size: tuple[int, int] = (300, 400), *, long: bool = False
) -> Explanation:
    of = view(*size)
    kinds = [
        lambda i: coarse(of=of, seed=i),
        lambda i: fine(of=of, seed=i),
        lambda i: fine(of=of, seed=i, signed=False),
    ]
    rows = [
        Row(f"method_{m}", LONG if long else f"Method {m}", tuple(kinds[m % 3](i) for i in range(classes)))
        for m in range(methods)
    ]
    return Explanation(photo(*size), of, ranked(classes, long=long), tuple(rows), META)
