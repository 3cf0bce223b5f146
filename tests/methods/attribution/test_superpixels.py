"""LIME, KernelSHAP and Shapley sampling against slow and plain arithmetic, and what holds for all of them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.images import Images
from pellucid.net import Net, Preprocess
from tests.methods.attribution.test_oracles import Function, linear, pictures

PLAIN = Preprocess()
GRID: dict[str, Any] = {"segmentation": "grid", "n_segments": 6}
ALL = ["kernel_shap", "lime", "shapley_sampling"]
CHEAP: dict[str, dict[str, Any]] = {
    "kernel_shap": {"samples": 100},
    "lime": {"samples": 200},
    "shapley_sampling": {"permutations": 4},
}


def labels(rows: int = 8, columns: int = 10, down: int = 2, across: int = 3) -> np.ndarray:
    """The grid of six on a picture of 8 × 10, written out."""
    return np.array(
        [[(i * down // rows) * across + j * across // columns for j in range(columns)] for i in range(rows)]
    )


def curved(seed: int = 3) -> Net:
    """Products of pixels of different superpixels: Shapley values are then not those of any single order."""
    w = torch.randn(4, 3, 8, 10, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) / 5

    def f(x: Tensor) -> Tensor:
        h = torch.einsum("nchw,kchw->nk", x - 0.5, w)
        return torch.stack([torch.tanh(h[:, 0]) * h[:, 1] * 3 + torch.relu(h[:, 2]) * h[:, 3] + h[:, 0], h[:, 3]], 1)

    return Net(Function(f), preprocess=PLAIN)


def worth(net: Net, x: Tensor, hidden: Tensor, cut: np.ndarray, coalition: tuple[int, ...]) -> float:
    """The first score of one image with only these superpixels shown, pixel by pixel."""
    mixed = hidden.clone()
    for i, j in itertools.product(range(x.shape[2]), range(x.shape[3])):
        if cut[i, j] in coalition:
            mixed[0, :, i, j] = x[0, :, i, j]
    return float(net.run(mixed).output[0, 0])


def table(net: Net, x: Tensor, hidden: Tensor, cut: np.ndarray) -> dict[tuple[int, ...], float]:
    n = int(cut.max()) + 1
    coalitions = (c for size in range(n + 1) for c in itertools.combinations(range(n), size))
    return {c: worth(net, x, hidden, cut, c) for c in coalitions}


def shapley(values: dict[tuple[int, ...], float], n: int) -> list[float]:
    """The definition: Σ over coalitions without i of |S|! (n − |S| − 1)! / n! × what i adds."""
    found = []
    for i in range(n):
        total = 0.0
        for coalition, value in values.items():
            if i not in coalition:
                size = len(coalition)
                share = math.factorial(size) * math.factorial(n - size - 1) / math.factorial(n)
                total += share * (values[tuple(sorted((*coalition, i)))] - value)
        found.append(total)
    return found


def by_superpixel(heat: Any, cut: np.ndarray, which: str = "values") -> np.ndarray:
    """One number for each superpixel; the map must be constant on each."""
    array = getattr(heat, which)[0]
    found = []
    for k in range(int(cut.max()) + 1):
        inside = array[cut == k]
        assert np.ptp(inside) == 0
        found.append(inside[0])
    return np.array(found)


@pytest.fixture(scope="module")
def truth() -> tuple[dict[tuple[int, ...], float], list[float]]:
    x = pictures().pixels
    values = table(curved(), x, torch.full_like(x, 0.5), labels())
    return values, shapley(values, 6)


def test_kernel_shap_with_all_coalitions_is_the_shapley_value(truth: Any) -> None:
    """Oracle 12, first half."""
    values, exact = truth
    heat = pl.attribution.kernel_shap(curved(), pictures(), 0, samples=62, **GRID)
    found = by_superpixel(heat, labels())
    assert np.allclose(found, exact, rtol=0, atol=1e-12)
    assert found.sum() == pytest.approx(values[tuple(range(6))] - values[()], abs=1e-12)
    assert not heat.error.any()
    assert "all 64 coalitions: the values are exact" in heat.meta.said[0]
    assert max(abs(np.subtract(exact, [values[(i,)] - values[()] for i in range(6)]))) > 0.1, "too easy a game"


SAMPLED: list[tuple[str, dict[str, Any]]] = [
    ("shapley_sampling", {"permutations": 200}),
    ("shapley_sampling", {"permutations": 100, "antithetic": True}),
    ("kernel_shap", {"samples": 60}),
]


@pytest.mark.parametrize(("method", "options"), SAMPLED)
def test_sampling_is_within_four_standard_errors(method: str, options: dict[str, Any], truth: Any) -> None:
    """Oracle 12, second half; the sum is exact whatever was drawn."""
    values, exact = truth
    heat = getattr(pl.attribution, method)(curved(), pictures(), 0, **options, **GRID)
    found, error = by_superpixel(heat, labels()), by_superpixel(heat, labels(), "error")
    assert (abs(found - exact) <= 4 * error).all()
    assert 0 < error.max() < 0.15
    assert found.sum() == pytest.approx(values[tuple(range(6))] - values[()], abs=1e-12)
    assert heat.meta.completeness[0] < 1e-12


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("shapley_sampling", {"permutations": 12}),
        ("kernel_shap", {"samples": 58}),
        ("lime", {"samples": 80, "fill": "gray"}),
    ],
)
def test_errors_are_what_a_repetition_scatters_by(method: str, options: dict[str, Any]) -> None:
    found, errors = [], []
    for seed in range(40):
        heat = getattr(pl.attribution, method)(curved(), pictures(), 0, seed=seed, **options, **GRID)
        found.append(by_superpixel(heat, labels()))
        errors.append(by_superpixel(heat, labels(), "error"))
    scatter, told = np.std(found, axis=0, ddof=1), np.sqrt(np.square(errors).mean(0))
    assert 0.75 < np.sqrt(np.mean(scatter**2) / np.mean(told**2)) < 1.3


def test_antithetic_orders_cancel_pairs() -> None:
    """Where superpixels act at most in pairs, an order and its reverse give the Shapley value at once."""
    q = torch.randn(240, 240, dtype=torch.float64, generator=torch.Generator().manual_seed(2)) / 50
    net = Net(Function(lambda x: torch.einsum("ni,ij,nj->n", x.flatten(1), q, x.flatten(1))[:, None]), preprocess=PLAIN)
    x = pictures().pixels
    exact = shapley(table(net, x, torch.full_like(x, 0.5), labels()), 6)
    heat = pl.attribution.shapley_sampling(net, pictures(), 0, permutations=2, antithetic=True, **GRID)
    assert np.allclose(by_superpixel(heat, labels()), exact, atol=1e-12)
    assert heat.error.max() < 1e-12
    plain = pl.attribution.shapley_sampling(net, pictures(), 0, permutations=2, **GRID)
    assert np.abs(by_superpixel(plain, labels()) - exact).max() > 0.01


@pytest.mark.parametrize("fill", ["black", "gray", "mean", "superpixel"])
def test_linear_network(fill: str) -> None:
    """Oracle 1: w · (pixel − fill) over the superpixel, for every method, with no error."""
    net, w = linear()
    x, cut = pictures().pixels[0], labels()
    color = {"black": torch.zeros(3, 1, 1), "gray": torch.full((3, 1, 1), 0.5), "mean": x.mean((1, 2), keepdim=True)}
    hidden = torch.zeros_like(x)
    for k in range(6):
        inside = torch.from_numpy(cut == k)
        own = torch.stack([x[c][inside].mean() for c in range(3)])[:, None, None]
        hidden += inside * (own if fill == "superpixel" else color[fill])
    share = (w[0] * (x - hidden)).sum(0).numpy()
    exact = [share[cut == k].sum() for k in range(6)]
    for method, options in (("kernel_shap", {"samples": 50}), ("shapley_sampling", {"permutations": 2})):
        heat = getattr(pl.attribution, method)(net, pictures(), 0, fill=fill, **options, **GRID)
        assert np.allclose(by_superpixel(heat, cut), exact, atol=1e-9)
        assert heat.error.max() < 1e-9
        assert heat.meta.score[0] == pytest.approx(float((w[0] * x).sum()) + 0.7)
    heat = pl.attribution.lime(net, pictures(), 0, fill=fill, samples=4000, kernel_width=50, **GRID)
    assert np.allclose(by_superpixel(heat, cut), exact, rtol=0.01, atol=0.01)  # less the ridge: 1 in 1000
    assert "R² = 1.00" in heat.meta.said[0]


def ridge(z: list[list[int]], y: list[float], width: float, alpha: float = 1.0) -> tuple[list[float], float]:
    """LIME's surrogate by its normal equations with an unpenalized intercept, and its weighted R²."""
    n = len(z[0])
    weights = []
    for row in z:
        cosine = sum(row) / (math.sqrt(sum(row)) * math.sqrt(n)) if any(row) else 0.0
        weights.append(math.sqrt(math.exp(-((1 - cosine) ** 2) / width**2)))
    gram, right = np.zeros((n + 1, n + 1)), np.zeros(n + 1)
    for row, value, weight in zip(z, y, weights, strict=True):
        one = [1.0, *row]
        for a in range(n + 1):
            right[a] += weight * one[a] * value
            for b in range(n + 1):
                gram[a, b] += weight * one[a] * one[b]
    for a in range(1, n + 1):
        gram[a, a] += alpha
    solved = np.linalg.solve(gram, right)
    mean = sum(w * v for w, v in zip(weights, y, strict=True)) / sum(weights)
    left = sum(
        w * (v - solved[0] - sum(c * r for c, r in zip(solved[1:], row, strict=True))) ** 2
        for w, v, row in zip(weights, y, z, strict=True)
    )
    return solved[1:].tolist(), 1 - left / sum(w * (v - mean) ** 2 for w, v in zip(weights, y, strict=True))


