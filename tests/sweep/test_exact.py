"""What an index holds is what a plain loop over all activations finds; to the bit, in whatever way it was cut."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pellucid.images.sources import Source
from pellucid.index import Index
from pellucid.index.folds.histogram import BINS, HALF, Histogram, binned, edges, exponents, quantiles
from pellucid.index.folds.per_class import morcos
from pellucid.index.plan import planned
from pellucid.net import Net
from pellucid.sweep import Serial, Store, swept
from pellucid.sweep.exact import PLACES, digits, floating, integers, packed
from pellucid.sweep.extract import Extractor, _offsets
from pellucid.sweep.fold import Scope
from pellucid.sweep.layers import Units
from pellucid.sweep.observed import Batch
from tests.sweep.made import photos, small

MOMENTS = ("count", "mean", "sd", "max_mean", "max_sd", "greatest", "least", "silent")
LAYERS = ("first", "act", "second", "head")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return photos(tmp_path_factory.mktemp("photos"), 45, classes=3)


@pytest.fixture(scope="module")
def index(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Index:
    return Index.of(made(small(), folder, tmp_path_factory.mktemp("store") / "x.index")).with_net(small())


def made(net: Net, folder: Path, store: Path, **how: int) -> Store:
    source = Source.of(folder)
    plan = planned(net, source, layers=LAYERS, count=7, **{"shard": 16, **how})
    return swept(plan, store, Serial(net, source))


def activations(folder: Path) -> list[np.ndarray]:
    """Of every layer (N, channels, places), in the order of the source's names, four pictures at a time."""
    net, source = small(), Source.of(folder)
    pixels = torch.cat([net.prepare(source.read(i)).pixels for i in range(len(source))])
    found: list[list[torch.Tensor]] = [[] for _ in LAYERS]
    filled = torch.cat([pixels, torch.zeros(-len(pixels) % 4, *pixels.shape[1:])])
    for batch in filled.split(4):
        with torch.no_grad():
            run = net.run(batch, layers=LAYERS)
        for kept, layer in zip(found, LAYERS, strict=True):
            kept.append(run.at[layer].reshape(4, run.at[layer].shape[1], -1))
    return [torch.cat(kept)[: len(pixels)].numpy() for kept in found]


def test_top_pictures_and_places_are_those_of_a_plain_sort(index: Index, folder: Path) -> None:
    for layer, maps in zip(LAYERS, activations(folder), strict=True):
        for channel in range(maps.shape[1]):
            best = sorted((-maps[i, channel].max(), i, int(maps[i, channel].argmax())) for i in range(len(maps)))[:7]
            top = index[layer].top(channel, 7)
            assert top.values.tolist() == [-value for value, _, _ in best]
            assert top.images.tolist() == [image for _, image, _ in best]
            assert top.places.tolist() == [place for _, _, place in best]


def test_mean_and_quantiles_are_those_of_the_sampled_places(index: Index, folder: Path) -> None:
    """Four places of every map, at even distances from an offset that depends on the picture and the seed alone."""
    plan, maps = index.plan, activations(folder)
    eye = Extractor(index.net, plan.units, plan.observes, plan.seed, plan.at_once)
    offsets = _offsets(eye, np.arange(45), 45)
    for layer, name in enumerate(LAYERS):
        places = maps[layer].shape[2]
        step = places // 4
        kept = [maps[layer][i][:, [offsets[layer][i] + k * step if step else 0 for k in range(4)]] for i in range(45)]
        values = np.stack(kept, 1).astype(np.float64)
        for channel in range(len(values)):
            assert np.isclose(index[name].moments.mean[channel], values[channel].mean(), rtol=0, atol=1e-11)
            shares = np.array([0.5, 0.9])
            exact = np.quantile(values[channel], shares, method="inverted_cdf")
            assert np.allclose(index[name].quantiles(channel, shares), exact, rtol=0.07, atol=1e-5)  # within its bin
            greatest = float(maps[layer][:, channel].max())
            assert index[name].quantiles(channel, np.array([0.995, 0.9999, 1.0])).max() <= greatest


def test_the_network_that_is_tested_has_ties(folder: Path) -> None:
    """Without them the order of equals would not be tested."""
    maxima = activations(folder)[1].max(2)
    assert any(len(np.unique(column)) < len(column) - 3 for column in maxima.T)


