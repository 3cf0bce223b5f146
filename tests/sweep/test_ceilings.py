"""Activations with a ceiling: units are ranked by what the activation receives; values stay those of the activation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.errors import BadNetwork
from pellucid.images.sources import Source
from pellucid.index import Index
from pellucid.index.plan import planned
from pellucid.net import Net, Preprocess
from pellucid.sweep import Serial, swept
from tests.sweep.made import photos


class Bright(nn.Module):
    """Far beyond any ceiling in most pictures; the clip is a module, a function, or written in place."""

    def __init__(self, clip: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.stage = nn.Sequential()
        self.stage.append(nn.Conv2d(3, 5, 3, stride=2))
        self.clip = clip
        self.end, self.head = nn.Identity(), nn.Linear(5, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.end(self.clip(self.stage(x) * 40 + 3)).mean((2, 3)))


MOMENTS = ("count", "mean", "sd", "max_mean", "max_sd", "greatest", "least", "silent")
CLIPS: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    "ReLU6": (nn.ReLU6(), F.relu6),
    "ReLU6 in place": (nn.ReLU6(inplace=True), F.relu6),
    "hardtanh": (lambda x: F.hardtanh(x, -2, 3), lambda x: x.clamp(-2, 3)),
    "clamp in place": (lambda x: x.clamp_(min=0, max=4.5), lambda x: x.clamp(0, 4.5)),
    "clamp at the top": (lambda x: x.relu_().clamp_(max=2), lambda x: x.clamp(0, 2)),
    "minimum": (lambda x: torch.minimum(x.relu(), torch.tensor(6.0)), F.relu6),
    "hardsigmoid": (nn.Hardsigmoid(), F.hardsigmoid),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return photos(tmp_path_factory.mktemp("photos"), 22, classes=2)


def net_of(clip: Callable[[Tensor], Tensor]) -> Net:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return Net(Bright(clip), "bright", Preprocess(resize=12, crop=(12, 12)))


@pytest.mark.parametrize("name", CLIPS)
def test_the_strongest_are_those_before_the_ceiling(folder: Path, tmp_path: Path, name: str) -> None:
    clip, plain = CLIPS[name]
    net, source = net_of(clip), Source.of(folder)
    layer = "clip" if isinstance(clip, nn.Module) else "end"
    index = Index.of(
        swept(planned(net, source, layers=(layer,), count=9, shard=8), tmp_path / "x", Serial(net, source))
    )
    pixels = torch.cat([net.prepare(source.read(i)).pixels for i in range(len(source))])
    with torch.no_grad():
        before = net.run(pixels, layers=["stage"]).at["stage"] * 40 + 3
    after = plain(before).flatten(2).amax(2).numpy()
    before = before if name not in ("clamp at the top", "minimum") else before.relu()
    flat = before.flatten(2).numpy()
    assert len(np.unique(after)) < 0.7 * after.size, "nothing reaches the ceiling: the test tests nothing"
    for channel in range(5):
        peaks = flat[:, channel].max(1)
        order = sorted(range(len(peaks)), key=lambda i: (-peaks[i], i))[:9]
        top = index[layer].top(channel)
        assert top.images.tolist() == order
        assert top.places.tolist() == [int(flat[i, channel].argmax()) for i in order]
        assert np.allclose(top.before, peaks[order], rtol=1e-6)
        assert np.allclose(top.values, after[order, channel], rtol=1e-6)
        assert np.isclose(index[layer].moments.max_mean[channel], after[:, channel].mean(), rtol=1e-6)
        assert index[layer].moments.greatest[channel] == top.values[0]
        assert index[layer].quantiles(channel, np.array([0.9, 0.999])).max() <= top.values[0]


class ChannelsLast(nn.Module):
    """Keeps its channels last, as ConvNeXt and Swin do; `turned` is the same map as others keep it, a view."""

    def __init__(self) -> None:
        super().__init__()
        self.stage, self.mix, self.act = nn.Conv2d(3, 4, 3, stride=2), nn.Linear(4, 5), nn.ReLU6()
        self.turned, self.head = nn.Identity(), nn.Linear(5, 2)

    def forward(self, x: Tensor) -> Tensor:
        h = self.act(self.mix(self.stage(x).permute(0, 2, 3, 1)) * 40 + 3)
        return self.head(self.turned(h.permute(0, 3, 1, 2)).mean((2, 3)))


def test_channels_are_found_before_the_ceiling_too(folder: Path, tmp_path: Path) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        net, source = Net(ChannelsLast(), "last", Preprocess(resize=12, crop=(12, 12))), Source.of(folder)
    plan = planned(net, source, layers=("act", "turned"), count=9)
    index = Index.of(swept(plan, tmp_path / "x", Serial(net, source)))
    assert plan.units.clips[0] is not None
    pixels = torch.cat([net.prepare(source.read(i)).pixels for i in range(len(source))])
    with torch.no_grad():
        flat = (net.run(pixels, layers=["mix"]).at["mix"] * 40 + 3).flatten(2)
    for channel in range(5):
        peaks = flat[:, channel].amax(1).numpy()
        order = sorted(range(len(peaks)), key=lambda i: (-peaks[i], i))[:9]
        top = index["act"].top(channel)
        assert top.images.tolist() == order
        assert top.places.tolist() == [int(flat[i, channel].argmax()) for i in order]
        ends = np.clip(peaks, 0, 6)
        assert np.allclose(index["turned"].top(channel).values, np.sort(ends)[::-1][:9], rtol=1e-6)


def test_a_layer_that_ends_otherwise_now_and_then_is_refused(folder: Path, tmp_path: Path) -> None:
    def moody(x: Tensor) -> Tensor:
        return F.relu6(x) if len(x) == 1 else F.relu6(x) + 1

    net, source = net_of(moody), Source.of(folder)
    with pytest.raises(BadNetwork, match="'end' does not always end in the same activation"):
        swept(planned(net, source, layers=("end",)), tmp_path / "x", Serial(net, source))


def test_the_network_is_as_before(folder: Path) -> None:
    net = net_of(nn.ReLU6(inplace=True))
    pixels = torch.rand(2, 3, 12, 12)
    first = net.run(pixels).output
    assert set(net.clips(pixels, ("stage", "clip", "end"))) == {"clip", "end"}
    assert torch.equal(net.run(pixels).output, first)
    assert not any(part._forward_hooks for part in net.module.modules())


def scaled(folder: Path, store: Path, factor: float) -> Index:
    """An index of the same network whose activations are that many times as large."""
    net, source = net_of(nn.ReLU()), Source.of(folder)
    with torch.no_grad():
        for value in net.module.stage[0].parameters():  # type: ignore[index,union-attr]
            value.mul_(factor)
    net.module.forward = lambda x, m=net.module, f=factor: m.head(  # type: ignore[method-assign,misc]
        m.end(m.clip(m.stage(x) * 40 + 3 * f)).mean((2, 3)) / f
    )
    plan = planned(net, source, layers=("stage", "clip"), pool=("clip",), embed=("clip",), count=9)
    return Index.of(swept(plan, store, Serial(net, source)))


@pytest.fixture(scope="module")
def unscaled(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Index:
    return scaled(folder, tmp_path_factory.mktemp("store") / "x", 1.0)


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1e6])
def test_statistics_do_not_depend_on_the_scale_of_activations(
    unscaled: Index, folder: Path, tmp_path: Path, scale: float
) -> None:
    found = one, two = unscaled, scaled(folder, tmp_path / "x", scale)
    for layer in ("stage", "clip"):
        for channel in range(5):
            a, b = ({n: getattr(i[layer].moments, n)[channel] for n in MOMENTS} for i in found)
            assert (a["count"], a["silent"]) == (b["count"], b["silent"]) == (22, a["silent"])
            for name in ("mean", "sd", "max_mean", "max_sd", "least", "greatest"):
                assert np.isclose(b[name], a[name] * scale, rtol=2e-5, atol=1e-5 * a["greatest"] * scale), name
            shares = np.array([0.1, 0.5, 0.9, 0.995])
            given = [index[layer].quantiles(channel, shares) for index in found]
            assert np.allclose(given[1], given[0] * scale, rtol=0.05, atol=0.02 * a["sd"] * scale)
            assert one[layer].top(channel).images.tolist() == two[layer].top(channel).images.tolist()
        assert np.allclose(two[layer].sample[1], one[layer].sample[1] * scale, rtol=2e-3, atol=1e-4 * scale)
        means = [index[layer].class_means for index in found]
        assert np.allclose(means[1], means[0] * scale, rtol=2e-5, atol=1e-5 * scale)
    assert np.allclose(one.class_selectivity, two.class_selectivity, atol=1e-4, equal_nan=True)
    assert np.isfinite(two.class_selectivity[5:]).sum() > 2
    rows = [np.asarray(index.embedding[1], np.float64) for index in found]
    assert np.allclose(rows[1], rows[0] * scale, rtol=2e-3, atol=1e-4 * scale)
