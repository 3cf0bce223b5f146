"""Attribution against closed forms, in float64: what theory says must come out exactly."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import pellucid as pl
from pellucid.errors import PellucidError, Refused
from pellucid.images import Images
from pellucid.net import Labels, Net, Preprocess
from tests.networks import TOPOLOGIES, Branches, seeded, truth

PLAIN = Preprocess()
SHIFTED = Preprocess(mean=(0.4, 0.5, 0.6), std=(0.2, 0.25, 0.3))


def pictures(n: int = 1, height: int = 8, width: int = 10, seed: int = 0) -> Images:
    values = torch.rand(n, 3, height, width, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return Images.from_pictures(list(values), [f"picture {i}" for i in range(n)])


class Function(nn.Module):
    """A network that is one given function of the pixels, (N, C, H, W) -> (N, K)."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function, self.like = function, nn.Parameter(torch.zeros(1, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x) + 0 * self.like


def linear(seed: int = 1) -> tuple[Net, Tensor]:
    w = torch.randn(2, 3, 8, 10, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return Net(Function(lambda x: torch.einsum("nchw,kchw->nk", x, w) + 0.7), preprocess=PLAIN), w


def test_linear_network_gives_its_weights() -> None:
    net, w = linear()
    x = pictures()
    assert np.allclose(pl.attribution.gradient(net, x, 1).array[0], w[1].abs().amax(0), atol=1e-12)
    assert np.allclose(pl.attribution.gradient(net, x, 1, reduce="l2").array[0], w[1].norm(dim=0), atol=1e-12)
    assert np.allclose(pl.attribution.gradient(net, x, 1, reduce="l1").array[0], w[1].abs().sum(0), atol=1e-12)
    assert np.allclose(pl.attribution.gradient(net, x, 1, reduce="signed").array[0], w[1].sum(0), atol=1e-12)
    product = (w[1] * x.pixels[0]).sum(0)
    assert np.allclose(pl.attribution.gradient_times_input(net, x, 1, reference="black").array[0], product, atol=1e-12)


def test_gradient_is_per_pixel_value_whatever_the_normalization() -> None:
    net, w = linear()
    shifted = Net(net.module, preprocess=SHIFTED)
    expected = (w[0] / torch.tensor(SHIFTED.std)[:, None, None].double()).sum(0)
    assert np.allclose(pl.attribution.gradient(shifted, pictures(), 0, reduce="signed").array[0], expected, atol=1e-12)


@pytest.mark.parametrize("quadrature", ["gauss_legendre", "midpoint", "trapezoid"])
@pytest.mark.parametrize("steps", [1, 2, 7])
@pytest.mark.parametrize("baseline", ["black", "gray", "white", "mean"])
def test_integrated_gradients_of_a_linear_network(quadrature: str, steps: int, baseline: str) -> None:
    net, w = linear()
    x = pictures()
    fills = {"black": 0.0, "gray": 0.5, "white": 1.0, "mean": x.pixels.mean((2, 3), keepdim=True)}
    heat = pl.attribution.integrated_gradients(net, x, 0, steps=steps, quadrature=quadrature, baseline=baseline)
    assert np.allclose(heat.array[0], (w[0] * (x.pixels - fills[baseline])[0]).sum(0), atol=1e-10)
    assert heat.meta.completeness[0] < 1e-9
    assert heat.meta.said == ()


def test_integrated_gradients_of_a_quadratic_needs_one_node() -> None:
    """f = xᵀQx / 2: the gradient is linear on the way, one midpoint is exact; one trapezoid step is not."""
    q = torch.randn(240, 240, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    q = q + q.T
    net = Net(
        Function(lambda x: torch.einsum("ni,ij,nj->n", x.flatten(1), q, x.flatten(1))[:, None] / 2),
        preprocess=PLAIN,
    )
    x = pictures()
    exact = (x.pixels.flatten() * (q @ x.pixels.flatten()) / 2).view(3, 8, 10).sum(0)
    for quadrature in ("midpoint", "gauss_legendre"):
        heat = pl.attribution.integrated_gradients(net, x, 0, steps=1, quadrature=quadrature)
        assert np.allclose(heat.array[0], exact, atol=1e-9)
    assert np.allclose(
        pl.attribution.integrated_gradients(net, x, 0, steps=2, quadrature="trapezoid").array[0],
        exact,
        atol=1e-9,
    )


def test_completeness_error_is_told() -> None:
    """A step function: one node cannot see it, and the map must say so."""
    net = Net(Function(lambda x: torch.sigmoid(200 * (x.mean((1, 2, 3))[:, None] - 0.3))), preprocess=PLAIN)
    heat = pl.attribution.integrated_gradients(net, pictures(), 0, steps=2)
    ends = [float(net.run(p).output[0, 0].detach()) for p in (pictures().pixels, torch.zeros(1, 3, 8, 10).double())]
    told = abs(heat.array.sum() - (ends[0] - ends[1])) / abs(ends[0] - ends[1])
    assert heat.meta.completeness[0] == pytest.approx(told, rel=1e-6)
    assert told > 0.5
    assert "completeness error" in heat.meta.said[0]


class GapLinear(nn.Module):
    """Convolutions, global average, one linear layer."""

    def __init__(self, hidden: bool = False, pool: str = "avg") -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 5, 3, padding=1), nn.ReLU(), nn.Conv2d(5, 6, 3, stride=2), nn.ReLU())
        self.hidden, self.pool, self.head = nn.Linear(6, 6) if hidden else None, pool, nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        h = self.features(x)
        h = h.mean((2, 3)) if self.pool == "avg" else h.amax((2, 3))
        return self.head(F.relu(self.hidden(h)) if self.hidden is not None else h)


