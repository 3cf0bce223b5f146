"""Integrated, expected, guided, blurred and smoothed gradients, and XRAI, against closed forms in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

import pellucid as pl
from pellucid.errors import PellucidError, UnknownName
from pellucid.images import Images
from pellucid.methods.attribution.xrai import Segment, gathered, segments
from pellucid.net import Net, Preprocess
from pellucid.result import Heatmap
from pellucid.rng import generator
from tests.networks import TOPOLOGIES, seeded

Array = NDArray[np.float64]
SHAPE = (3, 6, 7)
SIZE = 3 * 6 * 7
SHIFTED = Preprocess(mean=(0.4, 0.5, 0.6), std=(0.2, 0.25, 0.3))


def pictures(n: int = 1, seed: int = 0, shape: tuple[int, int, int] = SHAPE) -> Images:
    values = np.random.default_rng(seed).random((n, *shape))
    return Images.from_pictures([torch.from_numpy(one) for one in values], [f"picture {i}" for i in range(n)])


def flat(images: Images, i: int = 0) -> Array:
    return images.pixels[i].numpy().ravel()


def shown(values: Array) -> Array:
    """Channels summed: (C · H · W) -> (H, W)."""
    return values.reshape(SHAPE).sum(0)


class Function(nn.Module):
    """A network that is one given function of flat pixels, (N, C · H · W) -> (N, K), and remembers its inputs."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function, self.like = function, nn.Parameter(torch.zeros(1, dtype=torch.float64))
        self.seen: list[Tensor] = []
        """What was asked for a gradient."""
        self.asked: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        (self.seen if x.requires_grad else self.asked).extend(x.detach().flatten(1))
        return self.function(x.flatten(1)) + 0 * self.like


def net_of(function: Callable[[Tensor], Tensor], channels: int | None = 3) -> Net:
    return Net(Function(function), preprocess=Preprocess(channels=channels))


def column(values: Any) -> Tensor:
    return torch.as_tensor(values, dtype=torch.float64)


def linear(seed: int = 1) -> tuple[Net, Array]:
    w = np.random.default_rng(seed).normal(size=SIZE)
    return net_of(lambda x: (x @ column(w))[:, None] + 0.7), w


def quadratic(seed: int = 2) -> tuple[Net, Array]:
    """f = xᵀQx / 2: the gradient is Qx, its covariance under noise of width s is s² QQᵀ."""
    q = np.random.default_rng(seed).normal(size=(SIZE, SIZE))
    q = q + q.T
    return net_of(lambda x: ((x @ column(q)) * x).sum(1, keepdim=True) / 2), q


class Units:
    """f = Σ v relu(w·x − b): on a straight way each unit is on between 0 and 1 crossings, known in closed form."""

    def __init__(self, count: int = 40, seed: int = 3) -> None:
        chance = np.random.default_rng(seed)
        self.w, self.v = chance.normal(size=(count, SIZE)), chance.normal(size=count)
        self.b = chance.normal(size=count) * 3
        self.net = net_of(lambda x: (x @ column(self.w).T - column(self.b)).relu() @ column(self.v)[:, None])

    def exact(self, start: Array, end: Array) -> Array:
        """Integrated gradients: each unit's weight, times how much of the way it is on."""
        total = np.zeros(SIZE)
        for w, v, b in zip(self.w, self.v, self.b, strict=True):
            low, high = w @ start - b, w @ end - b
            if low > 0 and high > 0:
                part = 1.0
            elif low <= 0 and high <= 0:
                part = 0.0
            else:
                part = max(low, high) / abs(high - low)
            total += part * v * w * (end - start)
        return total

    def score(self, x: Array) -> float:
        return float(sum(v * max(w @ x - b, 0.0) for w, v, b in zip(self.w, self.v, self.b, strict=True)))


def gradients_taken(net: Net) -> int:
    return len(net.module.seen)  # type: ignore[arg-type]


