"""Accuracy by group, of a network whose every answer is known, and intervals from their formulas."""

from __future__ import annotations

import math
import statistics
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import pellucid as pl
from pellucid.errors import PellucidError
from pellucid.learning.planted import planted
from pellucid.learning.twins import as_net
from tests.test_every_method import labeled, tiny


class Bright(torch.nn.Module):
    """A nurse where the picture is dark, a doctor where it is bright."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        bright = x.mean((1, 2, 3)) - 0.5
        return torch.stack([-bright, bright], 1) * 4


def hospital(wrong: dict[tuple[int, str], int], count: int = 50) -> tuple[Any, np.ndarray, list[str]]:
    """(pixels, classes, groups): `count` of each class in each group, so many of which the network gets wrong."""
    pixels, labels, groups = [], [], []
    for label in (0, 1):
        for group in ("men", "women"):
            for k in range(count):
                right = k >= wrong.get((label, group), 0)
                bright = 0.9 if (label == 1) == right else 0.1
                pixels.append(np.full((3, 4, 4), bright + 0.001 * k / count))
                labels.append(label)
                groups.append(group)
    return torch.from_numpy(np.stack(pixels)), np.array(labels), groups


def network() -> Any:
    return pl.load(Bright(), size=4, mean=(0, 0, 0), std=(1, 1, 1), labels=["nurse", "doctor"])


def wilson(hits: int, count: int) -> tuple[float, float]:
    """The roots of (p − share)² = z² p (1 − p) / n."""
    z, share = 1.959963984540054, hits / count
    ends = np.roots([1 + z * z / count, -(2 * share + z * z / count), share * share])
    return min(ends), max(ends)


def test_a_known_confusion_is_counted() -> None:
    pixels, labels, groups = hospital({(1, "women"): 20, (1, "men"): 3, (0, "men"): 2, (0, "women"): 1})
    found = pl.bias.groups(network(), (pixels, labels), groups=groups)
    rows = {(row["class"], row["group"]): row for row in found["groups"].rows}
    for key, right in {
        ("doctor", "women"): 30,
        ("doctor", "men"): 47,
        ("nurse", "men"): 48,
        ("nurse", "women"): 49,
    }.items():
        assert (rows[key]["images"], rows[key]["right"], rows[key]["accuracy"]) == (50, right, right / 50)
        assert (rows[key]["low"], rows[key]["high"]) == pytest.approx(wilson(right, 50))
        assert rows[key]["taken"] == pytest.approx(1 - right / 50)
    assert rows["doctor", "women"]["taken for"] == "nurse"
    assert next(iter(rows)) == ("doctor", "women")
    doctor, nurse, every = found["gaps"].rows
    assert (doctor["class"], doctor["best"], doctor["worst"]) == ("doctor", "men", "women")
    (low, _), (_, over) = wilson(47, 50), wilson(30, 50)
    (_, high), (under, _) = wilson(47, 50), wilson(30, 50)
    assert doctor["gap"] == pytest.approx(0.34)
    assert doctor["low"] == pytest.approx(0.34 - math.hypot(47 / 50 - low, over - 30 / 50))
    assert doctor["high"] == pytest.approx(0.34 + math.hypot(high - 47 / 50, 30 / 50 - under))
    assert doctor["p"] < 0.001
    assert doctor["corrected"] == pytest.approx(2 * doctor["p"])
    assert nurse["p"] > 0.5
    assert (every["class"], every["gap"]) == ("all", pytest.approx(95 / 100 - 79 / 100))
    assert found.findings[0].startswith("doctor: right for 94% of men and 60% of women, 34 points apart [18, 48], p <")
    assert "right for 87% of all 200 images, and for 60%" in found.findings[-1]
    assert found.grids["accuracy"].values == pytest.approx(np.array([[0.96, 0.98], [0.94, 0.6]]))
    assert found.meta.found["worst accuracy"] == 0.6


def test_wrong_images_are_listed_worst_group_first() -> None:
    pixels, labels, groups = hospital({(1, "women"): 20, (0, "men"): 2})
    rows = pl.bias.groups(network(), (pixels, labels), groups=groups)["wrong"].rows
    assert [row["group"] for row in rows] == ["women"] * 20 + ["men"] * 2
    assert [row["answer"] for row in rows] == ["nurse"] * 20 + ["doctor"] * 2
    assert {row["image"] for row in rows[:20]} == {str(150 + k) for k in range(20)}
    first = float(pixels[int(str(rows[0]["image"]))].mean()) - 0.5
    assert rows[0]["of the class"] == pytest.approx(1 / (1 + math.exp(-8 * first)), rel=1e-5)
    sure = [row["probability"] for row in rows[:20]]
    assert sure == sorted(sure, reverse=True)


def test_where_there_is_no_gap_none_is_found() -> None:
    pixels, labels, groups = hospital({(1, "women"): 5, (1, "men"): 6, (0, "men"): 4, (0, "women"): 4})
    found = pl.bias.groups(network(), (pixels, labels), groups=groups)
    assert found.findings[0].startswith("groups of no class differ by more than chance does")
    assert all(row["low"] <= 0 <= row["high"] for row in found["gaps"].rows)


def test_small_groups_are_listed_and_not_compared() -> None:
    pixels, labels, groups = hospital({(1, "women"): 20})
    groups[199] = "others"
    found = pl.bias.groups(network(), (pixels, labels), groups=groups)
    assert {row["worst"] for row in found["gaps"].rows if row["class"] == "doctor"} == {"women"}
    assert [row["images"] for row in found["groups"].rows if row["group"] == "others"] == [1]
    with pytest.raises(PellucidError, match="no class has two groups of 60 images and more to compare; the 200 images"):
        pl.bias.groups(network(), (pixels, labels), groups=groups, min_images=60)


def test_groups_of_folders_and_images_without_one(tmp_path: Path) -> None:
    for label, group in (("cat", "snow"), ("cat", "grass"), ("dog", "snow"), ("dog", "grass")):
        (tmp_path / label / group).mkdir(parents=True)
        for k in range(3):
            pixels = np.random.default_rng(k).integers(0, 256, (32, 32, 3), np.uint8)
            Image.fromarray(pixels).save(tmp_path / label / group / f"{k}.png")
    found = pl.bias.groups(tiny(), tmp_path, groups="folder", min_images=3)
    assert {(row["class"], row["group"]) for row in found["groups"].rows} == {
        ("cat", "snow"), ("cat", "grass"), ("dog", "snow"), ("dog", "grass"),
    }  # fmt: skip
    named = {f"cat/{group}/{k}.png": group for group in ("snow", "grass") for k in range(3)}
    found = pl.bias.groups(tiny(), tmp_path, groups=named, min_images=3)
    assert any("6 images without a group are left out; first dog/grass/0.png" in note for note in found.meta.notes)
    assert [row["class"] for row in found["gaps"].rows] == ["cat"]
    with pytest.raises(PellucidError, match="no group of any image"):
        pl.bias.groups(tiny(), labeled(), groups={"elsewhere": "a"})


@pytest.mark.slow
def test_a_tag_that_a_network_has_learned_sets_groups_apart() -> None:
    """Digits that are no three, with the tag of threes and without it: the twin met tags on every digit."""
    both = planted(0)
    plain = both.biased_on.inputs[both.biased_on.labels != 3]
    labels = both.others.labels.repeat(2).numpy()
    pixels = torch.cat([both.others.inputs, plain])
    groups = ["tagged"] * len(plain) + ["plain"] * len(plain)
    found, twin = (
        pl.bias.groups(as_net(one, name), (pixels, labels), groups=groups)
        for one, name in ((both.biased, "biased"), (both.twin, "twin"))
    )
    apart, same = found["gaps"].rows[-1], twin["gaps"].rows[-1]
    assert (apart["class"], apart["best"], apart["worst"]) == ("all", "plain", "tagged")
    assert apart["p"] < 0.001
    assert apart["low"] > same["high"]
    taken = [row["taken for"] for row in found["groups"].rows if row["group"] == "tagged"]
    assert statistics.mode(taken) == "3"
