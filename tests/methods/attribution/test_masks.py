"""Perturbation by masks against slow, plain references and closed forms, in float64."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from math import ceil, pi
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import pellucid as pl
from pellucid.errors import PellucidError, Refused
from pellucid.images import Images
from pellucid.images.perturb import blurred
from pellucid.methods.attribution._smooth_masks import Lattice, Veil
from pellucid.methods.attribution.rise import random_mask
from pellucid.methods.attribution.sobol import indices
from pellucid.net import Labels, Net, Preprocess
from pellucid.notes import Note
from pellucid.result import Heatmap, LabelMap, Panel
from pellucid.rng import generator

PLAIN = Preprocess()
SHIFTED = Preprocess(mean=(0.4, 0.5, 0.6), std=(0.2, 0.25, 0.3))
Array = np.ndarray[Any, Any]


class Function(nn.Module):
    """A network that is one given function of the pixels, (N, C, H, W) -> (N, K); counts the pictures it saw."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function, self.like, self.seen = function, nn.Parameter(torch.zeros(1, dtype=torch.float64)), 0

    def forward(self, x: Tensor) -> Tensor:
        self.seen += len(x)
        return self.function(x) + 0 * self.like


class Small(nn.Module):
    """A convolution with a rectifier, the mean over places, a linear head."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.relu, self.head = nn.Conv2d(3, 5, 3), nn.ReLU(), nn.Linear(5, 4)
        self.seen = 0

    def forward(self, x: Tensor) -> Tensor:
        self.seen += len(x)
        return self.head(self.relu(self.conv(x)).mean((2, 3)))


def small() -> Net:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        return Net(Small().double(), "small", SHIFTED, Labels.plain(["ant", "bee", "cow", "dog"]))


def pictures(n: int = 1, height: int = 8, width: int = 10, seed: int = 0) -> Images:
    values = torch.rand(n, 3, height, width, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return Images.from_pictures(list(values), [f"picture {i}" for i in range(n)])


def ones(height: int, width: int) -> Images:
    return Images.from_pictures([torch.ones(3, height, width, dtype=torch.float64)], ["ones"])


def linear(height: int = 8, width: int = 10, seed: int = 1) -> tuple[Net, Array]:
    w = torch.randn(2, 3, height, width, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return Net(Function(lambda x: torch.einsum("nchw,kchw->nk", x, w) + 0.7), preprocess=PLAIN), w.numpy()


def score(net: Net, pixels: Tensor, of: int) -> float:
    with torch.no_grad():
        return float(net.module(net.preprocess.normalize(pixels))[0, of])


# occlusion


def windows(length: int, side: int, stride: int, border: str) -> list[list[int]]:
    """The pixels under each cover along one side, written out."""
    if border == "pad":
        first = 0
        while first - stride + side > 0:
            first -= stride
        starts = list(range(first, length, stride))
        return [[p for p in range(start, start + side) if 0 <= p < length] for start in starts]
    found, start = [], 0
    while start + side < length:
        found.append(list(range(start, start + side)))
        start += stride
    if border == "inside":
        start = max(length - side, 0)
    last = [p for p in range(start, start + side) if p < length]
    return [*found, last] if last else found


@pytest.mark.parametrize("border", ["inside", "clip", "pad"])
@pytest.mark.parametrize(("size", "stride"), [((3, 2), 2), ((2, 4), 3), (4, 4), (20, 5), (2, 7)])
def test_every_border_against_loops(border: str, size: Any, stride: int) -> None:
    """Trap T16: what happens at the edge is said, and done."""
    net, w = linear()
    x = pictures()
    heat = pl.attribution.occlusion(net, x, 1, size=size, stride=stride, border=border, fill="black")
    share = (w[1] * x.pixels[0].numpy()).sum(0)
    high, wide = size if isinstance(size, tuple) else (size, size)
    down, across = windows(8, high, stride, border), windows(10, wide, stride, border)
    assert heat.array.shape == (1, len(down), len(across))
    for (i, rows), (j, columns) in itertools.product(enumerate(down), enumerate(across)):
        expected = sum(share[y, x] for y in rows for x in columns)
        assert heat.array[0, i, j] == pytest.approx(expected, abs=1e-10)
    if border != "pad":
        centers = heat.placement.centers(*heat.array.shape[1:])
        assert np.allclose(centers[0], [np.mean(rows) for rows in down])
        assert np.allclose(centers[1], [np.mean(columns) for columns in across])
    assert heat.meta.options["border"] == border


def test_borders_of_a_sum() -> None:
    """On ones, the cover's area: the naive clip is smaller at the edge; with pad every pixel counts equally often."""
    net = Net(Function(lambda x: x[:, :1].sum((2, 3))), preprocess=PLAIN)
    of = {b: pl.attribution.occlusion(net, ones(10, 10), 0, size=4, stride=4, border=b, fill="black").array[0]
          for b in ("inside", "clip")}  # fmt: skip
    assert np.allclose(of["inside"], 16)
    assert np.allclose(of["clip"], np.outer([4, 4, 2], [4, 4, 2]))
    for stride in (1, 2, 4):
        heat = pl.attribution.occlusion(net, ones(10, 10), 0, size=4, stride=stride, border="pad", fill="black")
        assert heat.array.sum() == pytest.approx(100 * (4 / stride) ** 2)
        steps = np.diff(heat.placement.centers(*heat.array.shape[1:])[0])
        assert np.allclose(steps, stride)


