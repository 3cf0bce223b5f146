"""Methods made of backward rules: lrp, deep_lift, full_grad, excitation_backprop, against closed forms in float64."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import pellucid as pl
from pellucid.errors import PellucidError, Refused
from pellucid.images import Images
from pellucid.net import Net, Preprocess
from pellucid.net.rules import Relevance
from pellucid.net.rules.relevance import epsilon
from pellucid.result.coverage import uncovered
from tests.net.test_relevance import Node, Tape, alpha_beta, flat, gamma
from tests.net.test_relevance import epsilon as plain_epsilon
from tests.networks import TOPOLOGIES, Array, Base, seeded

SHIFTED = Preprocess(mean=(0.4, 0.5, 0.6), std=(0.2, 0.25, 0.3))
STRICT = {"composite": "epsilon", "classifier": "epsilon:1e-12", "features": "epsilon:1e-12"}
A = pl.attribution


def pictures(n: int = 2, height: int = 8, width: int = 10, seed: int = 0) -> Images:
    values = torch.rand(n, 3, height, width, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return Images.from_pictures(list(values), [f"picture {i}" for i in range(n)])


def net_of(module: nn.Module) -> Net:
    return Net(module, preprocess=SHIFTED)


def unbiased(module: nn.Module) -> nn.Module:
    for part in module.modules():
        for name, parameter in part.named_parameters(recurse=False):
            if name == "bias":
                parameter.data.zero_()
    return module


# ---- every kind of operation that real networks hold ----


class Attention(nn.Module):
    def __init__(self, fused: bool) -> None:
        super().__init__()
        self.fused, self.qkv = fused, nn.Conv2d(6, 18, 1)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(x).flatten(2).transpose(1, 2).chunk(3, -1)
        fused = F.scaled_dot_product_attention
        out = fused(q, k, v) if self.fused else (q @ k.mT * 6**-0.5).softmax(-1) @ v
        return out.mT.reshape(x.shape)


class SqueezeExcitation(nn.Module):
    def __init__(self, gate: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.gate, self.a, self.b = gate, nn.Conv2d(6, 2, 1), nn.Conv2d(2, 6, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gate(self.b(F.relu(self.a(F.adaptive_avg_pool2d(x, 1)))))


class Dynamic(nn.Module):
    """The weights of a convolution come from the picture: all images as groups of one convolution."""

    def __init__(self, bias: bool = False) -> None:
        super().__init__()
        self.route, self.experts = nn.Linear(6, 3), nn.Parameter(torch.randn(3, 6 * 6 * 9) / 5)
        self.shifts = nn.Parameter(torch.randn(3, 6)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        n, c, h, w = x.shape
        mix = torch.sigmoid(self.route(x.mean((2, 3))))
        weight = (mix @ self.experts).view(n * c, c, 3, 3)
        bias = None if self.shifts is None else (mix @ self.shifts).view(-1)
        return F.conv2d(x.reshape(1, n * c, h, w), weight, bias, padding=1, groups=n).view(n, c, h, w)


class Grn(nn.Module):
    """ConvNeXt V2's global response norm, channels last, through addcmul."""

    def __init__(self) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.randn(6)), nn.Parameter(torch.randn(6) / 5)

    def forward(self, x: Tensor) -> Tensor:
        x = x.permute(0, 2, 3, 1)
        length = x.norm(p=2, dim=(1, 2), keepdim=True)
        return (x + torch.addcmul(self.bias, self.weight, x * (length / (length.mean(-1, True) + 1e-6)))).permute(
            0, 3, 1, 2
        )


class Do(nn.Module):
    """A module that is one given function."""

    def __init__(self, function: Callable[[Tensor], Tensor], *parts: nn.Module) -> None:
        super().__init__()
        self.function, self.parts = function, nn.ModuleList(parts)

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


def _prelu() -> nn.Module:
    return nn.PReLU(6, init=0.3)


def _weight_shaped(*shape: int) -> Tensor:
    return torch.linspace(0.5, 1.5, int(np.prod(shape))).double().view(shape)


def _first_two(value: float) -> Tensor:
    return torch.tensor([value] * 2 + [0] * 4).double().view(6, 1, 1)