def steep(jumps: list[tuple[float, float]], slope: float = 1.0) -> Net:
    """On the way from black to an image x the score is slope · a + Σ height · [a > place], for x alone.

    The heights are seen by the first half of the values, the slope by all.
    """
    x = column(flat(pictures()))
    half = torch.zeros(SIZE, dtype=torch.float64)
    half[: SIZE // 2] = 1

    def score(y: Tensor) -> Tensor:
        a, b = y @ x / (x @ x), y @ (x * half) / (x @ (x * half))
        return (slope * a + sum(h * torch.sigmoid(4000 * (b - p)) for p, h in jumps))[:, None]

    return net_of(score)


# Integrated gradients


@pytest.mark.parametrize("tolerance", [0.05, 0.01, 0.001])
@pytest.mark.parametrize("seed", range(6))
def test_adaptive_steps_reach_the_tolerance_of_a_rectifier_network(tolerance: float, seed: int) -> None:
    units = Units(seed=seed)
    x = pictures(seed=seed)
    heat = pl.attribution.integrated_gradients(units.net, x, 0, tolerance=tolerance, steps=4096)
    change = units.score(flat(x)) - units.score(np.zeros(SIZE))
    assert abs(heat.array.sum() - change) <= tolerance * abs(change)
    assert heat.meta.completeness[0] == pytest.approx(abs(heat.array.sum() - change) / abs(change), abs=1e-9)  # type: ignore[index]
    exact = shown(units.exact(np.zeros(SIZE), flat(x)))
    assert np.abs(heat.array[0] - exact).sum() <= 10 * tolerance * np.abs(exact).sum()
    assert not heat.meta.said or "single pixels" in heat.meta.said[0]


def test_adaptive_steps_find_a_jump_that_fixed_ones_miss() -> None:
    """One steep step at a place that no rule knows: Gauss–Legendre with as many gradients misses it."""
    net, x = steep([(0.3141, 5.0)]), pictures()
    heat = pl.attribution.integrated_gradients(net, x, 0, steps=600)
    used = gradients_taken(net)
    assert used <= 600
    assert heat.meta.completeness[0] <= 0.01  # type: ignore[index]
    fixed = pl.attribution.integrated_gradients(net, x, 0, steps=used, quadrature="gauss_legendre")
    assert fixed.meta.completeness[0] > 0.1  # type: ignore[index]
    assert "completeness error" in fixed.meta.said[0]


def test_adaptive_steps_are_not_content_with_luck() -> None:
    """A step up and a step down cancel: the first sum is right, and the map is wrong."""
    net, x = steep([(0.30, 5.0), (0.45, -4.0)], slope=0.0), pictures()
    first = pl.attribution.integrated_gradients(net, x, 0, steps=8, tolerance=1)
    assert not np.abs(first.array).max() > 1e-6, "eight gradients see neither step"
    net = steep([(0.30, 5.0), (0.45, -5.0)])
    heat = pl.attribution.integrated_gradients(net, x, 0, steps=2000)
    assert gradients_taken(net) > 8, "the sum of the first eight was right by luck"
    assert heat.meta.completeness[0] <= 0.01  # type: ignore[index]


@pytest.mark.parametrize("steps", [1, 2, 5, 8, 20, 24, 50, 100])
def test_adaptive_steps_keep_to_their_number_and_say_when_it_was_too_small(steps: int) -> None:
    net, x = steep([(0.3141, 5.0)]), pictures()
    heat = pl.attribution.integrated_gradients(net, x, 0, steps=steps, tolerance=1e-9)
    assert gradients_taken(net) <= steps
    assert gradients_taken(net) > steps / 3
    told = abs(heat.array.sum() - 6) / 6
    assert heat.meta.completeness[0] == pytest.approx(told, rel=1e-4)  # type: ignore[index]
    assert f"picture 0: completeness error {told:.2%} after {gradients_taken(net)} gradients" in heat.meta.said


def test_unsure_pixels_are_told_where_the_sum_is_right() -> None:
    """Steps that cancel over pixels: every sum is right from the first round on, no pixel is."""
    half = column(np.repeat([1.0, -1.0], SIZE // 2))
    x = Images.from_pictures([torch.ones(SHAPE, dtype=torch.float64)], ["ones"])
    w = column(np.ones(SIZE) / SIZE)
    net = net_of(lambda y: (y @ w + (y @ half) * torch.sin(40 * (y @ w)) + 0 * y.sum(1))[:, None])
    heat = pl.attribution.integrated_gradients(net, x, 0, steps=24, tolerance=1e-9, baseline="black")
    assert heat.meta.completeness[0] < 1e-9  # type: ignore[index]
    rough = pl.attribution.integrated_gradients(net, x, 0, steps=24, tolerance=0)
    assert "ones: single pixels are less sure than their sum" in " ".join(rough.meta.said)


def test_linear_and_quadratic_need_one_round() -> None:
    for net, _ in (linear(), quadratic()):
        heat = pl.attribution.integrated_gradients(net, pictures(), 0, tolerance=1e-9)
        assert heat.meta.completeness[0] < 1e-9  # type: ignore[index]
    net, w = linear()
    heat = pl.attribution.integrated_gradients(net, pictures(), 0)
    assert np.allclose(heat.array[0], shown(w * flat(pictures())), atol=1e-12)
    assert gradients_taken(net) == 8
    assert heat.meta.said == ()


@pytest.mark.parametrize("quadrature", ["adaptive", "gauss_legendre", "midpoint", "trapezoid"])
def test_several_baselines_give_the_mean_map_and_the_mean_score(quadrature: str) -> None:
    units, x, starts = Units(), pictures(), pictures(3, seed=9)
    how = {"quadrature": quadrature, "tolerance": 1e-3, "steps": 2000 if quadrature == "adaptive" else 64}
    heat = pl.attribution.integrated_gradients(units.net, x, 0, baseline=starts, **how)
    single = [pl.attribution.integrated_gradients(units.net, x, 0, baseline=one, **how).array for one in starts]
    assert np.allclose(heat.array, np.mean(single, 0), atol=1e-12)
    change = units.score(flat(x)) - np.mean([units.score(flat(starts, i)) for i in range(3)])
    told = abs(heat.array.sum() - change) / abs(change)
    assert heat.meta.completeness[0] == pytest.approx(told, abs=1e-9)  # type: ignore[index]
    exact = np.mean([shown(units.exact(flat(starts, i), flat(x))) for i in range(3)], axis=0)
    assert np.abs(heat.array[0] - exact).sum() < 0.02 * np.abs(exact).sum()


def test_a_baseline_of_noise_has_a_seed() -> None:
    net, w = linear()
    maps = [pl.attribution.integrated_gradients(net, pictures(), 0, baseline="noise", seed=s).array for s in (0, 0, 1)]
    assert np.array_equal(maps[0], maps[1])
    assert not np.allclose(maps[0], maps[2])
    assert np.abs(maps[0][0] - shown(w * flat(pictures()))).max() > 0.1


def switching() -> Net:
    """Class 0 wins for the picture of ones, class 1 for everything darker."""
    total = column(np.ones(SIZE) / SIZE)
    return net_of(lambda x: torch.stack([3 * (x @ total) - 2, 0.9 + 0 * x.sum(1)], 1))


ONES = Images.from_pictures([torch.ones(SHAPE, dtype=torch.float64)], ["ones"])


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("integrated_gradients", {}),
        ("expected_gradients", {"references": "black"}),
        ("guided_integrated_gradients", {"steps": 4}),
        ("xrai", {}),
    ],
)
def test_the_class_asked_about_stays_that_of_the_image(method: str, options: dict[str, Any]) -> None:
    """Trap: near the baseline another class is best; its gradient here is zero."""
    heat = getattr(pl.attribution, method)(switching(), ONES, **options)
    change = 3.0 if method != "xrai" else 1.5
    assert heat.array.sum() == pytest.approx(change, abs=1e-9)
    assert heat.meta.completeness[0] < 1e-9
    assert heat.meta.score[0] == pytest.approx(1)


# SmoothGrad


def gradients_of(net: Net, q: Array) -> Array:
    """Qx of every noisy copy that the network was shown, written out; (samples, C, H, W)."""
    return np.array([q @ x.numpy() for x in net.module.seen]).reshape(-1, *SHAPE)  # type: ignore[union-attr]


REDUCED: dict[str, Callable[[Array], Array]] = {
    "max": lambda g: np.abs(g).max(0),
    "l1": lambda g: np.abs(g).sum(0),
    "l2": lambda g: np.sqrt((g**2).sum(0)),
    "signed": lambda g: g.sum(0),
}


@pytest.mark.parametrize("reduce", REDUCED)
def test_smooth_grad_reduces_the_mean_of_signed_gradients(reduce: str) -> None:
    """Not the mean of reduced gradients; the error is that of the reduced mean, found here by perturbing it."""
    net, q = quadratic()
    heat = pl.attribution.smooth_grad(net, pictures(), 0, samples=12, reduce=reduce)
    g = gradients_of(net, q)
    assert len(g) == 12
    mean = g.mean(0)
    assert np.allclose(heat.array[0], REDUCED[reduce](mean), atol=1e-10)
    assert heat.signed == (reduce == "signed")
    slope = np.zeros(SHAPE)
    for c in range(3):
        nudge = np.zeros(SHAPE)
        nudge[c] = 1e-6
        slope[c] = (REDUCED[reduce](mean + nudge) - REDUCED[reduce](mean - nudge)) / 2e-6
    along = (slope * g).sum(1)
    assert heat.error is not None
    assert np.allclose(heat.error[0], along.std(0, ddof=1) / np.sqrt(12), rtol=1e-5)
    naive = np.mean([REDUCED[reduce](one) for one in g], axis=0)
    assert reduce == "signed" or np.abs(naive - heat.array[0]).max() > 0.5


def test_smooth_grad_of_a_quadratic() -> None:
    """The mean is Qx, the squares (Qx)² + s² diag QQᵀ, the variance s² diag QQᵀ: within their errors of sampling."""
    net, q = quadratic()
    x = pictures()
    n, s = 600, 0.15 * (flat(x).max() - flat(x).min())
    spread = s**2 * (q @ q).diagonal()
    z = []
    for seed in range(8):
        mean = pl.attribution.smooth_grad(net, x, 0, samples=100, reduce="signed", seed=seed)
        z.append((mean.array[0] - shown(q @ flat(x))) / mean.error[0])  # type: ignore[index]
    assert np.abs(z).max() < 5
    assert 0.8 < np.std(z) < 1.2, "the errors are as large as they say"
    square = pl.attribution.smooth_grad(net, x, 0, samples=n, statistic="square", reduce="signed")
    z = (square.array[0] - shown((q @ flat(x)) ** 2 + spread)) / square.error[0]  # type: ignore[index]
    assert np.abs(z).max() < 5
    variance = pl.attribution.smooth_grad(net, x, 0, samples=n, statistic="variance", reduce="signed")
    assert np.allclose(variance.array[0], shown(spread), rtol=6 * np.sqrt(2 / n))
    assert variance.error is None
    assert square.array.min() >= 0
    assert (square.signed, variance.signed, square.unit) == (False, False, "(logit per pixel range)²")


def test_var_grad_is_unbiased_and_squares_are_squares() -> None:
    """Captum's VarGrad divides by n; here by n − 1."""
    net, q = quadratic()
    heat = pl.attribution.smooth_grad(net, pictures(), 0, samples=5, statistic="variance", reduce="l1")
    assert np.allclose(heat.array[0], gradients_of(net, q).var(0, ddof=1).sum(0), atol=1e-10)
    net, q = quadratic()
    heat = pl.attribution.smooth_grad(net, pictures(), 0, samples=5, statistic="square", reduce="max")
    assert np.allclose(heat.array[0], (gradients_of(net, q) ** 2).mean(0).max(0), atol=1e-10)


def test_noise_is_relative_to_each_image_and_before_normalization() -> None:
    net, _ = linear()
    wide = pictures().pixels[0]
    both = Images.from_pictures([wide, 0.5 + 0.1 * wide], ["wide", "narrow"])
    shifted = Net(net.module, preprocess=SHIFTED)
    pl.attribution.smooth_grad(shifted, both, 0, samples=200, sigma=0.2)
    std = np.array(SHIFTED.std)[:, None]
    told = torch.stack(net.module.seen).numpy().reshape(2, 200, 3, -1) * std  # type: ignore[arg-type]
    for noisy, one in zip(told, both.pixels, strict=True):
        width = noisy.std(0, ddof=1).mean()
        assert width == pytest.approx(0.2 * float(one.max() - one.min()), rel=0.02)
        assert (
            abs(np.corrcoef(noisy[0].ravel() - noisy.mean(0).ravel(), noisy[1].ravel() - noisy.mean(0).ravel())[0, 1])
            < 0.3
        )


@pytest.mark.parametrize(
    "of",
    [
        "gradient",
        "gradient_times_input",
        "guided_backprop",
        "deconvnet",
        "grad_cam",
        "eigen_cam",
        "integrated_gradients",
    ],
)
def test_smooth_grad_without_noise_is_the_method_itself(of: str) -> None:
    """Any method by its name, in its own frame and unit; one noisy copy is like the other, the variance is zero."""
    net, x = Net(seeded(TOPOLOGIES["branches"]), preprocess=SHIFTED), pictures(2, shape=(3, 12, 14))
    method = getattr(pl.attribution, of)
    plain: Heatmap = method(net, x, 1) if "target" in pl.find(of).arguments else method(net, x)
    heat = pl.attribution.smooth_grad(net, x, 1, of=of, samples=2, sigma=0)
    assert np.allclose(heat.array, plain.array, atol=1e-12)
    assert heat.placement == plain.placement
    assert (heat.unit, heat.signed, heat.meta.layer) == (plain.unit, plain.signed, plain.meta.layer)
    assert np.abs(heat.error).max() < 1e-12  # type: ignore[arg-type]
    assert heat.meta.score == pytest.approx(tuple(net.run(x).scores[:, 1].tolist()))


def test_smooth_grad_of_a_map_is_the_mean_of_maps() -> None:
    """Grad-CAM of each noisy copy, asked for one by one."""
    net, x = Net(seeded(TOPOLOGIES["branches"]), preprocess=SHIFTED), pictures(shape=(3, 12, 14))
    heat = pl.attribution.smooth_grad(net, x, 1, of="grad_cam", samples=4, sigma=0.3)
    width = 0.3 * float(x.pixels.max() - x.pixels.min())
    maps = []
    for k in range(4):
        noisy = x.pixels[0] + width * torch.from_numpy(generator(0, "picture 0", k).standard_normal((3, 12, 14)))
        copy = Images.from_pictures([noisy], ["copy"])
        maps.append(pl.attribution.grad_cam(net, copy, 1).array[0])
    assert np.allclose(heat.array[0], np.mean(maps, 0), atol=1e-12)
    assert np.allclose(heat.error[0], np.std(maps, 0, ddof=1) / 2, atol=1e-12)  # type: ignore[index]


def test_smooth_grad_asks_about_the_first_answer() -> None:
    """Noise turns the best guess of every second copy; the gradient of the other class is another."""
    w = column(np.ones(SIZE) / SIZE)
    net = net_of(lambda x: torch.stack([x @ w, -(x @ w) + 1e-6], 1))
    x = Images.from_pictures([torch.zeros(SHAPE, dtype=torch.float64)], ["zeros"])
    x.pictures[0][0, 0, 0] = 1e-9
    heat = pl.attribution.smooth_grad(net, x, samples=30, sigma=1e9, reduce="signed")
    assert np.allclose(heat.array, -3 / SIZE, atol=1e-12)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"of": "occlusion_labels"}, "gives a LabelMap"),
        ({"of": "gradeint"}, "no method 'gradeint'; nearest"),
        ({"of": "smooth_grad"}, "any other attribution method"),
        ({"of": "grad_cam", "reduce": "l1"}, "leave reduce out"),
    ],
)
def test_smooth_grad_says_what_it_cannot_smooth(options: dict[str, Any], said: str) -> None:
    net = Net(seeded(TOPOLOGIES["branches"]), preprocess=SHIFTED)
    with pytest.raises((PellucidError, UnknownName), match=said):
        pl.attribution.smooth_grad(net, pictures(shape=(3, 12, 14)), 1, samples=2, **options)


