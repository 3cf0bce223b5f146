"""Neuron features, colors of layers, units alike, receptive fields: planted truth and slow formulas."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import pellucid as pl
from pellucid.errors import BadNetwork, PellucidError, Refused, UnknownName
from pellucid.index import Index
from pellucid.index.crops import spots, strongest
from pellucid.index.feature import Mean, contrasted
from pellucid.net import Net, Preprocess
from tests.methods.units.planted import BAR, DOUBLE, FIELD, LIGHT, MARK, RED, SILENT, indexed
from tests.net.test_layers import Gated


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    return indexed(tmp_path_factory.mktemp("planted"))


def test_the_neuron_feature_is_the_weighted_mean_of_the_patches(index: Index) -> None:
    unit = pl.units.Unit("second", 1)
    found = pl.units.neuron_feature(index, unit, count=12, contrast="mean")
    best = pl.units.top_images(index, unit, count=12)
    above = best.values > 0
    size = round(best.boxes[0][2] - best.boxes[0][0])
    total, weight = np.zeros((size, size, 3)), np.zeros((size, size))
    for i in np.flatnonzero(above):
        top, left, _, _ = (round(edge) for edge in best.boxes[i])
        for row in range(size):
            for column in range(size):
                y, x = top + row, left + column
                if 0 <= y < 48 and 0 <= x < 48:
                    w = best.values[i] / best.values[0]
                    total[row, column] += w * best.pictures[i][y, x] / 255
                    weight[row, column] += w
    covered = weight / (best.values[above] / best.values[0]).sum()
    slow = np.where(covered[..., None] >= 0.1, total / np.where(weight, weight, 1)[..., None], 0.5)
    assert found.pixels.shape == (1, size, size, 3)
    assert np.abs(found.pixels[0] - 255 * slow).max() <= 1.01
    assert found.facts["patches"] == (float(above.sum()),)


def test_the_neuron_feature_of_a_bar_is_a_bar(index: Index) -> None:
    pixels = pl.units.neuron_feature(index, f"act:{BAR}", count=12).pixels[0].mean(-1)
    assert pixels.shape == (FIELD, FIELD)
    assert pixels[:, 3].mean() > pixels[:, [0, 1, 5, 6]].mean() + 50
    assert np.ptp(pixels.mean(1)) < 0.5 * np.ptp(pixels.mean(0))
    red = pl.units.neuron_feature(index, f"act:{RED}", count=12, contrast="mean").pixels[0, 3, 3]
    assert int(red[0]) - int(red[1]) > 60


def test_a_pixel_that_few_patches_have_is_gray() -> None:
    mean = Mean()
    for k in range(20):
        mask = np.array([[1.0, 1.0, float(k == 0)]])
        mean.add(np.ones((3, 1, 3)) * mask * 0.8, mask, 1.0)
    values, covered = mean.finish()
    assert values[0, :2] == pytest.approx(0.8)  # not darkened by those that lack it
    assert (covered >= Mean.LEAST).tolist() == [[True, True, False]]
    flat = contrasted(np.full((1, 3, 3), 0.8), covered >= Mean.LEAST)
    assert flat == pytest.approx(0.5)  # no contrast is not made to be some


def test_what_nothing_excites_has_no_feature(index: Index) -> None:
    with pytest.raises(PellucidError, match="nothing excites it"):
        pl.units.neuron_feature(index, f"act:{SILENT}")


def test_colors_are_found(index: Index) -> None:
    found = pl.units.color(index, layers=("act",), count=12)
    (layer,) = found.layers
    assert layer.units == (RED, LIGHT, BAR, 3, MARK, DOUBLE)
    assert (layer.silent, layer.channels) == (1, 7)
    by = dict(zip(layer.units, zip(layer.selectivity, layer.hue, strict=True), strict=True))
    assert by[RED][0] > 0.99
    assert abs(by[LIGHT][0]) < 0.2
    assert by[MARK][0] > 0.99
    assert abs(np.degrees(by[MARK][1]) - 270) < 15  # blue is down
    assert np.degrees(by[RED][1]) < 45 or np.degrees(by[RED][1]) > 315  # red is to the right
    assert len(found.values) == 6
    few = pl.units.color(index, layers=("act",), count=12, max_units=3)
    assert len(few.layers[0].units) + few.layers[0].silent == 3
    for unit, value in zip(few.layers[0].units, few.layers[0].selectivity, strict=True):
        assert value == pytest.approx(by[unit][0])


def test_alike_is_what_the_same_pictures_excite(index: Index) -> None:
    table = pl.units.similar(index, f"act:{BAR}", count=3)
    assert table["unit"][0] == f"act:{DOUBLE}"
    assert table["correlation"][0] == pytest.approx(1, abs=1e-5)
    assert table["shared"][0] == 12
    mine = index["act"].sample[1]
    for name, value in zip(table["unit"], table["correlation"], strict=True):
        layer, channel = name.split(":")
        slow = np.corrcoef(mine[:, BAR].astype(float), index[layer].sample[1][:, int(channel)].astype(float))[0, 1]
        assert value == pytest.approx(slow, abs=1e-4)
    assert f"act:{SILENT}" not in pl.units.similar(index, f"act:{BAR}", count=99)["unit"]
    assert all(
        name.startswith("act:") for name in pl.units.similar(index, f"act:{BAR}", among="layer", count=99)["unit"]
    )


def test_alike_over_some_of_the_images(index: Index) -> None:
    table = pl.units.similar(index, f"act:{BAR}", count=5, max_images=12)
    assert table.column_help["correlation"].endswith("over 12 random images")
    some = index.plan.scope.drawn(12)  # of the order that the seed draws, always the same
    values = {name: index[name].sample[1][np.isin(index[name].sample[0], some)] for name in index}
    assert index["act"].sample_of(12)[0].tolist() == some.tolist()
    for name, value in zip(table["unit"], table["correlation"], strict=True):
        layer, channel = name.split(":")
        slow = np.corrcoef(values["act"][:, BAR].astype(float), values[layer][:, int(channel)].astype(float))[0, 1]
        assert value == pytest.approx(slow, abs=1e-4)
    whole = pl.units.similar(index, f"act:{BAR}", count=5)
    assert pl.units.similar(index, f"act:{BAR}", count=5, max_images=1000).columns == whole.columns


def test_alike_by_activation(index: Index) -> None:
    """Σ of the other's activations where this unit is strongest, over Σ of its own strongest."""
    table = pl.units.similar(index, f"act:{BAR}", metric="activation", count=9)
    found = dict(zip(table["unit"], table["activation"], strict=True))
    assert found[f"act:{DOUBLE}"] == pytest.approx(1, abs=1e-5)
    sums, unit = 0.0, pl.units.Unit("act", BAR)
    for spot in spots(index, unit, strongest(index, unit, 12)):
        maps = index.net.run(spot.pixels[None], layers=["act"], stop=True).at["act"][0, LIGHT]
        sums += float(maps.flatten()[spot.place])
    assert found[f"act:{LIGHT}"] == pytest.approx(sums / index["act"].top(LIGHT, 12).values.sum(), rel=1e-5)