OPERATIONS: dict[str, Callable[[], nn.Module]] = {
    **{
        name: (lambda act=act: Do(act))
        for name, act in {
            "relu": F.relu, "relu6": lambda x: F.relu6(9 * x), "silu": F.silu, "gelu": F.gelu,
            "gelu of tanh": lambda x: F.gelu(x, approximate="tanh"), "hardswish": lambda x: F.hardswish(4 * x),
            "mish": F.mish, "leaky": lambda x: F.leaky_relu(x, 0.2), "elu": F.elu, "selu": F.selu, "celu": F.celu,
            "tanh": torch.tanh, "softsign": F.softsign, "square": torch.square, "power": lambda x: x**3,
            "hand-written swish": lambda x: x * torch.sigmoid(x), "hand-written silu in place": lambda x: x.mul(
                torch.sigmoid(x)
            ),
            "glu": lambda x: torch.cat([F.glu(x, 1), F.glu(x.flip(1), 1)], 1),
            "layer norm": lambda x: F.layer_norm(x.permute(0, 2, 3, 1), (6,), _weight_shaped(6)).permute(0, 3, 1, 2),
            "layer norm of maps": lambda x: F.layer_norm(x, x.shape[1:]),
            "group norm": lambda x: F.group_norm(x, 3, _weight_shaped(6)),
            "instance norm": lambda x: F.instance_norm(x, weight=_weight_shaped(6)),
            "rms norm": lambda x: F.rms_norm(x, x.shape[1:], eps=1e-5),
            "response norm": lambda x: F.local_response_norm(x, 3, alpha=0.5),
            "response norm even": lambda x: F.local_response_norm(x, 4, alpha=0.5, beta=0.5, k=2.0),
            "normalize": lambda x: F.normalize(x, dim=1), "normalize l1": lambda x: F.normalize(x, p=1.0, dim=(2, 3)),
            "normalize dead maps": lambda x: F.normalize(F.relu(x - _first_two(5)), dim=(2, 3)),
            "vector norm": lambda x: x / torch.linalg.vector_norm(x, dim=1, keepdim=True),
            "matrix norm": lambda x: x / torch.linalg.norm(x, dim=(2, 3), keepdim=True),
            "std": lambda x: (x - x.mean((2, 3), keepdim=True)) / x.std((2, 3), keepdim=True),
            "var": lambda x: x / torch.sqrt(x.var(1, unbiased=False, keepdim=True) + 1e-3),
            "max of a dimension": lambda x: x + x.max(1, keepdim=True)[0] + torch.max(x, dim=1, keepdim=True).values,
            "min of a dimension": lambda x: x + x.min(1, keepdim=True).values, "amin": lambda x: x + x.amin(1, True),
            "amax": lambda x: x + x.amax((2, 3), keepdim=True),
            "maximum": lambda x: torch.maximum(x, x.flip(1)), "max of two": lambda x: torch.max(x, x.flip(2)),
            "minimum": lambda x: torch.minimum(x, x.flip(1)), "min of two": lambda x: x.min(x.flip(1)),
            "max pool": lambda x: F.max_pool2d(x, 2), "overlapping max pool": lambda x: F.max_pool2d(x, 3, 1, 1),
            "max pool with places": lambda x: F.max_pool2d(x, 2, return_indices=True)[0],
            "max pool, then relu": lambda x: F.relu(F.max_pool2d(x, 3, 2, 1)),
            "adaptive max pool": lambda x: F.adaptive_max_pool2d(x, 3), "average pool": lambda x: F.avg_pool2d(x, 3, 2),
            "upsampled": lambda x: F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False),
            "shuffled": lambda x: F.channel_shuffle(F.pixel_unshuffle(x, 2), 4),
            "padded": lambda x: F.pad(x, (1, 2, 1, 0), mode="reflect"), "spread": lambda x: x * x.mean((2, 3), True),
            "quotient": lambda x: x / (1 + x.abs()), "one over": lambda x: x + x.flip(1) * (1 / (2 + x * x)),
            "einsum": lambda x: torch.einsum("nchw,ncij->nhw", x, x)[:, None].expand_as(x) + x,
            "gram": lambda x: ((x.flatten(2) @ x.flatten(2).mT) @ x.flatten(2)).view_as(x),
            "by batch": lambda x: torch.bmm(x.flatten(2), x.flatten(2).transpose(1, 2)).mean(2)[..., None, None] + x,
            "written into": lambda x: (x * 2).add_(x).mul_(3).relu_().clamp_(max=1),
            "soft maximum": lambda x: x * torch.logsumexp(x, 1, keepdim=True),
        }.items()
    },
    "prelu": _prelu,
    "channel attention": lambda: SqueezeExcitation(torch.sigmoid),
    "hard channel attention": lambda: SqueezeExcitation(F.hardsigmoid),
    "attention": lambda: Attention(False),
    "fused attention": lambda: Attention(True),
    "dynamic convolution": Dynamic,
    "transposed convolution": lambda: nn.ConvTranspose2d(6, 6, 2, stride=2, bias=False),
}  # fmt: skip
BIASED: dict[str, Callable[[], nn.Module]] = {
    "hard swish by hand": lambda: Do(lambda x: x * F.relu6(x + 3) / 6),
    "dynamic convolution with its own bias": lambda: Dynamic(bias=True),
    "global response norm": Grn,
    "layer norm with bias": lambda: nn.GroupNorm(1, 6),
    "batch norm": lambda: nn.BatchNorm2d(6),
    "sigmoid": nn.Sigmoid,
    "softplus": nn.Softplus,
    "softmax": lambda: nn.Softmax(1),
    "log softmax": lambda: nn.LogSoftmax(1),
    "softmax by place": lambda: Do(lambda x: torch.softmax(x, 1, torch.float64)),
    "exponential": lambda: Do(torch.exp),
    "root": lambda: Do(lambda x: torch.sqrt(x * x + 1)),
    "logarithm": lambda: Do(lambda x: torch.log(1 + x * x)),
    "constants": lambda: Do(lambda x: torch.cat([3 - x, torch.full_like(x[:, :1], 2)], 1)[:, 1:] + 0.5),
    "filled": lambda: Do(lambda x: x.masked_fill(torch.arange(10) % 2 == 0, 0.7)),
    "padded by a constant": lambda: Do(lambda x: F.pad(x, (1, 1), value=0.8)),
    "at least": lambda: Do(lambda x: torch.max(x, torch.tensor(0.2).double()).clamp(0.3, 0.9)),
    "matrix product with bias": lambda: Do(
        lambda x: torch.addmm(torch.linspace(-1, 1, 6).double(), x.mean((2, 3)), torch.eye(6).double())[..., None, None]
    ),
}
EVERYTHING = OPERATIONS | BIASED


