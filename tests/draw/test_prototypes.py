"""Prototypes are drawn with what they stand for, criticisms below them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import pellucid as pl
from pellucid.draw.sheet import Photo
from pellucid.errors import PellucidError
from pellucid.result import Group, Meta, Prototypes, Table
from tests.draw.test_pictures import assert_tidy


def group(name: str = "all images", prototypes: int = 3, criticisms: int = 2) -> Group:
    chance = np.random.default_rng(0)
    labels = ("dog", "cat", "dog", "wolf", "", "dog", "cat")
    return Group(
        name,
        40,
        np.arange(prototypes),
        tuple(f"folder/image {i}.jpg" for i in range(prototypes)),
        (labels * 4)[:prototypes],
        np.linspace(0.5, 0.1, prototypes),
        np.full(prototypes, 1 / prototypes),
        np.linspace(0.1, 0.01, prototypes),
        (None, *[0.75] * (prototypes - 1)),
        chance.integers(0, 255, (prototypes, 20, 20, 3), np.uint8),
        np.where(np.arange(3) < 2, np.arange(10, 13), -1) * np.ones((prototypes, 1), int),
        chance.integers(0, 255, (prototypes, 3, 10, 10, 3), np.uint8),
        np.arange(20, 20 + criticisms),
        tuple(f"folder/other {i}.jpg" for i in range(criticisms)),
        (labels * 4)[:criticisms],
        chance.integers(0, 255, (criticisms, 20, 20, 3), np.uint8),
        np.linspace(-0.02, 0.03, criticisms),
        np.zeros(criticisms, int),
    )


def prototypes(*groups: Group) -> Prototypes:
    names = ("group", "images", "prototypes", "MMD²", "random MMD²", "1-NN", "random 1-NN", "precision")
    rows = [(one.name, 40, len(one), 0.012, 0.04, 0.8, 0.6, None) for one in groups]
    columns = dict(zip((*names, "random precision"), zip(*[(*row, None) for row in rows], strict=True), strict=True))
    return Prototypes(groups, Table(columns), "act2", ("one finding",), Meta(title="Prototypes"))


@pytest.mark.parametrize("dark", [False, True])
def test_every_prototype_stands_above_what_it_stands_for(dark: bool) -> None:
    picture = pl.draw(prototypes(group()), dark=dark)
    assert_tidy(picture)
    assert sum(isinstance(mark, Photo) for mark in picture.sheet.marks) == 3 + 3 * 2 + 2
    said = " ".join(mark.text for mark in picture.sheet.marks if hasattr(mark, "text"))
    for text in (
        "1. dog",
        "stands for 33.3 %",
        "weight 0.5",
        "75% share its class",
        "−0.020 · near 1",
        "+0.030 · near 1",
    ):
        assert text in said
    assert "3 prototypes of 40 images, all images: dog for 33.3 %" in picture.alt


def test_of_one_class_images_are_called_by_their_names() -> None:
    one = replace(group("dog"), labels=("dog",) * 3, criticism_labels=("dog",) * 2, weights=np.full(3, 1 / 3))
    picture = pl.draw(prototypes(one))
    said = " ".join(mark.text for mark in picture.sheet.marks if hasattr(mark, "text"))
    assert "1. image 0.jpg" in said
    assert "weight 0" not in said


def test_many_groups_and_many_of_each() -> None:
    assert_tidy(pl.draw(prototypes(group("a", 30, 30))))
    picture = pl.draw(prototypes(*(group(f"class {i}") for i in range(14))))
    assert_tidy(picture)
    said = " ".join(mark.text for mark in picture.sheet.marks if hasattr(mark, "text"))
    assert "Shown are 12 of 14 groups" in said
    assert "MMD² 0.012, at random 0.04 · 1-NN 80.0 %, at random 60.0 %" in said
    assert_tidy(pl.draw(prototypes(group(criticisms=0))))


def test_nothing_to_draw() -> None:
    with pytest.raises(PellucidError, match="nothing to draw"):
        pl.draw(Prototypes((), Table({}), "act2"))
    with pytest.raises(PellucidError, match="without over="):
        pl.draw(prototypes(group()), over="x")
