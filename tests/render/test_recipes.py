"""Recipes: the published settings, their units, and recipes in words."""

from __future__ import annotations

import pickle
from dataclasses import MISSING, fields

import pytest

from pellucid.errors import PellucidError, UnknownName
from pellucid.render.magnitude import Magnitude
from pellucid.render.optimizers import Adam, Ascent, Normalized, Progress
from pellucid.render.parametrizations import Fourier, Pixels
from pellucid.render.parts import PARTS
from pellucid.render.recipes import BEST, PRESETS, Recipe
from pellucid.render.regularizers import L2, Blur, Decay, SmallContribution, SmallNorm, TotalVariation
from pellucid.render.transforms import Crop, Jitter, Noise, Pad, Roll, Rotate, Scale


def test_lucid() -> None:
    recipe = PRESETS["lucid"]
    assert (recipe.image, recipe.optimizer, recipe.steps) == (Fourier(1, 0.01, True), Adam(0.05), 512)
    assert recipe.transforms == (Pad(12), Jitter(8), Scale(0.9, 1.1, 11), Rotate(10, 5), Jitter(4))
    assert recipe.room == 24 - 12
    assert (recipe.redirect, recipe.priors, recipe.best) == (16, (), False)


def test_maco() -> None:
    recipe = PRESETS["maco"]
    assert (recipe.image, recipe.optimizer) == (Magnitude(), Adam(1.0, nesterov=True))
    assert (recipe.steps, recipe.views_per_step, recipe.credit) == (1000, 6, True)
    assert recipe.transforms == (Crop(0.20, 0.25, 0.15), Noise(0.01))  # 0.05 of a range of 5
    assert recipe.cuts


@pytest.mark.parametrize(
    ("name", "steps", "priors", "rate"),
    [
        ("yosinski-1", 500, (Blur(0.5, 4), SmallNorm(50)), (2.0, 100)),
        ("yosinski-2", 750, (Decay(0.3), SmallNorm(20)), 100),
        ("yosinski-3", 1000, (Decay(1e-4), Blur(1.0, 4)), 100),
        ("yosinski-4", 1000, (Blur(0.5, 4), SmallContribution(90)), (2.0, 1e8)),
    ],
)
def test_yosinski(name: str, steps: int, priors: tuple[object, ...], rate: float | tuple[float, float]) -> None:
    recipe = PRESETS[name]
    assert (recipe.steps, recipe.priors, recipe.best, recipe.transforms) == (steps, priors, True, ())
    assert recipe.image == Pixels(10 / 255)
    if isinstance(rate, tuple):
        assert recipe.optimizer == Progress(rate[0], most=rate[1] / 255**2)
    else:
        assert recipe.optimizer == Ascent(rate / 255**2)


def test_the_others() -> None:
    simonyan, dream = PRESETS["simonyan"], PRESETS["deepdream"]
    assert simonyan.image == Pixels(0)
    assert [type(prior) for prior in simonyan.priors] == [L2]
    assert simonyan.transforms == ()
    assert (dream.optimizer, dream.steps, dream.transforms) == (Normalized(1.5 / 255), 40, (Roll(32),))
    assert set(PRESETS) == {
        "pellucid",
        "lucid",
        "maco",
        "simonyan",
        "deepdream",
        *(f"yosinski-{i}" for i in range(1, 5)),
    }
    assert PRESETS["pellucid"] is BEST
    assert BEST.steps <= 256
    for name, recipe in PRESETS.items():
        assert recipe.name == str(recipe) == name
        assert pickle.loads(pickle.dumps(recipe)) == recipe
        assert Recipe.of(name) is recipe
        assert {"name", "steps", "parts"} <= set(recipe.facts())


def test_parts_of_ones_own() -> None:
    recipe = Recipe.of("lucid + tv(0.01) + jitter(16) + adam(0.1)")
    assert recipe.priors == (TotalVariation(0.01),)
    assert recipe.transforms == (Pad(12), Scale(0.9, 1.1, 11), Rotate(10, 5), Jitter(16))
    assert recipe.optimizer == Adam(0.1)
    assert recipe.name == "lucid + tv(0.01) + jitter(16) + adam(0.1)"
    assert Recipe.of("lucid + none(jitter, rotate)").transforms == (Pad(12), Scale(0.9, 1.1, 11))
    assert Recipe.of("yosinski-3 + none(blur)").priors == (Decay(1e-4),)
    assert Recipe.of("lucid + fourier(1.5)").image == Fourier(1.5)
    assert Recipe.of("lucid + pixels").image == Pixels()
    assert Recipe.of("lucid + crop(0.5, 0.7)").cuts
    assert Recipe.of("maco + normalized(0.1)").optimizer == Normalized(0.1)


@pytest.mark.parametrize("name", PARTS)
def test_every_part_has_words(name: str) -> None:
    needed = [field for field in fields(PARTS[name]) if field.default is MISSING]
    inside = ", ".join("1" for _ in needed)
    recipe = Recipe.of(f"{'simonyan' if name not in ('fourier', 'magnitude') else 'lucid'} + {name}({inside})")
    parts = [recipe.image, recipe.optimizer, *recipe.transforms, *recipe.priors]
    assert any(type(part) is PARTS[name] for part in parts)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("lucit", "no recipe 'lucit'.*lucid"),
        ("lucid + jiter(3)", "no part 'jiter'.*jitter"),
        ("lucid + jitter", "jitter takes pixels"),
        ("lucid + jitter(1, 2)", "jitter takes pixels"),
        ("lucid + jitter(much)", "jitter takes pixels"),
        ("lucid + none()", "no part"),
        ("lucid + none(what)", "no part 'what'"),
        ("lucid + tv(0.1", "no part 'tv\\(0.1'"),
        ("lucid + decay(0.1)", "Decay.*Fourier is no picture.*pixels"),
        ("", "no recipe"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(text: str, says: str) -> None:
    with pytest.raises((PellucidError, UnknownName), match=says) as error:
        Recipe.of(text)
    assert "\n" not in str(error.value)