class Around(nn.Module):
    """The operation amid a small network; without biases of its own unless asked for."""

    def __init__(self, make: Callable[[], nn.Module], bias: bool) -> None:
        super().__init__()
        self.a, self.operation = nn.Conv2d(3, 6, 3, padding=1, bias=bias), make()
        self.b, self.c, self.head = (
            nn.LazyConv2d(5, 2, bias=bias), nn.Conv2d(5, 5, 1, bias=bias), nn.Linear(5, 3, bias=bias),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        h = self.operation(self.a(x))
        h = self.b(h if min(h.shape[2:]) > 1 else h.expand(-1, -1, 4, 4))
        return self.head(self.c(F.relu(h) + 0.3 * h).mean((2, 3)))


@functools.cache
def around(name: str, bias: bool) -> nn.Module:
    make = EVERYTHING[name]

    def made() -> nn.Module:
        net = Around(make, bias).double()
        net(torch.rand(2, 3, 8, 10).double())  # the lazy convolution learns its channels
        for part in net.modules():
            if isinstance(part, (nn.GroupNorm, nn.BatchNorm2d)):
                part.weight.data.uniform_(-1, 1)
                part.bias.data.uniform_(-1, 1)
                if isinstance(part, nn.BatchNorm2d):
                    part.running_mean.uniform_(-0.5, 0.5)
        return net

    net = seeded(made)
    return net if bias or name in BIASED else unbiased(net)


@pytest.mark.parametrize("name", EVERYTHING)
def test_operations_taken_apart_give_the_same_numbers(name: str) -> None:
    """Layer norms, softmax, attention … as sums and products: the score is torch's own, to rounding."""
    net = around(name, True)
    x = SHIFTED.normalize(pictures().pixels)
    rule = Relevance(None, ("epsilon", epsilon()), ("epsilon", epsilon()))
    run = Net(net).run(x.requires_grad_(), rule=rule, grad=True)
    assert torch.allclose(run.output, net(x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", OPERATIONS)
def test_relevance_is_conserved(name: str) -> None:
    heat = A.lrp(net_of(around(name, False)), pictures(), 1, **STRICT)
    assert np.allclose(heat.array.sum((1, 2)), heat.meta.score, rtol=1e-7, atol=0)
    assert max(heat.meta.completeness) < 1e-7
    assert not uncovered(heat.meta.coverage)
    assert heat.meta.said == ()


# A map that is dead in one of two pictures jumps from 0 to length 1 within 1e-12: no multiplier says that in digits.
@pytest.mark.parametrize("name", [name for name in EVERYTHING if name != "normalize dead maps"])
def test_deep_lift_is_complete(name: str) -> None:
    net = net_of(around(name, True))
    heat = A.deep_lift(net, pictures(1), 1, baseline="gray")
    start = net.run(torch.full((1, 3, 8, 10), 0.5).double()).output[0, 1].item()
    change = np.array(heat.meta.score) - start
    assert np.abs(heat.array.sum((1, 2)) - change).max() <= 1e-9 * np.abs(change).max() + 1e-12
    assert max(heat.meta.completeness) < 1e-8
    assert not uncovered(heat.meta.coverage)


@pytest.mark.parametrize("name", EVERYTHING)
def test_full_grad_is_complete(name: str) -> None:
    heat = A.full_grad(net_of(around(name, True)), pictures(), 1)
    assert np.allclose(heat.array.sum((1, 2)), heat.meta.score, rtol=1e-9, atol=1e-11)
    assert max(heat.meta.completeness) < 1e-8
    assert not uncovered(heat.meta.coverage)


# ---- lrp ----

COMPOSITES: dict[str, tuple[Any, Any, Any]] = {
    "epsilon": (None, plain_epsilon(), plain_epsilon()),
    "epsilon_plus": (None, alpha_beta(1, 0), plain_epsilon()),
    "epsilon_plus_flat": (flat, alpha_beta(1, 0), plain_epsilon()),
    "epsilon_alpha2_beta1": (None, alpha_beta(2, 1), plain_epsilon()),
    "epsilon_alpha2_beta1_flat": (flat, alpha_beta(2, 1), plain_epsilon()),
}


def tape_of(net: Base, pixels: Array, composite: tuple[Any, Any, Any], unit: int = 2) -> Array:
    from tests.net.test_relevance import Dense

    tape, x = Tape(*composite), Node(pixels, raw=True)
    body = net.tape(tape, x)  # type: ignore[arg-type]
    out = tape.linear(tape.mean(body), Dense.layer(net.head, (len(body.value),)))  # type: ignore[arg-type]
    tape.from_output(out, unit)
    return x.relevance.sum(0)


@pytest.mark.parametrize("composite", COMPOSITES)
@pytest.mark.parametrize("topology", ["in-place", "pre-activation", "post-activation", "branches"])
def test_lrp_is_the_composite_it_says(topology: str, composite: str) -> None:
    net, x = seeded(TOPOLOGIES[topology]), pictures(1)
    expected = tape_of(net, SHIFTED.normalize(x.pixels)[0].numpy(), COMPOSITES[composite])
    found = A.lrp(net_of(net), x, 2, composite=composite).array[0]
    assert np.abs(found - expected).max() <= 1e-7 * np.abs(expected).max()


def test_lrp_z_box_reaches_from_black_to_white_as_the_network_sees_them() -> None:
    """The box is that of normalized pixels, whatever the standard deviation."""
    x = pictures(1)
    net = seeded(lambda: nn.Sequential(nn.Conv2d(3, 1, (8, 10), bias=False), nn.Flatten()))
    mean, std = (np.array(v)[:, None, None] for v in (SHIFTED.mean, SHIFTED.std))
    seen, w = (x.pixels[0].numpy() - mean) / std, net[0].weight.detach().numpy()[0]
    z = seen * w - (0 - mean) / std * np.maximum(w, 0) - (1 - mean) / std * np.minimum(w, 0)
    expected = (z / z.sum()).sum(0) * (seen * w).sum()
    found = A.lrp(net_of(net), x, 0, composite="epsilon_gamma_box").array[0]
    assert np.abs(found - expected).max() <= 1e-5 * np.abs(expected).max()


def test_lrp_z_box_refuses_what_are_no_pixels() -> None:
    def rearranged() -> nn.Module:
        return nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(12, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())

    def stretched() -> nn.Module:
        return nn.Sequential(
            Do(lambda x: 5 * x), nn.Conv2d(3, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        )  # a normalization of its own

    for make, said in ((rearranged, "12 channels"), (stretched, "normalized")):
        with pytest.raises(Refused, match=said):
            A.lrp(net_of(seeded(make)), pictures(), 0, composite="epsilon_gamma_box")


def test_first_operations_are_those_that_read_pixels_alone() -> None:
    """A dense block's second convolution reads the pixels again beside maps: no first operation."""

    class Dense2(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm, self.a, self.b = nn.BatchNorm2d(3), nn.Conv2d(3, 4, 1), nn.Conv2d(7, 2, 1)

        def forward(self, x: Tensor) -> Tensor:
            x = self.norm(x)
            return self.b(torch.cat([x, F.relu(self.a(x))], 1)).mean((2, 3))

    coverage = A.lrp(net_of(seeded(Dense2)), pictures(), 0, first="flat", features="gamma:0.25").meta.coverage
    assert coverage["conv2d", "flat"] == coverage["conv2d", "gamma:0.25"] == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"features": "gamma:-1"}, "0 or more"),
        ({"features": "gamma:inf"}, "0 or more"),
        ({"features": "gamma:nan"}, "0 or more"),
        ({"features": "gamma:x"}, "0 or more"),
        ({"features": "flat"}, "first operation alone"),
        ({"classifier": "z_box"}, "first operation alone"),
        ({"features": "alpha_beta:2,0"}, "must be 1"),
        ({"features": "alpha_beta:2"}, "write it as in"),
        ({"first": "z_box:1"}, "write it as in"),
        ({"first": "z_plus:1"}, "write it as in"),
        ({"features": "gama"}, "gamma"),
    ],
)
def test_lrp_refuses_rules_that_are_none(options: dict[str, str], said: str) -> None:
    with pytest.raises(PellucidError, match=said) as error:
        A.lrp(net_of(seeded(TOPOLOGIES["module"])), pictures(), 0, **options)
    assert "\n" not in str(error.value)


def test_lrp_without_epsilon_is_gradient_times_input_of_a_network_without_biases() -> None:
    net = net_of(unbiased(seeded(TOPOLOGIES["post-activation"])))
    zero = Images.from_pictures(
        [torch.tensor(SHIFTED.mean, dtype=torch.float64)[:, None, None].expand(3, 8, 10)], ["zero"]
    )
    found = A.lrp(net, pictures(1), 1, composite="epsilon", features="epsilon:0", classifier="epsilon:0")
    x = pictures(1).pixels.requires_grad_()
    (gradient,) = torch.autograd.grad(net.module(SHIFTED.normalize(x))[0, 1], x)
    expected = (gradient * (x - zero.pixels)).sum(1)[0].detach().numpy()
    assert np.abs(found.array[0] - expected).max() <= 1e-9 * np.abs(expected).max()


def test_lrp_of_a_pixel_that_is_zero_for_the_network() -> None:
    """Rules of the first operation give relevance to a pixel whatever its value: also to an exact zero."""
    net, x = seeded(TOPOLOGIES["module"]), pictures(1).pixels
    x[0, :, 2, 3] = torch.tensor(SHIFTED.mean, dtype=torch.float64)
    seen = SHIFTED.normalize(x)
    assert not seen[0, :, 2, 3].any()
    expected = tape_of(net, seen[0].numpy(), COMPOSITES["epsilon_plus_flat"])
    found = A.lrp(net_of(net), Images.from_pictures([x[0]], ["x"]), 2).array[0]
    assert abs(expected[2, 3]) > 1e-5
    assert np.abs(found - expected).max() <= 1e-6 * np.abs(expected).max()


class Halved(nn.Module):
    """A network of the size of small real ones, for half precisions."""

    def __init__(self) -> None:
        super().__init__()
        widths = [3, 16, 16, 32, 32]
        self.convs = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in itertools.pairwise(widths))
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in widths[1:])
        self.head = nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        for conv, norm in zip(self.convs, self.norms, strict=True):
            h = F.relu(norm(conv(x)), inplace=True)
            x = h + x if h.shape == x.shape else F.max_pool2d(h, 2)
        return self.head(F.silu(x).mean((2, 3)))


