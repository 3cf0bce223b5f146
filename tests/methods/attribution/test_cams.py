"""Class maps against plain loops in float64, and the traps that other tools fall into."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

import pellucid as pl
from pellucid.errors import PellucidError, Refused, UnknownName
from pellucid.geometry import Placement
from pellucid.images import Images
from pellucid.net import Labels, Net, Preprocess
from pellucid.saliency.layers import at_pixels
from tests.networks import TOPOLOGIES, seeded

A = pl.attribution
PLAIN = Preprocess()
SHIFTED = Preprocess(mean=(0.4, 0.5, 0.3), std=(0.2, 0.3, 0.25))
Array = NDArray[np.float64]
GRADIENT = ("grad_cam", "grad_cam_plus_plus", "x_grad_cam", "hires_cam", "layer_cam")
LAYERED = (*GRADIENT, "score_cam", "ablation_cam", "eigen_cam", "finer_cam", "guided_grad_cam")


def pictures(n: int = 1, size: tuple[int, int] = (9, 11), seed: int = 0) -> Images:
    generator = torch.Generator().manual_seed(seed)
    values = [torch.rand(3, *size, dtype=torch.float64, generator=generator) for _ in range(n)]
    return Images.from_pictures(values, [f"picture {i}" for i in range(n)])


class Gap(nn.Module):
    """Two convolutions, an average, one linear layer; `rectify` ends the maps or, as a function, follows them."""

    def __init__(self, rectify: Callable[[Tensor], Tensor] | None = None, classes: int = 5) -> None:
        super().__init__()
        last = nn.Conv2d(5, 6, 3, stride=2, padding=1)
        parts = [nn.Conv2d(3, 5, 3, padding=1), nn.ReLU(), last]
        self.features = nn.Sequential(*parts) if rectify else nn.Sequential(*parts, nn.ReLU())
        self.rectify, self.head = rectify, nn.Linear(6, classes)

    def forward(self, x: Tensor) -> Tensor:
        h = self.features(x)
        out: Tensor = self.head((self.rectify(h) if self.rectify else h).mean((2, 3)))
        return out


class Bowl(nn.Module):
    """score_c = Σ (W_c A + V_c A² / 2) + b_c over channels and cells: the gradient at A is W_c + V_c A, by hand."""

    def __init__(self, rectify: bool = True) -> None:
        super().__init__()
        self.maps = nn.Conv2d(3, 4, 3, stride=2)
        self.rectify = nn.ReLU() if rectify else nn.Identity()
        generator = torch.Generator().manual_seed(9)
        self.w = nn.Parameter(torch.randn(3, 4, 4, 5, generator=generator))
        self.v = nn.Parameter(torch.randn(3, 4, 4, 5, generator=generator))
        self.b = nn.Parameter(torch.randn(3, generator=generator))

    def forward(self, x: Tensor) -> Tensor:
        a = self.rectify(self.maps(x))
        return torch.einsum("ckij,nkij->nc", self.w, a) + torch.einsum("ckij,nkij->nc", self.v, a * a) / 2 + self.b


def bowl(c: int, rectify: bool = True, seed: int = 0) -> tuple[Net, Images, Array, Array]:
    """(net, picture, activation, gradient of class c), both (4, 4, 5)."""
    module = seeded(lambda: Bowl(rectify))
    x = pictures(seed=seed)
    a = module.rectify(module.maps(x.pixels))[0].detach().numpy()
    return Net(module, preprocess=PLAIN), x, a, module.w[c].detach().numpy() + module.v[c].detach().numpy() * a


def by_loops(name: str, a: Array, g: Array) -> Array:
    """The five gradient formulas as their papers write them, number by number."""
    channels, rows, columns = a.shape
    out = np.zeros((rows, columns))
    for k in range(channels):
        total, weight = sum(a[k, i, j] for i in range(rows) for j in range(columns)), 0.0
        for i in range(rows):
            for j in range(columns):
                if name == "grad_cam":
                    weight += g[k, i, j] / (rows * columns)
                elif name == "x_grad_cam":
                    weight += g[k, i, j] * a[k, i, j] / total if total else 0
                elif name == "grad_cam_plus_plus" and g[k, i, j] != 0:
                    alpha = g[k, i, j] ** 2 / (2 * g[k, i, j] ** 2 + total * g[k, i, j] ** 3)
                    weight += alpha * max(g[k, i, j], 0)
        for i in range(rows):
            for j in range(columns):
                if name == "hires_cam":
                    weight = g[k, i, j]
                elif name == "layer_cam":
                    weight = max(g[k, i, j], 0)
                out[i, j] += weight * a[k, i, j]
    return out


@pytest.mark.parametrize("name", GRADIENT)
@pytest.mark.parametrize("rectify", [True, False])
def test_gradient_formulas(name: str, rectify: bool) -> None:
    """Also at a layer with negative cells, where sums of maps are negative (trap T24)."""
    for c in range(3):
        net, x, a, g = bowl(c, rectify, seed=c)
        heat = getattr(A, name)(net, x, c, layer="rectify")
        assert np.allclose(heat.array[0], by_loops(name, a, g), atol=1e-11, rtol=1e-10)
    if not rectify:
        assert (a.sum((1, 2)) < 0).any()


def test_averaging_head() -> None:
    """CAM = cells × Grad-CAM = cells × XGrad-CAM = cells × HiResCAM; their sums are logit − bias."""
    module = seeded(Gap)
    net, x = Net(module, preprocess=SHIFTED), pictures(3)
    maps = module.features(SHIFTED.normalize(x.pixels)).detach().numpy()
    w, b = module.head.weight.detach().numpy(), module.head.bias.detach().numpy()
    cells = maps.shape[2] * maps.shape[3]
    for c in (0, 3):
        expected = sum(w[c, k] * maps[:, k] for k in range(6))
        assert np.allclose(A.cam(net, x, c).array, expected, atol=1e-12)
        for name in ("grad_cam", "x_grad_cam", "hires_cam"):
            heat = getattr(A, name)(net, x, c)
            assert np.allclose(heat.array * cells, expected, atol=1e-11)
            assert np.allclose(heat.array.sum((1, 2)), np.array(heat.meta.score) - b[c], atol=1e-11)
            assert heat.meta.layer == "features"
        assert np.allclose(A.grad_cam(net, x, c, against=True).array * cells, -expected, atol=1e-11)
        # Grad-CAM++: one gradient for all cells of a map, hence one alpha = 1 / (2 + mean(A) w).
        weights = [[max(w[c, k], 0) / (2 + one[k].mean() * w[c, k]) for k in range(6)] for one in maps]
        expected = np.array([sum(v[k] * one[k] for k in range(6)) for v, one in zip(weights, maps, strict=True)])
        assert np.allclose(A.grad_cam_plus_plus(net, x, c).array, expected, atol=1e-12)


def test_xgrad_conserves_what_hires_tells() -> None:
    """Both sum to Σ g A at any layer; Grad-CAM does not."""
    net, x, a, g = bowl(1)
    total = (a * g).sum()
    assert A.x_grad_cam(net, x, 1, layer="rectify").array.sum() == pytest.approx(total, rel=1e-12)
    assert A.hires_cam(net, x, 1, layer="rectify").array.sum() == pytest.approx(total, rel=1e-12)
    assert abs(A.grad_cam(net, x, 1, layer="rectify").array.sum() - total) > 0.01 * abs(total)


def test_xgrad_of_a_map_that_cancels_out() -> None:
    """Σ A = 0 up to rounding: the naive quotient is anything up to infinity, ours is bounded."""
    module = seeded(lambda: Bowl(False))
    with torch.no_grad():
        module.maps.weight.zero_()
        module.maps.weight[:, 0, 0, 0] = 1
        module.maps.bias.zero_()
    x = pictures()
    seen = x.pixels[0].clone()
    seen[0, :8:2, :10:2] = torch.tensor([[0.0, 0.5, 0, 1, 0.25]] * 2 + [[1.0, 0.5, 1, 0, 0.75]] * 2)
    with torch.no_grad():
        module.maps.bias.fill_(-0.5)
    heat = A.x_grad_cam(Net(module, preprocess=PLAIN), Images.from_pictures([seen], ["x"]), 0, layer="rectify")
    assert np.isfinite(heat.array).all()
    assert np.abs(heat.array).max() < 1e9


@pytest.mark.parametrize("scale", [1e-30, 1e-12, 1.0, 1e12, 1e30])
def test_grad_cam_plus_plus_at_any_scale_of_gradients(scale: float) -> None:
    """Trap T8: g² underflows, or drowns in an epsilon, or g³ overflows; a = 1 / (2 + ΣA g) does neither, in float32."""
    module: Any = seeded(Gap).float()
    x = Images.from_pictures([p.float() for p in pictures(2).pictures], ["a", "b"])
    maps = module.features(x.pixels).double().detach().numpy()
    w = module.head.weight[2].double().detach().numpy() * scale
    with torch.no_grad():
        module.head.weight.mul_(scale)
    expected = np.zeros((2, *maps.shape[2:]))
    for n in range(2):
        for k in range(6):
            expected[n] += max(w[k], 0) / (2 + maps[n, k].mean() * w[k]) * maps[n, k]
    heat = A.grad_cam_plus_plus(Net(module, preprocess=PLAIN), x, 2)
    assert heat.array.dtype == np.float32
    assert np.abs(heat.array - expected).max() <= 1e-5 * np.abs(expected).max()
    assert heat.array.max() > 0


def test_grad_cam_plus_plus_at_its_pole() -> None:
    """Σ A < 0 and g > 0 with 2 + ΣA g = 0: the cell counts as nothing, and the map is finite."""
    module: Any = seeded(lambda: Gap(rectify=lambda h: h))
    x = pictures()
    maps = module.features(x.pixels)[0].detach()
    k = int(maps.sum((1, 2)).argmin())
    with torch.no_grad():
        module.head.weight.zero_()
        module.head.weight[0, k] = -2 / maps[k].mean()
    heat = A.grad_cam_plus_plus(Net(module, preprocess=PLAIN), x, 0)
    assert not heat.array.any()


def test_dead_maps_weigh_nothing() -> None:
    module: Any = seeded(Gap)
    with torch.no_grad():
        module.features[2].weight[1] = 0
        module.features[2].bias[1] = -1
    net, x = Net(module, preprocess=PLAIN), pictures(2)
    for name in LAYERED:
        heat = getattr(A, name)(net, x) if name == "eigen_cam" else getattr(A, name)(net, x, 1)
        assert np.isfinite(heat.array).all()
        assert heat.array.any()


@pytest.mark.parametrize("name", LAYERED)
def test_untouched_by_in_place(name: str) -> None:
    """Trap T6: what follows the layer in place rewrites no activation; all twins give one map."""
    x, given = pictures(2), {} if name == "eigen_cam" else {"target": 1}
    for here, there in (("in-place", "functional"), ("post-activation", "post-activation")):
        maps = [
            getattr(A, name)(Net(seeded(TOPOLOGIES[t]), preprocess=PLAIN), x, layer="b", **given).array
            for t in (here, there)
        ]
        assert np.array_equal(*maps)
    module: Any = seeded(TOPOLOGIES["in-place"])
    negative = module.b(F.relu(module.a(x.pixels))).detach()
    assert (negative < 0).any()
    seen = Net(module, preprocess=PLAIN).run(x.pixels, layers=["b"])["b"]
    assert torch.equal(seen, negative)


def test_all_negative_map_keeps_its_sign_and_is_told() -> None:
    """Trap T11: a positive part, or a min-max, would show nothing or anything."""
    module: Any = seeded(Gap)
    with torch.no_grad():
        module.head.weight.copy_(-module.head.weight.abs())
    net, x = Net(module, preprocess=PLAIN), pictures()
    for name in ("cam", "grad_cam", "hires_cam", "x_grad_cam", "ablation_cam"):
        heat = getattr(A, name)(net, x, 2)
        assert heat.array.max() <= 0
        assert heat.array.min() < 0
        told = f"picture 0: no positive evidence for 2: the largest value is {heat.array.max():.3g}"
        assert told in heat.meta.said
    assert not any("evidence" in note for note in A.grad_cam(net, x, 2, against=True).meta.said)
    guided = A.guided_grad_cam(net, x, 2)
    assert not guided.array.any()
    assert any("no positive evidence" in note for note in guided.meta.said)


def test_constant_map_is_told() -> None:
    module: Any = seeded(Gap)
    with torch.no_grad():
        module.features[2].weight.zero_()
        module.features[2].bias.fill_(1)
    heat = A.grad_cam(Net(module, preprocess=PLAIN), pictures(), "0 - 1")
    assert np.ptp(heat.array) == 0
    assert any("everywhere: no place stands out" in note for note in heat.meta.said)


def test_layers_that_hold_no_amounts_are_told() -> None:
    """Weights say how much of a thing is good; where an activation is negative that is turned round."""
    net, x = Net(seeded(Gap), preprocess=PLAIN), pictures(2)
    for name in ("grad_cam_plus_plus", "layer_cam", "score_cam", "ablation_cam"):
        notes = [getattr(A, name)(net, x, 1, layer=n).meta.said for n in ("features.2", "features.3")]
        assert sum("layer features.2 is not rectified" in note for note in notes[0]) == 1
        assert notes[1] == ()


# Places


@pytest.mark.parametrize("name", LAYERED)
def test_placement_moves_cells_and_changes_no_number(name: str) -> None:
    net, x = Net(seeded(Gap), preprocess=PLAIN), pictures()
    given = {} if name == "eigen_cam" else {"target": 1}
    field, stretch = (getattr(A, name)(net, x, placement=p, **given) for p in ("field", "stretch"))
    if name in ("guided_grad_cam", "score_cam"):  # these look at the picture through the map
        assert not np.array_equal(field.array, stretch.array)
    else:
        assert np.array_equal(field.array, stretch.array)
    if name != "guided_grad_cam":
        assert (field.placement.start, field.placement.exact) == ((0.0, 0.0), True)
        assert (stretch.placement.start, stretch.placement.exact) == (((9 / 5 - 1) / 2, (11 / 6 - 1) / 2), False)


@pytest.mark.parametrize("name", ["grad_cam", "x_grad_cam", "hires_cam", "layer_cam", "finer_cam"])
def test_several_layers_in_the_score_per_pixel(name: str) -> None:
    """Trap T12: raw maps, each by its own place and per pixel that its cells stand for; none by its own extremes."""
    module = seeded(Gap)
    net, x = Net(module, preprocess=PLAIN), pictures(2)
    shallow, deep = (getattr(A, name)(net, x, 1, layer=n) for n in ("features.1", "features.3"))
    both = getattr(A, name)(net, x, 1, layer="features.1, features.3")
    expected = np.zeros((2, 9, 11))
    for y in range(9):
        for c in range(11):
            i, j = min(y / 2, 4), min(c / 2, 5)
            top, left = min(int(i), 3), min(int(j), 4)
            u, v, m = i - top, j - left, deep.array / 4
            low = (1 - v) * m[:, top, left] + v * m[:, top, left + 1]
            high = (1 - v) * m[:, top + 1, left] + v * m[:, top + 1, left + 1]
            expected[:, y, c] = (shallow.array[:, y, c] + (1 - u) * low + u * high) / 2
    assert np.allclose(both.array, expected, atol=1e-12)
    assert both.placement == Placement.pixels()
    assert both.unit == "logit per pixel"
    assert both.meta.layer == "features.1, features.3"
    for names in (["features.1", "features.3"], ("features.1", "features.3")):
        assert np.array_equal(getattr(A, name)(net, x, 1, layer=names).array, both.array)
    alone = getattr(A, name)(net, x, 1, layer=["features.3"])
    assert np.array_equal(alone.array, deep.array)
    assert alone.placement == deep.placement


@pytest.mark.parametrize("name", ["grad_cam_plus_plus", "score_cam", "ablation_cam", "eigen_cam"])
def test_several_layers_as_they_are(name: str) -> None:
    net, x = Net(seeded(Gap), preprocess=PLAIN), pictures(2)
    given = {} if name == "eigen_cam" else {"target": 1}
    shallow, deep, both = (
        getattr(A, name)(net, x, layer=n, **given) for n in ("features.1", "features.3", "features.1,features.3")
    )
    read = at_pixels(torch.from_numpy(deep.array), deep.placement, (9, 11)).numpy()
    assert np.allclose(both.array, (shallow.array + read) / 2, atol=1e-13)
    assert both.unit == deep.unit


def test_a_weak_layer_stays_weak() -> None:
    """Trap T12: a layer whose map is a thousandth of the other's decides a thousandth of the mean."""

    class Weak(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.strong, self.weak = nn.Conv2d(3, 2, 1), nn.Conv2d(3, 2, 1)

        def forward(self, x: Tensor) -> Tensor:
            return (self.strong(x).square() + 1e-3 * self.weak(x).square()).mean((2, 3))

    net, x = Net(seeded(Weak), preprocess=PLAIN), pictures()
    strong, weak, both = (A.hires_cam(net, x, 0, layer=n).array for n in ("strong", "weak", "strong,weak"))
    assert np.abs(weak).max() < 0.1 * np.abs(strong).max()
    assert np.allclose(both, (strong + weak) / 2, atol=1e-15)


def test_layer_cam_fused_as_in_the_paper() -> None:
    net, x = Net(seeded(Gap), preprocess=PLAIN), pictures()
    parts = [A.layer_cam(net, x, 1, layer=n) for n in ("features.1", "features.3")]
    both = A.layer_cam(net, x, 1, layer="features.1,features.3", fusion="paper").array
    read = [at_pixels(torch.from_numpy(p.array), p.placement, (9, 11)).numpy() for p in parts]
    expected = np.maximum(*(np.tanh(2 * np.maximum(r, 0) / r.max()) for r in read))
    assert np.allclose(both, expected, atol=1e-13)
    assert both.max() == pytest.approx(np.tanh(2))


def test_layers_that_cannot_serve() -> None:
    net, x = Net(seeded(Gap), preprocess=PLAIN), pictures()
    with pytest.raises(PellucidError, match="names no layer"):
        A.grad_cam(net, x, 1, layer="features.1,,features.3")
    with pytest.raises(PellucidError, match="names no layer"):
        A.grad_cam(net, x, 1, layer=())
    with pytest.raises(UnknownName, match=r"features\.9"):
        A.layer_cam(net, x, 1, layer="features.1,features.9")
    with pytest.raises(Refused, match="no maps of places"):
        A.score_cam(net, x, 1, layer="head")
    with pytest.raises(Refused, match="does not depend on layer"):
        A.x_grad_cam(net, x, "features.1:3", layer="features.3")


# CAM


def test_cam_sees_through_a_functional_rectifier() -> None:
    """DenseNet's last layer is a batch norm and its rectifier a function: A is what the rectifier lets pass."""
    module: Any = seeded(lambda: Gap(rectify=F.relu))
    net, x = Net(module, preprocess=PLAIN), pictures(3)
    maps = module.features(x.pixels).detach().numpy()
    assert (maps < 0).any()
    w = module.head.weight[1].detach().numpy()
    heat = A.cam(net, x, 1)
    assert np.allclose(heat.array, sum(w[k] * np.maximum(maps[:, k], 0) for k in range(6)), atol=1e-12)
    assert np.allclose(heat.array.mean((1, 2)), np.array(heat.meta.score) - module.head.bias[1].item(), atol=1e-12)


@pytest.mark.parametrize(
    "rectify", [torch.sigmoid, F.gelu, lambda h: F.leaky_relu(h, 0.3), lambda h: F.hardtanh(h, 0, 0.05), torch.abs]
)
def test_cam_refuses_other_functions_on_the_way(rectify: Callable[[Tensor], Tensor]) -> None:
    net = Net(seeded(lambda: Gap(rectify=rectify)), preprocess=PLAIN)
    with pytest.raises(Refused, match="use grad_cam"):
        A.cam(net, pictures(), 1)


# Score-CAM


def seen_through(module: Any, x: Array, a: Array, ground: Array, preprocess: Preprocess, jump: int) -> list[Array]:
    """Logits of the picture (3, H, W) seen through each map (K, rows, columns), cell (i, j) at pixel jump · (i, j)."""
    height, width = x.shape[1:]
    found = []
    for k in range(len(a)):
        mask = np.zeros((height, width))
        for y in range(height):
            for c in range(width):
                i, j = min(y / jump, a.shape[1] - 1), min(c / jump, a.shape[2] - 1)
                top, left = min(int(i), a.shape[1] - 2), min(int(j), a.shape[2] - 2)
                u, v = i - top, j - left
                corner = a[k, top : top + 2, left : left + 2]
                mask[y, c] = np.array([1 - u, u]) @ corner @ np.array([1 - v, v])
        if np.ptp(mask) == 0:
            found.append(np.full(module.head.out_features, np.nan))
            continue
        mask = (mask - mask.min()) / np.ptp(mask)
        shown = torch.from_numpy(mask * x + (1 - mask) * ground)[None]
        found.append(module(preprocess.normalize(shown))[0].detach().numpy())
    return found


@pytest.mark.parametrize(
    ("weights", "fill", "ground", "channels"),
    [
        ("paper", None, [0.0, 0.0, 0.0], None),
        ("authors", None, [0.4, 0.5, 0.3], None),
        ("paper", "white", [1.0, 1.0, 1.0], None),
        ("authors", "gray", [0.5, 0.5, 0.5], None),
        ("paper", None, [0.0, 0.0, 0.0], 3),
    ],
)
def test_score_cam_by_loops(weights: str, fill: str | None, ground: list[float], channels: int | None) -> None:
    """The mask acts on pixel values, before normalization (trap T22)."""
    module: Any = seeded(Gap)
    with torch.no_grad():
        module.head.weight.mul_(20)
        module.features[2].weight[1] = 0  # a constant map, not zero
        module.features[2].bias[1] = 0.5
    net, x = Net(module, preprocess=SHIFTED), pictures(2)
    heat = A.score_cam(net, x, 3, variant=weights, fill=fill, tried=channels)
    color = np.array(ground)[:, None, None]
    for n in range(2):
        a = module.features(SHIFTED.normalize(x.pixels[n : n + 1]))[0].detach().numpy()
        logits = seen_through(module, x.pixels[n].numpy(), a, color, SHIFTED, 2)
        heard = [k for k in range(6) if not np.isnan(logits[k][3])]
        assert 1 not in heard
        assert len(heard) > 2
        heard = sorted(heard, key=lambda k: -a[k].std())[:channels]
        if weights == "paper":
            top = max(logits[k][3] for k in heard)
            whole = sum(np.exp(logits[k][3] - top) for k in heard)
            weight = {k: np.exp(logits[k][3] - top) / whole for k in heard}
        else:
            weight = {k: 1 / sum(np.exp(other - logits[k][3]) for other in logits[k]) for k in heard}
        assert np.allclose(heat.array[n], sum(weight[k] * a[k] for k in heard), atol=1e-12)


def test_score_cam_needs_no_baseline() -> None:
    """The softmax takes S(x_b), or any constant, out of the weights."""
    module: Any = seeded(Gap)
    before = A.score_cam(Net(module, preprocess=PLAIN), pictures(2), 1).array
    with torch.no_grad():
        module.head.bias += 123.0
    assert np.allclose(before, A.score_cam(Net(module, preprocess=PLAIN), pictures(2), 1).array, atol=1e-12)


def test_score_cam_of_constant_maps_only() -> None:
    module: Any = seeded(Gap)
    with torch.no_grad():
        module.features[2].weight.zero_()
        module.features[2].bias.fill_(1)
    for weights in ("paper", "authors"):
        heat = A.score_cam(Net(module, preprocess=PLAIN), pictures(), 1, variant=weights)
        assert not heat.array.any()
        assert any("zero everywhere" in note for note in heat.meta.said)


def test_score_cam_takes_a_picture_as_fill() -> None:
    net, x = Net(seeded(Gap), preprocess=PLAIN), pictures()
    white = Images.from_pictures([torch.ones(3, 9, 11, dtype=torch.float64)], ["white"])
    assert np.array_equal(A.score_cam(net, x, 1, fill=white).array, A.score_cam(net, x, 1, fill="white").array)


def test_masks_and_ablations_are_walked_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trap T13: never all channels of masks at once."""
    module: Any = seeded(Gap)
    sizes: list[int] = []
    module.head.register_forward_pre_hook(lambda _, given: sizes.append(len(given[0])))
    net, x = Net(module, preprocess=PLAIN), pictures()
    whole = [A.score_cam(net, x, 1).array, A.ablation_cam(net, x, 1).array]
    assert max(sizes) == 6
    monkeypatch.setattr("pellucid.net.MEMORY", 1)
    sizes.clear()
    small = [A.score_cam(net, x, 1).array, A.ablation_cam(net, x, 1).array]
    assert sizes.count(2) == 1, "to try whether what comes before the layer may run for one row alone"
    assert max(sizes) == 2
    assert np.allclose(whole, small, atol=1e-13)


# Ablation-CAM


@pytest.mark.parametrize("shift", [0.0, 50.0, -50.0])
@pytest.mark.parametrize("fall", ["relative", "difference"])
def test_ablation_cam_by_loops(shift: float, fall: str) -> None:
    """Trap T24: with a negative score the paper's (y − y_k) / y would turn the map's sign."""
    module: Any = seeded(Gap)
    with torch.no_grad():
        module.head.bias[2] = shift
    net, x = Net(module, preprocess=PLAIN), pictures(2)
    heat = A.ablation_cam(net, x, 2, drop=fall)
    maps = module.features(x.pixels).detach().numpy()
    w = module.head.weight[2].detach().numpy()
    for n in range(2):
        y = sum(w[k] * maps[n, k].mean() for k in range(6)) + shift
        falls = [w[k] * maps[n, k].mean() / (abs(y) if fall == "relative" else 1) for k in range(6)]
        assert np.allclose(heat.array[n], sum(falls[k] * maps[n, k] for k in range(6)), atol=1e-12)
    assert heat.unit == ("activation" if fall == "relative" else "logit × activation")


def test_ablation_cam_of_a_score_of_zero() -> None:
    module: Any = seeded(Gap)
    x = pictures()
    with torch.no_grad():
        module.head.bias[2] -= module(x.pixels)[0, 2]
    heat = A.ablation_cam(Net(module, preprocess=PLAIN), x, 2)
    assert np.isfinite(heat.array).all()
    plain = A.ablation_cam(Net(module, preprocess=PLAIN), x, 2, drop="difference").array
    assert np.allclose(heat.array / np.abs(heat.array).max(), plain / np.abs(plain).max(), atol=1e-9)


def test_ablation_and_score_cam_ask_about_the_first_answer() -> None:
    """The best guess is that of the whole picture, whatever the network says without a map."""
    module: Any = seeded(Gap)
    net, x = Net(module, preprocess=PLAIN), pictures(3)
    best = module(x.pixels).argmax(1).tolist()
    for name in ("ablation_cam", "score_cam", "finer_cam"):
        asked = np.concatenate([getattr(A, name)(net, x[i], best[i]).array for i in range(3)])
        assert np.allclose(getattr(A, name)(net, x).array, asked, atol=1e-13)


# Eigen-CAM


@pytest.mark.parametrize("centered", [False, True])
@pytest.mark.parametrize("layer", ["features.0", "features.3"])
def test_eigen_cam_is_the_first_singular_vector(centered: bool, layer: str) -> None:
    """Trap T10: ± is free in the decomposition; ours goes with the mean activation. 6 < 30 and 5 < 99 channels."""
    turned = 0
    for seed in range(6):
        module: Any = seeded(Gap, seed)
        x = pictures(seed=seed)
        a = module.features[: int(layer[-1]) + 1](x.pixels)[0].detach().numpy()
        rows = a.reshape(len(a), -1).T
        rows = rows - rows.mean(0) if centered else rows
        naive = (rows @ np.linalg.svd(rows, full_matrices=False)[2][0]).reshape(a.shape[1:])
        found = A.eigen_cam(Net(module, preprocess=PLAIN), x, layer=layer, centered=centered).array[0]
        sign = np.sign((naive * found).sum())
        assert np.allclose(found, sign * naive, atol=1e-9)
        assert (found * a.mean(0)).sum() > 0
        if layer == "features.3" and not centered:
            assert (found >= 0).all()
        turned += sign < 0
    assert turned > 0, "the naive sign would have done: this test shows nothing"


def test_eigen_cam_with_more_channels_than_cells() -> None:
    module: Any = seeded(lambda: nn.Sequential(nn.Conv2d(3, 40, 4, stride=4), nn.ReLU(), nn.Flatten()))
    x = pictures()
    a = module[:2](x.pixels)[0].detach().numpy()
    rows = a.reshape(40, -1).T
    naive = np.abs(rows @ np.linalg.svd(rows, full_matrices=False)[2][0])
    assert np.allclose(A.eigen_cam(Net(module, preprocess=PLAIN), x).array[0].ravel(), naive, atol=1e-9)


def test_eigen_cam_asks_no_class_and_tells_what_is_arbitrary() -> None:
    net = Net(nn.Sequential(nn.Conv2d(3, 2, 1, bias=False), nn.Flatten()), preprocess=PLAIN)
    net.module.double()
    with torch.no_grad():
        net.module[0].weight.copy_(torch.eye(2, 3).view(2, 3, 1, 1))  # type: ignore[index, operator, union-attr]
    seen = torch.zeros(3, 4, 4, dtype=torch.float64)
    seen[0, 0, 0] = seen[1, 3, 3] = 1
    heat = A.eigen_cam(net, Images.from_pictures([seen], ["two spots"]))
    assert heat.meta.target is None
    assert heat.meta.score is None
    assert any("two spots: two directions explain 0 equally" in note for note in heat.meta.said)
    assert not any("two directions" in note for note in A.eigen_cam(net, pictures()).meta.said)
    with pytest.raises(PellucidError, match="no option of eigen_cam 'target'"):
        A.eigen_cam(net, pictures(), target=1)


# Finer-CAM


def test_finer_cam_of_an_averaging_head() -> None:
    """Weights w_c − γ · mean of w_d over the classes whose logits lie nearest, each picture its own."""
    module: Any = seeded(Gap)
    net, x = Net(module, preprocess=PLAIN, labels=Labels.plain(list("abcde"))), pictures(3)
    maps = module.features(x.pixels).detach().numpy()
    logits, w = module(x.pixels).detach().numpy(), module.head.weight.detach().numpy()
    heat = A.finer_cam(net, x, "d", strength=0.7, classes=2)
    for n in range(3):
        others = sorted((abs(logits[n, d] - logits[n, 3]), d) for d in range(5) if d != 3)[:2]
        near = [d for _, d in others]
        weight = (w[3] - 0.7 * (w[near[0]] + w[near[1]]) / 2) / maps[n, 0].size
        assert np.allclose(heat.array[n], sum(weight[k] * maps[n, k] for k in range(6)), atol=1e-13)
        assert heat.meta.score[n] == pytest.approx(logits[n, 3] - 0.7 * logits[n, near].mean(), abs=1e-12)
        assert f"picture {n}: compared with {', '.join('abcde'[d] for d in near)}" in heat.meta.said
    assert heat.meta.target == "d"


def test_finer_cam_at_its_ends() -> None:
    net, x = Net(seeded(Gap), preprocess=PLAIN), pictures(2)
    plain = A.grad_cam(net, x, 1).array
    assert np.allclose(A.finer_cam(net, x, 1, strength=0).array, plain, atol=1e-15)
    every = plain - sum(A.grad_cam(net, x, d).array for d in (0, 2, 3, 4)) / 4
    assert np.allclose(A.finer_cam(net, x, 1, strength=1, classes=99).array, every, atol=1e-14)


@pytest.mark.parametrize("target", ["p(1)", "1 - 2", "features.1:2"])
def test_finer_cam_refuses_what_is_no_class(target: str) -> None:
    with pytest.raises(Refused, match="ask grad_cam"):
        A.finer_cam(Net(seeded(Gap), preprocess=PLAIN), pictures(), target)


def test_finer_cam_refuses_a_network_of_one_class() -> None:
    for labels in (None, Labels.plain(["no", "yes"])):
        net = Net(seeded(lambda: Gap(classes=1)), preprocess=PLAIN, labels=labels)
        with pytest.raises(Refused, match="no class out of several"):
            A.finer_cam(net, pictures())


# Guided Grad-CAM and the rest


@pytest.mark.parametrize("placement", ["field", "stretch"])
@pytest.mark.parametrize("reduce", ["signed", "max"])
def test_guided_grad_cam_is_the_product(placement: str, reduce: str) -> None:
    net, x = Net(seeded(Gap), preprocess=SHIFTED), pictures(2)
    guided, grad = A.guided_backprop(net, x, 2, reduce=reduce), A.grad_cam(net, x, 2, placement=placement)
    assert (grad.array < 0).any()
    read = at_pixels(torch.from_numpy(np.maximum(grad.array, 0)), grad.placement, (9, 11)).numpy()
    heat = A.guided_grad_cam(net, x, 2, reduce=reduce, placement=placement)
    assert np.allclose(heat.array, guided.array * read, atol=1e-14)
    assert heat.signed == (reduce == "signed")
    assert heat.meta.coverage == guided.meta.coverage
    assert heat.meta.layer == "features"


def test_a_sure_network_needs_the_logit() -> None:
    """Trap T23: of a probability near 1 nothing is left but 1 − p; the logit's map is as before."""
    module: Any = seeded(Gap)
    with torch.no_grad():
        module.head.bias[1] += 30
    net, x = Net(module, preprocess=PLAIN), pictures()
    logit, p = A.grad_cam(net, x, 1).array, A.grad_cam(net, x, "p(1)").array
    assert np.abs(p).max() < 1e-10 * np.abs(logit).max()


@pytest.mark.parametrize("name", ["cam", *LAYERED])
def test_precisions(name: str) -> None:
    """Trap T21: float64 stays, float32 stays, half precisions come out as float32 and near."""
    given = {} if name == "eigen_cam" else {"target": 1}
    maps = {}
    for dtype in (torch.float64, torch.float32, torch.bfloat16, torch.float16):
        module = seeded(Gap).to(dtype)
        x = Images.from_pictures([p.float() if dtype != torch.float64 else p for p in pictures(2).pictures], ["a", "b"])
        maps[dtype] = getattr(A, name)(Net(module, preprocess=PLAIN), x, **given).array
    exact, most = maps.pop(torch.float64), np.abs(maps[torch.float32]).max()
    assert exact.dtype == np.float64
    for dtype, found in maps.items():
        assert found.dtype == np.float32
        assert (
            np.abs(found - exact).max() < {torch.float32: 1e-4, torch.bfloat16: 0.25, torch.float16: 0.02}[dtype] * most
        )