def test_what_is_like_nothing(index: Index) -> None:
    with pytest.raises(PellucidError, match="act:6 is like no other unit"):
        pl.units.similar(index, f"act:{SILENT}")


class Stack(nn.Module):
    """Two tents of 3 × 3; then the mean over everything."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.head = nn.Conv2d(3, 1, 3, stride=2), nn.Conv2d(1, 1, 3), nn.Linear(1, 2)
        for part in (self.one, self.two):
            part.weight.data.copy_(torch.tensor([1.0, 2, 1])[:, None] * torch.tensor([1.0, 2, 1]))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.two(self.one(x)).mean((2, 3)))


def stack(factor: float = 1.0) -> Net:
    module = Stack()
    module.one.weight.data *= factor
    return Net(module, "stack", Preprocess(resize=21, crop=(21, 21)))


def test_fields_of_known_kernels() -> None:
    fields = pl.units.receptive_field(stack(), layers=("one", "two"))
    assert [fields.size(i) for i in range(2)] == [(3, 3), (7, 7)]
    assert fields.strides == ((2, 2), (2, 2))
    one, two = np.array([1, 2, 1]) / 4, np.array([1, 2, 3, 4, 3, 2, 1]) / 16
    for values, shares, box in zip(fields.values, (one, two), fields.boxes, strict=True):
        top, left, bottom, right = (round(edge) for edge in box)
        np.testing.assert_allclose(values[top:bottom, left:right], np.outer(shares, shares), atol=1e-7)
        assert values.sum() == pytest.approx(1)
    at = np.arange(7) - 3
    assert fields.spreads[1][0] == pytest.approx(np.sqrt((two * at**2).sum()))
    assert fields.centers[1] == pytest.approx(((fields.boxes[1][0] + fields.boxes[1][2] - 1) / 2,) * 2)
    assert fields.share(1) == pytest.approx((4 * fields.spreads[1][0]) ** 2 / 49)
    assert fields.share(0) == pytest.approx(8 / 9)
    assert len(fields[1]) == 1
    assert fields[1].layers == ("two",)


def test_an_effective_field_is_no_larger_than_the_theoretical() -> None:
    net = stack()
    net.module.one.weight.data.fill_(1.0)  # three even pixels have a deviation of 0.82
    assert pl.units.receptive_field(net, layers=("one",)).share(0) == 1


def test_fields_by_default_and_of_pictures_of_ones_own(tmp_path: Path) -> None:
    assert pl.units.receptive_field(stack()).layers == ("one", "two")
    given = pl.images.Images.from_pictures([torch.rand(3, 30, 25)], ["x"])
    assert "over 1 images" in pl.units.receptive_field(stack(), pictures=given).meta.said[0]
    with np.load(pl.units.receptive_field(stack()).save(tmp_path / "x.npz")) as saved:
        assert saved["values"].shape == (2, 21, 21)


def test_fields_that_are_refused() -> None:
    with pytest.raises(Refused, match="layer 'head' has no receptive field"):
        pl.units.receptive_field(stack(), layers=("head",))
    with pytest.raises(UnknownName, match="no layer 'tow'"):
        pl.units.receptive_field(stack(), layers=("tow",))
    with pytest.raises(BadNetwork, match="nothing moves it"):
        pl.units.receptive_field(stack(0.0), layers=("one", "two"))


def test_a_field_behind_a_gate_is_the_whole_picture_and_said_to_be() -> None:
    torch.manual_seed(0)
    found = pl.units.receptive_field(Net(Gated(), "gated", Preprocess(resize=21, crop=(21, 21))), layers=("a", "end"))
    assert (found.values[1] > 0).all(), "every pixel moves the cell"
    assert (found.values[0] > 0).sum() == 9
    top, left, bottom, right = found.boxes[1]
    assert max(top, left) <= 0
    assert min(bottom, right) >= 21
    said = [note for note in found.meta.said if "gate" in note]
    assert said == ["through a gate every pixel of the image reaches the cells of end; without it they look at 3 × 3"]