def test_moments(index: Index, folder: Path) -> None:
    for layer, maps in zip(LAYERS, activations(folder), strict=True):
        maxima = maps.max(2).astype(np.float64)
        for channel in range(maps.shape[1]):
            said = {name: getattr(index[layer].moments, name)[channel] for name in MOMENTS}
            assert said["count"] == len(maps)
            if maps.shape[2] == 1:  # else at the sampled places
                assert np.isclose(said["mean"], maps[:, channel].astype(np.float64).mean(), rtol=0, atol=1e-11)
                assert np.isclose(said["sd"], maps[:, channel].astype(np.float64).std(), rtol=1e-9, atol=1e-6)
            assert np.isclose(said["max_mean"], maxima[:, channel].mean(), rtol=0, atol=1e-11)
            assert np.isclose(said["max_sd"], maxima[:, channel].std(), rtol=1e-9, atol=1e-6)
            assert said["greatest"] == maxima[:, channel].max()
            assert said["least"] == maxima[:, channel].min()
            assert said["silent"] == (maxima[:, channel] == 0).sum()


@pytest.mark.slow
@pytest.mark.parametrize(
    "how", [{"shard": 2}, {"shard": 7}, {"shard": 45}, {"batch": 3}, {"batch": 45}, {"shard": 9, "batch": 5}], ids=str
)
def test_identical_bits_however_the_work_is_cut(
    index: Index, folder: Path, tmp_path: Path, how: dict[str, int]
) -> None:
    assert made(small(), folder, tmp_path / "x", **how).current["digest"] == index.store.current["digest"]


def test_identical_bits_for_any_number_of_threads(index: Index, folder: Path, tmp_path: Path) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert made(small(), folder, tmp_path / "x").current["digest"] == index.store.current["digest"]
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_units_are_numbered_through() -> None:
    units = Units(("a", "b", "c"), (3, 1, 2), ((2, 2), (1, 1), (1, 1)), aliases={"x": "b"})
    assert [units.layer_of(unit) for unit in range(len(units))] == [0, 0, 0, 1, 2, 2]
    assert [units.span(i) for i in range(3)] == [slice(0, 3), slice(3, 4), slice(4, 6)]
    assert units.named(("c", "x")) == ("c", "b")
    assert (units.of(("x", "a")).tolist(), units.before_head) == ([3, 0, 1, 2], "b")


def test_merge_is_associative_and_commutative(folder: Path, tmp_path: Path) -> None:
    store = made(small(), folder, tmp_path / "x", shard=15)
    plan = store.plan
    for fold in plan.folds:
        a, b, c = (store.part(i)[fold.name] for i in range(3))
        left = fold.merge(plan.scope, fold.merge(plan.scope, a, b), c)
        for other in (
            fold.merge(plan.scope, fold.merge(plan.scope, c, b), a),
            fold.merge(plan.scope, a, fold.merge(plan.scope, c, b)),
            fold.merge(plan.scope, left, fold.pack(plan.scope, fold.start(plan.scope))),
        ):
            for name, values in left.items():
                assert np.array_equal(values, other[name], equal_nan=values.dtype.kind == "f"), (fold.name, name)


def test_embeddings_and_class_means(index: Index, folder: Path) -> None:
    maps = activations(folder)
    images, rows = index.embedding
    assert images.tolist() == list(range(45))
    assert np.array_equal(rows, maps[2].mean(2).astype(np.float16)) or np.allclose(rows, maps[2].mean(2), atol=2e-3)
    labels = np.array([index.source.label(i) for i in range(45)])
    assert set(labels) == {0, 1, 2}
    means = np.stack([maps[2].mean(2)[labels == k].mean(0) for k in range(3)])
    unit = index["second"].unit(0)
    assert np.allclose(index.store.array("classes.mean")[:, unit : unit + 5], means, atol=2e-6)
    best = means.max(0)
    others = (means.sum(0) - best) / 2
    shown = morcos(means.astype(np.float32), np.full(3, 15))
    assert np.allclose(shown[best + others > 0], ((best - others) / (best + others))[best + others > 0], atol=1e-5)


def test_bins_hold_what_they_should() -> None:
    chance = np.random.default_rng(0)
    values = (chance.standard_normal((20_000, 1)) * 10.0 ** chance.uniform(-9, 5, (20_000, 1))).astype(np.float32)
    top = exponents(np.abs(values).max(0))
    bins, ends = binned(values, top), edges(int(top[0]))
    inside = bins != HALF
    assert inside.mean() > 0.4
    low, high = ends[bins[inside]], ends[bins[inside] + 1]
    wide = values[inside].astype(np.float64)
    assert ((low <= wide) & (wide <= high)).all()
    assert (np.abs(values[~inside]) < ends[HALF + 1]).all()
    assert binned(np.float32([[0.0], [-0.0]]), top).tolist() == [[HALF], [HALF]]