@pytest.mark.parametrize("width", [0.25, 1])
def test_lime_is_the_authors_regression(width: float, truth: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the pictures that it drew, recorded from outside, the normal equations give the same coefficients."""
    seen: list[Tensor] = []
    net, x = curved(), pictures()
    net.run(x.pixels.repeat(2, 1, 1, 1))  # traced, and looked at for images that mix, before the recording begins
    plain = net.module.function

    def recording(pixels: Tensor) -> Tensor:
        seen.extend(pixels)
        return plain(pixels)  # type: ignore[no-any-return]

    monkeypatch.setattr(net.module, "function", recording)
    heat = pl.attribution.lime(net, x, 0, samples=64, fill="gray", kernel_width=width, **GRID)
    cut, picture = labels(), x.pixels[0]
    rows = [[int(torch.equal(one[:, cut == k], picture[:, cut == k])) for k in range(6)] for one in seen]
    z = rows[1:65]  # after the picture itself, to know its best guess
    values = truth[0]
    y = [values[tuple(k for k in range(6) if row[k])] for row in z]
    expected, fit = ridge(z, y, width)
    assert np.allclose(by_superpixel(heat, cut), expected, atol=1e-9)
    assert f"R² = {fit:.2f}" in heat.meta.said[0]
    assert 0.4 < np.mean(z[1:]) < 0.6
    assert heat.meta.completeness is None  # nothing says that LIME's coefficients sum to the score


@pytest.mark.parametrize("method", ALL)
def test_all_symmetric_superpixels_share_alike_and_dummies_get_nothing(method: str) -> None:
    """Two superpixels that do the same, one that does nothing (axioms of Shapley)."""
    cut = torch.from_numpy(labels())

    def f(x: Tensor) -> Tensor:
        a, b, c = (x[:, :, cut == k].mean((1, 2)) for k in (0, 4, 5))
        return torch.stack([a * b + c.square(), a], 1)

    x = Images.from_pictures([torch.ones(3, 8, 10, dtype=torch.float64)], ["ones"])
    options = {"kernel_shap": {"samples": 62}, "lime": {"samples": 6000}, "shapley_sampling": {"permutations": 400}}
    heat = getattr(pl.attribution, method)(
        Net(Function(f), preprocess=PLAIN), x, 0, fill="black", **options[method], **GRID
    )
    found, error = by_superpixel(heat, labels()), by_superpixel(heat, labels(), "error") + 1e-9
    if method != "lime":
        assert np.allclose(found, [0.5, 0, 0, 0, 0.5, 1], atol=4 * error.max())
    assert abs(found[0] - found[4]) < 6 * error[0]
    assert (abs(found[1:4]) < 5 * error[1:4]).all()


@pytest.mark.parametrize("method", ALL)
def test_the_best_guess_stays_that_of_the_unchanged_image(method: str) -> None:
    """With the left hidden class 1 wins: asked naively, the map would mix two classes."""
    net = Net(Function(lambda x: torch.stack([x[:, 0, :, :5].sum((1, 2)), x[:, 0, :, 5:].sum((1, 2)) - 1e-6], 1)),
              preprocess=PLAIN)  # fmt: skip
    x = Images.from_pictures([torch.ones(3, 8, 10, dtype=torch.float64)], ["ones"])
    options = {"kernel_shap": {"samples": 62}, "lime": {"samples": 2000}, "shapley_sampling": {"permutations": 2}}[
        method
    ]
    heat = getattr(pl.attribution, method)(net, x, segmentation="grid", n_segments=2, fill="black", **options)
    assert heat.array[0, 0, 0] == pytest.approx(40, rel=0.02)
    assert heat.array[0, 0, 9] == pytest.approx(0, abs=0.2)


@pytest.mark.parametrize("method", ["kernel_shap", "shapley_sampling"])
def test_one_superpixel_gets_everything(method: str) -> None:
    net, w = linear()
    heat = getattr(pl.attribution, method)(
        net, pictures(), 0, segmentation="grid", n_segments=1, fill="black", **CHEAP[method]
    )
    assert np.allclose(heat.array, float((w[0] * pictures().pixels[0]).sum()))


@pytest.mark.parametrize("method", ALL)
def test_seeds_and_a_picture_to_show_instead(method: str) -> None:
    net, x, other = curved(), pictures(), pictures(seed=7)
    options = {"kernel_shap": {"samples": 30}, "lime": {"samples": 60}, "shapley_sampling": {"permutations": 3}}[method]
    how: Callable[..., Any] = getattr(pl.attribution, method)
    a, b, c = (how(net, x, 0, seed=seed, **options, **GRID).array for seed in (0, 0, 1))
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)
    shown = how(net, x, 0, fill=other, **options, **GRID)
    assert shown.meta.nouns["fill"] == other.facts()
    noise = [how(net, x, 0, fill="noise", seed=s, **options, **GRID).array for s in (0, 0, 1)]
    assert np.array_equal(noise[0], noise[1])
    if method != "lime":
        everything, nothing = (float(net.run(p).output[0, 0]) for p in (x.pixels, other.pixels))
        assert by_superpixel(shown, labels()).sum() == pytest.approx(everything - nothing, abs=1e-6)


def test_too_few_samples_are_refused() -> None:
    with pytest.raises(PellucidError, match="samples=7 for the 6 superpixels of 'picture 0': at least 8 are needed"):
        pl.attribution.lime(curved(), pictures(), 0, samples=7, **GRID)
    with pytest.raises(PellucidError, match="samples=8 do not tell the 6 superpixels of 'picture 0' apart: ask for 24"):
        pl.attribution.kernel_shap(curved(), pictures(), 0, samples=8, **GRID)
    with pytest.raises(PellucidError, match="no fill 'pink'"):
        pl.attribution.lime(curved(), pictures(), 0, fill="pink", **GRID)
    with pytest.raises(PellucidError, match="segmentation='felz'"):
        pl.attribution.lime(curved(), pictures(), 0, segmentation="felz")


def test_a_constant_score_is_told() -> None:
    net = Net(Function(lambda x: 0 * x.mean((2, 3)) + 2), preprocess=PLAIN)
    for method in ALL:
        heat = getattr(pl.attribution, method)(net, pictures(), 0, **CHEAP[method], **GRID)
        assert not heat.array.any()
        assert "zero everywhere" in heat.meta.said[-1]