# Expected gradients


def test_expected_gradients_of_a_quadratic() -> None:
    """Over places the mean gradient is Q (x + r) / 2, exactly; then the mean over references r."""
    net, q = quadratic()
    x, references = pictures(), pictures(5, seed=7)
    exact = np.mean([(flat(x) - flat(references, i)) * (q @ (flat(x) + flat(references, i))) / 2 for i in range(5)], 0)
    z = []
    for seed in range(30):
        heat = pl.attribution.expected_gradients(net, x, 0, references=references, samples=60, seed=seed)
        z.append((heat.array[0] - shown(exact)) / heat.error[0])  # type: ignore[index]
    assert np.abs(z).max() < 5
    assert 0.8 < np.std(z) < 1.2, "the errors are as large as they say"

    def score(y: Array) -> float:
        return float(y @ q @ y / 2)

    change = score(flat(x)) - np.mean([score(flat(references, i)) for i in range(5)])
    told = abs(heat.array.sum() - change) / abs(change)
    assert heat.meta.completeness[0] == pytest.approx(told, rel=1e-6)  # type: ignore[index]


def test_expected_gradients_error_is_the_standard_error() -> None:
    """From a single reference each place can be read off what the network was shown."""
    net, q = quadratic()
    x, reference = pictures(), pictures(seed=7)
    heat = pl.attribution.expected_gradients(net, x, 0, references=reference, samples=9)
    shares = np.array([shown((flat(x) - flat(reference)) * (q @ y.numpy())) for y in net.module.seen])  # type: ignore[union-attr]
    assert len(shares) == 9
    assert np.allclose(heat.array[0], shares.mean(0), atol=1e-10)
    assert np.allclose(heat.error[0], shares.std(0, ddof=1) / 3, atol=1e-10)  # type: ignore[index]
    places = [float(((y.numpy() - flat(reference)) / (flat(x) - flat(reference))).mean()) for y in net.module.seen]  # type: ignore[union-attr]
    assert len(set(places)) == 9
    assert min(places) >= 0
    assert max(places) <= 1


