"""Activation maps and profiles: the layer's own numbers, statistics written out slowly, and networks made sick."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import pellucid as pl
from pellucid.errors import PellucidError, Refused, UnknownName
from pellucid.images import Images
from pellucid.net import Net, Preprocess


def net_of(module: nn.Module, size: int = 16, **how: Any) -> Net:
    return Net(module, "made", Preprocess(crop=(size, size), mean=(0.5,) * 3, std=(0.25,) * 3, **how))


def photos(n: int = 3, size: int = 16) -> Images:
    generator = torch.Generator().manual_seed(1)
    values = [torch.rand(3, size, size, dtype=torch.float64, generator=generator) for _ in range(n)]
    return Images.from_pictures(values, [f"photo {i}" for i in range(n)])


def made(seed: int = 0) -> nn.Sequential:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 12, 3, stride=2, padding=1), nn.ReLU(),
            nn.Conv2d(12, 6, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4),
        ).double()  # fmt: skip


def activation(net: Net, images: Images, upto: int) -> np.ndarray:
    """What the first `upto` layers of a plain network give."""
    with torch.no_grad():
        return net.module[:upto](net.preprocess.normalize(images.pixels)).numpy()  # type: ignore[index]


# maps


@pytest.mark.parametrize("units", [None, (5, 0, 2), 7])
@pytest.mark.parametrize("memory", [1, 2**29])
def test_maps_are_the_layers_own(units: Any, memory: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pellucid.net.MEMORY", memory)
    net, images = net_of(made()), photos()
    maps = pl.activations.maps(net, images, layer="3", units=units, max_units=4)
    whole = activation(net, images, 4)
    strongest = sorted(range(12), key=lambda unit: (-whole[:, unit].max(), unit))
    expected = {None: tuple(strongest[:4]), 7: (7,)}.get(units, units)
    assert maps.units == expected
    assert np.allclose(maps.values, whole[:, list(expected)], rtol=0, atol=1e-14)
    assert maps.blank == tuple((whole == 0).all((2, 3)).mean(1).tolist())
    assert (maps.channels, maps.meta.layer) == (12, "3")
    assert maps.placement == net.layer("3", (16, 16)).placement
    named = ", ".join(f"{unit} ({whole[:, unit].max():.3g})" for unit in strongest[:5])
    assert f"strongest units over 3 images: {named}" in maps.meta.said


def test_maps_of_signed_layers_are_ordered_by_magnitude() -> None:
    net, images = net_of(made()), photos(1)
    maps = pl.activations.maps(net, images, layer="2", max_units=12)
    peaks = np.abs(activation(net, images, 3)[0]).max((1, 2))
    assert maps.units == tuple(np.argsort(-peaks).tolist())
    assert maps.values.min() < 0


def test_of_units_at_their_bound_the_larger_mean_comes_first() -> None:
    net = net_of(nn.Sequential(nn.Conv2d(3, 3, 1), nn.ReLU6()))
    with torch.no_grad():
        net.module[0].weight.copy_(
            torch.eye(3)[:, :, None, None] * torch.tensor([10.0, 99.0, 30.0])[:, None, None, None]
        )  # type: ignore[index]
    maps = pl.activations.maps(net, photos(1), layer="1")
    assert maps.values.max((0, 2, 3)).tolist() == [6, 6, 6]
    means = maps.values.mean((0, 2, 3))
    assert (np.diff(means) < 0).all()


def test_blank_maps_and_numbers_that_are_none() -> None:
    module = made()
    with torch.no_grad():
        module[0].bias[2] = -1e3  # type: ignore[index]
        module[0].bias[5] = float("nan")  # type: ignore[index]
    maps = pl.activations.maps(net_of(module), photos(2), layer="1", units=(2, 5))
    assert maps.blank == (1 / 8, 1 / 8)
    assert not maps.values[:, 0].any()
    assert np.isnan(maps.values[:, 1]).all()
    assert "512 of the shown values are not finite" in maps.meta.said
    assert pl.activations.maps(net_of(module), photos(2), layer="1").units[-1] == 5
    assert pl.draw(maps).array.size


def test_maps_run_no_further_than_the_layer() -> None:
    class Bomb(nn.Module):
        armed = False

        def forward(self, x: Tensor) -> Tensor:
            if self.armed:
                raise RuntimeError("ran too far")
            return x

    module = made()
    bomb = Bomb()
    module.append(bomb)
    net = net_of(module)
    net.layers((16, 16))
    bomb.armed = True
    assert pl.activations.maps(net, photos(1), layer="3").values.shape == (1, 12, 8, 8)


def test_maps_refuse_what_is_not_there() -> None:
    net, images = net_of(made()), photos()
    with pytest.raises(UnknownName, match="no layer 'relu'"):
        pl.activations.maps(net, images, layer="relu")
    with pytest.raises(PellucidError, match="no unit 12 in layer '3': it has 0 to 11"):
        pl.activations.maps(net, images, layer="3", units=(0, 12))
    with pytest.raises(PellucidError, match="no unit -1 in"):
        pl.activations.maps(net, images, layer="3", units=-1)
    with pytest.raises(PellucidError, match="no unit of layer '3' is named"):
        pl.activations.maps(net, images, layer="3", units=())
    with pytest.raises(Refused, match="layer '8' gives 4 numbers, no maps of places; the last with maps is '5'"):
        pl.activations.maps(net, images, layer="8")
    with pytest.raises(Refused, match="no layer of made has a map"):
        pl.activations.maps(net_of(nn.Sequential(nn.Flatten(), nn.Linear(768, 2)).double()), images)
    assert pl.activations.maps(net, images).meta.layer == "5"  # the last with places


def test_maps_lie_over_the_photo_where_their_cells_see() -> None:
    """A unit that answers to one bright spot is drawn on the spot."""
    conv = nn.Conv2d(3, 1, 3, stride=4, bias=False)
    with torch.no_grad():
        conv.weight.fill_(1.0)
    net = Net(nn.Sequential(conv, nn.ReLU()), "made", Preprocess())
    pixels = torch.zeros(3, 40, 40)
    pixels[:, 24:27, 8:11] = 1  # where cell (6, 2) looks
    photo = Images.from_pictures([pixels], ["spot"])
    maps = pl.activations.maps(net, photo, layer="1")
    assert np.unravel_index(maps.values[0, 0].argmax(), maps.values.shape[2:]) == (6, 2)
    assert (maps.placement.start, maps.placement.jump) == ((1, 1), (4, 4))
    picture = pl.draw(maps, over=photo).array.astype(int)
    violet = picture[..., 2] - picture[..., 1]
    rows, columns = np.nonzero(violet > 0.6 * violet.max())
    tile = pl.draw(maps, over=photo).sheet.marks
    box = next(mark.box for mark in tile if hasattr(mark, "pixels"))
    density = pl.draw(maps, over=photo).sheet.density
    y, x = rows.mean() / density, columns.mean() / density
    assert (y - box[1]) / (box[3] - box[1]) == pytest.approx(25.5 / 40, abs=0.03)
    assert (x - box[0]) / (box[2] - box[0]) == pytest.approx(9.5 / 40, abs=0.03)


# profile


@pytest.mark.parametrize("memory", [1, 2**29])
def test_profile_is_what_plain_statistics_say(memory: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pellucid.net.MEMORY", memory)
    module = made()
    with torch.no_grad():
        module[0].bias[3] = -1e3  # type: ignore[index]
    net, images = net_of(module), photos(5)
    table = pl.activations.profile(net, images)
    assert table["layer"] == tuple("012345678")
    assert table["kind"][:2] == ("Conv2d", "ReLU")
    for i in range(9):
        whole = activation(net, images, i + 1)
        each = np.moveaxis(whole, 1, 0).reshape(whole.shape[1], -1)
        row = table.rows[i]
        assert row["units"] == whole.shape[1]
        assert row["mean"] == pytest.approx(whole.mean(), rel=1e-12, abs=1e-14)
        assert row["spread"] == pytest.approx(whole.std(), rel=1e-12)
        assert row["largest"] == pytest.approx(np.abs(whole).max(), rel=1e-12)
        assert row["zeros"] == (whole == 0).mean()
        assert row["dead"] == (each.max(1) == each.min(1)).mean()
        assert (row["saturated"], row["broken"]) == (None, 0)
    assert table["dead"][1] == 1 / 8


def test_profile_does_not_depend_on_batches_and_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    net, images = net_of(made()), photos(4)
    one = pl.activations.profile(net, images)
    turned = pl.activations.profile(net, images[3] + images[1] + images[0] + images[2])
    monkeypatch.setattr("pellucid.net.MEMORY", 1)
    small = pl.activations.profile(net, images)
    for other in (turned, small):
        for name in ("mean", "spread", "zeros", "dead", "largest"):
            assert np.allclose(one[name], other[name], rtol=1e-12, atol=1e-12)  # type: ignore[arg-type]


def test_profile_leaves_out_what_only_hands_on() -> None:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.ReLU(inplace=True))

        def forward(self, x: Tensor) -> Tensor:
            return x + self.body(x)

    net = net_of(nn.Sequential(Block(), nn.Sequential(Block())))
    table = pl.activations.profile(net, photos())
    assert table["layer"] == ("0.body.0", "0.body.1", "0", "1.0.body.0", "1.0.body.1", "1.0")


def test_with_one_number_for_each_unit_nobody_knows_whether_it_is_dead() -> None:
    net = net_of(made())
    one = pl.activations.profile(net, photos(1))
    assert one["dead"][-3:] == (None, None, None)
    assert one["dead"][0] == 0
    assert pl.activations.profile(net, photos(2))["dead"][-1] == 0


def test_saturation_of_every_activation_that_has_a_bound() -> None:
    for layer, low, high in (
        (nn.Tanh(), -0.99, 0.99), (nn.Sigmoid(), 0.01, 0.99), (nn.ReLU6(), -np.inf, 6), (nn.Hardsigmoid(), 0, 1),
        (nn.Hardtanh(-2, 3), -2, 3),
    ):  # fmt: skip
        conv = nn.Conv2d(3, 5, 3)
        with torch.no_grad():
            conv.weight *= 20
        net = net_of(nn.Sequential(conv, layer).double())
        found = pl.activations.profile(net, photos())["saturated"]
        whole = activation(net, photos(), 2)
        assert found[0] is None
        assert found[1] == ((whole <= low) | (whole >= high)).mean() > 0


def sick(change: Any, seed: int = 0) -> Any:
    module = made(seed)
    with torch.no_grad():
        change(module)
    return pl.activations.profile(net_of(module), photos(4))


@pytest.mark.slow
def test_a_healthy_network_is_called_so() -> None:
    table = sick(lambda module: None)
    assert table.findings == (
        "no layer is sick: all are finite, and none is silent, saturated or exploding on these 4 images",
    )
    assert table.highlighted == ()
    assert pl.activations.profile(pl.load("bundled"), "sample:panda").highlighted == ()


def test_dead_rectifiers_are_named() -> None:
    table = sick(lambda module: module[2].bias.fill_(-50.0))
    assert table.highlighted == tuple(range(3, 9))
    assert table.findings[0].startswith("layers 4 to 9 are silent: it begins at 3, 12 of 12 units never change: ")
    assert "its input, 2, is never above -4" in table.findings[0]


def test_saturated_tanh_is_named() -> None:
    module = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Tanh(), nn.Conv2d(8, 8, 3), nn.Tanh(), nn.Conv2d(8, 4, 3)).double()
    with torch.no_grad():
        module[2].weight.mul_(100)  # type: ignore[operator, union-attr]
    table = pl.activations.profile(net_of(module), photos())
    assert table.highlighted == (3,)
    assert table.findings[0].startswith("layer 4 (3) is saturated: up to ")
    assert "at -0.99 or less, or 0.99 or more: hardly a gradient gets through" in table.findings[0]


def test_an_exploding_start_is_named() -> None:
    def explode(module: nn.Sequential) -> None:
        for part in module:
            if hasattr(part, "weight"):
                part.weight.mul_(300)

    table = sick(explode)
    first = next(i for i, row in enumerate(table.rows) if np.hypot(row["mean"], row["spread"]) > 65504)
    assert table.highlighted[0] <= first
    assert "exploding: values of" in table.findings[0]
    assert "have grown to" in table.findings[0]


def test_a_vanishing_start_is_named() -> None:
    def vanish(module: nn.Sequential) -> None:
        for part in module:
            if hasattr(part, "weight"):
                part.weight.mul_(1e-3)
                part.bias.zero_()

    table = sick(vanish)
    assert any("vanishing: in 2 values have shrunk to" in said for said in table.findings)


def test_weights_that_are_no_numbers_are_named() -> None:
    table = sick(lambda module: module[4].weight[1, 0, 0, 0].fill_(float("nan")))
    assert table.highlighted == tuple(range(4, 9))
    assert table.findings[0].startswith(
        "layers 5 to 9 are not finite: it begins at 4 (16.7% of its values): 1 of its w"
    )
    assert table["broken"][4] == pytest.approx(1 / 6)
    assert table["largest"][4] == float("inf")
    assert table["mean"][4] is not None
    inside = sick(lambda module: module[2].weight.fill_(1e308))
    assert "its weights are finite" in inside.findings[0]
    assert pl.draw(table).array.size


def test_half_dead_layers_are_told_when_there_are_enough_pictures() -> None:
    module = made()
    with torch.no_grad():
        module[0].bias[:5] = -1e3  # type: ignore[index]
    assert pl.activations.profile(net_of(module), photos(9)).highlighted == ()
    table = pl.activations.profile(net_of(module), photos(10))
    assert table.findings == ("layer 2 (1) is dying: up to 62% of the units never change",)


def test_profile_of_tokens_tuples_and_whole_numbers() -> None:
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.patch, self.mix, self.pick = nn.Conv2d(3, 6, 4, stride=4), nn.Linear(6, 6), Pick()

        def forward(self, x: Tensor) -> Tensor:
            tokens = self.mix(self.patch(x).flatten(2).transpose(1, 2))
            self.pick(tokens)
            return tokens.mean(1)

    class Pick(nn.Module):
        def forward(self, x: Tensor) -> tuple[Tensor, None]:
            return x.argmax(-1), None

    table = pl.activations.profile(net_of(Odd().double()), photos())
    assert (table["layer"], table["units"]) == (("patch", "mix", "pick"), (6, 6, 16))
    module = copy.deepcopy(net_of(Odd().double()).module)
    with torch.no_grad():
        module.mix.weight[2], module.mix.bias[2] = 0, 5  # type: ignore[union-attr, index, operator]
    assert pl.activations.profile(net_of(module), photos())["dead"][1] == pytest.approx(1 / 6)


class Functions(nn.Module):
    """Bounded functions that are no layers: one saturated, one not, one inside a layer, one that is a layer."""

    def __init__(self, gain: float) -> None:
        super().__init__()
        self.a, self.b, self.act, self.head = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3), nn.Sigmoid(), nn.Linear(4, 2)
        self.gain = gain

    def forward(self, x: Tensor) -> Tensor:
        h = torch.tanh(self.a(x) * self.gain)
        return self.head(self.act(F.hardtanh(self.b(h), -1e3, 1e3)).mean((2, 3)))


def test_functions_between_layers_are_seen() -> None:
    torch.manual_seed(0)
    table = pl.activations.profile(net_of(Functions(1000.0).double()), photos())
    assert table["layer"] == ("a", "Functions: tanh", "b", "Functions: hardtanh", "act", "head")
    assert any("saturated" in one and "Functions: tanh" in one for one in table.findings)
    well = pl.activations.profile(net_of(Functions(0.1).double()), photos())
    assert well["saturated"][1] == 0
    assert well.findings[0].startswith("no layer is sick")


class Padded(nn.Module):
    """A shortcut whose new channels are zeros, as in the ResNets of CIFAR, or zeros beside a layer's channels."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how, self.a, self.short, self.end = how, nn.Conv2d(3, 4, 3), nn.Identity(), nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        h = self.a(x)
        if self.how == "pad":
            h = self.short(F.pad(h[:, :, ::2, ::2], (0, 0, 0, 0, 4, 4)))
        elif self.how == "cat":
            h = self.short(torch.cat([h, h.new_zeros(len(h), 8, *h.shape[2:])], 1))
        else:  # the same numbers, and nothing says that they are meant
            h = self.short(torch.cat([h, h.repeat(1, 2, 1, 1) * 0], 1))
        return self.end(h).mean((2, 3))


@pytest.mark.parametrize(("how", "sick"), [("pad", False), ("cat", False), ("dead", True)])
def test_padding_is_not_death(how: str, sick: bool) -> None:
    torch.manual_seed(0)
    many = pl.Images.from_pictures(list(torch.rand(12, 3, 12, 12)), [str(i) for i in range(12)])
    table = pl.activations.profile(net_of(Padded(how).double()), many)
    assert any("dying" in one for one in table.findings) == sick
    assert (table["dead"][1] > 0.5) == sick