@pytest.mark.parametrize("stride", [1, 2, 3, 4])
def test_per_pixel_is_the_mean_over_covers(stride: int) -> None:
    """On a sum it does not depend on the stride; on any linear network it is the mean of the falls, by loops."""
    total = Net(Function(lambda x: x[:, :1].sum((2, 3))), preprocess=PLAIN)
    flat = pl.attribution.occlusion(total, ones(8, 10), 0, size=4, stride=stride, per_pixel=True, fill="black")
    assert np.allclose(flat.array, 16)
    net, w = linear()
    x = pictures()
    heat = pl.attribution.occlusion(net, x, 0, size=4, stride=stride, per_pixel=True, fill="white")
    share = (w[0] * (x.pixels[0].numpy() - 1)).sum(0)
    found, often = np.zeros((8, 10)), np.zeros((8, 10))
    for rows, columns in itertools.product(windows(8, 4, stride, "inside"), windows(10, 4, stride, "inside")):
        found[np.ix_(rows, columns)] += share[np.ix_(rows, columns)].sum()
        often[np.ix_(rows, columns)] += 1
    assert heat.array.shape == (1, 8, 10)
    assert np.allclose(heat.array[0], found / often, atol=1e-10)
    assert heat.placement.jump == (1, 1)


def test_per_pixel_needs_every_pixel_covered() -> None:
    net, _ = linear()
    with pytest.raises(PellucidError, match="a stride no longer than the cover"):
        pl.attribution.occlusion(net, pictures(), 0, size=2, stride=4, per_pixel=True)


def test_covers_are_pixel_values() -> None:
    """Trap T22: gray is 0.5 before normalization, not zero after it; a picture of one's own is taken in place."""
    net = small()
    x = pictures()
    mine = pictures(seed=9)
    for fill, shown in (("gray", torch.full_like(x.pixels, 0.5)), (mine, mine.pixels)):
        heat = pl.attribution.occlusion(net, x, 2, size=4, stride=3, fill=fill)
        covered = x.pixels.clone()
        covered[:, :, 3:7, 6:10] = shown[:, :, 3:7, 6:10]
        assert heat.array[0, 1, 2] == pytest.approx(score(net, x.pixels, 2) - score(net, covered, 2), abs=1e-12)
    with pytest.raises(PellucidError, match="is 3×4×4 for this network"):
        pl.attribution.occlusion(net, x, 2, fill=pictures(height=4, width=4))


def test_noise_belongs_to_seed_and_image() -> None:
    net = small()
    x = pictures(2)
    first, other = (pl.attribution.occlusion(net, x, 1, size=4, stride=4, fill="noise", seed=s).array for s in (0, 1))
    assert not np.allclose(first, other)
    assert np.array_equal(pl.attribution.occlusion(net, x[1], 1, size=4, stride=4, fill="noise").array[0], first[1])