@pytest.mark.parametrize("composite", [*COMPOSITES, "epsilon_gamma_box"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_lrp_in_half_precision(dtype: torch.dtype, composite: str) -> None:
    """Trap T21: finite, and near what float32 says; also where pixels are exactly zero for the network."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = Halved()
        module(torch.rand(16, 3, 32, 32))
    pixels = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    pixels[:, :, :5, :5] = torch.tensor(SHIFTED.mean)[:, None, None]
    images = Images.from_pictures(list(pixels), ["a", "b"])
    whole = A.lrp(net_of(module.eval()), images, 3, composite=composite).array
    half = A.lrp(net_of(module.to(dtype)), images, 3, composite=composite).array
    assert half.dtype == np.float32
    assert np.isfinite(half).all()
    alike = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(whole, half, strict=True)]
    # where outputs of both signs nearly cancel, 8 bits do not say which side of zero they are on
    assert min(alike) > (0.99 if dtype == torch.float16 else 0.7 if composite == "epsilon" else 0.9), alike


# ---- deep_lift ----


def test_deep_lift_of_a_linear_network_is_weight_times_change() -> None:
    net = net_of(seeded(lambda: nn.Sequential(nn.Flatten(), nn.Linear(240, 2))))
    w = (net.module[1].weight.detach()[1].view(3, 8, 10) / torch.tensor(SHIFTED.std).double()[:, None, None]).numpy()
    for baseline, value in (("black", 0.0), ("gray", 0.5), ("white", 1.0)):
        heat = A.deep_lift(net, pictures(1), 1, baseline=baseline)
        assert np.allclose(heat.array[0], (w * (pictures(1).pixels[0].numpy() - value)).sum(0), atol=1e-12)


def test_deep_lift_of_one_rectifier_by_hand() -> None:
    """y = relu(x₁ − 2 x₂ + 0.2), from black: Δy / Δz times the weights, where the gradient is 0 or 1."""

    class One(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.like = nn.Parameter(torch.zeros(1))

        def forward(self, x: Tensor) -> Tensor:
            return F.relu(x[:, 0, 0, :1] - 2 * x[:, 0, 0, 1:] + 0.2)

    for a, b in ((0.9, 0.2), (0.1, 0.5), (0.4, 0.2)):
        x = Images.from_pictures([torch.tensor([[[a, b]]] * 3).double()], ["x"])
        z, z0 = a - 2 * b + 0.2, 0.2
        rate = (max(z, 0) - z0) / (z - z0) if z != z0 else 1.0
        heat = A.deep_lift(Net(One().double(), preprocess=Preprocess()), x, 0)
        assert np.allclose(heat.array[0, 0], [a * rate, -2 * b * rate], atol=1e-12)


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_deep_lift_is_complete_on_every_topology(topology: str) -> None:
    """Trap T3."""
    heat = A.deep_lift(net_of(seeded(TOPOLOGIES[topology])), pictures(), 1)
    assert max(heat.meta.completeness) < 1e-9


@pytest.mark.parametrize("name", ["softmax", "layer norm", "attention", "dynamic convolution"])
def test_deep_lift_of_an_image_does_not_depend_on_the_others(name: str) -> None:
    """Trap T4."""
    net = net_of(around(name, True))
    together = A.deep_lift(net, pictures(3), 1).array
    alone = A.deep_lift(net, pictures(3)[0], 1).array
    assert np.abs(together[0] - alone[0]).max() <= 1e-14


def test_deep_lift_with_several_references_is_their_mean() -> None:
    net, several = net_of(seeded(TOPOLOGIES["shared"])), pictures(3, seed=9)
    whole = A.deep_lift(net, pictures(), 1, baseline=several).array
    each = np.mean([A.deep_lift(net, pictures(), 1, baseline=one).array for one in several], axis=0)
    assert np.abs(whole - each).max() <= 1e-13


def test_deep_lift_of_a_picture_that_is_its_own_reference_is_zero() -> None:
    """Where nothing changed the slope stands in for Δy / Δx: no NaN."""
    black = Images.from_pictures([torch.zeros(3, 8, 10).double()], ["black"])
    heat = A.deep_lift(net_of(seeded(TOPOLOGIES["module"])), black, 1)
    assert not heat.array.any()


# ---- full_grad ----


def test_full_grad_by_hand() -> None:
    """Trap T17: gradient × input, the convolution's bias where it acts, the fully connected bias spread evenly."""
    net = seeded(
        lambda: nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    )
    x = pictures(1)
    conv, head = net[0], net[4]
    z = conv(SHIFTED.normalize(x.pixels))[0].detach().numpy()
    gradient = (z > 0) * head.weight.detach().numpy()[1][:, None, None] / 80
    seen = SHIFTED.normalize(x.pixels)[0].numpy()
    expected = np.einsum("kij,kc,cij->ij", gradient, conv.weight.detach().numpy()[:, :, 0, 0], seen)
    without_head = expected + np.einsum("kij,k->ij", gradient, conv.bias.detach().numpy())
    expected = without_head + head.bias.detach().numpy()[1] / 80
    heat = A.full_grad(net_of(net), x, 1)
    assert np.abs(heat.array[0] - expected).max() <= 1e-12
    assert heat.array.sum() == pytest.approx(heat.meta.score[0], abs=1e-12)
    assert abs(without_head.sum() - heat.meta.score[0]) > 0.01  # what the naive version misses


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_full_grad_is_complete_on_every_topology(topology: str) -> None:
    heat = A.full_grad(net_of(seeded(TOPOLOGIES[topology])), pictures(), 3)
    assert np.allclose(heat.array.sum((1, 2)), heat.meta.score, rtol=0, atol=1e-12)


def test_full_grad_places_maps_whose_channels_come_last() -> None:
    """The same network, once with channels first: (1, rows, columns, channels) is no map of that many columns."""

    class Layout(nn.Module):
        def __init__(self, last: bool) -> None:
            super().__init__()
            self.last, self.stem, self.mix, self.head = last, nn.Conv2d(3, 6, 2, 2), nn.Linear(6, 6), nn.Linear(6, 2)

        def forward(self, x: Tensor) -> Tensor:
            h = self.stem(x)
            if self.last:
                h = self.mix(h.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
            else:
                h = F.conv2d(h, self.mix.weight[..., None, None], self.mix.bias)
            return self.head(F.relu(h).mean((2, 3)))

    first, last = (
        A.full_grad(net_of(seeded(lambda last=last: Layout(last))), pictures(2, 16, 12), 0).array
        for last in (False, True)
    )
    assert np.abs(first - last).max() <= 1e-12


def test_full_grad_as_in_the_paper_is_positive_and_has_no_unit() -> None:
    heat = A.full_grad(net_of(seeded(TOPOLOGIES["module"])), pictures(), 1, variant="paper")
    assert heat.array.min() >= 0
    assert heat.unit == ""
    assert not heat.signed


# ---- excitation_backprop ----


def test_excitation_backprop_by_hand() -> None:
    """Two layers, all numbers written out (Zhang et al. 2016, equation 1)."""
    net = nn.Sequential(nn.Conv2d(3, 2, 1, bias=False), nn.ReLU(), nn.Flatten(), nn.Linear(4, 2)).double().eval()
    net[0].weight.data = torch.tensor([[1.0, 0, 0], [-1.0, 2, 0]]).double()[..., None, None]
    net[3].weight.data = torch.tensor([[1.0, -1, 2, 1], [-3, 1, 1, -1]]).double()
    x = Images.from_pictures([torch.tensor([[[0.5, 0.2]], [[0.4, 0.3]], [[0.9, 0.9]]]).double()], ["x"])
    a = np.array([[0.5, 0.2], [-0.5 + 0.8, -0.2 + 0.6]])  # (channel, column)
    w = np.array([[1.0, 0], [2, 1]])  # positive weights of class 0: the flattened order is channel, column
    expected = a * w / (a * w).sum()
    dual = a * np.array([[0, 1.0], [0, 0]])
    dual = dual / dual.sum()
    plain = Net(net, preprocess=Preprocess())
    found = A.excitation_backprop(plain, x, 0, layer="1", contrastive=False)
    assert np.allclose(found.array[0, 0], expected.sum(0), atol=1e-12)
    contrast = A.excitation_backprop(plain, x, 0, layer="1")
    assert np.allclose(contrast.array[0, 0], (expected - dual).sum(0), atol=1e-12)
    assert contrast.array.sum() == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("topology", ["module", "functional", "method", "in-place", "shared"])
def test_excitation_backprop_is_a_probability_at_every_layer(topology: str) -> None:
    """Oracle 8, on networks with biases; contrastive sums to 0."""
    net = net_of(seeded(TOPOLOGIES[topology]))
    for row in net.layers((8, 10)).rows:
        if row.spatial:
            heat = A.excitation_backprop(net, pictures(), 1, layer=row.name, contrastive=False)
            contrast = A.excitation_backprop(net, pictures(), 1, layer=row.name)
            assert np.allclose(heat.array.sum((1, 2)), 1, atol=1e-9), row.name
            assert np.allclose(contrast.array.sum((1, 2)), 0, atol=1e-9), row.name
            assert 0 <= heat.array.min() <= heat.array.max() <= 1


@pytest.mark.parametrize("topology", ["pre-activation", "post-activation", "branches"])
def test_excitation_backprop_divides_between_branches(topology: str) -> None:
    """The first layer sees all of it: what the branches received sums to 1 where they meet.

    Without biases: the probability of an output that its bias alone excites ends there.
    """
    net = net_of(unbiased(seeded(TOPOLOGIES[topology])))
    heat = A.excitation_backprop(net, pictures(), 1, layer="a", contrastive=False)
    part = A.excitation_backprop(net, pictures(), 1, layer="b", contrastive=False)
    assert np.allclose(heat.array.sum((1, 2)), 1, atol=1e-9)
    assert (part.array.sum((1, 2)) < 0.95).all()
    assert part.array.min() >= 0


def test_excitation_backprop_with_nothing_against_is_not_contrasted() -> None:
    """All weights of unit 3 that matter are positive: the dual unit's winner has nowhere to go."""
    net = seeded(TOPOLOGIES["module"])
    net.head.weight.data[3].abs_()
    plain = A.excitation_backprop(net_of(net), pictures(), 3, contrastive=False)
    assert np.allclose(A.excitation_backprop(net_of(net), pictures(), 3).array, plain.array)


# ---- what is reported ----


class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)

    @staticmethod
    def backward(ctx: Any, signal: Tensor) -> Tensor:
        return signal * ctx.saved_tensors[0]


METHODS = {
    "lrp": A.lrp,
    "deep_lift": A.deep_lift,
    "full_grad": A.full_grad,
    "excitation_backprop": lambda *given: A.excitation_backprop(*given, contrastive=False),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda x: torch.fft.ifft2(torch.fft.fft2(x)).real, "fft_fft2"),
        (lambda x: torch.linalg.solve(torch.eye(10).double(), x.mT).mT, "linalg_solve"),
        (lambda x: x.abs() ** (1 + x.sigmoid()), "pow"),
        (Square.apply, "Square (custom autograd function)"),
    ],
    ids=["fft", "solve", "power of a power", "custom"],
)
def test_what_has_no_rule_is_told(method: str, function: Callable[[Tensor], Tensor], said: str) -> None:
    net = seeded(
        lambda: nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), Do(function), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    )
    heat = METHODS[method](net_of(net), pictures(), 0)
    assert any(operation.startswith(said) for operation, _ in uncovered(heat.meta.coverage)), heat.meta.coverage
    assert any("no rule for" in note and said in note for note in heat.meta.said)
    if said.startswith("Square"):  # what its author wrote inside is no part of the pass that is ruled
        assert not {"sigmoid", "mul"} & {operation for operation, _ in heat.meta.coverage}


