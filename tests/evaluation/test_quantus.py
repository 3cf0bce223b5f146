"""Quantus 0.6, where it follows the published protocol; and where it does not, what that changes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

import pellucid as pl
from pellucid.evaluation.baselines import BASELINES
from pellucid.net import Net

pytestmark = pytest.mark.slow  # it takes seconds to import
quantus = pytest.importorskip("quantus")

SIDE, STEPS = 12, 12
Floats = NDArray[np.float64]
QUIET = {"abs": False, "normalise": False, "disable_warnings": True, "display_progressbar": False}


def module() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 10 * 10, 3)).eval()


def pixels() -> Floats:
    """Two images with a black pixel, so that Quantus' black, the least value of an image, is black."""
    found = np.random.default_rng(0).random((2, 1, SIDE, SIDE))
    found[:, :, 0, 0] = 0
    return found


def maps() -> Floats:
    """No two pixels have the same value."""
    found = np.random.default_rng(1).permutation(SIDE * SIDE).reshape(1, 1, SIDE, SIDE).astype(np.float64)
    return np.concatenate([found, found[:, :, ::-1]])


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> tuple[Net, dict[str, Any]]:
    """The network, and the arguments of every metric; the first map is planted as `known`."""
    net = pl.load(module(), size=SIDE, channels=1, mean=(0.0,), std=(1.0,), labels=["p", "q", "r"])
    x = pixels().astype(np.float32)
    monkeypatch.setitem(BASELINES, "known", lambda pixels, seed, name: maps()[0, 0])
    with torch.no_grad():
        labels = net.module(torch.from_numpy(x)).argmax(1).numpy()
    given = {"model": net.module, "x_batch": x, "y_batch": labels, "a_batch": maps(), "device": "cpu"}
    return net, given


def row(found: Any, part: str) -> dict[str, Any]:
    return next(one for one in found[part].rows if one["method"] == "known")


def test_pixel_flipping_is_deletion_without_its_first_point(asked: tuple[Net, dict[str, Any]]) -> None:
    net, given = asked
    metric = quantus.PixelFlipping(features_in_step=SIDE * SIDE // STEPS, perturb_baseline="black", **QUIET)
    theirs = metric(**given)[0]
    first = torch.from_numpy(given["x_batch"][0])
    found = pl.quality.deletion(net, [first], of="known", fill="black", steps=STEPS)
    line = next(line for curve in found.curves.values() for line in curve.lines if line.name == "known")
    assert line.values[1:] == pytest.approx(theirs, abs=1e-6)
    assert len(theirs) == STEPS, "what the network says of the whole image is not among them"
    area = (line.values.sum() - (line.values[0] + line.values[-1]) / 2) / STEPS
    assert row(found, "ranking")["area"] == pytest.approx(area)


def test_relevance_mass_is_the_energy_inside(asked: tuple[Net, dict[str, Any]]) -> None:
    net, given = asked
    inside = np.zeros((2, 1, SIDE, SIDE))
    inside[:, :, 3:8, 4:9] = 1
    theirs = quantus.RelevanceMassAccuracy(**QUIET)(**given, s_batch=inside)[0]
    image = pl.Images.from_pictures([torch.from_numpy(given["x_batch"][0])], ["a"])
    label = net.class_name(int(given["y_batch"][0]))
    found = pl.localization.energy(net, image, truth={"a": [(label, (4, 3, 9, 8))]}, of="known")
    assert row(found, "energy")["energy"] == pytest.approx(float(theirs), abs=1e-9)


def test_a_map_that_is_the_same_everywhere_is_a_hit_there_and_chance_here(
    asked: tuple[Net, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every place is a maximum of it, and Quantus asks whether any of them lies inside."""
    net, given = asked
    inside = np.zeros((2, 1, SIDE, SIDE))
    inside[:, :, 0, 11] = 1
    flat = np.concatenate([np.full((1, 1, SIDE, SIDE), 0.5), maps()[1:]])
    assert quantus.PointingGame(**QUIET)(**{**given, "a_batch": flat}, s_batch=inside)[0]
    monkeypatch.setitem(BASELINES, "known", lambda pixels, seed, name: np.full((SIDE, SIDE), 0.5))
    image = pl.Images.from_pictures([torch.from_numpy(given["x_batch"][0])], ["a"])
    label = net.class_name(int(given["y_batch"][0]))
    truth = {"a": [(label, (11, 0, 12, 1))]}
    hits = [
        row(pl.localization.pointing(net, image, truth=truth, of="known", tolerance=0, seed=seed), "pointing")["hits"]
        for seed in range(20)
    ]
    assert np.mean(hits) < 0.2, "one of 144 places"


def test_their_mean_over_randomized_networks_contains_the_trained_one(asked: tuple[Net, dict[str, Any]]) -> None:
    _, given = asked

    def gradient(model: nn.Module, inputs: Floats, targets: Floats, **_: Any) -> Floats:
        x: Tensor = torch.tensor(inputs, dtype=torch.float32, requires_grad=True)
        model(x)[torch.arange(len(inputs)), torch.as_tensor(targets)].sum().backward()
        return np.asarray(x.grad)

    how = {**QUIET, "similarity_func": quantus.similarity_func.correlation_spearman}
    ask = {**given, "a_batch": None, "explain_func": gradient}
    each = quantus.MPRT(**how)(**ask)
    assert each["original"] == pytest.approx([1, 1]), "a map compared with itself"
    mean = quantus.MPRT(**how, return_average_correlation=True)(**ask)
    assert mean[0] > np.mean([one[0] for name, one in each.items() if name != "original"]) + 0.2
