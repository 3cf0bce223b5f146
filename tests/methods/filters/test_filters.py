"""Filters: found, sorted and judged as slow plain formulas say, on made networks and on trained ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import pellucid as pl
from pellucid.errors import PellucidError, Refused, UnknownName
from pellucid.methods.filters import _noise
from pellucid.methods.filters._kinds import kinds, orientation
from pellucid.methods.filters._twice import by_chance, nearest, threshold
from pellucid.net import Net, Preprocess
from tests.squeezenet import squeezenet

WEIGHTS = "data/weights/squeezenet_v1.0_decoded.npz"


def net_of(module: nn.Module, channels: int = 3, **how: Any) -> Net:
    return Net(module, "made", Preprocess(crop=(32, 32), channels=channels, **how))


def with_weights(values: np.ndarray, *, groups: int = 1) -> Net:
    """A network that is one convolution with these filters (F, channels, height, width)."""
    count, each, height, width = values.shape
    layer = nn.Conv2d(each * groups, count, (height, width), groups=groups)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(values))
    return net_of(nn.Sequential(layer, nn.ReLU()), each * groups)


def grating(angle: float, size: int = 7, period: float = 4.0, phase: float = 0.0) -> np.ndarray:
    """Stripes along `angle` degrees, counterclockwise from the horizontal, under a Gaussian."""
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    across = np.sin(np.radians(angle)) * x + np.cos(np.radians(angle)) * y  # rows run downwards
    return np.cos(2 * np.pi * across / period + phase) * np.exp(-(x**2 + y**2) / (2 * (size / 3.5) ** 2))


# first_layer


def test_first_layer_has_the_weights_of_the_layer_that_runs_first() -> None:
    class Turned(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.later, self.earlier = nn.Conv2d(5, 4, 3), nn.Conv2d(3, 5, (3, 5), bias=False)

        def forward(self, x: Tensor) -> Tensor:
            return self.later(self.earlier(x)).mean((2, 3))

    module = Turned()
    found = pl.filters.first_layer(net_of(module), order="unit")
    assert (found.meta.layer, found.units, found.colors) == ("earlier", (0, 1, 2, 3, 4), True)
    assert np.array_equal(found.values, module.earlier.weight.detach().numpy())
    assert found.inputs == ((0, 1, 2),) * 5


@pytest.mark.parametrize("channels", [1, 3, 4, 12])
@pytest.mark.parametrize("panels", ["rgb", "channels"])
def test_first_layer_takes_any_number_of_channels(channels: int, panels: str) -> None:
    net = net_of(nn.Sequential(nn.Conv2d(channels, 6, 3), nn.ReLU()), channels)
    found = pl.filters.first_layer(net)
    assert found.values.shape == (6, channels, 3, 3)
    assert found.colors is (channels == 3)
    assert sorted(found.units) == list(range(6))
    weight = net.module[0].weight.detach().numpy()  # type: ignore[index]
    assert np.array_equal(found.values, weight[list(found.units)])
    assert any("channel by channel" in note for note in found.meta.said) is (channels != 3)
    assert pl.draw(found, panels=panels).array.shape[0] > 100


def test_first_layer_sorts_by_norm() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(5, 3, 3, 3)).astype(np.float32) * np.array([3, 1, 5, 2, 4.0])[:, None, None, None]
    values /= np.sqrt((values**2).sum((1, 2, 3), keepdims=True)) / np.array([3, 1, 5, 2, 4.0])[:, None, None, None]
    assert pl.filters.first_layer(with_weights(values.astype(np.float32)), order="norm").units == (2, 4, 0, 3, 1)


def test_first_layer_sorts_by_kind() -> None:
    """Light and dark by direction, then those without one, then colors, at last what is near zero."""
    gray, spot = np.ones(3)[:, None, None] / 3, np.exp(-((np.mgrid[:7, :7] - 3) ** 2).sum(0) / 4)
    red_cyan, blue_yellow = (np.array(c)[:, None, None] for c in ([1, -0.5, -0.5], [-0.5, -0.5, 1.0]))
    made = {
        "near zero": 1e-4 * gray * grating(10),
        "color 45°": red_cyan * grating(45, phase=np.pi / 2),
        "120°": gray * grating(120),
        "color patch": blue_yellow * spot,
        "patch": gray * spot,
        "30°": gray * grating(30),
    }
    found = pl.filters.first_layer(with_weights(np.stack([*made.values()]).astype(np.float32)))
    order = [name.split(" ")[-1] for name in found.names]
    assert [list(made)[unit] for unit in found.units] == [
        "30°", "120°", "patch", "color 45°", "color patch", "near zero",
    ]  # fmt: skip
    for unit, name in zip(found.units, found.names, strict=True):
        asked = list(made)[unit]
        if asked.endswith("°"):
            assert abs(float(name.split(" ")[-1][:-1]) - float(asked.split(" ")[-1][:-1])) <= 3, order
            assert name.startswith("color") is asked.startswith("color")
        else:
            assert name == asked


@pytest.mark.parametrize("angle", range(0, 180, 15))
def test_orientation_of_gratings(angle: int) -> None:
    for phase in (0, 1, np.pi / 2):
        found, strength = orientation(grating(angle, 11, 5, phase))
        apart = abs(found - angle) % 180
        assert min(apart, 180 - apart) < 3
        assert strength > 0.5


def test_orientation_of_nothing() -> None:
    assert orientation(np.ones((5, 5))) == (0.0, 0.0)
    y, x = np.mgrid[:9, :9] - 4
    assert orientation(np.exp(-(x**2 + y**2) / 4))[1] < 1e-3  # round, but for the corners


def test_kinds_know_colors_only_where_there_are_some() -> None:
    values = np.random.default_rng(1).normal(size=(20, 3, 5, 5))
    assert not any(kind.name.startswith("color") for kind in kinds(values, colors=False))
    assert any(kind.name.startswith("color") for kind in kinds(values, colors=True))


def test_first_layer_says_what_its_weights_act_on() -> None:
    module = nn.Sequential(nn.Conv2d(3, 2, 3))

    def note(**how: Any) -> str:
        return pl.filters.first_layer(net_of(module, **how)).meta.said[0]

    assert note() == "weights as they are; they act on pixels in 0 to 1"
    assert note(std=(0.5, 0.5, 0.5)).endswith("(pixel − mean) / 0.5")
    assert note(std=(0.2, 0.4, 0.2)).endswith("divide each channel's weights by it")


def test_nets_without_a_convolution_are_refused_by_name() -> None:
    class Functional(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.rand(4, 3, 3, 3))

        def forward(self, x: Tensor) -> Tensor:
            return F.conv2d(x, self.weight).mean((2, 3))

    with pytest.raises(Refused, match=r"made runs no 2-d convolution as a module; filters are read from nn\.Conv2d"):
        pl.filters.first_layer(net_of(Functional()))
    with pytest.raises(Refused, match="its first layer with weights, '1', is a Linear"):
        pl.filters.first_layer(net_of(nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 2))))
    with pytest.raises(Refused, match="'1', is a Conv1d"):
        pl.filters.health(net_of(nn.Sequential(nn.Flatten(2), nn.Conv1d(3, 2, 3))))


# channels


def test_channels_of_grouped_and_depthwise_convolutions() -> None:
    module = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 12, 3, groups=4), nn.Conv2d(12, 24, 3, groups=12))
    net = net_of(module)
    found = pl.filters.channels(net)
    assert found.meta.layer == "1"
    assert found.values.shape == (12, 2, 3, 3)
    assert found.meta.said[0] == "4 groups: each filter reads 2 of the 8 input channels"
    # by feeling: a channel that a filter is said not to read does not change it
    inputs = torch.rand(1, 8, 3, 3)
    for unit in range(12):
        for channel in range(8):
            other = inputs.clone()
            other[:, channel] += 1
            with torch.no_grad():
                change = (module[1](other) - module[1](inputs))[0, unit].abs().max()
            assert (float(change) > 1e-6) is (channel in found.inputs[unit])
    depthwise = pl.filters.channels(net, layer="2")
    assert depthwise.values.shape == (24, 1, 3, 3)
    assert depthwise.inputs == tuple((i // 2,) for i in range(24))
    assert depthwise.meta.said == ("depthwise: each filter reads one of the 12 channels of the input",)


@pytest.mark.parametrize("groups", [1, 2])
def test_channels_of_a_transposed_convolution(groups: int) -> None:
    """Filter f of channel c is what an impulse in c leaves in f."""
    layer = nn.ConvTranspose2d(4, 6, 3, groups=groups, bias=False)
    found = pl.filters.channels(net_of(nn.Sequential(layer), 4), layer="0")
    assert found.values.shape == (6, 4 // groups, 3, 3)
    for unit in range(6):
        for k, channel in enumerate(found.inputs[unit]):
            impulse = torch.zeros(1, 4, 1, 1)
            impulse[0, channel] = 1
            with torch.no_grad():
                assert np.array_equal(layer(impulse)[0, unit].numpy(), found.values[unit, k])


def test_channels_of_all_filters_or_of_some() -> None:
    module = nn.Sequential(nn.Conv2d(3, 150, 1), nn.Conv2d(150, 130, 3))
    net = net_of(module)
    found = pl.filters.channels(net)
    weight = module[1].weight.detach().numpy()
    assert found.units == tuple(range(130))
    assert np.array_equal(found.values, weight)
    some = pl.filters.channels(net, units=(7, 3, 7))
    assert some.units == (7, 3)
    assert np.array_equal(some.values, weight[[7, 3]])
    assert pl.filters.channels(net, units=5).units == (5,)


def test_channels_refuse_what_is_not_there() -> None:
    net = net_of(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Sequential(nn.Conv2d(4, 2, 1), nn.ReLU())))
    with pytest.raises(UnknownName, match="no layer 'conv'"):
        pl.filters.channels(net, layer="conv")
    with pytest.raises(Refused, match=r"layer '1' is a ReLU, no 2-d convolution; convolutions are 0, 2\.0"):
        pl.filters.channels(net, layer="1")
    with pytest.raises(Refused, match=r"layer '2' is a Sequential, no 2-d convolution; convolutions are 2\.0$"):
        pl.filters.channels(net, layer="2")
    with pytest.raises(PellucidError, match="no filter 4 in layer '0': it has 0 to 3"):
        pl.filters.channels(net, layer="0", units=(1, 4))
    with pytest.raises(PellucidError, match="no filter of layer '0' is named"):
        pl.filters.channels(net, layer="0", units=())


def test_a_layer_that_runs_twice_is_one_layer() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem, self.again = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)

        def forward(self, x: Tensor) -> Tensor:
            return self.again(self.again(self.stem(x))).mean((2, 3))

    net = net_of(Twice())
    for name in (None, "again", "again#2"):
        assert pl.filters.channels(net, layer=name).meta.layer == "again"


# health


def smoothness_slowly(one: np.ndarray) -> float:
    steps = []
    channels, height, width = one.shape
    for c in range(channels):
        for y in range(height):
            for x in range(width):
                if x + 1 < width:
                    steps.append((one[c, y, x + 1] - one[c, y, x]) ** 2)
                if y + 1 < height:
                    steps.append((one[c, y + 1, x] - one[c, y, x]) ** 2)
    return 1 - float(np.mean(steps) / (2 * np.mean(one**2)))


@pytest.mark.parametrize("shape", [(3, 7, 7), (16, 3, 3), (2, 1, 5), (1, 3, 3), (40, 3, 3)])
def test_smoothness_and_coherence(shape: tuple[int, ...]) -> None:
    made = np.random.default_rng(2).normal(size=(6, *shape))
    assert np.allclose(_noise.smoothness(made), [smoothness_slowly(one) for one in made], atol=1e-12)
    values = np.linalg.svd(made.reshape(6, shape[0], -1), compute_uv=False) ** 2
    assert np.allclose(_noise.coherence(made), values[:, 0] / values.sum(1), atol=1e-12)


def test_smoothness_of_what_is_known() -> None:
    y, x = np.mgrid[:6, :6]
    made = np.stack([np.ones((1, 6, 6)), ((-1.0) ** (x + y))[None], np.zeros((1, 6, 6))])
    assert np.allclose(_noise.smoothness(made), [1, -1, np.nan], equal_nan=True)
    assert _noise.coherence(np.ones((1, 3, 4, 4)))[0] == pytest.approx(1)
    noise = _noise.smoothness(np.random.default_rng(0).normal(size=(20_000, 1, 3, 3)))
    assert abs(noise.mean()) < 4 * noise.std() / 20_000**0.5  # the expectation is zero


def test_chance_of_random_filters_is_what_it_says() -> None:
    """Of random filters a share of p or less has a chance of p: for normal weights, and for uniform ones too."""
    rng = np.random.default_rng(3)
    random = _noise.twins((3, 5, 5), 0)
    for made in (rng.normal(size=(3000, 3, 5, 5)), rng.uniform(-1, 1, size=(3000, 3, 5, 5))):
        chance = _noise.chances(_noise.measured(made), random)
        assert chance is not None
        for p in (0.01, 0.05, 0.2):
            assert (chance <= p).mean() < p + 4 * (p / 3000) ** 0.5 + 0.01 * (p < 0.05)
        assert (chance <= 0.05).mean() > 0.02  # and it is not simply 1


def verdicts_of(values: np.ndarray, **how: Any) -> tuple[str, ...]:
    return pl.filters.health(with_weights(values.astype(np.float32)), **how)["verdict"]  # type: ignore[return-value]


def test_health_tells_noise_from_patterns() -> None:
    rng = np.random.default_rng(4)
    good = np.stack([np.ones((3, 1, 1)) * grating(i * 180 / 48, phase=i) for i in range(48)])
    bad = rng.normal(size=(16, 3, 7, 7)) * 0.2
    table = pl.filters.health(with_weights(np.concatenate([good, bad]).astype(np.float32)))
    said = ["fine"] * 48 + ["noise"] * 16
    wrong = sum(mine != theirs for mine, theirs in zip(table["verdict"], said, strict=True))
    assert wrong <= 3  # one in twenty of the noisy ones looks like something
    assert "noise" not in table["verdict"][:48]
    count = table["verdict"].count("noise")
    assert table.findings[0].startswith(f"layer 0 is ill trained: {count} of its 64 filters are noise")
    assert table.findings[1].startswith("noise: 48, ")
    assert table.highlighted == tuple(i for i, verdict in enumerate(table["verdict"]) if verdict != "fine")


def test_health_names_near_zero_and_duplicates_with_their_twins() -> None:
    rng = np.random.default_rng(5)
    values = rng.normal(size=(12, 3, 5, 5))
    values[3] = 1e-3 * values[3]
    values[7] = 0.5 * values[2]
    values[9] = 0
    values[5] = np.nan
    values[11] = -values[1]  # the other phase is no duplicate
    table = pl.filters.health(with_weights(values.astype(np.float32)))
    assert [table["verdict"][i] for i in (3, 5, 9)] == ["near zero", "not finite", "near zero"]
    assert (table["twin"][7], table["twin"][2]) == (2, 7)
    assert table["cosine"][7] == pytest.approx(1)
    assert table["norm"][9] == 0
    assert (table["norm"][5], table["cosine"][9], table["twin"][9], table["smoothness"][9]) == (None,) * 4
    alone = np.stack(
        [size * np.ones((3, 1, 1)) * grating(a) for a, size in ((0, 1), (40, 1), (80, 1), (120, 1), (40, 0.5))]
    )
    table = pl.filters.health(with_weights(alone.astype(np.float32)))
    assert table["verdict"] == ("fine", "fine", "fine", "fine", "duplicate")
    assert table.findings[-1].startswith("1 of 5 filters duplicate (4)")


def test_health_goes_by_what_a_batch_norm_leaves() -> None:
    """Batch norm undoes the size of a filter, and can silence one of any size."""
    conv, norm = nn.Conv2d(3, 6, 5, bias=False), nn.BatchNorm2d(6)
    with torch.no_grad():
        conv.weight[1] *= 1e-3
        norm.running_var[1] = 1e-6  # and it is as loud as the others
        norm.weight[4] = 1e-4
        norm.weight[2] = -1.0
    table = pl.filters.health(net_of(nn.Sequential(conv, norm)))
    assert [i for i, verdict in enumerate(table["verdict"]) if verdict == "near zero"] == [4]
    gain = norm.weight.abs() / (norm.running_var + norm.eps).sqrt()
    assert np.allclose(table["gain"], gain.detach().numpy(), rtol=1e-5)
    assert pl.filters.health(net_of(nn.Sequential(conv, nn.ReLU())))["gain"] == (None,) * 6


def test_health_of_filters_with_few_weights() -> None:
    """3 × 3 weights of one channel are judged together, 1 × 1 weights not at all, and both say so."""
    module = nn.Sequential(nn.Conv2d(3, 64, 1), nn.Conv2d(64, 64, 3, groups=64))
    net = net_of(module)
    random = pl.filters.health(net, layer="1")
    assert set(random["verdict"]) == {"small"}
    assert random["coherence"] == random["twin"] == (None,) * 64
    assert "cannot be told from random weights: it is untrained" in random.findings[0]
    with torch.no_grad():
        module[1].weight.copy_(torch.from_numpy(np.stack([grating(i, 3)[None] for i in range(64)])))
    assert "is no random layer" in pl.filters.health(net, layer="1").findings[0]
    assert "cannot be told from noise one by one" in pl.filters.health(net, layer="1").findings[0]
    table = pl.filters.health(net, layer="0")
    assert table["smoothness"] == table["coherence"] == table["chance"] == (None,) * 64
    assert table.findings[0] == "layer 0: filters of 1 × 1 have no places, so noise cannot be told"


def test_duplicates_are_more_than_chance() -> None:
    """The share of a sphere within an angle, counted out; and few weights give no duplicates."""
    rng = np.random.default_rng(6)
    for numbers, cosine in ((3, 0.8), (9, 0.5), (27, 0.3)):
        made = rng.normal(size=(200_000, numbers))
        found = (made[:, 0] / np.linalg.norm(made, axis=1) >= cosine).mean()
        assert by_chance(cosine, numbers) == pytest.approx(found, rel=0.05)
    assert threshold(147, 96) == 0.95
    assert threshold(1, 96) is None
    assert threshold(3, 96) is None
    assert threshold(9, 1000) not in (None, 0.95)
    twins, cosines = nearest(rng.normal(size=(4, 2, 3, 3)), [(0, 1), (0, 1), (2, 3), (4, 5)])
    assert twins.tolist() == [1, 0, -1, -1]
    assert np.isnan(cosines[2:]).all()


def test_health_depends_on_its_seed_a_little() -> None:
    net = net_of(nn.Sequential(nn.Conv2d(3, 40, 5)))
    one, same, other = (pl.filters.health(net, seed=seed) for seed in (0, 0, 1))
    assert one["chance"] == same["chance"] != other["chance"]
    assert np.allclose(one["chance"], other["chance"], atol=0.1)
    assert one["smoothness"] == other["smoothness"]


INITS: dict[str, Callable[[Tensor], Any]] = {
    "kaiming normal": nn.init.kaiming_normal_,
    "kaiming uniform": nn.init.kaiming_uniform_,
    "orthogonal": nn.init.orthogonal_,
    "truncated": lambda w: nn.init.trunc_normal_(w, std=0.02),
}


@pytest.mark.parametrize("start", INITS)
@pytest.mark.parametrize("shape", [(96, 3, 7), (32, 3, 3), (64, 16, 3)])
def test_random_weights_are_known_whatever_they_were_drawn_from(start: str, shape: tuple[int, int, int]) -> None:
    layer = nn.Conv2d(shape[1], shape[0], shape[2])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        INITS[start](layer.weight)
    table = pl.filters.health(net_of(nn.Sequential(layer), shape[1]))
    assert "cannot be told from random weights" in table.findings[0]
    assert table["verdict"].count("noise") >= 0.85 * shape[0]


@pytest.mark.slow
def test_the_bundled_network_is_trained_and_its_twin_is_not() -> None:
    trained, random = pl.filters.health(pl.load("bundled")), pl.filters.health(pl.load("bundled", weights="random"))
    assert trained["verdict"].count("noise") == 0
    assert [i for i, one in enumerate(trained["verdict"]) if one == "near zero"] == [11, 16, 28, 31]
    assert trained.findings[0].startswith("layer conv_stem is trained: none of its 32 filters are noise")
    assert random["verdict"].count("noise") >= 25
    assert "conv_stem cannot be told from random weights" in random.findings[0]


def test_squeezenet_shows_gabors_and_colors(shared: Callable[[str], Path]) -> None:
    trained, random = squeezenet(shared(WEIGHTS)), squeezenet(shared(WEIGHTS), random=True)
    table = pl.filters.health(trained)
    assert table["verdict"].count("noise") == 0
    assert table.findings[0].startswith("layer conv1 is trained")
    assert "conv1 cannot be told from random weights" in pl.filters.health(random).findings[0]
    assert pl.filters.health(random)["verdict"].count("noise") >= 85
    found = pl.filters.first_layer(trained)
    assert found.values.shape == (96, 3, 7, 7)
    edges = [float(name[:-1]) for name in found.names if name.endswith("°") and not name.startswith("color")]
    assert len(edges) >= 30
    assert np.histogram(edges, 6, (0, 180))[0].min() >= 3  # every direction
    assert sum(name.startswith("color") for name in found.names) >= 20
    # red, green, blue: the spot 66 is for red and against green, which the other way round would be blue
    spot = found[found.units.index(66)].values[0, :, 3, 3]
    assert spot[0] > 0.3
    assert spot[1] < spot[2] < 0


def test_squeezenet_knows_what_it_sees(shared: Callable[[str], Path]) -> None:
    net = squeezenet(shared(WEIGHTS))
    for name, label in (("panda", "giant panda"), ("espresso", "espresso"), ("cat_chelsea", "Egyptian cat")):
        assert net.top(pl.read(f"sample:{name}"), 1)[0].label == label


@pytest.mark.parametrize("file", ["resnet20-12fca82f.th", "resnet56-4bfd9763.th"])
def test_small_stems_trained_on_cifar(file: str, shared: Callable[[str], Path]) -> None:
    """16 filters of 3 × 3: few, and yet trained ones are no noise."""
    stored = torch.load(shared(f"data/weights/{file}"), map_location="cpu", weights_only=True)["state_dict"]
    conv, norm = nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16)
    for part, name in ((conv, "module.conv1."), (norm, "module.bn1.")):
        part.load_state_dict({k.removeprefix(name): v for k, v in stored.items() if k.startswith(name)}, strict=False)
    table = pl.filters.health(net_of(nn.Sequential(conv, norm)))
    assert "cannot be told" not in table.findings[0]
    assert table["verdict"].count("noise") <= 3
