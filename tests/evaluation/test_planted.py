"""A planted map that is exactly right, one that is right beside more noise, and noise: every measure has to order
them so. Where one cannot, it is said by name why, and what holds instead.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count, pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import pellucid as pl
from pellucid.data import Data
from pellucid.evaluation import baselines, robustness
from pellucid.evaluation.explainers import Explainer, Explainers
from pellucid.evaluation.randomized import redrawn
from pellucid.evaluation.told_apart import told_apart
from pellucid.geometry import Floats
from pellucid.image_set import ImageSet
from pellucid.images import Images
from pellucid.net import Labels, Net, Preprocess
from pellucid.result import Table
from pellucid.target import Target
from tests.evaluation.networks import photos as noisy_photos
from tests.evaluation.networks import weighted

SIDE, THING = 16, 5
COLORS = {"red": (1, 0, -0.5), "green": (-0.5, 1, 0), "blue": (0, -0.5, 1), "yellow": (0.8, 0.8, -1)}
PLANTED = ("perfect", "mixed", "random")
_NOISE = 2.0
"""Standard deviation of the noise beside the truth, in those of the truth."""
Planted = Callable[[Net, Tensor, int, int, str], Floats]


class Additive(nn.Module):
    """A class is the sum of what the pixels say for it, each by itself: the truth of every pixel, wherever it lies."""

    def __init__(self, weights: Tensor) -> None:
        super().__init__()
        self.share = nn.Conv2d(3, len(weights), 1, bias=False)
        self.share.weight = nn.Parameter(weights[..., None, None])

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.share(x).sum((2, 3))
        return found


def additive(*names: str) -> Net:
    """A class for each color; "nothing" is a class of which no pixel says anything."""
    weights = torch.tensor([COLORS.get(name, (0, 0, 0)) for name in names], dtype=torch.float64) / 5
    seen = Preprocess(resize=SIDE, crop=(SIDE, SIDE), mean=(0.0,) * 3, std=(1.0,) * 3)
    return Net(Additive(weights).double().eval(), "additive", seen, Labels.plain(list(names)))


def corner(i: int) -> tuple[int, int]:
    """Top and left of the thing of image i."""
    return (2 + 4 * i) % (SIDE - THING), (9 - 3 * i) % (SIDE - THING)


def photos(*colors: str) -> Images:
    """A thing of one color on a dark ground, which is a little blue and darker below: the ground speaks against red."""
    paints = {"red": (0.9, 0, 0), "green": (0, 0.9, 0), "blue": (0, 0, 0.9), "yellow": (0.9, 0.9, 0)}
    found = []
    for i, color in enumerate(colors):
        pixels = np.zeros((3, SIDE, SIDE))
        pixels[2] = np.linspace(0.12, 0.04, SIDE)[:, None] + 0.02 * np.sin(np.arange(SIDE) + i)
        top, left = corner(i)
        bright = np.linspace(0.6, 1, THING)
        pixels[:, top : top + THING, left : left + THING] = np.array(paints[color])[:, None, None] * bright
        found.append(torch.from_numpy(pixels))
    return Images.from_pictures(found, [f"{i}" for i in range(len(colors))])


def perfect(net: Net, pixels: Tensor, which: int, seed: int, name: str) -> Floats:
    """What each pixel adds, as the network itself has it; where no layer says so, what it loses without the pixel."""
    if isinstance(net.module, Additive):
        shown: Floats = net.run(pixels[None], layers=["share"])["share"][0, which].detach().double().numpy()
        return shown
    one = torch.eye(pixels[0].numel(), dtype=torch.bool).reshape(-1, 1, *pixels.shape[-2:])
    without = torch.cat([pixels[None], torch.where(one, 0.0, pixels)])
    scores = net.run(without).scores[:, which].detach().double()
    found: Floats = (scores[0] - scores[1:]).reshape(pixels.shape[-2:]).numpy()
    return found


def mixed(net: Net, pixels: Tensor, which: int, seed: int, name: str) -> Floats:
    right, noise = perfect(net, pixels, which, seed, name), baselines.BASELINES["random"](pixels, 7, f"{name} {seed}")
    return right + _NOISE * float(right.std()) * (noise - 0.5) * np.sqrt(12)


_calls = count()


def anew(net: Net, pixels: Tensor, which: int, seed: int, name: str) -> Floats:
    """Noise that is another one whenever it is asked for."""
    return np.random.default_rng(next(_calls)).random(tuple(pixels.shape[-2:]))


@pytest.fixture(autouse=True)
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Maps that may look at the network, under the names of maps that do not."""
    known: dict[str, Planted] = {"perfect": perfect, "mixed": mixed, "anew": anew}
    whole = Explainer.heat_and_jump

    def heat(self: Explainer, net: Net, image: Images, target: Target, seed: int) -> tuple[Floats, tuple[float, float]]:
        if self.name not in known:
            return whole(self, net, image, target, seed)
        asked = target.class_asked
        which = int(asked) if asked is not None else 0
        return known[self.name](net, image.pictures[0], which, seed, image.ids[0]), (1.0, 1.0)

    monkeypatch.setattr(Explainer, "heat_and_jump", heat)
    for name in known:
        monkeypatch.setitem(baselines.BASELINES, name, lambda pixels, seed, name: pytest.fail("it knows no network"))


