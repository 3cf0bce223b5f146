"""The bytes for a page: what a reader of twenty lines makes of them is the result, as exact as a person can read."""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
import pytest

from pellucid.catalogue import Entry
from pellucid.result import Heatmap, Meta, Pictures, Report, Study, Table
from pellucid.result.serial import packed
from pellucid.result.wire import wire
from tests.result.test_stored import answer, every, heat

TYPES = {"F16": "<f2", "F32": "<f4", "F64": "<f8", "I32": "<i4", "I64": "<i8", "U8": "|u1"}


def read(data: bytes) -> tuple[Any, dict[str, np.ndarray]]:
    """As the page reads it: (JSON, tensors). Every tensor lies where a typed array can look at it."""
    (length,) = struct.unpack("<Q", data[:8])
    head = json.loads(data[8 : 8 + length])
    about = json.loads(head.pop("__metadata__")["about"])
    tensors = {}
    for name, one in head.items():
        start, end = one["data_offsets"]
        dtype = np.dtype(TYPES[one["dtype"]])
        assert (8 + length + start) % dtype.itemsize == 0
        tensors[name] = np.frombuffer(data[8 + length + start : 8 + length + end], dtype).reshape(one["shape"])
    return about, tensors


def values(about: Any, tensors: dict[str, np.ndarray]) -> np.ndarray:
    found = tensors[about["$"]].astype(np.float64) * about.get("scale", 1)
    assert list(found.shape) == about["shape"]
    return found


@every
def test_every_kind_is_sent(entry: Entry) -> None:
    result = answer(entry.name)
    about, tensors = read(wire(result))
    assert about["kind"] == type(result).__name__
    assert about["meta"]["title"] == entry.title
    used = json.dumps(about).count('"$": ')
    assert used == len(tensors)
    assert used > 0 or isinstance(result, (Report, Table, Study))
    if isinstance(result, Heatmap):
        found = values(about["values"], tensors)
        most = np.abs(result.values).max()
        assert np.allclose(found, result.values, rtol=0, atol=most / 1000)
        assert (about["values"]["min"], about["values"]["max"]) == (result.values.min(), result.values.max())
    if isinstance(result, Pictures) and isinstance(result.pixels, np.ndarray):
        assert np.array_equal(tensors[about["pixels"]["$"]], result.pixels)


@pytest.mark.parametrize("size", [1e-30, 1e-6, 1.0, 1e30])
def test_many_numbers_are_shares_of_the_largest(size: float) -> None:
    """Of any size, as gradients are: half precision by itself would lose those of 1e-6."""
    made = np.random.default_rng(0).standard_normal((2, 150, 150)) * size
    made[0, 0, 0], made[0, 0, 1] = np.nan, np.inf
    about, tensors = read(wire(heat(values=made, error=None)))
    found = values(about["values"], tensors)
    known = np.isfinite(made)
    assert tensors[about["values"]["$"]].dtype == np.float16
    assert np.array_equal(np.isnan(found), np.isnan(made))
    assert np.allclose(found[known], made[known], rtol=1e-3, atol=1e-6 * np.abs(made[known]).max())
    assert about["values"]["max"] == made[known].max()


def test_what_json_and_browsers_cannot_hold() -> None:
    table = Table(
        {"few": (1.5, float("nan")), "words": ("a", None)},
        meta=Meta(found={"seed": 2**63 - 1, "completeness": (np.inf,)}),
    )
    about, tensors = read(wire(table))
    assert about["columns"] == {"few": [1.5, None], "words": ["a", None]}
    assert (about["meta"]["found"]["seed"], about["meta"]["found"]["completeness"]) == (str(2**63 - 1), [None])
    assert not tensors
    long = Table({"units": tuple(range(100)), "share": tuple(np.linspace(0, 1, 100).tolist())})
    about, tensors = read(wire(long))
    assert tensors[about["columns"]["units"]["$"]].dtype == np.int32
    assert tensors[about["columns"]["share"]["$"]].dtype == np.float32
    assert about["columns"]["units"]["max"] == 99
    empty, tensors = read(wire(heat(values=np.zeros((0, 2, 3)), error=None, views=())))
    assert empty["values"] == {"$": "a0", "shape": [0, 2, 3]}


def test_places_and_photos_stay_at_home() -> None:
    result = answer("explain")
    assert "picture" in packed(result)[0]
    about, tensors = read(wire(result, words=str.upper, without=("picture",)))
    assert about["picture"] == {"$": None, "shape": list(result.picture.shape)}
    assert len(tensors) == 4
    assert about["meta"]["images"] == ["PHOTO 0"]
    assert about["rows"][0]["method"] == "grad_cam"
