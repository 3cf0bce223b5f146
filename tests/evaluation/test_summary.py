"""Means with intervals, paired tests, and tables that are of one protocol only."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pellucid as pl
from pellucid.errors import PellucidError, Refused
from pellucid.evaluation.explainers import Explainer, Explainers
from pellucid.evaluation.judged import Judged
from pellucid.evaluation.summary import Protocol, interval, least_p, paired, ranked
from pellucid.images import Images
from pellucid.net import Net
from pellucid.target import Target
from tests.evaluation.networks import SIDE, photos, weighted


@pytest.mark.slow
def test_intervals_hold_the_mean_in_95_of_100() -> None:
    inside = 0
    for seed in range(100):
        values = np.random.default_rng(seed).normal(3, 2, 40)
        low, high = interval(values, seed)
        inside += bool(low < 3 < high)
    assert 88 <= inside <= 99


def test_paired_differences_are_seen_where_means_overlap() -> None:
    chance = np.random.default_rng(0)
    image = chance.normal(0, 5, 30)
    assert paired(image, image + 0.5 + 0.1 * chance.normal(size=30), 0) < 0.01
    assert paired(image, image + 0.1 * chance.normal(size=30), 0) > 0.05
    assert paired(image, image, 0) == 1.0


def test_of_few_images_every_way_to_flip_signs_is_counted() -> None:
    apart = np.random.default_rng(1).normal(0.4, 1, 7)
    beyond = [abs(np.dot(signs, apart)) >= abs(apart.sum()) for signs in itertools.product((-1, 1), repeat=7)]
    assert paired(apart, 0 * apart, 0) == paired(apart[::-1], 0 * apart, 5) == np.mean(beyond)


def test_no_p_is_smaller_than_that_of_differences_to_one_side() -> None:
    for count in (1, 2, 5, 6, 10, 40):
        assert paired(np.arange(count) + 1.0, np.zeros(count), 0) == least_p(count)
    assert least_p(5) > 0.05 > least_p(6)


def test_so_few_images_that_nothing_can_be_significant_are_said() -> None:
    def told(count: int, **asked: str) -> list[str]:
        found = pl.quality.deletion(weighted(), photos(count), steps=4, **asked)
        return [note.text for note in found.meta.notes if note.topic == "sampling"]

    assert told(3, of="gradient") == [
        "3 images are too few for any difference to be significant: the paired test gives p = 1 at best for 4 "
        "comparisons, and 0.05 needs 8 images"
    ]  # the four maps that know no network
    assert "7 images are too few" in told(7, of="gradient")[0]
    assert told(8, of="gradient") == []


def test_comparisons_are_corrected_for_their_number() -> None:
    """Holm by hand: the smallest p of three is multiplied by 3, the next by 2, and none is below the one before it."""
    values = np.random.default_rng(2).normal(0, 1, (4, 9)) + np.array([0, 0.9, 1.4, 0.3])[:, None]
    judged = Judged(Explainers.of("gradient,grad_cam,lrp,cam"), tuple("abcdefghi"), values)
    table = ranked(judged, Protocol("test"), "score", "of nothing", "low", 0)
    best = values.mean(1).argmin()
    plain = {judged.names[k]: paired(values[k], values[best], 0) for k in range(4) if k != best}
    wanted, least = {}, 0.0
    for left, name in zip((3, 2, 1), sorted(plain, key=plain.__getitem__), strict=True):
        wanted[name] = least = max(least, min(left * plain[name], 1.0))
    assert dict(zip(table["method"], table["p"], strict=True)) == {judged.names[best]: None, **wanted}
    assert wanted != plain


def test_values_of_groups_are_drawn_alike_whatever_the_groups_are_called() -> None:
    values, groups = np.random.default_rng(3).random((2, 12)), np.array([4, 4, 1, 1, 1, 9, 0, 0, 2, 2, 2, 2])
    other = np.array([0, 0, 7, 7, 7, 3, 5, 5, 1, 1, 1, 1])
    assert np.array_equal(interval(values, 0, groups=groups), interval(values, 0, groups=other))
    assert not np.array_equal(interval(values, 0, groups=groups), interval(values, 1, groups=groups))


def test_figures_of_two_protocols_are_not_put_into_one_table() -> None:
    net = weighted()
    one, two, other = (
        pl.quality.deletion(net, photos(2), of=of, steps=steps)["ranking"]
        for of, steps in (("gradient", 4), ("gradient_times_input", 4), ("gradient", 5))
    )
    assert len(pl.quality.joined([one, two])) == len(one) + len(two)
    with pytest.raises(
        PellucidError, match=r"different protocols, deletion:fill=training_mean,steps=4.* and deletion:.*steps=5"
    ):
        pl.quality.joined([one, other])
    assert Protocol("road", (("shares", "9"),)).id == "road:shares=9"


def test_figures_of_two_networks_or_two_figures_of_one_measure_are_not_put_into_one_table() -> None:
    def drop(net: Net, of: str, images: int = 2) -> pl.result.Study:
        return pl.quality.average_drop(net, photos(images), of=of)

    one, same, other = drop(weighted(), "gradient"), drop(weighted(), "gradient_times_input"), drop(weighted(1), "cam")
    whole = pl.quality.joined([one["drop"], same["drop"]])
    assert whole["method"] == (*one["drop"]["method"], *same["drop"]["method"])
    assert whole["drop"] == (*one["drop"]["drop"], *same["drop"]["drop"])
    assert len(pl.quality.joined([whole, same["drop"]])) == len(whole) + len(same["drop"]), "and again"
    moved = pl.quality.sensitivity(weighted(), photos(2), of="gradient", samples=2)
    assert moved["max"].columns.keys() == moved["mean"].columns.keys(), "their columns do not tell them apart"
    resized = pl.load(weighted().module, size=SIDE, mean=(0.5,) * 3, std=(1.0,) * 3)
    for tables, said in (
        ((one["drop"], other["drop"]), r"of different networks, Weighted \w{12} and Weighted \w{12}: they are not"),
        ((one["drop"], drop(resized, "gradient")["drop"]), "of different networks"),  # the same weights
        ((one["drop"], drop(weighted(), "gradient", 3)["drop"]), "of different image sets, 2 images"),
        ((one["drop"], one["increase"]), "of different figures, share of the prob.* and share of the images whose"),
        ((moved["max"], moved["mean"]), "of different figures, largest change .* and mean change "),
        ((moved["max"], one["drop"]), "of different protocols, sensitivity:.* and average_drop:"),
        ((one["drop"], pl.result.Table({"method": ()})), "names no protocol"),
        ((dataclasses.replace(one["drop"], columns={"method": ()}), one["drop"]), "differ in their columns, baseline,"),
        ((), "no tables"),
    ):
        with pytest.raises(PellucidError, match=said) as error:
            pl.quality.joined(tables)
        assert "\n" not in str(error.value)


def test_the_table_says_who_cannot_be_told_from_the_best() -> None:
    table = pl.quality.deletion(weighted(), photos(3), of="gradient_times_input", fill="black", score="logit")[
        "ranking"
    ]
    assert table["method"][0] == "gradient_times_input"
    assert table["p"][0] is None
    assert all(p is not None and 0 < p <= 1 for p in table["p"][1:])
    assert table["behind"][0] == 0
    assert set(table["images"]) == {3}


def test_intervals_do_not_depend_on_the_order_of_the_images(tmp_path: Path) -> None:
    files = []
    for k, pixels in enumerate(photos(6)):
        Image.fromarray((255 * pixels).astype(np.uint8)).save(tmp_path / f"{k}.png")
        files.append(tmp_path / f"{k}.png")
    asked = {"of": "gradient_times_input,gradient", "steps": 6, "fill": "black"}
    tables = [pl.quality.deletion(weighted(), some, **asked)["ranking"] for some in (files, files[::-1])]
    for name in ("method", "low", "high", "p"):
        assert tables[0][name] == tables[1][name], name


def test_a_method_without_a_map_of_some_images_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Comparisons are over the images of which all have one: nothing is left out in silence."""
    whole = Explainer.heat

    def heat(self: Explainer, net: Net, image: Images, target: Target, seed: int) -> np.ndarray:
        if self.name == "gradient" and float(image.pixels.mean()) > 0.5:
            raise Refused("too bright")
        return whole(self, net, image, target, seed)

    monkeypatch.setattr(Explainer, "heat", heat)
    images = [0.5 * one for one in photos(3)] + [0.5 + 0.5 * one for one in photos(2)]
    found = pl.quality.deletion(weighted(), images, of="gradient,gradient_times_input", steps=4)
    assert set(found["ranking"]["images"]) == {3}
    said = [note.text for note in found.meta.notes if note.topic == "refused"]
    assert said == [
        "gradient has no figure of 2 of 5 images, which are left out of all comparisons; of the first: too bright"
    ]


def test_a_method_that_refuses_only_changed_networks_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, trained = Explainer.heat, weighted()

    def heat(self: Explainer, net: Net, image: Images, target: Target, seed: int) -> np.ndarray:
        if self.name == "gradient" and net is not trained:
            raise Refused("not of this network")
        return whole(self, net, image, target, seed)

    monkeypatch.setattr(Explainer, "heat", heat)
    found = pl.quality.randomization(trained, photos(2), of="gradient,gradient_times_input", steps=1)
    assert "gradient" not in found["ranking"]["method"]
    assert found.meta.found["refused"] == ("gradient: not of this network",)