def test_response_of_a_unit() -> None:
    """A target in a layer: how far the mean of one feature map falls."""
    net = small()
    x = pictures()
    heat = pl.attribution.occlusion(net, x, "relu:3", size=4, stride=4)
    assert heat.unit == "activation"
    covered = x.pixels.clone()
    covered[:, :, 4:8, :4] = 0.5
    with torch.no_grad():
        mean = [net.module.relu(net.module.conv(SHIFTED.normalize(p)))[0, 3].mean() for p in (x.pixels, covered)]
    assert heat.array[0, 1, 0] == pytest.approx(float(mean[0] - mean[1]), abs=1e-12)
    assert np.abs(heat.array).max() > 0


def test_rank_by_hand() -> None:
    """How many classes are strictly better; the best guess is that of the whole picture."""
    net = Net(
        Function(
            lambda x: torch.stack([x[:, 0].sum((1, 2)), x[:, 0, :, :5].sum((1, 2)) + 30, 50 + 0 * x[:, 0, 0, 0]], 1)
        ),
        preprocess=PLAIN,
    )
    heat = pl.attribution.occlusion_rank(net, ones(8, 10), size=4, stride=2, fill="black")
    # What a cover takes from the left half: columns 0, 2, 4, 6.
    left = np.array([4 * len([c for c in range(s, s + 4) if c < 5]) for s in (0, 2, 4, 6)])
    first, second = 80 - 16, 70 - left
    expected = (second > first).astype(int)
    assert np.array_equal(heat.array[0], np.tile(expected, (3, 1)))
    assert set(expected) == {0, 1}
    assert heat.meta.score == (0.0,)
    assert heat.array.dtype == np.float64
    of_second = pl.attribution.occlusion_rank(net, ones(8, 10), 1, size=4, stride=2, fill="black").array[0]
    assert np.array_equal(of_second, np.tile((first > second).astype(int), (3, 1)))


def test_rank_asks_about_classes() -> None:
    net = small()
    assert np.array_equal(
        pl.attribution.occlusion_rank(net, pictures(), "p(bee)", size=4).array,
        pl.attribution.occlusion_rank(net, pictures(), "bee", size=4).array,
    )
    for target in ("relu:1", "ant - bee"):
        with pytest.raises(Refused, match="only classes have a rank"):
            pl.attribution.occlusion_rank(net, pictures(), target)
    lonely = Net(Function(lambda x: x.mean((1, 2, 3))[:, None]), preprocess=PLAIN)
    with pytest.raises(Refused, match="one output: there is nothing to rank"):
        pl.attribution.occlusion_rank(lonely, pictures(), 0)


def test_rank_of_a_one_logit_network() -> None:
    """Its two labels are the two signs."""
    net = Net(
        Function(lambda x: x.mean((1, 2, 3))[:, None] - 0.9), preprocess=PLAIN, labels=Labels.plain(["no", "yes"])
    )
    yes, no, best = (
        pl.attribution.occlusion_rank(net, ones(8, 8), t, size=4, stride=4, fill="black") for t in ("yes", "no", None)
    )
    assert (yes.array == 1).all()
    assert (no.array == 0).all()
    assert np.array_equal(best.array, yes.array)
    labels = pl.attribution.occlusion_labels(net, ones(8, 8), size=4, stride=4, fill="black")
    assert set(labels.names.values()) == {"no"}


def test_all_products_from_one_pass_for_each_cover() -> None:
    """The panel holds what the single methods say, and the network runs once for each cover."""
    net = small()
    x = pictures(2)
    how: dict[str, Any] = {"size": (4, 3), "stride": 2, "fill": "mean", "border": "clip"}
    net.layers((8, 10))
    net.module.seen = 0
    panel = pl.attribution.occlusion_products(net, x, **how)
    covers = panel["label"].values[0].size
    assert net.module.seen <= 2 * (covers + 1) + 8
    with torch.no_grad():
        total = net.module.relu(net.module.conv(SHIFTED.normalize(x.pixels))).sum((2, 3))
    for i, one in enumerate(x):
        best = int(net.run(one).scores.argmax())
        fall = pl.attribution.occlusion(net, one, f"p({best})", **how)
        assert np.allclose(panel[i]["probability"].values, fall.array, atol=1e-14)
        assert panel[i]["probability"].meta.score == pytest.approx(fall.meta.score)
        unit = pl.target.Channel("relu", int(total[i].argmax()), "sum")
        assert np.allclose(
            panel[i]["response"].values, pl.attribution.occlusion(net, one, unit, **how).array, atol=1e-12
        )
        assert np.array_equal(panel[i]["rank"].values, pl.attribution.occlusion_rank(net, one, **how).array)
        assert np.array_equal(panel[i]["label"].values, pl.attribution.occlusion_labels(net, one, **how).values)
        assert panel[i]["response"].meta.score[0] == pytest.approx(float(total[i].max()))
    assert "picture 1: responds most in" in " ".join(panel.meta.said)
    assert np.ptp(panel["probability"].values) > 0


