"""Which dimensions of a layer are channels, rows and columns, wherever the network keeps them."""

from __future__ import annotations

import gc
import pickle
import weakref
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import pellucid as pl
from pellucid.errors import NotRun, Refused
from pellucid.net import Net
from pellucid.net.known import Structure
from pellucid.target import Target

SIZE = (24, 32)
PICTURES = torch.rand(2, 3, *SIZE, generator=torch.Generator().manual_seed(0))


class Last(nn.Module):
    """Images, rows, columns, channels between a convolution and the head, as in Swin and ConvNeXt."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 4, 4)
        self.norm, self.up, self.act, self.down = nn.LayerNorm(6), nn.Linear(6, 10), nn.GELU(), nn.Linear(10, 6)
        self.head = nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        h = self.stem(x).permute(0, 2, 3, 1)
        return self.head((h + self.down(self.act(self.up(self.norm(h))))).mean((1, 2)))


class Attention(nn.Module):
    def __init__(self, width: int, heads: int = 2) -> None:
        super().__init__()
        self.heads = heads
        self.qkv, self.soft, self.proj = nn.Linear(width, 3 * width), nn.Softmax(-1), nn.Linear(width, width)
        self.queries = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        n, length, width = x.shape
        q, k, v = self.qkv(x).reshape(n, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4).unbind(0)
        weights = self.soft(self.queries(q) @ k.transpose(-2, -1))
        return self.proj((weights @ v).transpose(1, 2).reshape(n, length, width))


class Tokens(nn.Module):
    """A vision transformer of two blocks, with so many tokens in front of the patches."""

    def __init__(self, ahead: int = 1) -> None:
        super().__init__()
        self.ahead, self.stem = ahead, nn.Conv2d(3, 8, 4, 4)
        self.token = nn.Parameter(torch.randn(1, ahead, 8))
        self.norms, self.attention = nn.ModuleList([nn.LayerNorm(8) for _ in range(2)]), nn.ModuleList()
        self.attention.extend([Attention(8) for _ in range(2)])
        self.norm, self.head = nn.LayerNorm(8), nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        h = self.stem(x).flatten(2).transpose(1, 2)
        h = torch.cat([self.token.expand(len(h), -1, -1), h], 1) if self.ahead else h
        for norm, attention in zip(self.norms, self.attention, strict=True):
            h = h + attention(norm(h))
        h = self.norm(h)
        return self.head(h[:, 0] if self.ahead else h.mean(1))


class Kernel(nn.Module):
    """A convolution whose kernel comes from a module, and another whose kernel comes from the picture."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 4, 3, padding=1))
        self.make, self.body, self.head = nn.Linear(4, 36), nn.ReLU(), nn.Linear(1, 4)
        self.shape = nn.Unflatten(1, (4, 3, 3))

    def forward(self, x: Tensor) -> Tensor:
        h = self.body(self.first(x))
        kernels = self.shape(self.make(h.mean((2, 3))))
        each = kernels.flatten(0, 1)[:, None]
        mapped = F.conv2d(h.flatten(0, 1)[None], each, groups=len(each))
        return self.head(mapped.view(len(x), -1).mean(1, keepdim=True))


class Windows(nn.Module):
    """Rows and columns cut into windows and merged, as Swin does it."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.inner = nn.Conv2d(3, 4, 2, 2), nn.Linear(4, 4)
        self.merge, self.head = nn.Linear(16, 6), nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        h = self.stem(x).permute(0, 2, 3, 1)
        n, rows, columns, c = h.shape
        cut = h.view(n, rows // 4, 4, columns // 4, 4, c).permute(0, 1, 3, 2, 4, 5).reshape(-1, 16, c)
        back = self.inner(cut).view(n, rows // 4, columns // 4, 4, 4, c).permute(0, 1, 3, 2, 4, 5).reshape(h.shape)
        h = h + back
        merged = h.reshape(n, rows // 2, 2, columns // 2, 2, c).permute(0, 1, 3, 2, 4, 5).flatten(3)
        return self.head(self.merge(merged).mean((1, 2)))


class NonLocal(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.soft, self.b, self.head = (
            nn.Conv2d(3, 4, 4, 4),
            nn.Softmax(-1),
            nn.Conv2d(4, 4, 1),
            nn.Linear(4, 4),
        )

    def forward(self, x: Tensor) -> Tensor:
        h = self.a(x)
        flat = h.flatten(2)
        mixed = (flat @ self.soft(flat.transpose(1, 2) @ flat).transpose(1, 2)).view(h.shape)
        return self.head((h + self.b(mixed)).mean((2, 3)))


def net_of(make: type[nn.Module], *args: Any) -> Net:
    torch.manual_seed(0)
    return pl.load(make(*args).eval(), size=SIZE, labels=list("abcd"))


def maps_by_hand(module: nn.Module, path: str, skip: int = 0) -> Tensor:
    """A layer's output as (N, C, rows, columns), turned by whoever knows the network."""
    kept: list[Tensor] = []
    handle = module.get_submodule(path).register_forward_hook(lambda part, given, out: kept.append(out))
    with torch.no_grad():
        module(PICTURES)
    handle.remove()
    out = kept[0]
    return out.permute(0, 3, 1, 2) if out.dim() == 4 else out[:, skip:].transpose(1, 2).unflatten(2, (6, 8))