def test_expected_gradients_of_a_linear_network_from_one_reference_are_exact() -> None:
    net, w = linear()
    heat = pl.attribution.expected_gradients(net, pictures(), 0, references="gray", samples=3)
    assert np.allclose(heat.array[0], shown(w * (flat(pictures()) - 0.5)), atol=1e-12)
    assert heat.meta.completeness[0] < 1e-9  # type: ignore[index]
    assert np.abs(heat.error).max() < 1e-12  # type: ignore[arg-type]


def test_expected_gradients_draw_new_noise_for_each_sample() -> None:
    net, w = linear()
    heat = pl.attribution.expected_gradients(net, pictures(), 0, references="noise", samples=300)
    z = (heat.array[0] - shown(w * (flat(pictures()) - 0.5))) / heat.error[0]  # type: ignore[index]
    assert np.abs(z).max() < 5
    assert heat.meta.completeness[0] < 1e-9, "against the images that were drawn"  # type: ignore[index]


def test_expected_gradients_leave_the_image_itself_out_of_the_photographs() -> None:
    """In a linear network every reference r gives w · (x − r), and the mean is over seven or eight."""
    preprocess = Preprocess(resize=8, crop=(6, 7))
    w = column(np.random.default_rng(1).normal(size=SIZE))
    net = Net(Function(lambda x: (x @ w.to(x.dtype))[:, None]), preprocess=preprocess)
    everyone = net.prepare(pl.read([f"sample:{name}" for name in pl.images.samples()]))
    mean = everyone.pixels.double().flatten(1).mean(0)
    rest = torch.stack(
        [p.double().flatten() for p, i in zip(everyone.pictures, everyone.ids, strict=True) if "panda" not in i]
    )
    assert len(rest) == len(everyone) - 1
    for picture, expected in ((pl.read("sample:panda"), rest.mean(0)), (pictures(), mean)):
        heat = pl.attribution.expected_gradients(net, picture, 0, samples=20)
        x = net.prepare(picture).pixels[0].double().flatten()
        told = abs(heat.array.sum() - float(w @ (x - expected))) / abs(float(w @ (x - expected)))
        assert heat.meta.completeness[0] == pytest.approx(told, rel=1e-3)  # type: ignore[index]


