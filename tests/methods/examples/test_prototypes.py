"""Prototypes of an index: groups, what is told of them, and the questions that cannot be answered."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import pellucid as pl
from pellucid.errors import PellucidError, UnknownName
from pellucid.index import Index
from pellucid.training_set.prototypes import Kernel, mmd_critic
from pellucid.training_set.stood_for import DRAWS
from tests.test_every_method import indexed, tiny


def dotted(folder: Path, sizes: tuple[int, ...] = (14, 10, 6)) -> Index:
    """An index of images of three colors, of as many each; the colors are their classes, and the tiny network's."""
    if not (folder / "x.index").exists():
        chance = np.random.default_rng(0)
        colors = np.array([[220, 30, 30], [30, 200, 40], [40, 60, 230]])
        labels = np.repeat(np.arange(3), sizes)
        pixels = np.clip(colors[labels][:, None, None] + chance.normal(0, 25, (len(labels), 36, 36, 3)), 0, 255)
        np.savez(folder / "dots.npz", images=pixels.astype(np.uint8), labels=labels)
        pl.units.index(tiny(), folder / "dots.npz", store=folder / "x.index", count=8, embed=("relu",))
    return Index.of(folder / "x.index").with_net(tiny())


def test_all_together(tmp_path: Path) -> None:
    index = dotted(tmp_path)
    found = pl.examples.prototypes(index, count=3, criticisms=2)
    (group,) = found.groups
    rows = index["relu"].embedding[1].astype(np.float64)
    rows = rows - rows.mean(0)
    rows /= np.linalg.norm(rows, axis=1)[:, None]
    kernel = Kernel.of(rows)
    wanted = mmd_critic(kernel, kernel.means(), 3)
    assert group.images.tolist() == wanted.rows.tolist()
    assert np.allclose(group.mmd2, wanted.mmd2, atol=1e-6)
    assert np.allclose(group.weights, 1 / 3)
    assert group.total == 30
    assert len({*group.labels}) == 3  # one of each color
    assert sorted(np.round(group.coverage * 30)) == [6, 10, 14]
    assert group.purity == (1.0, 1.0, 1.0)
    (row,) = found.table.rows
    assert row["1-NN"] == 1.0
    assert row["random 1-NN"] < 1.0
    assert row["MMD²"] < row["random MMD²"]
    assert row["precision"] is None
    assert not {*group.images} & {*group.criticisms}
    for p, near in enumerate(group.stood_for):
        apart = ((rows[near] - rows[group.images[p]]) ** 2).sum(1)
        assert (np.diff(apart) >= -1e-6).all()
        assert group.images[p] not in near
    assert found.meta.layer == "relu"


def test_classes_each_by_itself(tmp_path: Path) -> None:
    index = dotted(tmp_path)
    found = pl.examples.prototypes(index, classes="each", count=2, criticisms=1)
    names = [one.name for one in found.groups]
    assert names == list(index.classes)
    for one in found.groups:
        assert {*one.labels, *one.criticism_labels} == {one.name}
    assert [row["images"] for row in found.table.rows] == [14, 10, 6]
    assert all(row["1-NN"] == 1.0 for row in found.table.rows)
    assert all(row["precision"] == 1.0 for row in found.table.rows)
    assert found[1].groups[0].name == names[1]
    assert found[1].table["group"] == (names[1],)
    (alone,) = pl.examples.prototypes(index, classes=names[2].upper(), count=9).groups
    assert len(alone) == 6  # no more than there are
    some = pl.examples.prototypes(index, classes=tuple(names[:2]), count=2)
    assert [one.name for one in some.groups] == names[:2]
    assert len(pl.examples.prototypes(index, classes=names[0], count=2).table["1-NN"]) == 1


def test_one_class_is_judged_by_what_is_nearest(tmp_path: Path) -> None:
    index = dotted(tmp_path)
    found = pl.examples.prototypes(index, classes=index.classes[0], count=2)
    (row,) = found.table.rows
    assert row["1-NN"] is None
    assert row["precision"] == 1.0
    assert "nearest to the prototypes" in " ".join(found.findings)


def test_weights_and_other_spaces(tmp_path: Path) -> None:
    index = dotted(tmp_path)
    found = pl.examples.prototypes(index, variant="proto_dash", space="colors", count=3)
    (group,) = found.groups
    assert found.space == "colors"
    assert (group.weights >= 0).all()
    order = np.argsort(-group.weights)
    assert group.coverage[order].tolist() == sorted(group.coverage, reverse=True)  # more images, more weight
    assert pl.examples.prototypes(index, space="pixels", count=2).space == "pixels"


def test_the_same_seed_gives_the_same(tmp_path: Path) -> None:
    index = dotted(tmp_path)
    one, two = (pl.examples.prototypes(index, count=2, seed=3) for _ in range(2))
    assert one.table.rows == two.table.rows
    assert DRAWS > 1


def test_bad_questions() -> None:
    index = indexed(tiny())
    with pytest.raises(UnknownName, match="class 'wulf'"):
        pl.examples.prototypes(index, classes="wulf")
    with pytest.raises(UnknownName, match="space 'hoq'"):
        pl.examples.prototypes(index, space="hoq")
    with pytest.raises(PellucidError, match="groups"):
        pl.examples.prototypes(index, classes=())