def test_products_of_a_named_unit() -> None:
    net = small()
    panel = pl.attribution.occlusion_products(net, pictures(), "cow", size=4, unit="conv:2")
    expected = pl.attribution.occlusion(net, pictures(), pl.target.Channel("conv", 2, "sum"), size=4).array
    assert np.allclose(panel["response"].values, expected, atol=1e-12)
    assert panel["response"].meta.target == "sum(conv:2)"
    assert panel["probability"].meta.target == "p(cow)"
    assert pl.attribution.occlusion_products(net, pictures(), size=4, unit="conv").meta.layer == "conv"
    with pytest.raises(PellucidError, match="no layer 'conv:x'"):
        pl.attribution.occlusion_products(net, pictures(), size=4, unit="conv:x")
    with pytest.raises(PellucidError, match="'conv:2@1,1' is one cell: name the unit, conv:2"):
        pl.attribution.occlusion_products(net, pictures(), size=4, unit="conv:2@1,1")
    with pytest.raises(PellucidError, match="no unit 99"):
        pl.attribution.occlusion_products(net, pictures(), size=4, unit="conv:99")
    with pytest.raises(Refused, match="only classes"):
        pl.attribution.occlusion_products(net, pictures(), "conv:1", size=4)


def test_sizes_are_single_maps_and_their_mean() -> None:
    net = small()
    x = pictures(2, 12, 12)
    panel = pl.attribution.occlusion_sizes(net, x, 1, sizes=(3, 6, 3), relative_stride=0.4, border="pad")
    assert list(panel.parts) == ["3 px", "6 px", "mean"]
    mean = np.zeros((2, 12, 12))
    for side, stride in ((3, 1), (6, 2)):
        how: dict[str, Any] = {"size": side, "stride": stride, "border": "pad"}
        assert np.allclose(panel[f"{side} px"].values, pl.attribution.occlusion(net, x, 1, **how).array, atol=1e-14)
        mean += pl.attribution.occlusion(net, x, 1, **how, per_pixel=True).array / 2
    assert np.allclose(panel["mean"].values, mean, atol=1e-12)


@pytest.mark.slow
def test_a_panel_of_results(tmp_path: Path) -> None:
    net = small()
    x = pictures(2, 16, 20)
    panel = pl.attribution.occlusion_products(net, x, size=8, stride=4)
    assert len(panel) == 2
    assert isinstance(panel["label"], LabelMap)
    assert isinstance(panel["rank"], Heatmap)
    assert panel["rank"].meta.net == "small"
    assert panel[-1].meta.images == ("picture 1",) == panel[1]["label"].meta.images
    with pytest.raises(KeyError, match="no part 'ranks': the panel holds probability"):
        panel["ranks"]
    with pytest.raises(IndexError, match="no image 2"):
        panel[2]
    with pytest.raises(ValueError, match="about the same images"):
        Panel({"a": panel["rank"], "b": panel["rank"][0]})
    for shown in (panel, panel[0]):
        for over in (None, x if len(shown) == 2 else x[0]):
            picture = pl.draw(shown, over=over)
            assert min(picture.array.shape[:2]) > 200
            assert "rank: from" in picture.alt
    with pytest.raises(PellucidError, match="no option of draw for a Panel 'color'"):
        pl.draw(panel, color="red")
    assert (
        pl.draw(panel, over=x, dark=True, view="positive", scale="own").save(tmp_path / "x.png").stat().st_size > 5000
    )


# RISE


