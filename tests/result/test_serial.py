"""Whatever a kind of result may hold comes back from its file, also kinds of other packages."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, Literal

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from jaxtyping import Float
from numpy.typing import NDArray

import pellucid as pl
from pellucid import npz
from pellucid.errors import PellucidError, UnknownName
from pellucid.plugins import RESULTS
from pellucid.result import Asked, Heatmap, Meta, Result, serial
from pellucid.result.serial import packed, unpacked
from tests.plugged import offered
from tests.result.same import same

Cell = float | int | str | bool | None


@dataclass(frozen=True)
class Inner:
    pair: tuple[int, float]
    word: Literal["a", "b", 3] = "a"
    deeper: Inner | None = None


@dataclass(frozen=True, eq=False)
class Everything(Result):
    """A kind of another package."""

    values: NDArray[Any]
    square: Float[np.ndarray, "n n"] | None = None
    either: Float[np.ndarray, "n k"] | tuple[Float[np.ndarray, " _"], ...] = ()
    columns: Mapping[str, tuple[Cell, ...]] = field(default_factory=dict)
    numbers: Mapping[int, str] = field(default_factory=dict)
    rows: tuple[tuple[float, ...], ...] = ()
    inner: tuple[Inner, ...] = ()
    anything: Any = None
    parts: Mapping[str, Result] = field(default_factory=dict)
    meta: Meta = field(default_factory=Meta)


floats = st.floats() | st.sampled_from([-0.0, float("nan"), float("inf"), -float("inf"), 5e-324])
words = st.text(max_size=6) | st.sampled_from(["$", "$dict", "kind", "a/b", "..", "", "\udc80", "\0", "x" * 200, "0"])
cells = st.none() | st.booleans() | st.integers() | floats | words
rows = st.lists(cells, max_size=4).map(tuple) | st.lists(floats, max_size=4).map(tuple)
rows |= st.lists(st.integers(), max_size=3).map(tuple)
dtypes = st.sampled_from("<f2 <f4 <f8 >f4 >f8 |i1 |u1 <i2 <i4 <i8 >i8 <u4 <u8 |b1 <c8 <c16".split())  # noqa: SIM905
arrays = dtypes.flatmap(lambda of: hnp.arrays(of, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3)))
arrays = (
    arrays | arrays.map(np.asfortranarray) | arrays.map(lambda values: values[..., ::-1] if values.ndim else values)
)
plain = st.recursive(
    cells | arrays,
    lambda inside: (
        st.lists(inside, max_size=3)
        | st.lists(inside, max_size=3).map(tuple)
        | st.dictionaries(words | st.integers(), inside, max_size=3)
    ),
    max_leaves=6,
)
inner = st.deferred(lambda: st.builds(Inner, st.tuples(st.integers(), floats), st.sampled_from(["a", "b", 3]), nested))
nested = st.none() | inner
kinds = st.builds(
    Everything, arrays, st.none() | hnp.arrays("f4", (2, 2)),
    hnp.arrays("f8", (2, 3)) | st.lists(hnp.arrays("f8", 2), max_size=2).map(tuple),
    st.dictionaries(words, rows, max_size=3), st.dictionaries(st.integers(), words, max_size=3),
    st.lists(st.lists(floats, max_size=3).map(tuple), max_size=2).map(tuple), st.lists(inner, max_size=2).map(tuple),
    plain,
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(kinds, plain, words)
def test_everything_comes_back(made: Everything, option: Any, name: str) -> None:
    part = Everything(np.arange(3.0))
    for result in (
        made,
        Everything(np.zeros(2), parts={name: made, "p": part}, meta=Meta(Asked(options={name: option}))),
    ):
        held = io.BytesIO()
        arrays, about = packed(result)
        with zipfile.ZipFile(held, "w") as archive:
            npz.put(archive, arrays, json.dumps(about, allow_nan=False))
        with zipfile.ZipFile(held) as archive:
            read = {name: npz.array(archive, f"{name}.npy") for name in arrays}
            again = unpacked(Everything, read, npz.told(archive))
        same(result, again)
        json.dumps(result.describe(), allow_nan=False)


def test_what_a_file_says() -> None:
    arrays, about = packed(
        Everything(np.zeros(2), columns={"a": (1.0, 2.0), "b": (1, None)}, numbers={3: "x"}, rows=((1.0, np.inf),))
    )
    assert arrays.keys() == {"values", "columns.a"}
    assert about["columns"] == {"a": {"$": "columns.a", "tuple": True}, "b": [1, None]}
    assert about["numbers"] == {"$dict": [[3, "x"]]}
    assert about["rows"] == [[1.0, {"$number": "7ff0000000000000"}]]
    assert about["kind"] == "Everything"


def test_numbers_of_numpy_become_pythons() -> None:
    arrays, about = packed(Everything(np.zeros(1), columns={"a": (np.float32(0.5), "x")}, anything=np.int64(3)))
    found = unpacked(Everything, arrays, about)
    assert (found.columns, found.anything) == ({"a": (0.5, "x")}, 3)


def test_what_has_no_form_is_refused_by_name(tmp_path: Path) -> None:
    for value, said in ((object(), "anything is a object"), (np.array([object()]), "anything is an array of object")):
        with pytest.raises(PellucidError, match=said):
            Everything(np.zeros(1), anything=value).save(tmp_path / "x.npz")
    assert not [*tmp_path.iterdir()]


def test_a_name_belongs_to_one_kind() -> None:
    with pytest.raises(PellucidError, match="a kind of result 'Heatmap', which pellucid"):
        type("Heatmap", (Result,), {"__module__": "stranger"})
    assert serial.kind_of("Heatmap") is Heatmap


def test_kinds_of_packages_that_are_not_imported_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file cannot make anything be imported: what an installed package names in its entry points is."""
    file = Everything(np.zeros(1)).save(tmp_path / "x.npz")
    monkeypatch.delitem(RESULTS._added, "Everything")
    with pytest.raises(UnknownName, match="no kind of result 'Everything'"):
        pl.open(file)
    with offered(monkeypatch, EntryPoint("Everything", f"{__name__}:Everything", "pellucid.results")):
        assert isinstance(pl.open(file), Everything)
    with (
        offered(monkeypatch, EntryPoint("Everything", "no_such_package:Everything", "pellucid.results")),
        pytest.raises(PellucidError, match="'Everything' of the package no_such_package cannot be used: ModuleNot"),
    ):
        pl.open(file)


def test_a_field_called_kind_is_refused(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Odd(Result):
        kind: str
        meta: Meta = field(default_factory=Meta)

    with pytest.raises(PellucidError, match="has a field 'kind'"):
        Odd("x").save(tmp_path / "x.npz")
