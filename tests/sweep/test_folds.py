"""A statistic of one's own: one class, which plans, workers, files and whoever reads the index take as any other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, ClassVar, final

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import Field

from pellucid.errors import PellucidError
from pellucid.images.sources import Source
from pellucid.index import Index
from pellucid.index.folds import STANDARD
from pellucid.index.folds.extremes import Largest, Smallest
from pellucid.index.folds.histogram import Histogram
from pellucid.index.folds.sums import ExactSums
from pellucid.index.make import index as make_index
from pellucid.index.plan import planned
from pellucid.net.load import load
from pellucid.plugins import FOLDS
from pellucid.sweep import Plan, Processes, Serial, Store, swept
from pellucid.sweep.fold import Fold, Held, Part, Scope, Shape, Working, options_of
from pellucid.sweep.hashes import Hashes
from pellucid.sweep.observed import LARGEST, Batch, Observes
from pellucid.sweep.store import BadStore
from tests.sweep.made import photos, small

SPEC: dict[str, Any] = {"spec": f"{Path(__file__).with_name('made.py')}:build", "size": 24}


@final
@dataclass(frozen=True)
class Exceeding(Fold[NDArray[np.float64]]):
    """In what share of the images a unit's largest activation exceeds a threshold; read as (units,)."""

    name: ClassVar[str] = "test_exceeding"
    absent: ClassVar[str] = "the index counts nothing above a threshold"
    threshold: Annotated[float | int, Field(ge=0, description="activation that is exceeded")] = 0.5

    def start(self, scope: Scope) -> Working:
        return {"above": np.zeros(len(scope.units), np.int64), "all": np.zeros(1, np.int64)}

    def step(self, working: Working, scope: Scope, batch: Batch) -> None:
        working["above"] += (batch.maxima > self.threshold).sum(0)
        working["all"] += len(batch.images)

    def pack(self, scope: Scope, working: Working) -> Part:
        return {name: values.copy() for name, values in working.items()}

    def absorb(self, working: Working, scope: Scope, part: Part) -> None:
        for name, values in part.items():
            working[name] += values

    def finish(self, scope: Scope, working: Working) -> Part:
        return dict(working)

    def arrays(self, scope: Scope) -> Mapping[str, Shape]:
        return {"above": (len(scope.units),), "all": (1,)}

    def read(self, held: Held) -> NDArray[np.float64]:
        return np.asarray(held["above"] / held["all"])


@final
@dataclass(frozen=True)
class WhereLargest(Fold[None]):
    """Where the largest value of every map lies, of every image: it wants all that the others may not."""

    name: ClassVar[str] = "test_places"

    @property
    def observes(self) -> Observes:
        return Observes(extremes=frozenset({LARGEST}))

    def start(self, scope: Scope) -> Working:
        return {"place": np.full((scope.images, len(scope.units)), -1, np.int64)}

    def step(self, working: Working, scope: Scope, batch: Batch) -> None:
        events = batch.found[LARGEST]
        working["place"][batch.images[events.row], events.unit] = events.place

    def pack(self, scope: Scope, working: Working) -> Part:
        return {"place": working["place"].copy()}

    def absorb(self, working: Working, scope: Scope, part: Part) -> None:
        np.maximum(working["place"], part["place"], out=working["place"])

    def finish(self, scope: Scope, working: Working) -> Part:
        return dict(working)

    def arrays(self, scope: Scope) -> Mapping[str, Shape]:
        return {"place": (scope.images, len(scope.units))}

    def gates(self, working: Working, images: NDArray[np.int64]) -> Mapping[str, NDArray[np.float32]]:
        return {LARGEST: np.full((len(images), working["place"].shape[1]), -np.inf, np.float32)}

    def read(self, held: Held) -> None:
        return None


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return photos(tmp_path_factory.mktemp("photos"), 20)