def mask_by_loops(size: tuple[int, int], cells: int, share: float, *which: Any) -> Array:
    """The same numbers, enlarged by hand: bilinear between half-pixel centers, the edge's value outside."""
    chance = generator(*which)
    shown = chance.random((cells, cells)) < share
    shift = []
    for length in size:
        shift.append(int(chance.integers(ceil(length / cells))))
    found = np.zeros(size)
    for y, x in np.ndindex(*size):
        at = []
        for p, length, s in ((y, size[0], shift[0]), (x, size[1], shift[1])):
            u = (p + s + 0.5) * cells / ((cells + 1) * ceil(length / cells)) - 0.5
            u = min(max(u, 0.0), cells - 1.0)
            at.append((int(u), min(int(u) + 1, cells - 1), u - int(u)))
        (a, b, v), (c, d, w) = at
        found[y, x] = (1 - v) * ((1 - w) * shown[a, c] + w * shown[a, d]) + v * (
            (1 - w) * shown[b, c] + w * shown[b, d]
        )
    return found


@pytest.mark.parametrize(("size", "cells"), [((9, 13), 3), ((8, 8), 4), ((5, 6), 1), ((4, 4), 7)])
def test_masks_of_rise_by_loops(size: tuple[int, int], cells: int) -> None:
    for k in range(4):
        made = random_mask(size, (cells, 0.4), 3, "name", k)
        assert np.allclose(made, mask_by_loops(size, cells, 0.4, 3, "name", k), atol=1e-12)
        assert made.min() >= 0
        assert made.max() <= 1


def masks_moments(size: tuple[int, int], cells: int, share: float) -> Array:
    """E[M_i M_j] (pixels, pixels), exactly: over all shifts, cells independent."""
    along = []
    for length in size:
        cell = ceil(length / cells)
        weights = np.zeros((cell, length, cells))
        for s, p in np.ndindex(cell, length):
            u = min(max((p + s + 0.5) * cells / ((cells + 1) * cell) - 0.5, 0.0), cells - 1.0)
            weights[s, p, int(u)] += 1 - (u - int(u))
            weights[s, p, min(int(u) + 1, cells - 1)] += u - int(u)
        along.append(np.einsum("spc,sqc->pq", weights, weights) / cell)
    pixels = size[0] * size[1]
    both = np.einsum("ab,cd->acbd", along[0], along[1]).reshape(pixels, pixels)
    return np.asarray(share**2 + share * (1 - share) * both)


@pytest.mark.parametrize("form", ["paper", "pixel", "gain"])
def test_rise_of_a_linear_network(form: str) -> None:
    """Oracle 11: the expectation is known from the masks' autocovariance; the standard error is honest."""
    net, w = linear()
    x = pictures()
    share = 0.4
    moments = masks_moments((8, 10), 3, share)
    v = (w[0] * (x.pixels[0].numpy() - 0.5)).sum(0).ravel()
    constant = score(net, torch.full_like(x.pixels, 0.5), 0)
    paper = (constant * share + moments @ v) / share
    expected = (paper - (constant + share * v.sum()) if form == "gain" else paper).reshape(8, 10)
    heat = pl.attribution.rise(net, x, 0, samples=3000, masks=(3, share), variant=form, seed=5)
    off = (heat.array[0] - expected) / heat.error[0]  # type: ignore[index]
    assert np.abs(off).max() < 4.5
    assert np.sqrt(np.mean(off**2)) < 1.6
    assert np.ptp(expected) > 5 * heat.error.mean()  # type: ignore[union-attr]


@pytest.mark.slow
def test_error_of_rise_is_the_spread_over_seeds_and_falls_as_it_should() -> None:
    """1 / √N; and what is promised as standard error is what other seeds differ by."""
    net, _ = linear()
    x = pictures()
    for form in ("paper", "gain"):
        spread, told = [], []
        for samples in (50, 200, 800):
            runs = [
                pl.attribution.rise(net, x, 0, samples=samples, masks=(3, 0.5), variant=form, seed=s) for s in range(6)
            ]
            spread.append(float(np.std([run.array for run in runs], axis=0, ddof=1).mean()))
            told.append(float(np.mean([run.error for run in runs])))
        slope = np.polyfit(np.log([50, 200, 800]), np.log(spread), 1)[0]
        assert slope == pytest.approx(-0.5, abs=0.15)
        assert np.allclose(spread, told, rtol=0.35)


