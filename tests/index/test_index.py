"""An index as it is read: by its layers, with what each statistic shows, and nothing that stays when it goes."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

from pellucid.errors import PellucidError, UnknownName
from pellucid.index import Index
from pellucid.index.embedding import embedding_of
from pellucid.index.make import index as make_index
from tests.sweep.made import photos, small


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    folder = photos(tmp_path_factory.mktemp("photos"), 18, classes=3)
    (folder / "class1" / "0004.png").write_bytes(b"nothing")
    store = tmp_path_factory.mktemp("store") / "small.index"
    return make_index(small(), folder, store=store, layers=("act", "second", "head"), count=5, bottom=0)


def test_layers_by_name_and_in_order(index: Index) -> None:
    assert list(index) == ["act", "second", "head"]
    assert "second" in index
    assert "third" not in index
    layers = [index[name] for name in index]
    assert [(one.name, one.channels, one.mapped) for one in layers] == [
        ("act", 6, True), ("second", 5, True), ("head", 3, False)
    ]  # fmt: skip
    assert [one.units for one in layers] == [slice(0, 6), slice(6, 11), slice(11, 14)]
    assert (index.n_units, index.n_kept, index.n_weakest, index.name) == (14, 5, 0, "small")
    assert (layers[0].clip is not None, layers[1].clip) == (True, None)
    assert (layers[0].signed, layers[1].signed) == (False, True)
    with pytest.raises(UnknownName, match="secnd"):
        index["secnd"]
    with pytest.raises(UnknownName, match="no unit 5 in layer 'second': it has 5, 0 to 4"):
        index["second"].top(5)
    assert index["head"].unit(2) == 13


def test_images_by_number(index: Index) -> None:
    some = np.array([0, 7, 12])
    labels = index.labels(some)
    assert [index.classes[k] for k in labels] == list(index.class_names(some))
    assert [name.split("/")[0] for name in index.names(some)] == list(index.class_names(some))
    (bad,) = index.unreadable
    assert index.names(np.array([bad])) == ("class1/0004.png",)
    assert index.readable(bad) is None


def test_statistics_of_a_layer_are_its_part_of_all(index: Index) -> None:
    whole = index.moments
    for name in index:
        mine = index[name].moments
        assert mine.mean.tolist() == whole.mean[index[name].units].tolist()
        assert mine.count.tolist() == [17] * index[name].channels
        assert mine.silent_share.tolist() == (mine.silent / 17).tolist()
    values = index["second"].strongest(3)
    for channel in range(5):
        top = index["second"].top(channel, 3)
        assert values.values[channel].tolist() == top.values.tolist()
        assert values.images[channel].tolist() == top.images.tolist()


def test_the_best_class_is_that_of_the_class_means(index: Index) -> None:
    means = np.concatenate([index[name].class_means for name in index], axis=1)
    assert [name for name, some in zip(index.best_class, np.abs(means).max(0) > 0, strict=True) if some] == [
        index.classes[k] for k in means[:, np.abs(means).max(0) > 0].argmax(0)
    ]


def test_more_than_are_kept_is_refused(index: Index) -> None:
    assert index.enough(5) == 5
    with pytest.raises(PellucidError, match="top=6: the index keeps the 5 strongest images of every unit"):
        index.enough(6, "top")


def test_rows_are_made_once_and_go_with_the_index(index: Index) -> None:
    own = Index.of(index.store.folder).with_net(small())
    rows = embedding_of(own, None)
    assert embedding_of(own, "second") is rows
    assert len(rows) == 17
    left = weakref.ref(rows)
    del rows, own
    gc.collect()
    assert left() is None


def test_what_an_index_remembers_is_bounded(index: Index) -> None:
    own, made = Index.of(index.store.folder), []
    for key in (0, 1, 0, *range(2, 14), 0):
        own.remembered(("x", key), lambda key=key: made.append(key))
    assert made == [*range(14), 0]
