"""The frontier holds what the single methods say."""

from __future__ import annotations

import pytest

import pellucid as pl
from pellucid.errors import Refused
from tests.draw.test_pictures import assert_tidy
from tests.methods.proxies.made import LAYERS, index


@pytest.mark.slow
def test_it_holds_what_the_methods_say() -> None:
    found = pl.proxies.frontier(index(), leaves=(4, 12), queries=100, student=True)
    rows = found["scores"].rows
    assert rows[6]["proxy"] == "student"
    rows = (*rows[:6], *rows[7:])
    assert [row["proxy"] for row in rows[:6]] == ["tree", "tree", "rules", "rules", "TREPAN", "TREPAN"]
    for k, method in ((1, pl.proxies.tree), (3, pl.proxies.rules)):
        one = method(index(), leaves=12)["scores"]
        assert rows[k]["fidelity"] == one["fidelity"][0]
        assert rows[k]["stability"] == one["stability"][0]
    assert rows[1]["size"] == 3 * 11 + 12
    assert [row["proxy"] for row in rows[6:9]] == [f"linear, {name}" for name in LAYERS]
    read = pl.proxies.linear(index())["layers"]
    assert tuple(row["fidelity"] for row in rows[6:9]) == read["fidelity"]
    assert rows[9]["proxy"] == "hierarchy, soft"
    best = max(rows[:10], key=lambda row: row["fidelity"])
    assert best["proxy"] in found.findings[0]
    assert found["size and fidelity"]["tree"].points.tolist() == [13, 45]
    assert_tidy(pl.draw(found))


def test_queries_need_the_last_layer() -> None:
    with pytest.raises(Refused, match="queries=5"):
        pl.proxies.frontier(index(), layer="features.1", queries=5)