def test_expected_gradients_stretch_the_photographs_or_say_that_they_do_not_fit() -> None:
    net, _ = linear()
    assert np.isfinite(pl.attribution.expected_gradients(net, pictures(), 0, samples=4).array).all()
    gray = net_of(lambda x: x.sum(1, keepdim=True), 1)
    assert np.isfinite(pl.attribution.expected_gradients(gray, pictures(shape=(1, 9, 7)), 0, samples=4).array).all()
    net = net_of(lambda x: x.sum(1, keepdim=True), 2)
    two = Images.from_pictures([torch.rand(2, 9, 7, dtype=torch.float64)], ["two"])
    with pytest.raises(PellucidError, match="are in color, 'two' has 2 channels: give images of your own, or a fill"):
        pl.attribution.expected_gradients(net, two, 0, samples=4)
    assert np.isfinite(pl.attribution.expected_gradients(net, two, 0, samples=4, references="blur").array).all()


# Guided integrated gradients


def guided(
    x: Array, start: Array, gradient: Callable[[Array], Array], steps: int, fraction: float, far: float
) -> Array:
    """The authors' procedure, value by value: at each step the lowest gradients move towards a limit, until the
    picture is near enough; the step counts with the gradient at its start."""
    here, share, whole = start.copy(), np.zeros(len(x)), float(np.abs(x - start).sum())
    for step in range(1, steps + 1):
        g, before, a = gradient(here), here.copy(), step / steps
        low, high = start + max(a - far, 0) * (x - start), start + min(a + far, 1) * (x - start)
        for i in range(len(x)):
            if abs(here[i] - start[i]) < abs(low[i] - start[i]):
                here[i] = low[i]
        for _ in range(1000):
            missing = np.abs(x - here).sum() - whole * (1 - a)
            if missing < 1e-12:
                break
            size = [np.inf if abs(here[i] - high[i]) < 1e-14 else abs(g[i]) for i in range(len(x))]
            limit = sorted(size)[int(fraction * (len(x) - 1))]
            chosen = [i for i in range(len(x)) if size[i] <= limit and size[i] < np.inf]
            if not chosen:
                break
            part = min(missing / sum(abs(high[i] - here[i]) for i in chosen), 1.0)
            for i in chosen:
                here[i] += part * (high[i] - here[i])
        share += (here - before) * g
    return share