def test_rise_of_a_score_that_never_changes() -> None:
    """Per pixel it is that score, without noise; the paper's form has the noise of the masks; nothing is gained."""
    net = Net(Function(lambda x: 0 * x.mean((1, 2, 3))[:, None] + 7), preprocess=PLAIN)
    of = {f: pl.attribution.rise(net, pictures(), 0, samples=60, variant=f) for f in ("paper", "pixel", "gain")}
    assert np.allclose(of["pixel"].array, 7, atol=1e-12)
    assert np.abs(of["gain"].array).max() < 1e-12
    assert 0.05 < np.abs(of["paper"].array - 7).mean() < 3
    assert of["pixel"].error.max() < 1e-6  # type: ignore[union-attr]


def test_rise_stops_when_stable() -> None:
    net, _ = linear()
    x = pictures()
    heat = pl.attribution.rise(net, x, 0, samples=2000, masks=(2, 0.5), tolerance=0.2)
    (note,) = heat.meta.notes
    count = int(note.text.split()[2])
    assert note == Note("sampling", f"stable after {count} of 2000 masks", "picture 0")
    assert count % 100 == 0
    assert 100 <= count < 2000
    assert np.array_equal(heat.array, pl.attribution.rise(net, x, 0, samples=count, masks=(2, 0.5)).array)
    assert heat.error.mean() <= 0.2 * heat.array.std()  # type: ignore[union-attr]
    if count > 100:
        before = pl.attribution.rise(net, x, 0, samples=count - 100, masks=(2, 0.5))
        assert before.error.mean() > 0.2 * before.array.std()  # type: ignore[union-attr]


def test_rise_hides_with_pixel_values() -> None:
    """Trap T22: zeros of the normalized input are the mean color, which is not black."""
    net = small()
    x = pictures()
    color = torch.tensor(SHIFTED.mean).double()[:, None, None].expand(3, 8, 10)
    mine = Images.from_pictures([color], ["mean color"])
    heat = pl.attribution.rise(net, x, 1, samples=30, masks=(3, 0.5), fill=mine, variant="paper")
    found = np.zeros((8, 10))
    for k in range(30):
        mask = mask_by_loops((8, 10), 3, 0.5, 0, "picture 0", k)
        with torch.no_grad():
            found += mask * float(net.module(SHIFTED.normalize(x.pixels) * torch.from_numpy(mask))[0, 1])
    assert np.allclose(heat.array[0], found / (30 * 0.5), atol=1e-6)  # mean and std are float32 numbers
    black = pl.attribution.rise(net, x, 1, samples=30, masks=(3, 0.5), fill="black", variant="paper")
    assert not np.allclose(black.array, heat.array, atol=1e-3)


# Sobol


def cells(x: Tensor, grid: int = 2) -> Tensor:
    """(N, grid²): the mean of each block; of ones over black these are the masks."""
    return nn.functional.adaptive_avg_pool2d(x[:, :1], grid).flatten(1)


def ishigami(x: Tensor) -> Tensor:
    a, b, c, _ = (pi * (2 * cells(x) - 1)).unbind(1)
    return (a.sin() + 7 * b.sin() ** 2 + 0.1 * c**4 * a.sin())[:, None]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("order", "expected"), [("total", [0.5576, 0.4424, 0.2437, 0.0]), ("first", [0.3139, 0.4424, 0.0, 0.0])]
)
def test_sobol_of_ishigami(order: str, expected: list[float]) -> None:
    """The test function of sensitivity analysis, with interaction: its indices are known."""
    net = Net(Function(ishigami), preprocess=PLAIN)
    heat = pl.attribution.sobol(net, ones(4, 4), 0, grid=2, samples=2048, fill="black", order=order)
    assert np.allclose(heat.array.ravel(), expected, atol=0.02)
    assert np.allclose(heat.array.ravel(), expected, atol=4 * heat.error.max())  # type: ignore[union-attr]


