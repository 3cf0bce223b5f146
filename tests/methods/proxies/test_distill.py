"""Distillation over an index: students, similar classes, errors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.result import Study
from tests.draw.test_pictures import assert_tidy
from tests.methods.proxies.made import index, network


@pytest.fixture(scope="module")
def distilled() -> Study:
    return pl.proxies.distill(index(), recipe="epochs=12,lr=0.005")


@pytest.mark.slow
def test_students_are_judged_on_other_images(distilled: Study) -> None:
    rows = {row["proxy"]: row for row in distilled["scores"].rows}
    soft = rows["student, soft labels"]
    assert soft["fidelity"] > 0.6
    assert len(distilled["parted"]) == round((1 - soft["fidelity"]) * 120)
    assert rows["network"]["accuracy"] > 0.85
    assert 0 < soft["stability"] <= 1
    assert distilled["training"]["soft labels"].values[-1] > distilled["training"]["soft labels"].values[0]
    assert_tidy(pl.draw(distilled))


@pytest.mark.slow
def test_classes_are_ranked_by_softened_answers(distilled: Study) -> None:
    table = distilled["similar classes"]
    assert len(table) == 45
    assert list(table["similarity"]) == sorted(table["similarity"], reverse=True)
    assert sum(table["confusions"]) == 240 - round(240 * pl.proxies.hierarchy(index())["scores"]["accuracy"][0])


def test_soft_labels_of_folds_need_labels(tmp_path: Path) -> None:
    found = pl.proxies.distill(index(), soft="folds", recipe="epochs=1")
    assert found.meta.found["soft labels"] == "folds"
    np.savez(tmp_path / "bare.npz", images=np.random.default_rng(0).integers(0, 255, (12, 8, 8), np.uint8))
    bare = pl.units.index(network(), tmp_path / "bare.npz", store=tmp_path / "x.index", count=2, embed=("relu",))
    with pytest.raises(PellucidError, match=r"12 of 12 images have no class.*soft='own'"):
        pl.proxies.distill(bare, soft="folds", recipe="epochs=1")
    assert "similar classes" not in pl.proxies.distill(bare, recipe="epochs=1").tables