def test_cam_and_grad_cam_of_an_averaging_head() -> None:
    """CAM = Σ w A; Grad-CAM × cells = CAM; the mean of CAM and the sum of Grad-CAM are logit − bias."""
    module = seeded(GapLinear)
    net, x = Net(module, preprocess=SHIFTED), pictures(3)
    cam, grad = pl.attribution.cam(net, x, 2), pl.attribution.grad_cam(net, x, 2)
    maps = module.features(SHIFTED.normalize(x.pixels))
    expected = torch.einsum("k,nkhw->nhw", module.head.weight[2], maps).detach().numpy()
    cells = expected.shape[1] * expected.shape[2]
    assert np.allclose(cam.array, expected, atol=1e-12)
    assert np.allclose(grad.array * cells, expected, atol=1e-12)
    logits = np.array(cam.meta.score) - module.head.bias[2].item()
    assert np.allclose(cam.array.mean((1, 2)), logits, atol=1e-12)
    assert np.allclose(grad.array.sum((1, 2)), logits, atol=1e-12)
    assert cam.meta.layer == grad.meta.layer == "features"
    assert np.allclose(pl.attribution.grad_cam(net, x, 2, against=True).array, -grad.array, atol=1e-15)


def test_cam_of_a_difference_is_the_difference() -> None:
    net, x = Net(seeded(GapLinear), preprocess=PLAIN), pictures()
    a, b = (pl.attribution.cam(net, x, k).array for k in (0, 1))
    assert np.allclose(pl.attribution.cam(net, x, "0 - 1").array, a - b, atol=1e-12)


def bent() -> nn.Module:
    """A hidden layer whose rectifiers are shut for a black picture and open for a real one."""
    module = seeded(lambda: GapLinear(hidden=True))
    nn.init.constant_(module.hidden.weight, 1.0)  # type: ignore[arg-type, union-attr]
    nn.init.constant_(module.hidden.bias, -0.01)  # type: ignore[arg-type, union-attr]
    return module


@pytest.mark.parametrize(
    ("module", "why"),
    [
        (bent(), "linear in the averages of 'features'"),
        (seeded(lambda: GapLinear(pool="max")), "averages the maps of 'features'"),
    ],
)
def test_cam_refuses_other_heads(module: nn.Module, why: str) -> None:
    net = Net(module, preprocess=PLAIN)
    with pytest.raises(Refused, match=why):
        pl.attribution.cam(net, pictures(), 2)
    assert np.isfinite(pl.attribution.grad_cam(net, pictures(), 2).array).all()


def test_grad_cam_formula_at_any_layer() -> None:
    module = seeded(lambda: GapLinear(hidden=True))
    net, x = Net(module, preprocess=PLAIN), pictures(2)
    heat = pl.attribution.grad_cam(net, x, 1, layer="features.1")
    a = module.features[:2](x.pixels).detach().requires_grad_()
    h = module.features[2:](a).mean((2, 3))
    module.head(F.relu(module.hidden(h)))[:, 1].sum().backward()
    expected = torch.einsum("nk,nkhw->nhw", a.grad.mean((2, 3)), a.detach())  # type: ignore[union-attr]
    assert np.allclose(heat.array, expected, atol=1e-13)
    assert (heat.array < 0).any()
    assert heat.placement.start == (0, 0)
    assert heat.placement.field == (3, 3)


def test_grad_cam_of_a_unit_looks_ahead_of_it() -> None:
    net, x = Net(seeded(GapLinear), preprocess=PLAIN), pictures()
    assert pl.attribution.grad_cam(net, x, "features.2:3").meta.layer == "features.1"
    with pytest.raises(Refused, match=r"features\.1:3 does not depend on layer 'features\.3'"):
        pl.attribution.grad_cam(net, x, "features.1:3", layer="features.3")