@pytest.mark.slow
@pytest.mark.parametrize("order", ["total", "first"])
def test_sobol_of_a_linear_network(order: str) -> None:
    """Independent cells: each explains its weight squared; both orders agree, and sum to 1."""
    weights = torch.tensor([3.0, -2.0, 1.0, 0.0]).double()
    net = Net(Function(lambda x: (cells(x) * weights).sum(1, keepdim=True) + 4), preprocess=PLAIN)
    exact = (weights**2 / (weights**2).sum()).numpy()
    off = {}
    for points in ("quasi", "random"):
        heats = [pl.attribution.sobol(net, ones(6, 6), 0, grid=2, samples=256, fill="black", order=order, points=points,
                                      seed=s) for s in range(3)]  # fmt: skip
        off[points] = np.mean([np.abs(heat.array.ravel() - exact).mean() for heat in heats])
        assert np.allclose(heats[0].array.ravel(), exact, atol=0.2)
    assert off["quasi"] < off["random"]
    assert not np.array_equal(heats[0].array, heats[1].array)


@pytest.mark.slow
def test_sobol_of_a_product_has_interactions() -> None:
    """m₁ m₂: Var = 1/9 − 1/16; each cell alone explains 1/48 of it, and has a part in 1/36."""
    net = Net(Function(lambda x: cells(x)[:, :1] * cells(x)[:, 1:2]), preprocess=PLAIN)
    variance = 1 / 9 - 1 / 16
    for order, part in (("total", 1 / 36), ("first", 1 / 48)):
        heat = pl.attribution.sobol(net, ones(4, 4), 0, grid=2, samples=1024, fill="black", order=order)
        assert np.allclose(heat.array.ravel(), [part / variance, part / variance, 0, 0], atol=0.02)


def test_estimators_of_jansen_by_loops() -> None:
    chance = np.random.default_rng(0)
    a, b, mixed = chance.random(7), chance.random(7), chance.random((3, 7))
    variance = np.var([*a, *b], ddof=1)
    for order, other in (("total", a), ("first", b)):
        value, error = indices(a, b, mixed, order)  # type: ignore[arg-type]
        for i in range(3):
            half = sum((other[k] - mixed[i, k]) ** 2 for k in range(7)) / 14
            assert value[i] == pytest.approx(half / variance if order == "total" else 1 - half / variance)
            left = []
            for k in range(7):
                keep = [j for j in range(7) if j != k]
                one = sum((other[j] - mixed[i, j]) ** 2 for j in keep) / 12 / np.var([*a[keep], *b[keep]], ddof=1)
                left.append(one if order == "total" else 1 - one)
            assert error[i] == pytest.approx(np.sqrt(6 / 7 * sum((v - np.mean(left)) ** 2 for v in left)))


def test_sobol_cells_on_any_size() -> None:
    """10 pixels in 3 cells; no more cells than pixels; a score that never changes has no parts."""
    net = Net(Function(lambda x: x[:, :1, :3].sum((2, 3))), preprocess=PLAIN)
    heat = pl.attribution.sobol(net, ones(10, 2), 0, grid=3, samples=8, fill="black")
    assert heat.array.shape == (1, 3, 2)
    assert np.allclose(heat.placement.centers(3, 2)[0], [1, 4.5, 8])
    assert (heat.array[0, 0] > 0.1).all()
    assert not heat.array[0, 1:].any()
    still = pl.attribution.sobol(net, ones(10, 2), 0, grid=2, samples=4, fill="white")
    assert not still.array.any()
    assert "zero everywhere" in still.meta.said[0]


# extremal perturbation


