"""Top images: that values, pictures and places are exact is tested with the sweep; here, what is made of them."""

from __future__ import annotations

import numpy as np
import pytest

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.images.sources import Source
from pellucid.index import Index
from pellucid.index.plan import planned
from pellucid.sweep import Serial, swept
from tests.sweep.made import photos, small


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    net, source = small(), Source.of(photos(tmp_path_factory.mktemp("photos"), 30, classes=3))
    plan = planned(net, source, layers=("first", "second", "head"), count=12)
    return Index.of(swept(plan, tmp_path_factory.mktemp("store") / "x", Serial(net, source))).with_net(net)


def test_the_patch_is_all_that_the_unit_saw(index: Index) -> None:
    """The activation is made from the crop alone: the kernel applied to it gives the value."""
    best = pl.units.top_images(index, "first:2", count=12)
    weight, bias = (one.detach().numpy() for one in (index.net.module.first.weight[2], index.net.module.first.bias[2]))
    for i in range(len(best)):
        seen = best.crop(i).astype(np.float64).transpose(2, 0, 1) / 255
        normed = (seen - np.array(index.net.preprocess.mean)[:, None, None]) / np.array(index.net.preprocess.std)[
            :, None, None
        ]
        assert np.isclose((normed * weight).sum() + bias, best.values[i], atol=1e-4)


def test_a_unit_without_places_sees_all(index: Index) -> None:
    best = pl.units.top_images(index, "head:1")
    assert set(best.boxes) == {(0.0, 0.0, 24.0, 24.0)}
    assert best.labels[0] in {"class0", "class1", "class2"}


def test_more_than_were_kept_are_refused(index: Index) -> None:
    with pytest.raises(PellucidError, match="count=13: the index keeps the 12 strongest"):
        pl.units.top_images(index, "first:2", count=13)
    with pytest.raises(PellucidError, match="no unit 9 in layer 'first': it has 6, 0 to 5"):
        pl.units.top_images(index, "first:9")
    with pytest.raises(PellucidError, match="no layer in the index 'frist'; nearest of 3: first"):
        pl.units.top_images(index, "frist:1")
