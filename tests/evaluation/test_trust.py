"""What is cheap to know of one map."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import Tensor, nn

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.evaluation.randomized import groups, redrawn
from pellucid.evaluation.trust import Forgetful, trusted
from tests.evaluation.networks import SIDE, photos, weighted
from tests.loss.networks import Everything, net_of


def rows(table: pl.result.Table) -> dict[str, object]:
    return dict(zip(table["check"], table["passed"], strict=True))


@pytest.mark.parametrize("forgotten", ["sum", "scale"])
def test_a_map_is_compared_with_that_of_random_weights(forgotten: str) -> None:
    """The last layer is the upper half: where it is the one that decides the map, another map comes of it."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = nn.Sequential(nn.Conv2d(3, 1, SIDE), nn.Flatten(), nn.Linear(1, 2)).double()
        if forgotten == "sum":  # behind a layer that leaves pixels alone
            module = nn.Sequential(nn.Conv2d(3, 3, 1, groups=3), nn.Conv2d(3, 2, SIDE), nn.Flatten()).double()
    net = pl.load(module, size=SIDE, mean=(0.0,) * 3, std=(1.0,) * 3)
    image = photos(1)[0]
    table = pl.quality.check(net, image, pl.attribution.gradient_times_input(net, image))
    alike = dict(zip(table["check"], table["value"], strict=True))["random weights"]
    if forgotten == "sum":
        assert abs(alike) < 0.5
    else:
        assert abs(alike) == pytest.approx(1)
    assert rows(table)["random weights"] is (forgotten == "sum")


def test_what_cannot_be_drawn_is_left_out() -> None:
    """A network without weights, an image of a few pixels, a map of zeros."""

    class Mean(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.stack([x.mean((1, 2, 3)), -x.amax((1, 2, 3))], 1)

    image = photos(1)[0]
    bare = pl.load(Mean(), size=SIDE, mean=(0.0,), std=(1.0,))
    assert set(rows(pl.quality.check(bare, image, pl.attribution.gradient_times_input(bare, image)))) == {"shift"}
    with pytest.raises(PellucidError, match="has no weights"):
        pl.quality.randomization(bare, [image], of="gradient")
    few = pl.load(nn.Sequential(nn.Flatten(), nn.Linear(48, 2)), size=4, mean=(0.0,) * 3, std=(1.0,) * 3)
    small = pl.attribution.gradient_times_input(few, image)
    assert set(rows(pl.quality.check(few, image, small))) == {"random weights"}
    with pytest.raises(PellucidError, match="shift=4: an image of 4 × 4 pixels"):
        pl.quality.stability(few, [image], of="gradient")
    nothing = dataclasses.replace(small, values=np.zeros_like(small.values))
    assert rows(pl.quality.check(few, image, nothing)) == {"evidence": False}


def test_a_target_that_only_memory_holds_is_asked_for() -> None:
    net, image = weighted(), photos(1)[0]
    heat = pl.attribution.gradient(net, image, lambda run: run.output[:, 0])
    with pytest.raises(PellucidError, match="in memory only"):
        pl.quality.check(net, image, heat)


def test_completeness_evidence_and_saturation_are_said() -> None:
    net, image = weighted(), photos(1)[0]
    heat = pl.attribution.integrated_gradients(net, image)
    assert rows(pl.quality.check(net, image, heat))["completeness"] is True
    negative = dataclasses.replace(heat, values=-np.abs(heat.values))
    assert rows(pl.quality.check(net, image, negative))["evidence"] is False
    sure = pl.load(net.module, size=12, mean=(0.0,) * 3, std=(0.01,) * 3)
    asked = pl.attribution.gradient_times_input(sure, image, "p(0)")
    assert rows(pl.quality.check(sure, image, asked))["saturation"] is False


def test_several_images_are_refused() -> None:
    net = weighted()
    heat = pl.attribution.gradient(net, photos(2))
    with pytest.raises(PellucidError, match="a map of one image, these are 2 maps and 2 images"):
        pl.quality.check(net, photos(2), heat)


def test_without_another_pass_only_what_the_map_says_itself() -> None:
    net, image = weighted(), photos(1)[0]
    heat = pl.attribution.gradient(net, image)
    assert trusted(Forgetful(net), net.images(image), heat, again=False) == ()


def test_explain_says_it_under_each_row() -> None:
    found = pl.explain(net_of(Everything()), photos(1)[0], classes=2, methods=("gradient", "occlusion"))
    assert [one.name for one in found.rows[0].trust] == ["random weights"]  # 8 pixels are too few to be moved
    assert {one.name for one in found.rows[1].trust} <= {"evidence"}
    assert found.describe()["rows" if "rows" in found.describe() else "methods"][0]["trust"][0]["text"]


def test_a_map_can_say_it_itself() -> None:
    net, image = weighted(), photos(1)[0]
    heat = pl.attribution.gradient_times_input(net, image)
    table, told = pl.quality.check(net, image, heat), pl.quality.annotate(net, image, heat)
    assert told.meta.found["trust"] == table["says"]
    for name, value in zip(table["check"], table["value"], strict=True):
        if name in ("random weights", "shift"):
            assert told.meta.found[str(name).replace(" ", "_")] == value
    new = [str(note) for note in told.meta.notes[len(heat.meta.notes) :]]
    assert new == [text for name, text in zip(table["check"], table["says"], strict=True) if name != "completeness"]
    assert np.array_equal(told.values, heat.values)
    assert pl.draw(told).alt == pl.draw(heat).alt


def test_a_slow_method_is_drawn_again_with_quick_options_and_says_so() -> None:
    net, image = weighted(), photos(1)[0]
    slow = pl.attribution.smooth_grad(net, image, samples=24, seed=3)
    quick = pl.attribution.smooth_grad(net, image, samples=20, seed=3)
    tables = [pl.quality.check(net, image, heat) for heat in (slow, quick)]
    for name, value, said, alone in zip(*(tables[0][key] for key in ("check", "value", "says")), tables[1]["says"],
                                        strict=True):  # fmt: skip
        assert name in ("random weights", "shift")
        assert said == f"{alone}; the maps compared are drawn with samples=20"
        assert tables[1]["value"][tables[0]["check"].index(name)] == value, "which are all that is compared"
    told = pl.quality.annotate(net, image, slow)
    assert [str(note) for note in told.meta.notes if note.topic in ("check", "reading")][-2:] == list(tables[0]["says"])


def test_one_draw_of_random_weights_is_not_enough() -> None:
    """The figure is the mean of the sizes of three correlations, of whichever sign."""
    net, image = weighted(), photos(1)[0]
    heat = pl.attribution.gradient_times_input(net, image)
    prepared = net.prepare(net.images(image))
    order = groups(net)
    names = tuple(name for _, several in order[: max(len(order) // 2, 1)] for name in several)
    sizes = []
    for seed in range(3):
        other = net.with_weights(redrawn(net, names, seed))
        again = pl.attribution.gradient_times_input(other, prepared, heat.meta.asked.nouns.get("target"))
        sizes.append(abs(spearmanr(heat.values[0].ravel(), again.values[0].ravel()).statistic))
    table = pl.quality.check(net, image, heat)
    assert dict(zip(table["check"], table["value"], strict=True))["random weights"] == pytest.approx(np.mean(sizes))