@pytest.mark.parametrize(("fraction", "far"), [(0.25, 0.02), (0.25, 0.2), (0.1, 1.0), (0.5, 0.5), (1.0, 0.1)])
def test_guided_steps_are_those_of_the_authors(fraction: float, far: float) -> None:
    net, q = quadratic()
    x, start = pictures(), pictures(seed=5)
    how = {"steps": 12, "fraction": fraction, "distance": far, "baseline": start}
    heat = pl.attribution.guided_integrated_gradients(net, x, 0, quadrature="left", **how)
    expected = guided(flat(x), flat(start), lambda y: q @ y, 12, fraction, far)
    assert np.allclose(heat.array[0], shown(expected), atol=1e-8 * np.abs(expected).max() * 100)
    exact = pl.attribution.guided_integrated_gradients(net, x, 0, **how)
    assert exact.meta.completeness[0] < 1e-9, "of a quadratic the trapezoid is complete on any way"  # type: ignore[index]
    assert heat.meta.completeness[0] > 1e-3  # type: ignore[index]


def test_guided_way_keeps_its_distance_and_its_pace() -> None:
    net, q = quadratic()
    x, start = pictures(), pictures(seed=5)
    pl.attribution.guided_integrated_gradients(net, x, 0, steps=10, distance=0.15, baseline=start)
    way = [y.numpy() for y in net.module.seen]  # type: ignore[union-attr]
    assert len(way) == 11
    assert np.allclose(way[0], flat(start), atol=0)
    assert np.allclose(way[-1], flat(x), atol=1e-15)
    for k, here in enumerate(way):
        gone = (here - flat(start)) / (flat(x) - flat(start))
        assert np.abs(gone - k / 10).max() <= 0.15 + 1e-9
        left = np.abs(flat(x) - here).sum() / np.abs(flat(x) - flat(start)).sum()
        assert left == pytest.approx(1 - k / 10, abs=1e-8)
    first, gradient = (way[1] - flat(start)) / (flat(x) - flat(start)), np.abs(q @ flat(start))
    assert gradient[first > 0.2].max() < gradient[first < 0.01].min(), "who moves first has the lowest gradient"


def test_guided_without_distance_is_the_straight_way() -> None:
    units, x = Units(), pictures()
    straight = pl.attribution.integrated_gradients(units.net, x, 0, steps=17, quadrature="trapezoid")
    heat = pl.attribution.guided_integrated_gradients(units.net, x, 0, steps=16, distance=0)
    assert np.allclose(heat.array, straight.array, atol=1e-10)