def test_gradient_times_input_sums_to_the_score_without_biases() -> None:
    """Positive homogeneity of bias-free ReLU networks."""
    module = seeded(TOPOLOGIES["branches"])
    for name, parameter in module.named_parameters():
        if name.endswith("bias"):
            nn.init.zeros_(parameter)
    for preprocess in (PLAIN, SHIFTED):
        heat = pl.attribution.gradient_times_input(Net(module, preprocess=preprocess), pictures(2), 3)
        assert np.allclose(heat.array.sum((1, 2)), heat.meta.score, atol=1e-12)
        assert abs(heat.meta.score[0]) > 1e-4


@pytest.mark.parametrize("method", ["guided_backprop", "deconvnet"])
@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_rule_methods_against_the_tape(method: str, topology: str) -> None:
    module = seeded(TOPOLOGIES[topology], seed=5)
    x = pictures()
    heat = getattr(pl.attribution, method)(Net(module, preprocess=PLAIN), x, 1)
    expected = truth(module, x.pixels[0].numpy(), {"guided_backprop": "guided"}.get(method, method), 1)  # type: ignore[arg-type]
    assert np.abs(heat.array[0] - expected.gradient.sum(0)).max() <= 1e-6
    assert np.abs(heat.array[0] - expected.gradient.sum(0)).max() <= 1e-12
    assert heat.meta.score[0] == pytest.approx(expected.score, abs=1e-12)


def test_guided_is_the_gradient_where_nothing_is_negative() -> None:
    module = seeded(Branches)
    for parameter in module.parameters():
        parameter.data.abs_()
    net, x = Net(module, preprocess=PLAIN), pictures()
    plain = pl.attribution.gradient(net, x, 0, reduce="signed").array
    assert np.allclose(pl.attribution.guided_backprop(net, x, 0).array, plain, atol=1e-14)


def test_deconvnet_ignores_the_forward_mask() -> None:
    """Two pictures with different masks in front of one rectifier give one projection."""
    net = Net(
        seeded(lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())),
        preprocess=PLAIN,
    )
    a, b = (pl.attribution.deconvnet(net, pictures(seed=s), 2).array for s in (1, 2))
    assert np.allclose(a, b, atol=1e-15)
    a, b = (pl.attribution.guided_backprop(net, pictures(seed=s), 2).array for s in (1, 2))
    assert not np.allclose(a, b, atol=1e-6)


def test_deconvnet_goes_through_the_switches() -> None:
    net = Net(Function(lambda x: F.relu(F.max_pool2d(x, 2)).sum((2, 3))), preprocess=PLAIN)
    x = pictures()
    heat = pl.attribution.deconvnet(net, x, 1).array[0]
    for i, j in itertools.product(range(4), range(5)):
        block = x.pixels[0, 1, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
        assert np.array_equal(heat[2 * i : 2 * i + 2, 2 * j : 2 * j + 2], (block == block.max()).double())


def test_deconvnet_warns_where_nothing_ties_it_to_the_picture() -> None:
    """Springenberg et al. 2015: without max-pooling the projection shows the network, not the picture."""
    plain, pooled = (
        seeded(
            lambda pool=pool: nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), pool, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        )
        for pool in (nn.Identity(), nn.MaxPool2d(2))
    )
    notes = [pl.attribution.deconvnet(Net(m, preprocess=PLAIN), pictures(), 0).meta.said for m in (plain, pooled)]
    assert "has no max-pooling" in notes[0][0]
    assert not any("max-pooling" in note for note in notes[1])


def test_rules_refuse_a_network_they_cannot_touch() -> None:
    net, _ = linear()
    with pytest.raises(Refused, match="no activation of network has a guided rule \\(met: none\\)"):
        pl.attribution.guided_backprop(net, pictures(), 0)


@pytest.mark.parametrize(("size", "stride"), [(2, 2), (3, 2), (4, 3), (8, 1), (20, 5)])
@pytest.mark.parametrize("fill", ["black", "gray", "mean"])
def test_occlusion_of_a_linear_network(size: int, stride: int, fill: str) -> None:
    """The fall is w · (x − cover) over the window; the last window is moved inside (trap T16)."""
    net, w = linear()
    x = pictures()
    heat = pl.attribution.occlusion(net, x, 0, size=size, stride=stride, fill=fill)
    value = {"black": 0.0, "gray": 0.5, "mean": x.pixels.mean((2, 3), keepdim=True)}[fill]
    share = (w[0] * (x.pixels - value)[0]).sum(0)
    rows, columns = heat.placement.centers(*heat.array.shape[1:])
    h, v = min(size, 8), min(size, 10)
    assert rows[-1] == 8 - h + (h - 1) / 2
    assert columns[-1] == 10 - v + (v - 1) / 2
    for i, cy in enumerate(rows):
        for j, cx in enumerate(columns):
            top, left = round(cy - (h - 1) / 2), round(cx - (v - 1) / 2)
            assert heat.array[0, i, j] == pytest.approx(float(share[top : top + h, left : left + v].sum()), abs=1e-10)