@pytest.mark.parametrize(
    ("make", "path", "skip"),
    [((Last,), "act", 0), ((Last,), "norm", 0), ((Tokens, 1), "norms.1", 1), ((Tokens, 4), "norms.0", 4),
     ((Tokens, 0), "norm", 0), ((Windows,), "merge", 0)],
    ids=str,
)  # fmt: skip
def test_activations_are_turned_and_the_network_is_none_the_wiser(make: Any, path: str, skip: int) -> None:
    net = net_of(*make)
    pixels = net.preprocess.normalize(PICTURES)
    run = net.run(PICTURES, layers=[path], grad=True)
    expected = maps_by_hand(nn.Sequential(Normal(net), net.module), f"1.{path}", skip)
    assert run[path].shape == expected.shape == (2, *net.layer(path).shape)
    assert torch.equal(run[path], expected)
    assert torch.allclose(run.output, net.module(pixels))
    doubled = net.run(PICTURES, edit={path: lambda maps: maps * 2}).output
    assert not torch.allclose(doubled, run.output)
    kept: dict[str, Tensor] = {}
    net.observe(PICTURES, {path: lambda start, maps: kept.update({path: maps.clone()})}, at_once=2)
    assert torch.equal(kept[path], expected)


class Normal(nn.Module):
    def __init__(self, net: Net) -> None:
        super().__init__()
        self.net = [net]

    def forward(self, x: Tensor) -> Tensor:
        return self.net[0].preprocess.normalize(x)


def test_class_maps_of_channels_last_are_those_of_the_turned_layer() -> None:
    net = net_of(Last)
    seen = net.prepare(pl.Images.of(PICTURES[:1]))
    heat = pl.attribution.grad_cam(net, seen, 1, layer="act")
    act = net.run(seen.pixels, layers=["act"])["act"]
    weights = (net.module.head.weight[1] @ net.module.down.weight) / 48  # type: ignore[union-attr, operator]
    assert np.allclose(heat.values[0], torch.einsum("k,khw->hw", weights, act[0]).detach(), atol=1e-6)
    assert pl.attribution.grad_cam(net, PICTURES[:1], 1).values.shape == (1, 6, 8)


@pytest.mark.parametrize("ahead", [0, 1, 3])
def test_class_maps_of_tokens_are_of_patches(ahead: int) -> None:
    net = net_of(Tokens, ahead)
    heat = pl.attribution.grad_cam(net, PICTURES, "b")
    assert heat.values.shape == (2, 6, 8)
    assert np.abs(heat.values).max() > 0, "the layer still moves the score"
    assert heat.meta.layer == ("norms.1" if ahead else "norm")
    assert heat.placement.centers(6, 8)[0].tolist() == [1.5 + 4 * i for i in range(6)]


def test_attention_kernels_and_weights_are_no_maps() -> None:
    spatial = {row.name for row in net_of(Tokens).layers().rows if row.spatial}
    assert spatial == {"stem", "norms.0", "norms.1", "norm"}
    assert not any(".soft" in name or ".qkv" in name for name in spatial)
    assert {row.name for row in net_of(NonLocal).layers().rows if row.spatial} == {"a", "b"}
    rows = net_of(Kernel).layers()
    assert {row.name for row in rows.rows if row.spatial} == {"first", "body"}
    assert rows["shape"].shape == (4, 3, 3)
    assert rows.last_map().name == "body"  # type: ignore[union-attr]


def test_units_are_channels() -> None:
    net = net_of(Last)
    expected = maps_by_hand(nn.Sequential(Normal(net), net.module), "1.up")
    run = net.run(PICTURES, layers=["up"])
    assert torch.allclose(Target.of("up:9")(run), expected[:, 9].mean((1, 2)))
    assert torch.allclose(Target.of("up:9@5,7")(run), expected[:, 9, 5, 7])
    assert torch.allclose(Target.of("max(up:3)")(run), expected[:, 3].amax((1, 2)))
    net = net_of(Tokens)
    weights = net.run(PICTURES, layers=["attention.0.queries"])
    with pytest.raises(Refused, match="which of them belong to one unit is not known"):
        Target.of("attention.0.queries:1")(weights)
    assert Target.of("energy(attention.0.queries)")(weights).shape == (2,)
    assert Target.of("attention.0.qkv:20")(net.run(PICTURES, layers=["attention.0.qkv"])).shape == (2,)