def patch_net(top: int, left: int, side: int) -> Net:
    """The score is how much detail a patch keeps: its correlation with what it is in the picture."""
    pattern = pictures(1, 32, 32).pixels[0, :, top : top + side, left : left + side] - 0.5
    return Net(
        Function(lambda x: ((x[:, :, top : top + side, left : left + side] - 0.5) * pattern).sum((1, 2, 3))[:, None]),
        preprocess=PLAIN,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("top", "left", "fill"),
    [(0, 0, "blur"), (4, 20, "gray"), (13, 9, "blur"),
     *(pytest.param(*one, marks=pytest.mark.slow) for one in ((0, 0, "gray"), (4, 20, "blur"), (13, 9, "gray")))],
)  # fmt: skip
def test_the_mask_finds_the_only_patch_that_counts(top: int, left: int, fill: str) -> None:
    net = patch_net(top, left, 10)
    heat = pl.attribution.extremal_perturbation(net, pictures(1, 32, 32), 0, areas=(0.14,), steps=60, fill=fill)
    mask = heat.array[0]
    inside = np.zeros((32, 32), dtype=bool)
    inside[top : top + 10, left : left + 10] = True
    assert mask.min() >= 0
    assert mask.max() <= 1
    assert mask.mean() == pytest.approx(0.14, abs=0.03)
    assert mask[inside].mean() > 0.8
    assert mask[~inside].mean() < 0.1
    kept = float(heat.meta.said[0].split("score ")[1].split()[0])
    assert kept > 0.75 * heat.meta.score[0]  # type: ignore[index]


@pytest.mark.slow
@pytest.mark.parametrize("fill", ["blur", "gray"])
def test_the_mask_is_found_again(fill: str) -> None:
    net = patch_net(13, 9, 10)
    one, again = (
        pl.attribution.extremal_perturbation(net, pictures(1, 32, 32), 0, areas=(0.14,), steps=20, fill=fill).array
        for _ in range(2)
    )
    assert np.array_equal(one, again)


@pytest.mark.slow
def test_masks_do_not_depend_on_the_score_s_unit() -> None:
    small_unit, large = patch_net(4, 20, 10), patch_net(4, 20, 10)
    function = large.module.function
    large.module.function = lambda x: 1000 * function(x) + 5
    maps = [
        pl.attribution.extremal_perturbation(net, pictures(1, 32, 32), 0, steps=10).array for net in (small_unit, large)
    ]
    assert np.allclose(*maps, atol=1e-6)


@pytest.mark.slow
def test_several_areas_are_averaged() -> None:
    net = patch_net(4, 20, 10)
    both = pl.attribution.extremal_perturbation(net, pictures(1, 32, 32), 0, areas=(0.1, 0.3), steps=8)
    single = [
        pl.attribution.extremal_perturbation(net, pictures(1, 32, 32), 0, areas=(a,), steps=8).array for a in (0.1, 0.3)
    ]
    assert np.allclose(both.array, np.mean(single, axis=0), atol=1e-12)
    assert len(both.meta.said) == 2


def test_extremal_perturbation_needs_a_gradient() -> None:
    net = Net(Function(lambda x: x.detach().mean((1, 2, 3))[:, None]), preprocess=PLAIN)
    net.module.like.requires_grad_(False)
    with pytest.raises(Refused, match="there is no gradient to follow"):
        pl.attribution.extremal_perturbation(net, pictures(1, 16, 16), 0, steps=2)


def test_the_veil_is_the_pyramid_of_blurs() -> None:
    x = pictures(1, 28, 32).pixels
    veil = Veil(x, x, pyramid=True)
    whole, bare = torch.ones(28, 32).double(), torch.zeros(28, 32).double()
    assert torch.equal(veil(whole), x)
    assert torch.allclose(veil(bare), blurred(x, 20 * 28 / 224), atol=1e-12)
    third = 1 - 2.25 / 7  # a quarter of the way from the second to the third level
    expected = 0.75 * blurred(x, 2.5 * 2 / 7) + 0.25 * blurred(x, 2.5 * 3 / 7)
    assert torch.allclose(veil(third * whole), expected, atol=1e-12)


def test_the_lattice_has_no_favorite_place() -> None:
    """All parameters equal: the mask is flat, and every parameter moves it equally, at the edges too."""
    lattice = Lattice((16, 24), 0.5)
    parameters = torch.full(lattice.shape, 0.6, dtype=torch.float64, requires_grad=True)
    mask = lattice.smooth(parameters)
    assert float((mask - mask.mean()).abs().max().detach()) < 1e-12
    (slope,) = torch.autograd.grad(mask.sum(), parameters)
    assert float((slope - slope.mean()).abs().max()) < 1e-12
    single = torch.zeros(lattice.shape, dtype=torch.float64)
    single[8, 8] = 1
    bump = lattice.smooth(single)
    assert bump.argmax() == 8 * lattice.shape[1] + 8
    assert 0.9 < float(bump.max()) <= 1