@pytest.mark.slow
def test_a_cover_is_a_share_of_the_image_where_it_is_not_said_in_pixels() -> None:
    """A network of small images gets small covers: of a cover as large as the image every map is one number."""

    class Sum(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.sum((2, 3))

    for side, cover, step in ((224, 32, 16), (32, 5, 2), (6, 1, 1)):
        net = Net(Sum(), preprocess=Preprocess(crop=(side, side)))
        x = Images.from_pictures([torch.rand(3, side, side)], ["x"])
        said = pl.attribution.occlusion(net, x, 0, size=cover, stride=step)
        for options in ({}, {"size": cover}, {"size": cover / side, "stride": step / side}):
            heat = pl.attribution.occlusion(net, x, 0, **options)
            assert np.array_equal(heat.array, said.array)
    with pytest.raises(PellucidError, match=r"1\.5 is no whole number of pixels, and no share of the side"):
        pl.attribution.occlusion(net, x, 0, size=1.5)


def test_occlusion_of_a_probability_is_that_of_the_paper() -> None:
    net, _ = linear()
    x = pictures()
    heat = pl.attribution.occlusion(net, x, "p(1)", size=4, stride=4)
    covered = x.pixels.clone()
    covered[:, :, :4, :4] = 0.5
    fall = net.run(x.pixels).output.softmax(1)[0, 1] - net.run(covered).output.softmax(1)[0, 1]
    assert heat.array[0, 0, 0] == pytest.approx(float(fall.detach()), abs=1e-14)
    assert heat.unit == "probability"


def test_occlusion_asks_about_the_first_answer_even_when_it_changes() -> None:
    """The best guess is fixed before anything is covered; else the map would mix classes."""
    net = Net(
        Function(lambda x: torch.stack([x[:, 0, :4].sum((1, 2)), x[:, 0, 4:].sum((1, 2)) - 1e-6], 1)),
        preprocess=PLAIN,
    )
    x = Images.from_pictures([torch.ones(3, 8, 10, dtype=torch.float64)], ["ones"])
    heat = pl.attribution.occlusion(net, x, size=4, stride=2, fill="black")
    assert np.allclose(heat.array[0], [[16] * 4, [8] * 4, [0] * 4], atol=1e-9)


def test_label_map_of_two_linear_classes_is_a_half_plane() -> None:
    """Class 1 wins exactly where the cover takes more from class 0: left of the middle."""

    def scores(x: Tensor) -> Tensor:
        return torch.stack([x[:, 0, :, :5].sum((1, 2)), x[:, 0, :, 5:].sum((1, 2))], 1)

    net = Net(Function(scores), preprocess=PLAIN, labels=Labels.plain(["left", "right"]))
    x = Images.from_pictures([torch.ones(3, 8, 10, dtype=torch.float64)], ["ones"])
    labels = pl.attribution.occlusion_labels(net, x, size=2, stride=1, fill="black")
    _, columns = labels.placement.centers(*labels.values.shape[1:])
    expected = np.where(columns < 4.5, 1, 0)
    expected[columns == 4.5] = 0  # the tie goes to the first class
    assert (labels.values[0] == expected).all()
    assert labels.names == {0: "left", 1: "right"}


def test_one_logit_network_has_two_sides() -> None:
    """Binary heads: the two labels are the two signs of one logit."""
    net = Net(
        Function(lambda x: x.mean((1, 2, 3))[:, None] * 3 - 1),
        preprocess=PLAIN,
        labels=Labels.plain(["no", "yes"]),
    )
    yes, no = (pl.attribution.gradient(net, pictures(), k, reduce="signed").array for k in ("yes", "no"))
    assert np.allclose(yes, -no, atol=1e-15)
    assert (yes > 0).all()


def test_grad_cam_is_untouched_by_in_place() -> None:
    """Trap T6 at the method: in-place and out-of-place twins give one map."""
    a, b = seeded(TOPOLOGIES["in-place"]), seeded(TOPOLOGIES["functional"])
    x = pictures()
    maps = [pl.attribution.grad_cam(Net(m, preprocess=PLAIN), x, 0, layer="b").array for m in (a, b)]
    assert np.array_equal(*maps)


def test_silent_map_says_so() -> None:
    net = Net(
        Function(lambda x: torch.stack([F.relu(x.mean((1, 2, 3)) - 5), x.mean((1, 2, 3))], 1)),
        preprocess=PLAIN,
    )
    heat = pl.attribution.gradient(net, pictures(), 0)
    assert not heat.array.any()
    assert "zero everywhere" in heat.meta.said[0]