def test_bins_move_the_same_way_in_whatever_order_larger_values_come() -> None:
    chance = np.random.default_rng(5)
    values = (chance.standard_normal((6, 4, 3)) * 2.0 ** chance.uniform(-40, 20, (6, 1, 3))).astype(np.float32)
    scope, parts = Scope(Units(("a",), (3,), ((2, 2),))), []
    for order in (np.arange(6), np.arange(6)[::-1], np.array([3, 0, 5, 1, 4, 2])):
        working = Histogram().start(scope)
        for i in order:
            whole = np.abs(values[i]).max(0)[None]
            Histogram().step(working, scope, Batch(np.array([i]), np.array([-1]), *[whole] * 4, values[i][None], {}))
        parts.append(Histogram().pack(scope, working))
    for name, found in parts[0].items():
        assert np.array_equal(found, parts[1][name]), name
        assert np.array_equal(found, parts[2][name]), name
    assert parts[0]["count"].sum() == values.size


@pytest.mark.parametrize("kind", ["normal", "rectified", "skewed"])
def test_quantiles_are_within_half_a_percent(kind: str) -> None:
    chance = np.random.default_rng(2)
    values = chance.standard_normal(400_000).astype(np.float32)
    values = np.maximum(values, 0) if kind == "rectified" else np.exp(values) if kind == "skewed" else values + 3
    top = exponents(np.abs(values).max(keepdims=True))
    counts = np.bincount(binned(values, top), minlength=BINS).astype(np.uint32)[None]
    shares = np.array([0.6, 0.9, 0.95, 0.99, 0.995, 0.999])
    assert np.allclose(quantiles(counts, shares, top)[0], np.quantile(values, shares), rtol=5e-3)


@pytest.mark.parametrize("scale", [1e-30, 1e-6, 1.0, 1e6, 1e15])
def test_sums_are_exact_at_any_scale_and_do_not_depend_on_their_order(scale: float) -> None:
    chance = np.random.default_rng(3)
    values = (chance.standard_normal((4000, 1)) * 10.0 ** chance.uniform(-4, 4, (4000, 1)) * scale).astype(np.float32)
    wide = values.astype(np.float64) ** 2
    kept = []
    for order in (np.arange(4000), chance.permutation(4000)):
        sums = np.zeros((PLACES, 1), np.int64)
        for some in np.array_split(wide[order], 7 if order[0] else 40):
            for place, found in digits(some):
                sums[place] += found.sum(0).astype(np.int64)
        kept.append(packed(sums))
    assert all(np.array_equal(a, b) for a, b in zip(*kept, strict=True))
    exact = sum(Fraction(float(one)) for one in wide[:, 0])
    assert Fraction(integers(sums)[0], 1 << 320) == exact
    assert np.isclose(floating(sums)[0], float(exact), rtol=1e-15, atol=0)


def test_a_nan_in_one_place_of_a_rectified_map_is_noticed(folder: Path, tmp_path: Path) -> None:
    """Also one with a sign, as processors make it, whose bits are those of a negative number."""

    module = small().module
    module.act = nn.Sequential(nn.ReLU6(), Stain())  # type: ignore[assignment]
    net, source = Net(module, "stained", small().preprocess), Source.of(folder)
    index = Index.of(
        swept(planned(net, source, layers=("act", "second"), count=3), tmp_path / "x", Serial(net, source))
    )
    assert index.store.array("top.left_out")[:6].tolist() == [0, 45, 0, 0, 0, 0]


class Stain(nn.Module):
    """One NaN with a sign in channel 1."""

    def forward(self, x: Tensor) -> Tensor:
        x = x.clone()
        x[:, 1, 2, 3] = -torch.tensor(torch.nan)
        return x


def test_what_is_not_finite_is_left_out_and_counted(folder: Path, tmp_path: Path) -> None:
    net = small()
    with torch.no_grad():
        net.module.second.bias[2] = torch.nan  # type: ignore[union-attr,operator,index]
    source = Source.of(folder)
    plan = replace(planned(net, source, layers=("second",), count=3, shard=64))
    index = Index.of(swept(plan, tmp_path / "x", Serial(net, source)))
    assert index.store.array("top.left_out").tolist() == [0, 0, 45, 0, 0]
    assert not len(index["second"].top(2).images)
    assert len(index["second"].top(1).images) == 3