def test_guided_of_a_linear_network_and_of_the_baseline_itself() -> None:
    net, w = linear()
    heat = pl.attribution.guided_integrated_gradients(net, pictures(), 0, steps=5, baseline="white")
    assert np.allclose(heat.array[0], shown(w * (flat(pictures()) - 1)), atol=1e-12)
    heat = pl.attribution.guided_integrated_gradients(net, pictures(), 0, steps=5, baseline=pictures())
    assert not heat.array.any()
    assert "zero everywhere" in " ".join(heat.meta.said)


# Blur integrated gradients


def gaussian(picture: Array, sigma: float) -> Array:
    from scipy import ndimage

    planes = picture.reshape(SHAPE)
    if sigma == 0:
        return picture
    blurred = [ndimage.gaussian_filter(p, sigma, mode="mirror", truncate=4 + 1 / sigma) for p in planes]
    return np.array(blurred).ravel()


def kernel_blur(picture: Array, sigma: float) -> Array:
    """Gaussian weights up to 4 sigma, the picture mirrored without its edge, written out."""
    reach = int(np.ceil(4 * sigma))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(sigma, 1e-300)) ** 2)
    weights /= weights.sum()
    planes = picture.reshape(SHAPE)
    for axis in (1, 2):
        n = planes.shape[axis]
        out = np.zeros_like(planes)
        for i in range(n):
            for k, weight in zip(range(-reach, reach + 1), weights, strict=True):
                at = (i + k) % (2 * n - 2)
                out[(slice(None),) * axis + (i,)] += weight * np.take(planes, min(at, 2 * n - 2 - at), axis)
        planes = out
    return planes.ravel()


def test_blur_gradients_of_a_linear_network_are_what_the_blur_takes() -> None:
    net, w = linear()
    x = pictures()
    for how in ({}, {"spacing": "linear", "steps": 3}, {"spacing": "sqrt", "steps": 3}):
        heat = pl.attribution.blur_integrated_gradients(net, x, 0, sigma=2, **how)
        assert np.allclose(heat.array[0], shown(w * (flat(x) - kernel_blur(flat(x), 2))), atol=1e-10)
        assert heat.meta.completeness[0] < 1e-9  # type: ignore[index]
    assert np.allclose(kernel_blur(flat(x), 2), gaussian(flat(x), 2), atol=1e-3), "the blur that all mean"


@pytest.mark.parametrize("spacing", ["linear", "sqrt"])
def test_blur_gradients_step_by_step(spacing: str) -> None:
    """The move of each step times the gradient in its middle, from wide to narrow."""
    units, x = Units(), pictures()
    heat = pl.attribution.blur_integrated_gradients(units.net, x, 0, sigma=3, steps=4, spacing=spacing)
    share = np.zeros(SIZE)
    for k in range(4):
        ends = [1 - k / 4, 1 - (k + 0.5) / 4, 1 - (k + 1) / 4]
        far, middle, near = (kernel_blur(flat(x), 3 * (e if spacing == "linear" else np.sqrt(e))) for e in ends)
        gradient = np.zeros(SIZE)
        for w, v, b in zip(units.w, units.v, units.b, strict=True):
            gradient += v * w * (w @ middle > b)
        share += gradient * (near - far)
    assert np.allclose(heat.array[0], shown(share), atol=1e-9)
    change = units.score(flat(x)) - units.score(kernel_blur(flat(x), 3))
    assert heat.meta.completeness[0] == pytest.approx(abs(share.sum() - change) / abs(change), rel=1e-6)  # type: ignore[index]


@pytest.mark.parametrize("seed", range(4))
def test_blur_gradients_reach_the_tolerance(seed: int) -> None:
    units, x = Units(seed=seed), pictures(seed=seed)
    heat = pl.attribution.blur_integrated_gradients(units.net, x, 0, sigma=3, tolerance=0.005)
    change = units.score(flat(x)) - units.score(kernel_blur(flat(x), 3))
    assert abs(heat.array.sum() - change) <= 0.005 * abs(change)


def test_a_picture_without_detail_has_nothing_to_say() -> None:
    net, _ = linear()
    x = Images.from_pictures([torch.full(SHAPE, 0.25, dtype=torch.float64)], ["plain"])
    heat = pl.attribution.blur_integrated_gradients(net, x, 0, sigma=5)
    assert np.abs(heat.array).max() < 1e-12


# XRAI