@pytest.fixture(scope="module")
def index(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Index:
    place = tmp_path_factory.mktemp("store") / "x.index"
    return make_index(
        small(), folder, store=place, layers=("first", "act"), folds=(Exceeding(0.7), WhereLargest()), count=3, shard=8
    )


def plan_of(folder: Path, *folds: Fold[Any], **how: Any) -> Plan:
    return planned(load(**SPEC), Source.of(folder), spec=SPEC, layers=("first", "act"), folds=folds, **how)


def test_it_is_counted_kept_and_read(index: Index) -> None:
    values = index["act"].sample[1]
    assert len(values) == 20
    shares = index.read_fold(Exceeding)
    assert shares.shape == (12,)
    assert np.allclose(shares[index["act"].units], (values > 0.7).mean(0))  # of float16, none of which lies that near
    assert 0 < shares.mean() < 1
    assert Index.of(index.store.folder).read_fold(Exceeding).tolist() == shares.tolist()


def test_what_one_searches_for_is_found_whatever_the_others_need(index: Index) -> None:
    places = index.store.array("test_places.place")
    assert (places >= 0).all()
    for channel in range(6):
        top = index["first"].top(channel, 3)
        assert places[top.images, channel].tolist() == top.places.tolist()


def test_a_plan_with_it_goes_to_json_and_back(folder: Path) -> None:
    plan = plan_of(folder, Exceeding(0.25))
    again = Plan.from_dict(plan.as_dict())
    assert again.key == plan.key
    assert again.folds == plan.folds
    assert again.folds[-1] == Exceeding(0.25)
    assert plan_of(folder, Exceeding(0.5)).key != plan.key


@pytest.mark.slow
def test_workers_count_the_same(folder: Path, tmp_path: Path) -> None:
    plan = plan_of(folder, Exceeding(0.7), shard=4)
    one, two = swept(plan, tmp_path / "a", Serial()), swept(plan, tmp_path / "b", Processes(2))
    assert one.current["digest"] == two.current["digest"]


def test_an_index_without_it_says_so(folder: Path, tmp_path: Path) -> None:
    store = swept(plan_of(folder, bottom=0, sample=0), tmp_path / "x", Serial())
    with pytest.raises(PellucidError, match="counts nothing above a threshold"):
        Index.of(store).read_fold(Exceeding)
    with pytest.raises(PellucidError, match="make it with --bottom 10"):
        Index.of(store)["act"].bottom(0)
    with pytest.raises(PellucidError, match="make it with --probe 10000"):
        Index.of(store)["act"].sample  # noqa: B018


def test_a_file_of_another_shape_is_damage(index: Index, tmp_path: Path) -> None:
    with pytest.raises(BadStore, match=r"above.npy is \(3,\), not \(12,\)"):
        _with_array(index, tmp_path, np.zeros(3, np.int64)).array("test_exceeding.above")


def _with_array(index: Index, folder: Path, values: NDArray[Any]) -> Store:
    """The same index with one array changed; nothing is written into the one that others read."""
    import shutil

    shutil.copytree(index.store.folder, folder / "y.index")
    store = Store.open(folder / "y.index")
    np.save(store.folder / store.current["generation"] / "test_exceeding.above.npy", values)
    return store


@pytest.mark.parametrize(
    ("options", "said"),
    [({"threshold": -1}, "threshold=-1: input should be greater than or equal to 0"),
     ({"threshold": "much"}, "threshold='much'"), ({"treshold": 1}, "'treshold'; nearest of 1: threshold")],
)  # fmt: skip
def test_options_that_cannot_be(options: dict[str, Any], said: str) -> None:
    with pytest.raises(PellucidError, match=said) as caught:
        Exceeding.of(options)
    assert "\n" not in str(caught.value)


def test_options_that_an_index_does_not_have(folder: Path) -> None:
    with pytest.raises(PellucidError, match="count"):
        plan_of(folder, counts=3)
    with pytest.raises(PellucidError, match="count=0"):
        plan_of(folder, count=0)


def test_another_option_is_another_index(folder: Path, tmp_path: Path) -> None:
    Store.begun(tmp_path / "x", plan_of(folder, count=5))
    with pytest.raises(BadStore, match=r"the index of something else: other count; name another"):
        Store.begun(tmp_path / "x", plan_of(folder, count=6))


def test_one_of_no_package_here_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of other packages, and what cannot be imported, are tested in `test_plugins.py`."""
    said = plan_of(folder, Exceeding()).as_dict()
    assert Plan.from_dict(said).folds[-1] == Exceeding()
    monkeypatch.delitem(FOLDS._added, Exceeding.name)
    with pytest.raises(PellucidError, match="no statistic 'test_exceeding'; nearest of "):
        Plan.from_dict(said)


def test_what_is_observed_is_what_any_of_them_wants() -> None:
    means = Observes(means=frozenset({"a"}))
    whole = Largest().observes | Smallest().observes | Histogram().observes | means | Observes(means=frozenset({"b"}))
    assert (whole.extremes, whole.samples, whole.means) == (
        frozenset({"largest", "smallest"}),
        4,
        frozenset({"a", "b"}),
    )
    assert Observes() | whole == whole
    with pytest.raises(PellucidError, match="4 and 8 sampled places"):
        Histogram().observes | ExactSums(8).observes


def test_no_two_of_an_index_have_an_option_of_one_name_but_what_they_share() -> None:
    names = [(one.name, one.default) for kind in STANDARD for one in fields(kind)]  # type: ignore[arg-type]
    assert {names.count(one) for one in set(names) if one[0] != "samples"} == {1}
    assert len({name for name, _ in names}) == len(set(names)) == len(options_of(*STANDARD).model_fields)


def test_every_option_says_what_it_is() -> None:
    for name, field in options_of(*STANDARD).model_fields.items():
        assert field.description, name


def test_the_hashes_of_the_images_are_kept(index: Index) -> None:
    digests = [index.source.fetch(i)[1] for i in range(20)]
    assert index.read_fold(Hashes).tolist() == digests
