"""The unit page, the spread over its range, and all units asked in SQL."""

from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
import pytest

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.images.sources import Source
from pellucid.index import Index
from pellucid.index.plan import planned
from pellucid.index.spread import spread
from pellucid.sweep import Serial, swept
from tests.sweep.made import photos, small


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    net, source = small(), Source.of(photos(tmp_path_factory.mktemp("photos"), 30, classes=3))
    plan = planned(net, source, layers=("first", "act", "second", "head"), count=12, bottom=4)
    return Index.of(swept(plan, tmp_path_factory.mktemp("store") / "x", Serial(net, source))).with_net(net)


def test_page(index: Index) -> None:
    page = pl.units.page(index, "second:1")
    assert page.top.names == pl.units.top_images(index, "second:1").names
    assert page.weakest is not None
    low = index["second"].bottom(1, 4)
    assert page.weakest.values.tolist() == low.values.tolist()
    assert (np.diff(low.values) >= 0).all()
    assert page.counts.sum() == 4 * 30
    assert page.facts["strongest activation"] == page.top.values[0]
    assert page.classes is not None
    means = index["second"].class_means[:, 1]
    assert page.classes["mean"] == tuple(sorted(map(float, means), reverse=True))
    assert page.similar_units is not None
    assert len(page.similar_patches) == len(page.similar_units)
    assert pl.units.page(index, "act:1").weakest is None, "a rectified unit has no weakest images"


def test_weakest_are_those_of_a_plain_sort(index: Index) -> None:
    lows = []
    for i in range(30):
        run = index.net.run(index.net.prepare(index.source.read(i)), layers=["second"])
        lows.append((float(run.at["second"][0, 1].min()), i))
    assert index["second"].bottom(1, 4).images.tolist() == [i for _, i in sorted(lows)[:4]]


def test_spread_goes_through_all_tenths(index: Index) -> None:
    images, maxima = index["second"].sample
    assert images.tolist() == list(range(30))
    found = spread(index, pl.units.Unit("second", 1), each=2)
    assert len(found) == 20
    ranked = np.argsort(np.argsort(maxima[:, 1], kind="stable"))
    names = {index.source.name(i): i for i in range(30)}
    assert [int(ranked[names[name]]) // 3 for name in found.names] == [k for k in range(10) for _ in range(2)]
    assert found.names == spread(index, pl.units.Unit("second", 1), each=2).names
    assert found.names != spread(index, pl.units.Unit("second", 1), each=2, seed=1).names
    for name, value in zip(found.names, found.values, strict=True):
        assert np.float16(value) == maxima[names[name], 1].astype(np.float16)


def test_units_in_sql(index: Index) -> None:
    found = pl.units.table(index, where="layer = 'second' and greatest > 0", sort="greatest")
    greatest = [index["second"].moments.greatest[k] for k in range(5)]
    expected = sorted((value for value in greatest if value > 0), reverse=True)
    assert np.allclose([float(value) for value in found["greatest"]], expected)  # type: ignore[arg-type]
    assert {str(name).split(":")[0] for name in found["unit"]} == {"second"}
    assert set(map(str, found["best_class"])) <= {"class0", "class1", "class2"}
    assert len(pl.units.table(index, max_rows=0)) == len(index.plan.units)
    assert {*found.meta.options} == {*inspect.signature(pl.units.table).parameters} - {"index"}
    assert len(pl.units.table(index, where="greatest > 1e9")) == 0


def test_color_selectivity_is_measured_once_and_kept(index: Index) -> None:
    first = pl.units.table(index, where="color_selectivity > -99", columns=("unit", "color_selectivity"), max_rows=0)
    file = Path(index.store.folder) / "measured-color_selectivity.json"
    assert file.exists()
    broken = Index(index.store, given=None)  # has no network: it could not measure anything
    again = pl.units.table(broken, where="color_selectivity > -99", columns=("unit", "color_selectivity"), max_rows=0)
    assert again.columns == first.columns
    file.write_bytes(file.read_bytes().replace(b"1", b"2", 1))
    assert index.store.kept("color_selectivity") is None, "a damaged one is measured again"


@pytest.mark.parametrize(
    ("asked", "said"),
    [({"where": "nothing > 3"}, r"'nothing > 3': .*the columns are unit, layer"), ({"sort": "3 +"}, r"'3 \+': "),
     ({"columns": ("unit", "color")}, "no column 'color': the units have unit"),
     ({"where": "channel in (select 1 from read_csv('/etc/passwd'))"}, "disabled")],
)  # fmt: skip
def test_wrong_questions_are_answered_in_one_line(index: Index, asked: dict[str, str], said: str) -> None:
    with pytest.raises(PellucidError, match=said) as error:
        pl.units.table(index, **asked)
    assert "\n" not in str(error.value)