def test_a_layer_without_places_is_refused_in_one_line() -> None:
    torch.manual_seed(0)
    mlp = pl.load(nn.Sequential(nn.Flatten(), nn.Linear(768, 4), nn.ReLU(), nn.Linear(4, 2)), size=16)
    for layer in ("1", "2", None):
        with pytest.raises(Refused, match=r"no layer of (this network|Sequential) has"):
            pl.attribution.grad_cam(mlp, torch.rand(1, 3, 16, 16), 1, layer=layer)
    with pytest.raises(Refused, match="no maps of places"):
        pl.activations.maps(mlp, torch.rand(1, 3, 16, 16), layer="1")


class Depends(nn.Module):
    """Takes one way for dark pictures and another for bright ones."""

    def __init__(self) -> None:
        super().__init__()
        self.bright, self.dark, self.head = nn.Conv2d(3, 4, 3), nn.Conv2d(3, 4, 5), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        h = self.bright(x) if x.mean() > 0.3 else self.dark(x)
        return self.head(h.relu().mean((2, 3)))


def test_layers_that_run_for_some_pictures_only() -> None:
    net = pl.load(Depends().eval(), size=16)
    light = torch.full((1, 3, 16, 16), 0.9)
    assert "bright" not in net.layers()
    for layer in (None, "bright"):
        heat = pl.attribution.grad_cam(net, light, 1, layer=layer)
        assert heat.meta.layer == "bright"
        assert heat.values.shape == (1, 14, 14)
    assert pl.activations.maps(net, light, layer="bright").values.shape[2:] == (14, 14)
    with pytest.raises(NotRun, match="took no part in this forward pass"):
        pl.attribution.grad_cam(net, light, 1, layer="dark")


def test_a_replaced_part_is_noticed() -> None:
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)
    )
    net = pl.load(module, size=14)
    assert net.layers()["0"].shape == (4, 14, 14)
    assert net.layers() is net.layers(), "found out once"
    module[0] = nn.Conv2d(3, 4, 3, stride=2, padding=1)
    assert net.layers()["0"].shape == (4, 7, 7)
    module[0].stride = (1, 1)
    assert net.layers()["0"].shape == (4, 14, 14)
    module[1] = nn.Sequential(nn.ReLU(), nn.MaxPool2d(2))
    assert net.layers()["1"].shape == (4, 7, 7)
    before = net.layers()
    with torch.no_grad():
        module[4].weight.add_(1)
    assert net.layers() is before, "weights do not matter"


@pytest.mark.slow
def test_what_is_known_of_a_module_keeps_none_alive() -> None:
    module = nn.Sequential(nn.ReLU(), nn.ReLU())
    known, gone = Structure(module), weakref.ref(module[1])
    assert known.holds(module)
    for _ in range(50):  # some of the new ones have the address of an old one
        module[1] = nn.ReLU()
        assert not known.holds(module)
    gc.collect()
    assert gone() is None
    assert not pickle.loads(pickle.dumps(Structure(module))).holds(module)


class Inside(nn.Module):
    """Makes what it needs of a picture."""

    def __init__(self, inner: nn.Module, signals: bool) -> None:
        super().__init__()
        self.inner, self.signals = inner, signals

    def forward(self, pixels: Tensor) -> Tensor:
        return self.inner(pixels.flatten(2) if self.signals else pixels[:, None])


class Pooled(nn.Module):
    def __init__(self, conv: nn.Module) -> None:
        super().__init__()
        self.conv, self.head = conv, nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.conv(x).relu().flatten(2).mean(2))


@pytest.mark.parametrize(
    ("kind", "conv", "again"),
    [
        ("3-d", nn.Conv3d(3, 4, 3, padding=1), nn.Conv3d(1, 4, 3, padding=1)),
        ("1-d", nn.Conv1d(3, 4, 3), nn.Conv1d(3, 4, 3)),
    ],
    ids=["3-d", "1-d"],
)
def test_networks_of_volumes_and_signals_are_named(kind: str, conv: nn.Module, again: nn.Module) -> None:
    for ask in (
        lambda: pl.load(Pooled(conv), size=16),
        lambda: Net(Pooled(conv)).layers((16, 16)),
        lambda: Net(conv).layers(),
    ):
        with pytest.raises(Refused, match=f"{kind} convolutions .* no images"):
            ask()
    with pytest.raises(Refused, match=f"{kind} convolutions"):
        Net(Pooled(conv)).run(torch.rand(1, 3, 16, 16))
    net = pl.load(Inside(Pooled(again), kind == "1-d"), size=16)  # the way that the refusal names
    assert pl.attribution.gradient(net, torch.rand(1, 3, 16, 16), 1).values.shape == (1, 16, 16)
    assert not any(row.spatial for row in net.layers().rows)