def test_regions_are_gathered_by_their_new_pixels() -> None:
    """Against the procedure with whole masks; the sum of the map is that of the shares."""
    chance = np.random.default_rng(0)
    for trial in range(20):
        share = chance.normal(size=(20, 24)) + 0.1
        masks, regions = [], []
        for _ in range(12):
            top, left = chance.integers(0, 15), chance.integers(0, 18)
            high, wide = chance.integers(2, 12, size=2)
            where = (slice(int(top), int(min(top + high, 20))), slice(int(left), int(min(left + wide, 24))))
            mask = np.zeros((20, 24), bool)
            mask[where] = chance.random(mask[where].shape) < 0.8
            masks.append(mask)
            regions.append(Segment(where, mask[where]))
        density, rank = gathered(share, regions, 5)
        expected, taken = np.full((20, 24), np.nan), np.zeros((20, 24), bool)
        while True:
            gains = [share[m & ~taken].mean() if (m & ~taken).sum() >= 5 else -np.inf for m in masks]
            if max(gains) == -np.inf:
                break
            best = masks[int(np.argmax(gains))] & ~taken
            expected[best] = max(gains)
            taken |= best
        expected[~taken] = share[~taken].mean()
        assert np.allclose(density, expected, atol=1e-12), trial
        assert density.sum() == pytest.approx(share.sum(), abs=1e-9)
        ahead = [[(expected <= value + 1e-12).mean() for value in row] for row in expected]
        assert np.allclose(rank, ahead, atol=1e-12)


@pytest.mark.parametrize("dilation", [0, 3, 5])
def test_segments_cover_the_picture_and_are_widened_by_a_disk(dilation: int) -> None:
    from skimage.morphology import dilation as widen
    from skimage.morphology import disk
    from skimage.segmentation import felzenszwalb

    chance = np.random.default_rng(1)
    picture = np.kron(chance.random((4, 5, 3)), np.ones((12, 12, 1)))
    labels = felzenszwalb(
        2 * (picture - picture.min()) / np.ptp(picture) - 1, scale=50, sigma=0.8, min_size=20, channel_axis=2
    )
    found = segments(picture, [50.0], 20, dilation)
    assert len(found) == labels.max() + 1 > 5
    for label, region in enumerate(found):
        whole = np.zeros(labels.shape, bool)
        whole[region.where] = region.mask
        expected = labels == label
        assert np.array_equal(whole, widen(expected, disk(dilation)) if dilation else expected)


def test_xrai_finds_the_part_that_counts() -> None:
    """Four plain quarters, and a network that adds up one of them: that quarter is first, and has its mean."""
    picture = torch.full((3, 224, 224), 0.2, dtype=torch.float64)
    picture[:, :112, 112:], picture[:, 112:, :112], picture[:, 112:, 112:] = 0.9, 0.55, 0.0
    weight = torch.zeros(3, 224, 224, dtype=torch.float64)
    weight[:, :112, 112:] = 1e-3
    net = net_of(lambda x: (x @ weight.flatten())[:, None])
    x = Images.from_pictures([picture], ["quarters"])
    heat = pl.attribution.xrai(net, x, 0, dilation=0)
    mean = 3 * 1e-3 * (0.9 - 0.5)  # over black and white: 0.9 and −0.1
    assert np.allclose(heat.array[0, :106, 118:], mean, rtol=0.05)  # segments are off at corners by a few pixels
    assert np.abs(heat.array[0, 118:, :106]).max() < 1e-9
    assert heat.array.sum() == pytest.approx(mean * 112 * 112, abs=1e-9)
    assert heat.meta.completeness[0] < 1e-9  # type: ignore[index]
    assert "regions out of" in heat.meta.said[0]
    rank = pl.attribution.xrai(net, x, 0, dilation=0, region_value="rank")
    assert rank.array.max() == 1
    assert np.all(rank.array[0, :106, 118:] > 0.75)
    assert np.all(rank.array[0, 118:] < 0.76)
    assert (rank.unit, rank.signed) == ("share of the image", False)
    assert rank.meta.completeness == heat.meta.completeness


@pytest.mark.slow
def test_xrai_keeps_the_sum_of_integrated_gradients() -> None:
    module = seeded(TOPOLOGIES["branches"])
    net = Net(module, preprocess=SHIFTED)
    x = pictures(2, shape=(3, 40, 50))
    heat = pl.attribution.xrai(net, x, 1, steps=24, tolerance=0)
    ig = [
        pl.attribution.integrated_gradients(net, x, 1, steps=24, tolerance=0, baseline=b).array
        for b in ("black", "white")
    ]
    assert np.allclose(heat.array.sum((1, 2)), np.mean(ig, 0).sum((1, 2)), atol=1e-10)


@pytest.mark.slow
def test_xrai_takes_a_plain_picture_and_any_channels() -> None:
    net, _ = linear()
    plain = Images.from_pictures([torch.full(SHAPE, 0.3, dtype=torch.float64)], ["plain"])
    assert np.isfinite(pl.attribution.xrai(net, plain, 0, steps=8).array).all()
    for channels in (1, 6):
        w = column(np.random.default_rng(0).normal(size=channels * 30 * 30))
        many = net_of(lambda x, w=w: (x @ w)[:, None], channels)
        x = pictures(shape=(channels, 30, 30))
        assert np.isfinite(pl.attribution.xrai(many, x, 0, steps=8).array).all()