def order(table: Table, score: str, better: str, names: tuple[str, ...] = PLANTED) -> dict[str, float]:
    """The figures of these, which have to be so many different ones in that order, and stand in it in the table."""
    each = {str(name): float(value) for name, value in zip(table["method"], table[score], strict=True)}  # type: ignore[arg-type]
    values = [each[name] * (1 if better == "low" else -1) for name in names]
    assert all(a < b - 1e-6 for a, b in pairwise(values)), each
    assert [name for name in table["method"] if name in names] == list(names)
    return each


def asked(measure: str, **options: Any) -> pl.result.Study:
    function = getattr(pl.quality, measure)
    return function(additive("red", "nothing"), photos(*["red"] * 4), of=["perfect", "mixed", "anew"], **options)


FAITHFUL = {
    "deletion": ({"fill": "black", "score": "logit", "steps": 32}, "ranking", "area", "low"),
    "insertion": ({"fill": "black", "score": "logit", "steps": 32}, "ranking", "area", "high"),
    "road": ({"score": "logit", "shares": 9}, "ranking", "margin", "high"),
    "sufficiency": ({"fill": "black", "share": 0.9, "steps": 256}, "ranking", "pixels", "low"),
    "infidelity": ({"fill": "black", "samples": 32}, "ranking", "infidelity", "low"),
    "average_drop": ({}, "drop", "drop", "low"),
}


@pytest.mark.slow
@pytest.mark.parametrize("measure", FAITHFUL)
@pytest.mark.parametrize("noise", ["random", "anew"])
def test_what_the_network_uses_is_first_and_noise_is_last(measure: str, noise: str) -> None:
    options, table, score, better = FAITHFUL[measure]
    found = asked(measure, **options)[table]
    order(found, score, better, ("perfect", "mixed", noise))
    assert found["method"][0] == "perfect", "no map that knows no network is as good"


