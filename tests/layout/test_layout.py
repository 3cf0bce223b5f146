"""Maps: planted clusters are found, the same seed gives the same map, and what is said of a map's quality is true."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from scipy.stats import spearmanr

from pellucid.errors import PellucidError
from pellucid.layout import layout
from pellucid.layout.components import independent, principal, reduced
from pellucid.layout.grid import assigned, polished, seams_of, sides_for
from pellucid.layout.layout import laid_out
from pellucid.layout.placing import affinities
from pellucid.layout.quality import quality

UMAP = pytest.param("umap", marks=pytest.mark.slow)  # numba compiles it for 15 s, in every process


def clusters(count: int = 240, parts: int = 6, channels: int = 20) -> tuple[np.ndarray, np.ndarray]:
    chance = np.random.default_rng(1)
    middles = chance.normal(0, 6, (parts, channels))
    label = np.arange(count) % parts
    return (middles[label] + chance.normal(0, 1, (count, channels))).astype(np.float32), label


@pytest.mark.parametrize("how", ["tsne", UMAP, "pca", "ica"])
def test_clusters_are_clusters_in_the_map_and_the_seed_decides(how: layout.How) -> None:
    rows, label = clusters(parts=3) if how in ("pca", "ica") else clusters()
    made = laid_out(rows, how, 10, 3)
    apart = ((made.values[:, None] - made.values[None]) ** 2).sum(2)
    np.fill_diagonal(apart, np.inf)
    near = np.argsort(apart, 1)[:, :10]
    assert (label[near] == label[:, None]).mean() > 0.95
    assert np.array_equal(made.values, laid_out(rows, how, 10, 3).values)


@pytest.mark.parametrize("how", ["tsne", UMAP])
def test_few_points_far_apart_are_recalled(how: layout.How) -> None:
    """Groups of eleven, far from each other: the ten nearest are the group, in the map as in the layer."""
    chance = np.random.default_rng(0)
    rows = (np.repeat(chance.normal(0, 50, (12, 16)), 11, 0) + chance.normal(0, 1, (132, 16))).astype(np.float32)
    assert quality(rows, laid_out(rows, how, 10, 0).values, 0)["recall"] > 0.9


@pytest.mark.parametrize("how", ["tsne", UMAP, "pca", "ica"])
def test_copies_land_on_their_twins_and_nothing_moves(how: layout.How) -> None:
    rows, _ = clusters()
    made = laid_out(rows, how, 10, 0)
    before = made.values.copy()
    there = made.place(rows[:40])
    assert np.array_equal(before, made.values)
    apart = np.linalg.norm(there[:, None] - made.values[None], axis=2)
    rank = (apart < apart[np.arange(40), np.arange(40)][:, None]).sum(1)
    assert np.median(rank) <= (0 if how in ("pca", "ica") else 3)
    if how in ("pca", "ica"):
        assert np.allclose(there, made.values[:40], atol=1e-9)
    else:
        assert np.quantile(rank, 0.9) < 40, "they are at least in their own cluster"
        assert np.array_equal(there[7:8], made.place(rows[7:8])), "one by one or together"


def test_a_new_point_goes_where_the_objective_is_least() -> None:
    """Against a search over a fine lattice, in plain float64."""
    rows, _ = clusters(60, 3, 5)
    made = laid_out(rows, "tsne", 8, 0)
    new = rows[:1] + 0.3
    (found,) = made.place(new)
    near, weights = affinities(reduced(new, made.linear), made.seen, 8.0)
    assert np.isclose(np.exp(-(weights[0] * np.log(np.maximum(weights[0], 1e-300))).sum()), 8, rtol=1e-6)

    def cost(y: np.ndarray) -> float:
        kernel = 1 / (1 + ((y - made.values) ** 2).sum(1))
        return float(
            sum(
                p * np.log(max(p, 1e-300) / (kernel[j] / kernel.sum()))
                for p, j in zip(weights[0], near[0], strict=True)
            )
        )

    lattice = [cost(found + np.array([x, y])) for x in np.linspace(-3, 3, 25) for y in np.linspace(-3, 3, 25)]
    assert cost(found) <= min(lattice) + 1e-6


def test_quality_by_the_plain_formulas() -> None:
    rows, _ = clusters(90, 4, 7)
    chance = np.random.default_rng(4)
    places = rows[:, :2].astype(np.float64) + chance.normal(0, 2, (90, 2))
    said, n, k = quality(rows, places, 0), 90, 10
    high = [[float(((rows[i].astype(float) - rows[j]) ** 2).sum()) for j in range(n)] for i in range(n)]
    low = [[float(((places[i] - places[j]) ** 2).sum()) for j in range(n)] for i in range(n)]

    def order(table: list[list[float]], i: int) -> list[int]:
        return sorted((j for j in range(n) if j != i), key=lambda j: table[i][j])

    recall = strange = lost = 0.0
    for i in range(n):
        a, b = order(high, i), order(low, i)
        recall += len({*a[:k]} & {*b[:k]}) / k
        strange += sum(a.index(j) + 1 - k for j in b[:k] if j not in a[:k])
        lost += sum(b.index(j) + 1 - k for j in a[:k] if j not in b[:k])
    whole = 2 / (n * k * (2 * n - 3 * k - 1))
    i, j = np.triu_indices(n, 1)
    assert said["recall"] == pytest.approx(recall / n, abs=1e-12)
    assert said["trust"] == pytest.approx(1 - whole * strange, abs=1e-12)
    assert said["continuity"] == pytest.approx(1 - whole * lost, abs=1e-12)
    assert said["rank"] == pytest.approx(spearmanr(np.array(high)[i, j], np.array(low)[i, j])[0], abs=1e-12)


def test_a_perfect_map_says_so() -> None:
    places = np.random.default_rng(0).normal(size=(50, 2))
    assert list(quality(places.astype(np.float64), 3 * places + 1, 0).values()) == pytest.approx([1, 1, 1, 1])


def test_quality_of_many_is_that_of_all_but_for_the_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, _ = clusters(600, 8, 9)
    places = rows[:, :2].astype(np.float64)
    exact = quality(rows, places, 0)
    monkeypatch.setattr("pellucid.layout.quality._ALL", 100)
    monkeypatch.setattr("pellucid.layout.quality._ASKED", 300)
    monkeypatch.setattr("pellucid.layout.quality._PAIRS", 20_000)
    for name, value in quality(rows, places, 0).items():
        assert value == pytest.approx(exact[name], abs=0.04)


def test_principal_components_are_those_of_the_svd() -> None:
    rows, _ = clusters(100, 5, 8)
    mean, axes = principal(rows, 3)
    _, _, right = np.linalg.svd(rows.astype(np.float64) - rows.mean(0, dtype=np.float64), full_matrices=False)
    assert np.allclose(np.abs((axes * right[:3].T).sum(0)), 1, atol=1e-9)
    assert np.allclose(reduced(rows, (mean, axes)), (rows - mean) @ axes)


def test_ica_finds_what_was_mixed() -> None:
    chance = np.random.default_rng(0)
    sources = np.stack([chance.uniform(-1, 1, 4000), chance.laplace(size=4000)], 1)
    mixed = sources @ np.array([[2.0, 1.0], [0.5, 1.5]])
    centered = mixed - mixed.mean(0)
    seen = centered @ np.linalg.eigh(centered.T @ centered)[1][:, ::-1]
    found = seen @ independent(seen, 0)
    alike = np.abs(np.corrcoef(found.T, sources.T)[:2, 2:])
    assert np.allclose(np.sort(alike.max(1)), 1, atol=0.02)
    assert np.argmax(alike, 1).tolist() in ([0, 1], [1, 0])


@pytest.mark.parametrize(("count", "sides"), [(64, (8, 8)), (63, (8, 8)), (1000, (20, 50)), (1, (1, 1)), (7, (1, 7))])
def test_the_grid_is_a_permutation(count: int, sides: tuple[int, int]) -> None:
    points = np.random.default_rng(count).normal(size=(count, 2))
    for cells in (assigned(points, sides), polished(points, assigned(points, sides), sides)):
        assert len({tuple(cell) for cell in cells.tolist()}) == count
        assert (cells >= 0).all()
        assert (cells < sides).all()


def test_points_of_a_grid_keep_their_cells() -> None:
    cells = np.array([(r, c) for r in range(6) for c in range(10)])
    mixed = np.random.default_rng(0).permutation(60)
    points = cells[mixed][:, ::-1] * [3.0, 2.0]
    assert np.array_equal(assigned(points, (6, 10)), cells[mixed])
    assert np.array_equal(polished(points, cells[mixed], (6, 10)), cells[mixed])


def test_neighbors_stay_neighbors() -> None:
    points = np.random.default_rng(0).random((900, 2))
    rough = assigned(points, (30, 30))
    fine = polished(points, rough, (30, 30))
    wanted = (points - points.min(0)) / np.ptp(points, axis=0) * 29
    off = [float(((cells[:, ::-1] - wanted) ** 2).sum(1).mean()) for cells in (rough, fine)]
    assert off[1] < off[0] < 12
    with pytest.raises(PellucidError, match="900 points do not fit into 29 × 30"):
        assigned(points, (29, 30))
    assert sides_for(1000) == (25, 40)
    assert sides_for(420) == (21, 20)


def test_a_seam_is_the_distance_in_the_layer() -> None:
    cells = np.array([(0, 0), (0, 1), (1, 0)])
    rows = np.array([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]])
    seams = seams_of(rows, cells, (2, 2))
    assert seams[0, 0].tolist() == [5 / 3, 1 / 3]
    assert np.isnan(seams[1]).all()


@pytest.mark.parametrize("how", ["tsne", UMAP])
def test_of_very_many_a_sample_is_laid_out(how: layout.How, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "LARGEST", 30)
    rows, label = clusters(90, 3)
    made = laid_out(rows, how, 5, 0)
    apart = ((made.values[:, None] - made.values[None]) ** 2).sum(2)
    assert (label[np.argsort(apart, 1)[:, 1:6]] == label[:, None]).mean() > 0.9
    assert "of 30 images drawn at random" in made.notes[0].text


def test_tsne_does_not_load_what_it_never_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    """openTSNE asks whether a package is there by importing it, which compiles it for a quarter of a minute."""
    monkeypatch.delitem(sys.modules, "pynndescent", raising=False)
    laid_out(np.random.default_rng(0).normal(size=(40, 5)), "tsne", 5, 0)
    assert "pynndescent" not in sys.modules