@pytest.mark.parametrize("method", METHODS)
def test_coverage_counts_every_call(method: str) -> None:
    net = net_of(seeded(TOPOLOGIES["branches"]))
    coverage = METHODS[method](net, pictures(1), 0).meta.coverage
    relus = {"lrp": "handed on", "excitation_backprop": "handed on", "deep_lift": "rescale", "full_grad": "no bias"}
    assert coverage["relu", relus[method]] == 4
    assert sum(times for (operation, _), times in coverage.items() if operation == "conv2d") == 4
    assert sum(times for (operation, _), times in coverage.items() if operation == "linear") == 1


def test_places_to_read_at_that_come_from_the_picture_have_no_rule() -> None:
    def warped(x: Tensor) -> Tensor:
        grid = F.affine_grid(torch.eye(2, 3)[None].double().expand(len(x), 2, 3), list(x.shape), align_corners=False)
        return F.grid_sample(x, grid + 0.1 * x.mean((1, 2, 3))[:, None, None, None], align_corners=False)

    net = seeded(lambda: nn.Sequential(nn.Conv2d(3, 3, 3), Do(warped), nn.AdaptiveAvgPool2d(1), nn.Flatten()))
    assert A.lrp(net_of(net), pictures(1), 0).meta.coverage["grid_sample", "plain"] == 1


def test_gamma_composite_differs_so_that_the_comparisons_can_fail() -> None:
    net = seeded(TOPOLOGIES["branches"])
    x = SHIFTED.normalize(pictures(1).pixels)[0].numpy()
    maps = [tape_of(net, x, composite) for composite in (*COMPOSITES.values(), (None, gamma(0.25), plain_epsilon()))]
    for i, one in enumerate(maps):
        for other in maps[:i]:
            assert np.abs(one - other).max() > 0.01 * np.abs(one).max()