def test_the_increase_and_what_average_drop_cannot_see(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever takes away what speaks against the class makes it more probable. A map that is bright everywhere but in
    one pixel loses next to nothing: that it is no worse than the right one is the fault of the measure (Chattopadhay et
    al. 2018 say nothing of how much is shown), and what its help says.
    """
    bright = np.pad([[0.0]], (0, SIDE - 1), constant_values=1.0)
    monkeypatch.setitem(baselines.BASELINES, "bright", lambda pixels, seed, name: bright)
    images = photos(*["red"] * 4)
    found = pl.quality.average_drop(additive("red", "nothing"), images, of=["perfect", "mixed", "bright"])
    each = dict(zip(found["increase"]["method"], found["increase"]["increase"], strict=True))
    assert found["increase"]["method"][0] == "perfect"
    assert (each["perfect"], each["random"]) == (1, 0)
    drops = order(found["drop"], "drop", "low")
    assert drops["bright"] < 0.01 < drops["random"]


@pytest.mark.parametrize("table", ["max", "mean"])
def test_sensitivity_orders_maps_that_look_at_the_image(table: str) -> None:
    """Noise that is another one at each call moves most. Noise that is drawn by the name of the image does not move at
    all: it stands before the truth, which moves as far as the image does, and makes steadier what it is added to. Maps
    that know no network win nothing for that: the finding does not count them.
    """
    options = {"radius": 0.05, "samples": 3}
    each = order(asked("sensitivity", **options)[table], "change", "low", ("mixed", "perfect", "anew"))
    assert each["random"] == each["center"] == each["blurred_random"] == 0
    found = pl.quality.sensitivity(additive("red", "nothing"), photos("red"), of=["gradient_times_input"], **options)
    assert "gradient_times_input has the lowest" in found.findings[0]


def test_stability_orders_maps_that_look_at_the_image() -> None:
    """Noise by the name of the image is the same after a JPEG file and after the input shift, and not after a move, a
    crop or another seed; what lies in the middle of every image is as stable as the truth, and wins nothing.
    """
    study = asked("stability", shift=2, quality=95)
    each = order(study["ranking"], "correlation", "high", ("perfect", "mixed", "anew"))
    assert each["perfect"] > 0.85 > 0.6 > each["random"]
    assert each["anew"] == pytest.approx(0, abs=0.1)
    grid = study["changes"]
    noise = dict(zip(grid.columns, grid.values[grid.rows.index("random")], strict=True))
    assert noise["JPEG file"] == noise["input shift"] == pytest.approx(1)
    assert max(noise["image moved"], noise["image cropped"], noise["other seed"]) < 0.5
    assert each["center"] > 0.7
    real = pl.quality.stability(additive("red", "nothing"), photos("red"), of=["gradient_times_input"], shift=2)
    assert "gradient_times_input has the highest" in real.findings[0]


@pytest.mark.parametrize("order_of_layers", ["cascading", "independent"])
def test_randomization_orders_maps_that_stay_what_they_are(order_of_layers: str) -> None:
    """Noise by the name of the image knows no weights and is the same: last. Noise that is another one at each call has
    nothing in common with itself: it stands first for no reason, which no comparison of two maps can see.
    """
    asked_of = weighted(), noisy_photos(3)
    found = pl.quality.randomization(*asked_of, of=["perfect", "mixed", "anew"], steps=1, order=order_of_layers)
    each = order(found["ranking"], "correlation", "low")
    assert each["random"] == pytest.approx(1)
    assert each["anew"] < 0.15
    net = asked_of[0]
    other = net.with_weights(redrawn(net, ("weights",), 5))
    measure = robustness.label_randomization(other, False, ())
    _, (table,), _ = measure.answered(net, ImageSet.of(asked_of[1]), Explainers.of(["perfect", "mixed"]), 0)
    assert order(table, "correlation", "low")["random"] == pytest.approx(1)


def things() -> dict[str, list[tuple[str, tuple[int, int, int, int]]]]:
    """Where they are in four images, for `localization`."""
    found = {}
    for i in range(4):
        top, left = corner(i)
        found[str(i)] = [("red", (left, top, left + THING, top + THING))]
    return found


def test_of_all_maps_the_right_one_lies_on_the_thing_and_noise_anywhere() -> None:
    net, images = additive("red", "nothing"), photos(*["red"] * 4)
    options: dict[str, Any] = {"of": ["perfect", "mixed"], "tolerance": 0}
    found = pl.localization.localize(net, images, boxes=things(), thresholds=50, **options)
    pixels = pl.localization.pixels(net, images, truth=things(), of=options["of"])["pixels"]
    for table, score in ((found["pointing"], "hits"), (found["energy"], "energy"), (found["boxes"], "box_accuracy"),
                         (pixels, "precision"), (pixels, "pxap")):  # fmt: skip
        each = {str(name): float(value) for name, value in zip(table["method"], table[score], strict=True)}  # type: ignore[arg-type]
        assert each["perfect"] == pytest.approx(1) == max(each.values()), score
        assert each["perfect"] >= each["mixed"] > each["random"] == min(each[name] for name in PLANTED), each
        assert table["method"].index("random") > table["method"].index("perfect")
    area = THING**2 / SIDE**2
    each = dict(zip(found["energy"]["method"], found["energy"]["energy"], strict=True))
    assert each["random"] == pytest.approx(area, rel=0.3), "what it has by chance"


@pytest.mark.parametrize("size", ["double", "input"])
def test_in_a_mosaic_the_right_map_lies_on_the_photo_that_is_asked_about(size: Any) -> None:
    net = additive(*COLORS)
    images = photos(*COLORS, *COLORS)
    found = pl.localization.grid_pointing(net, images, of=["perfect", "mixed"], count=16, confidence=0, size=size)[
        "ranking"
    ]
    each = order(found, "localization", "high")
    assert found["method"][0] == "perfect"
    assert each["random"] == pytest.approx(0.25, abs=0.05)


def test_the_right_map_tells_who_uses_a_tag_and_noise_does_not() -> None:
    """The one network looks at a box, the other at all but that; the same noise lies on it for both."""
    inside = torch.zeros(3, 12, 12, dtype=torch.float64)
    inside[:, 8:, 8:] = 0.1
    nets = []
    for weights in (inside, 0.1 - inside):
        net = weighted()
        nets.append(net.with_weights({"weights": weights}))
    data = Data.of((np.stack(noisy_photos(6)).transpose(0, 3, 1, 2), [0] * 6))
    table = told_apart(*nets, data, Explainers.of(["perfect"]), (8 / 12, 8 / 12, 1, 1), 0)
    each = order(table, "found", "high", ("perfect", "random"))
    assert each["perfect"] == 1
    assert each["random"] == 0.5
