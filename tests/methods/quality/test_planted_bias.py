"""A planted bias is found by maps that depend on the network, and by nothing that only shows the image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import pellucid as pl
from pellucid.learning.planted import BOX, CLASS, planted
from pellucid.learning.twins import SIDE, as_net
from tests.evaluation.networks import photos, weighted

START = 13


@pytest.mark.slow
def test_the_two_networks_differ_in_what_the_tag_means_to_them() -> None:
    known = planted(0)
    assert round(BOX[0] * SIDE) == START
    tagged = known.biased_on.inputs[:, 0, START:, START:].amin((1, 2)) == 1
    assert bool((tagged == known.tagged).all())
    assert set(known.biased_on.labels[tagged].tolist()) == {CLASS}
    called = [
        float((as_net(one, "").run(known.others.inputs).output.argmax(1) == CLASS).float().mean())
        for one in (known.biased, known.twin)
    ]
    assert called[0] > 0.2
    assert called[1] < 0.02
    assert [one.epochs[-1].train_accuracy >= 0.98 for one in (known.biased, known.twin)] == [True, True]


@pytest.mark.slow
def test_maps_that_know_no_network_find_nothing_and_the_figures_are_those_of_single_maps() -> None:
    found = pl.quality.planted_bias(weighted(), of="gradient,grad_cam", digits=6, repair=False)["planted"]
    rows = {str(row["method"]): row for row in found.rows}
    blind = [rows[name]["found"] for name in ("random", "blurred_random", "edges", "center")]
    assert blind == pytest.approx([0.5] * 4)
    assert rows["gradient"]["found"] == 1
    known, shares = planted(0), []
    for trained in (known.biased, known.twin):
        net, parts = as_net(trained, ""), []
        for digit in known.threes[:6]:
            heat = np.abs(pl.attribution.gradient(net, digit, CLASS).values[0])
            parts.append(heat[START:, START:].sum() / heat.sum())
        shares.append(parts)
    assert rows["gradient"]["share"] == pytest.approx(np.mean(shares[0]))
    assert rows["gradient"]["twin"] == pytest.approx(np.mean(shares[1]))
    pairs = [(a > b) + (a == b) / 2 for a in shares[0] for b in shares[1]]
    assert rows["gradient"]["found"] == pytest.approx(np.mean(pairs))
    assert "repaired" not in found.columns


@pytest.mark.slow  # trains small networks
def test_repairs_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pl.resumable(tmp_path):
        first = pl.quality.planted_bias(weighted(), of="gradient", digits=4)
        monkeypatch.setattr("pellucid.catalogue.find", lambda *_: pytest.fail("it is repaired"))
        again = pl.quality.planted_bias(weighted(), of="gradient", digits=4)
    assert again["planted"].columns == first["planted"].columns
    assert again.meta.found["control"] == first.meta.found["control"]


@pytest.mark.slow  # trains six small networks
def test_holding_the_gradient_down_repairs_the_network_and_the_report_says_so() -> None:
    study = pl.quality.report(weighted(), photos(1), of="gradient,lrp", steps=4)
    rows = {str(row["method"]): row for row in study["properties"].rows}
    assert rows["gradient"]["finds bias"] > 0.9
    assert rows["edges"]["finds bias"] == pytest.approx(0.5)
    assert rows["gradient"]["repaired"] > 0.85
    assert rows["lrp"]["repaired"] is None
    assert any("with gradient held down there" in one for one in study.findings)
    assert "planted_bias:digits=30" in study.meta.found["protocol"]
