"""Rules that repeat a network: what they say of themselves is so."""

from __future__ import annotations

import numpy as np
import pytest

import pellucid as pl
from pellucid.result import Report
from pellucid.surrogates.mirrored import Mirrored
from tests.draw.test_pictures import assert_tidy
from tests.methods.proxies.made import index


@pytest.fixture(scope="module")
def rules() -> Report:
    return pl.proxies.rules(index(), leaves=12)


def test_shares_are_those_of_held_out_images(rules: Report) -> None:
    """Of the first rule, gone through in words."""
    mirrored, row = Mirrored.of(index()), rules["rules"].rows[0]
    held = np.ones(len(mirrored.outside), bool)
    for test in row["if"].split(" and "):
        unit, sign, threshold = test.split(" ")
        value = mirrored.features[mirrored.outside, int(unit.split(":")[1])]
        held &= (value > float(threshold)) if sign == ">" else (value <= float(threshold))
    said = np.array([mirrored.names[i] for i in mirrored.answers[mirrored.outside]])
    assert row["coverage"] == pytest.approx(held.mean(), abs=0.01)
    assert row["precision"] == pytest.approx((said[held] == row["then"]).mean(), abs=0.05)
    assert sum(rules["rules"]["decides"]) == pytest.approx(1)


def test_they_are_nearly_as_faithful_as_their_tree(rules: Report) -> None:
    tree = pl.proxies.tree(index(), leaves=12)
    fidelity = rules["scores"]["fidelity"][0]
    assert fidelity == pytest.approx(tree["scores"]["fidelity"][0], abs=0.12)
    assert len(rules["parted"]) == round((1 - fidelity) * 120)
    assert rules["scores"]["size"][0] == sum(rules["rules"]["tests"])


def test_units_are_shown_by_their_patches(rules: Report) -> None:
    top = index()["relu"].top(int(rules.strips[0].name.split(":")[1]), 5)
    assert rules.strips[0].columns[0].names == tuple(map(str, top.images[top.values > 0]))
    assert rules.strips[0].findings[0].startswith(("high for class", "low for class"))
    assert_tidy(pl.draw(rules))
