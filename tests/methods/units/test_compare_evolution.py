"""Comparing indexes: planted permutations and new units are found, a color learned at step 2 is seen to be learned."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.images.sources import Source
from pellucid.index import Index
from pellucid.index.matching import chance_level, correlations, matched
from pellucid.net import Net, Preprocess
from tests.methods.units.marked import painted
from tests.sweep.made import photos

ORDER = [3, 0, 5, 1, 4, 2, 7, 6]
"""Unit i of the second network is unit ORDER[i] of the first."""


def first() -> nn.Sequential:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(8)
        return nn.Sequential(
            nn.Conv2d(3, 8, 5, stride=3), nn.Tanh(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 2)
        )


def second() -> nn.Sequential:
    """Units in another order, and two of them new; everything half as strong."""
    module = copy.deepcopy(first())
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(9)
        module[0].weight[:] = module[0].weight[ORDER] * 0.5
        module[0].bias[:] = module[0].bias[ORDER] * 0.5
        for unit in (1, 6):
            module[0].weight[unit] = torch.randn(3, 5, 5) * 0.1
    return module


def of(module: nn.Module, source: Source, place: Path, **how: object) -> Index:
    net = Net(module, place.stem, Preprocess(resize=24, crop=(24, 24)))
    return pl.units.index(net, source, store=place, **how)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Index, Index]:
    source, place = Source.of(photos(tmp_path_factory.mktemp("photos"), 120)), tmp_path_factory.mktemp("store")
    return of(first(), source, place / "first.index"), of(second(), source, place / "second.index")


@pytest.mark.slow
def test_the_permutation_and_the_new_units_are_found(pair: tuple[Index, Index]) -> None:
    found = pl.units.compare(*pair, layer="1")
    pairs = {row["other"]: row["unit"] for row in found["units"].rows if row["state"] == "matched"}
    assert pairs == {i: ORDER[i] for i in range(8) if i not in (1, 6)}
    assert {row["other"] for row in found["units"].rows if row["state"] == "new"} == {1, 6}
    assert {row["unit"] for row in found["units"].rows if row["state"] == "gone"} == {ORDER[1], ORDER[6]}
    assert [row["state"] for row in found["units"].rows] == ["gone"] * 2 + ["new"] * 2 + ["matched"] * 6
    assert all(float(row["correlation"] or 0) > 0.95 for row in found["units"].rows if row["state"] == "matched")
    assert all(0.4 < float(row["strength"] or 0) < 0.8 for row in found["units"].rows if row["state"] == "matched")
    assert found.findings[0] == "of 8 units 6 are matched, and those that are not: 2 gone, 2 new, 0 silent in either"
    assert found.heads == ("first · 1", "second · 1")
    assert pl.draw(found).array.shape[0] > 200


def test_a_network_is_itself(pair: tuple[Index, Index]) -> None:
    found = pl.units.compare(pair[0], pair[0], layer="1")
    assert all(row["unit"] == row["other"] and row["correlation"] == pytest.approx(1) for row in found["units"].rows)


def test_formulas() -> None:
    chance = np.random.default_rng(0)
    values, others = chance.random((50, 4)), chance.random((50, 3))
    others[:, 1] = 2 * values[:, 3] + 1
    values[:, 0] = 7.0
    table = correlations(values, others)
    for i in range(1, 4):
        for j in range(3):
            assert table[i, j] == pytest.approx(np.corrcoef(values[:, i], others[:, j])[0, 1], abs=1e-12)
    assert not table[0].any()
    rows, columns = matched(table)
    assert dict(zip(rows.tolist(), columns.tolist(), strict=True))[3] == 1
    assert len(rows) == 3
    level = chance_level(values, others, 40, 0)
    assert 0.2 < level < 0.9  # of 12 pairs and 40 shuffles of 50 pictures, the largest
    assert level == chance_level(values, others, 40, 0)
    assert level >= chance_level(values, others, 10, 0)


def test_what_all_units_have_in_common_is_no_likeness() -> None:
    """Units that only share their silence before half of the pictures are not matched."""
    chance = np.random.default_rng(3)
    awake = (np.arange(200) % 2)[:, None]
    values, others = (awake * (3 + chance.random((200, 6))) for _ in range(2))
    assert correlations(values, others).min() > 0.9
    level = chance_level(values, others, 20, 0)
    assert correlations(values, others).max() < level + 0.01
    others[:, 2] = values[:, 4]
    assert correlations(values, others)[4, 2] > chance_level(values, others, 20, 0)


def test_unrelated_networks_have_no_matches(pair: tuple[Index, Index], tmp_path: Path) -> None:
    """Of noise pictures the units of a network with random weights match those of another by chance alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(77)
        module = nn.Sequential(nn.Conv2d(3, 5, 3, stride=3), nn.Tanh(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                               nn.Linear(5, 2))  # fmt: skip
    other = of(module, pair[0].source, tmp_path / "other.index")
    found = pl.units.compare(pair[0], other, layer="1", other_layer="1", shuffles=30)
    states = [row["state"] for row in found["units"].rows]
    assert states.count("gone") + states.count("matched") == 8
    assert states.count("new") + states.count("matched") == 5


def test_what_cannot_be_compared(pair: tuple[Index, Index], tmp_path: Path) -> None:
    strange = of(first(), Source.of(photos(tmp_path / "photos", 9)), tmp_path / "x.index")
    with pytest.raises(PellucidError, match=r"the indexes are of other images: 120 of .* and 9 of"):
        pl.units.compare(pair[0], strange)
    with pytest.raises(PellucidError, match="the indexes are of other images"):
        pl.units.evolution([pair[0], strange], "1:0")
    with pytest.raises(PellucidError, match="1 index: name two at least"):
        pl.units.evolution([pair[0]], "1:0")
    with pytest.raises(PellucidError, match="no layer in the index '7'"):
        pl.units.compare(*pair, layer="1", other_layer="7")
    with pytest.raises(PellucidError, match="no unit 8 in layer '1'"):
        pl.units.evolution(pair, "1:8")
    with pytest.raises(PellucidError, match="top=300: the index keeps the 100 strongest"):
        pl.units.evolution(pair, "1:0", top=300)


def test_other_channels_are_no_state_of_the_same_layer(pair: tuple[Index, Index], tmp_path: Path) -> None:
    module = nn.Sequential(nn.Conv2d(3, 5, 3), nn.Tanh(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 2))
    other = of(module, pair[0].source, tmp_path / "x.index")
    with pytest.raises(PellucidError, match="layer '1' has 5 and 8 channels"):
        pl.units.evolution([pair[0], other], "1:0")


# evolution


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> list[Index]:
    """Five checkpoints; from the third on unit 1 answers to red."""
    folder = painted(tmp_path_factory.mktemp("marked"), 60, (24, 24))
    for file in (folder / "images").iterdir():  # a folder for each class
        home = folder / "images" / ("odd" if int(file.stem) % 2 else "even")
        home.mkdir(exist_ok=True)
        file.rename(home / file.name)
    source, place, found = Source.of(folder / "images"), tmp_path_factory.mktemp("store"), []
    for step in range(5):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(step if step < 2 else 2)
            module = nn.Sequential(
                nn.Conv2d(3, 3, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2)
            )
        with torch.no_grad():
            module[0].bias[2] = -99.0
            if step >= 2:
                module[0].weight[1] = torch.tensor([1.0, -1.0, -1.0])[:, None, None] / 9 * (1 + 0.1 * step)
                module[0].bias[1] = 0.0
        found.append(of(module, source, place / f"step {step}.index"))
    return found


@pytest.mark.slow
def test_a_color_learned_at_step_two(steps: list[Index]) -> None:
    found = pl.units.evolution(steps, "1:1", count=4, top=10)
    table = found["checkpoints"]
    assert table["checkpoint"] == tuple(f"step {i}" for i in range(5))
    alike = [float(value or 0) for value in table["correlation"]]
    assert max(alike[:2]) < 0.8
    assert min(alike[2:]) > 0.999
    assert min(table["overlap"][2:]) == 1 > max(table["overlap"][:2])  # type: ignore[type-var]
    assert found.findings[0].startswith("from step 2 on the unit is what it became")
    for i, index in enumerate(steps):
        held = index["1"].moments
        assert (table["largest"][i], table["mean"][i]) == (held.greatest[1], held.max_mean[1])
        assert table["silent"][i] == held.silent[1] / 60
        assert table["dead"][i] == pytest.approx(1 / 3)  # unit 2
        mine = set(index["1"].top(1, 10).images.tolist())
        last = set(steps[-1]["1"].top(1, 10).images.tolist())
        assert table["overlap"][i] == len(mine & last) / len(mine | last)
        assert table["class"][i] in ("odd", "even")
    for strip in found.strips[2:]:  # what they show is red
        patch = strip.columns[0].crop(0).astype(float)
        assert patch[1, 1, 0] > 200 > 60 > patch[1, 1, 1]
    assert pl.draw(found).array.shape[0] > 200


@pytest.mark.slow
def test_a_silent_unit_has_no_correlation(steps: list[Index]) -> None:
    found = pl.units.evolution(steps, "1:2", count=2, top=3)
    assert set(found["checkpoints"]["correlation"]) == {None}
    assert set(found["checkpoints"]["silent"]) == {1.0}
    assert found.findings[0].startswith("the unit has not settled")
    assert pl.draw(found).array.size


def test_a_unit_that_changes_to_the_end_has_not_settled(steps: list[Index]) -> None:
    found = pl.units.evolution([steps[2], steps[0]], "1:1")
    assert found.findings[0].startswith(
        "the unit has not settled: the checkpoint before the last correlates with it by"
    )


def test_folders_will_do(steps: list[Index]) -> None:
    indexes = pl.units.Indexes.of([str(one.store.folder) for one in steps[:2]])
    assert indexes.names == ("step 0", "step 1")
    assert pl.units.Indexes.of([steps[0], steps[0]]).names == ("0 · step 0", "1 · step 0")
